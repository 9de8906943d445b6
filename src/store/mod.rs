//! The program's memory: one SQLite file, any number of profiles, one
//! [`Store`](crate::ports::Store) per profile.
//!
//! A [`Writer`] holds the locks for as long as it lives and is the only thing that changes the file;
//! a [`Reader`] takes no lock, creates nothing, migrates nothing and writes nothing. Nothing is
//! written before the file is known to be ours, of a version we know, and undamaged.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod inspect;
mod lock;
mod place;
mod seal;
mod sqlite;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{
    Account, Attempt, Channel, EndedRun, Hold, ItemKind, ItemState, Keyring, LedgerItem,
    PastAttempt, Pk, ProfileName, RequestCount, RunId, RunRecord, ScopedLimit, Session, Target,
    TargetId, Timestamp, Undelivered,
};
use crate::ports::StoreError;

pub use inspect::{Integrity, check_integrity, files, is_half_changed, shared_file_system};
pub use lock::{Holder, LockRequest, holders};
pub use seal::Sealing;
pub use sqlite::{
    APPLICATION_ID, Durability, FileSize, ItemCount, MigrationStatus, WindowUse, shared_memory,
};
pub use writer::Writer;

use lock::DatabaseLock;
use seal::Vault;
use sqlite::{AccountId, Db, Examined};

/// What to do with a database of an older version, or with none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigratePolicy {
    /// Bring it up to date, or create it.
    Automatic,
    /// Refuse it (`--no-migrate`).
    Refuse,
}

/// How to open.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// What to do with a database of an older version, or with none.
    pub migrate: MigratePolicy,
    /// What a commit survives.
    pub durability: Durability,
    /// How long SQLite waits for a program that keeps the file locked.
    pub busy_timeout: Duration,
    /// Tells the kernel's number of the file system that a folder lies on; those of networks are
    /// refused. A test names one that is not there.
    pub file_system: fn(&Path) -> Option<u32>,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            migrate: MigratePolicy::Automatic,
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(30),
            file_system: place::file_system,
        }
    }
}

/// Brings the database up to date, or creates it. Returns the names of the migrations applied.
pub fn migrate(
    path: &Path,
    request: &LockRequest<'_>,
    opening: Opening,
) -> Result<Vec<String>, StoreError> {
    place::refuse_root(path)?;
    place::make_folder(path)?;
    let path = place::resolve(path)?;
    place::refuse_network(&path, opening.file_system)?;
    let _lock = DatabaseLock::exclusive(&path, request)?;
    place::make_file(&path)?;
    let (_, applied) = open_and_migrate(&path, opening)?;
    Ok(applied)
}

/// Where the database stands between the versions.
pub fn migration_status(path: &Path) -> Result<MigrationStatus, StoreError> {
    migration_status_with(path, Opening::default().busy_timeout)
}

/// The same, with another patience for programs that keep the file locked.
pub fn migration_status_with(
    path: &Path,
    busy_timeout: Duration,
) -> Result<MigrationStatus, StoreError> {
    let (path, mut db) = open_existing_read_only(path, busy_timeout)?;
    db.read("read the schema", |connection| {
        sqlite::migration_status(connection, &path)
    })
}

/// Opens the file for writing, knows it to be ours, and applies what is pending. The caller holds
/// the exclusive lock.
fn open_and_migrate(path: &Path, opening: Opening) -> Result<(Db, Vec<String>), StoreError> {
    let (mut db, examined) = open_examined(path, opening)?;
    db.configure(opening.durability)?;
    let applied = match examined {
        Examined::Ours { pending: 0 } => Vec::new(),
        Examined::New | Examined::Ours { .. } => sqlite::migrate(&mut db)?,
    };
    db.read("read the schema", |connection| {
        sqlite::verify(connection, path)
    })?;
    Ok((db, applied))
}

/// Opens the file for writing once a look at it through a read-only connection found it to be ours
/// or empty.
fn open_examined(path: &Path, opening: Opening) -> Result<(Db, Examined), StoreError> {
    let examine = |db: &mut Db| db.try_read(|connection| sqlite::examine(connection, path));
    let mut looking = Db::open_read_only(path, opening.busy_timeout)?;
    match examine(&mut looking) {
        // Undoing what a crash cut off takes a connection that may write; it comes next.
        Err(fault) if fault.is_hot_journal() => {}
        Err(fault) => return Err(looking.report("open the database", fault)),
        Ok(_) => {}
    }
    drop(looking);
    let mut db = Db::open(path, opening.busy_timeout)?;
    match examine(&mut db) {
        Ok(examined) => Ok((db, examined)),
        Err(fault) => Err(db.report("open the database", fault)),
    }
}

fn open_existing_read_only(
    path: &Path,
    busy_timeout: Duration,
) -> Result<(std::path::PathBuf, Db), StoreError> {
    if !path.exists() {
        return Err(missing(path));
    }
    let path = place::resolve(path)?;
    let db = Db::open_read_only(&path, busy_timeout)?;
    Ok((path, db))
}

fn missing(path: &Path) -> StoreError {
    StoreError::CannotOpen(format!(
        "there is no database at {} yet; `story-liker migrate` creates it, and so does the first \
         `story-liker login`, `session import` or `run`",
        path.display()
    ))
}

fn outdated(path: &Path) -> StoreError {
    StoreError::CannotOpen(format!(
        "the database {} has the schema of an older version; run `story-liker migrate`",
        path.display()
    ))
}

/// Looks at a profile's memory without touching it.
pub struct Reader {
    db: Db,
    path: PathBuf,
    profile: ProfileName,
    account: Option<AccountId>,
}

impl Reader {
    /// Opens an existing database of the current version.
    pub fn open_read_only(path: &Path, profile: &ProfileName) -> Result<Self, StoreError> {
        let opening = Opening::default();
        Self::open_with(path, profile, opening.busy_timeout)
    }

    /// The same, with another patience for programs that keep the file locked.
    pub fn open_with(
        path: &Path,
        profile: &ProfileName,
        busy_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let (path, mut db) = open_existing_read_only(path, busy_timeout)?;
        let examined = db.read("open the database", |connection| {
            let examined = sqlite::examine(connection, &path)?;
            if examined == (Examined::Ours { pending: 0 }) {
                sqlite::verify(connection, &path)?;
            }
            Ok(examined)
        })?;
        match examined {
            Examined::New => return Err(missing(&path)),
            Examined::Ours { pending: 0 } => {}
            Examined::Ours { .. } => return Err(outdated(&path)),
        }
        let account = db.read("open the database", |connection| {
            sqlite::find_account(connection, profile)
        })?;
        Ok(Self {
            db,
            path,
            profile: profile.clone(),
            account,
        })
    }

    fn read<T: Default>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&rusqlite::Connection, AccountId) -> Result<T, sqlite::Fault>,
    ) -> Result<T, StoreError> {
        match self.account {
            Some(account) => self.db.read(doing, |connection| work(connection, account)),
            None => Ok(T::default()),
        }
    }

    /// The account row; `None` if the profile has never been used. What looks needs no key: the
    /// content of the session is left out, sealed or not.
    pub fn account(&mut self) -> Result<Option<Account>, StoreError> {
        let profile = self.profile.clone();
        self.read("read the account", |connection, account| {
            sqlite::account(connection, account, &profile).map(Some)
        })
    }

    /// How the session is stored; `None` without one.
    pub fn sealing(&mut self) -> Result<Option<Sealing>, StoreError> {
        let stored = self.read("read the session", sqlite::stored_session)?;
        Ok(stored.map(|stored| stored.sealing()))
    }

    /// The session, opened with these keys; `None` without one.
    pub fn session(&mut self, keys: &Keyring) -> Result<Option<Session>, StoreError> {
        let vault = Vault::new(self.profile.clone(), keys.clone(), &self.path);
        let stored = self.read("read the session", sqlite::stored_session)?;
        stored.map(|stored| vault.open(&stored)).transpose()
    }

    /// Every hold since `since` and every open one, oldest first.
    pub fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.read("read the holds", |connection, account| {
            sqlite::holds_since(connection, account, since)
        })
    }

    /// Every target, by name.
    pub fn targets(&mut self) -> Result<Vec<Target>, StoreError> {
        self.read("read the targets", sqlite::targets)
    }

    /// The newest runs, newest first.
    pub fn recent_runs(&mut self, most: u32) -> Result<Vec<RunRecord>, StoreError> {
        self.read("read the runs", |connection, account| {
            sqlite::recent_runs(connection, account, 0, most)
        })
    }

    /// The last pass that came to an end.
    pub fn last_ended_run(&mut self) -> Result<Option<EndedRun>, StoreError> {
        self.read("read the runs", sqlite::last_ended)
    }

    /// When a pass last ended with one of these exit codes.
    pub fn last_end_with(&mut self, exit_codes: &[u8]) -> Result<Option<Timestamp>, StoreError> {
        self.read("read the runs", |connection, account| {
            sqlite::last_end_with(connection, account, exit_codes)
        })
    }

    /// How the requests since `since` ended, those of one run or all: settled then or later, or not
    /// settled.
    pub fn request_counts(
        &mut self,
        run: Option<RunId>,
        since: Timestamp,
    ) -> Result<Vec<RequestCount>, StoreError> {
        self.read("read the attempts", |connection, account| {
            sqlite::request_counts(connection, account, run, since)
        })
    }

    /// The newest attempt of all, and the newest like.
    pub fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError> {
        self.read("read the attempts", sqlite::newest)
    }

    /// How far each limit is used at `now`. For a profile never used: empty.
    pub fn windows(
        &mut self,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Vec<WindowUse>, StoreError> {
        self.read("read the windows", |connection, account| {
            sqlite::windows(connection, account, limits, now)
        })
    }

    /// Attempts settled at or after `since`, in the future, or not settled; oldest first.
    pub fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.read("read the attempts", |connection, account| {
            sqlite::standing_since(connection, account, since)
        })
    }

    /// The item, story or post, and when a listing first showed it.
    pub fn item(&mut self, item: Pk) -> Result<Option<(LedgerItem, Timestamp)>, StoreError> {
        self.read("read the item", |connection, account| {
            sqlite::find_item(connection, account, item)
        })
    }

    /// The requests about the item in order, whenever they were.
    pub fn attempts_on(&mut self, item: Pk) -> Result<Vec<PastAttempt>, StoreError> {
        self.read("read the item's history", |connection, account| {
            sqlite::attempts_on(connection, account, item)
        })
    }

    /// A target's newest items in any state, at most `most` of each kind.
    pub fn newest_items(
        &mut self,
        target: TargetId,
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        self.read("read the items", |connection, account| {
            sqlite::newest_items(connection, account, target, most)
        })
    }

    /// A target's items of these states, soonest to expire first, then newest first.
    pub fn items_in(
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

    /// Stories, and posts that are not done with, by state.
    pub fn item_counts(&mut self) -> Result<Vec<ItemCount>, StoreError> {
        self.read("count the items", sqlite::item_counts)
    }

    /// What `channel` has not told yet, oldest first, at most `most`.
    pub fn undelivered(
        &mut self,
        channel: Channel,
        most: u32,
    ) -> Result<Vec<Undelivered>, StoreError> {
        self.read("read the notices", |connection, account| {
            sqlite::undelivered(connection, account, channel, most)
        })
    }

    /// The file's size.
    pub fn size(&mut self) -> Result<FileSize, StoreError> {
        self.db.read("read the file's size", sqlite::size)
    }
}
