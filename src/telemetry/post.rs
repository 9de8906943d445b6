//! One POST to an operator's own address: sent once, never followed elsewhere, over in ten seconds.
//!
//! The address is a secret, so no message contains it. The pass never waits for an answer: looking up
//! a name cannot be called off, so the request is made on a thread of its own that can be left behind.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::header::CONTENT_TYPE;

use crate::model::Secret;

/// How long a request may take in all.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What is sent.
pub struct Post {
    /// Where to.
    pub url: Secret,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A request under way.
pub struct Sending(Receiver<Result<(), String>>);

impl Post {
    /// Begins to send it.
    pub fn begin(self) -> Sending {
        let (sender, receiver) = channel();
        let send = move || {
            // Nobody may be left to tell.
            let _ = sender.send(self.send());
        };
        // Without a thread the channel closes, which tells as much.
        let _ = thread::Builder::new().spawn(send);
        Sending(receiver)
    }

    fn send(self) -> Result<(), String> {
        let client = client(self.url.expose()).map_err(|error| root_cause(&error))?;
        let request = client
            .post(self.url.expose())
            .header(CONTENT_TYPE, self.content_type)
            .body(self.body);
        let status = match request.send() {
            Ok(response) => response.status(),
            Err(error) => return Err(explain(error)),
        };
        if status.is_success() {
            Ok(())
        } else if status.is_redirection() {
            let code = status.as_u16();
            Err(format!(
                "the answer was {code}, and redirects are not followed"
            ))
        } else {
            Err(format!("the answer was {}", status.as_u16()))
        }
    }
}

impl Sending {
    /// How it ended; waits for that no longer than a request may take.
    pub fn wait(self) -> Result<(), String> {
        match self.0.recv_timeout(LIMIT) {
            Ok(sent) => sent,
            Err(RecvTimeoutError::Timeout) => Err(LATE.to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("no thread could be started".to_owned()),
        }
    }
}

const LATE: &str = "no answer came within 10 s";

fn client(url: &str) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("story-liker/", env!("CARGO_PKG_VERSION")))
        .timeout(LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false);
    // The machine's roots need not exist where nothing is encrypted.
    if url.starts_with("https:") {
        builder.build()
    } else {
        builder.tls_certs_only([]).build()
    }
}

fn explain(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return LATE.to_owned();
    }
    let is_connect = error.is_connect();
    let cause = root_cause(&error.without_url());
    // The TLS library ends some messages with the address of its manual.
    let cause = cause.split(": https://").next().unwrap_or_default();
    if is_connect {
        format!("no connection could be made: {cause}")
    } else {
        format!("the connection broke: {cause}")
    }
}

/// The innermost error: the outer ones only say that something was tried.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
