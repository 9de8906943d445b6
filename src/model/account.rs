//! The operator's account, its device and its Instagram login session.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{Pk, Secret, Timestamp};

/// The local, permanent name of an account: `[a-z0-9-]`, 1 to 32 characters. Key of its rows, its
/// lock file and its configuration table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProfileName(String);

impl ProfileName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ProfileName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not a profile name; use 1 to 32 of the characters a-z, 0-9 and -"
            ))
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The device this account appears as: made once, kept for the account's life, opaque to everything
/// but the Instagram adapter. A JSON object in the shape of instagrapi's settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The JSON text.
    pub json: String,
}

/// An Instagram login session, opaque to everything but the Instagram adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose session it is.
    pub pk: Pk,
    /// Authorization, cookies and state headers as a JSON object; empty where only its owner is told.
    pub json: Secret,
}

/// The account row of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The profile it belongs to.
    pub profile: ProfileName,
    /// The account's permanent id, pinned at the first proof of life.
    pub pk: Option<Pk>,
    /// Its user name as last read.
    pub username: Option<String>,
    /// Its device, once made or imported.
    pub device: Option<Device>,
    /// Its session, if it has one that the platform has not declared dead.
    pub session: Option<Session>,
    /// When the session was obtained (login or import).
    pub session_since: Option<Timestamp>,
    /// When a reply last proved the session alive.
    pub session_proved_at: Option<Timestamp>,
    /// Posts older than this are never liked (`cleanup --posts-before`).
    pub ignore_posts_before: Option<Timestamp>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_shows_an_account_shows_nothing_of_its_session() {
        let account = Account {
            profile: ProfileName::default(),
            pk: None,
            username: None,
            device: None,
            session: Some(Session {
                pk: Pk::try_from(9).unwrap(),
                json: Secret::new("{\"sessionid\":\"hunter2\"}"),
            }),
            session_since: None,
            session_proved_at: None,
            ignore_posts_before: None,
        };
        let shown = format!("{account:#?}");
        assert!(
            shown.contains("json: ***") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
