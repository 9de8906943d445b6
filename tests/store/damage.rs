//! Damage: found before anything is decided, told clearly, the file left as it is.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use story_liker::model::{Outcome, ProfileName};
use story_liker::ports::{RunEnd, Store, StoreError};
use story_liker::store::Reader;

use crate::support::*;

type Spoil = fn(&mut [u8]);

/// Ways to spoil a page.
const SPOILS: [(&str, Spoil); 3] = [
    ("zeros", |page| page.fill(0)),
    ("ones", |page| page.fill(0xFF)),
    ("another page's bytes", |page| page.rotate_right(101)),
];

fn spoil(path: &Path, page: usize, how: Spoil) {
    let mut bytes = std::fs::read(path).unwrap();
    how(&mut bytes[page * 4096..(page + 1) * 4096]);
    std::fs::write(path, &bytes).unwrap();
}

/// Every page of a good database, spoiled in every way.
fn each_spoiled(facts: impl Fn(&Place, &str)) {
    let good = Place::filled();
    let bytes = std::fs::read(good.path()).unwrap();
    for page in 0..bytes.len() / 4096 {
        for (name, how) in SPOILS {
            let place = Place::new();
            std::fs::write(place.path(), &bytes).unwrap();
            spoil(&place.path(), page, how);
            facts(&place, &format!("page {page}, {name}"));
        }
    }
}

#[test]
fn every_spoiled_page_is_found_on_the_day_of_a_check_and_nothing_is_written() {
    each_spoiled(|place, which| {
        let before = picture(&place.path());
        place.clock.0.set(START.plus(DAY * 2));
        match place.open().err() {
            Some(StoreError::BadState(text)) => {
                assert!(text.contains("backup"), "{text}");
                // A restored copy has forgotten likes as much as a new file has.
                assert!(text.contains("neither a backup nor a new file"), "{text}");
                assert!(text.contains("stories.db"), "{text}");
            }
            other => panic!("{which}: {other:?}"),
        }
        assert_eq!(picture(&place.path()), before, "{which}");
    });
}

#[test]
fn damage_met_between_checks_is_told_as_damage() {
    let met = Cell::new(0);
    each_spoiled(|place, which| {
        let worked = place.open().and_then(|mut store| {
            store.account()?;
            store.targets()?;
            store.attempts(START.minus(DAY))?;
            store.holds(START)?;
            store.recent_runs(0, 3)?;
            store.claim(&read(), &[], START)
        });
        match worked {
            Ok(_) => {}
            Err(StoreError::BadState(_)) => met.set(met.get() + 1),
            Err(other) => panic!("{which}: {other:?}"),
        }
    });
    assert!(met.get() > 0);
}

#[test]
fn a_reader_survives_every_damage() {
    each_spoiled(|place, which| {
        let before = picture(&place.path());
        let looked = Reader::open_with(&place.path(), &ProfileName::default(), Duration::ZERO)
            .and_then(|mut reader| {
                reader.targets()?;
                reader.item_counts()?;
                reader.holds(START)
            });
        assert!(
            matches!(looked, Ok(_) | Err(StoreError::BadState(_))),
            "{which}: {looked:?}"
        );
        assert_eq!(picture(&place.path()), before, "{which}");
    });
}

#[test]
fn a_file_cut_short_or_no_database_at_all_is_told_as_damage_and_untouched() {
    let good = Place::filled();
    let bytes = std::fs::read(good.path()).unwrap();
    let half = bytes[..bytes.len() / 2].to_vec();
    let page = bytes[..4096].to_vec();
    let scraps: [Vec<u8>; 5] = [
        half,
        page,
        bytes[..50].to_vec(),
        b"hello".to_vec(),
        vec![b'x'; 20_000],
    ];
    for scrap in scraps {
        let place = Place::new();
        std::fs::write(place.path(), &scrap).unwrap();
        place.clock.0.set(START.plus(DAY * 2));
        let error = place.open().err();
        assert!(
            matches!(error, Some(StoreError::BadState(_))),
            "{} bytes: {error:?}",
            scrap.len()
        );
        assert_eq!(std::fs::read(place.path()).unwrap(), scrap);
    }
}

/// A database with one spoiled index page that opening does not read.
fn quietly_damaged() -> Place {
    let place = Place::filled();
    let root: u32 = Connection::open(place.path())
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'hold_of_account'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    spoil(&place.path(), root as usize - 1, |page| page.fill(0xFF));
    place
}

#[test]
fn within_a_day_of_the_last_check_none_is_made() {
    let place = quietly_damaged();
    place.clock.0.set(START.plus(DAY).minus(MS));
    assert!(place.open().is_ok());
}

#[test]
fn a_day_after_the_last_check_the_next_one_is_due() {
    let place = quietly_damaged();
    place.clock.0.set(START.plus(DAY));
    assert!(matches!(place.open().err(), Some(StoreError::BadState(_))));
}

#[test]
fn a_check_from_the_future_does_not_count() {
    let place = quietly_damaged();
    place.clock.0.set(START.minus(MS));
    assert!(matches!(place.open().err(), Some(StoreError::BadState(_))));
}

#[test]
fn after_a_run_without_an_end_a_check_is_due_at_once() {
    let place = quietly_damaged();
    let mut store = place.open().unwrap();
    let run = store.begin_run("run", 1, START).unwrap();
    let end = RunEnd {
        stop: String::new(),
        trouble: None,
        exit_code: 0,
        verdict: story_liker::model::Verdict::Neither,
        requests: 0,
        likes: 0,
        report: String::new(),
    };
    store.end_run(run, &end, START).unwrap();
    drop(store);
    place.open().unwrap().begin_run("run", 1, START).unwrap();
    assert!(matches!(place.open().err(), Some(StoreError::BadState(_))));
}

/// A copy of the database taken in the middle of a change, as a power cut would leave it.
fn cut_off() -> Place {
    let source = Place::filled();
    let other = Connection::open(source.path()).unwrap();
    // So small a cache spills the change into the file before it is committed.
    other
        .execute_batch(
            "PRAGMA cache_size = 2;
             BEGIN;
             UPDATE attempt SET outcome = 'unknown', detail = printf('%.500c', 'x');
             DELETE FROM post;",
        )
        .unwrap();
    let place = Place::new();
    let journal = |path: &Path| path.with_file_name("stories.db-journal");
    std::fs::copy(source.path(), place.path()).unwrap();
    std::fs::copy(journal(&source.path()), journal(&place.path())).unwrap();
    drop(other);
    assert_ne!(
        std::fs::read(place.path()).unwrap(),
        std::fs::read(source.path()).unwrap(),
        "the change had reached the file"
    );
    place
}

#[test]
fn a_change_cut_off_by_a_power_failure_is_undone_by_the_next_writer() {
    let place = cut_off();
    let mut store = place.open().unwrap();
    let likes = store.attempts(START).unwrap();
    assert_eq!(likes.len(), 40);
    assert_eq!(
        known(&mut store, story_liker::model::ItemKind::Post, 40)
            .item
            .id,
        id(40)
    );
    act(&mut store, &read(), Outcome::Ok, START);
}

#[test]
fn a_reader_names_the_change_that_was_cut_off_and_leaves_it() {
    let place = cut_off();
    let before = picture(&place.path());
    let error = Reader::open_read_only(&place.path(), &ProfileName::default())
        .err()
        .unwrap();
    assert!(
        matches!(&error, StoreError::Io(text) if text.contains("cut off by a crash")),
        "{error}"
    );
    assert_eq!(picture(&place.path()), before);
}
