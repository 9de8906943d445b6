//! The proof of life, and what an unexplained 401 or 403 means.

use super::act::{Act, Actor, Refusal, Verdict};
use super::report::{HeldBy, Stop};
use crate::care::hold;
use crate::model::{Account, HoldId, HoldReason};
use crate::ports::{Change, Myself, Objection};

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
                at: actor.watch.now(),
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
/// the session is dead or only that request was refused. Returns how the pass ends.
pub(super) fn settle_doubt(actor: &mut Actor<'_>, account: &Account, doubt: Stop) -> Stop {
    let doubtful = |actor: &mut Actor<'_>| -> Option<HoldId> {
        let holds = actor.store.holds(actor.watch.now()).ok()?;
        let found = holds
            .iter()
            .rev()
            .find(|hold| hold.reason == HoldReason::SessionDoubtful && hold.cleared_at.is_none());
        found.map(|hold| hold.id)
    };
    if let Some(stop) = actor.pause_before(&Act::read("current_user")) {
        return stop;
    }
    let replaced = |id: Option<HoldId>| {
        id.map(|hold| Change::HoldCleared {
            hold,
            by: "replaced",
        })
        .into_iter()
        .collect::<Vec<_>>()
    };
    match prove(actor, account, true, true) {
        ProofEnd::Alive(_) => {
            // Alive after all: then the refusal was about that one request, which is an answer of a
            // shape nobody knows.
            let Stop::Objected(by) = doubt else {
                return doubt;
            };
            let now = actor.watch.now();
            let objection = Objection {
                reason: HoldReason::UnknownShape,
                until: None,
            };
            let message = format!("{}; the session itself is alive", by.message);
            let new = hold::respond(&objection, &message, &actor.holds, &actor.runs, now);
            let id = doubtful(actor);
            let stored = actor
                .store
                .add_hold(&new, now)
                .and_then(|_| actor.store.apply(&replaced(id), now));
            match stored {
                Ok(()) => Stop::Objected(HeldBy {
                    reason: new.reason,
                    until: new.until,
                    message: new.message,
                }),
                Err(error) => error.into(),
            }
        }
        ProofEnd::Stop(Stop::Objected(by)) if by.reason != HoldReason::SessionDoubtful => {
            let id = doubtful(actor);
            let now = actor.watch.now();
            match actor.store.apply(&replaced(id), now) {
                Ok(()) => Stop::Objected(by),
                Err(error) => error.into(),
            }
        }
        ProofEnd::Stop(stop @ (Stop::Store { .. } | Stop::WrongAccount { .. })) => stop,
        // Still not known: the first hold stands.
        ProofEnd::Stop(_) | ProofEnd::RepeatRead => doubt,
    }
}

fn bug(message: &str) -> Stop {
    Stop::Store {
        code: crate::exit::ExitCode::Software,
        message: format!("{message}; please report this with the log"),
    }
}
