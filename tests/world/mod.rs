//! The world of the pass tests and of the simulation: a clock, a platform, a store that can fail,
//! and the rig that runs passes over them.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

pub mod clock;
pub mod platform;
pub mod steps;
pub mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use story_liker::config::*;
use story_liker::engage::{CodeSource, Mode, PassInput, Ports, Report, Waiting, pass};
use story_liker::model::*;
use story_liker::ports::{Change, Myself, SecondFactor, Store};
use story_liker::store::{Durability, LockRequest, Opening, Writer};

#[allow(unused_imports)] // Only the tests of passes name its events alone.
pub use clock::{Event, TestClock};
pub use platform::{Act, Applied, HasLiked, MYSELF, Odd, Server, Trouble, pk};
#[allow(unused_imports)] // Only the simulation watches steps.
pub use steps::{Step, Steps};
pub use store::{Failure, FaultyStore, Plan, When};

/// 2026-11-20T18:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_795_197_600);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

pub struct Rig {
    pub config: Config,
    pub clock: TestClock,
    pub server: Server,
    pub store: FaultyStore,
    pub seed: u64,
    pub plan: Option<Plan>,
    /// What the authenticator app says.
    pub code: Option<&'static str>,
    pub codes_asked: u32,
    pub code_asked_at: Option<Timestamp>,
    database: Option<PathBuf>,
    /// Deleted with the rig.
    folder: Option<tempfile::TempDir>,
}

impl Rig {
    /// A rig over a database file, with a proved session and people named like `targets`, whose pks
    /// are 1, 2, ...
    pub fn new(targets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stories.db");
        let clock = TestClock::at(START);
        let request = LockRequest {
            command: "run",
            wait: Duration::ZERO,
            clock: &clock,
        };
        let opening = Opening {
            durability: Durability::ThrowAway,
            ..Opening::default()
        };
        let writer = Writer::open(&path, &ProfileName::default(), &request, opening).unwrap();
        let mut rig = Self::over(targets, clock, writer);
        rig.database = Some(path);
        rig.folder = Some(folder);
        rig
    }

    /// The same over a database in memory.
    pub fn in_memory(targets: &[&str]) -> Self {
        let writer = Writer::in_memory(&ProfileName::default()).unwrap();
        Self::over(targets, TestClock::at(START), writer)
    }

    /// The same over any store, at the clock's time.
    pub fn over(targets: &[&str], clock: TestClock, writer: Writer) -> Self {
        let server = Server::new(clock.clone());
        for (index, name) in targets.iter().enumerate() {
            server.world().add_person(index as i64 + 1, name);
        }
        let mut rig = Self {
            config: config(targets),
            store: FaultyStore::new(writer, server.clone()),
            clock,
            server,
            seed: 1,
            plan: None,
            code: None,
            codes_asked: 0,
            code_asked_at: None,
            database: None,
            folder: None,
        };
        rig.bring_session();
        let myself = Myself {
            pk: pk(MYSELF),
            username: "operator".to_owned(),
        };
        let at = rig.clock.server();
        rig.apply(&[Change::Proved { myself, at }]);
        rig
    }

    /// Where the file is.
    pub fn database(&self) -> &std::path::Path {
        self.database.as_ref().unwrap()
    }

    /// Imports a session that nobody has proved.
    pub fn bring_session(&mut self) {
        let session = Session {
            pk: pk(MYSELF),
            json: Secret::new("{\"version\":0}"),
        };
        let at = self.clock.server();
        session
            .json
            .expose()
            .clone_into(&mut self.server.world().given);
        self.apply(&[Change::SessionObtained { session, at }]);
        self.server.world().session_alive = true;
    }

    pub fn apply(&mut self, changes: &[Change]) {
        let now = self.clock.server();
        self.store.inner.apply(changes, now).unwrap();
    }

    /// One pass of a new process.
    pub fn pass(&mut self) -> Report {
        self.pass_as(Mode::default())
    }

    pub fn check_all(&mut self) -> Report {
        self.pass_as(Mode {
            check_all: true,
            ..Mode::default()
        })
    }

    pub fn dry_run(&mut self) -> Report {
        self.pass_as(Mode {
            dry_run: true,
            ..Mode::default()
        })
    }

    pub fn pass_as(&mut self, mode: Mode) -> Report {
        self.store.restart(self.plan.take());
        self.server.restart();
        let mut codes = Codes::of(self.code);
        let process = Process {
            config: &self.config,
            server: &self.server,
            clock: &self.clock,
            seed: self.seed,
        };
        let report = process.pass(mode, &mut self.store, &mut codes);
        self.codes_asked += codes.asked;
        self.code_asked_at = codes.at.or(self.code_asked_at);
        self.seed += 1;
        self.clock.restart();
        report
    }

    pub fn later(&self, span: Duration) {
        self.clock.spend(span);
    }

    pub fn story(&self, name: &str, media: i64) {
        let now = self.clock.server();
        self.server.world().add_story(name, media, now.minus(HOUR));
    }

    pub fn post(&self, name: &str, media: i64) {
        let now = self.clock.server();
        self.server.world().add_post(name, media, now.minus(HOUR));
    }

    /// First contact is made with everyone and everything there is.
    pub fn acquainted(mut self) -> Self {
        let report = self.pass();
        assert_eq!(report.exit_code().number(), 0, "{:?}", report.stop);
        self.later(9 * HOUR);
        self.server.world().record.clear();
        self
    }

    pub fn mark(&self) -> usize {
        self.server.look().record.len()
    }

    pub fn holds(&mut self) -> Vec<Hold> {
        let forever = Timestamp::from_millis(i64::MIN);
        self.store.inner.holds(forever).unwrap()
    }

    pub fn item(&mut self, kind: ItemKind, media: i64) -> Option<LedgerItem> {
        let mut items = self.store.inner.items(kind, &[pk(media)]).unwrap();
        items.pop()
    }

    pub fn state(&mut self, kind: ItemKind, media: i64) -> (ItemState, u32) {
        let item = self.item(kind, media).unwrap();
        (item.state, item.tries)
    }

    pub fn target(&mut self, name: &str) -> Target {
        let targets = self.store.inner.targets().unwrap();
        targets
            .into_iter()
            .find(|target| target.listed_as == name)
            .unwrap()
    }

    /// Kind and outcome of every attempt on record, in order.
    pub fn outcomes(&self) -> Vec<(String, Option<String>)> {
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT kind, outcome FROM attempt ORDER BY id")
            .unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    pub fn last_outcome(&self, kind: &str) -> String {
        let outcomes = self.outcomes();
        let of_kind = outcomes.into_iter().rfind(|(of, _)| of == kind).unwrap();
        of_kind.1.unwrap_or_else(|| "none".to_owned())
    }

    /// Every row of every table, as text.
    pub fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let connection = self.connection();
        let tables = [
            "account", "session", "target", "story", "post", "run", "attempt", "hold",
        ];
        let mut dump = BTreeMap::new();
        for table in tables {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .unwrap();
            let columns = statement.column_count();
            let rows = statement
                .query_map([], |row| {
                    let values = (0..columns)
                        .map(|column| row.get::<_, rusqlite::types::Value>(column))
                        .collect::<Result<Vec<_>, _>>()?;
                    Ok(format!("{values:?}"))
                })
                .unwrap();
            dump.insert(table.to_owned(), rows.map(Result::unwrap).collect());
        }
        dump
    }

    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database.as_ref().unwrap()).unwrap()
    }
}

/// One process: what it is started with.
pub struct Process<'a> {
    pub config: &'a Config,
    pub server: &'a Server,
    pub clock: &'a TestClock,
    pub seed: u64,
}

impl Process<'_> {
    pub fn pass(&self, mode: Mode, store: &mut FaultyStore, codes: &mut Codes) -> Report {
        let account = store.inner.account().unwrap();
        let mut platform = self.server.connect(account.session);
        platform.device = account.device.map_or_else(
            || format!("{{\"made_by\":{}}}", self.seed),
            |device| device.json,
        );
        let input = PassInput {
            config: self.config,
            mode,
            seed: self.seed,
            run_id: "test",
            codes,
        };
        let ports = Ports {
            platform: &mut platform,
            store,
            clock: self.clock,
            waiting: &mut Nobody,
        };
        pass(input, ports)
    }
}

/// An authenticator app, or none.
pub struct Codes {
    code: Option<&'static str>,
    asked: u32,
    at: Option<Timestamp>,
}

impl Codes {
    pub fn of(code: Option<&'static str>) -> Self {
        Self {
            code,
            asked: 0,
            at: None,
        }
    }
}

impl CodeSource for Codes {
    fn code(&mut self, _: &SecondFactor, now: Timestamp) -> Result<Secret, String> {
        self.asked += 1;
        self.at = Some(now);
        self.code
            .map(Secret::new)
            .ok_or_else(|| "no authenticator app is configured".to_owned())
    }
}

/// Nobody watches.
pub struct Nobody;

impl Waiting for Nobody {
    fn wait(&mut self, _: Timestamp, _: Timestamp, _: &str) {}
    fn over(&mut self) {}
}

fn range(min: u64, max: u64) -> PauseRange {
    PauseRange {
        min: Duration::from_secs(min),
        max: Duration::from_secs(max),
    }
}

pub fn limits(texts: &[&str]) -> Vec<Limit> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The documented defaults.
pub fn config(targets: &[&str]) -> Config {
    Config {
        profile: ProfileName::default(),
        database: PathBuf::from("stories.db"),
        account: AccountConfig::default(),
        session_keys: Keyring::default(),
        targets: targets.iter().map(|name| target(name)).collect(),
        limits: Limits {
            likes: limits(&["12/1h", "60/24h", "300/7d"]),
            story_views: limits(&["30/1h"]),
            requests: limits(&["60/1h", "400/24h"]),
            logins: limits(&["1/6h", "2/24h"]),
            likes_per_run: 10,
            likes_per_target_per_run: 3,
            likes_per_target: limits(&["8/24h"]),
            warm_up: Vec::new(),
            max_runtime: 15 * MINUTE,
        },
        pace: Pace {
            between_likes: range(25, 75),
            between_requests: range(5, 12),
            between_targets: range(20, 60),
            start_jitter: Duration::ZERO,
        },
        stories: Stories {
            check_every: 2 * HOUR,
            mark_seen: true,
        },
        posts: Posts {
            check_every: 8 * HOUR,
            per_target: 9,
            max_age: 72 * HOUR,
        },
        first_contact: FirstContact {
            like_stories: true,
            like_posts: false,
        },
        quiet_hours: None,
        time_zone: jiff::tz::TimeZone::UTC,
        session: SessionConfig {
            keep_alive: 12 * HOUR,
            relogin: false,
        },
        stories_after: DAY,
        history_keep: 400 * DAY,
        metrics_file: None,
        ping: None,
        notify: NotifyConfig::default(),
        instagram: InstagramConfig {
            base_url: BaseUrl::LoopbackPlain(SocketAddr::from(([127, 0, 0, 1], 9))),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(20),
            ca_file: None,
            app_profile: AppProfile {
                app_version: String::new(),
                version_code: String::new(),
                bloks_version_id: String::new(),
            },
        },
    }
}

pub fn target(name: &str) -> TargetConfig {
    TargetConfig {
        username: name.to_owned(),
        enabled: true,
        stories: true,
        posts: true,
    }
}
