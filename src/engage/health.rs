//! Whether passes still come and end well, from the record alone. Pure.
//!
//! Healthy means that nobody has to do anything: a pass ended well in time, or one is under way, or
//! all that stands in the way is a hold that ends by itself. A pass that could not reach Instagram,
//! or did not trust the clock, is forgiven as long as another one ended well in time.

use std::time::Duration;

use serde::Serialize;

use crate::care::hold;
use crate::exit::{ExitCode, NeedsPerson};
use crate::model::{Hold, HoldReason, RunRecord, Timestamp};

/// A run on record this far in the future is no matter of rounding: the difference to Instagram's
/// clock from which on a pass trusts its own no more.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// What the record says.
pub struct PassRecord<'a> {
    /// The newest runs, newest first.
    pub runs: &'a [RunRecord],
    /// At least the holds in force and those of the last runs.
    pub holds: &'a [Hold],
    /// Whether there is a session.
    pub has_session: bool,
    /// Whether a pass has the lock at this moment.
    pub locked_by_pass: bool,
    /// How long ago the last pass may have ended.
    pub max_age: Duration,
    /// How long a pass may take at most.
    pub longest_pass: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// The last pass ended well, or one shortly before it.
    Well,
    /// A pass is under way.
    Running,
    /// A hold that ends by itself.
    Waiting,
    /// A person is needed.
    PersonNeeded,
    /// No pass has ever begun.
    NoPass,
    /// The last pass is too long ago.
    TooOld,
    /// A pass began and nobody recorded its end.
    CutOff,
    /// A pass does not end.
    Stuck,
    /// The record lies in the future.
    ClockWrong,
    /// The last pass ended badly.
    Failed,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What came of it.
    pub status: HealthStatus,
    /// 0 if healthy.
    pub code: ExitCode,
    /// What was found.
    pub finding: String,
    /// What to do; empty if nothing.
    pub remedy: String,
}

fn well(status: HealthStatus, finding: String) -> Health {
    Health {
        status,
        code: ExitCode::Ok,
        finding,
        remedy: String::new(),
    }
}

fn ill(status: HealthStatus, code: ExitCode, finding: String, remedy: &str) -> Health {
    Health {
        status,
        code,
        finding,
        remedy: remedy.to_owned(),
    }
}

const LOOK_AT_SCHEDULER: &str = "see whether the timer is on (systemctl list-timers, crontab -l, \
     kubectl get cronjobs), and what the log of the last start says";

/// Judges the record at `now`.
pub fn health(record: &PassRecord<'_>, now: Timestamp) -> Health {
    if let Some(needed) = person_needed(record, now) {
        return needed;
    }
    let Some(last) = record.runs.first() else {
        return ill(
            HealthStatus::NoPass,
            ExitCode::Unavailable,
            "no pass is on record for this profile".to_owned(),
            "run 'story-liker run' once by hand, then see whether its timer is on",
        );
    };
    let latest = last.ended_at.unwrap_or(last.started_at);
    if latest > now.plus(CLOCK_TOLERANCE) {
        return ill(
            HealthStatus::ClockWrong,
            ExitCode::TempFail,
            format!(
                "the last pass is on record for {latest}, {} in the future: the clock is wrong now, \
                 or was then",
                span(latest.since(now))
            ),
            "switch on time synchronisation (timedatectl set-ntp true)",
        );
    }
    let Some(ended_at) = last.ended_at else {
        return without_end(record, last, now);
    };
    let age = now.since(ended_at);
    let ended = format!("the last pass ended {} ago, at {ended_at}", span(age));
    if age > record.max_age {
        let finding = format!("{ended}, and {} is allowed", span(record.max_age));
        return ill(
            HealthStatus::TooOld,
            ExitCode::Unavailable,
            finding,
            LOOK_AT_SCHEDULER,
        );
    }
    after_end(record, last, &ended, now)
}

fn person_needed(record: &PassRecord<'_>, now: Timestamp) -> Option<Health> {
    let ill = |code, finding, remedy| Some(ill(HealthStatus::PersonNeeded, code, finding, remedy));
    let told = |hold: &Hold| {
        format!(
            "hold '{}' since {}: {}",
            hold.reason.as_str(),
            hold.since,
            hold.message
        )
    };
    let in_force = hold::in_force(record.holds, now);
    if let Some(hold) = in_force.filter(|hold| hold.needs_person()) {
        let remedy = if hold.reason.about_session() {
            "run 'story-liker login' or 'story-liker session import FILE'"
        } else {
            "do what it says in the official app, then run 'story-liker resume'"
        };
        return ill(ExitCode::NoPerm, told(hold), remedy);
    }
    if !record.has_session {
        return ill(
            ExitCode::NoPerm,
            "there is no session".to_owned(),
            "run 'story-liker login' or 'story-liker session import FILE'",
        );
    }
    if let Some(hold) = in_force.filter(|hold| hold.reason == HoldReason::UnknownShape) {
        return ill(
            ExitCode::Protocol,
            told(hold),
            "look into the official app, then for a newer version of story-liker",
        );
    }
    None
}

fn without_end(record: &PassRecord<'_>, last: &RunRecord, now: Timestamp) -> Health {
    let since = last.started_at;
    let age = span(now.since(since));
    if !record.locked_by_pass {
        return ill(
            HealthStatus::CutOff,
            ExitCode::IoErr,
            format!("the last pass began {age} ago, at {since}, and nobody recorded its end"),
            "see in the log whether it was killed, crashed or met a full disk; the next pass settles \
             what it left",
        );
    }
    if now.since(since) > record.longest_pass {
        return ill(
            HealthStatus::Stuck,
            ExitCode::TempFail,
            format!(
                "a pass has been under way for {age}, since {since}, and {} is the longest",
                span(record.longest_pass)
            ),
            "see whether the machine slept or the process is stopped; SIGTERM ends it in order",
        );
    }
    well(
        HealthStatus::Running,
        format!("a pass has been under way for {age}, since {since}"),
    )
}

fn after_end(record: &PassRecord<'_>, last: &RunRecord, ended: &str, now: Timestamp) -> Health {
    let code = last.exit_code.and_then(ExitCode::from_number);
    // A number that this version does not know was no success either.
    let code = code.unwrap_or(ExitCode::Software);
    let why = last.stop.as_deref().unwrap_or("no reason is on record");
    if ended_well(last) {
        return well(HealthStatus::Well, format!("{ended}, with {code}"));
    }
    if let Some(hold) = excuse(record.holds, last) {
        let until = hold.until.map(|until| until.to_string());
        let finding = format!(
            "{ended}, under hold '{}' until {}",
            hold.reason.as_str(),
            until.unwrap_or_default()
        );
        return well(HealthStatus::Waiting, finding);
    }
    let finding = format!("{ended}, with {code}: {why}");
    if code.needs_person() == NeedsPerson::No {
        let other = record.runs.iter().find(|run| ended_well(run));
        let other = other.and_then(|run| run.ended_at);
        if let Some(at) = other.filter(|at| now.since(*at) <= record.max_age) {
            let finding = format!("{finding}; one before it ended well at {at}");
            return well(HealthStatus::Well, finding);
        }
    }
    let remedy = match code {
        ExitCode::Unavailable => "check the network: 'story-liker doctor --online'",
        _ => "do what it says; 'story-liker doctor' looks at everything else",
    };
    ill(HealthStatus::Failed, code, finding, remedy)
}

/// Whether a pass ended as it should, a target's own trouble and a wish to stop included.
pub fn ended_well(run: &RunRecord) -> bool {
    let code = run.exit_code.and_then(ExitCode::from_number);
    run.ended_at.is_some()
        && code.is_some_and(|code| {
            matches!(
                code,
                ExitCode::Ok | ExitCode::Partial | ExitCode::Interrupted | ExitCode::Terminated
            )
        })
}

/// The objection that a pass met or stopped at, where it ends by itself and nothing is to be done.
fn excuse<'h>(holds: &'h [Hold], run: &RunRecord) -> Option<&'h Hold> {
    let at = run.ended_at?;
    let met = run.exit_code == Some(ExitCode::TempFail.number());
    holds.iter().find(|hold| {
        let in_force = hold.since <= at
            && hold.until.is_some_and(|until| at <= until)
            && hold.cleared_at.is_none_or(|cleared| at <= cleared);
        let asks_to_wait = matches!(
            hold.reason,
            HoldReason::Throttled | HoldReason::PleaseWait | HoldReason::ActionBlocked
        );
        met && in_force && asks_to_wait
    })
}

/// To the second; an age is no measurement.
fn span(span: Duration) -> String {
    humantime::format_duration(Duration::from_secs(span.as_secs())).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
}
