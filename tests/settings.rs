//! Settings files of instagrapi: read at any age, given back without loss, refused in words.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::{Map, Value, json};
use story_liker::clock::VirtualClock;
use story_liker::config::BaseUrl;
use story_liker::instagram::Instagram;
use story_liker::instagram::settings::{ImportError, export, from_session_id, import};
use story_liker::model::Session;
use story_liker::ports::Platform;
use support::client::{NOW, SESSION_ID, config};
use support::raw_server::{Act, RawServer, Received, json as json_reply, reply};

const FILES: [&str; 3] = ["instagrapi_3", "instagrapi_2", "smallest"];

fn file(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/settings");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

/// Imports `text`, lets a client complete the device, and exports.
fn there_and_back(text: &str) -> Map<String, Value> {
    let imported = import(text).unwrap();
    let config = config(BaseUrl::LoopbackPlain("127.0.0.1:9".parse().unwrap()));
    let rng = ChaCha8Rng::seed_from_u64(1);
    let clock = VirtualClock::new(NOW);
    let session = Some(&imported.session);
    let client = Instagram::new(&config, Some(&imported.device), session, clock, rng).unwrap();
    object(
        export(&client.device(), &imported.session)
            .unwrap()
            .expose(),
    )
}

/// Every key of `before` is in `after` with the same value; objects may have gained members.
fn assert_kept(before: &Map<String, Value>, after: &Map<String, Value>) {
    for (key, value) in before {
        match (value, after.get(key)) {
            (Value::Object(before), Some(Value::Object(after))) => assert_kept(before, after),
            (_, found) => assert_eq!(found, Some(value), "{key}"),
        }
    }
}

/// What a client sends that was made from the settings file.
fn sent_by(text: &str) -> Received {
    let imported = import(text).unwrap();
    let server = RawServer::start(vec![Act::Say(json_reply(200, r#"{"status":"ok"}"#))]);
    let config = config(BaseUrl::LoopbackPlain(server.address));
    let rng = ChaCha8Rng::seed_from_u64(1);
    let clock = VirtualClock::new(NOW);
    let session = Some(&imported.session);
    let mut client = Instagram::new(&config, Some(&imported.device), session, clock, rng).unwrap();
    let _ = client.current_user();
    server.only()
}

#[test]
fn a_file_of_any_age_comes_back_key_by_key() {
    for name in FILES {
        let text = file(name);
        let again = there_and_back(&text);
        assert_kept(&object(&text), &again);
        // And once more: an export is a settings file too.
        let again = Value::Object(again).to_string();
        assert_eq!(there_and_back(&again), object(&again), "{name}");
    }
}

#[test]
fn a_present_file_comes_back_exactly_and_in_its_order() {
    let text = file("instagrapi_3");
    let before: Vec<String> = object(&text).keys().cloned().collect();
    let after: Vec<String> = there_and_back(&text).keys().cloned().collect();
    assert_eq!(after, before);
}

#[test]
fn an_imported_client_speaks_as_the_one_that_wrote_the_file() {
    let sent = sent_by(&file("instagrapi_3"));
    let saved = object(&file("instagrapi_3"));
    for (header, value) in [
        ("user-agent", saved["user_agent"].as_str().unwrap()),
        ("x-ig-device-id", "00000000-0000-4000-8000-000000000001"),
        (
            "x-ig-family-device-id",
            "00000000-0000-4000-8000-00000000f0f0",
        ),
        ("x-ig-android-id", "android-0123456789abcdef"),
        ("x-mid", "aR0000ABAAEsyntheticMid0"),
        ("x-ig-www-claim", "0"),
        ("ig-u-ds-user-id", "71000000001"),
        ("cookie", "csrftoken=7ce12ba8782a32f74357cefb81edb8c2"),
        (
            "authorization",
            "Bearer IGT:2:eyJkc191c2VyX2lkIjoiNzEwMDAwMDAwMDEiLCJzZXNzaW9uaWQiOiI3MTAwMDAwMDAwMSUzQVN5bnRoZXRpY1Nlc3MwMSUzQTEyJTNBQVlzeW50aGV0aWMiLCJzaG91bGRfdXNlX2hlYWRlcl9vdmVyX2Nvb2tpZXMiOnRydWV9",
        ),
    ] {
        assert_eq!(sent.header(header), Some(value), "{header}");
    }
    assert_eq!(sent.header("ig-u-rur"), None, "never made up");
}

#[test]
fn an_old_session_lives_in_its_cookies_alone() {
    let sent = sent_by(&file("instagrapi_2"));
    assert_eq!(sent.header("authorization"), None);
    assert_eq!(sent.header("x-mid"), Some("aR0000ABAAEsyntheticMid0"));
    let cookies = sent.header("cookie").unwrap();
    assert!(
        cookies.contains("sessionid=71000000001%3ASyntheticSess01%3A12"),
        "{cookies}"
    );
    assert_eq!(
        sent.header("x-ig-android-id"),
        Some("android-0123456789abcdef")
    );
}

#[test]
fn state_of_a_reply_is_in_the_next_export_and_empty_values_change_nothing() {
    let imported = import(&file("instagrapi_3")).unwrap();
    let body = json_reply(200, r#"{"status":"ok"}"#);
    let body = body[body.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4..].to_vec();
    let fresh = reply(
        200,
        &[
            ("IG-Set-IG-U-RUR", "RVA,71000000001,1826733600:01f7"),
            ("ig-set-ig-u-shbid", "1234,71000000001,1826733600:01f7"),
            ("ig-set-ig-u-direct-region-hint", "RVA"),
            ("x-ig-set-www-claim", "hmac.AR0new"),
            ("ig-set-authorization", "Bearer IGT:2:opaque"),
            ("set-cookie", "csrftoken=second; Max-Age=60"),
        ],
        &body,
    );
    let empty = reply(
        200,
        &[
            ("ig-set-ig-u-rur", ""),
            ("ig-set-x-mid", ""),
            ("x-ig-set-www-claim", ""),
            ("ig-set-authorization", "Bearer IGT:2:"),
            ("set-cookie", "sessionid=\"\"; Max-Age=0"),
        ],
        &body,
    );
    let server = RawServer::start(vec![Act::Say(fresh), Act::Say(empty)]);
    let config = config(BaseUrl::LoopbackPlain(server.address));
    let rng = ChaCha8Rng::seed_from_u64(1);
    let clock = VirtualClock::new(NOW);
    let (device, session) = (Some(&imported.device), Some(&imported.session));
    let mut client = Instagram::new(&config, device, session, clock.clone(), rng).unwrap();
    let session: Session = client.current_user().session.unwrap();
    assert_eq!(client.current_user().session, None, "nothing new");

    let settings = object(export(&client.device(), &session).unwrap().expose());
    assert_eq!(settings["ig_u_rur"], "RVA,71000000001,1826733600:01f7");
    assert_eq!(settings["ig_www_claim"], "hmac.AR0new");
    assert_eq!(settings["mid"], "aR0000ABAAEsyntheticMid0");
    assert_eq!(settings["cookies"]["csrftoken"], "second");
    let second = &server.received()[1];
    for (header, value) in [
        ("authorization", "Bearer IGT:2:opaque"),
        ("ig-u-rur", "RVA,71000000001,1826733600:01f7"),
        ("ig-u-shbid", "1234,71000000001,1826733600:01f7"),
        ("ig-u-ig-direct-region-hint", "RVA"),
        ("x-ig-www-claim", "hmac.AR0new"),
        ("cookie", "csrftoken=second"),
    ] {
        assert_eq!(second.header(header), Some(value), "{header}");
    }
    clock.advance_to(NOW.plus(Duration::from_mins(1)));
    let _ = client.current_user();
    assert_eq!(
        server.received()[2].header("cookie"),
        None,
        "it has expired"
    );
    // All of it survives the settings file.
    let text = Value::Object(settings).to_string();
    assert_eq!(import(&text).unwrap().session, session);
}

#[test]
fn somebody_elses_authorization_is_not_taken_over() {
    let other = "Bearer IGT:2:eyJkc191c2VyX2lkIjoiNzIwMDAwMDAwMDIiLCJzZXNzaW9uaWQiOiJ4In0=";
    let answer = reply(
        200,
        &[("ig-set-authorization", other)],
        br#"{"status":"ok"}"#,
    );
    let server = RawServer::start(vec![Act::Say(answer)]);
    let mut client = support::client::logged_in(server.address);
    assert_eq!(client.current_user().session, None);
}

#[test]
fn a_useless_file_is_refused_with_the_key_and_without_the_value() {
    for (text, words) in [
        ("", "line 1, column 0 is not JSON"),
        ("{\"uuids\": hunter2}", "line 1"),
        ("[\"hunter2\"]", "not a JSON object"),
        ("\"hunter2\"", "not a JSON object"),
        ("{}", "no session"),
        (r#"{"authorization_data":{},"cookies":{}}"#, "no session"),
        (r#"{"authorization_data":{"sessionid":""}}"#, "no session"),
        (
            r#"{"authorization_data":"hunter2"}"#,
            "`authorization_data`",
        ),
        (r#"{"cookies":["hunter2"]}"#, "`cookies`"),
        (r#"{"cookies":{"sessionid":7}}"#, "`cookies.sessionid`"),
        (
            r#"{"cookies":{"a\nhunter2":"x","sessionid":"71%3Ax"}}"#,
            "`cookies`",
        ),
        (
            r#"{"cookies":{"a":"x; hunter2=y","sessionid":"71%3Ax"}}"#,
            "`cookies.a`",
        ),
        (r#"{"mid":7,"cookies":{"sessionid":"hunter2"}}"#, "`mid`"),
        (r#"{"cookies":{"sessionid":"hunter2"}}"#, "whose session"),
        (
            r#"{"cookies":{"sessionid":"71%3Ahunter2","ds_user_id":"72"}}"#,
            "different accounts",
        ),
        (
            r#"{"uuids":"hunter2","cookies":{"sessionid":"71%3Ax"}}"#,
            "`uuids`",
        ),
        (
            r#"{"device_settings":7,"cookies":{"sessionid":"71%3Ax"}}"#,
            "`device_settings`",
        ),
    ] {
        let problem = import(text).unwrap_err().to_string();
        assert!(problem.contains(words), "{text}: {problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn a_private_key_in_the_file_is_kept_and_never_used() {
    let mut settings = object(&file("instagrapi_3"));
    let usdid = json!({"usdid": "u-1", "kid": "k", "private_key": "PEM", "registered": true});
    settings.insert("usdid".to_owned(), usdid);
    settings.insert("fbns_auth".to_owned(), json!({"ck": "c"}));
    let text = Value::Object(settings.clone()).to_string();
    let imported = import(&text).unwrap();
    assert!(imported.warnings.iter().any(|line| line.contains("usdid")));
    assert!(
        !imported.device.json.contains("PEM"),
        "it belongs to the sealed half"
    );
    assert_kept(&settings, &there_and_back(&text));
    assert_eq!(sent_by(&text).header("x-meta-usdid"), None);
}

#[test]
fn what_may_be_trouble_with_an_imported_device_is_told() {
    let complete = object(&file("instagrapi_3"));
    let warnings = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut settings = complete.clone();
        change(&mut settings);
        import(&Value::Object(settings).to_string())
            .unwrap()
            .warnings
    };
    assert_eq!(warnings(&|_| {}), [""; 0]);
    let no_bloks = |settings: &mut Map<String, Value>| {
        let device = settings["device_settings"].as_object_mut().unwrap();
        device.shift_remove("bloks_versioning_id");
    };
    let no_version = |settings: &mut Map<String, Value>| {
        settings.shift_remove("device_settings");
        settings.shift_remove("user_agent");
    };
    let german = |settings: &mut Map<String, Value>| {
        settings.insert("locale".to_owned(), json!("de_DE"));
    };
    for (told, word) in [
        (warnings(&no_bloks), "bloks_versioning_id"),
        (warnings(&no_version), "no version of the app"),
        (warnings(&german), "`locale` is de_DE"),
    ] {
        assert!(told.len() == 1 && told[0].contains(word), "{told:?}");
    }
}

#[test]
fn a_session_id_alone_is_enough_and_is_never_encoded_again() {
    let session = from_session_id(&format!(" {SESSION_ID}\n")).unwrap();
    assert_eq!(session.pk.to_string(), "71000000001");
    assert!(session.json.expose().contains(SESSION_ID));
}

#[test]
fn what_is_no_session_id_is_refused_without_being_shown() {
    for text in [
        "",
        "71000000001%3Ahunter2",
        "hunter2%3Aabcdefghijklmnopqrstuvwxyz%3A12",
        "71000000001abcdefghijklmnopqrstuvwxyz%3A12",
        "71000000001%3Aabcdefghijkl mnopqrstuvwxyz%3Ahunter2",
        "71000000001%3Aabcdefghijkl\r\nX-Evil: mnopqrstuvwxyz%3Ahunter2",
    ] {
        let problem = from_session_id(text).unwrap_err();
        assert!(matches!(problem, ImportError::NotSessionId(_)));
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no others", |f| f.is_finite())
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_of_a_file_is_lost(
        missing in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        additions in prop::collection::btree_map("x_[a-z]{1,8}", any_json(), 0..6),
        cookies in prop::collection::btree_map("[a-z_]{1,8}", "[!-:<-~]{0,20}", 0..5),
        last_login in any_json(),
        old in any::<bool>(),
    ) {
        let mut settings = object(&file(FILES[usize::from(old)]));
        let keys: Vec<String> = settings.keys().cloned().collect();
        for index in missing {
            let key = index.get(&keys);
            if key != "authorization_data" && key != "cookies" {
                settings.remove(key);
            }
        }
        settings.extend(additions);
        settings.insert("last_login".to_owned(), last_login);
        let jar = settings["cookies"].as_object_mut().unwrap();
        for (name, value) in cookies {
            // Owner and session are tested elsewhere.
            jar.entry(name).or_insert(Value::from(value));
        }
        let text = Value::Object(settings.clone()).to_string();
        assert_kept(&settings, &there_and_back(&text));
    }

    #[test]
    fn any_text_is_imported_or_refused_without_a_panic(text in ".{0,200}", json in any_json()) {
        let _ = import(&text);
        let _ = import(&json.to_string());
        let _ = from_session_id(&text);
    }
}
