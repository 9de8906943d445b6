//! A rehearsal for people: a timeline and what it came to.

use std::fmt::Write as _;

use super::bounds::Bound;
use super::chart::by_hour;
use super::items::ItemsOf;
use super::summary::{Summary, share};
use crate::engage::{Report, Stop};

/// One line for a pass; `None` if it had nothing to do, or began in quiet hours.
pub fn pass_line(report: &Report) -> Option<String> {
    let counts = &report.counts;
    if counts.requests() == 0 && matches!(report.stop, Stop::Done | Stop::QuietHours { .. }) {
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

/// The closing summary, for a terminal of so many columns.
pub fn summary_text(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut text, summary, width);
    text.truncate(text.trim_end().len());
    text
}

fn write_summary(text: &mut String, summary: &Summary, width: usize) -> std::fmt::Result {
    let requests = &summary.requests;
    writeln!(text)?;
    writeln!(
        text,
        "{} passes, {} requests ({:.0} a day), {} likes",
        summary.passes, requests.total, requests.per_day, summary.likes.total
    )?;
    writeln!(text)?;
    write_items(text, summary)?;
    write_bounds(text, summary)?;
    writeln!(text)?;
    writeln!(
        text,
        "likes by hour of the day ({})",
        summary.likes.time_zone
    )?;
    text.push_str(&by_hour(&summary.likes.by_hour, width));
    writeln!(text)?;
    write_cost(text, summary)?;
    write_holds(text, summary)?;
    write_promises(text, summary)
}

fn write_items(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let (stories, posts) = (summary.totals("story"), summary.totals("post"));
    let longest = summary
        .items
        .iter()
        .map(|items| items.target.chars().count());
    // Names that are alike at the beginning are told apart by their ends: none is cut.
    let column = longest.max().unwrap_or(0).max(8);
    writeln!(
        text,
        "{:<column$}  {:<7}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "items", "", "offered", "liked", "missed", "open", "in time"
    )?;
    let rows = summary
        .items
        .iter()
        .map(|items| (items.target.as_str(), items));
    let all = [("all", &stories), ("all", &posts)];
    let kinds = ["story", "post"];
    for (name, items) in rows {
        write_row(text, name, items.kind, items, column)?;
    }
    for ((name, items), kind) in all.into_iter().zip(kinds) {
        write_row(text, name, kind, items, column)?;
    }
    if !summary.missed.is_empty() {
        writeln!(text)?;
        writeln!(text, "why missed")?;
        for reason in &summary.missed {
            writeln!(text, "{:>6}  {}", reason.items, reason.why)?;
        }
    }
    Ok(())
}

fn write_row(
    text: &mut String,
    name: &str,
    kind: &str,
    items: &ItemsOf,
    column: usize,
) -> std::fmt::Result {
    let kind = if kind == "story" { "stories" } else { "posts" };
    let in_time = percent(share(items.liked, items.missed));
    let ItemsOf {
        offered,
        liked,
        missed,
        open,
        ..
    } = items;
    writeln!(
        text,
        "{name:<column$}  {kind:<7}{offered:>8}{liked:>8}{missed:>8}{open:>8}{in_time:>8}"
    )
}

fn write_bounds(text: &mut String, summary: &Summary) -> std::fmt::Result {
    if summary.bounds.is_empty() {
        return Ok(());
    }
    writeln!(text)?;
    writeln!(
        text,
        "{:<34}{:>8}{:>8}{:>8}{:>8}{:>11}",
        "what kept likes waiting", "items", "missed", "passes", "days", "first day"
    )?;
    for bound in summary.bounds.iter().filter(|bound| bound.passes > 0) {
        let first_day = bound
            .first_day
            .map_or_else(String::new, |day| day.to_string());
        writeln!(
            text,
            "{:<34}{:>8}{:>8}{:>8}{:>8}{first_day:>11}",
            bound.what, bound.items_kept_waiting, bound.items_missed, bound.passes, bound.days
        )?;
    }
    writeln!(text)?;
    for bound in &summary.bounds {
        if let Some(words) = full_in_words(bound, summary.days) {
            writeln!(text, "{words}")?;
        }
    }
    match &summary.binding {
        Some(setting) => writeln!(text, "{setting} is the setting that binds"),
        None => writeln!(text, "no setting kept a like waiting"),
    }
}

/// `limits.likes 60/24h was full on 12 of 30 days, first on day 3, for 5 h 10 min a day`
fn full_in_words(bound: &Bound, days: u32) -> Option<String> {
    let full = bound.full.as_ref()?;
    Some(format!(
        "{} was full on {} of {}, first on day {}, for {} a day on average",
        bound.what,
        full.days,
        counted(days, "day"),
        full.first_day,
        span(u64::from(full.minutes_a_day) * 60)
    ))
}

fn write_cost(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let requests = &summary.requests;
    writeln!(
        text,
        "requests   {:.1} a day, {} on the busiest day; {} for each liked item",
        requests.per_day,
        requests.most_in_a_day,
        quotient(requests.per_liked_item)
    )?;
    writeln!(
        text,
        "listings   {}, of which {} showed nothing new",
        requests.listings, requests.listings_without_news
    )?;
    let time = &summary.seconds_in_passes;
    writeln!(
        text,
        "time       {} a day in passes; {} on average, {} at most",
        span(time.per_day),
        span(time.mean),
        span(time.longest)
    )
}

fn write_holds(text: &mut String, summary: &Summary) -> std::fmt::Result {
    if summary.holds.is_empty() {
        return Ok(());
    }
    let person = &summary.person;
    let list = |counts: &std::collections::BTreeMap<&str, u32>| -> String {
        let counts = counts.iter().map(|(what, times)| format!("{times} {what}"));
        counts.collect::<Vec<_>>().join(", ")
    };
    writeln!(text)?;
    writeln!(text, "objections and outages met")?;
    for (reason, times) in &summary.holds {
        writeln!(text, "{times:>6}  {reason}")?;
    }
    match person.needed {
        0 => writeln!(text, "no person was needed"),
        needed => writeln!(
            text,
            "a person was needed on {} ({}) and brought {}",
            counted(needed, "morning"),
            list(&person.holds),
            counted(person.new_sessions, "new session")
        ),
    }
}

fn write_promises(text: &mut String, summary: &Summary) -> std::fmt::Result {
    let promises = &summary.promises;
    writeln!(text)?;
    writeln!(
        text,
        "{:<34}{:>8}{:>10}",
        "most in any rolling window", "received", "in force"
    )?;
    for peak in &promises.peaks {
        let name = format!("{} {}", peak.key, peak.limit);
        let verdict = if peak.kept { "" } else { "  EXCEEDED" };
        writeln!(
            text,
            "{name:<34}{:>8}{:>10}{verdict}",
            peak.most, peak.in_force
        )?;
    }
    for pause in &promises.pauses {
        let shortest = pause.shortest_ms.map_or_else(|| "-".to_owned(), seconds);
        let verdict = if pause.kept { "" } else { "  TOO SHORT" };
        writeln!(
            text,
            "{:<34}{shortest:>8}{:>10}{verdict}",
            format!("{}, shortest", pause.key),
            seconds(pause.allowed_ms)
        )?;
    }
    writeln!(text)?;
    let broken = promises.broken();
    for promise in &broken {
        writeln!(text, "BROKEN PROMISE: {promise}")?;
    }
    if broken.is_empty() {
        writeln!(text, "every promise was kept, by the server's record")?;
    }
    Ok(())
}

pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

pub(super) fn quotient(quotient: Option<f64>) -> String {
    quotient.map_or_else(|| "-".to_owned(), |quotient| format!("{quotient:.1}"))
}

/// `1 day`, `3 days`
pub(super) fn counted(number: u32, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn seconds(millis: i64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

/// `5 h 10 min`, `12 min`, `43 s`
pub(super) fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
