//! The next moment at which a pass may find something to do, and what it waits for until then. Pure.

use super::queue::next_check;
use crate::care::hold;
use crate::care::quiet::quiet_until;
use crate::config::Config;
use crate::model::{Account, Hold, Scope, ScopedLimit, Target, Timestamp};

/// What is known without asking anybody.
pub struct Seen<'a> {
    /// The account.
    pub account: &'a Account,
    /// At least the holds in force.
    pub holds: &'a [Hold],
    /// The targets, as synchronised with the configuration.
    pub targets: &'a [Target],
    /// Windows without room, and when one more attempt fits.
    pub full: &'a [(ScopedLimit, Timestamp)],
    /// When the limits in force grow by themselves, if they do.
    pub limits_grow_at: Option<Timestamp>,
    /// Whether items that may be liked wait in the ledger.
    pub items_wait: bool,
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
    // Other full windows end the turn of one target or kind only.
    let windows = seen
        .full
        .iter()
        .filter(|(limit, _)| matches!(limit.scope, Scope::Requests | Scope::Likes))
        .map(|(limit, room_at)| match seen.limits_grow_at {
            Some(grow_at) if grow_at < *room_at && limit.scope == Scope::Likes => {
                (grow_at, format!("{} grows", limit.scope.key()))
            }
            _ => {
                let why = format!("{} {} has room", limit.scope.key(), limit.limit);
                (*room_at, why)
            }
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

fn first_work(config: &Config, seen: &Seen<'_>, now: Timestamp) -> Option<(Timestamp, String)> {
    if seen.items_wait {
        return Some((now, "items wait to be liked".to_owned()));
    }
    seen.targets
        .iter()
        .filter_map(|target| Some((next_check(config, target, now)?, &target.listed_as)))
        .min()
        .map(|(at, name)| (at, format!("{name} is due")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Environment, Request, load};
    use crate::model::{
        HoldId, HoldReason, ProfileName, Secret, Session, TargetId, TargetOrigin, TargetTrouble,
    };

    /// 2026-11-20 18:00:00 UTC.
    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const HOUR: Duration = Duration::from_hours(1);

    fn config(more: &[(&str, &str)]) -> Config {
        let always = [("HOME", "/nowhere"), ("STORY_LIKER_TARGETS", "anna")];
        let environment: Environment = always.iter().chain(more).copied().collect();
        load(&Request::default(), &environment).unwrap().config
    }

    struct Case {
        account: Account,
        holds: Vec<Hold>,
        target: Target,
        full: Vec<(ScopedLimit, Timestamp)>,
        limits_grow_at: Option<Timestamp>,
        items_wait: bool,
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
                items_wait: false,
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
                items_wait: self.items_wait,
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
                Case::quiet().with(|case| case.items_wait = true),
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
            (Case::quiet().full(Scope::StoryViews, day), at(1, due)),
            (Case::quiet().full(Scope::Logins, day), at(1, due)),
        ];
        for (case, expected) in cases {
            assert_eq!(case.seen(&config(&[])), expected);
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
