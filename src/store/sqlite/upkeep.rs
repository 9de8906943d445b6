//! Looking for damage before anything is decided on the file's word: after a run that was cut off,
//! and once a day.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, named_params};

use crate::model::{ProfileName, Timestamp};
use crate::ports::StoreError;

use super::{Fault, fault};

/// How long a check is good for.
const CHECK_EVERY: Duration = Duration::from_hours(24);

/// A check in the future, from a clock since set back, does not count.
const IS_DUE: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM account WHERE checked_at > :since AND checked_at <= :now)
        OR EXISTS (SELECT 1 FROM run
                   WHERE id = (SELECT max(run.id) FROM run
                               WHERE account = (SELECT id FROM account WHERE profile = :profile))
                     AND ended_at IS NULL)";

const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

/// Checks the whole file if that is due, and says whether it did. Writes nothing.
pub(crate) fn check_if_due(
    connection: &Connection,
    profile: &ProfileName,
    now: Timestamp,
    path: &Path,
) -> Result<bool, Fault> {
    let bound = named_params! {
    ":profile": profile.as_str(), ":now": now, ":since": now.minus(CHECK_EVERY) };
    let due: bool = connection.query_row(IS_DUE, bound, |row| row.get(0))?;
    if due {
        check(connection, path)?;
    }
    Ok(due)
}

/// Checks the whole file.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let verdict: String = connection.query_row(QUICK_CHECK, [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Fault::Store(StoreError::BadState(format!(
        "the database {} is damaged ({}): {}",
        path.display(),
        verdict.replace('\n', " "),
        fault::RESTORE
    ))))
}

/// How many lines of damage are told; one is enough to know.
const DAMAGE_TOLD: usize = 3;

const INTEGRITY_CHECK: &str = "PRAGMA integrity_check(3)";

const FOREIGN_KEYS: &str = "SELECT \"table\", parent FROM pragma_foreign_key_check() LIMIT 3";

/// Looks through the whole content, rows against indexes and references included: what is wrong with
/// it, if anything is.
pub(crate) fn integrity(connection: &Connection) -> Result<Option<String>, Fault> {
    let mut lines: Vec<String> = Vec::new();
    let mut statement = connection.prepare(INTEGRITY_CHECK)?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        lines.push(line?.replace('\n', " "));
    }
    lines.retain(|line| line != "ok");
    let mut statement = connection.prepare(FOREIGN_KEYS)?;
    let dangling = |row: &rusqlite::Row<'_>| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!(
            "a row of {table} refers to a row of {parent} that is not there"
        ))
    };
    for line in statement.query_map([], dangling)? {
        lines.push(line?);
    }
    lines.truncate(DAMAGE_TOLD);
    Ok((!lines.is_empty()).then(|| lines.join("; ")))
}
