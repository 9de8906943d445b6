//! `session new-key`, `session reseal`, `session forget`: the key that seals sessions at rest.

use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::login::nobody;
use super::session::write_new;
use super::shell::{Failure, Shell};
use crate::cli::{Patience, SessionForget, SessionNewKey, SessionReseal};
use crate::config::{Config, Needs};
use crate::exit::ExitCode;
use crate::model::SealKey;
use crate::store::{MigratePolicy, Opening, Sealing, Writer};

/// The key's id, for an answer in JSON; `null` where there is no seal.
pub(super) fn sealed(sealing: Option<Sealing>) -> Value {
    match sealing {
        Some(Sealing::Sealed(id)) => json!(id.to_string()),
        _ => Value::Null,
    }
}

/// How the session is stored, for people.
pub(super) fn sealing_line(sealing: Option<Sealing>) -> String {
    match sealing {
        Some(Sealing::Sealed(id)) => format!("sealed with key {id}"),
        Some(Sealing::Plain) => "not sealed: whoever reads the database has the session; \
                                 secrets.key_file would seal it"
            .to_owned(),
        Some(Sealing::Unknown) => "in a form that this version does not know".to_owned(),
        None => "there is no session".to_owned(),
    }
}

fn short(sealing: Sealing) -> String {
    match sealing {
        Sealing::Plain => "not sealed".to_owned(),
        other => sealing_line(Some(other)),
    }
}

/// Makes a key. Reads no configuration: that may name the very file that is to be made.
pub(super) fn new_key(shell: &Shell, flags: &SessionNewKey) -> Result<ExitCode, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&shell.seed()?.to_le_bytes());
    }
    let key = SealKey::new(*bytes);
    let path = &flags.file;
    if path == Path::new("-") {
        shell.hand_over("the key", &key.text())?;
        return Ok(ExitCode::Ok);
    }
    write_new(path, key.text().expose()).map_err(|error| {
        let problem = format!(
            "the key file {} cannot be written: {error}; choose a path that does not exist yet, in \
             a folder you may read and write, on a disk with room",
            path.display()
        );
        Failure::new(ExitCode::CantCreat, problem)
    })?;
    shell.answer(
        || json!({ "key_file": path, "key": key.id().to_string() }),
        || {
            format!(
                "key {} is in {}; name it in secrets.key_file, then run 'story-liker session \
                 reseal'. Keep a copy where the database's copies are not: without the key the \
                 session is lost",
                key.id(),
                path.display()
            )
        },
    );
    Ok(ExitCode::Ok)
}

/// Stores the session sealed with the present key, or plain.
pub(super) fn reseal(shell: &Shell, flags: &SessionReseal) -> Result<ExitCode, Failure> {
    let request = shell
        .request(Needs::SessionKey)
        .with_old_key(flags.old_key_file.as_deref());
    let config = shell.load(&request)?.config;
    match &config.session_keys.present {
        Some(held) if flags.plain => {
            return Err(Failure::new(
                ExitCode::Config,
                format!(
                    "a key is configured ({}), so the next pass would seal the session again; take \
                     it out of the configuration first, then give its file as --old-key-file",
                    held.from
                ),
            ));
        }
        None if !flags.plain => {
            return Err(Failure::new(
                ExitCode::Config,
                format!(
                    "there is no key to seal with: {}; 'story-liker session new-key FILE' makes \
                     one, secrets.key_file names it",
                    config.session_keys.described()
                ),
            ));
        }
        _ => {}
    }
    let mut store = open(shell, &config, "session reseal", flags.patience)?;
    let Some((before, after)) = store.reseal(flags.plain)? else {
        return Err(nobody(&store.account_unopened()?));
    };
    shell.answer(
        || {
            json!({ "resealed": true, "was_sealed": sealed(Some(before)),
                    "sealed": sealed(Some(after)) })
        },
        || format!("was {}, is {}", short(before), short(after)),
    );
    Ok(ExitCode::Ok)
}

/// Forgets a session that no key opens any more.
pub(super) fn forget(shell: &Shell, flags: &SessionForget) -> Result<ExitCode, Failure> {
    let config = shell.load(&shell.request(Needs::SessionKey))?.config;
    let mut store = open(shell, &config, "session forget", flags.patience)?;
    if !store.forget_lost()? {
        return Err(match store.sealing()? {
            None => nobody(&store.account_unopened()?),
            Some(_) => Failure::new(
                ExitCode::Config,
                "the stored session can be opened, so its key is not lost; nothing was forgotten",
            ),
        });
    }
    shell.answer(
        || json!({ "forgotten": true }),
        || {
            "forgotten; for Instagram it lives on: end it there under your login activity. \
             'story-liker login' or 'story-liker session import FILE' brings another one"
                .to_owned()
        },
    );
    Ok(ExitCode::Ok)
}

/// A mistyped --database must not end in a new, empty file.
fn open(
    shell: &Shell,
    config: &Config,
    command: &str,
    patience: Patience,
) -> Result<Writer, Failure> {
    let opening = Opening {
        migrate: MigratePolicy::Refuse,
        ..Opening::default()
    };
    shell.open_as(config, command, patience, &shell.clock()?, opening)
}
