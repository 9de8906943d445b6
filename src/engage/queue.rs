//! What a pass has to do and in which order. Pure: who calls brings the ledger's open items.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::policy::{ListingDue, Work};
use crate::config::Config;
use crate::model::{Item, ItemKind, LedgerItem, Target, TargetId, TargetOrigin, Timestamp};
use crate::ports::{Listing, WantedTarget};

/// How many items of one target are carried over from the ledger at most.
pub const CARRIED_OVER: u32 = 50;

/// The work of a pass: what is most overdue first, stories before posts where that is equal.
/// `left_over` gives at most so many items of a target that are still [`ItemState::New`](crate::model::ItemState::New).
pub(super) fn queue<E>(
    config: &Config,
    check_all: bool,
    targets: &[Target],
    now: Timestamp,
    mut left_over: impl FnMut(TargetId, ItemKind, u32) -> Result<Vec<LedgerItem>, E>,
) -> Result<VecDeque<Work>, E> {
    let mut work = Vec::new();
    for target in targets.iter().filter(|target| target.enabled) {
        if target.rests_until(now).is_some() && !check_all {
            continue;
        }
        for (kind, checked_at, every) in checks(config, target) {
            let overdue = overdue(checked_at, every, now);
            let due = check_all || overdue >= 1000;
            let mut items = VecDeque::new();
            if !due {
                items.extend(left_over(target.id, kind, CARRIED_OVER)?);
                in_order(&mut items);
            }
            if due || !items.is_empty() {
                let entry = Work {
                    target: target.id,
                    name: target.listed_as.clone(),
                    pk: target.pk,
                    kind,
                    listing: due.then(ListingDue::default),
                    items,
                };
                work.push((Reverse(overdue), kind, entry));
            }
        }
    }
    // A stable sort: among equals the order of the targets' names stays.
    work.sort_by_key(|(overdue, kind, _)| (*overdue, *kind));
    Ok(work.into_iter().map(|(_, _, work)| work).collect())
}

/// What is checked of a target: which kind, when that was last done, and how often it is wanted.
fn checks(
    config: &Config,
    target: &Target,
) -> impl Iterator<Item = (ItemKind, Option<Timestamp>, Duration)> {
    let stories = (
        ItemKind::Story,
        target.stories_checked_at,
        config.stories.check_every,
    );
    let posts = (
        ItemKind::Post,
        target.posts_checked_at,
        config.posts.check_every,
    );
    let wanted = [(target.stories, stories), (target.posts, posts)];
    wanted
        .into_iter()
        .filter_map(|(wanted, check)| wanted.then_some(check))
}

/// When a pass next looks at this target, seen from `now`; `None` if nothing of it is wanted.
pub fn next_check(config: &Config, target: &Target, now: Timestamp) -> Option<Timestamp> {
    let due_at = |(_, checked_at, every): (ItemKind, Option<Timestamp>, Duration)| {
        checked_at
            .filter(|at| *at <= now)
            .map_or(now, |at| at.plus(every))
    };
    let due_at = checks(config, target).map(due_at).min()?;
    let due_at = due_at.max(target.retry_at.unwrap_or(due_at)).max(now);
    target.enabled.then_some(due_at)
}

/// When a pass next lists these items of this target, seen from `now`; `None` if they are not wanted.
pub fn next_listing(
    config: &Config,
    target: &Target,
    kind: ItemKind,
    now: Timestamp,
) -> Option<Timestamp> {
    let only = Target {
        stories: target.stories && kind == ItemKind::Story,
        posts: target.posts && kind == ItemKind::Post,
        ..target.clone()
    };
    next_check(config, &only, now)
}

/// How overdue a check is, in thousandths of its interval; never checked is most overdue of all. A
/// check in the future (the clock was set back) is due.
fn overdue(checked_at: Option<Timestamp>, every: Duration, now: Timestamp) -> u128 {
    match checked_at {
        None => u128::MAX,
        Some(at) if at > now => 1000,
        Some(at) => now.since(at).as_millis() * 1000 / every.as_millis().max(1),
    }
}

/// Soonest to expire first; items that do not expire newest first.
pub(super) fn in_order(items: &mut VecDeque<LedgerItem>) {
    items.make_contiguous().sort_by_key(|item| {
        let expiry = item
            .item
            .expiring_at
            .unwrap_or(Timestamp::from_millis(i64::MAX));
        (expiry, Reverse(item.item.taken_at), item.item.id)
    });
}

/// The part of a page that is looked at, and the page to go on with.
pub(super) struct Page {
    pub items: Vec<Item>,
    pub next: Option<ListingDue>,
}

/// Stories are all looked at. Of posts the newest `posts.per_target`, and every pinned one that is
/// young enough: a pinned post's place says nothing about its age.
pub(super) fn considered(
    config: &Config,
    kind: ItemKind,
    due: &ListingDue,
    listing: &Listing,
    posts_not_before: Timestamp,
) -> Page {
    let listed = once(&listing.items);
    if kind == ItemKind::Story {
        return Page {
            items: listed,
            next: None,
        };
    }
    let mut considered = due.considered;
    let mut items = Vec::new();
    let mut past_the_young = false;
    for item in listed {
        if item.pinned {
            if item.taken_at >= posts_not_before {
                items.push(item);
            }
            continue;
        }
        past_the_young |= item.taken_at < posts_not_before;
        if considered < config.posts.per_target {
            considered += 1;
            items.push(item);
        }
    }
    // A page that brought nothing to consider ends the listing, so that cursors that lead in a
    // circle do not; the first may hold nothing but pinned posts.
    let went_on = considered > due.considered || due.page.is_none() && !listing.items.is_empty();
    let more = considered < config.posts.per_target && !past_the_young && went_on;
    let next = listing
        .next_page
        .clone()
        .filter(|page| more && due.page.as_ref() != Some(page));
    Page {
        items,
        next: next.map(|page| ListingDue {
            page: Some(page),
            considered,
        }),
    }
}

/// Each item once: as it stands first, with the most cautious of what is said about a like of it.
fn once(items: &[Item]) -> Vec<Item> {
    let caution = |item: &Item| match item.has_liked {
        Some(true) => 2,
        None => 1,
        Some(false) => 0,
    };
    let mut places = BTreeMap::new();
    let mut listed: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let place = *places.entry(item.id.media).or_insert(listed.len());
        match listed.get_mut(place) {
            None => listed.push(item.clone()),
            Some(first) if caution(item) > caution(first) => first.has_liked = item.has_liked,
            Some(_) => {}
        }
    }
    listed
}

/// The configured targets, as the store wants them.
pub fn wanted(config: &Config) -> Vec<WantedTarget> {
    config
        .targets
        .iter()
        .map(|target| WantedTarget {
            username: target.username.clone(),
            enabled: target.enabled,
            stories: target.stories,
            posts: target.posts,
        })
        .collect()
}

/// The targets as synchronising with the configuration would leave them, for a dry run, which
/// changes no row, and for commands that only look. Targets without a row get a number no row has.
pub fn as_if_synchronised(targets: &mut Vec<Target>, wanted: &[WantedTarget]) {
    for target in targets
        .iter_mut()
        .filter(|target| target.origin == TargetOrigin::Config)
    {
        target.enabled = false;
    }
    let mut made_up = 0;
    for name in wanted {
        if let Some(target) = targets
            .iter_mut()
            .find(|target| target.listed_as == name.username)
        {
            target.enabled = name.enabled;
            target.stories = name.stories;
            target.posts = name.posts;
            continue;
        }
        made_up -= 1;
        targets.push(Target {
            id: TargetId(made_up),
            listed_as: name.username.clone(),
            username: name.username.clone(),
            pk: None,
            origin: TargetOrigin::Config,
            enabled: name.enabled,
            stories: name.stories,
            posts: name.posts,
            stories_checked_at: None,
            posts_checked_at: None,
            trouble: None,
            trouble_count: 0,
            retry_at: None,
            // It has no row yet: everything it shows is first contact.
            added_at: Timestamp::from_millis(i64::MIN),
        });
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
