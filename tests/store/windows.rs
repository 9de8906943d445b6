//! P1: rolling windows over what is on record.

use story_liker::model::{AttemptKind, ItemKind, Outcome, ProfileName, Scope, TargetId};
use story_liker::ports::{Claim, Claimed, Store};
use story_liker::store::Writer;

use crate::support::*;

fn full(store: &mut dyn Store, text: &str, now: story_liker::model::Timestamp) -> bool {
    let limit = limit(Scope::Requests, text);
    let before = store.attempts(START.minus(DAY * 100)).unwrap().len();
    let claimed = store.claim(&read(), &[limit], now).unwrap();
    let after = store.attempts(START.minus(DAY * 100)).unwrap().len();
    match claimed {
        Claimed::Full(which) => {
            assert_eq!(
                (which, after),
                (limit, before),
                "a refused claim leaves no row"
            );
            true
        }
        Claimed::Granted(_) => {
            assert_eq!(after, before + 1);
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_exactly_as_old_as_the_span_counts() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        assert!(full(store, "1/1h", START.plus(HOUR)));
    });
}

#[test]
fn a_row_one_millisecond_older_does_not_count() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        assert!(!full(store, "1/1h", START.plus(HOUR + MS)));
    });
}

#[test]
fn a_row_stands_where_it_was_settled_not_where_it_was_claimed() {
    each_store(|store| {
        let attempt = granted(store, &read(), START);
        settle(store, attempt, Outcome::Ok, START.plus(MINUTE));
        assert!(full(store, "1/1h", START.plus(HOUR + MINUTE)));
    });
}

#[test]
fn a_row_of_unknown_effect_stands_half_a_minute_later() {
    let late = MINUTE / 2;
    each_store(|store| {
        act(store, &read(), Outcome::Unknown, START);
        assert!(full(store, "1/1h", START.plus(HOUR + late)));
    });
    each_store(|store| {
        act(store, &read(), Outcome::Unknown, START);
        assert!(!full(store, "1/1h", START.plus(HOUR + late + MS)));
    });
}

#[test]
fn an_unsettled_row_counts_however_old_its_claim_is() {
    each_store(|store| {
        granted(store, &read(), START.minus(DAY * 30));
        assert!(full(store, "1/1h", START));
    });
}

#[test]
fn a_row_in_the_future_counts() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START.plus(DAY * 30));
        assert!(full(store, "1/1h", START));
    });
}

#[test]
fn every_outcome_counts() {
    for outcome in [
        Outcome::Ok,
        Outcome::Refused,
        Outcome::Unsent,
        Outcome::Unknown,
    ] {
        each_store(|store| {
            act(store, &read(), outcome, START);
            assert!(full(store, "1/1h", START), "{outcome:?}");
        });
    }
}

#[test]
fn the_last_place_is_given_and_no_more() {
    each_store(|store| {
        for _ in 0..3 {
            assert!(!full(store, "3/1h", START));
        }
        assert!(full(store, "3/1h", START));
    });
}

#[test]
fn a_clock_set_back_after_the_claim_does_not_move_the_row_into_the_past() {
    each_store(|store| {
        let attempt = granted(store, &read(), START);
        settle(store, attempt, Outcome::Ok, START.minus(DAY));
        assert_eq!(store.attempts(START).unwrap().len(), 1);
        assert!(full(store, "1/1h", START));
    });
}

fn has_room(store: &mut dyn Store, scope: Scope) -> bool {
    let claimed = store
        .claim(&read(), &[limit(scope, "1/1h")], START)
        .unwrap();
    matches!(claimed, Claimed::Granted(_))
}

#[test]
fn each_limit_counts_its_own_kind_only() {
    let scopes = |target| {
        [
            Scope::StoryViews,
            Scope::Likes,
            Scope::Logins,
            Scope::TargetLikes(target),
        ]
    };
    for kind in AttemptKind::ALL {
        each_store(|store| {
            let target = list_target(store, "garden");
            put_item(store, ItemKind::Story, 1, target);
            let claim = Claim {
                kind,
                target: Some(target),
                item: Some((ItemKind::Story, id(1))),
                ..read()
            };
            act(store, &claim, Outcome::Ok, START);
            for scope in scopes(target) {
                assert_eq!(
                    has_room(store, scope),
                    !scope.covers(kind, Some(target)),
                    "{kind:?} in {scope:?}"
                );
            }
        });
    }
}

#[test]
fn likes_for_another_target_do_not_fill_a_targets_window() {
    each_store(|store| {
        let target = list_target(store, "garden");
        put_item(store, ItemKind::Post, 1, target);
        let claim = Claim {
            target: Some(target),
            ..like(ItemKind::Post, 1)
        };
        act(store, &claim, Outcome::Ok, START);
        assert!(has_room(store, Scope::TargetLikes(TargetId(target.0 + 1))));
        assert!(!has_room(store, Scope::TargetLikes(target)));
    });
}

#[test]
fn of_several_limits_the_first_full_one_is_named() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        let limits = [
            limit(Scope::Requests, "2/1h"),
            limit(Scope::Requests, "1/24h"),
        ];
        let claimed = store.claim(&read(), &limits, START.plus(HOUR * 5)).unwrap();
        assert_eq!(claimed, Claimed::Full(limits[1]));
    });
}

#[test]
fn another_profiles_requests_do_not_count() {
    let place = Place::new();
    act(
        &mut place.open_profile("anna").unwrap(),
        &read(),
        Outcome::Ok,
        START,
    );
    let mut other = place.open_profile("berta").unwrap();
    assert!(has_room(&mut other, Scope::Requests));
    assert!(other.attempts(START).unwrap().len() == 1, "its own only");
}

#[test]
fn a_request_under_way_leaves_its_window_a_span_from_now() {
    let mut store = Writer::in_memory(&ProfileName::default()).unwrap();
    granted(&mut store, &read(), START);
    let now = START.plus(MINUTE);
    let windows = store
        .windows(&[limit(Scope::Requests, "1/6h")], now)
        .unwrap();
    assert_eq!(windows[0].room_at, Some(now.plus(HOUR * 6).plus(MS)));
}
