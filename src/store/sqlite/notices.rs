//! Notices: what changed between well and not, and who has been told.
//!
//! What changed is read off the rows of holds, session and runs, in the transaction that ends a run:
//! either the run's end and all it changed are on record, or neither is, and the next pass finds the
//! same changes again. The state before is the newest notice itself, so that a state that stays is
//! told once, a database with a long history has nothing to tell but its present state, and nothing
//! has to be remembered while nobody wants to be told.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{
    Channel, HoldReason, Notice, NoticeId, NoticeKind, RunId, Timestamp, Undelivered, Verdict,
};
use crate::ports::RunEnd;

use super::{AccountId, Fault};

/// A hold that waits for a person, as far as a notice tells of it.
struct Waiting {
    id: i64,
    since: Timestamp,
    reason: HoldReason,
    message: String,
}

pub(super) const WAITING: &str = "
    SELECT id, since_at, reason, message FROM hold
    WHERE account = :account AND cleared_at IS NULL AND until_at IS NULL
    ORDER BY id";

/// Records what changed, as the run that ends at `now` shows it.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    account: AccountId,
    (run, end): (RunId, &RunEnd),
    channels: &[Channel],
    now: Timestamp,
) -> Result<(), Fault> {
    let mut waiting = transaction.prepare_cached(WAITING)?;
    let waiting = waiting.query_map(named_params! { ":account": account }, |row| {
        Ok(Waiting {
            id: row.get(0)?,
            since: row.get(1)?,
            reason: row.get(2)?,
            message: row.get(3)?,
        })
    })?;
    let waiting: Vec<Waiting> = waiting.collect::<Result<_, _>>()?;
    let of_run = |kind, subject| New {
        kind,
        subject,
        happened_at: now,
        reason: None,
        message: end.stop.clone(),
    };
    let noting = Noting {
        transaction,
        account,
        exit_code: end.exit_code,
        channels,
        now,
    };
    // What ended comes before what began.
    for cleared in noting.cleared()? {
        noting.add(&cleared)?;
    }
    let proved = noting.session_proved()?;
    let lost_to = waiting.iter().find(|hold| hold.reason.about_session());
    let last = noting.last(&[NoticeKind::SessionLost, NoticeKind::SessionBack])?;
    let was_lost = last.filter(|(_, kind)| *kind == NoticeKind::SessionLost);
    let is_lost = lost_to.is_some() || proved.is_none();
    if let Some((lost, _)) = was_lost
        && lost_to.is_none()
        && proved == Some(true)
    {
        let message = "there is a session again, and Instagram answers it".to_owned();
        noting.add(&New {
            message,
            ..of_run(NoticeKind::SessionBack, lost.0)
        })?;
    }
    for hold in waiting.iter().filter(|hold| !hold.reason.about_session()) {
        noting.add(&New::of_hold(NoticeKind::HoldAppeared, hold))?;
    }
    match lost_to {
        // A new session may be lost before it was proved, and nobody was told that it was there.
        Some(hold) => noting.add(&New::of_hold(NoticeKind::SessionLost, hold))?,
        None if is_lost && was_lost.is_none() => {
            noting.add(&of_run(NoticeKind::SessionLost, run.0))?;
        }
        None => {}
    }
    // A pass that fails because of one of these has been told of; its failure is no second thing.
    let is_told = !waiting.is_empty() || is_lost;
    let last = noting.last(&NoticeKind::ALL)?;
    match (end.verdict, last) {
        (Verdict::Failed, last)
            if !is_told && last.is_none_or(|(_, kind)| kind != NoticeKind::Failure) =>
        {
            noting.add(&of_run(NoticeKind::Failure, run.0))
        }
        (Verdict::Worked, Some((last, kind))) if !is_told && kind != NoticeKind::Recovery => {
            let recovery = of_run(NoticeKind::Recovery, last.0);
            noting.add(&New {
                message: format!("the first pass that works again: {}", recovery.message),
                ..recovery
            })
        }
        _ => Ok(()),
    }
}

/// A notice before it is stored.
struct New {
    kind: NoticeKind,
    subject: i64,
    happened_at: Timestamp,
    reason: Option<HoldReason>,
    message: String,
}

impl New {
    fn of_hold(kind: NoticeKind, hold: &Waiting) -> Self {
        Self {
            kind,
            subject: hold.id,
            happened_at: hold.since,
            reason: Some(hold.reason),
            message: hold.message.clone(),
        }
    }
}

struct Noting<'t> {
    transaction: &'t Transaction<'t>,
    account: AccountId,
    exit_code: u8,
    channels: &'t [Channel],
    now: Timestamp,
}

pub(super) const CLEARED: &str = "
    SELECT hold.id, hold.cleared_at, hold.reason, hold.cleared_by
    FROM notice CROSS JOIN hold ON hold.id = notice.subject
    WHERE notice.account = :account AND notice.kind = 'hold_appeared'
      AND hold.account = :account AND hold.since_at = notice.happened_at
      AND hold.cleared_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM notice AS told
                      WHERE told.account = :account AND told.kind = 'hold_cleared'
                        AND told.subject = hold.id AND told.happened_at = hold.cleared_at)
    ORDER BY hold.id";

pub(super) const LAST: &str = "
    SELECT id, kind FROM notice WHERE account = :account ORDER BY id DESC";

const SESSION_PROVED: &str = "
    SELECT proved_at IS NOT NULL FROM session WHERE account = :account";

const ADD: &str = "
    INSERT INTO notice
        (account, kind, subject, happened_at, noticed_at, reason, exit_code, message)
    VALUES (:account, :kind, :subject, :happened_at, :now, :reason, :exit_code, :message)
    ON CONFLICT (account, kind, subject, happened_at) DO NOTHING";

const OPEN: &str = "INSERT INTO delivery (notice, channel) VALUES (:notice, :channel)";

impl Noting<'_> {
    /// Holds that somebody was told of and that are cleared since.
    fn cleared(&self) -> Result<Vec<New>, Fault> {
        let mut statement = self.transaction.prepare_cached(CLEARED)?;
        let cleared = statement.query_map(named_params! { ":account": self.account }, |row| {
            let by: String = row.get(3)?;
            Ok(New {
                kind: NoticeKind::HoldCleared,
                subject: row.get(0)?,
                happened_at: row.get(1)?,
                reason: row.get(2)?,
                message: format!("cleared by {by}; requests are sent again"),
            })
        })?;
        Ok(cleared.collect::<Result<_, _>>()?)
    }

    /// Whether the session was proved alive; none if there is no session.
    fn session_proved(&self) -> Result<Option<bool>, Fault> {
        let mut statement = self.transaction.prepare_cached(SESSION_PROVED)?;
        let bound = named_params! { ":account": self.account };
        Ok(statement.query_row(bound, |row| row.get(0)).optional()?)
    }

    /// The newest notice of one of these kinds.
    fn last(&self, kinds: &[NoticeKind]) -> Result<Option<(NoticeId, NoticeKind)>, Fault> {
        let mut statement = self.transaction.prepare_cached(LAST)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut notices = statement.query_map(named_params! { ":account": self.account }, read)?;
        Ok(notices
            .find(|notice| {
                notice
                    .as_ref()
                    .map_or(true, |(_, kind)| kinds.contains(kind))
            })
            .transpose()?)
    }

    fn add(&self, new: &New) -> Result<(), Fault> {
        let added = self
            .transaction
            .prepare_cached(ADD)?
            .execute(named_params! {
                ":account": self.account,
                ":kind": new.kind,
                ":subject": new.subject,
                ":happened_at": new.happened_at,
                ":now": self.now,
                ":reason": new.reason,
                ":exit_code": self.exit_code,
                ":message": new.message,
            })?;
        if added == 0 {
            return Ok(());
        }
        let notice = NoticeId(self.transaction.last_insert_rowid());
        for channel in self.channels {
            let bound = named_params! { ":notice": notice, ":channel": channel };
            self.transaction.prepare_cached(OPEN)?.execute(bound)?;
        }
        Ok(())
    }
}

pub(super) const UNDELIVERED: &str = "
    SELECT notice.id, notice.kind, notice.subject, notice.happened_at, notice.reason,
           notice.exit_code, notice.message,
           delivery.channel, delivery.tries, delivery.tried_at, delivery.problem
    FROM delivery CROSS JOIN notice ON notice.id = delivery.notice
    WHERE delivery.channel = :channel
      AND delivery.delivered_at IS NULL AND delivery.given_up_at IS NULL
      AND notice.account = :account
    ORDER BY delivery.notice LIMIT :most";

/// What `channel` has not told yet, oldest first, at most `most`.
pub(crate) fn undelivered(
    connection: &Connection,
    account: AccountId,
    channel: Channel,
    most: u32,
) -> Result<Vec<Undelivered>, Fault> {
    let mut statement = connection.prepare_cached(UNDELIVERED)?;
    let bound = named_params! { ":account": account, ":channel": channel, ":most": most };
    let rows = statement.query_map(bound, |row| {
        Ok(Undelivered {
            notice: Notice {
                id: row.get(0)?,
                kind: row.get(1)?,
                subject: row.get(2)?,
                happened_at: row.get(3)?,
                reason: row.get(4)?,
                exit_code: row.get(5)?,
                message: row.get(6)?,
            },
            channel: row.get(7)?,
            tries: row.get(8)?,
            tried_at: row.get(9)?,
            problem: row.get(10)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const TRIED: &str = "
    UPDATE delivery
    SET tries = tries + 1, tried_at = :now, problem = :problem,
        delivered_at = CASE WHEN :problem IS NULL THEN :now END
    WHERE notice = :notice AND channel = :channel
      AND delivered_at IS NULL AND given_up_at IS NULL";

/// A try to tell a notice ended: told, or why not.
pub(crate) fn tried(
    transaction: &Transaction<'_>,
    notice: NoticeId,
    channel: Channel,
    problem: Option<&str>,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction.prepare_cached(TRIED)?.execute(named_params! {
    ":notice": notice, ":channel": channel, ":problem": problem, ":now": now })?;
    Ok(())
}

const GIVE_UP: &str = "
    UPDATE delivery SET given_up_at = :now
    WHERE channel = :channel AND delivered_at IS NULL AND given_up_at IS NULL
      AND (SELECT account = :account AND noticed_at < :before FROM notice
           WHERE notice.id = delivery.notice)";

/// Gives up what `channel` has not told of the time before `before`. Returns how many notices.
pub(crate) fn give_up(
    transaction: &Transaction<'_>,
    account: AccountId,
    channel: Channel,
    before: Timestamp,
    now: Timestamp,
) -> Result<u64, Fault> {
    let bound = named_params! {
    ":account": account, ":channel": channel, ":before": before, ":now": now };
    let given_up = transaction.prepare_cached(GIVE_UP)?.execute(bound)?;
    Ok(given_up as u64)
}

/// The newest notice and those of what has not ended are the state that later ones are told from.
const PRUNE: &str = "
    DELETE FROM notice
    WHERE account = :account AND noticed_at < :horizon
      AND id <> (SELECT max(id) FROM notice WHERE account = :account)
      AND id <> coalesce((SELECT max(id) FROM notice WHERE account = :account
                          AND kind IN ('session_lost', 'session_back')), 0)
      AND NOT (kind = 'hold_appeared'
               AND EXISTS (SELECT 1 FROM hold
                           WHERE hold.id = notice.subject AND hold.since_at = notice.happened_at
                             AND hold.cleared_at IS NULL))";

/// Removes old notices.
pub(super) fn prune(
    transaction: &Transaction<'_>,
    account: AccountId,
    horizon: Timestamp,
) -> Result<(), Fault> {
    let bound = named_params! { ":account": account, ":horizon": horizon };
    transaction.prepare_cached(PRUNE)?.execute(bound)?;
    Ok(())
}
