#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::config::{Environment, Request, load};
use crate::model::{
    HoldId, HoldReason, Item, ItemState, ProfileName, Secret, Session, TargetId, TargetOrigin,
    TargetTrouble,
};

/// 2026-11-20 18:00:00 UTC.
const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
const HOUR: Duration = Duration::from_hours(1);

fn config(more: &[(&str, &str)]) -> Config {
    let always = [("HOME", "/nowhere"), ("STORY_LIKER_TARGETS", "anna")];
    let environment: Environment = always.iter().chain(more).copied().collect();
    load(&Request::default(), &environment).unwrap().config
}

/// A story that waits, and ends in so many hours.
fn story(hours: u32) -> LedgerItem {
    LedgerItem {
        item: Item {
            kind: ItemKind::Story,
            id: "4034671962997715712_72000000002".parse().unwrap(),
            code: None,
            taken_at: NOW.minus(HOUR),
            expiring_at: Some(NOW.plus(HOUR * hours)),
            has_liked: Some(false),
            pinned: false,
        },
        target: TargetId(1),
        state: ItemState::New,
        tries: 0,
        viewed_at: None,
        like_arrived_by: None,
        unliked_read_at: None,
    }
}

struct Case {
    account: Account,
    holds: Vec<Hold>,
    target: Target,
    full: Vec<(ScopedLimit, Timestamp)>,
    limits_grow_at: Option<Timestamp>,
    left_over: Vec<LedgerItem>,
}

impl Case {
    /// Everything was looked at an hour ago: the stories are due in another.
    fn quiet() -> Self {
        Self {
            account: Account {
                profile: ProfileName::default(),
                pk: None,
                username: None,
                device: None,
                session: Some(Session {
                    pk: "71000000001".parse().unwrap(),
                    json: Secret::new("{}"),
                }),
                session_since: Some(NOW),
                session_proved_at: Some(NOW),
                ignore_posts_before: None,
            },
            holds: Vec::new(),
            target: Target {
                id: TargetId(1),
                listed_as: "anna".to_owned(),
                username: "anna".to_owned(),
                pk: None,
                origin: TargetOrigin::Config,
                enabled: true,
                stories: true,
                posts: true,
                stories_checked_at: Some(NOW.minus(HOUR)),
                posts_checked_at: Some(NOW.minus(HOUR)),
                trouble: None,
                trouble_count: 0,
                retry_at: None,
                added_at: Timestamp::from_millis(0),
            },
            full: Vec::new(),
            limits_grow_at: None,
            left_over: Vec::new(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn held(self, reason: HoldReason, until: Option<Timestamp>) -> Self {
        self.with(|case| {
            case.holds.push(Hold {
                id: HoldId(1),
                since: NOW,
                reason,
                until,
                message: String::new(),
                attempt: None,
                cleared_at: None,
                cleared_by: None,
            });
        })
    }

    fn full(self, scope: Scope, until: Timestamp) -> Self {
        let limit = "4/1h".parse().unwrap();
        self.with(|case| case.full.push((ScopedLimit { scope, limit }, until)))
    }

    fn seen(&self, config: &Config) -> (Option<Timestamp>, String) {
        let seen = Seen {
            account: &self.account,
            holds: &self.holds,
            targets: std::slice::from_ref(&self.target),
            full: &self.full,
            limits_grow_at: self.limits_grow_at,
            left_over: &self.left_over,
        };
        let Outlook { at, why } = outlook(config, &seen, NOW);
        (at, why)
    }
}

fn at(hours: u32, why: &str) -> (Option<Timestamp>, String) {
    (Some(NOW.plus(HOUR * hours)), why.to_owned())
}

#[test]
fn the_first_work_counts_unless_something_later_stands_before_it() {
    let due = "anna is due";
    let day = NOW.plus(24 * HOUR);
    let cases = [
        (Case::quiet(), at(1, due)),
        (
            Case::quiet().with(|case| case.target.stories = false),
            at(7, due),
        ),
        (
            Case::quiet().with(|case| case.target.posts_checked_at = None),
            at(0, due),
        ),
        (
            Case::quiet().with(|case| case.left_over.push(story(24))),
            at(0, "items wait to be liked"),
        ),
        (
            Case::quiet().with(|case| {
                case.target.trouble = Some(TargetTrouble::Private);
                case.target.retry_at = Some(day);
            }),
            at(24, due),
        ),
        (
            Case::quiet().held(HoldReason::Throttled, Some(day)),
            at(24, "hold 'throttled' ends"),
        ),
        (
            Case::quiet().held(HoldReason::Throttled, Some(NOW.plus(HOUR / 2))),
            at(1, due),
        ),
        (
            Case::quiet().full(Scope::Likes, day),
            at(24, "limits.likes 4/1h has room"),
        ),
        (
            Case::quiet()
                .full(Scope::Likes, day)
                .with(|case| case.limits_grow_at = Some(NOW.plus(HOUR * 2))),
            at(2, "limits.likes grows"),
        ),
        (
            Case::quiet()
                .full(Scope::Requests, day)
                .with(|case| case.limits_grow_at = Some(NOW.plus(HOUR * 2))),
            at(24, "limits.requests 4/1h has room"),
        ),
        // Stories are neither liked nor listed; posts are, and due in seven hours.
        (Case::quiet().full(Scope::StoryViews, day), at(7, due)),
        (Case::quiet().full(Scope::Logins, day), at(1, due)),
    ];
    for (case, expected) in cases {
        assert_eq!(case.seen(&config(&[])), expected);
    }
}

#[test]
fn items_wait_only_where_a_pass_may_like_them() {
    let waits = || Case::quiet().with(|case| case.left_over.push(story(24)));
    let of_target = Scope::TargetLikes(TargetId(1));
    let room = "limits.likes_per_target 4/1h has room for anna";
    let cases = [
        (
            waits().with(|case| case.target.enabled = false),
            (None, "no target is on the list".to_owned()),
        ),
        (
            waits().with(|case| case.target.stories = false),
            at(7, "anna is due"),
        ),
        (
            waits().with(|case| case.target.retry_at = Some(NOW.plus(HOUR * 9))),
            at(9, "anna is due"),
        ),
        (
            waits().with(|case| case.left_over[0].target = TargetId(2)),
            at(1, "anna is due"),
        ),
        (
            waits().with(|case| case.left_over[0].tries = 1),
            at(1, "anna is due"),
        ),
        (waits().full(of_target, NOW.plus(HOUR * 3)), at(3, room)),
        (
            waits()
                .full(of_target, NOW.plus(HOUR * 3))
                .with(|case| case.limits_grow_at = Some(NOW.plus(HOUR * 2))),
            at(2, "limits.likes_per_target grows for anna"),
        ),
        // The window of another target.
        (
            waits().full(Scope::TargetLikes(TargetId(2)), NOW.plus(HOUR * 3)),
            at(0, "items wait to be liked"),
        ),
    ];
    for (number, (case, expected)) in cases.into_iter().enumerate() {
        assert_eq!(case.seen(&config(&[])), expected, "case {number}");
    }
}

#[test]
fn quiet_hours_put_it_off_to_their_end() {
    let quiet = config(&[
        ("STORY_LIKER_QUIET_HOURS", "19:00-23:00"),
        ("STORY_LIKER_TIME_ZONE", "UTC"),
    ]);
    assert_eq!(Case::quiet().seen(&quiet), at(5, "quiet_hours end"));
}

#[test]
fn what_waits_for_a_person_has_no_moment() {
    let config = config(&[]);
    let waits = Case::quiet()
        .held(HoldReason::Challenge, None)
        .seen(&config);
    assert_eq!(
        waits,
        (
            None,
            "hold 'challenge' waits for a person: do what its message says, then run \
             'story-liker resume'"
                .to_owned()
        )
    );
    let no_session = Case::quiet().with(|case| case.account.session = None);
    assert!(
        no_session
            .seen(&config)
            .1
            .starts_with("there is no session")
    );
    let nobody = Case::quiet().with(|case| case.target.enabled = false);
    let expected = (None, "no target is on the list".to_owned());
    assert_eq!(nobody.seen(&config), expected);
}
