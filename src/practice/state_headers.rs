//! The headers an answer carries besides its body: state the client must give back, now and then a
//! changed or an empty one, and the time.

use super::act::Act;
use super::reply::Reply;
use super::sessions::Who;
use super::state::State;
use super::switches::DateHeader;
use super::understanding::Understood;

/// Every how manieth answer brings a new routing hint, a new claim, an empty authorization,
/// a new cookie.
const NEW_RUR: u64 = 7;
const NEW_CLAIM: u64 = 11;
const EMPTY_AUTHORIZATION: u64 = 5;
const NEW_COOKIE: u64 = 13;

/// Adds state headers to an answer that will arrive, and expects them back from now on.
pub fn add(state: &mut State, understood: &Understood<'_>, reply: &mut Reply) {
    if matches!(
        understood.route.act,
        Act::KeySync | Act::WebLogin | Act::Unknown
    ) {
        return;
    }
    state.answered += 1;
    let number = state.answered;
    let pk = state.credentials.pk;
    let now_s = understood.now_s();
    let request = understood.request;
    // A login turns the device into a session: what it is sent must come back with that session.
    let opened = state.sessions.opened_by(&reply.headers).map(Who::Session);
    let who = opened.as_ref().unwrap_or(&understood.who);
    let issued = state.sessions.issued_mut(who, request);
    // One machine id per client; the recorded replies have theirs.
    reply.headers.retain(|(name, _)| name != "ig-set-x-mid");
    if request.header("X-MID").is_none() && !issued.has("X-MID") {
        reply.set(
            "ig-set-x-mid",
            &format!("aR{:04}ABAAEpracticeMid{:02}", pk % 10_000, number % 100),
        );
    }
    if let Who::Session(_) = understood.who {
        if !issued.has("IG-U-RUR") || number.is_multiple_of(NEW_RUR) {
            let expiry = now_s + 31_536_000;
            reply.set(
                "ig-set-ig-u-rur",
                &format!("RVA,{pk},{expiry}:01f7practice{number:08x}"),
            );
        }
        if !issued.has("X-IG-WWW-Claim") || number.is_multiple_of(NEW_CLAIM) {
            reply.set(
                "x-ig-set-www-claim",
                &format!("hmac.AR0practice_claim_{number:08x}"),
            );
        }
        if number.is_multiple_of(EMPTY_AUTHORIZATION) {
            // Both empty forms have been seen; neither is a new session.
            let empty = if number.is_multiple_of(2) {
                ""
            } else {
                "Bearer IGT:2:"
            };
            reply.set("ig-set-authorization", empty);
        }
    }
    if number.is_multiple_of(NEW_COOKIE) {
        let cookie = format!(
            "csrftoken={number:032x}; Domain=.instagram.com; Max-Age=31449600; Path=/; Secure"
        );
        reply.set("set-cookie", &cookie);
    }
    issued.learn(&reply.headers);
}

/// Adds the `Date` header.
pub fn add_date(switch: DateHeader, now_ms: i64, reply: &mut Reply) {
    let skew_s = match switch {
        DateHeader::Off => return,
        DateHeader::On => 0,
        DateHeader::Skewed(seconds) => seconds,
    };
    let second = now_ms.div_euclid(1000).saturating_add(skew_s);
    if let Ok(time) = jiff::Timestamp::from_second(second)
        && let Ok(text) =
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time)
    {
        reply.set("date", &text);
    }
}
