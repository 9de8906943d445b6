//! One request from receipt to answer.
//!
//! The order: simulated way there, checks, record, trouble, session, the call itself, state headers,
//! simulated way back. A request is on record before anything is decided about its answer, so that
//! an answer that never arrives cannot hide what was received.

use std::time::Duration;

use serde_json::{Map, Value};

use super::act::{Act, Route, route};
use super::clock::PracticeClock;
use super::credentials;
use super::reactions::Effect;
use super::record::{Outcome, RecordEntry};
use super::reply::{Delivery, Reply};
use super::request::Request;
use super::routes;
use super::rules::body::{self, Context};
use super::rules::items::{self, View};
use super::rules::{Violations, calls, headers, text};
use super::sessions::Who;
use super::state::State;
use super::state_headers;
use super::trouble::{Fault, Instead, Strike};
use super::world::Kind;

/// A request that was understood as far as it could be.
pub struct Understood<'a> {
    /// As received.
    pub request: &'a Request,
    /// What it means.
    pub route: Route,
    /// Who sent it.
    pub who: Who,
    /// Members of its body; `None` when the body could not be understood.
    pub body: Option<Map<String, Value>>,
    /// Full media id it is about.
    pub item: Option<String>,
    /// Views it reports.
    pub views: Vec<View>,
    /// The password it carries, decrypted.
    pub password: Option<String>,
    /// When it arrived.
    pub now_ms: i64,
}

impl Understood<'_> {
    /// Unix seconds of arrival.
    pub fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// A body member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.as_ref()?.get(name)?.as_str()
    }
}

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
    });
    let strike = state
        .troubles
        .strike(understood.route.act, target.as_deref(), now_ms);
    let (mut reply, outcome) = match strike {
        Some(strike) => struck(state, &understood, &strike, client_timeout),
        None => undisturbed(state, &understood),
    };
    if reply.delivery == Delivery::Whole && reply.status == 200 {
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
    clock.spend(back);
    state_headers::add_date(state.switches.date, clock.now_ms(), &mut reply);
    reply
}

/// Finds out what a request means, and everything that is wrong with it.
fn understand<'a>(
    state: &mut State,
    request: &'a Request,
    now_ms: i64,
    hosts: &dyn Fn(&str) -> bool,
) -> (Understood<'a>, Vec<String>) {
    let mut found = Violations::default();
    let route = route(&request.method, &request.path);
    let echo = state.switches.echo;
    let has_session =
        request.header("Authorization").is_some() || request.cookie("sessionid").is_some();
    let call = calls::of(route.act, has_session);
    if route.act == Act::Unknown {
        found.plain("path-unknown");
    } else if call.slash && !route.slash {
        found.plain("path-slash");
    }
    if !hosts(&request.host) {
        found.plain("host");
    }
    if call.has_app_headers && route.act != Act::Unknown {
        headers::check(request, now_ms, &mut found);
    }
    let who = if call.has_app_headers {
        state
            .sessions
            .identify(request, call.login, echo, &mut found)
    } else {
        Who::Nobody
    };
    let own_pk = match &who {
        Who::Session(place) => state.sessions.get(*place).map(|session| session.pk),
        _ => None,
    };
    let path_media =
        matches!(route.act, Act::PostLike | Act::PostUnlike).then_some(route.subject.as_str());
    let context = Context {
        request,
        own_pk,
        path_media,
        now_ms,
    };
    body::check_query(&call, &context, &mut found);
    let body = body::check(&call, &context, &mut found);
    check_subject(&route, &mut found);
    let mut understood = Understood {
        request,
        route,
        who,
        body,
        item: None,
        views: Vec::new(),
        password: None,
        now_ms,
    };
    check_items(state, &mut understood, &mut found);
    (understood, found.into_names())
}

fn check_subject(route: &Route, found: &mut Violations) {
    let subject = route.subject.as_str();
    match route.act {
        Act::UserLookup if subject != subject.trim_start_matches('@').to_lowercase() => {
            found.plain("path-username");
        }
        Act::Stories | Act::Posts | Act::UserInfo if !text::is_digits(subject) => {
            found.plain("path-pk");
        }
        Act::PostLike | Act::PostUnlike if text::media_id(subject).is_none() => {
            found.plain("path-media-id");
        }
        Act::MediaInfo if text::media_id(subject).is_none() && !text::is_digits(subject) => {
            found.plain("path-media-id");
        }
        _ => {}
    }
}

fn check_items(state: &State, understood: &mut Understood<'_>, found: &mut Violations) {
    let now_ms = understood.now_ms;
    match understood.route.act {
        Act::Login => {
            let encrypted = understood.text("enc_password").map(str::to_owned);
            understood.password =
                encrypted.and_then(|text| credentials::decrypt(&text, now_ms, found));
        }
        Act::Seen => {
            if let Some(body) = &understood.body {
                understood.views = items::check_views(&state.world, body, now_ms, found);
            }
            understood.item = understood
                .views
                .first()
                .map(|v| format!("{}_{}", v.pk, v.owner));
        }
        Act::StoryLike | Act::StoryUnlike => {
            understood.item = understood.text("media_id").map(str::to_owned);
            if let Some(id) = &understood.item {
                items::check_like(&state.world, Kind::Story, id, now_ms, found);
            }
        }
        Act::PostLike | Act::PostUnlike => {
            // The path decides; a body that says otherwise is a violation of its own.
            let id = understood.route.subject.clone();
            items::check_like(&state.world, Kind::Post, &id, now_ms, found);
            understood.item = Some(id);
        }
        Act::MediaInfo => {
            let pk = understood
                .route
                .subject
                .split('_')
                .next()
                .and_then(|pk| pk.parse().ok());
            let item = pk.and_then(|pk| state.world.item(pk, understood.now_s()));
            understood.item = item.map(|item| item.id());
        }
        _ => {}
    }
}

fn undisturbed(state: &mut State, understood: &Understood<'_>) -> (Reply, Outcome) {
    let answer = admit(state, understood);
    for effect in answer.effects {
        state.reactions.apply(effect, understood.now_ms);
    }
    (answer.reply, answer.outcome)
}

/// The ordinary answer, given to whom it is due. Effects are left to the caller.
fn admit(state: &mut State, understood: &Understood<'_>) -> Answer {
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

mod faults {
    use super::{
        Delivery, Duration, Effect, Fault, Outcome, Reply, State, Understood, admit, undisturbed,
    };
    use crate::practice::bodies;
    use crate::practice::switches::LostWrite;

    pub(super) fn strike(
        state: &mut State,
        understood: &Understood<'_>,
        fault: Fault,
        name: String,
        client_timeout: Duration,
    ) -> (Reply, Outcome) {
        let lost = state.switches.lost_like;
        match fault {
            Fault::Drop => silent(
                state,
                understood,
                Delivery::Dropped,
                lost,
                name,
                client_timeout,
            ),
            Fault::Stall => silent(
                state,
                understood,
                Delivery::Never,
                lost,
                name,
                client_timeout,
            ),
            Fault::DropApplied => {
                let applied = LostWrite::Applied;
                silent(
                    state,
                    understood,
                    Delivery::Dropped,
                    applied,
                    name,
                    client_timeout,
                )
            }
            Fault::Truncated | Fault::Slow => {
                let (reply, outcome) = undisturbed(state, understood);
                let outcome = match outcome {
                    Outcome::Applied => Outcome::AppliedUnanswered(name),
                    _ => Outcome::Lost(name),
                };
                let delivery = match fault {
                    Fault::Slow => Delivery::Late(client_timeout / 2),
                    _ => Delivery::Truncated,
                };
                (reply.delivered(delivery), outcome)
            }
            Fault::Oversized => (bodies::oversized(), Outcome::Lost(name)),
            Fault::GzipBomb => (bodies::gzip_bomb(), Outcome::Lost(name)),
            Fault::NonUtf8 => (bodies::non_utf8(), Outcome::Lost(name)),
            Fault::Redirect => (bodies::redirect(), Outcome::Lost(name)),
        }
    }

    /// No answer at all; whether the write took effect is up to `lost`.
    fn silent(
        state: &mut State,
        understood: &Understood<'_>,
        delivery: Delivery,
        lost: LostWrite,
        name: String,
        client_timeout: Duration,
    ) -> (Reply, Outcome) {
        let silence = Reply::new(200, "text/plain", Vec::new()).delivered(delivery);
        if lost == LostWrite::Lost || !understood.route.act.is_write() {
            return (silence, Outcome::Lost(name));
        }
        let effects: Vec<Effect> = admit(state, understood).effects;
        if effects.is_empty() {
            return (silence, Outcome::Lost(name));
        }
        let timeout_ms = i64::try_from(client_timeout.as_millis()).unwrap_or(i64::MAX);
        let late_ms = understood
            .now_ms
            .saturating_add(timeout_ms)
            .saturating_add(30_000);
        for effect in effects {
            match lost {
                LostWrite::AppliedLate => state.reactions.apply_later(effect, late_ms),
                _ => state.reactions.apply(effect, understood.now_ms),
            }
        }
        let outcome = match lost {
            LostWrite::AppliedLate => Outcome::AppliesLater(name),
            _ => Outcome::AppliedUnanswered(name),
        };
        (silence, outcome)
    }
}
