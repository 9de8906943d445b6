//! The account row: who it is, its device and its login session. The first proof of life pins the
//! account's pk; from then on no session of anyone else is accepted.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{Account, Device, Pk, ProfileName, Secret, Session, Timestamp};
use crate::ports::{Myself, StoreError};

use super::scrub::scrub;
use super::{AccountId, Fault};
use crate::store::seal::{Stored, Vault};

const FIND: &str = "SELECT id FROM account WHERE profile = :profile";

/// The row of this profile, if it has one.
pub(crate) fn find(
    connection: &Connection,
    profile: &ProfileName,
) -> Result<Option<AccountId>, Fault> {
    let mut statement = connection.prepare_cached(FIND)?;
    let bound = named_params! { ":profile": profile.as_str() };
    Ok(statement.query_row(bound, |row| row.get(0)).optional()?)
}

const ENROL: &str = "
    INSERT INTO account (profile, checked_at) VALUES (:profile, :checked_at)
    ON CONFLICT (profile) DO UPDATE SET checked_at = coalesce(excluded.checked_at, checked_at)
    RETURNING id";

/// The row of this profile, made if it has none. Remembers when the file was found undamaged.
pub(crate) fn enrol(
    transaction: &Transaction<'_>,
    profile: &ProfileName,
    checked_at: Option<Timestamp>,
) -> Result<AccountId, Fault> {
    let bound = named_params! { ":profile": profile.as_str(), ":checked_at": checked_at };
    let mut statement = transaction.prepare_cached(ENROL)?;
    Ok(statement.query_row(bound, |row| row.get(0))?)
}

const ACCOUNT: &str = "
    SELECT account.pk, account.username, account.device, account.ignore_posts_before,
           session.pk, session.obtained_at, session.proved_at
    FROM account LEFT JOIN session ON session.account = account.id
    WHERE account.id = :account";

/// What is known of the account. The content of its session is left out.
pub(crate) fn account(
    connection: &Connection,
    account: AccountId,
    profile: &ProfileName,
) -> Result<Account, Fault> {
    let read = |row: &Row<'_>| {
        let closed = |pk| Session {
            pk,
            json: Secret::default(),
        };
        Ok(Account {
            profile: profile.clone(),
            pk: row.get(0)?,
            username: row.get(1)?,
            device: row.get::<_, Option<String>>(2)?.map(|json| Device { json }),
            ignore_posts_before: row.get(3)?,
            session: row.get::<_, Option<Pk>>(4)?.map(closed),
            session_since: row.get(5)?,
            session_proved_at: row.get(6)?,
        })
    };
    let mut statement = connection.prepare_cached(ACCOUNT)?;
    Ok(statement.query_row(named_params! { ":account": account }, read)?)
}

const CONTENT: &str = "SELECT pk, format, content FROM session WHERE account = :account";

/// The session as it is stored.
pub(crate) fn stored(connection: &Connection, account: AccountId) -> Result<Option<Stored>, Fault> {
    let read = |row: &Row<'_>| {
        Ok(Stored {
            pk: row.get(0)?,
            format: row.get(1)?,
            content: Secret::new(row.get::<_, String>(2)?),
        })
    };
    let mut statement = connection.prepare_cached(CONTENT)?;
    Ok(statement
        .query_row(named_params! { ":account": account }, read)
        .optional()?)
}

const PINNED: &str = "SELECT pk, profile FROM account WHERE id = :account";

/// Refuses a session of anyone but the pinned account.
fn refuse_other(transaction: &Transaction<'_>, account: AccountId, pk: Pk) -> Result<(), Fault> {
    let (pinned, profile): (Option<Pk>, String) = transaction
        .prepare_cached(PINNED)?
        .query_row(named_params! { ":account": account }, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    match pinned {
        Some(pinned) if pinned != pk => Err(Fault::Store(StoreError::Config(format!(
            "this session belongs to account {pk}, but profile {profile} has been account {pinned} \
             so far; nothing was stored: use another profile (--profile NAME) for the other account"
        )))),
        _ => refuse_shared(transaction, account, pk),
    }
}

const OTHER_PROFILE: &str = "
    SELECT account.profile FROM account LEFT JOIN session ON session.account = account.id
    WHERE account.id <> :account AND (account.pk = :pk OR session.pk = :pk)";

/// Refuses an account that another profile of this file is pinned to or has a session of: each profile counts its own
/// windows, so two of them for one account would double every limit.
fn refuse_shared(transaction: &Transaction<'_>, account: AccountId, pk: Pk) -> Result<(), Fault> {
    let other: Option<String> = transaction
        .prepare_cached(OTHER_PROFILE)?
        .query_row(named_params! { ":pk": pk, ":account": account }, |row| {
            row.get(0)
        })
        .optional()?;
    match other {
        Some(profile) => Err(Fault::Store(StoreError::Config(format!(
            "account {pk} belongs to profile {profile} in this database; nothing was stored: two \
             profiles for one account would each count on their own and double every limit; use \
             --profile {profile}"
        )))),
        None => Ok(()),
    }
}

/// A plain session never takes the place of a sealed one.
const UPDATE: &str = "
    INSERT INTO session (account, pk, format, content, obtained_at)
    VALUES (:account, :pk, :format, :content, :now)
    ON CONFLICT (account) DO UPDATE
    SET pk = excluded.pk, format = excluded.format, content = excluded.content
    WHERE session.format = 0 OR excluded.format > 0";

/// Stores the session as a reply's state headers left it.
pub(super) fn update(
    transaction: &Transaction<'_>,
    account: AccountId,
    vault: &Vault,
    session: &Session,
    now: Timestamp,
) -> Result<(), Fault> {
    put(transaction, account, vault, session, (UPDATE, now))
}

const REPLACE: &str = "
    INSERT INTO session (account, pk, format, content, obtained_at)
    VALUES (:account, :pk, :format, :content, :now)
    ON CONFLICT (account) DO UPDATE
    SET pk = excluded.pk, format = excluded.format, content = excluded.content,
        obtained_at = excluded.obtained_at, proved_at = NULL
    WHERE session.format = 0 OR excluded.format > 0";

/// Stores a new session in place of any other.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    account: AccountId,
    vault: &Vault,
    session: &Session,
    at: Timestamp,
) -> Result<(), Fault> {
    put(transaction, account, vault, session, (REPLACE, at))
}

fn put(
    transaction: &Transaction<'_>,
    account: AccountId,
    vault: &Vault,
    session: &Session,
    (statement, at): (&str, Timestamp),
) -> Result<(), Fault> {
    refuse_other(transaction, account, session.pk)?;
    let stored = vault.put(session)?;
    let was_plain = is_plain(transaction, account)?;
    let changed = transaction
        .prepare_cached(statement)?
        .execute(named_params! {
        ":account": account, ":pk": stored.pk, ":format": stored.format,
        ":content": stored.content.expose(), ":now": at })?;
    if changed == 0 {
        return Err(vault.refuse_plain().into());
    }
    if was_plain && !is_plain(transaction, account)? {
        scrub(transaction)?;
    }
    Ok(())
}

const IS_PLAIN: &str =
    "SELECT EXISTS (SELECT 1 FROM session WHERE account = :account AND format = 0)";

fn is_plain(transaction: &Transaction<'_>, account: AccountId) -> Result<bool, Fault> {
    let mut statement = transaction.prepare_cached(IS_PLAIN)?;
    Ok(statement.query_row(named_params! { ":account": account }, |row| row.get(0))?)
}

const RESEAL: &str =
    "UPDATE session SET format = :format, content = :content WHERE account = :account";

/// Stores the same session in another form.
pub(crate) fn reseal(
    transaction: &Transaction<'_>,
    account: AccountId,
    stored: &Stored,
) -> Result<(), Fault> {
    transaction.prepare_cached(RESEAL)?.execute(named_params! {
    ":account": account, ":format": stored.format, ":content": stored.content.expose() })?;
    if is_plain(transaction, account)? {
        return Ok(());
    }
    scrub(transaction)
}

const ALIVE: &str = "UPDATE session SET proved_at = :at WHERE account = :account";

/// A reply showed that the session was alive. Without a session there is nothing to note.
pub(super) fn alive(
    transaction: &Transaction<'_>,
    account: AccountId,
    at: Timestamp,
) -> Result<(), Fault> {
    let bound = named_params! { ":account": account, ":at": at };
    transaction.prepare_cached(ALIVE)?.execute(bound)?;
    Ok(())
}

const FORGET: &str = "DELETE FROM session WHERE account = :account";

/// Forgets the session; the device stays.
pub(crate) fn forget(transaction: &Transaction<'_>, account: AccountId) -> Result<(), Fault> {
    transaction
        .prepare_cached(FORGET)?
        .execute(named_params! { ":account": account })?;
    scrub(transaction)
}

const PIN: &str = "UPDATE account SET pk = :pk, username = :username WHERE id = :account";
const PROVE: &str = "UPDATE session SET proved_at = :at WHERE account = :account";

/// The session was proved alive.
pub(super) fn prove(
    transaction: &Transaction<'_>,
    account: AccountId,
    myself: &Myself,
    at: Timestamp,
) -> Result<(), Fault> {
    refuse_other(transaction, account, myself.pk)?;
    transaction.prepare_cached(PIN)?.execute(named_params! {
    ":account": account, ":pk": myself.pk, ":username": myself.username })?;
    transaction
        .prepare_cached(PROVE)?
        .execute(named_params! { ":account": account, ":at": at })?;
    Ok(())
}

const SET_DEVICE: &str = "
    UPDATE account SET device = :device
    WHERE id = :account AND (device IS NULL OR :replace)";

/// Stores the device, if there is none or it may replace another.
pub(super) fn set_device(
    transaction: &Transaction<'_>,
    account: AccountId,
    device: &Device,
    replace: bool,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(SET_DEVICE)?
        .execute(named_params! {
        ":account": account, ":device": device.json, ":replace": replace })?;
    Ok(())
}
