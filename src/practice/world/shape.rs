//! The world as JSON. Members follow the recorded replies, only fewer of them, with ids in either
//! form, a name and a value that no client knows, and everything optional that is optional.

use serde_json::{Map, Value, json};

use super::{Item, Kind, STORY_LIFE_S, User};

/// How ids are written in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// JSON numbers.
    Number,
    /// JSON strings.
    Text,
}

impl IdForm {
    /// An id in this form.
    pub fn of(self, id: u64) -> Value {
        match self {
            Self::Number => json!(id),
            Self::Text => json!(id.to_string()),
        }
    }
}

const CDN: &str = "https://scontent-syn1-1.cdninstagram.example/v";
const SHORTCODE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The short form of a user inside other replies.
pub fn short_user(user: &User, now_s: i64, ids: IdForm) -> Map<String, Value> {
    let text = user.pk.to_string();
    let value = json!({
        "strong_id__": text,
        "pk": ids.of(user.pk),
        "pk_id": text,
        "id": text,
        "username": user.name(now_s),
        "full_name": user.full_name,
        "is_private": user.is_private(now_s),
        "is_verified": false,
        "profile_pic_id": format!("3744822068497959884_{text}"),
        "profile_pic_url": format!("{CDN}/t51.82787-19/{text}_n.jpg?_nc_ht=synthetic"),
        "account_badges": [],
        "fbid_v2": 17_841_400_999_000_000_u64 + user.pk % 1_000_000,
        "practice_unknown_member": {"depth": [null, 1.5, "x"]},
    });
    members(value)
}

/// The long form of a user, as the look-up answers.
pub fn full_user(user: &User, now_s: i64, latest_story: i64, posts: usize) -> Value {
    let mut map = short_user(user, now_s, IdForm::Number);
    map.extend(members(json!({
        "is_business": false,
        "account_type": 1,
        "biography": "Synthetic account of a practice server.",
        "bio_links": [],
        "external_url": "",
        "media_count": posts,
        "follower_count": 321,
        "following_count": 123,
        "latest_reel_media": latest_story,
        "has_anonymous_profile_picture": false,
        "hd_profile_pic_versions": [],
        "friendship_status": {
            "following": !user.is_private(now_s),
            "followed_by": true,
            "outgoing_request": false,
            "incoming_request": false,
            "blocking": false,
            "muting": false,
            "is_private": user.is_private(now_s),
            "is_restricted": false,
            "is_bestie": false,
        },
    })));
    Value::Object(map)
}

/// A reel without its items.
pub fn reel(user: &User, items: &[Item], seen: i64, now_s: i64, ids: IdForm) -> Map<String, Value> {
    let latest = items.last().map_or(0, |item| item.taken_at);
    members(json!({
        "strong_id__": user.pk.to_string(),
        "id": ids.of(user.pk),
        "latest_reel_media": latest,
        "expiring_at": latest + STORY_LIFE_S,
        "seen": seen,
        "can_reply": true,
        "reel_type": "user_reel",
        "is_cta_sticker_available": null,
        "prefetch_count": 0,
        "media_count": items.len(),
        "media_ids": items.iter().map(|item| ids.of(item.pk)).collect::<Vec<_>>(),
        "user": short_user(user, now_s, ids),
    }))
}

/// A story or a post. `has_liked` is left out when `None`.
pub fn item(
    item: &Item,
    author: &User,
    profile: u64,
    has_liked: Option<bool>,
    now_s: i64,
    ids: IdForm,
) -> Value {
    let mut map = members(json!({
        "strong_id__": item.id(),
        "id": item.id(),
        "pk": ids.of(item.pk),
        "taken_at": item.taken_at,
        "device_timestamp": item.taken_at * 1_000_000 + 531,
        "media_type": item.media_type,
        "code": shortcode(item.pk),
        "filter_type": 0,
        "caption_is_edited": false,
        "practice_unknown_member": [{"a": 1}],
    }));
    if let Some(liked) = has_liked {
        map.insert("has_liked".to_owned(), json!(liked));
    }
    let user = short_user(author, now_s, ids);
    map.extend(members(match item.kind {
        Kind::Story => story_members(item, author, now_s, ids),
        Kind::Post => post_members(item, author, profile, ids),
    }));
    if item.kind == Kind::Post {
        map.insert("user".to_owned(), Value::Object(user));
    }
    map.extend(members(media_members(item)));
    Value::Object(map)
}

fn story_members(item: &Item, author: &User, now_s: i64, ids: IdForm) -> Value {
    // Some items name their user only by pk, as recorded.
    let user = if item.pk.is_multiple_of(2) {
        json!({"pk": ids.of(author.pk), "is_private": author.is_private(now_s)})
    } else {
        Value::Object(short_user(author, now_s, ids))
    };
    json!({
        "product_type": "story",
        "expiring_at": item.taken_at + STORY_LIFE_S,
        "caption": null,
        "is_reel_media": true,
        "can_reply": true,
        "user": user,
        "reel_mentions": [],
        "story_locations": [],
        "story_hashtags": [],
        "story_feed_media": [],
    })
}

fn post_members(item: &Item, author: &User, profile: u64, ids: IdForm) -> Value {
    let product = match item.media_type {
        2 => "clips",
        8 => "carousel_container",
        _ => "feed",
    };
    let pinned: Vec<u64> = if item.pinned {
        vec![profile]
    } else {
        Vec::new()
    };
    let coauthors: Vec<Value> = if author.pk == profile {
        Vec::new()
    } else {
        vec![json!({"pk": ids.of(profile)})]
    };
    let caption = if item.pk.is_multiple_of(3) {
        Value::Null
    } else {
        json!({"pk": item.pk.to_string(), "text": "Synthetic post #sandbox", "created_at": item.taken_at})
    };
    json!({
        "product_type": product,
        "like_count": 20 + item.pk % 100,
        "comment_count": item.pk % 7,
        "caption": caption,
        "coauthor_producers": coauthors,
        "timeline_pinned_user_ids": pinned,
        "like_and_view_counts_disabled": false,
        "usertags": {"in": []},
    })
}

fn media_members(item: &Item) -> Value {
    let (width, height) = if item.kind == Kind::Story {
        (1080, 1920)
    } else {
        (1080, 1350)
    };
    let candidates = json!({"candidates": [
        {"width": width / 2, "height": height / 2, "url": format!("{CDN}/t51.82787-15/{}_s.jpg", item.pk)},
        {"width": width, "height": height, "url": format!("{CDN}/t51.82787-15/{}_n.jpg", item.pk)},
    ]});
    let mut map = members(json!({"original_width": width, "original_height": height}));
    map.insert("image_versions2".to_owned(), candidates.clone());
    if item.media_type == 2 {
        let video = format!("{CDN}/t50.2886-16/{}.mp4", item.pk);
        map.extend(members(json!({
            "video_versions": [{"type": 101, "id": format!("{}v", item.pk), "width": 720, "height": 1280, "url": video}],
            "video_duration": 12.4,
            "has_audio": true,
            "view_count": 0,
            "play_count": 160,
        })));
    }
    if item.media_type == 8 {
        let parts = [1_u64, 2].map(|n| {
            let pk = item.pk + n;
            json!({"id": format!("{pk}_{}", item.author), "pk": pk, "media_type": 1,
                "original_width": width, "original_height": height, "image_versions2": candidates})
        });
        map.insert("carousel_media".to_owned(), json!(parts));
        map.insert("carousel_media_count".to_owned(), json!(2));
    }
    Value::Object(map)
}

/// A media pk in base 64, most significant digit first.
fn shortcode(pk: u64) -> String {
    let mut digits = Vec::new();
    let mut rest = pk;
    while rest > 0 {
        digits.push(char::from(
            SHORTCODE[usize::try_from(rest % 64).unwrap_or(0)],
        ));
        rest /= 64;
    }
    digits.iter().rev().collect()
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
