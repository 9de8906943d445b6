//! Every kind of foreign bytes with what must hold of it, for the targets under `tests/fuzz` and for
//! the test that replays their corpus. Built for tests and for fuzzing only.

#[cfg(test)]
mod replay;

pub use crate::config::fuzzing::{config, values};
pub use crate::instagram::fuzzing::{
    dates, ids, password_key, reply, session_id, settings, state_headers,
};
pub use crate::practice::fuzzing::practice;
pub use crate::store::fuzzing::seal;

use crate::commands::code_of;
use crate::instagram::fuzzing::totp_secret;

/// A target's name and its check, which panics where something does not hold.
pub type Target = (&'static str, fn(&[u8]));

/// Every target there is.
pub const TARGETS: [Target; 12] = [
    ("code", code),
    ("config", config),
    ("dates", dates),
    ("ids", ids),
    ("password_key", password_key),
    ("practice", practice),
    ("reply", reply),
    ("seal", seal),
    ("session_id", session_id),
    ("settings", settings),
    ("state_headers", state_headers),
    ("values", values),
];

/// A second factor's code as a file has it, or the secret it is computed from.
pub fn code(bytes: &[u8]) {
    totp_secret(bytes);
    let text = String::from_utf8_lossy(bytes);
    if let Some(code) = code_of(&text) {
        let digits: String = text.split_whitespace().collect();
        assert_eq!(code.expose(), digits);
        assert!((6..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    }
}
