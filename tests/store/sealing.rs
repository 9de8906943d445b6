//! Sealed sessions in the file: what is saved, what is refused, what is left behind.

use proptest::prelude::*;
use story_liker::model::{HeldKey, Keyring, Outcome, SealKey, Secret, Session};
use story_liker::ports::{Change, Myself, Settlement, Store, StoreError};
use story_liker::store::{Reader, Sealing, Writer};

use crate::support::*;

fn held(byte: u8) -> HeldKey {
    HeldKey {
        key: SealKey::new([byte; 32]),
        from: format!("file {byte}"),
    }
}

fn keys(present: u8, old: &[u8]) -> Keyring {
    Keyring {
        present: Some(held(present)),
        old: old.iter().copied().map(held).collect(),
        searched: String::new(),
    }
}

fn session(owner: i64, json: &str) -> Session {
    Session {
        pk: pk(owner),
        json: Secret::new(json),
    }
}

fn obtained(owner: i64, json: &str) -> Change {
    Change::SessionObtained {
        session: session(owner, json),
        at: START,
    }
}

fn proved(owner: i64) -> Change {
    Change::Proved {
        myself: Myself {
            pk: pk(owner),
            username: "me".to_owned(),
        },
        at: START.plus(MINUTE),
    }
}

fn changed(json: &str) -> Settlement {
    Settlement {
        session: Some(session(9, json)),
        ..ending(Outcome::Ok)
    }
}

fn holds_anywhere(place: &Place, words: &str) -> bool {
    let bytes = std::fs::read(place.path()).unwrap();
    bytes
        .windows(words.len())
        .any(|part| part == words.as_bytes())
}

#[test]
fn every_way_to_save_a_session_seals_it() {
    let place = Place::new();
    let mut store = place.open().unwrap().with_keys(keys(1, &[]));
    let sealed = Some(Sealing::Sealed(held(1).key.id()));
    store
        .apply(&[obtained(9, "{\"hunter2\":1}"), proved(9)], START)
        .unwrap();
    assert_eq!(store.sealing().unwrap(), sealed);
    let attempt = granted(&mut store, &read(), START);
    store
        .settle(attempt, &changed("{\"hunter2\":2}"), START)
        .unwrap();
    assert_eq!(store.sealing().unwrap(), sealed);
    let account = store.account().unwrap();
    assert_eq!(account.session, Some(session(9, "{\"hunter2\":2}")));
    assert_eq!(account.session_since, Some(START));
    assert_eq!(account.session_proved_at, Some(START.plus(MINUTE)));
    assert!(!holds_anywhere(&place, "hunter2"));
    // Another session begins anew.
    store
        .apply(&[obtained(9, "{\"hunter2\":3}")], START)
        .unwrap();
    assert_eq!(store.account().unwrap().session_proved_at, None);
    assert_eq!(store.sealing().unwrap(), sealed);
}

#[test]
fn a_reader_opens_a_session_only_with_its_key_and_only_when_asked() {
    let place = Place::new();
    let mut store = place.open().unwrap().with_keys(keys(1, &[]));
    store
        .apply(&[obtained(9, "{\"hunter2\":1}")], START)
        .unwrap();
    let mut reader = Reader::open_read_only(&place.path(), &"default".parse().unwrap()).unwrap();
    for account in [
        reader.account().unwrap().unwrap(),
        store.account_unopened().unwrap(),
    ] {
        assert_eq!(account.session, Some(session(9, "")));
    }
    assert_eq!(reader.sealing().unwrap(), store.sealing().unwrap());
    let opened = reader.session(&keys(2, &[1])).unwrap();
    assert_eq!(opened, Some(session(9, "{\"hunter2\":1}")));
    let error = reader.session(&Keyring::default()).unwrap_err();
    assert!(matches!(error, StoreError::Config(_)), "{error}");
    store.apply(&[Change::SessionDead], START).unwrap();
    assert_eq!(reader.sealing().unwrap(), None);
    assert_eq!(reader.session(&Keyring::default()).unwrap(), None);
}

#[test]
fn a_plain_session_never_takes_the_place_of_a_sealed_one() {
    let place = Place::new();
    let mut store = place.open().unwrap().with_keys(keys(1, &[]));
    store.apply(&[obtained(9, "{\"a\":1}")], START).unwrap();
    let mut store = store.with_keys(Keyring::default());
    let attempt = granted(&mut store, &read(), START);
    for error in [
        store
            .settle(attempt, &changed("{\"hunter2\":1}"), START)
            .unwrap_err(),
        store
            .apply(&[obtained(9, "{\"hunter2\":1}")], START)
            .unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Config(text) if text.contains("is sealed")),
            "{error}"
        );
    }
    assert_eq!(
        store.attempts(START).unwrap()[0].settled_at,
        None,
        "nothing of it is stored"
    );
    assert!(!holds_anywhere(&place, "hunter2"));
    let mut store = store.with_keys(keys(1, &[]));
    assert_eq!(
        store.account().unwrap().session,
        Some(session(9, "{\"a\":1}"))
    );
}

#[test]
fn what_does_not_open_is_not_sealed_anew() {
    let place = Place::new();
    let mut store = place.open().unwrap().with_keys(keys(1, &[]));
    assert_eq!(store.reseal(false).unwrap(), None, "there is none");
    store.apply(&[obtained(9, "{\"a\":1}")], START).unwrap();
    let mut store = store.with_keys(keys(2, &[3]));
    assert!(matches!(store.reseal(false), Err(StoreError::Config(_))));
    assert!(matches!(store.reseal(true), Err(StoreError::Config(_))));
    let first = Sealing::Sealed(held(1).key.id());
    assert_eq!(store.sealing().unwrap(), Some(first));
    let mut store = store.with_keys(keys(2, &[1]));
    let second = Sealing::Sealed(held(2).key.id());
    assert_eq!(store.reseal(false).unwrap(), Some((first, second)));
    let mut store = store.with_keys(keys(2, &[]));
    assert_eq!(
        store.account().unwrap().session,
        Some(session(9, "{\"a\":1}"))
    );
}

/// One profile after the other, as passes would come.
fn save(place: &Place, keys: &Keyring, profile: usize, json: &str) {
    let mut store = open(place, keys, profile);
    let owner = i64::try_from(profile).unwrap() + 1;
    store.apply(&[obtained(owner, json)], START).unwrap();
}

fn open(place: &Place, keys: &Keyring, profile: usize) -> Writer {
    let store = place.open_profile(&format!("profile-{profile}")).unwrap();
    store.with_keys(keys.clone())
}

/// What takes a plain session away.
#[derive(Clone, Copy, Debug)]
enum End {
    Resealed,
    Replaced,
    Forgotten,
}

const ENDS: [End; 3] = [End::Resealed, End::Replaced, End::Forgotten];

impl End {
    fn come(self, store: &mut Writer, profile: usize) {
        let owner = i64::try_from(profile).unwrap() + 1;
        match self {
            Self::Resealed => drop(store.reseal(false).unwrap()),
            Self::Replaced => store.apply(&[obtained(owner, "{}")], START).unwrap(),
            Self::Forgotten => store.apply(&[Change::SessionDead], START).unwrap(),
        }
    }
}

/// Saves a plain session for each profile named, with a content of about so many bytes, then takes
/// all of them away.
fn file_without_plain_sessions(saves: &[(usize, usize)], end: End) -> Place {
    let place = Place::new();
    let none = Keyring::default();
    let mut used = std::collections::BTreeSet::new();
    for &(profile, length) in saves {
        save(&place, &none, profile, &"hunter2-".repeat(length / 8));
        used.insert(profile);
    }
    assert!(holds_anywhere(&place, "hunter2-"));
    for profile in used {
        let mut store = open(&place, &keys(1, &[]), profile);
        let name = format!("profile-{profile}");
        assert_eq!(store.account_unopened().unwrap().profile.as_str(), name);
        end.come(&mut store, profile);
    }
    place
}

/// `secure_delete` alone leaves a copy here: a row that grew had pushed its neighbours to another page.
#[test]
fn no_copy_of_a_plain_session_stays_where_its_row_once_was() {
    let saves = [
        (4, 1704),
        (3, 328),
        (5, 2000),
        (0, 152),
        (1, 200),
        (0, 512),
        (2, 480),
        (1, 368),
        (4, 20),
        (0, 2352),
        (3, 20),
    ];
    for end in ENDS {
        let place = file_without_plain_sessions(&saves, end);
        assert!(!holds_anywhere(&place, "hunter2-"), "{end:?}");
    }
}

/// A power cut in the middle of a commit, as the disk would have it then: the change is half in the
/// file, and the journal undoes it.
fn cut_off_while_storing(place: &Place, content: &str) {
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    // What is to be freed here is free later; a small cache is written before the commit.
    raw.execute_batch(
        "CREATE TABLE other AS SELECT randomblob(60000) AS content; DROP TABLE other;
         PRAGMA cache_size = 1; BEGIN",
    )
    .unwrap();
    raw.execute("UPDATE session SET content = ?1", [content])
        .unwrap();
    let journal = place.folder.path().join("stories.db-journal");
    let cut = [place.path(), journal].map(|path| (std::fs::read(&path).unwrap(), path));
    drop(raw);
    for (bytes, path) in cut {
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn nothing_of_a_plain_session_whose_commit_was_cut_off_is_left_once_another_is_sealed_or_gone() {
    for end in ENDS {
        let place = Place::new();
        save(&place, &Keyring::default(), 0, "{}");
        cut_off_while_storing(&place, &"hunter2-".repeat(5_000));
        let mut store = open(&place, &keys(1, &[]), 0);
        assert_eq!(store.account().unwrap().session, Some(session(1, "{}")));
        assert!(holds_anywhere(&place, "hunter2-"), "a rollback leaves it");
        end.come(&mut store, 0);
        assert!(!holds_anywhere(&place, "hunter2-"), "{end:?}");
    }
}

#[test]
fn only_a_session_that_no_key_at_hand_opens_is_forgotten_as_lost() {
    let place = Place::new();
    let mut store = open(&place, &keys(1, &[]), 0);
    assert!(!store.forget_lost().unwrap(), "there is none");
    store.apply(&[obtained(1, "{}")], START).unwrap();
    assert!(!store.forget_lost().unwrap(), "its key is here");
    let mut store = store.with_keys(keys(2, &[]));
    assert!(store.forget_lost().unwrap());
    assert_eq!(store.sealing().unwrap(), None);
}

#[test]
fn what_is_sealed_with_another_key_or_not_at_all_is_sealed_when_a_pass_begins() {
    let place = Place::new();
    let id = |key: u8| held(key).key.id();
    let nothing = open(&place, &keys(1, &[]), 0).seal_if_due().unwrap();
    assert_eq!(nothing, None, "there is no session");
    save(&place, &Keyring::default(), 0, "{}");
    for (held, due) in [
        (Keyring::default(), None),
        (keys(1, &[]), Some(id(1))),
        (keys(1, &[]), None),
        (Keyring::default(), None),
        (keys(2, &[1]), Some(id(2))),
        (keys(2, &[]), None),
    ] {
        assert_eq!(open(&place, &held, 0).seal_if_due().unwrap(), due);
    }
    let error = open(&place, &keys(3, &[]), 0).seal_if_due().unwrap_err();
    assert!(matches!(error, StoreError::Config(_)), "{error}");
    let mut store = open(&place, &keys(2, &[]), 0);
    assert_eq!(store.account().unwrap().session, Some(session(1, "{}")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Short contents share a page, long ones overflow it, and rows move when others grow.
    #[test]
    fn nothing_of_any_plain_session_is_left_once_all_are_sealed_or_gone(
        saves in prop::collection::vec(
            (0usize..6, prop_oneof![20usize..700, 20usize..9000]),
            1..40,
        ),
        end in prop::sample::select(ENDS.to_vec()),
    ) {
        let place = file_without_plain_sessions(&saves, end);
        prop_assert!(!holds_anywhere(&place, "hunter2-"));
    }
}
