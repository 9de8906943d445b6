//! What must hold for whatever bytes the platform, or a file said to come from it, is made of: one
//! function for each kind of foreign bytes, which panics where it does not hold.
//!
//! The fuzz targets under `tests/fuzz` and the property tests call the same functions, so neither
//! can promise what the other does not check. Nothing of this is in the program.

mod login;
#[cfg(test)]
mod mutation;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod text;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};

pub use login::{password_key, totp_secret};
pub use reply::reply;
pub use session::{session_id, settings, state_headers};
pub use text::{dates, ids};

use super::objections::Reply;
use crate::model::Timestamp;

/// 2026-11-20 18:00 UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

/// Where this stands in what came in, it stands for a secret, and must not come out.
pub const PLANTED: &str = "Zk3Planted7Qx9Secret1";

/// The statuses that a body without head is tried with.
const STATUSES: [u16; 4] = [200, 400, 404, 429];

/// A reply as a text file has it: the status on a line, header lines, a blank line, the body. A file
/// of anything else is a body.
struct Heard {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    fn all(bytes: &[u8]) -> Vec<Self> {
        if let Some(heard) = Self::with_head(bytes) {
            return vec![heard];
        }
        let bare = |status| Self {
            status,
            headers: HeaderMap::new(),
            body: bytes.to_vec(),
        };
        STATUSES.map(bare).into()
    }

    fn with_head(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = split_line(bytes)?;
        let status = std::str::from_utf8(first).ok()?.parse().ok()?;
        let (headers, body) = headers(rest);
        Some(Self {
            status,
            headers,
            body: body.to_vec(),
        })
    }

    /// As the transport hands it over.
    fn reply(&self) -> Reply {
        let text = |name: HeaderName| {
            let value = self.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Reply {
            status: self.status,
            content_type: text(CONTENT_TYPE).unwrap_or_default(),
            retry_after: text(RETRY_AFTER),
            location: text(LOCATION),
            body: self.body.clone(),
            body_trouble: None,
        }
    }
}

/// Header lines up to a blank one, and what is behind it. What no header can be is left out, as the
/// HTTP library would.
fn headers(bytes: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = bytes;
    while let Some((line, behind)) = split_line(rest) {
        rest = behind;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// The first line and what is behind it; `None` at the end.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.unwrap_or(bytes.len());
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    Some((line, bytes.get(end + 1..).unwrap_or_default()))
}

/// A message is one line a terminal can show, of a sensible length, without a secret.
#[track_caller]
fn fit_for_the_operator(message: &str) {
    assert!(
        message.chars().count() <= 1500,
        "{} characters",
        message.len()
    );
    let odd = message.chars().find(|c| steers_the_terminal(*c));
    assert_eq!(odd, None, "in {message:?}");
    assert!(!message.contains(PLANTED), "a secret in {message:?}");
}

/// Control characters, and those that turn the writing around or take no room.
fn steers_the_terminal(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
