#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::HeldKey;
use proptest::prelude::*;

fn pk(number: i64) -> Pk {
    Pk::try_from(number).unwrap()
}

fn held(byte: u8) -> HeldKey {
    HeldKey {
        key: SealKey::new([byte; 32]),
        from: format!("file {byte}"),
    }
}

fn vault(profile: &str, present: Option<u8>, old: &[u8]) -> Vault {
    let keys = Keyring {
        present: present.map(held),
        old: old.iter().copied().map(held).collect(),
        searched: "the usual places".to_owned(),
    };
    Vault::new(profile.parse().unwrap(), keys, Path::new("/srv/stories.db"))
}

fn session(json: &str) -> Session {
    Session {
        pk: pk(9),
        json: Secret::new(json),
    }
}

const JSON: &str = r#"{"authorization_data":{"sessionid":"9%3Ahunter2"}}"#;

#[test]
fn what_is_sealed_opens_again_and_shows_nothing_but_the_key_it_takes() {
    let vault = vault("default", Some(1), &[]);
    let stored = vault.put(&session(JSON)).unwrap();
    let id = held(1).key.id();
    assert_eq!(stored.sealing(), Sealing::Sealed(id));
    assert!(stored.content.expose().starts_with(&format!("{id}.")));
    assert!(!stored.content.expose().contains("hunter2"));
    assert_eq!(vault.open(&stored).unwrap(), session(JSON));
    assert!(!format!("{stored:?} {vault:?}").contains(stored.content.expose()));
}

#[test]
fn no_two_seals_are_the_same() {
    let vault = vault("default", Some(1), &[]);
    let seals: std::collections::BTreeSet<String> = (0..100)
        .map(|_| vault.put(&session(JSON)).unwrap().content.expose()[9..25].to_owned())
        .collect();
    assert_eq!(seals.len(), 100, "every nonce is another");
}

#[test]
fn a_sealed_content_opens_in_its_own_row_only() {
    let own = vault("default", Some(1), &[]);
    let stored = own.put(&session(JSON)).unwrap();
    let other_profile = vault("second", Some(1), &[]).open(&stored).unwrap_err();
    assert!(
        matches!(&other_profile, StoreError::BadState(text) if text.contains("profile second")),
        "{other_profile}"
    );
    let moved = Stored {
        pk: pk(10),
        ..stored.clone()
    };
    assert!(matches!(own.open(&moved), Err(StoreError::BadState(_))));
    for format in [-1, 2, i64::MAX] {
        let relabelled = Stored {
            format,
            ..stored.clone()
        };
        let error = own.open(&relabelled).unwrap_err();
        assert!(matches!(&error, StoreError::Config(text) if text.contains("use the version")));
        assert_eq!(relabelled.sealing(), Sealing::Unknown);
    }
}

#[test]
fn a_key_that_is_missing_or_another_is_named_by_its_id() {
    let stored = vault("default", Some(1), &[]).put(&session(JSON)).unwrap();
    let wanted = held(1).key.id().to_string();
    for (with, word) in [
        (vault("default", None, &[]), "the usual places"),
        (vault("default", Some(2), &[]), "file 2"),
        (vault("default", Some(2), &[3]), "file 3"),
    ] {
        let error = with.open(&stored).unwrap_err();
        let StoreError::Config(text) = error else {
            panic!("{error:?}");
        };
        for part in [&wanted, word, "/srv/stories.db", "profile default"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(with.is_lost(&stored));
    }
    let rotated = vault("default", Some(2), &[3, 1]);
    assert_eq!(rotated.open(&stored).unwrap(), session(JSON));
    assert!(!rotated.is_lost(&stored));
}

#[test]
fn a_content_that_names_its_key_wrongly_is_refused() {
    let own = vault("default", Some(1), &[2]);
    let stored = own.put(&session(JSON)).unwrap();
    let (_, sealed) = stored.content.expose().split_once('.').unwrap();
    let other = held(2).key.id();
    for content in [
        format!("{other}.{sealed}"),
        format!("{}{sealed}", held(1).key.id()),
        sealed.to_owned(),
        String::new(),
    ] {
        let content = Secret::new(content);
        let wrong = Stored {
            content,
            ..stored.clone()
        };
        assert!(matches!(own.open(&wrong), Err(StoreError::BadState(_))));
    }
}

#[test]
fn without_a_key_a_session_is_stored_as_it_is() {
    let vault = vault("default", None, &[]);
    let stored = vault.put(&session(JSON)).unwrap();
    assert_eq!((stored.format, stored.content.expose()), (0, JSON));
    assert_eq!(stored.sealing(), Sealing::Plain);
    assert_eq!(vault.open(&stored).unwrap(), session(JSON));
}

proptest! {
    #[test]
    fn any_text_comes_back_whole(json in "\\PC{0,300}", number in 1..i64::MAX, profile in "[a-z0-9-]{1,32}") {
        let vault = vault(&profile, Some(1), &[]);
        let session = Session { pk: pk(number), json: Secret::new(json) };
        prop_assert_eq!(vault.open(&vault.put(&session).unwrap()).unwrap(), session);
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_refused(at in 0usize..200, bit in 0u8..7, json in "[a-z]{40,90}") {
        let vault = vault("default", Some(1), &[]);
        let stored = vault.put(&session(&json)).unwrap();
        let text = stored.content.expose();
        let at = at % text.len();
        let mut flipped = text.as_bytes().to_vec();
        flipped[at] ^= 1 << bit;
        let cut = text[..at].to_owned();
        for content in [String::from_utf8(flipped).unwrap(), cut, format!("{text}A")] {
            let wrong = Stored { content: Secret::new(content), ..stored.clone() };
            prop_assert!(vault.open(&wrong).is_err());
            let _ = wrong.sealing();
        }
    }

    #[test]
    fn any_content_at_all_is_refused_without_a_panic(content in "\\PC{0,200}", base in "[A-Za-z0-9+/]{0,200}") {
        let vault = vault("default", Some(1), &[]);
        for content in [content, format!("{}.{base}", held(1).key.id())] {
            let stored = Stored { pk: pk(9), format: SEALED, content: Secret::new(content) };
            prop_assert!(vault.open(&stored).is_err());
        }
    }
}
