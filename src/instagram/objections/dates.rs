//! The date an action block names, in the English forms it may take.

use jiff::civil::Date;
use jiff::{ToSpan, tz};

use crate::model::Timestamp;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// When the latest day that `text` names is over everywhere on Earth; `None` if it names none that
/// is still to come. No zone is ever given, so the last one counts.
pub fn end_of_named_day(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let today = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
    let today = today.to_zoned(tz::TimeZone::UTC).date();
    let days = (0..words.len()).flat_map(|start| days_at(&words[start..], today));
    days.filter_map(end_everywhere)
        .filter(|end| *end > now)
        .max()
}

/// A day ends last where the clock is 12 hours behind UTC.
fn end_everywhere(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?.at(12, 0, 0, 0);
    let end = next.to_zoned(tz::TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(end.as_millisecond()))
}

/// Every reading of a date that begins with the first word.
fn days_at(words: &[&str], today: Date) -> Vec<Date> {
    let first = words[0];
    let second = words.get(1).copied().unwrap_or_default();
    let third = words.get(2).copied().unwrap_or_default();
    let month_first = (month(first), day(second));
    let day_first = (month(second), day(first));
    for pair in [month_first, day_first] {
        if let (Some(month), Some(day)) = pair {
            return match year(third) {
                Some(year) => Date::new(year, month, day).ok().into_iter().collect(),
                None => next_such_day(month, day, today).into_iter().collect(),
            };
        }
    }
    numeric(first)
}

/// `2026-11-27`, also with a time behind it; `27/11/2026` and `11/27/2026`, where both readings
/// count if both are dates.
fn numeric(word: &str) -> Vec<Date> {
    let date = word.split(['T', 't']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [a, b, c] = parts[..] else {
        return Vec::new();
    };
    let small = |text: &str| text.parse::<i8>().ok();
    let readings = [
        (year(a), small(b), small(c)),
        (year(c), small(b), small(a)),
        (year(c), small(a), small(b)),
    ];
    readings
        .into_iter()
        .filter_map(|(year, month, day)| Date::new(year?, month?, day?).ok())
        .collect()
}

fn next_such_day(month: i8, day: i8, today: Date) -> Option<Date> {
    // Yesterday may still be today elsewhere.
    let earliest = today.checked_sub(1.day()).ok()?;
    // Leap days are at most eight years apart.
    (0..=8)
        .filter_map(|years| Date::new(today.year() + years, month, day).ok())
        .find(|date| *date >= earliest)
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let found = MONTHS
        .iter()
        .position(|name| *name == word || (word.len() >= 3 && name.starts_with(&word)))?;
    i8::try_from(found + 1).ok()
}

fn day(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    let plain = ["", "st", "nd", "rd", "th"].contains(&suffix);
    digits
        .parse()
        .ok()
        .filter(|day| plain && (1..=31).contains(day))
}

fn year(word: &str) -> Option<i16> {
    word.parse().ok().filter(|year| (2000..2200).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 18:00 UTC.
    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

    fn end(text: &str) -> Option<String> {
        end_of_named_day(text, NOW).map(|end| end.to_string())
    }

    #[test]
    fn every_english_form_means_the_end_of_that_day_everywhere() {
        for text in [
            "This block will expire on 2026-11-27. We restrict",
            "until 2026-11-27T08:00:00Z",
            "until November 27, 2026.",
            "on Nov 27th, please",
            "expires 27 November 2026",
            "expires 27 Nov.",
            "on 27/11/2026",
            "on 11/27/2026",
        ] {
            assert_eq!(end(text).as_deref(), Some("2026-11-28T12:00:00Z"), "{text}");
        }
    }

    #[test]
    fn an_ambiguous_date_is_read_as_the_later_one() {
        assert_eq!(
            end("on 03/12/2026").as_deref(),
            Some("2026-12-04T12:00:00Z")
        );
        assert_eq!(
            end("on 01/02/2027").as_deref(),
            Some("2027-02-02T12:00:00Z")
        );
    }

    #[test]
    fn a_day_without_year_is_the_next_one() {
        assert_eq!(
            end("until January 3").as_deref(),
            Some("2027-01-04T12:00:00Z")
        );
    }

    #[test]
    fn a_leap_day_without_year_is_the_next_there_is() {
        // 2027-12-20, when 2027 has no such day any more.
        let now = Timestamp::from_secs(1_829_260_800);
        let end = end_of_named_day("until February 29", now).map(|end| end.to_string());
        assert_eq!(end.as_deref(), Some("2028-03-01T12:00:00Z"));
    }

    #[test]
    fn past_days_and_other_numbers_are_no_date() {
        for text in [
            "",
            "blocked since 2026-11-01",
            "try again in 24 hours",
            "you may 9999-99-99",
            "November 31, 2026",
            "\u{e9}\u{e9} 1st\u{e9}",
        ] {
            assert_eq!(end(text), None, "{text}");
        }
    }
}
