//! The proof of life, and what an unexplained 401 or 403 means.

use super::act::{Act, Refusal, Verdict};
use super::actor::Actor;
use super::stop::{HeldBy, Stop};
use crate::care::hold;
use crate::model::{Account, Hold, HoldReason, NewHold, Timestamp};
use crate::ports::{Change, Myself, Objection, StoreError};

/// How a proof of life ended.
#[derive(Debug)]
pub enum ProofEnd {
    /// The session is alive and belongs to the profile's account.
    Alive(Myself),
    /// The connection broke; it may be tried once more.
    RepeatRead,
    /// The pass ends.
    Stop(Stop),
}

/// Asks whose session this is and pins the account's pk at the first answer.
pub fn prove(
    actor: &mut Actor<'_>,
    account: &Account,
    despite_session_holds: bool,
    repetition: bool,
) -> ProofEnd {
    let act = Act {
        despite_session_holds,
        repetition,
        ..Act::read("current_user")
    };
    let sent = match actor.send(&act, |platform| platform.current_user()) {
        Ok(sent) => sent,
        Err(Refusal::Stop(stop)) => return ProofEnd::Stop(stop),
        Err(Refusal::Taken) => return ProofEnd::Stop(bug("a read was refused as taken")),
    };
    let mut changes = Vec::new();
    let mut wrong = None;
    if let Ok(myself) = &sent.result {
        wrong = wrong_account(account, myself);
        if wrong.is_none() {
            changes.push(Change::Proved {
                myself: myself.clone(),
                at: sent.receipt.sent_after,
            });
        }
    }
    let verdict = actor.settle(&act, sent.receipt, sent.result.as_ref().err(), changes);
    match (verdict, sent.result, wrong) {
        (Err(stop) | Ok(Verdict::Stop(stop)), _, _) | (Ok(Verdict::Fine), _, Some(stop)) => {
            ProofEnd::Stop(stop)
        }
        (Ok(Verdict::Fine), Ok(myself), None) => ProofEnd::Alive(myself),
        (Ok(Verdict::RepeatRead), _, _) => ProofEnd::RepeatRead,
        (Ok(other), _, _) => ProofEnd::Stop(bug(&format!("current_user ended with {other:?}"))),
    }
}

/// The holds about a session, cleared `by` what replaced or proved it.
pub fn session_holds_cleared(holds: &[Hold], now: Timestamp, by: &'static str) -> Vec<Change> {
    holds
        .iter()
        .filter(|hold| hold.in_force(now) && hold.reason.about_session())
        .map(|hold| Change::HoldCleared { hold: hold.id, by })
        .collect()
}

/// What a person's `resume` clears, and what stays: holds that need a person, timed ones only if
/// `force` says so.
pub fn resumable(holds: &[Hold], now: Timestamp, force: bool) -> (Vec<&Hold>, Vec<&Hold>) {
    holds
        .iter()
        .filter(|hold| hold.in_force(now))
        .partition(|hold| hold.needs_person() || force)
}

/// The session must be that of the account the profile is pinned to.
pub(super) fn wrong_account(account: &Account, myself: &Myself) -> Option<Stop> {
    let expected = account
        .pk
        .or(account.session.as_ref().map(|session| session.pk))?;
    (expected != myself.pk).then(|| Stop::WrongAccount {
        message: format!(
            "the session is that of account {} ({}), but profile '{}' belongs to account {expected}; \
             use another --profile for it",
            myself.pk, myself.username, account.profile
        ),
    })
}

/// After an unexplained 401 or 403 (its hold is stored already): one `current_user` tells whether
/// the session is dead or only that request was refused. What it tells takes the first hold's place
/// in the same transaction; as long as nothing is known, the first hold stands. Returns how the pass
/// ends.
pub(super) fn settle_doubt(actor: &mut Actor<'_>, account: &Account, doubt: &HeldBy) -> Stop {
    let still_doubtful = Stop::Objected(doubt.clone());
    let act = Act {
        despite_session_holds: true,
        repetition: true,
        ..Act::read("current_user")
    };
    if actor.pause_before(&act).is_some() {
        return still_doubtful;
    }
    let replaced = match open_doubts(actor) {
        Ok(changes) => changes,
        Err(error) => return still_doubtful.graver(error.into()),
    };
    let sent = match actor.send(&act, |platform| platform.current_user()) {
        Ok(sent) => sent,
        Err(Refusal::Stop(stop @ Stop::Store { .. })) => return still_doubtful.graver(stop),
        Err(_) => return still_doubtful,
    };
    let met_at = sent.receipt.answered_by;
    let (error, hold, changes) = match &sent.result {
        Ok(myself) => {
            if let Some(stop) = wrong_account(account, myself) {
                let settled = actor.settle(&act, sent.receipt, None, Vec::new());
                return settled.err().unwrap_or(stop);
            }
            let proved = Change::Proved {
                myself: myself.clone(),
                at: sent.receipt.sent_after,
            };
            let hold = alive_after_all(actor, doubt, met_at);
            let changes = replaced.into_iter().chain([proved]).collect();
            (None, Some(hold), changes)
        }
        Err(error) => {
            let hold = actor
                .hold_for(&act, error, met_at)
                // The doubt is on record already.
                .filter(|hold| hold.reason != HoldReason::SessionDoubtful);
            let known = hold.as_ref().is_some_and(|hold| hold.until.is_none());
            let changes = if known { replaced } else { Vec::new() };
            (Some(error), hold, changes)
        }
    };
    let cleared = !changes.is_empty();
    let verdict = actor.settle_with(&act, sent.receipt, error, hold.as_ref(), changes);
    match (verdict, hold) {
        (Err(stop), _) => still_doubtful.graver(stop),
        (Ok(_), Some(hold)) if cleared => Stop::Objected(HeldBy {
            reason: hold.reason,
            until: hold.until,
            message: hold.message,
        }),
        (Ok(_), _) => still_doubtful,
    }
}

/// The doubtful holds, as cleared by what is known now.
fn open_doubts(actor: &mut Actor<'_>) -> Result<Vec<Change>, StoreError> {
    let now = actor.watch.now();
    let holds = actor.store().holds(now)?;
    let doubts = holds
        .iter()
        .filter(|hold| hold.reason == HoldReason::SessionDoubtful && hold.in_force(now));
    Ok(doubts
        .map(|hold| Change::HoldCleared {
            hold: hold.id,
            by: "replaced",
        })
        .collect())
}

/// The refusal was about that one request: an answer of a shape nobody knows.
fn alive_after_all(actor: &Actor<'_>, doubt: &HeldBy, met_at: Timestamp) -> NewHold {
    let objection = Objection {
        reason: HoldReason::UnknownShape,
        until: None,
    };
    let message = format!("{}; the session itself is alive", doubt.message);
    hold::respond(&objection, &message, &actor.holds, &actor.runs, met_at)
}

fn bug(message: &str) -> Stop {
    Stop::Store {
        code: crate::exit::ExitCode::Software,
        message: format!("{message}; please report this with the log"),
    }
}
