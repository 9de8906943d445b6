//! The metrics file, after each `run` that is no dry run. It comes after the exit code is known and
//! before the report is printed, and can change neither.
//!
//! The figures come from the database, not from the pass: so a start that found another pass at work
//! tells the truth about that one as well, and a start that could not read them leaves them alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::aside::aside;
use super::shell::{Failure, Shell};
use super::status::{self, Status, TargetStatus};
use crate::config::{Config, Request, inspect};
use crate::engage::{Stop, WindowReport};
use crate::exit::ExitCode;
use crate::model::{EndedRun, Limit, TargetTrouble, Timestamp};
use crate::store::Reader;
use crate::telemetry::metrics::{
    Figures, HoldFigure, LastRun, Snapshot, Start, TargetState, WindowFigure, file, samples, text,
};

/// Codes of a pass that went as planned.
const SUCCESS: [ExitCode; 2] = [ExitCode::Ok, ExitCode::Partial];

const DAY: Duration = Duration::from_hours(24);

/// Between two tries to get at the file while another start replaces it.
const WAIT: Duration = Duration::from_millis(50);

/// What of a start its figures need.
pub(super) struct Started<'a> {
    /// How its configuration was asked for.
    pub request: &'a Request,
    /// What that came to, if it came to anything.
    pub config: Option<&'a Config>,
    /// When.
    pub at: Timestamp,
}

/// Writes the metrics file, if there is to be one. A failure is a warning in the log.
pub(super) fn write(shell: &Shell, started: &Started<'_>, code: ExitCode) {
    aside("wrote the metrics file", || {
        try_to_write(shell, started, code);
    });
}

fn try_to_write(shell: &Shell, started: &Started<'_>, code: ExitCode) {
    let of_config = |config: &Config| Some((config.profile.clone(), config.metrics_file.clone()?));
    let wanted = match started.config {
        Some(config) => of_config(config),
        None => inspect(started.request, &shell.environment).metrics_file(),
    };
    let Some((profile, path)) = wanted else {
        return;
    };
    let make = |old: &str| {
        let figures = started.config.and_then(|config| {
            let read = figures(config, shell.now());
            read.unwrap_or_else(|failure| {
                log::info!(
                    "the metrics file keeps its older figures of the database: {}",
                    failure.message
                );
                None
            })
        });
        let snapshot = Snapshot {
            profile: profile.clone(),
            start: Start {
                version: env!("CARGO_PKG_VERSION"),
                at: started.at,
                exit_code: code.number(),
            },
            figures,
        };
        text::merged(old, profile.as_str(), &samples(&snapshot), shell.now())
    };
    if let Err(problem) = file::replace(&path, || wait(shell), make) {
        log::warn!(
            "the metrics file {} was not written: {problem}",
            path.display()
        );
    }
}

fn wait(shell: &Shell) {
    if let Ok(clock) = shell.clock() {
        clock.sleep_until(clock.now().plus(WAIT));
    }
}

/// What stands in the database; `None` if the profile has never been used.
fn figures(config: &Config, now: Timestamp) -> Result<Option<Figures>, Failure> {
    let mut reader = Reader::open_read_only(&config.database, &config.profile)?;
    let Some(account) = reader.account()? else {
        return Ok(None);
    };
    let last_run = match reader.last_ended_run()? {
        Some(run) => Some(last_run(&mut reader, &run)?),
        None => None,
    };
    let last_success = reader.last_end_with(&SUCCESS.map(ExitCode::number))?;
    let last_day = reader.request_counts(None, now.minus(DAY))?;
    let status = status::read(config, &mut reader, &account, now)?;
    Ok(Some(Figures {
        at: now,
        last_run,
        last_success,
        last_day,
        windows: windows(&status),
        targets_at_limit: targets_at_limit(config, &status),
        halved_until: status.halved_until,
        warm_up_percent: status.warm_up.map(|stage| stage.percent),
        next_pass: status.next.at,
        holds: status
            .holds_in_force
            .iter()
            .map(|hold| HoldFigure {
                reason: hold.reason,
                until: hold.until,
            })
            .collect(),
        session: status
            .session
            .map(|session| (session.since, session.proved_at)),
        targets: status.targets.iter().map(target_state).collect(),
        items: status
            .items
            .iter()
            .map(|items| (items.kind, items.state, items.count))
            .collect(),
        database_bytes: status.file_bytes,
    }))
}

fn last_run(reader: &mut Reader, run: &EndedRun) -> Result<LastRun, Failure> {
    // A report that an older version wrote may lack some of it.
    let report: Value = serde_json::from_str(&run.report).unwrap_or_default();
    let stop = report["stop"]["name"].as_str().unwrap_or_default();
    let pruned = |what: &str| report["pruned"][what].as_u64().unwrap_or(0);
    Ok(LastRun {
        started_at: run.started_at,
        ended_at: run.ended_at,
        exit_code: run.exit_code,
        stop: (stop.to_owned(), &Stop::NAMES),
        requests: reader.request_counts(Some(run.id), run.started_at)?,
        pruned: vec![
            ("story", pruned("stories")),
            ("attempt", pruned("attempts")),
            ("hold", pruned("holds")),
            ("run", pruned("runs")),
        ],
        missed: pruned("missed"),
    })
}

/// Two limits of the same key and span are one window, and the lower one counts.
fn windows(status: &Status) -> Vec<WindowFigure> {
    let mut windows: BTreeMap<(&str, String), WindowFigure> = BTreeMap::new();
    for report in &status.windows {
        let Some(window) = window(report) else {
            continue;
        };
        let same = windows.entry((window.key, window.span.clone()));
        same.and_modify(|found| {
            if window.limit < found.limit {
                *found = window.clone();
            }
        })
        .or_insert(window);
    }
    windows.into_values().collect()
}

fn window(report: &WindowReport) -> Option<WindowFigure> {
    Some(WindowFigure {
        key: report.key,
        span: span(report)?.to_owned(),
        limit: report.limit.parse::<Limit>().ok()?.count,
        used: report.used,
        room_at: report.next_at,
    })
}

/// `1h` of `12/1h`.
fn span(report: &WindowReport) -> Option<&str> {
    report.limit.split_once('/').map(|(_, span)| span)
}

fn targets_at_limit(config: &Config, status: &Status) -> BTreeMap<String, u32> {
    let spans = config.limits.likes_per_target.iter();
    let spans = spans.filter_map(|limit| Some(limit.to_string().split_once('/')?.1.to_owned()));
    let mut full: BTreeMap<String, u32> = spans.map(|span| (span, 0)).collect();
    for (span, count) in &mut full {
        let is_full = |target: &&TargetStatus| {
            let of_span = |likes: &&WindowReport| self::span(likes) == Some(span);
            let mut likes = target.likes.iter().filter(of_span);
            target.enabled && likes.any(|likes| likes.free == 0)
        };
        *count = u32::try_from(status.targets.iter().filter(is_full).count()).unwrap_or(u32::MAX);
    }
    full
}

fn target_state(target: &TargetStatus) -> TargetState {
    match (target.enabled, target.trouble) {
        (false, _) => TargetState::Disabled,
        (true, None) => TargetState::Fine,
        (true, Some(TargetTrouble::Private)) => TargetState::Private,
        (true, Some(TargetTrouble::Gone)) => TargetState::Gone,
    }
}
