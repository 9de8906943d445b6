//! What a person is told about: a change from well to not, or back. States that stay are not told
//! again.

use serde::Serialize;

use super::{HoldReason, ProfileName, Timestamp};

/// Row number of a notice. Notices are told in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoticeId(pub i64);

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A hold needs a person.
    HoldAppeared,
    /// That hold was cleared.
    HoldCleared,
    /// There is no session that works.
    SessionLost,
    /// There is one again, and it was proved alive.
    SessionBack,
    /// The first pass that failed after one that worked, or ever.
    Failure,
    /// The first pass that worked after any of the above.
    Recovery,
}

impl NoticeKind {
    /// Every kind, for parsing and tests.
    pub const ALL: [Self; 6] = [
        Self::HoldAppeared,
        Self::HoldCleared,
        Self::SessionLost,
        Self::SessionBack,
        Self::Failure,
        Self::Recovery,
    ];

    /// The word used in the database, in messages for machines and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HoldAppeared => "hold_appeared",
            Self::HoldCleared => "hold_cleared",
            Self::SessionLost => "session_lost",
            Self::SessionBack => "session_back",
            Self::Failure => "failure",
            Self::Recovery => "recovery",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it tells of trouble; the others tell of its end.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::HoldAppeared | Self::SessionLost | Self::Failure)
    }
}

/// A way to tell a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// `notify.command`.
    Command,
    /// `notify.url`.
    Url,
}

impl Channel {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Command, Self::Url];

    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Url => "url",
        }
    }

    /// The channel of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }

    /// The configuration key that names it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Command => "notify.command",
            Self::Url => "notify.url",
        }
    }
}

/// One change to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its row.
    pub id: NoticeId,
    /// What changed.
    pub kind: NoticeKind,
    /// The row of the hold or run; of [`NoticeKind::SessionBack`] and [`NoticeKind::Recovery`] the
    /// notice whose end they are.
    pub subject: i64,
    /// When it changed.
    pub happened_at: Timestamp,
    /// The hold, if it is about one.
    pub reason: Option<HoldReason>,
    /// How the pass ended that noticed it.
    pub exit_code: Option<u8>,
    /// What happened and what to do, in a line; no secret in it.
    pub message: String,
}

impl Notice {
    /// The same for the same change, however often it is told: who gets two of one name has a copy.
    pub fn name(&self, profile: &ProfileName) -> String {
        format!(
            "{profile}-{}-{}-{}",
            self.kind.as_str(),
            self.subject,
            self.happened_at.as_millis()
        )
    }

    /// What happened, in a few words.
    pub fn title(&self) -> String {
        let hold = self.reason.map_or("?", HoldReason::as_str);
        match self.kind {
            NoticeKind::HoldAppeared => format!("hold '{hold}' needs a person"),
            NoticeKind::HoldCleared => format!("hold '{hold}' was cleared"),
            NoticeKind::SessionLost if self.reason.is_some() => {
                format!("the session is lost ('{hold}'), a person is needed")
            }
            NoticeKind::SessionLost => "there is no session, a person is needed".to_owned(),
            NoticeKind::SessionBack => "the session is back".to_owned(),
            NoticeKind::Failure => format!(
                "passes fail since now, with exit code {}",
                self.exit_code.unwrap_or_default()
            ),
            NoticeKind::Recovery => "passes work again".to_owned(),
        }
    }
}

/// A notice that one way has not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// What is to be told.
    pub notice: Notice,
    /// Which way.
    pub channel: Channel,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
    /// Why that failed.
    pub problem: Option<String>,
}

/// What a pass says about whether passes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It got answers and ended as planned.
    Worked,
    /// Somebody should look.
    Failed,
    /// It proves neither: nothing was to be done, waiting is enough, or it was stopped from outside.
    Neither,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: NoticeKind, reason: Option<HoldReason>) -> Notice {
        Notice {
            id: NoticeId(1),
            kind,
            subject: 7,
            happened_at: Timestamp::from_secs(1_795_197_600),
            reason,
            exit_code: Some(76),
            message: String::new(),
        }
    }

    #[test]
    fn a_name_tells_one_change_from_another_and_not_one_telling_from_another() {
        let profile = ProfileName::default();
        let told = notice(NoticeKind::Failure, None);
        let again = Notice {
            id: NoticeId(2),
            exit_code: None,
            ..told.clone()
        };
        assert_eq!(told.name(&profile), again.name(&profile));
        assert_eq!(told.name(&profile), "default-failure-7-1795197600000");
        let later = Notice {
            happened_at: Timestamp::from_secs(1_795_197_601),
            ..told.clone()
        };
        assert_ne!(told.name(&profile), later.name(&profile));
    }

    #[test]
    fn every_title_says_what_changed_and_who_is_needed() {
        for (kind, reason, title) in [
            (
                NoticeKind::HoldAppeared,
                Some(HoldReason::Challenge),
                "hold 'challenge' needs a person",
            ),
            (
                NoticeKind::HoldCleared,
                Some(HoldReason::Challenge),
                "hold 'challenge' was cleared",
            ),
            (
                NoticeKind::SessionLost,
                Some(HoldReason::LoggedOut),
                "the session is lost ('logged_out'), a person is needed",
            ),
            (
                NoticeKind::SessionLost,
                None,
                "there is no session, a person is needed",
            ),
            (NoticeKind::SessionBack, None, "the session is back"),
            (
                NoticeKind::Failure,
                None,
                "passes fail since now, with exit code 76",
            ),
            (NoticeKind::Recovery, None, "passes work again"),
        ] {
            assert_eq!(notice(kind, reason).title(), title);
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
        }
    }
}
