//! When a target is listed, and which of its posts are looked at: the edges.

use std::time::Duration;

use story_liker::model::ItemKind;
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
