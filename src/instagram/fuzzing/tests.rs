//! The checks of this folder over the recorded replies, changed at random: a dozen thousand cases.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::mutation::{any_value, mutated, mutations};
use super::*;
use crate::instagram::objections::{self, dates::end_of_named_day as dates_of};
use crate::instagram::wire::Scope;

/// Larger recordings are many of the same items.
const LARGEST: usize = 30_000;

#[derive(Debug)]
struct Recording {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Recording {
    fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let mut head = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\n"));
        }
        head.push('\n');
        [head.as_bytes(), body].concat()
    }
}

static RECORDINGS: LazyLock<Vec<Recording>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/private");
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let recordings = index["fixtures"].as_array().unwrap().iter().map(|entry| {
        let headers = entry["response_headers"].as_object();
        let mut headers: Vec<(String, String)> = headers
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let content_type = entry["content_type"].as_str().unwrap_or_default();
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        Recording {
            status: u16::try_from(entry["http_status"].as_u64().unwrap()).unwrap(),
            headers,
            body: std::fs::read(folder.join(entry["file"].as_str().unwrap())).unwrap(),
        }
    });
    recordings
        .filter(|recording| recording.body.len() <= LARGEST)
        .collect()
});

fn recording() -> impl Strategy<Value = &'static Recording> {
    any::<Index>().prop_map(|index| index.get(RECORDINGS.as_slice()))
}

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Bytes changed, put in and cut out anywhere.
fn scribbled(bytes: &[u8], changes: &[(Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, what, byte) in changes {
        let at = place.index(bytes.len() + 1);
        match what % 4 {
            0 => bytes.insert(at, *byte),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => bytes[at] = *byte,
            _ => drop(bytes.drain(at..(at + usize::from(*byte)).min(bytes.len()))),
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    let byte = prop_oneof![any::<u8>(), select(b"\0\"{}[],:0-\\\x1b\xff".to_vec())];
    prop::collection::vec((any::<Index>(), any::<u8>(), byte), 0..4)
}

fn header_line() -> impl Strategy<Value = String> {
    let name = select(vec![
        "Set-Cookie",
        "ig-set-authorization",
        "ig-set-x-mid",
        "ig-set-ig-u-rur",
        "ig-set-ig-u-shbid",
        "ig-set-ig-u-ig-direct-region-hint",
        "x-ig-set-www-claim",
        "Retry-After",
        "Location",
    ]);
    let value = prop_oneof![
        "[ -~\t]{0,40}",
        "(sessionid|ds_user_id|csrftoken|[ -~\t]{1,5})=[ -~\t]{0,20}(; (Max-Age|Expires|Domain)=[ -~]{0,20}){0,2}",
        "ds_user_id=[0-9]{1,20}; Max-Age=-?[0-9]{1,20}",
        "sessionid=[0-9]{1,12}%3A[a-z]{1,9}",
        "\\PC{0,20}",
        any_authorization(),
    ];
    (name, value).prop_map(|(name, value)| format!("{name}: {value}"))
}

/// An `Authorization` in the platform's form around any JSON.
fn any_authorization() -> impl Strategy<Value = String> {
    use base64::Engine as _;
    (any_value(), any_value(), any_value()).prop_map(|(owner, id, other)| {
        let data = json!({ "ds_user_id": owner, "sessionid": id, "other": other });
        let data = base64::engine::general_purpose::STANDARD.encode(data.to_string());
        format!("Bearer IGT:2:{data}")
    })
}

proptest! {
    #![proptest_config(few(600))]

    #[test]
    fn a_recorded_reply_with_other_members_keeps_every_promise(
        recording in recording(),
        mutations in mutations(),
        status in prop::option::weighted(0.2, 100_u16..1000),
    ) {
        let document = serde_json::from_slice(&recording.body).unwrap_or(Value::Null);
        let body = mutated(document, &mutations).to_string();
        let recording = Recording {
            status: status.unwrap_or(recording.status),
            headers: recording.headers.clone(),
            body: Vec::new(),
        };
        reply(&recording.with_body(body.as_bytes()));
    }

    #[test]
    fn a_recorded_reply_scribbled_over_keeps_every_promise(
        recording in recording(),
        changes in changes(),
        whole in any::<bool>(),
    ) {
        if whole {
            reply(&scribbled(&recording.with_body(&recording.body), &changes));
        } else {
            reply(&recording.with_body(&scribbled(&recording.body, &changes)));
        }
    }

    #[test]
    fn any_document_is_no_session_and_no_like_by_itself(document in any_value(), status in 200_u16..500) {
        reply(format!("{status}\n\n{document}").as_bytes());
    }

    #[test]
    fn any_state_headers_leave_a_session_that_can_be_stored_and_sent(
        lines in prop::collection::vec(header_line(), 0..8),
    ) {
        state_headers(lines.join("\n").as_bytes());
    }
}

proptest! {
    #![proptest_config(few(300))]

    #[test]
    fn a_settings_file_with_other_members_comes_back_or_is_refused(
        file in select(vec!["instagrapi_3.json", "instagrapi_2.json", "smallest.json"]),
        mutations in mutations(),
        changes in prop::option::weighted(0.3, changes()),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/settings");
        let document = std::fs::read(folder.join(file)).unwrap();
        let document = serde_json::from_slice(&document).unwrap();
        let text = mutated(document, &mutations).to_string();
        settings(&scribbled(text.as_bytes(), &changes.unwrap_or_default()));
    }

    #[test]
    fn a_session_id_is_used_as_it_is_or_refused(
        text in "[1-9][0-9]{0,18}(%3A|:|%3a|%)[A-Za-z0-9]{0,20}[%:A-Za-z0-9 \r\n;=\"]{0,20}",
    ) {
        session_id(text.as_bytes());
    }

    #[test]
    fn sentences_about_days_keep_every_promise(
        words in prop::collection::vec(select(vec![
            "until", "February", "29", "29th", "feb", "2027", "2028-02-29", "31/12/2199", "9999-12-31",
            "0000-00-00", "December", "31", "-1", "1st", "May", "12/11/2026", "2026-11-27T08:00",
        ]), 0..6),
        number in any::<i64>(),
    ) {
        dates(words.join(" ").as_bytes());
        dates(number.to_string().as_bytes());
        dates(format!("Fri, {} Nov {} 18:00:00 GMT", number % 40, number % 10_000).as_bytes());
    }

    #[test]
    fn a_day_of_the_coming_year_is_understood_in_every_form(
        today in 18_628_i64..29_200,
        // A day named without its year may also be the one just gone.
        ahead in 1_i64..362,
    ) {
        let day_at = |days: i64| jiff::Timestamp::from_second(days * 86_400).unwrap();
        let named = day_at(today + ahead);
        let now = Timestamp::from_secs(today * 86_400 + 43_200);
        let end = Timestamp::from_secs((today + ahead + 1) * 86_400 + 43_200);
        for form in ["%Y-%m-%d", "%B %d, %Y", "%B %-d", "%-d %b", "%b %-dth"] {
            let text = format!("This block will expire on {}.", named.strftime(form));
            prop_assert_eq!(dates_of(&text, now), Some(end), "{} at {}", text, now);
        }
    }

    #[test]
    fn numbers_as_ids_lose_no_digit(number in any::<u64>(), other in any::<i64>()) {
        for text in [
            number.to_string(),
            format!("\"{number}\""),
            format!("{number}_{other}"),
            format!("0{number}"),
            format!("{number}.0"),
            format!("{other}"),
        ] {
            ids(text.as_bytes());
        }
    }
}

#[test]
fn a_like_cut_off_at_any_byte_is_no_success() {
    for name in ["media_like_ok", "story_like_ok"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/private");
        let whole = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        let read = |body: &[u8]| {
            let reply = Heard {
                status: 200,
                headers: HeaderMap::new(),
                body: body.to_vec(),
            };
            objections::read(&reply.reply(), "testing", Scope::Item, NOW)
        };
        assert!(read(&whole).is_ok());
        for end in 0..whole.trim_ascii_end().len() {
            assert!(
                read(&whole[..end]).is_err(),
                "{name} cut off after {end} bytes"
            );
        }
    }
}

#[test]
fn a_body_nested_deeper_than_the_stack_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 50_000;
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for body in [
            nested.clone(),
            format!("{{\"status\":\"ok\",\"x\":{nested}}}"),
        ] {
            reply(format!("200\n\n{body}").as_bytes());
            settings(body.as_bytes());
        }
    }
}

/// JSON leaves open which of two members of the same name counts. Here it is the last one, so that
/// the whole program reads the same.
#[test]
fn of_a_member_that_comes_twice_the_last_counts() {
    let read = |body: &str| {
        let reply = Heard {
            status: 200,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        objections::read(&reply.reply(), "testing", Scope::Item, NOW)
    };
    assert!(read(r#"{"status":"ok","status":"fail"}"#).is_err());
    assert!(read(r#"{"status":"fail","status":"ok"}"#).is_ok());
}
