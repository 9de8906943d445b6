//! One history, played.

use std::rc::Rc;
use std::time::Duration;

use story_liker::config::{QuietHours, WarmUpStage};
use story_liker::engage::{Mode, Report, Stop};
use story_liker::model::{HoldReason, Secret, Timestamp};
use story_liker::ports::{Change, Store};

use crate::events::{Event, NAMES, SHARED, Settings, Start};
use crate::judge::Judge;
use crate::stage::{Memory, Plans, Stage};
use crate::tally::Tally;
use crate::world::platform::Entry;
use crate::world::*;

/// A story has been liked after so many hourly passes at the latest, if nothing objects and every
/// window has room: a rest of ten hours, and a few passes for three targets under halved limits.
const PATIENCE: u64 = 24;

/// How it went.
pub struct Played {
    pub tally: Tally,
    pub record: Vec<Entry>,
    /// What is broken, at which event.
    pub broken: Option<(usize, String)>,
}

/// How to play.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub told: bool,
    pub prunes: bool,
    /// The judge allows less than the program was told, so that something is broken.
    pub unfair: bool,
}

/// As in every history that has nothing to show.
pub const QUIETLY: How = How {
    told: false,
    prunes: true,
    unfair: false,
};

struct History {
    rig: Rig,
    stage: Rc<Stage>,
    how: How,
    plans: Plans,
    store_plan: Option<Plan>,
    moved: bool,
}

/// Plays the events, then lets everything become well and looks whether the program still works.
pub fn play(settings: &Settings, events: &[Event], how: How) -> Played {
    let memory = Memory::take();
    let clock = TestClock::at(settings.starts_at);
    let mut rig = Rig::over(&NAMES, clock, memory.one);
    rig.store.prunes = how.prunes;
    configure(&mut rig, settings);
    let mut law = rig.config.clone();
    if how.unfair {
        law.limits.requests = limits(&["22/1h"]);
    }
    let judge = Judge::new(memory.raw, law, settings);
    let stage = Rc::new(Stage::new(&rig, judge, memory.two, memory.lock));
    stage.other.borrow_mut().as_mut().unwrap().prunes = how.prunes;
    rig.clock.watch(Some(stage.clone()));
    let mut history = History {
        rig,
        stage,
        how,
        plans: Plans::default(),
        store_plan: None,
        moved: false,
    };
    let mut broken = None;
    for (number, event) in events.iter().enumerate() {
        history.happens(event);
        if let Some(what) = history.stage.broken.borrow_mut().take() {
            broken = Some((number, what));
            break;
        }
    }
    if broken.is_none() {
        broken = history.ends_well().map(|what| (events.len(), what));
    }
    history.finish(broken)
}

fn configure(rig: &mut Rig, settings: &Settings) {
    let config = &mut rig.config;
    if settings.tight {
        config.limits.likes = limits(&["5/1h", "16/24h"]);
        config.limits.story_views = limits(&["4/1h"]);
        config.limits.requests = limits(&["24/1h", "150/24h"]);
        config.limits.likes_per_run = 4;
        config.limits.likes_per_target_per_run = 2;
        config.limits.likes_per_target = limits(&["5/24h"]);
    } else {
        config.limits.likes = limits(&["9/1h", "25/24h", "60/7d"]);
        config.limits.story_views = limits(&["12/1h"]);
        config.limits.requests = limits(&["40/1h", "200/24h"]);
        config.limits.likes_per_run = 7;
        config.limits.likes_per_target_per_run = 3;
        config.limits.likes_per_target = limits(&["3/1h", "9/24h"]);
    }
    if settings.warm_up {
        let stage = |percent, days| WarmUpStage {
            percent,
            span: DAY * days,
        };
        config.limits.warm_up = vec![stage(40, 1), stage(60, 4)];
    }
    config.limits.max_runtime = settings.max_runtime;
    config.session.relogin = settings.relogin;
    config.account.username = Some("operator".to_owned());
    config.account.password = Some(Secret::new("secret"));
    config.first_contact.like_posts = settings.like_posts;
    config.stories.mark_seen = settings.mark_seen;
    config.history_keep = 45 * DAY;
    if let Some(rest) = settings.rest {
        let time = |minutes: i64| {
            let number = |value: i64| i8::try_from(value).unwrap();
            jiff::civil::time(number(minutes / 60), number(minutes % 60), 0, 0)
        };
        config.quiet_hours = Some(QuietHours {
            from: time(rest.from),
            to: time(rest.to),
        });
        config.time_zone = jiff::tz::TimeZone::get(rest.zone).unwrap();
    }
    rig.code = settings.code.then_some("123456");
    let mut world = rig.server.world();
    world.date = settings.dated.then_some(0);
    world.has_liked = settings.has_liked;
    world.second_factor = settings.second_factor;
    world.page_size = settings.page_size;
    world.doubles = settings.doubles;
}

impl History {
    fn happens(&mut self, event: &Event) {
        if self.how.told {
            self.tell(event);
        }
        let now = self.rig.clock.server();
        match *event {
            Event::Wait(span) => self.rig.later(span),
            Event::Story(who, media, age) => {
                let story = platform::thing(media, now.minus(age));
                self.rig.server.world().people[who].stories.push(story);
            }
            Event::Post(who, media, age) => {
                let mut world = self.rig.server.world();
                let post = platform::thing(media, now.minus(age));
                if media == SHARED {
                    world.people[0].posts.push(post.clone());
                }
                world.people[who].posts.push(post);
            }
            Event::Private(who) => {
                let mut world = self.rig.server.world();
                world.people[who].private = !world.people[who].private;
            }
            Event::Gone(who) => {
                let mut world = self.rig.server.world();
                world.people[who].gone = !world.people[who].gone;
            }
            Event::Renamed(who, number) => {
                self.rig.server.world().people[who].name = format!("renamed{number}");
            }
            Event::StoriesDeleted(who) => {
                let mut world = self.rig.server.world();
                let stories = world.people[who].stories.iter_mut();
                stories.step_by(3).for_each(|story| story.gone = true);
            }
            Event::ClockAhead(millis) => self.rig.clock.set_ahead(millis),
            Event::PersonLooks => self.a_person_looks(false),
            Event::SessionDies => self.rig.server.world().session_alive = false,
            Event::Trouble(act, after, trouble) => self.rig.server.fail_after(act, after, trouble),
            Event::Odd(act, after, odd) => self.rig.server.befall_after(act, after, odd),
            Event::Clock(after, event) => {
                let signal = matches!(event, clock::Event::Signal(_));
                self.plans.signal |= signal;
                self.moved |= !signal;
                self.rig.clock.schedule(after, event);
                self.stage.count(match event {
                    clock::Event::Step(_) => "clock steps",
                    clock::Event::Suspend(_) => "suspends",
                    clock::Event::Signal(_) => "signals",
                });
            }
            Event::StoreFails(plan) => self.store_plan = Some(plan),
            Event::Locked(call, span) => self.plans.locked = Some((call, span)),
            Event::Killed(step, when) => self.plans.kill = Some((step, when)),
            Event::Overlap(step, ahead) => self.plans.overlaps.push((step, ahead)),
            Event::Start(start) => self.start(start),
        }
    }

    /// Clears what needs a person, or everything, and brings a session where there is none.
    fn a_person_looks(&mut self, everything: bool) {
        let holds = self.rig.holds();
        let open = holds.iter().filter(|hold| hold.cleared_at.is_none());
        let cleared: Vec<_> = open
            .filter(|hold| everything || hold.needs_person())
            .map(|hold| Change::HoldCleared {
                hold: hold.id,
                by: "resume",
            })
            .collect();
        self.rig.apply(&cleared);
        if everything || self.rig.store.inner.account().unwrap().session.is_none() {
            self.rig.bring_session();
            self.stage.judge.borrow_mut().session_brought();
        }
        let judged = self.stage.judge.borrow_mut().person_cleared();
        self.stage.note(judged);
    }

    fn start(&mut self, start: Start) {
        let at_a_hold = matches!(self.store_plan, Some(plan) if plan.call == Plan::AT_A_HOLD);
        self.rig.store.restart(self.store_plan.take());
        self.rig.server.restart();
        let mode = Mode {
            check_all: start.check_all,
            dry_run: start.dry_run,
            only: None,
        };
        let plans = std::mem::take(&mut self.plans);
        let moved = std::mem::take(&mut self.moved);
        let from = self.rig.mark();
        let wrong = self.rig.clock.ahead() != 0;
        let store = &mut self.rig.store;
        let report = self.stage.start(mode, start.seed, plans, moved, store);
        self.rig.clock.restart();
        let mut tally = self.stage.tally.borrow_mut();
        if wrong {
            tally.count("starts with a wrong clock");
        }
        if start.dry_run {
            tally.count("dry runs");
        }
        if let Some(report) = &report {
            let pruned = report.pruned;
            let rows = pruned.stories + pruned.attempts + pruned.holds + pruned.runs;
            tally.add("rows pruned", rows);
            let halved = u64::from(report.halved_until.is_some());
            tally.add("halved passes", halved);
        }
        if at_a_hold && self.rig.store.failed() {
            tally.count("objections that could not be settled");
        }
        match (
            report.as_ref().map(|report| &report.stop),
            self.rig.store.failure(),
        ) {
            (_, Some(Failure::DiskFull | Failure::Unreadable | Failure::Settlements)) => {
                tally.count("disk errors");
            }
            (_, Some(Failure::Locked)) => {}
            (_, Some(_)) => tally.count("damaged databases"),
            (Some(Stop::WindowFull { .. }), _) => tally.count("full windows"),
            (Some(Stop::TimeUsed), _) => tally.count("times used up"),
            (Some(Stop::QuietHours { .. }), _) => tally.count("quiet hours"),
            (Some(Stop::Held(_)), _) => tally.count("starts under a hold"),
            (Some(Stop::LoggedInAgain), _) => tally.count("logins"),
            (Some(Stop::ClockOff { .. } | Stop::ClockJumped { .. }), _) => {
                tally.count("clocks not trusted");
            }
            _ => {}
        }
        drop(tally);
        if self.how.told {
            self.tell_start(from, report.as_ref());
        }
    }

    /// Liveness: with nothing in the way the program likes what it is for.
    fn ends_well(&mut self) -> Option<String> {
        let week = 8 * DAY;
        {
            let mut world = self.rig.server.world();
            world.troubles.clear();
            world.odds.clear();
            for (person, name) in world.people.iter_mut().zip(NAMES) {
                (person.private, person.gone) = (false, false);
                // Renamed before the first contact, nobody would know who that is.
                name.clone_into(&mut person.name);
            }
        }
        self.rig.clock.set_ahead(0);
        self.rig.later(week);
        self.a_person_looks(true);
        let stories = [90_001, 190_001, 290_001].map(|number| number + 100_000);
        for (who, media) in stories.into_iter().enumerate() {
            self.happens(&Event::Story(who, media, Duration::ZERO));
        }
        for seed in 0..PATIENCE {
            self.happens(&Event::Start(Start {
                seed,
                check_all: true,
                dry_run: false,
            }));
            if let Some(broken) = self.stage.broken.borrow_mut().take() {
                return Some(broken);
            }
            if stories
                .iter()
                .all(|media| self.rig.server.likes_of(*media) == 1)
            {
                self.stage
                    .tally
                    .borrow_mut()
                    .add("passes until all is liked", seed + 1);
                return self.stage.judge.borrow().sound_file().err();
            }
            self.rig.later(HOUR + MINUTE);
        }
        Some("liveness: with nothing in the way, new stories are not liked".to_owned())
    }

    fn tell(&self, event: &Event) {
        let at = self.rig.clock.server();
        match event {
            Event::Wait(span) => println!("{at}  wait {}", humantime::format_duration(*span)),
            event => println!("{at}  {event:?}"),
        }
    }

    fn tell_start(&mut self, from: usize, report: Option<&Report>) {
        for entry in &self.rig.server.look().record[from..] {
            println!(
                "    {}  {:?} {}{}{}",
                entry.at,
                entry.act,
                entry.on.map_or(String::new(), |on| on.to_string()),
                entry
                    .objected
                    .map_or(String::new(), |it| format!(", answered {it:?}")),
                if entry.at.distance(entry.wall) < Duration::from_secs(1) {
                    String::new()
                } else {
                    format!(", its own clock shows {}", entry.wall)
                }
            );
        }
        let ended = report.map_or("killed".to_owned(), |report| {
            format!(
                "{}: {}",
                report.exit_code().number(),
                report.stop.sentence()
            )
        });
        println!("    ended with {ended}");
        for hold in self.rig.holds() {
            if hold.cleared_at.is_none() {
                let until = hold
                    .until
                    .map_or("a person acts".to_owned(), |at| at.to_string());
                println!("    hold {:?} until {until}", hold.reason);
            }
        }
    }

    fn finish(self, broken: Option<(usize, String)>) -> Played {
        self.rig.clock.watch(None);
        let Ok(stage) = Rc::try_unwrap(self.stage) else {
            panic!("nobody else has the stage");
        };
        let record = std::mem::take(&mut self.rig.server.world().record);
        let mut tally = stage.tally.into_inner();
        let judge = stage.judge.into_inner();
        for hold in judge.holds.values() {
            tally.count("holds");
            tally.count(match hold.reason {
                HoldReason::ActionBlocked => "action blocks",
                HoldReason::Throttled | HoldReason::PleaseWait => "throttlings",
                HoldReason::Challenge => "challenges",
                HoldReason::LoginRequired | HoldReason::LoggedOut => "dead sessions",
                HoldReason::Checkpoint => "checkpoints",
                HoldReason::Consent => "consents",
                HoldReason::TwoFactor => "second factors",
                HoldReason::Suspended => "suspensions",
                HoldReason::UnsupportedVersion => "unsupported versions",
                _ => "other holds",
            });
        }
        account_for(&mut tally, &record);
        tally.add("doubled holds", judge.doubled_holds());
        tally.add("likes disproved", judge.disproved_likes());
        let (raw, two) = (judge.into_raw(), stage.other.into_inner());
        if let (None, Some(two)) = (&broken, two) {
            let memory = Memory {
                one: self.rig.store.inner,
                two: two.inner,
                raw,
                lock: stage.lock,
            };
            memory.give_back();
        }
        Played {
            tally,
            record,
            broken,
        }
    }
}

fn account_for(tally: &mut Tally, record: &[Entry]) {
    tally.count("histories");
    tally.add("requests", record.len() as u64);
    for entry in record {
        let odd = [
            (!entry.slept.is_zero(), "suspends before a request"),
            (!entry.late.is_zero(), "late requests"),
            (entry.misdated != 0, "wrong dates"),
            (entry.undated, "missing dates"),
            (
                entry.undated && entry.objected.is_some(),
                "missing dates of objections",
            ),
            (
                entry.misdated != 0 && entry.objected.is_some(),
                "wrong dates of objections",
            ),
        ];
        let odd = odd.into_iter().filter(|(met, _)| *met);
        odd.for_each(|(_, what)| tally.count(what));
    }
    let mut likes: Vec<(Option<i64>, Timestamp)> = record
        .iter()
        .filter(|entry| entry.act == Act::Like)
        .map(|entry| (entry.on, entry.at))
        .collect();
    tally.add("likes", likes.len() as u64);
    likes.sort_unstable();
    let again = likes
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .count();
    tally.add("second likes", again as u64);
    let spans = record.first().zip(record.last());
    let days = spans.map_or(0, |(first, last)| {
        last.at.since(first.at).as_secs() / 86_400
    });
    tally.add("days", days);
}
