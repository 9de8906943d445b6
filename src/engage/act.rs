//! One request as the pass sees it: what is about to be sent, what settles it, and what its answer
//! means for the ledger and for the pass. Pure.

use super::stop::{HeldBy, Stop};
use crate::model::{
    AttemptId, AttemptKind, Hold, ItemId, ItemKind, NewHold, Outcome, Session, TargetId, Timestamp,
};
use crate::ports::{Change, Effect, Next, PlatformError};

/// What is about to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act<'n> {
    pub kind: AttemptKind,
    pub call: &'static str,
    pub target: Option<TargetId>,
    /// The target's name, for its stream of chance; empty without a target.
    pub name: &'n str,
    pub item: Option<(ItemKind, ItemId)>,
    pub despite_session_holds: bool,
    /// A read that repeats one whose connection broke: it is not repeated again.
    pub repetition: bool,
}

impl Act<'_> {
    pub fn read(call: &'static str) -> Self {
        Self {
            kind: AttemptKind::Read,
            call,
            target: None,
            name: "",
            item: None,
            despite_session_holds: false,
            repetition: false,
        }
    }

    /// Whether this error ends the pass because Instagram cannot be reached.
    ///
    /// Before the clock is confirmed by a reply, a read that may have arrived is not repeated: if
    /// the clock was stepped, it went out in spite of a window or a hold, and one such read per
    /// start is all that may escape.
    pub fn ends_with(&self, error: &PlatformError, clock_confirmed: bool) -> bool {
        let may_repeat = clock_confirmed || error.effect == Effect::Unsent;
        match error.next {
            Next::EndPass => true,
            Next::RepeatRead => self.kind != AttemptKind::Read || self.repetition || !may_repeat,
            _ => false,
        }
    }
}

/// A request that was sent and is not settled yet.
#[must_use = "an attempt that is not settled stays claimed"]
pub(super) struct Sent<T> {
    pub result: Result<T, PlatformError>,
    pub receipt: Receipt,
}

/// What settles a request.
pub(super) struct Receipt {
    pub attempt: AttemptId,
    /// Not later than the request left. What its reply says is as old as this.
    pub sent_after: Timestamp,
    /// Not earlier than the answer, nor than anything the request did: the later of what the clock
    /// showed without this answer's `Date` and with it.
    ///
    /// Where the two differ, one is wrong and nothing tells which. A row that stands too late, and
    /// a hold counted from there, only costs time, and `resume --force` ends such a hold; one that
    /// stands too early lets requests out. There is no bound to it, because a machine that starts in
    /// 1970 learns from such a `Date` what time it is.
    pub answered_by: Timestamp,
    /// As the reply's state headers left it.
    pub session: Option<Session>,
}

impl Receipt {
    /// The new session of a login, to be stored as one rather than as a changed old one.
    pub fn take_session(&mut self) -> Option<Session> {
        self.session.take()
    }
}

/// Why a claim was not granted, where the pass can go on without it.
pub(super) enum Refusal {
    /// The item has had its like.
    Taken,
    /// The pass ends.
    Stop(Stop),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// What the pass does after a settled request.
#[derive(Debug)]
pub(super) enum Verdict {
    Fine,
    RepeatRead,
    SkipTarget,
    SkipItem,
    Stop(Stop),
}

/// The outcome table.
pub(super) fn outcome(error: Option<&PlatformError>) -> Outcome {
    match error.map(|error| error.effect) {
        None => Outcome::Ok,
        Some(Effect::Unsent) => Outcome::Unsent,
        Some(Effect::Refused) => Outcome::Refused,
        Some(Effect::Unknown) => Outcome::Unknown,
    }
}

/// What the pass does next.
pub(super) fn verdict(
    act: &Act<'_>,
    error: &PlatformError,
    clock_confirmed: bool,
    hold: Option<&NewHold>,
) -> Verdict {
    if act.ends_with(error, clock_confirmed) {
        return Verdict::Stop(Stop::Unavailable {
            message: error.message.clone(),
            hold_until: hold.and_then(|hold| hold.until),
        });
    }
    match &error.next {
        Next::RepeatRead | Next::EndPass => Verdict::RepeatRead,
        Next::SkipTarget(_) => Verdict::SkipTarget,
        Next::SkipGoneItem | Next::SkipInvalidItem => Verdict::SkipItem,
        Next::Stop(objection) => Verdict::Stop(Stop::Objected(HeldBy {
            reason: objection.reason,
            until: hold.and_then(|hold| hold.until),
            message: error.message.clone(),
        })),
    }
}

/// The hold, as a reason to stop.
pub(super) fn held_by(hold: &Hold) -> HeldBy {
    HeldBy {
        reason: hold.reason,
        until: hold.until,
        message: hold.message.clone(),
    }
}

/// A dry run decides nothing for later: only the session and its holds are kept.
pub(super) fn kept_in_a_dry_run(change: &Change) -> bool {
    matches!(
        change,
        Change::Proved { .. }
            | Change::SessionAlive(_)
            | Change::SessionDead
            | Change::Device { .. }
            | Change::HoldCleared { .. }
    )
}
