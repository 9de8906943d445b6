//! What must hold of a session: as a settings file, as a bare id, and as replies change it.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use reqwest::header::{COOKIE, HeaderMap};
use serde_json::{Map, Value};

use super::{NOW, fit_for_the_operator, headers as read_headers};
use crate::config::AppProfile;
use crate::instagram::device::Profile;
use crate::instagram::settings::{self, Imported};
use crate::instagram::state::State;
use crate::instagram::{encode, headers};
use crate::model::{Device, Pk};

const OWNER: i64 = 71_000_000_001;
const SESSION_ID: &str = "71000000001%3AkeepsWhatItHas%3A7%3Asynthetic";

fn owner() -> Pk {
    Pk::try_from(OWNER).expect("a positive number is an id")
}

fn profile(device: Option<&Device>) -> Profile {
    let app = AppProfile {
        app_version: "1".to_owned(),
        version_code: "1".to_owned(),
        bloks_version_id: "1".to_owned(),
    };
    Profile::complete(device, &app, &mut ChaCha8Rng::seed_from_u64(0))
        .expect("what was imported, or nothing, can be completed")
}

/// Header lines of one reply after another, blank lines in between, taken over by a session of an
/// account and by a login under way.
pub fn state_headers(bytes: &[u8]) {
    let mut state = State::of_session_id(owner(), SESSION_ID);
    let mut newcomer = State::default();
    let mut rest = bytes;
    for _ in 0..8 {
        let (reply, behind) = read_headers(rest);
        rest = behind;
        state.absorb(&reply, Some(owner()), NOW);
        newcomer.absorb(&reply, None, NOW);
        assert!(state.session_id().is_some(), "the session id went lost");
        let foreign = state.owners().into_iter().find(|pk| *pk != owner());
        assert_eq!(foreign, None, "somebody else's session came in");
        for state in [&state, &newcomer] {
            can_be_stored(state, owner());
            is_sent_whole(state, &profile(None));
        }
        goes_out_and_comes_back(&state);
        if rest.is_empty() {
            break;
        }
    }
}

/// What is stored now is read at the next start.
fn can_be_stored(state: &State, pk: Pk) {
    let stored = state.session(pk);
    let read = State::parse(stored.json.expose());
    let read = read.unwrap_or_else(|problem| panic!("the stored session is lost: {problem}"));
    same(&read, state);
    assert!(format!("{stored:?}").contains("***"));
}

#[track_caller]
fn same(one: &State, other: &State) {
    let is_same = one.to_document() == other.to_document();
    assert!(is_same, "another session comes back");
}

/// No value becomes two headers, two cookies or half of one.
fn is_sent_whole(state: &State, profile: &Profile) {
    let sent: HeaderMap = headers::of_app(profile, "UFS-1", state, Some(owner()), NOW);
    for (name, value) in &sent {
        let text = value.to_str().map(encode::fits);
        assert!(matches!(text, Ok(true)), "{name} cannot be sent");
        assert_eq!(sent.get_all(name).iter().count(), 1, "{name} twice");
    }
    let expected = state.cookies.header(NOW);
    let header = sent.get(COOKIE).and_then(|value| value.to_str().ok());
    assert_eq!(header, expected.as_deref());
    let jar = state.cookies.to_json();
    for pair in header.into_iter().flat_map(|header| header.split("; ")) {
        let (name, value) = pair.split_once('=').expect("a cookie has a value");
        assert_eq!(jar[name], value, "a cookie nobody set");
    }
}

fn goes_out_and_comes_back(state: &State) {
    let device = profile(None).device();
    let exported = settings::export(&device, &state.session(owner()));
    let exported = exported.expect("what is stored can be exported");
    let imported = settings::import(exported.expose()).expect("what is exported can be imported");
    let read = State::parse(imported.session.json.expose()).expect("it can be used");
    same(&read, state);
}

/// A settings file.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Imported {
        device,
        session,
        warnings,
    } = match settings::import(&text) {
        Ok(imported) => imported,
        Err(error) => {
            for message in [error.to_string(), format!("{error:?}")] {
                fit_for_the_operator(&message);
                no_value_of(&text, &message);
            }
            return;
        }
    };
    for line in &warnings {
        fit_for_the_operator(line);
    }
    let state = State::parse(session.json.expose()).expect("what was imported can be used");
    assert!(state.owners().iter().all(|pk| *pk == session.pk));
    assert!(state.has_session());
    can_be_stored(&state, session.pk);
    is_sent_whole(&state, &profile(Some(&device)));
    let exported = settings::export(&device, &session).expect("what was imported can be exported");
    let before: Map<String, Value> =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("it was imported");
    let after: Map<String, Value> =
        serde_json::from_str(exported.expose()).expect("an export is JSON");
    for (key, value) in &before {
        let kept = after.get(key).unwrap_or(&Value::Null);
        let empty = value.as_object().is_some_and(Map::is_empty);
        // Our own extra object keeps only what it knows.
        assert!(
            kept == value || empty || value.is_null() || key == "story_liker",
            "{key} changed on the way"
        );
    }
    let again = settings::import(exported.expose()).expect("an export can be imported");
    assert!(again.session == session && settings::is_same_device(&again.device, &device));
    assert!(settings::export(&again.device, &again.session).as_ref() == Ok(&exported));
}

/// Texts of a file that is a credential do not come out of it.
fn no_value_of(text: &str, message: &str) {
    fn check(value: &Value, message: &str) {
        match value {
            Value::String(text) if text.len() >= 12 => {
                assert!(!message.contains(text.as_str()), "{text:?} in {message:?}");
            }
            Value::Array(parts) => parts.iter().for_each(|part| check(part, message)),
            Value::Object(members) => members.values().for_each(|part| check(part, message)),
            _ => {}
        }
    }
    let explained = ["is not", "neither", "device_settings", "user_agent"];
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && !explained
            .iter()
            .any(|word| text.contains(&format!("\"{word}")))
    {
        check(&value, message);
    }
}

/// The value of the cookie `sessionid`, as an operator gives it.
pub fn session_id(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match settings::from_session_id(&text) {
        Ok(session) => {
            let state = State::parse(session.json.expose()).expect("it can be used");
            assert_eq!(state.session_id(), Some(text.trim()));
            assert!(state.owners().iter().all(|pk| *pk == session.pk));
            is_sent_whole(&state, &profile(None));
            can_be_stored(&state, session.pk);
            assert!(!format!("{session:?}").contains(text.trim()));
        }
        Err(error) => {
            fit_for_the_operator(&error.to_string());
            let text = text.trim();
            assert!(text.len() < 12 || !error.to_string().contains(text));
        }
    }
}
