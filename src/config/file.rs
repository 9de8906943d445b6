//! The configuration file: TOML whose every key is known.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::error::Mistake;
use super::keys;
use super::raw::RawConfig;
use super::secrets;
use super::value::{Origin, Value};
use crate::model::ProfileName;

/// No sensible file comes near this; anything larger is a mistaken path.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// As which a file that cannot be read is reported.
pub(super) const FILE_KEY: &str = "configuration file";

impl RawConfig {
    /// Adds what the file says; `named_by` is reported when it cannot be read.
    pub(super) fn add_file(&mut self, path: &Arc<PathBuf>, named_by: Origin) {
        match read(path) {
            Ok(text) => self.add_text(path, &text),
            Err((problem, advice)) => self.mistakes.push(Mistake {
                key: FILE_KEY.to_owned(),
                value: Some(path.display().to_string()),
                origin: named_by,
                problem,
                advice: advice.to_owned(),
            }),
        }
    }

    /// Adds what stands in the file.
    pub(super) fn add_text(&mut self, path: &Arc<PathBuf>, text: &str) {
        let at = |line| Origin::File {
            path: Arc::clone(path),
            line,
        };
        let line_of = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        let document = match DeTable::parse(text) {
            Ok(document) => document.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(span.start));
                // Only the parser's own words: the line itself may hold a secret.
                let problem = format!("not valid TOML: {}", error.message());
                return self.mistake(FILE_KEY, at(line), problem, "");
            }
        };
        let mut reader = FileReader {
            raw: self,
            origin: &|offset| at(line_of(offset)),
            own_account: false,
        };
        reader.read(&document);
    }
}

/// The text, or what is wrong with the file and what to do.
fn read(path: &Path) -> Result<String, (String, &'static str)> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        let problem = "it is larger than 1 MiB, so it is no configuration".to_owned();
        return Err((problem, ANOTHER));
    }
    Ok(text)
}

const ANOTHER: &str = "name a readable TOML file, see examples/config.toml";

fn unreadable(error: &io::Error) -> (String, &'static str) {
    const AS_OWNER: &str = "run this as the file's owner, or change its owner or permissions";
    match error.kind() {
        io::ErrorKind::NotFound => ("there is no such file".to_owned(), ANOTHER),
        io::ErrorKind::InvalidData => ("it is not UTF-8 text".to_owned(), ANOTHER),
        io::ErrorKind::PermissionDenied => (format!("it cannot be read: {error}"), AS_OWNER),
        _ => (format!("it cannot be read: {error}"), ANOTHER),
    }
}

struct FileReader<'r> {
    raw: &'r mut RawConfig,
    origin: &'r dyn Fn(usize) -> Origin,
    /// Whether the profile names an account of its own. Then the password of the one above is not its.
    own_account: bool,
}

impl FileReader<'_> {
    fn read(&mut self, document: &DeTable<'_>) {
        let profiles = document
            .iter()
            .find(|(name, _)| name.get_ref() == "profile");
        if let Some((name, profiles)) = profiles {
            let origin = (self.origin)(name.span().start);
            self.read_profiles(&origin, profiles.get_ref());
        }
        for (name, value) in document {
            if name.get_ref() != "profile" {
                let origin = (self.origin)(name.span().start);
                self.entry(name.get_ref(), &origin, value.get_ref(), true);
            }
        }
    }

    /// Tables of other profiles are checked for unknown keys and otherwise left alone.
    fn read_profiles(&mut self, origin: &Origin, profiles: &DeValue<'_>) {
        let Some(profiles) = profiles.as_table() else {
            let advice = "write tables [profile.NAME], NAME of a-z, 0-9 and -";
            let problem = "profiles are tables".to_owned();
            return self.raw.mistake("profile", origin.clone(), problem, advice);
        };
        let mut names = Vec::new();
        for (name, table) in profiles {
            let origin = (self.origin)(name.span().start);
            let key = format!("profile.{}", name.get_ref());
            if let Err(problem) = name.get_ref().parse::<ProfileName>() {
                self.raw.mistake(&key, origin.clone(), problem, "");
            }
            names.push(name.get_ref().to_string());
            let chosen = name.get_ref() == self.raw.profile.as_str();
            let Some(table) = table.get_ref().as_table() else {
                let problem = "a profile is a table".to_owned();
                self.raw.mistake(&key, origin, problem, "[profile.NAME]");
                continue;
            };
            for (name, value) in table {
                let origin = (self.origin)(name.span().start);
                self.entry(name.get_ref(), &origin, value.get_ref(), chosen);
            }
            self.own_account |= chosen && names_an_account(table);
        }
        let profile = self.raw.profile.clone();
        if profile != ProfileName::default() && !names.iter().any(|name| name == profile.as_str()) {
            let problem = format!("the configuration file has no table [profile.{profile}]");
            let advice = format!("allowed: default, {}", names.join(", "));
            self.raw.mistakes.push(Mistake {
                key: "profile".to_owned(),
                value: Some(profile.to_string()),
                origin: self.raw.profile_origin.clone(),
                problem,
                advice,
            });
        }
    }

    fn entry(&mut self, name: &str, origin: &Origin, value: &DeValue<'_>, chosen: bool) {
        if let Some(key) = keys::find(name) {
            if chosen && !(self.own_account && OF_ONE_ACCOUNT.contains(&key.name)) {
                let value = Value::from_toml(value);
                self.raw.refuse_leftover(key, &value, origin);
                self.raw.set(key.name, value, origin.clone());
            }
            return;
        }
        let prefix = format!("{name}.");
        let is_section = keys::KEYS.iter().any(|key| key.name.starts_with(&prefix));
        match value.as_table() {
            Some(table) if is_section => {
                for (inner, value) in table {
                    let origin = (self.origin)(inner.span().start);
                    let name = format!("{prefix}{}", inner.get_ref());
                    self.entry(&name, &origin, value.get_ref(), chosen);
                }
            }
            None if is_section => {
                let problem = "a table belongs here".to_owned();
                self.raw
                    .mistake(name, origin.clone(), problem, &format!("[{name}]"));
            }
            _ => {
                let problem = unknown_key(name);
                self.raw.mistake(name, origin.clone(), problem, "");
            }
        }
    }
}

/// What only the account that stands beside it can be logged in with.
const OF_ONE_ACCOUNT: [&str; 2] = [secrets::PASSWORD.file_key, secrets::TOTP_SECRET.file_key];

fn names_an_account(profile: &DeTable<'_>) -> bool {
    let account = profile.iter().find(|(name, _)| name.get_ref() == "account");
    let account = account.and_then(|(_, table)| table.get_ref().as_table());
    account.is_some_and(|table| table.iter().any(|(name, _)| name.get_ref() == "username"))
}

/// The value of an unknown key is never shown: it may be a secret in the wrong place.
fn unknown_key(name: &str) -> String {
    if let Some(kind) = secrets::ALL.iter().find(|kind| kind.key == name) {
        return format!(
            "secrets do not belong in the configuration file; put this one into a file of its own, \
             chmod 600, and name it in {}",
            kind.file_key
        );
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let secret = [
        "password",
        "totp",
        "secret",
        "token",
        "session_id",
        "sessionid",
    ]
    .iter()
    .any(|word| last.contains(word));
    if secret && !last.ends_with("_file") {
        return "secrets do not belong in the configuration file; put the password into a file of \
                its own, chmod 600, and name it in account.password_file (an authenticator secret: \
                account.totp_secret_file)"
            .to_owned();
    }
    if secrets::ALL.iter().any(|kind| kind.key == name) {
        return format!(
            "whoever knows this address can use it, so it does not belong in the configuration \
             file; put it into a file of its own, chmod 600, and name it in {name}_file"
        );
    }
    match keys::similar(name) {
        Some(known) => format!("no such key, did you mean {known}?"),
        None => format!("no such key; {}", keys::LISTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root may read every file, so no file on a disk shows this to every test.
    #[test]
    fn a_file_that_this_user_may_not_read_is_a_matter_of_owners() {
        let (_, advice) = unreadable(&io::ErrorKind::PermissionDenied.into());
        assert!(advice.contains("run this as the file's owner"), "{advice}");
        let (_, advice) = unreadable(&io::ErrorKind::NotFound.into());
        assert!(advice.contains("name a readable TOML file"), "{advice}");
    }
}
