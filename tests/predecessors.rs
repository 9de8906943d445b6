//! What went wrong in earlier programs of this kind, each as a fact about this one: at the level
//! where it went wrong, be that the window, the ledger, the pass, the wire or the process.
#![allow(missing_docs, dead_code, clippy::unwrap_used)]

#[path = "support/home.rs"]
mod home;
#[path = "world/mod.rs"]
#[allow(
    unused_imports, // Others need more of it.
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use home::{Home, ended};
use story_liker::care::window::Windows;
use story_liker::config::PauseRange;
use story_liker::engage::Stop;
use story_liker::exit::ExitCode;
use story_liker::model::{
    Attempt, AttemptKind, HoldReason, ItemKind, ItemState, Outcome, ProfileName, Scope,
    ScopedLimit, Secret, Timestamp,
};
use story_liker::ports::{Claim, Claimed, Settlement, Store};
use story_liker::practice::switches::{LostWrite, Switches};
use story_liker::practice::{RecordEntry, Wire};
use story_liker::store::Writer;

use world::{Act, Applied, DAY, Failure, HOUR, HasLiked, MINUTE, Plan, Rig, START, Trouble, When};

// ---- windows --------------------------------------------------------------------------------

/// A rig whose only bounds are the likes' windows.
fn eager(likes: &[&str]) -> Rig {
    let mut rig = Rig::in_memory(&["anna"]);
    let none = PauseRange {
        min: Duration::ZERO,
        max: Duration::ZERO,
    };
    rig.config.pace.between_likes = none;
    rig.config.pace.between_requests = none;
    rig.config.pace.between_targets = none;
    let plenty = world::limits(&["100000/24h"]);
    rig.config.limits.likes = world::limits(likes);
    rig.config.limits.requests.clone_from(&plenty);
    rig.config.limits.story_views.clone_from(&plenty);
    rig.config.limits.likes_per_target = plenty;
    rig.config.limits.likes_per_target_per_run = 1000;
    rig.config.limits.likes_per_run = 1000;
    rig.config.limits.max_runtime = HOUR;
    rig.config.stories.mark_seen = false;
    rig.config.targets[0].posts = false;
    rig
}

fn with_stories(rig: &Rig, media: std::ops::Range<i64>) {
    let now = rig.clock.server();
    let mut world = rig.server.world();
    for media in media {
        world.add_story("anna", media, now.minus(MINUTE));
    }
}

fn likes_at(rig: &Rig) -> Vec<Timestamp> {
    let world = rig.server.look();
    let likes = world.record.iter().filter(|entry| entry.act == Act::Like);
    likes.map(|entry| entry.at).collect()
}

/// The most likes in any closed span, counted here and not by the program.
fn most_in(likes: &[Timestamp], span: Duration) -> usize {
    let within = |end: &Timestamp| {
        let in_span = |at: &&Timestamp| **at <= *end && end.since(**at) <= span;
        likes.iter().filter(in_span).count()
    };
    likes.iter().map(within).max().unwrap_or(0)
}

/// One reset its day counter together with the hour's and let 24 × 40 = 960 through a limit of 800.
#[test]
fn a_day_window_is_not_reset_every_hour() {
    let mut rig = eager(&["40/1h", "800/24h"]);
    for hour in 0..26 {
        with_stories(&rig, 1 + hour * 40..1 + (hour + 1) * 40);
        rig.check_all();
        let now = rig.clock.server();
        let next = START.plus(Duration::from_mins(61) * u32::try_from(hour + 1).unwrap());
        rig.later(next.since(now));
    }
    let likes = likes_at(&rig);
    assert_eq!(most_in(&likes, DAY), 800, "used in full, and kept");
    assert!(likes.len() > 800, "and a day later it goes on");
}

/// One kept an hour by the clock: 39 at :59 and 40 more at :01 were 79 within minutes.
#[test]
fn seventy_nine_likes_in_a_quarter_of_an_hour_do_not_get_through_a_limit_of_forty() {
    let mut rig = eager(&["40/1h"]);
    with_stories(&rig, 1..40);
    // The rig starts at 18:00.
    rig.later(55 * MINUTE);
    rig.pass();
    assert_eq!(likes_at(&rig).len(), 39);
    let now = rig.clock.server();
    rig.later(START.plus(HOUR + 10 * Duration::from_secs(1)).since(now));
    with_stories(&rig, 100..140);
    rig.check_all();
    let likes = likes_at(&rig);
    assert_eq!(likes.len(), 40);
    assert!(likes[39].since(likes[0]) < 15 * MINUTE);
    assert!(likes[39] > START.plus(HOUR), "a new hour by the clock");
}

fn claim_of(kind: AttemptKind) -> Claim {
    Claim {
        kind,
        target: None,
        item: None,
        call: "edge",
        run: None,
        despite_session_holds: false,
    }
}

/// One compared with `>` where `>=` was meant, and let one more through than it allowed.
#[test]
fn with_n_allowed_exactly_n_pass_and_a_span_later_one_more_does_not_yet() {
    const N: u32 = 3;
    let ms = Duration::from_millis(1);
    let scopes = [
        (Scope::Requests, AttemptKind::Read),
        (Scope::Logins, AttemptKind::Login),
    ];
    for (scope, kind) in scopes {
        for span in [HOUR, DAY] {
            let limit = ScopedLimit {
                scope,
                limit: story_liker::model::Limit { count: N, span },
            };
            let mut ledger = Writer::in_memory(&ProfileName::default()).unwrap();
            let mut rows: Vec<Attempt> = Vec::new();
            // Whether one more passes, as the ledger grants it and as the pure window expects it.
            let mut passes = |now: Timestamp| {
                let room = Windows::new(rows.clone()).room(limit, 1, now);
                let claimed = ledger.claim(&claim_of(kind), &[limit], now).unwrap();
                let Claimed::Granted(attempt) = claimed else {
                    assert_eq!(claimed, Claimed::Full(limit));
                    assert_eq!((room.used, room.free()), (N, 0));
                    return false;
                };
                assert!(room.free() > 0, "{scope:?}: {room:?}");
                let settlement = Settlement {
                    outcome: Outcome::Ok,
                    detail: String::new(),
                    session: None,
                    hold: None,
                    changes: Vec::new(),
                };
                ledger.settle(attempt, &settlement, now).unwrap();
                rows.push(Attempt {
                    kind,
                    target: None,
                    item: None,
                    claimed_at: now,
                    settled_at: Some(now),
                });
                true
            };
            let passed = (0..N + 2).filter(|_| passes(START)).count();
            assert_eq!(passed, 3, "{scope:?} {span:?}");
            assert!(!passes(START.plus(span)), "exactly one span later");
            assert!(passes(START.plus(span + ms)), "and a millisecond more");
        }
    }
}

/// The same as Instagram sees it: a pass at the very edge sends nothing, a pass after it does.
#[test]
fn a_pass_at_the_edge_of_a_full_window_likes_nothing_and_one_after_it_does() {
    for (after, likes) in [(HOUR, 1), (HOUR + Duration::from_millis(1), 2)] {
        let mut rig = eager(&["1/1h"]);
        with_stories(&rig, 1..10);
        rig.pass();
        let attempts = rig.store.inner.attempts(START).unwrap();
        let oldest = attempts.iter().find(|a| a.kind == AttemptKind::Like);
        let oldest = oldest.unwrap().settled_at.unwrap();
        assert_eq!(rig.server.count(Act::Like), 1);
        let now = rig.clock.server();
        rig.later(oldest.plus(after).since(now));
        rig.pass();
        assert_eq!(rig.server.count(Act::Like), likes, "{after:?} later");
    }
}

// ---- items ----------------------------------------------------------------------------------

/// One marked an item as processed whatever became of its like, and never tried again.
#[test]
fn a_failed_like_is_tried_again_later() {
    let refused = Trouble::Objection(HoldReason::Throttled, None);
    for trouble in [refused, Trouble::Unsent, Trouble::TimedOut(Applied::No)] {
        let mut rig = Rig::in_memory(&["anna"]);
        rig.story("anna", 100);
        rig.server.fail(Act::Like, trouble);
        rig.pass();
        assert!(!rig.server.look().likes.contains_key(&100));
        rig.later(HOUR);
        rig.check_all();
        assert_eq!(rig.state(ItemKind::Story, 100).0, ItemState::Liked);
        assert!(rig.server.look().likes.contains_key(&100), "{trouble:?}");
    }
}

/// One pruned liked stories only, and its table grew for ever.
#[test]
fn an_unliked_expired_story_is_pruned() {
    let mut rig = eager(&["1/7d"]);
    with_stories(&rig, 1..3);
    rig.pass();
    assert_eq!(rig.state(ItemKind::Story, 2), (ItemState::New, 0));
    rig.later(DAY + HOUR);
    let report = rig.check_all();
    assert_eq!((report.pruned.stories, report.pruned.missed), (2, 1));
    assert_eq!(rig.item(ItemKind::Story, 2), None);
}

/// One wrote the backlog down item by item; what a crash left unwritten was new the next time.
#[test]
fn a_crash_during_first_contact_does_not_release_the_backlog() {
    for call in 0..40 {
        for when in [When::Before, When::After] {
            let mut rig = Rig::in_memory(&["anna"]);
            rig.server.world().page_size = 3;
            for media in 200..208 {
                rig.post("anna", media);
            }
            rig.plan = Some(Plan {
                call,
                when,
                failure: Failure::Crash,
            });
            rig.pass();
            rig.later(HOUR);
            rig.pass();
            rig.later(9 * HOUR);
            rig.pass();
            assert_eq!(rig.server.count(Act::Like), 0, "call {call}, {when:?}");
            // What is published after that is liked: it was not for want of looking.
            rig.later(HOUR);
            rig.post("anna", 208);
            rig.later(9 * HOUR);
            rig.pass();
            assert_eq!(rig.server.count(Act::Like), 1, "call {call}, {when:?}");
        }
    }
}

// ---- sessions -------------------------------------------------------------------------------

/// One marked its session invalid and never valid again: every later login was thrown away.
#[test]
fn a_session_invalidated_once_is_usable_after_a_new_login() {
    let mut home = Home::logged_in();
    home.set("session.relogin", "\"never\"");
    home.server.revoke_sessions();
    home.run(["run"]).expect(77);
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    home.run(["login"]).expect(0);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5, "every item has its like");
    home.run(["run", "--check-all"]).expect(0);
    home.assert_flawless();
}

fn with_password() -> Rig {
    let mut rig = Rig::new(&["anna"]);
    rig.config.targets[0].posts = false;
    rig.config.session.relogin = true;
    rig.config.account.username = Some("operator".to_owned());
    rig.config.account.password = Some(Secret::new("secret"));
    rig.story("anna", 100);
    rig
}

/// One answered `login_required` with a login and the same like once more, whether or not the first
/// had taken effect.
#[test]
fn a_relogin_does_not_repeat_a_like_without_a_new_check() {
    // The like is answered with login_required.
    let mut rig = with_password();
    let dead = Trouble::Objection(HoldReason::LoginRequired, None);
    rig.server.fail(Act::Like, dead);
    assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
    assert_eq!(
        rig.server.likes_of(100),
        1,
        "not in the pass that logged in"
    );
    rig.later(10 * MINUTE);
    rig.check_all();
    assert_eq!(rig.server.likes_of(100), 1, "nor by too early a reading");
    rig.later(2 * HOUR);
    let from = rig.mark();
    rig.pass();
    assert_eq!(
        rig.server.trace(from),
        [(Act::Stories, 1), (Act::Like, 100)]
    );

    // The answer to the like was lost, and the session is found dead after that.
    for says in [HasLiked::Present, HasLiked::Absent] {
        let mut rig = with_password();
        rig.server.world().has_liked = says;
        rig.server.fail(Act::Like, Trouble::TimedOut(Applied::Now));
        rig.pass();
        rig.later(2 * HOUR);
        rig.server.world().session_alive = false;
        assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
        for _ in 0..3 {
            rig.later(2 * HOUR);
            assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
        }
        assert_eq!(rig.server.likes_of(100), 1, "{says:?}");
    }
}

// ---- counts ---------------------------------------------------------------------------------

fn kind_of(entry: &RecordEntry) -> &'static str {
    match entry.act.name() {
        "login" | "two_factor" => "login",
        "seen" => "story_view",
        _ if entry.act.is_like() => "like",
        _ => "read",
    }
}

/// How many requests of each kind arrived, and how many are on record as sent.
fn arrived_and_counted(home: &Home) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let mut arrived = BTreeMap::new();
    for entry in home.server.record() {
        *arrived.entry(kind_of(&entry).to_owned()).or_default() += 1;
    }
    let sql = home.sql();
    let mut rows = sql
        .prepare("SELECT kind, count(*) FROM attempt WHERE outcome IS NOT 'unsent' GROUP BY kind")
        .unwrap();
    let counted = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    (arrived, counted.unwrap().map(Result::unwrap).collect())
}

/// One used a client that introduced itself, looked names up twice and tried again on its own: none
/// of it was counted.
#[test]
fn what_the_transport_sends_is_what_is_counted() {
    for wire in [Wire::Plain, Wire::Tls] {
        let mut home = Home::on(wire, 3, 2);
        let password = home.server.credentials().password;
        home.secret("account.password_file", &password);
        home.server.set_switches(Switches {
            lost_like: LostWrite::Applied,
            ..home.server.switches()
        });
        home.run(["login"]).expect(0);
        home.arm("stories", "drop");
        home.arm("seen", "truncated");
        home.run(["run"]);
        home.arm("like", "drop");
        home.run(["run", "--check-all"]);
        home.run(["run", "--check-all"]);
        let (arrived, counted) = arrived_and_counted(&home);
        assert_eq!(arrived, counted, "{wire:?}");
        assert_eq!(arrived["login"], 1);
        assert!(arrived["like"] > 0 && arrived["story_view"] > 0 && arrived["read"] > 4);
        home.assert_flawless();
    }
}

/// One read a counter, added to it and wrote it back: two at once counted for one. Real processes here;
/// `store/locks.rs` has writers of several profiles over one file.
#[test]
fn two_instances_do_not_lose_counts() {
    let mut home = Home::on(Wire::Plain, 9, 0);
    home.set("limits.likes", "\"4/1h\"");
    home.import();
    let instances: Vec<_> = (0..4)
        .map(|_| home.start(["run", "--check-all", "--lock-wait", "30s"]))
        .collect();
    for instance in instances {
        ended(instance).expect(0);
    }
    assert_eq!(home.likes().len(), 4, "used in full, and kept");
    let (arrived, counted) = arrived_and_counted(&home);
    assert_eq!(arrived, counted);
    home.assert_flawless();
}
