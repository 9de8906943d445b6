//! What `explain` tells of an item is what a dry run then decides, now and at the moment it names.

use std::time::Duration;

use story_liker::care::hold::MEMORY;
use story_liker::config::{QuietHours, WarmUpStage};
use story_liker::engage::{
    Decision, Forecast, Known, Reason, Report, as_if_synchronised, forecast, wanted,
};
use story_liker::model::{Attempt, AttemptKind, HoldReason, ItemKind, ItemState, LedgerItem};
use story_liker::ports::{Change, Store};

use crate::world::*;

pub fn code(reason: &Reason) -> String {
    let json = serde_json::to_value(reason).unwrap();
    json["code"].as_str().unwrap().to_owned()
}

pub fn told(rig: &mut Rig, kind: ItemKind, media: i64) -> Forecast {
    let now = rig.clock.server();
    let item = rig.item(kind, media).expect("the ledger knows the item");
    let store = &mut rig.store.inner;
    let account = store.account().unwrap();
    let holds = store.holds(now.minus(MEMORY)).unwrap();
    let mut targets = store.targets().unwrap();
    as_if_synchronised(&mut targets, &wanted(&rig.config));
    let mut items = Vec::new();
    for target in targets.iter().filter(|target| target.id.0 > 0) {
        for kind in [ItemKind::Story, ItemKind::Post] {
            let more = store.items_in(target.id, kind, &ItemState::ALL, 100);
            items.extend(more.unwrap());
        }
    }
    let known = Known {
        config: &rig.config,
        account: &account,
        holds: &holds,
        targets,
        items,
        attempts: store
            .attempts(now.minus(Known::looked_back(&rig.config)))
            .unwrap(),
        newest: store.newest_attempts().unwrap().0,
    };
    forecast(known, &item, now)
}

#[test]
fn a_hold_that_outlasts_a_story_binds_until_the_story_has_ended() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.story("anna", 101);
    let blocked = Trouble::Objection(HoldReason::ActionBlocked, Some(3 * DAY));
    rig.server.fail(Act::Like, blocked);
    rig.pass();
    rig.later(HOUR);
    let held = told(&mut rig, ItemKind::Story, 101);
    assert_eq!(code(&held.binding.unwrap()), "hold");
    let end = START.plus(23 * HOUR);
    assert_eq!((held.at, held.life_ends_first_at), (None, Some(end)));
    rig.later(DAY);
    let ended = told(&mut rig, ItemKind::Story, 101);
    assert_eq!(ended.life_ends_first_at, None);
    assert_eq!(
        ended.binding.unwrap().to_string(),
        "its life has ended (2026-11-21T17:00:00Z)"
    );
}

#[test]
fn a_window_that_outlasts_a_story_binds_and_not_the_end_of_its_life() {
    let mut rig = stories(2);
    rig.config.limits.likes = limits(&["1/3d"]);
    let mut rig = after(rig, HOUR);
    let told = told(&mut rig, ItemKind::Story, 101);
    let binding = told.binding.and_then(|reason| reason.binding());
    assert_eq!(binding.as_deref(), Some("limits.likes 1/3d"));
    assert_eq!(told.life_ends_first_at, Some(START.plus(23 * HOUR)));
}

fn decision(report: &Report, media: i64) -> Option<&Decision> {
    let mut all = report.decisions.iter();
    all.find(|decision| decision.item.media == pk(media))
}

fn would_like(report: &Report, media: i64) -> bool {
    decision(report, media).is_some_and(|decision| decision.decision == "would_like")
}

/// Asks about one item of the situation, and then sees what dry runs decide: one now, one a little
/// before the moment that was named and one at it. Each begins with the situation anew.
pub fn agrees(name: &str, make: &dyn Fn() -> Rig, kind: ItemKind, media: i64) -> Forecast {
    let mut rig = make();
    let now = rig.clock.server();
    let told = told(&mut rig, kind, media);
    let report = rig.dry_run();
    let likes_now = told.at == Some(now);
    assert_eq!(
        would_like(&report, media),
        likes_now,
        "{name} {media}: {told:?}\n{report:?}"
    );
    if let Some(decision) = decision(&report, media).filter(|_| !likes_now) {
        assert_eq!(code(&decision.reason), code(&told.now), "{name} {media}");
        // The next dry run is another one: its numbers may differ by what it read itself.
        assert_eq!(decision.why, decision.reason.to_string());
    }
    match told.at {
        Some(at) if told.passes_before > 0 => {
            // Real passes like the others meanwhile; one every 20 minutes misses no moment by much.
            let mut started = now;
            let expiring_at = rig.item(kind, media).unwrap().item.expiring_at;
            let open = |item: LedgerItem| item.state != ItemState::Liked;
            while rig.item(kind, media).is_some_and(open) {
                rig.later(20 * MINUTE);
                started = rig.clock.server();
                rig.pass();
            }
            let late = at.plus(3 * HOUR);
            // A story whose life ends meanwhile may be missed: the moment is the earliest one.
            let end = expiring_at.unwrap_or(late.plus(DAY));
            // Quiet hours may begin between two of these passes.
            let early_enough = started <= late || end <= late || rig.config.quiet_hours.is_some();
            assert!(
                started.plus(25 * MINUTE) >= at && early_enough,
                "{name} {media}: {told:?} {started}"
            );
        }
        Some(at) if at > now => {
            let wait = at.since(now);
            if wait > 10 * MINUTE {
                let mut rig = make();
                rig.later(wait.checked_sub(5 * MINUTE).unwrap());
                let report = rig.dry_run();
                assert!(
                    !would_like(&report, media),
                    "{name} {media}, before: {told:?}\n{report:?}"
                );
            }
            let mut rig = make();
            rig.later(wait);
            let report = rig.dry_run();
            assert!(
                would_like(&report, media),
                "{name} {media}, at: {told:?}\n{report:?}"
            );
        }
        Some(_) => {}
        None => {
            for hours in [1, 6, 20, 50] {
                let mut rig = make();
                rig.later(hours * HOUR);
                assert!(
                    !would_like(&rig.dry_run(), media),
                    "{name} {media}: {told:?}"
                );
            }
        }
    }
    told
}

/// `count` stories and no posts.
pub fn stories(count: i64) -> Rig {
    let mut rig = Rig::in_memory(&["anna"]);
    rig.config.targets[0].posts = false;
    for media in 100..100 + count {
        rig.story("anna", media);
    }
    rig
}

pub fn after(mut rig: Rig, span: Duration) -> Rig {
    rig.pass();
    rig.later(span);
    rig
}

#[allow(clippy::unnecessary_wraps)] // The form of the setting.
pub fn quiet(from: i8, to: i8) -> Option<QuietHours> {
    Some(QuietHours {
        from: jiff::civil::time(from, 0, 0, 0),
        to: jiff::civil::time(to, 0, 0, 0),
    })
}

/// A story whose first like was sent and is of unknown effect, so long after it.
pub fn unknown(span: Duration) -> Rig {
    let rig = stories(1);
    rig.server.fail(Act::Like, Trouble::TimedOut(Applied::No));
    after(rig, span)
}

#[test]
#[allow(clippy::too_many_lines)] // One line for each situation.
fn the_forecast_of_each_situation_is_what_dry_runs_decide() {
    type Make = Box<dyn Fn() -> Rig>;
    let limited = |change: fn(&mut Rig)| -> Make {
        Box::new(move || {
            let mut rig = stories(8);
            change(&mut rig);
            after(rig, 10 * MINUTE)
        })
    };
    let failing = |act: Act, trouble: Trouble, span: Duration| -> Make {
        Box::new(move || {
            let rig = stories(2);
            rig.server.fail(act, trouble);
            after(rig, span)
        })
    };
    let blocked = |reason| Trouble::Objection(reason, None);
    let situations: Vec<(&str, i64, &str, Make)> = vec![
        ("new", 103, "would_like", limited(|_| {})),
        ("behind others", 107, "target_cap", limited(|_| {})),
        (
            "run cap",
            107,
            "run_cap",
            limited(|rig| rig.config.limits.likes_per_run = 2),
        ),
        (
            "window",
            104,
            "window_full",
            limited(|rig| rig.config.limits.likes = limits(&["3/1h"])),
        ),
        (
            "two windows",
            107,
            "window_full",
            limited(|rig| {
                rig.config.limits.likes = limits(&["2/1h", "3/5h"]);
            }),
        ),
        (
            "views",
            104,
            "window_full",
            limited(|rig| rig.config.limits.story_views = limits(&["3/1h"])),
        ),
        (
            "of target",
            104,
            "window_full",
            limited(|rig| {
                rig.config.limits.likes_per_target = limits(&["3/6h"]);
            }),
        ),
        (
            "warming up",
            104,
            "window_full",
            limited(|rig| {
                rig.config.limits.likes = limits(&["8/1h"]);
                rig.config.limits.likes_per_target = limits(&["60/24h"]);
                rig.config.limits.likes_per_target_per_run = 12;
                rig.config.limits.warm_up = vec![WarmUpStage {
                    percent: 25,
                    span: 7 * DAY,
                }];
            }),
        ),
        (
            "halved",
            102,
            "window_full",
            Box::new(|| {
                let mut rig = stories(0);
                rig.config.limits.likes = limits(&["4/1h"]);
                rig.config.limits.likes_per_target = limits(&["60/24h"]);
                rig.config.limits.likes_per_target_per_run = 12;
                let blocked = Trouble::Objection(HoldReason::ActionBlocked, None);
                rig.server.fail(Act::Stories, blocked);
                let rig = after(rig, 50 * HOUR);
                for media in 100..108 {
                    rig.story("anna", media);
                }
                after(rig, 10 * MINUTE)
            }),
        ),
        (
            "kept for others",
            107,
            "kept_for_others",
            Box::new(|| {
                let mut rig = Rig::in_memory(&["anna", "berta"]);
                rig.config.limits.likes = limits(&["8/24h"]);
                rig.config.limits.likes_per_target = limits(&["60/24h"]);
                rig.config.limits.likes_per_target_per_run = 10;
                rig.story("berta", 300);
                let rig = after(rig, 3 * HOUR);
                for media in 100..108 {
                    rig.story("anna", media);
                }
                after(rig, 10 * MINUTE)
            }),
        ),
        (
            "requests",
            103,
            "window_full",
            limited(|rig| rig.config.limits.requests = limits(&["5/2h"])),
        ),
        (
            "quiet",
            103,
            "quiet_hours",
            limited(|rig| {
                rig.config.quiet_hours = {
                    let mut hours = quiet(18, 22).unwrap();
                    hours.from = jiff::civil::time(18, 8, 0, 0);
                    Some(hours)
                }
            }),
        ),
        (
            "off",
            103,
            "target_off",
            Box::new(|| {
                let mut rig = after(stories(8), MINUTE);
                rig.config.targets[0].enabled = false;
                rig
            }),
        ),
        (
            "no stories",
            103,
            "kind_off",
            Box::new(|| {
                let mut rig = after(stories(8), MINUTE);
                rig.config.targets[0].stories = false;
                rig
            }),
        ),
        (
            "trouble",
            101,
            "target_trouble",
            Box::new(|| {
                let mut rig = stories(2);
                rig.server.fail(Act::Like, Trouble::UserGone);
                rig = after(rig, HOUR);
                rig
            }),
        ),
        (
            "expired",
            107,
            "expired",
            Box::new(|| after(stories(8), 23 * HOUR)),
        ),
        (
            "held",
            101,
            "hold",
            failing(Act::Like, blocked(HoldReason::Throttled), MINUTE),
        ),
        (
            "refused",
            100,
            "hold",
            failing(Act::Like, blocked(HoldReason::Throttled), MINUTE),
        ),
        (
            "refused, later",
            100,
            "refused",
            failing(Act::Like, blocked(HoldReason::Throttled), 40 * MINUTE),
        ),
        (
            "blocked",
            101,
            "hold",
            failing(Act::View, blocked(HoldReason::PleaseWait), MINUTE),
        ),
        (
            "challenge",
            101,
            "hold",
            failing(Act::Like, blocked(HoldReason::Challenge), MINUTE),
        ),
        (
            "gone",
            100,
            "gone",
            failing(Act::Like, Trouble::ItemGone, MINUTE),
        ),
        (
            "invalid",
            100,
            "failed",
            failing(Act::Like, Trouble::InvalidItem, MINUTE),
        ),
        (
            "liked",
            100,
            "liked",
            Box::new(|| after(stories(1), MINUTE)),
        ),
        (
            "unknown, early",
            100,
            "effect_unknown",
            Box::new(|| unknown(10 * MINUTE)),
        ),
        (
            "unknown, not due",
            100,
            "effect_unknown",
            Box::new(|| unknown(30 * MINUTE)),
        ),
        (
            "unknown, due",
            100,
            "would_like",
            Box::new(|| unknown(130 * MINUTE)),
        ),
        (
            "disproved twice",
            100,
            "failed",
            Box::new(|| {
                let mut rig = unknown(130 * MINUTE);
                rig.server.fail(Act::Like, Trouble::TimedOut(Applied::No));
                rig = after(rig, 130 * MINUTE);
                after(rig, 130 * MINUTE)
            }),
        ),
    ];
    for (name, media, expected, make) in &situations {
        let told = agrees(name, make, ItemKind::Story, *media);
        assert_eq!(code(&told.now), *expected, "{name}: {told:?}");
    }
}

#[test]
fn posts_of_the_first_contact_and_posts_pushed_out_have_no_moment() {
    let make = || {
        let mut rig = Rig::in_memory(&["anna"]);
        rig.config.targets[0].stories = false;
        rig.post("anna", 200);
        let mut rig = after(rig, 9 * HOUR);
        rig.config.posts.per_target = 2;
        rig.config.limits.likes_per_run = 1;
        for media in [201, 202] {
            rig.post("anna", media);
            rig.later(MINUTE);
        }
        rig = after(rig, MINUTE);
        rig
    };
    let told = agrees("observed", &make, ItemKind::Post, 200);
    assert_eq!((code(&told.now).as_str(), told.at), ("observed", None));
    let told = agrees("left over", &make, ItemKind::Post, 201);
    assert_eq!(code(&told.now), "would_like");
}

#[test]
fn after_an_unknown_like_the_moment_is_that_of_a_reading_and_says_so() {
    let mut rig = unknown(10 * MINUTE);
    let story = rig.item(ItemKind::Story, 100).unwrap();
    let checked = rig.target("anna").stories_checked_at.unwrap();
    let told = told(&mut rig, ItemKind::Story, 100);
    assert!(told.needs_reading);
    let reading = checked.plus(2 * HOUR);
    assert!(reading > story.like_arrived_by.unwrap().plus(15 * MINUTE));
    assert_eq!(told.at, Some(reading));
}

#[test]
fn a_like_cut_off_by_a_crash_is_told_from_its_recovery_on() {
    let mut rig = stories(1);
    rig.pass();
    let like = rig.server.acts().iter().position(|act| *act == Act::Like);
    let calls = rig.store.calls.iter().enumerate();
    let mut settlements = calls.filter(|(_, call)| **call == "settle");
    let (call, _) = settlements.nth(like.unwrap()).unwrap();
    let mut rig = stories(1);
    rig.plan = Some(Plan {
        call,
        when: When::Before,
        failure: Failure::Crash,
    });
    rig.pass();
    rig.later(3 * HOUR);
    let told = told(&mut rig, ItemKind::Story, 100);
    let recovered = rig.clock.server().plus(MINUTE / 2);
    assert!(told.needs_reading);
    assert!(told.at >= Some(recovered.plus(15 * MINUTE)), "{told:?}");
}

#[test]
fn after_an_unknown_like_the_listing_of_the_item_s_own_kind_is_waited_for() {
    let mut rig = unknown(10 * MINUTE);
    rig.config.targets[0].posts = true;
    rig.config.posts.check_every = HOUR;
    let now = rig.clock.server();
    let id = rig.target("anna").id;
    rig.apply(&[Change::Checked {
        target: id,
        kind: ItemKind::Post,
        at: now,
    }]);
    let checked = rig.target("anna").stories_checked_at.unwrap();
    let forecast = told(&mut rig, ItemKind::Story, 100);
    assert_eq!(forecast.at, Some(checked.plus(2 * HOUR)));

    let mut rig = Rig::in_memory(&["anna"]).acquainted();
    rig.post("anna", 200);
    rig.server.fail(Act::Like, Trouble::TimedOut(Applied::No));
    rig.check_all();
    let checked = rig.target("anna").posts_checked_at.unwrap();
    let forecast = told(&mut rig, ItemKind::Post, 200);
    assert_eq!(forecast.at, Some(checked.plus(8 * HOUR)));
}

#[test]
fn the_forecast_counts_the_passes_before_and_names_the_end_of_every_wait() {
    // Two likes in each pass: a pass is over before the next one begins.
    for target_cap in [true, false] {
        let mut rig = after(stories(0), 3 * HOUR);
        for media in 100..106 {
            rig.story("anna", media);
            rig.later(MINUTE);
        }
        let limits = &mut rig.config.limits;
        (limits.likes_per_target_per_run, limits.likes_per_run) =
            if target_cap { (2, 9) } else { (9, 2) };
        rig.pass();
        let passes = [102, 104].map(|media| {
            let told = told(&mut rig, ItemKind::Story, media);
            assert!(told.at.is_some(), "{media}");
            (told.passes_before, told.needs_reading)
        });
        assert_eq!(passes, [(0, false), (1, false)]);
    }
    // Nobody's like comes before it where only a wait does.
    let mut rig = Rig::in_memory(&["anna"]).acquainted();
    rig.config.limits.likes_per_run = 1;
    rig.post("anna", 200);
    rig.post("anna", 201);
    rig.check_all();
    rig.server.world().person("anna").private = true;
    rig.later(9 * HOUR);
    rig.pass();
    let retry_at = rig.target("anna").retry_at.unwrap();
    let mut posts = [200, 201].into_iter();
    let left = posts.find(|media| rig.state(ItemKind::Post, *media).0 == ItemState::New);
    let waits = told(&mut rig, ItemKind::Post, left.unwrap());
    assert_eq!((waits.at, waits.passes_before), (Some(retry_at), 0));
}

#[test]
fn a_warm_up_that_is_over_holds_nothing_back() {
    let mut rig = after(stories(1), 2 * DAY);
    rig.config.limits.warm_up = vec![WarmUpStage {
        percent: 50,
        span: DAY,
    }];
    rig.config.limits.likes = limits(&["2/1h"]);
    rig.config.limits.likes_per_run = 1;
    rig.story("anna", 101);
    rig.later(MINUTE);
    rig.story("anna", 102);
    let mut rig = after(rig, MINUTE);
    let told = told(&mut rig, ItemKind::Story, 102);
    assert_eq!(code(&told.now), "would_like");
}

#[test]
fn only_a_like_that_did_not_take_needs_a_reading() {
    let needs = |rig: &mut Rig| told(rig, ItemKind::Story, 100).needs_reading;
    let throttled = Trouble::Objection(HoldReason::Throttled, None);
    let refused = stories(1);
    refused.server.fail(Act::Like, throttled);
    assert!(needs(&mut after(refused, MINUTE)));
    let mut left_over = stories(2);
    left_over.config.limits.likes_per_run = 1;
    left_over.pass();
    assert!(!told(&mut left_over, ItemKind::Story, 101).needs_reading);
    left_over.later(2 * DAY);
    let expired = told(&mut left_over, ItemKind::Story, 101);
    assert!(!expired.needs_reading, "it is over for another reason");
}

/// Every mixture of a trouble, tight and wide limits, quiet hours and a wait, item by item.
#[test]
fn the_forecast_agrees_with_dry_runs_in_mixtures() {
    let troubles = [
        None,
        Some(Trouble::TimedOut(Applied::No)),
        Some(Trouble::Objection(HoldReason::Throttled, None)),
    ];
    let mut asked = 0;
    for trouble in troubles {
        for likes in ["2/1h", "12/1h"] {
            for cap in [1, 3] {
                for hours in [None, quiet(20, 23)] {
                    for wait in [5, 25, 150, 1370] {
                        let make = move || {
                            let mut rig = stories(5);
                            rig.config.limits.likes = limits(&[likes]);
                            rig.config.limits.likes_per_target_per_run = cap;
                            rig.config.quiet_hours = hours;
                            if let Some(trouble) = trouble {
                                rig.server.fail_after(Act::Like, 1, trouble);
                            }
                            after(rig, wait * MINUTE)
                        };
                        let name = format!("{trouble:?} {likes} {cap} {hours:?} {wait}");
                        for media in [101, 104] {
                            agrees(&name, &make, ItemKind::Story, media);
                            asked += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(asked, 192);
}

#[test]
fn a_stage_of_the_warm_up_that_ends_is_the_moment_though_the_window_rolls_later() {
    let make = || {
        let mut rig = stories(5);
        rig.config.limits.likes = limits(&["8/24h"]);
        rig.config.limits.likes_per_target = limits(&["60/24h"]);
        rig.config.limits.likes_per_target_per_run = 12;
        rig.config.limits.warm_up = vec![WarmUpStage {
            percent: 50,
            span: 6 * HOUR,
        }];
        after(rig, 10 * MINUTE)
    };
    let now = make().clock.server();
    let told = agrees("warm-up ends", &make, ItemKind::Story, 104);
    assert_eq!(code(&told.now), "window_full");
    let at = told.at.unwrap();
    assert!(now.plus(5 * HOUR) < at && at < now.plus(6 * HOUR), "{at}");
}

#[test]
fn a_kept_like_that_nobody_claims_any_more_is_the_moment_though_the_window_rolls_later() {
    let make = || {
        let mut rig = Rig::in_memory(&["anna", "berta"]);
        rig.config.limits.likes = limits(&["8/7d"]);
        rig.config.limits.likes_per_target = limits(&["60/24h"]);
        rig.config.limits.likes_per_target_per_run = 10;
        rig.story("berta", 300);
        let rig = after(rig, 30 * HOUR);
        for media in 100..108 {
            rig.story("anna", media);
        }
        after(rig, 10 * MINUTE)
    };
    let mut rig = make();
    let berta = Some(rig.target("berta").id);
    let attempts = rig.store.inner.attempts(START.minus(DAY)).unwrap();
    let of_berta = |one: &&Attempt| one.kind == AttemptKind::Like && one.target == berta;
    let liked_at = attempts
        .iter()
        .find(of_berta)
        .and_then(|like| like.settled_at);
    let forgotten_at = liked_at.unwrap().plus(2 * DAY + Duration::from_millis(1));
    let told = agrees("kept", &make, ItemKind::Story, 106);
    assert_eq!(code(&told.now), "kept_for_others");
    assert_eq!(told.at, Some(forgotten_at));
}
