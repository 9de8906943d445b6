//! What a rehearsal came to, counted from the server's record, not from the program's own books.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Config;
use crate::engage::{Reason, Report, Stop};
use crate::model::{AttemptKind, Limit, Scope, Timestamp};
use crate::practice::world::{Item, Kind};
use crate::practice::{Act, RecordEntry, Server};

/// Why an item was not liked in time, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissedReason {
    /// Why.
    pub why: String,
    /// How many items.
    pub items: u32,
}

/// One target's items of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ItemsOf {
    /// The target.
    pub target: String,
    /// `story` or `post`.
    pub kind: &'static str,
    /// Published where the operator could have seen it.
    pub offered: u32,
    /// Liked.
    pub liked: u32,
    /// Not liked when its time was over.
    pub missed: u32,
    /// Not liked yet, and still in time.
    pub open: u32,
}

/// The most attempts in any rolling window, against its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The configuration key.
    pub key: &'static str,
    /// The limit as configured.
    pub limit: String,
    /// The most the server received in any window of that span.
    pub most: u32,
    /// Whether that is within the limit.
    pub kept: bool,
}

/// What a rehearsal came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Passes held.
    pub passes: u32,
    /// Requests the server received.
    pub requests: u32,
    /// Of these, likes.
    pub likes: u32,
    /// Requests a day, on average.
    pub requests_per_day: u32,
    /// Items by target.
    pub items: Vec<ItemsOf>,
    /// Why items were missed, most frequent first.
    pub missed: Vec<MissedReason>,
    /// Window by window.
    pub peaks: Vec<Peak>,
    /// Holds met, by reason.
    pub holds: BTreeMap<&'static str, u32>,
    /// Items that received a second like request without a reading of their target at least 15
    /// minutes after the first, or a third one.
    pub liked_twice: Vec<String>,
    /// Requests the server received while a hold of an earlier pass promised silence.
    pub during_holds: u32,
    /// What the server found wrong with requests.
    pub violations: BTreeMap<String, u32>,
}

impl Summary {
    /// Whether every promise that a rehearsal can check was kept.
    pub fn promises_kept(&self) -> bool {
        self.peaks.iter().all(|peak| peak.kept)
            && self.liked_twice.is_empty()
            && self.during_holds == 0
            && self.violations.is_empty()
    }
}

pub(super) fn summarise(
    config: &Config,
    server: &Server,
    passes: &[Report],
    silences: &[Silence],
    (start, end): (Timestamp, Timestamp),
) -> Summary {
    let record = server.record();
    let days = end.since(start).as_secs().div_ceil(86_400).max(1);
    let requests = count(record.len());
    let (items, missed) = items(config, server, passes, start, end);
    Summary {
        passes: count(passes.len()),
        requests,
        likes: count(record.iter().filter(|entry| entry.act.is_like()).count()),
        requests_per_day: requests / u32::try_from(days).unwrap_or(u32::MAX),
        items,
        missed,
        peaks: peaks(config, &record),
        holds: holds(passes),
        liked_twice: liked_twice(&record),
        during_holds: during(silences, record.iter().map(|entry| entry.at_ms)),
        violations: server.violations(),
    }
}

fn items(
    config: &Config,
    server: &Server,
    passes: &[Report],
    start: Timestamp,
    end: Timestamp,
) -> (Vec<ItemsOf>, Vec<MissedReason>) {
    let mut by_target: BTreeMap<(String, &'static str), ItemsOf> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let story_life = 86_400;
    let post_life = i64::try_from(config.posts.max_age.as_secs()).unwrap_or(i64::MAX);
    let kinds = [
        // Stories that were there at the start may be liked; posts that were there are observed.
        (
            Kind::Story,
            "story",
            start.as_secs() - story_life,
            story_life,
        ),
        (Kind::Post, "post", start.as_secs(), post_life),
    ];
    for (kind, word, from_s, life_s) in kinds {
        let (offered, names) = server.with_world(|world| {
            let names: BTreeMap<u64, String> = world
                .users()
                .iter()
                .map(|user| (user.pk, user.name(world.start_s()).to_owned()))
                .collect();
            (world.offered(kind, from_s, end.as_secs()), names)
        });
        for item in offered
            .iter()
            .filter(|item| item.taken_at + life_s > start.as_secs())
        {
            let target = names.get(&item.profile).cloned().unwrap_or_default();
            let of_target = by_target
                .entry((target.clone(), word))
                .or_insert_with(|| ItemsOf {
                    target,
                    kind: word,
                    ..ItemsOf::default()
                });
            of_target.offered += 1;
            if server.is_liked(item.pk) {
                of_target.liked += 1;
            } else if item.taken_at + life_s > end.as_secs() {
                of_target.open += 1;
            } else {
                of_target.missed += 1;
                *reasons.entry(why_missed(item, life_s, passes)).or_default() += 1;
            }
        }
    }
    let mut missed: Vec<MissedReason> = reasons
        .into_iter()
        .map(|(why, items)| MissedReason { why, items })
        .collect();
    missed.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.why.cmp(&b.why)));
    (by_target.into_values().collect(), missed)
}

/// What the passes said of the item, the last word first; else what ended the passes that could have
/// seen it.
fn why_missed(item: &Item, life_s: i64, passes: &[Report]) -> String {
    let media = item.pk.to_string();
    let said = passes
        .iter()
        .rev()
        .flat_map(|report| report.decisions.iter().rev())
        .find(|made| made.item.media.to_string() == media);
    if let Some(decision) = said {
        return match (decision.reason.binding(), &decision.reason) {
            (Some(binding), _) => binding,
            (_, Reason::Refused { .. } | Reason::NotSent { .. }) => {
                "a like of it was refused".to_owned()
            }
            _ => decision.decision.to_owned(),
        };
    }
    let mut stops: BTreeMap<&'static str, u32> = BTreeMap::new();
    let alive = item.taken_at..item.taken_at + life_s;
    for report in passes
        .iter()
        .filter(|report| alive.contains(&report.started_at.as_secs()))
    {
        *stops.entry(report.stop.name()).or_default() += 1;
    }
    stops.remove("done");
    let most = stops
        .into_iter()
        .max_by_key(|(name, times)| (*times, *name));
    most.map_or_else(
        || "not listed in time".to_owned(),
        |(name, _)| format!("passes ended first ({name})"),
    )
}

fn peaks(config: &Config, record: &[RecordEntry]) -> Vec<Peak> {
    let limits = &config.limits;
    let scopes: [(Scope, &[Limit]); 3] = [
        (Scope::Likes, &limits.likes),
        (Scope::StoryViews, &limits.story_views),
        (Scope::Requests, &limits.requests),
    ];
    scopes
        .into_iter()
        .flat_map(|(scope, list)| list.iter().map(move |limit| (scope, *limit)))
        .map(|(scope, limit)| {
            let times: Vec<i64> = record
                .iter()
                .filter(|entry| scope.covers(kind_of(entry.act), None))
                .map(|entry| entry.at_ms)
                .collect();
            let most = most_in_any(&times, limit);
            Peak {
                key: scope.key(),
                limit: limit.to_string(),
                most,
                kept: most <= limit.count,
            }
        })
        .collect()
}

fn kind_of(act: Act) -> AttemptKind {
    if act.is_like() {
        AttemptKind::Like
    } else if act == Act::Seen {
        AttemptKind::StoryView
    } else {
        AttemptKind::Read
    }
}

/// The most of these moments (in order) that any closed window of the limit's span holds.
fn most_in_any(times: &[i64], limit: Limit) -> u32 {
    let span = i64::try_from(limit.span.as_millis()).unwrap_or(i64::MAX);
    let mut first = 0;
    let mut most = 0;
    for (last, at) in times.iter().enumerate() {
        while times[first] < at.saturating_sub(span) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    count(most)
}

/// The promise about second likes, judged from the server's side alone.
fn liked_twice(record: &[RecordEntry]) -> Vec<String> {
    let mut likes: BTreeMap<&str, Vec<&RecordEntry>> = BTreeMap::new();
    for entry in record.iter().filter(|entry| entry.act.is_like()) {
        likes
            .entry(entry.item.as_deref().unwrap_or_default())
            .or_default()
            .push(entry);
    }
    likes
        .into_iter()
        .filter(|(_, likes)| match likes.as_slice() {
            [_] => false,
            [first, second] => !read_between(record, first, second),
            _ => true,
        })
        .map(|(item, _)| item.to_owned())
        .collect()
}

fn read_between(record: &[RecordEntry], first: &RecordEntry, second: &RecordEntry) -> bool {
    // The 15 minutes run from the claim, a moment before the request arrived.
    let earliest = first.at_ms + 14 * 60_000;
    record.iter().any(|entry| {
        matches!(entry.act, Act::Stories | Act::Posts | Act::MediaInfo)
            && entry.target == first.target
            && (earliest..second.at_ms).contains(&entry.at_ms)
    })
}

/// What the server received of these moments in any of these spans of silence.
fn during(silences: &[Silence], times: impl Iterator<Item = i64>) -> u32 {
    let silent = |at: &i64| silences.iter().any(|silence| silence.contains(at));
    count(times.filter(silent).count())
}

/// From the end of a pass, by the server's clock, to the end of the hold it met.
pub(super) type Silence = std::ops::Range<i64>;

/// What the pass that ended at `end` promised, if anything.
pub(super) fn silence(stop: &Stop, end: Timestamp) -> Option<Silence> {
    Some(end.as_millis() + 1..silent_until(stop)?.as_millis())
}

/// The end of the hold a pass met; one that needs a person lasts for the rest of a rehearsal.
fn silent_until(stop: &Stop) -> Option<Timestamp> {
    match stop {
        Stop::Objected(by) => Some(by.until.unwrap_or(Timestamp::from_millis(i64::MAX))),
        Stop::Unavailable { hold_until, .. } => *hold_until,
        _ => None,
    }
}

fn holds(passes: &[Report]) -> BTreeMap<&'static str, u32> {
    let mut holds = BTreeMap::new();
    for reason in passes.iter().filter_map(|report| report.stop.trouble()) {
        *holds.entry(reason.as_str()).or_default() += 1;
    }
    holds
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_request_between_a_pass_and_the_end_of_its_hold_is_counted() {
        let moment = Timestamp::from_millis;
        let met = |until| {
            let by = crate::engage::HeldBy {
                reason: crate::model::HoldReason::Throttled,
                until,
                message: String::new(),
            };
            silence(&Stop::Objected(by), moment(100)).unwrap()
        };
        let received = [50, 100, 101, 199, 200, 10_000];
        for (until, counted) in [(Some(moment(200)), 2), (None, 4)] {
            assert_eq!(during(&[met(until)], received.into_iter()), counted);
        }
        assert_eq!(silence(&Stop::Done, moment(100)), None);
    }

    #[test]
    fn the_fullest_window_is_found_wherever_it_begins() {
        let limit: Limit = "1/1s".parse().unwrap();
        assert_eq!(most_in_any(&[], limit), 0);
        assert_eq!(most_in_any(&[0, 1001, 2002], limit), 1);
        assert_eq!(most_in_any(&[0, 900, 1000, 1900, 2500], limit), 3);
    }
}
