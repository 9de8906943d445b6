//! Sessions sealed at rest: what stands in `session.format` and `session.content`.
//!
//! A session is sealed with AES-256-GCM-SIV and a fresh random nonce. It is sealed again with every
//! reply that changes it, for years under one key, and on machines whose memory may be copied and
//! started twice; with plain GCM one repeated nonce would give away the authentication key, here it
//! tells no more than that two contents were the same.
//!
//! What the seal is bound to (its associated data): the form, the key's id, the profile and the
//! account's pk. A sealed content that is moved to another row, or relabelled, does not open. An
//! older content of the same row that somebody put back does: then Instagram refuses the session.
//!
//! | `format` | `content` |
//! |---|---|
//! | 0 | the session as JSON |
//! | 1 | the key's id, a dot, and nonce, ciphertext and tag in base64 |

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::model::{KeyId, Keyring, Pk, ProfileName, SealKey, Secret, Session};
use crate::ports::StoreError;

const PLAIN: i64 = 0;
const SEALED: i64 = 1;

/// What a row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) pk: Pk,
    pub(crate) format: i64,
    pub(crate) content: Secret,
}

/// How a session is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// As it is: whoever can read the file has the session.
    Plain,
    /// Sealed with this key.
    Sealed(KeyId),
    /// Not as this version stores sessions.
    Unknown,
}

impl Stored {
    /// How it is stored, as far as that can be said without a key.
    pub(crate) fn sealing(&self) -> Sealing {
        match (self.format, self.parts()) {
            (PLAIN, _) => Sealing::Plain,
            (SEALED, Some((id, _))) => Sealing::Sealed(id),
            _ => Sealing::Unknown,
        }
    }

    fn parts(&self) -> Option<(KeyId, &str)> {
        let (id, sealed) = self.content.expose().split_once('.')?;
        Some((KeyId::parse(id)?, sealed))
    }
}

/// A profile's sessions go in and out through this.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    profile: ProfileName,
    pub(super) keys: Keyring,
    /// Where the database is, for messages.
    path: PathBuf,
}

impl Vault {
    pub(crate) fn new(profile: ProfileName, keys: Keyring, path: &Path) -> Self {
        let path = path.to_owned();
        Self {
            profile,
            keys,
            path,
        }
    }

    pub(crate) fn profile(&self) -> &ProfileName {
        &self.profile
    }

    /// What to store: sealed with the present key, or plain where there is none.
    pub(crate) fn put(&self, session: &Session) -> Result<Stored, StoreError> {
        match &self.keys.present {
            None => Ok(Self::put_plain(session)),
            Some(held) => self.seal(&held.key, session),
        }
    }

    /// What to store without any seal.
    pub(crate) fn put_plain(session: &Session) -> Stored {
        Stored {
            pk: session.pk,
            format: PLAIN,
            content: session.json.clone(),
        }
    }

    fn seal(&self, key: &SealKey, session: &Session) -> Result<Stored, StoreError> {
        let broken = |_| StoreError::Bug("a session could not be sealed".to_owned());
        let cipher = RandomizedNonceKey::new(&AES_256_GCM_SIV, key.bytes()).map_err(broken)?;
        let bound = self.bound_to(key.id(), session.pk);
        let plain = session.json.expose().as_bytes();
        // Room for the tag: a text that had to move would leave a copy behind.
        let mut sealed = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
        sealed.extend_from_slice(plain);
        let nonce = cipher
            .seal_in_place_append_tag(Aad::from(bound), &mut sealed)
            .map_err(broken)?;
        let all = STANDARD_NO_PAD.encode([nonce.as_ref().as_slice(), &sealed].concat());
        Ok(Stored {
            pk: session.pk,
            format: SEALED,
            content: Secret::new(format!("{}.{all}", key.id())),
        })
    }

    /// The session that was stored.
    pub(crate) fn open(&self, stored: &Stored) -> Result<Session, StoreError> {
        let json = match (stored.format, stored.parts()) {
            (PLAIN, _) => stored.content.clone(),
            (SEALED, Some((id, sealed))) => {
                let key = self.keys.find(id).ok_or_else(|| self.no_key(id))?;
                self.unseal(key, stored.pk, sealed)
                    .ok_or_else(|| self.damaged(id))?
            }
            (SEALED, None) => return Err(self.illegible()),
            (format, _) => return Err(self.unknown(format)),
        };
        Ok(Session {
            pk: stored.pk,
            json,
        })
    }

    fn unseal(&self, key: &SealKey, pk: Pk, sealed: &str) -> Option<Secret> {
        let mut bytes = Zeroizing::new(STANDARD_NO_PAD.decode(sealed).ok()?);
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let cipher = RandomizedNonceKey::new(&AES_256_GCM_SIV, key.bytes()).ok()?;
        let bound = Aad::from(self.bound_to(key.id(), pk));
        let plain = cipher.open_in_place(nonce, bound, sealed).ok()?;
        Some(Secret::new(std::str::from_utf8(plain).ok()?))
    }

    /// No part can hold a line end, so no two rows share these words.
    fn bound_to(&self, key: KeyId, pk: Pk) -> String {
        let profile = &self.profile;
        format!("story-liker session\nformat {SEALED}\nkey {key}\nprofile {profile}\npk {pk}")
    }

    /// Whether it takes a key that is not at hand, or is past opening.
    pub(crate) fn is_lost(&self, stored: &Stored) -> bool {
        stored.format == SEALED && self.open(stored).is_err()
    }

    /// The refusal of a save that would put a plain session in a sealed one's place.
    pub(crate) fn refuse_plain(&self) -> StoreError {
        StoreError::Config(format!(
            "the session of profile {} in {} is sealed, but {}, so what would take its place would \
             not be; nothing was stored: configure a key (a new one will do for a new session), see \
             secrets.key_file",
            self.profile,
            self.path.display(),
            self.keys.described()
        ))
    }

    fn no_key(&self, id: KeyId) -> StoreError {
        StoreError::Config(format!(
            "the session of profile {} in {} is sealed with key {id}, but {}; nothing was sent and \
             the session is still there: give the program that key (secrets.key_file, or \
             secrets.old_key_files after a change of keys); if it is lost for good, `story-liker \
             session import FILE` brings another session, and so do `story-liker session forget \
             --key-lost` and `story-liker login`",
            self.profile,
            self.path.display(),
            self.keys.described()
        ))
    }

    fn damaged(&self, id: KeyId) -> StoreError {
        StoreError::BadState(format!(
            "the session of profile {} in {} does not open with its own key {id}: the stored \
             session was changed, or belongs to another profile or account; nothing was sent: \
             restore a copy of the database, or bring another session with `story-liker session \
             import FILE`",
            self.profile,
            self.path.display(),
        ))
    }

    fn illegible(&self) -> StoreError {
        StoreError::BadState(format!(
            "the session of profile {} in {} is marked as sealed and names no key: the stored \
             session was changed; nothing was sent: restore a copy of the database, or bring \
             another session with `story-liker session import FILE`",
            self.profile,
            self.path.display(),
        ))
    }

    fn unknown(&self, format: i64) -> StoreError {
        StoreError::Config(format!(
            "the session of profile {} is stored in a form this version cannot read (format \
             {format}); use the version that wrote it, or bring another session with `story-liker \
             session import FILE`",
            self.profile
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
}
