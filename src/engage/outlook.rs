//! The next moment at which a pass may find something to do, and what it waits for until then. Pure.

use super::absorb::may_be_liked;
use super::queue::next_listing;
use crate::care::hold;
use crate::care::quiet::quiet_until;
use crate::config::Config;
use crate::model::{Account, Hold, ItemKind, LedgerItem, Scope, ScopedLimit, Target, Timestamp};

/// What is known without asking anybody.
pub struct Seen<'a> {
    /// The account.
    pub account: &'a Account,
    /// At least the holds in force.
    pub holds: &'a [Hold],
    /// The targets, as synchronised with the configuration.
    pub targets: &'a [Target],
    /// Windows without room, those of each target too, and when one more attempt fits.
    pub full: &'a [(ScopedLimit, Timestamp)],
    /// When the limits in force grow by themselves, if they do.
    pub limits_grow_at: Option<Timestamp>,
    /// The items that a pass would carry over from the ledger, at least those whose listing is not
    /// due.
    pub left_over: &'a [LedgerItem],
}

/// When, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The moment; `None` means not before a person acts.
    pub at: Option<Timestamp>,
    /// What happens then, or what it waits for.
    pub why: String,
}

/// The next moment: the first piece of work, or the last of what stands before it.
pub fn outlook(config: &Config, seen: &Seen<'_>, now: Timestamp) -> Outlook {
    let held = hold::in_force(seen.holds, now);
    if let Some(hold) = held.filter(|hold| hold.needs_person()) {
        let what = if hold.reason.about_session() {
            "a new session: run 'story-liker login' or 'story-liker session import FILE'"
        } else {
            "a person: do what its message says, then run 'story-liker resume'"
        };
        let why = format!("hold '{}' waits for {what}", hold.reason.as_str());
        return Outlook { at: None, why };
    }
    if seen.account.session.is_none() {
        let why = "there is no session; run 'story-liker login' or 'story-liker session import \
                   FILE'";
        return Outlook {
            at: None,
            why: why.to_owned(),
        };
    }
    let Some((mut at, mut why)) = first_work(config, seen, now) else {
        return Outlook {
            at: None,
            why: "no target is on the list".to_owned(),
        };
    };
    let hold = held.and_then(|hold| {
        let why = format!("hold '{}' ends", hold.reason.as_str());
        Some((hold.until?, why))
    });
    let windows = rooms(seen, |scope| {
        matches!(scope, Scope::Requests | Scope::Likes)
    });
    for (until, ends) in hold.into_iter().chain(windows) {
        if until > at {
            (at, why) = (until, ends);
        }
    }
    let quiet = config
        .quiet_hours
        .and_then(|hours| quiet_until(hours, &config.time_zone, at));
    if let Some(until) = quiet {
        (at, why) = (until, "quiet_hours end".to_owned());
    }
    Outlook { at: Some(at), why }
}

/// When the full windows have room, of the scopes that are asked about.
fn rooms<'a>(
    seen: &'a Seen<'_>,
    asked: impl Fn(Scope) -> bool + 'a,
) -> impl Iterator<Item = (Timestamp, String)> + 'a {
    let full = seen
        .full
        .iter()
        .filter(move |(limit, _)| asked(limit.scope));
    full.map(|(limit, room_at)| match seen.limits_grow_at {
        Some(grow_at) if grow_at < *room_at && limit.scope != Scope::Requests => {
            (grow_at, format!("{} grows", limit.scope.key()))
        }
        _ => {
            let why = format!("{} {} has room", limit.scope.key(), limit.limit);
            (*room_at, why)
        }
    })
}

fn first_work(config: &Config, seen: &Seen<'_>, now: Timestamp) -> Option<(Timestamp, String)> {
    let kinds = [ItemKind::Story, ItemKind::Post];
    seen.targets
        .iter()
        .flat_map(|target| kinds.map(|kind| (target, kind)))
        .filter_map(|(target, kind)| work_of(config, seen, target, kind, now))
        // What waits is liked without a listing: of two that come at once it is told.
        .min_by_key(|(at, waits, _)| (*at, !waits))
        .map(|(at, _, why)| (at, why))
}

/// The next moment for one target's items of one kind: a pass neither likes nor lists what no window
/// has room to like. With whether items wait for it; `None` if they are not wanted.
fn work_of(
    config: &Config,
    seen: &Seen<'_>,
    target: &Target,
    kind: ItemKind,
    now: Timestamp,
) -> Option<(Timestamp, bool, String)> {
    let listed_at = next_listing(config, target, kind, now)?;
    let viewed = kind == ItemKind::Story && config.stories.mark_seen;
    let ends_turn =
        |scope| scope == Scope::TargetLikes(target.id) || viewed && scope == Scope::StoryViews;
    let room = rooms(seen, ends_turn).max_by_key(|(at, _)| *at);
    let room_at = room.as_ref().map_or(now, |(at, _)| *at);
    let begins = target.rests_until(now).unwrap_or(now).max(room_at);
    let waits = seen.left_over.iter().any(|item| {
        item.target == target.id && item.item.kind == kind && may_be_liked(item, begins)
    });
    let at = if waits { begins } else { listed_at.max(begins) };
    let why = match room {
        Some((room_at, why)) if room_at == at && at > now => {
            format!("{why} for {}", target.listed_as)
        }
        _ if waits && at == now => "items wait to be liked".to_owned(),
        _ => format!("{} is due", target.listed_as),
    };
    Some((at, waits, why))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
}
