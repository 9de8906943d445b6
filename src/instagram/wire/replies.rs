//! Replies: what is taken from them, and what must be there.
//!
//! Ids come as numbers or texts, fields come and go. One item that cannot be read is left out and
//! counted; only a reply that lacks what it is for is a change of the API ([`Missing`]).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use crate::model::{Item, ItemId, ItemKind, Pk, Secret, Timestamp};
use crate::ports::{Listing, Myself, PasswordKey, SecondFactor, User};

type Object = Map<String, Value>;

/// The member that a reply lacks.
pub type Missing = &'static str;

/// How long a story lives when the platform does not say.
const STORY_LIFE: Duration = Duration::from_hours(24);

/// An id, written as text or as an integer; never through a float.
pub fn pk_of(value: &Value) -> Option<Pk> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64()?.try_into().ok(),
        _ => None,
    }
}

pub fn myself(reply: &Object, member: Missing) -> Result<Myself, Missing> {
    let user = reply.get(member).and_then(Value::as_object);
    let user = user.ok_or(member)?;
    Ok(Myself {
        pk: user_pk(user).ok_or("user.pk")?,
        username: username(user).ok_or("user.username")?,
    })
}

pub fn user(reply: &Object) -> Result<User, Missing> {
    let user = reply.get("user").and_then(Value::as_object);
    let user = user.ok_or("user")?;
    let friendship = user.get("friendship_status");
    Ok(User {
        pk: user_pk(user).ok_or("user.pk")?,
        username: username(user).ok_or("user.username")?,
        is_private: user.get("is_private").and_then(Value::as_bool) == Some(true),
        following: friendship.and_then(|status| status.get("following")?.as_bool()),
    })
}

/// `reel: null`, no `reel` and an empty one all mean that there is nothing to see.
pub fn stories(reply: &Object, owner: Pk) -> Result<Listing, Missing> {
    let reel = match reply.get("reel") {
        None | Some(Value::Null) => return Ok(Listing::default()),
        Some(reel) => reel.as_object().ok_or("reel")?,
    };
    let items = reel.get("items").and_then(Value::as_array);
    let mut listing = listing(items.ok_or("reel.items")?, ItemKind::Story, owner)?;
    listing.owner_name = owner_name(reel.get("user"), owner).or(listing.owner_name);
    Ok(listing)
}

pub fn posts(reply: &Object, owner: Pk) -> Result<Listing, Missing> {
    let items = reply.get("items").and_then(Value::as_array);
    let mut listing = listing(items.ok_or("items")?, ItemKind::Post, owner)?;
    listing.owner_name = owner_name(reply.get("user"), owner).or(listing.owner_name);
    let more = reply.get("more_available").and_then(Value::as_bool) != Some(false);
    let cursor = match reply.get("next_max_id") {
        Some(Value::String(cursor)) if more && !cursor.is_empty() => Some(cursor.clone()),
        Some(Value::Number(cursor)) if more => Some(cursor.to_string()),
        _ => None,
    };
    listing.next_page = cursor.filter(|cursor| can_be_followed(cursor));
    Ok(listing)
}

/// Whether an address can carry the cursor. A listing ends where it cannot: what older pages would
/// have shown is missed, but one that cannot be asked for would end every pass before its turn.
fn can_be_followed(cursor: &str) -> bool {
    /// Known ones have fewer than 50 bytes.
    const LONGEST: usize = 1024;
    let follows = cursor.len() <= LONGEST;
    if !follows {
        log::warn!(bytes = cursor.len(); "the cursor of the next page is too long for an address; the listing ends here");
    }
    follows
}

/// The one item that was asked for.
pub fn media_info(reply: &Object, kind: ItemKind, id: ItemId) -> Result<Item, Missing> {
    let items = reply.get("items").and_then(Value::as_array);
    items
        .ok_or("items")?
        .first()
        .and_then(|value| item(value, kind, id.owner))
        .filter(|item| item.id.media == id.media)
        .ok_or("items[0]")
}

/// What an unfinished login asks for.
pub fn second_factor(reply: &Object) -> Option<SecondFactor> {
    let info = reply.get("two_factor_info")?.as_object()?;
    let on = |name: &str| info.get(name).and_then(Value::as_bool) == Some(true);
    let identifier = info.get("two_factor_identifier")?.as_str()?;
    Some(SecondFactor {
        identifier: Secret::new(identifier),
        totp: on("totp_two_factor_on"),
        sms: on("sms_two_factor_on"),
    })
}

/// The key passwords are sealed with: decimal id, and base 64 of a PEM text, both in headers.
pub fn password_key(headers: &HeaderMap) -> Result<PasswordKey, Missing> {
    let value = |name: Missing| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .ok_or(name)
    };
    let id_header = "ig-set-password-encryption-key-id";
    let pem_header = "ig-set-password-encryption-pub-key";
    let id = value(id_header)?.trim().parse().map_err(|_| id_header)?;
    let pem = STANDARD
        .decode(value(pem_header)?.trim())
        .map_err(|_| pem_header)?;
    let pem = String::from_utf8(pem).map_err(|_| pem_header)?;
    Ok(PasswordKey { id, pem })
}

fn listing(values: &[Value], kind: ItemKind, owner: Pk) -> Result<Listing, Missing> {
    let items: Vec<Item> = values
        .iter()
        .filter_map(|value| item(value, kind, owner))
        .collect();
    if items.is_empty() && !values.is_empty() {
        return Err("a readable item");
    }
    Ok(Listing {
        unreadable: u32::try_from(values.len() - items.len()).unwrap_or(u32::MAX),
        owner_name: values
            .iter()
            .find_map(|value| owner_name(value.get("user"), owner)),
        items,
        next_page: None,
    })
}

fn item(value: &Value, kind: ItemKind, profile: Pk) -> Option<Item> {
    let value = value.as_object()?;
    let taken_at = taken_at(value)?;
    let expiring_at = match kind {
        ItemKind::Post => None,
        ItemKind::Story => {
            let given = value.get("expiring_at").and_then(seconds);
            Some(given.unwrap_or_else(|| taken_at.plus(STORY_LIFE)))
        }
    };
    let pinned = value
        .get("timeline_pinned_user_ids")
        .and_then(Value::as_array)
        .is_some_and(|pks| pks.iter().any(|pk| pk_of(pk) == Some(profile)));
    Some(Item {
        kind,
        id: item_id(value, profile)?,
        code: word(value, "code", "-_"),
        taken_at,
        expiring_at,
        has_liked: value.get("has_liked").and_then(Value::as_bool),
        pinned,
    })
}

/// `id` is what a like names; it carries the author, who may be a co-author of the profile.
fn item_id(item: &Object, profile: Pk) -> Option<ItemId> {
    let whole = item.get("id").and_then(Value::as_str);
    whole.and_then(|id| id.parse().ok()).or_else(|| {
        let author = item.get("user").and_then(Value::as_object);
        Some(ItemId {
            media: pk_of(item.get("pk")?)?,
            owner: author.and_then(user_pk).unwrap_or(profile),
        })
    })
}

fn taken_at(item: &Object) -> Option<Timestamp> {
    let device_time = || {
        // In microseconds, unlike everything else.
        let micros = integer(item.get("device_timestamp")?)?;
        Some(Timestamp::from_millis(micros / 1000))
    };
    item.get("taken_at")
        .and_then(seconds)
        .or_else(device_time)
        .filter(|taken_at| taken_at.as_secs() > 0)
}

fn seconds(value: &Value) -> Option<Timestamp> {
    integer(value).map(Timestamp::from_secs)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// The spellings repeat each other; the texts are the safest to read.
fn user_pk(user: &Object) -> Option<Pk> {
    ["pk_id", "strong_id__", "pk", "id"]
        .into_iter()
        .find_map(|name| user.get(name).and_then(pk_of))
}

/// Letters, digits, dots and underscores: a name goes into lists, logs and the operator's terminal.
fn username(user: &Object) -> Option<String> {
    word(user, "username", "._").map(|name| name.to_lowercase())
}

/// The name in a short user object, if it is the owner's.
fn owner_name(user: Option<&Value>, owner: Pk) -> Option<String> {
    let user = user?.as_object()?;
    if user_pk(user) == Some(owner) {
        username(user)
    } else {
        None
    }
}

/// A text of ASCII letters, digits and `others`, of a sensible length.
fn word(object: &Object, name: &str, others: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let text = object.get(name)?.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let fits = (1..=LONGEST).contains(&text.len()) && text.chars().all(plain);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
#[path = "replies_tests.rs"]
mod tests;
