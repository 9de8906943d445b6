//! The one who writes.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::lock::{DatabaseLock, LockRequest, ProfileLock};
use super::sqlite::{self, AccountId, Db, Examined, Fault};
use super::{
    Durability, MigratePolicy, Opening, WindowUse, missing, open_and_migrate, open_examined,
    outdated, place,
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
        place::refuse_root(path)?;
        match opening.migrate {
            MigratePolicy::Automatic => place::make_folder(path)?,
            MigratePolicy::Refuse if !place::has_content(path) => return Err(missing(path)),
            MigratePolicy::Refuse => {}
        }
        let path = place::resolve(path)?;
        place::refuse_network(&path, opening.file_system)?;
        let mut database_lock = DatabaseLock::shared(&path, request)?;
        let profile_lock = ProfileLock::take(&path, profile, request)?;
        place::make_file(&path)?;
        let mut db = open_current(&path, opening, (&mut database_lock, &profile_lock), request)?;
        let account = check_and_enrol(&mut db, &path, profile, request.clock.now())?;
        Ok(Self {
            db,
            _locks: Some((profile_lock, database_lock)),
            account,
            profile: profile.clone(),
        })
    }

    /// An empty memory that ends with the process and needs no lock.
    pub fn in_memory(profile: &ProfileName) -> Result<Self, StoreError> {
        Self::over(Db::in_memory()?, profile)
    }

    /// The same under a name: writers of this process that give the same name share one memory, as
    /// two machines would that share a file without its locks.
    pub fn in_shared_memory(name: &str, profile: &ProfileName) -> Result<Self, StoreError> {
        Self::over(Db::in_shared_memory(name)?, profile)
    }

    fn over(mut db: Db, profile: &ProfileName) -> Result<Self, StoreError> {
        db.configure(Durability::ThrowAway)?;
        sqlite::migrate(&mut db)?;
        let account = db.write("open the profile", |transaction| {
            sqlite::enrol(transaction, profile, None)
        })?;
        Ok(Self {
            db,
            _locks: None,
            account,
            profile: profile.clone(),
        })
    }

    fn read<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Connection, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db.read(doing, |connection| work(connection, account))
    }

    fn write<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db
            .write(doing, |transaction| work(transaction, account))
    }

    /// What `work` would do.
    fn rehearse<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db
            .rehearse(doing, |transaction| work(transaction, account))
    }

    /// How far each limit is used at `now`.
    pub fn windows(
        &mut self,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Vec<WindowUse>, StoreError> {
        self.read("read the windows", |connection, account| {
            sqlite::windows(connection, account, limits, now)
        })
    }

    /// Removes posts taken before `before`, and notes that such posts are never liked again: one
    /// transaction. Returns how many were removed.
    pub fn cleanup_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("remove old posts", |transaction, account| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }

    /// Counts what `cleanup_posts` would remove.
    pub fn cleanable_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.rehearse("count old posts", |transaction, account| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }
}

/// Looks for damage if that is due, and only then writes: the profile's row if there is none, and
/// the time of the check. A known profile within a day of the last check writes nothing.
fn check_and_enrol(
    db: &mut Db,
    path: &Path,
    profile: &ProfileName,
    now: Timestamp,
) -> Result<AccountId, StoreError> {
    let checked = db.read("check the database for damage", |connection| {
        sqlite::check_if_due(connection, profile, now, path)
    })?;
    let doing = "open the profile";
    let known = db.read(doing, |connection| {
        sqlite::find_account(connection, profile)
    })?;
    match known {
        Some(account) if !checked => Ok(account),
        _ => db.write(doing, |transaction| {
            sqlite::enrol(transaction, profile, checked.then_some(now))
        }),
    }
}

/// Opens the file under the shared lock, which becomes exclusive while there is something to migrate.
fn open_current(
    path: &Path,
    opening: Opening,
    (lock, own): (&mut DatabaseLock, &ProfileLock),
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
    lock.upgrade(Some(own), request)?;
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
        self.write("record the end of the run", |transaction, account| {
            sqlite::end_run(transaction, account, run, end, now)
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
        self.write("record the outcome", |transaction, account| {
            sqlite::settle(transaction, account, attempt, settlement, now)
        })
    }

    fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
        self.write("record what is known", |transaction, account| {
            sqlite::apply(transaction, account, changes, now)
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
