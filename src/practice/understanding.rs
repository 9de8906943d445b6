//! What a request means, who sent it, and everything that is wrong with it.

use serde_json::{Map, Value};

use super::act::{Act, Route, route};
use super::credentials;
use super::request::Request;
use super::rules::body::{self, Context};
use super::rules::items::{self, View};
use super::rules::{Violations, calls, headers, text};
use super::sessions::Who;
use super::state::State;
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

/// Finds out what a request means, and everything that is wrong with it.
pub fn understand<'a>(
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
