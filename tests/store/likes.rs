//! P2: no second like unless a later reading said that the first did not take; never a third.

use std::time::Duration;

use rusqlite::Connection;
use story_liker::model::{AttemptKind, ItemKind, ItemState, LedgerItem, Outcome, Timestamp};
use story_liker::ports::{Change, Claimed, Retention, Store, StoreError};

use crate::support::*;

const KINDS: [ItemKind; 2] = [ItemKind::Story, ItemKind::Post];
const READ_BACK: Duration = Duration::from_mins(15);

fn is_taken(store: &mut dyn Store, kind: ItemKind, now: Timestamp) -> bool {
    match store.claim(&like(kind, 1), &[], now).unwrap() {
        Claimed::Taken => true,
        Claimed::Granted(_) => false,
        other => panic!("{other:?}"),
    }
}

/// What a careless caller would write: the item as if nothing had happened, read back at `read_at`.
fn pretend_new(store: &mut dyn Store, kind: ItemKind, read_at: Option<Timestamp>) {
    let target = store.targets().unwrap()[0].id;
    let fresh = LedgerItem {
        unliked_read_at: read_at,
        ..item(kind, 1, target)
    };
    put(store, &fresh);
}

fn with_item(facts: impl Fn(&mut dyn Store, ItemKind)) {
    for kind in KINDS {
        each_store(|store| {
            let target = list_target(store, "garden");
            put_item(store, kind, 1, target);
            facts(store, kind);
        });
    }
}

#[test]
fn a_claimed_item_says_so() {
    with_item(|store, kind| {
        granted(store, &like(kind, 1), START);
        let item = known(store, kind, 1);
        assert_eq!(
            (item.state, item.like_arrived_by),
            (ItemState::Claimed, Some(START))
        );
    });
}

#[test]
fn an_item_under_way_is_not_liked_again() {
    with_item(|store, kind| {
        granted(store, &like(kind, 1), START);
        pretend_new(store, kind, Some(START.plus(DAY)));
        assert!(is_taken(store, kind, START.plus(DAY)));
    });
}

#[test]
fn an_item_whose_like_stands_or_may_stand_is_not_liked_again() {
    for outcome in [Outcome::Ok, Outcome::Unknown] {
        with_item(|store, kind| {
            act(store, &like(kind, 1), outcome, START);
            pretend_new(store, kind, Some(START.plus(DAY)));
            assert!(is_taken(store, kind, START.plus(DAY)), "{outcome:?}");
        });
    }
}

#[test]
fn a_like_that_never_left_is_tried_again_at_once() {
    with_item(|store, kind| {
        for _ in 0..5 {
            act(store, &like(kind, 1), Outcome::Unsent, START);
        }
        assert!(!is_taken(store, kind, START));
    });
}

#[test]
fn a_refused_like_is_repeated_only_after_a_reading_fifteen_minutes_later() {
    with_item(|store, kind| {
        act(store, &like(kind, 1), Outcome::Refused, START);
        assert!(is_taken(store, kind, START.plus(DAY)), "no reading");
        pretend_new(store, kind, Some(START.plus(READ_BACK).minus(MS)));
        assert!(
            is_taken(store, kind, START.plus(DAY)),
            "too early a reading"
        );
        pretend_new(store, kind, Some(START.plus(READ_BACK)));
        assert!(!is_taken(store, kind, START.plus(DAY)));
    });
}

#[test]
fn the_fifteen_minutes_count_from_when_the_like_can_have_arrived() {
    for (outcome, late) in [(Outcome::Refused, 0), (Outcome::Unknown, 30)] {
        with_item(|store, kind| {
            let attempt = granted(store, &like(kind, 1), START);
            let answered = START.plus(HOUR);
            settle(store, attempt, outcome, answered);
            if outcome == Outcome::Unknown {
                let disproved = Change::Disproved { item: pk(1) };
                store.apply(&[disproved], answered).unwrap();
            }
            let proves = answered.plus(Duration::from_secs(late)).plus(READ_BACK);
            pretend_new(store, kind, Some(proves.minus(MS)));
            assert!(is_taken(store, kind, START.plus(DAY)), "{outcome:?}");
            pretend_new(store, kind, Some(proves));
            assert!(!is_taken(store, kind, START.plus(DAY)), "{outcome:?}");
        });
    }
}

#[test]
fn a_disproved_like_is_repeated_once_and_never_twice() {
    with_item(|store, kind| {
        let later = START.plus(DAY);
        act(store, &like(kind, 1), Outcome::Unknown, START);
        store
            .apply(&[Change::Disproved { item: pk(1) }], later)
            .unwrap();
        assert!(is_taken(store, kind, later), "the reading is not on record");
        pretend_new(store, kind, Some(later));
        act(store, &like(kind, 1), Outcome::Unknown, later);
        store
            .apply(&[Change::Disproved { item: pk(1) }], later.plus(DAY))
            .unwrap();
        pretend_new(store, kind, Some(later.plus(DAY)));
        assert!(is_taken(store, kind, later.plus(DAY * 9)));
    });
}

#[test]
fn a_reading_after_the_first_try_does_not_serve_for_the_second() {
    with_item(|store, kind| {
        act(store, &like(kind, 1), Outcome::Refused, START);
        pretend_new(store, kind, Some(START.plus(HOUR)));
        act(store, &like(kind, 1), Outcome::Unsent, START.plus(HOUR));
        act(store, &like(kind, 1), Outcome::Refused, START.plus(HOUR));
        assert!(is_taken(store, kind, START.plus(DAY)));
    });
}

#[test]
fn a_disproof_without_a_like_of_unknown_effect_is_our_mistake() {
    with_item(|store, kind| {
        act(store, &like(kind, 1), Outcome::Ok, START);
        let error = store
            .apply(&[Change::Disproved { item: pk(1) }], START)
            .unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
    });
}

#[test]
fn a_like_outlives_the_pruned_story() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Story, 1, target);
        act(store, &like(ItemKind::Story, 1), Outcome::Ok, START);
        let retention = Retention {
            stories_after: DAY,
            history_keep: DAY * 400,
        };
        assert_eq!(
            store
                .prune(&retention, START.plus(DAY * 2))
                .unwrap()
                .stories,
            1
        );
        put_item(store, ItemKind::Story, 1, target);
        assert!(is_taken(store, ItemKind::Story, START.plus(DAY * 2)));
    });
}

#[test]
fn a_like_of_something_not_in_the_ledger_is_our_mistake() {
    each_store(|store| {
        let error = store
            .claim(&like(ItemKind::Post, 1), &[], START)
            .unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
        assert!(store.attempts(START).unwrap().is_empty());
    });
}

#[test]
fn the_database_itself_refuses_a_second_like_that_may_stand() {
    let place = Place::new();
    drop(place.open().unwrap());
    let database = Connection::open(place.path()).unwrap();
    let insert = |settled: Option<i64>, outcome: Option<&str>| {
        database.execute(
            "INSERT INTO attempt (account, kind, call, item_kind, item_pk, item_owner, claimed_at, settled_at, outcome)
             VALUES (1, 'like', 'like', 'post', 5, 6, 7, ?1, ?2)",
            (settled, outcome),
        )
    };
    for harmless in ["refused", "unsent", "disproved", "refused"] {
        insert(Some(8), Some(harmless)).unwrap();
    }
    insert(Some(8), Some("unknown")).unwrap();
    for (settled, outcome) in [
        (None, None),
        (Some(8), Some("ok")),
        (Some(8), Some("unknown")),
    ] {
        let error = insert(settled, outcome).unwrap_err();
        assert!(error.to_string().contains("UNIQUE"), "{outcome:?}: {error}");
    }
}

#[test]
fn a_like_without_its_item_is_our_mistake_and_leaves_no_row() {
    each_store(|store| {
        let error = store
            .claim(&of_kind(AttemptKind::Like), &[], START)
            .unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
        assert_eq!(store.attempts(START).unwrap(), []);
    });
}
