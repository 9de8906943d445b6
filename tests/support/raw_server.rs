//! A loopback server without any HTTP library: it says exactly the bytes it is told, and can cut
//! them off, stall, or hang up, which no library allows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What to do with one request.
#[derive(Clone)]
pub enum Act {
    /// Answer and keep the connection.
    Say(Vec<u8>),
    /// Answer, then hang up.
    SayAndClose(Vec<u8>),
    /// Hang up without a word.
    Close,
    /// Say this much, then nothing, for as long as the client likes.
    Stall(Vec<u8>),
}

/// A request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub line: String,
    /// Names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Which connection it came over, from 0.
    pub connection: usize,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub struct RawServer {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl RawServer {
    /// Follows `script`, request by request; when it is used up, the last act is repeated.
    pub fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&received);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (record, script) = (Arc::clone(&record), script.clone());
                thread::spawn(move || serve(&stream.unwrap(), connection, &record, &script));
            }
        });
        Self { address, received }
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "requests received");
        received[0].clone()
    }
}

fn serve(stream: &TcpStream, connection: usize, record: &Mutex<Vec<Received>>, script: &[Act]) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader, connection) {
        let act = {
            let mut record = record.lock().unwrap();
            let act = script[record.len().min(script.len() - 1)].clone();
            record.push(request);
            act
        };
        let (bytes, close) = match act {
            Act::Say(bytes) => (bytes, false),
            Act::SayAndClose(bytes) => (bytes, true),
            Act::Close => (Vec::new(), true),
            Act::Stall(bytes) => {
                let _ = writer.write_all(&bytes);
                let _ = reader.read(&mut [0]);
                return;
            }
        };
        // The client may have gone; that is its business.
        let _ = writer.write_all(&bytes);
        if close {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead, connection: usize) -> Option<Received> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
        connection,
    })
}

/// An HTTP reply with the right length.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    [text.into_bytes(), body.to_vec()].concat()
}

/// A JSON reply.
pub fn json(status: u16, body: &str) -> Vec<u8> {
    let headers = [("content-type", "application/json; charset=utf-8")];
    reply(status, &headers, body.as_bytes())
}

/// A recorded reply.
pub fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}
