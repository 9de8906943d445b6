//! The ledger in SQLite. Each file holds the statements of one idea beside their only caller.
//!
//! A commit is durable when it returns: rollback journal, `synchronous=EXTRA` (`FULL` would not sync
//! the folder after the journal is removed, so a power cut could bring a finished transaction's
//! journal back and undo it). Every change begins with `BEGIN IMMEDIATE`, so that what was checked
//! still holds when it is written.

mod changes;
mod codec;
mod fault;
mod history;
mod holds;
mod items;
mod ledger;
mod notices;
#[cfg(test)]
mod plans;
mod prune;
mod runs;
mod schema;
mod scrub;
mod session;
mod status;
mod targets;
mod upkeep;
mod window;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, OpenFlags, Transaction, TransactionBehavior};

use crate::ports::StoreError;

pub(super) use changes::apply;
pub(super) use fault::Fault;
pub(super) use history::{attempts_on, find as find_item, newest_items};
pub(super) use holds::{add as add_hold, since as holds_since};
pub(super) use items::{in_states as items_in, known as known_items};
pub(super) use ledger::{claim, newest, recover, settle, standing_since};
pub(super) use notices::{give_up, note, tried, undelivered};
pub(super) use prune::{cleanup_posts, prune};
pub(super) use runs::{
    begin as begin_run, end as end_run, last_end_with, last_ended, recent as recent_runs,
};
pub use schema::{APPLICATION_ID, MigrationStatus};
pub(super) use schema::{Examined, examine, migrate, status as migration_status, verify};
pub(super) use session::{
    account, enrol, find as find_account, forget as forget_session, reseal,
    stored as stored_session,
};
pub use status::{FileSize, ItemCount, WindowUse};
pub(super) use status::{item_counts, request_counts, size, windows};
pub(super) use targets::{all as targets, sync as sync_targets};
pub(super) use upkeep::{check_if_due, integrity};

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A power cut.
    Full,
    /// The end of the process only: for the throw-away file of a rehearsal.
    ThrowAway,
}

/// Number of an account row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountId(i64);

/// More statements than a pass uses, so that none is compiled twice.
const STATEMENT_CACHE: usize = 64;

/// A connection, and what its error messages name.
pub(crate) struct Db {
    connection: Connection,
    path: PathBuf,
    /// How long it was opened to wait for a program that keeps the file locked.
    busy_timeout: Duration,
    /// It waited in vain once.
    in_vain: bool,
}

/// How long a transaction still waits after another waited in vain: whoever keeps the file locked so
/// long will not be done in a moment, and the sum must not grow with every transaction.
const AFTER_ONE_IN_VAIN: Duration = Duration::from_secs(1);

impl Db {
    /// Opens an existing file for reading and writing. Changes nothing in it.
    pub fn open(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let db = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy_timeout)?;
        // SQLite falls back to reading where it may not write.
        match db.connection.is_readonly("main") {
            Ok(false) => Ok(db),
            Ok(true) => Err(StoreError::CannotOpen(format!(
                "cannot write to the database {}: the file is read-only for this user; change its \
                 owner or permissions, or name another file with --database",
                path.display()
            ))),
            Err(error) => Err(fault::report(&db.path, "open the database", error.into())),
        }
    }

    /// Opens an existing file for reading.
    pub fn open_read_only(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy_timeout)
    }

    /// An empty database in memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = PathBuf::from(":memory:");
        match Connection::open_in_memory() {
            Ok(connection) => Ok(Self::over(connection, path, Duration::ZERO)),
            Err(error) => Err(fault::report(&path, "open the database", error.into())),
        }
    }

    /// A database in memory that every connection of this process to the same name shares, for as
    /// long as one is open. Nobody waits for another: what is locked is busy at once.
    pub fn in_shared_memory(name: &str) -> Result<Self, StoreError> {
        let path = PathBuf::from(shared_memory(name));
        let mode = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI;
        Self::connect(&path, mode, Duration::ZERO)
    }

    fn connect(path: &Path, mode: OpenFlags, busy_timeout: Duration) -> Result<Self, StoreError> {
        let open = || {
            let flags = mode.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(busy_timeout)?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self::over(connection, path.to_owned(), busy_timeout)),
            Err(error) => Err(fault::unopened(path, error)),
        }
    }

    fn over(connection: Connection, path: PathBuf, busy_timeout: Duration) -> Self {
        Self {
            connection,
            path,
            busy_timeout,
            in_vain: false,
        }
    }

    /// From now on a transaction waits no longer than `most` for a program that keeps the file
    /// locked, and never longer than this connection was opened to.
    pub fn be_patient(&mut self, most: Duration) {
        let most = if self.in_vain {
            most.min(AFTER_ONE_IN_VAIN)
        } else {
            most
        };
        // Only fails on a closed connection.
        let _ = self.connection.busy_timeout(most.min(self.busy_timeout));
    }

    /// The fault, once it is noted whether the file was locked for too long.
    fn noted(&mut self, fault: Fault) -> Fault {
        if fault.is_busy() {
            self.in_vain = true;
            self.be_patient(AFTER_ONE_IN_VAIN);
        }
        fault
    }

    /// Sets what SQLite does not keep in the file. Only after [`examine`] found it to be ours.
    pub fn configure(&mut self, durability: Durability) -> Result<(), StoreError> {
        let path = self.path.clone();
        let connection = &self.connection;
        let configure = || {
            connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
            if !connection.is_readonly("main")? {
                connection.pragma_update(None, "journal_mode", "DELETE")?;
            }
            let synchronous = match durability {
                Durability::Full => "EXTRA",
                Durability::ThrowAway => "OFF",
            };
            connection.pragma_update(None, "synchronous", synchronous)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "cell_size_check", true)?;
            connection.pragma_update(None, "trusted_schema", false)?;
            connection.pragma_update(None, "temp_store", "MEMORY")?;
            // A forgotten session leaves no copy in a free page, nor, by `scrub`, in one in use.
            connection.pragma_update(None, "secure_delete", true)
        };
        configure().map_err(|error: rusqlite::Error| {
            fault::report(&path, "open the database", error.into())
        })
    }

    /// Ends from another thread what this connection is doing.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Reads, consistently, with `work`; `doing` completes "cannot ...".
    pub fn read<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.try_read(work)
            .map_err(|fault| self.report(doing, fault))
    }

    /// The same, where the caller looks at the fault before it reports it.
    pub fn try_read<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let read = || work(&*self.connection.transaction()?);
        read().map_err(|fault| self.noted(fault))
    }

    /// The error for the caller; `doing` completes "cannot ...".
    pub fn report(&self, doing: &str, fault: Fault) -> StoreError {
        fault::report(&self.path, doing, fault)
    }

    /// Does `work` as one durable transaction, or nothing of it; `doing` completes "cannot ...".
    pub fn write<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let write = || {
            let connection = &mut self.connection;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        write().map_err(|fault| {
            let fault = self.noted(fault);
            self.report(doing, fault)
        })
    }
}

/// Where a shared database in memory is found: SQLite keeps one for each name with a slash.
pub fn shared_memory(name: &str) -> String {
    format!("file:/{name}?vfs=memdb")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_survives_a_power_cut_unless_the_file_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stories.db");
        std::fs::write(&path, "").unwrap();
        let mut db = Db::open(&path, Duration::ZERO).unwrap();
        let setting = |db: &Db, name: &str| -> String {
            let read = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
            let value = db.connection.pragma_query_value(None, name, read).unwrap();
            match value {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => panic!("{other:?}"),
            }
        };
        for (durability, synchronous) in [(Durability::ThrowAway, "0"), (Durability::Full, "3")] {
            db.configure(durability).unwrap();
            assert_eq!(setting(&db, "synchronous"), synchronous);
            assert_eq!(setting(&db, "journal_mode"), "delete");
            assert_eq!(setting(&db, "foreign_keys"), "1");
        }
    }

    #[test]
    fn a_transaction_waits_no_longer_than_told_and_after_one_in_vain_only_briefly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stories.db");
        std::fs::write(&path, "").unwrap();
        let mut db = Db::open(&path, Duration::from_secs(30)).unwrap();
        let waits = |db: &Db| -> i64 {
            let read = |row: &rusqlite::Row<'_>| row.get(0);
            let pragma = "PRAGMA busy_timeout";
            db.connection.query_row(pragma, (), read).unwrap()
        };
        for (told, waited) in [(30, 30_000), (7, 7_000), (60, 30_000)] {
            db.be_patient(Duration::from_secs(told));
            assert_eq!(waits(&db), waited, "told {told} s");
        }
        for reads in [true, false] {
            let mut db = Db::open(&path, Duration::from_secs(30)).unwrap();
            let other = Connection::open(&path).unwrap();
            other.execute_batch("BEGIN EXCLUSIVE").unwrap();
            db.be_patient(Duration::ZERO);
            let locked = if reads {
                db.read("read", |connection| {
                    Ok(connection.query_row(
                        "SELECT count(*) FROM sqlite_schema",
                        (),
                        |_| Ok(()),
                    )?)
                })
            } else {
                db.write("write", |_| Ok(()))
            };
            let locked = locked.unwrap_err().to_string();
            assert!(locked.contains("keeps the file locked"), "{locked}");
            assert_eq!(waits(&db), 1_000);
            db.be_patient(Duration::from_secs(30));
            assert_eq!(waits(&db), 1_000);
        }
    }

    #[test]
    fn a_database_in_memory_is_shared_by_those_who_give_the_same_name() {
        let open = |name| Db::in_shared_memory(name).unwrap();
        let (one, same, other) = (open("one"), open("one"), open("other"));
        let make = "CREATE TABLE seen (what TEXT)";
        one.connection.execute_batch(make).unwrap();
        let tables = |db: &Db| -> i64 {
            let count = "SELECT count(*) FROM sqlite_schema";
            let read = |row: &rusqlite::Row<'_>| row.get(0);
            db.connection.query_row(count, (), read).unwrap()
        };
        assert_eq!((tables(&same), tables(&other)), (1, 0));
    }
}
