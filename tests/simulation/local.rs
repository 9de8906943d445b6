//! What a clock on the wall shows, worked out from the zones' own rules and nothing else: the
//! reference that quiet hours are judged by.

use story_liker::model::Timestamp;

use crate::events::Rest;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Days since 1970 of a date, and the weekday of such a day (Sunday is 0).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 {
        (year - 1, month + 12)
    } else {
        (year, month)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 719_469
}

fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

fn year_of(seconds: i64) -> i64 {
    let day = seconds.div_euclid(DAY);
    let mut year = 1970 + day / 366;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    year
}

/// The zone's distance from UTC at that moment, in seconds.
fn offset(zone: &str, seconds: i64) -> i64 {
    let year = year_of(seconds);
    match zone {
        // From the last Sunday of March to that of October, changing at 01:00 UTC.
        "Europe/Berlin" => {
            let last_sunday = |month| {
                let last = days(year, month, 31);
                (last - weekday(last)) * DAY + HOUR
            };
            let summer = (last_sunday(3)..last_sunday(10)).contains(&seconds);
            if summer { 2 * HOUR } else { HOUR }
        }
        // From the second Sunday of March to the first of November, changing at 02:00 local time.
        "America/New_York" => {
            let sunday = |month, nth: i64| {
                let first = days(year, month, 1);
                (first + (7 - weekday(first)) % 7 + 7 * (nth - 1)) * DAY
            };
            let summer = sunday(3, 2) + 7 * HOUR..sunday(11, 1) + 6 * HOUR;
            if summer.contains(&seconds) {
                -4 * HOUR
            } else {
                -5 * HOUR
            }
        }
        _ => 0,
    }
}

/// Whether it is quiet at that moment.
pub fn is_quiet(rest: Rest, at: Timestamp) -> bool {
    let local = at.as_secs() + offset(rest.zone, at.as_secs());
    let minute = local.rem_euclid(DAY) / 60;
    if rest.from <= rest.to {
        (rest.from..rest.to).contains(&minute)
    } else {
        minute >= rest.from || minute < rest.to
    }
}

#[test]
fn the_reference_knows_when_the_clocks_change() {
    let shows = |zone, seconds: i64| (seconds + offset(zone, seconds)).rem_euclid(DAY) / 60;
    // 2026-10-25 01:00 UTC and 2027-03-28 01:00 UTC, Berlin.
    assert_eq!(shows("Europe/Berlin", 1_792_889_999), 2 * 60 + 59);
    assert_eq!(shows("Europe/Berlin", 1_792_890_000), 2 * 60);
    assert_eq!(shows("Europe/Berlin", 1_806_195_599), 60 + 59);
    assert_eq!(shows("Europe/Berlin", 1_806_195_600), 3 * 60);
    // 2026-11-01 06:00 UTC and 2027-03-14 07:00 UTC, New York.
    assert_eq!(shows("America/New_York", 1_793_512_799), 60 + 59);
    assert_eq!(shows("America/New_York", 1_793_512_800), 60);
    assert_eq!(shows("America/New_York", 1_805_007_599), 60 + 59);
    assert_eq!(shows("America/New_York", 1_805_007_600), 3 * 60);
}
