//! The pass's only view of time: the clock, corrected by what replies say, and watched for jumps.

use std::time::Duration;

use crate::care::skew::Skew;
use crate::model::Timestamp;
use crate::ports::{Clock, Interrupt};

/// Wall and monotonic time may drift apart by this much over one sleep before it counts as a step of
/// the clock or a suspend.
const JUMP: Duration = Duration::from_mins(1);

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// In time, or a little early.
    InTime,
    /// The wall clock moved by this much more (or less, negative) than time did.
    Jumped(i64),
}

/// The clock of a pass, in the platform's time.
pub struct Watch<'a> {
    clock: &'a dyn Clock,
    skew: Skew,
    confirmed: bool,
}

impl<'a> Watch<'a> {
    /// Believes the local clock until a reply says otherwise.
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            skew: Skew::default(),
            confirmed: false,
        }
    }

    /// Now, corrected.
    pub fn now(&self) -> Timestamp {
        self.skew.correct(self.clock.now())
    }

    /// Now, as the local clock shows it; for [`Watch::answered`] only.
    pub fn local_now(&self) -> Timestamp {
        self.clock.now()
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

    /// A reply arrived to a request sent at `sent` (local time).
    pub fn answered(&mut self, sent: Timestamp, date: Option<Timestamp>) {
        self.confirmed = true;
        let Some(date) = date else { return };
        let before = self.skew.offset_millis();
        self.skew.learn(date, sent, self.clock.now());
        let moved = self.skew.offset_millis() - before;
        if moved.unsigned_abs() > 2_000 {
            log::warn!(offset_ms = self.skew.offset_millis(); "the clock differs from Instagram's; times are corrected by that much, set the clock (NTP)");
        }
    }

    /// Sleeps until `deadline` (corrected time), or until asked to stop.
    pub fn sleep_until(&self, deadline: Timestamp) -> Woken {
        let (wall, monotonic) = (self.clock.now(), self.clock.monotonic());
        self.clock.sleep_until(self.skew.local(deadline));
        let wall_passed = self
            .clock
            .now()
            .as_millis()
            .saturating_sub(wall.as_millis());
        let passed = self.clock.monotonic().saturating_sub(monotonic);
        let jump = wall_passed - i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        if Duration::from_millis(jump.unsigned_abs()) > JUMP {
            Woken::Jumped(jump)
        } else {
            Woken::InTime
        }
    }
}
