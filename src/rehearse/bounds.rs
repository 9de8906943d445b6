//! What keeps likes waiting: which setting or hold, how many items, on which days, and how long its
//! windows were full.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::in_force::InForce;
use super::items::Wait;
use super::peaks::{millis, windows};
use super::summary::{Held, count};
use crate::config::Limits;
use crate::engage::{Decision, Reason, Stop};
use crate::model::Limit;

/// How long the windows of a limit were full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Full {
    /// On how many days.
    pub days: u32,
    /// On which for the first time; the first day is 1.
    pub first_day: u32,
    /// For how long on each of these, on average.
    pub minutes_a_day: u32,
}

/// Something that kept likes waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// A configuration key with its value, or a hold.
    pub what: String,
    /// Items it kept waiting in at least one pass.
    pub items_kept_waiting: u32,
    /// Items that were missed mostly for it.
    pub items_missed: u32,
    /// Passes in which it kept an item waiting.
    pub passes: u32,
    /// Days of these passes.
    pub days: u32,
    /// The first of these days; the first day is 1.
    pub first_day: Option<u32>,
    /// For limits in rolling windows that were full at some time: when.
    pub full: Option<Full>,
}

impl Bound {
    /// Whether an operator can set it.
    pub fn is_setting(&self) -> bool {
        let keys = ["limits.", "quiet_hours", "pace."];
        let waits = self.items_kept_waiting > 0;
        waits && keys.iter().any(|key| self.what.starts_with(key))
    }
}

/// The key of the hours in which nothing is sent.
pub(super) const QUIET_HOURS: &str = "quiet_hours";

#[derive(Default)]
struct Kept {
    items: u32,
    missed: u32,
    passes: BTreeSet<usize>,
}

pub(super) fn bounds(held: &Held, in_force: &InForce, waits: Vec<Wait>) -> Vec<Bound> {
    let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
    for wait in waits {
        for (what, passes) in wait.passes {
            let missed = wait.missed_for.as_ref() == Some(&what);
            let kept = kept.entry(what).or_default();
            kept.items += 1;
            kept.missed += u32::from(missed);
            kept.passes.extend(passes);
        }
    }
    let mut full = full_windows(held, in_force);
    for what in full.keys() {
        kept.entry(what.clone()).or_default();
    }
    let day = |number: &usize| held.day(held.passes[*number].started_at.as_millis());
    let mut bounds: Vec<Bound> = kept
        .into_iter()
        .map(|(what, kept)| {
            let days: BTreeSet<i64> = kept.passes.iter().map(day).collect();
            Bound {
                items_kept_waiting: kept.items,
                items_missed: kept.missed,
                passes: count(kept.passes.len()),
                days: count(days.len()),
                first_day: days.first().map(|day| ordinal(*day)),
                full: full.remove(&what),
                what,
            }
        })
        .collect();
    bounds.sort_by(|a, b| {
        let weight = |bound: &Bound| {
            let minutes = bound
                .full
                .as_ref()
                .map_or(0, |full| full.days * full.minutes_a_day);
            (
                bound.items_missed,
                bound.items_kept_waiting,
                bound.passes,
                minutes,
            )
        };
        weight(b).cmp(&weight(a)).then_with(|| a.what.cmp(&b.what))
    });
    bounds
}

/// Days are told from 1.
fn ordinal(day: i64) -> u32 {
    u32::try_from(day + 1).unwrap_or_default()
}

/// By the setting, when its window (of any target, where each has its own) had no room.
fn full_windows(held: &Held, in_force: &InForce) -> BTreeMap<String, Full> {
    let mut spans: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for (key, limit, lists) in windows(held) {
        let span = millis(limit.span);
        for (times, place) in lists
            .iter()
            .flat_map(|times| (0..times.len()).map(move |place| (times, place)))
        {
            let at = times[place];
            let ends = (at + span).min(held.end.as_millis());
            let mut froms = vec![at];
            froms.extend(in_force.changes(at, ends));
            for (number, from) in froms.iter().enumerate() {
                let allowed = in_force.at(key, limit.count, *from);
                // There is room again when the first of the last `count` leaves.
                let leaves = |count: u32| {
                    let back = usize::try_from(count).unwrap_or(usize::MAX);
                    (place + 1)
                        .checked_sub(back)
                        .map(|first| times[first] + span)
                };
                let Some(room) = leaves(allowed.count).filter(|room| room > from) else {
                    continue;
                };
                let whole = leaves(allowed.warmed_up).is_some_and(|room| room > *from);
                let used = if whole {
                    allowed.warmed_up
                } else {
                    allowed.count
                };
                let until = froms.get(number + 1).copied().unwrap_or(ends).min(room);
                let setting = allowed.setting(used, format!("{key} {limit}"));
                spans.entry(setting).or_default().push((*from, until));
            }
        }
    }
    let full = spans
        .into_iter()
        .filter_map(|(setting, spans)| Some((setting, full(held, spans)?)));
    full.collect()
}

fn full(held: &Held, mut spans: Vec<(i64, i64)>) -> Option<Full> {
    const DAY: i64 = 86_400_000;
    spans.sort_unstable();
    let mut by_day: BTreeMap<i64, i64> = BTreeMap::new();
    let mut until = i64::MIN;
    for (from, to) in spans {
        let mut from = from.max(until);
        until = until.max(to);
        while from < to {
            let day = held.day(from);
            let day_ends = held.start.as_millis() + (day + 1) * DAY;
            let part = to.min(day_ends) - from;
            *by_day.entry(day).or_default() += part;
            from += part;
        }
    }
    let days = count(by_day.len());
    let total: i64 = by_day.values().sum();
    Some(Full {
        days,
        first_day: ordinal(*by_day.keys().next()?),
        minutes_a_day: u32::try_from(total / 60_000).unwrap_or(u32::MAX) / days,
    })
}

/// The start of a pass: by what is in force then it decides.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub limits: &'a Limits,
    pub in_force: &'a InForce<'a>,
    pub ms: i64,
}

/// What the end of a pass kept from being liked; `None` where everything due was done.
pub(super) fn setting_of_stop(at: Moment, stop: &Stop) -> Option<String> {
    Some(match stop {
        Stop::Done => return None,
        Stop::WindowFull {
            key, limit, used, ..
        } => at.window(key, limit, *used),
        Stop::RunCap { likes } => {
            let cap = at.limits.likes_per_run;
            let key = "limits.likes_per_run";
            at.setting(key, cap, *likes, format!("{key} {cap}"))
        }
        Stop::TimeUsed => {
            let runtime = humantime::format_duration(at.limits.max_runtime);
            format!("limits.max_runtime {runtime}")
        }
        Stop::QuietHours { .. } => QUIET_HOURS.to_owned(),
        Stop::Held(by) | Stop::Objected(by) => format!("hold {}", by.reason.as_str()),
        Stop::Unavailable { .. } => "no answer from Instagram".to_owned(),
        other => format!("the pass ended ({})", other.name()),
    })
}

/// What a decision against an item names as its reason.
pub(super) fn setting_of_decision(at: Moment, made: &Decision, stop: &Stop) -> Option<String> {
    // Whatever else was decided, a request about the item had been sent: its answer ended the pass.
    let decided = matches!(
        made.decision,
        "left" | "observed" | "already_liked" | "would_like"
    );
    if made.reason == Reason::from(stop) || !decided {
        let ended = setting_of_stop(at, stop);
        return ended.or_else(|| Some("a like was sent and did not take effect".to_owned()));
    }
    Some(match &made.reason {
        Reason::WouldLike { .. } | Reason::AlreadyLiked => return None,
        // The hold that was met is not the one the pass ended with, where a doubt was settled.
        Reason::Hold { hold, .. } => format!("hold {}", hold.as_str()),
        Reason::WindowFull {
            key, limit, used, ..
        } => at.window(key, limit, *used),
        Reason::KeptForOthers {
            key,
            limit,
            used,
            kept,
            ..
        } => at.window(key, limit, used + kept),
        Reason::TargetCap { key, used } => {
            let cap = at.limits.likes_per_target_per_run;
            at.setting(key, cap, *used, format!("{key} {cap} a pass"))
        }
        Reason::Observed { .. } => "first_contact".to_owned(),
        // What differs from item to item comes after these marks.
        other => {
            let words = other.to_string();
            words
                .split([';', '('])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        }
    })
}

impl Moment<'_> {
    /// The limit as configured, where the one in force is less; the warm-up, where only it is.
    fn window(self, key: &str, limit: &str, used: u32) -> String {
        let limits = self.limits;
        let configured = match key {
            "limits.likes" => &limits.likes,
            "limits.story_views" => &limits.story_views,
            "limits.requests" => &limits.requests,
            "limits.logins" => &limits.logins,
            _ => &limits.likes_per_target,
        };
        let span = limit
            .parse()
            .map(|limit: Limit| limit.span)
            .unwrap_or_default();
        let found = configured.iter().find(|limit| limit.span == span);
        found.map_or_else(
            || format!("{key} {limit}"),
            |limit| self.setting(key, limit.count, used, format!("{key} {limit}")),
        )
    }

    fn setting(self, key: &str, count: u32, used: u32, limit: String) -> String {
        self.in_force.at(key, count, self.ms).setting(used, limit)
    }
}
