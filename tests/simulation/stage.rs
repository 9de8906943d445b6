//! Where a history is played: it watches every step of every pass, has it judged, kills the process
//! where that is planned, keeps the database locked, and lets another machine start in between.

use std::cell::{Cell, RefCell};
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use rusqlite::Connection;
use story_liker::config::Config;
use story_liker::engage::{Mode, Report};
use story_liker::model::ProfileName;
use story_liker::ports::Clock;
use story_liker::store::{Writer, shared_memory};

use crate::judge::{End, Judge, Judged, Started};
use crate::tally::Tally;
use crate::world::*;

/// What a killed process unwinds with, so that nothing of it goes on.
struct Killed;

/// One database in memory with everyone who has it open: two machines, the judge, and a program
/// that may lock it. Used again and again: making a schema takes longer than many passes.
pub struct Memory {
    pub one: Writer,
    pub two: Writer,
    pub raw: Connection,
    pub lock: Connection,
}

thread_local! {
    static SPARE: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
    static MADE: Cell<u32> = const { Cell::new(0) };
}

const WIPE: &str = "
    DELETE FROM hold; DELETE FROM attempt; DELETE FROM run; DELETE FROM story; DELETE FROM post;
    DELETE FROM session; DELETE FROM target;
    UPDATE account SET pk = NULL, username = NULL, device = NULL, ignore_posts_before = NULL,
                       checked_at = NULL;";

impl Memory {
    pub fn take() -> Self {
        if let Some(spare) = SPARE.with_borrow_mut(Vec::pop) {
            spare.raw.execute_batch(WIPE).unwrap();
            return spare;
        }
        MADE.set(MADE.get() + 1);
        let name = format!("{:?}-{}", std::thread::current().id(), MADE.get());
        let name = name.replace(['(', ')'], "");
        let profile = ProfileName::default();
        let writer = || Writer::in_shared_memory(&name, &profile).unwrap();
        let (one, two) = (writer(), writer());
        let connect = || {
            let connection = Connection::open(shared_memory(&name)).unwrap();
            connection.set_prepared_statement_cache_capacity(32);
            connection
        };
        Self {
            one,
            two,
            raw: connect(),
            lock: connect(),
        }
    }

    pub fn give_back(self) {
        SPARE.with_borrow_mut(|spare| spare.push(self));
    }
}

/// What is to happen in the next start, by the number of the step.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    pub kill: Option<(usize, When)>,
    pub overlaps: Vec<(usize, i64)>,
    /// By the number of the store's call, and for how long.
    pub locked: Option<(usize, Duration)>,
    /// A signal may come.
    pub signal: bool,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // Independent facts.
struct Now {
    plans: Plans,
    steps: usize,
    store_calls: usize,
    /// Until when, by the monotonic clock, another program has the database locked.
    locked_until: Option<Duration>,
    met_a_lock: bool,
    waited_in_vain: bool,
    nested: bool,
    /// How long others were at work in between.
    away: Duration,
    seed: u64,
    moved: bool,
}

pub struct Stage {
    pub server: Server,
    pub clock: TestClock,
    pub config: Config,
    pub code: Option<&'static str>,
    pub judge: RefCell<Judge>,
    pub other: RefCell<Option<FaultyStore>>,
    pub lock: Connection,
    pub broken: RefCell<Option<String>>,
    pub tally: RefCell<Tally>,
    judged: Cell<usize>,
    now: RefCell<Now>,
}

impl Stage {
    pub fn new(rig: &Rig, judge: Judge, two: Writer, lock: Connection) -> Self {
        Self {
            server: rig.server.clone(),
            clock: rig.clock.clone(),
            config: rig.config.clone(),
            code: rig.code,
            judge: RefCell::new(judge),
            other: RefCell::new(Some(FaultyStore::new(two, rig.server.clone()))),
            lock,
            broken: RefCell::new(None),
            tally: RefCell::default(),
            judged: Cell::new(0),
            now: RefCell::default(),
        }
    }

    /// Starts a process and lets it run to its end, whichever that is.
    pub fn start(
        &self,
        mode: Mode,
        seed: u64,
        plans: Plans,
        moved: bool,
        store: &mut FaultyStore,
    ) -> Option<Report> {
        *self.now.borrow_mut() = Now {
            plans,
            seed,
            moved,
            ..Now::default()
        };
        self.count("starts");
        let before = self.clock.monotonic();
        let report = self.process(mode, seed, store);
        let took = self.clock.monotonic().saturating_sub(before);
        let (away, locked, in_vain) = {
            let now = self.now.borrow();
            (now.away, now.met_a_lock, now.waited_in_vain)
        };
        let in_vain = in_vain.then_some(Failure::Locked);
        let failure = in_vain.or(store.failure());
        self.end(report.as_ref(), failure, took.saturating_sub(away), locked);
        report
    }

    /// None if it was killed.
    fn process(&self, mode: Mode, seed: u64, store: &mut FaultyStore) -> Option<Report> {
        let (moved, signal) = {
            let now = self.now.borrow();
            (now.moved, now.plans.signal)
        };
        let given = self.server.look().given.clone();
        let mut started = Started::new(self.clock.ahead(), moved, mode.dry_run, given);
        started.signal = signal;
        self.note(self.judge.borrow_mut().begins(started));
        let process = Process {
            config: &self.config,
            server: &self.server,
            clock: &self.clock,
            seed,
        };
        let mut codes = Codes::of(self.code);
        let pass = || process.pass(mode, store, &mut codes);
        match catch_unwind(AssertUnwindSafe(pass)) {
            Ok(report) => Some(report),
            Err(thrown) if thrown.is::<Killed>() => None,
            Err(thrown) => {
                let text = thrown.downcast_ref::<String>().cloned();
                let text = text.or(thrown.downcast_ref::<&str>().map(ToString::to_string));
                let text = text.unwrap_or_default();
                self.note(Err(format!("P6: the program panicked: {text}")));
                None
            }
        }
    }

    fn end(&self, report: Option<&Report>, failure: Option<Failure>, took: Duration, locked: bool) {
        let end = report.map_or(End::Killed, |report| End::Reported {
            report,
            failure,
            took,
            locked,
        });
        self.judge_new();
        let judged = {
            let world = self.server.look();
            let mut judge = self.judge.borrow_mut();
            let violation = world.violations.first();
            violation
                .map_or(Ok(()), |violation| Err(format!("P5: {violation}")))
                .and(judge.ends(&world, &end))
        };
        self.note(judged);
    }

    fn judge_new(&self) {
        let world = self.server.look();
        while self.judged.get() < world.record.len() {
            let index = self.judged.get();
            self.judged.set(index + 1);
            self.note(self.judge.borrow_mut().received(&world.record, index));
        }
    }

    pub fn note(&self, judged: Judged) {
        if let Err(broken) = judged {
            self.broken.borrow_mut().get_or_insert(broken);
        }
    }

    pub fn count(&self, what: &'static str) {
        self.tally.borrow_mut().count(what);
    }

    fn kill(&self, what: &'static str) -> ! {
        self.count(what);
        resume_unwind(Box::new(Killed))
    }

    /// Another machine starts over the same database, without the lock that a file would have.
    fn another_starts(&self, step: usize, ahead: i64) {
        let Some(mut store) = self.other.borrow_mut().take() else {
            return;
        };
        self.count("overlapping starts");
        let own = self.clock.ahead();
        if ahead != 0 {
            self.clock.set_ahead(ahead);
        }
        let seed = self.now.borrow().seed.wrapping_add(step as u64 + 1);
        self.now.borrow_mut().nested = true;
        store.restart(None);
        // The silence of the one is not that of the other, nor is what it was told of the time.
        let (silent, told) = {
            let mut world = self.server.world();
            let world = &mut *world;
            (take(&mut world.silent), take(&mut world.told))
        };
        let before = self.clock.monotonic();
        let report = self.process(Mode::default(), seed, &mut store);
        let took = self.clock.monotonic().saturating_sub(before);
        if ahead != 0 {
            self.clock.set_ahead(own + self.clock.ahead() - ahead);
        }
        self.end(report.as_ref(), None, took, false);
        {
            let mut world = self.server.world();
            (world.silent, world.told) = (silent, told);
        }
        let mut now = self.now.borrow_mut();
        now.nested = false;
        now.away += took;
        *self.other.borrow_mut() = Some(store);
    }

    fn stop_if_broken(&self) {
        if self.broken.borrow().is_some() {
            resume_unwind(Box::new(Killed));
        }
    }
}

impl Steps for Stage {
    fn before(&self, step: Step) {
        self.stop_if_broken();
        let mut now = self.now.borrow_mut();
        if now.nested {
            return;
        }
        let number = now.steps;
        now.steps += 1;
        if now.plans.kill == Some((number, When::Before)) {
            drop(now);
            self.kill(killed(step, When::Before));
        }
        let due = now.plans.overlaps.iter().position(|(at, _)| *at <= number);
        if let Some(due) = due
            && !self.judge.borrow().has_open_claim()
        {
            let (_, ahead) = now.plans.overlaps.remove(due);
            drop(now);
            self.another_starts(number, ahead);
            self.stop_if_broken();
            now = self.now.borrow_mut();
        }
        if let Step::Store(_) = step {
            if let Some((call, span)) = now.plans.locked
                && call == now.store_calls
            {
                now.locked_until = Some(self.clock.monotonic() + span);
                now.met_a_lock = true;
                self.count("locked databases");
            }
            now.store_calls += 1;
        }
    }

    fn waits(&self, most: Duration) -> bool {
        let until = {
            let now = self.now.borrow();
            now.locked_until.filter(|_| !now.nested)
        };
        let Some(until) = until else {
            return true;
        };
        let left = until.saturating_sub(self.clock.monotonic());
        self.clock.spend(left.min(most));
        let mut now = self.now.borrow_mut();
        if left <= most {
            now.locked_until = None;
            if !left.is_zero() {
                self.count("waits for a lock");
            }
            return true;
        }
        // Others may look at the database between two calls, and so do the judges.
        self.lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        now.waited_in_vain = true;
        self.server.expect_silence();
        self.count("waits in vain");
        false
    }

    fn after(&self, step: Step) {
        self.count("steps");
        if !self.lock.is_autocommit() {
            self.lock.execute_batch("ROLLBACK").unwrap();
        }
        match step {
            Step::Platform(_) => self.judge_new(),
            Step::Store("settle" | "recover" | "add_hold" | "apply") => {
                let world = self.server.look();
                self.note(self.judge.borrow_mut().settled(&world.record));
            }
            _ => {}
        }
        self.stop_if_broken();
        let now = self.now.borrow();
        let due = !now.nested && now.plans.kill == Some((now.steps - 1, When::After));
        drop(now);
        if due {
            self.kill(killed(step, When::After));
        }
    }
}

fn killed(step: Step, when: When) -> &'static str {
    match (step, when) {
        (Step::Store("claim"), When::Before) => "kills before a claim",
        (Step::Store("claim"), When::After) => "kills after a claim",
        (Step::Store("settle"), When::Before) => "kills before a settlement",
        (Step::Store("settle"), When::After) => "kills after a settlement",
        (Step::Store(_), _) => "kills around another transaction",
        (Step::Platform(_), When::Before) => "kills before a request",
        (Step::Platform(_), When::After) => "kills after a request",
        (Step::Sleep, _) => "kills around a pause",
    }
}
