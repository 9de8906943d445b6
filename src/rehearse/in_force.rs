//! The limits in force at a moment, read off the server's record: a share of them while the account
//! warms up, half of those of likes after a block, and both where both apply. Said here a second
//! time, by hand, so that a mistake in `care` does not excuse itself.

use std::ops::Range;

use super::peaks::millis;
use super::silence::Silences;
use super::summary::Held;
use crate::config::WarmUpStage;

/// After so long without a like the warm-up begins anew.
const FORGOTTEN: i64 = 30 * 24 * 3_600_000;

/// What a limit comes to at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// What it allows.
    pub count: u32,
    /// What it would allow if the account did not warm up.
    pub warmed_up: u32,
    /// The stage of the warm-up, where it takes its share of this limit.
    stage: Option<WarmUpStage>,
}

impl Allowed {
    /// The setting that so many attempts meet: the warm-up, if the limit itself would allow more.
    pub fn setting(&self, used: u32, limit: String) -> String {
        match self.stage {
            Some(stage) if used < self.warmed_up => format!("limits.warm_up {stage}"),
            _ => limit,
        }
    }
}

/// What changes the limits, and when.
#[derive(Debug)]
pub(super) struct InForce<'a> {
    stages: &'a [WarmUpStage],
    /// Every like in order, each with the one that its warm-up began with.
    likes: Vec<(i64, i64)>,
    forgotten_after: i64,
    halved: &'a [Range<i64>],
    /// When any limit changes, in order.
    changes: Vec<i64>,
}

impl<'a> InForce<'a> {
    /// By the likes on record and the times in which they are halved.
    pub fn new(held: &Held<'a>, silences: &'a Silences) -> Self {
        let limits = &held.config.limits;
        // A pass goes by what is in force at its start, and its first like may come at its end.
        let forgotten_after = FORGOTTEN + millis(limits.max_runtime);
        let mut likes: Vec<(i64, i64)> = Vec::new();
        for entry in held.record.iter().filter(|entry| entry.act.is_like()) {
            let at = entry.at_ms;
            let first = match likes.last() {
                Some((last, first)) if at - last <= forgotten_after => *first,
                _ => at,
            };
            likes.push((at, first));
        }
        let halved = &silences.halved;
        let begins = likes.iter().filter(|(at, first)| at == first);
        let ends = begins.flat_map(|(_, first)| {
            let stages = limits.warm_up.iter();
            stages.map(move |stage| first + millis(stage.span))
        });
        let mut changes: Vec<i64> = ends
            .chain(halved.iter().flat_map(|span| [span.start, span.end]))
            .collect();
        changes.sort_unstable();
        Self {
            stages: &limits.warm_up,
            likes,
            forgotten_after,
            halved,
            changes,
        }
    }

    /// What the limit of this key that is configured as `count` comes to at this moment.
    pub fn at(&self, key: &str, count: u32, at_ms: i64) -> Allowed {
        let of_likes = key.starts_with("limits.likes");
        let warms_up = of_likes || key == "limits.story_views";
        let stage = self.stage(at_ms).filter(|_| warms_up);
        let halved = of_likes && self.halved.iter().any(|span| span.contains(&at_ms));
        let allowed = |percent: u32| {
            let part = u64::from(count) * u64::from(percent) / 100;
            let part = if halved { part / 2 } else { part };
            u32::try_from(part).unwrap_or(u32::MAX).max(1)
        };
        Allowed {
            count: allowed(stage.map_or(100, |stage| stage.percent)),
            warmed_up: allowed(100),
            stage,
        }
    }

    /// When any limit changes between two moments, in order.
    pub fn changes(&self, after: i64, before: i64) -> &[i64] {
        let from = self.changes.partition_point(|at| *at <= after);
        let to = self.changes.partition_point(|at| *at < before);
        self.changes.get(from..to).unwrap_or_default()
    }

    fn stage(&self, at_ms: i64) -> Option<WarmUpStage> {
        let Some(first) = self.first_like(at_ms) else {
            return self.stages.first().copied();
        };
        let mut stages = self.stages.iter();
        stages
            .find(|stage| at_ms < first + millis(stage.span))
            .copied()
    }

    /// The like that the days are counted from, unless they begin with the next one.
    fn first_like(&self, at_ms: i64) -> Option<i64> {
        let before = self.likes.partition_point(|(at, _)| *at <= at_ms);
        let (last, first) = self.likes[..before].last()?;
        (at_ms - last <= self.forgotten_after).then_some(*first)
    }
}
