//! How much and how fast, judged from the server's record.

use std::time::Duration;

use story_liker::care::limits::HALVED_FOR;
use story_liker::config::{QuietHours, WarmUpStage};
use story_liker::engage::Stop;
use story_liker::exit::ExitCode;
use story_liker::model::{HoldReason, ItemKind};

use crate::world::*;

fn with_stories(count: i64) -> Rig {
    let rig = Rig::new(&["anna"]);
    for media in 100..100 + count {
        rig.story("anna", media);
    }
    rig
}

#[test]
fn a_full_window_of_likes_ends_the_pass_well_and_without_a_request() {
    let mut rig = with_stories(6);
    rig.config.limits.likes = limits(&["2/1h"]);
    let report = rig.pass();
    assert!(matches!(
        report.stop,
        Stop::WindowFull {
            key: "limits.likes",
            ..
        }
    ));
    assert_eq!(rig.server.count(Act::Like), 2);
    assert_eq!(rig.server.count(Act::View), 2);
    rig.later(10 * MINUTE);
    let from = rig.mark();
    let report = rig.check_all();
    assert_eq!(report.exit_code(), ExitCode::Ok);
    assert!(matches!(report.stop, Stop::WindowFull { .. }));
    assert_eq!(rig.server.trace(from), []);
}

#[test]
fn a_window_that_fills_up_from_elsewhere_refuses_the_claim() {
    let mut rig = with_stories(1);
    // Lookup, listing, view and like fit, as far as the pass knows.
    rig.config.limits.requests = limits(&["4/1h"]);
    rig.store.elsewhere = 3;
    let report = rig.pass();
    assert!(matches!(
        report.stop,
        Stop::WindowFull {
            key: "limits.requests",
            ..
        }
    ));
    assert_eq!(report.exit_code(), ExitCode::Ok);
    assert_eq!(rig.server.acts(), [Act::UserByName]);
}

#[test]
fn a_like_of_days_ago_is_counted_in_a_window_of_a_week_before_the_story_is_seen() {
    let mut rig = with_stories(1);
    rig.config.limits.likes = limits(&["1/7d"]);
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 1);
    rig.later(6 * DAY);
    rig.story("anna", 110);
    rig.check_all();
    assert_eq!(rig.server.count(Act::View), 1);
    rig.later(2 * DAY);
    rig.story("anna", 111);
    rig.check_all();
    assert_eq!(rig.server.count(Act::Like), 2);
}

#[test]
fn a_clock_that_is_ahead_forgets_no_like_of_the_longest_window() {
    let mut rig = with_stories(1);
    rig.config.limits.likes = limits(&["1/72h"]);
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 1);
    let claimed = rig
        .item(ItemKind::Story, 100)
        .unwrap()
        .like_arrived_by
        .unwrap();
    let now = rig.clock.server();
    rig.later(claimed.plus(3 * DAY - MINUTE).since(now));
    rig.story("anna", 200);
    // By this clock the like is past its window, until the first reply corrects it.
    rig.clock.set_ahead(4 * 60_000);
    let report = rig.pass();
    assert_eq!(rig.server.count(Act::View), 1);
    assert_eq!(report.stop.name(), "window_full");
}

#[test]
fn stories_are_not_listed_where_none_could_be_seen() {
    let mut rig = with_stories(1);
    rig.config.limits.story_views = limits(&["1/1h"]);
    rig.pass();
    rig.later(20 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.count(Act::Stories), 1);
}

#[test]
fn a_post_of_two_authors_counts_for_the_target_it_is_liked_on() {
    let mut rig = Rig::new(&["anna", "berta"]);
    rig.config.first_contact.like_posts = true;
    for media in 200..208 {
        rig.post("anna", media);
        rig.post("berta", media);
    }
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::Ok);
    // limits.likes_per_target is 3 per run.
    let liked: Vec<u32> = report.targets.iter().map(|target| target.liked).collect();
    assert_eq!(liked, [3, 3]);
    assert_eq!(rig.server.count(Act::Like), 6);
}

#[test]
fn a_window_rolls_and_is_never_reset() {
    let mut rig = with_stories(12);
    rig.config.limits.likes = limits(&["3/1h"]);
    rig.config.limits.likes_per_target_per_run = 9;
    rig.config.limits.likes_per_target = limits(&["90/24h"]);
    rig.later(50 * MINUTE);
    rig.pass();
    let first = rig
        .server
        .look()
        .record
        .iter()
        .find(|entry| entry.act == Act::Like)
        .unwrap()
        .at;
    // A new clock hour begins, and the first like is not an hour old.
    let now = rig.clock.server();
    rig.later(first.plus(58 * MINUTE).since(now));
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 3);
    rig.later(3 * MINUTE);
    rig.pass();
    assert!(rig.server.count(Act::Like) > 3);
    let likes: Vec<_> = rig
        .server
        .look()
        .record
        .iter()
        .filter(|entry| entry.act == Act::Like)
        .map(|entry| entry.at)
        .collect();
    for window in likes.windows(4) {
        assert!(window[3].since(window[0]) > HOUR);
    }
}

#[test]
fn full_story_views_leave_the_stories_and_go_on_with_the_posts() {
    let mut rig = with_stories(3);
    rig.config.limits.story_views = limits(&["1/1h"]);
    rig.config.first_contact.like_posts = true;
    rig.post("anna", 200);
    let report = rig.pass();
    assert_eq!(rig.server.count(Act::View), 1);
    assert_eq!(rig.server.likes_of(200), 1);
    assert_eq!(report.exit_code(), ExitCode::Ok);
    assert!(
        report
            .decisions
            .iter()
            .any(|decision| decision.why.contains("limits.story_views"))
    );
}

#[test]
fn a_full_window_of_requests_ends_the_pass() {
    let mut rig = with_stories(6);
    rig.config.limits.requests = limits(&["5/1h"]);
    let report = rig.pass();
    assert!(matches!(
        report.stop,
        Stop::WindowFull {
            key: "limits.requests",
            ..
        }
    ));
    // Room for a view alone is no room for a view.
    assert_eq!(
        rig.server.acts(),
        [Act::UserByName, Act::Stories, Act::View, Act::Like]
    );
    rig.later(30 * MINUTE);
    rig.check_all();
    assert_eq!(rig.mark(), 4);
}

#[test]
fn a_story_is_seen_only_where_its_like_has_room_too() {
    let mut rig = with_stories(3);
    rig.config.limits.likes = limits(&["1/1h"]);
    rig.pass();
    assert_eq!(rig.server.count(Act::View), 1);
    assert_eq!(rig.server.count(Act::Like), 1);
}

#[test]
fn a_run_likes_no_more_than_its_cap() {
    let mut rig = with_stories(6);
    rig.config.limits.likes_per_run = 2;
    let report = rig.pass();
    assert_eq!(report.stop, Stop::RunCap { likes: 2 });
    assert_eq!(report.exit_code(), ExitCode::Ok);
    assert_eq!(
        (rig.server.count(Act::Like), rig.server.count(Act::View)),
        (2, 2)
    );
}

#[test]
fn a_target_at_its_cap_is_left_and_the_next_one_has_its_turn() {
    let mut rig = Rig::new(&["anna", "berta"]);
    for media in 100..106 {
        rig.story("anna", media);
        rig.story("berta", media + 100);
    }
    rig.pass();
    let likes: Vec<i64> = rig
        .server
        .trace(0)
        .into_iter()
        .filter(|(act, _)| *act == Act::Like)
        .map(|(_, on)| on / 100)
        .collect();
    assert_eq!(likes, [1, 1, 1, 2, 2, 2]);
    // The rolling window of one target lets the other go on as well.
    rig.config.limits.likes_per_target = limits(&["3/24h"]);
    rig.later(2 * HOUR);
    let from = rig.mark();
    let report = rig.pass();
    assert_eq!(report.stop, Stop::Done);
    assert_eq!(rig.server.trace(from), []);
}

#[test]
fn likes_are_halved_for_two_weeks_after_an_action_block() {
    let mut rig = with_stories(8);
    rig.config.limits.likes_per_target_per_run = 6;
    rig.server.fail(
        Act::Like,
        Trouble::Objection(HoldReason::ActionBlocked, None),
    );
    rig.pass();
    let until = rig.holds()[0].until.unwrap();
    for media in 110..120 {
        rig.server.world().add_story("anna", media, until);
    }
    let now = rig.clock.server();
    rig.later(until.plus(MINUTE).since(now));
    let report = rig.pass();
    assert_eq!(report.halved_until, Some(until.plus(HALVED_FOR)));
    assert_eq!(report.counts.likes, 3);
    rig.later(HALVED_FOR);
    let now = rig.clock.server();
    for media in 130..140 {
        rig.server.world().add_story("anna", media, now);
    }
    let report = rig.pass();
    assert_eq!((report.halved_until, report.counts.likes), (None, 6));
}

#[test]
fn a_warm_up_grows_with_the_days_since_the_first_like_and_survives_a_new_session() {
    let mut rig = Rig::new(&["anna"]);
    rig.config.limits.likes_per_target_per_run = 8;
    let stage = |percent, days| WarmUpStage {
        percent,
        span: DAY * days,
    };
    rig.config.limits.warm_up = vec![stage(25, 3), stage(50, 7)];
    let mut media = 100;
    let mut liked_on = |rig: &mut Rig, days: u32| {
        let now = rig.clock.server();
        rig.later(START.plus(DAY * days + MINUTE * days).since(now));
        for _ in 0..12 {
            media += 1;
            rig.story("anna", media);
        }
        let report = rig.pass();
        let stage = report.warm_up.map(|stage| stage.percent);
        (stage, report.counts.likes)
    };
    // limits.likes_per_target: 8 a pass and 8/24h.
    assert_eq!(liked_on(&mut rig, 0), (Some(25), 2));
    assert_eq!(liked_on(&mut rig, 2), (Some(25), 2));
    rig.bring_session();
    assert_eq!(liked_on(&mut rig, 4), (Some(50), 4));
    assert_eq!(liked_on(&mut rig, 8), (None, 8));
    assert_eq!(liked_on(&mut rig, 39), (Some(25), 2));
    let stage = rig.dry_run().warm_up.unwrap();
    assert!(stage.until > Some(START.plus(DAY * 42)), "{stage:?}");
}

#[test]
fn a_warm_up_holds_views_down_together_with_likes() {
    let mut rig = with_stories(9);
    rig.config.limits.likes_per_target_per_run = 9;
    rig.config.limits.likes_per_target = limits(&["30/24h"]);
    rig.config.limits.story_views = limits(&["8/1h"]);
    rig.config.limits.warm_up = vec![WarmUpStage {
        percent: 40,
        span: DAY,
    }];
    let report = rig.pass();
    assert_eq!((report.counts.likes, rig.server.count(Act::View)), (3, 3));
    let shown: Vec<_> = report.windows.iter().map(|w| w.limit.as_str()).collect();
    assert!(shown.contains(&"3/1h"), "{shown:?}");
}

#[test]
fn the_limit_in_force_counts_over_passes() {
    let mut rig = with_stories(9);
    rig.config.limits.warm_up = vec![WarmUpStage {
        percent: 10,
        span: DAY,
    }];
    // 10% of 12/1h is 1.
    rig.pass();
    assert_eq!(rig.server.count(Act::Like), 1);
    rig.later(30 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.count(Act::Like), 1);
}

#[test]
fn no_story_is_seen_whose_like_would_fall_into_quiet_hours() {
    for secs in 0..60 {
        let mut rig = with_stories(9);
        rig.config.limits.likes_per_target_per_run = 9;
        rig.config.quiet_hours = Some(QuietHours {
            from: jiff::civil::time(18, 2, secs, 0),
            to: jiff::civil::time(19, 0, 0, 0),
        });
        let report = rig.pass();
        assert!(matches!(report.stop, Stop::QuietHours { .. }));
        let (views, likes) = (rig.server.count(Act::View), rig.server.count(Act::Like));
        assert_eq!(views, likes, "quiet from 18:02:{secs}");
        let quiet =
            START.plus(2 * MINUTE + std::time::Duration::from_secs(secs.unsigned_abs().into()));
        assert!(
            rig.clock.server() <= quiet,
            "it does not wait for them either"
        );
    }
}

#[test]
fn the_time_budget_ends_the_pass_before_a_pause_that_would_outlast_it() {
    let mut rig = with_stories(9);
    rig.config.limits.max_runtime = 2 * MINUTE;
    rig.config.limits.likes_per_target_per_run = 9;
    let before = rig.clock.server();
    let report = rig.pass();
    assert_eq!(report.stop, Stop::TimeUsed);
    assert_eq!(report.exit_code(), ExitCode::Ok);
    assert!(rig.clock.server().since(before) <= 2 * MINUTE);
    assert_eq!(rig.server.count(Act::View), rig.server.count(Act::Like));
}

#[test]
fn a_clock_that_is_ahead_does_not_lengthen_the_pass() {
    for ahead in [-280_000, 280_000] {
        let mut rig = with_stories(9);
        rig.config.limits.max_runtime = 3 * MINUTE;
        rig.config.limits.likes_per_target_per_run = 9;
        rig.clock.set_ahead(ahead);
        let before = rig.clock.server();
        let report = rig.pass();
        assert_eq!(report.stop, Stop::TimeUsed);
        let took = rig.clock.server().since(before);
        assert!(took <= 3 * MINUTE && took >= MINUTE, "{took:?}");
    }
}

#[test]
fn nothing_is_sent_in_quiet_hours() {
    let mut rig = with_stories(1);
    // The rig starts at 18:00.
    rig.config.quiet_hours = Some(QuietHours {
        from: jiff::civil::time(17, 30, 0, 0),
        to: jiff::civil::time(19, 0, 0, 0),
    });
    let report = rig.pass();
    assert!(matches!(report.stop, Stop::QuietHours { .. }));
    assert_eq!((report.exit_code(), rig.mark()), (ExitCode::Ok, 0));
    rig.later(HOUR);
    rig.pass();
    assert_eq!(rig.server.likes_of(100), 1);
}

#[test]
fn quiet_hours_that_begin_during_a_pass_end_it() {
    let mut rig = with_stories(9);
    rig.config.limits.likes_per_target_per_run = 9;
    rig.config.quiet_hours = Some(QuietHours {
        from: jiff::civil::time(18, 2, 0, 0),
        to: jiff::civil::time(19, 0, 0, 0),
    });
    let report = rig.pass();
    assert!(matches!(report.stop, Stop::QuietHours { .. }));
    let record = &rig.server.look().record;
    assert!(!record.is_empty());
    assert!(record.iter().all(|entry| entry.at < START.plus(2 * MINUTE)));
}

fn assert_distances(rig: &Rig) {
    let pace = rig.config.pace;
    let world = rig.server.look();
    for pair in world.record.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap >= pace.between_requests.min, "{pair:?}");
    }
    let likes: Vec<_> = world
        .record
        .iter()
        .filter(|entry| entry.act == Act::Like)
        .collect();
    for pair in likes.windows(2) {
        assert!(
            pair[1].at.since(pair[0].at) >= pace.between_likes.min,
            "{pair:?}"
        );
    }
    let listed: Vec<_> = world
        .record
        .iter()
        .filter(|entry| entry.act == Act::Stories)
        .collect();
    for pair in listed.windows(2) {
        assert!(
            pair[0].on == pair[1].on || pair[1].at.since(pair[0].at) >= pace.between_targets.min,
            "{pair:?}"
        );
    }
}

#[test]
fn pauses_are_kept_as_the_server_sees_them() {
    for seed in 0..20 {
        let mut rig = Rig::in_memory(&["anna", "berta"]);
        rig.seed = seed;
        for media in 100..103 {
            rig.story("anna", media);
            rig.story("berta", media + 100);
        }
        rig.pass();
        assert_eq!(rig.server.count(Act::Like), 6);
        assert_distances(&rig);
    }
}

#[test]
fn a_start_right_after_a_kill_keeps_the_distances() {
    for call in 8..40 {
        for when in [When::Before, When::After] {
            let mut rig = Rig::in_memory(&["anna", "berta"]);
            for media in 100..103 {
                rig.story("anna", media);
                rig.story("berta", media + 100);
            }
            rig.plan = Some(Plan {
                call,
                when,
                failure: Failure::Crash,
            });
            rig.pass();
            rig.later(Duration::from_millis(10));
            rig.check_all();
            assert!(rig.server.count(Act::Like) >= 4);
            assert_distances(&rig);
        }
    }
}

#[test]
fn a_window_survives_a_kill_at_any_call() {
    for call in 8..50 {
        let mut rig = Rig::in_memory(&["anna"]);
        rig.config.limits.likes = limits(&["3/1h"]);
        rig.config.limits.likes_per_target_per_run = 9;
        for media in 100..108 {
            rig.story("anna", media);
        }
        for when in [When::Before, When::After, When::Before] {
            rig.plan = Some(Plan {
                call,
                when,
                failure: Failure::Crash,
            });
            rig.check_all();
        }
        rig.check_all();
        rig.check_all();
        assert!(rig.server.count(Act::Like) <= 3, "call {call}");
        assert!(rig.server.count(Act::Like) >= 2, "call {call}");
    }
}

#[test]
fn every_like_names_the_windows_it_was_weighed_against() {
    let mut rig = with_stories(1);
    let report = rig.pass();
    let decision = report
        .decisions
        .iter()
        .find(|decision| decision.decision == "liked")
        .unwrap();
    assert_eq!(decision.kind, ItemKind::Story);
    assert!(
        decision.why.contains("limits.likes 1 of 12/1h"),
        "{}",
        decision.why
    );
}
