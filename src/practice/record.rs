//! What the server received, written before it answers: the truth a client's own books are checked
//! against.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::act::Act;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// On record, not decided yet.
    Received,
    /// Answered; nothing to change.
    Ok,
    /// Answered, and it took effect.
    Applied,
    /// A like of something liked already, a view of something seen already.
    Repeated,
    /// Answered like a success, without effect.
    Ignored,
    /// Refused with this reply; without effect.
    Refused(String),
    /// This trouble came instead of an ordinary answer; without effect.
    Lost(String),
    /// This trouble came instead of an ordinary answer, and the request took effect.
    AppliedUnanswered(String),
    /// As before, with the effect coming later.
    AppliesLater(String),
}

impl Outcome {
    /// Whether the request changed something, now or later.
    pub fn took_effect(&self) -> bool {
        matches!(
            self,
            Self::Applied | Self::AppliedUnanswered(_) | Self::AppliesLater(_)
        )
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Received => f.write_str("received"),
            Self::Ok => f.write_str("ok"),
            Self::Applied => f.write_str("applied"),
            Self::Repeated => f.write_str("repeated"),
            Self::Ignored => f.write_str("ignored"),
            Self::Refused(reply) => write!(f, "refused:{reply}"),
            Self::Lost(trouble) => write!(f, "lost:{trouble}"),
            Self::AppliedUnanswered(trouble) => write!(f, "applied_unanswered:{trouble}"),
            Self::AppliesLater(trouble) => write!(f, "applies_later:{trouble}"),
        }
    }
}

/// One received request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// When it arrived, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The call.
    pub act: Act,
    /// `GET` or `POST`.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Full media id, for calls about one item.
    pub item: Option<String>,
    /// Name of the user concerned, where the server could tell.
    pub target: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Status of the answer; `None` when none was sent.
    pub status: Option<u16>,
    /// What was wrong with it, as stable names.
    pub violations: Vec<String>,
    /// Media pks of the items that the answer explicitly called not liked.
    pub not_liked: Vec<u64>,
}

impl RecordEntry {
    fn to_json(&self, number: usize) -> Value {
        json!({
            "number": number,
            "time": unix_text(self.at_ms),
            "time_ms": self.at_ms,
            "act": self.act.name(),
            "method": self.method,
            "path": self.path,
            "item": self.item,
            "target": self.target,
            "outcome": self.outcome.to_string(),
            "status": self.status,
            "violations": self.violations,
        })
    }
}

/// Seconds since 1970 with milliseconds, as a JSON number that no float has touched.
fn unix_text(at_ms: i64) -> Value {
    let text = format!("{}.{:03}", at_ms.div_euclid(1000), at_ms.rem_euclid(1000));
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Everything received so far, oldest first.
#[derive(Debug, Default)]
pub struct Record {
    entries: Vec<RecordEntry>,
}

impl Record {
    /// Writes a request down and returns its place.
    pub fn receive(&mut self, entry: RecordEntry) -> usize {
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Notes which items the answer called not liked.
    pub fn tell(&mut self, place: usize, not_liked: Vec<u64>) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.not_liked = not_liked;
        }
    }

    /// Notes what became of a request.
    pub fn settle(&mut self, place: usize, outcome: Outcome, status: Option<u16>) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.outcome = outcome;
            entry.status = status;
        }
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[RecordEntry] {
        &self.entries
    }

    /// Like requests received per item, whatever became of them.
    pub fn likes_per_item(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.act.is_like()) {
            let item = entry
                .item
                .clone()
                .unwrap_or_else(|| "unreadable".to_owned());
            *counts.entry(item).or_default() += 1;
        }
        counts
    }

    /// How often each violation occurred.
    pub fn violations(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for name in self.entries.iter().flat_map(|entry| &entry.violations) {
            *counts.entry(name.clone()).or_default() += 1;
        }
        counts
    }

    /// The record as `/practice/record` shows it, apart from the state of items.
    pub fn to_json(&self) -> Value {
        let entries = self.entries.iter().enumerate();
        json!({
            "requests": entries.map(|(n, entry)| entry.to_json(n)).collect::<Vec<_>>(),
            "likes_per_item": self.likes_per_item(),
            "violations": self.violations(),
        })
    }
}
