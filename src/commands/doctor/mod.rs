//! `doctor`: everything that may stand in a pass's way, looked at from outside. It takes no lock,
//! writes nothing, sends nothing, and goes on with what it can where something is broken.
//!
//! What is found is gathered first and judged by pure functions, one file a topic.

mod account;
mod check;
mod clock;
mod configuration;
mod content;
mod memory;
mod network;
mod place;
mod seal;
mod telling;
mod text;
mod users;

use serde_json::json;

pub use self::check::CHECKS;
use self::check::{Check, exit_code};
use super::healthcheck::{longest_pass, newest_runs};
use super::shell::{Failure, Shell};
use crate::care::hold::MEMORY;
use crate::cli::Doctor;
use crate::config::{Inspected, Needs, configuration_files, inspect};
use crate::exit::ExitCode;
use crate::model::{Channel, Timestamp};
use crate::store::{Reader, holders};
use crate::telemetry::logging::Stream;

/// More than can wait: after seven days a notice is given up.
const NOTICES_READ: u32 = 1000;

/// Looks everything over.
pub fn doctor(shell: &Shell, flags: Doctor) -> ExitCode {
    shell.log_to(Stream::Stderr);
    let request = shell.request(Needs::EverySecret).needing_targets();
    let inspected = inspect(&request, &shell.environment);
    let now = shell.now();
    let checks = look(shell, flags, &inspected, now);
    let code = exit_code(&checks);
    let config = &inspected.loaded.config;
    shell.answer(
        || {
            json!({
                "profile": config.profile, "database": config.database, "at": now,
                "checks": checks, "exit": { "code": code, "name": code.name() },
            })
        },
        || text::render(&checks),
    );
    code
}

fn look(shell: &Shell, flags: Doctor, inspected: &Inspected, now: Timestamp) -> Vec<Check> {
    let users = users::Users::of_this_machine();
    let config = &inspected.loaded.config;
    let usual: Vec<_> = configuration_files(&shell.environment).collect();
    let mut checks = configuration::checks(inspected, &usual, &users);
    checks.extend(telling::command(config, &shell.environment));
    checks.extend(telling::metrics_file(config.metrics_file.as_deref()));
    let mut newest = None;
    // Without a place there is a mistake in the configuration, told above.
    if !config.database.as_os_str().is_empty() {
        let place = place::Place::gather(&config.database);
        checks.extend(place.checks(&users));
        if place.exists {
            newest = stored(inspected, now, &mut checks);
        }
    }
    checks.extend(times(inspected, newest, now));
    checks.push(memory::memory());
    if flags.online {
        let timeout = config.instagram.connect_timeout;
        let hosts = network::hosts(config);
        checks.extend(hosts.iter().map(|host| network::reach(host, timeout)));
    }
    checks
}

/// Looks into the database, and returns the newest moment on record.
fn stored(inspected: &Inspected, now: Timestamp, checks: &mut Vec<Check>) -> Option<Timestamp> {
    let config = &inspected.loaded.config;
    let (schema, reader) = content::schema(config);
    let holders = holders(&config.database);
    let readable = reader.is_some();
    checks.push(schema);
    if readable {
        checks.push(content::integrity(&config.database, &holders));
    }
    checks.push(content::lock(&holders));
    let Some(mut reader) = reader else {
        checks.push(Check::note(
            "database_content",
            "session, holds, passes and targets can be looked at once that is mended",
        ));
        return None;
    };
    match profile(inspected, &mut reader, now) {
        Ok((of_profile, newest)) => {
            checks.extend(of_profile);
            newest
        }
        Err(failure) => {
            checks.push(Check::problem(
                "database_content",
                failure.code,
                failure.message,
                "see database_integrity",
            ));
            None
        }
    }
}

fn profile(
    inspected: &Inspected,
    reader: &mut Reader,
    now: Timestamp,
) -> Result<(Vec<Check>, Option<Timestamp>), Failure> {
    let config = &inspected.loaded.config;
    let account = reader.account()?;
    let (runs, under_way) = newest_runs(config, reader)?;
    let mut checks = vec![account::session(account.as_ref(), now)];
    checks.extend(seal::seal(inspected, reader)?);
    checks.extend(account::holds(&reader.holds(now.minus(MEMORY))?, now));
    checks.push(account::runs(&runs, under_way, longest_pass(config), now));
    let mut waiting = Vec::new();
    for channel in Channel::ALL {
        waiting.extend(reader.undelivered(channel, NOTICES_READ)?);
    }
    checks.push(telling::notices(&waiting, now));
    checks.extend(account::targets(&reader.targets()?));
    let (attempt, _) = reader.newest_attempts()?;
    let of_attempt = attempt.map(|attempt| attempt.settled_at.unwrap_or(attempt.claimed_at));
    let of_run = runs
        .first()
        .map(|run| run.ended_at.unwrap_or(run.started_at));
    Ok((checks, of_attempt.max(of_run)))
}

/// The clock, the time zone and the quiet hours.
fn times(inspected: &Inspected, newest: Option<Timestamp>, now: Timestamp) -> Vec<Check> {
    let config = &inspected.loaded.config;
    let is_set = inspected
        .loaded
        .effective
        .iter()
        .any(|entry| entry.key == "time_zone" && entry.value.is_some());
    vec![
        clock::clock(newest, now),
        clock::time_zone(&config.time_zone, is_set, now),
        clock::quiet_hours(config.quiet_hours, &config.time_zone, now),
    ]
}
