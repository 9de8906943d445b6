//! Refusals and faults armed in advance: on which calls, after how many of them, how often, for
//! whom, and what comes instead of the ordinary answer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::act::Act;
use super::fixtures;
use super::reply::Reply;

/// What comes instead of the ordinary answer.
#[derive(Debug, Clone)]
pub enum Instead {
    /// A recorded reply, verbatim. The request takes no effect.
    Recorded(&'static str),
    /// Any other reply. The request takes no effect.
    Custom(Box<Reply>),
    /// Something the transport does.
    Fault(Fault),
}

/// What a transport can do to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is explained at its name below.
pub enum Fault {
    Drop,
    DropApplied,
    Stall,
    Truncated,
    Oversized,
    GzipBomb,
    NonUtf8,
    Redirect,
    Slow,
}

/// Fault names as they are armed.
const FAULTS: &[(&str, Fault)] = &[
    // Connection closed without an answer; whether a write took effect is a switch.
    ("drop", Fault::Drop),
    // The same, after the write took effect.
    ("drop_applied", Fault::DropApplied),
    // No answer, ever; whether a write took effect is a switch.
    ("stall", Fault::Stall),
    // The ordinary answer, announced in full and cut off; the write took effect.
    ("truncated", Fault::Truncated),
    // An answer of more than eight mebibytes.
    ("oversized", Fault::Oversized),
    // A small compressed answer that becomes large.
    ("gzip_bomb", Fault::GzipBomb),
    // HTTP 200 with bytes that are no text.
    ("non_utf8", Fault::NonUtf8),
    // HTTP 302 to the web login page.
    ("redirect", Fault::Redirect),
    // The ordinary answer, half a client time-out late.
    ("slow", Fault::Slow),
];

type Group = (&'static str, fn(Act) -> bool);

/// Groups of calls a trouble can be armed on, besides single ones.
const GROUPS: &[Group] = &[
    ("like", Act::is_like),
    ("read", Act::is_read),
    ("write", Act::is_write),
    ("any", |_| true),
];

/// One armed trouble.
#[derive(Debug, Clone)]
pub struct Trouble {
    on: String,
    after: u32,
    times: u32,
    user: Option<String>,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    name: String,
    instead: Instead,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    on: String,
    #[serde(default)]
    after: u32,
    #[serde(default = "once")]
    times: u32,
    reply: Value,
    #[serde(default)]
    user: Option<String>,
}

fn once() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReply {
    status: u16,
    #[serde(default = "json_type")]
    content_type: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

fn json_type() -> String {
    super::reply::JSON.to_owned()
}

/// Why a trouble, a switch or a change of the world was not understood; names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Misunderstood {
    /// The field concerned.
    pub field: String,
    /// What was wrong with it.
    pub reason: String,
}

impl Misunderstood {
    /// A mistake in one field.
    pub fn new(field: &str, reason: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            reason: reason.into(),
        }
    }
}

impl Trouble {
    /// A trouble that strikes the next matching request, once. `on` is the name of a call (`login`,
    /// `current_user`, `story_like`, ...) or of a group (`like`, `read`, `write`, `any`); `reply`
    /// names a recorded reply (`feedback_required`, `429_empty`, ...) or a transport fault (`drop`,
    /// `drop_applied`, `stall`, `truncated`, `oversized`, `gzip_bomb`, `non_utf8`, `redirect`,
    /// `slow`).
    pub fn new(on: &str, reply: &str) -> Result<Self, Misunderstood> {
        Self::build(on, reply.to_owned(), named_reply(reply)?)
    }

    /// Reads the JSON form: `on`, `reply` as in [`new`](Self::new) or as an object with `status`,
    /// `content_type`, `headers` and `body`; optional `after`, `times`, `user`.
    pub fn from_json(json: &[u8]) -> Result<Self, Misunderstood> {
        let raw: Raw = serde_json::from_slice(json)
            .map_err(|error| Misunderstood::new("trouble", error.to_string()))?;
        let (name, instead) = match &raw.reply {
            Value::String(name) => (name.clone(), named_reply(name)?),
            object => ("custom".to_owned(), custom_reply(object)?),
        };
        let mut trouble = Self::build(&raw.on, name, instead)?
            .after(raw.after)
            .times(raw.times);
        trouble.user = raw.user;
        Ok(trouble)
    }

    /// A trouble with an answer of one's own, recorded under `name`.
    pub(super) fn answering(on: &str, name: String, reply: Reply) -> Result<Self, Misunderstood> {
        Self::build(on, name, Instead::Custom(Box::new(reply)))
    }

    fn build(on: &str, name: String, instead: Instead) -> Result<Self, Misunderstood> {
        if !GROUPS.iter().any(|(group, _)| *group == on) && Act::named(on).is_none() {
            let reason = format!("{on:?} is neither a call nor one of like, read, write, any");
            return Err(Misunderstood::new("on", reason));
        }
        let on = on.to_owned();
        Ok(Self {
            on,
            after: 0,
            times: 1,
            user: None,
            from_ms: None,
            until_ms: None,
            name,
            instead,
        })
    }

    /// Lets this many matching requests through first.
    #[must_use]
    pub fn after(self, after: u32) -> Self {
        Self { after, ..self }
    }

    /// Strikes this many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Strikes only requests about this user.
    #[must_use]
    pub fn user(self, username: &str) -> Self {
        Self {
            user: Some(username.to_owned()),
            ..self
        }
    }

    /// Strikes only from this moment on, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn from_ms(self, from_ms: i64) -> Self {
        Self {
            from_ms: Some(from_ms),
            ..self
        }
    }

    /// Strikes only before this moment, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn until_ms(self, until_ms: i64) -> Self {
        Self {
            until_ms: Some(until_ms),
            ..self
        }
    }

    fn concerns(&self, act: Act, user: Option<&str>, now_ms: i64) -> bool {
        let group = GROUPS.iter().find(|(group, _)| *group == self.on);
        let on = group.map_or(act.name() == self.on, |(_, includes)| includes(act));
        on && self.times > 0
            && self.from_ms.is_none_or(|from| from <= now_ms)
            && self.until_ms.is_none_or(|until| now_ms < until)
            && self.user.as_deref().is_none_or(|name| Some(name) == user)
    }
}

/// A trouble that strikes.
#[derive(Debug, Clone)]
pub struct Strike {
    /// The name it was armed with.
    pub name: String,
    /// What it does.
    pub instead: Instead,
}

/// All armed troubles.
#[derive(Debug, Default)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Arms one more.
    pub fn arm(&mut self, trouble: Trouble) {
        self.0.push(trouble);
    }

    /// The trouble that strikes this request, if any. Requests that are let through are counted.
    pub fn strike(&mut self, act: Act, user: Option<&str>, now_ms: i64) -> Option<Strike> {
        for trouble in &mut self.0 {
            if !trouble.concerns(act, user, now_ms) {
                continue;
            }
            if trouble.after > 0 {
                trouble.after -= 1;
                continue;
            }
            trouble.times -= 1;
            return Some(Strike {
                name: trouble.name.clone(),
                instead: trouble.instead.clone(),
            });
        }
        None
    }
}

fn named_reply(name: &str) -> Result<Instead, Misunderstood> {
    if let Some((_, fault)) = FAULTS.iter().find(|(fault, _)| *fault == name) {
        return Ok(Instead::Fault(*fault));
    }
    match fixtures::find(name) {
        Some(fixture) => Ok(Instead::Recorded(&fixture.name)),
        None => Err(Misunderstood::new(
            "reply",
            format!("{name:?} is neither a recorded reply nor a transport fault"),
        )),
    }
}

fn custom_reply(object: &Value) -> Result<Instead, Misunderstood> {
    let raw: RawReply = serde_json::from_value(object.clone())
        .map_err(|error| Misunderstood::new("reply", error.to_string()))?;
    if !(200..=599).contains(&raw.status) {
        return Err(Misunderstood::new(
            "reply",
            format!("status {} is no answer", raw.status),
        ));
    }
    let body = match raw.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.into_bytes(),
        json => json.to_string().into_bytes(),
    };
    let mut reply = Reply::new(raw.status, &raw.content_type, body);
    for (name, value) in &raw.headers {
        let Some(value) = value.as_str() else {
            return Err(Misunderstood::new(
                "reply",
                format!("header {name} must be a string"),
            ));
        };
        reply.set(&name.to_ascii_lowercase(), value);
    }
    Ok(Instead::Custom(Box::new(reply)))
}
