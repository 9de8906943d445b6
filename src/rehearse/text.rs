//! A rehearsal for people: a timeline and what it came to.

use std::fmt::Write as _;

use super::summary::{ItemsOf, Summary};
use crate::engage::Report;

/// One line for a pass; `None` if it had nothing to do and nothing to say.
pub fn pass_line(report: &Report) -> Option<String> {
    let counts = &report.counts;
    if counts.requests() == 0 && report.stop.name() == "done" {
        return None;
    }
    let started = report.started_at.to_string();
    let (day, time) = started.split_once('T').unwrap_or((&started, ""));
    let time = time.get(..5).unwrap_or(time);
    Some(format!(
        "{day} {time}  {:>2} likes  {:>2} requests  exit {:>2}  {}",
        counts.likes,
        counts.requests(),
        report.exit_code().number(),
        report.reason()
    ))
}

/// The closing summary.
pub fn summary_text(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, summary);
    text.truncate(text.trim_end().len());
    text
}

fn write_summary(text: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(text)?;
    writeln!(
        text,
        "{} passes, {} requests ({} a day), {} likes",
        summary.passes, summary.requests, summary.requests_per_day, summary.likes
    )?;
    writeln!(text)?;
    writeln!(
        text,
        "{:<26}{:>8}{:>8}{:>8}{:>8}",
        "items", "offered", "liked", "missed", "open"
    )?;
    for items in &summary.items {
        let ItemsOf {
            target,
            kind,
            offered,
            liked,
            missed,
            open,
        } = items;
        let name = format!("{target} ({kind})");
        writeln!(text, "{name:<26}{offered:>8}{liked:>8}{missed:>8}{open:>8}")?;
    }
    if !summary.missed.is_empty() {
        writeln!(text)?;
        writeln!(text, "why missed")?;
        for reason in &summary.missed {
            writeln!(text, "{:>6}  {}", reason.items, reason.why)?;
        }
    }
    writeln!(text)?;
    writeln!(
        text,
        "{:<34}{:>8}",
        "most in any rolling window", "received"
    )?;
    for peak in &summary.peaks {
        let name = format!("{} {}", peak.key, peak.limit);
        let verdict = if peak.kept { "" } else { "  EXCEEDED" };
        writeln!(text, "{name:<34}{:>8}{verdict}", peak.most)?;
    }
    if !summary.holds.is_empty() {
        writeln!(text)?;
        writeln!(text, "objections and outages met")?;
        for (reason, times) in &summary.holds {
            writeln!(text, "{times:>6}  {reason}")?;
        }
    }
    for item in &summary.liked_twice {
        writeln!(
            text,
            "BROKEN PROMISE: {item} received a second like request without a reading that allows it"
        )?;
    }
    if summary.during_holds > 0 {
        writeln!(
            text,
            "BROKEN PROMISE: {} requests were received while a hold was in force",
            summary.during_holds
        )?;
    }
    for (violation, times) in &summary.violations {
        writeln!(text, "BROKEN PROMISE: {times} requests with {violation}")?;
    }
    Ok(())
}
