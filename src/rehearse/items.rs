//! What became of each item that was offered: liked in time, missed and why, or still open.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::binding::{caps_a_pass, is_long_window};
use super::bounds::{Moment, QUIET_HOURS, setting_of_decision, setting_of_stop};
use super::in_force::InForce;
use super::summary::{Held, share};
use crate::config::TargetConfig;
use crate::engage::Decision;
use crate::practice::Act;
use crate::practice::world::{Item, Kind, STORY_LIFE_S};

/// Why items were not liked in time, and how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissedReason {
    /// What stood in the way most often: a setting, a hold, or what happened.
    pub why: String,
    /// How many items.
    pub items: u32,
}

/// One target's items of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ItemsOf {
    /// The target, as it is configured.
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
    /// The share liked of those whose time is over.
    pub share_liked: Option<f64>,
    /// Why items were missed, most frequent first.
    pub why_missed: Vec<MissedReason>,
}

/// What kept one item waiting.
pub(super) struct Wait {
    /// The numbers of the passes it waited in, by what was in the way.
    pub passes: BTreeMap<String, Vec<usize>>,
    /// What it was missed for, if it was.
    pub missed_for: Option<String>,
}

/// A target's wish for one kind.
struct Wish<'a> {
    target: &'a TargetConfig,
    kind: Kind,
    word: &'static str,
    /// From which Unix second on an item of it is one to like.
    from_s: i64,
    life_s: i64,
}

/// Which pass decided what about which item.
type Decisions<'a> = Vec<HashMap<String, &'a Decision>>;

pub(super) fn items(
    held: &Held,
    in_force: &InForce,
) -> (Vec<ItemsOf>, Vec<MissedReason>, Vec<Wait>) {
    let decisions: Decisions = held
        .passes
        .iter()
        .map(|report| {
            let decisions = report.decisions.iter();
            decisions
                .map(|made| (made.item.media.to_string(), made))
                .collect()
        })
        .collect();
    let liked_ms = liked_at(held);
    let mut all = Vec::new();
    let mut waits = Vec::new();
    let mut missed: BTreeMap<String, u32> = BTreeMap::new();
    for wish in wishes(held) {
        let mut of_target = ItemsOf {
            target: wish.target.username.clone(),
            kind: wish.word,
            ..ItemsOf::default()
        };
        let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
        for item in offered(held, &wish) {
            of_target.offered += 1;
            let ends_s = item.taken_at + wish.life_s;
            let liked = liked_ms.get(&item.pk).copied();
            let mut wait = waited(held, in_force, &decisions, &item, ends_s, liked);
            if held.server.is_liked(item.pk) {
                of_target.liked += 1;
            } else if ends_s > held.end.as_secs() {
                of_target.open += 1;
            } else {
                of_target.missed += 1;
                let why = why_missed(held, &item, &wish, &wait);
                *reasons.entry(why.clone()).or_default() += 1;
                *missed.entry(why.clone()).or_default() += 1;
                wait.missed_for = Some(why);
            }
            waits.push(wait);
        }
        of_target.share_liked = share(of_target.liked, of_target.missed);
        of_target.why_missed = most_frequent_first(reasons);
        all.push(of_target);
    }
    (all, most_frequent_first(missed), waits)
}

fn most_frequent_first(reasons: BTreeMap<String, u32>) -> Vec<MissedReason> {
    let reasons = reasons.into_iter();
    let mut missed: Vec<MissedReason> = reasons
        .map(|(why, items)| MissedReason { why, items })
        .collect();
    missed.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.why.cmp(&b.why)));
    missed
}

/// What the configuration asks for, target by target in its order.
fn wishes<'a>(held: &'a Held) -> Vec<Wish<'a>> {
    let config = held.config;
    let start_s = held.start.as_secs();
    let post_life_s = i64::try_from(config.posts.max_age.as_secs()).unwrap_or(i64::MAX);
    let mut wishes = Vec::new();
    for target in config.targets.iter().filter(|target| target.enabled) {
        for (kind, word, wanted, first, life_s) in [
            (
                Kind::Story,
                "story",
                target.stories,
                config.first_contact.like_stories,
                STORY_LIFE_S,
            ),
            (
                Kind::Post,
                "post",
                target.posts,
                config.first_contact.like_posts,
                post_life_s,
            ),
        ] {
            // What was there before the first contact counts only if it is to be liked.
            let from_s = if first { start_s - life_s + 1 } else { start_s };
            if wanted {
                wishes.push(Wish {
                    target,
                    kind,
                    word,
                    from_s,
                    life_s,
                });
            }
        }
    }
    wishes
}

/// What a target published where the operator could have seen it.
fn offered(held: &Held, wish: &Wish) -> Vec<Item> {
    let Some(profile) = held.profile_named(&wish.target.username) else {
        return Vec::new();
    };
    held.server.with_world(|world| {
        let mut items = world.published(profile, wish.kind, wish.from_s, held.end.as_secs());
        items.retain(|item| {
            world
                .user(profile)
                .is_some_and(|user| !user.is_private(item.taken_at) && !user.is_gone(item.taken_at))
        });
        items
    })
}

/// When each item was liked first, by media pk.
fn liked_at(held: &Held) -> HashMap<u64, i64> {
    let mut liked = HashMap::new();
    let likes = held.record.iter().filter(|entry| entry.act.is_like());
    for entry in likes.filter(|entry| entry.outcome.took_effect()) {
        let media = entry
            .item
            .as_deref()
            .and_then(|item| item.split('_').next());
        if let Some(pk) = media.and_then(|pk| pk.parse().ok()) {
            liked.entry(pk).or_insert(entry.at_ms);
        }
    }
    liked
}

/// What stood in the way of an item, pass by pass, from its publication to its like or its end.
fn waited(
    held: &Held,
    in_force: &InForce,
    decisions: &Decisions,
    item: &Item,
    ends_s: i64,
    liked_ms: Option<i64>,
) -> Wait {
    let mut passes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let ends_ms = liked_ms.unwrap_or(ends_s * 1000);
    let first = held
        .passes
        .partition_point(|report| report.ended_at.as_secs() < item.taken_at);
    let media = item.pk.to_string();
    for (number, report) in held.passes.iter().enumerate().skip(first) {
        if report.started_at.as_millis() >= ends_ms {
            break;
        }
        let said = decisions[number].get(&media);
        let at = Moment {
            limits: &held.config.limits,
            in_force,
            ms: report.started_at.as_millis(),
        };
        let reason = match said {
            Some(made) if made.decision == "liked" => None,
            Some(made) => setting_of_decision(at, made, &report.stop),
            None => setting_of_stop(at, &report.stop),
        };
        if let Some(reason) =
            reason.filter(|_| liked_ms.is_none_or(|at| at > report.ended_at.as_millis()))
        {
            passes.entry(reason).or_default().push(number);
        }
    }
    Wait {
        passes,
        missed_for: None,
    }
}

/// What stood in the way most often; where nothing did, what the server knows.
fn why_missed(held: &Held, item: &Item, wish: &Wish, wait: &Wait) -> String {
    // Quiet hours come every day: they are the reason only where nothing else is.
    let weight = |why: &str, passes: &[usize]| (why != QUIET_HOURS, passes.len());
    // A cap per pass is met more often than the day's window that it only spreads.
    let used_up = wait.passes.keys().any(|why| is_long_window(why));
    let most = (wait.passes.iter()).filter(|(why, _)| !used_up || !caps_a_pass(why));
    if let Some((why, _)) = most.max_by_key(|(why, passes)| weight(why, passes)) {
        return why.clone();
    }
    let like = |entry: &&crate::practice::RecordEntry| {
        let is_it = entry.item.as_deref().is_some_and(|sent| sent == item.id());
        is_it && matches!(entry.act, Act::StoryLike | Act::PostLike)
    };
    if held.record.iter().any(|entry| like(&entry)) {
        return "a like was sent and did not take effect".to_owned();
    }
    let ends_s = item.taken_at + wish.life_s;
    let closed = held.server.with_world(|world| {
        world.user(item.profile).is_none_or(|user| {
            let hours = (0..=wish.life_s / 3600).map(|hour| item.taken_at + hour * 3600);
            let mut hours = hours.chain([ends_s]);
            hours.any(|at| user.is_private(at) || user.is_gone(at))
        })
    });
    if closed {
        return "the target was private or gone".to_owned();
    }
    match wish.kind {
        Kind::Story => "not listed in time (stories.check_every)".to_owned(),
        Kind::Post => "not listed in time (posts.check_every, posts.per_target)".to_owned(),
    }
}
