//! Which of a scene's calls are tried, in parallel, and how to try one of them again.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::home::{Ended, Home};
use crate::strace::{Site, Tracer, Words, say};

/// A command whose calls are tried, from where it starts to what must be so in the end.
pub struct Scene {
    /// The name in messages.
    pub name: &'static str,
    /// What is run.
    pub words: Words,
    /// Where it begins; the same every time.
    pub home: fn() -> Home,
}

/// One try.
pub struct Struck<'a> {
    /// At which call.
    pub site: &'a Site,
    /// How the program ended.
    pub ended: Ended,
    /// For messages: what was done, and where.
    pub about: String,
}

#[allow(clippy::disallowed_methods)] // How much is tried is chosen outside.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str, default: usize) -> usize {
    variable(name).map_or(default, |text| text.parse().unwrap())
}

/// `KILL_EVERY` without a say.
const EVERY: usize = 30;

/// `KILL_SEED`.
pub fn seed() -> usize {
    number("KILL_SEED", 7)
}

/// Whether nothing may be left out.
fn is_full() -> bool {
    number("KILL_EVERY", EVERY) == 1
}

/// A tracer, unless there is none and that may be.
pub fn tracer(what: &str) -> Option<&'static Tracer> {
    match Tracer::find() {
        Ok(tracer) => Some(tracer),
        Err(why) if is_full() => panic!("{what}: {why}"),
        Err(why) => {
            say(&format!(
                "{what}: skipped, {why}; the kills at each request and at random instants remain"
            ));
            None
        }
    }
}

/// Does `what(site)` to the scene's program at its calls, each in a home of its own, and lets `check`
/// judge. `what` says nothing where there is nothing to do.
pub fn sweep(
    scene: &Scene,
    how: &str,
    what: impl Fn(&Site) -> Option<Vec<String>> + Sync,
    check: impl Fn(&mut Home, Struck<'_>) + Sync,
) {
    let title = format!("{}/{how}", scene.name);
    let Some(tracer) = tracer(&title) else { return };
    let begin = (scene.home)();
    let (_, all) = tracer.sites(&begin, scene.words);
    drop(begin);
    let all: Vec<(Site, Vec<String>)> = all
        .into_iter()
        .filter_map(|site| what(&site).map(|what| (site, what)))
        .collect();
    let tried = chosen(&title, &all);
    let (next, hit) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some((site, what)) = tried.get(next.fetch_add(1, Ordering::Relaxed)) {
            let judged = catch_unwind(AssertUnwindSafe(|| {
                let mut home = (scene.home)();
                let (ended, struck) = tracer.inject(&home, scene.words, what);
                hit.fetch_add(usize::from(struck), Ordering::Relaxed);
                let about = format!("{title} at {site} ({})", what.join(", "));
                if struck {
                    check(&mut home, Struck { site, ended, about });
                }
            }));
            if judged.is_err() {
                failed.lock().unwrap().push(format!("{title}/{site}"));
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap();
    let hit = hit.into_inner();
    say(&format!(
        "{title}: {hit} of {} tries struck, {} calls in all",
        tried.len(),
        all.len()
    ));
    assert!(
        failed.is_empty(),
        "{} of {hit} cases of {title} failed; to try one again: KILL_ONLY={} cargo test --test kill",
        failed.len(),
        failed.join(" KILL_ONLY="),
    );
    // A run may differ from the counted one by a call or two at its end.
    assert!(
        hit > 0 && hit * 100 >= tried.len() * 95 || is_replay(),
        "{title}: only {hit} of {} tries struck",
        tried.len()
    );
}

fn is_replay() -> bool {
    variable("KILL_ONLY").is_some()
}

/// Of each call at least so many are tried.
const LEAST: usize = 4;

/// The sites to try: the one asked for, or of each call every `KILL_EVERY`-th, but some at least.
/// Locking and closing changes no file: before such a call all is as it is before the next other one.
fn chosen<'a>(title: &str, all: &'a [(Site, Vec<String>)]) -> Vec<&'a (Site, Vec<String>)> {
    if let Some(only) = variable("KILL_ONLY") {
        let is_it = |(site, _): &&(Site, Vec<String>)| format!("{title}/{site}") == only;
        return all.iter().filter(is_it).collect();
    }
    let every = number("KILL_EVERY", EVERY);
    let mut calls: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for one in all {
        calls.entry(&one.0.call).or_default().push(one);
    }
    let mut tried = Vec::new();
    for sites in calls.into_values() {
        let every = every * if sites[0].0.changes_nothing() { 4 } else { 1 };
        let step = every.min(sites.len() / LEAST).max(1);
        tried.extend(sites.into_iter().skip(seed() % step).step_by(step));
    }
    tried
}
