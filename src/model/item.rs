//! Stories and posts, and what the ledger knows of them.

use std::time::Duration;

use serde::Serialize;

use super::{ItemId, TargetId, Timestamp};

/// A reading proves something about a like only when it was sent this long after the like can have
/// arrived: likes are known to be applied late.
pub const READ_BACK_AFTER: Duration = Duration::from_mins(15);

/// Likes of one item that may have left this machine, ever.
pub const MOST_TRIES: u32 = 2;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A story: gone 24 hours after it was taken.
    Story,
    /// A post: stays.
    Post,
}

impl ItemKind {
    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Post => "post",
        }
    }
}

/// An item as the platform listed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Story or post.
    pub kind: ItemKind,
    /// Its id in full.
    pub id: ItemId,
    /// The short code of its public address, where the platform gave one.
    pub code: Option<String>,
    /// When its author made it.
    pub taken_at: Timestamp,
    /// When it stops being visible; always present for a story.
    pub expiring_at: Option<Timestamp>,
    /// Whether this account likes it. `None` means the platform did not say, which is not "no".
    pub has_liked: Option<bool>,
    /// Whether a post is pinned to the top of the profile, where age says nothing about order.
    pub pinned: bool,
}

/// Where an item stands in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// May be liked.
    New,
    /// Was there before the target was first looked at; never liked.
    Observed,
    /// A like is on record and not settled.
    Claimed,
    /// The like was accepted, or a later reading showed it.
    Liked,
    /// The operator liked it before the program saw it; no request was sent.
    AlreadyLiked,
    /// A like was sent and its effect is not known.
    Unknown,
    /// It will not be liked any more: refused or disproved twice, or an invalid id.
    Failed,
    /// The platform said that it is gone or not visible.
    Gone,
    /// A story whose life ended unliked.
    Expired,
    /// Left alone on purpose: older than `posts.max_age` or than the operator's clean-up date.
    Skipped,
}

impl ItemState {
    /// Every state, for parsing and tests.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Observed,
        Self::Claimed,
        Self::Liked,
        Self::AlreadyLiked,
        Self::Unknown,
        Self::Failed,
        Self::Gone,
        Self::Expired,
        Self::Skipped,
    ];

    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Observed => "observed",
            Self::Claimed => "claimed",
            Self::Liked => "liked",
            Self::AlreadyLiked => "already_liked",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
        }
    }

    /// The state of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An item as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerItem {
    /// What the platform said of it, newest reading.
    pub item: Item,
    /// The target it was listed under.
    pub target: TargetId,
    /// Where it stands.
    pub state: ItemState,
    /// Like requests that the platform may have received and that did not take: at most 2, ever.
    pub tries: u32,
    /// When a story view of it was accepted or may have been.
    pub viewed_at: Option<Timestamp>,
    /// By when its newest like had reached the platform, if it did; while that is under way, when it
    /// was claimed.
    pub like_arrived_by: Option<Timestamp>,
    /// When the newest reading that explicitly said "not liked" was sent.
    pub unliked_read_at: Option<Timestamp>,
}
