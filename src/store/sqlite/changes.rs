//! What became known, row by row. Each caller wraps it in one transaction.

use rusqlite::{Transaction, named_params};

use crate::model::Timestamp;
use crate::ports::Change;

use super::{AccountId, Fault, holds, items, ledger, session, targets};
use crate::store::seal::Vault;

/// Stores `changes` in their order.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    account: AccountId,
    vault: &Vault,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), Fault> {
    for change in changes {
        match change {
            Change::Proved { myself, at } => session::prove(transaction, account, myself, *at)?,
            Change::SessionObtained { session, at } => {
                session::replace(transaction, account, vault, session, *at)?;
            }
            Change::SessionAlive(at) => session::alive(transaction, account, *at)?,
            Change::SessionDead => session::forget(transaction, account)?,
            Change::Device { device, replace } => {
                session::set_device(transaction, account, device, *replace)?;
            }
            Change::TargetResolved {
                target,
                pk,
                username,
            } => targets::resolve(transaction, account, *target, *pk, username)?,
            Change::TargetRenamed { target, username } => {
                targets::rename(transaction, account, *target, username)?;
            }
            Change::TargetTrouble {
                target,
                trouble,
                count,
                retry_at,
            } => {
                targets::set_trouble(transaction, account, *target, (*trouble, *count, *retry_at))?;
            }
            Change::TargetFine { target } => targets::clear_trouble(transaction, account, *target)?,
            Change::Checked { target, kind, at } => {
                targets::checked(transaction, account, *target, *kind, *at)?;
            }
            Change::Item(item) => items::put(transaction, account, item, now)?,
            Change::Disproved { item } => ledger::disprove(transaction, account, *item)?,
            Change::HoldCleared { hold, by } => {
                holds::clear(transaction, account, *hold, by, now)?;
            }
            Change::IgnorePostsBefore(before) => {
                ignore_posts_before(transaction, account, *before)?;
            }
        }
    }
    Ok(())
}

/// An earlier date takes nothing back: the rows of the posts between the two are gone, and with them
/// what was known, so that old posts would count as new ones.
const IGNORE_POSTS: &str = "
    UPDATE account SET ignore_posts_before = max(:before, coalesce(ignore_posts_before, :before))
    WHERE id = :account";

/// Posts older than `before` are never liked again.
pub(super) fn ignore_posts_before(
    transaction: &Transaction<'_>,
    account: AccountId,
    before: Timestamp,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(IGNORE_POSTS)?
        .execute(named_params! { ":account": account, ":before": before })?;
    Ok(())
}
