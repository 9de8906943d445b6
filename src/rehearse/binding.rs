//! Which setting binds: the one whose change would let more be liked.

use std::cmp::Reverse;
use std::time::Duration;

use super::bounds::Bound;
use crate::model::Limit;

const DAY: Duration = Duration::from_hours(24);

/// Whether this is a window of a day or longer. Once it is used up, what a pass does less only
/// leaves more to the next.
pub(super) fn is_long_window(what: &str) -> bool {
    let limit = what.strip_prefix("limits.").and_then(|rest| {
        let (_, limit) = rest.split_once(' ')?;
        limit.parse::<Limit>().ok()
    });
    limit.is_some_and(|limit| limit.span >= DAY)
}

/// Whether this ends a pass, or a target's turn in it, and the next begins anew.
pub(super) fn caps_a_pass(what: &str) -> bool {
    let of_run = ["limits.likes_per_run ", "limits.max_runtime "];
    of_run.iter().any(|key| what.starts_with(key)) || what.ends_with(" a pass")
}

/// The setting that binds, of bounds that stand worst first. A cap per pass keeps items waiting in
/// more passes than a window that is used up all the same, and raising it then changes nothing: it
/// binds only if no long window was full on as much as half of its days.
pub(super) fn binding(bounds: &[Bound]) -> Option<&Bound> {
    let settings = || bounds.iter().filter(|bound| bound.is_setting());
    let worst = settings().next()?;
    if !caps_a_pass(&worst.what) {
        return Some(worst);
    }
    let used_up = settings().filter(|bound| is_long_window(&bound.what));
    let used_up = used_up.filter_map(|bound| Some((bound, bound.full.as_ref()?)));
    used_up
        .filter(|(_, full)| full.days * 2 >= worst.days)
        .min_by_key(|(_, full)| Reverse(full.days * full.minutes_a_day))
        .map_or(Some(worst), |(bound, _)| Some(bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::Full;

    fn bound(what: &str, days: u32, full_days: u32) -> Bound {
        Bound {
            what: what.to_owned(),
            items_kept_waiting: 1,
            items_missed: 0,
            passes: days,
            days,
            first_day: Some(1),
            full: (full_days > 0).then_some(Full {
                days: full_days,
                first_day: 1,
                minutes_a_day: 600,
            }),
        }
    }

    #[test]
    fn a_cap_per_pass_binds_unless_a_window_of_a_day_or_longer_was_used_up_on_half_its_days() {
        let run = "limits.likes_per_run 10";
        let day = "limits.likes 60/24h";
        let cases = [
            (run, day, 5, day),
            (run, day, 4, run),
            (run, day, 0, run),
            (
                "limits.likes_per_target 3 a pass",
                "limits.likes_per_target 8/24h",
                5,
                "limits.likes_per_target 8/24h",
            ),
            (
                "limits.max_runtime 30m",
                "limits.requests 400/24h",
                9,
                "limits.requests 400/24h",
            ),
            (run, "limits.likes 12/1h", 9, run),
            (run, "hold throttled", 0, run),
            ("quiet_hours", day, 9, "quiet_hours"),
            (
                "limits.story_views 30/1h",
                day,
                9,
                "limits.story_views 30/1h",
            ),
        ];
        for (worst, next, full_days, expected) in cases {
            let bounds = [bound(worst, 10, 0), bound(next, 9, full_days)];
            let binds = binding(&bounds).map(|bound| bound.what.as_str());
            assert_eq!(binds, Some(expected), "{worst}, {next} full on {full_days}");
        }
        assert_eq!(binding(&[]), None);
        let mut nothing_waited = bound(day, 10, 10);
        nothing_waited.items_kept_waiting = 0;
        let bounds = [bound(run, 10, 0), nothing_waited];
        assert_eq!(binding(&bounds), Some(&bounds[0]));
    }
}
