//! `session import`, `session export`, `session show`. What seals them stands in `sealing.rs`.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::codes::{ask_hidden, something};
use super::login::{nobody, only_session_holds};
use super::proof::Proof;
use super::sealing::{self, sealed, sealing_line};
use super::shell::{Failure, Shell, account_name, instagram};
use crate::cli::{SESSION_ID_TYPED, Session as Flags, SessionExport, SessionImport};
use crate::config::{Config, Needs};
use crate::engage::{Stop, session_holds_cleared};
use crate::exit::ExitCode;
use crate::instagram::settings;
use crate::model::{Account, Device, Pk, Secret, Session};
use crate::ports::{Change, Myself, Store};
use crate::store::{Reader, Sealing};
use crate::telemetry::logging::Stream;

/// A settings file has a few kilobytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Runs the chosen subcommand.
pub fn session(shell: &Shell, flags: &Flags) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    match flags {
        Flags::Import(flags) => import(shell, flags),
        Flags::Export(flags) => export(shell, flags),
        Flags::Show => show(shell),
        Flags::NewKey(flags) => sealing::new_key(shell, flags),
        Flags::Reseal(flags) => sealing::reseal(shell, flags),
        Flags::Forget(flags) => sealing::forget(shell, flags),
    }
}

/// What was brought.
struct Brought {
    session: Session,
    device: Option<Device>,
    warnings: Vec<String>,
}

fn import(shell: &Shell, flags: &SessionImport) -> Result<ExitCode, Failure> {
    let config = shell.load(&shell.request(Needs::SessionKey))?.config;
    let brought = bring(shell, flags)?;
    for warning in &brought.warnings {
        log::warn!("{warning}");
    }
    let clock = shell.clock()?;
    let mut store = shell.open(&config, "session import", flags.patience, &clock)?;
    let now = clock.now();
    store.recover(now)?;
    // The session that goes may be sealed with a key that is lost.
    let account = store.account_unopened()?;
    refuse_other_account(&account, &brought.session)?;
    let mut platform = instagram(
        shell,
        &config,
        brought.device.as_ref().or(account.device.as_ref()),
        Some(&brought.session),
    )?;
    let device = crate::ports::Platform::device(&platform);
    let known = account.device.as_ref();
    if brought.device.is_some()
        && known.is_some_and(|known| !settings::is_same_device(known, &device))
        && !flags.replace_device
    {
        return Err(Failure::new(
            ExitCode::Config,
            format!(
                "the file's device is not the one {} has appeared as so far; a session stays with \
                 its device, and a change of device looks like a theft; if the file's device is \
                 the right one, repeat with --replace-device",
                account_name(&account)
            ),
        ));
    }
    let mut changes = vec![
        Change::Device {
            device,
            replace: flags.replace_device,
        },
        Change::SessionObtained {
            session: brought.session.clone(),
            at: now,
        },
    ];
    // They were about a session that is no more.
    let holds = store.holds(now)?;
    let clearing = session_holds_cleared(&holds, now, "session import");
    let cleared = clearing.len();
    changes.extend(clearing);
    store.apply(&changes, now)?;
    let unproved = if flags.offline {
        Some("--offline".to_owned())
    } else {
        let held = only_session_holds(&holds, &clock, "a proof of life");
        held.err().map(|failure| failure.message)
    };
    let myself = if let Some(why) = unproved {
        Err(why)
    } else {
        let proof = Proof {
            shell,
            config: &config,
            clock: &clock,
            seed: shell.seed()?,
            despite_session_holds: false,
        };
        let myself = proof.ask(&mut platform, &mut store);
        Ok(myself.map_err(not_proved)?)
    };
    let sealing = store.sealing()?;
    answer(shell, brought.session.pk, &myself, cleared, sealing);
    Ok(ExitCode::Ok)
}

/// A session that was stored and could not be proved alive.
fn not_proved(stop: Stop) -> Failure {
    let what = match &stop {
        Stop::Objected(_) | Stop::WrongAccount { .. } => "the session was not accepted",
        _ => "the session is stored but not proved alive, the next 'run' asks first",
    };
    let failure = Failure::from(stop);
    Failure::new(failure.code, format!("{what}: {}", failure.message))
}

fn answer(
    shell: &Shell,
    pk: Pk,
    myself: &Result<Myself, String>,
    cleared: usize,
    sealing: Option<Sealing>,
) {
    shell.answer(
        || {
            let mut answer = json!({ "imported": true, "pk": pk, "proved": myself.is_ok(),
                                     "holds_cleared": cleared, "sealed": sealed(sealing) });
            match myself {
                Ok(myself) => answer["username"] = json!(myself.username),
                Err(why) => answer["why"] = json!(why),
            }
            answer
        },
        || {
            let mut text = match myself {
                Ok(myself) => format!("imported: {} ({pk}), alive", myself.username),
                Err(why) => format!(
                    "imported the session of account {pk}; Instagram was not asked whether it is \
                     alive ({why}); the next 'run' asks first"
                ),
            };
            if cleared > 0 {
                text.push_str("; the hold about the session is cleared");
            }
            text.push('\n');
            text.push_str(&sealing_line(sealing));
            text
        },
    );
}

fn bring(shell: &Shell, flags: &SessionImport) -> Result<Brought, Failure> {
    let bad = |problem: String| Failure::new(ExitCode::Config, problem);
    let Some(path) = &flags.file else {
        let text = if io::stdin().is_terminal() {
            typed_session_id(shell)?
        } else {
            Secret::new(read_limited(io::stdin().lock(), "standard input")?)
        };
        let session = settings::from_session_id(text.expose());
        let session = session.map_err(|error| bad(error.to_string()))?;
        return Ok(Brought {
            session,
            device: None,
            warnings: Vec::new(),
        });
    };
    let mut warnings = Vec::new();
    let text = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            shell.tell(
                "the settings file is read from this terminal; ^D on a line of its own ends it",
            );
        }
        read_limited(io::stdin().lock(), "standard input")?
    } else {
        let unreadable = |error: io::Error| {
            if may_be_session_id(path) {
                return Failure::new(ExitCode::Usage, SESSION_ID_TYPED);
            }
            bad(format!(
                "the settings file {} cannot be read: {error}; name a file that the user who runs \
                 this may read, or - for standard input",
                path.display()
            ))
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            warnings.push(format!(
                "{} can be read by others; it is a credential: chmod 600 it, or delete it now",
                path.display()
            ));
        }
        read_limited(file, &path.display().to_string())?
    };
    let imported =
        settings::import(&text).map_err(|error| bad(format!("{}: {error}", path.display())))?;
    warnings.extend(imported.warnings);
    Ok(Brought {
        session: imported.session,
        device: Some(imported.device),
        warnings,
    })
}

/// It must not be repeated then, and is no name of a file.
fn may_be_session_id(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.to_uppercase().contains("%3A") || settings::from_session_id(&text).is_ok()
}

fn typed_session_id(shell: &Shell) -> Result<Secret, Failure> {
    let clock = shell.clock()?;
    ask_hidden(clock, "Session id (the cookie \"sessionid\"): ", something).map_err(|problem| {
        match clock.interrupted() {
            Some(interrupt) => {
                let message = "stopped at the question for the session id; nothing was changed";
                Failure::new(interrupt.into(), message)
            }
            None => Failure::new(
                ExitCode::Config,
                format!("no session id: {problem}; paste it, or give it with < session_id.txt"),
            ),
        }
    })
}

fn read_limited(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(LARGEST_FILE).read_to_string(&mut text);
    let read = read.map_err(|error| {
        Failure::new(ExitCode::Config, format!("{name} cannot be read: {error}"))
    })?;
    if read as u64 == LARGEST_FILE {
        let problem = format!("{name} is larger than 1 MiB; that is not a settings file");
        return Err(Failure::new(ExitCode::Config, problem));
    }
    Ok(text)
}

fn refuse_other_account(account: &Account, session: &Session) -> Result<(), Failure> {
    match account.pk {
        Some(pk) if pk != session.pk => Err(Failure::new(
            ExitCode::Config,
            format!(
                "the session is that of account {}, but profile '{}' belongs to account {pk}; use \
                 another --profile for it",
                session.pk, account.profile
            ),
        )),
        _ => Ok(()),
    }
}

fn read_account(config: &Config) -> Result<(Account, Reader), Failure> {
    let mut reader = Reader::open_read_only(&config.database, &config.profile)?;
    let account = reader.account()?.ok_or_else(|| {
        Failure::new(
            ExitCode::NoPerm,
            format!(
                "{} knows no profile '{}'; run 'story-liker session import FILE' or 'story-liker \
                 login' first",
                config.database.display(),
                config.profile
            ),
        )
    })?;
    Ok((account, reader))
}

fn export(shell: &Shell, flags: &SessionExport) -> Result<ExitCode, Failure> {
    let config = shell.load(&shell.request(Needs::SessionKey))?.config;
    let (account, mut reader) = read_account(&config)?;
    let session = reader.session(&config.session_keys)?;
    let (Some(session), Some(device)) = (session, &account.device) else {
        return Err(nobody(&account));
    };
    let text = settings::export(device, &session)
        .map_err(|error| Failure::new(ExitCode::DataErr, error.to_string()))?;
    if flags.file == Path::new("-") {
        shell.hand_over("the session", &text)?;
        return Ok(ExitCode::Ok);
    }
    let path = &flags.file;
    write_new(path, text.expose()).map_err(|error| {
        let problem = format!(
            "the settings file {} cannot be written: {error}; choose a path that does not exist \
             yet, in a folder you may read and write, on a disk with room",
            path.display()
        );
        Failure::new(ExitCode::CantCreat, problem)
    })?;
    shell.answer(
        || json!({ "exported": path }),
        || {
            format!(
                "exported to {}; whoever has the file has the account",
                path.display()
            )
        },
    );
    Ok(ExitCode::Ok)
}

/// Writes a file that is there in full or not at all, even after a power cut, for its owner only.
/// Never over an existing one: that may be readable by others, and it may be the only copy.
pub(super) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    // First, so that one that may not be read fails before there is anything in it.
    let names = File::open(folder)?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    match names.sync_all() {
        // Some file systems cannot; nothing more can be had of them.
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
            let _ = fs::remove_file(path);
            Err(error)
        }
        _ => Ok(()),
    }
}

fn show(shell: &Shell) -> Result<ExitCode, Failure> {
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let (account, mut reader) = read_account(&config)?;
    let sealing = reader.sealing()?;
    if account.session.is_none() {
        return Err(nobody(&account));
    }
    let now = shell.now();
    let summary = account
        .device
        .as_ref()
        .map(settings::describe)
        .unwrap_or_default();
    let age = |at: crate::model::Timestamp| {
        humantime::format_duration(Duration::from_secs(now.since(at).as_secs())).to_string()
    };
    shell.answer(
        || {
            json!({
                "profile": account.profile, "pk": account.pk, "username": account.username,
                "since": account.session_since, "proved_at": account.session_proved_at,
                "device": summary, "sealed": sealed(sealing),
            })
        },
        || {
            let mut text = format!("account  {}", account_name(&account));
            if let Some(at) = account.session_since {
                text.push_str(&format!("\nsession  since {at} ({} ago)", age(at)));
            }
            match account.session_proved_at {
                Some(at) => text.push_str(&format!("\nproved   alive at {at} ({} ago)", age(at))),
                None => text.push_str("\nproved   not yet; the next 'run' asks first"),
            }
            text.push_str(&format!("\ndevice   {summary}"));
            text.push_str(&format!("\nstored   {}", sealing_line(sealing)));
            text
        },
    );
    Ok(ExitCode::Ok)
}
