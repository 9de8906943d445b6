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

    /// Whether somebody called the work off.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Sqlite(error)
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
    }

    /// Whether another program kept the file locked for longer than this one waits.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        ))
    }

    /// Whether a crash left half a change, and this connection may not undo it.
    pub fn is_hot_journal(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error
            .sqlite_error()
            .is_some_and(|code| code.extended_code == ffi::SQLITE_READONLY_ROLLBACK))
    }
}

/// What to do about a damaged file; completes every message about one.
///
/// A disk that cannot be read looks the same to SQLite, and the pass may be in its middle.
pub(super) const RESTORE: &str = "nothing more was sent, and the file was left as it is; look for \
     disk errors in the system log first, then move it aside, and a -journal beside it with it, to \
     restore a backup or begin anew (neither a backup nor a new file knows which likes were sent \
     since, so let a week pass first)";

/// The error for a file that could not be opened in the first place.
pub(super) fn unopened(path: &Path, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) {
        return no_access(&format!(
            "cannot open the database ({}): {error}",
            path.display()
        ));
    }
    report(path, "open the database", error.into())
}

fn no_access(what: &str) -> StoreError {
    StoreError::CannotOpen(format!(
        "{what}; the user that runs story-liker needs to read and write the file and its folder: \
         change their owner or permissions, or name another file with --database"
    ))
}

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
        ErrorCode::DatabaseCorrupt => {
            StoreError::BadState(format!("{what}; the file is damaged: {RESTORE}"))
        }
        ErrorCode::NotADatabase => StoreError::BadState(format!(
            "{what}; the file is no database: name the right one with --database or `database`. If \
             it is the right one, the file is damaged: {RESTORE}"
        )),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => no_access(&what),
        // The file itself is open; its journal is made anew for each change.
        ErrorCode::CannotOpen => StoreError::Io(format!(
            "{what}; no journal can be made beside the file, so nothing of this change was stored: \
             is the disk full or read-only, or are too many files open? Mend that and start again"
        )),
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
            "{what}; check the disk and the system log, then start again: the next pass settles \
             what this one could not"
        )),
        _ => StoreError::Bug(what),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{AttemptKind, ProfileName, Timestamp};
    use crate::ports::{Claim, Claimed};
    use crate::store::sqlite::{Db, Durability, claim, enrol, migrate};

    fn reported(code: i32) -> StoreError {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        report(
            Path::new("/srv/stories.db"),
            "record the request",
            error.into(),
        )
    }

    #[test]
    fn only_a_file_that_may_not_be_opened_is_a_matter_of_permissions() {
        let opening = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            unopened(Path::new("/srv/stories.db"), error)
        };
        let refused = opening(ffi::SQLITE_CANTOPEN);
        assert!(
            matches!(&refused, StoreError::CannotOpen(text) if text.contains("(/srv/stories.db)")),
            "{refused}"
        );
        let damaged = opening(ffi::SQLITE_NOTADB);
        assert!(matches!(&damaged, StoreError::BadState(_)), "{damaged}");
    }

    #[test]
    fn each_code_of_sqlite_has_its_kind_and_says_what_to_do() {
        for (code, kind, advice) in [
            (ffi::SQLITE_CORRUPT, "BadState", "backup"),
            (
                ffi::SQLITE_NOTADB,
                "BadState",
                "is no database: name the right",
            ),
            (ffi::SQLITE_NOTADB, "BadState", "backup"),
            (ffi::SQLITE_CANTOPEN, "Io", "full or read-only"),
            (ffi::SQLITE_READONLY, "CannotOpen", "permissions"),
            (ffi::SQLITE_READONLY_DIRECTORY, "CannotOpen", "permissions"),
            (ffi::SQLITE_PERM, "CannotOpen", "permissions"),
            (ffi::SQLITE_FULL, "Io", "free some space"),
            (ffi::SQLITE_IOERR, "Io", "check the disk"),
            (ffi::SQLITE_IOERR_FSYNC, "Io", "check the disk"),
            (ffi::SQLITE_BUSY, "Io", "end it"),
            (ffi::SQLITE_LOCKED, "Io", "end it"),
            (ffi::SQLITE_READONLY_ROLLBACK, "Io", "story-liker run"),
            (ffi::SQLITE_CONSTRAINT_CHECK, "Bug", ""),
            (ffi::SQLITE_ERROR, "Bug", ""),
        ] {
            let error = reported(code);
            assert!(format!("{error:?}").starts_with(kind), "{code}: {error:?}");
            let text = error.to_string();
            assert!(
                text.starts_with("cannot record the request (/srv/stories.db): "),
                "{text}"
            );
            assert!(text.contains(advice), "{text}");
        }
    }

    #[test]
    fn damage_is_not_told_as_a_wrong_file() {
        let damaged = reported(ffi::SQLITE_CORRUPT).to_string();
        assert!(!damaged.contains("no database"), "{damaged}");
    }

    #[test]
    fn a_stored_word_that_nobody_knows_is_damage() {
        let db = Db::in_memory().unwrap();
        let read = db.connection.query_row("SELECT 'maybe'", (), |row| {
            row.get::<_, crate::model::Outcome>(0)
        });
        let error = report(Path::new("x"), "read", read.unwrap_err().into());
        assert!(
            matches!(&error, StoreError::BadState(text) if text.contains("maybe")),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_stores_nothing_of_the_claim_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stories.db");
        std::fs::write(&path, "").unwrap();
        let mut db = Db::open(&path, std::time::Duration::ZERO).unwrap();
        db.configure(Durability::ThrowAway).unwrap();
        migrate(&mut db).unwrap();
        let profile = ProfileName::default();
        let enrolled = db.write("enrol", |transaction| enrol(transaction, &profile, None));
        let account = enrolled.unwrap();
        let pages = |db: &Db, most: i64| {
            let pragma = format!("PRAGMA max_page_count = {most}");
            let read = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            db.connection.query_row(&pragma, (), read).unwrap();
        };
        let request = Claim {
            kind: AttemptKind::Read,
            target: None,
            item: None,
            call: "stories",
            run: None,
            despite_session_holds: false,
        };
        let ask = |db: &mut Db| {
            db.write("record the request", |transaction| {
                claim(transaction, account, &request, &[], Timestamp::default())
            })
        };
        // SQLite never sets the limit below the present size.
        pages(&db, 1);
        let full = (0..10_000).find_map(|_| {
            let before = std::fs::read(&path).unwrap();
            ask(&mut db).err().map(|error| (before, error))
        });
        let (before, error) = full.expect("claims take room");
        assert!(
            matches!(&error, StoreError::Io(text) if text.contains("free some space")),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
        pages(&db, 1_000_000);
        assert!(matches!(ask(&mut db), Ok(Claimed::Granted(_))));
    }
}
