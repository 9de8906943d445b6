//! The operator's account: login name, secrets, and whether a lost session may be renewed.

use std::path::PathBuf;

use super::AccountConfig;
use super::resolver::Resolver;
use super::value::{Origin, Value};
use super::{parse, secrets};
use crate::model::Secret;

impl Resolver<'_> {
    pub(super) fn account(&mut self) -> AccountConfig {
        let username = self.optional("account.username", "your login name", |value| {
            let name = value.as_text()?;
            let name = name.strip_prefix('@').unwrap_or(name);
            let odd = name.is_empty() || name.len() > 254 || name.contains(char::is_whitespace);
            if odd || name.contains(char::is_control) {
                return Err("not a login name".to_owned());
            }
            Ok(name.to_owned())
        });
        let password = self.secret(secrets::PASSWORD);
        let totp_secret =
            self.secret(secrets::TOTP_SECRET).filter(|secret| {
                let fine = secrets::is_totp_secret(secret);
                if !fine {
                    let origin = self.origin_of(secrets::TOTP_SECRET.key);
                    self.secret_mistake(secrets::TOTP_SECRET.key, secrets::Refused {
                    origin,
                    problem: "not the base32 secret of an authenticator app".to_owned(),
                    remedy: "the 16 or more letters and digits 2-7 shown when the app was set up"
                        .to_owned(),
                });
                }
                fine
            });
        AccountConfig {
            username,
            password,
            totp_secret,
        }
    }

    pub(super) fn secret(&mut self, kind: secrets::Kind) -> Option<Secret> {
        let file = self.secret_file(kind);
        if !self.raw.needs.include(kind) {
            self.came_to(kind.key, None, Origin::Default);
            return None;
        }
        match secrets::find(kind, file, self.environment) {
            Ok(found) => {
                let (secret, origin) = found.unzip();
                let shown = secret.as_ref().map(|_| Value::Text("***".to_owned()));
                let origin = origin.unwrap_or(Origin::Default);
                self.came_to(kind.key, shown, origin);
                secret
            }
            Err(refused) => {
                self.secret_mistake(kind.key, refused);
                None
            }
        }
    }

    fn secret_file(&mut self, kind: secrets::Kind) -> Option<(PathBuf, Origin)> {
        let path = self.path(kind.file_key, "the path of a file", parse::path);
        let origin = self.raw.settings.get(kind.file_key);
        path.zip(origin.map(|setting| setting.origin.clone()))
    }

    /// A command that does not read the password takes it as good if there seems to be one.
    pub(super) fn relogin(&mut self, account: &AccountConfig) -> bool {
        const KEY: &str = "session.relogin";
        let wish = self.optional(KEY, "\"once-a-day\" or \"never\"", |value| {
            match value.as_text()? {
                "once-a-day" => Ok(true),
                "never" => Ok(false),
                _ => Err("not one of the two choices".to_owned()),
            }
        });
        let looked = self.raw.needs.include(secrets::PASSWORD);
        let possible = if looked {
            account.password.is_some()
        } else {
            let sound = self.sound(&[secrets::PASSWORD.file_key]);
            let file = sound.then(|| self.secret_file(secrets::PASSWORD));
            let file = file.flatten();
            secrets::is_configured(secrets::PASSWORD, file, self.environment)
        };
        if looked && wish == Some(true) && !possible && self.sound(&[secrets::PASSWORD.key]) {
            self.mistake(
                KEY,
                "logging in again needs a password, and none is configured".to_owned(),
                "write \"never\", or set account.password_file".to_owned(),
            );
        }
        let relogin = wish.unwrap_or(possible);
        let word = if relogin { "once-a-day" } else { "never" };
        self.show(KEY, Some(Value::Text(word.to_owned())));
        relogin
    }
}
