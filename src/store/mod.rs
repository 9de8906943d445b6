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
mod opening;
mod place;
mod reader;
mod seal;
mod sqlite;
mod writer;

use std::path::Path;
use std::time::Duration;

use crate::ports::StoreError;

pub use inspect::{Integrity, check_integrity, files, is_half_changed, shared_file_system};
pub use lock::{Holder, LockRequest, holders};
pub use opening::{MigratePolicy, Opening};
pub use reader::Reader;
pub use seal::Sealing;
pub use sqlite::{
    APPLICATION_ID, Durability, FileSize, ItemCount, MigrationStatus, WindowUse, shared_memory,
};
pub use writer::Writer;

use lock::DatabaseLock;
use opening::{open_and_migrate, open_existing_read_only};

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
