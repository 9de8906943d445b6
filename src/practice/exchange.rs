//! One request from receipt to answer.
//!
//! The order: simulated way there, checks, record, trouble, session, the call itself, state headers,
//! simulated way back. A request is on record before anything is decided about its answer, so that
//! an answer that never arrives cannot hide what was received.

use std::time::Duration;

use serde_json::Value;

use super::act::Act;
use super::clock::PracticeClock;
use super::faults;
use super::reactions::Effect;
use super::record::{Outcome, RecordEntry};
use super::reply::{Delivery, Reply};
use super::request::Request;
use super::routes;
use super::sessions::Who;
use super::state::State;
use super::state_headers;
use super::trouble::{Instead, Strike};
use super::understanding::{Understood, understand};

/// What a call answers and does.
pub struct Answer {
    /// The answer.
    pub reply: Reply,
    /// For the record.
    pub outcome: Outcome,
    /// What it changes, if it is let.
    pub effects: Vec<Effect>,
}

impl Answer {
    /// An answer that changes nothing.
    pub fn ok(reply: Reply) -> Self {
        Self {
            reply,
            outcome: Outcome::Ok,
            effects: Vec::new(),
        }
    }

    /// A recorded refusal.
    pub fn refused(name: &str) -> Self {
        let outcome = Outcome::Refused(name.to_owned());
        Self {
            reply: Reply::recorded(name),
            outcome,
            effects: Vec::new(),
        }
    }
}

/// Answers one request of the private API.
pub fn answer(
    state: &mut State,
    clock: &dyn PracticeClock,
    client_timeout: Duration,
    hosts: &dyn Fn(&str) -> bool,
    request: &Request,
) -> Reply {
    let (there, back) = state.draw_latency();
    clock.spend(there);
    let now_ms = clock.now_ms();
    state.reactions.settle(now_ms);
    let (understood, violations) = understand(state, request, now_ms, hosts);
    let target = routes::concerned_user(state, &understood);
    let place = state.record.receive(RecordEntry {
        at_ms: now_ms,
        act: understood.route.act,
        method: request.method.clone(),
        path: request.path.clone(),
        item: understood.item.clone(),
        target: target.clone(),
        outcome: Outcome::Received,
        status: None,
        violations,
        not_liked: Vec::new(),
    });
    let strike = state
        .troubles
        .strike(understood.route.act, target.as_deref(), now_ms);
    let is_ordinary = strike.is_none();
    let (mut reply, outcome) = match strike {
        Some(strike) => struck(state, &understood, &strike, client_timeout),
        None => undisturbed(state, &understood),
    };
    if is_ordinary && reply.status == 200 {
        state_headers::add(state, &understood, &mut reply);
    }
    if clock.is_virtual() {
        match reply.delivery {
            Delivery::Never => {
                clock.spend(client_timeout);
                reply.delivery = Delivery::Dropped;
            }
            Delivery::Late(delay) => {
                clock.spend(delay);
                reply.delivery = Delivery::Whole;
            }
            _ => {}
        }
    }
    let is_sent = !matches!(reply.delivery, Delivery::Dropped | Delivery::Never);
    state
        .record
        .settle(place, outcome, is_sent.then_some(reply.status));
    if reply.delivery == Delivery::Whole && reply.status == 200 {
        state
            .record
            .tell(place, called_not_liked(understood.route.act, &reply.body));
    }
    clock.spend(back);
    state_headers::add_date(state.switches.date, clock.now_ms(), &mut reply);
    reply
}

/// The items that a listing or look at an item explicitly calls not liked, by media pk.
fn called_not_liked(act: Act, body: &[u8]) -> Vec<u64> {
    if !matches!(act, Act::Stories | Act::Posts | Act::MediaInfo) {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = body.get("items").or_else(|| body.get("reel")?.get("items"));
    let items = items.and_then(Value::as_array).into_iter().flatten();
    items
        .filter(|item| item.get("has_liked") == Some(&Value::Bool(false)))
        .filter_map(|item| {
            let pk = item.get("pk")?;
            pk.as_u64().or_else(|| pk.as_str()?.parse().ok())
        })
        .collect()
}

/// The ordinary answer, with its effects.
pub fn undisturbed(state: &mut State, understood: &Understood<'_>) -> (Reply, Outcome) {
    let answer = admit(state, understood);
    for effect in answer.effects {
        state.reactions.apply(effect, understood.now_ms);
    }
    (answer.reply, answer.outcome)
}

/// The ordinary answer, given to whom it is due. Effects are left to the caller.
pub fn admit(state: &mut State, understood: &Understood<'_>) -> Answer {
    if understood.who == Who::Refused {
        return Answer::refused("error_login_required");
    }
    if understood.body.is_none() {
        return unreadable();
    }
    routes::call(state, understood)
}

/// The answer to a body that nobody can read. Not recorded anywhere: the server's own.
fn unreadable() -> Answer {
    let body = serde_json::json!({"message": "Bad Request", "status": "fail"});
    let outcome = Outcome::Refused("bad_request".to_owned());
    Answer {
        reply: Reply::json(400, &body),
        outcome,
        effects: Vec::new(),
    }
}

fn struck(
    state: &mut State,
    understood: &Understood<'_>,
    strike: &Strike,
    client_timeout: Duration,
) -> (Reply, Outcome) {
    let name = strike.name.clone();
    match &strike.instead {
        Instead::Recorded(fixture) => (Reply::recorded(fixture), Outcome::Refused(name)),
        Instead::Custom(reply) => ((**reply).clone(), Outcome::Refused(name)),
        Instead::Fault(fault) => faults::strike(state, understood, *fault, name, client_timeout),
    }
}
