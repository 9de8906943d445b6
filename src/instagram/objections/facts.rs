//! The reply, and everything of it that the tests look at.

use serde_json::{Map, Value};

/// A reply as far as its meaning goes.
#[derive(Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// As sent; empty if it was not.
    pub content_type: String,
    /// `Retry-After`, as sent.
    pub retry_after: Option<String>,
    /// `Location`, as sent.
    pub location: Option<String>,
    /// The body, decompressed; empty if it could not be read.
    pub body: Vec<u8>,
    /// Why the body could not be read, if it could not.
    pub body_trouble: Option<BodyTrouble>,
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyTrouble {
    /// The connection ended before the body did, or its compression is broken.
    Broken,
    /// It did not end in time.
    TimedOut,
    /// It is longer than any honest reply.
    TooLong,
    /// It has more values than any honest reply.
    TooMany,
}

impl BodyTrouble {
    pub fn words(self) -> &'static str {
        match self {
            Self::Broken => "the answer broke off",
            Self::TimedOut => "the answer did not end in time",
            Self::TooLong => "the answer is longer than 2 MiB",
            Self::TooMany => "the answer has more values than any of Instagram's",
        }
    }
}

/// A reply with everything the tests look at.
pub struct Facts<'a> {
    pub reply: &'a Reply,
    /// The body, if it is a JSON object.
    pub json: Option<Map<String, Value>>,
    /// `message`, whatever its type, in lower case.
    pub message: String,
    pub error_type: String,
    /// Where the reply sends the operator, in lower case.
    pub urls: String,
}

impl<'a> Facts<'a> {
    pub fn of(reply: &'a Reply) -> Self {
        let json: Option<Map<String, Value>> = serde_json::from_slice(&reply.body).ok();
        let member = |path: &[&str]| {
            let mut value = json.as_ref()?.get(path[0])?;
            for name in &path[1..] {
                value = value.get(name)?;
            }
            let mut text = String::new();
            collect_text(value, &mut text);
            Some(text.trim().to_lowercase())
        };
        let urls = [
            member(&["challenge", "url"]),
            member(&["challenge", "api_path"]),
            member(&["checkpoint_url"]),
            reply.location.as_deref().map(str::to_lowercase),
        ];
        Self {
            reply,
            message: member(&["message"]).unwrap_or_default(),
            error_type: member(&["error_type"]).unwrap_or_default(),
            urls: urls.into_iter().flatten().collect::<Vec<_>>().join("\n"),
            json,
        }
    }

    /// The body without the blanks around it. It is searched as it is: a copy would cost as much
    /// memory again.
    pub fn body(&self) -> &[u8] {
        self.reply.body.trim_ascii()
    }

    /// Whether the body contains these words, in capitals or not.
    pub fn body_has(&self, words: &str) -> bool {
        let mut places = self.body().windows(words.len());
        places.any(|place| place.eq_ignore_ascii_case(words.as_bytes()))
    }

    pub fn member(&self, name: &str) -> Option<&Value> {
        self.json.as_ref()?.get(name)
    }

    pub fn status_word(&self) -> Option<&str> {
        self.member("status")?.as_str()
    }

    pub fn is_ok(&self) -> bool {
        self.reply.status == 200 && self.status_word() == Some("ok")
    }

    pub fn has_error_title(&self) -> bool {
        let title = self.member("error_title").and_then(Value::as_str);
        title.is_some_and(|title| !title.is_empty())
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.member(name).and_then(Value::as_bool) == Some(true)
    }

    pub fn has(&self, sentence: &str) -> bool {
        self.message.contains(sentence)
    }
}

/// Every text inside `value`, since a message may be a list or an object.
pub fn collect_text(value: &Value, text: &mut String) {
    match value {
        Value::String(part) => {
            text.push_str(part);
            text.push(' ');
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect_text(part, text)),
        Value::Object(parts) => parts.values().for_each(|part| collect_text(part, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
