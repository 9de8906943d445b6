//! The windows of the database against a count over a list.

use proptest::prelude::*;
use story_liker::model::{
    Attempt, AttemptKind, ItemKind, Outcome, ProfileName, Scope, ScopedLimit, TargetId, Timestamp,
};
use story_liker::ports::{Claim, Claimed, Store};
use story_liker::store::Writer;

use crate::support::*;

/// Rolling windows as one would count them by hand.
fn naive(attempts: &[Attempt], limit: &ScopedLimit, now: Timestamp) -> usize {
    let covered = attempts
        .iter()
        .filter(|attempt| limit.scope.covers(attempt.kind, attempt.target));
    covered
        .filter(|attempt| {
            attempt
                .settled_at
                .is_none_or(|at| at >= now.minus(limit.limit.span))
        })
        .count()
}

/// Kind, target, claimed at, settled how much later (if at all).
type Row = (usize, i64, i64, Option<i64>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        0..5_usize,
        1..3_i64,
        -50..50_i64,
        prop::option::weighted(0.9, -5..30_i64),
    );
    prop::collection::vec(row, 0..40)
}

fn fill(store: &mut Writer, rows: &[Row]) -> Vec<Attempt> {
    store
        .sync_targets(&[wanted("a"), wanted("b")], START)
        .unwrap();
    let at = |offset: i64| Timestamp::from_millis(START.as_millis() + offset);
    let mut attempts = Vec::new();
    for (number, &(kind, target, claimed, settled)) in (1..).zip(rows) {
        let kind = AttemptKind::ALL[kind];
        let target = TargetId(target);
        put_item(store, ItemKind::Story, number, target);
        let claim = Claim {
            kind,
            target: Some(target),
            item: Some((ItemKind::Story, id(number))),
            ..read()
        };
        let attempt = granted(store, &claim, at(claimed));
        let settled_at = settled.map(|later| at(claimed + later));
        if let Some(settled_at) = settled_at {
            settle(store, attempt, Outcome::Ok, settled_at);
        }
        attempts.push(Attempt {
            kind,
            target: Some(target),
            item: Some(pk(number)),
            claimed_at: at(claimed),
            settled_at: settled_at.map(|settled_at| settled_at.max(at(claimed))),
        });
    }
    attempts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_holds_what_a_count_by_hand_says(
        rows in rows(),
        count in 1..8_u32,
        span in 1..60_u64,
        now in -60..120_i64,
    ) {
        let mut store = Writer::in_memory(&ProfileName::default()).unwrap();
        let attempts = fill(&mut store, &rows);
        let now = Timestamp::from_millis(START.as_millis() + now);
        let scopes = [Scope::Requests, Scope::StoryViews, Scope::Likes, Scope::Logins,
                      Scope::TargetLikes(TargetId(1)), Scope::TargetLikes(TargetId(2))];
        for scope in scopes {
            let mut scoped = limit(scope, "1/1s");
            scoped.limit.count = count;
            scoped.limit.span = MS * u32::try_from(span).unwrap();
            let held = naive(&attempts, &scoped, now);
            let windows = store.windows(&[scoped], now).unwrap();
            prop_assert_eq!(windows[0].used as usize, held.min(count as usize));
            let full = held >= count as usize;
            prop_assert_eq!(windows[0].room_at.is_some(), full);
            // A claim that is refused leaves nothing behind, so only those are tried here.
            if full {
                let claimed = store.claim(&read(), &[scoped], now).unwrap();
                prop_assert_eq!(claimed, Claimed::Full(scoped));
            }
        }
        let roomy: Vec<ScopedLimit> = scopes.iter().map(|&scope| {
            let mut scoped = limit(scope, "1/1s");
            scoped.limit.span = MS * u32::try_from(span).unwrap();
            scoped.limit.count = u32::try_from(naive(&attempts, &scoped, now)).unwrap() + 1;
            scoped
        }).collect();
        let claimed = store.claim(&read(), &roomy, now).unwrap();
        prop_assert!(matches!(claimed, Claimed::Granted(_)));
    }
}
