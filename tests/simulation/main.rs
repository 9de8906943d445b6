//! Seeded histories: many passes over a platform in memory that throttles, blocks, loses answers,
//! logs out and applies likes late, with crashes before and after every call of the store, full
//! disks, clock steps, suspends and signals. After every pass the promises are judged from the
//! server's record alone.
//!
//! `SIM_SEEDS=5000 cargo test --test simulation` tries more; a failing seed prints its replay.
#![allow(missing_docs, clippy::unwrap_used)]
// Counts of a handful of items and spans that are known to be long enough.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::unchecked_time_subtraction
)]

mod history;
mod promises;
#[path = "../world/mod.rs"]
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

const HISTORIES: u64 = 300;

#[allow(clippy::disallowed_methods)] // The one knob of this test.
fn number_from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn replay(seed: u64, told: bool) -> Result<history::Tally, String> {
    history::run(seed, told).map_err(|broken| {
        format!(
            "{broken}\nreplay: SIM_SEED={seed} cargo test --test simulation \
             every_promise_holds_in_every_history -- --nocapture"
        )
    })
}

#[test]
fn every_promise_holds_in_every_history() {
    if let Some(seed) = number_from_environment("SIM_SEED") {
        replay(seed, true).unwrap_or_else(|broken| panic!("{broken}"));
        return;
    }
    let seeds = number_from_environment("SIM_SEEDS").unwrap_or(HISTORIES);
    let next = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let tallies = std::thread::scope(|scope| {
        let work = || {
            let mut sum = history::Tally::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return Ok(sum);
                }
                sum.add(replay(seed, false)?);
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let joined = handles.into_iter().map(|handle| handle.join().unwrap());
        joined.collect::<Result<Vec<_>, String>>()
    });
    let mut sum = history::Tally::default();
    match tallies {
        Ok(tallies) => tallies.into_iter().for_each(|tally| sum.add(tally)),
        Err(broken) => panic!("{broken}"),
    }
    println!("{sum:?}");
    // A simulation in which nothing happens proves nothing.
    assert!(
        sum.likes > seeds && sum.crashes > seeds / 2 && sum.holds > seeds / 2,
        "{sum:?}"
    );
    assert!(
        sum.second_likes > seeds / 50 && sum.full_windows > seeds / 2,
        "{sum:?}"
    );
}
