//! Targets. The operator knows a target by the name they wrote (`listed_as`), the platform by its
//! pk: a rename changes neither, so it is noticed (`username`) and survived. Nothing is deleted.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{ItemKind, Pk, Target, TargetId, TargetTrouble, Timestamp};
use crate::ports::WantedTarget;

use super::{AccountId, Fault};

const ALL: &str = "
    SELECT id, coalesce(listed_as, username), username, pk, origin, enabled, stories, posts, stories_checked_at, posts_checked_at,
           trouble, trouble_count, retry_at, added_at
    FROM target
    WHERE account = :account AND (listed_as IS NOT NULL OR pk IS NOT NULL)
    ORDER BY username, id";

/// Every target, by name.
pub(crate) fn all(connection: &Connection, account: AccountId) -> Result<Vec<Target>, Fault> {
    let mut statement = connection.prepare_cached(ALL)?;
    let targets = statement.query_map(named_params! { ":account": account }, read)?;
    Ok(targets.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Target> {
    Ok(Target {
        id: row.get(0)?,
        listed_as: row.get(1)?,
        username: row.get(2)?,
        pk: row.get(3)?,
        origin: row.get(4)?,
        enabled: row.get(5)?,
        stories: row.get(6)?,
        posts: row.get(7)?,
        stories_checked_at: row.get(8)?,
        posts_checked_at: row.get(9)?,
        trouble: row.get(10)?,
        trouble_count: row.get(11)?,
        retry_at: row.get(12)?,
        added_at: row.get(13)?,
    })
}

const LIST: &str = "
    INSERT INTO target (account, listed_as, username, origin, enabled, stories, posts, added_at)
    VALUES (:account, :name, :name, 'config', :enabled, :stories, :posts, :now)
    ON CONFLICT (account, listed_as) DO UPDATE
    SET enabled = excluded.enabled, stories = excluded.stories, posts = excluded.posts
    WHERE origin = 'config'";

const DISABLE_OTHERS: &str = "
    UPDATE target SET enabled = 0
    WHERE account = :account AND origin = 'config' AND enabled = 1
      AND (listed_as IS NULL OR listed_as NOT IN (SELECT value FROM json_each(:names)))";

/// Brings the configuration's targets in line with `wanted`: adds, changes, disables.
pub(crate) fn sync(
    transaction: &Transaction<'_>,
    account: AccountId,
    wanted: &[WantedTarget],
    now: Timestamp,
) -> Result<(), Fault> {
    for target in wanted {
        transaction.prepare_cached(LIST)?.execute(named_params! {
            ":account": account,
            ":name": target.username,
            ":enabled": target.enabled,
            ":stories": target.stories,
            ":posts": target.posts,
            ":now": now,
        })?;
    }
    let names: Vec<&str> = wanted
        .iter()
        .map(|target| target.username.as_str())
        .collect();
    let names = serde_json::to_string(&names).map_err(|error| Fault::bug(error.to_string()))?;
    transaction
        .prepare_cached(DISABLE_OTHERS)?
        .execute(named_params! { ":account": account, ":names": names })?;
    Ok(())
}

const HOLDER_OF_PK: &str = "
    SELECT id FROM target WHERE account = :account AND pk = :pk AND id <> :target";

const RESOLVE: &str = "
    UPDATE target SET pk = :pk, username = :username WHERE account = :account AND id = :target";

/// The target was looked up. If its pk is known as another target's, the name has moved there: the
/// older row, which has the history, takes the list entry over, and this row ends.
pub(super) fn resolve(
    transaction: &Transaction<'_>,
    account: AccountId,
    target: TargetId,
    pk: Pk,
    username: &str,
) -> Result<(), Fault> {
    let holder: Option<TargetId> = transaction
        .prepare_cached(HOLDER_OF_PK)?
        .query_row(
            named_params! { ":account": account, ":pk": pk, ":target": target },
            |row| row.get(0),
        )
        .optional()?;
    if let Some(holder) = holder {
        hand_over(transaction, account, target, holder)?;
    }
    let resolved = transaction
        .prepare_cached(RESOLVE)?
        .execute(named_params! {
            ":account": account,
            ":target": holder.unwrap_or(target),
            ":pk": pk,
            ":username": username,
        })?;
    exactly_one(resolved, target)
}

const ENTRY: &str = "
    SELECT listed_as, origin, enabled, stories, posts FROM target
    WHERE account = :account AND id = :target";

const LEAVE: &str = "
    UPDATE target SET listed_as = NULL, enabled = 0 WHERE account = :account AND id = :target";

const TAKE_OVER: &str = "
    UPDATE target
    SET listed_as = :listed_as, origin = :origin, enabled = :enabled, stories = :stories,
        posts = :posts
    WHERE account = :account AND id = :target";

/// Moves the list entry of `from` to `to`.
fn hand_over(
    transaction: &Transaction<'_>,
    account: AccountId,
    from: TargetId,
    to: TargetId,
) -> Result<(), Fault> {
    type Entry = (Option<String>, String, bool, bool, bool);
    let (listed_as, origin, enabled, stories, posts): Entry =
        transaction.prepare_cached(ENTRY)?.query_row(
            named_params! { ":account": account, ":target": from },
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )?;
    transaction
        .prepare_cached(LEAVE)?
        .execute(named_params! { ":account": account, ":target": from })?;
    transaction
        .prepare_cached(TAKE_OVER)?
        .execute(named_params! {
            ":account": account,
            ":target": to,
            ":listed_as": listed_as,
            ":origin": origin,
            ":enabled": enabled,
            ":stories": stories,
            ":posts": posts,
        })?;
    Ok(())
}

const RENAME: &str = "
    UPDATE target SET username = :username WHERE account = :account AND id = :target";

/// The target was seen under another name; its pk and its place in the list stay.
pub(super) fn rename(
    transaction: &Transaction<'_>,
    account: AccountId,
    target: TargetId,
    username: &str,
) -> Result<(), Fault> {
    let bound = named_params! { ":account": account, ":target": target, ":username": username };
    exactly_one(transaction.prepare_cached(RENAME)?.execute(bound)?, target)
}

const SET_TROUBLE: &str = "
    UPDATE target SET trouble = :trouble, trouble_count = :count, retry_at = :retry_at
    WHERE account = :account AND id = :target";

/// The target cannot be seen at present: what is wrong, how often in a row, when to look again.
pub(super) fn set_trouble(
    transaction: &Transaction<'_>,
    account: AccountId,
    target: TargetId,
    (trouble, count, retry_at): (TargetTrouble, u32, Timestamp),
) -> Result<(), Fault> {
    let changed = transaction
        .prepare_cached(SET_TROUBLE)?
        .execute(named_params! {
            ":account": account,
            ":target": target,
            ":trouble": trouble,
            ":count": count,
            ":retry_at": retry_at,
        })?;
    exactly_one(changed, target)
}

const CLEAR_TROUBLE: &str = "
    UPDATE target SET trouble = NULL, trouble_count = 0, retry_at = NULL
    WHERE account = :account AND id = :target";

/// The target's trouble is over.
pub(super) fn clear_trouble(
    transaction: &Transaction<'_>,
    account: AccountId,
    target: TargetId,
) -> Result<(), Fault> {
    let changed = transaction
        .prepare_cached(CLEAR_TROUBLE)?
        .execute(named_params! { ":account": account, ":target": target })?;
    exactly_one(changed, target)
}

const STORIES_CHECKED: &str = "
    UPDATE target SET stories_checked_at = :at WHERE account = :account AND id = :target";
const POSTS_CHECKED: &str = "
    UPDATE target SET posts_checked_at = :at WHERE account = :account AND id = :target";

/// The target's items of a kind were listed completely.
pub(super) fn checked(
    transaction: &Transaction<'_>,
    account: AccountId,
    target: TargetId,
    kind: ItemKind,
    at: Timestamp,
) -> Result<(), Fault> {
    let mut statement = transaction.prepare_cached(match kind {
        ItemKind::Story => STORIES_CHECKED,
        ItemKind::Post => POSTS_CHECKED,
    })?;
    let bound = named_params! { ":account": account, ":target": target, ":at": at };
    exactly_one(statement.execute(bound)?, target)
}

fn exactly_one(changed: usize, target: TargetId) -> Result<(), Fault> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::bug(format!("target {} does not exist", target.0)))
    }
}
