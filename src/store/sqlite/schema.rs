//! Whose file it is, which version of the schema it has, and bringing it up to date.
//!
//! Order on opening: first read (a file of another program, of a newer version or with a changed
//! schema is left exactly as it was), then migrate, then compare the result with `schema.sql`, so
//! that a missing index cannot silently take a safeguard away. All pending migrations run in one
//! transaction together with their rows in the history.

use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::Connection;

use crate::ports::StoreError;

use super::{Db, Fault, fault, upkeep};

#[allow(clippy::all, clippy::pedantic)]
mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// `PRAGMA application_id` of our files: the letters `stli`.
pub const APPLICATION_ID: i32 = 0x7374_6C69;

/// The schema as all migrations together make it.
const SCHEMA: &str = include_str!("schema.sql");

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Examined {
    /// Empty: nothing has been stored yet.
    New,
    /// Ours, with this many migrations still to come.
    Ours {
        /// Migrations to come.
        pending: usize,
    },
}

/// Where a database stands between the versions.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MigrationStatus {
    /// The schema version of the file; 0 if it has none yet.
    pub current: i32,
    /// The newest schema version this program knows.
    pub known: i32,
    /// The migrations still to come, by name.
    pub pending: Vec<String>,
}

/// Every migration this program knows, oldest first.
fn known() -> Vec<Migration> {
    let mut migrations = embedded::migrations::runner().get_migrations().clone();
    migrations.sort();
    migrations
}

fn newest(migrations: &[Migration]) -> i32 {
    migrations.last().map_or(0, Migration::version)
}

const APPLICATION: &str = "SELECT application_id FROM pragma_application_id()";

/// A first start that was cut off leaves at most the empty history.
const IS_EMPTY: &str = "
    SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE tbl_name <> 'refinery_schema_history')";

/// Tells what the file is, without changing it.
pub(crate) fn examine(connection: &Connection, path: &Path) -> Result<Examined, Fault> {
    let application: i32 = connection.query_row(APPLICATION, [], |row| row.get(0))?;
    let is_empty: bool = connection.query_row(IS_EMPTY, [], |row| row.get(0))?;
    if application == 0 && is_empty {
        return Ok(Examined::New);
    }
    if application != APPLICATION_ID {
        return Err(Fault::Store(StoreError::BadState(format!(
            "{} is a database of another program; it was left as it is: name another file with \
             --database",
            path.display()
        ))));
    }
    let known = known();
    let applied = applied(connection)?;
    compare(&applied, &known, path)?;
    Ok(Examined::Ours {
        pending: known.len() - applied.len(),
    })
}

/// A row of the migration history.
struct Applied {
    version: i32,
    name: String,
    checksum: String,
}

const HAS_HISTORY: &str = "
    SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history')";

const HISTORY: &str =
    "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version";

fn applied(connection: &Connection) -> Result<Vec<Applied>, Fault> {
    if !connection.query_row(HAS_HISTORY, [], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(HISTORY)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied {
            version: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The history must be the beginning of what we know.
fn compare(applied: &[Applied], known: &[Migration], path: &Path) -> Result<(), Fault> {
    let current = applied.last().map_or(0, |row| row.version);
    if current > newest(known) {
        return Err(Fault::Store(StoreError::BadState(format!(
            "{} was written by a newer version of story-liker (schema {current}, this program knows \
             {}); it was left as it is: use that version, or restore a backup from before the update",
            path.display(),
            newest(known)
        ))));
    }
    let same = |row: &Applied, migration: &Migration| {
        row.version == migration.version()
            && row.name == migration.name()
            && row.checksum == migration.checksum().to_string()
    };
    let is_beginning = !applied.is_empty()
        && applied.len() <= known.len()
        && applied
            .iter()
            .zip(known)
            .all(|(row, migration)| same(row, migration));
    if is_beginning {
        Ok(())
    } else {
        Err(changed(
            path,
            "its migration history is not the one this program would have written",
        ))
    }
}

fn changed(path: &Path, how: &str) -> Fault {
    Fault::Store(StoreError::BadState(format!(
        "the schema of {} was changed by something other than story-liker: {how}; {}",
        path.display(),
        fault::RESTORE
    )))
}

/// Looks for damage, then applies what is pending, all of it or nothing. Returns the names of what was applied.
pub(crate) fn migrate(db: &mut Db) -> Result<Vec<String>, StoreError> {
    run(db, &embedded::migrations::runner())
}

fn run(db: &mut Db, runner: &Runner) -> Result<Vec<String>, StoreError> {
    let path = db.path.clone();
    db.read("check the database for damage", |connection| {
        upkeep::check(connection, &path)
    })?;
    let all = Runner::new(runner.get_migrations()).set_grouped(true);
    match all.run(&mut db.connection) {
        Ok(report) => Ok(report
            .applied_migrations()
            .iter()
            .map(ToString::to_string)
            .collect()),
        Err(error) => Err(fault::report(
            &db.path,
            "migrate the database",
            cause(&error),
        )),
    }
}

/// What is behind a failed migration.
fn cause(error: &refinery::Error) -> Fault {
    use std::error::Error;
    let text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(rusqlite::Error::SqliteFailure(code, message)) = inner.downcast_ref() {
            return Fault::Sqlite(rusqlite::Error::SqliteFailure(*code, message.clone()));
        }
        source = inner.source();
    }
    Fault::bug(format!("migrating failed and nothing was changed: {text}"))
}

const DUMP: &str = "
    SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND tbl_name <> 'refinery_schema_history'
    ORDER BY tbl_name, type DESC, name";

/// The statements that make the schema, in a fixed order.
fn dump(connection: &Connection) -> Result<String, Fault> {
    let mut statement = connection.prepare(DUMP)?;
    let mut text = String::new();
    for sql in statement.query_map([], |row| row.get::<_, String>(0))? {
        text.push_str(&sql?);
        text.push_str(";\n\n");
    }
    Ok(text)
}

/// Refuses a file whose schema is not what the migrations make.
pub(crate) fn verify(connection: &Connection, path: &Path) -> Result<(), Fault> {
    if dump(connection)? == SCHEMA {
        Ok(())
    } else {
        Err(changed(
            path,
            "a table or index differs from what the migrations made",
        ))
    }
}

/// Where the file stands. It must be ours or empty.
pub(crate) fn status(connection: &Connection, path: &Path) -> Result<MigrationStatus, Fault> {
    let known = known();
    let done = match examine(connection, path)? {
        Examined::New => 0,
        Examined::Ours { pending } => known.len() - pending,
    };
    Ok(MigrationStatus {
        current: newest(&known[..done]),
        known: newest(&known),
        pending: known[done..].iter().map(ToString::to_string).collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn migrated() -> Db {
        let mut db = Db::in_memory().unwrap();
        migrate(&mut db).unwrap();
        db
    }

    /// Run with `STORY_LIKER_UPDATE_SCHEMA=1` after adding a migration, and read the difference.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_schema_snapshot_is_the_sum_of_the_migrations() {
        let made = dump(&migrated().connection).unwrap();
        if std::env::var_os("STORY_LIKER_UPDATE_SCHEMA").is_some() {
            std::fs::write("src/store/sqlite/schema.sql", &made).unwrap();
        }
        assert_eq!(made, SCHEMA);
    }

    #[test]
    fn a_failing_second_migration_leaves_nothing_of_the_first() {
        let mut db = Db::in_memory().unwrap();
        let mut migrations = known();
        let broken = "CREATE TABLE later (id INTEGER); CREATE TABLE account (id INTEGER);";
        migrations.push(Migration::unapplied("V900__broken", broken).unwrap());
        let error = run(&mut db, &Runner::new(&migrations)).unwrap_err();
        assert!(matches!(error, StoreError::Bug(_)), "{error}");
        assert_eq!(dump(&db.connection).unwrap(), "");
        assert_eq!(
            examine(&db.connection, Path::new("x")).unwrap(),
            Examined::New,
            "the next start begins anew"
        );
        migrate(&mut db).unwrap();
    }

    #[test]
    fn a_damaged_file_is_not_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stories.db");
        std::fs::write(&path, "").unwrap();
        let open = || Db::open(&path, std::time::Duration::ZERO).unwrap();
        migrate(&mut open()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let last_page = bytes.len() - 4096;
        bytes[last_page..].fill(0xFF);
        std::fs::write(&path, &bytes).unwrap();
        let mut migrations = known();
        let next = "CREATE TABLE later (id INTEGER);";
        migrations.push(Migration::unapplied("V900__next", next).unwrap());
        let error = run(&mut open(), &Runner::new(&migrations)).unwrap_err();
        assert!(matches!(error, StoreError::BadState(_)), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn the_application_id_in_the_file_spells_the_program() {
        let db = migrated();
        let stored: i32 = db
            .connection
            .query_row(APPLICATION, [], |row| row.get(0))
            .unwrap();
        assert_eq!(&stored.to_be_bytes(), b"stli");
        assert_eq!(stored, APPLICATION_ID);
    }
}
