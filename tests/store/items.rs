//! Items: what is put is what is read, in the order the pass needs.

use story_liker::model::{Item, ItemKind, ItemState, LedgerItem, TargetId};
use story_liker::ports::StoreError;

use crate::support::*;

fn numbers(items: &[LedgerItem]) -> Vec<i64> {
    items.iter().map(|item| item.item.id.media.get()).collect()
}

#[test]
fn an_item_reads_back_as_it_was_put_and_a_second_put_replaces_it() {
    for kind in [ItemKind::Story, ItemKind::Post] {
        each_store(|store| {
            let target = list_target(store, "garden");
            let first = item(kind, i64::MAX, target);
            put(store, &first);
            assert_eq!(known(store, kind, i64::MAX), first);
            let second = LedgerItem {
                item: Item {
                    code: None,
                    taken_at: START.plus(MS),
                    has_liked: None,
                    pinned: kind == ItemKind::Post,
                    ..first.item
                },
                state: ItemState::Unknown,
                tries: 2,
                viewed_at: (kind == ItemKind::Story).then_some(START),
                like_arrived_by: Some(START),
                unliked_read_at: Some(START.plus(HOUR)),
                target,
            };
            put(store, &second);
            assert_eq!(known(store, kind, i64::MAX), second);
        });
    }
}

#[test]
fn every_state_is_kept() {
    each_store(|store| {
        let target = list_target(store, "garden");
        for state in ItemState::ALL {
            put(
                store,
                &LedgerItem {
                    state,
                    ..item(ItemKind::Post, 1, target)
                },
            );
            assert_eq!(known(store, ItemKind::Post, 1).state, state);
        }
    });
}

#[test]
fn a_story_without_an_end_is_our_mistake() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let mut story = item(ItemKind::Story, 1, target);
        story.item.expiring_at = None;
        let error = store
            .apply(&[story_liker::ports::Change::Item(story)], START)
            .unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
    });
}

#[test]
fn only_known_items_are_read_and_kinds_do_not_mix() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Story, 1, target);
        put_item(store, ItemKind::Post, 2, target);
        let asked = [pk(1), pk(2), pk(3)];
        assert_eq!(numbers(&store.items(ItemKind::Story, &asked).unwrap()), [1]);
        assert_eq!(numbers(&store.items(ItemKind::Post, &asked).unwrap()), [2]);
        assert_eq!(store.items(ItemKind::Post, &[]).unwrap(), []);
    });
}

#[test]
fn stories_come_soonest_to_expire_first_and_posts_newest_first() {
    each_store(|store| {
        let target = list_target(store, "garden");
        for (number, age) in [(1, 3), (2, 9), (3, 6)] {
            let mut story = item(ItemKind::Story, number, target);
            story.item.expiring_at = Some(START.plus(DAY).minus(HOUR * age));
            put(store, &story);
            let mut post = item(ItemKind::Post, number, target);
            post.item.taken_at = START.minus(HOUR * age);
            put(store, &post);
        }
        let mut in_order = |kind, most| {
            numbers(
                &store
                    .items_in(target, kind, &[ItemState::New], most)
                    .unwrap(),
            )
        };
        assert_eq!(in_order(ItemKind::Story, 9), [2, 3, 1]);
        assert_eq!(in_order(ItemKind::Post, 9), [1, 3, 2]);
        assert_eq!(in_order(ItemKind::Post, 2), [1, 3]);
    });
}

#[test]
fn items_are_found_by_target_and_state() {
    each_store(|store| {
        let target = list_target(store, "garden");
        for (number, state) in [
            (1, ItemState::New),
            (2, ItemState::Unknown),
            (3, ItemState::Liked),
        ] {
            put(
                store,
                &LedgerItem {
                    state,
                    ..item(ItemKind::Post, number, target)
                },
            );
        }
        let states = [ItemState::New, ItemState::Unknown];
        let mut found = store.items_in(target, ItemKind::Post, &states, 9).unwrap();
        found.sort_by_key(|item| item.item.id);
        assert_eq!(numbers(&found), [1, 2]);
        let other = TargetId(target.0 + 1);
        assert_eq!(
            store.items_in(other, ItemKind::Post, &states, 9).unwrap(),
            []
        );
        assert_eq!(store.items_in(target, ItemKind::Post, &[], 9).unwrap(), []);
    });
}
