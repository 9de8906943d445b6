//! Refusals and faults of the practice server, from outside.
#![allow(clippy::unwrap_used)]

mod practice_support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use practice_support::Practice;
use serde_json::{Value, json};
use story_liker::practice::clock::{PracticeClock, WallClock};
use story_liker::practice::hardship::mild;
use story_liker::practice::switches::{LostWrite, Switches};
use story_liker::practice::trouble::Trouble;
use story_liker::practice::{Act, Options, Outcome, Server, Wire};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private");

fn index() -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{FIXTURES}/index.json")).unwrap();
    let index: Value = serde_json::from_str(&text).unwrap();
    index["fixtures"].as_array().unwrap().clone()
}

fn arm(practice: &Practice, on: &str, reply: &str) {
    practice.server.arm(Trouble::new(on, reply).unwrap());
}

#[test]
fn every_recorded_reply_can_be_armed_and_comes_verbatim() {
    let practice = Practice::start();
    let entries = index();
    assert_eq!(entries.len(), 83);
    for entry in entries {
        let name = entry["name"].as_str().unwrap();
        arm(&practice, "current_user", name);
        let reply = practice.send(&practice.current_user()).unwrap();
        let file =
            std::fs::read(format!("{FIXTURES}/{}", entry["file"].as_str().unwrap())).unwrap();
        assert_eq!(
            u64::from(reply.status),
            entry["http_status"].as_u64().unwrap(),
            "{name}"
        );
        assert_eq!(
            reply.header("content-type"),
            entry["content_type"].as_str(),
            "{name}"
        );
        assert_eq!(reply.body, file, "{name}");
        let recorded = entry["response_headers"].as_object().unwrap();
        let recorded = recorded
            .values()
            .filter(|value| !value.as_str().unwrap().starts_with('<'));
        // Besides the recorded ones: type, length, date and the end of the connection.
        assert_eq!(
            reply.headers.len(),
            recorded.count() + 4,
            "{name}: {:?}",
            reply.headers
        );
    }
}

#[test]
fn short_names_stand_for_recorded_replies() {
    let practice = Practice::start();
    for (short, status, words) in [
        ("feedback_required", 400, "feedback_required"),
        ("login_required", 403, "login_required"),
        ("challenge_required", 400, "challenge_required"),
        ("please_wait", 429, "Please wait"),
        ("429", 429, "Please wait"),
        ("429_empty", 429, ""),
        ("500", 500, ""),
        ("503", 503, "<"),
        ("html", 200, "<"),
        ("empty", 200, ""),
    ] {
        arm(&practice, "any", short);
        let reply = practice.send(&practice.current_user()).unwrap();
        let body = String::from_utf8(reply.body).unwrap();
        assert_eq!(reply.status, status, "{short}");
        assert!(body.contains(words), "{short}: {body}");
        assert!(!short.contains("empty") || body.is_empty());
    }
}

#[test]
fn a_refused_like_takes_no_effect_and_is_counted() {
    let practice = Practice::start();
    let post = &practice.posts[1];
    arm(&practice, "like", "feedback_required");
    let (reply, _) = practice.ask(&practice.post_like(&post.id()));
    assert_eq!(reply.json()["message"], "feedback_required");
    assert!(!practice.server.is_liked(post.pk));
    assert_eq!(practice.server.likes_per_item()[&post.id()], 1);
    let last = practice.server.record().pop().unwrap();
    assert_eq!(
        last.outcome,
        Outcome::Refused("feedback_required".to_owned())
    );
    practice.ask(&practice.post_like(&post.id()));
    assert!(practice.server.is_liked(post.pk));
}

#[test]
fn a_trouble_waits_strikes_and_is_spent() {
    let practice = Practice::start();
    practice.server.arm(
        Trouble::new("read", "please_wait")
            .unwrap()
            .after(2)
            .times(2),
    );
    let status = || practice.ask(&practice.lookup("sandbox.friend")).0.status;
    let seen: Vec<u16> = (0..6).map(|_| status()).collect();
    assert_eq!(seen, [200, 200, 429, 429, 200, 200]);
}

#[test]
fn a_trouble_keeps_to_its_call_and_its_user() {
    let practice = Practice::start();
    practice.server.arm(
        Trouble::new("stories", "429")
            .unwrap()
            .user("sandbox.quiet"),
    );
    assert_eq!(
        practice.ask(&practice.stories_of(practice.friend)).0.status,
        200
    );
    assert_eq!(
        practice
            .ask(&practice.posts_of(practice.quiet, ""))
            .0
            .status,
        200
    );
    assert_eq!(
        practice.ask(&practice.stories_of(practice.quiet)).0.status,
        429
    );
}

#[test]
fn a_lost_like_does_what_the_switch_says() {
    for (lost, at_once, later) in [
        (LostWrite::Lost, false, false),
        (LostWrite::Applied, true, true),
        (LostWrite::AppliedLate, false, true),
    ] {
        for fault in ["drop", "stall"] {
            let practice = Practice::with(Switches {
                lost_like: lost,
                ..Switches::default()
            });
            let post = &practice.posts[1];
            arm(&practice, "like", fault);
            let before = practice.now_s();
            assert_eq!(practice.send(&practice.post_like(&post.id())), None);
            let spent = practice.now_s() - before;
            assert_eq!(spent >= 20, fault == "stall", "{fault} took {spent} s");
            assert_eq!(
                practice.server.is_liked(post.pk),
                at_once,
                "{lost:?} {fault}"
            );
            // Time-out of twenty seconds and thirty more, counted from the like.
            practice.clock.advance(before + 49 - practice.now_s());
            assert_eq!(
                practice.server.is_liked(post.pk),
                at_once,
                "{lost:?} {fault}"
            );
            practice.clock.advance(2);
            assert_eq!(practice.server.is_liked(post.pk), later, "{lost:?} {fault}");
            assert_eq!(practice.server.likes_per_item()[&post.id()], 1);
        }
    }
}

#[test]
fn a_dropped_answer_after_the_act_leaves_the_like_in_effect() {
    let practice = Practice::start();
    let post = &practice.posts[1];
    arm(&practice, "post_like", "drop_applied");
    assert_eq!(practice.send(&practice.post_like(&post.id())), None);
    assert!(practice.server.is_liked(post.pk));
    let last = practice.server.record().pop().unwrap();
    assert_eq!(
        last.outcome,
        Outcome::AppliedUnanswered("drop_applied".to_owned())
    );
    assert_eq!((last.act, last.status), (Act::PostLike, None));
}

#[test]
fn a_truncated_answer_announces_more_than_comes() {
    let practice = Practice::start();
    let post = &practice.posts[1];
    arm(&practice, "like", "truncated");
    let reply = practice.send(&practice.post_like(&post.id())).unwrap();
    assert_eq!((reply.status, reply.complete), (200, false));
    assert!(!reply.body.is_empty());
    assert!(practice.server.is_liked(post.pk));
}

#[test]
fn oversized_answers_pass_eight_mebibytes_plain_and_compressed() {
    let practice = Practice::start();
    arm(&practice, "read", "oversized");
    let reply = practice.send(&practice.current_user()).unwrap();
    assert!(reply.complete && reply.body.len() > 8 * 1024 * 1024);
    arm(&practice, "read", "gzip_bomb");
    let reply = practice.send(&practice.current_user()).unwrap();
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.body.len() < 1024 * 1024);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&reply.body[..])
        .read_to_end(&mut plain)
        .unwrap();
    assert!(plain.len() > 8 * 1024 * 1024);
}

#[test]
fn answers_that_are_no_json_can_be_armed() {
    let practice = Practice::start();
    arm(&practice, "read", "non_utf8");
    let reply = practice.send(&practice.current_user()).unwrap();
    assert!(reply.status == 200 && String::from_utf8(reply.body).is_err());
    arm(&practice, "read", "redirect");
    let reply = practice.send(&practice.current_user()).unwrap();
    assert_eq!(reply.status, 302);
    // It leads back to this server: a client that follows it does not leave the machine.
    let location = reply.header("location").unwrap().to_owned();
    assert!(location.starts_with("/accounts/login/"));
    let page = practice.send(&practice.get(&location)).unwrap();
    assert!(
        page.status == 200
            && page
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
    );
}

#[test]
fn a_slow_answer_costs_half_a_time_out_and_is_whole() {
    let practice = Practice::start();
    arm(&practice, "read", "slow");
    let before = practice.now_s();
    let reply = practice.send(&practice.current_user()).unwrap();
    assert_eq!((reply.status, reply.complete), (200, true));
    assert!((10..12).contains(&(practice.now_s() - before)));
}

#[test]
fn any_other_answer_can_be_described() {
    let practice = Practice::start();
    let reply = practice.practice_post(
        "trouble",
        r#"{"on":"any","reply":{"status":418,"headers":{"Retry-After":"60"},"body":{"a":1}}}"#,
    );
    assert_eq!(reply.status, 200);
    let reply = practice.send(&practice.current_user()).unwrap();
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (418, Some("60"))
    );
    assert_eq!(reply.json(), json!({"a": 1}));
}

#[test]
fn a_misunderstood_trouble_is_refused_by_field() {
    let practice = Practice::start();
    for (body, field) in [
        (r#"{"on":"liking","reply":"429"}"#, "on"),
        (r#"{"on":"like","reply":"no such reply"}"#, "reply"),
        (r#"{"on":"like","reply":{"status":42}}"#, "reply"),
        (
            r#"{"on":"like","reply":{"status":200,"colour":1}}"#,
            "colour",
        ),
        (r#"{"on":"like"}"#, "reply"),
        (r#"{"on":"like","reply":"429","when":1}"#, "when"),
        (r#"{"on":"like","reply":"429","after":-1}"#, "trouble"),
        ("not json", "trouble"),
    ] {
        let reply = practice.practice_post("trouble", body);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(reply.status, 400, "{body}");
        assert!(error.contains(field), "{body}: {error}");
    }
    assert_eq!(
        practice
            .ask(&practice.post_like(&practice.posts[1].id()))
            .0
            .status,
        200
    );
}

#[test]
fn what_is_received_is_on_record_before_it_is_answered() {
    let server = wall_server();
    server.arm(Trouble::new("any", "stall").unwrap());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .write_all(b"GET /api/v1/accounts/current_user/?edit=true HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    while server.record().is_empty() {
        std::thread::yield_now();
    }
    // In real time a stalled request is never answered, and its connection stays open.
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let silence = stream.read(&mut [0; 16]).unwrap_err();
    assert!(matches!(
        silence.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    ));
    let record = server.record();
    assert_eq!(
        (record.len(), record[0].act, record[0].status),
        (1, Act::CurrentUser, None)
    );
}

fn wall_server() -> Server {
    let listen = "127.0.0.1:0".parse().unwrap();
    Server::start(Options::serving(listen, Wire::Plain, 1)).unwrap()
}

#[test]
fn a_mild_plan_is_the_same_for_the_same_seed_and_grows_with_its_days() {
    let start = WallClock.now_ms();
    let text = |seed, days| format!("{:?}", mild(seed, start, days));
    assert_eq!(text(1, 30), text(1, 30));
    assert_ne!(text(1, 30), text(2, 30));
    assert!(mild(1, start, 30).len() > mild(1, start, 3).len());
    for seed in 0..20 {
        let plan = text(seed, 30);
        assert_eq!(
            plan.matches("feedback_required").count(),
            2,
            "one block, named twice: {plan}"
        );
    }
}

#[test]
fn a_planned_trouble_waits_for_its_moment() {
    let practice = Practice::start();
    let at_ms = practice.clock.now_ms() + 3_600_000;
    practice
        .server
        .arm(Trouble::new("any", "503").unwrap().from_ms(at_ms));
    assert_eq!(practice.ask(&practice.current_user()).0.status, 200);
    practice.clock.advance(3600);
    assert_eq!(practice.ask(&practice.current_user()).0.status, 503);
}
