//! The ledger: every request on record, before it is sent and after.

use std::time::Duration;

use serde::Serialize;

use super::{HoldReason, Pk, TargetId, Timestamp};

/// Row number of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub i64);

/// Row number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// Changes nothing on the platform.
    Read,
    /// Marks a story as seen.
    StoryView,
    /// Likes a story or post.
    Like,
    /// Submits a password.
    Login,
    /// Submits the second factor of the password just submitted.
    LoginCode,
}

impl AttemptKind {
    /// Every kind, for parsing and tests.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::StoryView,
        Self::Like,
        Self::Login,
        Self::LoginCode,
    ];

    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::StoryView => "story_view",
            Self::Like => "like",
            Self::Login => "login",
            Self::LoginCode => "login_code",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The platform said yes.
    Ok,
    /// The platform said no.
    Refused,
    /// It failed before a byte could leave.
    Unsent,
    /// It may or may not have had its effect.
    Unknown,
    /// A like of unknown effect that a later reading showed not to have taken.
    Disproved,
}

/// What is on its way may reach the platform this much after its sender gave up on it or died: the
/// kernel and whatever is in between still deliver what they took over. A judgement; nothing bounds
/// it strictly.
const MAY_STILL_ARRIVE: Duration = Duration::from_secs(30);

impl Outcome {
    /// By when a request that ended so at `ended_at` had reached the platform, if it did. A 5xx is
    /// no bound either: a proxy may answer for a request that it delivers yet.
    #[must_use]
    pub fn arrived_by(self, ended_at: Timestamp) -> Timestamp {
        match self {
            Self::Unknown => ended_at.plus(MAY_STILL_ARRIVE),
            Self::Ok | Self::Refused | Self::Unsent | Self::Disproved => ended_at,
        }
    }

    /// Every outcome, for parsing and tests.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Refused,
        Self::Unsent,
        Self::Unknown,
        Self::Disproved,
    ];

    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Unsent => "unsent",
            Self::Unknown => "unknown",
            Self::Disproved => "disproved",
        }
    }

    /// The outcome of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// One request on record, as the windows and pauses need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it does.
    pub kind: AttemptKind,
    /// For which target.
    pub target: Option<TargetId>,
    /// On which item, by media pk.
    pub item: Option<Pk>,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// By when the platform had it: when its outcome was recorded, or a little after that where
    /// nothing tells whether it arrived. `None` while it is under way; such an attempt stands at
    /// *now*.
    pub settled_at: Option<Timestamp>,
}

/// One request about an item, as its history shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PastAttempt {
    /// What it did.
    pub kind: AttemptKind,
    /// Which call.
    pub call: String,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// By when the platform had it, as in [`Attempt`]; `None` while it is under way, or if a crash
    /// cut it off.
    pub settled_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What came back, in a line; empty when all was well.
    pub detail: String,
    /// When the run began in which it was made; `None` for a dry run, or once that is pruned.
    pub run_started_at: Option<Timestamp>,
}

/// How many requests of a kind ended in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// What they did.
    pub kind: AttemptKind,
    /// How they ended; `None` if a crash cut them off, or while they are under way.
    pub outcome: Option<Outcome>,
    /// How many.
    pub count: u64,
}

/// The last pass that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// Its row.
    pub id: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its exit code.
    pub exit_code: u8,
    /// Its report, as printed.
    pub report: String,
}

/// How an earlier pass ended, as escalation needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Its row.
    pub id: RunId,
    /// The command that ran.
    pub command: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` means that it was killed.
    pub ended_at: Option<Timestamp>,
    /// How many requests it sent.
    pub requests: u32,
    /// How many likes were accepted.
    pub likes: u32,
    /// The trouble that ended it, if an answer (or the lack of one) did.
    pub trouble: Option<HoldReason>,
    /// Its exit code.
    pub exit_code: Option<u8>,
    /// Why it stopped, in words.
    pub stop: Option<String>,
}
