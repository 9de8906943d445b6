//! The days of a rehearsal, pass by pass.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;

use super::summary::{Summary, silence, summarise};
use crate::clock::VirtualClock;
use crate::config::{BaseUrl, Config, TargetConfig};
use crate::engage::{Mode, PassInput, Ports, Report, Waiting, pass};
use crate::exit::ExitCode;
use crate::instagram::{Instagram, settings};
use crate::model::{Secret, Timestamp};
use crate::ports::{Change, Clock, Platform, SecondFactor, Store, StoreError};
use crate::practice::switches::Switches;
use crate::practice::{Options, Server, trouble};
use crate::store::{Durability, LockRequest, Opening, Writer};

/// Every rehearsal begins at this moment, so that two of them can be compared: 2026-11-21, 06:00 UTC.
const START: Timestamp = Timestamp::from_secs(1_795_240_800);

/// The timer starts a pass every hour, late by up to this much, as timers with a spread do.
const EVERY: Duration = Duration::from_hours(1);
const TIMER_SPREAD: Duration = Duration::from_mins(5);

/// What to rehearse.
pub struct Plan {
    /// Limits, pauses and all else; targets, database and address are replaced.
    pub config: Config,
    /// How many days of hourly passes.
    pub days: u32,
    /// Seed of world and pauses.
    pub seed: u64,
    /// Whether the practice Instagram makes mild trouble.
    pub trouble: bool,
    /// How it behaves where the real one is not known.
    pub switches: Switches,
}

/// What a rehearsal showed.
pub struct Rehearsal {
    /// Every pass.
    pub passes: Vec<Report>,
    /// What it came to, from the server's record.
    pub summary: Summary,
}

/// A rehearsal that could not be held.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct RehearseError {
    /// The exit code.
    pub code: ExitCode,
    /// What happened.
    pub message: String,
}

impl From<StoreError> for RehearseError {
    fn from(error: StoreError) -> Self {
        Self {
            code: error.exit_code(),
            message: error.to_string(),
        }
    }
}

fn cannot(what: &str, error: &dyn std::error::Error) -> RehearseError {
    let mut message = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    RehearseError {
        code: ExitCode::CantCreat,
        message,
    }
}

/// Holds the rehearsal in a temporary folder. `clock_made` is told the virtual clock before the
/// first pass, `passed` each pass as it ends.
pub fn rehearse(
    plan: &Plan,
    clock_made: impl FnOnce(VirtualClock),
    mut passed: impl FnMut(&Report),
) -> Result<Rehearsal, RehearseError> {
    let folder = tempfile::Builder::new()
        .prefix("story-liker-rehearsal-")
        .tempdir()
        .map_err(|error| cannot("a temporary folder cannot be made", &error))?;
    let clock = VirtualClock::new(START);
    clock_made(clock.clone());
    let options = Options {
        switches: plan.switches,
        ..Options::rehearsal(plan.seed, Arc::new(clock.clone()))
    };
    let server = Server::start(options)
        .map_err(|error| cannot("the practice Instagram cannot be started", &error))?;
    if plan.trouble {
        for trouble in trouble::mild(plan.seed, START.as_millis(), plan.days) {
            server.arm(trouble);
        }
    }
    let config = rehearsal_config(plan, &server, folder.path())?;
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    import_session(&config, &server, &clock, &mut rng)?;

    let mut passes = Vec::new();
    let mut silences = Vec::new();
    for hour in 0..plan.days * 24 {
        let spread = rng.random_range(0..=TIMER_SPREAD.as_secs());
        clock.advance_to(START.plus(EVERY * hour + Duration::from_secs(spread)));
        let report = one_pass(&config, &clock, rng.random())?;
        passed(&report);
        silences.extend(silence(&report.stop, clock.now()));
        passes.push(report);
    }
    let span = (START, clock.now());
    let summary = summarise(&config, &server, &passes, &silences, span);
    Ok(Rehearsal { passes, summary })
}

/// The configuration with everything replaced that names the outside world.
fn rehearsal_config(plan: &Plan, server: &Server, folder: &Path) -> Result<Config, RehearseError> {
    let mut config = plan.config.clone();
    config.database = folder.join("stories.db");
    config.instagram.base_url = BaseUrl::LoopbackTls(server.address());
    let ca_file = folder.join("practice-ca.pem");
    std::fs::write(&ca_file, server.ca_pem().unwrap_or_default())
        .map_err(|error| cannot("the practice certificate cannot be written", &error))?;
    config.instagram.ca_file = Some(ca_file);
    config.account.password = None;
    config.account.totp_secret = None;
    config.session.relogin = false;
    config.targets = server
        .targets()
        .into_iter()
        .map(|username| TargetConfig {
            username,
            enabled: true,
            stories: true,
            posts: true,
        })
        .collect();
    Ok(config)
}

fn open(config: &Config, clock: &VirtualClock) -> Result<Writer, StoreError> {
    let request = LockRequest {
        command: "rehearse",
        wait: Duration::ZERO,
        clock,
    };
    // Nobody misses a rehearsal's file after a power cut.
    let opening = Opening {
        durability: Durability::ThrowAway,
        ..Opening::default()
    };
    Writer::open(&config.database, &config.profile, &request, opening)
}

fn client<'a>(
    config: &Config,
    store: &mut Writer,
    clock: &'a VirtualClock,
    seed: u64,
) -> Result<Instagram<&'a VirtualClock>, RehearseError> {
    let account = store.account()?;
    let rng = ChaCha8Rng::seed_from_u64(seed);
    let (device, session) = (account.device.as_ref(), account.session.as_ref());
    Instagram::new(&config.instagram, device, session, clock, rng)
        .map_err(|error| cannot("the HTTP client cannot be built", &error))
}

fn import_session(
    config: &Config,
    server: &Server,
    clock: &VirtualClock,
    rng: &mut ChaCha8Rng,
) -> Result<(), RehearseError> {
    let session = settings::from_session_id(&server.credentials().session_id)
        .map_err(|error| cannot("the practice session cannot be used", &error))?;
    let mut store = open(config, clock)?;
    let device = client(config, &mut store, clock, rng.random())?.device();
    let changes = [
        Change::Device {
            device,
            replace: false,
        },
        Change::SessionObtained {
            session,
            at: clock.now(),
        },
    ];
    Ok(store.apply(&changes, clock.now())?)
}

fn one_pass(config: &Config, clock: &VirtualClock, seed: u64) -> Result<Report, RehearseError> {
    let mut store = open(config, clock)?;
    let mut platform = client(config, &mut store, clock, seed)?;
    let input = PassInput {
        config,
        mode: Mode::default(),
        seed,
        run_id: &format!("{seed:016x}"),
        codes: &mut no_code,
    };
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock,
        waiting: &mut Unwatched,
    };
    Ok(pass(input, ports))
}

/// A rehearsal never logs in.
fn no_code(_: &SecondFactor, _: Timestamp) -> Result<Secret, String> {
    Err("a rehearsal has no second factor".to_owned())
}

struct Unwatched;

impl Waiting for Unwatched {
    fn wait(&mut self, _: Timestamp, _: Timestamp, _: &str) {}

    fn over(&mut self) {}
}
