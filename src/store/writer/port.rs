//! What a pass remembers with: the port, over the writer.

use std::time::Duration;

use super::Writer;
use crate::model::{
    Account, Attempt, AttemptId, Hold, HoldId, ItemKind, ItemState, LedgerItem, NewHold, Pk, RunId,
    RunRecord, ScopedLimit, Target, TargetId, Timestamp,
};
use crate::ports::{
    Change, Claim, Claimed, Pruned, Retention, RunEnd, Settlement, Store, StoreError, WantedTarget,
};
use crate::store::sqlite;

impl Store for Writer {
    fn be_patient(&mut self, most: Duration) {
        self.db.be_patient(most);
    }

    fn account(&mut self) -> Result<Account, StoreError> {
        let (account, vault) = (self.account, &self.vault);
        self.db.read("read the account", |connection| {
            let mut known = sqlite::account(connection, account, vault.profile())?;
            let stored = sqlite::stored_session(connection, account)?;
            known.session = stored.map(|stored| vault.open(&stored)).transpose()?;
            Ok(known)
        })
    }

    fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.read("read the holds", |connection, account| {
            sqlite::holds_since(connection, account, since)
        })
    }

    fn targets(&mut self) -> Result<Vec<Target>, StoreError> {
        self.read("read the targets", sqlite::targets)
    }

    fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.read("read the attempts", |connection, account| {
            sqlite::standing_since(connection, account, since)
        })
    }

    fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError> {
        self.read("read the attempts", sqlite::newest)
    }

    fn recent_runs(
        &mut self,
        least_requests: u32,
        most: u32,
    ) -> Result<Vec<RunRecord>, StoreError> {
        self.read("read the runs", |connection, account| {
            sqlite::recent_runs(connection, account, least_requests, most)
        })
    }

    fn items(&mut self, kind: ItemKind, media: &[Pk]) -> Result<Vec<LedgerItem>, StoreError> {
        self.read("read the items", |connection, account| {
            sqlite::known_items(connection, account, kind, media)
        })
    }

    fn items_in(
        &mut self,
        target: TargetId,
        kind: ItemKind,
        states: &[ItemState],
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        self.read("read the items", |connection, account| {
            sqlite::items_in(connection, account, target, kind, states, most)
        })
    }

    fn sync_targets(&mut self, wanted: &[WantedTarget], now: Timestamp) -> Result<(), StoreError> {
        self.write("store the targets", |transaction, account| {
            sqlite::sync_targets(transaction, account, wanted, now)
        })
    }

    fn recover(&mut self, now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.write("settle what a crash left", |transaction, account| {
            sqlite::recover(transaction, account, now)
        })
    }

    fn begin_run(&mut self, command: &str, seed: u64, now: Timestamp) -> Result<RunId, StoreError> {
        self.write("record the run", |transaction, account| {
            sqlite::begin_run(transaction, account, command, seed, now)
        })
    }

    fn end_run(&mut self, run: RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError> {
        let channels = self.told_by.clone();
        self.write("record the end of the run", |transaction, account| {
            sqlite::end_run(transaction, account, run, end, now)?;
            if channels.is_empty() {
                return Ok(());
            }
            sqlite::note(transaction, account, (run, end), &channels, now)
        })
    }

    fn claim(
        &mut self,
        claim: &Claim,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        self.write("record the request", |transaction, account| {
            sqlite::claim(transaction, account, claim, limits, now)
        })
    }

    fn settle(
        &mut self,
        attempt: AttemptId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (account, vault) = (self.account, &self.vault);
        self.db.write("record the outcome", |transaction| {
            sqlite::settle(transaction, account, vault, attempt, settlement, now)
        })
    }

    fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
        let (account, vault) = (self.account, &self.vault);
        self.db.write("record what is known", |transaction| {
            sqlite::apply(transaction, account, vault, changes, now)
        })
    }

    fn add_hold(&mut self, hold: &NewHold, now: Timestamp) -> Result<HoldId, StoreError> {
        self.write("record the hold", |transaction, account| {
            sqlite::add_hold(transaction, account, hold, None, now)
        })
    }

    fn prune(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        self.write("prune", |transaction, account| {
            sqlite::prune(transaction, account, retention, now)
        })
    }

    fn prunable(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        self.rehearse("count what may be pruned", |transaction, account| {
            sqlite::prune(transaction, account, retention, now)
        })
    }
}
