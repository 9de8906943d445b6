//! The clock against what is on record, the time zone, the quiet hours. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::check::Check;
use crate::care::quiet::quiet_until;
use crate::config::QuietHours;
use crate::exit::ExitCode;
use crate::model::Timestamp;

/// This program was written after it: 2026-11-01. A machine without a battery begins in 1970.
const WRITTEN_AFTER: Timestamp = Timestamp::from_secs(1_793_491_200);

/// The difference to Instagram's clock from which on a pass does not trust its own.
const TOLERANCE: Duration = Duration::from_mins(5);

/// After so long without a record the clock is worth a thought.
const SILENCE: Duration = Duration::from_hours(7 * 24);

const REMEDY: &str =
    "switch on time synchronisation (timedatectl set-ntp true) and see what `date` says";

/// `newest` is the newest thing on record, if there is a record.
pub(super) fn clock(newest: Option<Timestamp>, now: Timestamp) -> Check {
    const ID: &str = "clock";
    let span = |span: Duration| humantime::format_duration(Duration::from_secs(span.as_secs()));
    if now < WRITTEN_AFTER {
        let finding = format!("it says {now}, and this program was written later");
        return Check::problem(ID, ExitCode::TempFail, finding, REMEDY);
    }
    let Some(newest) = newest else {
        return Check::ok(
            ID,
            format!("{now}; nothing is on record to compare it with"),
        );
    };
    if newest > now.plus(TOLERANCE) {
        let ahead = span(newest.since(now));
        let finding = format!(
            "it says {now}, and the newest record is of {newest}, {ahead} in the future: the clock \
             is behind now, or was ahead then; passes go on, and what was sent then counts against \
             each limit until its span after {newest} is over"
        );
        let remedy = format!("{REMEDY}; if that is right, this passes by itself");
        // A pass compares the clock with Instagram's, not with the record.
        return Check::warning(ID, finding, remedy);
    }
    let age = span(now.since(newest));
    if now.since(newest) > SILENCE {
        return Check::warning(
            ID,
            format!("it says {now}, and the newest record is {age} old"),
            "fine if nothing was started since; otherwise the clock is ahead: see what `date` says",
        );
    }
    Check::ok(ID, format!("{now}; the newest record is {age} old"))
}

/// What time it is where `time_zone` says. A name with a mistake is told with the configuration.
pub(super) fn time_zone(zone: &TimeZone, is_set: bool, now: Timestamp) -> Check {
    const ID: &str = "time_zone";
    if !is_set {
        return Check::ok(ID, "none is configured; only quiet_hours need one");
    }
    let name = zone.iana_name().unwrap_or("a zone without a name");
    let Ok(moment) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
        return Check::note(ID, format!("{name}; the clock is beyond all calendars"));
    };
    let offset = zone.to_offset(moment);
    let local = zone.to_datetime(moment).strftime("%Y-%m-%d %H:%M");
    Check::ok(ID, format!("{name}, {local} there now (UTC{offset})"))
}

/// Whether nothing is sent at present.
pub(super) fn quiet_hours(hours: Option<QuietHours>, zone: &TimeZone, now: Timestamp) -> Check {
    const ID: &str = "quiet_hours";
    let Some(hours) = hours else {
        return Check::ok(ID, "none");
    };
    let (from, to) = (hours.from.strftime("%H:%M"), hours.to.strftime("%H:%M"));
    match quiet_until(hours, zone, now) {
        Some(until) => Check::note(ID, format!("{from}-{to}: nothing is sent until {until}")),
        None => Check::ok(ID, format!("{from}-{to}: not now")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::Status;
    use super::*;

    /// 2026-11-20 18:00:00 UTC.
    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn a_clock_that_is_wrong_by_a_day_is_told_with_the_difference() {
        let minute = Duration::from_mins(1);
        for (newest, status, words) in [
            (None, Status::Ok, "nothing is on record"),
            (Some(NOW.minus(minute)), Status::Ok, "1m old"),
            (Some(NOW.plus(5 * minute)), Status::Ok, "0s old"),
            (
                Some(NOW.plus(6 * minute)),
                Status::Warning,
                "6m in the future",
            ),
            (Some(NOW.plus(DAY)), Status::Warning, "1day in the future"),
            (Some(NOW.minus(7 * DAY)), Status::Ok, "7days old"),
            (Some(NOW.minus(8 * DAY)), Status::Warning, "8days old"),
        ] {
            let check = clock(newest, NOW);
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.finding.contains(words), "{check:?}");
            assert_eq!(
                check.exit_code, None,
                "a pass refuses nothing because of it"
            );
        }
    }

    #[test]
    fn a_clock_from_before_the_program_is_wrong_even_without_a_record() {
        let check = clock(None, Timestamp::from_secs(86_400));
        assert_eq!(check.status, Status::Problem);
        assert!(check.finding.contains("1970-01-02"), "{check:?}");
        assert!(check.remedy.unwrap().contains("timedatectl"));
    }

    #[test]
    fn the_time_zone_is_told_with_its_present_offset() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let winter = time_zone(&zone, true, NOW);
        let expected = "Europe/Berlin, 2026-11-20 19:00 there now (UTC+01)";
        assert_eq!(winter.finding, expected);
        let summer = time_zone(&zone, true, NOW.minus(120 * DAY)).finding;
        assert!(summer.contains("(UTC+02)"), "{summer}");
        assert_eq!(time_zone(&TimeZone::UTC, false, NOW).status, Status::Ok);
    }

    #[test]
    fn quiet_hours_say_until_when() {
        let hours = QuietHours {
            from: jiff::civil::time(17, 0, 0, 0),
            to: jiff::civil::time(19, 30, 0, 0),
        };
        let now = quiet_hours(Some(hours), &TimeZone::UTC, NOW);
        assert_eq!(now.status, Status::Note);
        assert!(
            now.finding
                .contains("17:00-19:30: nothing is sent until 2026-11-20T19:30:00Z")
        );
        let later = quiet_hours(
            Some(hours),
            &TimeZone::UTC,
            NOW.plus(Duration::from_hours(2)),
        );
        assert_eq!(later.status, Status::Ok);
    }
}
