//! Between hyper and the server proper: collects a request, hands it over, and delivers the answer
//! as whole or as broken as it is meant to be.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use super::bodies::MIB;
use super::reply::{Delivery, Reply};
use super::request::Request;

/// Whoever answers requests.
pub type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// The length of an oversized answer, beyond what any client should take.
const OVERSIZED_MIB: usize = 9;

/// How long the other side may take to notice that a connection has ended.
const PARTING: Duration = Duration::from_secs(1);

/// The HTTP version of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1
    One,
    /// HTTP/2
    Two,
}

/// Serves one connection until it ends or an answer ends it.
/// `line` is the socket below `stream`.
pub async fn serve<S>(stream: S, version: Version, answer: Arc<Answer>, line: OwnedFd)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let hang_up = Arc::new(Notify::new());
    let service = {
        let hang_up = Arc::clone(&hang_up);
        service_fn(move |request| one(request, Arc::clone(&answer), Arc::clone(&hang_up)))
    };
    let io = TokioIo::new(stream);
    let served = async {
        // How a connection ends is the client's business; there is nobody here to tell.
        let _ = match version {
            Version::One => {
                let mut http = hyper::server::conn::http1::Builder::new();
                http.auto_date_header(false).timer(TokioTimer::new());
                http.serve_connection(io, service).await
            }
            Version::Two => {
                let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                http.auto_date_header(false).timer(TokioTimer::new());
                http.serve_connection(io, service).await
            }
        };
    };
    let hung_up = tokio::select! {
        () = served => false,
        () = hang_up.notified() => true,
    };
    if hung_up {
        part(line).await;
    }
}

/// Ends a connection from this side and waits for the other to do the same. A socket closed over
/// something it has not read yet would be reset instead, or not, as chance will have it.
async fn part(line: OwnedFd) {
    let line = std::net::TcpStream::from(line);
    // Fails only where the other side is gone already.
    let _ = line.shutdown(std::net::Shutdown::Write);
    let Ok(line) = tokio::net::TcpStream::from_std(line) else {
        return;
    };
    let ends = async {
        let mut rest = [0; 1024];
        while line.readable().await.is_ok() {
            match line.try_read(&mut rest) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
    };
    let _ = tokio::time::timeout(PARTING, ends).await;
}

async fn one(
    incoming: hyper::Request<Incoming>,
    answer: Arc<Answer>,
    hang_up: Arc<Notify>,
) -> Result<hyper::Response<Pieces>, Infallible> {
    let Some(request) = collect(incoming).await else {
        hang_up.notify_one();
        return std::future::pending().await;
    };
    let reply = answer(&request);
    match reply.delivery {
        Delivery::Dropped => {
            hang_up.notify_one();
            std::future::pending::<()>().await;
        }
        Delivery::Never => std::future::pending::<()>().await,
        Delivery::Late(delay) => tokio::time::sleep(delay).await,
        Delivery::Whole | Delivery::Truncated | Delivery::Oversized => {}
    }
    Ok(response(reply))
}

async fn collect(incoming: hyper::Request<Incoming>) -> Option<Request> {
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.ok()?.to_bytes().to_vec();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let authority = parts.uri.authority().map(ToString::to_string);
    let host = headers
        .iter()
        .find(|(name, _)| name == "host")
        .map(|(_, value)| value.clone());
    Some(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host: authority.or(host).unwrap_or_default(),
        headers,
        body,
    })
}

fn response(reply: Reply) -> hyper::Response<Pieces> {
    let length = reply.body.len();
    let body = Pieces::of(reply.body, reply.delivery);
    let mut response = hyper::Response::new(body);
    if let Ok(status) = hyper::StatusCode::from_u16(reply.status) {
        *response.status_mut() = status;
    }
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    if reply.delivery == Delivery::Truncated {
        response
            .headers_mut()
            .insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// A body in pieces, of which the last may never come.
struct Pieces {
    left: VecDeque<Bytes>,
    ending: Ending,
    length: Option<u64>,
}

#[derive(PartialEq, Eq)]
enum Ending {
    /// Everything announced has been sent.
    Proper,
    /// It breaks off, once what was sent so far is out.
    Abrupt,
    /// It breaks off now.
    Now,
}

impl Pieces {
    fn of(body: Vec<u8>, delivery: Delivery) -> Self {
        let length = u64::try_from(body.len()).ok();
        match delivery {
            Delivery::Truncated => {
                let half = body.len() / 2;
                let left = [Bytes::from(body[..half].to_vec())].into();
                Self {
                    left,
                    ending: Ending::Abrupt,
                    length: None,
                }
            }
            Delivery::Oversized => {
                let blank = Bytes::from(vec![b'a'; MIB]);
                let mut left: VecDeque<Bytes> = std::iter::repeat_n(blank, OVERSIZED_MIB).collect();
                left.push_front(Bytes::from(body));
                Self {
                    left,
                    ending: Ending::Proper,
                    length: None,
                }
            }
            _ => Self {
                left: [Bytes::from(body)].into(),
                ending: Ending::Proper,
                length,
            },
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(piece) = self.left.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.ending {
            Ending::Proper => Poll::Ready(None),
            Ending::Abrupt => {
                // An error at once would take the pieces before it along, unsent.
                self.ending = Ending::Now;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Now => {
                self.ending = Ending::Proper;
                Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.iter().all(Bytes::is_empty) && self.ending == Ending::Proper
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map(SizeHint::with_exact).unwrap_or_default()
    }
}
