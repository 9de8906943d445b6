//! What a pass did and why it ended: the report, and the exit code as a pure function of it.

use serde::{Serialize, Serializer};

use crate::care::window::Room;
use crate::exit::ExitCode;
use crate::model::{
    AttemptKind, HoldReason, ItemId, ItemKind, Outcome, ProfileName, Scope, TargetTrouble,
    Timestamp,
};
use crate::ports::{Interrupt, Pruned, StoreError};

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

    /// The sentence for people: what happened, why, what to do.
    pub fn sentence(&self) -> String {
        match self {
            Self::Done => "nothing is left to do".to_owned(),
            Self::WindowFull {
                key,
                limit,
                used,
                next_at,
            } => format!("{key} {limit} is full ({used} used); there is room again at {next_at}"),
            Self::RunCap { likes } => {
                format!("limits.likes_per_run is reached ({likes}); the next pass goes on")
            }
            Self::TimeUsed => "limits.max_runtime is used up; the next pass goes on".to_owned(),
            Self::QuietHours { until } => {
                format!("quiet_hours last until {until}; a pass after that goes on")
            }
            Self::Interrupted(Interrupt::Term) => {
                "asked to stop (SIGTERM); everything is on record, the next pass goes on".to_owned()
            }
            Self::Interrupted(Interrupt::Int) => {
                "stopped by hand (SIGINT); everything is on record, the next pass goes on"
                    .to_owned()
            }
            Self::Held(by) => format!("nothing was sent: {}", by.sentence()),
            Self::Objected(by) => format!("Instagram objected, stopped: {}", by.sentence()),
            Self::LoggedInAgain => "the session was dead; logged in once (session.relogin); the \
                                    next pass works with the new session"
                .to_owned(),
            Self::NoSession { database } => format!(
                "no session in {database}; run 'story-liker session import FILE' or 'story-liker \
                 login' with the same --profile and --database"
            ),
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

    /// Of two reasons for stopping the graver; of equals the later.
    #[must_use]
    pub(super) fn graver(self, later: Self) -> Self {
        if later.code().worst(self.code()) == later.code() {
            later
        } else {
            self
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

    /// The message of an answer ends with its remedy; without one the hold's name has to do.
    fn sentence(&self) -> String {
        let name = self.reason.as_str();
        let until = match self.until {
            Some(until) => format!("hold '{name}' until {until}"),
            None if self.reason.about_session() => {
                format!("hold '{name}' until there is a new session")
            }
            None => format!("hold '{name}' until a person clears it"),
        };
        if self.message.is_empty() {
            until
        } else {
            format!("{until}: {}", self.message)
        }
    }
}

/// A span of milliseconds in whole seconds, for a sentence.
fn rough(millis: u64) -> String {
    humantime::format_duration(std::time::Duration::from_secs(millis / 1000)).to_string()
}

/// How many of each kind of request were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Reads.
    pub reads: u32,
    /// Story views.
    pub story_views: u32,
    /// Likes sent, whatever came back.
    pub likes_sent: u32,
    /// Likes accepted.
    pub likes: u32,
    /// Passwords and codes submitted.
    pub logins: u32,
    /// Requests of any kind that failed before a byte could leave; not counted above.
    pub unsent: u32,
}

impl Counts {
    /// All requests that may have arrived.
    pub fn requests(&self) -> u32 {
        self.reads + self.story_views + self.likes_sent + self.logins
    }

    /// All requests that were tried.
    pub fn tried(&self) -> u32 {
        self.requests() + self.unsent
    }

    pub(super) fn add(&mut self, kind: AttemptKind, outcome: Outcome) {
        let count = match kind {
            _ if outcome == Outcome::Unsent => &mut self.unsent,
            AttemptKind::Read => &mut self.reads,
            AttemptKind::StoryView => &mut self.story_views,
            AttemptKind::Login | AttemptKind::LoginCode => &mut self.logins,
            AttemptKind::Like => &mut self.likes_sent,
        };
        *count += 1;
        if kind == AttemptKind::Like && outcome == Outcome::Ok {
            self.likes += 1;
        }
    }
}

/// What was decided about one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Which item.
    pub item: ItemId,
    /// Story or post.
    pub kind: ItemKind,
    /// Whose.
    pub target: String,
    /// `liked`, `would_like`, `already_liked`, `observed`, `left`, ...
    pub decision: &'static str,
    /// Why, with the numbers that decided.
    pub why: String,
}

/// What happened with one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TargetReport {
    /// Its name.
    pub username: String,
    /// Items listed.
    pub listed: u32,
    /// Of these, new to the ledger.
    pub new: u32,
    /// Liked in this pass.
    pub liked: u32,
    /// Items that could not be read.
    pub unreadable: u32,
    /// Its own trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<TargetTrouble>,
    /// When it is looked at again, if it is in trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// How full one window is at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowReport {
    /// The configuration key.
    pub key: &'static str,
    /// The limit in force, `12/1h`.
    pub limit: String,
    /// Attempts in it.
    pub used: u32,
    /// Attempts that still fit.
    pub free: u32,
    /// When one more fits, if none does now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

impl WindowReport {
    /// From a window's room for one more attempt.
    pub fn new(room: &Room) -> Self {
        Self {
            key: room.limit.scope.key(),
            limit: room.limit.limit.to_string(),
            used: room.used,
            free: room.free(),
            next_at: room.next_at,
        }
    }

    /// Whether this is one of the windows that belong to no target.
    pub fn shown(scope: Scope) -> bool {
        !matches!(scope, Scope::TargetLikes(_))
    }
}

/// The result of one pass.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Names the pass in logs.
    pub run_id: String,
    /// Whose.
    pub profile: ProfileName,
    /// Whether it only decided.
    pub dry_run: bool,
    /// Seed of its chance.
    pub seed: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub stop: Stop,
    /// Requests by kind.
    pub counts: Counts,
    /// Target by target.
    pub targets: Vec<TargetReport>,
    /// Item by item.
    pub decisions: Vec<Decision>,
    /// Window by window.
    pub windows: Vec<WindowReport>,
    /// Until when likes are halved after an action block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halved_until: Option<Timestamp>,
    /// What a crash had left under way.
    pub recovered: u32,
    /// What was pruned.
    pub pruned: Pruned,
}

impl Report {
    /// The exit code: the worse of why it stopped and of the targets' own troubles.
    pub fn exit_code(&self) -> ExitCode {
        let partial = self.targets.iter().any(|target| target.trouble.is_some());
        let targets = if partial {
            ExitCode::Partial
        } else {
            ExitCode::Ok
        };
        ExitCode::worst(self.stop.code(), targets)
    }

    /// Why it ended as it did, in words: the stop, and the targets that made it only partly good.
    pub fn reason(&self) -> String {
        let troubled: Vec<String> = self
            .targets
            .iter()
            .filter_map(|target| {
                Some(format!(
                    "{} ({})",
                    target.username,
                    target.trouble?.as_str()
                ))
            })
            .collect();
        match troubled.as_slice() {
            [] => self.stop.sentence(),
            names => format!(
                "{}; not to be seen: {}",
                self.stop.sentence(),
                names.join(", ")
            ),
        }
    }

    /// The report as one JSON object, with the exit code and the reason in words.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::to_value(self).unwrap_or_default();
        let code = self.exit_code();
        object["exit"] = serde_json::json!({
            "code": code.number(),
            "name": code.name(),
            "reason": self.reason(),
        });
        object
    }
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
