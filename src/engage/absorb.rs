//! What a reading says about an item, and whether the item may be liked. Pure.
//!
//! The rule that keeps a second like away: an item that a like may have reached is only tried again
//! after a reading sent at least [`READ_BACK_AFTER`] later said, explicitly, that it is not liked;
//! and never a third time.

use std::time::Duration;

use crate::config::Config;
use crate::model::{
    Item, ItemKind, ItemState, LedgerItem, MOST_TRIES, READ_BACK_AFTER, Target, TargetId, Timestamp,
};

/// A story is left alone when it expires within this time: the like would arrive too late.
const EXPIRY_MARGIN: Duration = Duration::from_secs(30);

/// What a listing is read against.
#[derive(Clone, Copy, Debug)]
pub struct ReadingContext {
    /// The target that was listed.
    pub target: TargetId,
    /// When the reading was claimed; not later than when it was sent.
    pub read_at: Timestamp,
    /// First contact: what is there already is not the program's to like.
    pub observe_only: bool,
    /// What was taken before this was there before the first contact, however late a listing first
    /// shows it.
    pub contact_at: Timestamp,
    /// Posts taken before this are left alone.
    pub posts_not_before: Timestamp,
}

impl ReadingContext {
    /// Of a listing of the target's items of one kind, claimed at `read_at` and read at `now`.
    pub(super) fn of_listing(
        config: &Config,
        ignore_posts_before: Option<Timestamp>,
        target: &Target,
        kind: ItemKind,
        (read_at, now): (Timestamp, Timestamp),
    ) -> Self {
        let (checked_at, likes_first) = match kind {
            ItemKind::Story => (target.stories_checked_at, config.first_contact.like_stories),
            ItemKind::Post => (target.posts_checked_at, config.first_contact.like_posts),
        };
        let youngest_ignored = now.minus(config.posts.max_age);
        Self {
            target: target.id,
            read_at,
            observe_only: checked_at.is_none() && !likes_first,
            contact_at: if likes_first {
                Timestamp::from_millis(i64::MIN)
            } else {
                // The first by the local clock, before any reply could tell that it is ahead.
                checked_at.map_or(target.added_at, |checked| checked.min(target.added_at))
            },
            posts_not_before: ignore_posts_before
                .map_or(youngest_ignored, |date| date.max(youngest_ignored)),
        }
    }
}

/// An item after a reading, and whether the reading disproved a like of unknown effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The item as it now stands.
    pub item: LedgerItem,
    /// A like on record with unknown effect did not take.
    pub disproved: bool,
    /// The ledger did not know the item.
    pub fresh: bool,
}

/// What the ledger knows of `item` after this reading.
pub fn listed(known: Option<LedgerItem>, item: Item, context: &ReadingContext) -> Read {
    match known {
        None => Read {
            item: first_seen(item, context),
            disproved: false,
            fresh: true,
        },
        Some(known) => seen_again(known, item, context),
    }
}

fn first_seen(item: Item, context: &ReadingContext) -> LedgerItem {
    let state = if item.has_liked == Some(true) {
        ItemState::AlreadyLiked
    } else if context.observe_only || item.taken_at < context.contact_at {
        ItemState::Observed
    } else if too_old(&item, context) {
        ItemState::Skipped
    } else {
        ItemState::New
    };
    LedgerItem {
        unliked_read_at: (item.has_liked == Some(false)).then_some(context.read_at),
        item,
        target: context.target,
        state,
        tries: 0,
        viewed_at: None,
        like_arrived_by: None,
    }
}

fn seen_again(mut known: LedgerItem, item: Item, context: &ReadingContext) -> Read {
    let says = item.has_liked;
    known.item = item;
    if says == Some(false) {
        known.unliked_read_at = Some(context.read_at);
    }
    let proves = known
        .like_arrived_by
        .is_none_or(|arrived_by| context.read_at >= arrived_by.plus(READ_BACK_AFTER));
    let mut disproved = false;
    known.state = match (known.state, says) {
        (ItemState::New, Some(true)) if known.tries == 0 => ItemState::AlreadyLiked,
        (ItemState::New | ItemState::Unknown, Some(true)) => ItemState::Liked,
        (ItemState::Unknown, Some(false)) if proves => {
            disproved = true;
            known.tries += 1;
            again_or_never(known.tries)
        }
        (ItemState::New, _) if too_old(&known.item, context) => ItemState::Skipped,
        (state, _) => state,
    };
    Read {
        item: known,
        disproved,
        fresh: false,
    }
}

/// The state of an item whose like is known not to have taken for the `tries`-th time.
pub fn again_or_never(tries: u32) -> ItemState {
    if tries < MOST_TRIES {
        ItemState::New
    } else {
        ItemState::Failed
    }
}

fn too_old(item: &Item, context: &ReadingContext) -> bool {
    item.kind == ItemKind::Post && item.taken_at < context.posts_not_before
}

/// Whether a like that is sent at `now` would find the item expired.
pub(super) fn expires_too_soon(item: &LedgerItem, now: Timestamp) -> bool {
    let end = item.item.expiring_at;
    end.is_some_and(|end| now.plus(EXPIRY_MARGIN) >= end)
}

/// Whether the item may be liked at `now`.
pub fn may_be_liked(item: &LedgerItem, now: Timestamp) -> bool {
    let alive = !expires_too_soon(item, now);
    let untried_or_disproved = match (item.tries, item.like_arrived_by, item.unliked_read_at) {
        (0, _, _) => true,
        (tries, Some(arrived_by), Some(read)) if tries < MOST_TRIES => {
            read >= arrived_by.plus(READ_BACK_AFTER)
        }
        _ => false,
    };
    item.state == ItemState::New
        && item.item.has_liked != Some(true)
        && alive
        && untried_or_disproved
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const MINUTE: Duration = Duration::from_mins(1);

    fn story(has_liked: Option<bool>) -> Item {
        Item {
            kind: ItemKind::Story,
            id: "4034671962997715712_72000000002".parse().unwrap(),
            code: None,
            taken_at: NOW.minus(60 * MINUTE),
            expiring_at: Some(NOW.plus(23 * 60 * MINUTE)),
            has_liked,
            pinned: false,
        }
    }

    fn context(read_at: Timestamp) -> ReadingContext {
        ReadingContext {
            target: TargetId(1),
            read_at,
            observe_only: false,
            contact_at: Timestamp::from_millis(i64::MIN),
            posts_not_before: NOW.minus(72 * 60 * MINUTE),
        }
    }

    fn known(state: ItemState, tries: u32, like_arrived_by: Option<Timestamp>) -> LedgerItem {
        LedgerItem {
            item: story(None),
            target: TargetId(1),
            state,
            tries,
            viewed_at: None,
            like_arrived_by,
            unliked_read_at: None,
        }
    }

    fn after(state: ItemState, tries: u32, minutes: u32, says: Option<bool>) -> Read {
        let claimed = NOW.minus(MINUTE * minutes);
        listed(
            Some(known(state, tries, Some(claimed))),
            story(says),
            &context(NOW),
        )
    }

    #[test]
    fn a_story_that_the_platform_shows_as_liked_is_never_liked_again() {
        let read = listed(None, story(Some(true)), &context(NOW));
        assert_eq!(read.item.state, ItemState::AlreadyLiked);
        assert!(!may_be_liked(&read.item, NOW));
    }

    #[test]
    fn an_absent_has_liked_is_not_false() {
        let read = after(ItemState::Unknown, 0, 60, None);
        assert_eq!(
            (read.item.state, read.disproved),
            (ItemState::Unknown, false)
        );
        let fresh = listed(None, story(None), &context(NOW));
        assert_eq!(fresh.item.state, ItemState::New);
        assert_eq!(fresh.item.unliked_read_at, None);
    }

    #[test]
    fn only_a_reading_fifteen_minutes_later_disproves_a_like() {
        for (minutes, disproved) in [(14, false), (15, true), (600, true)] {
            let read = after(ItemState::Unknown, 0, minutes, Some(false));
            assert_eq!(read.disproved, disproved, "{minutes} min");
            assert_eq!(may_be_liked(&read.item, NOW), disproved, "{minutes} min");
        }
        assert_eq!(
            after(ItemState::Unknown, 0, 1, Some(true)).item.state,
            ItemState::Liked
        );
    }

    #[test]
    fn a_second_disproved_like_is_the_last() {
        let read = after(ItemState::Unknown, 1, 60, Some(false));
        assert_eq!((read.item.state, read.disproved), (ItemState::Failed, true));
        assert!(!may_be_liked(&read.item, NOW));
    }

    #[test]
    fn a_refused_like_waits_for_a_reading_that_says_no() {
        let refused = known(ItemState::New, 1, Some(NOW.minus(16 * MINUTE)));
        assert!(!may_be_liked(&refused, NOW));
        assert!(!may_be_liked(&after(ItemState::New, 1, 16, None).item, NOW));
        assert!(!may_be_liked(
            &after(ItemState::New, 1, 14, Some(false)).item,
            NOW
        ));
        assert!(may_be_liked(
            &after(ItemState::New, 1, 16, Some(false)).item,
            NOW
        ));
        assert_eq!(
            after(ItemState::New, 1, 16, Some(true)).item.state,
            ItemState::Liked
        );
    }

    #[test]
    fn an_untried_item_found_liked_was_liked_by_the_operator() {
        let known = known(ItemState::New, 0, None);
        let read = listed(Some(known), story(Some(true)), &context(NOW));
        assert_eq!(read.item.state, ItemState::AlreadyLiked);
    }

    #[test]
    fn no_reading_allows_a_third_try() {
        for (tries, allowed) in [(1, true), (2, false), (3, false)] {
            let mut item = known(ItemState::New, tries, Some(NOW.minus(60 * MINUTE)));
            item.unliked_read_at = Some(NOW);
            assert_eq!(may_be_liked(&item, NOW), allowed, "{tries}");
        }
    }

    #[test]
    fn a_like_the_operator_took_back_stays_taken_back() {
        let read = after(ItemState::Liked, 0, 600, Some(false));
        assert_eq!((read.item.state, read.disproved), (ItemState::Liked, false));
    }

    #[test]
    fn first_contact_observes_and_never_releases() {
        let first = ReadingContext {
            observe_only: true,
            ..context(NOW)
        };
        let read = listed(None, story(Some(false)), &first);
        assert_eq!(read.item.state, ItemState::Observed);
        let again = listed(Some(read.item), story(Some(false)), &context(NOW));
        assert_eq!(again.item.state, ItemState::Observed);
    }

    #[test]
    fn what_was_there_before_the_first_contact_is_observed_however_late_it_is_listed() {
        let mut post = story(Some(false));
        post.kind = ItemKind::Post;
        post.expiring_at = None;
        let later = |contact_at| ReadingContext {
            contact_at,
            ..context(NOW)
        };
        let before = listed(None, post.clone(), &later(post.taken_at.plus(MINUTE)));
        assert_eq!(before.item.state, ItemState::Observed);
        let after = listed(None, post.clone(), &later(post.taken_at));
        assert_eq!(after.item.state, ItemState::New);
    }

    #[test]
    fn an_old_post_is_left_alone_and_an_old_story_is_not_judged_by_that() {
        let mut post = story(Some(false));
        post.kind = ItemKind::Post;
        post.expiring_at = None;
        post.taken_at = NOW.minus(73 * 60 * MINUTE);
        let read = listed(None, post.clone(), &context(NOW));
        assert_eq!(read.item.state, ItemState::Skipped);
        let mut waiting = known(ItemState::New, 0, None);
        waiting.item = post.clone();
        let read = listed(Some(waiting), post.clone(), &context(NOW));
        assert_eq!(read.item.state, ItemState::Skipped);
        post.taken_at = context(NOW).posts_not_before;
        let read = listed(None, post.clone(), &context(NOW));
        assert_eq!(read.item.state, ItemState::New);
        post.taken_at = NOW.minus(73 * 60 * MINUTE);
        post.kind = ItemKind::Story;
        assert_eq!(listed(None, post, &context(NOW)).item.state, ItemState::New);
    }

    #[test]
    fn a_story_about_to_expire_is_left_alone() {
        let mut item = known(ItemState::New, 0, None);
        item.item.expiring_at = Some(NOW.plus(Duration::from_secs(30)));
        assert!(!may_be_liked(&item, NOW));
        item.item.expiring_at = Some(NOW.plus(Duration::from_secs(31)));
        assert!(may_be_liked(&item, NOW));
    }
}
