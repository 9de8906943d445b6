#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::Timestamp;
use crate::ports::Interrupt;

/// Nobody may wait by this one.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(0)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep_until(&self, _: Timestamp) {
        panic!("it waited");
    }
    fn interrupted(&self) -> Option<Interrupt> {
        None
    }
}

#[test]
fn a_lock_that_the_system_cannot_give_is_not_waited_for() {
    let file = tempfile::tempfile().unwrap();
    let request = LockRequest {
        command: "run",
        wait: Duration::from_mins(1),
        clock: &NoClock,
    };
    let no_locks = |_: &File| Err(io::Error::from(io::ErrorKind::Unsupported));
    let database = Path::new("stories.db");
    let error = take(&file, no_locks, &request, database, || None).unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen(_)), "{error}");
}

/// Its sleep is the moment in which somebody goes.
struct Leaving(std::cell::Cell<Option<File>>, std::cell::Cell<u32>);

impl Clock for Leaving {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(0)
    }
    fn monotonic(&self) -> Duration {
        TRY_EVERY * self.1.get()
    }
    fn sleep_until(&self, _: Timestamp) {
        self.1.set(self.1.get() + 1);
        drop(self.0.take());
    }
    fn interrupted(&self) -> Option<Interrupt> {
        None
    }
}

fn asked_while(held: impl FnOnce(&File) -> io::Result<()>) -> (Result<(), StoreError>, u32) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("stories.db");
    let profile = ProfileName::default();
    let other = open(&beside(&database, ".default.lock")).unwrap();
    held(&other).unwrap();
    let clock = Leaving(std::cell::Cell::new(Some(other)), std::cell::Cell::new(0));
    let request = LockRequest {
        command: "run",
        wait: Duration::ZERO,
        clock: &clock,
    };
    let taken = ProfileLock::take(&database, &profile, &request).map(drop);
    (taken, clock.1.get())
}

#[test]
fn a_look_at_a_lock_does_not_end_a_pass_that_starts_in_that_moment() {
    let (taken, waits) = asked_while(FileExt::try_lock_shared);
    assert!(taken.is_ok(), "{taken:?}");
    assert_eq!(waits, 1);
}

#[test]
fn an_owned_lock_is_not_waited_for_unless_that_was_asked() {
    let (taken, waits) = asked_while(FileExt::try_lock_exclusive);
    assert!(matches!(taken, Err(StoreError::Busy(_))), "{taken:?}");
    assert_eq!(waits, 0);
}

#[test]
fn looking_makes_no_file_and_names_each_owner() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("stories.db");
    assert_eq!(holders(&database), []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let request = LockRequest {
        command: "login",
        wait: Duration::ZERO,
        clock: &NoClock,
    };
    let profile: ProfileName = "second".parse().unwrap();
    let lock = ProfileLock::take(&database, &profile, &request).unwrap();
    let found = holders(&database);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].profile.as_ref(), Some(&profile));
    assert!(found[0].owner.ends_with("story-liker login"), "{found:?}");
    drop(lock);
    assert_eq!(holders(&database), [], "the name stays, the lock does not");
    assert_eq!(companions(&database).len(), 1);
}
