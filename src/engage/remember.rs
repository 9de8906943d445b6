//! An objection whose settlement failed: the hold has to be remembered, whatever else was to be
//! stored with it.
//!
//! A disk that takes no byte remembers nothing, and then the next pass goes on; all that is left is
//! to say so, in the log and in how the pass ends. Room is not set aside for this: the claim, a row
//! of the same size, was committed a moment ago.

use super::act::Verdict;
use super::actor::Actor;
use super::stop::{HeldBy, Stop};
use crate::model::{AttemptId, NewHold, Timestamp};
use crate::ports::{Change, Settlement, StoreError};

impl Actor<'_> {
    /// Stores the hold of a settlement that `failed` some other way, and returns how the pass ends,
    /// which met `verdict` at `met_at`. Without a hold the failure is all there is to tell.
    pub(super) fn remember(
        &mut self,
        attempt: AttemptId,
        settlement: Settlement,
        met_at: Timestamp,
        verdict: &Verdict,
        failed: StoreError,
    ) -> Stop {
        let Some(hold) = settlement.hold.clone() else {
            return failed.into();
        };
        // Whatever the pass was to do about it next, nothing more is sent.
        self.forgetful = true;
        let until = hold.until.map_or_else(
            || "a person clears it".to_owned(),
            |until| until.to_string(),
        );
        let (reason, message) = (hold.reason.as_str(), &hold.message);
        log::error!(hold = reason, until = until.as_str(); "what Instagram answered demands a hold ({message}), and recording it failed: {failed}");
        let became = match self.store_hold(attempt, settlement, &hold, met_at) {
            Ok(()) => "it is stored all the same, not all that came with it".to_owned(),
            Err(error) => format!(
                "it could not be stored, so the next pass does not know of it: let none start \
                 before that ({error})"
            ),
        };
        log::error!(hold = reason, until = until.as_str(); "{became}");
        let told = format!("{message}; {failed}; the hold '{reason}' until {until}: {became}");
        let unstored = Stop::Store {
            code: failed.exit_code(),
            message: format!("what Instagram answered was not recorded: {told}"),
        };
        let objected = match verdict {
            Verdict::Stop(Stop::Unavailable { hold_until, .. }) => Stop::Unavailable {
                message: told,
                hold_until: *hold_until,
            },
            _ => Stop::Objected(HeldBy {
                reason: hold.reason,
                until: hold.until,
                message: told,
            }),
        };
        objected.graver(unstored)
    }

    fn store_hold(
        &mut self,
        attempt: AttemptId,
        mut settlement: Settlement,
        hold: &NewHold,
        met_at: Timestamp,
    ) -> Result<(), StoreError> {
        settlement.session = None;
        // An item whose like is settled must not stay claimed: nothing would look at it again.
        settlement
            .changes
            .retain(|change| matches!(change, Change::Item(_)));
        if self
            .store_answer()
            .settle(attempt, &settlement, met_at)
            .is_ok()
        {
            return Ok(());
        }
        // The first try may have been stored, and only the word of it lost. Twice on record, the
        // objection would count twice.
        let stored = self.store_answer().holds(met_at).unwrap_or_default();
        if stored.iter().any(|hold| hold.attempt == Some(attempt)) {
            return Ok(());
        }
        self.store_answer().add_hold(hold, met_at).map(drop)
    }
}
