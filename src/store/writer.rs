//! The one who writes.

use std::path::Path;

use super::lock::{DatabaseLock, LockRequest, ProfileLock};
use super::sqlite::{self, AccountId, Db, Examined};
use super::{
    Durability, MigratePolicy, Opening, missing, open_and_migrate, open_examined, outdated, place,
};
use crate::model::{
    Account, Attempt, AttemptId, Hold, HoldId, ItemKind, ItemState, LedgerItem, NewHold, Pk,
    ProfileName, RunId, RunRecord, ScopedLimit, Target, TargetId, Timestamp,
};
use crate::ports::{
    Change, Claim, Claimed, Pruned, Retention, RunEnd, Settlement, Store, StoreError, WantedTarget,
};

/// A profile's memory, to read and to write. Holds the locks until it is dropped.
pub struct Writer {
    // Fields are dropped in this order: the connection is closed before the locks are released.
    db: Db,
    _locks: Option<(ProfileLock, DatabaseLock)>,
    account: AccountId,
    profile: ProfileName,
}

impl Writer {
    /// Takes the locks, opens the file (creates or migrates it if `opening` says so), checks it for
    /// damage if that is due, and makes the profile's row if there is none.
    pub fn open(
        path: &Path,
        profile: &ProfileName,
        request: &LockRequest<'_>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        match opening.migrate {
            MigratePolicy::Automatic => place::make_folder(path)?,
            MigratePolicy::Refuse if !place::has_content(path) => return Err(missing(path)),
            MigratePolicy::Refuse => {}
        }
        let path = place::resolve(path)?;
        place::refuse_network(&path)?;
        let mut database_lock = DatabaseLock::shared(&path, request)?;
        let profile_lock = ProfileLock::take(&path, profile, request)?;
        place::make_file(&path)?;
        let mut db = open_current(&path, opening, &mut database_lock, request)?;
        let account = enrol(&mut db, profile)?;
        sqlite::check_if_due(&mut db, account, request.clock.now())?;
        Ok(Self {
            db,
            _locks: Some((profile_lock, database_lock)),
            account,
            profile: profile.clone(),
        })
    }

    /// An empty memory that ends with the process and needs no lock.
    pub fn in_memory(profile: &ProfileName) -> Result<Self, StoreError> {
        let mut db = Db::in_memory()?;
        db.configure(Durability::ThrowAway)?;
        sqlite::migrate(&mut db)?;
        let account = enrol(&mut db, profile)?;
        Ok(Self {
            db,
            _locks: None,
            account,
            profile: profile.clone(),
        })
    }

    /// Removes posts taken before `before`, and notes that such posts are never liked again: one
    /// transaction. Returns how many were removed.
    pub fn cleanup_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let account = self.account;
        self.db.write("remove old posts", |transaction| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }

    /// Counts what `cleanup_posts` would remove.
    pub fn cleanable_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let account = self.account;
        self.db.rehearse("count old posts", |transaction| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }
}

/// The row of this profile. Looks first, so that opening a known profile writes nothing.
fn enrol(db: &mut Db, profile: &ProfileName) -> Result<AccountId, StoreError> {
    let doing = "open the profile";
    match db.read(doing, |connection| {
        sqlite::find_account(connection, profile)
    })? {
        Some(account) => Ok(account),
        None => db.write(doing, |transaction| sqlite::enrol(transaction, profile)),
    }
}

/// Opens the file under the shared lock, which becomes exclusive while there is something to migrate.
fn open_current(
    path: &Path,
    opening: Opening,
    lock: &mut DatabaseLock,
    request: &LockRequest<'_>,
) -> Result<Db, StoreError> {
    let (mut db, examined) = open_examined(path, opening)?;
    match (examined, opening.migrate) {
        (Examined::Ours { pending: 0 }, _) => {
            db.configure(opening.durability)?;
            db.read("read the schema", |connection| {
                sqlite::verify(connection, path)
            })?;
            return Ok(db);
        }
        (Examined::New, MigratePolicy::Refuse) => return Err(missing(path)),
        (Examined::Ours { .. }, MigratePolicy::Refuse) => return Err(outdated(path)),
        (_, MigratePolicy::Automatic) => {}
    }
    drop(db);
    lock.upgrade(request)?;
    let (db, applied) = open_and_migrate(path, opening)?;
    lock.downgrade(request)?;
    for migration in applied {
        log::info!("applied migration {migration} to {}", path.display());
    }
    Ok(db)
}

impl Store for Writer {
    fn account(&mut self) -> Result<Account, StoreError> {
        let (account, profile) = (self.account, &self.profile);
        self.db.read("read the account", |connection| {
            sqlite::account(connection, account, profile)
        })
    }

    fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        let account = self.account;
        self.db.read("read the holds", |connection| {
            sqlite::holds_since(connection, account, since)
        })
    }

    fn targets(&mut self) -> Result<Vec<Target>, StoreError> {
        let account = self.account;
        self.db.read("read the targets", |connection| {
            sqlite::targets(connection, account)
        })
    }

    fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        let account = self.account;
        self.db.read("read the attempts", |connection| {
            sqlite::standing_since(connection, account, since)
        })
    }

    fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError> {
        let account = self.account;
        self.db.read("read the attempts", |connection| {
            sqlite::newest(connection, account)
        })
    }

    fn recent_runs(&mut self, most: u32) -> Result<Vec<RunRecord>, StoreError> {
        let account = self.account;
        self.db.read("read the runs", |connection| {
            sqlite::recent_runs(connection, account, most)
        })
    }

    fn items(&mut self, kind: ItemKind, media: &[Pk]) -> Result<Vec<LedgerItem>, StoreError> {
        let account = self.account;
        self.db.read("read the items", |connection| {
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
        let account = self.account;
        self.db.read("read the items", |connection| {
            sqlite::items_in(connection, account, target, kind, states, most)
        })
    }

    fn sync_targets(&mut self, wanted: &[WantedTarget], now: Timestamp) -> Result<(), StoreError> {
        let account = self.account;
        self.db.write("store the targets", |transaction| {
            sqlite::sync_targets(transaction, account, wanted, now)
        })
    }

    fn recover(&mut self, now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        let account = self.account;
        self.db.write("settle what a crash left", |transaction| {
            sqlite::recover(transaction, account, now)
        })
    }

    fn begin_run(&mut self, command: &str, seed: u64, now: Timestamp) -> Result<RunId, StoreError> {
        let account = self.account;
        self.db.write("record the run", |transaction| {
            sqlite::begin_run(transaction, account, command, seed, now)
        })
    }

    fn end_run(&mut self, run: RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError> {
        let account = self.account;
        self.db.write("record the end of the run", |transaction| {
            sqlite::end_run(transaction, account, run, end, now)
        })
    }

    fn claim(
        &mut self,
        claim: &Claim,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let account = self.account;
        self.db.write("record the request", |transaction| {
            sqlite::claim(transaction, account, claim, limits, now)
        })
    }

    fn settle(
        &mut self,
        attempt: AttemptId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let account = self.account;
        self.db.write("record the outcome", |transaction| {
            sqlite::settle(transaction, account, attempt, settlement, now)
        })
    }

    fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
        let account = self.account;
        self.db.write("record what is known", |transaction| {
            sqlite::apply(transaction, account, changes, now)
        })
    }

    fn add_hold(&mut self, hold: &NewHold, now: Timestamp) -> Result<HoldId, StoreError> {
        let account = self.account;
        self.db.write("record the hold", |transaction| {
            sqlite::add_hold(transaction, account, hold, None, now)
        })
    }

    fn prune(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        let account = self.account;
        self.db.write("prune", |transaction| {
            sqlite::prune(transaction, account, retention, now)
        })
    }

    fn prunable(&mut self, retention: &Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        let account = self.account;
        self.db.rehearse("count what may be pruned", |transaction| {
            sqlite::prune(transaction, account, retention, now)
        })
    }
}
