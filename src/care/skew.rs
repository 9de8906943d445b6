//! The clock's error, measured from the `Date` of replies.
//!
//! A window is only as good as the clock: one that was stepped forward between two passes makes old
//! attempts look older than they are. So times on record are corrected to the platform's own clock
//! as far as its replies tell it, and a clock that is more than [`TOLERANCE`] off is not worked
//! with: no write, no pruning. Without a `Date` the local clock is believed.

use std::time::Duration;

use crate::model::Timestamp;

/// How far off the local clock may be. Five minutes is what Kerberos and many signed protocols
/// allow; a synchronised clock is off by milliseconds.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// A `Date` has whole seconds: it may be up to this much behind the moment it was written.
const DATE_STEP: Duration = Duration::from_secs(1);

/// The local clock's error as known so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    offset_millis: i64,
}

impl Skew {
    /// A local time as the platform's clock would show it.
    pub fn correct(self, local: Timestamp) -> Timestamp {
        Timestamp::from_millis(local.as_millis().saturating_add(self.offset_millis))
    }

    /// How far the local clock is behind the platform's; negative when it is ahead.
    pub fn offset_millis(self) -> i64 {
        self.offset_millis
    }

    /// Whether the local clock is too far off to be worked with.
    pub fn too_large(self) -> bool {
        Duration::from_millis(self.offset_millis.unsigned_abs()) > TOLERANCE
    }

    /// Learns from a reply that carried `date` to a request that took from `sent` to `received`
    /// (local times). The smallest correction that makes the three agree is taken, so a clock that
    /// is right is never moved by the reply's travel time.
    pub fn learn(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let shown = self.correct(received);
        let latest = date.plus(DATE_STEP).plus(received.since(sent));
        let nearest = shown.clamp(date, latest);
        let moved = nearest.as_millis().saturating_sub(shown.as_millis());
        self.offset_millis = self.offset_millis.saturating_add(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Timestamp = Timestamp::from_millis(1_795_197_600_250);
    const RECEIVED: Timestamp = Timestamp::from_millis(1_795_197_600_950);

    fn learned(date_secs: i64) -> Skew {
        let mut skew = Skew::default();
        skew.learn(Timestamp::from_secs(date_secs), SENT, RECEIVED);
        skew
    }

    #[test]
    fn a_right_clock_is_not_moved() {
        assert_eq!(learned(1_795_197_600), Skew::default());
    }

    #[test]
    fn a_clock_that_is_behind_is_moved_to_the_date() {
        let skew = learned(1_795_197_700);
        assert_eq!(skew.correct(RECEIVED), Timestamp::from_secs(1_795_197_700));
        assert_eq!(
            skew.offset_millis(),
            1_795_197_700_000 - RECEIVED.as_millis()
        );
        assert!(!skew.too_large());
    }

    #[test]
    fn a_clock_that_is_ahead_is_moved_back_as_little_as_possible() {
        let skew = learned(1_795_197_500);
        let latest = Timestamp::from_secs(1_795_197_501).plus(RECEIVED.since(SENT));
        assert_eq!(skew.correct(RECEIVED), latest);
    }

    #[test]
    fn no_date_however_wrong_overflows() {
        for date in [i64::MIN, -1, 0, i64::MAX] {
            let mut skew = Skew::default();
            skew.learn(Timestamp::from_millis(date), SENT, RECEIVED);
            skew.learn(Timestamp::from_secs(1_795_197_600), SENT, RECEIVED);
            let _ = (skew.correct(RECEIVED), skew.too_large());
        }
    }

    #[test]
    fn more_than_five_minutes_either_way_is_too_much() {
        for off in [-310, 310, 86_400, -86_400] {
            assert!(learned(1_795_197_600 + off).too_large(), "{off} s");
        }
        for off in [-290, 0, 290] {
            assert!(!learned(1_795_197_600 + off).too_large(), "{off} s");
        }
        for (offset_millis, too_large) in [
            (300_000, false),
            (-300_000, false),
            (300_001, true),
            (-300_001, true),
        ] {
            let skew = Skew { offset_millis };
            assert_eq!(skew.too_large(), too_large, "{offset_millis} ms");
        }
    }
}
