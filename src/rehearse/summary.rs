//! What a rehearsal came to, counted from the server's record, not from the program's own books.

use std::collections::BTreeMap;

use serde::Serialize;

use super::binding::binding;
use super::bounds::{Bound, bounds};
use super::in_force::InForce;
use super::items::{ItemsOf, MissedReason, items};
use super::promises::{Promises, judge};
use super::silence::silences;
use super::stage::Visit;
use crate::config::Config;
use crate::engage::Report;
use crate::model::Timestamp;
use crate::practice::world::Kind;
use crate::practice::{Act, Outcome, RecordEntry, Server};

/// A rehearsal that was held.
pub(super) struct Held<'a> {
    pub config: &'a Config,
    pub server: &'a Server,
    pub record: &'a [RecordEntry],
    pub passes: &'a [Report],
    /// When each pass ended, by the clock of the server.
    pub ends: &'a [Timestamp],
    pub visits: &'a [Visit],
    pub start: Timestamp,
    pub end: Timestamp,
    pub days: u32,
}

/// How long passes lasted, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeInPasses {
    /// On an average day.
    pub per_day: u64,
    /// On average, of the passes that sent something.
    pub mean: u64,
    /// The longest.
    pub longest: u64,
}

/// What the server received.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Requests {
    /// All of them.
    pub total: u32,
    /// On an average day.
    pub per_day: f64,
    /// On the busiest day, counted from the beginning.
    pub most_in_a_day: u32,
    /// By the name of the call.
    pub by_call: BTreeMap<&'static str, u32>,
    /// For each item that is liked in the end; absent if none is.
    pub per_liked_item: Option<f64>,
    /// For each liked story, posts and their listings counted too.
    pub per_liked_story: Option<f64>,
    /// Listings of stories or posts that were answered.
    pub listings: u32,
    /// Of these, listings that showed nothing that the one before had not shown.
    pub listings_without_news: u32,
}

/// Likes that took effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likes {
    /// Like requests received, whatever came of them.
    pub total: u32,
    /// On an average day.
    pub per_day: f64,
    /// By hour of the day in `time_zone`.
    pub by_hour: Vec<u32>,
    /// The zone of these hours.
    pub time_zone: String,
}

/// How often a person was needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Person {
    /// On how many mornings.
    pub needed: u32,
    /// For which holds, and how often.
    pub holds: BTreeMap<&'static str, u32>,
    /// How often with a new session.
    pub new_sessions: u32,
}

/// What a rehearsal came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Days rehearsed.
    pub days: u32,
    /// Passes held.
    pub passes: u32,
    /// How long they lasted.
    pub seconds_in_passes: TimeInPasses,
    /// Requests the server received.
    pub requests: Requests,
    /// Likes among them.
    pub likes: Likes,
    /// Of all stories whose life is over, the share that was liked in time.
    pub share_of_stories_liked: Option<f64>,
    /// The same for posts.
    pub share_of_posts_liked: Option<f64>,
    /// Items by target and kind.
    pub items: Vec<ItemsOf>,
    /// Why items were missed, most frequent first.
    pub missed: Vec<MissedReason>,
    /// What kept likes waiting, the worst first.
    pub bounds: Vec<Bound>,
    /// The setting that binds: the first of `bounds` that is one, or the window behind it.
    pub binding: Option<String>,
    /// Holds met, by reason.
    pub holds: BTreeMap<&'static str, u32>,
    /// How often a person was needed.
    pub person: Person,
    /// Whether the promises were kept.
    pub promises: Promises,
}

impl Summary {
    /// Whether every promise that a rehearsal can check was kept.
    pub fn promises_kept(&self) -> bool {
        self.promises.kept
    }

    /// Items of a kind that were offered, liked, missed and are still open.
    pub(super) fn totals(&self, kind: &str) -> ItemsOf {
        let mut sum = ItemsOf::default();
        for items in self.items.iter().filter(|items| items.kind == kind) {
            sum.offered += items.offered;
            sum.liked += items.liked;
            sum.missed += items.missed;
            sum.open += items.open;
        }
        sum
    }
}

pub(super) fn summarise(held: &Held) -> Summary {
    let silences = silences(held);
    let in_force = InForce::new(held, &silences);
    let (items, missed, waits) = items(held, &in_force);
    let bounds = bounds(held, &in_force, waits);
    let binding = binding(&bounds);
    let mut summary = Summary {
        days: held.days,
        passes: count(held.passes.len()),
        seconds_in_passes: time_in_passes(held),
        requests: requests(held),
        likes: likes(held),
        share_of_stories_liked: None,
        share_of_posts_liked: None,
        binding: binding.map(|bound| bound.what.clone()),
        items,
        missed,
        bounds,
        holds: holds(held.passes),
        person: person(held.visits),
        promises: judge(held, &silences, &in_force),
    };
    let (stories, posts) = (summary.totals("story"), summary.totals("post"));
    summary.share_of_stories_liked = share(stories.liked, stories.missed);
    summary.share_of_posts_liked = share(posts.liked, posts.missed);
    summary.requests.per_liked_item = ratio(summary.requests.total, stories.liked + posts.liked);
    summary.requests.per_liked_story = ratio(summary.requests.total, stories.liked);
    summary
}

/// The share of the items whose fate is decided, to three decimals.
pub(super) fn share(liked: u32, missed: u32) -> Option<f64> {
    let share = f64::from(liked) / f64::from(liked + missed);
    share.is_finite().then(|| (share * 1000.0).round() / 1000.0)
}

/// A quotient with two decimals.
fn ratio(a: u32, b: u32) -> Option<f64> {
    let quotient = f64::from(a) / f64::from(b);
    quotient
        .is_finite()
        .then(|| (quotient * 100.0).round() / 100.0)
}

fn requests(held: &Held) -> Requests {
    let mut by_call: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut by_day: BTreeMap<i64, u32> = BTreeMap::new();
    for entry in held.record {
        *by_call.entry(entry.act.name()).or_default() += 1;
        *by_day.entry(held.day(entry.at_ms)).or_default() += 1;
    }
    let (listings, listings_without_news) = listings(held);
    Requests {
        total: count(held.record.len()),
        per_day: ratio(count(held.record.len()), held.days).unwrap_or_default(),
        most_in_a_day: by_day.into_values().max().unwrap_or_default(),
        by_call,
        per_liked_item: None,
        per_liked_story: None,
        listings,
        listings_without_news,
    }
}

/// How many listings were answered, and how many of them showed nothing new.
fn listings(held: &Held) -> (u32, u32) {
    let mut last_s: BTreeMap<(Act, u64), i64> = BTreeMap::new();
    let (mut all, mut without_news) = (0, 0);
    for entry in held.record {
        let kind = match entry.act {
            Act::Stories => Kind::Story,
            Act::Posts => Kind::Post,
            _ => continue,
        };
        let Some(profile) = held
            .profile_of(entry)
            .filter(|_| entry.outcome == Outcome::Ok)
        else {
            continue;
        };
        let now_s = entry.at_ms.div_euclid(1000);
        let before_s = last_s.insert((entry.act, profile), now_s);
        let news = held.server.with_world(|world| {
            let hidden = world
                .user(profile)
                .is_none_or(|user| user.is_private(now_s));
            let from_s = before_s.map_or(0, |before_s| before_s + 1);
            !hidden
                && (world.published(profile, kind, from_s, now_s).iter())
                    .any(|item| item.is_visible(now_s))
        });
        all += 1;
        without_news += u32::from(!news);
    }
    (all, without_news)
}

fn likes(held: &Held) -> Likes {
    let total = count(held.record.iter().filter(|e| e.act.is_like()).count());
    let mut by_hour = vec![0; 24];
    let taken = |entry: &&RecordEntry| entry.act.is_like() && entry.outcome.took_effect();
    for entry in held.record.iter().filter(taken) {
        let hour = usize::try_from(held.local(entry.at_ms).hour()).unwrap_or_default();
        by_hour[hour] += 1;
    }
    Likes {
        total,
        per_day: ratio(total, held.days).unwrap_or_default(),
        by_hour,
        time_zone: held
            .config
            .time_zone
            .iana_name()
            .unwrap_or("UTC")
            .to_owned(),
    }
}

fn time_in_passes(held: &Held) -> TimeInPasses {
    let lasted = |report: &Report| report.ended_at.since(report.started_at).as_secs();
    let busy = || {
        held.passes
            .iter()
            .filter(|report| report.counts.tried() > 0)
    };
    let total: u64 = busy().map(lasted).sum();
    let number = u64::try_from(busy().count()).unwrap_or(u64::MAX);
    TimeInPasses {
        per_day: total / u64::from(held.days.max(1)),
        mean: total / number.max(1),
        longest: busy().map(lasted).max().unwrap_or_default(),
    }
}

fn holds(passes: &[Report]) -> BTreeMap<&'static str, u32> {
    let mut holds = BTreeMap::new();
    for reason in passes.iter().filter_map(|report| report.stop.trouble()) {
        *holds.entry(reason.as_str()).or_default() += 1;
    }
    holds
}

fn person(visits: &[Visit]) -> Person {
    let mut person = Person {
        needed: count(visits.len()),
        ..Person::default()
    };
    for visit in visits {
        person.new_sessions += u32::from(visit.new_session);
        for reason in &visit.cleared {
            *person.holds.entry(reason.as_str()).or_default() += 1;
        }
    }
    person
}

pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Held<'_> {
    /// The profile that bears or bore this name.
    pub fn profile_named(&self, name: &str) -> Option<u64> {
        self.server.with_world(|world| {
            let mut users = world.users().iter();
            let user = users.find(|user| user.names.iter().any(|(_, known)| known == name));
            user.map(|user| user.pk)
        })
    }

    /// The profile a request was about, where the server could tell.
    pub fn profile_of(&self, entry: &RecordEntry) -> Option<u64> {
        self.profile_named(entry.target.as_deref()?)
    }

    /// The first visit of a person at or after this moment that cleared something; never, if there
    /// was none.
    pub fn next_visit(&self, at_ms: i64) -> i64 {
        let mut visits = self.visits.iter().map(|visit| visit.at.as_millis());
        visits.find(|visit| *visit > at_ms).unwrap_or(i64::MAX)
    }

    /// What was received in each pass, with the moment it began.
    pub fn by_pass(&self) -> Vec<(i64, Vec<&RecordEntry>)> {
        let starts = self
            .passes
            .iter()
            .map(|report| report.started_at.as_millis());
        let starts: Vec<i64> = starts.collect();
        let mut by_pass: Vec<(i64, Vec<&RecordEntry>)> =
            starts.iter().map(|start| (*start, Vec::new())).collect();
        for entry in self.record {
            let place = starts.partition_point(|start| *start <= entry.at_ms);
            if let Some((_, entries)) = place.checked_sub(1).and_then(|at| by_pass.get_mut(at)) {
                entries.push(entry);
            }
        }
        by_pass
    }

    /// Days since the beginning, the first being 0.
    pub fn day(&self, at_ms: i64) -> i64 {
        (at_ms - self.start.as_millis()).div_euclid(86_400_000)
    }

    /// What the operator's clock shows.
    pub fn local(&self, at_ms: i64) -> jiff::civil::DateTime {
        let moment = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        self.config.time_zone.to_datetime(moment)
    }
}
