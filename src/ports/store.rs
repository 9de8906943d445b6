//! Durable memory, as a pass needs it: claims before, settlements after, nothing half.

use std::time::Duration;

use thiserror::Error;

use super::platform::Myself;
use crate::model::{
    Account, Attempt, AttemptId, AttemptKind, Device, Hold, HoldId, HoldReason, ItemId, ItemKind,
    ItemState, LedgerItem, NewHold, Outcome, Pk, RunId, RunRecord, ScopedLimit, Session, Target,
    TargetId, TargetTrouble, Timestamp, Verdict,
};

/// The store could not do what was asked. Nothing is assumed then, and nothing is sent.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Database, lock file or folder cannot be created or opened (exit 73).
    #[error("{0}")]
    CannotOpen(String),
    /// Stored data is damaged, or was written by a newer version (exit 65).
    #[error("{0}")]
    BadState(String),
    /// Reading or writing failed in the middle (exit 74).
    #[error("{0}")]
    Io(String),
    /// Another process holds the lock (exit 75).
    #[error("{0}")]
    Busy(String),
    /// The stored session belongs to another account or cannot be used (exit 78).
    #[error("{0}")]
    Config(String),
    /// An invariant of the program did not hold (exit 70).
    #[error("{0}")]
    Bug(String),
}

/// A request about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What it does.
    pub kind: AttemptKind,
    /// For which target.
    pub target: Option<TargetId>,
    /// On which item.
    pub item: Option<(ItemKind, ItemId)>,
    /// Which call, for the record: `stories`, `like_post`, ...
    pub call: &'static str,
    /// The run it belongs to; none for a dry run and for commands.
    pub run: Option<RunId>,
    /// One of the counted exceptions to holds: it may go ahead while every hold in force is about
    /// the session ([`HoldReason::about_session`]). The caller does the counting.
    pub despite_session_holds: bool,
}

/// Whether a claim was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// On record and durable: send it, once.
    Granted(AttemptId),
    /// The window has no room. Nothing was recorded.
    Full(ScopedLimit),
    /// A hold is in force. Nothing was recorded.
    Held(Hold),
    /// A like of this item is on record whose effect stands or is unknown, or it had its two tries.
    /// Nothing was recorded.
    Taken,
}

/// The outcome of a request and everything that follows from it: one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// How it ended.
    pub outcome: Outcome,
    /// What came back, in a line; empty when all is well.
    pub detail: String,
    /// The session, if a state header changed it.
    pub session: Option<Session>,
    /// The hold the answer caused.
    pub hold: Option<NewHold>,
    /// What else is now known.
    pub changes: Vec<Change>,
}

/// Something now known, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The session was proved alive; the account's pk is pinned if it was not.
    Proved {
        /// Whose session it is.
        myself: Myself,
        /// When.
        at: Timestamp,
    },
    /// A new session was obtained; it replaces any other.
    SessionObtained {
        /// The new session.
        session: Session,
        /// When.
        at: Timestamp,
    },
    /// An answered request showed that the session was alive at this moment.
    SessionAlive(Timestamp),
    /// The platform declared the session dead: forget it, keep the device.
    SessionDead,
    /// The account's device.
    Device {
        /// The device.
        device: Device,
        /// Whether it may replace another; otherwise it is stored only if there is none.
        replace: bool,
    },
    /// A target was looked up. If its pk is that of another target, the two are one: the older row
    /// takes over this one's name and settings, and this row goes.
    TargetResolved {
        /// Which target.
        target: TargetId,
        /// Its permanent id.
        pk: Pk,
        /// Its present name.
        username: String,
    },
    /// A listing showed a target under another user name.
    TargetRenamed {
        /// Which target.
        target: TargetId,
        /// Its present name.
        username: String,
    },
    /// A target cannot be seen at present.
    TargetTrouble {
        /// Which target.
        target: TargetId,
        /// What is wrong.
        trouble: TargetTrouble,
        /// How many checks in a row met it.
        count: u32,
        /// When to look again.
        retry_at: Timestamp,
    },
    /// A target's trouble is over.
    TargetFine {
        /// Which target.
        target: TargetId,
    },
    /// A target's items of a kind were listed completely.
    Checked {
        /// Which target.
        target: TargetId,
        /// Which items.
        kind: ItemKind,
        /// When.
        at: Timestamp,
    },
    /// An item as it is now known: inserted, or overwriting what was known.
    Item(LedgerItem),
    /// A like whose effect was unknown is now known not to have taken.
    Disproved {
        /// The media.
        item: Pk,
    },
    /// An open hold ended early.
    HoldCleared {
        /// Which hold.
        hold: HoldId,
        /// A command's name, or `replaced`.
        by: &'static str,
    },
    /// Posts older than this are never liked again.
    IgnorePostsBefore(Timestamp),
}

/// A target as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTarget {
    /// User name, lower case, without `@`.
    pub username: String,
    /// On the list at present.
    pub enabled: bool,
    /// Whether its stories are wanted.
    pub stories: bool,
    /// Whether its posts are wanted.
    pub posts: bool,
}

/// What to prune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Stories go this long after they were taken, and never before they expire.
    pub stories_after: Duration,
    /// Attempts, holds and runs go this long after they happened: [`SHORTEST_HISTORY`](crate::model::SHORTEST_HISTORY) at least, or
    /// nothing is pruned.
    pub history_keep: Duration,
}

/// What was pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Pruned {
    /// Story rows removed.
    pub stories: u64,
    /// Of these, stories that had never been liked: missed.
    pub missed: u64,
    /// Attempt rows removed.
    pub attempts: u64,
    /// Hold rows removed.
    pub holds: u64,
    /// Run rows removed.
    pub runs: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Why it stopped, in words.
    pub stop: String,
    /// The trouble that ended it.
    pub trouble: Option<HoldReason>,
    /// Its true exit code.
    pub exit_code: u8,
    /// What it says about whether passes work.
    pub verdict: Verdict,
    /// Requests sent.
    pub requests: u32,
    /// Likes accepted.
    pub likes: u32,
    /// The whole report as JSON.
    pub report: String,
}

/// Durable memory of one profile. Opening a writer takes the profile's lock.
pub trait Store {
    /// From now on a call waits no longer than `most` for a program that keeps the database locked
    /// (before it begins, and again before it commits); once one has waited in vain, the later ones
    /// wait only briefly.
    fn be_patient(&mut self, most: Duration);
    /// The account row.
    fn account(&mut self) -> Result<Account, StoreError>;
    /// Every hold since `since` and every open one, oldest first.
    fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError>;
    /// Every target, by name.
    fn targets(&mut self) -> Result<Vec<Target>, StoreError>;
    /// Attempts settled at or after `since`, in the future, or not settled; oldest first.
    fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError>;
    /// The newest attempt of all, and the newest like: what pauses are counted from.
    fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError>;
    /// The newest runs that sent at least so many requests, newest first; one without an end counts
    /// as one that sent none.
    fn recent_runs(&mut self, least_requests: u32, most: u32)
    -> Result<Vec<RunRecord>, StoreError>;
    /// What the ledger knows of these items.
    fn items(&mut self, kind: ItemKind, media: &[Pk]) -> Result<Vec<LedgerItem>, StoreError>;
    /// A target's items of these states, soonest to expire first, then newest first.
    fn items_in(
        &mut self,
        target: TargetId,
        kind: ItemKind,
        states: &[ItemState],
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError>;

    /// Brings the targets of origin `config` in line with `wanted`; deletes nothing.
    fn sync_targets(&mut self, wanted: &[WantedTarget], now: Timestamp) -> Result<(), StoreError>;
    /// Settles what a crash left claimed as `unknown` (at `now`), and returns those attempts.
    fn recover(&mut self, now: Timestamp) -> Result<Vec<Attempt>, StoreError>;
    /// Opens a run.
    fn begin_run(&mut self, command: &str, seed: u64, now: Timestamp) -> Result<RunId, StoreError>;
    /// Closes it.
    fn end_run(&mut self, run: RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError>;
    /// Checks holds, windows and the item's likes, and records the claim: one transaction, durable
    /// when it returns.
    fn claim(
        &mut self,
        claim: &Claim,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Claimed, StoreError>;
    /// Records the outcome and all that follows from it: one transaction.
    fn settle(
        &mut self,
        attempt: AttemptId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Records what is known without a request: one transaction.
    fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), StoreError>;
    /// Stores a hold that no single attempt caused.
    fn add_hold(&mut self, hold: &NewHold, now: Timestamp) -> Result<HoldId, StoreError>;
    /// Prunes what has expired.
    fn prune(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError>;
    /// Counts what `prune` would remove.
    fn prunable(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError>;
}
