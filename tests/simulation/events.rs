//! What happens in a history, as data: a seed makes it, the stage plays it, and what does not
//! matter for a failure can be left out of it.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use story_liker::model::{HoldReason, Timestamp};
use story_liker::ports::Interrupt;

use crate::world::*;

pub const NAMES: [&str; 3] = ["anna", "berta", "carla"];
/// Items of the n-th person are numbered from n times this on.
pub const MEDIA_OF: i64 = 100_000;
/// A post that is also found on the profile of [`NAMES`]`[0]`.
pub const SHARED: i64 = 3 * MEDIA_OF + 99_999;

/// Objections met once in a long while.
const RARE: [HoldReason; 5] = [
    HoldReason::Checkpoint,
    HoldReason::Consent,
    HoldReason::TwoFactor,
    HoldReason::Suspended,
    HoldReason::UnsupportedVersion,
];

/// How long a history is and how dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// A day or two, a start every hour or sooner.
    Days,
    /// About a week.
    Week,
    /// Two to three weeks.
    Weeks,
    /// More than two months, so that old rows are pruned.
    Season,
}

/// A rest of the day and the zone it is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Minutes after local midnight.
    pub from: i64,
    pub to: i64,
    pub zone: &'static str,
}

/// What stays the same throughout a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Independent switches.
pub struct Settings {
    pub length: Length,
    pub starts_at: Timestamp,
    pub relogin: bool,
    pub second_factor: bool,
    pub code: bool,
    pub like_posts: bool,
    pub mark_seen: bool,
    /// Whether clocks go wrong.
    pub clock_trouble: bool,
    /// Whether replies carry a `Date`.
    pub dated: bool,
    pub has_liked: HasLiked,
    pub page_size: usize,
    pub rest: Option<Rest>,
    pub tight: bool,
    /// `limits.max_runtime`.
    pub max_runtime: Duration,
    pub warm_up: bool,
    /// Whether listings hold items twice.
    pub doubles: bool,
}

/// Something that happens, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Time goes by.
    Wait(Duration),
    /// Someone posts something, this long ago.
    Story(usize, i64, Duration),
    Post(usize, i64, Duration),
    Private(usize),
    Gone(usize),
    Renamed(usize, u32),
    StoriesDeleted(usize),
    /// The wall clock is set to be so many milliseconds ahead.
    ClockAhead(i64),
    /// A person clears what needs a person and brings a session where there is none.
    PersonLooks,
    /// The platform ends the session.
    SessionDies,
    /// How the next such request that is not spared fails.
    Trouble(Act, u32, Trouble),
    /// What befalls the next such request that is not spared, or its reply.
    Odd(Act, u32, Odd),
    /// During the next start.
    Clock(Duration, clock::Event),
    /// The next start's store fails.
    StoreFails(Plan),
    /// Another program has the database locked from this call of the store in the next start on, for
    /// so long.
    Locked(usize, Duration),
    /// The next start's process is killed at this step.
    Killed(usize, When),
    /// During the next start, before this step, another machine starts a pass over the same
    /// database, with its clock so far ahead.
    Overlap(usize, i64),
    Start(Start),
}

/// One start of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    pub seed: u64,
    pub check_all: bool,
    pub dry_run: bool,
}

/// The history of a seed.
pub fn generate(seed: u64) -> (Settings, Vec<Event>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let settings = settings(&mut rng);
    let mut maker = Maker {
        rng,
        settings,
        events: Vec::new(),
        next: [0; NAMES.len()],
        ahead: false,
    };
    maker.make(seed);
    (settings, maker.events)
}

fn settings(rng: &mut ChaCha8Rng) -> Settings {
    let length = match rng.random_range(0..100) {
        0..58 => Length::Days,
        58..86 => Length::Week,
        86..93 => Length::Weeks,
        _ => Length::Season,
    };
    let rest = rng.random_bool(0.4).then(|| {
        let from = rng.random_range(0..24 * 4) * 15;
        Rest {
            from,
            to: (from + rng.random_range(2..40) * 15) % (24 * 60),
            zone: ["Europe/Berlin", "Europe/Berlin", "America/New_York", "UTC"]
                [rng.random_range(0..4)],
        }
    });
    // The day before the clocks change, somewhere in the year, or any day.
    let changes: [i64; 4] = [
        1_792_886_400, // 2026-10-25, Berlin
        1_806_192_000, // 2027-03-28, Berlin
        1_793_491_200, // 2026-11-01, New York
        1_804_982_400, // 2027-03-14, New York
    ];
    let day = if rng.random_bool(0.5) {
        let days_before = if length == Length::Days { 2 } else { 7 };
        changes[rng.random_range(0..4)] - 86_400 * rng.random_range(0..days_before)
    } else {
        START.as_secs() + 86_400 * rng.random_range(0..365)
    };
    let clock_trouble = rng.random_bool(0.45);
    Settings {
        length,
        starts_at: Timestamp::from_secs(day + 3600 * rng.random_range(0..24)),
        relogin: rng.random_bool(0.5),
        second_factor: rng.random_bool(0.3),
        code: rng.random_bool(0.5),
        like_posts: rng.random_bool(0.5),
        mark_seen: rng.random_bool(0.8),
        clock_trouble,
        dated: rng.random_bool(0.7),
        has_liked: match rng.random_range(0..4) {
            0 => HasLiked::Absent,
            1 => HasLiked::LateBy(10 * MINUTE),
            _ => HasLiked::Present,
        },
        page_size: rng.random_range(2..12),
        rest,
        tight: rng.random_bool(0.5),
        max_runtime: [15 * MINUTE, 15 * MINUTE, 2 * MINUTE][rng.random_range(0..3)],
        warm_up: rng.random_bool(0.35),
        doubles: rng.random_bool(0.3),
    }
}

struct Maker {
    rng: ChaCha8Rng,
    settings: Settings,
    events: Vec<Event>,
    /// How many items each person has posted.
    next: [i64; NAMES.len()],
    /// The wall clock is wrong at present.
    ahead: bool,
}

impl Maker {
    fn make(&mut self, seed: u64) {
        for who in 0..NAMES.len() {
            for _ in 0..self.rng.random_range(1..9) {
                self.story(who, 20 * 60);
            }
            for _ in 0..self.rng.random_range(1..6) {
                self.post(who, 60 * 60);
            }
        }
        if self.chance(0.3) {
            self.events.push(Event::Post(2, SHARED, HOUR));
        }
        let (starts, two_machines, eventful) = match self.settings.length {
            Length::Days => (18, self.chance(0.2), 1.0),
            Length::Week => (26, self.chance(0.15), 0.6),
            Length::Weeks => (70, self.chance(0.15), 0.3),
            Length::Season => (36, false, 0.5),
        };
        for number in 0..starts {
            self.between();
            self.around_the_start(eventful, two_machines);
            let start = Start {
                seed: seed.wrapping_mul(1000).wrapping_add(number),
                check_all: self.chance(0.35),
                dry_run: self.chance(0.06),
            };
            self.events.push(Event::Start(start));
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn minutes(&mut self, most: u64) -> Duration {
        MINUTE * u32::try_from(self.rng.random_range(0..most)).unwrap()
    }

    fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_secs(self.rng.random_range(from..to))
    }

    fn media(&mut self, who: usize) -> i64 {
        self.next[who] += 1;
        MEDIA_OF * (who as i64 + 1) + self.next[who]
    }

    fn story(&mut self, who: usize, most_minutes: u64) {
        let (media, age) = (self.media(who), self.minutes(most_minutes));
        self.events.push(Event::Story(who, media, age));
    }

    fn post(&mut self, who: usize, most_minutes: u64) {
        let (media, age) = (self.media(who), self.minutes(most_minutes));
        self.events.push(Event::Post(who, media, age));
    }

    fn between(&mut self) {
        let gap = match (self.settings.length, self.rng.random_range(0..10)) {
            (_, 0) => self.seconds(0, 120),
            (Length::Days, 1..4) => self.minutes(20),
            (Length::Days, 4..9) => self.seconds(3300, 3900),
            (Length::Days | Length::Week, 9) => self.minutes(16 * 60),
            (Length::Week, _) => self.minutes(11 * 60),
            (Length::Weeks, _) => self.minutes(13 * 60),
            (Length::Season, 1..4) => self.minutes(12 * 60),
            (Length::Season, _) => self.minutes(6 * 24 * 60),
            (Length::Days, _) => unreachable!(),
        };
        self.events.push(Event::Wait(gap));
        while self.chance(0.3) {
            let who = self.rng.random_range(0..NAMES.len());
            if self.chance(0.75) {
                self.story(who, 60);
            } else {
                self.post(who, 60);
            }
        }
        if self.chance(0.22) {
            self.events.push(Event::PersonLooks);
        }
        if self.chance(0.06) {
            let who = self.rng.random_range(0..NAMES.len());
            self.events.push(match self.rng.random_range(0..4) {
                0 => Event::Private(who),
                1 => Event::Gone(who),
                2 => Event::Renamed(who, self.rng.random_range(0..9)),
                _ => Event::StoriesDeleted(who),
            });
        }
        if self.settings.clock_trouble && self.chance(if self.ahead { 0.5 } else { 0.15 }) {
            let far = self.chance(0.4);
            let most = if far { 90_000_000 } else { 280_000 };
            let ahead = self.rng.random_range(-most..=most);
            self.ahead = !self.chance(0.5);
            self.events
                .push(Event::ClockAhead(if self.ahead { ahead } else { 0 }));
        }
    }

    fn around_the_start(&mut self, eventful: f64, two_machines: bool) {
        // A step of the clock between a decision and its request is seen by nobody; it takes no time
        // here unless another machine is at work in between.
        if !two_machines && self.settings.clock_trouble && self.chance(0.2 * eventful) {
            let after = self.seconds(0, 300);
            let event = match self.rng.random_range(0..3) {
                0 => clock::Event::Step(self.rng.random_range(-58_000..58_000)),
                1 => clock::Event::Step(self.rng.random_range(-9_000_000..9_000_000)),
                _ => clock::Event::Suspend(self.seconds(1, 9_000)),
            };
            self.events.push(Event::Clock(after, event));
        }
        if self.chance(0.05 * eventful) {
            let signal = if self.chance(0.5) {
                Interrupt::Int
            } else {
                Interrupt::Term
            };
            let after = self.seconds(0, 300);
            self.events
                .push(Event::Clock(after, clock::Event::Signal(signal)));
        }
        while self.chance(0.3 * eventful) {
            let trouble = self.trouble();
            self.events.push(trouble);
        }
        if self.chance(0.18 * eventful) {
            self.odd(two_machines);
        }
        if self.chance(0.02 * eventful) {
            self.events.push(Event::SessionDies);
        }
        let when = if self.chance(0.5) {
            When::Before
        } else {
            When::After
        };
        if self.chance(0.3 * eventful) {
            let step = self.step(1);
            self.events.push(Event::Killed(step, when));
        } else if self.chance(0.08 * eventful) {
            let call = if self.chance(0.4) {
                let reasons = [
                    HoldReason::Throttled,
                    HoldReason::ActionBlocked,
                    HoldReason::SessionDoubtful,
                    HoldReason::LoginRequired,
                ];
                let reason = reasons[self.rng.random_range(0..4)];
                let act = [Act::Stories, Act::View, Act::Like][self.rng.random_range(0..3)];
                let objection = Trouble::Objection(reason, None);
                self.events.push(Event::Trouble(act, 0, objection));
                Plan::AT_A_HOLD
            } else {
                self.step(2)
            };
            let failures = [
                Failure::DiskFull,
                Failure::Unreadable,
                Failure::Damage,
                Failure::Settlements,
            ];
            let failure = failures[self.rng.random_range(0..4)];
            self.events.push(Event::StoreFails(Plan {
                call,
                when,
                failure,
            }));
        } else if self.chance(
            eventful
                * if self.settings.max_runtime < 15 * MINUTE {
                    0.2
                } else {
                    0.03
                },
        ) {
            let call = self.step(2);
            let span = if self.chance(0.5) {
                self.seconds(1, 60)
            } else {
                self.minutes(30)
            };
            self.events.push(Event::Locked(call, span));
        }
        if two_machines {
            while self.chance(0.4) {
                let wrong = self.settings.clock_trouble && self.settings.dated && self.chance(0.3);
                let ahead = if wrong {
                    self.rng.random_range(-90_000_000..90_000_000)
                } else {
                    0
                };
                let step = self.step(1);
                self.events.push(Event::Overlap(step, ahead));
            }
        }
    }

    /// Where in a start something happens: at its beginning, in its midst, or near the end of one that
    /// likes as much as it may. A part of them: every second step, every third.
    fn step(&mut self, every: usize) -> usize {
        let range = match self.rng.random_range(0..10) {
            0..3 => 0..12,
            3..8 => 6..60,
            _ => 60..160,
        };
        self.rng.random_range(range) / every
    }

    /// Something rare on the way of a request, with the trouble that makes it matter.
    fn odd(&mut self, two_machines: bool) {
        let acts = [Act::Stories, Act::Posts, Act::View, Act::Like, Act::Like];
        let act = acts[self.rng.random_range(0..5)];
        let after = self.rng.random_range(0..2);
        let applied = [Applied::No, Applied::Now][self.rng.random_range(0..2)];
        // A sleep is no news to the other machine: see the steps of the clock.
        let kinds = if two_machines { 2 } else { 3 };
        if self.chance(0.4) {
            return self.undated();
        }
        let (odd, trouble) = match self.rng.random_range(0..kinds) {
            0 => {
                let days = self.rng.random_range(-400..4);
                let seconds = if self.chance(0.5) {
                    86_400 * days
                } else {
                    self.rng.random_range(-7_200..7_200)
                };
                // One that is tolerated is believed, and then limits are off by as much.
                let far = if seconds < 0 { -400 } else { 400 };
                let objection = Trouble::Objection(
                    [HoldReason::Throttled, HoldReason::PleaseWait][self.rng.random_range(0..2)],
                    None,
                );
                (Odd::Misdated(seconds + far), objection)
            }
            1 => (Odd::Late(self.seconds(5, 50)), Trouble::TimedOut(applied)),
            _ => (
                Odd::Asleep(self.seconds(60, 7_200)),
                Trouble::TimedOut(applied),
            ),
        };
        self.events.push(Event::Odd(act, after, odd));
        if self.chance(0.8) {
            self.events.push(Event::Trouble(act, after, trouble));
        }
    }

    /// One reply without a `Date`: an objection to the first request, or any later one.
    fn undated(&mut self) {
        let first = self.chance(0.7);
        let acts = [
            Act::CurrentUser,
            Act::Stories,
            Act::Posts,
            Act::View,
            Act::Like,
        ];
        for act in acts {
            if first {
                // Whichever is sent first.
                self.events.push(Event::Odd(act, 0, Odd::Undated));
            } else {
                let after = self.rng.random_range(0..3);
                self.events.push(Event::Odd(act, after, Odd::Undated));
            }
        }
        if first && self.chance(0.6) {
            self.events.push(Event::SessionDies);
        }
    }

    fn trouble(&mut self) -> Event {
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
            RARE[self.rng.random_range(0..RARE.len())],
        ];
        let reason = objections[self.rng.random_range(0..objections.len())];
        let most = if reason == HoldReason::ActionBlocked {
            9 * 24 * 60
        } else {
            300
        };
        let asked = self.chance(0.4).then(|| self.minutes(most));
        let of_target = matches!(act, Act::UserByName | Act::Stories | Act::Posts);
        let of_item = matches!(act, Act::MediaInfo | Act::View | Act::Like);
        let trouble = match self.rng.random_range(0..16) {
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
            12 | 13 => Trouble::Slow(self.rng.random_range(1..20)),
            _ => Trouble::Objection(reason, asked),
        };
        Event::Trouble(act, self.rng.random_range(0..3), trouble)
    }
}
