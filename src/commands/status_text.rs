//! `status` for people: the next moment and what stands in the way first, then the details.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::status::{HoldStatus, RunStatus, Status, TargetStatus};
use crate::engage::WindowReport;
use crate::model::Timestamp;

/// Sentences up to this length are repeated rather than referred to.
const SHORT: usize = 60;

/// The status as text.
pub(super) fn render(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_status(&mut text, status);
    text.truncate(text.trim_end().len());
    text
}

fn write_status(text: &mut String, status: &Status) -> fmt::Result {
    let now = status.at;
    let account = status.account.as_deref().unwrap_or("not known yet");
    writeln!(text, "account   {account}, profile '{}'", status.profile)?;
    writeln!(
        text,
        "database  {} ({} KiB)",
        status.database,
        status.file_bytes / 1024
    )?;
    write!(text, "session   ")?;
    match &status.session {
        None => writeln!(text, "none")?,
        Some(session) => {
            if let Some(since) = session.since {
                write!(text, "since {since} ({} ago), ", ago(now, since))?;
            }
            match session.proved_at {
                Some(at) => writeln!(text, "alive at {at} ({} ago)", ago(now, at))?,
                None => writeln!(text, "not proved alive yet")?,
            }
        }
    }
    if let Some(date) = status.ignore_posts_before {
        writeln!(
            text,
            "posts     those before {date} are never liked (cleanup --posts-before)"
        )?;
    }
    match status.next.at {
        Some(at) if at <= now => writeln!(text, "next      now: {}", status.next.why)?,
        Some(at) => writeln!(text, "next      {at}: {}", status.next.why)?,
        None => writeln!(
            text,
            "next      not before a person acts: {}",
            status.next.why
        )?,
    }
    for hold in &status.holds_in_force {
        write_hold(text, "hold", hold)?;
    }
    for notice in &status.undelivered {
        write!(
            text,
            "not told  {} ({}, tried {}x)",
            notice.title, notice.channel, notice.tries
        )?;
        match &notice.problem {
            Some(problem) => writeln!(text, ": {problem}")?,
            None => writeln!(text)?,
        }
    }
    writeln!(text, "\nwindows")?;
    for window in &status.windows {
        write_window(text, window, |at| at.to_string())?;
    }
    writeln!(
        text,
        "  {:<24} {}",
        "limits.likes_per_run", status.likes_per_run
    )?;
    if let Some(stage) = status.warm_up {
        writeln!(text, "  {}", stage.sentence())?;
    }
    if let Some(until) = status.halved_until {
        writeln!(
            text,
            "  likes are halved until {until} because of an action block"
        )?;
    }
    writeln!(text, "\ntargets")?;
    for target in &status.targets {
        write_target(text, target)?;
    }
    if !status.items.is_empty() {
        writeln!(text, "\nitems")?;
    }
    for count in &status.items {
        let what = format!("{} {}", count.kind.as_str(), count.state.as_str());
        writeln!(text, "  {what:<24} {}", count.count)?;
    }
    if !status.runs.is_empty() {
        writeln!(text, "\nlast runs")?;
    }
    let mut above = None;
    for run in &status.runs {
        write_run(text, run, above)?;
        above = run.stop.as_deref();
    }
    if !status.recent_holds.is_empty() {
        writeln!(text, "\npast holds")?;
    }
    for hold in &status.recent_holds {
        write_hold(text, " ", hold)?;
    }
    Ok(())
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

fn write_hold(text: &mut String, label: &str, hold: &HoldStatus) -> fmt::Result {
    write!(
        text,
        "{label:<9} '{}' since {}",
        hold.reason.as_str(),
        hold.since
    )?;
    match (hold.cleared_at, &hold.cleared_by, hold.until) {
        (Some(at), Some(by), _) => write!(text, ", cleared at {at} by {by}")?,
        (_, _, Some(until)) => write!(text, " until {until}")?,
        _ => write!(text, " {}", hold.reason.lasts())?,
    }
    writeln!(text, ": {}", hold.message)
}

/// One window; `moment` writes a time.
pub(super) fn write_window(
    text: &mut String,
    window: &WindowReport,
    moment: impl Fn(Timestamp) -> String,
) -> fmt::Result {
    let WindowReport {
        key,
        limit,
        used,
        free,
        next_at,
    } = window;
    write!(text, "  {key:<24} {limit:>8}: {used} used, {free} free")?;
    match next_at {
        Some(at) => writeln!(text, "; room again at {}", moment(*at)),
        None => writeln!(text),
    }
}

fn write_target(text: &mut String, target: &TargetStatus) -> fmt::Result {
    write!(text, "  {:<24}", target.username)?;
    if let Some(name) = &target.known_as {
        write!(text, " (now {name})")?;
    }
    if !target.enabled {
        return writeln!(text, " not on the list at present");
    }
    let checks = [
        ("stories", target.stories_checked_at),
        ("posts", target.posts_checked_at),
    ];
    for (what, at) in checks {
        match at {
            Some(at) => write!(text, " {what} listed {at},")?,
            None => write!(text, " {what} not listed yet,")?,
        }
    }
    for window in &target.likes {
        write!(text, " likes {} of {},", window.used, window.limit)?;
    }
    match (target.trouble, target.retry_at, target.next_check_at) {
        (Some(trouble), Some(retry_at), _) => writeln!(
            text,
            " {}: looked at again after {retry_at}",
            trouble.as_str()
        ),
        (_, _, Some(at)) => writeln!(text, " due {at}"),
        _ => writeln!(text, " nothing of it is wanted"),
    }
}

/// `above` is how the run on the line above ended: a hold's whole message is told once.
fn write_run(text: &mut String, run: &RunStatus, above: Option<&str>) -> fmt::Result {
    write!(text, "  {}  ", run.started_at)?;
    match (run.exit_code, run.ended_at) {
        (Some(code), Some(_)) => {
            let (requests, likes) = (run.requests, run.likes);
            write!(text, "{requests} requests, {likes} likes, exit {code}")?;
        }
        // What it sent is counted at its end.
        _ => write!(text, "running or cut off")?,
    }
    match run.stop.as_deref() {
        Some(stop) if stop.len() > SHORT && above == Some(stop) => writeln!(text, ": the same"),
        Some(stop) => writeln!(text, ": {stop}"),
        None => writeln!(text),
    }
}
