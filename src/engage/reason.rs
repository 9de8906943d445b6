//! Why something was decided about an item: for machines a code with the numbers that decided, for
//! people the sentence made of the same numbers. A dry run, the report of a pass and `explain` all
//! give these reasons, so what one of them says the others say too. Pure.

#[cfg(test)]
mod tests;
mod words;

use serde::Serialize;

use super::absorb::expires_too_soon;
use super::policy::Left;
use super::report::WindowReport;
use super::stop::Stop;
use crate::model::{HoldReason, ItemState, LedgerItem, READ_BACK_AFTER, TargetTrouble, Timestamp};

/// Why. In JSON the name of the variant is the `code`, in `snake_case`, beside its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// It may be liked; nothing stands against it.
    WouldLike {
        /// The windows its like would count in, without it.
        windows: Vec<WindowReport>,
    },
    /// It is liked.
    Liked {
        /// The windows its like counts in, where that was now.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        windows: Vec<WindowReport>,
    },
    /// The operator liked it first.
    AlreadyLiked,
    /// It was there before the first contact with its target.
    Observed {
        /// Since when the target is on the list, if it is yet.
        first_contact_at: Option<Timestamp>,
    },
    /// It is a post older than `posts.max_age` or than the date given to `cleanup`.
    TooOld {
        /// When it was made.
        taken_at: Timestamp,
        /// The date given to `cleanup`, where it is older than that; else it was older than
        /// `posts.max_age`.
        #[serde(skip_serializing_if = "Option::is_none")]
        posts_before: Option<Timestamp>,
    },
    /// A like was sent and nobody knows whether it took.
    EffectUnknown {
        /// A reading that is sent from then on can tell.
        read_back_from: Option<Timestamp>,
        /// What came back, where that was now.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// A like did not take; one more is allowed once a reading says "not liked".
    Refused {
        /// Likes that did not take.
        tries: u32,
        /// A reading that is sent from then on can allow it.
        read_back_from: Option<Timestamp>,
        /// What came back, where that was now.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// It will not be tried again.
    Failed {
        /// Likes that did not take.
        tries: u32,
        /// What came back, where that was now.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// The platform says that it is not there.
    Gone {
        /// What came back, where that was now.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// Its life has ended.
    Expired {
        /// When, where that is known.
        expired_at: Option<Timestamp>,
    },
    /// Its life ends before a like would arrive.
    ExpiresSoon {
        /// When.
        expiring_at: Timestamp,
    },
    /// The ledger has a like of it that its own row does not know.
    OnRecord,
    /// A request before the like failed, or the like could not be sent.
    NotSent {
        /// What came back.
        answer: String,
    },
    /// A rolling window has no room.
    WindowFull {
        /// The configuration key.
        key: &'static str,
        /// The limit in force.
        limit: String,
        /// Attempts in the window.
        used: u32,
        /// When there is room again.
        next_at: Timestamp,
    },
    /// The rest of a window of likes is kept for targets that were liked less.
    KeptForOthers {
        /// The configuration key.
        key: &'static str,
        /// The limit in force.
        limit: String,
        /// Attempts in the window.
        used: u32,
        /// How many likes are kept.
        kept: u32,
        /// When there is room for one more than these.
        next_at: Timestamp,
    },
    /// One pass likes no more items of one target.
    TargetCap {
        /// `limits.likes_per_target`.
        key: &'static str,
        /// Likes of the target in this pass.
        used: u32,
    },
    /// One pass likes no more items.
    RunCap {
        /// `limits.likes_per_run`.
        key: &'static str,
        /// Likes in this pass.
        used: u32,
    },
    /// A pass lasts no longer.
    TimeUsed {
        /// `limits.max_runtime`.
        key: &'static str,
    },
    /// `quiet_hours`.
    QuietHours {
        /// Their end.
        until: Timestamp,
    },
    /// Nothing is sent for this account.
    Hold {
        /// Why.
        hold: HoldReason,
        /// Until when; `None` until a person clears it.
        until: Option<Timestamp>,
        /// What the platform said.
        message: String,
    },
    /// There is no session.
    NoSession {
        /// The database looked in.
        database: String,
    },
    /// The pass ended before it came to this item, for another reason.
    PassEnded {
        /// The name of the stop, as in the report's `stop`.
        stop: &'static str,
        /// The stop in words.
        message: String,
    },
    /// Its target is not on the list at present.
    TargetOff {
        /// The target.
        target: String,
    },
    /// The configuration wants no items of this kind of the target.
    KindOff {
        /// The target.
        target: String,
        /// `stories` or `posts`.
        setting: &'static str,
    },
    /// Its target cannot be seen at present.
    TargetTrouble {
        /// The target.
        target: String,
        /// What is wrong with it.
        trouble: Option<TargetTrouble>,
        /// When it is looked at again.
        retry_at: Timestamp,
    },
    /// It waits for the next listing of its target.
    NotListed {
        /// When that is due.
        next_at: Timestamp,
    },
    /// It is a post that newer ones have pushed out of what a listing looks at.
    NotConsidered {
        /// `posts.per_target`.
        key: &'static str,
        /// How many of the newest posts are looked at.
        limit: u32,
    },
}

impl Reason {
    /// Every code, in the order of the variants.
    pub const CODES: [&'static str; 27] = [
        "would_like",
        "liked",
        "already_liked",
        "observed",
        "too_old",
        "effect_unknown",
        "refused",
        "failed",
        "gone",
        "expired",
        "expires_soon",
        "on_record",
        "not_sent",
        "window_full",
        "kept_for_others",
        "target_cap",
        "run_cap",
        "time_used",
        "quiet_hours",
        "hold",
        "no_session",
        "pass_ended",
        "target_off",
        "kind_off",
        "target_trouble",
        "not_listed",
        "not_considered",
    ];

    /// The limit or setting that binds, as an operator names it; `None` where none does.
    pub fn binding(&self) -> Option<String> {
        match self {
            Self::WindowFull { key, limit, .. } | Self::KeptForOthers { key, limit, .. } => {
                Some(format!("{key} {limit}"))
            }
            Self::TargetCap { key, .. }
            | Self::RunCap { key, .. }
            | Self::TimeUsed { key }
            | Self::NotConsidered { key, .. } => Some((*key).to_owned()),
            Self::QuietHours { .. } => Some("quiet_hours".to_owned()),
            Self::Hold { hold, .. } => Some(format!("hold '{}'", hold.as_str())),
            _ => None,
        }
    }

    /// The same with what came back, where it says something about a request just made.
    #[must_use]
    pub fn answered(mut self, message: String) -> Self {
        match &mut self {
            Self::EffectUnknown { answer, .. }
            | Self::Refused { answer, .. }
            | Self::Failed { answer, .. }
            | Self::Gone { answer } => *answer = Some(message),
            _ => return Self::NotSent { answer: message },
        }
        self
    }
}

/// Why an item is as it is and, unless it may be liked, is not liked at `now`. `posts_before` is the
/// account's date before which no post is liked.
pub fn standing(
    item: &LedgerItem,
    first_contact_at: Option<Timestamp>,
    posts_before: Option<Timestamp>,
    now: Timestamp,
) -> Reason {
    let read_back_from = item.like_arrived_by.map(|at| at.plus(READ_BACK_AFTER));
    let answer = None;
    match (item.state, item.item.expiring_at) {
        (ItemState::AlreadyLiked, _) => Reason::AlreadyLiked,
        (ItemState::Observed, _) => Reason::Observed { first_contact_at },
        (ItemState::Skipped, _) => Reason::TooOld {
            taken_at: item.item.taken_at,
            posts_before: posts_before.filter(|date| item.item.taken_at < *date),
        },
        (ItemState::Liked, _) => Reason::Liked {
            windows: Vec::new(),
        },
        (ItemState::Failed, _) => Reason::Failed {
            tries: item.tries,
            answer,
        },
        (ItemState::Gone, _) => Reason::Gone { answer },
        (ItemState::Expired, expired_at) => Reason::Expired { expired_at },
        (_, Some(end)) if end <= now => Reason::Expired {
            expired_at: Some(end),
        },
        (ItemState::Unknown | ItemState::Claimed, _) => Reason::EffectUnknown {
            read_back_from,
            answer,
        },
        (ItemState::New, Some(end)) if expires_too_soon(item, now) => {
            Reason::ExpiresSoon { expiring_at: end }
        }
        (ItemState::New, _) if item.tries > 0 => Reason::Refused {
            tries: item.tries,
            read_back_from,
            answer,
        },
        (ItemState::New, _) if item.item.has_liked == Some(true) => Reason::AlreadyLiked,
        (ItemState::New, _) => Reason::WouldLike {
            windows: Vec::new(),
        },
    }
}

impl From<&Left> for Reason {
    fn from(left: &Left) -> Self {
        match left {
            Left::TargetCap(likes) => Self::TargetCap {
                key: "limits.likes_per_target",
                used: *likes,
            },
            Left::Kept(room, kept) => Self::KeptForOthers {
                key: room.limit.scope.key(),
                limit: room.limit.limit.to_string(),
                used: room.used,
                kept: *kept,
                next_at: room.next_at.unwrap_or_default(),
            },
            Left::Window(room) => Self::WindowFull {
                key: room.limit.scope.key(),
                limit: room.limit.limit.to_string(),
                used: room.used,
                next_at: room.next_at.unwrap_or_default(),
            },
        }
    }
}

impl From<&Stop> for Reason {
    fn from(stop: &Stop) -> Self {
        match stop {
            Stop::WindowFull {
                key,
                limit,
                used,
                next_at,
            } => Self::WindowFull {
                key,
                limit: limit.clone(),
                used: *used,
                next_at: *next_at,
            },
            Stop::RunCap { likes } => Self::RunCap {
                key: "limits.likes_per_run",
                used: *likes,
            },
            Stop::TimeUsed => Self::TimeUsed {
                key: "limits.max_runtime",
            },
            Stop::QuietHours { until } => Self::QuietHours { until: *until },
            Stop::Held(by) | Stop::Objected(by) => Self::Hold {
                hold: by.reason,
                until: by.until,
                message: by.message.clone(),
            },
            Stop::NoSession { database } => Self::NoSession {
                database: database.clone(),
            },
            other => Self::PassEnded {
                stop: other.name(),
                message: other.sentence(),
            },
        }
    }
}
