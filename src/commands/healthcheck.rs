//! `healthcheck`: one verdict for whoever watches from outside. No lock, no request, no write, no
//! secret: it answers in milliseconds, while a pass runs and under every hold.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::shell::{Failure, Shell};
use crate::care::hold::MEMORY;
use crate::cli::Healthcheck;
use crate::config::{Config, ConfigErrors, MAX_RUNTIME, Needs, inspect};
use crate::engage::{Health, PassRecord, health};
use crate::exit::ExitCode;
use crate::model::{RunRecord, Timestamp};
use crate::store::{Reader, holders};
use crate::telemetry::logging::Stream;

/// How long a program that keeps the file locked is waited for: most watchers give up after some
/// seconds themselves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Enough to find one that ended well, if there is one.
const RUNS_READ: u32 = 200;

#[derive(Serialize)]
struct LastPass {
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    exit_code: Option<u8>,
    stop: Option<String>,
}

/// Says whether passes still come and end well.
pub fn healthcheck(shell: &Shell, flags: Healthcheck) -> ExitCode {
    shell.log_to(Stream::Stderr);
    let request = shell.request(Needs::NoSecret).needing_targets();
    let inspected = inspect(&request, &shell.environment);
    let config = inspected.loaded.config;
    if !inspected.mistakes.is_empty() {
        let message = ConfigErrors(inspected.mistakes).to_string();
        let line = message.replacen("\n  ", " ", 1).replace("\n  ", "; and ");
        let failure = Failure::new(ExitCode::Config, line);
        return unanswered(shell, &config, &failure);
    }
    let answer = look(shell, flags, &config);
    answer.unwrap_or_else(|failure| unanswered(shell, &config, &failure))
}

fn look(shell: &Shell, flags: Healthcheck, config: &Config) -> Result<ExitCode, Failure> {
    let now = shell.now();
    let (mut reader, pending) = Reader::open_any(&config.database, &config.profile, PATIENCE)?;
    let account = reader.account()?;
    let (runs, locked_by_pass) = newest_runs(config, &mut reader)?;
    let holds = reader.holds(now.minus(MEMORY))?;
    let record = PassRecord {
        runs: &runs,
        holds: &holds,
        has_session: account.is_some_and(|account| account.session.is_some()),
        locked_by_pass,
        max_age: flags.max_age,
        longest_pass: longest_pass(config),
        is_outdated: pending > 0,
    };
    let health = health(&record, now);
    shell.answer(
        || {
            json!({
                "profile": config.profile, "database": config.database, "at": now,
                "healthy": health.code == ExitCode::Ok, "status": health.status,
                "finding": health.finding, "remedy": remedy(&health),
                "last_pass": runs.first().map(last_pass),
                "exit": { "code": health.code, "name": health.code.name() },
            })
        },
        || match remedy(&health) {
            None => format!("ok: {}", health.finding),
            Some(remedy) => format!("not ok ({}): {}; {remedy}", health.code, health.finding),
        },
    );
    Ok(health.code)
}

/// There is no verdict because a pass could not begin either.
fn unanswered(shell: &Shell, config: &Config, failure: &Failure) -> ExitCode {
    let Failure { code, message } = failure;
    shell.answer(
        || {
            json!({
                "profile": config.profile, "database": config.database, "at": shell.now(),
                "healthy": false, "status": "not_started",
                "finding": message, "remedy": null, "last_pass": null,
                "exit": { "code": code, "name": code.name() },
            })
        },
        || format!("not ok ({code}): {message}"),
    );
    *code
}

/// How long a pass may take: its budget, its last answer, and a minute to close. Whoever started it
/// may have given it more time than the key does (`--max-runtime`), up to the ceiling.
pub(super) fn longest_pass(config: &Config) -> Duration {
    let budget = config.limits.max_runtime.max(MAX_RUNTIME);
    budget + config.instagram.timeout + Duration::from_mins(1)
}

/// The newest runs, and whether the newest one is under way. Its end is on record before its lock is
/// gone, so the record is read again after a look at the lock; one that is new by then has just
/// begun.
pub(super) fn newest_runs(
    config: &Config,
    reader: &mut Reader,
) -> Result<(Vec<RunRecord>, bool), Failure> {
    let newest = |runs: &[RunRecord]| runs.first().map(|run| run.id);
    let before = newest(&reader.recent_runs(1)?);
    let locked = is_locked_by_pass(config);
    let runs = reader.recent_runs(RUNS_READ)?;
    let has_just_begun = newest(&runs) != before;
    Ok((runs, locked || has_just_begun))
}

fn is_locked_by_pass(config: &Config) -> bool {
    holders(&config.database).iter().any(|holder| {
        holder.profile.as_ref() == Some(&config.profile)
            && holder.owner.ends_with("story-liker run")
    })
}

fn remedy(health: &Health) -> Option<&str> {
    (!health.remedy.is_empty()).then_some(health.remedy.as_str())
}

fn last_pass(run: &RunRecord) -> LastPass {
    LastPass {
        started_at: run.started_at,
        ended_at: run.ended_at,
        exit_code: run.exit_code,
        stop: run.stop.clone(),
    }
}
