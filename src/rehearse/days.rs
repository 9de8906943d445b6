//! The days of a rehearsal, pass by pass.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::tz::TimeZone;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;

use super::plan::Plan;
use super::stage::{Stage, Visit};
use super::summary::{Held, Summary, summarise};
use crate::clock::VirtualClock;
use crate::engage::{Report, Stop};
use crate::exit::ExitCode;
use crate::model::Timestamp;
use crate::ports::{Clock, StoreError};
use crate::practice::{Options, RecordEntry, Server, Wire};

/// From this hour of the day, by the operator's clock, a person looks whether they are needed.
const MORNING: i8 = 8;

/// What a rehearsal showed.
pub struct Rehearsal {
    /// Every pass.
    pub passes: Vec<Report>,
    /// What the server received.
    pub record: Vec<RecordEntry>,
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

pub(super) fn cannot(what: &str, error: &dyn std::error::Error) -> RehearseError {
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
/// first pass, `passed` each pass as it ends; what it refuses ends the rehearsal there.
pub fn rehearse(
    plan: &Plan,
    clock_made: impl FnOnce(VirtualClock),
    mut passed: impl FnMut(&Report) -> Result<(), RehearseError>,
) -> Result<Rehearsal, RehearseError> {
    let folder = tempfile::Builder::new()
        .prefix("story-liker-rehearsal-")
        .tempdir()
        .map_err(|error| cannot("a temporary folder cannot be made", &error))?;
    let start = plan.schedule.begins();
    let clock = VirtualClock::new(start);
    clock_made(clock.clone());
    let server = Server::start(Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        wire: Wire::Tls,
        seed: plan.seed,
        clock: Arc::new(clock.clone()),
        world: plan.meets(),
        switches: plan.switches,
        client_timeout: plan.config.instagram.timeout,
    })
    .map_err(|error| cannot("the practice Instagram cannot be started", &error))?;
    let days = plan.schedule.days();
    let wrong = plan.hardship.plan(plan.seed, start.as_millis(), days);
    for trouble in plan.troubles.iter().cloned().chain(wrong.troubles) {
        server.arm(trouble);
    }
    let mut session_ends = wrong.session_ends_ms.into_iter().peekable();
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let stage = Stage::new(plan, &server, &clock, folder.path())?;
    stage.import(&server.credentials().session_id, &mut rng)?;

    let mut passes = Vec::new();
    let mut ends = Vec::new();
    let mut visits: Vec<Visit> = Vec::new();
    let mut mornings = Mornings::new(start, &plan.config.time_zone);
    for number in 0..plan.schedule.passes() {
        let Some(at) = plan.schedule.start(number, &mut rng) else {
            break;
        };
        clock.advance_to(at);
        let now_ms = clock.now().as_millis();
        if session_ends.next_if(|ends| *ends <= now_ms).is_some() {
            server.revoke_sessions();
        }
        if mornings.begins(clock.now()) {
            visits.extend(stage.visit(&mut rng)?);
        }
        let report = stage.pass(rng.random())?;
        passed(&report)?;
        passes.push(report);
        ends.push(clock.now());
    }
    let record = server.record();
    reached(&record, &passes)?;
    let held = Held {
        config: &stage.config,
        server: &server,
        record: &record,
        passes: &passes,
        ends: &ends,
        visits: &visits,
        start,
        end: clock.now(),
        days,
    };
    let summary = summarise(&held);
    Ok(Rehearsal {
        passes,
        record,
        summary,
    })
}

/// No promise is kept or broken where nothing came to be judged.
fn reached(record: &[RecordEntry], passes: &[Report]) -> Result<(), RehearseError> {
    let unavailable = |report: &Report| matches!(report.stop, Stop::Unavailable { .. });
    if !record.is_empty() || !passes.iter().any(unavailable) {
        return Ok(());
    }
    Err(RehearseError {
        code: ExitCode::Unavailable,
        message: "no request reached the practice Instagram on 127.0.0.1, so nothing was rehearsed; \
                  is the loopback interface up (`ip link set lo up`), and does no firewall stand in \
                  between?"
            .to_owned(),
    })
}

/// Tells the first moment of each morning.
struct Mornings<'a> {
    zone: &'a TimeZone,
    last: Option<jiff::civil::Date>,
}

impl<'a> Mornings<'a> {
    fn new(start: Timestamp, zone: &'a TimeZone) -> Self {
        let mut mornings = Self { zone, last: None };
        // Who starts a rehearsal has looked already.
        mornings.begins(start);
        mornings
    }

    fn begins(&mut self, now: Timestamp) -> bool {
        let moment = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
        let local = self.zone.to_datetime(moment);
        let new = local.hour() >= MORNING && self.last.is_none_or(|last| last < local.date());
        if new {
            self.last = Some(local.date());
        }
        new
    }
}
