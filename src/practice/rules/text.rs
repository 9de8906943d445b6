//! Forms that values take on the wire.

use uuid::{Uuid, Variant, Version};

/// A random uuid, lower case with dashes.
pub fn is_uuid4(text: &str) -> bool {
    let parsed = Uuid::try_parse(text);
    parsed.is_ok_and(|uuid| {
        uuid.get_version() == Some(Version::Random)
            && uuid.get_variant() == Variant::RFC4122
            && uuid.hyphenated().to_string() == text
    })
}

/// `prefix` followed by a random uuid followed by `suffix`.
pub fn is_wrapped_uuid4(text: &str, prefix: &str, suffix: &str) -> bool {
    let inner = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(suffix));
    inner.is_some_and(is_uuid4)
}

/// `android-` and 16 lower-case hex digits.
pub fn is_android_id(text: &str) -> bool {
    text.strip_prefix("android-")
        .is_some_and(|hex| hex.len() == 16 && is_lower_hex(hex))
}

/// Lower-case hex digits only, at least one.
pub fn is_lower_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Decimal digits only, at least one.
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `en_US` and its like.
pub fn is_locale(text: &str) -> bool {
    text.split_once('_').is_some_and(|(language, country)| {
        (2..=3).contains(&language.len())
            && language.bytes().all(|b| b.is_ascii_lowercase())
            && is_country(country)
    })
}

/// Two capital letters.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// `en-US`, or another such tag followed by `, en-US`.
pub fn is_accept_language(text: &str) -> bool {
    let first = text.strip_suffix(", en-US").unwrap_or(text);
    is_locale(&first.replace('-', "_")) && (first == text) == (text == "en-US")
}

/// An integer, with or without a minus sign.
pub fn is_integer(text: &str) -> bool {
    is_digits(text.strip_prefix('-').unwrap_or(text))
}

/// Unix seconds with at most three decimals and no trailing zero, in milliseconds.
pub fn decimal_seconds_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text, None), |(w, f)| (w, Some(f)));
    let fraction = match fraction {
        // instagrapi writes a round second as `1795197600.0`.
        None | Some("0") => 0,
        Some(f) if is_digits(f) && f.len() <= 3 && !f.ends_with('0') => {
            format!("{f:0<3}").parse().ok()?
        }
        Some(_) => return None,
    };
    if !is_digits(whole) {
        return None;
    }
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(fraction)
}

/// A full media id, split into media pk and owner pk.
pub fn media_id(text: &str) -> Option<(u64, u64)> {
    let (pk, owner) = text.split_once('_')?;
    let both = is_digits(pk) && is_digits(owner);
    both.then(|| Some((pk.parse().ok()?, owner.parse().ok()?)))
        .flatten()
}
