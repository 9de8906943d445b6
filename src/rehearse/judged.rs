//! What the judge says of records that a program with a broken safeguard would leave.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::in_force::InForce;
use super::plan::{START, targets_of};
use super::promises::{Promises, judge};
use super::silence::silences;
use super::stage::Visit;
use super::summary::Held;
use crate::clock::VirtualClock;
use crate::config::{Config, Environment, Request, load};
use crate::model::{HoldReason, Timestamp};
use crate::practice::switches::Switches;
use crate::practice::world::World;
use crate::practice::{Act, Options, Outcome, RecordEntry, Server, Wire};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

struct Bench {
    server: Server,
    config: Config,
    visits: Vec<Visit>,
}

impl Bench {
    /// A world with anna and bert, and these settings.
    fn new(settings: &[(&str, &str)]) -> Self {
        let mut world = World::empty(START.as_millis());
        world.add_user("anna");
        world.add_user("bert");
        let always = [("HOME", "/nowhere")];
        let environment: Environment = always.iter().chain(settings).copied().collect();
        let mut config = load(&Request::default(), &environment).unwrap().config;
        config.targets = targets_of(&config, &world);
        let server = Server::start(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            wire: Wire::Plain,
            seed: 1,
            clock: Arc::new(VirtualClock::new(START)),
            world,
            switches: Switches::default(),
            client_timeout: Duration::from_secs(20),
        });
        Self {
            server: server.unwrap(),
            config,
            visits: Vec::new(),
        }
    }

    fn visited(mut self, after_ms: i64, cleared: HoldReason) -> Self {
        self.visits.push(Visit {
            at: at(after_ms),
            cleared: vec![cleared],
            new_session: false,
        });
        self
    }

    fn judge(&self, record: &[RecordEntry]) -> Promises {
        let held = Held {
            config: &self.config,
            server: &self.server,
            record,
            passes: &[],
            ends: &[],
            visits: &self.visits,
            start: START,
            end: at(30 * DAY),
            days: 30,
        };
        let silences = silences(&held);
        let in_force = InForce::new(&held, &silences);
        judge(&held, &silences, &in_force)
    }
}

fn at(after_ms: i64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + after_ms)
}

/// A request about anna so long after the beginning, answered as usual.
fn sent(after_ms: i64, act: Act) -> RecordEntry {
    RecordEntry {
        at_ms: START.as_millis() + after_ms,
        act,
        method: String::new(),
        path: String::new(),
        item: act.is_like().then(|| format!("{after_ms}_7")),
        target: Some("anna".to_owned()),
        outcome: Outcome::Ok,
        status: Some(200),
        violations: Vec::new(),
        not_liked: Vec::new(),
    }
}

fn refused(after_ms: i64, act: Act, reply: &str) -> RecordEntry {
    RecordEntry {
        outcome: Outcome::Refused(reply.to_owned()),
        ..sent(after_ms, act)
    }
}

#[track_caller]
fn expect(promises: &Promises, broken: &[&str]) {
    let said = promises.broken();
    assert_eq!(said.len(), broken.len(), "{said:?}");
    for (said, words) in said.iter().zip(broken) {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(promises.kept, broken.is_empty());
}

#[test]
fn a_request_before_the_end_of_a_silence_breaks_it_and_one_after_it_does_not() {
    // The refusal, the act it met, and for how long at least nothing may come.
    let cases = [
        ("error_429_empty", Act::Stories, 30 * MINUTE),
        ("throttled_for_7200", Act::Stories, 2 * HOUR),
        ("error_please_wait_429", Act::Stories, 2 * HOUR),
        ("error_200_html_login_page", Act::Posts, 6 * HOUR),
        ("error_feedback_required_like", Act::StoryLike, 2 * DAY),
        // The 24th is over after three days and 18 hours: the beginning is the 21st, 06:00.
        (
            "blocked_until_2026-11-24",
            Act::PostLike,
            3 * DAY + 18 * HOUR,
        ),
    ];
    for (reply, act, silence) in cases {
        let bench = Bench::new(&[]);
        let after = |ms| bench.judge(&[refused(0, act, reply), sent(ms, Act::Stories)]);
        expect(&after(silence - MINUTE), &["1 requests came during a hold"]);
        expect(&after(silence + MINUTE), &[]);
    }
}

#[test]
fn what_needs_a_person_is_silent_until_one_came() {
    for reply in [
        "error_challenge_required",
        "error_login_required",
        "error_user_has_logged_out",
        "unexplained_403",
    ] {
        let record = [
            refused(0, Act::Stories, reply),
            sent(20 * DAY, Act::Stories),
        ];
        let bench = Bench::new(&[]);
        expect(&bench.judge(&record), &["during a hold"]);
        let bench = bench.visited(10 * DAY, HoldReason::Challenge);
        expect(&bench.judge(&record), &[]);
    }
}

#[test]
fn silence_grows_while_it_recurs_and_a_third_block_needs_a_person() {
    let bench = Bench::new(&[]);
    let throttled = |at| refused(at, Act::Stories, "error_429_empty");
    let record = [
        throttled(0),
        throttled(HOUR),
        sent(HOUR + 50 * MINUTE, Act::Stories),
    ];
    expect(&bench.judge(&record), &["1 requests came during a hold"]);
    let blocked = |at| refused(at, Act::StoryLike, "error_feedback_required_like");
    let record = [
        blocked(0),
        blocked(3 * DAY),
        sent(9 * DAY, Act::Stories),
        blocked(11 * DAY),
        sent(29 * DAY, Act::Stories),
    ];
    expect(&bench.judge(&record), &["2 requests came during a hold"]);
}

#[test]
fn an_unexplained_refusal_allows_one_question_about_the_session() {
    let bench = Bench::new(&[]);
    let doubt = refused(0, Act::Stories, "unexplained_403");
    let record = [doubt.clone(), sent(10 * SECOND, Act::CurrentUser)];
    expect(&bench.judge(&record), &[]);
    let record = [
        doubt,
        sent(10 * SECOND, Act::CurrentUser),
        sent(20 * SECOND, Act::CurrentUser),
    ];
    expect(&bench.judge(&record), &["1 requests came during a hold"]);
}

#[test]
fn a_limit_of_likes_is_half_as_high_in_the_two_weeks_after_a_block() {
    let bench = Bench::new(&[("STORY_LIKER_LIMITS_LIKES", "4/1h")]);
    let likes = |from: i64| {
        let block = refused(0, Act::PostLike, "error_feedback_required_like");
        let likes = (0..3).map(|number| sent(from + number * MINUTE, Act::StoryLike));
        bench.judge(&[block].into_iter().chain(likes).collect::<Vec<_>>())
    };
    expect(
        &likes(10 * DAY),
        &["limits.likes 4/1h: 3 were received where 2"],
    );
    expect(&likes(17 * DAY), &[]);
}

#[test]
fn a_target_has_a_window_of_its_own() {
    let bench = Bench::new(&[("STORY_LIKER_LIMITS_LIKES_PER_TARGET", "3,4/24h")]);
    let mut record: Vec<_> = (0..6).map(|n| sent(n * HOUR, Act::StoryLike)).collect();
    let broken = ["limits.likes_per_target 4/24h: 6 were received where 4"];
    expect(&bench.judge(&record), &broken);
    for entry in &mut record[..3] {
        entry.target = Some("bert".to_owned());
    }
    expect(&bench.judge(&record), &[]);
}

#[test]
fn distances_that_are_too_short_are_told_by_their_key() {
    let bench = Bench::new(&[]);
    let record = [sent(0, Act::Stories), sent(4 * SECOND, Act::Posts)];
    expect(&bench.judge(&record), &["pace.between_requests"]);
    let record = [sent(0, Act::StoryLike), sent(20 * SECOND, Act::StoryLike)];
    expect(&bench.judge(&record), &["pace.between_likes"]);
    let mut record = [sent(0, Act::Stories), sent(15 * SECOND, Act::Stories)];
    expect(&bench.judge(&record), &[]);
    record[1].target = Some("bert".to_owned());
    expect(&bench.judge(&record), &["pace.between_targets"]);
}

#[test]
fn quiet_hours_are_those_of_the_operators_clock() {
    // The beginning is 06:00 UTC, 07:00 in Berlin.
    let bench = Bench::new(&[
        ("STORY_LIKER_QUIET_HOURS", "22:00-08:00"),
        ("STORY_LIKER_TIME_ZONE", "Europe/Berlin"),
    ]);
    let judged = |ms| bench.judge(&[sent(ms, Act::Stories)]);
    expect(&judged(50 * MINUTE), &["1 requests came in quiet hours"]);
    expect(&judged(70 * MINUTE), &[]);
}

#[test]
fn what_nobody_asked_for_is_told() {
    let mut bench = Bench::new(&[]);
    bench.config.targets[0].stories = false;
    let judged = |act| bench.judge(&[sent(0, act)]);
    expect(
        &judged(Act::StoryLike),
        &["1 views and likes were not asked for"],
    );
    expect(
        &judged(Act::Seen),
        &["1 views and likes were not asked for"],
    );
    expect(&judged(Act::PostLike), &[]);
}

#[test]
fn a_password_needs_a_session_that_was_declared_dead() {
    let mut bench = Bench::new(&[]);
    bench.config.session.relogin = true;
    let login = sent(MINUTE, Act::Login);
    expect(
        &bench.judge(std::slice::from_ref(&login)),
        &["1 passwords came without need"],
    );
    let dead = refused(0, Act::Stories, "error_login_required");
    expect(&bench.judge(&[dead, login]), &[]);
}

#[test]
fn a_warm_up_allows_its_share_of_the_limits_from_the_first_like_on() {
    let bench = Bench::new(&[
        ("STORY_LIKER_LIMITS_LIKES", "8/1h"),
        ("STORY_LIKER_LIMITS_STORY_VIEWS", "8/1h"),
        ("STORY_LIKER_LIMITS_LIKES_PER_TARGET", "100/24h"),
        ("STORY_LIKER_LIMITS_ALLOW_UNSAFE_LIMITS", "true"),
        ("STORY_LIKER_LIMITS_WARM_UP", "25%/3d,50%/7d"),
    ]);
    let many = |from: i64, times: i64, act| (0..times).map(move |n| sent(from + n * MINUTE, act));
    // What came first, when likes began to come, and how many are allowed then.
    let cases = [
        (None, 0, 2),
        (Some(sent(0, Act::StoryLike)), 3 * DAY - HOUR, 2),
        (Some(sent(0, Act::PostLike)), 3 * DAY, 4),
        (Some(sent(0, Act::StoryLike)), 7 * DAY - HOUR, 4),
        (Some(sent(0, Act::StoryLike)), 7 * DAY, 8),
        (Some(sent(0, Act::StoryLike)), 30 * DAY, 8),
        (Some(sent(0, Act::StoryLike)), 31 * DAY, 2),
        (
            Some(refused(0, Act::PostLike, "error_feedback_required_like")),
            4 * DAY,
            2,
        ),
    ];
    for (first, from, allowed) in cases {
        let likes = |times| {
            let likes = many(from, times, Act::StoryLike);
            bench.judge(&first.clone().into_iter().chain(likes).collect::<Vec<_>>())
        };
        expect(&likes(allowed), &[]);
        let more = allowed + 1;
        let broken = format!("limits.likes 8/1h: {more} were received where {allowed} are allowed");
        expect(&likes(more), &[&broken]);
    }
    let views: Vec<_> = many(0, 3, Act::Seen).collect();
    expect(&bench.judge(&views[..2]), &[]);
    let broken = "limits.story_views 8/1h: 3 were received where 2";
    expect(&bench.judge(&views), &[broken]);
    let listings: Vec<_> = many(0, 50, Act::Stories).collect();
    expect(&bench.judge(&listings), &[]);
}
