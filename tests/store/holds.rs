//! P3: after an objection nothing leaves.

use story_liker::model::{HoldReason, Outcome, Scope};
use story_liker::ports::{Change, Claim, Claimed, Settlement};

use crate::support::*;

fn exception() -> Claim {
    Claim {
        despite_session_holds: true,
        ..read()
    }
}

#[test]
fn a_hold_is_named_before_a_full_window() {
    each_store(|store| {
        act(store, &read(), Outcome::Ok, START);
        store
            .add_hold(&hold(HoldReason::Challenge, None), START)
            .unwrap();
        let claimed = store
            .claim(&read(), &[limit(Scope::Requests, "1/1h")], START)
            .unwrap();
        assert!(matches!(claimed, Claimed::Held(hold) if hold.reason == HoldReason::Challenge));
    });
}

#[test]
fn a_timed_hold_ends_at_its_moment_and_not_before() {
    each_store(|store| {
        let until = START.plus(HOUR);
        store
            .add_hold(&hold(HoldReason::Throttled, Some(until)), START)
            .unwrap();
        let early = store.claim(&read(), &[], until.minus(MS)).unwrap();
        assert!(matches!(early, Claimed::Held(_)), "{early:?}");
        granted(store, &read(), until);
    });
}

#[test]
fn of_several_holds_the_longest_is_named() {
    each_store(|store| {
        store
            .add_hold(&hold(HoldReason::Throttled, Some(START.plus(HOUR))), START)
            .unwrap();
        store
            .add_hold(&hold(HoldReason::PleaseWait, Some(START.plus(DAY))), START)
            .unwrap();
        let claimed = store.claim(&read(), &[], START).unwrap();
        assert!(matches!(claimed, Claimed::Held(hold) if hold.reason == HoldReason::PleaseWait));
        store
            .add_hold(&hold(HoldReason::Challenge, None), START)
            .unwrap();
        let claimed = store.claim(&read(), &[], START).unwrap();
        assert!(matches!(claimed, Claimed::Held(hold) if hold.reason == HoldReason::Challenge));
    });
}

#[test]
fn the_hold_is_stored_with_the_outcome_that_caused_it() {
    each_store(|store| {
        let attempt = granted(store, &read(), START);
        let settlement = Settlement {
            hold: Some(hold(HoldReason::ActionBlocked, Some(START.plus(DAY)))),
            ..ending(Outcome::Refused)
        };
        store.settle(attempt, &settlement, START).unwrap();
        let holds = store.holds(START).unwrap();
        assert_eq!(holds[0].attempt, Some(attempt));
        assert_eq!(holds[0].until, Some(START.plus(DAY)));
        assert_eq!(
            store.claim(&read(), &[], START).unwrap(),
            Claimed::Held(holds[0].clone())
        );
    });
}

#[test]
fn an_exception_passes_while_every_open_hold_is_about_the_session() {
    for reason in HoldReason::ALL {
        each_store(|store| {
            store
                .add_hold(&hold(HoldReason::LoginRequired, None), START)
                .unwrap();
            store.add_hold(&hold(reason, None), START).unwrap();
            let passes = matches!(
                store.claim(&exception(), &[], START).unwrap(),
                Claimed::Granted(_)
            );
            assert_eq!(passes, reason.about_session(), "{reason:?}");
            assert!(matches!(
                store.claim(&read(), &[], START).unwrap(),
                Claimed::Held(_)
            ));
        });
    }
}

#[test]
fn a_cleared_hold_lets_through_and_stays_on_record_with_its_first_clearing() {
    each_store(|store| {
        let id = store
            .add_hold(&hold(HoldReason::Challenge, None), START)
            .unwrap();
        let clear = |by| [Change::HoldCleared { hold: id, by }];
        store.apply(&clear("resume"), START.plus(HOUR)).unwrap();
        store.apply(&clear("login"), START.plus(DAY)).unwrap();
        granted(store, &read(), START.plus(HOUR));
        let holds = store.holds(START).unwrap();
        assert_eq!(holds[0].cleared_by.as_deref(), Some("resume"));
        assert_eq!(holds[0].cleared_at, Some(START.plus(HOUR)));
    });
}

#[test]
fn a_hold_never_ends_before_it_began_whatever_the_clock_of_who_clears_it() {
    each_store(|store| {
        let id = store
            .add_hold(&hold(HoldReason::ActionBlocked, None), START)
            .unwrap();
        let clear = [Change::HoldCleared {
            hold: id,
            by: "resume",
        }];
        store.apply(&clear, START.minus(DAY * 20)).unwrap();
        assert_eq!(store.holds(START).unwrap()[0].cleared_at, Some(START));
    });
}

#[test]
fn an_open_hold_is_listed_however_old_it_is() {
    each_store(|store| {
        let old = START.minus(DAY * 300);
        store
            .add_hold(&hold(HoldReason::Checkpoint, None), old)
            .unwrap();
        store
            .add_hold(&hold(HoldReason::ActionBlocked, Some(START.plus(DAY))), old)
            .unwrap();
        store
            .add_hold(&hold(HoldReason::Throttled, Some(old.plus(HOUR))), old)
            .unwrap();
        let reasons: Vec<_> = store
            .holds(START)
            .unwrap()
            .iter()
            .map(|hold| hold.reason)
            .collect();
        assert_eq!(reasons, [HoldReason::Checkpoint, HoldReason::ActionBlocked]);
    });
}

#[test]
fn a_hold_that_a_person_ended_is_listed_however_long_they_took() {
    each_store(|store| {
        let block = hold(HoldReason::ActionBlocked, None);
        let id = store.add_hold(&block, START).unwrap();
        let cleared_at = START.plus(DAY * 90);
        let clear = Change::HoldCleared {
            hold: id,
            by: "resume",
        };
        store.apply(&[clear], cleared_at).unwrap();
        // Likes stay halved for two weeks from the end.
        let holds = store.holds(cleared_at).unwrap();
        assert_eq!(holds.len(), 1);
        assert_eq!(holds[0].cleared_at, Some(cleared_at));
        assert_eq!(store.holds(cleared_at.plus(MS)).unwrap(), []);
    });
}
