//! Where secrets come from. For each, the first of these that is set:
//!
//! 1. its variable, for example `STORY_LIKER_ACCOUNT_PASSWORD`,
//! 2. the file that its variable ending in `_FILE` names,
//! 3. the variable of another program that is understood as well (`IG_PASSWORD`),
//! 4. its file in `$CREDENTIALS_DIRECTORY`, which systemd's `LoadCredential=` makes,
//! 5. the file that its key of the configuration file names, for example `account.password_file`.
//!
//! Never a flag, never the configuration file itself. No message contains a secret. [`ALL`] is the
//! table: a new secret is a line there, and is then shown as `***` and refused in the configuration
//! file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::value::Origin;
use crate::model::Secret;
use zeroize::Zeroizing;

/// Far more than any password or authenticator secret.
const MAX_SECRET_BYTES: u64 = 4096;

/// One of the secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// As which it is shown.
    pub(super) key: &'static str,
    /// The key of its file.
    pub(super) file_key: &'static str,
    pub(super) variable: &'static str,
    alias: Option<&'static str>,
    credential: &'static str,
}

/// The login password.
pub(super) const PASSWORD: Kind = Kind {
    key: "account.password",
    file_key: "account.password_file",
    variable: "STORY_LIKER_ACCOUNT_PASSWORD",
    alias: Some("IG_PASSWORD"),
    credential: "password",
};

/// The base32 secret of the authenticator app.
pub(super) const TOTP_SECRET: Kind = Kind {
    key: "account.totp_secret",
    file_key: "account.totp_secret_file",
    variable: "STORY_LIKER_ACCOUNT_TOTP_SECRET",
    alias: None,
    credential: "totp_secret",
};

/// The key that seals sessions at rest.
pub(super) const SESSION_KEY: Kind = Kind {
    key: "secrets.key",
    file_key: "secrets.key_file",
    variable: "STORY_LIKER_SECRETS_KEY",
    alias: None,
    credential: "session_key",
};

/// Where passes are reported to.
pub(super) const PING_URL: Kind = Kind {
    key: "ping.url",
    file_key: "ping.url_file",
    variable: "STORY_LIKER_PING_URL",
    alias: None,
    credential: "ping_url",
};

/// Where a person is told what changed.
pub(super) const NOTIFY_URL: Kind = Kind {
    key: "notify.url",
    file_key: "notify.url_file",
    variable: "STORY_LIKER_NOTIFY_URL",
    alias: None,
    credential: "notify_url",
};

/// Every secret there is.
pub(super) const ALL: [Kind; 5] = [PASSWORD, TOTP_SECRET, SESSION_KEY, PING_URL, NOTIFY_URL];

/// Which secrets a command needs. The others are not even looked for: so it works for a user who may
/// not read them, and where a service manager hands them to the passes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Needs {
    /// All: a pass, and whatever says beforehand what a pass would meet.
    #[default]
    EverySecret,
    /// Password, authenticator secret and session key: a login.
    LoginSecrets,
    /// The session key: what takes a session out or puts one in.
    SessionKey,
    /// None: what looks, what clears up, and what rehearses.
    NoSecret,
}

impl Needs {
    /// Whether this secret is among them.
    pub(super) fn include(self, kind: Kind) -> bool {
        match self {
            Self::EverySecret => true,
            Self::LoginSecrets => [PASSWORD, TOTP_SECRET, SESSION_KEY].contains(&kind),
            Self::SessionKey => kind == SESSION_KEY,
            Self::NoSecret => false,
        }
    }
}

impl Kind {
    /// Where it was looked for, for the message that it was not found.
    pub(super) fn places(self, environment: &Environment) -> String {
        let folder = match environment.absolute_path("CREDENTIALS_DIRECTORY") {
            Some(folder) => folder.join(self.credential).display().to_string(),
            None => format!(
                "{} in CREDENTIALS_DIRECTORY, which is not set",
                self.credential
            ),
        };
        format!(
            "the variables {0} and {0}_FILE, {folder}, and {1}",
            self.variable, self.file_key
        )
    }
}

/// A secret that cannot be used.
pub(super) struct Refused {
    pub(super) origin: Origin,
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// Finds and reads a secret. `file` is what the key of its file resolved to, and where from.
pub(super) fn find(
    kind: Kind,
    file: Option<(PathBuf, Origin)>,
    environment: &Environment,
) -> Result<Option<(Secret, Origin)>, Refused> {
    match locate(kind, file, environment) {
        None => Ok(None),
        Some(Source::Variable(name)) => variable(name, environment),
        Some(Source::File(path)) => read(&path, environment).map(Some),
    }
}

/// Whether there is anything where the secret would come from. Reads none.
pub(super) fn is_configured(
    kind: Kind,
    file: Option<(PathBuf, Origin)>,
    environment: &Environment,
) -> bool {
    locate(kind, file, environment).is_some()
}

/// The first place of the order above that is set.
enum Source {
    Variable(&'static str),
    File(PathBuf),
}

fn locate(
    kind: Kind,
    file: Option<(PathBuf, Origin)>,
    environment: &Environment,
) -> Option<Source> {
    let is_set = |name: &str| !matches!(environment.text(name), Ok(None));
    if is_set(kind.variable) {
        return Some(Source::Variable(kind.variable));
    }
    if let Some((path, Origin::Variable(_))) = file {
        return Some(Source::File(path));
    }
    if let Some(alias) = kind.alias.filter(|alias| is_set(alias)) {
        return Some(Source::Variable(alias));
    }
    let folder = environment.absolute_path("CREDENTIALS_DIRECTORY");
    let credential = folder.map(|folder| folder.join(kind.credential));
    let path = credential.filter(|path| path.exists());
    path.or(file.map(|(path, _)| path)).map(Source::File)
}

fn variable(
    name: &'static str,
    environment: &Environment,
) -> Result<Option<(Secret, Origin)>, Refused> {
    let origin = Origin::Variable(name.to_owned());
    match environment.text(name) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => check(text, origin).map(Some),
        Err(_) => Err(Refused {
            origin,
            problem: "its value is not UTF-8".to_owned(),
            remedy: "set it again as UTF-8 text".to_owned(),
        }),
    }
}

/// Reads a secret file. The service manager guards those in its folder by other means than their
/// mode.
pub(super) fn read(path: &Path, environment: &Environment) -> Result<(Secret, Origin), Refused> {
    let credentials = environment.absolute_path("CREDENTIALS_DIRECTORY");
    let origin = Origin::SecretFile(path.to_owned());
    let refused = |problem: String, remedy: String| Refused {
        origin: origin.clone(),
        problem,
        remedy,
    };
    let unreadable = |error: io::Error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => format!("it cannot be read: {error}"),
        };
        let remedy = format!(
            "put the secret into {0}, owned by the user who runs story-liker, and chmod 600 {0}",
            path.display()
        );
        refused(problem, remedy)
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    let guarded = credentials.is_some_and(|folder| path.starts_with(folder));
    if mode & 0o077 != 0 && !guarded {
        return Err(refused(
            format!("others may read it (mode {:03o})", mode & 0o777),
            format!("chmod 600 {}", path.display()),
        ));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_SECRET_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_SECRET_BYTES {
        return Err(refused(
            "it is larger than 4 KiB, so it is no secret".to_owned(),
            "a file with the secret on one line and nothing else".to_owned(),
        ));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    check(line, origin)
}

fn check(text: &str, origin: Origin) -> Result<(Secret, Origin), Refused> {
    let problem = if text.is_empty() {
        Some("it is empty")
    } else if text.contains(char::is_control) {
        Some("it has more than one line, or control characters")
    } else {
        None
    };
    match problem {
        None => Ok((Secret::new(text), origin)),
        Some(problem) => Err(Refused {
            origin,
            problem: problem.to_owned(),
            remedy: "the secret on one line and nothing else".to_owned(),
        }),
    }
}

/// Whether a secret has the alphabet and length that authenticator apps use (base32, at least 80
/// bits; spaces are for reading).
pub(super) fn is_totp_secret(secret: &Secret) -> bool {
    let digits: Vec<char> = secret
        .expose()
        .trim_end_matches('=')
        .chars()
        .filter(|c| *c != ' ')
        .collect();
    digits.len() >= 16
        && digits
            .iter()
            .all(|c| c.is_ascii_alphabetic() || ('2'..='7').contains(c))
}
