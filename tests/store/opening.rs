//! Opening: whose file, which version, which permissions; and what is left untouched.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use refinery::Migration;
use rusqlite::Connection;
use story_liker::model::{
    AttemptKind, HoldReason, ItemKind, ItemState, Outcome, ProfileName, Scope, Timestamp,
};
use story_liker::ports::{Claim, Store, StoreError};
use story_liker::store::{MigratePolicy, Opening, Reader, Writer, migrate, migration_status};

use crate::support::*;

fn reader(path: &Path) -> Result<Reader, StoreError> {
    Reader::open_with(path, &ProfileName::default(), Duration::from_millis(50))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn new_folders_and_files_are_the_owners_alone() {
    let place = Place::new();
    let path = place.folder.path().join("a/b/stories.db");
    drop(Writer::open(&path, &ProfileName::default(), &place.request(), quick()).unwrap());
    for folder in ["a", "a/b"] {
        assert_eq!(mode(&place.folder.path().join(folder)), 0o700, "{folder}");
    }
    for file in ["stories.db", "stories.db.lock", "stories.db.default.lock"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
}

#[test]
fn what_one_writer_stored_the_next_one_reads() {
    let place = Place::filled();
    let mut store = place.open().unwrap();
    assert_eq!(store.attempts(START).unwrap().len(), 40);
    assert_eq!(
        known(&mut store, ItemKind::Post, 7).state,
        ItemState::Claimed
    );
}

#[test]
fn opening_a_known_profile_again_writes_nothing() {
    let place = Place::filled();
    let before = picture(&place.path());
    drop(place.open().unwrap());
    assert_eq!(picture(&place.path()), before);
}

/// Spoils a copy of a good database with `sql`, and opens it in every way.
fn refused_and_untouched(sql: &str, says: &str) {
    let place = Place::filled();
    Connection::open(place.path())
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    let before = picture(&place.path());
    let refusals = [
        place.open().err(),
        reader(&place.path()).err(),
        migrate(&place.path(), &place.request(), quick()).err(),
    ];
    for refusal in refusals {
        match refusal {
            Some(StoreError::BadState(text)) => assert!(text.contains(says), "{text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert_eq!(picture(&place.path()), before, "{sql}");
}

#[test]
fn a_newer_schema_is_refused_and_untouched() {
    refused_and_untouched(
        "INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')",
        "written by a newer version of story-liker (schema 99, this program knows ",
    );
}

#[test]
fn a_database_of_another_program_is_refused_and_untouched() {
    refused_and_untouched("PRAGMA application_id = 4711", "another program");
    refused_and_untouched("PRAGMA application_id = 0", "another program");
}

#[test]
fn a_write_ahead_log_of_another_program_is_not_folded_into_its_file() {
    let source = Place::filled();
    let other = Connection::open(source.path()).unwrap();
    let change = "PRAGMA application_id = 4711; PRAGMA journal_mode = wal; DELETE FROM post";
    other.execute_batch(change).unwrap();
    let place = Place::new();
    for ending in ["", "-wal"] {
        let name = format!("stories.db{ending}");
        let copy = place.folder.path().join(&name);
        std::fs::copy(source.folder.path().join(&name), copy).unwrap();
    }
    let (before, _) = picture(&place.path());
    assert!(matches!(place.open().err(), Some(StoreError::BadState(_))));
    assert_eq!(picture(&place.path()).0, before);
}

#[test]
fn a_changed_migration_history_is_refused_and_untouched() {
    for sql in [
        "UPDATE refinery_schema_history SET checksum = '1'",
        "UPDATE refinery_schema_history SET checksum = 'no number'",
        "UPDATE refinery_schema_history SET name = 'other'",
        "DELETE FROM refinery_schema_history",
        "DROP TABLE refinery_schema_history",
    ] {
        refused_and_untouched(sql, "migration history");
    }
}

#[test]
fn a_changed_schema_is_refused_and_untouched() {
    for sql in [
        "DROP INDEX attempt_one_like",
        "DROP TABLE hold",
        "CREATE TABLE mine (id INTEGER)",
        "ALTER TABLE account ADD COLUMN mine INTEGER",
    ] {
        refused_and_untouched(sql, "differs from what the migrations made");
    }
}

#[test]
fn statistics_made_by_analyze_are_no_change() {
    let place = Place::filled();
    Connection::open(place.path())
        .unwrap()
        .execute_batch("ANALYZE")
        .unwrap();
    place.open().unwrap();
}

#[test]
fn a_first_start_cut_off_after_the_history_was_made_begins_anew() {
    let place = Place::new();
    let history = "CREATE TABLE refinery_schema_history(
        version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))";
    Connection::open(place.path())
        .unwrap()
        .execute_batch(history)
        .unwrap();
    let status = migration_status(&place.path()).unwrap();
    assert_eq!(
        (status.current, status.pending.len()),
        (0, migrations().len())
    );
    place.open().unwrap();
}

fn refusing(place: &Place) -> Result<Writer, StoreError> {
    let refuse = Opening {
        migrate: MigratePolicy::Refuse,
        ..quick()
    };
    let profile = ProfileName::default();
    Writer::open(&place.path(), &profile, &place.request(), refuse)
}

fn says(error: Option<StoreError>, words: &str) {
    match error {
        Some(StoreError::CannotOpen(text)) => assert!(text.contains(words), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file_is_migrated_by_a_writer_and_named_by_a_reader() {
    let place = Place::new();
    says(refusing(&place).err(), "no database");
    let nothing: [&str; 0] = [];
    assert_eq!(picture(&place.path()).1, nothing);
    std::fs::write(place.path(), "").unwrap();
    says(reader(&place.path()).err(), "story-liker migrate");
    says(refusing(&place).err(), "story-liker migrate");
    let there = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(there, 1, "not even a lock");
    assert_eq!(picture(&place.path()).0, b"");
    let names: Vec<String> = migrations().into_iter().map(|(name, _)| name).collect();
    let status = migration_status(&place.path()).unwrap();
    assert_eq!((status.current, &status.pending), (0, &names));
    let migrate = || migrate(&place.path(), &place.request(), quick()).unwrap();
    assert_eq!(migrate(), names);
    assert_eq!(migrate(), [""; 0]);
    let status = migration_status(&place.path()).unwrap();
    assert_eq!((status.current, status.pending.len()), (status.known, 0));
    refusing(&place).unwrap();
}

/// A database as each earlier version left it, with an account, a target, a story and a view.
fn of_version(count: usize) -> Place {
    let place = Place::new();
    let mut connection = Connection::open(place.path()).unwrap();
    let first: Vec<Migration> = migrations()[..count]
        .iter()
        .map(|(name, text)| Migration::unapplied(name, text).unwrap())
        .collect();
    let runner = refinery::Runner::new(&first).set_grouped(true);
    runner.run(&mut connection).unwrap();
    let rows = "
        INSERT INTO account (id, profile) VALUES (1, 'default');
        INSERT INTO target (id, account, origin, listed_as, username, enabled, stories, posts,
                            trouble_count, added_at)
            VALUES (1, 1, 'config', 'garden', 'garden', 1, 1, 1, 0, 1);
        INSERT INTO attempt (account, kind, call, target, item_kind, item_pk, item_owner,
                             claimed_at, settled_at, outcome)
            VALUES (1, 'story_view', 'seen', 1, 'story', 7, 77, 1000, 2000, 'ok');
        INSERT INTO run (account, command, seed, started_at, ended_at, exit_code)
            VALUES (1, 'run', '7', 500, 3000, 0);
        INSERT INTO hold (account, since_at, reason, until_at, message)
            VALUES (1, 2000, 'throttled', 9000, 'it objected');";
    connection.execute_batch(rows).unwrap();
    place
}

#[test]
fn a_database_of_every_older_version_is_left_alone_until_it_is_migrated_and_keeps_its_rows() {
    let migrations = migrations();
    for done in 1..migrations.len() {
        let place = of_version(done);
        let before = picture(&place.path());
        says(reader(&place.path()).err(), "schema of an older version");
        says(refusing(&place).err(), "schema of an older version");
        // Enough for a watchdog.
        let profile = ProfileName::default();
        let any = Reader::open_any(&place.path(), &profile, Duration::ZERO);
        let (mut older, pending) = any.unwrap();
        assert_eq!(pending, migrations.len() - done);
        assert!(older.account().unwrap().unwrap().session.is_none());
        assert_eq!(older.recent_runs(1).unwrap()[0].exit_code, Some(0));
        assert_eq!(older.holds(Timestamp::default()).unwrap().len(), 1);
        drop(older);
        let status = migration_status(&place.path()).unwrap();
        let names = migrations[done..].iter().map(|(name, _)| name.clone());
        assert_eq!(status.pending, names.collect::<Vec<_>>());
        let current = format!("V{}__", status.current);
        assert!(migrations[done - 1].0.starts_with(&current), "{current}");
        let newest = format!("V{}__", status.known);
        assert!(migrations.last().unwrap().0.starts_with(&newest));
        assert_eq!(picture(&place.path()).0, before.0, "it was only looked at");

        let mut store = place.open().unwrap();
        assert_eq!(store.targets().unwrap()[0].username, "garden");
        assert_eq!(store.attempts(Timestamp::default()).unwrap().len(), 1);
        let mut reader = reader(&place.path()).unwrap();
        let history = reader.attempts_on(pk(7)).unwrap();
        assert_eq!(history[0].kind, AttemptKind::StoryView);
    }
}

#[test]
fn a_network_file_system_is_refused_before_anything_is_made() {
    let place = Place::new();
    let nfs = Opening {
        file_system: |_| Some(0x6969),
        ..quick()
    };
    let profile = ProfileName::default();
    let opened = Writer::open(&place.path(), &profile, &place.request(), nfs);
    let migrated = migrate(&place.path(), &place.request(), nfs);
    for error in [opened.err().unwrap(), migrated.unwrap_err()] {
        assert!(
            matches!(&error, StoreError::CannotOpen(text) if text.contains("NFS")),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_creates_nothing() {
    let place = Place::new();
    let path = place.folder.path().join("none/stories.db");
    for missing in [place.path(), path.clone()] {
        let error = reader(&missing).err().unwrap();
        assert!(
            matches!(&error, StoreError::CannotOpen(text) if text.contains("no database")),
            "{error}"
        );
    }
    assert!(!path.parent().unwrap().exists() && !place.path().exists());
    drop(place.open().unwrap());
    let other = Reader::open_read_only(&place.path(), &"other".parse().unwrap());
    assert_eq!(
        other.unwrap().account().unwrap(),
        None,
        "a profile never used"
    );
}

#[test]
fn a_reader_sees_what_a_writer_committed_while_that_one_goes_on() {
    let place = Place::filled();
    let mut store = place.open().unwrap();
    let mut reader = reader(&place.path()).unwrap();
    granted(&mut store, &read(), START);
    assert_eq!(
        reader.newest_attempts().unwrap().0.unwrap().settled_at,
        None
    );
    let counts = reader.item_counts().unwrap();
    assert_eq!(
        (counts[0].kind, counts[0].state, counts[0].count),
        (ItemKind::Post, ItemState::Claimed, 40)
    );
    let limits = [limit(Scope::Likes, "40/1h"), limit(Scope::Likes, "41/1h")];
    let windows = reader.windows(&limits, START).unwrap();
    assert_eq!(
        (windows[0].used, windows[0].room_at),
        (40, Some(START.plus(HOUR + MS)))
    );
    assert_eq!((windows[1].used, windows[1].room_at), (40, None));
    assert_eq!(
        reader.size().unwrap().bytes,
        std::fs::metadata(place.path()).unwrap().len()
    );
}

#[test]
fn a_reader_knows_the_account_its_holds_its_targets_and_its_runs() {
    let place = Place::filled();
    let mut store = place.open().unwrap();
    let hold = hold(HoldReason::Throttled, Some(START.plus(HOUR)));
    store.add_hold(&hold, START).unwrap();
    store.begin_run("run", 7, START).unwrap();
    let mut reader = reader(&place.path()).unwrap();
    assert_eq!(reader.account().unwrap(), Some(store.account().unwrap()));
    assert_eq!(reader.holds(START).unwrap(), store.holds(START).unwrap());
    assert_eq!(reader.holds(START).unwrap().len(), 1);
    assert_eq!(reader.targets().unwrap(), store.targets().unwrap());
    assert_eq!(reader.targets().unwrap()[0].username, "garden");
    let runs = reader.recent_runs(9).unwrap();
    assert_eq!(runs, store.recent_runs(0, 9).unwrap());
    assert_eq!(runs[0].command, "run");
}

#[test]
fn a_reader_knows_an_item_its_history_and_its_neighbours() {
    let place = Place::filled();
    let mut store = place.open().unwrap();
    let target = store.targets().unwrap()[0].id;
    put_item(&mut store, ItemKind::Post, 50, target);
    put_item(&mut store, ItemKind::Story, 51, target);
    let mut reader = reader(&place.path()).unwrap();
    let liked = known(&mut store, ItemKind::Post, 7);
    assert_eq!(reader.item(pk(7)).unwrap(), Some((liked, START)));
    assert_eq!(reader.item(pk(99)).unwrap(), None);
    let likes = reader.attempts_on(pk(7)).unwrap();
    assert_eq!(likes.len(), 1, "a like of any age");
    assert_eq!(likes[0].kind, AttemptKind::Like);
    assert_eq!(likes[0].outcome, Some(Outcome::Ok));
    assert_eq!(reader.attempts(START).unwrap().len(), 40);
    let newest = reader.newest_items(target, 5).unwrap();
    let posts = newest.iter().filter(|one| one.item.kind == ItemKind::Post);
    assert_eq!((newest.len(), posts.count()), (6, 5), "five of each kind");
    let open = |reader: &mut Reader, kind| {
        let items = reader.items_in(target, kind, &[ItemState::New], 9).unwrap();
        items.iter().map(|one| one.item.kind).collect::<Vec<_>>()
    };
    for kind in [ItemKind::Post, ItemKind::Story] {
        assert_eq!(open(&mut reader, kind), [kind]);
    }
}

#[test]
fn the_history_of_an_item_has_every_view_and_reading_of_it_however_late() {
    let place = Place::filled();
    let mut store = place.open().unwrap();
    let moments = [DAY, 20 * DAY, 300 * DAY].map(|late| START.plus(late));
    let of_item = |kind, number| Claim {
        kind,
        item: Some((ItemKind::Story, id(number))),
        ..read()
    };
    act(
        &mut store,
        &of_item(AttemptKind::StoryView, 7),
        Outcome::Ok,
        moments[2],
    );
    act(
        &mut store,
        &of_item(AttemptKind::Read, 7),
        Outcome::Ok,
        moments[0],
    );
    granted(&mut store, &of_item(AttemptKind::Read, 7), moments[1]);
    act(
        &mut store,
        &of_item(AttemptKind::Read, 8),
        Outcome::Ok,
        moments[0],
    );
    let history = reader(&place.path()).unwrap().attempts_on(pk(7)).unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|past| (past.kind, past.claimed_at))
        .collect();
    let expected = [
        (AttemptKind::Like, START),
        (AttemptKind::Read, moments[0]),
        (AttemptKind::Read, moments[1]),
        (AttemptKind::StoryView, moments[2]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_database_left_in_write_ahead_mode_goes_back_to_the_journal() {
    let place = Place::filled();
    let mode = |connection: &Connection, sql: &str| -> String {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let other = Connection::open(place.path()).unwrap();
    assert_eq!(mode(&other, "PRAGMA journal_mode = WAL"), "wal");
    drop(other);
    drop(place.open().unwrap());
    let other = Connection::open(place.path()).unwrap();
    assert_eq!(mode(&other, "PRAGMA journal_mode"), "delete");
}

#[test]
fn opening_a_known_profile_waits_for_no_one_who_writes() {
    let place = Place::filled();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    place.open().unwrap();
}

#[test]
fn a_check_for_damage_is_noted_and_not_repeated_within_a_day() {
    let place = Place::filled();
    let noted = || -> Option<i64> {
        let connection = Connection::open(place.path()).unwrap();
        let sql = "SELECT checked_at FROM account";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for (hours, noted_at) in [(1, 0), (25, 25), (48, 25), (50, 50)] {
        place.clock.0.set(START.plus(HOUR * hours));
        drop(place.open().unwrap());
        let expected = START.plus(HOUR * noted_at).as_millis();
        assert_eq!(noted(), Some(expected), "{hours} h");
    }
}

#[test]
fn a_reader_sees_the_state_before_a_change_that_is_under_way() {
    let place = Place::filled();
    let other = Connection::open(place.path()).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM attempt")
        .unwrap();
    let mut reader = reader(&place.path()).unwrap();
    assert!(reader.newest_attempts().unwrap().0.is_some());
}

#[test]
fn a_file_locked_by_another_program_is_named_and_untouched() {
    let place = Place::filled();
    let before = picture(&place.path());
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for error in [place.open().err(), reader(&place.path()).err()] {
        let error = error.unwrap();
        assert!(
            matches!(&error, StoreError::Io(text) if text.contains("keeps the file locked")),
            "{error}"
        );
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(picture(&place.path()), before);
}

#[test]
fn a_place_that_cannot_hold_a_database_is_named() {
    let place = Place::new();
    let file = place.folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let impossible = [
        place.folder.path().to_owned(),
        file.join("stories.db"),
        Path::new("/proc/story-liker/stories.db").to_owned(),
        Path::new("/proc/stories.db").to_owned(),
        Path::new("/").to_owned(),
    ];
    for path in impossible {
        let open = Writer::open(&path, &ProfileName::default(), &place.request(), quick());
        match open.err() {
            Some(StoreError::CannotOpen(text)) => {
                assert!(text.contains("--database"), "{text}");
            }
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
}

#[test]
fn a_name_that_leads_in_a_circle_is_refused_before_a_lock_is_made() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.path(), place.path()).unwrap();
    let error = place.open().err().unwrap();
    assert!(matches!(error, StoreError::CannotOpen(_)), "{error}");
    let there = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(there, 1);
}

#[test]
fn two_ways_to_the_same_file_meet_at_the_same_lock() {
    let place = Place::filled();
    let link = place.folder.path().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    let _first = place.open().unwrap();
    let second = Writer::open(&link, &ProfileName::default(), &place.request(), quick());
    assert!(matches!(second.err(), Some(StoreError::Busy(_))));
}

#[test]
fn a_session_that_was_forgotten_leaves_no_trace_in_the_file() {
    use story_liker::model::{Secret, Session};
    use story_liker::ports::Change;
    let place = Place::new();
    let mut store = place.open().unwrap();
    let session = Session {
        pk: pk(9),
        json: Secret::new("{\"token\":\"xyzzy-plugh\"}"),
    };
    store
        .apply(&[Change::SessionObtained { session, at: START }], START)
        .unwrap();
    let holds_it = || {
        let bytes = std::fs::read(place.path()).unwrap();
        bytes.windows(11).any(|part| part == b"xyzzy-plugh")
    };
    assert!(holds_it());
    act(&mut store, &read(), Outcome::Ok, START);
    store.apply(&[Change::SessionDead], START).unwrap();
    assert!(!holds_it());
}
