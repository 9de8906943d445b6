//! What is not known about the real platform, as switches. Every suite that claims something about
//! a client should hold under both ends of each.

use serde::{Deserialize, Serialize};

/// What a second like of the same item answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedLike {
    /// `status: ok`, as if it were the first.
    Ok,
    /// `status: fail` with HTTP 200.
    Refused,
}

/// What items say about the operator's own like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HasLiked {
    /// `has_liked` is there and true at once.
    Present,
    /// The member is missing everywhere.
    Absent,
    /// The member is there but lags ten minutes behind.
    Late,
}

/// What becomes of a like or a view whose answer gets lost (`drop`, `stall`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostWrite {
    /// It never took effect.
    Lost,
    /// It took effect; only the answer is missing.
    Applied,
    /// It takes effect thirty seconds after the client's time-out.
    AppliedLate,
}

/// What `media/seen` does besides answering `ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The view is recorded.
    Recorded,
    /// The answer is the same and nothing is recorded.
    Ignored,
}

/// How ids are written in replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ids {
    /// JSON numbers, 19 digits long where it hurts.
    Numbers,
    /// JSON strings.
    Strings,
    /// Strings on one page or item, numbers on the next.
    Mixed,
}

/// The `Date` header of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateHeader {
    /// The practice clock's time.
    On,
    /// No such header.
    Off,
    /// The practice clock's time plus this many seconds.
    Skewed(i64),
}

/// How closely state headers sent to a client must come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// A value that does not come back with the next request, or was never issued, is a violation.
    Strict,
    /// Any value passes. instagrapi 3.2.2 gives back only the machine id and makes some up.
    Lenient,
}

/// All switches with their present positions. In JSON each is named as its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// See [`RepeatedLike`].
    pub repeated_like: RepeatedLike,
    /// See [`HasLiked`].
    pub has_liked: HasLiked,
    /// See [`LostWrite`].
    pub lost_like: LostWrite,
    /// See [`Seen`].
    pub seen: Seen,
    /// See [`Ids`].
    pub ids: Ids,
    /// See [`DateHeader`].
    pub date: DateHeader,
    /// See [`Echo`].
    pub echo: Echo,
    /// Whether a login with the right password is asked for the second factor.
    pub two_factor: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            repeated_like: RepeatedLike::Ok,
            has_liked: HasLiked::Present,
            lost_like: LostWrite::Lost,
            seen: Seen::Recorded,
            ids: Ids::Mixed,
            date: DateHeader::On,
            echo: Echo::Strict,
            two_factor: false,
        }
    }
}
