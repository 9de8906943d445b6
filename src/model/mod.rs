//! The words of the domain as types. Values only: nothing here reads a clock, a file or the network.
//!
//! Every time is UTC in whole milliseconds ([`Timestamp`]); every Instagram id is a [`Pk`], never a
//! float; every secret is a [`Secret`], which prints as `***`.

mod account;
mod hold;
mod ids;
mod item;
mod item_ref;
mod ledger;
mod limit;
mod line;
mod notice;
mod seal_key;
mod secret;
mod target;
mod timestamp;

pub use account::{Account, Device, ProfileName, Session};
pub use hold::{Hold, HoldId, HoldReason, NewHold};
pub use ids::{InvalidId, ItemId, Pk};
pub use item::{Item, ItemKind, ItemState, LedgerItem, MOST_TRIES, READ_BACK_AFTER};
pub use item_ref::{InvalidItemRef, ItemRef};
pub use ledger::{
    Attempt, AttemptId, AttemptKind, EndedRun, Outcome, PastAttempt, RequestCount, RunId, RunRecord,
};
pub use limit::{Limit, SHORTEST_HISTORY, Scope, ScopedLimit, as_written};
pub use line::{is_invisible, one_line};
pub use notice::{Channel, Notice, NoticeId, NoticeKind, Undelivered, Verdict};
pub use seal_key::{HeldKey, KeyId, Keyring, NotAKey, SealKey};
pub use secret::Secret;
pub use target::{Target, TargetId, TargetOrigin, TargetTrouble};
pub use timestamp::Timestamp;
