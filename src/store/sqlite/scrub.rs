//! No trace of a plain session once its row is sealed or gone.
//!
//! `secure_delete` overwrites the bytes of a row that goes and every page that is freed. It leaves
//! the copies that stay in the gap of a page when SQLite spreads the rows of neighbours over pages
//! anew. Those pages belong to the session table alone, so making the table anew frees them all.

use rusqlite::Transaction;

use super::Fault;

const MADE_BY: &str = "
    SELECT group_concat(sql, ';' ORDER BY type = 'table' DESC) FROM sqlite_schema
    WHERE tbl_name = 'session' AND sql IS NOT NULL";

/// Frees every page that held a session, with the rows that are left kept in fresh ones.
pub(super) fn scrub(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let made_by: String = transaction.query_row(MADE_BY, [], |row| row.get(0))?;
    transaction.execute_batch(&format!(
        "ALTER TABLE session RENAME TO worn_session;
         {made_by};
         INSERT INTO session SELECT * FROM worn_session;
         DROP TABLE worn_session;"
    ))?;
    Ok(())
}
