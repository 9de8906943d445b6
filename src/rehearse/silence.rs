//! How long silence was due, read off the server's record: from each refusal to the end of the hold
//! it has to cause, or to the visit of the person it asks for.

use std::collections::BTreeSet;
use std::ops::Range;

use super::summary::{Held, count};
use crate::engage::{Report, Stop};
use crate::model::Timestamp;
use crate::practice::hardship::{Asks, asks};
use crate::practice::{Act, Outcome, RecordEntry};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Between the receipt of a request and the moment its answer is on record.
const MOMENT: i64 = 1000;

/// What was due, and what was not kept.
#[derive(Debug, Default)]
pub(super) struct Silences {
    spans: Vec<Range<i64>>,
    /// When likes were halved after a block.
    pub halved: Vec<Range<i64>>,
    /// Requests received within a silence.
    pub broken: u32,
}

/// Doubles while it recurs within a day.
#[derive(Clone, Copy)]
struct Growing {
    first: i64,
    most: i64,
    last: Option<(i64, i64)>,
}

impl Growing {
    fn new(first: i64, most: i64) -> Self {
        Self {
            first,
            most,
            last: None,
        }
    }

    fn until(&mut self, at: i64, asked: i64) -> i64 {
        let length = match self.last {
            Some((since, until)) if at + MOMENT <= until + DAY => {
                ((until - since) * 2).clamp(self.first, self.most)
            }
            _ => self.first,
        };
        let until = at + length.max(asked);
        self.last = Some((at, until));
        until
    }
}

pub(super) fn silences(held: &Held) -> Silences {
    let mut silences = Silences::default();
    let mut excused = BTreeSet::new();
    let mut throttled = Growing::new(30 * MINUTE, 12 * HOUR);
    let mut told_to_wait = Growing::new(2 * HOUR, 24 * HOUR);
    let mut blocks: Vec<i64> = Vec::new();
    for (place, entry) in held.record.iter().enumerate() {
        let (Outcome::Refused(name) | Outcome::Lost(name)) = &entry.outcome else {
            continue;
        };
        let Some(asked) = asks(name) else {
            continue;
        };
        let at = entry.at_ms;
        let until = match asked {
            Asks::Throttled(seconds) => throttled.until(at, seconds * 1000),
            Asks::PleaseWait => told_to_wait.until(at, 0),
            Asks::Unreadable => at + 6 * HOUR,
            Asks::Blocked(day) => {
                let until = blocked_until(&mut blocks, at, day, held);
                silences.halved.push(at + 1..until.saturating_add(14 * DAY));
                until
            }
            Asks::Person => held.next_visit(at),
            Asks::Doubtful => doubtful(held, place, &mut excused),
            Asks::LoginRequired => login_required(held, place, &mut excused),
        };
        silences.spans.push(at + 1..until);
    }
    let told = held.passes.iter().zip(held.ends);
    let told = told.filter_map(|(report, end)| announced(report, *end, held));
    silences.spans.extend(told);
    let within = |(place, entry): &(usize, &RecordEntry)| {
        let due = silences
            .spans
            .iter()
            .any(|span| span.contains(&entry.at_ms));
        due && !excused.contains(place)
    };
    silences.broken = count(held.record.iter().enumerate().filter(within).count());
    silences
}

/// The first block lasts as long as it says or two days, the second in 30 days a week at least, the
/// third until a person comes.
fn blocked_until(blocks: &mut Vec<i64>, at: i64, day_s: Option<i64>, held: &Held) -> i64 {
    let recent = blocks
        .iter()
        .filter(|block| at - **block <= 30 * DAY - MOMENT);
    let earlier = recent.count();
    blocks.push(at);
    let begins = day_s.map(|day_s| day_s * 1000);
    // The day is over here, and half a day later everywhere.
    let ends = begins.map(|begins| begins + DAY);
    match earlier {
        0 => match ends {
            Some(ends) if ends + DAY / 2 > at + MOMENT => ends.max(at),
            _ => at + 2 * DAY,
        },
        1 => (at + 7 * DAY).max(ends.unwrap_or(at)),
        _ => held.next_visit(at),
    }
}

/// Until a person comes; but the account is asked once whether its session lives, and if so the
/// refusal was one that nobody understands.
fn doubtful(held: &Held, place: usize, excused: &mut BTreeSet<usize>) -> i64 {
    let at = held.record[place].at_ms;
    match held.record.get(place + 1) {
        Some(asked) if asked.act == Act::CurrentUser && asked.at_ms < at + 5 * MINUTE => {
            excused.insert(place + 1);
            if asked.outcome == Outcome::Ok {
                asked.at_ms + 6 * HOUR
            } else {
                held.next_visit(at)
            }
        }
        _ => held.next_visit(at),
    }
}

/// Until a person brings a session; or one login in the same pass, where that is allowed.
fn login_required(held: &Held, place: usize, excused: &mut BTreeSet<usize>) -> i64 {
    let at = held.record[place].at_ms;
    if !held.config.session.relogin {
        return held.next_visit(at);
    }
    let sequence = [
        Act::LauncherSync,
        Act::KeySync,
        Act::Login,
        Act::TwoFactor,
        Act::CurrentUser,
    ];
    let mut done = BTreeSet::new();
    for (number, entry) in held.record.iter().enumerate().skip(place + 1) {
        let part = sequence.contains(&entry.act) && done.insert(entry.act);
        if !part || entry.at_ms > at + 15 * MINUTE {
            break;
        }
        excused.insert(number);
        if entry.act == Act::Login && entry.outcome == Outcome::Ok {
            return entry.at_ms;
        }
    }
    held.next_visit(at)
}

/// From the end of a pass, by the server's clock, to the end of the hold it told of.
fn announced(report: &Report, end: Timestamp, held: &Held) -> Option<Range<i64>> {
    let until = match &report.stop {
        Stop::Objected(by) => by
            .until
            .map_or_else(|| held.next_visit(end.as_millis()), Timestamp::as_millis),
        Stop::Unavailable {
            hold_until: Some(until),
            ..
        } => until.as_millis(),
        _ => return None,
    };
    Some(end.as_millis() + 1..until)
}
