//! Seeded histories of days to months: many passes over a platform in memory that throttles, blocks,
//! loses answers, logs out and applies likes late, with kills before and after every call of every
//! port, failing and locked databases, a second machine that starts in between, clock steps,
//! suspends, signals, and quiet hours around the change to and from summer time. After every step
//! the promises are judged from the server's record and the rows of the database.
//!
//! `SIM_SEEDS=100000 cargo test --test simulation` tries more, `SIM_FROM=5000` others. A failing seed
//! prints the command that replays it, and what of its history is needed to fail.
#![allow(missing_docs, clippy::unwrap_used)]
// Counts of a handful of items and spans that are known to be long enough.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::unchecked_time_subtraction
)]

mod events;
mod history;
mod judge;
mod local;
mod locks;
mod minimise;
mod stage;
mod tally;
#[path = "../world/mod.rs"]
mod world;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use history::{How, QUIETLY, play};
use tally::Tally;

const HISTORIES: u64 = 2_000;
/// Every so many histories one is played again without pruning.
const TWINS: u64 = 20;

#[allow(clippy::disallowed_methods)] // The knobs of this test.
fn number_from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn replay(seed: u64) -> Result<Tally, String> {
    let (settings, events) = events::generate(seed);
    let mut played = play(&settings, &events, QUIETLY);
    if let Some((_, broken)) = played.broken {
        return Err(broken);
    }
    // A clock that is ahead where no reply tells makes stories look expired and be forgotten early.
    let knows_the_time = settings.dated || !settings.clock_trouble;
    if seed.is_multiple_of(TWINS) && knows_the_time {
        let how = How {
            prunes: false,
            ..QUIETLY
        };
        let twin = play(&settings, &events, how);
        played.tally.count("twins that never pruned");
        if twin.record != played.record {
            return Err("pruning: without it the server's record is another".to_owned());
        }
    }
    Ok(played.tally)
}

/// Tells the shortest story that breaks the same promise, and which events it has.
fn tell(seed: u64, broken: &str, how: How) -> (events::Settings, Vec<events::Event>) {
    let (settings, events) = events::generate(seed);
    let all = events.len();
    let (settings, events) = minimise::minimise(settings, events, broken, how);
    println!("\nseed {seed}: {broken}");
    println!("{} of {all} events are needed:\n{settings:?}", events.len());
    let how = How { told: true, ..how };
    if let Some((_, broken)) = play(&settings, &events, how).broken {
        println!("==> {broken}");
    }
    println!(
        "\nreplay: SIM_SEED={seed} cargo test --test simulation \
         every_promise_holds_in_every_history -- --nocapture\n"
    );
    (settings, events)
}

#[test]
fn of_a_failing_history_only_what_it_needs_is_told() {
    let unfairly = How {
        unfair: true,
        ..QUIETLY
    };
    let breaks = |settings: &events::Settings, events: &[events::Event]| {
        let (_, broken) = play(settings, events, unfairly).broken?;
        Some(broken)
    };
    let fails = |seed| {
        let (settings, events) = events::generate(seed);
        Some((seed, events.len(), breaks(&settings, &events)?))
    };
    for (seed, all, broken) in (0..).filter_map(fails).take(3) {
        assert_eq!(minimise::promise(&broken), "P1", "{broken}");
        let (settings, needed) = tell(seed, &broken, unfairly);
        assert!(
            (1..all).contains(&needed.len()),
            "{} of {all}",
            needed.len()
        );
        let still = breaks(&settings, &needed).unwrap();
        assert_eq!(minimise::promise(&still), "P1", "{still}");
        for at in 0..needed.len() {
            let less = [&needed[..at], &needed[at + 1..]].concat();
            let broken = breaks(&settings, &less);
            assert_eq!(broken, None, "event {at} is not needed");
        }
        assert_eq!(play(&settings, &needed, QUIETLY).broken, None);
    }
}

#[test]
fn every_promise_holds_in_every_history() {
    if let Some(seed) = number_from_environment("SIM_SEED") {
        match replay(seed) {
            Ok(tally) => println!("{tally}"),
            Err(broken) => {
                tell(seed, &broken, QUIETLY);
                panic!("{broken}");
            }
        }
        return;
    }
    let seeds = number_from_environment("SIM_SEEDS").unwrap_or(HISTORIES);
    let first = number_from_environment("SIM_FROM").unwrap_or(0);
    let next = AtomicU64::new(first);
    let failed = AtomicBool::new(false);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let tallies: Vec<Result<Tally, (u64, String)>> = std::thread::scope(|scope| {
        let work = || {
            let mut sum = Tally::default();
            while !failed.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + seeds {
                    break;
                }
                match replay(seed) {
                    Ok(tally) => sum.merge(&tally),
                    Err(broken) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err((seed, broken));
                    }
                }
            }
            Ok(sum)
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    let mut sum = Tally::default();
    for tally in tallies {
        match tally {
            Ok(tally) => sum.merge(&tally),
            Err((seed, broken)) => {
                tell(seed, &broken, QUIETLY);
                panic!("seed {seed}: {broken}");
            }
        }
    }
    println!("{sum}");
    if seeds >= HISTORIES {
        idle(&sum, seeds);
    }
}

/// A simulation in which nothing happens proves nothing: how often each is met, in so many
/// histories, at the least.
const AT_LEAST: [(&str, u64, u64); 54] = [
    ("days", 8, 1),
    ("starts", 15, 1),
    ("requests", 40, 1),
    ("likes", 8, 1),
    ("second likes", 1, 40),
    ("full windows", 1, 3),
    ("quiet hours", 1, 2),
    ("dry runs", 1, 2),
    ("holds", 1, 2),
    ("doubled holds", 1, 60),
    ("checkpoints", 1, 200),
    ("consents", 1, 200),
    ("second factors", 1, 200),
    ("suspensions", 1, 200),
    ("unsupported versions", 1, 200),
    ("starts under a hold", 1, 1),
    ("halved passes", 1, 2),
    ("rows pruned", 5, 1),
    ("likes disproved", 1, 20),
    ("action blocks", 1, 40),
    ("throttlings", 1, 20),
    ("challenges", 1, 40),
    ("dead sessions", 1, 10),
    ("other holds", 1, 5),
    ("logins", 1, 100),
    ("clock steps", 1, 3),
    ("suspends", 1, 6),
    ("clocks not trusted", 1, 4),
    ("starts with a wrong clock", 1, 1),
    ("signals", 1, 4),
    ("suspends before a request", 1, 8),
    ("late requests", 1, 8),
    ("wrong dates", 1, 8),
    ("missing dates", 1, 8),
    ("missing dates of objections", 1, 10),
    ("times used up", 1, 2),
    ("waits for a lock", 1, 12),
    ("wrong dates of objections", 1, 10),
    ("objections that could not be settled", 1, 20),
    ("disk errors", 1, 4),
    ("damaged databases", 1, 8),
    ("locked databases", 1, 12),
    ("overlapping starts", 1, 8),
    ("kills before a claim", 1, 20),
    ("kills after a claim", 1, 20),
    ("kills before a request", 1, 20),
    ("kills after a request", 1, 20),
    ("kills before a settlement", 1, 20),
    ("kills after a settlement", 1, 20),
    ("kills around a pause", 1, 20),
    ("kills around another transaction", 1, 2),
    ("steps", 200, 1),
    ("passes until all is liked", 1, 1),
    ("twins that never pruned", 1, 26),
];

fn idle(sum: &Tally, histories: u64) {
    for (what, times, in_so_many) in AT_LEAST {
        let least = histories * times / in_so_many;
        let met = sum.of(what);
        assert!(
            met >= least,
            "only {met} {what}, at least {least} are needed"
        );
    }
}
