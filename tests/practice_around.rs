//! The calls clients make around a pass, written by hand from the recordings.
#![allow(clippy::unwrap_used)]

mod practice_support;

use practice_support::{
    CAPABILITIES, DEVICE, OPERATOR, OTHER_UUID, PHONE, Payload, Practice, Sketch, private_headers,
};
use serde_json::{Value, json};
use story_liker::practice::clock::PracticeClock;

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

fn launcher_sync(practice: &Practice) -> Sketch {
    practice.post(
        "/api/v1/launcher/sync/",
        vec![
            ("id", json!(DEVICE)),
            ("server_config_retrieval", json!("1")),
            ("_uid", json!(OPERATOR)),
            ("_uuid", json!(DEVICE)),
            ("_csrftoken", json!("a".repeat(64))),
        ],
    )
}

fn launcher_sync_logged_out(practice: &Practice) -> Sketch {
    let fields = vec![
        ("id", json!(DEVICE)),
        ("server_config_retrieval", json!("1")),
    ];
    let mut sketch = practice.post("/api/v1/launcher/sync/", fields);
    sketch.headers = private_headers(practice.clock.now_ms());
    sketch.header("Content-Type", FORM)
}

fn reels_tray(practice: &Practice) -> Sketch {
    let capabilities: Value = serde_json::from_str(CAPABILITIES).unwrap();
    practice.post(
        "/api/v1/feed/reels_tray/",
        vec![
            ("supported_capabilities_new", capabilities),
            ("reason", json!("cold_start")),
            ("timezone_offset", json!("-14400")),
            ("tray_session_id", json!(OTHER_UUID)),
            ("request_id", json!(OTHER_UUID)),
            ("page_size", json!(50)),
            ("_uuid", json!(DEVICE)),
            ("reel_tray_impressions", json!({})),
        ],
    )
}

fn reels_media(practice: &Practice) -> Sketch {
    let pks = [practice.friend, practice.private, practice.quiet].map(|pk| pk.to_string());
    practice.post(
        "/api/v1/feed/reels_media/",
        vec![
            ("exclude_media_ids", json!("[]")),
            ("supported_capabilities_new", json!(CAPABILITIES)),
            ("source", json!("profile")),
            ("_uid", json!(OPERATOR.to_string())),
            ("_uuid", json!(DEVICE)),
            ("user_ids", json!(pks)),
        ],
    )
}

/// The one call whose body is bare JSON under the form's content type.
fn timeline(practice: &Practice) -> Sketch {
    let now_ms = practice.clock.now_ms().to_string();
    let body = json!({
        "app_start_time": now_ms, "client_recorded_request_time_ms": now_ms,
        "request_build_time": now_ms, "has_camera_permission": "1", "feed_view_info": "[]",
        "client_view_state_media_list": "[]", "client_seen_store_media_list": "",
        "device_timezone_name": "GMT-04:00", "feed_reshare_info": "", "phone_id": PHONE,
        "reason": ["cold_start_fetch"], "battery_level": 100, "timezone_offset": "-14400",
        "device_id": DEVICE, "include_attribution_ui_data": "true", "push_disabled": "true",
        "request_id": OTHER_UUID, "_uuid": DEVICE, "is_charging": 1, "is_dark_mode": 0,
        "will_sound_on": 1, "session_id": OTHER_UUID, "session_level_signals": "{}",
        "bloks_versioning_id": "799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b",
        "is_pull_to_refresh": "0",
    });
    practice
        .post("/api/v1/feed/timeline/", Vec::new())
        .raw(&body.to_string())
}

fn user_info(practice: &Practice) -> Sketch {
    practice.get(&format!(
        "/api/v1/users/{OPERATOR}/info/?is_prefetch=false&entry_point=self_profile\
         &from_module=self_profile&is_app_start=False"
    ))
}

fn two_lines(practice: &Practice) -> Sketch {
    let target = format!("/api/v1/users/{OPERATOR}/info_stream/");
    Sketch {
        body: Payload::Raw(b"is_prefetch=false".to_vec()),
        ..practice.post(&target, vec![])
    }
}

/// A call of this page.
type Written = fn(&Practice) -> Sketch;

const SIGNED: [Written; 4] = [
    launcher_sync,
    launcher_sync_logged_out,
    reels_tray,
    reels_media,
];

#[test]
fn requests_written_from_the_recordings_earn_no_remark() {
    let others: [Written; 5] = [
        timeline,
        user_info,
        two_lines,
        |practice| practice.get("/api/v1/users/search/?query=friend&count=5"),
        |practice| practice.get("/api/v1/feed/new_feed_posts_exist/"),
    ];
    for written in SIGNED.into_iter().chain(others) {
        let practice = Practice::start();
        let sketch = written(&practice);
        let (reply, remarks) = practice.ask(&sketch);
        assert_eq!((reply.status, remarks), (200, vec![]), "{}", sketch.target);
    }
}

#[test]
fn each_of_their_fields_is_checked() {
    for written in SIGNED {
        for name in written(&Practice::start()).field_names() {
            let practice = Practice::start();
            let sketch = written(&practice);
            let gone = sketch.fields(|fields| fields.retain(|(n, _)| *n != name));
            assert_eq!(
                practice.ask(&gone).1,
                [format!("body-field-missing:{name}")]
            );
            let practice = Practice::start();
            // Null is the type of none of them.
            let typed = written(&practice).field(&name, Value::Null);
            assert_eq!(practice.ask(&typed).1, [format!("body-field-type:{name}")]);
        }
    }
}

#[test]
fn a_text_is_not_an_array_and_a_number_not_a_text() {
    let remarks = |written: Written, name: &str, value: Value| {
        let practice = Practice::start();
        practice.ask(&written(&practice).field(name, value)).1
    };
    let text = json!(CAPABILITIES);
    let array: Value = serde_json::from_str(CAPABILITIES).unwrap();
    let wrong = ["body-field-type:supported_capabilities_new"];
    assert_eq!(
        remarks(reels_tray, "supported_capabilities_new", text),
        wrong
    );
    assert_eq!(
        remarks(reels_media, "supported_capabilities_new", array),
        wrong
    );
    let own = json!(OPERATOR.to_string());
    assert_eq!(
        remarks(launcher_sync, "_uid", own),
        ["body-field-type:_uid"]
    );
    assert_eq!(
        remarks(reels_media, "_uid", json!(OPERATOR)),
        ["body-field-type:_uid"]
    );
}

#[test]
fn the_timeline_is_checked_without_its_order() {
    let practice = Practice::start();
    let sketch = timeline(&practice);
    let mut body: Value = serde_json::from_slice(&sketch.body_bytes()).unwrap();
    let members = body.as_object_mut().unwrap();
    let first = members.shift_remove("app_start_time").unwrap();
    members.insert("app_start_time".to_owned(), first);
    members["battery_level"] = json!("100");
    let (_, remarks) = practice.ask(&sketch.raw(&body.to_string()));
    assert_eq!(remarks, ["body-field-type:battery_level"]);
}

#[test]
fn several_reels_come_at_once_and_who_has_none_is_missing() {
    let practice = Practice::start();
    let (reply, _) = practice.ask(&reels_media(&practice));
    let reels = reply.json()["reels"].as_object().unwrap().clone();
    assert_eq!(
        reels.keys().collect::<Vec<_>>(),
        [&practice.friend.to_string()]
    );
    assert_eq!(
        reels[&practice.friend.to_string()]["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let (reply, _) = practice.ask(&reels_tray(&practice));
    let tray = reply.json()["tray"].as_array().unwrap().clone();
    assert_eq!(tray.len(), 1);
    assert!(tray[0].get("items").is_none());
}

#[test]
fn users_are_found_by_part_of_their_name_and_by_pk() {
    let practice = Practice::start();
    let (reply, _) = practice.ask(&practice.get("/api/v1/users/search/?query=friend&count=5"));
    let names: Vec<Value> = reply.json()["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].clone())
        .collect();
    assert_eq!(names, ["sandbox.friend"]);
    let (reply, _) =
        practice.ask(&practice.get(&format!("/api/v1/users/{}/info/", practice.friend)));
    assert_eq!(reply.json()["user"]["username"], json!("sandbox.friend"));
    let (missing, _) = practice.ask(&practice.get("/api/v1/users/1/info/"));
    assert_eq!(missing.status, 404);
    let (stream, _) = practice.ask(&two_lines(&practice));
    let lines = String::from_utf8(stream.body).unwrap();
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn the_first_answer_before_login_brings_a_machine_id_that_must_come_back() {
    let practice = Practice::start();
    let (reply, _) = practice.ask(&launcher_sync_logged_out(&practice));
    let mid = reply.header("ig-set-x-mid").unwrap();
    assert!(
        reply
            .header("set-cookie")
            .unwrap()
            .starts_with("csrftoken=")
    );
    let (_, remarks) = practice.ask(&launcher_sync_logged_out(&practice));
    assert_eq!(remarks, ["echo-missing:X-MID"]);
    let back = launcher_sync_logged_out(&practice).header("X-MID", mid);
    assert!(practice.ask(&back).1.is_empty());
}

#[test]
fn an_unlike_takes_a_like_back() {
    let practice = Practice::start();
    let post = &practice.posts[1];
    practice.ask(&practice.post_like(&post.id()));
    let mut unlike = practice.post_like(&post.id());
    unlike.target = unlike.target.replace("/like/", "/unlike/");
    assert_eq!(practice.ask(&unlike).0.status, 200);
    assert!(!practice.server.is_liked(post.pk));
    let story = &practice.stories[0];
    practice.ask(&practice.story_like(&story.id()));
    let mut unlike = practice.story_like(&story.id());
    unlike.target = unlike
        .target
        .replace("send_story_like", "unsend_story_like");
    practice.ask(&unlike);
    assert!(!practice.server.is_liked(story.pk));
    assert_eq!(
        practice.server.likes_per_item()[&story.id()],
        1,
        "an unlike is no like"
    );
}
