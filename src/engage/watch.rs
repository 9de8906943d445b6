//! The pass's only view of time: steady within a pass, corrected by what replies say, and watched
//! for jumps of the wall clock.
//!
//! A pass reads the wall clock once and then counts monotonic time, so that a step of the clock
//! moves none of its times. The two may drift apart a little; where they do, an attempt is settled
//! at the later reading, because a row must never stand before the platform got the request.

use std::time::Duration;

use crate::care::skew::Skew;
use crate::model::Timestamp;
use crate::ports::{Clock, Interrupt};

/// Wall and monotonic time may drift apart by this much within a pass before it counts as a step of
/// the clock or a suspend.
const JUMP: Duration = Duration::from_mins(1);

/// A correction worth telling the operator: more than what whole seconds in a `Date` explain.
const WORTH_TELLING_MILLIS: u64 = 2_000;

/// The clock of a pass, in the platform's time.
pub struct Watch<'a> {
    clock: &'a dyn Clock,
    started: Timestamp,
    started_monotonic: Duration,
    skew: Skew,
    /// The drift at the last `Date`: that much of it is corrected.
    corrected_drift: i64,
    confirmed: bool,
}

/// When a request left, by [`Watch::steady`], and how far the clocks had drifted apart by then.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// [`Watch::steady`].
    pub at: Timestamp,
    drift: i64,
}

impl<'a> Watch<'a> {
    /// Believes the local clock until a reply says otherwise.
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            started: clock.now(),
            started_monotonic: clock.monotonic(),
            skew: Skew::default(),
            corrected_drift: 0,
            confirmed: false,
        }
    }

    /// Now, corrected; where the clock drifted, the earlier reading.
    pub fn now(&self) -> Timestamp {
        self.skew.correct(self.steady())
    }

    /// Now, corrected; where the clock drifted, the later reading: nothing that has happened so far
    /// happened after it.
    pub fn latest(&self) -> Timestamp {
        let uncorrected = self.drift_millis().saturating_sub(self.corrected_drift);
        let ahead = u64::try_from(uncorrected).unwrap_or(0);
        self.now().plus(Duration::from_millis(ahead))
    }

    /// Local time without steps; for [`Watch::answered`] and [`Watch::corrected`].
    pub fn steady(&self) -> Timestamp {
        self.started.plus(self.elapsed())
    }

    /// A reading of [`Watch::steady`] in the platform's time, as far as it is known by now.
    pub fn corrected(&self, steady: Timestamp) -> Timestamp {
        self.skew.correct(steady)
    }

    /// A moment that was counted from the wall clock just now, in the platform's time: the latest that
    /// it can mean, wherever that clock has been set since the pass began.
    pub fn latest_of(&self, counted: Timestamp) -> Timestamp {
        let behind = u64::try_from(self.drift_millis().saturating_neg()).unwrap_or(0);
        let steady = counted.plus(Duration::from_millis(behind));
        steady.max(self.corrected(steady))
    }

    /// How long the pass has lasted.
    pub fn elapsed(&self) -> Duration {
        self.clock
            .monotonic()
            .saturating_sub(self.started_monotonic)
    }

    /// Whether the program has been asked to stop.
    pub fn interrupted(&self) -> Option<Interrupt> {
        self.clock.interrupted()
    }

    /// Whether any reply has arrived in this pass: before that, the clock is only believed.
    pub fn confirmed(&self) -> bool {
        self.confirmed
    }

    /// The clock's error, when it is too large to work with.
    pub fn untrusted(&self) -> Option<Skew> {
        self.skew.too_large().then_some(self.skew)
    }

    /// By how many milliseconds the wall clock moved more (or less, negative) than time did since
    /// the pass began, when that is no drift any more.
    pub fn jumped(&self) -> Option<i64> {
        let drift = self.drift_millis();
        (Duration::from_millis(drift.unsigned_abs()) > JUMP).then_some(drift)
    }

    /// A moment to give to [`Watch::answered`].
    pub fn sending(&self) -> Sending {
        Sending {
            at: self.steady(),
            drift: self.drift_millis(),
        }
    }

    /// A reply arrived to a request. Its date tells nothing of a drift that came after it left.
    pub fn answered(&mut self, sent: Sending, date: Option<Timestamp>) {
        self.confirmed = true;
        let Some(date) = date else { return };
        let before = self.skew.offset_millis();
        self.skew.learn(date, sent.at, self.steady());
        self.corrected_drift = sent.drift;
        let moved = self.skew.offset_millis().saturating_sub(before);
        // A clock that is too far off ends the pass, which says so itself.
        if moved.unsigned_abs() > WORTH_TELLING_MILLIS && !self.skew.too_large() {
            log::warn!(offset_ms = self.skew.offset_millis(); "the clock differs from Instagram's; times are corrected by that much, set the clock (NTP)");
        }
    }

    /// Sleeps until `deadline` (corrected time), or until asked to stop.
    pub fn sleep_until(&self, deadline: Timestamp) {
        let left = deadline.since(self.now());
        self.clock.sleep_until(self.clock.now().plus(left));
    }

    fn drift_millis(&self) -> i64 {
        let wall = self.clock.now().as_millis();
        wall.saturating_sub(self.steady().as_millis())
    }
}
