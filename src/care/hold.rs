//! Holds: how long nothing is sent after an objection.
//!
//! The table of the promises: throttling and "please wait" double while they recur, an action block
//! lasts until the date it names (48 h without one) and grows to a person the third time in 30 days,
//! everything that questions the account or its session waits for a person. Cleared holds count for
//! escalation like any other. Durations are conservative readings of public reports: action blocks
//! last from about 12 hours to a week, throttling from minutes to a day.

use std::time::Duration;

use crate::model::{Hold, HoldReason, NewHold, RunRecord, Timestamp};
use crate::ports::Objection;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A recurrence within this time of the last hold's end doubles it.
const RECURRENCE: Duration = DAY;
/// Action blocks within this time are counted together.
const BLOCK_MEMORY: Duration = Duration::from_hours(30 * 24);
/// The pass in a row, counting the present one, from which repeated trouble becomes a hold.
const THIRD_IN_A_ROW: usize = 3;

/// How long the holds needed for escalation are looked back on: action blocks are the longest.
pub const MEMORY: Duration = Duration::from_hours(60 * 24);

/// The hold that an objection causes at `now`, given every earlier hold (any order) and the earlier
/// runs (newest first, the present one not among them).
pub fn respond(
    objection: &Objection,
    message: &str,
    holds: &[Hold],
    runs: &[RunRecord],
    now: Timestamp,
) -> NewHold {
    let reason = objection.reason;
    let until = match reason {
        HoldReason::Throttled => {
            let until = now.plus(doubled(reason, holds, 30 * MINUTE, 12 * HOUR, now));
            Some(no_shorter(until, objection.until))
        }
        HoldReason::PleaseWait => {
            let until = now.plus(doubled(reason, holds, 2 * HOUR, 24 * HOUR, now));
            Some(no_shorter(until, objection.until))
        }
        HoldReason::ActionBlocked => block_until(objection.until, holds, now),
        HoldReason::UnknownShape => {
            (in_a_row(reason, runs) < THIRD_IN_A_ROW).then(|| now.plus(6 * HOUR))
        }
        HoldReason::Unavailable => Some(now.plus(doubled(reason, holds, 2 * HOUR, 12 * HOUR, now))),
        HoldReason::LoginRequired
        | HoldReason::SessionDoubtful
        | HoldReason::LoggedOut
        | HoldReason::LoginRefused
        | HoldReason::Challenge
        | HoldReason::Checkpoint
        | HoldReason::Consent
        | HoldReason::TwoFactor
        | HoldReason::Suspended
        | HoldReason::UnsupportedVersion => None,
    };
    NewHold {
        reason,
        until,
        message: message.to_owned(),
    }
}

/// What the platform itself asks for is never shortened, not even by the cap.
fn no_shorter(until: Timestamp, asked: Option<Timestamp>) -> Timestamp {
    asked.map_or(until, |asked| asked.max(until))
}

/// The hold for a pass that ends because Instagram could not be reached: none until the third in a
/// row.
pub fn unavailable(
    message: &str,
    holds: &[Hold],
    runs: &[RunRecord],
    now: Timestamp,
) -> Option<NewHold> {
    let objection = Objection {
        reason: HoldReason::Unavailable,
        until: None,
    };
    (in_a_row(HoldReason::Unavailable, runs) >= THIRD_IN_A_ROW)
        .then(|| respond(&objection, message, holds, runs, now))
}

/// How many passes in a row, the present one included, met this trouble. Passes that sent nothing
/// say nothing.
fn in_a_row(reason: HoldReason, runs: &[RunRecord]) -> usize {
    let earlier = runs
        .iter()
        .filter(|run| run.requests > 0)
        .take_while(|run| run.trouble == Some(reason))
        .count();
    earlier + 1
}

fn doubled(
    reason: HoldReason,
    holds: &[Hold],
    first: Duration,
    most: Duration,
    now: Timestamp,
) -> Duration {
    let last = holds
        .iter()
        .filter(|hold| hold.reason == reason)
        .max_by_key(|hold| hold.since);
    match last.and_then(|hold| hold.until.map(|until| (hold, until))) {
        Some((hold, until)) if now <= until.plus(RECURRENCE) => {
            (until.since(hold.since) * 2).clamp(first, most)
        }
        _ => first,
    }
}

fn block_until(named: Option<Timestamp>, holds: &[Hold], now: Timestamp) -> Option<Timestamp> {
    let earlier = holds
        .iter()
        .filter(|hold| hold.reason == HoldReason::ActionBlocked)
        .filter(|hold| hold.since >= now.minus(BLOCK_MEMORY))
        .count();
    let at_least = match earlier {
        0 => named
            .filter(|date| *date > now)
            .unwrap_or_else(|| now.plus(48 * HOUR)),
        1 => now.plus(7 * DAY),
        _ => return None,
    };
    Some(named.map_or(at_least, |date| date.max(at_least)))
}

/// The holds in force at `now` that matters most: one that needs a person before any timed one, then
/// the one that lasts longest.
pub fn in_force(holds: &[Hold], now: Timestamp) -> Option<&Hold> {
    holds
        .iter()
        .filter(|hold| hold.in_force(now))
        .max_by_key(|hold| (hold.needs_person(), hold.until, hold.since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HoldId, RunId};

    fn past(reason: HoldReason, since: Timestamp, length: Option<Duration>) -> Hold {
        Hold {
            id: HoldId(1),
            since,
            reason,
            until: length.map(|length| since.plus(length)),
            message: String::new(),
            attempt: None,
            cleared_at: None,
            cleared_by: None,
        }
    }

    fn ran(trouble: Option<HoldReason>, requests: u32) -> RunRecord {
        RunRecord {
            id: RunId(1),
            command: "run".to_owned(),
            started_at: Timestamp::from_secs(0),
            ended_at: Some(Timestamp::from_secs(1)),
            requests,
            likes: 0,
            trouble,
            exit_code: Some(0),
            stop: None,
        }
    }

    fn met(reason: HoldReason) -> Objection {
        Objection {
            reason,
            until: None,
        }
    }

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

    fn length(reason: HoldReason, holds: &[Hold]) -> Option<Duration> {
        respond(&met(reason), "", holds, &[], NOW)
            .until
            .map(|until| until.since(NOW))
    }

    #[test]
    fn throttling_doubles_from_half_an_hour_to_twelve_hours() {
        let mut expected = 30 * MINUTE;
        let mut holds = Vec::new();
        let mut now = NOW;
        for _ in 0..8 {
            let hold = respond(&met(HoldReason::Throttled), "", &holds, &[], now);
            let until = hold.until.expect("throttling is timed");
            assert_eq!(until.since(now), expected);
            holds.push(past(HoldReason::Throttled, now, Some(expected)));
            now = until.plus(HOUR);
            expected = (expected * 2).min(12 * HOUR);
        }
        assert_eq!(expected, 12 * HOUR);
    }

    #[test]
    fn throttling_starts_over_after_a_quiet_day() {
        let ended = NOW.minus(25 * HOUR);
        let holds = [past(
            HoldReason::Throttled,
            ended.minus(8 * HOUR),
            Some(8 * HOUR),
        )];
        assert_eq!(length(HoldReason::Throttled, &holds), Some(30 * MINUTE));
    }

    #[test]
    fn a_longer_retry_after_wins_and_is_never_cut() {
        for (reason, asked, expected) in [
            (HoldReason::Throttled, 10 * MINUTE, 30 * MINUTE),
            (HoldReason::Throttled, 20 * HOUR, 20 * HOUR),
            (HoldReason::PleaseWait, HOUR, 2 * HOUR),
            (HoldReason::PleaseWait, 30 * HOUR, 30 * HOUR),
        ] {
            let objection = Objection {
                reason,
                until: Some(NOW.plus(asked)),
            };
            let hold = respond(&objection, "", &[], &[], NOW);
            assert_eq!(hold.until, Some(NOW.plus(expected)));
        }
    }

    #[test]
    fn please_wait_doubles_from_two_hours_to_a_day() {
        assert_eq!(length(HoldReason::PleaseWait, &[]), Some(2 * HOUR));
        for (before, after) in [(2, 4), (4, 8), (16, 24), (24, 24)] {
            let holds = [past(
                HoldReason::PleaseWait,
                NOW.minus((before + 1) * HOUR),
                Some(before * HOUR),
            )];
            assert_eq!(length(HoldReason::PleaseWait, &holds), Some(after * HOUR));
        }
    }

    #[test]
    fn an_action_block_lasts_until_its_date_then_a_week_then_a_person() {
        let named = NOW.plus(5 * DAY);
        let dated = Objection {
            reason: HoldReason::ActionBlocked,
            until: Some(named),
        };
        assert_eq!(respond(&dated, "", &[], &[], NOW).until, Some(named));
        assert_eq!(length(HoldReason::ActionBlocked, &[]), Some(48 * HOUR));
        for (named, expected) in [
            (NOW.minus(DAY), 48 * HOUR),
            (NOW, 48 * HOUR),
            (NOW.plus(HOUR), HOUR),
        ] {
            let dated = Objection {
                reason: HoldReason::ActionBlocked,
                until: Some(named),
            };
            let hold = respond(&dated, "", &[], &[], NOW);
            assert_eq!(hold.until, Some(NOW.plus(expected)), "{named}");
        }

        let mut first = past(
            HoldReason::ActionBlocked,
            NOW.minus(20 * DAY),
            Some(2 * DAY),
        );
        first.cleared_at = Some(NOW.minus(19 * DAY));
        assert_eq!(
            length(HoldReason::ActionBlocked, &[first.clone()]),
            Some(7 * DAY)
        );
        let second = past(
            HoldReason::ActionBlocked,
            NOW.minus(10 * DAY),
            Some(7 * DAY),
        );
        assert_eq!(length(HoldReason::ActionBlocked, &[first, second]), None);
        let forgotten = past(
            HoldReason::ActionBlocked,
            NOW.minus(31 * DAY),
            Some(2 * DAY),
        );
        assert_eq!(
            length(HoldReason::ActionBlocked, &[forgotten]),
            Some(48 * HOUR)
        );
    }

    #[test]
    fn what_is_looked_back_on_holds_every_block_that_still_has_a_consequence() {
        // One that lasted a week halves the likes for two more; those of 30 days escalate.
        assert!(MEMORY >= 7 * DAY + crate::care::limits::HALVED_FOR);
        assert!(MEMORY >= BLOCK_MEMORY);
        assert_eq!(BLOCK_MEMORY, 30 * DAY);
    }

    #[test]
    fn an_unknown_shape_needs_a_person_in_the_third_pass_in_a_row() {
        let shape = Some(HoldReason::UnknownShape);
        let until =
            |runs: &[RunRecord]| respond(&met(HoldReason::UnknownShape), "", &[], runs, NOW).until;
        assert_eq!(until(&[ran(shape, 1)]), Some(NOW.plus(6 * HOUR)));
        // A pass that sent nothing (held) does not break the row; one that went well does.
        assert_eq!(until(&[ran(shape, 1), ran(None, 0), ran(shape, 1)]), None);
        assert_eq!(
            until(&[ran(shape, 1), ran(None, 3), ran(shape, 1)]),
            Some(NOW.plus(6 * HOUR))
        );
    }

    #[test]
    fn an_unreachable_platform_holds_from_the_third_pass_in_a_row() {
        let down = Some(HoldReason::Unavailable);
        assert_eq!(unavailable("", &[], &[ran(down, 1)], NOW), None);
        let hold = unavailable("", &[], &[ran(down, 1), ran(down, 1)], NOW);
        assert_eq!(hold.and_then(|hold| hold.until), Some(NOW.plus(2 * HOUR)));
    }

    #[test]
    fn whatever_questions_the_account_waits_for_a_person() {
        for reason in HoldReason::ALL {
            let timed = matches!(
                reason,
                HoldReason::Throttled
                    | HoldReason::PleaseWait
                    | HoldReason::ActionBlocked
                    | HoldReason::UnknownShape
                    | HoldReason::Unavailable
            );
            assert_eq!(length(reason, &[]).is_some(), timed, "{reason:?}");
        }
    }

    #[test]
    fn the_hold_that_needs_a_person_is_named_before_a_timed_one() {
        let timed = past(HoldReason::Throttled, NOW, Some(HOUR));
        let person = past(HoldReason::Challenge, NOW.minus(DAY), None);
        let both = [person.clone(), timed.clone()];
        assert_eq!(in_force(&both, NOW), Some(&person));
        assert_eq!(in_force(std::slice::from_ref(&timed), NOW), Some(&timed));
        assert_eq!(in_force(&[timed], NOW.plus(HOUR)), None);
    }
}
