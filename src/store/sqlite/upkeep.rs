//! Looking for damage before anything is decided on the file's word: after a run that was cut off,
//! and once a day.

use std::time::Duration;

use rusqlite::{Connection, Transaction, named_params};

use crate::model::Timestamp;
use crate::ports::StoreError;

use super::{AccountId, Db, Fault, fault};

/// How long a check is good for.
const CHECK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// A check in the future, from a clock since set back, does not count.
const IS_DUE: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM account WHERE checked_at > :since AND checked_at <= :now)
        OR EXISTS (SELECT 1 FROM run
                   WHERE id = (SELECT max(id) FROM run WHERE account = :account)
                     AND ended_at IS NULL)";

const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

const REMEMBER: &str = "UPDATE account SET checked_at = :now WHERE id = :account";

/// Checks the whole file if that is due, and remembers it.
pub(crate) fn check_if_due(
    db: &mut Db,
    account: AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let doing = "check the database for damage";
    let path = db.path.clone();
    let checked = db.read(doing, |connection| {
        let bound = named_params! {
        ":account": account, ":now": now, ":since": now.minus(CHECK_EVERY) };
        let due: bool = connection.query_row(IS_DUE, bound, |row| row.get(0))?;
        if due {
            check(connection, &path)?;
        }
        Ok(due)
    })?;
    if checked {
        let remember = |transaction: &Transaction<'_>| -> Result<(), Fault> {
            let bound = named_params! { ":account": account, ":now": now };
            transaction.execute(REMEMBER, bound)?;
            Ok(())
        };
        db.write(doing, remember)?;
    }
    Ok(())
}

fn check(connection: &Connection, path: &std::path::Path) -> Result<(), Fault> {
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
