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
    /// Whether an upgrade has left the database to the next pass, which brings it up to date.
    pub is_outdated: bool,
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
    /// As well as before an upgrade, after which no pass has come yet.
    Upgrading,
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
    let health = of_passes(record, now);
    if !record.is_outdated || health.code != ExitCode::Ok {
        return health;
    }
    let finding = format!(
        "{}; the database has the schema of an older version, and the next pass brings it up to \
         date, unless it is started with --no-migrate",
        health.finding
    );
    well(HealthStatus::Upgrading, finding)
}

fn of_passes(record: &PassRecord<'_>, now: Timestamp) -> Health {
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
    // It began by the local clock and ended by Instagram's.
    if last.started_at > ended_at.plus(CLOCK_TOLERANCE) {
        return ill(
            HealthStatus::ClockWrong,
            ExitCode::TempFail,
            format!(
                "the last pass began at {} by this machine's clock and ended at {ended_at} by \
                 Instagram's: the clock was {} ahead",
                last.started_at,
                span(last.started_at.since(ended_at))
            ),
            "switch on time synchronisation (timedatectl set-ntp true)",
        );
    }
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
        let recent =
            |at: &Timestamp| *at <= now.plus(CLOCK_TOLERANCE) && now.since(*at) <= record.max_age;
        if let Some(at) = other.filter(recent) {
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
        // It stands at the later of two readings of a clock that the objecting reply itself may have
        // set back.
        let in_force = hold.since <= at.plus(CLOCK_TOLERANCE)
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
mod tests;
