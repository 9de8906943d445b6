//! The Instagram client against a server that says exactly what it is told: what leaves, what
//! broken answers lead to, and that nothing is ever sent twice.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use story_liker::config::BaseUrl;
use story_liker::model::{HoldReason, ItemKind};
use story_liker::ports::{Effect, Next, Objection, Platform, PlatformError};
use support::client::{client, config, item, logged_in, pk, session};
use support::raw_server::{Act, RawServer, fixture, json, reply};
use support::refusing::Refusing;

const TARGET: &str = "72000000002";

/// Sends one like and returns what the client made of the server's act.
fn like_against(act: Act) -> (PlatformError, RawServer) {
    like_within(Duration::from_secs(20), act)
}

fn like_within(timeout: Duration, act: Act) -> (PlatformError, RawServer) {
    let server = RawServer::start(vec![act]);
    let mut config = config(BaseUrl::LoopbackPlain(server.address));
    config.timeout = timeout;
    let answer = client(&config, Some(&session())).like(&item(ItemKind::Post));
    (answer.result.unwrap_err(), server)
}

fn unknown_shape() -> Next {
    Next::Stop(Objection {
        reason: HoldReason::UnknownShape,
        until: None,
    })
}

#[test]
fn a_pass_reads_and_likes_over_one_connection() {
    let script = [
        "accounts_current_user_ok",
        "users_usernameinfo_ok",
        "feed_user_story_ok",
    ]
    .into_iter()
    .chain([
        "media_seen_ok",
        "story_like_ok",
        "feed_user_page1",
        "media_like_ok",
    ])
    .map(|name| Act::Say(json(200, &fixture(name))))
    .collect();
    let server = RawServer::start(script);
    let mut instagram = logged_in(server.address);
    assert_eq!(
        instagram.current_user().result.unwrap().username,
        "sandbox.operator"
    );
    let user = instagram.user_by_name("sandbox.friend").result.unwrap();
    let stories = instagram.stories(user.pk).result.unwrap();
    instagram.view_story(&stories.items[0]).result.unwrap();
    instagram.like(&stories.items[0]).result.unwrap();
    let posts = instagram.posts(user.pk, None).result.unwrap();
    assert_eq!(posts.items.len(), 33);
    instagram.like(&posts.items[0]).result.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 7);
    assert!(received.iter().all(|request| request.connection == 0));
}

#[test]
fn a_hang_up_without_an_answer_leaves_one_request_and_an_unknown_effect() {
    let (error, server) = like_against(Act::Close);
    assert_eq!(error.effect, Effect::Unknown);
    assert_eq!(error.next, Next::RepeatRead);
    server.only();
}

#[test]
fn an_answer_cut_off_in_the_middle_has_an_unknown_effect() {
    let whole = json(200, r#"{"status":"ok"}"#);
    let half = whole[..whole.len() - 4].to_vec();
    let (error, server) = like_against(Act::SayAndClose(half));
    assert_eq!(
        (error.next, error.effect),
        (Next::RepeatRead, Effect::Unknown)
    );
    server.only();
}

#[test]
fn a_cut_off_objection_is_still_an_objection() {
    let whole = json(429, r#"{"message":"x"}"#);
    let half = whole[..whole.len() - 4].to_vec();
    let (error, _) = like_against(Act::SayAndClose(half));
    let reason = HoldReason::Throttled;
    assert_eq!(
        error.next,
        Next::Stop(Objection {
            reason,
            until: None
        })
    );
    assert_eq!(error.effect, Effect::Refused);
}

#[test]
fn a_stalled_answer_ends_the_pass_with_an_unknown_effect() {
    for said in [
        Vec::new(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec(),
    ] {
        let (error, server) = like_within(Duration::from_millis(400), Act::Stall(said));
        assert_eq!((error.next, error.effect), (Next::EndPass, Effect::Unknown));
        server.only();
    }
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    let target = RawServer::start(vec![Act::Say(json(200, r#"{"status":"ok"}"#))]);
    let location = format!("http://{}/accounts/login/", target.address);
    let (error, server) = like_against(Act::Say(reply(302, &[("location", &location)], b"")));
    assert_eq!(
        (error.next, error.effect),
        (unknown_shape(), Effect::Unknown)
    );
    assert!(error.message.contains("302"), "{}", error.message);
    server.only();
    assert_eq!(target.received(), []);
}

#[test]
fn a_failed_connection_sent_nothing() {
    let error = logged_in("127.0.0.1:1".parse().unwrap())
        .like(&item(ItemKind::Post))
        .result
        .unwrap_err();
    assert_eq!(
        (error.next, error.effect),
        (Next::RepeatRead, Effect::Unsent)
    );
}

#[test]
fn without_a_session_nothing_is_sent() {
    let server = RawServer::start(vec![Act::Close]);
    let mut instagram = support::client::logged_out(server.address);
    let error = instagram.stories(pk(TARGET)).result.unwrap_err();
    assert_eq!(error.effect, Effect::Unsent);
    assert_eq!(server.received(), []);
}

#[test]
fn a_body_beyond_the_limit_is_not_taken_whole() {
    let long = format!(r#"{{"status":"ok","x":"{}"}}"#, "y".repeat(2 * 1024 * 1024));
    let (error, _) = like_against(Act::Say(json(200, &long)));
    assert_eq!(
        (error.next, error.effect),
        (unknown_shape(), Effect::Unknown)
    );
    assert!(error.message.contains("2 MiB"), "{}", error.message);
}

#[test]
fn a_body_of_more_values_than_any_honest_one_is_not_taken_apart() {
    let many = |values: usize| {
        let list = vec![r#"{"":0}"#; values].join(",");
        json(200, &format!(r#"{{"status":"ok","x":[{list}]}}"#))
    };
    let (error, _) = like_against(Act::Say(many(32_800)));
    assert_eq!(
        (error.next, error.effect),
        (unknown_shape(), Effect::Unknown)
    );
    assert!(error.message.contains("more values"), "{}", error.message);
    let server = RawServer::start(vec![Act::Say(many(32_700))]);
    let kind = ItemKind::Story;
    assert!(logged_in(server.address).like(&item(kind)).result.is_ok());
}

#[test]
fn reading_stops_at_the_limit_even_if_more_is_promised() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".to_vec();
    let (error, _) = like_against(Act::Stall([head, vec![b' '; 9 * 1024 * 1024]].concat()));
    assert!(error.message.contains("2 MiB"), "{}", error.message);
}

#[test]
fn a_cursor_that_no_address_can_carry_ends_the_listing() {
    let page = |cursor: &str| {
        let items: serde_json::Value = serde_json::from_str(&fixture("feed_user_page2")).unwrap();
        let mut page = items;
        page["more_available"] = true.into();
        page["next_max_id"] = cursor.into();
        page.to_string()
    };
    let longest = "\u{e9}".repeat(512);
    let server = RawServer::start(vec![
        Act::Say(json(200, &page(&longest))),
        Act::Say(json(200, &page(&"7".repeat(70_000)))),
        Act::Say(json(200, &page(&"7".repeat(1025)))),
    ]);
    let mut client = logged_in(server.address);
    let mut next =
        |cursor: Option<&str>| client.posts(pk(TARGET), cursor).result.unwrap().next_page;
    assert_eq!(next(None).as_deref(), Some(&*longest));
    assert_eq!(next(Some(&longest)), None);
    assert_eq!(next(None), None);
}

#[test]
fn over_tls_only_http_2_and_tls_1_3_are_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut real = config(BaseUrl::LoopbackTls(listener.local_addr().unwrap()));
    real.connect_timeout = Duration::from_millis(400);
    let hello = std::thread::spawn(move || {
        let mut hello = vec![0; 4096];
        let length = listener.accept().unwrap().0.read(&mut hello).unwrap();
        hello.truncate(length);
        hello
    });
    let answer = client(&real, Some(&session())).current_user();
    assert_eq!(answer.result.unwrap_err().effect, Effect::Unsent);
    let hello = hello.join().unwrap();
    let offers = |bytes: &[u8]| hello.windows(bytes.len()).any(|window| window == bytes);
    assert!(offers(b"i.instagram.com"), "the name stays");
    // Extension 16 (ALPN) with the one entry `h2`; extension 43 (versions) with 0x0304 alone.
    assert!(offers(b"\x00\x10\x00\x05\x00\x03\x02h2"), "HTTP/2 alone");
    assert!(offers(b"\x00\x2b\x00\x03\x02\x03\x04"), "TLS 1.3 alone");
}

#[test]
fn a_body_that_swells_when_unpacked_is_measured_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(br#"{"status":"ok","x":""#).unwrap();
    packer.write_all(&vec![b'y'; 64 * 1024 * 1024]).unwrap();
    packer.write_all(br#""}"#).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < 1024 * 1024);
    let (error, _) = like_against(Act::Say(reply(
        200,
        &[("content-encoding", "gzip")],
        &packed,
    )));
    assert!(error.message.contains("2 MiB"), "{}", error.message);
}

#[test]
fn a_packed_body_is_unpacked() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(br#"{"status":"ok"}"#).unwrap();
    let packed = packer.finish().unwrap();
    let script = vec![Act::Say(reply(
        200,
        &[("content-encoding", "gzip")],
        &packed,
    ))];
    let server = RawServer::start(script);
    logged_in(server.address)
        .like(&item(ItemKind::Post))
        .result
        .unwrap();
}

#[test]
fn a_like_after_the_server_closed_the_idle_connection_arrives_once() {
    let ok = json(200, &fixture("accounts_current_user_ok"));
    let server = RawServer::start(vec![Act::SayAndClose(ok.clone()), Act::Say(ok)]);
    let mut instagram = logged_in(server.address);
    instagram.current_user().result.unwrap();
    let answer = instagram.like(&item(ItemKind::Post));
    let likes = server.received().len() - 1;
    match answer.result {
        Ok(()) => assert_eq!(likes, 1),
        Err(_) => assert!(likes <= 1),
    }
}

#[test]
fn a_request_refused_at_protocol_level_is_not_sent_again_either() {
    let server = Refusing::start();
    let mut ca_file = tempfile::NamedTempFile::new().unwrap();
    ca_file.write_all(server.certificate.as_bytes()).unwrap();
    let mut config = config(BaseUrl::LoopbackTls(server.address));
    config.ca_file = Some(ca_file.path().to_owned());
    let answer = client(&config, Some(&session())).like(&item(ItemKind::Post));
    let error = answer.result.unwrap_err();
    assert_eq!(
        (error.next, error.effect),
        (Next::RepeatRead, Effect::Unknown)
    );
    assert_eq!(server.requests(), 1, "{}", error.message);
}
