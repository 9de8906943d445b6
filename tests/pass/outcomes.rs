//! What becomes of a like, and when an item may have a second one.

use std::time::Duration;

use story_liker::exit::ExitCode;
use story_liker::model::{HoldReason, ItemKind, ItemState};
use story_liker::ports::Store;

use crate::world::*;

const SECOND: Duration = Duration::from_secs(1);

/// A story whose first like met `trouble`.
fn liked_with(trouble: Trouble) -> (Rig, ExitCode) {
    let mut rig = Rig::new(&["anna"]);
    rig.config.targets[0].posts = false;
    rig.story("anna", 100);
    rig.server.fail(Act::Like, trouble);
    let report = rig.pass();
    (rig, report.exit_code())
}

/// Moves to `age` after the item's like can have arrived.
fn age_of_like(rig: &mut Rig, age: Duration) {
    let arrived_by = rig
        .item(ItemKind::Story, 100)
        .unwrap()
        .like_arrived_by
        .unwrap();
    let now = rig.clock.server();
    rig.later(arrived_by.plus(age).since(now));
}

#[test]
fn every_answer_to_a_like_has_its_outcome_state_and_code() {
    use ItemState::{Failed, Gone, New, Unknown};
    let blocked = Trouble::Objection(HoldReason::ActionBlocked, None);
    let throttled = Trouble::Objection(HoldReason::Throttled, None);
    let fail = Trouble::Objection(HoldReason::UnknownShape, None);
    let no = Applied::No;
    let table = [
        (blocked, "refused", New, 1, ExitCode::TempFail),
        (throttled, "refused", New, 1, ExitCode::TempFail),
        (fail, "refused", New, 1, ExitCode::Protocol),
        (Trouble::ItemGone, "refused", Gone, 1, ExitCode::Ok),
        (Trouble::InvalidItem, "refused", Failed, 1, ExitCode::Ok),
        (Trouble::UserGone, "refused", Gone, 1, ExitCode::Partial),
        (Trouble::Private, "refused", Gone, 1, ExitCode::Partial),
        (Trouble::Unsent, "unsent", New, 0, ExitCode::Unavailable),
        (Trouble::NotMade, "unsent", New, 0, ExitCode::Unavailable),
        (
            Trouble::Broken(no),
            "unknown",
            Unknown,
            0,
            ExitCode::Unavailable,
        ),
        (
            Trouble::TimedOut(no),
            "unknown",
            Unknown,
            0,
            ExitCode::Unavailable,
        ),
        (
            Trouble::ServerError(no),
            "unknown",
            Unknown,
            0,
            ExitCode::Unavailable,
        ),
        (
            Trouble::Incomplete(no),
            "unknown",
            Unknown,
            0,
            ExitCode::Protocol,
        ),
        (
            Trouble::Page(HoldReason::UnknownShape),
            "unknown",
            Unknown,
            0,
            ExitCode::Protocol,
        ),
    ];
    for (trouble, outcome, state, tries, code) in table {
        let (mut rig, ended) = liked_with(trouble);
        assert_eq!(rig.last_outcome("like"), outcome, "{trouble:?}");
        assert_eq!(
            rig.state(ItemKind::Story, 100),
            (state, tries),
            "{trouble:?}"
        );
        assert_eq!(ended, code, "{trouble:?}");
    }
}

#[test]
fn an_accepted_like_is_ok_and_liked() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
    assert_eq!(rig.last_outcome("like"), "ok");
    assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Liked, 0));
}

#[test]
fn a_like_cut_off_by_a_crash_is_unknown_and_counts() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.pass();
    let settle = rig.store.calls.iter().rposition(|call| *call == "settle");
    // The like is settled last but one: the posts' listing follows.
    let like = rig.store.calls[..settle.unwrap()]
        .iter()
        .rposition(|call| *call == "settle")
        .unwrap();
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.plan = Some(Plan {
        call: like,
        when: When::Before,
        failure: Failure::Crash,
    });
    rig.pass();
    assert_eq!(rig.server.likes_of(100), 1);
    let report = rig.pass();
    assert_eq!(report.recovered, 1);
    assert_eq!(rig.last_outcome("like"), "unknown");
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Unknown);
    assert_eq!(rig.server.likes_of(100), 1);
    rig.later(20 * MINUTE);
    rig.check_all();
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Liked);
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn only_a_reading_fifteen_minutes_later_allows_a_second_like() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    age_of_like(&mut rig, 15 * MINUTE - SECOND);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.last_outcome("like"), "unknown");

    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    age_of_like(&mut rig, 15 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 2);
    assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Liked, 1));
}

/// The machine sleeps between the claim and the request.
#[test]
fn the_fifteen_minutes_count_from_when_the_like_can_have_left() {
    for killed in [false, true] {
        let mut rig = Rig::new(&["anna"]);
        rig.config.targets[0].posts = false;
        rig.config.stories.mark_seen = false;
        rig.story("anna", 100);
        rig.server.fail(Act::Like, Trouble::TimedOut(Applied::No));
        rig.server.befall(Act::Like, Odd::Asleep(HOUR));
        if killed {
            rig.plan = Some(Plan {
                call: settlement_of_the_like(),
                when: When::Before,
                failure: Failure::Crash,
            });
        }
        rig.pass();
        let received_at = rig.server.look().record.last().unwrap().at;
        for _ in 0..2 {
            rig.later(6 * MINUTE);
            rig.check_all();
            assert!(rig.clock.server() < received_at.plus(15 * MINUTE));
            assert_eq!(rig.server.likes_of(100), 1, "killed: {killed}");
            assert_eq!(rig.last_outcome("like"), "unknown", "killed: {killed}");
        }
        rig.later(20 * MINUTE);
        rig.check_all();
        assert_eq!(rig.server.likes_of(100), 2, "killed: {killed}");
    }
}

/// At which call of the store the like is settled, after the look-up and the listing.
fn settlement_of_the_like() -> usize {
    let mut rig = Rig::in_memory(&["anna"]);
    rig.config.targets[0].posts = false;
    rig.config.stories.mark_seen = false;
    rig.story("anna", 100);
    rig.pass();
    let calls = rig.store.calls.iter().enumerate();
    let mut settled = calls.filter(|(_, call)| **call == "settle");
    settled.nth(2).unwrap().0
}

#[test]
fn what_arrives_after_its_sender_gave_up_stands_no_earlier_than_that() {
    for act in [Act::UserByName, Act::Stories, Act::View, Act::Like] {
        let mut rig = Rig::new(&["anna"]);
        rig.story("anna", 100);
        rig.server.befall(act, Odd::Late(50 * SECOND));
        rig.pass();
        let rows = rig.store.inner.attempts(START.minus(DAY)).unwrap();
        let received_at = rig.server.look().record.last().unwrap().at;
        assert!(rig.clock.server() < received_at, "{act:?} is on its way");
        assert!(
            rows.last().unwrap().settled_at >= Some(received_at),
            "{act:?}"
        );
    }
}

#[test]
fn a_reading_that_says_liked_ends_the_doubt_without_a_request() {
    for applied in [Applied::Now, Applied::Late] {
        let (mut rig, _) = liked_with(Trouble::TimedOut(applied));
        rig.later(16 * MINUTE);
        rig.check_all();
        assert_eq!(rig.server.likes_of(100), 1);
        assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Liked, 0));
    }
}

#[test]
fn a_platform_that_shows_likes_ten_minutes_late_gets_no_second_one() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().has_liked = HasLiked::LateBy(10 * MINUTE);
    rig.story("anna", 100);
    rig.server.fail(Act::Like, Trouble::TimedOut(Applied::Now));
    rig.pass();
    for _ in 0..8 {
        rig.later(3 * MINUTE);
        rig.check_all();
    }
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Liked);
}

#[test]
fn a_platform_that_does_not_say_leaves_the_doubt() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    rig.server.world().has_liked = HasLiked::Absent;
    for _ in 0..3 {
        rig.later(HOUR);
        rig.check_all();
    }
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Unknown);
    // It was asked for by itself as well, which is as silent.
    assert_eq!(rig.server.count(Act::MediaInfo), 3);
}

#[test]
fn there_is_never_a_third_like() {
    for second in [
        Trouble::TimedOut(Applied::No),
        Trouble::Objection(HoldReason::Throttled, None),
    ] {
        let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
        rig.server.fail(Act::Like, second);
        for _ in 0..6 {
            rig.later(HOUR);
            rig.check_all();
        }
        assert_eq!(rig.server.likes_of(100), 2, "{second:?}");
        assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Failed, 2));
    }
}

#[test]
fn a_refused_like_waits_for_a_reading_too() {
    let (mut rig, _) = liked_with(Trouble::Objection(HoldReason::Throttled, None));
    rig.server.world().has_liked = HasLiked::Absent;
    rig.later(HOUR);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1);
    rig.server.world().has_liked = HasLiked::Present;
    rig.later(HOUR);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 2);
}

#[test]
fn a_reading_from_before_the_like_allows_nothing() {
    // The first reading is stamped by a clock four minutes ahead, the refusal comes right after it.
    let mut rig = Rig::new(&["anna"]);
    rig.config.limits.max_runtime = HOUR;
    rig.config.limits.likes_per_target_per_run = 10;
    rig.clock.set_ahead(4 * 60_000);
    rig.story("anna", 100);
    rig.server.fail(Act::Like, Trouble::UserGone);
    rig.pass();
    rig.clock.set_ahead(0);
    let item = rig.item(ItemKind::Story, 100).unwrap();
    assert_eq!(item.unliked_read_at, None);
    age_of_like(&mut rig, 14 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn a_reading_is_not_younger_than_its_request_when_the_clock_was_ahead() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    age_of_like(&mut rig, 12 * MINUTE);
    rig.clock.set_ahead(4 * 60_000);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Unknown);
}

#[test]
fn what_is_liked_already_gets_no_request() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.server.world().likes.insert(100, START.minus(HOUR));
    rig.pass();
    assert_eq!(rig.server.count(Act::View), 0);
    assert_eq!(rig.server.likes_of(100), 0);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::AlreadyLiked);
}

#[test]
fn what_the_operator_unliked_stays_unliked() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.pass();
    rig.server.world().likes.clear();
    rig.later(3 * HOUR);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.state(ItemKind::Story, 100), (ItemState::Liked, 0));
}

#[test]
fn a_forgotten_row_does_not_bring_a_like_again_and_does_not_stop_the_pass() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.pass();
    rig.server.world().likes.clear();
    // The row is pruned although the story is still shown.
    let retention = story_liker::ports::Retention {
        stories_after: Duration::ZERO,
        history_keep: 45 * DAY,
    };
    let pruned =
        story_liker::ports::Store::prune(&mut rig.store.inner, &retention, START.plus(2 * DAY));
    assert_eq!(pruned.unwrap().stories, 1);
    for _ in 0..3 {
        rig.later(HOUR);
        let report = rig.check_all();
        assert_eq!(report.exit_code(), ExitCode::Ok);
    }
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Failed);
}

#[test]
fn an_item_whose_owner_went_private_is_a_trouble_of_the_target() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    rig.server.world().has_liked = HasLiked::Absent;
    rig.server.fail(Act::MediaInfo, Trouble::Private);
    rig.later(HOUR);
    assert_eq!(rig.check_all().exit_code(), ExitCode::Partial);
    assert!(rig.target("anna").trouble.is_some());
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Unknown);
}

#[test]
fn a_like_that_meets_a_target_not_to_be_seen_ends_the_work_on_that_target() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.story("anna", 101);
    rig.server.fail(Act::Like, Trouble::Private);
    rig.pass();
    let writes = [Act::View, Act::Like].map(|act| rig.server.count(act));
    assert_eq!(writes, [1, 1]);
}

#[test]
fn a_like_that_did_not_take_is_sent_again_by_the_pass_that_read_so() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    rig.server.world().has_liked = HasLiked::OfItself;
    let sent = rig.mark();
    rig.later(20 * MINUTE);
    rig.check_all();
    let acts = rig.server.acts();
    assert_eq!(acts[sent..], [Act::Stories, Act::MediaInfo, Act::Like]);
}

#[test]
fn an_item_that_is_gone_when_read_back_is_done_with() {
    let (mut rig, _) = liked_with(Trouble::TimedOut(Applied::No));
    rig.server.world().has_liked = HasLiked::Absent;
    rig.server.fail(Act::MediaInfo, Trouble::ItemGone);
    rig.later(HOUR);
    assert_eq!(rig.check_all().exit_code(), ExitCode::Ok);
    assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Gone);
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn reading_items_again_ends_where_the_window_is_full_without_a_pause_before_that() {
    let mut rig = Rig::new(&["anna"]);
    rig.config.targets[0].posts = false;
    rig.config.stories.mark_seen = false;
    rig.story("anna", 100);
    rig.story("anna", 101);
    rig.server.world().has_liked = HasLiked::Absent;
    for _ in 0..2 {
        rig.server.fail(Act::Like, Trouble::TimedOut(Applied::No));
        rig.check_all();
        rig.later(20 * MINUTE);
    }
    // Room for the listing, for which that of a like is asked as well, and for one item.
    let sent = rig.mark();
    rig.config.limits.requests = limits(&[&format!("{}/2h", sent + 2)]);
    rig.check_all();
    assert_eq!(rig.server.acts()[sent..], [Act::Stories, Act::MediaInfo]);
    let last = rig.server.look().record.last().unwrap().at;
    assert!(rig.clock.server().since(last) < SECOND);
}
