//! Requests: paths, queries and bodies, field names and values as recorded from the app.
//!
//! Most values are texts even where they are numbers or booleans; the platform wants them so.

use serde_json::{Value, json};

use crate::instagram::device::Profile;
use crate::instagram::encode;
use crate::model::{ItemId, ItemKind, Pk, Timestamp};

/// What a request is about; decides what "not found" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The operator's own account.
    Own,
    /// A target.
    User,
    /// A story or post.
    Item,
    /// A login under way.
    Login,
}

/// What the request does that brings the code; its refusal says nothing of the password.
pub const SECOND_FACTOR: &str = "submitting the second factor";

/// One request. A GET has no body. Not printable: a body may hold a password or a code.
pub struct Request {
    /// What it does, for messages.
    pub label: &'static str,
    pub scope: Scope,
    /// Path and query.
    pub path: String,
    pub body: Option<String>,
}

impl Request {
    fn get(label: &'static str, scope: Scope, path: String) -> Self {
        Self {
            label,
            scope,
            path,
            body: None,
        }
    }

    fn post(label: &'static str, scope: Scope, path: String, fields: &Value) -> Self {
        Self {
            label,
            scope,
            path,
            body: Some(encode::signed_body(fields)),
        }
    }
}

/// The stories query's only parameter; the app leaves blanks after `,` and `:`.
const CAPABILITIES: &str = "[{\"value\": \"119.0,120.0,121.0,122.0,123.0,124.0,125.0,126.0,127.0,\
    128.0,129.0,130.0,131.0,132.0,133.0,134.0,135.0,136.0,137.0,138.0,139.0,140.0,141.0,142.0\", \
    \"name\": \"SUPPORTED_SDK_VERSIONS\"}, \
    {\"value\": \"14\", \"name\": \"FACE_TRACKER_VERSION\"}, \
    {\"value\": \"ETC2_COMPRESSION\", \"name\": \"COMPRESSION\"}, \
    {\"value\": \"gyroscope_enabled\", \"name\": \"gyroscope\"}]";

/// How many posts a page is asked for; a wish, the platform decides.
const POSTS_PER_PAGE: &str = "33";

pub fn current_user() -> Request {
    let path = "/api/v1/accounts/current_user/?edit=true".to_owned();
    Request::get("asking whose session this is", Scope::Own, path)
}

pub fn user_by_name(username: &str) -> Request {
    let name = username.trim().trim_start_matches('@').to_lowercase();
    let path = format!("/api/v1/users/{}/usernameinfo/", encode::form_value(&name));
    Request::get("looking a user up", Scope::User, path)
}

pub fn stories(owner: Pk) -> Request {
    let query = encode::query(&[("supported_capabilities_new", CAPABILITIES)]);
    let path = format!("/api/v1/feed/user/{owner}/story/?{query}");
    Request::get("listing stories", Scope::User, path)
}

pub fn posts(owner: Pk, page: Option<&str>, own: Pk, profile: &Profile) -> Request {
    let query = encode::query(&[
        ("max_id", page.unwrap_or_default()),
        ("count", POSTS_PER_PAGE),
        ("rank_token", &format!("{own}_{}", profile.uuid)),
        ("ranked_content", "true"),
    ]);
    let path = format!("/api/v1/feed/user/{owner}/?{query}");
    Request::get("listing posts", Scope::User, path)
}

pub fn media_info(id: ItemId) -> Request {
    let path = format!("/api/v1/media/{}/info/", id.media);
    Request::get("reading an item", Scope::Item, path)
}

pub fn view_story(id: ItemId, taken_at: Timestamp, now: Timestamp, profile: &Profile) -> Request {
    // The third part is where the story was watched: its owner's profile.
    let story = format!("{id}_{}", id.owner);
    let times = format!("{}_{}", taken_at.as_secs(), now.as_secs());
    let fields = json!({
        "_uuid": profile.uuid,
        "device_id": profile.android_id,
        "container_module": "feed_timeline",
        "live_vods_skipped": {},
        "nuxes_skipped": {},
        "nuxes": {},
        "reels": { story: [times] },
        "live_vods": {},
        "reel_media_skipped": {},
    });
    let path = "/api/v2/media/seen/?reel=1&live_vod=0".to_owned();
    Request::post("marking a story as seen", Scope::Item, path, &fields)
}

/// `feed_position`: where in the feed a post stood, 0 to 6.
pub fn like(kind: ItemKind, id: ItemId, own: Pk, profile: &Profile, feed_position: u8) -> Request {
    match kind {
        ItemKind::Story => like_story(id, own, profile),
        ItemKind::Post => like_post(id, own, profile, feed_position),
    }
}

fn like_story(id: ItemId, own: Pk, profile: &Profile) -> Request {
    let fields = json!({
        "_uuid": profile.uuid,
        "device_id": profile.android_id,
        "radio_type": "wifi-none",
        "media_id": id,
        "_uid": own,
        "source_of_like": "button",
        "tray_session_id": profile.tray_session_id,
        "viewer_session_id": profile.client_session_id,
        "container_module": "reel_feed_timeline",
    });
    // The one path without a trailing slash.
    let path = "/api/v1/story_interactions/send_story_like".to_owned();
    Request::post("liking a story", Scope::Item, path, &fields)
}

fn like_post(id: ItemId, own: Pk, profile: &Profile, feed_position: u8) -> Request {
    let fields = json!({
        "_uuid": profile.uuid,
        "device_id": profile.android_id,
        "radio_type": "wifi-none",
        "inventory_source": "media_or_ad",
        "media_id": id,
        "_uid": own,
        "delivery_class": "organic",
        "tap_source": "button",
        "is_2m_enabled": "false",
        "is_from_swipe": "false",
        "is_carousel_bumped_post": "false",
        "floating_context_items": "[]",
        "media_pct_watched": "0",
        "container_module": "feed_timeline",
        "feed_position": feed_position.to_string(),
    });
    let path = format!("/api/v1/media/{id}/like/");
    Request::post("liking a post", Scope::Item, path, &fields)
}

pub fn launcher_sync(profile: &Profile) -> Request {
    let fields = json!({ "id": profile.uuid, "server_config_retrieval": "1" });
    let path = "/api/v1/launcher/sync/".to_owned();
    Request::post("introducing the device", Scope::Login, path, &fields)
}

pub fn password_key() -> Request {
    let path = "/api/v1/qe/sync/".to_owned();
    Request::get("fetching the password key", Scope::Login, path)
}

pub fn login(username: &str, enc_password: &str, profile: &Profile) -> Request {
    let country_codes = json!([{ "country_code": profile.country_code, "source": ["default"] }]);
    let fields = json!({
        "jazoest": jazoest(&profile.phone_id),
        "country_codes": country_codes.to_string(),
        "phone_id": profile.phone_id,
        "enc_password": enc_password,
        "username": username.trim(),
        "adid": profile.advertising_id,
        "guid": profile.uuid,
        "device_id": profile.android_id,
        "google_tokens": "[]",
        "login_attempt_count": "0",
    });
    let path = "/api/v1/accounts/login/".to_owned();
    Request::post("submitting the password", Scope::Login, path, &fields)
}

/// A code, for the login attempt that `identifier` names.
pub struct Code<'a> {
    pub username: &'a str,
    /// Where it is from: `1` a text message, `2` a list of backup codes, `3` an authenticator app.
    pub method: &'static str,
    pub digits: &'a str,
    pub identifier: &'a str,
    pub csrf_token: &'a str,
    pub waterfall_id: &'a str,
}

pub fn login_code(code: &Code, profile: &Profile) -> Request {
    let fields = json!({
        "verification_code": code.digits,
        "phone_id": profile.phone_id,
        "_csrftoken": code.csrf_token,
        "two_factor_identifier": code.identifier,
        "username": code.username.trim(),
        "trust_this_device": "0",
        "guid": profile.uuid,
        "device_id": profile.android_id,
        "waterfall_id": code.waterfall_id,
        "verification_method": code.method,
    });
    let path = "/api/v1/accounts/two_factor_login/".to_owned();
    Request::post(SECOND_FACTOR, Scope::Login, path, &fields)
}

/// `2` and the sum of the character codes.
fn jazoest(phone_id: &str) -> String {
    let sum: u32 = phone_id.chars().map(u32::from).sum();
    format!("2{sum}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn jazoest_agrees_with_the_recorded_vector() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/private/vectors.json"))
                .unwrap();
        let vector = &vectors["jazoest"];
        let phone_id = vector["phone_id"].as_str().unwrap();
        assert_eq!(jazoest(phone_id), vector["jazoest"].as_str().unwrap());
    }

    #[test]
    fn a_name_is_looked_up_in_lower_case_without_its_at_sign() {
        let request = user_by_name(" @Sandbox.Friend ");
        assert_eq!(request.path, "/api/v1/users/sandbox.friend/usernameinfo/");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let request = user_by_name("a/../b?x=1#y");
        assert_eq!(
            request.path,
            "/api/v1/users/a%2F..%2Fb%3Fx%3D1%23y/usernameinfo/"
        );
    }
}
