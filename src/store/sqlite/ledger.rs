//! Claim, act, settle. A claim is committed before its request leaves; a crash in between leaves a
//! row without outcome, which counts in every window, is settled as `unknown` by [`recover`] and is
//! never repeated blindly.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{
    Attempt, AttemptId, AttemptKind, ItemId, ItemKind, ItemState, MOST_TRIES, Outcome, Pk,
    READ_BACK_AFTER, ScopedLimit, TargetId, Timestamp,
};
use crate::ports::{Claim, Claimed, Settlement};

use super::{AccountId, Fault, changes, holds, items, session, window};
use crate::store::seal::Vault;

/// Grants the claim and records it, or says why not. The order is part of the contract: holds,
/// windows, the item.
pub(crate) fn claim(
    transaction: &Transaction<'_>,
    account: AccountId,
    claim: &Claim,
    limits: &[ScopedLimit],
    now: Timestamp,
) -> Result<Claimed, Fault> {
    let despite_session = claim.despite_session_holds;
    if let Some(hold) = holds::barring(transaction, account, despite_session, now)? {
        return Ok(Claimed::Held(hold));
    }
    for limit in limits {
        if window::is_full(transaction, account, limit, now)? {
            return Ok(Claimed::Full(*limit));
        }
    }
    let liked_item = match (claim.kind, claim.item) {
        (AttemptKind::Like, Some(item)) => Some(item),
        (AttemptKind::Like, None) => return Err(Fault::bug("a like was claimed without its item")),
        _ => None,
    };
    if let Some((kind, id)) = liked_item
        && !may_be_liked(transaction, account, kind, id.media)?
    {
        return Ok(Claimed::Taken);
    }
    let attempt = insert(transaction, account, claim, now)?;
    if let Some((kind, id)) = liked_item {
        let item = (kind, id.media);
        if !items::mark(transaction, account, item, (ItemState::Claimed, now))? {
            return Err(Fault::bug(format!(
                "a like was claimed for the {} {id}, which is not in the ledger",
                kind.as_str()
            )));
        }
    }
    Ok(Claimed::Granted(attempt))
}

const INSERT: &str = "
    INSERT INTO attempt
        (account, run, kind, call, target, item_kind, item_pk, item_owner, claimed_at)
    VALUES (:account, :run, :kind, :call, :target, :item_kind, :item_pk, :item_owner, :now)";

fn insert(
    transaction: &Transaction<'_>,
    account: AccountId,
    claim: &Claim,
    now: Timestamp,
) -> rusqlite::Result<AttemptId> {
    let (kind, id): (Option<ItemKind>, Option<ItemId>) = claim.item.unzip();
    transaction.prepare_cached(INSERT)?.execute(named_params! {
        ":account": account,
        ":run": claim.run,
        ":kind": claim.kind,
        ":call": claim.call,
        ":target": claim.target,
        ":item_kind": kind,
        ":item_pk": id.map(|id| id.media),
        ":item_owner": id.map(|id| id.owner),
        ":now": now,
    })?;
    Ok(AttemptId(transaction.last_insert_rowid()))
}

pub(super) const LIKES_OF_ITEM: &str = "
    SELECT coalesce(settled_at, claimed_at), outcome FROM attempt
    WHERE account = :account AND kind = 'like' AND item_pk = :item
      AND outcome IS NOT 'unsent'";

/// Whether the likes on record leave room for one more: none, or one that a reading long enough
/// after it can have arrived found not to have taken.
fn may_be_liked(
    connection: &Connection,
    account: AccountId,
    kind: ItemKind,
    item: Pk,
) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(LIKES_OF_ITEM)?;
    let likes: Vec<(Timestamp, Option<Outcome>)> = statement
        .query_map(
            named_params! { ":account": account, ":item": item },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<Result<_, _>>()?;
    let Some(arrived_by) = likes.iter().map(|(arrived_by, _)| *arrived_by).max() else {
        return Ok(true);
    };
    let ended_without_effect = |(_, outcome): &(Timestamp, Option<Outcome>)| {
        matches!(outcome, Some(Outcome::Refused | Outcome::Disproved))
    };
    let read_back = items::unliked_read_at(connection, account, kind, item)?;
    Ok(likes.len() < MOST_TRIES as usize
        && likes.iter().all(ended_without_effect)
        && read_back.is_some_and(|read_at| read_at >= arrived_by.plus(READ_BACK_AFTER)))
}

const SETTLE: &str = "
    UPDATE attempt
    SET settled_at = max(:arrived_by, claimed_at), outcome = :outcome, detail = :detail
    WHERE account = :account AND id = :attempt AND settled_at IS NULL";

/// Records the outcome and all that follows from it.
///
/// It never stands before its claim: a clock set back in between would let it leave the windows
/// early once the clock is right again.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    account: AccountId,
    vault: &Vault,
    attempt: AttemptId,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), Fault> {
    let settled = transaction.prepare_cached(SETTLE)?.execute(named_params! {
        ":account": account,
        ":attempt": attempt,
        ":arrived_by": settlement.outcome.arrived_by(now),
        ":outcome": settlement.outcome,
        ":detail": settlement.detail,
    })?;
    if settled != 1 {
        return Err(Fault::bug(format!(
            "attempt {} was settled twice or never claimed",
            attempt.0
        )));
    }
    if let Some(session) = &settlement.session {
        session::update(transaction, account, vault, session, now)?;
    }
    if let Some(hold) = &settlement.hold {
        holds::add(transaction, account, hold, Some(attempt), now)?;
    }
    changes::apply(transaction, account, vault, &settlement.changes, now)
}

pub(super) const UNSETTLED: &str = "
    SELECT id, kind, target, item_pk, claimed_at, settled_at, item_kind FROM attempt
    WHERE account = :account AND stands_at = 9223372036854775807 AND settled_at IS NULL
    ORDER BY id";

/// Settles what a crash left claimed. It may have left at any moment since and have its effect yet,
/// so it counts from a little after `now` on, a like's item becomes `unknown`, and a view is not
/// repeated.
pub(crate) fn recover(
    transaction: &Transaction<'_>,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<Attempt>, Fault> {
    let mut statement = transaction.prepare_cached(UNSETTLED)?;
    let left: Vec<(AttemptId, Attempt, Option<ItemKind>)> = statement
        .query_map(named_params! { ":account": account }, |row| {
            Ok((row.get(0)?, read(row)?, row.get(6)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut recovered = Vec::with_capacity(left.len());
    for (id, mut attempt, item_kind) in left {
        let settled_at = Outcome::Unknown.arrived_by(now.max(attempt.claimed_at));
        transaction.prepare_cached(SETTLE)?.execute(named_params! {
            ":account": account,
            ":attempt": id,
            ":arrived_by": settled_at,
            ":outcome": Outcome::Unknown,
            ":detail": "found without outcome after a crash",
        })?;
        attempt.settled_at = Some(settled_at);
        match (attempt.kind, item_kind, attempt.item) {
            (AttemptKind::Like, Some(kind), Some(item)) => {
                // Its row may have been pruned since.
                let unknown = (ItemState::Unknown, settled_at);
                items::mark(transaction, account, (kind, item), unknown)?;
            }
            (AttemptKind::StoryView, _, Some(item)) => {
                items::mark_viewed(transaction, account, item, now)?;
            }
            _ => {}
        }
        recovered.push(attempt);
    }
    Ok(recovered)
}

pub(super) const STANDING_SINCE: &str = "
    SELECT id, kind, target, item_pk, claimed_at, settled_at FROM attempt
    WHERE account = :account AND stands_at >= :since
    ORDER BY stands_at, id";

/// Attempts that stand at or after `since`, oldest first.
pub(crate) fn standing_since(
    connection: &Connection,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<Attempt>, Fault> {
    let mut statement = connection.prepare_cached(STANDING_SINCE)?;
    let rows = statement.query_map(named_params! { ":account": account, ":since": since }, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) const NEWEST: &str = "
    SELECT id, kind, target, item_pk, claimed_at, settled_at FROM attempt
    WHERE account = :account
    ORDER BY stands_at DESC LIMIT 1";

pub(super) const NEWEST_LIKE: &str = "
    SELECT id, kind, target, item_pk, claimed_at, settled_at FROM attempt
    WHERE account = :account AND kind = 'like'
    ORDER BY stands_at DESC LIMIT 1";

/// The attempt that stands latest, and the like that does.
pub(crate) fn newest(
    connection: &Connection,
    account: AccountId,
) -> Result<(Option<Attempt>, Option<Attempt>), Fault> {
    let bound = named_params! { ":account": account };
    let attempt = connection
        .prepare_cached(NEWEST)?
        .query_row(bound, read)
        .optional()?;
    let like = connection
        .prepare_cached(NEWEST_LIKE)?
        .query_row(bound, read)
        .optional()?;
    Ok((attempt, like))
}

/// Reads the columns 1 to 5 of every statement above.
fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        kind: row.get(1)?,
        target: row.get::<_, Option<TargetId>>(2)?,
        item: row.get(3)?,
        claimed_at: row.get(4)?,
        settled_at: row.get(5)?,
    })
}

const DISPROVE: &str = "
    UPDATE attempt SET outcome = 'disproved'
    WHERE id = (
        SELECT id FROM attempt
        WHERE account = :account AND kind = 'like' AND item_pk = :item AND outcome = 'unknown'
        ORDER BY claimed_at DESC LIMIT 1)";

/// A reading showed that the item's like of unknown effect did not take.
pub(super) fn disprove(
    transaction: &Transaction<'_>,
    account: AccountId,
    item: Pk,
) -> Result<(), Fault> {
    let disproved = transaction
        .prepare_cached(DISPROVE)?
        .execute(named_params! { ":account": account, ":item": item })?;
    if disproved == 1 {
        Ok(())
    } else {
        Err(Fault::bug(format!(
            "no like of unknown effect is on record for item {item}"
        )))
    }
}
