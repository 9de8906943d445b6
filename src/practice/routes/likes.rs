//! Likes and taken-back likes of stories and posts.

use super::super::act::Act;
use super::super::exchange::Answer;
use super::super::reactions::Effect;
use super::super::record::Outcome;
use super::super::reply::Reply;
use super::super::rules::text;
use super::super::state::State;
use super::super::switches::RepeatedLike;
use super::super::understanding::Understood;
use super::super::world::{Item, Kind};
use super::is_open;

/// `media/{id}/like/` and `send_story_like`
pub fn like(state: &State, asked: &Understood<'_>) -> Answer {
    let item = match liked_item(state, asked) {
        Ok(item) => item,
        Err(refusal) => return Answer::refused(refusal),
    };
    let reply = Reply::recorded(match item.kind {
        Kind::Story => "story_like_ok",
        Kind::Post => "media_like_ok",
    });
    if !state.reactions.is_liked(item.pk, asked.now_ms) {
        return Answer {
            reply,
            outcome: Outcome::Applied,
            effects: vec![Effect::Like(item.pk)],
        };
    }
    match state.switches.repeated_like {
        RepeatedLike::Ok => Answer {
            reply,
            outcome: Outcome::Repeated,
            effects: Vec::new(),
        },
        RepeatedLike::Refused => Answer::refused("error_200_status_fail"),
    }
}

/// `media/{id}/unlike/` and `unsend_story_like`
pub fn unlike(state: &State, asked: &Understood<'_>) -> Answer {
    let item = match liked_item(state, asked) {
        Ok(item) => item,
        Err(refusal) => return Answer::refused(refusal),
    };
    let reply = Reply::recorded(match item.kind {
        Kind::Story => "story_unlike_ok",
        Kind::Post => "media_unlike_ok",
    });
    if state.reactions.is_liked(item.pk, asked.now_ms) {
        return Answer {
            reply,
            outcome: Outcome::Applied,
            effects: vec![Effect::Unlike(item.pk)],
        };
    }
    Answer {
        reply,
        outcome: Outcome::Repeated,
        effects: Vec::new(),
    }
}

/// The item a like names, or the recorded refusal it gets.
fn liked_item(state: &State, asked: &Understood<'_>) -> Result<Item, &'static str> {
    let now_s = asked.now_s();
    let id = asked.item.as_deref().and_then(text::media_id);
    let Some((pk, owner)) = id else {
        return Err("media_like_invalid_id");
    };
    let kind = match asked.route.act {
        Act::StoryLike | Act::StoryUnlike => Kind::Story,
        _ => Kind::Post,
    };
    let Some(item) = state.world.item(pk, now_s) else {
        return Err("media_like_deleted");
    };
    if item.author != owner || item.kind != kind {
        return Err("media_like_invalid_id");
    }
    let is_open = state
        .world
        .user(item.profile)
        .is_some_and(|user| is_open(user, now_s));
    if !item.is_visible(now_s) || !is_open {
        return Err("media_like_unavailable");
    }
    Ok(item)
}
