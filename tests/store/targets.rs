//! Targets: the configuration's list, and names that move.

use rusqlite::Connection;
use story_liker::model::{ItemKind, TargetOrigin, TargetTrouble};
use story_liker::ports::{Change, Store, StoreError, WantedTarget};

use crate::support::*;

fn names(store: &mut dyn Store) -> Vec<(String, bool)> {
    let targets = store.targets().unwrap();
    targets
        .into_iter()
        .map(|target| (target.username, target.enabled))
        .collect()
}

fn resolved(target: story_liker::model::TargetId, number: i64, username: &str) -> [Change; 1] {
    [Change::TargetResolved {
        target,
        pk: pk(number),
        username: username.to_owned(),
    }]
}

#[test]
fn the_list_is_followed_and_nothing_is_deleted() {
    each_store(|store| {
        store
            .sync_targets(&[wanted("b"), wanted("a")], START)
            .unwrap();
        assert_eq!(names(store), [("a".into(), true), ("b".into(), true)]);
        let paused = WantedTarget {
            enabled: false,
            stories: false,
            ..wanted("b")
        };
        store.sync_targets(&[paused, wanted("c")], START).unwrap();
        assert_eq!(
            names(store),
            [("a".into(), false), ("b".into(), false), ("c".into(), true)]
        );
        assert!(!store.targets().unwrap()[1].stories);
        store.sync_targets(&[wanted("a")], START).unwrap();
        assert_eq!(
            names(store),
            [("a".into(), true), ("b".into(), false), ("c".into(), false)]
        );
    });
}

#[test]
fn a_renamed_target_keeps_its_row_under_the_name_in_the_configuration() {
    each_store(|store| {
        let target = list_target(store, "old");
        store.apply(&resolved(target, 5, "new"), START).unwrap();
        store.sync_targets(&[wanted("old")], START).unwrap();
        let targets = store.targets().unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!(
            (targets[0].id, targets[0].username.as_str()),
            (target, "new")
        );
        assert!(targets[0].enabled);
    });
}

#[test]
fn a_configured_name_that_resolves_to_a_known_pk_becomes_that_targets_name() {
    each_store(|store| {
        let target = list_target(store, "old");
        store.apply(&resolved(target, 5, "old"), START).unwrap();
        put_item(store, ItemKind::Post, 1, target);
        store.sync_targets(&[wanted("new")], START).unwrap();
        let added = store
            .targets()
            .unwrap()
            .into_iter()
            .find(|target| target.pk.is_none())
            .unwrap();
        store.apply(&resolved(added.id, 5, "new"), START).unwrap();
        store.sync_targets(&[wanted("new")], START).unwrap();
        let targets = store.targets().unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!(
            (targets[0].id, targets[0].pk, targets[0].enabled),
            (target, Some(pk(5)), true)
        );
        assert_eq!(known(store, ItemKind::Post, 1).target, target);
    });
}

#[test]
fn two_targets_may_swap_their_names() {
    each_store(|store| {
        store
            .sync_targets(&[wanted("a"), wanted("b")], START)
            .unwrap();
        let targets = store.targets().unwrap();
        let (a, b) = (targets[0].id, targets[1].id);
        for (target, number, name) in [(a, 1, "a"), (b, 2, "b"), (a, 1, "b"), (b, 2, "a")] {
            store.apply(&resolved(target, number, name), START).unwrap();
        }
        let ids: Vec<_> = store
            .targets()
            .unwrap()
            .iter()
            .map(|target| target.id)
            .collect();
        assert_eq!(ids, [b, a]);
    });
}

#[test]
fn trouble_is_kept_until_it_is_over() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let trouble = Change::TargetTrouble {
            target,
            trouble: TargetTrouble::Private,
            count: 2,
            retry_at: START.plus(DAY),
        };
        store.apply(&[trouble], START).unwrap();
        let found = store.targets().unwrap().remove(0);
        assert_eq!(
            (found.trouble, found.trouble_count),
            (Some(TargetTrouble::Private), 2)
        );
        assert_eq!(found.retry_at, Some(START.plus(DAY)));
        store
            .apply(&[Change::TargetFine { target }], START)
            .unwrap();
        let found = store.targets().unwrap().remove(0);
        assert_eq!(
            (found.trouble, found.trouble_count, found.retry_at),
            (None, 0, None)
        );
    });
}

#[test]
fn a_complete_listing_is_noted_for_its_kind_only() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let checked = Change::Checked {
            target,
            kind: ItemKind::Story,
            at: START,
        };
        store.apply(&[checked], START).unwrap();
        let found = store.targets().unwrap().remove(0);
        assert_eq!(
            (found.stories_checked_at, found.posts_checked_at),
            (Some(START), None)
        );
    });
}

#[test]
fn a_target_that_a_command_added_is_left_alone() {
    let place = Place::new();
    list_target(&mut place.open().unwrap(), "garden");
    let database = Connection::open(place.path()).unwrap();
    database
        .execute("UPDATE target SET origin = 'command'", ())
        .unwrap();
    drop(database);
    let mut store = place.open().unwrap();
    let paused = WantedTarget {
        enabled: false,
        ..wanted("garden")
    };
    store.sync_targets(&[paused], START).unwrap();
    store.sync_targets(&[], START).unwrap();
    let found = store.targets().unwrap().remove(0);
    assert_eq!((found.origin, found.enabled), (TargetOrigin::Command, true));
}

#[test]
fn a_change_of_a_target_that_does_not_exist_is_our_mistake() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let none = story_liker::model::TargetId(target.0 + 1);
        for kind in [ItemKind::Story, ItemKind::Post] {
            let change = Change::Checked {
                target: none,
                kind,
                at: START,
            };
            let error = store.apply(&[change], START).unwrap_err();
            assert!(matches!(error, StoreError::Bug(_)), "{error}");
        }
    });
}
