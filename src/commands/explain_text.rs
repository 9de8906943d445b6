//! `explain` for people: the answer first, then what it rests on. Moments are given in the
//! configured time zone and in UTC.

use std::fmt::{self, Write as _};

use jiff::tz::TimeZone;

use super::explain::Explanation;
use super::status_text::write_window;
use crate::engage::Forecast;
use crate::model::{PastAttempt, Timestamp};

/// The explanation as text.
pub(super) fn render(told: &Explanation, zone: &TimeZone) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_explanation(&mut text, told, zone);
    text.truncate(text.trim_end().len());
    text
}

/// What is left to say of an item that the ledger does not have.
pub(super) fn render_unknown(message: &str, history: &[PastAttempt], zone: &TimeZone) -> String {
    let mut text = format!("{message}\n");
    let _ = write_history(&mut text, history, zone);
    text.truncate(text.trim_end().len());
    text
}

fn write_explanation(text: &mut String, told: &Explanation, zone: &TimeZone) -> fmt::Result {
    let moment = |at: Timestamp| local(at, zone);
    let item = &told.item;
    let (kind, state) = (item.kind.as_str(), item.state.as_str());
    let target = &told.target;
    writeln!(text, "{kind} {} of {}: {state}", item.id, target.username)?;
    writeln!(text, "now       {}", told.why)?;
    if let Some(forecast) = &told.forecast {
        write_forecast(text, forecast, told.at, zone)?;
    }
    writeln!(text, "\nitem")?;
    writeln!(text, "  taken       {}", moment(item.taken_at))?;
    if let Some(at) = item.expiring_at {
        writeln!(text, "  expires     {}", moment(at))?;
    }
    writeln!(text, "  first seen  {}", moment(item.first_seen_at))?;
    if let Some(at) = item.viewed_at {
        writeln!(text, "  viewed      {}", moment(at))?;
    }
    writeln!(
        text,
        "  likes that did not take: {} of at most 2",
        item.tries
    )?;
    if let Some(at) = item.read_back_from {
        writeln!(
            text,
            "  a reading tells what became of its like from {} on",
            moment(at)
        )?;
    }
    if let Some(at) = item.unliked_read_at {
        writeln!(text, "  last read as not liked: {}", moment(at))?;
    }
    write_history(text, &told.history, zone)?;
    writeln!(text, "\ntarget {}", target.username)?;
    match target.checked_at {
        Some(at) => writeln!(text, "  listed      {}", moment(at))?,
        None => writeln!(text, "  not listed yet")?,
    }
    if let (Some(trouble), Some(at)) = (target.trouble, target.retry_at) {
        let (trouble, at) = (trouble.as_str(), moment(at));
        writeln!(text, "  {trouble}: looked at again after {at}")?;
    }
    match target.next_check_at {
        Some(at) => writeln!(text, "  due         {}", moment(at))?,
        None => writeln!(text, "  not to be listed at present")?,
    }
    writeln!(text, "\nwindows")?;
    for window in &told.windows {
        write_window(text, window, moment)?;
    }
    writeln!(
        text,
        "  in one pass at most {} likes, {} of them for one target",
        told.likes_per_run, told.likes_per_target_per_run
    )?;
    if let Some(until) = told.halved_until {
        let until = moment(until);
        writeln!(
            text,
            "  likes are halved until {until} because of an action block"
        )?;
    }
    if let Some(stage) = &told.warm_up {
        writeln!(text, "  {}", stage.sentence())?;
    }
    if let Some(until) = told.quiet_until {
        writeln!(text, "\nquiet_hours last until {}", moment(until))?;
    }
    for hold in &told.holds_in_force {
        let (name, since) = (hold.reason.as_str(), moment(hold.since));
        write!(text, "\nhold '{name}' since {since}")?;
        match hold.until {
            Some(until) => write!(text, " until {}", moment(until))?,
            None => write!(text, " {}", hold.reason.lasts())?,
        }
        writeln!(text, ": {}", hold.message)?;
    }
    Ok(())
}

fn write_forecast(
    text: &mut String,
    forecast: &Forecast,
    now: Timestamp,
    zone: &TimeZone,
) -> fmt::Result {
    let Some(at) = forecast.at else {
        write!(text, "forecast  no pass will like it as things stand")?;
        if let Some(binding) = &forecast.binding {
            write!(text, ": {binding}")?;
        }
        if let Some(end) = forecast.life_ends_first_at {
            write!(text, "; its life ends first, at {}", local(end, zone))?;
        }
        return writeln!(text);
    };
    if at <= now {
        write!(text, "forecast  a pass that starts now can like it")?;
    } else {
        let at = local(at, zone);
        write!(text, "forecast  the next pass at or after {at} can like it")?;
    }
    if forecast.needs_reading {
        write!(text, ", if its reading says 'not liked'")?;
    }
    if forecast.passes_before > 0 {
        let passes = forecast.passes_before;
        write!(text, "; {passes} with other items to like come first")?;
    }
    match &forecast.binding {
        Some(binding) => match binding.binding() {
            Some(name) => writeln!(text, "; binding: {name}"),
            None => writeln!(text, "; until then: {binding}"),
        },
        None => writeln!(text),
    }
}

fn write_history(text: &mut String, history: &[PastAttempt], zone: &TimeZone) -> fmt::Result {
    if history.is_empty() {
        return writeln!(text, "\nnothing was sent about it");
    }
    writeln!(text, "\nsent")?;
    for attempt in history {
        let (kind, claimed) = (attempt.kind.as_str(), local(attempt.claimed_at, zone));
        write!(text, "  {kind:<10} {claimed}")?;
        match (attempt.outcome, attempt.settled_at) {
            (Some(outcome), Some(at)) => {
                write!(text, ", {} at {}", outcome.as_str(), local(at, zone))?;
            }
            _ => write!(text, ", under way, or cut off by a crash")?,
        }
        match attempt.run_started_at {
            Some(at) => write!(text, ", in the pass of {}", local(at, zone))?,
            None => write!(text, ", in no pass on record")?,
        }
        if attempt.detail.is_empty() {
            writeln!(text)?;
        } else {
            writeln!(text, ": {}", attempt.detail)?;
        }
    }
    Ok(())
}

/// A moment in the configured zone, with UTC beside it where that differs.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_second(at.as_secs());
    match moment {
        Ok(moment) if *zone != TimeZone::UTC => {
            let local = moment.to_zoned(zone.clone());
            format!("{} ({at})", local.strftime("%Y-%m-%d %H:%M:%S %Z"))
        }
        _ => at.to_string(),
    }
}
