//! The keys that seal sessions: the present one, and those from before a rotation.

use std::path::PathBuf;

use super::parse;
use super::resolver::Resolver;
use super::secrets::{self, Refused, SESSION_KEY};
use super::value::{Origin, Value};
use crate::model::{HeldKey, Keyring, NotAKey, SealKey, Secret};

const OLD: &str = "secrets.old_key_files";

impl Resolver<'_> {
    /// The keys at hand; none for a command that opens no session.
    pub(super) fn session_keys(&mut self) -> Keyring {
        let files = self.old_key_files();
        let present = self.secret(SESSION_KEY).and_then(|secret| {
            let origin = self.origin_of(SESSION_KEY.key);
            let held = held(&secret, &origin);
            match held {
                Ok(held) => {
                    let shown = format!("*** (id {})", held.key.id());
                    self.show(SESSION_KEY.key, Some(Value::Text(shown)));
                    Some(held)
                }
                Err(problem) => {
                    self.secret_mistake(SESSION_KEY.key, refused(origin, problem));
                    None
                }
            }
        });
        if !self.raw.needs.include(SESSION_KEY) {
            return Keyring::default();
        }
        let mut old = Vec::new();
        for path in files {
            let read = secrets::read(&path, self.environment).and_then(|(secret, origin)| {
                held(&secret, &origin).map_err(|problem| refused(origin, problem))
            });
            match read {
                Ok(held) => old.push(held),
                Err(refused) => self.secret_mistake(OLD, refused),
            }
        }
        // A flag names an old key to take a seal off with.
        let by_flag = matches!(self.origin_of(OLD), Origin::Flag(_));
        if present.is_none() && !old.is_empty() && !by_flag && self.sound(&[SESSION_KEY.key]) {
            self.mistake(
                OLD,
                "old keys only open; there is no key to seal with".to_owned(),
                "set secrets.key_file, or take this line away".to_owned(),
            );
        }
        let searched = match present {
            Some(_) => String::new(),
            None => SESSION_KEY.places(self.environment),
        };
        Keyring {
            present,
            old,
            searched,
        }
    }

    fn old_key_files(&mut self) -> Vec<PathBuf> {
        let allowed = "a list of paths of key files";
        let files = self.optional(OLD, allowed, |value| {
            value
                .items()
                .iter()
                .map(parse::path)
                .collect::<Result<Vec<_>, _>>()
        });
        let files = files.unwrap_or_default();
        files
            .into_iter()
            .map(|path| self.beside_the_file(OLD, path))
            .collect()
    }
}

fn held(secret: &Secret, origin: &Origin) -> Result<HeldKey, NotAKey> {
    Ok(HeldKey {
        key: SealKey::parse(secret)?,
        from: origin.to_string(),
    })
}

fn refused(origin: Origin, problem: NotAKey) -> Refused {
    Refused {
        origin,
        problem: problem.to_string(),
        remedy: "copy the key again, whole and alone on one line; a new key does not open what \
                 another one sealed"
            .to_owned(),
    }
}
