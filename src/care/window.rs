//! Rolling windows: how many attempts fall into any span that ends now, and when there is room.
//!
//! A window is counted from attempts on record, never kept as a number, so a restart forgets
//! nothing. An attempt stands at its settlement, an upper bound of when the platform got it; one
//! that is under way stands at now; one in the future (the clock was set back) counts. The interval
//! is closed: an attempt exactly one span old still counts.

use std::time::Duration;

use crate::model::{Attempt, AttemptKind, Scope, ScopedLimit, TargetId, Timestamp};

/// The attempts that the windows are counted from.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    attempts: Vec<Attempt>,
}

/// How full one window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The window.
    pub limit: ScopedLimit,
    /// Attempts in it now.
    pub used: u32,
    /// When what was asked for fits; `None` if it fits now.
    pub next_at: Option<Timestamp>,
}

impl Room {
    /// Attempts that still fit now.
    pub fn free(&self) -> u32 {
        self.limit.limit.count.saturating_sub(self.used)
    }
}

impl Windows {
    /// From the attempts on record, in any order; those older than the longest window may be left out.
    pub fn new(attempts: Vec<Attempt>) -> Self {
        Self { attempts }
    }

    /// The attempts.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Adds an attempt that has just been settled.
    pub fn push(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
    }

    /// The newest attempt of a kind, by when it stands.
    pub fn newest(&self, kind: AttemptKind) -> Option<&Attempt> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.kind == kind)
            .max_by_key(|attempt| attempt.settled_at.unwrap_or(attempt.claimed_at))
    }

    /// How many likes of a target stand at or after `since`.
    pub fn likes_of(&self, target: TargetId, since: Timestamp) -> u32 {
        let of_target = Scope::TargetLikes(target);
        let likes = self
            .attempts
            .iter()
            .filter(|attempt| of_target.covers(attempt.kind, attempt.target))
            .filter(|like| like.settled_at.is_none_or(|at| at >= since));
        u32::try_from(likes.count()).unwrap_or(u32::MAX)
    }

    /// How full the window is, and when `need` more attempts fit.
    pub fn room(&self, limit: ScopedLimit, need: u32, now: Timestamp) -> Room {
        let oldest_counted = now.minus(limit.limit.span);
        let mut standing: Vec<Timestamp> = self
            .attempts
            .iter()
            .filter(|attempt| limit.scope.covers(attempt.kind, attempt.target))
            .map(|attempt| attempt.settled_at.unwrap_or(now))
            .filter(|at| *at >= oldest_counted)
            .collect();
        let used = u32::try_from(standing.len()).unwrap_or(u32::MAX);
        let must_leave = used.saturating_add(need).saturating_sub(limit.limit.count);
        let next_at = (must_leave > 0).then(|| {
            standing.sort_unstable();
            let last_to_leave = standing
                .get(must_leave as usize - 1)
                .copied()
                .unwrap_or(now);
            last_to_leave
                .plus(limit.limit.span)
                .plus(Duration::from_millis(1))
        });
        Room {
            limit,
            used,
            next_at,
        }
    }

    /// The first window in `limits` without room for all of `steps` (each an attempt to be made),
    /// taken as the one that is full the longest; `None` if all fit now.
    pub fn full(
        &self,
        limits: &[ScopedLimit],
        steps: &[(AttemptKind, Option<TargetId>)],
        now: Timestamp,
    ) -> Option<Room> {
        limits
            .iter()
            .filter_map(|limit| {
                let need = steps
                    .iter()
                    .filter(|(kind, target)| limit.scope.covers(*kind, *target))
                    .count();
                let need = u32::try_from(need).unwrap_or(u32::MAX);
                (need > 0).then(|| self.room(*limit, need, now))
            })
            .filter(|room| room.next_at.is_some())
            .max_by_key(|room| (scope_rank(room.limit.scope), room.next_at))
    }
}

/// A window that ends the pass outranks one that only ends a target's or the stories' turn.
fn scope_rank(scope: Scope) -> u8 {
    match scope {
        Scope::TargetLikes(_) => 0,
        Scope::StoryViews => 1,
        Scope::Logins => 2,
        Scope::Likes => 3,
        Scope::Requests => 4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Limit;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn like(settled_at: Option<Timestamp>) -> Attempt {
        let claimed_at = settled_at.unwrap_or(at(0));
        Attempt {
            kind: AttemptKind::Like,
            target: None,
            item: None,
            claimed_at,
            settled_at,
        }
    }

    fn likes(limit: &str) -> ScopedLimit {
        ScopedLimit {
            scope: Scope::Likes,
            limit: limit.parse().unwrap(),
        }
    }

    #[test]
    fn an_attempt_exactly_one_span_old_still_counts() {
        let windows = Windows::new(vec![like(Some(at(0)))]);
        assert_eq!(windows.room(likes("1/1h"), 1, at(3600)).used, 1);
        let later = at(3600).plus(Duration::from_millis(1));
        assert_eq!(windows.room(likes("1/1h"), 1, later).used, 0);
        assert_eq!(
            windows.room(likes("1/1h"), 1, at(3600)).next_at,
            Some(later)
        );
    }

    #[test]
    fn an_unsettled_attempt_stands_at_now_and_a_future_one_counts() {
        let windows = Windows::new(vec![like(None), like(Some(at(1_000_000)))]);
        assert_eq!(windows.room(likes("5/1h"), 1, at(500_000)).used, 2);
    }

    #[test]
    fn a_day_window_is_not_reset_every_hour() {
        // 40 an hour for 20 hours is 800; the predecessor went on to 960.
        let rows = (0..20).flat_map(|hour| (0..40).map(move |n| like(Some(at(hour * 3600 + n)))));
        let windows = Windows::new(rows.collect());
        let room = windows.room(likes("800/24h"), 1, at(20 * 3600));
        assert_eq!((room.used, room.free()), (800, 0));
        assert!(room.next_at.unwrap() > at(24 * 3600));
    }

    #[test]
    fn no_burst_fits_around_a_full_hour() {
        // A tumbling hour let 39 at :59 and 40 at :01 through under a limit of 40.
        let rows = (0..39).map(|n| like(Some(at(3540 + n)))).collect();
        assert_eq!(
            Windows::new(rows).room(likes("40/1h"), 1, at(3660)).free(),
            1
        );
    }

    #[test]
    fn other_kinds_and_other_targets_are_not_counted() {
        let mut read = like(Some(at(10)));
        read.kind = AttemptKind::Read;
        let mut elsewhere = like(Some(at(10)));
        elsewhere.target = Some(TargetId(2));
        let windows = Windows::new(vec![read, elsewhere]);
        let of_target = |id| ScopedLimit {
            scope: Scope::TargetLikes(TargetId(id)),
            limit: "5/1h".parse().unwrap(),
        };
        assert_eq!(windows.room(likes("5/1h"), 1, at(20)).used, 1);
        assert_eq!(windows.room(of_target(1), 1, at(20)).used, 0);
        assert_eq!(windows.room(of_target(2), 1, at(20)).used, 1);
        let requests = ScopedLimit {
            scope: Scope::Requests,
            limit: "5/1h".parse().unwrap(),
        };
        assert_eq!(windows.room(requests, 1, at(20)).used, 2);
    }

    #[test]
    fn a_view_is_only_offered_together_with_room_for_its_like() {
        let windows = Windows::new(vec![like(Some(at(0)))]);
        let limits = [
            ScopedLimit {
                scope: Scope::Requests,
                limit: "2/1h".parse().unwrap(),
            },
            likes("9/1h"),
        ];
        let both = [(AttemptKind::StoryView, None), (AttemptKind::Like, None)];
        assert_eq!(
            windows.full(&limits, &both, at(1)).unwrap().limit,
            limits[0]
        );
        assert!(windows.full(&limits, &both[1..], at(1)).is_none());
    }

    #[test]
    fn an_overfull_window_blocks_nothing_that_it_does_not_count() {
        let windows = Windows::new(vec![like(Some(at(0))), like(Some(at(0)))]);
        let read = [(AttemptKind::Read, None)];
        assert!(windows.full(&[likes("1/1h")], &read, at(1)).is_none());
        let both = [(AttemptKind::Read, None), (AttemptKind::Like, None)];
        assert!(windows.full(&[likes("1/1h")], &both, at(1)).is_some());
    }

    #[test]
    fn the_window_that_ends_the_pass_is_named_before_one_that_is_full_longer() {
        let mut attempt = like(Some(at(0)));
        attempt.target = Some(TargetId(1));
        let mut view = attempt;
        view.kind = AttemptKind::StoryView;
        let mut login = attempt;
        login.kind = AttemptKind::Login;
        let windows = Windows::new(vec![attempt, view, login]);
        let full = |scope, span: &str| ScopedLimit {
            scope,
            limit: format!("1/{span}").parse().unwrap(),
        };
        // Each outranks those before it, although it has room sooner.
        let limits = [
            full(Scope::TargetLikes(TargetId(1)), "5d"),
            full(Scope::StoryViews, "4d"),
            full(Scope::Logins, "3d"),
            full(Scope::Likes, "2d"),
            full(Scope::Requests, "1d"),
        ];
        let target = Some(TargetId(1));
        let steps = [
            (AttemptKind::StoryView, target),
            (AttemptKind::Like, target),
            (AttemptKind::Login, None),
        ];
        for most in 1..=limits.len() {
            let named = windows.full(&limits[..most], &steps, at(1)).unwrap();
            assert_eq!(named.limit, limits[most - 1]);
        }
    }

    #[test]
    fn the_newest_attempt_of_a_kind_is_the_one_that_stands_last() {
        let mut login = like(Some(at(30)));
        login.kind = AttemptKind::Login;
        let mut under_way = like(None);
        under_way.claimed_at = at(20);
        let windows = Windows::new(vec![like(Some(at(10))), under_way, login]);
        assert_eq!(windows.newest(AttemptKind::Like), Some(&under_way));
        assert_eq!(windows.newest(AttemptKind::Login), Some(&login));
        assert_eq!(windows.newest(AttemptKind::StoryView), None);
    }

    proptest! {
        /// Waiting until `next_at` is enough and one millisecond less is not; and whoever only acts
        /// when there is room never has more than the limit in any window.
        #[test]
        fn acting_only_when_there_is_room_never_exceeds_any_window(
            gaps in prop::collection::vec(0i64..5_000, 1..120),
            count in 1u32..8,
            span in 1u64..20,
        ) {
            let limit = ScopedLimit {
                scope: Scope::Likes,
                limit: Limit { count, span: Duration::from_secs(span) },
            };
            let mut windows = Windows::default();
            let mut now = at(0);
            let mut done: Vec<Timestamp> = Vec::new();
            for gap in gaps {
                now = now.plus(Duration::from_millis(gap.unsigned_abs()));
                let room = windows.room(limit, 1, now);
                if let Some(next_at) = room.next_at {
                    let just_before = next_at.minus(Duration::from_millis(1));
                    prop_assert!(windows.room(limit, 1, just_before).next_at.is_some());
                    now = next_at;
                }
                prop_assert!(windows.room(limit, 1, now).next_at.is_none());
                windows.push(like(Some(now)));
                done.push(now);
            }
            for (index, start) in done.iter().enumerate() {
                let end = start.plus(limit.limit.span);
                let inside = done[index..].iter().filter(|at| **at <= end).count();
                prop_assert!(inside <= count as usize);
            }
        }
    }
}
