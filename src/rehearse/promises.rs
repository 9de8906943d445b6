//! The promises, judged from what the server received and answered, not from the program's own
//! books. What each refusal asks for and how long silence has to last is said here a second time,
//! by hand, so that a mistake in `care` does not excuse itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::in_force::InForce;
use super::peaks::{Peak, millis, peaks};
use super::silence::Silences;
use super::summary::{Held, count};
use crate::config::PauseRange;
use crate::engage::Report;
use crate::model::Timestamp;
use crate::practice::{Act, RecordEntry};

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

pub(super) fn judge(held: &Held, silences: &Silences, in_force: &InForce) -> Promises {
    let mut promises = Promises {
        kept: false,
        peaks: peaks(held, in_force),
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
    // When it really ended, whatever its report says.
    let passes = held.passes.iter().zip(held.ends);
    let lasted = |(report, end): &(&Report, &Timestamp)| end.since(report.started_at) > longest;
    count(passes.filter(lasted).count())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::practice::Outcome;

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
