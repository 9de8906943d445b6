//! Posts of a user, page by page, and single media.

use serde_json::{Value, json};

use super::super::exchange::Answer;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::understanding::Understood;
use super::super::world::shape::{self, IdForm};
use super::{id_form, is_open, item_json, subject_user};

/// The server's own page size, whatever `count` says.
pub const PAGE_SIZE: usize = 12;

/// `feed/user/{pk}/`
pub fn posts(state: &State, asked: &Understood<'_>) -> Answer {
    let now_s = asked.now_s();
    let Some(user) = subject_user(state, asked) else {
        return Answer::refused("users_usernameinfo_not_found");
    };
    if !is_open(user, now_s) {
        return Answer::refused("feed_user_private");
    }
    let all = state.world.posts(user.pk, now_s);
    let pairs = asked.request.query_pairs();
    let cursor = pairs
        .iter()
        .find(|(name, _)| name == "max_id")
        .map_or("", |(_, value)| value);
    let after = cursor
        .split('_')
        .next()
        .and_then(|pk| pk.parse::<u64>().ok());
    let begin = match after {
        None => 0,
        // An unknown cursor is behind the end: nothing follows it.
        Some(pk) => all
            .iter()
            .position(|item| item.pk == pk)
            .map_or(all.len(), |place| place + 1),
    };
    let end = all.len().min(begin + PAGE_SIZE);
    let page = &all[begin..end];
    let ids = id_form(
        state,
        if begin == 0 {
            IdForm::Text
        } else {
            IdForm::Number
        },
    );
    let items: Vec<Value> = page
        .iter()
        .map(|item| item_json(state, item, asked.now_ms, ids))
        .collect();
    let mut body = json!({
        "profile_grid_items": null,
        "num_results": items.len(),
        "more_available": end < all.len(),
        "auto_load_more_enabled": true,
        "user": shape::short_user(user, now_s, ids),
        "items": items,
        "status": "ok",
    });
    if let Some(last) = page.last().filter(|_| end < all.len()) {
        body["next_max_id"] = json!(format!("{}_{}", last.pk, user.pk));
    }
    Answer::ok(Reply::json(200, &body))
}

/// `media/{pk or id}/info/`
pub fn media_info(state: &State, asked: &Understood<'_>) -> Answer {
    let now_s = asked.now_s();
    let pk = asked
        .route
        .subject
        .split('_')
        .next()
        .and_then(|pk| pk.parse().ok());
    let item = pk
        .and_then(|pk| state.world.item(pk, now_s))
        .filter(|item| item.is_visible(now_s));
    let item = item.filter(|item| {
        state
            .world
            .user(item.profile)
            .is_some_and(|user| is_open(user, now_s))
    });
    let Some(item) = item else {
        return Answer::refused("media_info_not_found");
    };
    let ids = id_form(state, IdForm::Text);
    let body = json!({
        "items": [item_json(state, &item, asked.now_ms, ids)],
        "num_results": 1, "more_available": false, "auto_load_more_enabled": false, "status": "ok",
    });
    Answer::ok(Reply::json(200, &body))
}
