//! What must hold of the small texts inside replies: dates, waiting times, ids.

use super::NOW;
use crate::instagram::objections::{self, Reply, dates as named};
use crate::instagram::wire::Scope;
use crate::instagram::{encode, totp};
use crate::model::{ItemId, Pk, Secret, Timestamp};
use crate::ports::{Next, Objection};

/// Moments at which a text is read: today, around leap days, and what a broken clock may say.
const MOMENTS: [i64; 8] = [
    1_795_197_600_000,
    1_835_308_800_000,
    951_782_400_000,
    0,
    -62_135_596_800_000,
    253_402_300_799_000,
    i64::MAX,
    i64::MIN,
];

/// A sentence that may name a day, a `Retry-After`, a `Date`, an `Expires`.
pub fn dates(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for now in MOMENTS.map(Timestamp::from_millis) {
        if let Some(end) = named::end_of_named_day(&text, now) {
            assert!(end > now, "a block ends after it began");
            // No year beyond 2199 is read, and none further off than the next leap day.
            let last = Timestamp::from_secs(7_258_161_600).max(now.plus(TEN_YEARS));
            assert!(end <= last, "{end}");
        }
        waiting(&text, now);
        let code = totp::code(&Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), now);
        let code = code.expect("this is a secret");
        assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
    }
    if let Some(moment) = encode::http_date(text.trim()) {
        assert!(!moment.to_string().ends_with(" ms"), "{moment:?} is a date");
        reads_back(moment);
    }
}

const TEN_YEARS: std::time::Duration = std::time::Duration::from_hours(10 * 366 * 24);

/// Whatever `Retry-After` says, the answer is a hold that has not ended yet; a number counts.
fn waiting(text: &str, now: Timestamp) {
    let reply = Reply {
        status: 429,
        retry_after: Some(text.to_owned()),
        ..Reply::default()
    };
    let error = objections::read(&reply, "testing", Scope::Item, now).expect_err("429 is a no");
    super::fit_for_the_operator(&error.message);
    let Next::Stop(Objection { until, .. }) = error.next else {
        panic!("429 stops the program");
    };
    assert!(until.is_none_or(|until| until >= now));
    let digits = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.trim().len() <= 18 {
        let seconds: u64 = text.trim().parse().expect("18 digits are a number");
        assert_eq!(
            until,
            Some(now.plus(std::time::Duration::from_secs(seconds)))
        );
    }
}

/// What is shown is the moment itself, to the second.
fn reads_back(moment: Timestamp) {
    let shown: jiff::Timestamp = moment.to_string().parse().expect("RFC 3339 is shown");
    assert_eq!(shown.as_second(), moment.as_secs());
}

/// Ids of people and items.
pub fn ids(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<Pk>() {
        Ok(pk) => {
            assert!(pk.get() > 0);
            assert_eq!(pk.to_string().parse(), Ok(pk));
            assert_eq!(pk.to_string(), text.trim_start_matches('0'));
        }
        Err(error) => assert!(error.to_string().chars().count() < 600),
    }
    match text.parse::<ItemId>() {
        Ok(id) => assert_eq!(id.to_string().parse(), Ok(id)),
        Err(error) => assert!(error.to_string().chars().count() < 600),
    }
    if let Ok(value) = serde_json::from_str(&text)
        && let Some(pk) = crate::instagram::wire::pk_of(&value)
    {
        let written = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(
            written.trim_start_matches('0'),
            pk.to_string(),
            "a digit was lost"
        );
    }
    for millis in text.split_whitespace().filter_map(|word| word.parse().ok()) {
        let moment = Timestamp::from_millis(millis);
        let shown = moment.to_string();
        assert!(shown.ends_with('Z') || shown.ends_with(" ms"), "{shown}");
        assert!(moment.plus(moment.distance(NOW)) >= moment);
        assert!(moment.minus(moment.distance(NOW)) <= moment);
        if shown.ends_with('Z') {
            reads_back(moment);
        }
    }
}
