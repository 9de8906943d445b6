//! `/practice/...`: what a loopback client may read and change while the server runs.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::reply::Reply;
use super::super::request::Request;
use super::super::state::State;
use super::super::trouble::{Misunderstood, Trouble};
use super::super::world::Kind;

/// Answers a request below `/practice/`.
pub fn answer(state: &mut State, request: &Request, now_ms: i64) -> Reply {
    state.reactions.settle(now_ms);
    let path = request.path.trim_end_matches('/');
    let done = match (request.method.as_str(), path) {
        ("GET", "/practice/record") => Ok(record(state, now_ms)),
        ("GET", "/practice/switches") => Ok(json!(state.switches)),
        ("POST", "/practice/switches") => set_switches(state, &request.body),
        ("POST", "/practice/trouble") => Trouble::from_json(&request.body).map(|trouble| {
            state.troubles.arm(trouble);
            json!({"status": "ok"})
        }),
        ("POST", "/practice/world") => change_world(state, &request.body, now_ms.div_euclid(1000)),
        _ => {
            let known = "GET /practice/record, GET or POST /practice/switches, POST \
                         /practice/trouble, POST /practice/world";
            return Reply::json(404, &json!({"error": format!("known here: {known}")}));
        }
    };
    match done {
        Ok(body) => Reply::json(200, &body),
        Err(error) => Reply::json(
            400,
            &json!({"error": error.to_string(), "field": error.field}),
        ),
    }
}

fn record(state: &State, now_ms: i64) -> Value {
    let mut body = state.record.to_json();
    let likes = state.record.likes_per_item();
    let second = now_ms.div_euclid(1000);
    let touched = state.reactions.touched();
    let mut items = Map::new();
    for item in touched
        .iter()
        .filter_map(|pk| state.world.item(*pk, second))
    {
        let is_story = item.kind == Kind::Story;
        let owner = state.world.user(item.profile).map(|user| user.name(second));
        let about = json!({
            "kind": if is_story { "story" } else { "post" },
            "target": owner,
            "likes": likes.get(&item.id()).copied().unwrap_or(0),
            "seen": state.reactions.is_seen(item.pk),
            "liked": state.reactions.is_liked(item.pk, now_ms),
            "delivered": state.reactions.is_delivered(item.pk, is_story),
        });
        items.insert(item.id(), about);
    }
    body["items"] = Value::Object(items);
    body["now_ms"] = json!(now_ms);
    body
}

/// Sets the switches that are named; the others stay.
fn set_switches(state: &mut State, body: &[u8]) -> Result<Value, Misunderstood> {
    let named: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Misunderstood::new("switches", error.to_string()))?;
    let mut switches = state.switches;
    for (name, value) in named {
        let mut all = json!(switches);
        all[name.as_str()] = value;
        switches = serde_json::from_value(all)
            .map_err(|error| Misunderstood::new(&name, error.to_string()))?;
    }
    state.switches = switches;
    Ok(json!(state.switches))
}

/// A change of the world. `user` names whom; or `item` names what is made older.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    user: Option<String>,
    item: Option<String>,
    #[serde(default)]
    stories: u32,
    #[serde(default)]
    posts: u32,
    /// How long ago new items were published, or by how much `item` gets older.
    #[serde(default)]
    age_seconds: u32,
    rename: Option<String>,
    #[serde(default)]
    vanish: bool,
    private: Option<bool>,
    #[serde(default)]
    revoke_sessions: bool,
}

/// More at once is a mistake, not a world.
const MOST_ADDED: u32 = 1000;

fn change_world(state: &mut State, body: &[u8], now_s: i64) -> Result<Value, Misunderstood> {
    let change: Change = serde_json::from_slice(body)
        .map_err(|error| Misunderstood::new("world", error.to_string()))?;
    if change.revoke_sessions {
        state.sessions.revoke_all();
    }
    if let Some(id) = &change.item {
        let pk = id.split('_').next().and_then(|pk| pk.parse().ok());
        let known = pk.filter(|pk| state.world.item(*pk, now_s).is_some());
        let pk = known.ok_or_else(|| Misunderstood::new("item", format!("{id:?} is unknown")))?;
        state.world.age(pk, change.age_seconds.into());
    }
    let added = match &change.user {
        Some(name) => change_user(state, name, &change, now_s)?,
        None if change.item.is_none() && !change.revoke_sessions => {
            return Err(Misunderstood::new("user", "name a user of the world"));
        }
        None => Vec::new(),
    };
    Ok(json!({"status": "ok", "added": added}))
}

fn change_user(
    state: &mut State,
    name: &str,
    change: &Change,
    now_s: i64,
) -> Result<Vec<String>, Misunderstood> {
    let world = &mut state.world;
    let known = world.user_named(name, now_s).map(|user| user.pk);
    let Some(pk) = known else {
        return Err(Misunderstood::new(
            "user",
            format!("nobody is called {name:?}"),
        ));
    };
    if change.stories.max(change.posts) > MOST_ADDED {
        let field = if change.stories > MOST_ADDED {
            "stories"
        } else {
            "posts"
        };
        return Err(Misunderstood::new(field, format!("at most {MOST_ADDED}")));
    }
    if let Some(new) = &change.rename
        && world.user_named(new, now_s).is_some()
    {
        return Err(Misunderstood::new("rename", format!("{new:?} is taken")));
    }
    let taken_at = now_s - i64::from(change.age_seconds);
    let mut added = Vec::new();
    added.extend((0..change.stories).map(|_| world.add_story(pk, taken_at).id()));
    added.extend((0..change.posts).map(|_| world.add_post(pk, taken_at).id()));
    if let Some(user) = world.user_mut(pk) {
        if let Some(new) = &change.rename {
            user.names.push((now_s, new.clone()));
        }
        if change.vanish {
            user.vanished_from = Some(now_s);
        }
        if let Some(private) = change.private {
            user.private_from = private.then_some(now_s);
        }
    }
    Ok(added)
}
