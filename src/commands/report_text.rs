//! A pass's report for people.

use std::fmt::Write as _;

use crate::engage::Report;

/// The report as text: the end first, then what was done, target by target, window by window.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, report);
    text.truncate(text.trim_end().len());
    text
}

fn write_report(text: &mut String, report: &Report) -> std::fmt::Result {
    let code = report.exit_code();
    let kind = if report.dry_run { "dry run" } else { "pass" };
    writeln!(text)?;
    writeln!(text, "{kind} ended: {}", report.reason())?;
    let counts = &report.counts;
    writeln!(
        text,
        "  {} requests: {} reads, {} story views, {} likes ({} accepted), {} logins",
        counts.requests(),
        counts.reads,
        counts.story_views,
        counts.likes_sent,
        counts.likes,
        counts.logins
    )?;
    if report.recovered > 0 {
        writeln!(
            text,
            "  {} requests that a crash had cut off were settled",
            report.recovered
        )?;
    }
    for target in &report.targets {
        write!(
            text,
            "  {:<24} {} listed, {} new, {} liked",
            target.username, target.listed, target.new, target.liked
        )?;
        if target.unreadable > 0 {
            write!(text, ", {} unreadable", target.unreadable)?;
        }
        if let (Some(trouble), Some(retry_at)) = (target.trouble, target.retry_at) {
            write!(
                text,
                "; {}, looked at again after {retry_at}",
                trouble.as_str()
            )?;
        }
        writeln!(text)?;
    }
    for window in &report.windows {
        let used = if report.dry_run {
            "would be used"
        } else {
            "used"
        };
        write!(
            text,
            "  {:<20} {:>8}: {} {used}, {} free",
            window.key, window.limit, window.used, window.free
        )?;
        match window.next_at {
            Some(at) => writeln!(text, "; room again at {at}")?,
            None => writeln!(text)?,
        }
    }
    if let Some(stage) = report.warm_up {
        writeln!(text, "  {}", stage.sentence())?;
    }
    if let Some(until) = report.halved_until {
        writeln!(
            text,
            "  likes are halved until {until} because of an action block"
        )?;
    }
    if report.dry_run {
        let would = report
            .decisions
            .iter()
            .filter(|d| d.decision == "would_like")
            .count();
        writeln!(
            text,
            "  a real pass would like {would} items now; nothing was liked"
        )?;
        for decision in &report.decisions {
            writeln!(
                text,
                "    {} {} of {}: {} ({})",
                decision.kind.as_str(),
                decision.item,
                decision.target,
                decision.decision,
                decision.why
            )?;
        }
    }
    writeln!(text, "  exit {} ({})", code.number(), code.name())
}
