//! The fullest windows, as the server saw them, against the limits in force at that moment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::in_force::InForce;
use super::summary::{Held, count};
use crate::model::{AttemptKind, Limit, Scope};
use crate::practice::{Act, RecordEntry};

/// The most attempts in any rolling window, or in any pass, against its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The configuration key.
    pub key: &'static str,
    /// The limit as configured: `12/1h`, or `10 a pass`.
    pub limit: String,
    /// The limit in force where the window was fullest: less of it while the account warms up, and
    /// in the two weeks after a block.
    pub in_force: u32,
    /// The most the server received in any window of that span, relative to the limit in force.
    pub most: u32,
    /// Whether no window exceeded the limit in force.
    pub kept: bool,
}

fn kind_of(act: Act) -> AttemptKind {
    match act {
        act if act.is_like() => AttemptKind::Like,
        Act::Seen => AttemptKind::StoryView,
        Act::Login => AttemptKind::Login,
        Act::TwoFactor => AttemptKind::LoginCode,
        _ => AttemptKind::Read,
    }
}

/// Every limit over time, with the moments (in order) that count against it; one list for each
/// target where targets are counted one by one.
pub(super) fn windows(held: &Held) -> Vec<(&'static str, Limit, Vec<Vec<i64>>)> {
    let limits = &held.config.limits;
    let of_kind = |scope: Scope| -> Vec<i64> {
        let entries = held.record.iter();
        let counted = entries.filter(|entry| scope.covers(kind_of(entry.act), None));
        counted.map(|entry| entry.at_ms).collect()
    };
    let mut windows = Vec::new();
    for (scope, list) in [
        (Scope::Likes, &limits.likes),
        (Scope::StoryViews, &limits.story_views),
        (Scope::Requests, &limits.requests),
        (Scope::Logins, &limits.logins),
    ] {
        for limit in list {
            windows.push((scope.key(), *limit, vec![of_kind(scope)]));
        }
    }
    let mut of_target: BTreeMap<Option<u64>, Vec<i64>> = BTreeMap::new();
    for entry in held.record.iter().filter(|entry| entry.act.is_like()) {
        let target = held.profile_of(entry);
        of_target.entry(target).or_default().push(entry.at_ms);
    }
    for limit in &limits.likes_per_target {
        let times = of_target.values().cloned().collect();
        windows.push(("limits.likes_per_target", *limit, times));
    }
    windows
}

pub(super) fn peaks(held: &Held, in_force: &InForce) -> Vec<Peak> {
    let mut peaks: Vec<Peak> = windows(held)
        .into_iter()
        .map(|(key, limit, lists)| {
            let loads = lists.iter().flat_map(|times| loads(times, limit));
            let loads =
                loads.map(|(at_ms, load)| (load, in_force.at(key, limit.count, at_ms).count));
            peak(key, limit.to_string(), limit.count, loads)
        })
        .collect();
    let limits = &held.config.limits;
    let per_pass: Vec<(i64, Vec<&RecordEntry>)> = held.by_pass();
    let likes = per_pass.iter().map(|(at_ms, entries)| {
        let likes = entries.iter().filter(|entry| entry.act.is_like()).count();
        let key = "limits.likes_per_run";
        (
            count(likes),
            in_force.at(key, limits.likes_per_run, *at_ms).count,
        )
    });
    let text = format!("{} a pass", limits.likes_per_run);
    peaks.push(peak(
        "limits.likes_per_run",
        text,
        limits.likes_per_run,
        likes,
    ));
    let allowed = limits.likes_per_target_per_run;
    let of_target = per_pass.iter().map(|(at_ms, entries)| {
        let mut likes: BTreeMap<Option<u64>, u32> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.act.is_like()) {
            *likes.entry(held.profile_of(entry)).or_default() += 1;
        }
        let most = likes.into_values().max().unwrap_or_default();
        (
            most,
            in_force
                .at("limits.likes_per_target", allowed, *at_ms)
                .count,
        )
    });
    let text = format!("{allowed} a pass");
    peaks.push(peak("limits.likes_per_target", text, allowed, of_target));
    peaks
}

/// The load that is the most for the limit in force when it came; of equals the greatest.
fn peak(
    key: &'static str,
    limit: String,
    allowed: u32,
    loads: impl Iterator<Item = (u32, u32)>,
) -> Peak {
    let over = |(load, in_force): (u32, u32)| i64::from(load) - i64::from(in_force);
    let fullest = loads.max_by_key(|load| (over(*load), load.0));
    let (most, in_force) = fullest.unwrap_or((0, allowed));
    Peak {
        key,
        limit,
        in_force,
        most,
        kept: most <= in_force,
    }
}

/// For each of these moments (in order) how many the closed window that ends with it holds.
pub(super) fn loads(times: &[i64], limit: Limit) -> Vec<(i64, u32)> {
    let span = millis(limit.span);
    let mut first = 0;
    let mut loads = Vec::new();
    for (last, at) in times.iter().enumerate() {
        while times[first] < at.saturating_sub(span) {
            first += 1;
        }
        loads.push((*at, count(last + 1 - first)));
    }
    loads
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_window_is_found_wherever_it_begins() {
        let limit: Limit = "1/1s".parse().unwrap();
        let most = |times: &[i64]| loads(times, limit).into_iter().map(|(_, load)| load).max();
        assert_eq!(most(&[]), None);
        assert_eq!(most(&[0, 1001, 2002]), Some(1));
        assert_eq!(most(&[0, 900, 1000, 1900, 2500]), Some(3));
    }

    #[test]
    fn a_halved_limit_is_broken_by_what_the_whole_one_allows() {
        let peak = peak(
            "limits.likes",
            "4/1h".to_owned(),
            4,
            [(4, 4), (3, 2)].into_iter(),
        );
        assert_eq!((peak.most, peak.in_force, peak.kept), (3, 2, false));
    }
}
