//! Quiet hours: local hours of the day in which nothing is sent.

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::config::QuietHours;
use crate::model::Timestamp;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The first moment from `now` on that is not quiet; `None` if `now` is not. The clock on the wall
/// in `zone` decides: where it is set forward or back, a quiet hour is as short or as long as that
/// clock shows it, and one that it shows twice is quiet twice.
pub fn quiet_until(hours: QuietHours, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut moment = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
    let mut quiet = false;
    // Between two changes of the clock it runs evenly, so the end is as far away as it shows.
    while let Some(left) = left(hours, zone.to_datetime(moment).time()) {
        quiet = true;
        let end = moment.checked_add(left).ok()?;
        let change = zone.following(moment).next();
        match change.map(|change| change.timestamp()) {
            Some(change) if change <= end => moment = change,
            _ => {
                moment = end;
                break;
            }
        }
    }
    quiet.then(|| Timestamp::from_millis(moment.as_millisecond()))
}

/// How long it stays quiet at `time`, if it is. Hours that pass midnight belong to both days.
fn left(hours: QuietHours, time: Time) -> Option<SignedDuration> {
    let (from, to) = (hours.from, hours.to);
    let quiet = if from <= to {
        from <= time && time < to
    } else {
        time >= from || time < to
    };
    let ahead = time.duration_until(to);
    let left = if ahead.is_negative() {
        ahead + DAY
    } else {
        ahead
    };
    quiet.then_some(left)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(moment.as_millisecond())
    }

    fn hours(text: &str) -> QuietHours {
        let (from, to) = text.split_once('-').unwrap();
        let time = |text: &str| text.parse().unwrap();
        QuietHours {
            from: time(from),
            to: time(to),
        }
    }

    fn until(quiet: &str, zone: &str, now: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        quiet_until(hours(quiet), &zone, utc(now)).map(|end| end.to_string())
    }

    fn ends(quiet: &str, zone: &str, now: &str, end: &str) {
        assert_eq!(
            until(quiet, zone, now).as_deref(),
            Some(end),
            "{quiet} in {zone} at {now}"
        );
    }

    const BERLIN: &str = "Europe/Berlin";
    const NIGHT: &str = "22:00-07:00";

    #[test]
    fn a_night_passes_midnight() {
        let end = "2026-11-21T06:00:00Z";
        ends(NIGHT, BERLIN, "2026-11-20T21:00:00Z", end);
        ends(NIGHT, BERLIN, "2026-11-21T05:59:59.999Z", end);
        assert_eq!(until(NIGHT, BERLIN, "2026-11-20T20:59:59.999Z"), None);
        assert_eq!(until(NIGHT, BERLIN, end), None);
    }

    #[test]
    fn a_rest_at_noon_stays_within_its_day() {
        let noon = "12:00-14:00";
        ends(noon, BERLIN, "2026-11-20T11:30:00Z", "2026-11-20T13:00:00Z");
        ends(noon, BERLIN, "2026-11-20T11:00:00Z", "2026-11-20T13:00:00Z");
        assert_eq!(until(noon, BERLIN, "2026-11-20T13:00:00Z"), None);
        assert_eq!(until(noon, BERLIN, "2026-11-20T14:30:00Z"), None);
    }

    #[test]
    fn every_zone_has_its_own_night() {
        // 07:00 at UTC-5, UTC+5:30 and UTC+10:30.
        let now = "2026-06-30T20:00:00Z";
        assert_eq!(until(NIGHT, "America/New_York", now), None);
        ends(NIGHT, "Asia/Kolkata", now, "2026-07-01T01:30:00Z");
        ends(NIGHT, "Australia/Lord_Howe", now, "2026-06-30T20:30:00Z");
        let late = "2026-12-01T11:59:00Z";
        ends(NIGHT, "America/New_York", late, "2026-12-01T12:00:00Z");
    }

    #[test]
    fn the_nights_of_the_changes_end_by_the_new_clock() {
        // 2026-03-29 02:00 CET becomes 03:00 CEST: 07:00 is 05:00 UTC. In October it is 06:00 UTC.
        let end = "2026-03-29T05:00:00Z";
        ends(NIGHT, BERLIN, "2026-03-28T23:00:00Z", end);
        let end = "2026-10-25T06:00:00Z";
        ends(NIGHT, BERLIN, "2026-10-24T23:00:00Z", end);
        // Half an hour: 2026-04-05 02:00 at UTC+11 becomes 01:30 at UTC+10:30.
        let end = "2026-04-04T20:30:00Z";
        ends(NIGHT, "Australia/Lord_Howe", "2026-04-04T14:00:00Z", end);
    }

    #[test]
    fn an_end_that_the_clock_jumps_over_is_the_jump() {
        // From 02:00 to 03:00: nothing shows 02:30, and 03:00 is not quiet.
        let end = "2026-03-29T01:00:00Z";
        ends("22:00-02:30", BERLIN, "2026-03-29T00:30:00Z", end);
        // Hours that the jump leaves out altogether are never quiet.
        assert_eq!(until("02:10-02:50", BERLIN, "2026-03-29T01:00:00Z"), None);
    }

    #[test]
    fn an_hour_that_the_clock_shows_twice_is_quiet_twice() {
        // 2026-10-25 03:00 CEST becomes 02:00 CET: 02:30 is 00:30 and 01:30 UTC.
        let quiet = "22:00-02:30";
        ends(
            quiet,
            BERLIN,
            "2026-10-24T23:00:00Z",
            "2026-10-25T00:30:00Z",
        );
        assert_eq!(until(quiet, BERLIN, "2026-10-25T00:45:00Z"), None);
        ends(
            quiet,
            BERLIN,
            "2026-10-25T01:10:00Z",
            "2026-10-25T01:30:00Z",
        );
        // The first 02:59 is quiet, and so is the second 02:00: it does not end in between.
        let quiet = "02:00-03:00";
        ends(
            quiet,
            BERLIN,
            "2026-10-25T00:00:00Z",
            "2026-10-25T02:00:00Z",
        );
    }

    #[test]
    fn a_day_that_a_zone_leaves_out_is_no_longer_night() {
        // Apia went from 2011-12-29 24:00 at UTC-10 to 2011-12-31 00:00 at UTC+14.
        let end = "2011-12-30T17:00:00Z";
        ends(NIGHT, "Pacific/Apia", "2011-12-30T09:00:00Z", end);
    }

    /// The clock on the wall, minute by minute, without any knowledge of when it is changed.
    fn shows_quiet(quiet: QuietHours, zone: &TimeZone, at: Timestamp) -> bool {
        let moment = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
        let shown = zone.to_datetime(moment);
        let minute = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let length = (minute(quiet.to) - minute(quiet.from)).rem_euclid(24 * 60);
        (minute(shown.time()) - minute(quiet.from)).rem_euclid(24 * 60) < length
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn the_end_is_the_first_minute_that_the_wall_clock_shows_as_not_quiet(
            zone in prop::sample::select(vec![
                "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
                "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu", "UTC",
            ]),
            (from, length) in (0i16..24 * 60, 1i16..24 * 60),
            // The days around changes of these zones, and any day between 2010 and 2040.
            day in prop_oneof![
                prop::sample::select(vec![
                    "2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05",
                    "2026-10-04", "2011-12-30", "2018-11-04", "2026-02-15", "2026-03-22",
                ]).prop_map(|day| utc(&format!("{day}T00:00:00Z"))),
                (14_610i64..25_567).prop_map(|day| Timestamp::from_secs(day * 86_400)),
            ],
            minutes in -1440i64..2880,
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let time = |minutes: i16| {
                let minutes = minutes.rem_euclid(24 * 60);
                let (hour, minute) = (minutes / 60, minutes % 60);
                Time::constant(hour.try_into().unwrap(), minute.try_into().unwrap(), 0, 0)
            };
            let quiet = QuietHours { from: time(from), to: time(from + length) };
            let now = Timestamp::from_secs(day.as_secs() + minutes * 60);
            let mut expected = now;
            while shows_quiet(quiet, &zone, expected) {
                expected = Timestamp::from_secs(expected.as_secs() + 60);
            }
            let end = quiet_until(quiet, &zone, now);
            prop_assert_eq!(end, (expected != now).then_some(expected));
        }
    }
}
