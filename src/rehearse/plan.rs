//! What to rehearse: a configuration, a schedule, and the world it meets.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::config::{Config, TargetConfig};
use crate::model::Timestamp;
use crate::practice::hardship::Hardship;
use crate::practice::switches::Switches;
use crate::practice::trouble::Trouble;
use crate::practice::world::World;

/// Rehearsals of days begin at this moment, so that two of them can be compared: 2026-11-21, 06:00
/// UTC.
pub const START: Timestamp = Timestamp::from_secs(1_795_240_800);

/// The timer starts a pass every hour, late by up to this much, as timers with a spread do.
const EVERY: Duration = Duration::from_hours(1);
const TIMER_SPREAD: Duration = Duration::from_mins(5);

/// What to rehearse.
pub struct Plan {
    /// All of it counts but what names the outside world: database, address, account.
    pub config: Config,
    /// When passes start.
    pub schedule: Schedule,
    /// Seed of world and pauses.
    pub seed: u64,
    /// What goes wrong.
    pub hardship: Hardship,
    /// How the practice Instagram behaves where the real one is not known.
    pub switches: Switches,
    /// Who publishes what; `None` for people of the seed who bear the names of the configured
    /// targets, or for the seed's own people where none are configured.
    pub world: Option<World>,
    /// What else goes wrong.
    pub troubles: Vec<Trouble>,
}

/// When passes start.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Every hour, for so many days.
    Hourly {
        /// How many.
        days: u32,
    },
    /// At these moments, in order. One that is past when the pass before it has ended starts at once.
    At(Vec<Timestamp>),
}

impl Schedule {
    /// When the rehearsal begins.
    pub fn begins(&self) -> Timestamp {
        match self {
            Self::Hourly { .. } => START,
            Self::At(starts) => starts.first().copied().unwrap_or(START),
        }
    }

    /// How many days it covers, begun ones included.
    pub fn days(&self) -> u32 {
        match self {
            Self::Hourly { days } => *days,
            Self::At(starts) => {
                let span = starts.last().map(|last| last.since(self.begins()));
                let days = span.unwrap_or_default().as_secs() / 86_400 + 1;
                u32::try_from(days).unwrap_or(u32::MAX)
            }
        }
    }

    /// How many passes it has.
    pub(super) fn passes(&self) -> u32 {
        match self {
            Self::Hourly { days } => days * 24,
            Self::At(starts) => u32::try_from(starts.len()).unwrap_or(u32::MAX),
        }
    }

    /// When the pass of this number starts.
    pub(super) fn start(&self, number: u32, rng: &mut ChaCha8Rng) -> Option<Timestamp> {
        match self {
            Self::Hourly { .. } => {
                let spread = Duration::from_secs(rng.random_range(0..=TIMER_SPREAD.as_secs()));
                Some(START.plus(EVERY * number + spread))
            }
            Self::At(starts) => starts.get(usize::try_from(number).ok()?).copied(),
        }
    }
}

impl Plan {
    /// Hourly passes of this configuration, `days` long.
    pub fn hourly(config: Config, days: u32, seed: u64, hardship: Hardship) -> Self {
        Self {
            config,
            schedule: Schedule::Hourly { days },
            seed,
            hardship,
            switches: hardship.switches(seed),
            world: None,
            troubles: Vec::new(),
        }
    }

    /// The world it meets, hardship included.
    pub(super) fn meets(&self) -> World {
        let world = self.world.clone();
        let mut world =
            world.unwrap_or_else(|| people_of(&[&self.config], self.seed, self.schedule.begins()));
        self.hardship
            .befall(&mut world, self.seed, self.schedule.days());
        world
    }
}

/// The people of the seed who bear the names of all targets of these configurations; without any
/// target the seed's own people.
pub fn people_of(configs: &[&Config], seed: u64, start: Timestamp) -> World {
    let mut names: Vec<String> = Vec::new();
    for target in configs.iter().flat_map(|config| &config.targets) {
        if !names.contains(&target.username) {
            names.push(target.username.clone());
        }
    }
    let Some(config) = configs.first().filter(|_| !names.is_empty()) else {
        return World::seeded(seed, start.as_millis());
    };
    let moment = jiff::Timestamp::from_millisecond(start.as_millis()).unwrap_or_default();
    let ahead_s = config.time_zone.to_offset(moment).seconds();
    World::of_people(seed, start.as_millis(), &names, ahead_s)
}

/// The configured targets, or everybody in the world.
pub(super) fn targets_of(config: &Config, world: &World) -> Vec<TargetConfig> {
    if !config.targets.is_empty() {
        return config.targets.clone();
    }
    let names = world.targets().into_iter();
    names
        .map(|username| TargetConfig {
            username,
            enabled: true,
            stories: true,
            posts: true,
        })
        .collect()
}
