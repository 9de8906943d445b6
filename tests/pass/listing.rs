//! When a target is listed, and which of its posts are looked at: the edges.

use std::time::Duration;

use story_liker::config::PauseRange;
use story_liker::model::{HoldReason, ItemKind, ItemState};
use story_liker::ports::Change;

use crate::world::*;

fn checked(rig: &mut Rig, at: story_liker::model::Timestamp) {
    let target = rig.target("anna").id;
    let changes =
        [ItemKind::Story, ItemKind::Post].map(|kind| Change::Checked { target, kind, at });
    rig.apply(&changes);
}

#[test]
fn a_check_of_this_moment_is_not_due_and_one_in_the_future_is() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    let now = rig.clock.server();
    checked(&mut rig, now);
    rig.pass();
    assert_eq!(rig.server.acts(), []);
    // Made before the clock was set back.
    checked(&mut rig, now.plus(30 * DAY));
    rig.pass();
    assert_eq!(rig.server.acts(), [Act::Stories, Act::Posts]);
}

#[test]
fn a_target_in_trouble_is_looked_at_again_from_the_very_moment_on() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().person("anna").gone = true;
    rig.pass();
    let sent = rig.mark();
    let retry_at = rig.target("anna").retry_at.unwrap();
    let now = rig.clock.server();
    rig.later(retry_at.since(now) - Duration::from_millis(1));
    rig.pass();
    assert_eq!(rig.server.count(Act::UserByName), 1);
    let mut on_time = Rig::new(&["anna"]);
    on_time.server.world().person("anna").gone = true;
    on_time.pass();
    assert_eq!(on_time.mark(), sent);
    on_time.later(retry_at.since(now));
    on_time.pass();
    assert_eq!(on_time.server.count(Act::UserByName), 2);
}

#[test]
fn a_young_pinned_post_is_looked_at_beyond_the_newest_and_an_old_one_is_not() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.config.posts.per_target = 1;
    let now = rig.clock.server();
    {
        let mut world = rig.server.world();
        for (media, age) in [(300, 90), (301, 2), (302, 1), (303, 3)] {
            world.add_post("anna", media, now.minus(age * HOUR));
        }
        for post in &mut world.person("anna").posts {
            post.pinned = post.media <= 301;
        }
    }
    rig.check_all();
    let known: Vec<bool> = (300..304)
        .map(|media| rig.item(ItemKind::Post, media).is_some())
        .collect();
    assert_eq!(known, [false, true, true, false]);
}

#[test]
fn a_later_page_of_nothing_but_pinned_posts_ends_the_listing() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().page_size = 1;
    for media in 300..304 {
        rig.post("anna", media);
    }
    for post in &mut rig.server.world().person("anna").posts {
        post.pinned = post.media < 303;
    }
    rig.check_all();
    assert_eq!(rig.server.count(Act::Posts), 2);
}

#[test]
fn an_item_that_is_listed_twice_is_what_the_ledger_knows_of_it() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().doubles = true;
    let now = rig.clock.server();
    for media in 100..105 {
        rig.story("anna", media);
        rig.server.world().likes.insert(media, now);
    }
    rig.pass();
    let state = |rig: &mut Rig| rig.state(ItemKind::Story, 100);
    assert_eq!(state(&mut rig), (ItemState::AlreadyLiked, 0));
    // The operator takes the likes back.
    rig.server.world().likes.clear();
    let from = rig.mark();
    rig.later(3 * HOUR);
    rig.pass();
    assert_eq!(rig.server.trace(from), [(Act::Stories, 1)]);
    assert_eq!(state(&mut rig), (ItemState::AlreadyLiked, 0));
}

#[test]
fn a_refused_like_is_remembered_though_its_item_is_listed_twice() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().doubles = true;
    rig.story("anna", 100);
    let refused = Trouble::Objection(HoldReason::Throttled, None);
    rig.server.fail(Act::Like, refused);
    rig.pass();
    rig.later(HOUR);
    rig.server.fail(Act::Like, refused);
    rig.check_all();
    assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Failed, 2));
    rig.later(5 * HOUR);
    rig.check_all();
    assert_eq!(
        (rig.server.count(Act::View), rig.server.count(Act::Like)),
        (1, 2)
    );
}

#[test]
fn an_item_that_moved_to_the_next_page_and_is_liked_by_now_is_not_liked_again() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    let pause = Duration::from_secs(10);
    rig.config.pace.between_requests = PauseRange {
        min: pause,
        max: pause,
    };
    rig.server.world().page_size = 2;
    let now = rig.clock.server();
    // Between the two pages another post appears and the operator likes one of the first.
    let between = now.plus(pause + pause / 2);
    {
        let mut world = rig.server.world();
        for (media, taken_at) in [
            (300, now.minus(3 * HOUR)),
            (301, now.minus(2 * HOUR)),
            (302, now.minus(HOUR)),
            (303, between),
        ] {
            world.add_post("anna", media, taken_at);
        }
        world.likes.insert(301, between);
    }
    rig.check_all();
    let said: Vec<_> = {
        let world = rig.server.look();
        let posts = world.record.iter().filter(|entry| entry.act == Act::Posts);
        posts.map(|entry| entry.said.clone()).collect()
    };
    let said = &said[said.len() - 2..];
    assert_eq!(said[0], [(302, Some(false)), (301, Some(false))]);
    assert_eq!(said[1][0], (301, Some(true)));
    assert_eq!(rig.server.likes_of(301), 0);
    assert_eq!(rig.server.likes_of(302), 1);
    assert_eq!(rig.state(ItemKind::Post, 301), (ItemState::AlreadyLiked, 0));
}

#[test]
fn a_dry_run_goes_by_the_list_of_targets_as_it_is_now() {
    let mut rig = Rig::new(&["anna", "berta"]).acquainted();
    rig.config
        .targets
        .retain(|target| target.username != "berta");
    let report = rig.dry_run();
    assert!(rig.server.trace(0).iter().all(|(_, on)| *on == 1));
    assert_eq!(report.targets.len(), 1);

    let mut rig = Rig::new(&["anna", "berta"]);
    assert_eq!(rig.dry_run().targets.len(), 2, "neither has a row");
}
