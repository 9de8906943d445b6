//! A store that fails or crashes before or after a chosen call. A crash is an error after which
//! every further call fails too and the platform notes any request as a violation; the memory
//! underneath stays as the crash left it.

use std::time::Duration;

use story_liker::model::*;
use story_liker::ports::*;
use story_liker::store::Writer;

use super::platform::Server;
use super::steps::Step;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call does nothing.
    Before,
    /// The call did its work, but the caller is not told.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The process dies.
    Crash,
    /// The disk is full, from this call on.
    DiskFull,
    /// This one call cannot read or write.
    Unreadable,
    /// This one call finds damage.
    Damage,
    /// No request can be settled from this call on; everything else can be stored.
    Settlements,
    /// Another program keeps the database locked.
    Locked,
}

/// The next failure: at which call (counted from 0 in each pass), when, which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub call: usize,
    pub when: When,
    pub failure: Failure,
}

impl Plan {
    /// Stands for the call that first settles a request together with a hold.
    pub const AT_A_HOLD: usize = usize::MAX;
}

pub struct FaultyStore {
    pub inner: Writer,
    pub plan: Option<Plan>,
    pub calls: Vec<&'static str>,
    /// Whether pruning does something.
    pub prunes: bool,
    /// So many requests are claimed elsewhere, right after the pass has read what is on record.
    pub elsewhere: u32,
    server: Server,
    failed: Option<Failure>,
    /// How long a call waits for whoever has the database locked.
    patience: Duration,
    in_vain: bool,
}

/// How long a call waits that is told nothing else.
const PATIENCE: Duration = Duration::from_secs(30);

impl FaultyStore {
    pub fn new(inner: Writer, server: Server) -> Self {
        Self {
            inner,
            plan: None,
            calls: Vec::new(),
            prunes: true,
            elsewhere: 0,
            server,
            failed: None,
            patience: PATIENCE,
            in_vain: false,
        }
    }

    /// A new process over the same memory.
    pub fn restart(&mut self, plan: Option<Plan>) {
        self.plan = plan;
        self.failed = None;
        (self.patience, self.in_vain) = (PATIENCE, false);
        self.calls.clear();
    }

    pub fn failed(&self) -> bool {
        self.failed.is_some()
    }

    pub fn failure(&self) -> Option<Failure> {
        self.failed
    }

    fn through<T>(
        &mut self,
        name: &'static str,
        call: impl FnOnce(&mut Writer) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.server.clock().before(Step::Store(name));
        let most = if self.in_vain {
            self.patience.min(Duration::from_secs(1))
        } else {
            self.patience
        };
        self.in_vain |= !self.server.clock().wait_for_lock(most);
        let result = self.planned(name, call);
        self.server.clock().after(Step::Store(name));
        result
    }

    fn planned<T>(
        &mut self,
        name: &'static str,
        call: impl FnOnce(&mut Writer) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let number = self.calls.len();
        self.calls.push(name);
        if let Some(failure @ (Failure::Crash | Failure::DiskFull)) = self.failed {
            return Err(error(failure));
        }
        if name == "settle" && self.failed == Some(Failure::Settlements) {
            return Err(error(Failure::Settlements));
        }
        let due = self.plan.filter(|plan| plan.call == number);
        match due {
            Some(plan) if plan.when == When::Before => Err(self.fail(plan)),
            Some(plan) => {
                call(&mut self.inner)?;
                Err(self.fail(plan))
            }
            None => call(&mut self.inner),
        }
    }

    fn fail(&mut self, plan: Plan) -> StoreError {
        self.failed = Some(plan.failure);
        self.server.expect_silence();
        error(plan.failure)
    }
}

fn error(failure: Failure) -> StoreError {
    match failure {
        Failure::Crash => StoreError::Bug("killed".to_owned()),
        Failure::Settlements => StoreError::Io("the record is too long".to_owned()),
        Failure::Locked => StoreError::Io("the database is locked".to_owned()),
        Failure::Unreadable => StoreError::Io("the disk cannot be read".to_owned()),
        Failure::DiskFull => StoreError::Io("the disk is full".to_owned()),
        Failure::Damage => StoreError::BadState("the database is damaged".to_owned()),
    }
}

impl Store for FaultyStore {
    // The memory underneath is locked in virtual time, which SQLite knows nothing of.
    fn be_patient(&mut self, most: Duration) {
        self.patience = most.min(PATIENCE);
    }
    fn account(&mut self) -> Result<Account, StoreError> {
        self.through("account", Store::account)
    }
    fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.through("holds", |store| store.holds(since))
    }
    fn targets(&mut self) -> Result<Vec<Target>, StoreError> {
        self.through("targets", Store::targets)
    }
    fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        let read = self.through("attempts", |store| store.attempts(since));
        for _ in 0..std::mem::take(&mut self.elsewhere) {
            let claim = Claim {
                kind: AttemptKind::Read,
                target: None,
                item: None,
                call: "elsewhere",
                run: None,
                despite_session_holds: false,
            };
            self.inner.claim(&claim, &[], since)?;
        }
        read
    }
    fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError> {
        self.through("newest_attempts", Store::newest_attempts)
    }
    fn recent_runs(
        &mut self,
        least_requests: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>, StoreError> {
        self.through("recent_runs", |store| {
            store.recent_runs(least_requests, most)
        })
    }
    fn items(&mut self, kind: ItemKind, media: &[Pk]) -> Result<Vec<LedgerItem>, StoreError> {
        self.through("items", |store| store.items(kind, media))
    }
    fn items_in(
        &mut self,
        target: TargetId,
        kind: ItemKind,
        states: &[ItemState],
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        self.through("items_in", |store| {
            store.items_in(target, kind, states, most)
        })
    }
    fn sync_targets(&mut self, wanted: &[WantedTarget], now: Timestamp) -> Result<(), StoreError> {
        self.through("sync_targets", |store| store.sync_targets(wanted, now))
    }
    fn recover(&mut self, now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.through("recover", |store| store.recover(now))
    }
    fn begin_run(&mut self, command: &str, seed: u64, now: Timestamp) -> Result<RunId, StoreError> {
        self.through("begin_run", |store| store.begin_run(command, seed, now))
    }
    fn end_run(&mut self, run: RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError> {
        self.through("end_run", |store| store.end_run(run, end, now))
    }
    fn claim(
        &mut self,
        claim: &Claim,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        self.through("claim", |store| store.claim(claim, limits, now))
    }
    fn settle(
        &mut self,
        attempt: AttemptId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(plan) = &mut self.plan
            && plan.call == Plan::AT_A_HOLD
            && settlement.hold.is_some()
        {
            plan.call = self.calls.len();
        }
        self.through("settle", |store| store.settle(attempt, settlement, now))
    }
    fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
        self.through("apply", |store| store.apply(changes, now))
    }
    fn add_hold(&mut self, hold: &NewHold, now: Timestamp) -> Result<HoldId, StoreError> {
        self.through("add_hold", |store| store.add_hold(hold, now))
    }
    fn prune(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        // The transaction is made all the same, so that it meets the same disk and the same locks.
        let nothing = Retention {
            stories_after: super::DAY * 10_000,
            history_keep: super::DAY * 10_000,
        };
        let retention = if self.prunes { retention } else { &nothing };
        self.through("prune", |store| store.prune(retention, now))
    }
    fn prunable(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        self.through("prunable", |store| store.prunable(retention, now))
    }
}
