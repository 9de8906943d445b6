//! Forgetting what no later decision looks at, and nothing else.

use std::time::Duration;

use rusqlite::Connection;
use story_liker::model::{AttemptKind, HoldReason, ItemKind, ItemState, LedgerItem, Outcome};
use story_liker::ports::{Change, Pruned, Retention, RunEnd, Store};

use crate::support::*;

const KEEP: Duration = Duration::from_hours(45 * 24);
const RETENTION: Retention = Retention {
    stories_after: DAY,
    history_keep: KEEP,
};

/// Prunes, and holds the count made before against it.
fn prune(store: &mut dyn Store, now: story_liker::model::Timestamp) -> Pruned {
    let announced = store.prunable(&RETENTION, now).unwrap();
    assert_eq!(
        store.prunable(&RETENTION, now).unwrap(),
        announced,
        "counting removes nothing"
    );
    let pruned = store.prune(&RETENTION, now).unwrap();
    assert_eq!(pruned, announced);
    pruned
}

fn end_with(requests: u32) -> RunEnd {
    RunEnd {
        stop: String::new(),
        trouble: None,
        exit_code: 0,
        verdict: story_liker::model::Verdict::Neither,
        requests,
        likes: 0,
        report: String::new(),
    }
}

#[test]
fn a_story_goes_after_its_time_and_never_before_it_expires() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let mut long = item(ItemKind::Story, 1, target);
        long.item.expiring_at = Some(START.plus(DAY * 2));
        put(store, &long);
        let mut short = item(ItemKind::Story, 2, target);
        short.item.expiring_at = Some(START.plus(HOUR));
        put(store, &short);
        assert_eq!(prune(store, START.plus(DAY).minus(MS)).stories, 0);
        assert_eq!(prune(store, START.plus(DAY)).stories, 1, "the short one");
        assert_eq!(prune(store, START.plus(DAY * 2).minus(MS)).stories, 0);
        assert_eq!(prune(store, START.plus(DAY * 2)).stories, 1);
    });
}

#[test]
fn history_that_a_limit_may_count_is_never_pruned_whoever_asks() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        act(store, &read(), Outcome::Ok, START.plus(DAY * 50));
        let now = START.plus(DAY * 60);
        let short = Retention {
            history_keep: KEEP.checked_sub(MS).unwrap(),
            ..RETENTION
        };
        for refused in [store.prunable(&short, now), store.prune(&short, now)] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("the limits need more"), "{refused}");
        }
        assert_eq!(store.attempts(START).unwrap().len(), 2);
        assert_eq!(prune(store, now).attempts, 1);
    });
}

#[test]
fn stories_never_liked_count_as_missed() {
    each_store(|store| {
        let target = list_target(store, "garden");
        for (number, state) in (1..).zip(ItemState::ALL) {
            put(
                store,
                &LedgerItem {
                    state,
                    ..item(ItemKind::Story, number, target)
                },
            );
        }
        let pruned = prune(store, START.plus(DAY * 3));
        assert_eq!((pruned.stories, pruned.missed), (10, 2), "new and expired");
    });
}

#[test]
fn posts_stay() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Post, 1, target);
        assert_eq!(prune(store, START.plus(DAY * 5000)), Pruned::default());
        known(store, ItemKind::Post, 1);
    });
}

#[test]
fn attempts_go_when_they_are_older_than_the_newest_by_more_than_the_history_kept() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        act(store, &read(), Outcome::Ok, START.plus(MS));
        act(store, &read(), Outcome::Ok, START.plus(KEEP + MS));
        let far_future = START.plus(DAY * 4000);
        assert_eq!(
            prune(store, START.plus(KEEP)).attempts,
            0,
            "our clock is the older of the two"
        );
        assert_eq!(
            prune(store, far_future).attempts,
            1,
            "a wrong clock wipes nothing more"
        );
        assert_eq!(store.attempts(START).unwrap().len(), 2);
    });
}

#[test]
fn a_clock_that_ran_ahead_does_not_keep_old_rows_from_going_nor_new_ones() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        act(store, &read(), Outcome::Ok, START.plus(DAY * 4000));
        assert_eq!(prune(store, START.plus(DAY)).attempts, 0);
    });
}

#[test]
fn unsettled_attempts_and_likes_of_posts_stay() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Post, 1, target);
        put_item(store, ItemKind::Story, 2, target);
        granted(store, &read(), START);
        act(store, &like(ItemKind::Post, 1), Outcome::Ok, START);
        act(store, &like(ItemKind::Story, 2), Outcome::Ok, START);
        act(store, &view(2), Outcome::Ok, START);
        act(store, &of_kind(AttemptKind::Login), Outcome::Ok, START);
        act(store, &of_kind(AttemptKind::LoginCode), Outcome::Ok, START);
        let later = START.plus(KEEP * 3);
        act(store, &read(), Outcome::Ok, later);
        assert_eq!(prune(store, later).attempts, 4);
        let kinds: Vec<_> = store
            .attempts(START)
            .unwrap()
            .iter()
            .map(|row| row.kind)
            .collect();
        assert_eq!(
            kinds,
            [AttemptKind::Like, AttemptKind::Read, AttemptKind::Read]
        );
    });
}

#[test]
fn holds_go_only_when_they_ended_before_the_horizon() {
    each_store(|store| {
        let later = START.plus(KEEP * 2);
        let horizon = later.minus(KEEP);
        let mut add = |until| {
            store
                .add_hold(&hold(HoldReason::ActionBlocked, until), START)
                .unwrap()
        };
        let ended = add(Some(horizon.minus(MS)));
        let ends_inside = add(Some(horizon));
        let open = add(None);
        let cleared = add(None);
        let cleared_inside = add(None);
        let cleared_early = add(Some(later));
        let clear = |hold, at| (Change::HoldCleared { hold, by: "resume" }, at);
        for (change, at) in [
            clear(cleared, horizon.minus(MS)),
            clear(cleared_inside, horizon),
            clear(cleared_early, START),
        ] {
            store.apply(&[change], at).unwrap();
        }
        store.apply(&[], later).unwrap();
        store
            .apply(&[Change::IgnorePostsBefore(START)], later)
            .unwrap();
        let attempt = store
            .claim(&story_liker::ports::Claim { ..read() }, &[], later)
            .unwrap();
        assert!(
            matches!(attempt, story_liker::ports::Claimed::Held(_)),
            "the open one holds"
        );
        store
            .apply(
                &[Change::HoldCleared {
                    hold: open,
                    by: "resume",
                }],
                later,
            )
            .unwrap();
        act(store, &read(), Outcome::Ok, later);
        assert_eq!(prune(store, later).holds, 2);
        let left: Vec<_> = store
            .holds(START)
            .unwrap()
            .iter()
            .map(|hold| hold.id)
            .collect();
        assert_eq!(left, [ends_inside, open, cleared_inside, cleared_early]);
        assert!(!left.contains(&ended) && !left.contains(&cleared));
    });
}

#[test]
fn an_open_hold_is_never_pruned() {
    each_store(|store| {
        let attempt = granted(store, &read(), START.plus(KEEP * 9));
        store
            .add_hold(&hold(HoldReason::Challenge, None), START)
            .unwrap();
        settle(store, attempt, Outcome::Ok, START.plus(KEEP * 9));
        assert_eq!(prune(store, START.plus(KEEP * 9)).holds, 0);
    });
}

#[test]
fn the_newest_runs_that_sent_something_stay_for_escalation() {
    each_store(|store| {
        for number in 0..30 {
            let run = store.begin_run("run", 1, START).unwrap();
            store.end_run(run, &end_with(number % 2), START).unwrap();
        }
        act(store, &read(), Outcome::Ok, START.plus(KEEP * 2));
        assert_eq!(prune(store, START.plus(KEEP * 2)).runs, 20);
        let left = store.recent_runs(0, 99).unwrap();
        assert!(left.iter().all(|run| run.requests == 1), "{left:?}");
        assert_eq!(left.len(), 10);
    });
}

#[test]
fn pruning_changes_no_window() {
    each_store(|store| {
        let longest = limit(story_liker::model::Scope::Requests, "8/35d");
        let now = START.plus(DAY * 60);
        for day in 0..=60 {
            act(store, &read(), Outcome::Ok, START.plus(DAY * day));
        }
        let before = store.claim(&read(), &[longest], now).unwrap();
        assert!(prune(store, now).attempts > 0);
        assert_eq!(store.claim(&read(), &[longest], now).unwrap(), before);
        assert_eq!(store.attempts(now.minus(DAY * 35)).unwrap().len(), 36);
    });
}

#[test]
fn old_posts_are_removed_together_with_the_note_that_they_stay_unliked() {
    let place = Place::new();
    let mut store = place.open().unwrap();
    let target = list_target(&mut store, "garden");
    for number in 1..=3 {
        let mut post = item(ItemKind::Post, number, target);
        post.item.taken_at = START.plus(DAY * u32::try_from(number).unwrap());
        put(&mut store, &post);
    }
    let before = START.plus(DAY * 3);
    assert_eq!(store.cleanable_posts(before).unwrap(), 2);
    assert_eq!(store.account().unwrap().ignore_posts_before, None);
    assert_eq!(store.cleanup_posts(before).unwrap(), 2);
    assert_eq!(store.account().unwrap().ignore_posts_before, Some(before));
    assert_eq!(
        store
            .items(ItemKind::Post, &[pk(1), pk(2), pk(3)])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_earlier_date_takes_nothing_back_of_what_is_never_liked_again() {
    let place = Place::new();
    let mut store = place.open().unwrap();
    for (before, noted) in [(DAY * 3, DAY * 3), (DAY, DAY * 3), (DAY * 4, DAY * 4)] {
        store.cleanup_posts(START.plus(before)).unwrap();
        let account = store.account().unwrap();
        assert_eq!(account.ignore_posts_before, Some(START.plus(noted)));
    }
}

#[test]
fn a_pruned_attempt_leaves_the_hold_it_caused() {
    let place = Place::new();
    let mut store = place.open().unwrap();
    let attempt = granted(&mut store, &read(), START);
    let settlement = story_liker::ports::Settlement {
        hold: Some(hold(HoldReason::PleaseWait, Some(START.plus(KEEP * 2)))),
        ..ending(Outcome::Refused)
    };
    store.settle(attempt, &settlement, START).unwrap();
    let later = START.plus(KEEP * 2);
    act(&mut store, &read(), Outcome::Ok, later);
    assert_eq!(prune(&mut store, later).attempts, 1);
    assert_eq!(store.holds(START).unwrap()[0].attempt, None);
    drop(store);
    let database = Connection::open(place.path()).unwrap();
    let broken: i64 = database
        .query_row(
            "SELECT count(*) FROM pragma_foreign_key_check()",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(broken, 0);
}
