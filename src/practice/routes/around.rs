//! Calls a client makes around its own work: the newer login steps, and paths nobody knows.

use super::super::exchange::Answer;
use super::super::record::Outcome;
use super::super::reply::Reply;
use super::super::understanding::Understood;

/// Steps of the newer login by a part of their path, and what they answer. The last one sends every
/// client back to the legacy call, which the server does understand.
const CAA: &[(&str, &str)] = &[
    ("graphql_www", "caa_usdid_registration_ok"),
    (
        "process_client_data_and_redirect",
        "caa_process_client_data_ok",
    ),
    ("create_android_keystore", "caa_create_android_keystore_ok"),
    ("oauth.token.fetch", "caa_oauth_token_fetch_ok"),
    (
        "login.async.send_login_request",
        "caa_send_login_request_fallback",
    ),
];

/// A step of the newer login.
pub fn caa(asked: &Understood<'_>) -> Answer {
    let step = CAA
        .iter()
        .find(|(part, _)| asked.request.path.contains(part));
    match step {
        Some((_, fixture)) => Answer::ok(Reply::recorded(fixture)),
        None => Answer::refused("caa_payload_null"),
    }
}

/// A path nobody knows: a page, not an API answer.
pub fn unknown() -> Answer {
    let page = b"<!DOCTYPE html><html><title>Page Not Found</title></html>".to_vec();
    let outcome = Outcome::Refused("unknown_path".to_owned());
    let reply = Reply::new(404, "text/html; charset=utf-8", page);
    Answer {
        reply,
        outcome,
        effects: Vec::new(),
    }
}
