//! The recorded replies under `tests/fixtures/private/`, embedded. Refusals are sent verbatim from
//! here; status, content type and headers come from the index beside them, never from memory.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// One recorded reply.
#[derive(Debug)]
pub struct Fixture {
    /// Name in the index, for example `error_feedback_required_like`.
    pub name: String,
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: String,
    /// Further reply headers; placeholders of the recording are left out.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: &'static [u8],
}

#[derive(Deserialize)]
struct Index {
    fixtures: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    file: String,
    http_status: u16,
    content_type: String,
    response_headers: BTreeMap<String, String>,
}

macro_rules! files {
    ($($file:literal)*) => {
        &[$(($file, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private/", $file)))),*]
    };
}

const INDEX: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/private/index.json"
));

#[rustfmt::skip]
const FILES: &[(&str, &[u8])] = files! {
    "launcher_sync_ok.json"
    "qe_sync_ok.json"
    "accounts_login_ok.json"
    "accounts_login_two_factor_totp.json"
    "accounts_login_two_factor_sms.json"
    "accounts_login_bad_password.json"
    "accounts_login_invalid_user.json"
    "accounts_login_username_not_found.json"
    "accounts_login_challenge_required.json"
    "accounts_login_needs_upgrade.json"
    "accounts_login_sentry_block.json"
    "accounts_login_rate_limit_error.json"
    "accounts_login_inactive_user.json"
    "accounts_two_factor_login_ok.json"
    "accounts_two_factor_login_bad_code.json"
    "accounts_two_factor_login_expired_code.json"
    "accounts_logout_ok.json"
    "caa_usdid_registration_ok.json"
    "caa_process_client_data_ok.json"
    "caa_create_android_keystore_ok.json"
    "caa_oauth_token_fetch_ok.json"
    "caa_send_login_request_ok.json"
    "caa_send_login_request_two_factor.json"
    "caa_send_login_request_verify_profile.json"
    "caa_send_login_request_fallback.json"
    "caa_send_login_request_no_session.json"
    "caa_payload_null.json"
    "feed_reels_tray_ok.json"
    "feed_timeline_ok.json"
    "feed_new_feed_posts_exist_ok.json"
    "accounts_current_user_ok.json"
    "users_usernameinfo_ok.json"
    "users_usernameinfo_private.json"
    "users_usernameinfo_quiet.json"
    "users_usernameinfo_not_found.json"
    "users_info_ok.json"
    "users_info_stream_ok.ndjson"
    "users_search_ok.json"
    "feed_user_story_ok.json"
    "feed_user_story_empty.json"
    "feed_user_story_empty_items.json"
    "feed_user_story_sparse.json"
    "feed_reels_media_ok.json"
    "feed_reels_media_empty.json"
    "media_seen_ok.json"
    "story_like_ok.json"
    "story_unlike_ok.json"
    "media_info_story_ok.json"
    "feed_user_page1.json"
    "feed_user_page2.json"
    "feed_user_empty.json"
    "feed_user_private.json"
    "media_info_ok.json"
    "media_info_not_found.json"
    "media_like_ok.json"
    "media_unlike_ok.json"
    "media_like_deleted.json"
    "media_like_invalid_id.json"
    "media_like_unavailable.json"
    "error_login_required.json"
    "error_login_required_short.json"
    "error_user_has_logged_out.json"
    "error_challenge_required.json"
    "error_challenge_required_auth_platform.json"
    "error_challenge_required_unsupported_version.json"
    "error_account_suspended.json"
    "error_checkpoint_required.json"
    "error_checkpoint_unsupported_version.json"
    "error_checkpoint_logged_out.json"
    "error_feedback_required_like.json"
    "error_feedback_required_temporary.json"
    "error_feedback_required_limit.json"
    "error_consent_required.json"
    "error_please_wait_401.json"
    "error_please_wait_429.json"
    "error_429_empty.txt"
    "error_404_not_found_text.txt"
    "error_useragent_mismatch.json"
    "error_500_json.json"
    "error_503_html.html"
    "error_200_html_login_page.html"
    "error_200_status_fail.json"
    "error_200_empty_body.txt"
};

/// Short names accepted where a reply is chosen by hand.
const ALIASES: &[(&str, &str)] = &[
    ("feedback_required", "error_feedback_required_like"),
    ("please_wait", "error_please_wait_429"),
    ("429", "error_please_wait_429"),
    ("401", "error_please_wait_401"),
    ("500", "error_500_json"),
    ("503", "error_503_html"),
    ("404", "error_404_not_found_text"),
    ("html", "error_200_html_login_page"),
    ("empty", "error_200_empty_body"),
];

/// Every recorded reply by its name.
pub fn all() -> &'static BTreeMap<String, Fixture> {
    static ALL: OnceLock<BTreeMap<String, Fixture>> = OnceLock::new();
    ALL.get_or_init(|| {
        let bodies: BTreeMap<&str, &'static [u8]> = FILES.iter().copied().collect();
        let index: Index = serde_json::from_str(INDEX).expect("the embedded index is valid JSON");
        index
            .fixtures
            .into_iter()
            .map(|entry| (entry.name.clone(), load(entry, &bodies)))
            .collect()
    })
}

fn load(entry: Entry, bodies: &BTreeMap<&str, &'static [u8]>) -> Fixture {
    let body = bodies
        .get(entry.file.as_str())
        .expect("every file of the index is embedded");
    let headers = entry
        .response_headers
        .into_iter()
        .filter(|(_, value)| !value.starts_with('<'));
    Fixture {
        name: entry.name,
        status: entry.http_status,
        content_type: entry.content_type,
        headers: headers.collect(),
        body,
    }
}

/// The recorded reply called `name`, which may lack its `error_` prefix or be one of the short
/// names (`feedback_required`, `please_wait`, `429`, ...).
pub fn find(name: &str) -> Option<&'static Fixture> {
    let known = all();
    let alias = ALIASES
        .iter()
        .find(|(short, _)| *short == name)
        .map(|(_, long)| *long);
    known
        .get(alias.unwrap_or(name))
        .or_else(|| known.get(&format!("error_{name}")))
}
