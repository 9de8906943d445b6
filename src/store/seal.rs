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

    /// The key that seals what is stored from now on.
    pub(crate) fn present(&self) -> Option<KeyId> {
        self.keys.present.as_ref().map(|held| held.key.id())
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
mod tests;
