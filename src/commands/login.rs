//! `login`: one password submitted once, because a person asked for it.

use std::path::Path;

use serde_json::json;

use super::codes::{Codes, TotpSecret, ask_hidden, read_code, something};
use super::proof::Proof;
use super::sealing::{sealed, sealing_line};
use super::shell::{Failure, Shell, account_name, instagram};
use super::waiting::Shown;
use crate::care::hold;
use crate::cli::Login;
use crate::config::Needs;
use crate::engage::{
    Actor, Credentials, LoginEnd, Ports, Stop, log_in, no_room_for_login, session_holds_cleared,
};
use crate::exit::ExitCode;
use crate::instagram::Instagram;
use crate::model::{Account, Hold};
use crate::ports::{Clock, Myself, Store};
use crate::store::Sealing;
use crate::telemetry::logging::Stream;

/// Logs in with the configured name and password.
pub fn login(shell: &Shell, flags: &Login) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let config = shell.load(&shell.request(Needs::LoginSecrets))?.config;
    let clock = shell.clock()?;
    let mut store = shell.open(&config, "login", flags.patience, &clock)?;
    store.recover(clock.now())?;
    let mut account = store.account()?;
    let holds = store.holds(clock.now())?;
    only_session_holds(&holds, &clock, "a login")?;
    let mut platform = instagram(
        shell,
        &config,
        account.device.as_ref(),
        account.session.as_ref(),
    )?;
    if account.session.is_some() {
        let proof = Proof {
            shell,
            config: &config,
            clock: &clock,
            seed: shell.seed()?,
            despite_session_holds: true,
        };
        if is_alive(&proof, &holds, &mut platform, &mut store)? {
            kept(shell, &account_name(&account));
            return Ok(ExitCode::Ok);
        }
        account = store.account()?;
    }
    let seed = shell.seed()?;
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock: &clock,
        waiting: &mut Shown::new(shell, Stream::Stderr),
    };
    // Nobody types a password that cannot be submitted. The question may take its time, so the
    // login itself begins afresh after it.
    if let Some(full) = no_room_for_login(&Actor::new(ports, &config, seed, None, false)?) {
        return Err(full.into());
    }
    // A code that cannot be used must not cost a submitted password.
    if let Some(file) = flags
        .code_file
        .as_deref()
        .filter(|file| *file != Path::new("-"))
    {
        read_code(file).map_err(|problem| Failure::new(ExitCode::Config, problem))?;
    }
    let username = config.account.username.clone().or(account.username.clone()).ok_or_else(|| {
        Failure::new(
            ExitCode::Config,
            "account.username is not set; a login needs it (file, or STORY_LIKER_ACCOUNT_USERNAME)",
        )
    })?;
    let password = match config.account.password.clone() {
        Some(password) => password,
        None => ask_hidden(&clock, &format!("Password of {username}: "), something).map_err(|problem| {
            if let Some(interrupt) = clock.interrupted() {
                let message = "stopped at the question for the password; nothing was sent";
                return Failure::new(interrupt.into(), message);
            }
            Failure::new(
                ExitCode::Config,
                format!(
                    "no password for {username}: {problem}; set account.password_file, or run this \
                     on a terminal to type it"
                ),
            )
        })?,
    };
    let mut codes = Codes {
        file: flags.code_file.clone(),
        secret: TotpSecret(config.account.totp_secret.as_ref()),
        username: username.clone(),
        clock: &clock,
        missing: false,
    };
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock: &clock,
        waiting: &mut Shown::new(shell, Stream::Stderr),
    };
    let mut actor = Actor::new(ports, &config, seed, None, false)?;
    let credentials = Credentials {
        username: &username,
        password: &password,
    };
    let end = log_in(&mut actor, &account, &credentials, &mut codes, "login");
    match end {
        LoginEnd::LoggedIn(myself) => {
            logged_in(shell, &myself, store.sealing()?);
            Ok(ExitCode::Ok)
        }
        LoginEnd::Stop(stop) => Err(stopped(stop, codes.missing, clock)),
    }
}

/// A login that ended for want of a code was ended here, not by Instagram; and where a signal came,
/// that is the reason.
fn stopped(stop: Stop, no_code: bool, clock: &dyn Clock) -> Failure {
    let failure = match &stop {
        Stop::Objected(by) if no_code => Failure::new(
            stop.code(),
            format!(
                "{}; until there is a new session nothing else is sent (hold '{}')",
                by.message,
                by.reason.as_str()
            ),
        ),
        _ => Failure::new(stop.code(), stop.sentence()),
    };
    match clock.interrupted() {
        Some(interrupt) => Failure::new(interrupt.into(), failure.message),
        None if no_code => failure,
        None => stop.into(),
    }
}

/// Whether the present session is to be kept: it is believed alive unless a hold doubts it, and then
/// it is asked once. Only what Instagram declared dead is replaced.
fn is_alive(
    proof: &Proof<'_>,
    holds: &[Hold],
    platform: &mut Instagram<&dyn Clock>,
    store: &mut dyn Store,
) -> Result<bool, Failure> {
    let doubts = session_holds_cleared(holds, proof.clock.now(), "login");
    if doubts.is_empty() {
        return Ok(true);
    }
    match proof.ask(platform, store) {
        Ok(_) => {
            store.apply(&doubts, proof.clock.now())?;
            Ok(true)
        }
        Err(_) if store.account()?.session.is_none() => Ok(false),
        Err(stop) => Err(stop.into()),
    }
}

fn logged_in(shell: &Shell, myself: &Myself, sealing: Option<Sealing>) {
    let Myself { username, pk, .. } = myself;
    shell.answer(
        || {
            json!({ "logged_in": true, "account": username, "pk": pk,
                    "sealed": sealed(sealing) })
        },
        || format!("logged in as {username} ({pk})\n{}", sealing_line(sealing)),
    );
}

fn kept(shell: &Shell, name: &str) {
    shell.answer(
        || json!({ "logged_in": true, "account": name, "already": true }),
        || {
            format!(
                "{name} has a session that Instagram has not declared dead; a login now would only \
                 look suspicious, so none was made. Use the session, or bring another one with \
                 'story-liker session import FILE'."
            )
        },
    );
}

/// A person's own login or import may go ahead only while every open hold is about the session.
pub(super) fn only_session_holds(
    holds: &[Hold],
    clock: &dyn Clock,
    what: &str,
) -> Result<(), Failure> {
    let now = clock.now();
    let others: Vec<Hold> = holds
        .iter()
        .filter(|hold| !hold.reason.about_session())
        .cloned()
        .collect();
    let Some(hold) = hold::in_force(&others, now) else {
        return Ok(());
    };
    let (code, until) = match hold.until {
        Some(until) => (ExitCode::TempFail, format!("until {until}; wait")),
        None => (
            ExitCode::NoPerm,
            "until a person clears it; settle it in the official app, then run 'story-liker \
             resume'"
                .to_owned(),
        ),
    };
    Err(Failure::new(
        code,
        format!(
            "hold '{}' is in force ({}), so {what} would not be answered: {until}",
            hold.reason.as_str(),
            hold.message
        ),
    ))
}

/// The account as it is stored, for commands that only read it.
pub(super) fn nobody(account: &Account) -> Failure {
    Failure::new(
        ExitCode::NoPerm,
        format!(
            "profile '{}' has no session; run 'story-liker session import FILE' or 'story-liker \
             login'",
            account.profile
        ),
    )
}
