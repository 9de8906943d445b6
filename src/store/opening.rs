//! How a file is opened: nothing is written before it is known to be ours, of a version we know, and
//! whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lock::{DatabaseLock, LockRequest, ProfileLock};
use super::place;
use super::sqlite::{self, Db, Durability, Examined};
use crate::ports::StoreError;

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
    /// How long a transaction waits for a program that keeps the file locked, at most; a pass that
    /// is near its end waits less ([`Store::be_patient`](crate::ports::Store::be_patient)).
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

/// Opens the file under the shared lock, which becomes exclusive while there is something to migrate.
pub(super) fn open_current(
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

/// Opens the file for writing, knows it to be ours, and applies what is pending. The caller holds
/// the exclusive lock.
pub(super) fn open_and_migrate(
    path: &Path,
    opening: Opening,
) -> Result<(Db, Vec<String>), StoreError> {
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

pub(super) fn open_existing_read_only(
    path: &Path,
    busy_timeout: Duration,
) -> Result<(PathBuf, Db), StoreError> {
    if !path.exists() {
        return Err(missing(path));
    }
    let path = place::resolve(path)?;
    let db = Db::open_read_only(&path, busy_timeout)?;
    Ok((path, db))
}

pub(super) fn missing(path: &Path) -> StoreError {
    StoreError::CannotOpen(format!(
        "there is no database at {} yet; `story-liker migrate` creates it, and so does the first \
         `story-liker login`, `session import` or `run`",
        path.display()
    ))
}

pub(super) fn outdated(path: &Path) -> StoreError {
    StoreError::CannotOpen(format!(
        "the database {} has the schema of an older version; run `story-liker migrate`",
        path.display()
    ))
}
