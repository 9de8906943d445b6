//! The configuration, the places it was looked for, and where the secrets come from.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::check::Check;
use super::users::Users;
use crate::config::{Inspected, Mistake, Origin};
use crate::exit::ExitCode;

/// A secret and its check.
pub(super) struct SecretCheck {
    /// Mistakes in these keys are told by it; the first one is the secret's own.
    keys: &'static [&'static str],
    id: &'static str,
    /// What it means that there is none.
    absent: &'static str,
}

/// The key that seals the session.
pub(super) const SESSION_KEY: SecretCheck = SecretCheck {
    keys: &["secrets.key", "secrets.old_key_files"],
    id: "session_key",
    absent: "none at hand; without one the session is stored as it is",
};

const LOGIN: &str = "none at hand; needed only for 'story-liker login' without a terminal, and for \
                     session.relogin";

const SECRETS: [SecretCheck; 5] = [
    SecretCheck {
        keys: &["account.password"],
        id: "password",
        absent: LOGIN,
    },
    SecretCheck {
        keys: &["account.totp_secret"],
        id: "totp_secret",
        absent: LOGIN,
    },
    SESSION_KEY,
    SecretCheck {
        keys: &["ping.url"],
        id: "ping_url",
        absent: "none at hand; without one no monitor is told how passes go",
    },
    SecretCheck {
        keys: &["notify.url"],
        id: "notify_url",
        absent: "none at hand; without one notices go to no address",
    },
];

impl SecretCheck {
    fn is_about(&self, mistake: &Mistake) -> bool {
        self.keys.contains(&mistake.key.as_str())
    }

    /// Whether the configuration has a mistake in it.
    pub fn is_mistaken(&self, inspected: &Inspected) -> bool {
        let mut mistakes = inspected.mistakes.iter();
        mistakes.any(|mistake| self.is_about(mistake))
    }
}

/// `usual` are the places where the file is looked for when nobody names one.
pub(super) fn checks(inspected: &Inspected, usual: &[PathBuf], users: &Users) -> Vec<Check> {
    let mut checks = vec![file(inspected, usual)];
    let is_secret = |mistake: &&Mistake| SECRETS.iter().any(|secret| secret.is_about(mistake));
    let (secret, other): (Vec<&Mistake>, Vec<&Mistake>) =
        inspected.mistakes.iter().partition(is_secret);
    checks.extend(other.iter().map(|mistake| wrong("configuration", mistake)));
    if other.is_empty() {
        let config = &inspected.loaded.config;
        checks.push(Check::ok(
            "configuration",
            format!(
                "no mistake; profile '{}', targets: {}",
                config.profile,
                config.targets.len()
            ),
        ));
    }
    for check in &SECRETS {
        let of_it = secret.iter().filter(|mistake| check.is_about(mistake));
        checks.extend(of_it.map(|mistake| wrong(check.id, mistake)));
        if !check.is_mistaken(inspected) {
            checks.push(found(inspected, check, users));
        }
    }
    checks
}

fn file(inspected: &Inspected, usual: &[PathBuf]) -> Check {
    const ID: &str = "configuration_file";
    if let Some(path) = &inspected.loaded.file {
        return Check::ok(ID, path.display().to_string());
    }
    let places: Vec<String> = usual
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Check::note(
        ID,
        format!(
            "none; looked for {}: all that counts are flags, variables and defaults",
            places.join(", then ")
        ),
    )
}

fn wrong(id: &'static str, mistake: &Mistake) -> Check {
    let what = Mistake {
        advice: String::new(),
        ..mistake.clone()
    };
    let remedy = if mistake.advice.is_empty() {
        "mend it, then try 'story-liker config check'"
    } else {
        &mistake.advice
    };
    Check::problem(id, ExitCode::Config, what.to_string(), remedy)
}

fn found(inspected: &Inspected, check: &SecretCheck, users: &Users) -> Check {
    let SecretCheck { keys, id, absent } = *check;
    let entry = inspected
        .loaded
        .effective
        .iter()
        .find(|entry| entry.key == keys[0] && entry.value.is_some());
    let Some(entry) = entry else {
        return Check::ok(id, absent);
    };
    match &entry.origin {
        Origin::SecretFile(path) => {
            let guarded = fs::metadata(path).map_or_else(
                |error| format!("cannot be looked at: {error}"),
                |found| {
                    let mode = found.mode() & 0o777;
                    format!("mode {mode:03o}, owned by {}", users.name(found.uid()))
                },
            );
            Check::ok(id, format!("{} ({guarded})", path.display()))
        }
        origin => {
            let finding = format!("from {origin}");
            let remedy =
                "a file of mode 600 is safer: whatever runs as the same user can read variables";
            Check::warning(id, finding, remedy)
        }
    }
}
