//! Where a rehearsal takes place: the configuration with everything replaced that names the outside
//! world, the throw-away file, the client, one pass, and the person who comes by.

use std::path::Path;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::days::{RehearseError, cannot};
use super::plan::{Plan, targets_of};
use crate::clock::VirtualClock;
use crate::config::{BaseUrl, Config};
use crate::engage::{
    Mode, PassInput, Ports, Report, Waiting, pass, resumable, session_holds_cleared,
};
use crate::instagram::{Instagram, settings};
use crate::model::{HoldReason, Secret, Timestamp};
use crate::ports::{Change, Clock, Platform, SecondFactor, Store, StoreError};
use crate::practice::Server;
use crate::store::{Durability, LockRequest, Opening, Writer};

/// Server, clock and configuration of a rehearsal.
pub(super) struct Stage<'a> {
    pub config: Config,
    pub server: &'a Server,
    pub clock: &'a VirtualClock,
}

/// What a person did when they came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub at: Timestamp,
    /// The holds that `session import` or `resume` cleared.
    pub cleared: Vec<HoldReason>,
    pub new_session: bool,
}

impl<'a> Stage<'a> {
    pub fn new(
        plan: &Plan,
        server: &'a Server,
        clock: &'a VirtualClock,
        folder: &Path,
    ) -> Result<Self, RehearseError> {
        let mut config = plan.config.clone();
        config.database = folder.join("stories.db");
        config.instagram.base_url = BaseUrl::LoopbackTls(server.address());
        let ca_file = folder.join("practice-ca.pem");
        std::fs::write(&ca_file, server.ca_pem().unwrap_or_default())
            .map_err(|error| cannot("the practice certificate cannot be written", &error))?;
        config.instagram.ca_file = Some(ca_file);
        let credentials = server.credentials();
        config.account.username = Some(credentials.username);
        config.account.password = Some(Secret::new(credentials.password));
        config.account.totp_secret = None;
        config.targets = server.with_world(|world| targets_of(&config, world));
        Ok(Self {
            config,
            server,
            clock,
        })
    }

    fn open(&self) -> Result<Writer, StoreError> {
        let request = LockRequest {
            command: "rehearse",
            wait: Duration::ZERO,
            clock: self.clock,
        };
        // Nobody misses a rehearsal's file after a power cut.
        let opening = Opening {
            durability: Durability::ThrowAway,
            ..Opening::default()
        };
        Writer::open(
            &self.config.database,
            &self.config.profile,
            &request,
            opening,
        )
    }

    fn client(
        &self,
        store: &mut Writer,
        seed: u64,
    ) -> Result<Instagram<&'a VirtualClock>, RehearseError> {
        let account = store.account()?;
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let (device, session) = (account.device.as_ref(), account.session.as_ref());
        Instagram::new(&self.config.instagram, device, session, self.clock, rng)
            .map_err(|error| cannot("the HTTP client cannot be built", &error))
    }

    /// What `session import --session-id - --offline` does. Returns the holds this clears.
    pub fn import(
        &self,
        session_id: &str,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<HoldReason>, RehearseError> {
        let session = settings::from_session_id(session_id)
            .map_err(|error| cannot("the practice session cannot be used", &error))?;
        let mut store = self.open()?;
        let device = self.client(&mut store, rng.random())?.device();
        let now = self.clock.now();
        let holds = store.holds(now)?;
        let clearing = session_holds_cleared(&holds, now, "session import");
        let about_session = holds
            .iter()
            .filter(|hold| hold.in_force(now) && hold.reason.about_session());
        let cleared = about_session.map(|hold| hold.reason).collect();
        let mut changes = vec![
            Change::Device {
                device,
                replace: false,
            },
            Change::SessionObtained { session, at: now },
        ];
        changes.extend(clearing);
        store.apply(&changes, now)?;
        Ok(cleared)
    }

    /// A person looks at the holds. One that asks for them they settle in the app and clear: with a
    /// new session where the old one is in question, else with `resume`.
    pub fn visit(&self, rng: &mut ChaCha8Rng) -> Result<Option<Visit>, RehearseError> {
        let now = self.clock.now();
        let mut store = self.open()?;
        let holds = store.holds(now)?;
        let (clear, _) = resumable(&holds, now, false);
        if clear.is_empty() {
            return Ok(None);
        }
        let changes: Vec<Change> = clear
            .iter()
            .filter(|hold| !hold.reason.about_session())
            .map(|hold| Change::HoldCleared {
                hold: hold.id,
                by: "resume",
            })
            .collect();
        store.apply(&changes, now)?;
        let cleared = clear.iter().map(|hold| hold.reason).collect();
        let new_session = clear.iter().any(|hold| hold.reason.about_session());
        drop(store);
        if new_session {
            self.import(&self.server.new_session(), rng)?;
        }
        Ok(Some(Visit {
            at: now,
            cleared,
            new_session,
        }))
    }

    pub fn pass(&self, seed: u64) -> Result<Report, RehearseError> {
        let mut store = self.open()?;
        let mut platform = self.client(&mut store, seed)?;
        let input = PassInput {
            config: &self.config,
            mode: Mode::default(),
            seed,
            run_id: &format!("{seed:016x}"),
            codes: &mut no_code,
        };
        let ports = Ports {
            platform: &mut platform,
            store: &mut store,
            clock: self.clock,
            waiting: &mut Unwatched,
        };
        Ok(pass(input, ports))
    }
}

/// The practice account has no second factor.
fn no_code(_: &SecondFactor, _: Timestamp) -> Result<Secret, String> {
    Err("a rehearsal has no second factor".to_owned())
}

struct Unwatched;

impl Waiting for Unwatched {
    fn wait(&mut self, _: Timestamp, _: Timestamp, _: &str) {}

    fn over(&mut self) {}
}
