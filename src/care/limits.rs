//! The limits in force: as configured, or halved for two weeks after an action block.

use std::time::Duration;

use crate::config::Limits;
use crate::model::{AttemptKind, Hold, HoldReason, Limit, Scope, ScopedLimit, TargetId, Timestamp};

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
    /// Until when likes are halved, if they are.
    pub halved_until: Option<Timestamp>,
}

impl LimitsInForce {
    /// The configured limits, halved where a block ended less than two weeks before `now`.
    pub fn new(limits: &Limits, holds: &[Hold], now: Timestamp) -> Self {
        let halved_until = halved_until(holds, now);
        let halve = |count: u32| {
            if halved_until.is_some() {
                (count / 2).max(1)
            } else {
                count
            }
        };
        let halve_limit = |limit: &Limit| Limit {
            count: halve(limit.count),
            ..*limit
        };
        let windows = [
            (Scope::Requests, &limits.requests),
            (Scope::StoryViews, &limits.story_views),
            (Scope::Logins, &limits.logins),
        ]
        .into_iter()
        .flat_map(|(scope, list)| {
            list.iter().map(move |limit| ScopedLimit {
                scope,
                limit: *limit,
            })
        })
        .chain(limits.likes.iter().map(|limit| ScopedLimit {
            scope: Scope::Likes,
            limit: halve_limit(limit),
        }))
        .collect();
        Self {
            windows,
            per_target: limits.likes_per_target.iter().map(halve_limit).collect(),
            likes_per_run: halve(limits.likes_per_run),
            likes_per_target_per_run: halve(limits.likes_per_target_per_run),
            halved_until,
        }
    }

    /// The windows that an attempt of `kind` for `target` is counted in. A full window of another
    /// kind is no reason to refuse it.
    pub fn for_attempt(&self, kind: AttemptKind, target: Option<TargetId>) -> Vec<ScopedLimit> {
        let mut limits = self.for_target(target);
        limits.retain(|limit| limit.scope.covers(kind, target));
        limits
    }

    /// The longest window: attempts older than that play no part.
    pub fn longest_span(&self) -> Duration {
        let spans = self.windows.iter().map(|limit| limit.limit.span);
        spans
            .chain(self.per_target.iter().map(|limit| limit.span))
            .max()
            .unwrap_or_default()
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

fn halved_until(holds: &[Hold], now: Timestamp) -> Option<Timestamp> {
    holds
        .iter()
        .filter(|hold| hold.reason == HoldReason::ActionBlocked)
        .filter_map(|hold| match (hold.until, hold.cleared_at) {
            (Some(until), Some(cleared)) => Some(until.min(cleared)),
            (until, cleared) => until.or(cleared),
        })
        .map(|end| end.plus(HALVED_FOR))
        .max()
        .filter(|until| now < *until)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::HoldId;

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
            max_runtime: Duration::from_mins(15),
        }
    }

    fn counts(in_force: &LimitsInForce) -> Vec<String> {
        in_force
            .for_target(Some(TargetId(1)))
            .iter()
            .map(|l| l.limit.to_string())
            .collect()
    }

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

    #[test]
    fn likes_and_only_likes_are_halved_for_two_weeks_after_a_block() {
        let mut block = Hold {
            id: HoldId(1),
            since: NOW.minus(Duration::from_hours(1)),
            reason: HoldReason::ActionBlocked,
            until: Some(NOW),
            message: String::new(),
            attempt: None,
            cleared_at: None,
            cleared_by: None,
        };
        let full = LimitsInForce::new(&limits(), &[], NOW);
        assert_eq!(
            counts(&full),
            ["60/1h", "30/1h", "1/6h", "12/1h", "1/24h", "8/24h"]
        );

        let halved = LimitsInForce::new(&limits(), std::slice::from_ref(&block), NOW);
        assert_eq!(
            counts(&halved),
            ["60/1h", "30/1h", "1/6h", "6/1h", "1/24h", "4/24h"]
        );
        assert_eq!(
            (halved.likes_per_run, halved.likes_per_target_per_run),
            (2, 1)
        );

        let later = NOW.plus(HALVED_FOR);
        let over = LimitsInForce::new(&limits(), std::slice::from_ref(&block), later);
        assert_eq!(over, full);
        // A person ended it early: the two weeks run from then; clearing does not undo them.
        block.until = None;
        block.cleared_at = Some(NOW);
        assert_eq!(
            LimitsInForce::new(&limits(), &[block], NOW).halved_until,
            Some(later)
        );
    }
}
