//! Holds: until when nothing is sent for an account, and why.

use serde::Serialize;

use super::{AttemptId, Timestamp};

/// Row number of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId(pub i64);

/// Why nothing may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// 429 or another sign of too many requests.
    Throttled,
    /// "Please wait a few minutes before you try again."
    PleaseWait,
    /// `feedback_required` or `spam`: an action is blocked.
    ActionBlocked,
    /// `login_required`: the session is dead.
    LoginRequired,
    /// An unexplained 401 or 403: the session may be dead.
    SessionDoubtful,
    /// `user_has_logged_out`: the session was ended on purpose.
    LoggedOut,
    /// The platform rejected a login.
    LoginRefused,
    /// A challenge, also one masked as 404.
    Challenge,
    /// A checkpoint.
    Checkpoint,
    /// New terms to accept.
    Consent,
    /// A second factor that only a person can give.
    TwoFactor,
    /// The account is suspended or disabled.
    Suspended,
    /// The configured app version is too old for the platform.
    UnsupportedVersion,
    /// An answer of unknown shape.
    UnknownShape,
    /// Unreachable or in trouble in three passes in a row.
    Unavailable,
}

impl HoldReason {
    /// Every reason, for parsing and tests.
    pub const ALL: [Self; 15] = [
        Self::Throttled,
        Self::PleaseWait,
        Self::ActionBlocked,
        Self::LoginRequired,
        Self::SessionDoubtful,
        Self::LoggedOut,
        Self::LoginRefused,
        Self::Challenge,
        Self::Checkpoint,
        Self::Consent,
        Self::TwoFactor,
        Self::Suspended,
        Self::UnsupportedVersion,
        Self::UnknownShape,
        Self::Unavailable,
    ];

    /// The word used in the database, logs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::PleaseWait => "please_wait",
            Self::ActionBlocked => "action_blocked",
            Self::LoginRequired => "login_required",
            Self::SessionDoubtful => "session_doubtful",
            Self::LoggedOut => "logged_out",
            Self::LoginRefused => "login_refused",
            Self::Challenge => "challenge",
            Self::Checkpoint => "checkpoint",
            Self::Consent => "consent",
            Self::TwoFactor => "two_factor",
            Self::Suspended => "suspended",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnknownShape => "unknown_shape",
            Self::Unavailable => "unavailable",
        }
    }

    /// The reason of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Whether a new session is the remedy: `login` and `session import` may go ahead while every
    /// open hold is of this kind, and clear them.
    pub fn about_session(self) -> bool {
        matches!(
            self,
            Self::LoginRequired | Self::SessionDoubtful | Self::LoggedOut | Self::LoginRefused
        )
    }

    /// How long a hold for this reason lasts that has no end of its own, in the operator's words.
    pub fn lasts(self) -> &'static str {
        if self.about_session() {
            "until there is a new session"
        } else {
            "until a person clears it"
        }
    }
}

/// A hold to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHold {
    /// Why.
    pub reason: HoldReason,
    /// Until when; `None` means until a person clears it.
    pub until: Option<Timestamp>,
    /// What the platform said, in one line fit for the operator; no secret in it.
    pub message: String,
}

/// A stored hold. Rows are never deleted when cleared: escalation counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its row.
    pub id: HoldId,
    /// When it was met.
    pub since: Timestamp,
    /// Why.
    pub reason: HoldReason,
    /// Until when; `None` means until a person clears it.
    pub until: Option<Timestamp>,
    /// What the platform said.
    pub message: String,
    /// The attempt whose answer caused it.
    pub attempt: Option<AttemptId>,
    /// When it was cleared.
    pub cleared_at: Option<Timestamp>,
    /// By what: a command's name, or `replaced`.
    pub cleared_by: Option<String>,
}

impl Hold {
    /// Whether nothing may be sent at `now` because of it.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.cleared_at.is_none() && self.until.is_none_or(|until| now < until)
    }

    /// Whether only a person can end it.
    pub fn needs_person(&self) -> bool {
        self.until.is_none()
    }
}
