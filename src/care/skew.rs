//! The clock's error, measured from the `Date` of replies.
//!
//! A window is only as good as the clock: one that was stepped forward between two passes makes old
//! attempts look older than they are. So times on record are corrected to the platform's own clock
//! as far as its replies tell it, and a clock that is more than [`TOLERANCE`] off is not worked
//! with: no write, no pruning. Without a `Date` the local clock is believed.

use std::time::Duration;

use crate::model::{RunRecord, Timestamp};

/// How far off the local clock may be. Five minutes is what Kerberos and many signed protocols
/// allow; a synchronised clock is off by milliseconds.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// A `Date` has whole seconds: it may be up to this much behind the moment it was written.
const DATE_STEP: Duration = Duration::from_secs(1);

/// How long a run's finding that the clock is ahead stands in for asking again.
const FOUND_FOR: Duration = Duration::from_hours(24);

/// How far ahead the clock still is, by what the last run that `asked` the platform found: such a run
/// began by the local clock and ended by the platform's. `runs` has that one and those since, in any
/// order. Without this every start under a hold that looks over by that clock would send a request to
/// find that out again.
pub fn still_ahead(asked: &RunRecord, runs: &[RunRecord], now: Timestamp) -> Option<Duration> {
    let ahead = asked.started_at.since(asked.ended_at?);
    let since = runs.iter().filter(|run| run.id > asked.id);
    let mut moments = since.map(|run| run.started_at).chain([now]);
    let was_set_back = moments.any(|at| at < asked.started_at);
    let is_recent = now.since(asked.started_at) < FOUND_FOR;
    (ahead > TOLERANCE && is_recent && !was_set_back).then_some(ahead)
}

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
    use crate::model::RunId;

    const SENT: Timestamp = Timestamp::from_millis(1_795_197_600_250);
    const RECEIVED: Timestamp = Timestamp::from_millis(1_795_197_600_950);

    fn run(id: i64, started: i64, ended: i64) -> RunRecord {
        let at = |hours: i64| Timestamp::from_secs(1_795_197_600 + hours * 3600);
        RunRecord {
            id: RunId(id),
            command: "run".to_owned(),
            started_at: at(started),
            ended_at: Some(at(ended)),
            requests: 1,
            likes: 0,
            trouble: None,
            exit_code: Some(75),
            stop: None,
        }
    }

    #[test]
    fn a_clock_found_ahead_is_ahead_for_a_day_unless_it_was_set_back() {
        let hour = Duration::from_hours(1);
        let asked = run(5, 72, 0);
        let at = |hours: i64| run(0, hours, 0).started_at;
        let earlier = run(4, -1, -1);
        let ahead = Some(72 * hour);
        for (since, now, found) in [
            (vec![], at(73), ahead),
            (vec![run(6, 73, 73), run(7, 74, 74)], at(75), ahead),
            (vec![], at(71), None),
            (vec![run(6, 3, 3)], at(73), None),
            (vec![], at(72 + 24), None),
        ] {
            let runs = [vec![earlier.clone(), asked.clone()], since].concat();
            assert_eq!(still_ahead(&asked, &runs, now), found, "{runs:?}, {now}");
        }
        for right in [run(5, 0, 0), run(5, 0, 1)] {
            assert_eq!(still_ahead(&right, &[], at(1)), None);
        }
        let mut killed = asked;
        killed.ended_at = None;
        assert_eq!(still_ahead(&killed, &[], at(73)), None);
    }

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
