//! When could a pass like this item, and what binds until then? Answered by holding passes on paper:
//! the queue, the policy, the limits and the readings are those of a real pass, only nothing is sent
//! and time moves by itself. Each listing is taken to show what the ledger knows and nothing new, and
//! a reading that has to tell whether a like took is taken to say "no", so the answer is the earliest
//! moment, not a promise. Pure.

mod paper;
mod shown;
mod verdict;

use std::time::Duration;

use serde::Serialize;

use self::paper::Paper;
use super::absorb::may_be_liked;
use super::actor::attempts_looked_back;
use super::reason::{Reason, standing};
use crate::config::Config;
use crate::model::{
    Account, Attempt, Hold, ItemKind, ItemState, LedgerItem, Pk, Target, Timestamp,
};

/// As many passes are held on paper at most: more than a week of full windows takes, one for each
/// window that opens.
const MOST_PASSES: u32 = 1000;

/// What is known without asking anybody.
pub struct Known<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The account.
    pub account: &'a Account,
    /// At least the holds that limits and silence still depend on.
    pub holds: &'a [Hold],
    /// The targets, as synchronised with the configuration.
    pub targets: Vec<Target>,
    /// What the ledger knows of their items.
    pub items: Vec<LedgerItem>,
    /// The attempts as far back as a pass looks at them.
    pub attempts: Vec<Attempt>,
    /// The newest attempt of all.
    pub newest: Option<Attempt>,
}

impl Known<'_> {
    /// How far back its attempts have to reach.
    pub fn looked_back(config: &Config) -> Duration {
        attempts_looked_back(config)
    }
}

/// When a pass could like an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// What a pass would decide that starts now.
    pub now: Reason,
    /// The earliest start of a pass that could like it; `None` if none ever could, or none before a
    /// person acts.
    pub at: Option<Timestamp>,
    /// What binds until then, or for ever.
    pub binding: Option<Reason>,
    /// When its life ends, where what binds outlasts it.
    pub life_ends_first_at: Option<Timestamp>,
    /// How many passes have other items to like first.
    pub passes_before: u32,
    /// Whether a reading has to say "not liked" first.
    pub needs_reading: bool,
}

/// When a pass could like `item`, seen from `now`.
pub fn forecast(known: Known<'_>, item: &LedgerItem, now: Timestamp) -> Forecast {
    let key = key_of(item);
    let posts_before = known.account.ignore_posts_before;
    let mut paper = Paper::new(known, item, now);
    let needs_reading = match item.state {
        ItemState::Unknown | ItemState::Claimed => true,
        ItemState::New => item.tries > 0 && !may_be_liked(item, now),
        _ => false,
    };
    let mut first = None;
    let mut binding = None;
    let mut life_ends_first_at = None;
    let mut passes_before = 0;
    let mut at = now;
    for _ in 0..MOST_PASSES {
        paper.likes = 0;
        let (reason, ended_at) = paper.pass(key, at);
        let first = first.get_or_insert_with(|| reason.clone()).clone();
        let next = match &reason {
            Reason::WouldLike { .. } => {
                return Forecast {
                    now: first,
                    at: Some(at),
                    binding,
                    life_ends_first_at,
                    passes_before,
                    needs_reading,
                };
            }
            Reason::TargetCap { .. } | Reason::RunCap { .. } | Reason::TimeUsed { .. } => {
                Some(ended_at)
            }
            Reason::WindowFull { next_at, .. } => Some(paper.room_at(*next_at, at)),
            Reason::KeptForOthers { next_at, .. } => Some(paper.released_at(*next_at, at)),
            // Once others are liked, the next pass carries more over.
            Reason::NotListed { .. } if paper.likes > 0 => Some(ended_at),
            Reason::NotListed { next_at } => Some(*next_at),
            Reason::QuietHours { until } => Some(*until),
            Reason::Hold { until, .. } => *until,
            Reason::TargetTrouble { retry_at, .. } => Some(*retry_at),
            Reason::EffectUnknown { read_back_from, .. }
            | Reason::Refused { read_back_from, .. } => {
                let listing = paper.next_listing(key, at);
                listing.map(|listing| listing.max(read_back_from.unwrap_or(at)))
            }
            _ => None,
        };
        passes_before += u32::from(paper.likes > 0);
        // What outlasts the item binds, not that the item is over by then.
        let end = item.item.expiring_at.filter(|_| over(&reason));
        match end.filter(|_| binding.is_some()) {
            Some(end) => life_ends_first_at = Some(end),
            None => binding = Some(reason),
        }
        let Some(next) = next else { break };
        // Time always moves, however the reasons may follow one another.
        at = next.max(Timestamp::from_millis(at.as_millis().saturating_add(1)));
    }
    Forecast {
        now: first.unwrap_or_else(|| standing(item, None, posts_before, now)),
        at: None,
        binding,
        life_ends_first_at,
        passes_before,
        needs_reading,
    }
}

fn over(reason: &Reason) -> bool {
    matches!(reason, Reason::Expired { .. } | Reason::ExpiresSoon { .. })
}

/// What a target's items are told apart by, over all targets.
type Key = (ItemKind, Pk);

fn key_of(item: &LedgerItem) -> Key {
    (item.item.kind, item.item.id.media)
}
