//! The promises, judged from what the server received and answered, not from the program's own
//! books. What each refusal asks for and how long silence has to last is said here a second time,
//! by hand, so that a mistake in `care` does not excuse itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::silence::Silences;
use super::summary::{Held, count};
use crate::config::PauseRange;
use crate::engage::Report;
use crate::model::{AttemptKind, Limit, Scope};
use crate::practice::{Act, RecordEntry};

/// The most attempts in any rolling window, or in any pass, against its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The configuration key.
    pub key: &'static str,
    /// The limit as configured: `12/1h`, or `10 a pass`.
    pub limit: String,
    /// The limit in force where the window was fullest: half of it in the two weeks after a block.
    pub in_force: u32,
    /// The most the server received in any window of that span, relative to the limit in force.
    pub most: u32,
    /// Whether no window exceeded the limit in force.
    pub kept: bool,
}

/// The shortest distance between two requests, against the configured pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distance {
    /// The configuration key.
    pub key: &'static str,
    /// The shortest pause allowed, in milliseconds.
    pub allowed_ms: i64,
    /// The shortest received, in milliseconds; absent without two such requests.
    pub shortest_ms: Option<i64>,
    /// Whether that is long enough.
    pub kept: bool,
}

/// Every promise that a server can check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promises {
    /// Whether all were kept.
    pub kept: bool,
    /// Window by window.
    pub peaks: Vec<Peak>,
    /// Pause by pause.
    pub pauses: Vec<Distance>,
    /// Items that received a second like request although no answer, given at least 15 minutes
    /// after the first, called them not liked; or a third one.
    pub liked_twice: Vec<String>,
    /// Requests received while an objection asked for silence.
    pub during_holds: u32,
    /// Requests received in quiet hours.
    pub in_quiet_hours: u32,
    /// Likes and views of items that the configuration does not ask for.
    pub unasked: u32,
    /// Passwords received while no answer had declared the session dead.
    pub needless_logins: u32,
    /// Passes that outlasted `limits.max_runtime` and one time-out.
    pub endless_passes: u32,
    /// What the server found wrong with requests.
    pub violations: BTreeMap<String, u32>,
}

pub(super) fn judge(held: &Held, silences: &Silences) -> Promises {
    let mut promises = Promises {
        kept: false,
        peaks: peaks(held, silences),
        pauses: pauses(held),
        liked_twice: liked_twice(held.record),
        during_holds: silences.broken,
        in_quiet_hours: in_quiet_hours(held),
        unasked: unasked(held),
        needless_logins: needless_logins(held.record),
        endless_passes: endless(held),
        violations: held.server.violations(),
    };
    promises.kept = promises.broken().is_empty();
    promises
}

impl Promises {
    /// Each broken promise in a sentence.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for peak in self.peaks.iter().filter(|peak| !peak.kept) {
            broken.push(format!(
                "{} {}: {} were received where {} are allowed",
                peak.key, peak.limit, peak.most, peak.in_force
            ));
        }
        for pause in self.pauses.iter().filter(|pause| !pause.kept) {
            broken.push(format!(
                "{}: two requests came {} ms apart, {} ms is the least",
                pause.key,
                pause.shortest_ms.unwrap_or_default(),
                pause.allowed_ms
            ));
        }
        for item in &self.liked_twice {
            broken.push(format!(
                "{item} received another like request without an answer that allows it"
            ));
        }
        let counted = [
            (self.during_holds, "requests came during a hold"),
            (self.in_quiet_hours, "requests came in quiet hours"),
            (self.unasked, "views and likes were not asked for"),
            (self.needless_logins, "passwords came without need"),
            (self.endless_passes, "passes lasted too long"),
        ];
        for (times, what) in counted.into_iter().filter(|(times, _)| *times > 0) {
            broken.push(format!("{times} {what}"));
        }
        for (violation, times) in &self.violations {
            broken.push(format!("{times} requests with {violation}"));
        }
        broken
    }
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

fn peaks(held: &Held, silences: &Silences) -> Vec<Peak> {
    let mut peaks: Vec<Peak> = windows(held)
        .into_iter()
        .map(|(key, limit, lists)| {
            let loads = lists.iter().flat_map(|times| loads(times, limit));
            let loads =
                loads.map(|(at_ms, load)| (load, silences.in_force(key, limit.count, at_ms)));
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
            silences.in_force(key, limits.likes_per_run, *at_ms),
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
            silences.in_force("limits.likes_per_target", allowed, *at_ms),
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

fn pauses(held: &Held) -> Vec<Distance> {
    let pace = &held.config.pace;
    let all: Vec<&RecordEntry> = held.record.iter().collect();
    let likes: Vec<&RecordEntry> = held.record.iter().filter(|e| e.act.is_like()).collect();
    let neighbours = |entries: &[&RecordEntry]| -> Vec<i64> {
        let pairs = entries.windows(2);
        pairs.map(|pair| pair[1].at_ms - pair[0].at_ms).collect()
    };
    let changes = all.windows(2).filter(|pair| {
        let (before, after) = (held.profile_of(pair[0]), held.profile_of(pair[1]));
        before.is_some() && after.is_some() && before != after
    });
    let changes: Vec<i64> = changes.map(|pair| pair[1].at_ms - pair[0].at_ms).collect();
    vec![
        distance(
            "pace.between_requests",
            pace.between_requests,
            &neighbours(&all),
        ),
        distance(
            "pace.between_likes",
            pace.between_likes,
            &neighbours(&likes),
        ),
        distance("pace.between_targets", pace.between_targets, &changes),
    ]
}

fn distance(key: &'static str, range: PauseRange, received: &[i64]) -> Distance {
    let allowed_ms = millis(range.min);
    let shortest_ms = received.iter().min().copied();
    Distance {
        key,
        allowed_ms,
        shortest_ms,
        kept: shortest_ms.is_none_or(|shortest| shortest >= allowed_ms),
    }
}

fn liked_twice(record: &[RecordEntry]) -> Vec<String> {
    let mut likes: BTreeMap<&str, Vec<&RecordEntry>> = BTreeMap::new();
    for entry in record.iter().filter(|entry| entry.act.is_like()) {
        let item = entry.item.as_deref().unwrap_or_default();
        likes.entry(item).or_default().push(entry);
    }
    likes
        .into_iter()
        .filter(|(item, likes)| match likes.as_slice() {
            [_] => false,
            [first, second] => !told_between(record, item, first.at_ms, second.at_ms),
            _ => true,
        })
        .map(|(item, _)| item.to_owned())
        .collect()
}

/// Whether an answer between the two, at least 15 minutes after the first, called the item not
/// liked. The 15 minutes run from the claim, a moment before the request arrived.
fn told_between(record: &[RecordEntry], item: &str, first_ms: i64, second_ms: i64) -> bool {
    const MOMENT_MS: i64 = 1000;
    let earliest = first_ms + 15 * 60_000 - MOMENT_MS;
    let media = item.split('_').next().and_then(|pk| pk.parse().ok());
    record.iter().any(|entry| {
        (earliest..second_ms).contains(&entry.at_ms)
            && media.is_some_and(|media: u64| entry.not_liked.contains(&media))
    })
}

fn in_quiet_hours(held: &Held) -> u32 {
    let Some(hours) = held.config.quiet_hours else {
        return 0;
    };
    let received = held.record.iter().filter(|entry| {
        let time = held.local(entry.at_ms).time();
        // The clock was read a moment before the request arrived.
        let before = held.local(entry.at_ms - 1000).time();
        let within = |time| {
            if hours.from <= hours.to {
                hours.from <= time && time < hours.to
            } else {
                time >= hours.from || time < hours.to
            }
        };
        within(time) && within(before)
    });
    count(received.count())
}

fn unasked(held: &Held) -> u32 {
    let wanted = |stories: bool| -> BTreeSet<Option<u64>> {
        let targets = held.config.targets.iter();
        let wanted = targets.filter(|target| {
            target.enabled
                && if stories {
                    target.stories
                } else {
                    target.posts
                }
        });
        wanted
            .map(|target| held.profile_named(&target.username))
            .collect()
    };
    let (stories, posts) = (wanted(true), wanted(false));
    let unasked = held.record.iter().filter(|entry| match entry.act {
        Act::StoryLike | Act::Seen => !stories.contains(&held.profile_of(entry)),
        Act::PostLike => !posts.contains(&held.profile_of(entry)),
        _ => false,
    });
    count(unasked.count())
}

fn needless_logins(record: &[RecordEntry]) -> u32 {
    let mut dead = false;
    let mut needless = 0;
    for entry in record {
        if entry.outcome.to_string().contains("login_required") {
            dead = true;
        } else if entry.act == Act::Login {
            needless += u32::from(!dead);
            dead = false;
        }
    }
    needless
}

fn endless(held: &Held) -> u32 {
    let longest = held.config.limits.max_runtime + held.config.instagram.timeout;
    // What the last answer needs to be stored is not part of the promise.
    let longest = longest + Duration::from_secs(1);
    let lasted = |report: &&Report| report.ended_at.since(report.started_at) > longest;
    count(held.passes.iter().filter(lasted).count())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::practice::Outcome;

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

    fn received(at_ms: i64, act: Act, not_liked: &[u64]) -> RecordEntry {
        RecordEntry {
            at_ms,
            act,
            method: String::new(),
            path: String::new(),
            item: act.is_like().then(|| "5_7".to_owned()),
            target: Some("anna".to_owned()),
            outcome: Outcome::Ok,
            status: Some(200),
            violations: Vec::new(),
            not_liked: not_liked.to_vec(),
        }
    }

    #[test]
    fn a_second_like_needs_an_answer_about_that_item_a_quarter_of_an_hour_later() {
        const MINUTE: i64 = 60_000;
        let judged = |reading: RecordEntry| {
            let likes = [0, 60 * MINUTE].map(|at| received(at, Act::StoryLike, &[]));
            let [first, second] = likes;
            liked_twice(&[first, reading, second])
        };
        assert!(judged(received(15 * MINUTE, Act::Stories, &[4, 5])).is_empty());
        for reading in [
            received(10 * MINUTE, Act::Stories, &[4, 5]),
            received(20 * MINUTE, Act::Stories, &[4]),
            received(20 * MINUTE, Act::MediaInfo, &[]),
        ] {
            assert_eq!(judged(reading), ["5_7"]);
        }
        let three = [0, 30, 60].map(|at| received(at * MINUTE, Act::StoryLike, &[5]));
        assert_eq!(liked_twice(&three), ["5_7"]);
    }
}
