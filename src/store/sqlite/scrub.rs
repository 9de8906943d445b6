//! No trace of a plain session once it is sealed or forgotten.
//!
//! `secure_delete` overwrites the bytes of a row that goes and every page that is freed. Two kinds of
//! copies it leaves, and both are overwritten here, within the caller's transaction:
//!
//! - in the gap of a page in use, where SQLite spread the rows of neighbours over pages anew. Those
//!   pages belong to the session table alone, so making the table anew frees them all;
//! - in a free page, where a transaction that was cut off had begun to use it: a rollback gives such
//!   pages back as they are. Using all of them once overwrites them.

use rusqlite::Transaction;

use super::Fault;

const MADE_BY: &str = "
    SELECT group_concat(sql, ';' ORDER BY type = 'table' DESC) FROM sqlite_schema
    WHERE tbl_name = 'session' AND sql IS NOT NULL";

/// Overwrites what earlier sessions left behind. The sessions of the table stay as they are.
pub(super) fn scrub(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let made_by: String = transaction.query_row(MADE_BY, [], |row| row.get(0))?;
    transaction.execute_batch(&format!(
        "CREATE TABLE kept_session AS SELECT * FROM session;
         DROP TABLE session;
         {made_by};
         INSERT INTO session SELECT * FROM kept_session;
         DROP TABLE kept_session;"
    ))?;
    overwrite_free_pages(transaction)
}

/// A blob goes into whole pages of its own, four bytes of each aside. The longest that SQLite takes is
/// far beyond this many pages of any size.
const AT_ONCE: i64 = 10_000;

const FILL: &str =
    "INSERT INTO filled SELECT zeroblob(:pages * (page_size - 4)) FROM pragma_page_size";

fn overwrite_free_pages(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let free = || transaction.query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0));
    if free()? == 0 {
        return Ok(());
    }
    transaction.execute_batch("CREATE TABLE filled (content BLOB) STRICT")?;
    loop {
        let pages = free()?.min(AT_ONCE);
        if pages == 0 {
            break;
        }
        transaction.execute(FILL, rusqlite::named_params! { ":pages": pages })?;
    }
    transaction.execute_batch("DROP TABLE filled")?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_scrubbed_table_keeps_its_rows_and_all_that_belongs_to_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE session (account INTEGER PRIMARY KEY, content TEXT) STRICT;
                 CREATE INDEX session_of_content ON session (content);
                 CREATE TABLE other (account INTEGER PRIMARY KEY) STRICT;
                 INSERT INTO session VALUES (2, 'two'), (7, 'seven');",
            )
            .unwrap();
        let all = |connection: &Connection| -> Vec<(String, String)> {
            let schema = "SELECT name, sql FROM sqlite_schema
                          UNION ALL SELECT account, content FROM session ORDER BY 1, 2";
            let mut statement = connection.prepare(schema).unwrap();
            let rows = statement
                .query_map((), |row| {
                    let value: rusqlite::types::Value = row.get(0)?;
                    Ok((format!("{value:?}"), row.get(1)?))
                })
                .unwrap();
            rows.map(Result::unwrap).collect()
        };
        let before = all(&connection);
        for _ in 0..2 {
            let transaction = connection.transaction().unwrap();
            scrub(&transaction).unwrap();
            transaction.commit().unwrap();
            assert_eq!(all(&connection), before);
        }
        assert_eq!(before.len(), 5);
    }
}
