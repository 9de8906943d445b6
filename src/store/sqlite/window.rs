//! Rolling windows as queries. A row stands where it was settled, an unsettled one later than any
//! moment; it counts while it stands at or after `now - span`, also in the future. A query reads at
//! most as many index entries as the limit allows, however long the ledger is.

use rusqlite::{CachedStatement, Connection, named_params};

use crate::model::{AttemptKind, Scope, ScopedLimit, Timestamp};

use super::{AccountId, Fault};

pub(super) const REQUESTS: &str = "
    SELECT stands_at FROM attempt
    WHERE account = :account AND stands_at >= :since
    ORDER BY stands_at DESC LIMIT :most OFFSET :skip";

pub(super) const OF_KIND: &str = "
    SELECT stands_at FROM attempt
    WHERE account = :account AND kind = :kind AND stands_at >= :since
    ORDER BY stands_at DESC LIMIT :most OFFSET :skip";

pub(super) const TARGET_LIKES: &str = "
    SELECT stands_at FROM attempt
    WHERE account = :account AND kind = 'like' AND target = :target AND stands_at >= :since
    ORDER BY stands_at DESC LIMIT :most OFFSET :skip";

/// Binds and steps `statement` over the newest rows of the window, `skip` of them left out.
fn standing(
    connection: &Connection,
    account: AccountId,
    limit: &ScopedLimit,
    now: Timestamp,
    (skip, most): (u32, u32),
) -> rusqlite::Result<Vec<Timestamp>> {
    let since = now.minus(limit.limit.span);
    let read = |row: &rusqlite::Row<'_>| row.get(0);
    let of_kind = |mut statement: CachedStatement<'_>, kind: AttemptKind| {
        let bound = named_params! {
        ":account": account, ":kind": kind, ":since": since, ":most": most, ":skip": skip };
        statement.query_map(bound, read)?.collect()
    };
    match limit.scope {
        Scope::Requests => {
            let mut statement = connection.prepare_cached(REQUESTS)?;
            let bound = named_params! {
            ":account": account, ":since": since, ":most": most, ":skip": skip };
            statement.query_map(bound, read)?.collect()
        }
        Scope::StoryViews => of_kind(connection.prepare_cached(OF_KIND)?, AttemptKind::StoryView),
        Scope::Likes => of_kind(connection.prepare_cached(OF_KIND)?, AttemptKind::Like),
        Scope::Logins => of_kind(connection.prepare_cached(OF_KIND)?, AttemptKind::Login),
        Scope::TargetLikes(target) => {
            let mut statement = connection.prepare_cached(TARGET_LIKES)?;
            let bound = named_params! { ":account": account, ":target": target,
            ":since": since, ":most": most, ":skip": skip };
            statement.query_map(bound, read)?.collect()
        }
    }
}

/// Whether the window has no room for one more.
pub(super) fn is_full(
    connection: &Connection,
    account: AccountId,
    limit: &ScopedLimit,
    now: Timestamp,
) -> Result<bool, Fault> {
    let last_place = limit.limit.count.saturating_sub(1);
    Ok(!standing(connection, account, limit, now, (last_place, 1))?.is_empty())
}

/// Where the rows of the window stand, newest first, at most as many as the limit allows.
pub(super) fn rows(
    connection: &Connection,
    account: AccountId,
    limit: &ScopedLimit,
    now: Timestamp,
) -> Result<Vec<Timestamp>, Fault> {
    Ok(standing(
        connection,
        account,
        limit,
        now,
        (0, limit.limit.count),
    )?)
}
