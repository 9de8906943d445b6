//! Holds: until when nothing is sent, and why. A row is never deleted when it is cleared, because
//! escalation counts it.

use rusqlite::{Connection, Row, Transaction, named_params};

use crate::model::{AttemptId, Hold, HoldId, NewHold, Timestamp};

use super::{AccountId, Fault};

pub(super) const IN_FORCE: &str = "
    SELECT id, since_at, reason, until_at, message, attempt, cleared_at, cleared_by FROM hold
    WHERE account = :account AND cleared_at IS NULL AND (until_at IS NULL OR until_at > :now)
    ORDER BY until_at IS NULL DESC, until_at DESC, id";

/// The hold that forbids a request at `now`: of several, the one that lasts longest. With
/// `despite_session`, holds about the session do not forbid it.
pub(super) fn barring(
    connection: &Connection,
    account: AccountId,
    despite_session: bool,
    now: Timestamp,
) -> Result<Option<Hold>, Fault> {
    let mut statement = connection.prepare_cached(IN_FORCE)?;
    let holds = statement.query_map(named_params! { ":account": account, ":now": now }, read)?;
    for hold in holds {
        let hold = hold?;
        if !(despite_session && hold.reason.about_session()) {
            return Ok(Some(hold));
        }
    }
    Ok(None)
}

const SINCE: &str = "
    SELECT id, since_at, reason, until_at, message, attempt, cleared_at, cleared_by FROM hold
    WHERE account = :account
      AND (since_at >= :since OR cleared_at >= :since
           OR cleared_at IS NULL AND (until_at IS NULL OR until_at >= :since))
    ORDER BY since_at, id";

/// Every hold met at or after `since`, and every older one that was still open then: what follows
/// from a hold is counted from its end. Oldest first.
pub(crate) fn since(
    connection: &Connection,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<Hold>, Fault> {
    let mut statement = connection.prepare_cached(SINCE)?;
    let holds =
        statement.query_map(named_params! { ":account": account, ":since": since }, read)?;
    Ok(holds.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        id: row.get(0)?,
        since: row.get(1)?,
        reason: row.get(2)?,
        until: row.get(3)?,
        message: row.get(4)?,
        attempt: row.get(5)?,
        cleared_at: row.get(6)?,
        cleared_by: row.get(7)?,
    })
}

const ADD: &str = "
    INSERT INTO hold (account, since_at, reason, until_at, message, attempt)
    VALUES (:account, :now, :reason, :until, :message, :attempt)";

/// Stores a hold met at `now`.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    account: AccountId,
    hold: &NewHold,
    attempt: Option<AttemptId>,
    now: Timestamp,
) -> Result<HoldId, Fault> {
    transaction.prepare_cached(ADD)?.execute(named_params! {
        ":account": account,
        ":now": now,
        ":reason": hold.reason,
        ":until": hold.until,
        ":message": hold.message,
        ":attempt": attempt,
    })?;
    Ok(HoldId(transaction.last_insert_rowid()))
}

/// A clock that is behind when a person clears it does not end it before it began: what follows a
/// block counts from there.
const CLEAR: &str = "
    UPDATE hold SET cleared_at = max(:now, since_at), cleared_by = :by
    WHERE account = :account AND id = :hold AND cleared_at IS NULL";

/// Ends a hold early. One that was cleared before keeps its first record.
pub(super) fn clear(
    transaction: &Transaction<'_>,
    account: AccountId,
    hold: HoldId,
    by: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(CLEAR)?
        .execute(named_params! { ":account": account, ":hold": hold, ":by": by, ":now": now })?;
    Ok(())
}
