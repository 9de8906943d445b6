//! An answer before it goes out: what it says, and how much of it the client gets to see.

use std::time::Duration;

use serde_json::Value;

use super::fixtures::{self, Fixture};

/// How an answer reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As it is.
    Whole,
    /// As it is, after this long.
    Late(Duration),
    /// Announced in full, cut off in the middle.
    Truncated,
    /// More than eight mebibytes of it.
    Oversized,
    /// Not at all: the connection is closed.
    Dropped,
    /// Not at all: the connection stays open and silent.
    Never,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Every header but `Date` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it arrives.
    pub delivery: Delivery,
    /// Name of the recorded reply it is, if it is one.
    pub fixture: Option<&'static str>,
}

/// Content type of every JSON answer, as recorded.
pub const JSON: &str = "application/json; charset=utf-8";

impl Reply {
    /// An answer with a body of the given type.
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body,
            delivery: Delivery::Whole,
            fixture: None,
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, JSON, body.to_string().into_bytes())
    }

    /// A recorded reply with its recorded headers.
    pub fn fixture(fixture: &'static Fixture) -> Self {
        let mut reply = Self::new(fixture.status, &fixture.content_type, fixture.body.to_vec());
        let headers = fixture
            .headers
            .iter()
            .map(|(n, v)| (n.to_ascii_lowercase(), v.clone()));
        reply.headers.extend(headers);
        reply.fixture = Some(&fixture.name);
        reply
    }

    /// The recorded reply of that exact name.
    pub fn recorded(name: &str) -> Self {
        Self::fixture(fixtures::find(name).expect("named replies exist in the index"))
    }

    /// Sets a header, replacing one of the same name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// The same answer, delivered otherwise.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}
