//! What `status` shows beyond the rows themselves. No query here reads all attempts.

use rusqlite::{Connection, named_params};
use serde::Serialize;

use crate::model::{ItemKind, ItemState, RequestCount, RunId, ScopedLimit, Timestamp};

use super::{AccountId, Fault, codec::unsigned, window};

/// How many items stand where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemCount {
    /// Story or post.
    pub kind: ItemKind,
    /// Where they stand.
    pub state: ItemState,
    /// How many.
    pub count: u64,
}

/// Posts stay for ever, and most of them are done with: only those that are not are counted, target
/// by target, which the index can do without reading the others.
const ITEM_COUNTS: &str = "
    SELECT 'story', state, count(*) FROM story WHERE account = :account GROUP BY state
    UNION ALL
    SELECT 'post', post.state, count(*)
    FROM target CROSS JOIN post ON post.account = target.account AND post.target = target.id
    WHERE target.account = :account AND post.state IN ('new', 'claimed', 'unknown', 'failed')
    GROUP BY post.state";

/// Stories, and posts that are not done with, by state; states without items are left out.
pub(crate) fn item_counts(
    connection: &Connection,
    account: AccountId,
) -> Result<Vec<ItemCount>, Fault> {
    let mut statement = connection.prepare_cached(ITEM_COUNTS)?;
    let counts = statement.query_map(named_params! { ":account": account }, |row| {
        Ok(ItemCount {
            kind: row.get(0)?,
            state: row.get(1)?,
            count: unsigned(row, 2)?,
        })
    })?;
    Ok(counts.collect::<Result<_, _>>()?)
}

pub(super) const REQUESTS_SINCE: &str = "
    SELECT kind, outcome FROM attempt
    WHERE account = :account AND stands_at >= :since AND (:run IS NULL OR run = :run)";

/// How the requests since `since` ended, those of one run or all: settled then or later, or not
/// settled.
pub(crate) fn request_counts(
    connection: &Connection,
    account: AccountId,
    run: Option<RunId>,
    since: Timestamp,
) -> Result<Vec<RequestCount>, Fault> {
    let mut statement = connection.prepare_cached(REQUESTS_SINCE)?;
    let bound = named_params! { ":account": account, ":run": run, ":since": since };
    let mut rows = statement.query(bound)?;
    let mut counts: Vec<RequestCount> = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, outcome) = (row.get(0)?, row.get(1)?);
        let same = |found: &&mut RequestCount| (found.kind, found.outcome) == (kind, outcome);
        match counts.iter_mut().find(same) {
            Some(found) => found.count += 1,
            None => counts.push(RequestCount {
                kind,
                outcome,
                count: 1,
            }),
        }
    }
    Ok(counts)
}

/// How far a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUse {
    /// The limit.
    pub limit: ScopedLimit,
    /// How many attempts the window holds; never more than the limit's count.
    pub used: u32,
    /// When there is room again, if there is none now and nothing more is sent.
    pub room_at: Option<Timestamp>,
}

/// How far each limit is used at `now`.
pub(crate) fn windows(
    connection: &Connection,
    account: AccountId,
    limits: &[ScopedLimit],
    now: Timestamp,
) -> Result<Vec<WindowUse>, Fault> {
    let mut windows = Vec::with_capacity(limits.len());
    for limit in limits {
        let rows = window::rows(connection, account, limit, now)?;
        let used = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let is_full = used >= limit.limit.count;
        // The interval is closed: a row leaves one millisecond after its span.
        let leaves = |stands_at: &Timestamp| {
            // One that is not settled stands at the present moment, whenever that is.
            let stands_at = if stands_at.as_millis() == i64::MAX {
                now
            } else {
                *stands_at
            };
            let end = stands_at.plus(limit.limit.span);
            Timestamp::from_millis(end.as_millis().saturating_add(1))
        };
        windows.push(WindowUse {
            limit: *limit,
            used,
            room_at: rows.last().filter(|_| is_full).map(leaves),
        });
    }
    Ok(windows)
}

/// How large the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes of these that will be used again before the file grows.
    pub free_bytes: u64,
}

const SIZE: &str = "
    SELECT page_count * page_size, freelist_count * page_size
    FROM pragma_page_count(), pragma_page_size(), pragma_freelist_count()";

/// The file's size.
pub(crate) fn size(connection: &Connection) -> Result<FileSize, Fault> {
    Ok(connection.query_row(SIZE, [], |row| {
        Ok(FileSize {
            bytes: unsigned(row, 0)?,
            free_bytes: unsigned(row, 1)?,
        })
    })?)
}
