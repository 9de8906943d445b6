//! Days of decisions with nothing but the policy: who is liked when likes run short.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const DAY: Duration = SHARED_OVER;
use crate::config::{Limits, Pace, PauseRange};
use crate::model::{Attempt, Item, Limit};

const START: Timestamp = Timestamp::from_secs(1_795_197_600);
const HOUR: Duration = Duration::from_hours(1);

/// One target posts a lot, the others little; `likes` in 24 hours.
#[derive(Clone, Debug)]
struct World {
    likes: u32,
    busy: u32,
    /// Items a day of each other target.
    modest: Vec<u32>,
    /// Where in the day each publishes, and who is first in which pass.
    seed: u32,
}

fn limits(world: &World) -> Limits {
    let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Limits {
        likes: vec![Limit {
            count: world.likes,
            span: DAY,
        }],
        story_views: list(&["60/1h"]),
        requests: list(&["150/1h"]),
        logins: list(&["1/6h"]),
        likes_per_run: 20,
        likes_per_target_per_run: 10,
        likes_per_target: list(&["150/24h"]),
        warm_up: Vec::new(),
        max_runtime: HOUR,
    }
}

fn item(target: usize, number: u32, at: Timestamp) -> LedgerItem {
    let id = format!("{}_{}", number + 1, target + 1);
    LedgerItem {
        item: Item {
            kind: ItemKind::Post,
            id: id.parse().unwrap(),
            code: None,
            taken_at: at,
            expiring_at: Some(at.plus(DAY)),
            has_liked: Some(false),
            pinned: false,
        },
        target: id_of(target),
        state: ItemState::New,
        tries: 0,
        viewed_at: None,
        like_arrived_by: None,
        unliked_read_at: None,
    }
}

fn id_of(target: usize) -> TargetId {
    TargetId(i64::try_from(target).unwrap() + 1)
}

fn no_pause() -> Pacer {
    let none = PauseRange {
        min: Duration::ZERO,
        max: Duration::ZERO,
    };
    let pace = Pace {
        between_likes: none,
        between_requests: none,
        between_targets: none,
        start_jitter: Duration::ZERO,
    };
    Pacer::new(pace, 1, None, None, START)
}

fn work(target: usize, items: VecDeque<LedgerItem>) -> Work {
    Work {
        target: id_of(target),
        name: String::new(),
        pk: None,
        kind: ItemKind::Post,
        listing: None,
        items,
    }
}

fn like(target: TargetId, at: Timestamp) -> Attempt {
    Attempt {
        kind: AttemptKind::Like,
        target: Some(target),
        item: None,
        claimed_at: at,
        settled_at: Some(at),
    }
}

fn state(queue: VecDeque<Work>, targets: Vec<TargetId>, now: Timestamp) -> State {
    State {
        deadline: now.plus(HOUR),
        quiet_hours: None,
        timeout: Duration::ZERO,
        time_zone: TimeZone::UTC,
        queue,
        targets,
        likes: 0,
        likes_by_target: BTreeMap::new(),
        unproved: false,
        proof_due: false,
        replied: true,
        mark_seen: true,
        dry_run: false,
    }
}

#[test]
fn the_last_like_is_kept_for_a_target_liked_less_that_has_had_likes_or_waits_for_one() {
    let now = START.plus(DAY * 3);
    // Three likes went to the busy target today, one is left; what is known of the other?
    let table: [(&str, &[u32], Option<u32>, bool); 7] = [
        ("nothing", &[], None, false),
        ("nothing to do", &[], Some(0), false),
        ("an item", &[], Some(1), true),
        ("a like of yesterday", &[30], None, true),
        ("a like of three days ago", &[50], None, false),
        ("less than the busy one", &[1, 2], None, true),
        (
            "as much as the busy one",
            &[30, 31, 32, 1, 2, 3],
            None,
            false,
        ),
    ];
    for (name, hours_ago, items, kept) in table {
        let mut likes = vec![like(id_of(0), now.minus(HOUR)); 3];
        let of_other = hours_ago.iter().map(|hours| now.minus(HOUR * *hours));
        likes.extend(of_other.map(|at| like(id_of(1), at)));
        let today = likes.iter().filter(|like| like.claimed_at > now.minus(DAY));
        let world = World {
            likes: u32::try_from(today.count()).unwrap() + 1,
            busy: 0,
            modest: Vec::new(),
            seed: 0,
        };
        let mine = work(0, [item(0, 0, now)].into());
        let others = items.map(|count| work(1, (0..count).map(|one| item(1, one, now)).collect()));
        let queue = [mine].into_iter().chain(others).collect();
        let budget = Budget {
            limits: LimitsInForce::new(&limits(&world), &[], &likes, now),
            windows: Windows::new(likes),
            pacer: no_pause(),
        };
        match next(&state(queue, vec![id_of(0), id_of(1)], now), &budget, now) {
            Step::Like => assert!(!kept, "{name}"),
            Step::Leave(Left::Kept(_, 1)) => assert!(kept, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Of each target: items published and items liked, the first two days (when everybody begins from
/// nothing) and the last aside.
fn live(world: &World, days: u32) -> Vec<(u32, u32)> {
    let rates: Vec<u32> = [world.busy].iter().chain(&world.modest).copied().collect();
    let all: Vec<TargetId> = (0..rates.len()).map(id_of).collect();
    let mut waiting: Vec<VecDeque<LedgerItem>> = vec![VecDeque::new(); rates.len()];
    let mut served = vec![(0, 0); rates.len()];
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut number = 0;
    for hour in 0..days * 24 {
        let now = START.plus(HOUR * hour);
        let counts = |at: Timestamp| {
            let day = at.since(START).as_secs() / 86_400;
            (2..u64::from(days) - 1).contains(&day)
        };
        for (target, rate) in rates.iter().enumerate() {
            let shift = (world.seed + u32::try_from(target).unwrap() * 7) % 24;
            let by = |hour: u32| (hour + shift) * rate / 24;
            for _ in by(hour)..by(hour + 1) {
                number += 1;
                waiting[target].push_back(item(target, number, now));
                served[target].0 += u32::from(counts(now));
            }
            waiting[target].retain(|item| may_be_liked(item, now));
        }
        let first = (world.seed + hour * 5) as usize % rates.len();
        let turns = (0..rates.len()).map(|turn| (first + turn) % rates.len());
        let queue = turns.map(|target| work(target, waiting[target].clone()));
        let mut state = state(queue.collect(), all.clone(), now);
        let mut budget = Budget {
            limits: LimitsInForce::new(&limits(world), &[], &attempts, now),
            windows: Windows::new(attempts.clone()),
            pacer: no_pause(),
        };
        loop {
            match next(&state, &budget, now) {
                Step::Like => {
                    let work = state.queue.front_mut().unwrap();
                    let target = usize::try_from(work.target.0 - 1).unwrap();
                    let liked = work.items.pop_front().unwrap();
                    waiting[target].pop_front();
                    let attempt = like(work.target, now);
                    *state.likes_by_target.entry(work.target).or_default() += 1;
                    state.likes += 1;
                    budget.windows.push(attempt);
                    attempts.push(attempt);
                    served[target].1 += u32::from(counts(liked.item.taken_at));
                }
                Step::Finish | Step::Leave(_) => {
                    state.queue.pop_front();
                }
                Step::PassOver => {
                    state.queue.front_mut().unwrap().items.pop_front();
                }
                Step::Stop(_) => break,
                other => panic!("{other:?}"),
            }
        }
        attempts.retain(|like| like.settled_at >= Some(now.minus(DAY * 3)));
    }
    served
}

const DAYS: u32 = 9;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whoever_wants_less_than_an_even_share_is_liked_whatever_one_target_publishes(
        modest in prop::collection::vec(0u32..4, 1..12),
        share in 1u32..8,
        busy in 20u32..80,
        seed in 0u32..1000,
    ) {
        let targets = u32::try_from(modest.len()).unwrap() + 1;
        let world = World { likes: share * targets, busy, modest, seed };
        let served = live(&world, DAYS);
        for (target, rate) in world.modest.iter().enumerate() {
            let (published, liked) = served[target + 1];
            // A like comes back a little later every day, and one is kept for each target, not all of
            // its share: who wants an even share or more gets half of it at the least.
            let due = (DAYS - 3) * (*rate).min(share);
            let slack = if *rate < share { 1 } else { 1 + due / 2 };
            prop_assert!(
                liked + slack >= due.min(published),
                "{liked} of {published} liked: {world:?} {served:?}"
            );
        }
        // No like is held back but one for each target that has had any.
        let active = u32::try_from(world.modest.iter().filter(|rate| **rate > 0).count()).unwrap();
        let (published, liked) = served.iter().fold((0, 0), |(published, liked), served| {
            (published + served.0, liked + served.1)
        });
        let possible = (world.likes.saturating_sub(active).max(1) * (DAYS - 3)).min(published);
        prop_assert!(liked * 4 >= possible * 3, "{liked} of {possible}: {world:?} {served:?}");
    }
}
