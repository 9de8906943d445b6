//! The configuration, the places it was looked for, and where the secrets come from.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::check::Check;
use super::users::Users;
use crate::config::{Inspected, Mistake, Origin};
use crate::exit::ExitCode;

/// The keys of the secrets, with the names of their checks.
const SECRETS: [(&str, &str); 2] = [
    ("account.password", "password"),
    ("account.totp_secret", "totp_secret"),
];

/// `usual` are the places where the file is looked for when nobody names one.
pub(super) fn checks(inspected: &Inspected, usual: &[PathBuf], users: &Users) -> Vec<Check> {
    let mut checks = vec![file(inspected, usual)];
    let is_secret = |mistake: &&Mistake| SECRETS.iter().any(|(key, _)| mistake.key == *key);
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
    for (key, id) in SECRETS {
        let mistake = secret.iter().find(|mistake| mistake.key == key);
        checks.push(match mistake {
            Some(mistake) => wrong(id, mistake),
            None => found(inspected, key, id, users),
        });
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

fn found(inspected: &Inspected, key: &str, id: &'static str, users: &Users) -> Check {
    let entry = inspected
        .loaded
        .effective
        .iter()
        .find(|entry| entry.key == key && entry.value.is_some());
    let Some(entry) = entry else {
        let finding = "none; needed only for 'story-liker login' without a terminal, and for \
                       session.relogin";
        return Check::ok(id, finding);
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
            let remedy = "a file of mode 600 is safer: variables are passed on to other programs";
            Check::warning(id, finding, remedy)
        }
    }
}
