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
        let why = format!("hold '{}' waits for a person", hold.reason.as_str());
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
        .map(|(limit, room_at)| {
            let why = format!("{} {} has room", limit.scope.key(), limit.limit);
            (*room_at, why)
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
