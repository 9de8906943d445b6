//! Every request, byte for byte as the app's recordings have it: line, all headers, and the body
//! with its fields in order. Header order is no part of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use story_liker::clock::VirtualClock;
use story_liker::config::BaseUrl;
use story_liker::instagram::Instagram;
use story_liker::model::{Device, ItemKind, Secret};
use story_liker::ports::{PasswordKey, Platform, SecondFactor};
use support::client::{NOW, config, item, pk, session};
use support::raw_server::{Act, RawServer, Received, fixture, json, reply};

const UUID: &str = "00000000-0000-4000-8000-000000000001";
const PHONE_ID: &str = "8a8e6855-2df6-4371-a77b-939c65583a4b";
const TARGET: &str = "72000000002";
const AUTHORIZATION: &str = "Bearer IGT:2:eyJkc191c2VyX2lkIjoiNzEwMDAwMDAwMDEiLCJzZXNzaW9uaWQiOiI3MTAwMDAwMDAwMSUzQVN5bnRoZXRpY1Nlc3MwMSUzQTEyJTNBQVlzeW50aGV0aWMiLCJzaG91bGRfdXNlX2hlYWRlcl9vdmVyX2Nvb2tpZXMiOnRydWV9";

fn device() -> Device {
    let json = r#"{"uuids":{"phone_id":"8a8e6855-2df6-4371-a77b-939c65583a4b",
        "uuid":"00000000-0000-4000-8000-000000000001",
        "client_session_id":"00000000-0000-4000-8000-000000000002",
        "advertising_id":"00000000-0000-4000-8000-000000000003",
        "android_device_id":"android-0123456789abcdef",
        "request_id":"00000000-0000-4000-8000-000000000004",
        "tray_session_id":"00000000-0000-4000-8000-000000000005"}}"#;
    Device {
        json: json.to_owned(),
    }
}

fn client(server: &RawServer, logged_in: bool) -> Instagram<VirtualClock> {
    let config = config(BaseUrl::LoopbackPlain(server.address));
    let rng = ChaCha8Rng::seed_from_u64(1);
    let session = session();
    let session = logged_in.then_some(&session);
    Instagram::new(
        &config,
        Some(&device()),
        session,
        VirtualClock::new(NOW),
        rng,
    )
    .unwrap()
}

/// The one request that `call` makes.
fn sent(logged_in: bool, call: impl FnOnce(&mut Instagram<VirtualClock>)) -> Received {
    let server = RawServer::start(vec![Act::Say(json(200, r#"{"status":"ok"}"#))]);
    call(&mut client(&server, logged_in));
    server.only()
}

fn headers(request: &Received) -> BTreeMap<&str, &str> {
    let pairs = request.headers.iter();
    let map: BTreeMap<&str, &str> = pairs.map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(map.len(), request.headers.len(), "a header came twice");
    map
}

/// Section 2 of the recordings, without what differs from request to request.
const APP_HEADERS: &[(&str, &str)] = &[
    (
        "user-agent",
        "Instagram 449.0.0.52.84 Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 Pro; \
         husky; husky; en_US; 1079242191)",
    ),
    ("accept-encoding", "gzip, deflate"),
    ("accept", "*/*"),
    ("x-ig-app-locale", "en_US"),
    ("x-ig-device-locale", "en_US"),
    ("x-ig-mapped-locale", "en_US"),
    ("x-pigeon-rawclienttime", "1795197600"),
    ("x-ig-bandwidth-speed-kbps", "-1.000"),
    ("x-ig-bandwidth-totalbytes-b", "0"),
    ("x-ig-bandwidth-totaltime-ms", "0"),
    ("x-ig-app-startup-country", "US"),
    (
        "x-bloks-version-id",
        "799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b",
    ),
    ("x-ig-www-claim", "0"),
    ("x-bloks-is-layout-rtl", "false"),
    ("x-bloks-is-panorama-enabled", "true"),
    ("x-ig-device-id", UUID),
    ("x-ig-family-device-id", PHONE_ID),
    ("x-ig-android-id", "android-0123456789abcdef"),
    ("x-ig-timezone-offset", "-14400"),
    ("x-ig-connection-type", "WIFI"),
    ("x-ig-capabilities", "3brTv10="),
    ("x-ig-app-id", "567067343352427"),
    ("priority", "u=3"),
    ("accept-language", "en-US"),
    ("host", "i.instagram.com"),
    ("x-fb-http-engine", "Tigon/MNS/TCP"),
    ("x-tigon-is-retry", "False"),
    ("x-zero-balance", "INIT"),
    ("x-zero-eh", ""),
    ("x-zero-state", "unknown"),
    ("zero-http-network-interface", "wifi"),
    ("x-fb-client-ip", "True"),
    ("x-fb-server-cluster", "True"),
    (
        "x-ig-nav-chain",
        "9MV:self_profile:2,ProfileMediaTabFragment:self_profile:3,9Xf:self_following:4",
    ),
];

const LOGGED_IN: &[(&str, &str)] = &[
    ("ig-intended-user-id", "71000000001"),
    ("ig-u-ds-user-id", "71000000001"),
    ("authorization", AUTHORIZATION),
    (
        "cookie",
        "sessionid=71000000001%3ASyntheticSess01%3A12%3AAYsynthetic",
    ),
];

const FORM: (&str, &str) = (
    "content-type",
    "application/x-www-form-urlencoded; charset=UTF-8",
);

fn assert_headers(request: &Received, further: &[(&str, &str)]) {
    let mut found = headers(request);
    let pigeon = found.remove("x-pigeon-session-id").unwrap();
    assert!(pigeon.starts_with("UFS-") && pigeon.ends_with("-1") && pigeon.len() == 42);
    if request.line.starts_with("POST") {
        let length = request.body.len().to_string();
        assert_eq!(found.remove("content-length"), Some(length.as_str()));
        assert_eq!(found.remove(FORM.0), Some(FORM.1));
    }
    let wanted: BTreeMap<&str, &str> = APP_HEADERS.iter().chain(further).copied().collect();
    assert_eq!(found, wanted);
}

/// The JSON text inside `signed_body`.
fn signed(request: &Received) -> String {
    let text = request.body.strip_prefix("signed_body=SIGNATURE.").unwrap();
    let text = text.replace('+', " ");
    let text = percent_encoding::percent_decode_str(&text);
    text.decode_utf8().unwrap().into_owned()
}

#[test]
fn a_logged_in_read_has_exactly_the_recorded_headers() {
    let request = sent(true, |client| drop(client.current_user()));
    assert_eq!(
        request.line,
        "GET /api/v1/accounts/current_user/?edit=true HTTP/1.1"
    );
    assert_headers(&request, LOGGED_IN);
    assert_eq!(request.body, "");
}

#[test]
fn reads_ask_for_the_recorded_addresses() {
    let name = sent(true, |client| drop(client.user_by_name("@Sandbox.Friend")));
    assert_eq!(
        name.line,
        "GET /api/v1/users/sandbox.friend/usernameinfo/ HTTP/1.1"
    );

    let stories = sent(true, |client| drop(client.stories(pk(TARGET))));
    assert_eq!(
        stories.line,
        "GET /api/v1/feed/user/72000000002/story/?supported_capabilities_new=%5B%7B%22value%22%3A+\
         %22119.0%2C120.0%2C121.0%2C122.0%2C123.0%2C124.0%2C125.0%2C126.0%2C127.0%2C128.0%2C129.0\
         %2C130.0%2C131.0%2C132.0%2C133.0%2C134.0%2C135.0%2C136.0%2C137.0%2C138.0%2C139.0%2C140.0\
         %2C141.0%2C142.0%22%2C+%22name%22%3A+%22SUPPORTED_SDK_VERSIONS%22%7D%2C+%7B%22value%22%3A\
         +%2214%22%2C+%22name%22%3A+%22FACE_TRACKER_VERSION%22%7D%2C+%7B%22value%22%3A+\
         %22ETC2_COMPRESSION%22%2C+%22name%22%3A+%22COMPRESSION%22%7D%2C+%7B%22value%22%3A+\
         %22gyroscope_enabled%22%2C+%22name%22%3A+%22gyroscope%22%7D%5D HTTP/1.1"
    );

    let first = sent(true, |client| drop(client.posts(pk(TARGET), None)));
    assert_eq!(
        first.line,
        format!(
            "GET /api/v1/feed/user/72000000002/?max_id=&count=33&rank_token=71000000001_{UUID}\
             &ranked_content=true HTTP/1.1"
        )
    );
    let cursor = "3958630909201035280_72000000002";
    let second = sent(true, |client| drop(client.posts(pk(TARGET), Some(cursor))));
    assert!(
        second.line.contains(&format!("?max_id={cursor}&count=33&")),
        "{}",
        second.line
    );

    let item = item(ItemKind::Post);
    let info = sent(true, |client| drop(client.media_info(item.kind, item.id)));
    assert_eq!(
        info.line,
        "GET /api/v1/media/4034671962997715712/info/ HTTP/1.1"
    );
}

#[test]
fn a_story_view_names_when_it_was_taken_and_seen() {
    let request = sent(true, |client| {
        drop(client.view_story(&item(ItemKind::Story)));
    });
    assert_eq!(
        request.line,
        "POST /api/v2/media/seen/?reel=1&live_vod=0 HTTP/1.1"
    );
    assert_headers(&request, LOGGED_IN);
    assert_eq!(
        signed(&request),
        r#"{"_uuid":"00000000-0000-4000-8000-000000000001","device_id":"android-0123456789abcdef","container_module":"feed_timeline","live_vods_skipped":{},"nuxes_skipped":{},"nuxes":{},"reels":{"4034671962997715712_72000000002_72000000002":["1795190400_1795197600"]},"live_vods":{},"reel_media_skipped":{}}"#
    );
}

#[test]
fn a_story_like_is_the_recorded_one_without_a_trailing_slash() {
    let request = sent(true, |client| drop(client.like(&item(ItemKind::Story))));
    assert_eq!(
        request.line,
        "POST /api/v1/story_interactions/send_story_like HTTP/1.1"
    );
    assert_headers(&request, LOGGED_IN);
    assert_eq!(
        signed(&request),
        r#"{"_uuid":"00000000-0000-4000-8000-000000000001","device_id":"android-0123456789abcdef","radio_type":"wifi-none","media_id":"4034671962997715712_72000000002","_uid":"71000000001","source_of_like":"button","tray_session_id":"00000000-0000-4000-8000-000000000005","viewer_session_id":"00000000-0000-4000-8000-000000000002","container_module":"reel_feed_timeline"}"#
    );
}

#[test]
fn a_post_like_is_the_recorded_one_with_a_drawn_position() {
    let mut positions = std::collections::BTreeSet::new();
    let server = RawServer::start(vec![Act::Say(json(200, r#"{"status":"ok"}"#))]);
    let mut client = client(&server, true);
    for _ in 0..60 {
        client.like(&item(ItemKind::Post)).result.unwrap();
    }
    for request in server.received() {
        let line = "POST /api/v1/media/4034671962997715712_72000000002/like/ HTTP/1.1";
        assert_eq!(request.line, line);
        assert_headers(&request, LOGGED_IN);
        let body = signed(&request);
        let start = r#"{"_uuid":"00000000-0000-4000-8000-000000000001","device_id":"android-0123456789abcdef","radio_type":"wifi-none","inventory_source":"media_or_ad","media_id":"4034671962997715712_72000000002","_uid":"71000000001","delivery_class":"organic","tap_source":"button","is_2m_enabled":"false","is_from_swipe":"false","is_carousel_bumped_post":"false","floating_context_items":"[]","media_pct_watched":"0","container_module":"feed_timeline","feed_position":""#;
        let position = body
            .strip_prefix(start)
            .unwrap()
            .strip_suffix("\"}")
            .unwrap();
        positions.insert(position.to_owned());
    }
    assert_eq!(positions.into_iter().collect::<String>(), "0123456");
}

/// The four requests of a login with a second factor.
fn login_requests(code: &str, factor: &SecondFactor) -> Vec<Received> {
    let greeting = reply(
        200,
        &[
            ("ig-set-x-mid", "aR0000ABAAEsyntheticMid0"),
            (
                "set-cookie",
                "csrftoken=7ce12ba8; Domain=.instagram.com; Max-Age=60",
            ),
        ],
        fixture("launcher_sync_ok").as_bytes(),
    );
    // To a browser, as the key is asked for, they would give what is not the device's.
    let to_a_browser = reply(
        200,
        &[
            ("ig-set-x-mid", "another"),
            ("set-cookie", "csrftoken=another"),
            ("set-cookie", "ig_did=another"),
            ("x-ig-set-www-claim", "another"),
        ],
        fixture("qe_sync_ok").as_bytes(),
    );
    let script = vec![
        Act::Say(greeting),
        Act::Say(to_a_browser),
        Act::Say(json(400, &fixture("accounts_login_two_factor_totp"))),
    ];
    let server = RawServer::start(script);
    let mut client = client(&server, false);
    client.login_prepare().result.unwrap();
    drop(client.login_key());
    let key = PasswordKey {
        id: 205,
        pem: include_str!("fixtures/password_key.pem").to_owned(),
    };
    let password = Secret::new("hunter2");
    let answer = client.login_password(" sandbox.operator ", &password, &key);
    assert!(answer.result.is_ok(), "a second factor is asked for");
    drop(client.login_code("sandbox.operator", &Secret::new(code), factor));
    server.received()
}

fn factor(totp: bool, sms: bool) -> SecondFactor {
    SecondFactor {
        identifier: Secret::new("5b0266be"),
        totp,
        sms,
    }
}

#[test]
fn a_code_says_where_it_is_from() {
    for (code, totp, sms, method) in [
        ("123 456", true, false, "3"),
        ("123456", true, true, "3"),
        ("123456", false, true, "1"),
        ("1234 5678", true, true, "2"),
        ("12345678", false, true, "2"),
        ("12345678", false, false, "2"),
    ] {
        let body = signed(&login_requests(code, &factor(totp, sms))[3]);
        let said = format!(r#""verification_method":"{method}"}}"#);
        assert!(body.ends_with(&said), "{code} {totp} {sms}: {body}");
    }
}

#[test]
fn a_login_is_the_recorded_sequence() {
    let requests = login_requests("123 456", &factor(true, false));
    let lines: Vec<&str> = requests.iter().map(|request| &*request.line).collect();
    assert_eq!(
        lines,
        [
            "POST /api/v1/launcher/sync/ HTTP/1.1",
            "GET /api/v1/qe/sync/ HTTP/1.1",
            "POST /api/v1/accounts/login/ HTTP/1.1",
            "POST /api/v1/accounts/two_factor_login/ HTTP/1.1",
        ]
    );
    let nobody = ("ig-intended-user-id", "0");
    let known = [
        nobody,
        ("x-mid", "aR0000ABAAEsyntheticMid0"),
        ("cookie", "csrftoken=7ce12ba8"),
    ];
    assert_headers(&requests[0], &[nobody]);
    assert_headers(&requests[2], &known);
    assert_headers(&requests[3], &known);
    assert_eq!(
        signed(&requests[0]),
        r#"{"id":"00000000-0000-4000-8000-000000000001","server_config_retrieval":"1"}"#
    );
    // A browser asks for the key.
    let web: Vec<&str> = headers(&requests[1]).into_keys().collect();
    assert_eq!(web, ["accept", "accept-encoding", "host", "user-agent"]);

    let body = signed(&requests[2]);
    let (start, end) = body.split_once("#PWD_INSTAGRAM:4:1795197600:").unwrap();
    assert_eq!(
        start,
        r#"{"jazoest":"22302","country_codes":"[{\"country_code\":\"1\",\"source\":[\"default\"]}]","phone_id":"8a8e6855-2df6-4371-a77b-939c65583a4b","enc_password":""#
    );
    let (_, end) = end.split_once('"').unwrap();
    assert_eq!(
        end,
        r#","username":"sandbox.operator","adid":"00000000-0000-4000-8000-000000000003","guid":"00000000-0000-4000-8000-000000000001","device_id":"android-0123456789abcdef","google_tokens":"[]","login_attempt_count":"0"}"#
    );

    let body = signed(&requests[3]);
    let (start, end) = body.split_once(r#""waterfall_id":""#).unwrap();
    assert_eq!(
        start,
        r#"{"verification_code":"123456","phone_id":"8a8e6855-2df6-4371-a77b-939c65583a4b","_csrftoken":"7ce12ba8","two_factor_identifier":"5b0266be","username":"sandbox.operator","trust_this_device":"0","guid":"00000000-0000-4000-8000-000000000001","device_id":"android-0123456789abcdef","#
    );
    assert_eq!(&end[36..], r#"","verification_method":"3"}"#);
    assert!(
        requests
            .iter()
            .all(|request| !request.body.contains("hunter2"))
    );
}
