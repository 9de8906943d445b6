//! One seeded history.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use story_liker::engage::{Mode, Report, Stop};
use story_liker::model::{HoldId, HoldReason};
use story_liker::ports::{Change, Clock, Interrupt, Store};

use crate::promises;
use crate::world::*;

const NAMES: [&str; 3] = ["anna", "berta", "carla"];
const PASSES: u32 = 22;

/// What happened, so that an idle simulation is noticed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub passes: u64,
    pub requests: u64,
    pub likes: u64,
    pub second_likes: u64,
    pub crashes: u64,
    pub holds: u64,
    pub full_windows: u64,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.passes += other.passes;
        self.requests += other.requests;
        self.likes += other.likes;
        self.second_likes += other.second_likes;
        self.crashes += other.crashes;
        self.holds += other.holds;
        self.full_windows += other.full_windows;
    }
}

/// One start of the program, as the promises look at it.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Index of its first request in the server's record.
    pub from: usize,
    /// The wall clock was wrong when it began.
    pub clock_wrong: bool,
    /// Something happened to the clock while it ran.
    pub clock_moved: bool,
    /// The store failed or the process died.
    pub failed: bool,
}

pub struct History {
    pub rig: Rig,
    pub starts: Vec<Start>,
    /// In which start each hold was met, by the start's first request.
    pub met_in: BTreeMap<HoldId, usize>,
    rng: ChaCha8Rng,
    /// Clocks are only wrong where replies carry a `Date`: without one nobody can know.
    clock_trouble: bool,
}

/// Runs the history of this seed; `told` pass by pass.
pub fn run(seed: u64, told: bool) -> Result<Tally, String> {
    let mut history = History::new(seed);
    let mut tally = Tally::default();
    for number in 0..PASSES {
        history.between_passes();
        let (report, elapsed) = history.pass();
        tally.passes += 1;
        tally.crashes += u64::from(history.rig.store.failed());
        tally.full_windows += u64::from(matches!(report.stop, Stop::WindowFull { .. }));
        let from = history.starts[history.starts.len() - 1].from;
        for hold in history.rig.holds() {
            history.met_in.entry(hold.id).or_insert(from);
        }
        if told {
            history.tell(number, &report);
        }
        promises::check(&mut history, &report, elapsed)
            .map_err(|broken| format!("seed {seed}, pass {number}: {broken}"))?;
    }
    tally.holds = history.rig.holds().len() as u64;
    let world = history.rig.server.look();
    tally.requests = world.record.len() as u64;
    let likes = world.record.iter().filter(|entry| entry.act == Act::Like);
    let mut items: Vec<_> = likes.map(|entry| entry.on).collect();
    tally.likes = items.len() as u64;
    items.sort_unstable();
    items.dedup();
    tally.second_likes = tally.likes - items.len() as u64;
    Ok(tally)
}

impl History {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rig = Rig::in_memory(&NAMES);
        rig.seed = seed;
        rig.config.limits.likes = limits(&["5/1h", "16/24h"]);
        rig.config.limits.story_views = limits(&["4/1h"]);
        rig.config.limits.requests = limits(&["24/1h", "150/24h"]);
        rig.config.limits.likes_per_run = 4;
        rig.config.limits.likes_per_target_per_run = 2;
        rig.config.limits.likes_per_target = limits(&["7/24h"]);
        rig.config.session.relogin = rng.random_bool(0.5);
        rig.config.account.username = Some("operator".to_owned());
        rig.config.account.password = Some(story_liker::model::Secret::new("secret"));
        rig.config.first_contact.like_posts = rng.random_bool(0.5);
        rig.config.stories.mark_seen = rng.random_bool(0.8);
        rig.code = rng.random_bool(0.5).then_some("123456");
        let clock_trouble = rng.random_bool(0.5);
        {
            let mut world = rig.server.world();
            world.date = (clock_trouble || rng.random_bool(0.7)).then_some(0);
            world.has_liked = match rng.random_range(0..4) {
                0 => HasLiked::Absent,
                1 => HasLiked::LateBy(10 * MINUTE),
                _ => HasLiked::Present,
            };
            world.second_factor = rng.random_bool(0.3);
            world.page_size = rng.random_range(2..12);
            let mut media = 0;
            for (index, name) in NAMES.iter().enumerate() {
                media = 1000 * (index as i64 + 1);
                for _ in 0..rng.random_range(2..14) {
                    media += 1;
                    let taken = START.minus(20 * HOUR).plus(minutes(&mut rng, 60 * 50));
                    world.add_story(name, media, taken);
                }
                for _ in 0..rng.random_range(1..9) {
                    media += 1;
                    let taken = START.minus(40 * HOUR).plus(minutes(&mut rng, 60 * 70));
                    world.add_post(name, media, taken);
                }
            }
            // A post of two authors is found on both their profiles.
            world.add_post("anna", media, START.plus(HOUR));
        }
        Self {
            rig,
            starts: Vec::new(),
            met_in: BTreeMap::new(),
            rng,
            clock_trouble,
        }
    }

    fn tell(&mut self, number: u32, report: &Report) {
        let start = self.starts[self.starts.len() - 1];
        println!("pass {number}: {} \u{b7} {start:?}", report.stop.sentence());
        for entry in &self.rig.server.look().record[start.from..] {
            println!("    {entry:?}");
        }
        for hold in self.rig.holds() {
            println!("    {hold:?}");
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn between_passes(&mut self) {
        let gap = match self.rng.random_range(0..10) {
            0 | 1 => Duration::from_secs(self.rng.random_range(0..120)),
            2..=4 => minutes(&mut self.rng, 20),
            _ => Duration::from_secs(self.rng.random_range(3300..3900)),
        };
        self.rig.later(gap);
        if self.chance(0.25) {
            self.a_person_looks();
        }
        if self.chance(0.1) {
            let who = self.rng.random_range(0..NAMES.len());
            let (what, new) = (self.rng.random_range(0..4), self.rng.random_range(0..9));
            let mut world = self.rig.server.world();
            let person = &mut world.people[who];
            match what {
                0 => person.private = !person.private,
                1 => person.gone = !person.gone,
                2 => person.name = format!("renamed{new}"),
                _ => person
                    .stories
                    .iter_mut()
                    .step_by(3)
                    .for_each(|s| s.gone = true),
            }
        }
        if self.clock_trouble && self.chance(0.3) {
            let far = self.chance(0.4);
            let most = if far { 90_000_000 } else { 280_000 };
            let ahead = self.rng.random_range(-most..=most);
            let right = self.chance(0.3);
            self.rig.clock.set_ahead(if right { 0 } else { ahead });
        }
    }

    /// Clears what needs a person and brings a session where there is none.
    fn a_person_looks(&mut self) {
        let open: Vec<_> = self
            .rig
            .holds()
            .into_iter()
            .filter(|hold| hold.cleared_at.is_none() && hold.needs_person())
            .collect();
        let cleared: Vec<_> = open
            .iter()
            .map(|hold| Change::HoldCleared {
                hold: hold.id,
                by: "resume",
            })
            .collect();
        self.rig.apply(&cleared);
        if self.rig.store.inner.account().unwrap().session.is_none() {
            self.rig.bring_session();
        }
    }

    fn pass(&mut self) -> (Report, Duration) {
        let mut clock_moved = false;
        if self.clock_trouble && self.chance(0.2) {
            clock_moved = true;
            let after = Duration::from_secs(self.rng.random_range(0..300));
            let event = match self.rng.random_range(0..3) {
                0 => Event::Step(self.rng.random_range(-58_000..58_000)),
                1 => Event::Step(self.rng.random_range(-9_000_000..9_000_000)),
                _ => Event::Suspend(Duration::from_secs(self.rng.random_range(1..9_000))),
            };
            self.rig.clock.schedule(after, event);
        }
        if self.chance(0.05) {
            let after = Duration::from_secs(self.rng.random_range(0..300));
            let signal = if self.chance(0.5) {
                Interrupt::Int
            } else {
                Interrupt::Term
            };
            self.rig.clock.schedule(after, Event::Signal(signal));
        }
        while self.chance(0.3) {
            let (act, after, trouble) = self.trouble();
            self.rig.server.fail_after(act, after, trouble);
        }
        if self.chance(0.02) {
            self.rig.server.world().session_alive = false;
        }
        if self.chance(0.35) {
            let when = if self.chance(0.5) {
                When::Before
            } else {
                When::After
            };
            let failure = match self.rng.random_range(0..5) {
                0 => Failure::DiskFull,
                _ => Failure::Crash,
            };
            self.rig.plan = Some(Plan {
                call: self.rng.random_range(0..50),
                when,
                failure,
            });
        }
        let clock_wrong = self.rig.clock.now() != self.rig.clock.server();
        let from = self.rig.mark();
        let before = self.rig.clock.monotonic();
        let mode = Mode {
            check_all: self.chance(0.4),
            dry_run: self.chance(0.05),
            only: None,
        };
        let report = self.rig.pass_as(mode);
        self.starts.push(Start {
            from,
            clock_wrong,
            clock_moved,
            failed: self.rig.store.failed(),
        });
        (report, self.rig.clock.monotonic() - before)
    }

    fn trouble(&mut self) -> (Act, u32, Trouble) {
        let act = [
            Act::CurrentUser,
            Act::UserByName,
            Act::Stories,
            Act::Stories,
            Act::Posts,
            Act::MediaInfo,
            Act::View,
            Act::View,
            Act::Like,
            Act::Like,
            Act::Like,
            Act::LoginPassword,
        ][self.rng.random_range(0..12)];
        let applied = [Applied::No, Applied::Now, Applied::Late][self.rng.random_range(0..3)];
        let asked = self.chance(0.3).then(|| minutes(&mut self.rng, 300));
        let objections = [
            HoldReason::Throttled,
            HoldReason::PleaseWait,
            HoldReason::ActionBlocked,
            HoldReason::SessionDoubtful,
            HoldReason::SessionDoubtful,
            HoldReason::LoginRequired,
            HoldReason::LoggedOut,
            HoldReason::Challenge,
            HoldReason::UnknownShape,
        ];
        let reason = objections[self.rng.random_range(0..objections.len())];
        let of_target = matches!(act, Act::UserByName | Act::Stories | Act::Posts);
        let of_item = matches!(act, Act::MediaInfo | Act::View | Act::Like);
        let trouble = match self.rng.random_range(0..14) {
            0 => Trouble::Unsent,
            1 => Trouble::NotMade,
            2 | 3 => Trouble::Broken(applied),
            4..=6 => Trouble::TimedOut(applied),
            7 => Trouble::ServerError(applied),
            8 => Trouble::Incomplete(applied),
            9 => Trouble::Page(reason),
            10 if of_target => Trouble::Private,
            11 if of_target => Trouble::UserGone,
            10 if of_item => Trouble::ItemGone,
            11 if of_item => Trouble::InvalidItem,
            _ => Trouble::Objection(reason, asked),
        };
        (act, self.rng.random_range(0..3), trouble)
    }
}

fn minutes(rng: &mut ChaCha8Rng, most: u64) -> Duration {
    MINUTE * rng.random_range(0..most) as u32
}
