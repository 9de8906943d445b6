//! What a pass looks at, and in which order.

use story_liker::engage::{Stop, next_listing};
use story_liker::model::{ItemKind, ItemState, Target};
use story_liker::ports::Change;

use crate::world::*;

#[test]
fn at_first_contact_stories_are_liked_and_posts_only_observed() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.post("anna", 200);
    let report = rig.pass();
    assert_eq!(report.exit_code().number(), 0);
    assert_eq!(
        rig.server.acts(),
        [
            Act::UserByName,
            Act::Stories,
            Act::View,
            Act::Like,
            Act::Posts
        ]
    );
    assert_eq!(rig.state(ItemKind::Post, 200), (ItemState::Observed, 0));
    rig.later(9 * HOUR);
    rig.post("anna", 201);
    rig.pass();
    assert_eq!(rig.server.likes_of(200), 0);
    assert_eq!(rig.server.likes_of(201), 1);
}

#[test]
fn the_most_overdue_check_comes_first_and_stories_before_posts_where_equal() {
    let mut rig = Rig::new(&["anna", "berta"]).acquainted();
    let now = rig.clock.server();
    let checked = [
        ("anna", ItemKind::Story, 3 * HOUR),
        ("berta", ItemKind::Story, 5 * HOUR),
        ("anna", ItemKind::Post, 20 * HOUR),
        ("berta", ItemKind::Post, 16 * HOUR),
    ];
    for (name, kind, ago) in checked {
        let target = rig.target(name).id;
        let at = now.minus(ago);
        rig.apply(&[Change::Checked { target, kind, at }]);
    }
    rig.pass();
    assert_eq!(
        rig.server.trace(0),
        [
            (Act::Stories, 2),
            (Act::Posts, 1),
            (Act::Posts, 2),
            (Act::Stories, 1)
        ]
    );
}

#[test]
fn what_is_not_due_is_not_asked_for_unless_everything_is_to_be_checked() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.pass();
    rig.later(HOUR);
    let from = rig.mark();
    let report = rig.pass();
    assert_eq!(report.stop, Stop::Done);
    assert_eq!(rig.server.trace(from), []);
    rig.check_all();
    assert_eq!(rig.server.trace(from), [(Act::Stories, 1), (Act::Posts, 1)]);
}

#[test]
fn items_left_over_are_liked_from_the_ledger_without_listing_again() {
    let mut rig = Rig::new(&["anna"]);
    rig.config.targets[0].posts = false;
    for media in 100..105 {
        rig.story("anna", media);
    }
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 3);
    let from = rig.mark();
    rig.later(30 * MINUTE);
    rig.pass();
    // Without a listing a proof of life is the reply that has to come before any write.
    let acts: Vec<Act> = rig.server.acts().split_off(from);
    assert_eq!(
        acts,
        [Act::CurrentUser, Act::View, Act::Like, Act::View, Act::Like]
    );
}

#[test]
fn the_story_that_expires_soonest_is_seen_and_liked_first() {
    let mut rig = Rig::new(&["anna"]);
    for (media, age) in [(100, 2), (101, 20), (102, 9)] {
        let taken = START.minus(age * HOUR);
        rig.server.world().add_story("anna", media, taken);
    }
    rig.pass();
    assert_eq!(
        rig.server.trace(2)[..6],
        [
            (Act::View, 101),
            (Act::Like, 101),
            (Act::View, 102),
            (Act::Like, 102),
            (Act::View, 100),
            (Act::Like, 100)
        ]
    );
}

#[test]
fn a_story_about_to_expire_and_one_gone_are_left_alone() {
    let mut rig = Rig::new(&["anna"]);
    let nearly_over = START
        .minus(DAY)
        .plus(40 * std::time::Duration::from_secs(1));
    rig.server.world().add_story("anna", 100, nearly_over);
    rig.story("anna", 101);
    rig.server.fail(Act::View, Trouble::ItemGone);
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 0);
    assert_eq!(rig.state(ItemKind::Story, 101).0, ItemState::Gone);
}

#[test]
fn seen_is_not_sent_where_the_operator_does_not_want_it() {
    let mut rig = Rig::new(&["anna"]);
    rig.config.stories.mark_seen = false;
    rig.story("anna", 100);
    rig.pass();
    assert_eq!(rig.server.count(Act::View), 0);
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn a_view_on_record_is_not_repeated() {
    for trouble in [Trouble::Unsent, Trouble::TimedOut(Applied::No)] {
        let mut rig = Rig::new(&["anna"]);
        rig.story("anna", 100);
        rig.server.fail(Act::Like, trouble);
        rig.pass();
        rig.later(20 * MINUTE);
        rig.check_all();
        assert_eq!(rig.server.count(Act::View), 1, "{trouble:?}");
        assert!(rig.server.look().likes.contains_key(&100), "{trouble:?}");
    }
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.server.fail(Act::View, Trouble::TimedOut(Applied::Now));
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 0);
    rig.later(20 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.count(Act::View), 1);
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn posts_are_read_page_by_page_as_far_as_the_newest_nine() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().page_size = 4;
    for media in 200..220 {
        rig.post("anna", media);
        rig.later(MINUTE);
    }
    rig.pass();
    assert_eq!(rig.server.count(Act::Posts), 3);
    let report = rig.check_all();
    assert_eq!(report.targets[0].listed, 9);
    assert!(rig.item(ItemKind::Post, 211).is_some());
    assert!(rig.item(ItemKind::Post, 210).is_none());
}

#[test]
fn pinned_posts_lead_the_page_and_say_nothing_about_the_others() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    {
        let now = rig.clock.server();
        let mut world = rig.server.world();
        world.page_size = 3;
        for (media, age) in [(300, 900), (301, 800), (302, 700)] {
            world.add_post("anna", media, now.minus(age * HOUR));
        }
        let pinned = &mut world.person("anna").posts;
        for post in pinned {
            post.pinned = true;
        }
        world.add_post("anna", 303, now.minus(HOUR));
        world.add_post("anna", 304, now.minus(2 * HOUR));
    }
    rig.pass();
    assert_eq!(rig.server.likes_of(303), 1);
    assert_eq!(rig.server.likes_of(304), 1);
    assert_eq!(rig.server.count(Act::Like), 2);
}

#[test]
fn a_cursor_that_repeats_ends_the_listing() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().page_size = 2;
    rig.server.world().repeats_cursor = true;
    rig.post("anna", 200);
    rig.post("anna", 201);
    let report = rig.pass();
    assert_eq!(report.stop, Stop::Done);
    assert_eq!(rig.server.count(Act::Posts), 2);
    // Nothing but pinned posts: the next page brings nothing to consider.
    for post in &mut rig.server.world().person("anna").posts {
        post.pinned = true;
    }
    let from = rig.server.count(Act::Posts);
    rig.check_all();
    assert_eq!(rig.server.count(Act::Posts) - from, 2);
}

#[test]
fn posts_older_than_max_age_are_left_alone_and_end_the_listing() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.later(100 * HOUR);
    let now = rig.clock.server();
    rig.server.world().page_size = 2;
    for (media, age) in [
        (200, 1),
        (201, 2),
        (202, 71),
        (203, 73),
        (204, 80),
        (205, 90),
    ] {
        let taken = now.minus(age * HOUR);
        rig.server.world().add_post("anna", media, taken);
    }
    rig.pass();
    assert_eq!(rig.server.count(Act::Posts), 2);
    assert_eq!(rig.server.count(Act::Like), 3);
    assert_eq!(rig.state(ItemKind::Post, 203).0, ItemState::Skipped);
}

#[test]
fn a_post_from_before_the_first_contact_is_not_liked_when_a_later_listing_shows_it_first() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    let contact = rig.clock.server();
    rig.later(HOUR);
    rig.server
        .world()
        .add_post("anna", 200, contact.minus(30 * HOUR));
    rig.post("anna", 201);
    rig.check_all();
    assert_eq!(rig.state(ItemKind::Post, 200).0, ItemState::Observed);
    assert_eq!((rig.server.likes_of(200), rig.server.likes_of(201)), (0, 1));
}

#[test]
fn a_first_contact_by_a_clock_that_is_ahead_hides_no_later_post() {
    let mut rig = Rig::new(&["anna"]);
    rig.clock.set_ahead(3 * 86_400_000);
    rig.pass();
    rig.clock.set_ahead(0);
    rig.pass();
    rig.later(HOUR);
    rig.post("anna", 200);
    rig.check_all();
    assert_eq!(rig.server.likes_of(200), 1);
}

#[test]
fn posts_before_the_operator_s_date_are_never_liked() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    let now = rig.clock.server();
    rig.apply(&[Change::IgnorePostsBefore(now.minus(3 * HOUR))]);
    for (media, age) in [(200, 1), (201, 4)] {
        let taken = now.minus(age * HOUR);
        rig.server.world().add_post("anna", media, taken);
    }
    rig.pass();
    assert_eq!(rig.server.likes_of(200), 1);
    assert_eq!(rig.server.likes_of(201), 0);
}

#[test]
fn an_item_on_two_pages_and_a_post_of_two_authors_are_liked_once_and_stay_liked() {
    let mut rig = Rig::new(&["anna", "berta"]).acquainted();
    rig.config.limits.likes_per_target_per_run = 1;
    rig.server.world().page_size = 2;
    rig.server.world().repeats_cursor = true;
    for media in [200, 201] {
        rig.post("anna", media);
        rig.post("berta", media);
    }
    rig.check_all();
    rig.later(10 * MINUTE);
    rig.pass();
    rig.later(3 * HOUR);
    rig.check_all();
    for media in [200, 201] {
        assert_eq!(rig.server.likes_of(media), 1);
        assert_eq!(rig.state(ItemKind::Post, media).0, ItemState::Liked);
    }
}

#[test]
fn an_unreadable_item_is_left_out_and_counted() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.story("anna", 101);
    rig.server.world().person("anna").stories[0].readable = false;
    let report = rig.pass();
    assert_eq!(report.exit_code().number(), 0);
    assert_eq!(
        (report.targets[0].unreadable, report.targets[0].liked),
        (1, 1)
    );
}

#[test]
fn what_is_not_to_be_liked_is_told_when_it_is_new_and_in_a_dry_run_always() {
    let mut rig = Rig::new(&["anna"]);
    rig.post("anna", 200);
    rig.post("anna", 201);
    let told = |report: &story_liker::engage::Report| -> Vec<_> {
        report.decisions.iter().map(|one| one.decision).collect()
    };
    let report = rig.pass();
    assert_eq!(told(&report), ["observed"; 2]);
    assert_eq!((report.targets[0].listed, report.targets[0].new), (2, 2));
    rig.later(9 * HOUR);
    assert_eq!(told(&rig.dry_run()), ["observed"; 2]);
    assert_eq!(told(&rig.pass()), [""; 0]);
}

#[test]
fn an_item_on_two_pages_is_decided_once() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.server.world().page_size = 2;
    rig.server.world().repeats_cursor = true;
    rig.post("anna", 200);
    rig.post("anna", 201);
    let report = rig.dry_run();
    assert_eq!(rig.server.count(Act::Posts), 2);
    let decisions: Vec<_> = report.decisions.iter().map(|one| one.decision).collect();
    assert_eq!(decisions, ["would_like", "would_like"]);
}

#[test]
fn each_kind_of_a_target_has_its_own_next_listing_and_none_where_it_is_not_wanted() {
    let mut rig = Rig::in_memory(&["anna"]);
    rig.pass();
    let mut anna = rig.target("anna");
    let (stories, posts) = (anna.stories_checked_at, anna.posts_checked_at);
    let next = |anna: &Target, kind| next_listing(&rig.config, anna, kind, posts.unwrap());
    let both = [ItemKind::Story, ItemKind::Post].map(|kind| next(&anna, kind));
    assert_eq!(both[0], stories.map(|at| at.plus(2 * HOUR)));
    assert_eq!(both[1], posts.map(|at| at.plus(8 * HOUR)));
    anna.stories = false;
    assert_eq!(next(&anna, ItemKind::Story), None);
    assert_eq!(next(&anna, ItemKind::Post), both[1]);
    (anna.stories, anna.posts) = (true, false);
    assert_eq!(next(&anna, ItemKind::Post), None);
    assert_eq!(next(&anna, ItemKind::Story), both[0]);
}
