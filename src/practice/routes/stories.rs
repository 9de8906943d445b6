//! Stories: listing them, and saying that one was seen.

use serde_json::{Map, Value, json};

use super::super::exchange::Answer;
use super::super::reactions::Effect;
use super::super::record::Outcome;
use super::super::reply::Reply;
use super::super::state::State;
use super::super::switches::Seen;
use super::super::understanding::Understood;
use super::super::world::shape::{self, IdForm};
use super::super::world::{Item, Kind, User};
use super::{id_form, is_open, item_json, subject_user};

/// `feed/user/{pk}/story/`. Nothing to show has two forms, and looks the same for a private account.
pub fn stories(state: &State, asked: &Understood<'_>) -> Answer {
    let reel = match subject_user(state, asked) {
        Some(user) if is_open(user, asked.now_s()) => {
            let items = state.world.stories(user.pk, asked.now_s());
            // Who has published stories before shows an empty list, others show nothing at all.
            let from = asked.now_s() - 7 * 86_400;
            let is_used = !state
                .world
                .published(user.pk, Kind::Story, from, asked.now_s())
                .is_empty();
            if is_used {
                reel(state, user, &items, asked)
            } else {
                Value::Null
            }
        }
        _ => Value::Null,
    };
    let body = json!({"broadcast": null, "reel": reel, "status": "ok"});
    Answer::ok(Reply::json(200, &body))
}

/// `feed/reels_media/`: several users at once; those without a story are missing.
pub fn reels_media(state: &State, asked: &Understood<'_>) -> Answer {
    let wanted = asked
        .body
        .as_ref()
        .and_then(|body| body.get("user_ids")?.as_array());
    let pks = wanted
        .into_iter()
        .flatten()
        .filter_map(|pk| pk.as_str()?.parse::<u64>().ok());
    let mut reels = Map::new();
    for user in pks.filter_map(|pk| state.world.user(pk)) {
        let items = state.world.stories(user.pk, asked.now_s());
        if is_open(user, asked.now_s()) && !items.is_empty() {
            reels.insert(user.pk.to_string(), reel(state, user, &items, asked));
        }
    }
    let list: Vec<Value> = reels.values().cloned().collect();
    Answer::ok(Reply::json(
        200,
        &json!({"reels": reels, "reels_media": list, "status": "ok"}),
    ))
}

/// `feed/reels_tray/`: who has stories, without the stories.
pub fn tray(state: &State, asked: &Understood<'_>) -> Answer {
    let now_s = asked.now_s();
    let open = state
        .world
        .users()
        .iter()
        .filter(|user| is_open(user, now_s));
    let tray: Vec<Value> = open
        .filter_map(|user| {
            let items = state.world.stories(user.pk, now_s);
            let ids = id_form(state, IdForm::Number);
            let reel = || shape::reel(user, &items, last_seen(state, &items), now_s, ids);
            (!items.is_empty()).then(|| Value::Object(reel()))
        })
        .collect();
    let body = json!({
        "tray": tray, "broadcasts": [], "story_ranking_token": "practice", "sticker_version": 1,
        "face_filter_nux_version": 0, "has_new_nux_story": false, "stories_viewer_gestures_nux_eligible": false,
        "status": "ok",
    });
    Answer::ok(Reply::json(200, &body))
}

/// `media/seen/`. The answer is the same whether or not anything was recorded.
pub fn seen(state: &State, asked: &Understood<'_>) -> Answer {
    let known = asked.views.iter().filter(|view| {
        let item = state.world.item(view.pk, asked.now_s());
        item.is_some_and(|item| item.kind == Kind::Story && item.is_visible(asked.now_s()))
    });
    let new = known.filter(|view| !state.reactions.is_seen(view.pk));
    let mut effects: Vec<Effect> = new.map(|view| Effect::View(view.pk)).collect();
    let outcome = match state.switches.seen {
        Seen::Ignored => {
            effects.clear();
            Outcome::Ignored
        }
        Seen::Recorded if effects.is_empty() => Outcome::Repeated,
        Seen::Recorded => Outcome::Applied,
    };
    Answer {
        reply: Reply::recorded("media_seen_ok"),
        outcome,
        effects,
    }
}

fn reel(state: &State, user: &User, items: &[Item], asked: &Understood<'_>) -> Value {
    let ids = id_form(state, IdForm::Number);
    let mut map = shape::reel(user, items, last_seen(state, items), asked.now_s(), ids);
    let forms = [IdForm::Number, IdForm::Text].into_iter().cycle();
    let list = items.iter().zip(forms);
    let list = list.map(|(item, form)| item_json(state, item, asked.now_ms, id_form(state, form)));
    map.insert("items".to_owned(), list.collect());
    Value::Object(map)
}

fn last_seen(state: &State, items: &[Item]) -> i64 {
    let seen = items
        .iter()
        .rev()
        .find(|item| state.reactions.is_seen(item.pk));
    seen.map_or(0, |item| item.taken_at)
}
