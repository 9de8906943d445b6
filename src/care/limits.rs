//! The limits in force: as configured, or less while the account warms up or after an action block.
//!
//! Both may apply at once, and then both do: a block that is met while the account warms up says
//! that even that was too much, so what the warm-up leaves is halved. Rounded down, but never to 0.

use std::time::Duration;

use super::warm_up::{self, WarmUp};
use crate::config::Limits;
use crate::model::{
    Attempt, AttemptKind, Hold, HoldReason, Limit, Scope, ScopedLimit, TargetId, Timestamp,
};

/// How long likes stay halved after an action block has ended.
pub const HALVED_FOR: Duration = Duration::from_hours(14 * 24);

/// What one pass may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsInForce {
    /// Windows that do not depend on a target.
    pub windows: Vec<ScopedLimit>,
    /// Windows of each target.
    per_target: Vec<Limit>,
    /// Likes in the pass.
    pub likes_per_run: u32,
    /// Likes for one target in the pass.
    pub likes_per_target_per_run: u32,
    /// Until when likes are halved, if they are. While a block is not over and nobody knows when it
    /// will be, this is as if it ended now.
    pub halved_until: Option<Timestamp>,
    /// The stage of the warm-up, if the account warms up.
    pub warm_up: Option<WarmUp>,
}

/// How far back [`LimitsInForce::new`], and the windows themselves, look at attempts.
pub fn looked_back(limits: &Limits) -> Duration {
    [
        &limits.likes,
        &limits.story_views,
        &limits.requests,
        &limits.logins,
        &limits.likes_per_target,
    ]
    .into_iter()
    .flatten()
    .map(|limit| limit.span)
    .chain([warm_up::looked_back(&limits.warm_up)])
    .max()
    .unwrap_or_default()
}

impl LimitsInForce {
    /// What of the configured limits is in force at `now`, given the holds of the last two weeks and
    /// the attempts as far back as [`looked_back`] says.
    pub fn new(limits: &Limits, holds: &[Hold], attempts: &[Attempt], now: Timestamp) -> Self {
        let halved_until = halved_until(holds, now);
        let likes = attempts
            .iter()
            .filter(|attempt| attempt.kind == AttemptKind::Like)
            .map(|like| like.settled_at.unwrap_or(like.claimed_at));
        let warm_up = warm_up::warm_up(&limits.warm_up, likes, now);
        let warm = Share {
            percent: warm_up.map_or(100, |stage| stage.percent),
            halved: false,
        };
        let of_likes = Share {
            halved: halved_until.is_some(),
            ..warm
        };
        let windows = [
            (Scope::Requests, &limits.requests, Share::ALL),
            (Scope::StoryViews, &limits.story_views, warm),
            (Scope::Logins, &limits.logins, Share::ALL),
            (Scope::Likes, &limits.likes, of_likes),
        ]
        .into_iter()
        .flat_map(|(scope, list, share)| {
            list.iter().map(move |limit| ScopedLimit {
                scope,
                limit: share.of_limit(limit),
            })
        })
        .collect();
        let per_target = limits.likes_per_target.iter();
        Self {
            windows,
            per_target: per_target.map(|limit| of_likes.of_limit(limit)).collect(),
            likes_per_run: of_likes.of(limits.likes_per_run),
            likes_per_target_per_run: of_likes.of(limits.likes_per_target_per_run),
            halved_until,
            warm_up,
        }
    }

    /// When these limits grow by themselves: the stage of the warm-up or the halving ends.
    pub fn grow_at(&self) -> Option<Timestamp> {
        let warm = self.warm_up.and_then(|stage| stage.until);
        warm.into_iter().chain(self.halved_until).min()
    }

    /// The windows that an attempt of `kind` for `target` is counted in. A full window of another
    /// kind is no reason to refuse it.
    pub fn for_attempt(&self, kind: AttemptKind, target: Option<TargetId>) -> Vec<ScopedLimit> {
        let mut limits = self.for_target(target);
        limits.retain(|limit| limit.scope.covers(kind, target));
        limits
    }

    /// All windows that attempts for `target` are counted in.
    pub fn for_target(&self, target: Option<TargetId>) -> Vec<ScopedLimit> {
        let of_target = target.into_iter().flat_map(|target| {
            let scope = Scope::TargetLikes(target);
            self.per_target.iter().map(move |limit| ScopedLimit {
                scope,
                limit: *limit,
            })
        });
        self.windows.iter().copied().chain(of_target).collect()
    }
}

/// A part of the configured limits.
#[derive(Clone, Copy)]
struct Share {
    percent: u32,
    halved: bool,
}

impl Share {
    const ALL: Self = Self {
        percent: 100,
        halved: false,
    };

    fn of(self, count: u32) -> u32 {
        let parts = if self.halved { 200 } else { 100 };
        let part = u64::from(count) * u64::from(self.percent) / parts;
        u32::try_from(part).unwrap_or(u32::MAX).max(1)
    }

    fn of_limit(self, limit: &Limit) -> Limit {
        Limit {
            count: self.of(limit.count),
            ..*limit
        }
    }
}

/// Two weeks after the end of the last block, if that is still to come: its date or, where a person
/// cleared it earlier, that moment.
fn halved_until(holds: &[Hold], now: Timestamp) -> Option<Timestamp> {
    holds
        .iter()
        .filter(|hold| hold.reason == HoldReason::ActionBlocked)
        .map(|hold| match (hold.until, hold.cleared_at) {
            (Some(until), Some(cleared)) => until.min(cleared),
            (until, cleared) => until.or(cleared).unwrap_or(now),
        })
        .map(|end| end.plus(HALVED_FOR))
        .max()
        .filter(|until| now < *until)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::WarmUpStage;
    use crate::model::HoldId;

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const DAY: Duration = Duration::from_hours(24);
    const MS: Duration = Duration::from_millis(1);

    fn limits() -> Limits {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Limits {
            likes: list(&["12/1h", "1/24h"]),
            story_views: list(&["30/1h"]),
            requests: list(&["60/1h"]),
            logins: list(&["1/6h"]),
            likes_per_run: 5,
            likes_per_target_per_run: 1,
            likes_per_target: list(&["8/24h"]),
            warm_up: Vec::new(),
            max_runtime: Duration::from_mins(15),
        }
    }

    fn warming(percent: u32) -> Limits {
        Limits {
            warm_up: vec![WarmUpStage {
                percent,
                span: 7 * DAY,
            }],
            ..limits()
        }
    }

    fn block(since: Timestamp, until: Option<Timestamp>, cleared_at: Option<Timestamp>) -> Hold {
        Hold {
            id: HoldId(1),
            since,
            reason: HoldReason::ActionBlocked,
            until,
            message: String::new(),
            attempt: None,
            cleared_at,
            cleared_by: cleared_at.map(|_| "resume".to_owned()),
        }
    }

    fn like(settled_at: Timestamp) -> Attempt {
        Attempt {
            kind: AttemptKind::Like,
            target: None,
            item: None,
            claimed_at: settled_at,
            settled_at: Some(settled_at),
        }
    }

    fn counts(in_force: &LimitsInForce) -> Vec<String> {
        let limits = in_force.for_target(Some(TargetId(1)));
        limits.iter().map(|l| l.limit.to_string()).collect()
    }

    fn halved_at(holds: &[Hold], now: Timestamp) -> Option<Timestamp> {
        LimitsInForce::new(&limits(), holds, &[], now).halved_until
    }

    #[test]
    fn likes_and_only_likes_are_halved_after_a_block() {
        let full = LimitsInForce::new(&limits(), &[], &[], NOW);
        assert_eq!(
            counts(&full),
            ["60/1h", "30/1h", "1/6h", "12/1h", "1/24h", "8/24h"]
        );
        let ended = [block(NOW.minus(DAY), Some(NOW), None)];
        let halved = LimitsInForce::new(&limits(), &ended, &[], NOW);
        assert_eq!(
            counts(&halved),
            ["60/1h", "30/1h", "1/6h", "6/1h", "1/24h", "4/24h"]
        );
        assert_eq!(
            (halved.likes_per_run, halved.likes_per_target_per_run),
            (2, 1)
        );
    }

    #[test]
    fn halving_ends_exactly_two_weeks_after_the_block() {
        let ended = [block(NOW.minus(DAY), Some(NOW), None)];
        let end = NOW.plus(HALVED_FOR);
        assert_eq!(halved_at(&ended, NOW), Some(end));
        assert_eq!(halved_at(&ended, end.minus(MS)), Some(end));
        assert_eq!(halved_at(&ended, end), None);
    }

    #[test]
    fn a_block_that_is_in_force_halves_too() {
        let week = block(NOW.minus(DAY), Some(NOW.plus(6 * DAY)), None);
        let end = NOW.plus(6 * DAY).plus(HALVED_FOR);
        assert_eq!(halved_at(&[week], NOW), Some(end));
        // Nobody knows when a person ends this one; two weeks from now at the earliest.
        let person = block(NOW.minus(100 * DAY), None, None);
        assert_eq!(halved_at(&[person], NOW), Some(NOW.plus(HALVED_FOR)));
    }

    #[test]
    fn a_block_that_a_person_cleared_ended_then() {
        let cleared = NOW.minus(DAY);
        let end = Some(cleared.plus(HALVED_FOR));
        let person = block(NOW.minus(9 * DAY), None, Some(cleared));
        assert_eq!(halved_at(&[person], NOW), end);
        let early = block(NOW.minus(9 * DAY), Some(NOW.plus(30 * DAY)), Some(cleared));
        assert_eq!(halved_at(&[early], NOW), end);
        // Clearing what was over already moves nothing.
        let over = block(NOW.minus(9 * DAY), Some(cleared), Some(NOW));
        assert_eq!(halved_at(&[over], NOW), end);
    }

    #[test]
    fn of_overlapping_blocks_the_last_end_counts_and_other_holds_do_not() {
        let long = block(NOW.minus(9 * DAY), Some(NOW.minus(DAY)), None);
        let short = block(NOW.minus(5 * DAY), Some(NOW.minus(3 * DAY)), None);
        let end = Some(NOW.minus(DAY).plus(HALVED_FOR));
        assert_eq!(halved_at(&[long.clone(), short.clone()], NOW), end);
        assert_eq!(halved_at(&[short, long], NOW), end);
        let other = Hold {
            reason: HoldReason::Throttled,
            ..block(NOW.minus(DAY), Some(NOW), None)
        };
        assert_eq!(halved_at(&[other], NOW), None);
    }

    #[test]
    fn a_warm_up_takes_its_share_of_likes_and_views_and_of_nothing_else() {
        let warm = LimitsInForce::new(&warming(25), &[], &[like(NOW.minus(DAY))], NOW);
        assert_eq!(
            counts(&warm),
            ["60/1h", "7/1h", "1/6h", "3/1h", "1/24h", "2/24h"]
        );
        assert_eq!((warm.likes_per_run, warm.likes_per_target_per_run), (1, 1));
        let until = Some(NOW.plus(6 * DAY));
        let stage = WarmUp { percent: 25, until };
        assert_eq!(warm.warm_up, Some(stage));
        let over = LimitsInForce::new(&warming(25), &[], &[like(NOW.minus(7 * DAY))], NOW);
        assert_eq!(over, LimitsInForce::new(&limits(), &[], &[], NOW));
    }

    #[test]
    fn only_likes_begin_the_warm_up() {
        let mut read = like(NOW.minus(20 * DAY));
        read.kind = AttemptKind::Read;
        let in_force = LimitsInForce::new(&warming(25), &[], &[read], NOW);
        assert_eq!(in_force.warm_up.map(|stage| stage.until), Some(None));
    }

    #[test]
    fn a_block_during_the_warm_up_halves_what_it_leaves() {
        let ended = [block(NOW.minus(DAY), Some(NOW), None)];
        let both = LimitsInForce::new(&warming(50), &ended, &[], NOW);
        assert_eq!(
            counts(&both),
            ["60/1h", "15/1h", "1/6h", "3/1h", "1/24h", "2/24h"]
        );
        assert_eq!((both.likes_per_run, both.likes_per_target_per_run), (1, 1));
    }

    #[test]
    fn the_attempts_looked_at_reach_back_to_the_silence_before_the_warm_up() {
        assert_eq!(looked_back(&limits()), DAY);
        assert_eq!(looked_back(&warming(25)), 37 * DAY);
    }

    proptest! {
        #[test]
        fn no_limit_in_force_is_above_the_configured_one_or_zero(
            percent in 1u32..100,
            count in 1u32..2000,
            halved in any::<bool>(),
        ) {
            let share = Share { percent, halved };
            let part = share.of(count);
            prop_assert!((1..=count).contains(&part));
            prop_assert!(part == 1 || part * 100 * (1 + u32::from(halved)) <= count * percent);
        }
    }
}
