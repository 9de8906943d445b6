//! Getting in and out.

use super::super::credentials;
use super::super::exchange::Answer;
use super::super::reply::Reply;
use super::super::sessions::Who;
use super::super::state::State;
use super::super::understanding::Understood;
use serde_json::Value;

/// `qe/sync/`: the password key, in two headers.
pub fn key_sync() -> Answer {
    let mut reply = Reply::recorded("qe_sync_ok");
    for (name, value) in credentials::password_key_headers() {
        reply.set(name, &value);
    }
    Answer::ok(reply)
}

/// `accounts/login/`
pub fn login(state: &mut State, asked: &Understood<'_>) -> Answer {
    if asked.text("username") != Some(state.credentials.username.as_str()) {
        return Answer::refused("accounts_login_invalid_user");
    }
    if asked.password.as_deref() != Some(state.credentials.password.as_str()) {
        return Answer::refused("accounts_login_bad_password");
    }
    if state.switches.two_factor {
        let challenge = Reply::recorded("accounts_login_two_factor_totp");
        state.second_factor = identifier(&challenge.body);
        return Answer::refused("accounts_login_two_factor_totp");
    }
    enter(state, asked, "accounts_login_ok")
}

/// `accounts/two_factor_login/`
pub fn two_factor(state: &mut State, asked: &Understood<'_>) -> Answer {
    let sent = asked.text("two_factor_identifier");
    if sent.is_none() || sent != state.second_factor.as_deref() {
        return Answer::refused("accounts_two_factor_login_expired_code");
    }
    let code = asked.text("verification_code").unwrap_or_default();
    if !credentials::is_one_time_code(&state.credentials.totp_secret, code, asked.now_ms) {
        return Answer::refused("accounts_two_factor_login_bad_code");
    }
    state.second_factor = None;
    enter(state, asked, "accounts_two_factor_login_ok")
}

/// `accounts/logout/`
pub fn logout(state: &mut State, asked: &Understood<'_>) -> Answer {
    if let Who::Session(place) = asked.who {
        state.sessions.revoke(place);
    }
    Answer::ok(Reply::recorded("accounts_logout_ok"))
}

/// Opens a session. It travels in a header; the body only describes the account.
fn enter(state: &mut State, asked: &Understood<'_>, fixture: &str) -> Answer {
    let place = state.open_session(asked.request);
    let bearer = state
        .sessions
        .get(place)
        .map(super::super::sessions::Session::bearer);
    let pk = state.credentials.pk;
    let token = state.draw_hex();
    let mut reply = Reply::recorded(fixture);
    reply.set("ig-set-authorization", &bearer.unwrap_or_default());
    reply.set("ig-set-ig-u-ds-user-id", &pk.to_string());
    reply.set(
        "ig-set-ig-u-rur",
        &format!("RVA,{pk},{}:01f7{token}", asked.now_s() + 31_536_000),
    );
    reply.set("x-ig-set-www-claim", &format!("hmac.AR0practice_{token}"));
    Answer::ok(reply)
}

fn identifier(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    Some(
        json.get("two_factor_info")?
            .get("two_factor_identifier")?
            .as_str()?
            .to_owned(),
    )
}
