//! Every recorded reply against its meaning, then statements that hold for any reply at all.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::meanings::{GOOD, MEANINGS, Means, Skip};
use super::*;
use crate::model::TargetTrouble;
use crate::ports::Objection;

use HoldReason::{
    ActionBlocked, Challenge, Checkpoint, Consent, LoggedOut, LoginRefused, LoginRequired,
    PleaseWait, Suspended, Throttled, TwoFactor, UnknownShape, UnsupportedVersion,
};
use Means::{EndPass, Good, Stop};

/// 2026-11-20 18:00:00 UTC, the clock of the recorded replies.
const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

struct Recorded {
    name: String,
    reply: Reply,
}

fn recorded() -> Vec<Recorded> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private");
    let index = std::fs::read(format!("{folder}/index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    index["fixtures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| Recorded {
            name: text(entry, "name"),
            reply: Reply {
                status: entry["http_status"].as_u64().unwrap().try_into().unwrap(),
                content_type: text(entry, "content_type"),
                body: std::fs::read(format!("{folder}/{}", text(entry, "file"))).unwrap(),
                ..Reply::default()
            },
        })
        .collect()
}

fn means(result: &Result<Map<String, Value>, PlatformError>) -> Means {
    match result.as_ref().map_err(|error| &error.next) {
        Ok(_) => Good,
        Err(Next::Stop(Objection { reason, .. })) => Stop(*reason),
        Err(Next::EndPass) => EndPass,
        Err(Next::SkipTarget(TargetTrouble::Private)) => Means::Skip(Skip::Private),
        Err(Next::SkipTarget(TargetTrouble::Gone)) => Means::Skip(Skip::GoneUser),
        Err(Next::SkipGoneItem) => Means::Skip(Skip::GoneItem),
        Err(Next::SkipInvalidItem) => Means::Skip(Skip::InvalidItem),
        Err(Next::RepeatRead) => panic!("a reply that arrived is never asked for again"),
    }
}

#[test]
fn every_recorded_reply_means_what_the_table_says() {
    let recorded = recorded();
    for Recorded { name, reply } in &recorded {
        if GOOD.contains(&name.as_str()) {
            let result = read(reply, "testing", Scope::Own, NOW);
            assert_eq!(means(&result), Good, "{name}");
            continue;
        }
        let row = MEANINGS.iter().find(|(known, ..)| known == name);
        let (_, scope, wanted, effect) = row.unwrap_or_else(|| panic!("{name} has no row"));
        let result = read(reply, "testing", *scope, NOW);
        assert_eq!(means(&result), *wanted, "{name}");
        assert_eq!(result.unwrap_err().effect, *effect, "{name}");
    }
    let names: BTreeSet<&str> = recorded.iter().map(|one| one.name.as_str()).collect();
    let rows = MEANINGS
        .iter()
        .map(|(name, ..)| *name)
        .chain(GOOD.iter().copied());
    assert_eq!(rows.collect::<BTreeSet<_>>(), names);
}

fn answer(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: "application/json; charset=utf-8".to_owned(),
        body: body.into(),
        ..Reply::default()
    }
}

fn meaning(status: u16, body: &str, scope: Scope) -> (Means, Effect) {
    let result = read(&answer(status, body), "testing", scope, NOW);
    (means(&result), result.unwrap_err().effect)
}

fn until(reply: &Reply) -> Option<Timestamp> {
    match read(reply, "testing", Scope::Item, NOW).unwrap_err().next {
        Next::Stop(objection) => objection.until,
        other => panic!("{other:?}"),
    }
}

/// Objections that are known by their words, whatever the status.
const BY_WORDS: &[(&str, HoldReason)] = &[
    (
        r#"{"message":"Please wait a few minutes before you try again."}"#,
        PleaseWait,
    ),
    (r#"{"message":["PLEASE WAIT a few minutes"]}"#, PleaseWait),
    (r#"{"message":"login_required"}"#, LoginRequired),
    (r#"{"message":"user_has_logged_out"}"#, LoggedOut),
    (
        r#"{"message":{"errors":["challenge_required"]}}"#,
        Challenge,
    ),
    (
        r#"{"message":null,"challenge":{"url":"/challenge/1/"}}"#,
        Challenge,
    ),
    (r#"{"message":"checkpoint_required"}"#, Checkpoint),
    (
        r#"{"checkpoint_url":"https://x/integrity/checkpoint/"}"#,
        Checkpoint,
    ),
    (
        r#"{"message":"challenge_required","challenge":{"url":"https://i/accounts/suspended/"}}"#,
        Suspended,
    ),
    (
        r#"{"message":"challenge_required","challenge":{"url":"https://i/web/unsupported_version/"}}"#,
        UnsupportedVersion,
    ),
    (r#"{"message":"feedback_required"}"#, ActionBlocked),
    (r#"{"status":"ok","spam":true}"#, ActionBlocked),
    (r#"{"message":"consent_required"}"#, Consent),
    (r#"{"message":"","two_factor_required":true}"#, TwoFactor),
    (r#"{"error_type":"rate_limit_error"}"#, Throttled),
    (r#"{"error_type":"Inactive User"}"#, Suspended),
];

/// Bodies that say nothing known.
const SPEECHLESS: &[&str] = &[
    "",
    " ",
    "{}",
    "[]",
    "null",
    "7",
    r#""login_required""#,
    r#"{"message":null}"#,
    r#"{"message":""}"#,
    r#"{"message":7,"status":"fail"}"#,
    r#"{"message":"counter get error","status":"fail"}"#,
    r#"{"status":"ok "}"#,
    r#"{"challenge":null,"checkpoint_url":"","spam":false}"#,
    "<html><body>login_required</body></html>",
    "{\"status\":\"ok\"",
    "\u{feff}x",
];

const STATUSES: &[u16] = &[
    200, 201, 202, 204, 301, 302, 304, 400, 401, 402, 403, 404, 405, 408, 410, 418, 422, 429, 500,
    502, 503, 504, 599, 600, 999,
];

const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "text/html; charset=utf-8",
    "",
    "\u{1b}x",
];

fn for_every_reply(bodies: &[&str], mut check: impl FnMut(&Reply, &str)) {
    for (status, body) in STATUSES
        .iter()
        .flat_map(|s| bodies.iter().map(move |b| (*s, *b)))
    {
        for content_type in CONTENT_TYPES {
            let mut reply = answer(status, body);
            reply.content_type = (*content_type).to_owned();
            check(&reply, body);
        }
    }
}

#[test]
fn an_objection_known_by_its_words_is_the_same_with_every_status() {
    for (body, reason) in BY_WORDS {
        for_every_reply(&[body], |reply, _| {
            let result = read(reply, "testing", Scope::Item, NOW);
            assert_eq!(means(&result), Stop(*reason), "{} {body}", reply.status);
            assert_eq!(
                result.unwrap_err().effect,
                Effect::Refused,
                "{} {body}",
                reply.status
            );
        });
    }
}

#[test]
fn an_apology_in_place_of_an_answer_is_no_good_reply() {
    let title = |title: &str| format!(r#"{{"status":"ok","error_title":{title}}}"#);
    let met = meaning(200, &title(r#""Try Again Later""#), Scope::Item);
    assert_eq!(met, (Stop(UnknownShape), Effect::Unknown));
    for empty in [r#""""#, "null"] {
        let reply = answer(200, &title(empty));
        assert!(read(&reply, "testing", Scope::Item, NOW).is_ok(), "{empty}");
    }
}

#[test]
fn without_known_words_the_status_decides() {
    for_every_reply(SPEECHLESS, |reply, body| {
        let result = read(reply, "testing", Scope::User, NOW);
        let is_object = serde_json::from_str::<Map<String, Value>>(body).is_ok();
        let wanted = match reply.status {
            429 => Stop(Throttled),
            401 | 403 => Stop(HoldReason::SessionDoubtful),
            405 | 408 | 500..=599 => EndPass,
            404 if is_object => Means::Skip(Skip::GoneUser),
            _ => Stop(UnknownShape),
        };
        assert_eq!(means(&result), wanted, "{} {body}", reply.status);
        let says_fail = body.contains(r#""status":"fail""#);
        let refused = match reply.status {
            401 | 403 | 429 => true,
            201..=399 | 405 | 408 | 500..=999 => false,
            200 => says_fail,
            _ => is_object,
        };
        let wanted = if refused {
            Effect::Refused
        } else {
            Effect::Unknown
        };
        assert_eq!(
            result.unwrap_err().effect,
            wanted,
            "{} {body}",
            reply.status
        );
    });
}

#[test]
fn a_like_that_was_accepted_in_another_way_than_200_may_have_taken() {
    for status in [201, 202, 204] {
        for body in [r#"{"status":"ok"}"#, r#"{"status":"fail"}"#, "{}", ""] {
            let meaning = meaning(status, body, Scope::Item);
            let unknown = (Stop(UnknownShape), Effect::Unknown);
            assert_eq!(meaning, unknown, "{status} {body}");
        }
    }
}

#[test]
fn only_200_with_status_ok_is_good() {
    for_every_reply(&[r#"{"status":"ok"}"#], |reply, _| {
        let good = read(reply, "testing", Scope::User, NOW).is_ok();
        assert_eq!(good, reply.status == 200, "{}", reply.status);
    });
}

#[test]
fn words_inside_a_good_listing_object_to_nothing() {
    let body = r#"{"status":"ok","items":[{"caption":{"text":"unsupported_version login_required
        Please wait a few minutes"}}],"challenge":{},"spam":false}"#
        .replace('\n', " ");
    assert!(read(&answer(200, &body), "testing", Scope::User, NOW).is_ok());
}

#[test]
fn what_is_gone_depends_on_what_was_asked_for() {
    let gone = r#"{"message":"Invalid target user","status":"fail"}"#;
    let user = (Means::Skip(Skip::GoneUser), Effect::Refused);
    let item = (Means::Skip(Skip::GoneItem), Effect::Refused);
    let own = (Stop(UnknownShape), Effect::Refused);
    assert_eq!(meaning(400, gone, Scope::User), user);
    assert_eq!(meaning(400, gone, Scope::Item), item);
    assert_eq!(meaning(400, gone, Scope::Own), own);
}

#[test]
fn a_session_that_does_not_exist_yet_is_not_called_dead() {
    for (status, body) in [
        (403, r#"{"message":"login_required"}"#),
        (401, "{}"),
        (403, ""),
    ] {
        let (meaning, _) = meaning(status, body, Scope::Login);
        assert_eq!(meaning, Stop(LoginRefused), "{status} {body}");
    }
}

#[test]
fn a_second_factor_of_a_newer_form_is_a_refused_login_and_a_riddle_elsewhere() {
    let body = r#"{"message":"Invalid Parameters","status":"fail"}"#;
    assert_eq!(meaning(400, body, Scope::Login).0, Stop(LoginRefused));
    assert_eq!(meaning(400, body, Scope::User).0, Stop(UnknownShape));
}

#[test]
fn a_refused_code_says_nothing_of_the_password() {
    let body =
        r#"{"message":"Please check the code","error_type":"sms_code_validation_code_invalid"}"#;
    let told = |label| {
        let read = read(&answer(400, body), label, Scope::Login, NOW);
        read.unwrap_err().message
    };
    let code = told("submitting the second factor");
    assert!(code.contains("the code was not accepted"), "{code}");
    assert!(!code.contains("password"), "{code}");
    let password = told("submitting the password");
    assert!(password.contains("the password may be right"), "{password}");
}

#[test]
fn retry_after_is_understood_in_both_forms_and_never_lies_in_the_past() {
    for (header, wanted) in [
        ("3600", Some(NOW.as_secs() + 3600)),
        ("0", Some(NOW.as_secs())),
        ("Fri, 20 Nov 2026 19:00:00 GMT", Some(NOW.as_secs() + 3600)),
        ("Fri, 20 Nov 2020 19:00:00 GMT", Some(NOW.as_secs())),
        ("soon", None),
        ("-5", None),
    ] {
        let mut reply = answer(429, "");
        reply.retry_after = Some(header.to_owned());
        assert_eq!(until(&reply), wanted.map(Timestamp::from_secs), "{header}");
    }
}

#[test]
fn an_action_block_lasts_until_the_named_day_is_over() {
    let temporary = recorded()
        .into_iter()
        .find(|one| one.name == "error_feedback_required_temporary")
        .unwrap();
    let end = until(&temporary.reply).unwrap();
    assert_eq!(end.to_string(), "2026-11-28T12:00:00Z");
}

#[test]
fn a_redirect_to_a_page_for_the_operator_is_known_by_its_address() {
    for (location, reason) in [
        (
            "https://www.instagram.com/accounts/login/?next=/x",
            UnknownShape,
        ),
        (
            "https://i.instagram.com/challenge/71000000001/SyntheticN1/",
            Challenge,
        ),
        ("https://i.instagram.com/accounts/suspended/", Suspended),
        (
            "https://i.instagram.com/web/unsupported_version/",
            UnsupportedVersion,
        ),
    ] {
        let mut reply = answer(302, "");
        reply.location = Some(location.to_owned());
        let result = read(&reply, "testing", Scope::Item, NOW);
        assert_eq!(means(&result), Stop(reason), "{location}");
        let error = result.unwrap_err();
        assert_eq!(error.effect, Effect::Unknown);
        assert!(!error.message.contains("SyntheticN1"), "{}", error.message);
    }
}

#[test]
fn a_message_says_what_happened_why_and_what_to_do() {
    for Recorded { name, reply } in recorded() {
        if let Err(error) = read(&reply, "listing stories", Scope::User, NOW) {
            let parts: Vec<&str> = error.message.split(" \u{b7} ").collect();
            assert_eq!(parts.len(), 3, "{name}: {}", error.message);
            assert!(
                parts.iter().all(|part| part.len() > 5),
                "{name}: {}",
                error.message
            );
            assert!(error.message.contains(&reply.status.to_string()), "{name}");
            assert!(!error.message.contains('\n'), "{name}");
        }
    }
}

#[test]
fn an_empty_429_names_the_protocol_as_a_possible_cause() {
    let error = read(&answer(429, ""), "testing", Scope::Own, NOW).unwrap_err();
    assert!(error.message.contains("HTTP/2"), "{}", error.message);
}

#[test]
fn no_message_repeats_a_secret_of_the_body() {
    let secrets = [
        "IGT:2:eyJkc191c2VyX2lkIjoiNzEw",
        "71000000001%3ASyntheticSess01%3A12",
        "jane.doe@example.org",
        "+15550100123",
        "0555-010-0123",
    ];
    for secret in secrets {
        for body in [
            format!(r#"{{"message":"your {secret} is odd","status":"fail"}}"#),
            format!(r#"{{"message":"feedback_required","feedback_message":"so {secret}"}}"#),
            format!("<html>{secret}</html>"),
            format!("{{\"token\":\"{secret}\""),
        ] {
            for status in STATUSES {
                let error = read(&answer(*status, &body), "testing", Scope::Own, NOW).unwrap_err();
                for part in secret
                    .split([' ', ':', '@', '-'])
                    .filter(|part| part.len() > 5)
                {
                    assert!(!error.message.contains(part), "{part}: {}", error.message);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_with_any_status_are_read_without_a_panic(
        status in any::<u16>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        content_type in ".{0,30}",
        retry_after in proptest::option::of(".{0,30}"),
        location in proptest::option::of(".{0,30}"),
    ) {
        let reply = Reply { status, content_type, retry_after, location, body, body_trouble: None };
        let result = read(&reply, "testing", Scope::Item, NOW);
        if status == 429 || status == 401 || status == 403 {
            let next = result.map_err(|error| error.next);
            prop_assert!(matches!(next, Err(Next::Stop(_))), "{:?}", next);
        }
    }

    #[test]
    fn any_sentence_is_searched_for_a_date_without_a_panic(text in ".{0,80}") {
        if let Some(end) = dates::end_of_named_day(&text, NOW) {
            prop_assert!(end > NOW);
        }
    }
}
