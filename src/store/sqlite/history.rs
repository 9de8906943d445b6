//! What is on record about one item, and the items that a pass would find: for `explain`.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::model::{AttemptKind, ItemKind, LedgerItem, PastAttempt, Pk, TargetId, Timestamp};

use super::{AccountId, Fault, items};

pub(super) const LIKES: &str = "
    SELECT attempt.kind, attempt.call, attempt.claimed_at, attempt.settled_at, attempt.outcome,
           attempt.detail, run.started_at
    FROM attempt LEFT JOIN run ON run.id = attempt.run
    WHERE attempt.account = :account AND attempt.kind = 'like' AND attempt.item_pk = :item
    ORDER BY attempt.claimed_at";

/// Views and readings of an item have no index of their own; they are found among those of the days
/// around its likes, so that a large ledger is not read through.
pub(super) const OTHERS: &str = "
    SELECT attempt.kind, attempt.call, attempt.claimed_at, attempt.settled_at, attempt.outcome,
           attempt.detail, run.started_at
    FROM attempt LEFT JOIN run ON run.id = attempt.run
    WHERE attempt.account = :account AND attempt.kind = :kind
      AND attempt.stands_at BETWEEN :since AND :until AND attempt.item_pk = :item";

/// A view comes before the like, and no story lives longer.
const BEFORE: Duration = Duration::from_hours(48);

/// The reading that tells what became of a like comes with one of the next passes.
const AFTER: Duration = Duration::from_hours(7 * 24);

/// Where attempts that are under way stand.
const UNSETTLED: Timestamp = Timestamp::from_millis(i64::MAX);

/// The requests about an item in order: every like of it whenever it was, and the views and readings
/// from two days before the first like (or from `first_seen_at` on, if that is later or it has no
/// like) until a week after the last.
pub(crate) fn attempts_on(
    connection: &Connection,
    account: AccountId,
    item: Pk,
    first_seen_at: Option<Timestamp>,
) -> Result<Vec<PastAttempt>, Fault> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(PastAttempt {
            kind: row.get(0)?,
            call: row.get(1)?,
            claimed_at: row.get(2)?,
            settled_at: row.get(3)?,
            outcome: row.get(4)?,
            detail: row.get(5)?,
            run_started_at: row.get(6)?,
        })
    };
    let mut likes = connection.prepare_cached(LIKES)?;
    let mut others = connection.prepare_cached(OTHERS)?;
    let mut history: Vec<PastAttempt> = likes
        .query_map(named_params! { ":account": account, ":item": item }, read)?
        .collect::<Result<_, _>>()?;
    let first_like = history.first().map(|like| like.claimed_at.minus(BEFORE));
    let last_like = history.last().map(|like| like.claimed_at);
    let mut ranges = vec![(UNSETTLED, UNSETTLED)];
    // `None` is the least.
    if let Some(since) = first_like.max(first_seen_at) {
        ranges.push((since, last_like.unwrap_or(since).max(since).plus(AFTER)));
    }
    for (since, until) in ranges {
        for kind in [AttemptKind::Read, AttemptKind::StoryView] {
            let bound = named_params! {
                ":account": account, ":kind": kind, ":item": item, ":since": since, ":until": until,
            };
            for attempt in others.query_map(bound, read)? {
                history.push(attempt?);
            }
        }
    }
    history.sort_by_key(|attempt| attempt.claimed_at);
    Ok(history)
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
