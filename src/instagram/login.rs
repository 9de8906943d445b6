//! The legacy login: introduce the device, fetch the password key, submit the password once, submit
//! a code once. Logging in is the only thing done without a session.
//!
//! The new session is in the headers of the last reply; a reply without one is no login, whatever
//! its body says.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::objections::Reply;
use super::state::State;
use super::wire::{Request, replies, requests};
use super::{Instagram, device, headers, password as sealing, server_time, understood, unsent};
use crate::model::{HoldReason, Secret, Timestamp};
use crate::ports::{
    Answer, Clock, Effect, LoginReply, Myself, Next, Objection, PasswordKey, PlatformError,
    SecondFactor,
};

/// What came back, and when.
struct Exchange {
    headers: HeaderMap,
    reply: Reply,
    now: Timestamp,
}

/// 64 letters and digits, as the app makes them up before it has the cookie.
pub fn random_csrf_token(rng: &mut ChaCha8Rng) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]);
    (0..64).map(letter).collect()
}

/// Sends a request of a client that is not logged in.
fn exchange<C: Clock>(
    client: &mut Instagram<C>,
    request: &Request,
    headers: HeaderMap,
) -> Result<Exchange, PlatformError> {
    let (headers, reply) = client.transport.send(request, headers)?;
    let now = client.clock.now();
    client.newcomer.absorb(&headers, None, now);
    if let Some(machine_id) = client.newcomer.machine_id() {
        client.profile.machine_id = Some(machine_id.to_owned());
    }
    Ok(Exchange {
        headers,
        reply,
        now,
    })
}

fn app_headers<C: Clock>(client: &Instagram<C>) -> HeaderMap {
    let now = client.clock.now();
    headers::of_app(
        &client.profile,
        &client.pigeon_session,
        &client.newcomer,
        None,
        now,
    )
}

pub fn prepare<C: Clock>(client: &mut Instagram<C>) -> Answer<()> {
    client.newcomer = State::default();
    client.newcomer.mid.clone_from(&client.profile.machine_id);
    let request = requests::launcher_sync(&client.profile);
    let headers = app_headers(client);
    match exchange(client, &request, headers) {
        Err(error) => unsent(error),
        Ok(came) => Answer {
            result: understood(&request, &came.reply, came.now, |_| Ok(())),
            server_time: server_time(&came.headers),
            session: None,
        },
    }
}

/// Asked without a word of the device, so the machine id and cookies of the reply are another's: a
/// login that brought them would come from a new device. Only the key is read (protocol notes, 5.1).
pub fn key<C: Clock>(client: &mut Instagram<C>) -> Answer<PasswordKey> {
    let request = requests::password_key();
    let (headers, reply) = match client.transport.send(&request, headers::of_web()) {
        Ok(came) => came,
        Err(error) => return unsent(error),
    };
    let now = client.clock.now();
    let key = |_: &Map<String, Value>| replies::password_key(&headers);
    Answer {
        result: understood(&request, &reply, now, key),
        server_time: server_time(&headers),
        session: None,
    }
}

pub fn password<C: Clock>(
    client: &mut Instagram<C>,
    username: &str,
    password: &Secret,
    key: &PasswordKey,
) -> Answer<LoginReply> {
    let sealed = match sealing::encrypt(password, key, client.clock.now()) {
        Ok(sealed) => sealed,
        Err(why) => return unsent(unsealed(why)),
    };
    let request = requests::login(username, sealed.expose(), &client.profile);
    let headers = app_headers(client);
    let came = match exchange(client, &request, headers) {
        Ok(came) => came,
        Err(error) => return unsent(error),
    };
    let answer = logged_in(client, &request, &came);
    let result = answer.result.map(LoginReply::LoggedIn);
    Answer {
        result: result.or_else(|error| match asked_for(&came.reply, &error) {
            Some(factor) => Ok(LoginReply::SecondFactor(factor)),
            None => Err(error),
        }),
        server_time: answer.server_time,
        session: answer.session,
    }
}

pub fn code<C: Clock>(
    client: &mut Instagram<C>,
    username: &str,
    code: &Secret,
    factor: &SecondFactor,
) -> Answer<Myself> {
    let waterfall_id = device::random_uuid(&mut client.rng);
    let csrf_token = client.newcomer.cookies.get("csrftoken");
    let digits: String = code.expose().split_whitespace().collect();
    let code = requests::Code {
        username,
        method: method(&digits, factor),
        digits: &digits,
        identifier: factor.identifier.expose(),
        csrf_token: csrf_token.unwrap_or(&client.csrf_token),
        waterfall_id: &waterfall_id,
    };
    let request = requests::login_code(&code, &client.profile);
    let headers = app_headers(client);
    match exchange(client, &request, headers) {
        Err(error) => unsent(error),
        Ok(came) => logged_in(client, &request, &came),
    }
}

/// Where the code is from (protocol notes, 5.4): a backup code has eight digits, all others six.
fn method(digits: &str, factor: &SecondFactor) -> &'static str {
    const BACKUP_CODE: usize = 8;
    if digits.len() == BACKUP_CODE {
        "2"
    } else if factor.totp {
        "3"
    } else {
        "1"
    }
}

/// The second factor that is asked for, if nothing stronger is in the same reply: no code follows a
/// challenge or a request to wait.
pub fn asked_for(reply: &Reply, error: &PlatformError) -> Option<SecondFactor> {
    let is_asked = |objection: &Objection| objection.reason == HoldReason::TwoFactor;
    if !matches!(&error.next, Next::Stop(objection) if is_asked(objection)) {
        return None;
    }
    let content: Map<String, Value> = serde_json::from_slice(&reply.body).ok()?;
    replies::second_factor(&content)
}

/// Takes the new session over, if there is one.
fn logged_in<C: Clock>(
    client: &mut Instagram<C>,
    request: &Request,
    came: &Exchange,
) -> Answer<Myself> {
    let result = understood(request, &came.reply, came.now, |content| {
        newcomer(content, &came.headers, came.now)
    });
    let session = result.as_ref().ok().map(|myself| {
        let mut state = std::mem::take(&mut client.newcomer);
        state.logged_in_at(myself.pk, came.now);
        let session = state.session(myself.pk);
        client.session = Some((myself.pk, state));
        session
    });
    Answer {
        result,
        server_time: server_time(&came.headers),
        session,
    }
}

/// Who has logged in, if the reply brought a session of theirs.
pub fn newcomer(
    content: &Map<String, Value>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Myself, replies::Missing> {
    let myself = replies::myself(content, "logged_in_user")?;
    let mut brought = State::default();
    brought.absorb(headers, None, now);
    if !brought.has_session() {
        return Err("a session in its headers");
    }
    if brought.owners().iter().any(|owner| *owner != myself.pk) {
        return Err("a session of the same account");
    }
    Ok(myself)
}

/// The platform's key could not be used, so no password left.
fn unsealed(why: &str) -> PlatformError {
    PlatformError {
        next: Next::Stop(Objection {
            reason: HoldReason::UnknownShape,
            until: None,
        }),
        effect: Effect::Unsent,
        message: format!(
            "submitting the password: nothing was sent \u{b7} {why} \u{b7} bring a session with \
             `story-liker session import FILE` instead"
        ),
    }
}
