//! Quiet hours: local hours of the day in which nothing is sent.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::config::QuietHours;
use crate::model::Timestamp;

/// The end of the quiet hours that `now` falls into; `None` outside them. Hours that pass midnight
/// belong to both days, and the zone's own daylight-saving rules decide what the clock shows.
pub fn quiet_until(hours: QuietHours, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let moment = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
    let local = zone.to_datetime(moment);
    let (time, from, to) = (local.time(), hours.from, hours.to);
    let quiet = if from <= to {
        from <= time && time < to
    } else {
        time >= from || time < to
    };
    if !quiet {
        return None;
    }
    let end_day = if time < to {
        local.date()
    } else {
        local.date().tomorrow().ok()?
    };
    let end = zone
        .to_ambiguous_timestamp(end_day.to_datetime(to))
        .compatible()
        .ok()?;
    let end = Timestamp::from_millis(end.as_millisecond());
    // In the repeated hour of autumn the compatible reading may already lie behind.
    Some(if end > now {
        end
    } else {
        now.plus(Duration::from_hours(1))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn utc(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(moment.as_millisecond())
    }

    fn until(from: i8, to: i8, zone: &str, now: &str) -> Option<String> {
        let hours = QuietHours {
            from: time(from, 0, 0, 0),
            to: time(to, 0, 0, 0),
        };
        let zone = TimeZone::posix(zone).unwrap();
        quiet_until(hours, &zone, utc(now)).map(|end| end.to_string())
    }

    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    #[test]
    fn a_night_passes_midnight() {
        let end = Some("2026-11-21T06:00:00Z".to_owned());
        assert_eq!(until(22, 7, BERLIN, "2026-11-20T21:00:00Z"), end);
        assert_eq!(until(22, 7, BERLIN, "2026-11-21T05:59:59Z"), end);
        assert_eq!(until(22, 7, BERLIN, "2026-11-20T20:59:59Z"), None);
        assert_eq!(until(22, 7, BERLIN, "2026-11-21T06:00:00Z"), None);
    }

    #[test]
    fn a_rest_at_noon_stays_within_its_day() {
        let end = Some("2026-11-20T13:00:00Z".to_owned());
        assert_eq!(until(12, 14, BERLIN, "2026-11-20T11:30:00Z"), end);
        assert_eq!(until(12, 14, BERLIN, "2026-11-20T14:30:00Z"), None);
    }

    #[test]
    fn the_night_of_the_spring_change_ends_by_the_new_clock() {
        // 2026-03-29 02:00 CET becomes 03:00 CEST; 07:00 CEST is 05:00 UTC.
        let end = Some("2026-03-29T05:00:00Z".to_owned());
        assert_eq!(until(22, 7, BERLIN, "2026-03-28T23:00:00Z"), end);
    }

    #[test]
    fn an_end_inside_the_repeated_hour_is_never_in_the_past() {
        // 2026-10-25 03:00 CEST becomes 02:00 CET: 02:30 happens twice.
        let hours = QuietHours {
            from: time(22, 0, 0, 0),
            to: time(2, 30, 0, 0),
        };
        let zone = TimeZone::posix(BERLIN).unwrap();
        let now = utc("2026-10-25T01:10:00Z");
        assert!(quiet_until(hours, &zone, now).unwrap() > now);
    }
}
