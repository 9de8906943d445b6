//! Runs: what was started, and how it ended. A run without an end was killed.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::model::{EndedRun, RunId, RunRecord, Timestamp};
use crate::ports::RunEnd;

use super::{AccountId, Fault};

const BEGIN: &str = "
    INSERT INTO run (account, command, seed, started_at)
    VALUES (:account, :command, :seed, :now)";

/// Opens a run.
pub(crate) fn begin(
    transaction: &Transaction<'_>,
    account: AccountId,
    command: &str,
    seed: u64,
    now: Timestamp,
) -> Result<RunId, Fault> {
    transaction.prepare_cached(BEGIN)?.execute(named_params! {
    ":account": account, ":command": command, ":seed": seed.to_string(), ":now": now })?;
    Ok(RunId(transaction.last_insert_rowid()))
}

const END: &str = "
    UPDATE run
    SET ended_at = :now, stop = :stop, trouble = :trouble, exit_code = :exit_code,
        requests = :requests, likes = :likes, report = :report
    WHERE account = :account AND id = :run AND ended_at IS NULL";

/// Closes it.
pub(crate) fn end(
    transaction: &Transaction<'_>,
    account: AccountId,
    run: RunId,
    end: &RunEnd,
    now: Timestamp,
) -> Result<(), Fault> {
    let ended = transaction.prepare_cached(END)?.execute(named_params! {
        ":account": account,
        ":run": run,
        ":now": now,
        ":stop": end.stop,
        ":trouble": end.trouble,
        ":exit_code": end.exit_code,
        ":requests": end.requests,
        ":likes": end.likes,
        ":report": end.report,
    })?;
    if ended == 1 {
        Ok(())
    } else {
        Err(Fault::bug(format!(
            "run {} was ended twice or never begun",
            run.0
        )))
    }
}

pub(super) const RECENT: &str = "
    SELECT id, command, started_at, ended_at, requests, likes, trouble, exit_code, stop FROM run
    WHERE account = :account AND requests >= :least_requests
    ORDER BY id DESC LIMIT :most";

/// The newest runs that sent at least so many requests, newest first.
pub(crate) fn recent(
    connection: &Connection,
    account: AccountId,
    least_requests: u32,
    most: u32,
) -> Result<Vec<RunRecord>, Fault> {
    let mut statement = connection.prepare_cached(RECENT)?;
    let bound = named_params! {
    ":account": account, ":least_requests": least_requests, ":most": most };
    let runs = statement.query_map(bound, read)?;
    Ok(runs.collect::<Result<_, _>>()?)
}

pub(super) const LAST_ENDED: &str = "
    SELECT id, started_at, ended_at, exit_code, report FROM run
    WHERE account = :account AND ended_at IS NOT NULL
    ORDER BY id DESC LIMIT 1";

/// The last pass that came to an end.
pub(crate) fn last_ended(
    connection: &Connection,
    account: AccountId,
) -> Result<Option<EndedRun>, Fault> {
    let mut statement = connection.prepare_cached(LAST_ENDED)?;
    let run = statement.query_row(named_params! { ":account": account }, |row| {
        Ok(EndedRun {
            id: row.get(0)?,
            started_at: row.get(1)?,
            ended_at: row.get(2)?,
            exit_code: row.get(3)?,
            report: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        })
    });
    Ok(run.optional()?)
}

pub(super) const LAST_END_WITH: &str = "
    SELECT ended_at FROM run
    WHERE account = :account AND exit_code IN (SELECT value FROM json_each(:exit_codes))
    ORDER BY id DESC LIMIT 1";

/// When a pass last ended with one of these exit codes.
pub(crate) fn last_end_with(
    connection: &Connection,
    account: AccountId,
    exit_codes: &[u8],
) -> Result<Option<Timestamp>, Fault> {
    let exit_codes: Vec<String> = exit_codes.iter().map(u8::to_string).collect();
    let mut statement = connection.prepare_cached(LAST_END_WITH)?;
    let bound = named_params! {
    ":account": account, ":exit_codes": format!("[{}]", exit_codes.join(",")) };
    Ok(statement.query_row(bound, |row| row.get(0)).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: row.get(0)?,
        command: row.get(1)?,
        started_at: row.get(2)?,
        ended_at: row.get(3)?,
        requests: row.get(4)?,
        likes: row.get(5)?,
        trouble: row.get(6)?,
        exit_code: row.get(7)?,
        stop: row.get(8)?,
    })
}
