#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::{HoldId, RunId};

/// 2026-11-20 18:00:00 UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn run(ended_before: Duration, code: u8) -> RunRecord {
    RunRecord {
        id: RunId(1),
        command: "run".to_owned(),
        started_at: NOW.minus(ended_before + 5 * MINUTE),
        ended_at: Some(NOW.minus(ended_before)),
        requests: 3,
        likes: 1,
        trouble: None,
        exit_code: Some(code),
        stop: Some("it ended".to_owned()),
    }
}

fn begun(before: Duration) -> RunRecord {
    RunRecord {
        started_at: NOW.minus(before),
        ended_at: None,
        exit_code: None,
        ..run(before, 0)
    }
}

fn held(reason: HoldReason, until: Option<Timestamp>) -> Vec<Hold> {
    vec![Hold {
        id: HoldId(1),
        since: NOW.minus(24 * HOUR),
        reason,
        until,
        message: "it objected".to_owned(),
        attempt: None,
        cleared_at: None,
        cleared_by: None,
    }]
}

fn verdict(runs: &[RunRecord], holds: &[Hold], locked_by_pass: bool) -> (HealthStatus, u8) {
    let record = PassRecord {
        runs,
        holds,
        has_session: true,
        locked_by_pass,
        max_age: 3 * HOUR,
        longest_pass: 16 * MINUTE,
        is_outdated: false,
    };
    let health = health(&record, NOW);
    let healthy = health.code == ExitCode::Ok;
    assert_eq!(health.remedy.is_empty(), healthy, "{health:?}");
    (health.status, health.code.number())
}

#[test]
fn a_pass_in_time_is_healthy_unless_it_ended_badly() {
    use HealthStatus::{Failed, Well};
    let shortly = 10 * MINUTE;
    for (code, expected) in [
        (0, Well),
        (10, Well),
        (130, Well),
        (143, Well),
        (75, Failed),
        (69, Failed),
        (74, Failed),
        (73, Failed),
        (65, Failed),
        (76, Failed),
        (77, Failed),
        (78, Failed),
        (64, Failed),
        (70, Failed),
    ] {
        let expected_code = if expected == Well { 0 } else { code };
        let got = verdict(&[run(shortly, code)], &[], false);
        assert_eq!(got, (expected, expected_code), "{code}");
    }
    assert_eq!(verdict(&[run(shortly, 3)], &[], false), (Failed, 70));
}

#[test]
fn the_age_counts_from_the_end_and_its_limit_is_healthy() {
    let late = HealthStatus::TooOld;
    assert_eq!(verdict(&[run(3 * HOUR, 0)], &[], false).1, 0);
    let over = 3 * HOUR + Duration::from_millis(1);
    assert_eq!(verdict(&[run(over, 0)], &[], false), (late, 69));
    assert_eq!(verdict(&[], &[], false), (HealthStatus::NoPass, 69));
}

#[test]
fn what_needs_no_person_is_forgiven_while_another_pass_ended_well_in_time() {
    for code in [69, 75] {
        let runs = |well_before| [run(HOUR, code), run(2 * HOUR, code), run(well_before, 0)];
        let forgiven = verdict(&runs(3 * HOUR), &[], false);
        assert_eq!(forgiven, (HealthStatus::Well, 0), "{code}");
        let too_often = verdict(&runs(4 * HOUR), &[], false);
        assert_eq!(too_often, (HealthStatus::Failed, code));
    }
    let runs = [run(HOUR, 76), run(2 * HOUR, 0)];
    assert_eq!(verdict(&runs, &[], false), (HealthStatus::Failed, 76));
}

#[test]
fn a_hold_that_ends_by_itself_is_waited_for_as_long_as_passes_come() {
    let later = Some(NOW.plus(HOUR));
    for reason in HoldReason::ALL {
        let asks = ["throttled", "please_wait", "action_blocked"].contains(&reason.as_str());
        let expected = match reason {
            HoldReason::UnknownShape => (HealthStatus::PersonNeeded, 76),
            _ if asks => (HealthStatus::Waiting, 0),
            _ => (HealthStatus::Failed, 75),
        };
        let got = verdict(&[run(HOUR, 75)], &held(reason, later), false);
        assert_eq!(got, expected, "{reason:?}");
    }
    let holds = held(HoldReason::Throttled, later);
    let too_old = verdict(&[run(4 * HOUR, 75)], &holds, false);
    assert_eq!(too_old, (HealthStatus::TooOld, 69));
    // Over since: the next pass has not come yet.
    let holds = held(HoldReason::Throttled, Some(NOW.minus(MINUTE)));
    let over = verdict(&[run(HOUR, 75)], &holds, false);
    assert_eq!(over, (HealthStatus::Waiting, 0));
    let holds = held(HoldReason::Throttled, Some(NOW.minus(2 * HOUR)));
    let not_its_fault = verdict(&[run(HOUR, 75)], &holds, false);
    assert_eq!(not_its_fault, (HealthStatus::Failed, 75));
}

#[test]
fn a_hold_that_needs_a_person_is_told_whatever_the_passes_do() {
    for runs in [vec![], vec![run(MINUTE, 0)], vec![begun(MINUTE)]] {
        let holds = held(HoldReason::Challenge, None);
        let got = verdict(&runs, &holds, true);
        assert_eq!(got, (HealthStatus::PersonNeeded, 77));
    }
    let mut cleared = held(HoldReason::Challenge, None);
    cleared[0].cleared_at = Some(NOW.minus(HOUR));
    assert_eq!(verdict(&[run(MINUTE, 0)], &cleared, false).1, 0);
}

#[test]
fn without_a_session_a_person_is_needed() {
    let record = PassRecord {
        runs: &[run(MINUTE, 0)],
        holds: &[],
        has_session: false,
        locked_by_pass: false,
        max_age: HOUR,
        longest_pass: HOUR,
        is_outdated: true,
    };
    assert_eq!(health(&record, NOW).code, ExitCode::NoPerm);
}

#[test]
fn a_pass_under_way_is_alive_for_as_long_as_one_may_take() {
    let under_way = |before, locked| verdict(&[begun(before), run(HOUR, 0)], &[], locked);
    assert_eq!(under_way(16 * MINUTE, true), (HealthStatus::Running, 0));
    assert_eq!(under_way(17 * MINUTE, true), (HealthStatus::Stuck, 75));
    assert_eq!(under_way(MINUTE, false), (HealthStatus::CutOff, 74));
}

#[test]
fn a_record_in_the_future_is_a_wrong_clock_and_not_a_fresh_pass() {
    let mut ahead = run(MINUTE, 0);
    ahead.ended_at = Some(NOW.plus(24 * HOUR));
    assert_eq!(
        verdict(&[ahead.clone()], &[], false),
        (HealthStatus::ClockWrong, 75)
    );
    ahead.ended_at = Some(NOW.plus(4 * MINUTE));
    assert_eq!(verdict(&[ahead], &[], false).1, 0);
}

#[test]
fn a_pass_that_began_after_its_end_had_a_clock_that_was_ahead() {
    let mut ahead = run(MINUTE, 75);
    ahead.started_at = NOW.plus(72 * HOUR);
    let now = told(&[ahead.clone()], &[]);
    assert_eq!(now.status, HealthStatus::ClockWrong);
    assert!(now.finding.contains("the clock was 3days"), "{now:?}");
    // By that clock the end is three days old.
    ahead.started_at = NOW;
    ahead.ended_at = Some(NOW.minus(72 * HOUR));
    assert_eq!(
        verdict(&[ahead], &[], false),
        (HealthStatus::ClockWrong, 75)
    );
}

#[test]
fn a_good_pass_in_the_future_excuses_no_failure() {
    let failed = run(MINUTE, 69);
    let mut good = run(MINUTE, 0);
    assert_eq!(verdict(&[failed.clone(), good.clone()], &[], false).1, 0);
    good.ended_at = Some(NOW.plus(240 * HOUR));
    assert_eq!(
        verdict(&[failed, good], &[], false),
        (HealthStatus::Failed, 69)
    );
}

fn told(runs: &[RunRecord], holds: &[Hold]) -> Health {
    let record = PassRecord {
        runs,
        holds,
        has_session: true,
        locked_by_pass: false,
        max_age: 3 * HOUR,
        longest_pass: 16 * MINUTE,
        is_outdated: false,
    };
    health(&record, NOW)
}

#[test]
fn a_record_as_far_ahead_as_a_clock_may_be_wrong_is_no_wrong_clock() {
    let ahead = |by: Duration| RunRecord {
        ended_at: Some(NOW.plus(by)),
        ..run(Duration::ZERO, 0)
    };
    assert!(told(&[ahead(CLOCK_TOLERANCE)], &[]).code == ExitCode::Ok);
    let beyond = told(&[ahead(CLOCK_TOLERANCE + HOUR)], &[]);
    assert_eq!(beyond.status, HealthStatus::ClockWrong);
    let by = span(CLOCK_TOLERANCE + HOUR);
    assert!(by.starts_with("1h"), "{by}");
    assert!(beyond.finding.contains(&by), "{beyond:?}");
}

#[test]
fn an_outage_is_met_with_a_look_at_the_network() {
    let remedy = |code| told(&[run(MINUTE, code)], &[]).remedy.clone();
    assert!(remedy(69).contains("doctor --online"));
    assert!(!remedy(74).contains("doctor --online"));
}

#[test]
fn a_hold_excuses_a_pass_only_until_it_is_cleared() {
    let pass = run(HOUR, 75);
    let hold = |cleared_before: Duration| {
        let mut holds = held(HoldReason::Throttled, Some(NOW.plus(HOUR)));
        holds[0].cleared_at = Some(NOW.minus(cleared_before));
        holds[0].cleared_by = Some("resume".to_owned());
        holds
    };
    let status = |holds: &[Hold]| told(std::slice::from_ref(&pass), holds).status;
    assert_eq!(status(&hold(2 * HOUR)), HealthStatus::Failed);
    assert_eq!(status(&hold(MINUTE)), HealthStatus::Waiting);
}

#[test]
fn a_hold_whose_own_reply_set_the_clock_back_excuses_its_pass() {
    let pass = run(HOUR, 75);
    let mut holds = held(HoldReason::Throttled, Some(NOW.plus(HOUR)));
    let mut status = |after: Duration| {
        holds[0].since = pass.ended_at.unwrap().plus(after);
        told(std::slice::from_ref(&pass), &holds).status
    };
    assert_eq!(status(CLOCK_TOLERANCE), HealthStatus::Waiting);
    assert_eq!(status(CLOCK_TOLERANCE + MINUTE), HealthStatus::Failed);
}

#[test]
fn an_upgrade_that_no_pass_has_followed_yet_is_as_healthy_as_the_passes_before_it() {
    let later = held(HoldReason::Throttled, Some(NOW.plus(HOUR)));
    for (runs, holds, expected) in [
        (run(HOUR, 0), &[][..], (HealthStatus::Upgrading, 0)),
        (run(HOUR, 75), &later[..], (HealthStatus::Upgrading, 0)),
        (run(4 * HOUR, 0), &[], (HealthStatus::TooOld, 69)),
        (run(HOUR, 76), &[], (HealthStatus::Failed, 76)),
    ] {
        let record = PassRecord {
            runs: &[runs],
            holds,
            has_session: true,
            locked_by_pass: false,
            max_age: 3 * HOUR,
            longest_pass: 16 * MINUTE,
            is_outdated: true,
        };
        let health = health(&record, NOW);
        assert_eq!((health.status, health.code.number()), expected);
        if health.code == ExitCode::Ok {
            for words in ["the last pass ended 1h ago", "the next pass brings it up"] {
                assert!(health.finding.contains(words), "{health:?}");
            }
        }
    }
}
