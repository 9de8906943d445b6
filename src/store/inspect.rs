//! Looking at a database from outside, for whoever diagnoses it: the files, the file system, and the
//! whole content for damage. Nothing here takes a lock of ours, creates or changes anything.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::sqlite::{self, Db, integrity};
use super::{lock, place};
use crate::ports::StoreError;

/// What a look through the whole content came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Nothing is wrong.
    Sound,
    /// Something is, in SQLite's words.
    Damaged(String),
    /// It took too long and was given up.
    Unfinished,
}

/// The database and every file that is made beside it, as far as they exist.
pub fn files(database: &Path) -> Vec<PathBuf> {
    let database = place::resolve(database).unwrap_or_else(|_| database.to_owned());
    let mut files = lock::companions(&database);
    if database.exists() {
        files.insert(0, database);
    }
    files
}

/// What the file system of a folder is called, if it is one whose locks cannot be trusted.
pub fn shared_file_system(folder: &Path) -> Option<&'static str> {
    place::file_system(folder).and_then(place::name_of_shared)
}

/// Whether a crash cut a change off: whoever may write undoes its half, and until then nobody reads.
pub fn is_half_changed(database: &Path, busy_timeout: Duration) -> bool {
    Db::open_read_only(database, busy_timeout).is_ok_and(|mut db| {
        let look = db.try_read(|connection| sqlite::examine(connection, database));
        look.is_err_and(|fault| fault.is_hot_journal())
    })
}

/// Looks through the whole content, and gives up after `limit`: a pass that wants to write waits for
/// as long as this reads.
pub fn check_integrity(
    database: &Path,
    busy_timeout: Duration,
    limit: Duration,
) -> Result<Integrity, StoreError> {
    let db = Db::open_read_only(database, busy_timeout)?;
    let handle = db.interrupt_handle();
    let (done, is_done) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if is_done.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let found = look(db);
    drop(done);
    // It ends at once now, and cannot fail.
    let _ = watch.join();
    found
}

fn look(mut db: Db) -> Result<Integrity, StoreError> {
    match db.try_read(integrity) {
        Ok(None) => Ok(Integrity::Sound),
        Ok(Some(damage)) => Ok(Integrity::Damaged(damage)),
        Err(fault) if fault.is_interrupted() => Ok(Integrity::Unfinished),
        Err(fault) => Err(db.report("look through the database", fault)),
    }
}
