//! Warming up: the first days of liking at a share of the limits.
//!
//! An account that has liked little and suddenly likes a lot looks like one that was taken over.
//! `limits.warm_up` lets the limits of likes and story views grow with the days since the first
//! like on record. A like only ever leaves after a reply has confirmed the clock, which makes it the
//! one beginning that a wrong clock cannot move; that it is on record makes it survive restarts. A
//! login or another device begins nothing anew, because the account is the same; a month without a
//! like does, because what the account is used to is forgotten by then.

use std::time::Duration;

use serde::Serialize;

use crate::config::{WARM_UP_SILENCE, WarmUpStage};
use crate::model::Timestamp;

/// The stage in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WarmUp {
    /// This share of the limits, in hundredths.
    pub percent: u32,
    /// Until when; `None` before the first like, from which the days are counted.
    pub until: Option<Timestamp>,
}

impl WarmUp {
    /// For people.
    pub fn sentence(&self) -> String {
        let percent = self.percent;
        match self.until {
            Some(until) => format!(
                "likes and story views are at {percent}% of their limits until {until}: \
                 limits.warm_up"
            ),
            None => format!(
                "likes and story views are at {percent}% of their limits: limits.warm_up counts \
                 its days from the first like"
            ),
        }
    }
}

/// How far back the likes on record tell all that [`warm_up`] asks.
pub fn looked_back(stages: &[WarmUpStage]) -> Duration {
    stages
        .last()
        .map_or(Duration::ZERO, |last| last.span + WARM_UP_SILENCE)
}

/// The stage in force at `now`, given when likes were sent (any order; older ones than
/// [`looked_back`] may be left out); `None` where there is none or all are over.
pub fn warm_up(
    stages: &[WarmUpStage],
    likes: impl Iterator<Item = Timestamp>,
    now: Timestamp,
) -> Option<WarmUp> {
    let Some(first) = first_like(likes, now) else {
        return stages.first().map(|stage| WarmUp {
            percent: stage.percent,
            until: None,
        });
    };
    stages.iter().find_map(|stage| {
        let until = first.plus(stage.span);
        (now < until).then_some(WarmUp {
            percent: stage.percent,
            until: Some(until),
        })
    })
}

/// The first like after the last silence.
fn first_like(likes: impl Iterator<Item = Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let mut likes: Vec<Timestamp> = likes.collect();
    likes.sort_unstable();
    let mut later = now;
    let mut first = None;
    for like in likes.into_iter().rev() {
        if later.since(like) > WARM_UP_SILENCE {
            break;
        }
        (first, later) = (Some(like), like);
    }
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const DAY: Duration = Duration::from_hours(24);
    const STAGES: [WarmUpStage; 2] = [
        WarmUpStage {
            percent: 25,
            span: Duration::from_hours(3 * 24),
        },
        WarmUpStage {
            percent: 50,
            span: Duration::from_hours(7 * 24),
        },
    ];

    /// With likes so many days ago.
    fn after(days: &[u32]) -> Option<(u32, Option<Timestamp>)> {
        let likes = days.iter().map(|days| NOW.minus(DAY * *days));
        warm_up(&STAGES, likes, NOW).map(|stage| (stage.percent, stage.until))
    }

    #[test]
    fn the_share_grows_with_the_days_since_the_first_like() {
        assert_eq!(after(&[]), Some((25, None)));
        assert_eq!(after(&[0]), Some((25, Some(NOW.plus(3 * DAY)))));
        assert_eq!(after(&[1, 2, 0]), Some((25, Some(NOW.plus(DAY)))));
        assert_eq!(after(&[3]), Some((50, Some(NOW.plus(4 * DAY)))));
        assert_eq!(after(&[1, 6]), Some((50, Some(NOW.plus(DAY)))));
        assert_eq!(after(&[7]), None);
        assert_eq!(after(&[1, 2, 29]), None);
    }

    #[test]
    fn a_stage_says_its_share_and_its_end() {
        let told = |days: &[u32]| {
            let likes = days.iter().map(|days| NOW.minus(DAY * *days));
            warm_up(&STAGES, likes, NOW).map_or(String::new(), |stage| stage.sentence())
        };
        let until = NOW.plus(4 * DAY);
        assert!(told(&[3]).contains(&format!("at 50% of their limits until {until}")));
        assert!(told(&[]).contains("at 25% of their limits: limits.warm_up counts"));
    }

    #[test]
    fn without_stages_there_is_no_warm_up() {
        assert_eq!(warm_up(&[], std::iter::empty(), NOW), None);
        assert_eq!(warm_up(&[], [NOW].into_iter(), NOW), None);
        assert_eq!(looked_back(&[]), Duration::ZERO);
    }

    #[test]
    fn a_month_without_a_like_begins_it_anew() {
        assert_eq!(after(&[30]), None);
        assert_eq!(after(&[31]), Some((25, None)));
        assert_eq!(after(&[1, 31, 40]), None);
        assert_eq!(after(&[1, 32, 40]), Some((25, Some(NOW.plus(2 * DAY)))));
    }

    #[test]
    fn a_like_in_the_future_counts_as_the_beginning() {
        let ahead = NOW.plus(DAY);
        let stage = warm_up(&STAGES, [ahead].into_iter(), NOW);
        assert_eq!(stage.map(|stage| stage.percent), Some(25));
    }

    proptest! {
        /// Pruning what is older than `looked_back` changes nothing, and neither does the order.
        #[test]
        fn older_likes_play_no_part(days in prop::collection::vec(0u32..120, 0..40), hours in 0u32..24) {
            let likes: Vec<Timestamp> =
                days.iter().map(|days| NOW.minus(DAY * *days + Duration::from_hours(hours.into()))).collect();
            let kept = NOW.minus(looked_back(&STAGES));
            let pruned = likes.iter().rev().copied().filter(|like| *like >= kept);
            prop_assert_eq!(
                warm_up(&STAGES, pruned, NOW),
                warm_up(&STAGES, likes.iter().copied(), NOW)
            );
        }

        /// As long as likes go on, the share never shrinks.
        #[test]
        fn the_share_never_shrinks_while_likes_go_on(gaps in prop::collection::vec(0u32..30 * 24, 1..30)) {
            let (mut likes, mut now, mut last) = (Vec::new(), NOW, 0);
            for gap in gaps {
                now = now.plus(Duration::from_hours(gap.into()));
                let share = warm_up(&STAGES, likes.iter().copied(), now).map_or(100, |s| s.percent);
                prop_assert!(share >= last, "{share} after {last}");
                last = share;
                likes.push(now);
            }
        }
    }
}
