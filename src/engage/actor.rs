//! Claim, act, settle: the only way in which anything is sent.
//!
//! 1. The claim is committed. A crash after this leaves an attempt without outcome: it counts in
//!    every window and is never repeated blindly.
//! 2. One call of the platform: one request.
//! 3. Outcome, hold, session and all that follows are committed together, so a throttled answer is
//!    never half remembered.

use std::time::Duration;

use super::act::{
    Act, Receipt, Refusal, Sent, Verdict, held_by, kept_in_a_dry_run, outcome, verdict,
};
use super::policy::Budget;
use super::report::Counts;
use super::stop::{Stop, full_window};
use super::watch::Watch;
use crate::care::hold;
use crate::care::limits::{LimitsInForce, looked_back};
use crate::care::pace::Pacer;
use crate::care::skew;
use crate::care::window::Windows;
use crate::config::Config;
use crate::model::{Attempt, Hold, HoldReason, NewHold, RunId, RunRecord, Timestamp};
use crate::ports::{
    Answer, Change, Claim, Claimed, Clock, Next, Objection, Platform, PlatformError, Settlement,
    Store, StoreError,
};

/// Stands for "never" where a moment is due.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// How many earlier runs that sent something are looked back on for trouble "in a row": more than
/// the three that matter. However many others a short timer starts during a hold, they do not count.
const RUNS_LOOKED_BACK: u32 = 10;

/// After a login, the next one that nobody asked for waits this long.
pub(super) const BETWEEN_LOGINS: Duration = Duration::from_hours(24);

/// How far back a pass looks at attempts. The clock may turn out to be ahead; a login by itself looks
/// back on a day, and sharing likes between targets on two.
pub(super) fn attempts_looked_back(config: &Config) -> Duration {
    looked_back(&config.limits).max(BETWEEN_LOGINS * 2) + skew::TOLERANCE * 2
}

/// How long a transaction waits for a program that keeps the database locked, as long as the pass
/// has time for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same where the time of the pass is up and nothing would be lost.
pub(super) const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// The same for the record of an answer: without it nobody knows what a request did.
const PATIENCE_FOR_AN_ANSWER: Duration = Duration::from_secs(10);

/// The same for the record of a pass that ends.
pub(super) const PATIENCE_AT_THE_END: Duration = Duration::from_secs(3);

/// How long a transaction may wait in a pass that has so much time left, if it waits at least so
/// long. After the deadline there is at most one claim, one answer, one pruning and the record of
/// the run, and each may wait twice: before it begins and before it commits. So a database that
/// another program keeps locked adds no more than 40 seconds to a pass.
pub(super) fn patience(left: Duration, least: Duration) -> Duration {
    left.min(PATIENCE).max(least)
}

/// Told when the program waits, and for what; for a person who watches.
pub trait Waiting {
    /// The program sleeps from `now` until `until`.
    fn wait(&mut self, now: Timestamp, until: Timestamp, why: &str);
    /// It goes on.
    fn over(&mut self);
}

/// The ports of a pass.
pub struct Ports<'a> {
    /// Instagram.
    pub platform: &'a mut dyn Platform,
    /// The opened store; its lock is held.
    pub store: &'a mut dyn Store,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who is told of pauses.
    pub waiting: &'a mut dyn Waiting,
}

/// Holds the ports and sends.
pub struct Actor<'a> {
    pub(super) platform: &'a mut dyn Platform,
    store: &'a mut dyn Store,
    pub(super) watch: Watch<'a>,
    pub(super) waiting: &'a mut dyn Waiting,
    pub(super) budget: Budget,
    /// How long it may last; a person's own command may take its time.
    pub(super) max_runtime: Option<Duration>,
    pub(super) run: Option<RunId>,
    pub(super) holds: Vec<Hold>,
    pub(super) runs: Vec<RunRecord>,
    pub(super) counts: Counts,
    pub(super) dry_run: bool,
    /// An objection could not be settled: whatever follows from it, nothing more is sent.
    pub(super) forgetful: bool,
}

impl<'a> Actor<'a> {
    /// Reads what the store remembers and stands ready to send.
    pub fn new(
        ports: Ports<'a>,
        config: &Config,
        seed: u64,
        run: Option<RunId>,
        dry_run: bool,
    ) -> Result<Self, StoreError> {
        let Ports {
            platform,
            store,
            clock,
            waiting,
        } = ports;
        let watch = Watch::new(clock);
        let now = watch.now();
        let holds = store.holds(now.minus(hold::MEMORY))?;
        let runs = store.recent_runs(1, RUNS_LOOKED_BACK)?;
        let attempts = store.attempts(now.minus(attempts_looked_back(config)))?;
        let limits = LimitsInForce::new(&config.limits, &holds, &attempts, now);
        let windows = Windows::new(attempts);
        let (last, last_like) = store.newest_attempts()?;
        let stood = |attempt: &Attempt| attempt.settled_at.unwrap_or(attempt.claimed_at);
        let last_request = last
            .as_ref()
            .map(|attempt| (stood(attempt), attempt.target));
        let last_like = last_like.as_ref().map(stood);
        let pacer = Pacer::new(config.pace, seed, last_request, last_like, now);
        Ok(Self {
            platform,
            store,
            watch,
            waiting,
            budget: Budget {
                windows,
                limits,
                pacer,
            },
            run,
            holds,
            runs,
            counts: Counts::default(),
            max_runtime: None,
            dry_run,
            forgetful: false,
        })
    }

    /// Waits for the pause due before a proof of life; the stop, if the wait ended otherwise.
    pub fn pause_before_proof(&mut self) -> Option<Stop> {
        self.pause_before(&Act::read("current_user"))
    }
}

impl Actor<'_> {
    /// The store, for a call that waits no longer for others than the pass has time.
    pub(super) fn store(&mut self) -> &mut dyn Store {
        self.store_with(LEAST_PATIENCE)
    }

    /// The same to record what an answer means.
    pub(super) fn store_answer(&mut self) -> &mut dyn Store {
        self.store_with(PATIENCE_FOR_AN_ANSWER)
    }

    /// The same for a call that waits at least so long.
    pub(super) fn store_with(&mut self, least: Duration) -> &mut dyn Store {
        let left = self.deadline().since(self.watch.now());
        self.store.be_patient(patience(left, least));
        self.store
    }

    /// The stop where a hold is only over by a clock that the last pass which asked found ahead, and
    /// that has not been set since.
    pub(super) fn hold_over_by_a_wrong_clock(
        &mut self,
        now: Timestamp,
    ) -> Result<Option<Stop>, StoreError> {
        /// More than a pass every quarter of an hour makes in a day.
        const A_DAY: u32 = 100;
        let Some(asked) = self.runs.first().cloned() else {
            return Ok(None);
        };
        let runs = self.store().recent_runs(0, A_DAY)?;
        let ahead = skew::still_ahead(&asked, &runs, now);
        let ahead = ahead.filter(|ahead| hold::in_force(&self.holds, now.minus(*ahead)).is_some());
        Ok(ahead.map(|ahead| Stop::ClockOff {
            offset_millis: i64::try_from(ahead.as_millis()).map_or(i64::MIN, i64::saturating_neg),
        }))
    }

    /// Claims and sends one request.
    pub(super) fn send<T>(
        &mut self,
        act: &Act<'_>,
        call: impl FnOnce(&mut dyn Platform) -> Answer<T>,
    ) -> Result<Sent<T>, Refusal> {
        let claimed_at = self.watch.now();
        // A target that a dry run made up has no row; its reads are on record without it.
        let target = act.target.filter(|target| target.0 > 0);
        let claim = Claim {
            kind: act.kind,
            target,
            item: act.item,
            call: act.call,
            run: self.run,
            despite_session_holds: act.despite_session_holds,
        };
        let limits = self.budget.limits.for_attempt(act.kind, target);
        let claimed = self
            .store()
            .claim(&claim, &limits, claimed_at)
            .map_err(Stop::from)?;
        let attempt = match claimed {
            Claimed::Granted(attempt) => attempt,
            Claimed::Taken => return Err(Refusal::Taken),
            Claimed::Held(hold) => return Err(Stop::Held(held_by(&hold)).into()),
            Claimed::Full(limit) => {
                let room = self.budget.windows.room(limit, 1, claimed_at);
                return Err(full_window(&room, claimed_at).into());
            }
        };
        let sent = self.watch.sending();
        let answer = call(self.platform);
        let believed = self.watch.latest();
        // Without a reply there is nothing to learn about the clock.
        if answer.server_time.is_some() || answer.result.is_ok() {
            self.watch.answered(sent, answer.server_time);
        }
        self.counts
            .add(act.kind, outcome(answer.result.as_ref().err()));
        let sent = self.watch.corrected(sent.at);
        let receipt = Receipt {
            attempt,
            sent_after: sent.min(claimed_at),
            answered_by: believed.max(self.watch.latest()),
            session: answer.session,
        };
        Ok(Sent {
            result: answer.result,
            receipt,
        })
    }

    /// Settles a request together with everything that follows from its answer.
    pub(super) fn settle(
        &mut self,
        act: &Act<'_>,
        receipt: Receipt,
        error: Option<&PlatformError>,
        changes: Vec<Change>,
    ) -> Result<Verdict, Stop> {
        let met_at = receipt.answered_by;
        let hold = error.and_then(|error| self.hold_for(act, error, met_at));
        self.settle_with(act, receipt, error, hold.as_ref(), changes)
    }

    /// The same with a hold of the caller's choice.
    pub(super) fn settle_with(
        &mut self,
        act: &Act<'_>,
        receipt: Receipt,
        error: Option<&PlatformError>,
        hold: Option<&NewHold>,
        mut changes: Vec<Change>,
    ) -> Result<Verdict, Stop> {
        let reason = hold.map(|hold| hold.reason);
        if reason.is_some_and(|reason| {
            matches!(reason, HoldReason::LoginRequired | HoldReason::LoggedOut)
        }) {
            changes.push(Change::SessionDead);
            // The device keeps what the platform gave it, above all its machine id.
            changes.push(Change::Device {
                device: self.platform.device(),
                replace: true,
            });
        }
        if self.dry_run {
            changes.retain(kept_in_a_dry_run);
        }
        let settlement = Settlement {
            outcome: outcome(error),
            detail: error.map(|error| error.message.clone()).unwrap_or_default(),
            session: receipt.session,
            hold: hold.cloned(),
            changes,
        };
        let confirmed = self.watch.confirmed();
        let verdict = error.map_or(Verdict::Fine, |error| verdict(act, error, confirmed, hold));
        let ended_at = receipt.answered_by;
        let stored = self.store_answer();
        if let Err(failed) = stored.settle(receipt.attempt, &settlement, ended_at) {
            let attempt = receipt.attempt;
            return Err(self.remember(attempt, settlement, ended_at, &verdict, failed));
        }
        self.budget.windows.push(Attempt {
            kind: act.kind,
            target: act.target,
            item: act.item.map(|(_, id)| id.media),
            claimed_at: receipt.sent_after,
            settled_at: Some(settlement.outcome.arrived_by(ended_at)),
        });
        let now = self.watch.latest();
        self.budget.pacer.sent(act.kind, act.target, act.name, now);
        Ok(verdict)
    }

    /// Waits until `until`; the stop, if the wait ended for another reason.
    pub fn wait(&mut self, until: Timestamp, why: &str) -> Option<Stop> {
        self.waiting.wait(self.watch.now(), until, why);
        self.watch.sleep_until(until);
        self.waiting.over();
        self.disturbed()
    }

    /// What ends a pass whatever it was about to do: a signal, a clock that jumped or is wrong.
    pub(super) fn disturbed(&self) -> Option<Stop> {
        if let Some(interrupt) = self.watch.interrupted() {
            return Some(Stop::Interrupted(interrupt));
        }
        if let Some(millis) = self.watch.jumped() {
            return Some(Stop::ClockJumped { millis });
        }
        let skew = self.watch.untrusted()?;
        Some(Stop::ClockOff {
            offset_millis: skew.offset_millis(),
        })
    }

    /// When the pass has to end.
    pub(super) fn deadline(&self) -> Timestamp {
        self.max_runtime.map_or(NEVER, |most| {
            let left = most.saturating_sub(self.watch.elapsed());
            self.watch.now().plus(left)
        })
    }

    /// Waits for the pause due before `act`; the stop, if there is no time left for it.
    pub(super) fn pause_before(&mut self, act: &Act<'_>) -> Option<Stop> {
        if let Some(stop) = self.disturbed() {
            return Some(stop);
        }
        let (earliest, reason) = self.budget.pacer.earliest(act.kind, act.target);
        let now = self.watch.now();
        if earliest.max(now) >= self.deadline() {
            return Some(Stop::TimeUsed);
        }
        if earliest > now {
            self.wait(earliest, reason.key())
        } else {
            None
        }
    }

    /// The hold that this answer, met at `met_at`, causes.
    pub(super) fn hold_for(
        &self,
        act: &Act<'_>,
        error: &PlatformError,
        met_at: Timestamp,
    ) -> Option<NewHold> {
        if let Next::Stop(objection) = &error.next {
            // What a reply asks for in seconds was counted from the local clock.
            let asked = |until: Timestamp| self.watch.latest_of(until);
            let objection = Objection {
                until: objection.until.map(asked),
                ..objection.clone()
            };
            return Some(hold::respond(
                &objection,
                &error.message,
                &self.holds,
                &self.runs,
                met_at,
            ));
        }
        let ends = act.ends_with(error, self.watch.confirmed());
        ends.then(|| hold::unavailable(&error.message, &self.holds, &self.runs, met_at))
            .flatten()
    }
}
