//! The promises, judged after every step from what the server received and when, and from the rows
//! of the database, read by statements of its own. Nothing of the program's counting is used. Only
//! what is new is judged, so that judging costs little. Rows that contradict each other are looked
//! for at the end of each start, foreign keys and the file itself at the end of a history.
//!
//! Which clock: the server's own, wherever replies carry a `Date` or the program's clock is never
//! wrong. Where a clock goes wrong and no reply tells, nobody can know the time, and limits, holds,
//! quiet hours and the 15 minutes are judged by what the program's own clock showed, with a minute's
//! allowance: a smaller step in the middle of a pass is not noticed as one.

mod database;
mod holds;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rusqlite::Connection;
use story_liker::config::Config;
use story_liker::engage::{Report, Stop};
use story_liker::model::{HoldReason, Timestamp};

use crate::events::{NAMES, Rest, Settings};
use crate::world::platform::Entry;
use crate::world::*;

/// A `Date` has whole seconds, so the program knows the server's time no better than this.
const RESOLUTION: Duration = Duration::from_millis(2_500);
/// A step of the clock that a pass does not notice, and a little.
const UNNOTICED: Duration = Duration::from_secs(61);
/// What a pass may last longer than its report says.
const UNTOLD: Duration = Duration::from_secs(1);
/// What one lock on the database may add to a pass: an answer waits in vain, and what is tried then.
const LOCKED: Duration = Duration::from_secs(15);

/// What is broken: the promise's name, a colon, what happened.
pub type Judged = Result<(), String>;

/// One start of the program, as the promises look at it.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Independent facts, not one state in disguise.
pub struct Started {
    /// How far the wall clock was ahead when it began.
    pub ahead: i64,
    /// The clock moved while it ran.
    pub moved: bool,
    /// It was to, by itself and not only because the machine slept.
    stepped: bool,
    pub dry_run: bool,
    /// A signal may have come while it ran.
    pub signal: bool,
    /// A reply carried a wrong `Date`.
    misdated: bool,
    /// The session as the server had given it by then.
    given: String,
    /// Another machine was at work at the same time.
    pub overlapped: bool,
    /// Its requests in the server's record.
    requests: u32,
    /// How many of them, the first ones, had no `Date` in their reply.
    undated: u32,
    last: Option<usize>,
    last_act: Option<Act>,
    likes: u32,
    likes_of: [u32; NAMES.len()],
    despite_holds: Vec<(HoldKey, Act)>,
    tables: Option<BTreeMap<&'static str, Vec<String>>>,
}

impl Started {
    pub fn new(ahead: i64, moved: bool, dry_run: bool, given: String) -> Self {
        Self {
            ahead,
            moved,
            stepped: moved,
            dry_run,
            given,
            ..Self::default()
        }
    }
}

/// How a start ended.
pub enum End<'a> {
    Killed,
    Reported {
        report: &'a Report,
        failure: Option<Failure>,
        /// How long it took, others' work in between left out.
        took: Duration,
        /// It met a locked database.
        locked: bool,
    },
}

/// A hold's row, and when it was met: the numbers of pruned rows are given again.
pub type HoldKey = (i64, Timestamp);

/// A hold, as its row says.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub reason: HoldReason,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub cleared: Option<Timestamp>,
    pub attempt: Option<i64>,
    /// In which start it was first seen.
    pub met_in: usize,
}

#[derive(Default)]
struct Tried {
    likes: Vec<Timestamp>,
    /// A view of it was answered well.
    viewed: bool,
    unliked_read: Option<Timestamp>,
}

/// A request whose settlement has not been seen.
struct Pending {
    attempt: i64,
    entry: usize,
    start: usize,
    first: bool,
}

#[allow(clippy::struct_excessive_bools)] // Independent facts.
pub struct Judge {
    raw: Connection,
    config: Config,
    rest: Option<Rest>,
    relogin: bool,
    second_factor: bool,
    /// Whether time can only be judged by the program's own clock.
    own_clock: bool,
    pub starts: Vec<Started>,
    running: Vec<usize>,
    requests: Vec<Timestamp>,
    likes: Vec<Timestamp>,
    views: Vec<Timestamp>,
    logins: Vec<Timestamp>,
    likes_of: [Vec<Timestamp>; NAMES.len()],
    items: HashMap<i64, Tried>,
    pub holds: BTreeMap<HoldKey, Held>,
    pending: Vec<Pending>,
    attempts: HashMap<i64, usize>,
    start_of: Vec<usize>,
    last_claim: i64,
    last_like: Option<Timestamp>,
    /// The server has declared the session dead.
    dead: bool,
    device: Option<String>,
}

impl Judge {
    pub fn new(raw: Connection, config: Config, settings: &Settings) -> Self {
        Self {
            raw,
            config,
            rest: settings.rest,
            relogin: settings.relogin,
            second_factor: settings.second_factor,
            own_clock: settings.clock_trouble && !settings.dated,
            starts: Vec::new(),
            running: Vec::new(),
            requests: Vec::new(),
            likes: Vec::new(),
            views: Vec::new(),
            logins: Vec::new(),
            likes_of: std::array::from_fn(|_| Vec::new()),
            items: HashMap::new(),
            holds: BTreeMap::new(),
            pending: Vec::new(),
            attempts: HashMap::new(),
            start_of: Vec::new(),
            last_claim: 0,
            last_like: None,
            dead: false,
            device: None,
        }
    }

    /// The connection it judged by.
    pub fn into_raw(self) -> Connection {
        self.raw
    }

    /// Whether a request is under way.
    pub fn has_open_claim(&self) -> bool {
        self.open_claims() > 0
    }

    /// A process begins, perhaps while another runs.
    pub fn begins(&mut self, started: Started) -> Judged {
        self.read_holds(&[])?;
        let dry_run = started.dry_run;
        self.starts.push(started);
        self.running.push(self.starts.len() - 1);
        if self.running.len() > 1 {
            for index in self.running.clone() {
                self.starts[index].overlapped = true;
            }
        }
        if dry_run {
            let tables = self.tables();
            self.current().tables = Some(tables);
        }
        Ok(())
    }

    fn current(&mut self) -> &mut Started {
        let index = self.running[self.running.len() - 1];
        &mut self.starts[index]
    }

    /// A person brought a session.
    pub fn session_brought(&mut self) {
        self.dead = false;
    }

    /// The process that began last has ended.
    pub fn ends(&mut self, world: &platform::World, end: &End<'_>) -> Judged {
        let record = &world.record;
        self.settled(record)?;
        self.read_holds(record)?;
        self.device_is_the_same()?;
        self.no_contradiction()?;
        let index = self.running.pop().unwrap();
        let start = self.starts[index].clone();
        if let Some(before) = &start.tables
            && !start.overlapped
            && *before != self.tables()
        {
            return Err("P7: a dry run changed targets, items or runs".to_owned());
        }
        match end {
            End::Killed => Ok(()),
            End::Reported {
                report,
                failure,
                took,
                locked,
            } => {
                let waits = if *locked { LOCKED } else { Duration::ZERO };
                let most = self.config.limits.max_runtime + world.longest + waits;
                if *took > most {
                    return Err(format!("P6: the pass took {took:?}, allowed are {most:?}"));
                }
                let told = report.ended_at.since(report.started_at);
                let waited = took.saturating_sub(told);
                let sure = start.ahead == 0 && !start.moved && !start.misdated && !start.overlapped;
                if sure && waited > UNTOLD {
                    return Err(format!("P6: {waited:?} of the pass are not in its report"));
                }
                self.exit_code(world, &start, report, *failure)?;
                self.unsettled_objections(record, index, report, *failure)?;
                if failure.is_none() && !start.overlapped {
                    self.nothing_is_open(&start)?;
                    self.session_is_the_one_given(&start, &world.given)?;
                }
                Ok(())
            }
        }
    }

    /// P6: the documented code, worked out from what the server said and what failed.
    fn exit_code(
        &self,
        world: &platform::World,
        start: &Started,
        report: &Report,
        failure: Option<Failure>,
    ) -> Judged {
        let code = report.exit_code().number();
        let last = start.last.map(|index| &world.record[index]);
        let without = self.without_objection(world, start);
        let expected: &[u8] = match (failure, last.and_then(|entry| entry.objected)) {
            // A login that a failed store cut off, or trouble met before it, may be graver.
            (
                Some(
                    Failure::DiskFull
                    | Failure::Unreadable
                    | Failure::Settlements
                    | Failure::Locked,
                ),
                _,
            ) => &[74, 76, 77],
            (Some(Failure::Damage), _) => &[65, 76, 77],
            (Some(Failure::Crash), _) => &[70],
            (
                None,
                Some(HoldReason::Throttled | HoldReason::PleaseWait | HoldReason::ActionBlocked),
            ) => &[75, 77],
            (None, Some(HoldReason::UnknownShape)) => &[76, 77],
            (None, Some(_)) => &[77],
            (None, None) => &without,
        };
        let why = match &report.stop {
            Stop::Store { message, .. } => message.clone(),
            stop => stop.sentence(),
        };
        // Of two machines without a lock the second may learn what the first has learned already.
        let learned_twice = start.overlapped && why.contains("no like of unknown effect");
        if expected.contains(&code) || learned_twice {
            return Ok(());
        }
        Err(format!(
            "P6: exit code {code} where {expected:?} are documented: {why}"
        ))
    }

    /// A pass that meets no objection may find a hold, a full window, a wrong clock, and each code
    /// needs its reason.
    fn without_objection(&self, world: &platform::World, start: &Started) -> Vec<u8> {
        let in_force = |wanted: fn(&Held) -> bool| {
            let mut holds = self.holds.values();
            holds.any(|hold| hold.cleared.is_none() && wanted(hold))
        };
        let logged_in = start.last_act >= Some(Act::LoginPrepare);
        let clock = start.ahead != 0 || start.moved || start.misdated;
        let timed = in_force(|hold| hold.until.is_some());
        let lasting = in_force(|hold| hold.until.is_none());
        let shape = in_force(|hold| hold.reason == HoldReason::UnknownShape);
        let codes = [
            (true, 0),
            (true, 10),
            (start.signal, 130),
            (timed || clock || logged_in, 75),
            // Of two machines the other may have asked last.
            (world.unanswered || start.overlapped, 69),
            (shape, 76),
            (lasting || !self.has_session(), 77),
        ];
        let codes = codes.into_iter().filter(|(reason, _)| *reason);
        codes.map(|(_, code)| code).collect()
    }

    /// The moment of a request by the clock that can be judged by.
    fn time(&self, entry: &Entry) -> Timestamp {
        if self.own_clock { entry.wall } else { entry.at }
    }

    /// Whether the moment of this request is told by nothing: the clock moved while the machine
    /// slept, or the start's own clock is wrong and so is the `Date` of the reply.
    fn untold(&self, entry: &Entry, start: usize) -> bool {
        let start = &self.starts[start];
        entry.undated && start.ahead != 0
            || !entry.slept.is_zero() && start.stepped
            || entry.misdated != 0 && (start.ahead != 0 || start.stepped)
    }

    /// How exactly the program can know the time of this start's requests.
    fn allowance(&self, start: &Started) -> Duration {
        if self.own_clock || start.moved {
            UNNOTICED
        } else {
            RESOLUTION
        }
    }
}
