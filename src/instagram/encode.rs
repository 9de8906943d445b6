//! The encodings of the private API: `signed_body`, query strings, the `Authorization` text.
//!
//! `signed_body` carries no signature any more: the word stands for itself, and only the JSON after
//! the dot is percent-encoded, as HTML forms do it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::model::Timestamp;

/// What form encoding escapes: everything but letters, digits and `_ . - ~`; the blank is turned
/// into `+` afterwards.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

const BEARER: &str = "Bearer IGT:2:";

/// `text` as a form or query value.
pub fn form_value(text: &str) -> String {
    utf8_percent_encode(text, FORM)
        .to_string()
        .replace("%20", "+")
}

/// `pairs` as a query string, in their order; empty values are sent as `name=`.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", form_value(value)))
        .collect();
    pairs.join("&")
}

/// Compact JSON, keys in insertion order, everything beyond ASCII as `\uXXXX`.
pub fn ascii_json(value: &Value) -> String {
    let mut ascii = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        }
    }
    ascii
}

/// The body of nearly every POST.
pub fn signed_body(fields: &Value) -> String {
    format!("signed_body=SIGNATURE.{}", form_value(&ascii_json(fields)))
}

/// The `Authorization` text that stands for `data`.
pub fn authorization(data: &Map<String, Value>) -> String {
    let json = ascii_json(&Value::Object(data.clone()));
    format!("{BEARER}{}", STANDARD.encode(json))
}

/// What an `Authorization` text stands for, if it has the known form: names and plain values. Nested
/// ones could lie too deep to be read back out of a stored session.
pub fn authorization_data(header: &str) -> Option<Map<String, Value>> {
    let json = STANDARD.decode(header.strip_prefix(BEARER)?).ok()?;
    let data: Map<String, Value> = serde_json::from_slice(&json).ok()?;
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    data.values().all(is_plain).then_some(data)
}

/// Whether a header can carry `text` unchanged.
pub fn fits(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A date as headers and cookies write it; cookies may have dashes in it.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let text = match text.split_once(", ") {
        Some((day, rest)) => format!("{day}, {}", rest.replacen('-', " ", 2)),
        None => text.to_owned(),
    };
    let moment = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(&text)
        .ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/fixtures/private/vectors.json")).unwrap()
    }

    #[test]
    fn signed_body_agrees_with_the_recorded_vector() {
        let vector = &vectors()["signed_body"];
        assert_eq!(
            ascii_json(&vector["object"]),
            vector["json"].as_str().unwrap()
        );
        assert_eq!(
            signed_body(&vector["object"]),
            vector["http_body"].as_str().unwrap()
        );
    }

    #[test]
    fn authorization_agrees_with_the_recorded_vector_in_both_directions() {
        let vector = &vectors()["authorization"];
        let data = vector["authorization_data"].as_object().unwrap();
        let header = vector["header"].as_str().unwrap();
        assert_eq!(authorization(data), header);
        assert_eq!(authorization_data(header).as_ref(), Some(data));
    }

    #[test]
    fn an_authorization_of_another_form_is_not_taken_apart() {
        for header in [
            "",
            "Bearer ",
            "Bearer IGT:2:",
            "Bearer IGT:2:%%%",
            "Basic eDp5",
        ] {
            assert_eq!(authorization_data(header), None, "{header:?}");
        }
    }

    #[test]
    fn form_values_keep_the_tilde_and_escape_the_asterisk() {
        assert_eq!(form_value("a~b*c (d)!'"), "a~b%2Ac+%28d%29%21%27");
        assert_eq!(query(&[("max_id", ""), ("q", "a b")]), "max_id=&q=a+b");
    }

    #[test]
    fn characters_beyond_the_basic_plane_become_two_escapes() {
        assert_eq!(ascii_json(&json!("😀")), "\"\\ud83d\\ude00\"");
    }

    #[test]
    fn dates_are_read_and_nonsense_is_not() {
        let date = http_date("Fri, 20 Nov 2026 18:00:00 GMT");
        assert_eq!(date, Some(Timestamp::from_secs(1_795_197_600)));
        for text in ["", "soon", "Fri, 20 Nov", "\u{e9}, 1 2 3"] {
            assert_eq!(http_date(text), None, "{text:?}");
        }
    }
}
