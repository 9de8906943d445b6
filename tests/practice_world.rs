//! The simulated world behind the practice server, as a client sees it.
#![allow(clippy::unwrap_used)]

mod practice_support;

use std::collections::BTreeSet;

use practice_support::{HandClock, OPERATOR, Practice, START_S, Sketch};
use serde_json::{Value, json};
use story_liker::practice::switches::{DateHeader, HasLiked, Ids, RepeatedLike, Seen, Switches};
use story_liker::practice::trouble::Trouble;
use story_liker::practice::world::{Item, Kind, STORY_LIFE_S, World};
use story_liker::practice::{Options, Server, Wire};

fn body(practice: &Practice, sketch: &Sketch) -> Value {
    let (reply, _) = practice.ask(sketch);
    assert_eq!(
        reply.status,
        200,
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    reply.json()
}

fn items(listing: &Value) -> Vec<Value> {
    listing["items"].as_array().unwrap().clone()
}

fn story_ids(practice: &Practice, pk: u64) -> Vec<String> {
    let reel = body(practice, &practice.stories_of(pk))["reel"].clone();
    let list = reel["items"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn posts_come_in_pages_of_the_servers_own_size_with_the_pinned_one_first() {
    let practice = Practice::start();
    let first = body(&practice, &practice.posts_of(practice.friend, ""));
    assert_eq!(
        (items(&first).len(), &first["more_available"]),
        (12, &json!(true))
    );
    assert_eq!(items(&first)[0]["id"], json!(practice.posts[0].id()));
    assert_eq!(
        items(&first)[0]["timeline_pinned_user_ids"],
        json!([practice.friend])
    );
    let cursor = first["next_max_id"].as_str().unwrap();
    let second = body(&practice, &practice.posts_of(practice.friend, cursor));
    assert_eq!(
        (items(&second).len(), &second["more_available"]),
        (2, &json!(false))
    );
    assert!(
        second.get("next_max_id").is_none(),
        "absent at the end, not null"
    );
    let mut ids: Vec<String> = items(&first)
        .iter()
        .chain(&items(&second))
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, practice.posts.iter().map(Item::id).collect::<Vec<_>>());
    ids.dedup();
    assert_eq!(ids.len(), 14);
}

#[test]
fn ids_are_strings_numbers_or_both_as_switched() {
    for (ids, first_is_text, second_is_text) in [
        (Ids::Mixed, true, false),
        (Ids::Numbers, false, false),
        (Ids::Strings, true, true),
    ] {
        let practice = Practice::with(Switches {
            ids,
            ..Switches::default()
        });
        let first = body(&practice, &practice.posts_of(practice.friend, ""));
        let cursor = first["next_max_id"].as_str().unwrap();
        let second = body(&practice, &practice.posts_of(practice.friend, cursor));
        for (page, is_text) in [(&first, first_is_text), (&second, second_is_text)] {
            for item in items(page) {
                assert_eq!(item["pk"].is_string(), is_text);
                assert_eq!(item["user"]["pk"].is_string(), is_text);
            }
        }
    }
}

#[test]
fn media_ids_have_nineteen_digits_and_do_not_survive_a_float() {
    let practice = Practice::start();
    for item in practice.posts[1..].iter().chain(&practice.stories) {
        assert_eq!(item.pk.to_string().len(), 19);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let through_float = item.pk as f64 as u64;
        assert_ne!(through_float, item.pk);
    }
}

#[test]
fn private_and_quiet_users_look_as_recorded() {
    let practice = Practice::start();
    let user = &body(&practice, &practice.lookup("sandbox.private"))["user"];
    assert_eq!(
        (&user["is_private"], &user["pk"]),
        (&json!(true), &json!(practice.private))
    );
    assert!(body(&practice, &practice.stories_of(practice.private))["reel"].is_null());
    let (refusal, _) = practice.ask(&practice.posts_of(practice.private, ""));
    assert_eq!(
        (refusal.status, refusal.json()["message"].clone()),
        (400, json!("Not authorized to view user"))
    );
    assert!(body(&practice, &practice.stories_of(practice.quiet))["reel"].is_null());
    let posts = body(&practice, &practice.posts_of(practice.quiet, ""));
    assert!(items(&posts).is_empty() && posts.get("next_max_id").is_none());
    let (missing, _) = practice.ask(&practice.lookup("nobody.here"));
    assert_eq!(
        (missing.status, missing.json()["message"].clone()),
        (404, json!("User not found"))
    );
}

#[test]
fn stories_expire_after_a_day_and_can_then_be_neither_seen_in_a_list_nor_liked() {
    let practice = Practice::start();
    let ids: Vec<String> = practice.stories.iter().map(Item::id).collect();
    assert_eq!(story_ids(&practice, practice.friend), ids);
    practice.clock.advance(STORY_LIFE_S - 7200);
    assert_eq!(story_ids(&practice, practice.friend), ids[1..]);
    practice.clock.advance(3600);
    let reel = body(&practice, &practice.stories_of(practice.friend))["reel"].clone();
    assert_eq!(
        reel["items"],
        json!([]),
        "who published before shows an empty list"
    );
    let (refusal, _) = practice.ask(&practice.story_like(&ids[0]));
    assert_eq!(refusal.json()["message"], json!("Media is unavailable"));
}

#[test]
fn has_liked_is_there_missing_or_ten_minutes_late() {
    let liked = |practice: &Practice| {
        let info = body(practice, &practice.media_info(&practice.posts[1].id()));
        items(&info)[0].get("has_liked").cloned()
    };
    for (switch, before, at_once, later) in [
        (
            HasLiked::Present,
            Some(json!(false)),
            Some(json!(true)),
            Some(json!(true)),
        ),
        (HasLiked::Absent, None, None, None),
        (
            HasLiked::Late,
            Some(json!(false)),
            Some(json!(false)),
            Some(json!(true)),
        ),
    ] {
        let practice = Practice::with(Switches {
            has_liked: switch,
            ..Switches::default()
        });
        assert_eq!(liked(&practice), before);
        practice.ask(&practice.post_like(&practice.posts[1].id()));
        assert_eq!(liked(&practice), at_once);
        practice.clock.advance(601);
        assert_eq!(liked(&practice), later);
    }
}

#[test]
fn a_repeated_like_is_accepted_or_refused_and_counted_either_way() {
    for (switch, status) in [(RepeatedLike::Ok, "ok"), (RepeatedLike::Refused, "fail")] {
        let practice = Practice::with(Switches {
            repeated_like: switch,
            ..Switches::default()
        });
        let id = practice.posts[1].id();
        practice.ask(&practice.post_like(&id));
        let (second, _) = practice.ask(&practice.post_like(&id));
        assert_eq!(
            (second.status, second.json()["status"].clone()),
            (200, json!(status))
        );
        assert_eq!(practice.server.likes_per_item()[&id], 2);
    }
}

#[test]
fn a_story_like_is_delivered_only_after_a_recorded_view() {
    let liked = |seen: Option<Seen>| {
        let practice = Practice::with(Switches {
            seen: seen.unwrap_or(Seen::Recorded),
            ..Switches::default()
        });
        let story = &practice.stories[0];
        if seen.is_some() {
            let (reply, _) = practice.ask(&practice.seen(story));
            assert_eq!(reply.json(), json!({"status": "ok"}));
        }
        practice.ask(&practice.story_like(&story.id()));
        assert!(practice.server.is_liked(story.pk));
        practice.server.is_delivered(story.pk, true)
    };
    assert!(liked(Some(Seen::Recorded)));
    assert!(!liked(Some(Seen::Ignored)));
    assert!(!liked(None));
}

#[test]
fn the_date_header_follows_the_practice_clock_or_its_switch() {
    let date = |date: DateHeader| {
        let practice = Practice::with(Switches {
            date,
            ..Switches::default()
        });
        let reply = practice.ask(&practice.current_user()).0;
        reply
            .header("date")
            .map(|text| text.split(' ').nth(4).unwrap()[..5].to_owned())
    };
    assert_eq!(date(DateHeader::On).as_deref(), Some("18:00"));
    assert_eq!(date(DateHeader::Skewed(600)).as_deref(), Some("18:10"));
    assert_eq!(date(DateHeader::Off), None);
}

#[test]
fn the_world_can_be_changed_over_loopback() {
    let practice = Practice::start();
    let change = |body: &str| practice.practice_post("world", body).json();
    let added = change(r#"{"user":"sandbox.quiet","stories":2,"posts":1,"age_seconds":60}"#);
    let ids: Vec<String> = serde_json::from_value(added["added"].clone()).unwrap();
    assert_eq!(story_ids(&practice, practice.quiet), ids[..2]);
    let posts = body(&practice, &practice.posts_of(practice.quiet, ""));
    assert_eq!(items(&posts)[0]["id"], json!(ids[2]));
    let aged = format!(r#"{{"item":"{}","age_seconds":90000}}"#, ids[0]);
    assert_eq!(change(&aged)["status"], json!("ok"));
    assert_eq!(story_ids(&practice, practice.quiet), ids[1..2]);
    change(r#"{"user":"sandbox.quiet","rename":"sandbox.loud"}"#);
    assert_eq!(
        practice.ask(&practice.lookup("sandbox.quiet")).0.status,
        404
    );
    assert_eq!(
        body(&practice, &practice.lookup("sandbox.loud"))["user"]["pk"],
        practice.quiet
    );
    change(r#"{"user":"sandbox.loud","private":true}"#);
    assert!(story_ids(&practice, practice.quiet).is_empty());
    change(r#"{"user":"sandbox.loud","private":false}"#);
    assert_eq!(story_ids(&practice, practice.quiet), ids[1..2]);
    change(r#"{"user":"sandbox.loud","vanish":true}"#);
    assert_eq!(practice.ask(&practice.lookup("sandbox.loud")).0.status, 404);
    assert!(story_ids(&practice, practice.quiet).is_empty());
    change(r#"{"revoke_sessions":true}"#);
    assert_eq!(practice.ask(&practice.current_user()).0.status, 403);
}

#[test]
fn a_misunderstood_change_is_refused_by_field() {
    let practice = Practice::start();
    for (page, body, field) in [
        ("world", r#"{"user":"nobody","stories":1}"#, "user"),
        ("world", r#"{"stories":1}"#, "user"),
        ("world", r#"{"user":"sandbox.friend","storys":1}"#, "storys"),
        (
            "world",
            r#"{"user":"sandbox.friend","stories":5000}"#,
            "stories",
        ),
        (
            "world",
            r#"{"user":"sandbox.friend","rename":"sandbox.quiet"}"#,
            "rename",
        ),
        ("world", r#"{"item":"1_2","age_seconds":5}"#, "item"),
        ("switches", r#"{"has_liked":"sometimes"}"#, "has_liked"),
        ("switches", r#"{"has_likes":"late"}"#, "has_likes"),
        ("switches", "[]", "switches"),
    ] {
        let reply = practice.practice_post(page, body);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(
            reply.status == 400 && error.contains(field),
            "{body}: {error}"
        );
    }
    assert_eq!(practice.server.switches(), Switches::default());
    assert_eq!(story_ids(&practice, practice.friend).len(), 2);
}

#[test]
fn switches_are_set_one_by_one_over_loopback() {
    let practice = Practice::start();
    let reply = practice.practice_post("switches", r#"{"has_liked":"late","date":{"skewed":-5}}"#);
    assert_eq!(reply.status, 200);
    let expected = Switches {
        has_liked: HasLiked::Late,
        date: DateHeader::Skewed(-5),
        ..Switches::default()
    };
    assert_eq!(practice.server.switches(), expected);
    assert_eq!(practice.practice_get("switches")["has_liked"], "late");
}

#[test]
fn the_record_page_tells_what_was_received() {
    let practice = Practice::start();
    let (post, story) = (practice.posts[1].id(), practice.stories[0].id());
    practice.ask(&practice.seen(&practice.stories[0]));
    practice.ask(&practice.story_like(&story));
    practice
        .server
        .arm(Trouble::new("like", "feedback_required").unwrap());
    practice.ask(&practice.post_like(&post));
    let page = practice.practice_get("record");
    let acts: Vec<&str> = page["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["act"].as_str().unwrap())
        .collect();
    assert_eq!(
        acts,
        ["seen", "story_like", "post_like"],
        "practice pages are not on record"
    );
    let like = &page["requests"][1];
    assert_eq!(like["item"], json!(story));
    assert_eq!(like["target"], json!("sandbox.friend"));
    assert_eq!(like["outcome"], json!("applied"));
    assert!(like["time"].as_f64().unwrap() >= 1_795_197_600.0);
    assert_eq!(
        page["requests"][2]["outcome"],
        json!("refused:feedback_required")
    );
    assert_eq!(
        page["likes_per_item"],
        json!({ (post.as_str()): 1, (story.as_str()): 1 })
    );
    assert_eq!(page["items"][&story]["delivered"], json!(true));
    assert!(
        page["items"].get(&post).is_none(),
        "a refused like touches nothing"
    );
    assert!(page["violations"]["echo-missing:X-MID"].as_u64().unwrap() > 0);
}

/// The same conversation with a seeded server: every answer, headers and all.
fn conversation(seed: u64) -> Vec<practice_support::Reply> {
    let clock = HandClock::new();
    let options = Options {
        wire: Wire::Plain,
        ..Options::rehearsal(seed, clock.clone())
    };
    let server = Server::start(options).unwrap();
    let friend = server.with_world(|world| world.users()[0].pk);
    let post = server.with_world(|world| world.posts(friend, START_S)[2].id());
    let mut practice = Practice::start();
    (practice.server, practice.clock, practice.friend) = (server, clock, friend);
    let mut replies = Vec::new();
    for hours in 0..12 {
        practice.clock.advance(hours * 600);
        for sketch in [
            practice.current_user(),
            practice.lookup("sandbox.aurora"),
            practice.stories_of(practice.friend),
            practice.posts_of(practice.friend, ""),
            practice.post_like(&post),
        ] {
            replies.extend(practice.send(&sketch));
        }
    }
    replies
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let first = conversation(3);
    assert_eq!(first.len(), 60);
    assert!(first.iter().all(|reply| reply.status == 200));
    assert_eq!(first, conversation(3));
    assert_ne!(first, conversation(4));
}

#[test]
fn the_first_target_has_stories_and_two_pages_of_posts_from_the_start() {
    for seed in 0..10 {
        let world = World::seeded(seed, START_S * 1000);
        let first = world.user_named(&world.targets()[0], START_S).unwrap();
        assert!(world.stories(first.pk, START_S).len() >= 3);
        let posts = world.posts(first.pk, START_S);
        assert!(posts.len() > 24);
        assert!(posts[0].pinned && posts[0].taken_at < posts[1].taken_at);
        assert!(
            posts.iter().any(|post| post.author != first.pk),
            "one made by somebody else"
        );
        assert!(world.targets().contains(&world.quiet_target().unwrap()));
    }
}

#[test]
fn what_was_published_does_not_depend_on_when_one_asks() {
    let world = World::seeded(5, START_S * 1000);
    let user = world.users()[1].pk;
    let end = START_S + 10 * 86_400;
    let all = world.published(user, Kind::Story, START_S, end);
    assert!(all.len() > 5);
    let in_pieces: Vec<_> = (0..10)
        .flat_map(|day| {
            let from = START_S + day * 86_400;
            let to = if day == 9 { end } else { from + 86_399 };
            world.published(user, Kind::Story, from, to)
        })
        .collect();
    assert_eq!(all, in_pieces);
    let times_of_day: BTreeSet<i64> = all.iter().map(|story| story.taken_at % 86_400).collect();
    assert_eq!(times_of_day.len(), all.len(), "each day has its own chance");
    for story in &all {
        assert_eq!(world.item(story.pk, end).as_ref(), Some(story));
        assert_eq!(world.item(story.pk, story.taken_at - 1), None);
        assert!(world.stories(user, story.taken_at).contains(story));
        assert!(
            !world
                .stories(user, story.taken_at + STORY_LIFE_S)
                .contains(story)
        );
    }
}

#[test]
fn one_target_is_renamed_and_one_disappears_within_a_day() {
    let world = World::seeded(1, START_S * 1000);
    let (noon, night) = (START_S, START_S + 86_400);
    let gone: Vec<&str> = world
        .users()
        .iter()
        .filter(|user| user.is_gone(night))
        .map(|user| user.name(noon))
        .collect();
    assert_eq!(gone, ["sandbox.dune"]);
    let renamed: Vec<u64> = world
        .users()
        .iter()
        .filter(|user| user.name(noon) != user.name(night))
        .map(|user| user.pk)
        .collect();
    assert_eq!(renamed.len(), 1);
    let offered = world.offered(Kind::Story, noon, night);
    assert!(!offered.is_empty());
    assert!(
        offered
            .iter()
            .all(|item| !world.user(item.profile).unwrap().is_private(noon))
    );
    assert_eq!(world.operator().pk, OPERATOR);
}
