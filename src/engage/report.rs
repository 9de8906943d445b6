//! What a pass did: the report, and the exit code as a pure function of it.

use serde::Serialize;

use super::reason::Reason;
use super::stop::Stop;
use crate::care::warm_up::WarmUp;
use crate::care::window::Room;
use crate::exit::ExitCode;
use crate::model::{
    AttemptKind, ItemId, ItemKind, LedgerItem, Outcome, ProfileName, TargetTrouble, Timestamp,
};
use crate::ports::Pruned;

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
    pub reason: Reason,
    /// The same in words.
    pub why: String,
}

impl Decision {
    /// About this item of `target`.
    pub fn new(item: &LedgerItem, target: &str, decision: &'static str, reason: Reason) -> Self {
        Self {
            item: item.item.id,
            kind: item.item.kind,
            target: target.to_owned(),
            decision,
            why: reason.to_string(),
            reason,
        }
    }
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
    /// The stage of the warm-up, while the account warms up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,
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
