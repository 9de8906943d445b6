//! Forgetting. What a later decision may still look at stays: unsettled attempts, open holds, every
//! post and the likes on record for posts, the newest runs that sent something. Attempts, holds and
//! runs go by the older of our clock and the newest attempt, so that a clock set far ahead between
//! two passes cannot wipe the history.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use crate::model::{SHORTEST_HISTORY, Timestamp};
use crate::ports::{Pruned, Retention};

use super::{AccountId, Db, Fault, changes, notices};
use crate::ports::StoreError;

const PRUNE_STORIES: &str = "
    DELETE FROM story
    WHERE account = :account AND expiring_at <= :now AND taken_at <= :taken_before
    RETURNING state IN ('new', 'expired')";

pub(super) const PRUNE_STORY_LIKES: &str = "
    DELETE FROM attempt INDEXED BY attempt_story_like
    WHERE account = :account AND kind = 'like' AND item_kind = 'story' AND stands_at < :horizon";

pub(super) const PRUNE_OTHER_ATTEMPTS: &str = "
    DELETE FROM attempt
    WHERE account = :account AND kind IN ('read', 'story_view', 'login', 'login_code')
      AND stands_at < :horizon";

const PRUNE_HOLDS: &str = "
    DELETE FROM hold
    WHERE account = :account AND since_at < :horizon
      AND coalesce(cleared_at, until_at) < :horizon
      AND coalesce(until_at, cleared_at) < :horizon";

/// Escalation looks at passes in a row that sent something, however long ago they were; ten are more
/// than it ever asks for.
const PRUNE_RUNS: &str = "
    DELETE FROM run
    WHERE account = :account AND started_at < :horizon
      AND id NOT IN (SELECT id FROM run WHERE account = :account AND requests > 0
                     ORDER BY id DESC LIMIT 10)
      AND id <> (SELECT max(id) FROM run WHERE account = :account)";

/// Prunes what has expired; refuses to forget what the limits still count.
pub(crate) fn prune(
    transaction: &Transaction<'_>,
    account: AccountId,
    retention: &Retention,
    now: Timestamp,
) -> Result<Pruned, Fault> {
    // What the limits count is worth more than what whoever asks believes.
    if retention.history_keep < SHORTEST_HISTORY {
        return Err(Fault::bug(format!(
            "cannot prune: history of {} is to be kept, and the limits need more",
            humantime::format_duration(retention.history_keep)
        )));
    }
    let mut pruned = prune_stories(transaction, account, retention, now)?;
    let Some(newest) = newest_settled(transaction, account)? else {
        return Ok(pruned);
    };
    let horizon = newest.min(now).minus(retention.history_keep);
    let delete = |statement: &str| -> Result<u64, Fault> {
        let bound = named_params! { ":account": account, ":horizon": horizon };
        let deleted = transaction.prepare_cached(statement)?.execute(bound)?;
        Ok(deleted as u64)
    };
    pruned.attempts = delete(PRUNE_STORY_LIKES)? + delete(PRUNE_OTHER_ATTEMPTS)?;
    pruned.holds = delete(PRUNE_HOLDS)?;
    pruned.runs = delete(PRUNE_RUNS)?;
    notices::prune(transaction, account, horizon)?;
    Ok(pruned)
}

fn prune_stories(
    transaction: &Transaction<'_>,
    account: AccountId,
    retention: &Retention,
    now: Timestamp,
) -> Result<Pruned, Fault> {
    let mut statement = transaction.prepare_cached(PRUNE_STORIES)?;
    let bound = named_params! { ":account": account, ":now": now,
    ":taken_before": now.minus(retention.stories_after) };
    let mut pruned = Pruned::default();
    for missed in statement.query_map(bound, |row| row.get::<_, bool>(0))? {
        pruned.stories += 1;
        pruned.missed += u64::from(missed?);
    }
    Ok(pruned)
}

pub(super) const NEWEST_SETTLED: &str = "
    SELECT stands_at FROM attempt
    WHERE account = :account AND stands_at < 9223372036854775807
    ORDER BY stands_at DESC LIMIT 1";

fn newest_settled(connection: &Connection, account: AccountId) -> Result<Option<Timestamp>, Fault> {
    Ok(connection
        .prepare_cached(NEWEST_SETTLED)?
        .query_row(named_params! { ":account": account }, |row| row.get(0))
        .optional()?)
}

const FORGET_POSTS: &str = "
    DELETE FROM post
    WHERE account = :account AND taken_at < :before";

/// Removes posts taken before `before` and notes that such posts are never liked again.
pub(crate) fn cleanup_posts(
    transaction: &Transaction<'_>,
    account: AccountId,
    before: Timestamp,
) -> Result<u64, Fault> {
    changes::ignore_posts_before(transaction, account, before)?;
    let forgotten = transaction
        .prepare_cached(FORGET_POSTS)?
        .execute(named_params! { ":account": account, ":before": before })?;
    Ok(forgotten as u64)
}

impl Db {
    /// What `work` would do: it is done and undone, so the two can never disagree.
    pub(crate) fn rehearse<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut result = None;
        let undo = self.write(doing, |transaction| {
            result = Some(work(transaction)?);
            Err::<(), _>(Fault::bug("undone on purpose"))
        });
        match (result, undo) {
            (Some(result), _) => Ok(result),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::Bug(format!("cannot {doing}: nothing was done"))),
        }
    }
}
