//! Locks: who may write, and what a busy one says.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use story_liker::model::{Outcome, ProfileName, Timestamp};
use story_liker::ports::{Clock, Interrupt, Store, StoreError};
use story_liker::store::{Durability, LockRequest, Opening, Writer, migrate};

use crate::support::*;

fn busy(error: Option<StoreError>) -> String {
    match error {
        Some(StoreError::Busy(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_busy_profile_is_refused_and_its_holder_named() {
    let place = Place::new();
    let _first = place.open().unwrap();
    let text = busy(place.open().err());
    for part in [
        "stories.db is busy: profile default is in use by process",
        &format!("process {} on ", std::process::id()),
        "since 2027-01-15T08:00:00Z",
        "story-liker run",
        "--lock-wait",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn profiles_of_one_file_do_not_keep_each_other_out() {
    let place = Place::new();
    let _first = place.open_profile("anna").unwrap();
    place.open_profile("berta").unwrap();
}

#[test]
fn profiles_of_one_file_write_at_the_same_time_without_loss() {
    let place = Place::new();
    drop(place.open().unwrap());
    let path = place.path();
    let write = |name: &str| {
        let profile: ProfileName = name.parse().unwrap();
        let clock = TestClock(Cell::new(START));
        let request = LockRequest {
            command: "run",
            wait: Duration::ZERO,
            clock: &clock,
        };
        // Patient, because the other one writes too.
        let opening = Opening {
            durability: Durability::ThrowAway,
            ..Opening::default()
        };
        let mut store = Writer::open(&path, &profile, &request, opening).unwrap();
        for _ in 0..50 {
            act(&mut store, &read(), Outcome::Ok, START);
        }
        store.attempts(START).unwrap().len()
    };
    std::thread::scope(|scope| {
        let threads = ["anna", "berta", "carla"].map(|name| scope.spawn(move || write(name)));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 50);
        }
    });
}

#[test]
fn a_lock_ends_with_its_owner_and_its_file_stays() {
    let place = Place::new();
    drop(place.open().unwrap());
    drop(place.open().unwrap());
    assert!(place.folder.path().join("stories.db.lock").exists());
    assert!(place.folder.path().join("stories.db.default.lock").exists());
}

#[test]
fn migrating_needs_the_file_alone_and_names_everyone_who_uses_it() {
    let place = Place::new();
    let _first = place.open_profile("anna").unwrap();
    let _second = place.open_profile("berta").unwrap();
    drop(place.open_profile("carla").unwrap());
    let text = busy(migrate(&place.path(), &place.request(), quick()).err());
    assert!(text.contains("migrating needs it alone"), "{text}");
    assert_eq!(text.matches("story-liker run").count(), 2, "{text}");
}

#[test]
fn a_writer_that_has_to_migrate_does_not_name_itself() {
    let place = Place::new();
    let held = |name: &str| {
        let mut options = File::options();
        options.create(true).truncate(true).read(true).write(true);
        options.open(place.folder.path().join(name)).unwrap()
    };
    let database = held("stories.db.lock");
    database.lock_shared().unwrap();
    let mut other = held("stories.db.berta.lock");
    other.lock().unwrap();
    other
        .write_all(b"process 1 on box, since then: story-liker run\n")
        .unwrap();
    let text = busy(place.open().err());
    assert!(text.contains("in use by process 1 on box"), "{text}");
    assert_eq!(text.matches("process ").count(), 1, "{text}");
}

#[test]
fn nobody_writes_while_the_file_is_being_migrated() {
    let place = Place::new();
    drop(place.open().unwrap());
    let mut lock = File::options()
        .write(true)
        .open(place.folder.path().join("stories.db.lock"))
        .unwrap();
    lock.lock().unwrap();
    lock.set_len(0).unwrap();
    lock.write_all(b"process 1 on box, since then: story-liker migrate\n")
        .unwrap();
    let text = busy(place.open().err());
    assert!(
        text.contains("being migrated by process 1 on box"),
        "{text}"
    );
}

#[test]
fn a_lock_file_without_a_readable_owner_is_told_without_a_name() {
    let place = Place::new();
    let _first = place.open().unwrap();
    for unreadable in [&[0xFF; 9000][..], b"\n", b""] {
        let lock = place.folder.path().join("stories.db.default.lock");
        std::fs::write(lock, unreadable).unwrap();
        assert!(busy(place.open().err()).contains("in use by another process"));
    }
}

/// A clock during whose sleep the lock's owner ends, or a signal arrives.
struct Waiting {
    now: Cell<Timestamp>,
    until: Timestamp,
    owner: RefCell<Option<Writer>>,
    interrupt: Option<Interrupt>,
}

impl Clock for Waiting {
    fn now(&self) -> Timestamp {
        self.now.get()
    }
    fn monotonic(&self) -> Duration {
        self.now.get().since(START)
    }
    fn sleep_until(&self, deadline: Timestamp) {
        self.now.set(deadline);
        if deadline >= self.until {
            self.owner.take();
        }
    }
    fn interrupted(&self) -> Option<Interrupt> {
        self.interrupt.filter(|_| self.now.get() >= self.until)
    }
}

fn wait(place: &Place, clock: &Waiting) -> Result<Writer, StoreError> {
    let request = LockRequest {
        command: "cleanup",
        wait: Duration::from_secs(30),
        clock,
    };
    Writer::open(&place.path(), &ProfileName::default(), &request, quick())
}

#[test]
fn a_busy_lock_is_waited_for_and_taken_when_it_is_free() {
    let place = Place::new();
    let clock = Waiting {
        now: Cell::new(START),
        until: START.plus(Duration::from_secs(12)),
        owner: RefCell::new(Some(place.open().unwrap())),
        interrupt: None,
    };
    wait(&place, &clock).unwrap();
    assert_eq!(clock.now.get(), clock.until);
}

#[test]
fn the_wait_for_a_lock_ends_when_it_was_to_end_or_at_a_signal() {
    for (interrupt, waited) in [(None, 30), (Some(Interrupt::Term), 12)] {
        let place = Place::new();
        let _owner = place.open().unwrap();
        let clock = Waiting {
            now: Cell::new(START),
            until: START.plus(Duration::from_secs(12)),
            owner: RefCell::new(None),
            interrupt,
        };
        busy(wait(&place, &clock).err());
        assert_eq!(clock.now.get(), START.plus(Duration::from_secs(waited)));
    }
}

#[test]
fn a_store_that_is_told_to_hurry_waits_for_nobody() {
    let place = Place::new();
    let profile = ProfileName::default();
    let patient = Opening {
        busy_timeout: Duration::from_secs(30),
        ..quick()
    };
    let mut store = Writer::open(&place.path(), &profile, &place.request(), patient).unwrap();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let (end, ended) = std::sync::mpsc::channel();
    let holder = std::thread::spawn(move || {
        // Whoever waits longer is let through, and that is not what was asked for.
        let waited = ended.recv_timeout(Duration::from_secs(10));
        other.execute_batch("ROLLBACK").unwrap();
        waited.is_ok()
    });
    store.be_patient(Duration::ZERO);
    store.begin_run("run", 1, START).unwrap_err();
    end.send(()).unwrap();
    assert!(holder.join().unwrap());
}
