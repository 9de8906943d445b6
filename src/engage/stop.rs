//! Why a pass ended: in a word for machines, a sentence for people, and an exit code.

use serde::{Serialize, Serializer};

use super::reason::Reason;
use crate::care::window::Room;
use crate::exit::ExitCode;
use crate::model::{HoldReason, Timestamp};
use crate::ports::{Interrupt, StoreError};

/// Why a pass ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing is left to do.
    Done,
    /// A rolling window has no room.
    WindowFull {
        /// The configuration key of the limit.
        key: &'static str,
        /// The limit, `12/1h`.
        limit: String,
        /// Attempts in the window.
        used: u32,
        /// When there is room again.
        next_at: Timestamp,
    },
    /// `limits.likes_per_run` is reached.
    RunCap {
        /// Likes sent.
        likes: u32,
    },
    /// `limits.max_runtime` is used up.
    TimeUsed,
    /// `quiet_hours`.
    QuietHours {
        /// Their end.
        until: Timestamp,
    },
    /// The program was asked to stop.
    Interrupted(Interrupt),
    /// A hold was in force at the start; nothing was sent.
    Held(HeldBy),
    /// An answer caused a hold.
    Objected(HeldBy),
    /// The session was dead, one login brought a new one; the next pass works with it.
    LoggedInAgain,
    /// There is no session.
    NoSession {
        /// The database looked in.
        database: String,
    },
    /// The session belongs to another account than the profile's.
    WrongAccount {
        /// What was found and what was expected.
        message: String,
    },
    /// Instagram could not be reached, or is in trouble itself.
    Unavailable {
        /// What came back.
        message: String,
        /// The hold this caused, if it was not the first time.
        hold_until: Option<Timestamp>,
    },
    /// The clock differs from Instagram's by more than the tolerance.
    ClockOff {
        /// How far it is behind; negative when ahead.
        offset_millis: i64,
    },
    /// The clock was stepped, or the machine was suspended, during the pass.
    ClockJumped {
        /// By how much.
        millis: i64,
    },
    /// The store could not do what was asked.
    Store {
        /// The code of its kind.
        code: ExitCode,
        /// What it said.
        message: String,
    },
}

/// The hold that stops a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBy {
    /// Why.
    pub reason: HoldReason,
    /// Until when; `None` means until a person clears it.
    pub until: Option<Timestamp>,
    /// What the platform said.
    pub message: String,
}

/// The stop for a window found full at `now`. The ledger may know of more attempts than this pass
/// remembers; then it is full for one span at most.
pub(super) fn full_window(room: &Room, now: Timestamp) -> Stop {
    let limit = room.limit.limit;
    Stop::WindowFull {
        key: room.limit.scope.key(),
        limit: limit.to_string(),
        used: room.next_at.map_or(limit.count, |_| room.used),
        next_at: room.next_at.unwrap_or(now.plus(limit.span)),
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        let code = error.exit_code();
        Self::Store {
            code,
            message: error.to_string(),
        }
    }
}

impl StoreError {
    /// The exit code of its kind.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::CannotOpen(_) => ExitCode::CantCreat,
            Self::BadState(_) => ExitCode::DataErr,
            Self::Io(_) => ExitCode::IoErr,
            Self::Busy(_) => ExitCode::TempFail,
            Self::Config(_) => ExitCode::Config,
            Self::Bug(_) => ExitCode::Software,
        }
    }
}

impl Stop {
    /// The word for machines.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::WindowFull { .. } => "window_full",
            Self::RunCap { .. } => "likes_per_run",
            Self::TimeUsed => "max_runtime",
            Self::QuietHours { .. } => "quiet_hours",
            Self::Interrupted(_) => "interrupted",
            Self::Held(_) => "held",
            Self::Objected(_) => "objection",
            Self::LoggedInAgain => "logged_in_again",
            Self::NoSession { .. } => "no_session",
            Self::WrongAccount { .. } => "wrong_account",
            Self::Unavailable { .. } => "unavailable",
            Self::ClockOff { .. } => "clock_off",
            Self::ClockJumped { .. } => "clock_jumped",
            Self::Store { .. } => "store",
        }
    }

    /// Every word that [`Stop::name`] may say.
    pub const NAMES: [&'static str; 15] = [
        "done",
        "window_full",
        "likes_per_run",
        "max_runtime",
        "quiet_hours",
        "interrupted",
        "held",
        "objection",
        "logged_in_again",
        "no_session",
        "wrong_account",
        "unavailable",
        "clock_off",
        "clock_jumped",
        "store",
    ];

    /// The sentence for people: what happened, why, what to do.
    pub fn sentence(&self) -> String {
        match self {
            Self::Done => "nothing is left to do in this pass".to_owned(),
            Self::WindowFull { .. }
            | Self::RunCap { .. }
            | Self::TimeUsed
            | Self::QuietHours { .. }
            | Self::NoSession { .. } => Reason::from(self).to_string(),
            Self::Interrupted(Interrupt::Term) => {
                "asked to stop (SIGTERM); everything is on record, the next pass goes on".to_owned()
            }
            Self::Interrupted(Interrupt::Int) => {
                "stopped by hand (SIGINT); everything is on record, the next pass goes on"
                    .to_owned()
            }
            Self::Held(_) => format!("nothing was sent: {}", Reason::from(self)),
            Self::Objected(_) => format!("Instagram objected, stopped: {}", Reason::from(self)),
            Self::LoggedInAgain => "the session was dead; logged in once (session.relogin); the \
                                    next pass works with the new session"
                .to_owned(),
            Self::Unavailable {
                message,
                hold_until: None,
            } => {
                format!("{message}; the next pass tries again")
            }
            Self::Unavailable {
                message,
                hold_until: Some(until),
            } => {
                format!("{message}; the third pass in a row, so nothing is sent until {until}")
            }
            Self::ClockOff { offset_millis } => format!(
                "the clock is {} than Instagram's by {}; no like was sent and nothing pruned; set \
                 the clock (NTP) and start again",
                if *offset_millis > 0 {
                    "slower"
                } else {
                    "faster"
                },
                rough(offset_millis.unsigned_abs()),
            ),
            Self::ClockJumped { millis } => format!(
                "the clock moved by {} during the pass (stepped, or the machine was suspended); the \
                 next pass starts fresh",
                rough(millis.unsigned_abs()),
            ),
            Self::WrongAccount { message } | Self::Store { message, .. } => message.clone(),
        }
    }

    /// The exit code, targets' own troubles aside.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Done
            | Self::WindowFull { .. }
            | Self::RunCap { .. }
            | Self::TimeUsed
            | Self::QuietHours { .. }
            | Self::Interrupted(Interrupt::Term) => ExitCode::Ok,
            Self::Interrupted(Interrupt::Int) => ExitCode::Interrupted,
            Self::Objected(by) if by.reason == HoldReason::UnknownShape => ExitCode::Protocol,
            Self::Held(by) | Self::Objected(by) => by.code(),
            Self::LoggedInAgain | Self::ClockOff { .. } | Self::ClockJumped { .. } => {
                ExitCode::TempFail
            }
            Self::NoSession { .. } => ExitCode::NoPerm,
            Self::WrongAccount { .. } => ExitCode::Config,
            Self::Unavailable { .. } => ExitCode::Unavailable,
            Self::Store { code, .. } => *code,
        }
    }

    /// Of two reasons for stopping the graver; of equals the later. Of two objections both are told:
    /// the other one may be on record nowhere.
    #[must_use]
    pub(super) fn graver(self, later: Self) -> Self {
        let (graver, other) = if later.code().worst(self.code()) == later.code() {
            (later, self)
        } else {
            (self, later)
        };
        match (graver, other) {
            (Self::Objected(by), Self::Objected(other)) if by.reason != other.reason => {
                Self::Objected(HeldBy {
                    message: format!("{}; and {}", by.message, other.message),
                    ..by
                })
            }
            (graver, _) => graver,
        }
    }

    /// The trouble that later passes count "in a row".
    pub fn trouble(&self) -> Option<HoldReason> {
        match self {
            Self::Objected(by) => Some(by.reason),
            Self::Unavailable { .. } => Some(HoldReason::Unavailable),
            _ => None,
        }
    }

    /// The next moment at which a pass may find something to do, where the stop itself tells.
    pub fn next_at(&self) -> Option<Timestamp> {
        match self {
            Self::WindowFull { next_at, .. } => Some(*next_at),
            Self::QuietHours { until } => Some(*until),
            Self::Held(by) | Self::Objected(by) => by.until,
            Self::Unavailable { hold_until, .. } => *hold_until,
            _ => None,
        }
    }
}

impl HeldBy {
    fn code(&self) -> ExitCode {
        if self.until.is_some() {
            ExitCode::TempFail
        } else {
            ExitCode::NoPerm
        }
    }
}

/// A span of milliseconds in whole seconds, for a sentence.
fn rough(millis: u64) -> String {
    humantime::format_duration(std::time::Duration::from_secs(millis / 1000)).to_string()
}

impl Serialize for Stop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::json!({ "name": self.name(), "reason": self.sentence() });
        if let Self::Held(by) | Self::Objected(by) = self {
            object["hold"] = serde_json::json!({ "reason": by.reason, "until": by.until });
        }
        if let Some(next_at) = self.next_at() {
            object["next_at"] = serde_json::json!(next_at);
        }
        object.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
