//! What SQLite's error codes mean to the operator: which exit code, and what to do.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::ports::StoreError;

/// Why a piece of work on the database ended.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said no.
    Sqlite(rusqlite::Error),
    /// We said no.
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// An invariant of the program did not hold.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::Store(StoreError::Bug(message.into()))
    }

    /// Whether a crash left half a change, and this connection may not undo it.
    pub fn is_hot_journal(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error
            .sqlite_error()
            .is_some_and(|code| code.extended_code == ffi::SQLITE_READONLY_ROLLBACK))
    }

    /// Whether the database refused a second row where only one may be.
    pub fn is_duplicate(error: &rusqlite::Error) -> bool {
        error
            .sqlite_error()
            .is_some_and(|code| code.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
    }
}

/// What to do about a damaged file; completes every message about one.
pub(super) const RESTORE: &str = "nothing was sent and the file is unchanged; restore it from a \
     backup, or move it aside to begin anew (the new file does not know which likes were sent \
     already, so let a week pass first)";

/// The error for the caller. `doing` completes "cannot ...".
pub(super) fn report(path: &Path, doing: &str, fault: Fault) -> StoreError {
    let error = match fault {
        Fault::Store(error) => return error,
        Fault::Sqlite(error) => error,
    };
    let what = format!("cannot {doing} ({}): {error}", path.display());
    let Some(code) = error.sqlite_error() else {
        return match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => {
                StoreError::BadState(format!("{what}; the stored data is damaged: {RESTORE}"))
            }
            _ => StoreError::Bug(what),
        };
    };
    if code.extended_code == ffi::SQLITE_READONLY_ROLLBACK {
        return StoreError::Io(format!(
            "{what}; the last change was cut off by a crash, and only a command that may write can \
             undo its half: the next `story-liker run` does, and so does `story-liker migrate`"
        ));
    }
    match code.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::BadState(format!("{what}; the file is damaged: {RESTORE}"))
        }
        ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            StoreError::CannotOpen(format!(
                "{what}; the user that runs story-liker needs to read and write the file and its \
                 folder: change their owner or permissions, or name another file with --database"
            ))
        }
        ErrorCode::DiskFull => StoreError::Io(format!(
            "{what}; nothing of this change was stored: free some space and start again"
        )),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Io(format!(
            "{what}; a program other than story-liker keeps the file locked (a backup, a database \
             browser?): end it and start again"
        )),
        ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OperationInterrupted => StoreError::Io(format!(
            "{what}; nothing of this change was stored: check the disk and the system log, then \
             start again"
        )),
        _ => StoreError::Bug(what),
    }
}
