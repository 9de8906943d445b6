//! The accounts whose items are liked.

use serde::Serialize;

use super::{Pk, Timestamp};

/// Row number of a target; local, never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TargetId(pub i64);

/// Who put a target on the list. Synchronising with the configuration touches only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetOrigin {
    /// The configuration.
    Config,
    /// A command.
    Command,
}

/// A target's own trouble: the pass skips it and goes on with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetTrouble {
    /// The profile is private and does not let this account see it.
    Private,
    /// No such user: renamed or deleted.
    Gone,
}

impl TargetTrouble {
    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Gone => "gone",
        }
    }
}

/// A target as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its row.
    pub id: TargetId,
    /// The name the operator wrote, lower case; a rename on the platform does not change it.
    pub listed_as: String,
    /// The user name it was last seen under, lower case.
    pub username: String,
    /// Its permanent id, pinned at the first look-up.
    pub pk: Option<Pk>,
    /// When it was put on the list.
    pub added_at: Timestamp,
    /// Who put it on the list.
    pub origin: TargetOrigin,
    /// Whether it is on the list at present.
    pub enabled: bool,
    /// Whether its stories are wanted.
    pub stories: bool,
    /// Whether its posts are wanted.
    pub posts: bool,
    /// When its stories were last listed completely; `None` means no first contact yet.
    pub stories_checked_at: Option<Timestamp>,
    /// When its posts were last listed completely; `None` means no first contact yet.
    pub posts_checked_at: Option<Timestamp>,
    /// What is wrong with it, if anything.
    pub trouble: Option<TargetTrouble>,
    /// How many checks in a row met that trouble.
    pub trouble_count: u32,
    /// Not looked at before this moment.
    pub retry_at: Option<Timestamp>,
}

impl Target {
    /// Since when it is on the list; `None` if it has no row yet.
    pub fn known_since(&self) -> Option<Timestamp> {
        (self.id.0 > 0).then_some(self.added_at)
    }

    /// Until when it is not looked at, if it is not at `now`.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.retry_at.filter(|at| now < *at)
    }
}
