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
mod tests;
