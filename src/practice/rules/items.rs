//! Likes and views against the world: what they name must exist, be visible and belong to whom they
//! say.

use serde_json::{Map, Value};

use super::headers::CLOCK_TOLERANCE_MS;
use super::{Violations, text};
use crate::practice::world::{Kind, World};

/// Checks what a like or an unlike names.
pub fn check_like(world: &World, kind: Kind, id: &str, now_ms: i64, found: &mut Violations) {
    let second = now_ms.div_euclid(1000);
    let Some((pk, owner)) = text::media_id(id) else {
        return;
    };
    match world.item(pk, second) {
        None => found.plain("like-unknown"),
        Some(item) if item.kind != kind => found.plain("like-kind"),
        Some(item) if item.author != owner => found.plain("like-owner"),
        Some(item) if !item.is_visible(second) => found.plain("like-expired"),
        Some(_) => {}
    }
}

/// One view inside `media/seen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Media pk.
    pub pk: u64,
    /// Owner, as the client says.
    pub owner: u64,
}

/// Reads and checks the views of `media/seen`: `"<pk>_<owner>_<source>": ["<taken>_<seen>"]`.
pub fn check_views(
    world: &World,
    body: &Map<String, Value>,
    now_ms: i64,
    found: &mut Violations,
) -> Vec<View> {
    let Some(reels) = body.get("reels").and_then(Value::as_object) else {
        return Vec::new();
    };
    let views = reels
        .iter()
        .filter_map(|(key, times)| one(world, key, times, now_ms, found));
    views.collect()
}

fn one(
    world: &World,
    key: &str,
    times: &Value,
    now_ms: i64,
    found: &mut Violations,
) -> Option<View> {
    let second = now_ms.div_euclid(1000);
    let parts: Vec<Option<u64>> = key.split('_').map(|part| part.parse().ok()).collect();
    let [Some(pk), Some(owner), Some(source)] = parts[..] else {
        found.plain("seen-key");
        return None;
    };
    let item = world
        .item(pk, second)
        .filter(|item| item.kind == Kind::Story);
    match &item {
        None => found.plain("seen-unknown"),
        Some(item) if item.author != owner => found.plain("seen-owner"),
        Some(item) if !item.is_visible(second) => found.plain("seen-expired"),
        Some(_) => {}
    }
    if source != owner {
        found.plain("seen-source");
    }
    let list = times.as_array().map(Vec::as_slice);
    let time = match list {
        Some([Value::String(time)]) => time.split_once('_'),
        _ => None,
    };
    let Some((Ok(taken_at), Ok(seen_at))) =
        time.map(|(taken, seen)| (taken.parse::<i64>(), seen.parse::<i64>()))
    else {
        found.plain("seen-times");
        return Some(View { pk, owner });
    };
    if item.is_some_and(|item| item.taken_at != taken_at) {
        found.plain("seen-taken-at");
    }
    if (seen_at * 1000 - now_ms).abs() > CLOCK_TOLERANCE_MS {
        found.plain("seen-seen-at");
    }
    Some(View { pk, owner })
}
