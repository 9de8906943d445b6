//! How far limits may be raised before `limits.allow_unsafe_limits` has to be set.
//!
//! A ceiling is itself a limit: at most `count` in any `span`. A configured limit of another span is
//! compared with what the ceilings together permit in that span: the smallest
//! `count x (spans begun)`. A ceiling that the configured limits do not already imply is added to
//! them, so that leaving out a window never means "without end": `"12/1h"` alone is held to 150 in
//! 24 h as well.

use std::time::Duration;

use crate::model::Limit;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

const fn limit(count: u32, span: Duration) -> Limit {
    Limit { count, span }
}

/// For `limits.likes`.
pub(super) const LIKES: &[Limit] = &[limit(30, HOUR), limit(150, DAY), limit(700, WEEK)];
/// For `limits.story_views`.
pub(super) const STORY_VIEWS: &[Limit] = &[limit(60, HOUR)];
/// For `limits.requests`.
pub(super) const REQUESTS: &[Limit] = &[limit(150, HOUR), limit(1500, DAY)];
/// For `limits.logins`.
pub(super) const LOGINS: &[Limit] = &[limit(3, DAY)];
/// The longest that `limits.max_runtime` or `--max-runtime` may be.
pub const MAX_RUNTIME: Duration = Duration::from_mins(30);
/// For the windows of `limits.likes_per_target`.
pub(super) const LIKES_PER_TARGET: &[Limit] = &[limit(30, DAY)];

/// The most that `limits` together permit in any span of `span`.
pub(super) fn permitted(limits: &[Limit], span: Duration) -> u64 {
    limits
        .iter()
        .map(|limit| {
            let begun = span.as_millis().div_ceil(limit.span.as_millis().max(1));
            u64::from(limit.count).saturating_mul(u64::try_from(begun).unwrap_or(u64::MAX))
        })
        .min()
        .unwrap_or(u64::MAX)
}

/// The first limit beyond the ceilings, and how many would be allowed in its span.
pub(super) fn first_beyond(limits: &[Limit], ceilings: &[Limit]) -> Option<(Limit, u64)> {
    limits.iter().find_map(|limit| {
        let most = permitted(ceilings, limit.span);
        (u64::from(limit.count) > most).then_some((*limit, most))
    })
}

/// The limits together with every ceiling that they do not imply.
pub(super) fn completed(limits: &[Limit], ceilings: &[Limit]) -> Vec<Limit> {
    let missing = ceilings
        .iter()
        .filter(|ceiling| permitted(limits, ceiling.span) > u64::from(ceiling.count));
    limits.iter().chain(missing).copied().collect()
}

/// `30/1h, 150/24h, 700/7d`.
pub(super) fn list(limits: &[Limit]) -> String {
    let texts: Vec<String> = limits.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(texts: &[&str]) -> Vec<Limit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_ceilings_themselves_are_allowed_and_one_more_is_not() {
        for ceilings in [LIKES, STORY_VIEWS, REQUESTS, LOGINS, LIKES_PER_TARGET] {
            assert_eq!(first_beyond(ceilings, ceilings), None);
            for ceiling in ceilings {
                let more = limit(ceiling.count + 1, ceiling.span);
                let most = u64::from(ceiling.count);
                assert_eq!(first_beyond(&[more], ceilings), Some((more, most)));
            }
        }
    }

    #[test]
    fn another_span_is_compared_with_what_the_ceilings_permit_in_it() {
        let beyond = |text: &str| first_beyond(&limits(&[text]), LIKES).map(|(_, most)| most);
        assert_eq!(beyond("31/30m"), Some(30));
        assert_eq!(beyond("60/2h"), None);
        assert_eq!(beyond("61/2h"), Some(60));
        assert_eq!(beyond("151/12h"), Some(150));
        assert_eq!(beyond("301/48h"), Some(300));
        assert_eq!(beyond("3500/30d"), None);
        assert_eq!(beyond("3501/30d"), Some(3500));
    }

    #[test]
    fn a_window_left_out_is_held_to_its_ceiling() {
        let all = completed(&limits(&["12/1h"]), LIKES);
        assert_eq!(list(&all), "12/1h, 150/24h, 700/7d");
        let all = completed(&limits(&["12/1h", "60/24h", "300/7d"]), LIKES);
        assert_eq!(list(&all), "12/1h, 60/24h, 300/7d");
    }

    proptest! {
        #[test]
        fn no_configuration_within_the_ceilings_permits_more_than_a_ceiling(
            pairs in proptest::collection::vec((1_u32..2000, 1_u64..(35 * 24 * 60)), 1..5),
        ) {
            let limits: Vec<Limit> = pairs
                .into_iter()
                .map(|(count, minutes)| limit(count, Duration::from_mins(minutes)))
                .collect();
            for ceilings in [LIKES, STORY_VIEWS, REQUESTS, LOGINS, LIKES_PER_TARGET] {
                let all = completed(&limits, ceilings);
                for ceiling in ceilings {
                    prop_assert!(permitted(&all, ceiling.span) <= u64::from(ceiling.count));
                }
            }
        }
    }
}
