//! What is told, and how it becomes samples. Pure.
//!
//! No target's name is a label: monitoring has other readers than the database, and a list of
//! friends would grow without bound.

use std::collections::BTreeMap;

use super::{Metric, Sample, list};
use crate::model::{
    AttemptKind, HoldReason, ItemKind, ItemState, Outcome, ProfileName, RequestCount, Timestamp,
};

/// What is known when a start ends.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose.
    pub profile: ProfileName,
    /// The start.
    pub start: Start,
    /// What stands in the database, if it could be read.
    pub figures: Option<Figures>,
}

/// One start of `run`.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program's version.
    pub version: &'static str,
    /// When it was started.
    pub at: Timestamp,
    /// With what it ends.
    pub exit_code: u8,
}

/// What stands in the database.
#[derive(Clone, Debug)]
pub struct Figures {
    /// When it was read.
    pub at: Timestamp,
    /// The last pass on record that came to an end.
    pub last_run: Option<LastRun>,
    /// When a pass last ended as planned.
    pub last_success: Option<Timestamp>,
    /// Requests of the last 24 hours.
    pub last_day: Vec<RequestCount>,
    /// The windows that do not depend on a target.
    pub windows: Vec<WindowFigure>,
    /// By span, how many targets have a full window.
    pub targets_at_limit: BTreeMap<String, u32>,
    /// Until when likes are halved.
    pub halved_until: Option<Timestamp>,
    /// The share in force while the account warms up, in hundredths.
    pub warm_up_percent: Option<u32>,
    /// When a pass may next find something to do.
    pub next_pass: Option<Timestamp>,
    /// The holds in force.
    pub holds: Vec<HoldFigure>,
    /// When the session was obtained and when it was proved alive; `None` without one.
    pub session: Option<(Option<Timestamp>, Option<Timestamp>)>,
    /// The state of each target.
    pub targets: Vec<TargetState>,
    /// How many items stand where.
    pub items: Vec<(ItemKind, ItemState, u64)>,
    /// Size of the file.
    pub database_bytes: u64,
}

/// The last pass.
#[derive(Clone, Debug)]
pub struct LastRun {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its exit code.
    pub exit_code: u8,
    /// Why it stopped, and every word that could stand there.
    pub stop: (String, &'static [&'static str]),
    /// Its requests.
    pub requests: Vec<RequestCount>,
    /// Rows it removed, by table.
    pub pruned: Vec<(&'static str, u64)>,
    /// Of the removed stories those that had never been liked.
    pub missed: u64,
}

/// One rolling window.
#[derive(Clone, Debug)]
pub struct WindowFigure {
    /// The configuration key of its limit.
    pub key: &'static str,
    /// Its length as the operator writes it, `1h`.
    pub span: String,
    /// What it may hold.
    pub limit: u32,
    /// What it holds.
    pub used: u32,
    /// When it has room again, if it has none.
    pub room_at: Option<Timestamp>,
}

/// A hold in force.
#[derive(Clone, Copy, Debug)]
pub struct HoldFigure {
    /// Why.
    pub reason: HoldReason,
    /// Until when; `None` means until a person clears it.
    pub until: Option<Timestamp>,
}

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Nothing.
    Fine,
    /// This account may not see it.
    Private,
    /// There is no such user.
    Gone,
    /// It is switched off, or not configured any more.
    Disabled,
}

impl TargetState {
    const ALL: [Self; 4] = [Self::Fine, Self::Private, Self::Gone, Self::Disabled];

    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Private => "private",
            Self::Gone => "gone",
            Self::Disabled => "disabled",
        }
    }
}

/// States of posts that are counted: the others are done with.
const POSTS_COUNTED: [ItemState; 4] = [
    ItemState::New,
    ItemState::Claimed,
    ItemState::Unknown,
    ItemState::Failed,
];

/// Everything as samples. What may be zero is told as zero; a moment that does not exist is left
/// out, but for the last success: who waits for one has to see that there was none.
pub fn samples(snapshot: &Snapshot) -> Vec<Sample> {
    let mut sheet = Sheet {
        profile: snapshot.profile.as_str(),
        samples: Vec::new(),
    };
    let start = &snapshot.start;
    sheet.put(&list::BUILD_INFO, &[start.version], 1_u32);
    sheet.moment(&list::LAST_START, &[], Some(start.at));
    sheet.put(&list::LAST_START_EXIT_CODE, &[], start.exit_code);
    if let Some(figures) = &snapshot.figures {
        sheet.figures(figures);
    }
    sheet.samples
}

struct Sheet<'a> {
    profile: &'a str,
    samples: Vec<Sample>,
}

/// Seconds since 1970, as Prometheus counts time.
#[allow(clippy::cast_precision_loss)]
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1000.0
}

impl Sheet<'_> {
    fn put(&mut self, metric: &Metric, labels: &[&str], value: impl Into<f64>) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        let names = std::iter::once("profile").chain(metric.labels.iter().copied());
        let values = std::iter::once(self.profile).chain(labels.iter().copied());
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        self.samples.push(Sample {
            name: metric.name.to_owned(),
            labels: names.zip(values).map(text).collect(),
            value: value.into(),
        });
    }

    /// A number that no 64-bit float has to round before it is beyond anything that is counted.
    #[allow(clippy::cast_precision_loss)]
    fn many(&mut self, metric: &Metric, labels: &[&str], value: u64) {
        self.put(metric, labels, value as f64);
    }

    fn moment(&mut self, metric: &Metric, labels: &[&str], at: Option<Timestamp>) {
        if let Some(at) = at {
            self.put(metric, labels, seconds(at));
        }
    }

    fn figures(&mut self, figures: &Figures) {
        self.moment(&list::SNAPSHOT, &[], Some(figures.at));
        if let Some(run) = &figures.last_run {
            self.last_run(run);
        }
        let success = figures.last_success.unwrap_or_default();
        self.moment(&list::LAST_SUCCESS, &[], Some(success));
        self.requests(&list::LAST_DAY_REQUESTS, &figures.last_day);
        for window in &figures.windows {
            let labels = [window.key, &window.span];
            self.put(&list::WINDOW_USED, &labels, window.used);
            self.put(&list::WINDOW_LIMIT, &labels, window.limit);
            self.moment(&list::WINDOW_ROOM, &labels, window.room_at);
        }
        for (span, targets) in &figures.targets_at_limit {
            self.put(&list::TARGETS_AT_LIMIT, &[span], *targets);
        }
        self.moment(&list::HALVED_UNTIL, &[], figures.halved_until);
        if let Some(percent) = figures.warm_up_percent {
            self.put(&list::WARM_UP, &[], f64::from(percent) / 100.0);
        }
        self.moment(&list::NEXT_PASS, &[], figures.next_pass);
        self.holds(&figures.holds);
        let waits = figures.holds.iter().any(|hold| hold.until.is_none());
        let needed = waits || figures.session.is_none();
        self.put(&list::PERSON_NEEDED, &[], u8::from(needed));
        self.put(
            &list::SESSION_PRESENT,
            &[],
            u8::from(figures.session.is_some()),
        );
        if let Some((obtained, proved)) = figures.session {
            self.moment(&list::SESSION_OBTAINED, &[], obtained);
            self.moment(&list::SESSION_PROVED, &[], proved);
        }
        for state in TargetState::ALL {
            let count = figures.targets.iter().filter(|found| **found == state);
            self.many(&list::TARGETS, &[state.as_str()], count.count() as u64);
        }
        self.items(&figures.items);
        self.many(&list::DATABASE_SIZE, &[], figures.database_bytes);
    }

    fn last_run(&mut self, run: &LastRun) {
        self.moment(&list::LAST_RUN_END, &[], Some(run.ended_at));
        let took = run.ended_at.since(run.started_at);
        self.put(&list::LAST_RUN_DURATION, &[], took.as_secs_f64());
        self.put(&list::LAST_RUN_EXIT_CODE, &[], run.exit_code);
        let (stop, every) = &run.stop;
        for name in *every {
            self.put(&list::LAST_RUN_STOP, &[name], u8::from(name == stop));
        }
        self.requests(&list::LAST_RUN_REQUESTS, &run.requests);
        for (table, rows) in &run.pruned {
            self.many(&list::LAST_RUN_PRUNED, &[table], *rows);
        }
        self.many(&list::LAST_RUN_MISSED, &[], run.missed);
    }

    fn requests(&mut self, metric: &Metric, counts: &[RequestCount]) {
        for kind in AttemptKind::ALL {
            let outcomes = Outcome::ALL.map(Some).into_iter().chain([None]);
            for outcome in outcomes {
                if outcome == Some(Outcome::Disproved) && kind != AttemptKind::Like {
                    continue;
                }
                let same = |found: &&RequestCount| (found.kind, found.outcome) == (kind, outcome);
                let count = counts.iter().filter(same).map(|found| found.count).sum();
                let outcome = outcome.map_or("unsettled", Outcome::as_str);
                self.many(metric, &[kind.as_str(), outcome], count);
            }
        }
    }

    fn holds(&mut self, holds: &[HoldFigure]) {
        for reason in HoldReason::ALL {
            let of_it = || holds.iter().filter(|hold| hold.reason == reason);
            let labels = [reason.as_str()];
            self.put(&list::HOLD, &labels, u8::from(of_it().next().is_some()));
            // What waits for a person has no end, whatever else stands beside it.
            let ends: Option<Vec<Timestamp>> = of_it().map(|hold| hold.until).collect();
            let until = ends.and_then(|ends| ends.into_iter().max());
            self.moment(&list::HOLD_UNTIL, &labels, until);
        }
    }

    fn items(&mut self, items: &[(ItemKind, ItemState, u64)]) {
        let stories = ItemState::ALL.map(|state| (ItemKind::Story, state));
        let posts = POSTS_COUNTED.map(|state| (ItemKind::Post, state));
        for (kind, state) in stories.into_iter().chain(posts) {
            let same = |found: &&(ItemKind, ItemState, u64)| (found.0, found.1) == (kind, state);
            let count = items.iter().find(same).map_or(0, |found| found.2);
            self.many(&list::ITEMS, &[kind.as_str(), state.as_str()], count);
        }
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
