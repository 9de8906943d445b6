//! What is on record about one item, and the items that a pass would find: for `explain`.

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::model::{ItemKind, LedgerItem, PastAttempt, Pk, TargetId, Timestamp};

use super::{AccountId, Fault, items};

pub(super) const LIKES: &str = "
    SELECT attempt.kind, attempt.call, attempt.claimed_at, attempt.settled_at, attempt.outcome,
           attempt.detail, run.started_at
    FROM attempt LEFT JOIN run ON run.id = attempt.run
    WHERE attempt.account = :account AND attempt.kind = 'like' AND attempt.item_pk = :item
    ORDER BY attempt.claimed_at";

/// Views, and readings that tell what became of a like.
pub(super) const OTHERS: &str = "
    SELECT attempt.kind, attempt.call, attempt.claimed_at, attempt.settled_at, attempt.outcome,
           attempt.detail, run.started_at
    FROM attempt LEFT JOIN run ON run.id = attempt.run
    WHERE attempt.account = :account AND attempt.kind <> 'like' AND attempt.item_pk = :item
    ORDER BY attempt.claimed_at";

/// The requests about an item in order, whenever they were.
pub(crate) fn attempts_on(
    connection: &Connection,
    account: AccountId,
    item: Pk,
) -> Result<Vec<PastAttempt>, Fault> {
    let mut history: Vec<PastAttempt> = Vec::new();
    for statement in [LIKES, OTHERS] {
        let mut statement = connection.prepare_cached(statement)?;
        let bound = named_params! { ":account": account, ":item": item };
        for attempt in statement.query_map(bound, read)? {
            history.push(attempt?);
        }
    }
    history.sort_by_key(|attempt| attempt.claimed_at);
    Ok(history)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<PastAttempt> {
    Ok(PastAttempt {
        kind: row.get(0)?,
        call: row.get(1)?,
        claimed_at: row.get(2)?,
        settled_at: row.get(3)?,
        outcome: row.get(4)?,
        detail: row.get(5)?,
        run_started_at: row.get(6)?,
    })
}

const STORY_SEEN_AT: &str =
    "SELECT first_seen_at FROM story WHERE account = :account AND media_pk = :item";
const POST_SEEN_AT: &str =
    "SELECT first_seen_at FROM post WHERE account = :account AND media_pk = :item";

/// The item, story or post, and when a listing first showed it.
pub(crate) fn find(
    connection: &Connection,
    account: AccountId,
    item: Pk,
) -> Result<Option<(LedgerItem, Timestamp)>, Fault> {
    for (kind, seen_at) in [
        (ItemKind::Story, STORY_SEEN_AT),
        (ItemKind::Post, POST_SEEN_AT),
    ] {
        let Some(known) = items::known(connection, account, kind, &[item])?.pop() else {
            continue;
        };
        let bound = named_params! { ":account": account, ":item": item };
        let seen_at = connection
            .query_row(seen_at, bound, |row| row.get(0))
            .optional()?;
        return Ok(seen_at.map(|seen_at| (known, seen_at)));
    }
    Ok(None)
}

/// The newest items of a target in any state, at most `most` of each kind.
pub(crate) fn newest_items(
    connection: &Connection,
    account: AccountId,
    target: TargetId,
    most: u32,
) -> Result<Vec<LedgerItem>, Fault> {
    let mut found = items::newest(connection, account, target, ItemKind::Story, most)?;
    found.extend(items::newest(
        connection,
        account,
        target,
        ItemKind::Post,
        most,
    )?);
    Ok(found)
}
