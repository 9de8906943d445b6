//! What the forecast of an item has to foresee of the passes before: what they ask for once, what they
//! do not come to, and what no pass can do.

use story_liker::model::{HoldReason, ItemKind, ItemState, LedgerItem};
use story_liker::ports::{Change, Store as _};

use crate::forecast::{after, agrees, code, quiet, stories, told, unknown};
use crate::world::*;

/// How many requests are on record.
fn requests(rig: &mut Rig) -> u32 {
    let attempts = rig.store.inner.attempts(START.minus(DAY)).unwrap();
    u32::try_from(attempts.len()).unwrap()
}

fn claimed(item: Option<LedgerItem>) -> story_liker::model::Timestamp {
    item.and_then(|item| item.like_arrived_by).unwrap()
}

#[test]
fn a_new_target_is_looked_up_once_and_its_listing_follows() {
    let mut rig = stories(8);
    rig.config.limits.likes = limits(&["1/3h"]);
    let mut rig = after(rig, 10 * MINUTE);
    rig.server.world().add_person(2, "berta");
    rig.config.targets.push(target("berta"));
    rig.config.targets[1].posts = false;
    let told_with = |rig: &mut Rig, more: u32| {
        let most = requests(rig) + more;
        rig.config.limits.requests = limits(&[&format!("{most}/12h")]);
        told(rig, ItemKind::Story, 103)
    };
    // Three passes: each lists both, views and likes one; the first looks one up.
    let enough = told_with(&mut rig, 3 * 4 + 1);
    assert!(enough.at.unwrap() < START.plus(10 * HOUR), "{enough:?}");
    assert_eq!(enough.passes_before, 2);
    let short = told_with(&mut rig, 3 * 4);
    assert!(short.at.unwrap() > START.plus(11 * HOUR), "{short:?}");
}

#[test]
fn a_new_session_is_proved_once() {
    let mut rig = stories(8);
    rig.config.limits.likes_per_run = 1;
    let mut rig = after(rig, 10 * MINUTE);
    rig.bring_session();
    let told_with = |rig: &mut Rig, more: u32| {
        let most = requests(rig) + more;
        rig.config.limits.requests = limits(&[&format!("{most}/12h")]);
        told(rig, ItemKind::Story, 103).at.unwrap()
    };
    // Three passes: each views and likes one; the first asks whose session it is.
    assert!(told_with(&mut rig, 3 * 2 + 1) < START.plus(HOUR));
    assert!(told_with(&mut rig, 3 * 2) > START.plus(11 * HOUR));
}

/// More stories than a pass carries over, and room for all of them.
fn many() -> Rig {
    let mut rig = stories(60);
    rig.config.limits.likes_per_run = 1;
    let mut rig = after(rig, 10 * MINUTE);
    let limit = &mut rig.config.limits;
    (limit.likes, limit.story_views) = (limits(&["100/1h"]), limits(&["100/1h"]));
    limit.requests = limits(&["500/1h"]);
    limit.likes_per_target = limits(&["100/24h"]);
    (limit.likes_per_run, limit.likes_per_target_per_run) = (100, 100);
    limit.max_runtime = 3 * HOUR;
    rig
}

#[test]
fn stories_beyond_those_that_a_pass_carries_over_are_seen_once_others_are_liked() {
    let now = many().clock.server();
    let told = agrees("beyond", &many, ItemKind::Story, 159);
    assert_eq!(code(&told.now), "not_listed");
    assert_eq!(told.passes_before, 1);
    assert!(told.at.unwrap() < now.plus(10 * MINUTE), "{told:?}");
}

#[test]
fn stories_beyond_those_that_a_pass_carries_over_come_with_the_next_listing_at_the_latest() {
    let mut rig = many();
    rig.config.quiet_hours = quiet(18, 19);
    let checked = rig.target("anna").stories_checked_at.unwrap();
    let told = told(&mut rig, ItemKind::Story, 159);
    assert_eq!(told.at, Some(checked.plus(2 * HOUR)));
}

#[test]
fn a_full_window_is_no_reason_for_a_story_that_waits_for_a_reading() {
    for new_target in [true, false] {
        let mut rig = unknown(10 * MINUTE);
        rig.config.targets[0].posts = !new_target;
        if new_target {
            rig.server.world().add_person(2, "berta");
            rig.config.targets.push(target("berta"));
        }
        let most = requests(&mut rig);
        rig.config.limits.requests = limits(&[&format!("{most}/12h")]);
        let told = told(&mut rig, ItemKind::Story, 100);
        assert_eq!(code(&told.now), "effect_unknown");
    }
}

#[test]
fn a_post_that_is_gone_takes_no_place_among_the_newest() {
    let mut rig = Rig::in_memory(&["anna"]).acquainted();
    rig.config.limits.likes_per_run = 1;
    for media in [201, 202] {
        rig.later(MINUTE);
        rig.post("anna", media);
    }
    rig.server
        .fail(Act::Like, Trouble::Objection(HoldReason::Throttled, None));
    rig.check_all();
    let mut newest = rig.item(ItemKind::Post, 202).unwrap();
    newest.state = ItemState::Gone;
    rig.apply(&[Change::Item(newest)]);
    rig.later(9 * HOUR);
    rig.config.posts.per_target = 1;
    let told = told(&mut rig, ItemKind::Post, 201);
    assert_eq!(code(&told.now), "would_like");
}

#[test]
fn posts_that_newer_ones_pushed_out_are_liked_by_no_pass() {
    let make = || {
        let mut rig = Rig::in_memory(&["anna"]).acquainted();
        rig.config.limits.likes_per_run = 1;
        rig.post("anna", 201);
        rig.later(MINUTE);
        rig.post("anna", 202);
        rig.check_all();
        rig.later(9 * HOUR);
        rig.config.posts.per_target = 1;
        rig.config.targets[0].stories = false;
        rig
    };
    let told = agrees("pushed out", &make, ItemKind::Post, 201);
    let binding = told.binding.map(|reason| code(&reason));
    assert_eq!(
        (told.at, binding.as_deref()),
        (None, Some("not_considered"))
    );
}

#[test]
fn without_a_session_no_pass_likes_anything() {
    let mut rig = after(stories(8), 10 * MINUTE);
    rig.apply(&[Change::SessionDead]);
    let told = told(&mut rig, ItemKind::Story, 103);
    assert_eq!((code(&told.now).as_str(), told.at), ("no_session", None));
}

#[test]
fn a_listing_that_comes_too_early_after_a_like_of_unknown_effect_does_not_tell() {
    // Due at once, and due in five minutes.
    for check_every in [MINUTE, 10 * MINUTE] {
        let mut rig = unknown(5 * MINUTE);
        rig.config.stories.check_every = check_every;
        let claimed = claimed(rig.item(ItemKind::Story, 100));
        let told = told(&mut rig, ItemKind::Story, 100);
        assert_eq!(code(&told.now), "effect_unknown");
        assert_eq!(told.at, Some(claimed.plus(15 * MINUTE)));
    }
}

#[test]
fn a_reading_is_waited_for_also_where_no_listing_ever_said_whether_the_story_is_liked() {
    let mut rig = unknown(10 * MINUTE);
    let mut story = rig.item(ItemKind::Story, 100).unwrap();
    story.item.has_liked = None;
    rig.apply(&[Change::Item(story)]);
    let checked = rig.target("anna").stories_checked_at.unwrap();
    let told = told(&mut rig, ItemKind::Story, 100);
    assert_eq!(told.at, Some(checked.plus(2 * HOUR)));
}
