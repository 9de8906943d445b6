//! Settling: the outcome and all that follows from it, or nothing.

use story_liker::model::{
    AttemptKind, Device, HoldReason, ItemKind, ItemState, Outcome, Secret, Session,
};
use story_liker::ports::{Change, Myself, RunEnd, Settlement, Store, StoreError};

use crate::support::*;

fn session(owner: i64, json: &str) -> Session {
    Session {
        pk: pk(owner),
        json: Secret::new(json),
    }
}

fn proved(owner: i64) -> Change {
    Change::Proved {
        myself: Myself {
            pk: pk(owner),
            username: "me".to_owned(),
        },
        at: START,
    }
}

#[test]
fn an_attempt_is_settled_once() {
    each_store(|store| {
        let attempt = granted(store, &read(), START);
        settle(store, attempt, Outcome::Ok, START);
        let error = store
            .settle(attempt, &ending(Outcome::Unknown), START)
            .unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
    });
}

#[test]
fn what_follows_from_an_outcome_is_stored_with_it() {
    each_store(|store| {
        let target = list_target(store, "garden");
        let attempt = granted(store, &read(), START);
        let settlement = Settlement {
            session: Some(session(9, "{\"a\":1}")),
            hold: Some(hold(HoldReason::Throttled, Some(START.plus(HOUR)))),
            changes: vec![
                proved(9),
                Change::Checked {
                    target,
                    kind: ItemKind::Post,
                    at: START,
                },
                Change::Item(item(ItemKind::Post, 1, target)),
                Change::IgnorePostsBefore(START.minus(DAY)),
            ],
            ..ending(Outcome::Ok)
        };
        store.settle(attempt, &settlement, START).unwrap();
        let account = store.account().unwrap();
        assert_eq!(account.pk, Some(pk(9)));
        assert_eq!(account.username.as_deref(), Some("me"));
        assert_eq!(account.session.unwrap().json.expose(), "{\"a\":1}");
        assert_eq!(account.session_proved_at, Some(START));
        assert_eq!(account.ignore_posts_before, Some(START.minus(DAY)));
        assert_eq!(store.holds(START).unwrap().len(), 1);
        assert_eq!(store.targets().unwrap()[0].posts_checked_at, Some(START));
        assert_eq!(known(store, ItemKind::Post, 1).state, ItemState::New);
    });
}

#[test]
fn nothing_of_a_settlement_is_stored_if_a_part_of_it_is_refused() {
    each_store(|store| {
        store.apply(&[proved(9)], START).unwrap();
        let attempt = granted(store, &read(), START);
        let settlement = Settlement {
            hold: Some(hold(HoldReason::Throttled, None)),
            changes: vec![Change::SessionObtained {
                session: session(10, "{}"),
                at: START,
            }],
            ..ending(Outcome::Ok)
        };
        let error = store.settle(attempt, &settlement, START).unwrap_err();
        assert!(
            matches!(&error, StoreError::Config(text) if text.contains("another profile")),
            "{error}"
        );
        assert!(store.holds(START).unwrap().is_empty());
        assert_eq!(store.attempts(START).unwrap()[0].settled_at, None);
        assert_eq!(store.account().unwrap().session, None);
    });
}

#[test]
fn an_account_that_another_profile_has_is_refused_so_that_no_limit_counts_twice() {
    let place = Place::new();
    let obtained = |pk| Change::SessionObtained {
        session: session(pk, "{}"),
        at: START,
    };
    let mut first = place.open_profile("first").unwrap();
    first.apply(&[obtained(9), proved(9)], START).unwrap();
    let mut second = place.open_profile("second").unwrap();
    for change in [obtained(9), proved(9)] {
        let error = second.apply(&[change], START).unwrap_err();
        assert!(
            matches!(&error, StoreError::Config(text) if text.contains("profile first")),
            "{error}"
        );
    }
    assert_eq!(second.account().unwrap().session, None);
    // A session nobody has proved yet counts as well.
    second.apply(&[obtained(10)], START).unwrap();
    let error = first.apply(&[Change::SessionDead], START).and_then(|()| {
        let mut third = place.open_profile("third").unwrap();
        third.apply(&[obtained(10)], START)
    });
    assert!(matches!(error, Err(StoreError::Config(_))), "{error:?}");
    second.apply(&[proved(10)], START).unwrap();
}

#[test]
fn no_session_of_another_account_is_taken() {
    each_store(|store| {
        let obtained = Change::SessionObtained {
            session: session(9, "{}"),
            at: START,
        };
        store.apply(&[obtained, proved(9)], START).unwrap();
        assert!(matches!(
            store.apply(&[proved(10)], START),
            Err(StoreError::Config(_))
        ));
        let attempt = granted(store, &read(), START);
        let settlement = Settlement {
            session: Some(session(10, "{}")),
            ..ending(Outcome::Ok)
        };
        assert!(matches!(
            store.settle(attempt, &settlement, START),
            Err(StoreError::Config(_))
        ));
        assert_eq!(store.account().unwrap().session.unwrap().pk, pk(9));
    });
}

#[test]
fn a_dead_session_is_forgotten_and_the_device_stays() {
    each_store(|store| {
        let device = |json: &str, replace| Change::Device {
            device: Device {
                json: json.to_owned(),
            },
            replace,
        };
        let obtained = Change::SessionObtained {
            session: session(9, "{}"),
            at: START,
        };
        store
            .apply(
                &[
                    device("first", false),
                    obtained,
                    proved(9),
                    Change::SessionDead,
                ],
                START,
            )
            .unwrap();
        store.apply(&[device("second", false)], START).unwrap();
        let account = store.account().unwrap();
        assert_eq!(
            (account.session, account.session_since, account.pk),
            (None, None, Some(pk(9)))
        );
        assert_eq!(account.device.unwrap().json, "first");
        store.apply(&[device("third", true)], START).unwrap();
        assert_eq!(store.account().unwrap().device.unwrap().json, "third");
    });
}

#[test]
fn a_session_keeps_its_age_while_headers_change_it_and_a_new_one_begins_anew() {
    each_store(|store| {
        let obtained = |json: &str, at| Change::SessionObtained {
            session: session(9, json),
            at,
        };
        store
            .apply(&[obtained("{}", START), proved(9)], START)
            .unwrap();
        let attempt = granted(store, &read(), START.plus(HOUR));
        let settlement = Settlement {
            session: Some(session(9, "[2]")),
            ..ending(Outcome::Ok)
        };
        store
            .settle(attempt, &settlement, START.plus(HOUR))
            .unwrap();
        let account = store.account().unwrap();
        assert_eq!(account.session.unwrap().json.expose(), "[2]");
        assert_eq!(
            (account.session_since, account.session_proved_at),
            (Some(START), Some(START))
        );
        store
            .apply(&[obtained("[3]", START.plus(DAY))], START.plus(DAY))
            .unwrap();
        let account = store.account().unwrap();
        assert_eq!(
            (account.session_since, account.session_proved_at),
            (Some(START.plus(DAY)), None)
        );
    });
}

#[test]
fn what_a_crash_left_claimed_becomes_unknown_and_counts_from_now() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Story, 1, target);
        put_item(store, ItemKind::Post, 2, target);
        act(store, &read(), Outcome::Ok, START);
        granted(store, &view(1), START);
        granted(store, &like(ItemKind::Story, 1), START);
        granted(store, &like(ItemKind::Post, 2), START);
        let later = START.plus(HOUR * 3);
        let recovered = store.recover(later).unwrap();
        let kinds: Vec<_> = recovered.iter().map(|attempt| attempt.kind).collect();
        assert_eq!(
            kinds,
            [AttemptKind::StoryView, AttemptKind::Like, AttemptKind::Like]
        );
        assert!(
            recovered
                .iter()
                .all(|attempt| attempt.settled_at > Some(later.plus(MINUTE / 4)))
        );
        assert_eq!(store.attempts(later).unwrap(), recovered);
        let story = known(store, ItemKind::Story, 1);
        assert_eq!(
            (story.state, story.viewed_at),
            (ItemState::Unknown, Some(later))
        );
        let post = known(store, ItemKind::Post, 2);
        assert_eq!(
            (post.state, post.like_arrived_by),
            (ItemState::Unknown, recovered[2].settled_at)
        );
        assert_eq!(store.recover(later).unwrap(), [], "once");
    });
}

#[test]
fn the_newest_attempt_and_the_newest_like_are_told_apart() {
    each_store(|store| {
        assert_eq!(store.newest_attempts().unwrap(), (None, None));
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Post, 1, target);
        act(store, &like(ItemKind::Post, 1), Outcome::Ok, START);
        act(store, &read(), Outcome::Ok, START.plus(MINUTE));
        let (newest, newest_like) = store.newest_attempts().unwrap();
        assert_eq!(newest.unwrap().settled_at, Some(START.plus(MINUTE)));
        assert_eq!(newest_like.unwrap().item, Some(pk(1)));
        granted(store, &read(), START);
        assert_eq!(
            store.newest_attempts().unwrap().0.unwrap().settled_at,
            None,
            "under way"
        );
    });
}

#[test]
fn a_run_without_an_end_was_killed() {
    each_store(|store| {
        let first = store.begin_run("run", u64::MAX, START).unwrap();
        let second = store.begin_run("run", 1, START.plus(HOUR)).unwrap();
        let end = RunEnd {
            stop: "held".to_owned(),
            trouble: Some(HoldReason::Throttled),
            exit_code: 75,
            verdict: story_liker::model::Verdict::Neither,
            requests: 3,
            likes: 2,
            report: "{}".to_owned(),
        };
        store.end_run(second, &end, START.plus(HOUR * 2)).unwrap();
        let runs = store.recent_runs(0, 5).unwrap();
        assert_eq!((runs[0].id, runs[1].id), (second, first), "newest first");
        assert_eq!(runs[1].ended_at, None);
        assert_eq!(
            (runs[0].trouble, runs[0].exit_code),
            (Some(HoldReason::Throttled), Some(75))
        );
        assert_eq!((runs[0].requests, runs[0].likes), (3, 2));
        assert_eq!(store.recent_runs(0, 1).unwrap().len(), 1);
        assert!(matches!(
            store.end_run(second, &end, START),
            Err(StoreError::Bug(_))
        ));
    });
}

#[test]
fn an_answer_proves_the_session_alive_at_its_moment() {
    each_store(|store| {
        let session = session(9, "{}");
        let at = START;
        let obtained = Change::SessionObtained { session, at };
        store.apply(&[obtained, proved(9)], START).unwrap();
        let later = START.plus(HOUR);
        let alive = Change::SessionAlive(later);
        store.apply(&[alive], later.plus(MINUTE)).unwrap();
        assert_eq!(store.account().unwrap().session_proved_at, Some(later));
    });
}
