//! Looking users up.

use serde_json::{Value, json};

use super::super::exchange::Answer;
use super::super::reply::{JSON, Reply};
use super::super::state::State;
use super::super::understanding::Understood;
use super::super::world::shape::{self, IdForm};
use super::super::world::{OPERATOR_PK, User};
use super::{is_open, subject_user};

const NOT_FOUND: &str = "users_usernameinfo_not_found";

/// `users/{name}/usernameinfo/`
pub fn lookup(state: &State, asked: &Understood<'_>) -> Answer {
    match state.world.user_named(&asked.route.subject, asked.now_s()) {
        Some(user) => Answer::ok(Reply::json(200, &long(state, user, asked))),
        None => Answer::refused(NOT_FOUND),
    }
}

/// `users/{pk}/info/`
pub fn info(state: &State, asked: &Understood<'_>) -> Answer {
    match subject_user(state, asked) {
        Some(user) if user.pk == OPERATOR_PK => Answer::ok(Reply::recorded("users_info_ok")),
        Some(user) => Answer::ok(Reply::json(200, &long(state, user, asked))),
        None => Answer::refused(NOT_FOUND),
    }
}

/// `users/{pk}/info_stream/`: the same, as one JSON object a line.
pub fn info_stream(state: &State, asked: &Understood<'_>) -> Answer {
    match subject_user(state, asked) {
        Some(user) if user.pk == OPERATOR_PK => Answer::ok(Reply::recorded("users_info_stream_ok")),
        Some(user) => {
            let line = long(state, user, asked);
            Answer::ok(Reply::new(200, JSON, format!("{line}\n").into_bytes()))
        }
        None => Answer::refused(NOT_FOUND),
    }
}

/// `users/search/`: those whose name contains what was asked for, short.
pub fn search(state: &State, asked: &Understood<'_>) -> Answer {
    let pairs = asked.request.query_pairs();
    let query = pairs
        .iter()
        .find(|(name, _)| name == "query" || name == "q")
        .map_or("", |(_, value)| value);
    let now_s = asked.now_s();
    let present = state
        .world
        .users()
        .iter()
        .filter(|user| !user.is_gone(now_s));
    let users: Vec<Value> = present
        .filter(|user| user.name(now_s).contains(query))
        .map(|user| Value::Object(shape::short_user(user, now_s, IdForm::Number)))
        .collect();
    let count = users.len();
    let body = json!({"users": users, "num_results": count, "has_more": false, "status": "ok"});
    Answer::ok(Reply::json(200, &body))
}

fn long(state: &State, user: &User, asked: &Understood<'_>) -> Value {
    let now_s = asked.now_s();
    let stories = state.world.stories(user.pk, now_s);
    let latest = stories
        .last()
        .filter(|_| is_open(user, now_s))
        .map_or(0, |item| item.taken_at);
    let posts = state.world.posts(user.pk, now_s).len();
    json!({"user": shape::full_user(user, now_s, latest, posts), "status": "ok"})
}
