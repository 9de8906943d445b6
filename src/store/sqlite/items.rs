//! Stories and posts. Two tables with separate lives, one type for the callers: every statement
//! stands here twice, once for each table. The column `claimed_at` holds what
//! [`LedgerItem::like_arrived_by`] says.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{Item, ItemId, ItemKind, ItemState, LedgerItem, Pk, TargetId, Timestamp};

use super::{AccountId, Fault};

const KNOWN_STORIES: &str = "
    SELECT media_pk, owner_pk, code, taken_at, expiring_at, has_liked, 0, target, state, tries,
           viewed_at, claimed_at, unliked_read_at
    FROM story
    WHERE account = :account AND media_pk IN (SELECT value FROM json_each(:media))
    ORDER BY media_pk";

const KNOWN_POSTS: &str = "
    SELECT media_pk, owner_pk, code, taken_at, NULL, has_liked, pinned, target, state, tries,
           NULL, claimed_at, unliked_read_at
    FROM post
    WHERE account = :account AND media_pk IN (SELECT value FROM json_each(:media))
    ORDER BY media_pk";

/// What the ledger knows of these media.
pub(crate) fn known(
    connection: &Connection,
    account: AccountId,
    kind: ItemKind,
    media: &[Pk],
) -> Result<Vec<LedgerItem>, Fault> {
    let numbers: Vec<i64> = media.iter().map(|pk| pk.get()).collect();
    let mut statement = connection.prepare_cached(match kind {
        ItemKind::Story => KNOWN_STORIES,
        ItemKind::Post => KNOWN_POSTS,
    })?;
    let items = statement.query_map(
        named_params! { ":account": account, ":media": json(&numbers)? },
        |row| read(row, kind),
    )?;
    Ok(items.collect::<Result<_, _>>()?)
}

pub(super) const STORIES_IN: &str = "
    SELECT media_pk, owner_pk, code, taken_at, expiring_at, has_liked, 0, target, state, tries,
           viewed_at, claimed_at, unliked_read_at
    FROM story
    WHERE account = :account AND target = :target
      AND state IN (SELECT value FROM json_each(:states))
    ORDER BY expiring_at, taken_at DESC, media_pk
    LIMIT :most";

pub(super) const POSTS_IN: &str = "
    SELECT media_pk, owner_pk, code, taken_at, NULL, has_liked, pinned, target, state, tries,
           NULL, claimed_at, unliked_read_at
    FROM post
    WHERE account = :account AND target = :target
      AND state IN (SELECT value FROM json_each(:states))
    ORDER BY taken_at DESC, media_pk
    LIMIT :most";

/// A target's items of these states, soonest to expire first, then newest first.
pub(crate) fn in_states(
    connection: &Connection,
    account: AccountId,
    target: TargetId,
    kind: ItemKind,
    states: &[ItemState],
    most: u32,
) -> Result<Vec<LedgerItem>, Fault> {
    let mut statement = connection.prepare_cached(match kind {
        ItemKind::Story => STORIES_IN,
        ItemKind::Post => POSTS_IN,
    })?;
    let bound = named_params! {
    ":account": account, ":target": target, ":states": json(states)?, ":most": most };
    let items = statement.query_map(bound, |row| read(row, kind))?;
    Ok(items.collect::<Result<_, _>>()?)
}

const NEWEST_STORIES: &str = "
    SELECT media_pk, owner_pk, code, taken_at, expiring_at, has_liked, 0, target, state, tries,
           viewed_at, claimed_at, unliked_read_at
    FROM story
    WHERE account = :account AND target = :target
    ORDER BY taken_at DESC
    LIMIT :most";

const NEWEST_POSTS: &str = "
    SELECT media_pk, owner_pk, code, taken_at, NULL, has_liked, pinned, target, state, tries,
           NULL, claimed_at, unliked_read_at
    FROM post
    WHERE account = :account AND target = :target
    ORDER BY taken_at DESC
    LIMIT :most";

/// A target's newest items, whatever their state.
pub(super) fn newest(
    connection: &Connection,
    account: AccountId,
    target: TargetId,
    kind: ItemKind,
    most: u32,
) -> Result<Vec<LedgerItem>, Fault> {
    let mut statement = connection.prepare_cached(match kind {
        ItemKind::Story => NEWEST_STORIES,
        ItemKind::Post => NEWEST_POSTS,
    })?;
    let bound = named_params! { ":account": account, ":target": target, ":most": most };
    let items = statement.query_map(bound, |row| read(row, kind))?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// A list as one bound parameter.
fn json<T: serde::Serialize>(list: &[T]) -> Result<String, Fault> {
    serde_json::to_string(list).map_err(|error| Fault::bug(error.to_string()))
}

fn read(row: &Row<'_>, kind: ItemKind) -> rusqlite::Result<LedgerItem> {
    let id = ItemId {
        media: row.get(0)?,
        owner: row.get(1)?,
    };
    let item = Item {
        kind,
        id,
        code: row.get(2)?,
        taken_at: row.get(3)?,
        expiring_at: row.get(4)?,
        has_liked: row.get(5)?,
        pinned: row.get(6)?,
    };
    Ok(LedgerItem {
        item,
        target: row.get(7)?,
        state: row.get(8)?,
        tries: row.get(9)?,
        viewed_at: row.get(10)?,
        like_arrived_by: row.get(11)?,
        unliked_read_at: row.get(12)?,
    })
}

const PUT_STORY: &str = "
    INSERT INTO story (account, media_pk, owner_pk, target, code, taken_at, expiring_at, has_liked,
                       state, tries, viewed_at, claimed_at, unliked_read_at, first_seen_at)
    VALUES (:account, :media, :owner, :target, :code, :taken_at, :expiring_at, :has_liked,
            :state, :tries, :viewed_at, :like_arrived_by, :unliked_read_at, :now)
    ON CONFLICT (account, media_pk) DO UPDATE
    SET owner_pk = excluded.owner_pk, target = excluded.target, code = excluded.code,
        taken_at = excluded.taken_at, expiring_at = excluded.expiring_at,
        has_liked = excluded.has_liked, state = excluded.state, tries = excluded.tries,
        viewed_at = excluded.viewed_at, claimed_at = excluded.claimed_at,
        unliked_read_at = excluded.unliked_read_at";

const PUT_POST: &str = "
    INSERT INTO post (account, media_pk, owner_pk, target, code, taken_at, has_liked, pinned,
                      state, tries, claimed_at, unliked_read_at, first_seen_at)
    VALUES (:account, :media, :owner, :target, :code, :taken_at, :has_liked, :pinned,
            :state, :tries, :like_arrived_by, :unliked_read_at, :now)
    ON CONFLICT (account, media_pk) DO UPDATE
    SET owner_pk = excluded.owner_pk, target = excluded.target, code = excluded.code,
        taken_at = excluded.taken_at, has_liked = excluded.has_liked, pinned = excluded.pinned,
        state = excluded.state, tries = excluded.tries, claimed_at = excluded.claimed_at,
        unliked_read_at = excluded.unliked_read_at";

/// Inserts the item, or overwrites what was known of it.
pub(super) fn put(
    transaction: &Transaction<'_>,
    account: AccountId,
    known: &LedgerItem,
    now: Timestamp,
) -> Result<(), Fault> {
    let item = &known.item;
    match item.kind {
        ItemKind::Story => {
            let Some(expiring_at) = item.expiring_at else {
                return Err(Fault::bug(format!("story {} has no end", item.id)));
            };
            transaction
                .prepare_cached(PUT_STORY)?
                .execute(named_params! {
                    ":account": account,
                    ":media": item.id.media,
                    ":owner": item.id.owner,
                    ":target": known.target,
                    ":code": item.code,
                    ":taken_at": item.taken_at,
                    ":expiring_at": expiring_at,
                    ":has_liked": item.has_liked,
                    ":state": known.state,
                    ":tries": known.tries,
                    ":viewed_at": known.viewed_at,
                    ":like_arrived_by": known.like_arrived_by,
                    ":unliked_read_at": known.unliked_read_at,
                    ":now": now,
                })?;
        }
        ItemKind::Post => {
            transaction
                .prepare_cached(PUT_POST)?
                .execute(named_params! {
                    ":account": account,
                    ":media": item.id.media,
                    ":owner": item.id.owner,
                    ":target": known.target,
                    ":code": item.code,
                    ":taken_at": item.taken_at,
                    ":has_liked": item.has_liked,
                    ":pinned": item.pinned,
                    ":state": known.state,
                    ":tries": known.tries,
                    ":like_arrived_by": known.like_arrived_by,
                    ":unliked_read_at": known.unliked_read_at,
                    ":now": now,
                })?;
        }
    }
    Ok(())
}

const STORY_READ_AT: &str =
    "SELECT unliked_read_at FROM story WHERE account = :account AND media_pk = :item";
const POST_READ_AT: &str =
    "SELECT unliked_read_at FROM post WHERE account = :account AND media_pk = :item";

/// When the newest reading was sent that explicitly said "not liked".
pub(super) fn unliked_read_at(
    connection: &Connection,
    account: AccountId,
    kind: ItemKind,
    item: Pk,
) -> Result<Option<Timestamp>, Fault> {
    let mut statement = connection.prepare_cached(match kind {
        ItemKind::Story => STORY_READ_AT,
        ItemKind::Post => POST_READ_AT,
    })?;
    let bound = named_params! { ":account": account, ":item": item };
    let read_at: Option<Option<Timestamp>> =
        statement.query_row(bound, |row| row.get(0)).optional()?;
    Ok(read_at.flatten())
}

const MARK_STORY: &str = "
    UPDATE story SET state = :state, claimed_at = :like_arrived_by
    WHERE account = :account AND media_pk = :item";
const MARK_POST: &str = "
    UPDATE post SET state = :state, claimed_at = :like_arrived_by
    WHERE account = :account AND media_pk = :item";

/// Sets where the item stands, and by when its like arrived. Returns whether the ledger has the item.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    account: AccountId,
    (kind, item): (ItemKind, Pk),
    (state, like_arrived_by): (ItemState, Timestamp),
) -> Result<bool, Fault> {
    let mut statement = transaction.prepare_cached(match kind {
        ItemKind::Story => MARK_STORY,
        ItemKind::Post => MARK_POST,
    })?;
    let bound = named_params! {
    ":account": account, ":item": item, ":state": state, ":like_arrived_by": like_arrived_by };
    Ok(statement.execute(bound)? == 1)
}

const VIEWED_STORY: &str = "
    UPDATE story SET viewed_at = :now WHERE account = :account AND media_pk = :item";

/// A view of the story may have been accepted.
pub(super) fn mark_viewed(
    transaction: &Transaction<'_>,
    account: AccountId,
    item: Pk,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(VIEWED_STORY)?
        .execute(named_params! { ":account": account, ":item": item, ":now": now })?;
    Ok(())
}
