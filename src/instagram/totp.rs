//! Codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, 6 digits).

use aws_lc_rs::hmac;

use crate::model::{Secret, Timestamp};

const STEP_SECS: i64 = 30;

/// The code that `secret` gives at `now`. The secret is base 32 as apps show it: blanks, dashes,
/// lower case and padding are all accepted.
pub fn code(secret: &Secret, now: Timestamp) -> Result<Secret, &'static str> {
    let key = base32(secret.expose())
        .filter(|key| !key.is_empty())
        .ok_or("the TOTP secret is not base 32 (letters A-Z and digits 2-7)")?;
    let step = now.as_secs().div_euclid(STEP_SECS);
    Ok(Secret::new(format!(
        "{:06}",
        truncated(&key, step) % 1_000_000
    )))
}

/// RFC 4226, 5.3.
fn truncated(key: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let start = usize::from(tag[tag.len() - 1] & 0xf);
    let word = [tag[start], tag[start + 1], tag[start + 2], tag[start + 3]];
    u32::from_be_bytes(word) & 0x7fff_ffff
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text
        .chars()
        .filter(|c| !c.is_whitespace() && !"-=".contains(*c))
    {
        let digit = match letter.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u32::from(letter) - u32::from('A'),
            letter @ '2'..='7' => u32::from(letter) - u32::from('2') + 26,
            _ => return None,
        };
        bits = (bits << 5) | digit;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).expect("eight bits fit a byte"));
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The ASCII key of the RFC's test vectors, `12345678901234567890`.
    const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let code = code(&Secret::new(RFC_SECRET), Timestamp::from_secs(seconds)).unwrap();
            assert_eq!(code.expose(), digits, "at {seconds}");
        }
    }

    #[test]
    fn the_way_apps_show_a_secret_makes_no_difference() {
        let shown = "gezd gnbv gy3t qojq-GEZD GNBV GY3T QOJQ==";
        let code = code(&Secret::new(shown), Timestamp::from_secs(59)).unwrap();
        assert_eq!(code.expose(), "287082");
    }

    #[test]
    fn a_secret_that_is_none_is_refused_without_being_shown() {
        for secret in ["", " ", "hunter1", "\u{e9}"] {
            let problem = code(&Secret::new(secret), Timestamp::from_secs(59)).unwrap_err();
            assert!(!problem.contains("hunter1"));
        }
    }
}
