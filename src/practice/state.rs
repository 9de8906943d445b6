//! Everything the server remembers, behind one lock.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::time::Duration;

use super::credentials::{self, Credentials};
use super::reactions::Reactions;
use super::record::Record;
use super::request::Request;
use super::sessions::Sessions;
use super::switches::Switches;
use super::trouble::Troubles;
use super::world::World;

/// Milliseconds a request takes on a virtual clock.
const LATENCY_MS: std::ops::RangeInclusive<u64> = 80..=400;

/// The server's memory.
pub struct State {
    /// Users and what they publish.
    pub world: World,
    /// What the operator did to it.
    pub reactions: Reactions,
    /// Positions of the switches.
    pub switches: Switches,
    /// Armed troubles.
    pub troubles: Troubles,
    /// Sessions and devices.
    pub sessions: Sessions,
    /// What was received.
    pub record: Record,
    /// What gets in.
    pub credentials: Credentials,
    /// Identifier of a login that waits for its second factor.
    pub second_factor: Option<String>,
    /// Requests answered so far; drives whatever happens "now and then".
    pub answered: u64,
    latency: ChaCha8Rng,
    ids: ChaCha8Rng,
}

impl State {
    /// The state of a fresh server.
    pub fn new(seed: u64, world: World, switches: Switches) -> Self {
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(u64::MAX - number);
            rng
        };
        let credentials = Credentials::of_seed(seed);
        let mut sessions = Sessions::default();
        sessions.open(credentials.session_id.clone(), credentials.pk, None);
        Self {
            world,
            reactions: Reactions::default(),
            switches,
            troubles: Troubles::default(),
            sessions,
            record: Record::default(),
            credentials,
            second_factor: None,
            answered: 0,
            latency: stream(1),
            ids: stream(2),
        }
    }

    /// How long the next request takes on a virtual clock: on the way there, on the way back.
    pub fn draw_latency(&mut self) -> (Duration, Duration) {
        let whole = self.latency.random_range(LATENCY_MS);
        let there = whole / 2;
        (
            Duration::from_millis(there),
            Duration::from_millis(whole - there),
        )
    }

    /// Opens a new session that no device has used yet. Returns its id.
    pub fn new_session(&mut self) -> String {
        let id = credentials::session_id(&mut self.ids, self.sessions.count() + 1);
        self.sessions.open(id.clone(), self.credentials.pk, None);
        id
    }

    /// Opens a new session for the device that made this request.
    pub fn open_session(&mut self, request: &Request) -> usize {
        let id = credentials::session_id(&mut self.ids, self.sessions.count() + 1);
        self.sessions.open(id, self.credentials.pk, Some(request))
    }

    /// Some hex digits that nobody can guess, and that a seed repeats.
    pub fn draw_hex(&mut self) -> String {
        format!(
            "{:016x}{:016x}",
            self.ids.random::<u64>(),
            self.ids.random::<u64>()
        )
    }
}
