//! One login sequence: introduce the device, fetch the key, submit the password once, and the code
//! of an authenticator app once if asked. Every request is claimed and paced like any other; the
//! password counts against `limits.logins`. Whatever the platform wants beyond that is shown to the
//! operator, and the program stops.

use super::act::{Act, Receipt, Refusal, Sent, Verdict};
use super::actor::Actor;
use super::session::{session_holds_cleared, wrong_account};
use super::stop::{HeldBy, Stop, full_window};
use crate::model::{Account, AttemptKind, HoldReason, NewHold, Secret, Timestamp};
use crate::ports::{Answer, Change, LoginReply, Myself, Platform, PlatformError, SecondFactor};

/// What a login is done with.
pub struct Credentials<'a> {
    /// Login name.
    pub username: &'a str,
    /// Password; submitted once.
    pub password: &'a Secret,
}

/// Where the code of the second factor comes from.
pub trait CodeSource {
    /// The code of this moment (the platform's time), or why there is none.
    fn code(&mut self, factor: &SecondFactor, now: Timestamp) -> Result<Secret, String>;
}

impl<F: FnMut(&SecondFactor, Timestamp) -> Result<Secret, String>> CodeSource for F {
    fn code(&mut self, factor: &SecondFactor, now: Timestamp) -> Result<Secret, String> {
        self(factor, now)
    }
}

/// How a login sequence ended.
#[derive(Debug)]
pub enum LoginEnd {
    /// Logged in; session, proof of life and cleared holds are stored.
    LoggedIn(Myself),
    /// Not logged in; whatever hold follows is stored.
    Stop(Stop),
}

/// Runs the sequence. `by` names who clears the holds about the session: `login` or `relogin`.
pub fn log_in(
    actor: &mut Actor<'_>,
    account: &Account,
    credentials: &Credentials<'_>,
    codes: &mut dyn CodeSource,
    by: &'static str,
) -> LoginEnd {
    match sequence(actor, account, credentials, codes, by) {
        Ok(myself) => LoginEnd::LoggedIn(myself),
        Err(stop) => LoginEnd::Stop(stop),
    }
}

/// The full window that stands against a login, if one does: a password that cannot be submitted
/// needs no preparation, and nobody has to type it.
pub fn no_room_for_login(actor: &Actor<'_>) -> Option<Stop> {
    let now = actor.watch.now();
    let attempts = [
        (AttemptKind::Login, None),
        (AttemptKind::Read, None),
        (AttemptKind::Read, None),
    ];
    let budget = &actor.budget;
    let room = budget
        .windows
        .full(&budget.limits.windows, &attempts, now)?;
    Some(full_window(&room, now))
}

fn sequence(
    actor: &mut Actor<'_>,
    account: &Account,
    credentials: &Credentials<'_>,
    codes: &mut dyn CodeSource,
    by: &'static str,
) -> Result<Myself, Stop> {
    let now = actor.watch.now();
    if let Some(stop) = no_room_for_login(actor) {
        return Err(stop);
    }
    actor.platform.use_session(None);
    let device = device(actor);
    actor.store().apply(&[device], now)?;

    step(actor, AttemptKind::Read, "login_prepare", |platform| {
        platform.login_prepare()
    })?;
    let key = step(actor, AttemptKind::Read, "login_key", |platform| {
        platform.login_key()
    })?;
    let (reply, sent) = ask(actor, AttemptKind::Login, "login_password", |platform| {
        platform.login_password(credentials.username, credentials.password, &key)
    })?;
    match reply {
        LoginReply::LoggedIn(myself) => finish(actor, account, &sent.0, sent.1, myself, by),
        LoginReply::SecondFactor(factor) => {
            settle(actor, &sent.0, sent.1.receipt, None, Vec::new())?;
            let code = match codes.code(&factor, actor.watch.now()) {
                Ok(code) => code,
                Err(message) => return Err(needs_a_person(actor, message)),
            };
            let (myself, sent) = ask(actor, AttemptKind::LoginCode, "login_code", |platform| {
                platform.login_code(credentials.username, &code, &factor)
            })?;
            finish(actor, account, &sent.0, sent.1, myself, by)
        }
    }
}

/// A request of the sequence that is settled by itself.
fn step<T>(
    actor: &mut Actor<'_>,
    kind: AttemptKind,
    call: &'static str,
    send: impl FnOnce(&mut dyn Platform) -> Answer<T>,
) -> Result<T, Stop> {
    let (value, (act, sent)) = ask(actor, kind, call, send)?;
    settle(actor, &act, sent.receipt, None, Vec::new())?;
    Ok(value)
}

/// Settles a request of the sequence. The device goes with each one, however the sequence ends: a
/// machine id that the platform gave and the next login does not bring back is a new device to it.
fn settle(
    actor: &mut Actor<'_>,
    act: &Act<'_>,
    receipt: Receipt,
    error: Option<&PlatformError>,
    mut changes: Vec<Change>,
) -> Result<Verdict, Stop> {
    changes.push(device(actor));
    actor.settle(act, receipt, error, changes)
}

fn device(actor: &Actor<'_>) -> Change {
    Change::Device {
        device: actor.platform.device(),
        replace: true,
    }
}

/// A request of the sequence: its value with the settlement still to be made, or, if it failed, the
/// settled stop. Nothing in a login is ever repeated.
fn ask<T>(
    actor: &mut Actor<'_>,
    kind: AttemptKind,
    call: &'static str,
    send: impl FnOnce(&mut dyn Platform) -> Answer<T>,
) -> Result<(T, (Act<'static>, Sent<()>)), Stop> {
    let act = Act {
        kind,
        despite_session_holds: true,
        repetition: true,
        ..Act::read(call)
    };
    if let Some(stop) = actor.pause_before(&act) {
        return Err(stop);
    }
    let Sent { result, receipt } = actor.send(&act, send).map_err(|refusal| match refusal {
        Refusal::Stop(stop) => stop,
        Refusal::Taken => Stop::Store {
            code: crate::exit::ExitCode::Software,
            message: format!("{call} was refused as taken; please report this with the log"),
        },
    })?;
    match result {
        Ok(value) => Ok((
            value,
            (
                act,
                Sent {
                    result: Ok(()),
                    receipt,
                },
            ),
        )),
        Err(error) => {
            let verdict = settle(actor, &act, receipt, Some(&error), Vec::new())?;
            Err(match verdict {
                Verdict::Stop(stop) => stop,
                _ => Stop::Unavailable {
                    message: error.message,
                    hold_until: None,
                },
            })
        }
    }
}

fn finish(
    actor: &mut Actor<'_>,
    account: &Account,
    act: &Act<'_>,
    mut sent: Sent<()>,
    myself: Myself,
    by: &'static str,
) -> Result<Myself, Stop> {
    let now = actor.watch.latest();
    let session = sent.receipt.take_session();
    let wrong = wrong_account(account, &myself);
    let mut changes = Vec::new();
    if let (Some(session), None) = (session, &wrong) {
        actor.platform.use_session(Some(session.clone()));
        changes.push(Change::SessionObtained { session, at: now });
        changes.push(Change::Proved {
            myself: myself.clone(),
            at: now,
        });
        let open = actor.store().holds(now)?;
        changes.extend(session_holds_cleared(&open, now, by));
    }
    let obtained = !changes.is_empty();
    settle(actor, act, sent.receipt, None, changes)?;
    match wrong {
        Some(stop) => Err(stop),
        None if obtained => Ok(myself),
        None => Err(Stop::Store {
            code: crate::exit::ExitCode::Software,
            message: "a login without a session was taken for one; please report this".to_owned(),
        }),
    }
}

fn needs_a_person(actor: &mut Actor<'_>, message: String) -> Stop {
    let hold = NewHold {
        reason: HoldReason::LoginRefused,
        until: None,
        message: message.clone(),
    };
    let now = actor.watch.now();
    match actor.store_answer().add_hold(&hold, now) {
        Ok(_) => Stop::Objected(HeldBy {
            reason: hold.reason,
            until: None,
            message,
        }),
        Err(error) => error.into(),
    }
}
