//! How often something happens a day: what limits admit, and what passes that start every hour check.

use std::time::Duration;

use super::QuietHours;
use crate::model::Limit;

const HOUR: u64 = 3600;

/// Seconds of a day.
const DAY: u64 = 24 * HOUR;

/// Checks are counted over so many days, so that the longest intervals come round often.
const COUNTED_OVER: u64 = 366;

/// The most attempts a day that a limit admits in the long run. A window that is shorter than the
/// hours that are not quiet may be used up once more before they end.
pub(super) fn most_a_day(limit: &Limit, quiet: Option<QuietHours>) -> f64 {
    let awake = DAY - quiet.map_or(0, |hours| minutes_of(hours) * 60);
    let span = limit.span.as_secs().max(1);
    let times_awake = u32::try_from(awake.div_ceil(span)).unwrap_or(u32::MAX);
    let count = f64::from(limit.count);
    let rolling = count * Duration::from_secs(DAY).as_secs_f64() / limit.span.as_secs_f64();
    rolling.min(count * f64::from(times_awake))
}

/// How many passes a day hourly ones are, those aside whose hour is quiet from end to end.
pub(super) fn passes_a_day(quiet: Option<QuietHours>) -> u32 {
    (0..24).map(|hour| u32::from(!is_quiet(quiet, hour))).sum()
}

/// How many times a day hourly passes check what is wanted `every` so often.
///
/// A check is made some minutes into its pass, so it falls due some minutes after a later pass began,
/// and the one after that makes it: every 2h are every 3h. The interval goes on in quiet hours, and
/// what fell due in them is checked right after.
pub(super) fn checks_a_day(every: Duration, quiet: Option<QuietHours>) -> f64 {
    let interval = every.as_secs() / HOUR + 1;
    let (mut due, mut checks) = (0, 0_u32);
    for hour in 0..COUNTED_OVER * 24 {
        if hour >= due && !is_quiet(quiet, hour % 24) {
            due = hour.saturating_add(interval);
            checks += 1;
        }
    }
    f64::from(checks) * Duration::from_secs(DAY).as_secs_f64()
        / Duration::from_secs(COUNTED_OVER * DAY).as_secs_f64()
}

/// Whether no minute of this hour of the day is awake.
fn is_quiet(quiet: Option<QuietHours>, hour: u64) -> bool {
    quiet.is_some_and(|hours| {
        let since = |minute| (minute + 24 * 60 - minute_of(hours.from)) % (24 * 60);
        (hour * 60..hour * 60 + 60).all(|minute| since(minute) < minutes_of(hours))
    })
}

fn minutes_of(hours: QuietHours) -> u64 {
    (minute_of(hours.to) + 24 * 60 - minute_of(hours.from)) % (24 * 60)
}

fn minute_of(time: jiff::civil::Time) -> u64 {
    u64::from(time.hour().unsigned_abs()) * 60 + u64::from(time.minute().unsigned_abs())
}
