//! Every recorded reply with its meaning, written by hand from what is known of the platform.

use super::Scope;
use crate::model::HoldReason;
use crate::ports::Effect;

/// What a reply leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    Good,
    Stop(HoldReason),
    EndPass,
    Skip(Skip),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    Private,
    GoneUser,
    GoneItem,
    InvalidItem,
}

use HoldReason::{
    ActionBlocked, Challenge, Checkpoint, Consent, LoggedOut, LoginRefused, LoginRequired,
    PleaseWait, Suspended, Throttled, TwoFactor, UnknownShape, UnsupportedVersion,
};
use Means::{EndPass, Stop};

pub type Row = (&'static str, Scope, Means, Effect);

const fn no(name: &'static str, scope: Scope, reason: HoldReason) -> Row {
    (name, scope, Stop(reason), Effect::Refused)
}

const fn skip(name: &'static str, scope: Scope, skip: Skip) -> Row {
    (name, scope, Means::Skip(skip), Effect::Refused)
}

#[rustfmt::skip]
pub const MEANINGS: &[Row] = &[
    no("accounts_login_two_factor_totp", Scope::Login, TwoFactor),
    no("accounts_login_two_factor_sms", Scope::Login, TwoFactor),
    no("accounts_login_bad_password", Scope::Login, LoginRefused),
    no("accounts_login_invalid_user", Scope::Login, LoginRefused),
    no("accounts_login_username_not_found", Scope::Login, LoginRefused),
    no("accounts_login_challenge_required", Scope::Login, Challenge),
    no("accounts_login_needs_upgrade", Scope::Login, UnsupportedVersion),
    no("accounts_login_sentry_block", Scope::Login, LoginRefused),
    no("accounts_login_rate_limit_error", Scope::Login, Throttled),
    no("accounts_login_inactive_user", Scope::Login, Suspended),
    no("accounts_two_factor_login_bad_code", Scope::Login, LoginRefused),
    no("accounts_two_factor_login_expired_code", Scope::Login, LoginRefused),
    // A reply to a call that is never made: not found, where nothing can be missing.
    no("caa_payload_null", Scope::Login, UnknownShape),
    no("error_login_required", Scope::User, LoginRequired),
    no("error_login_required_short", Scope::Item, LoginRequired),
    no("error_user_has_logged_out", Scope::User, LoggedOut),
    no("error_challenge_required", Scope::User, Challenge),
    no("error_challenge_required_auth_platform", Scope::Own, Challenge),
    no("error_challenge_required_unsupported_version", Scope::User, UnsupportedVersion),
    no("error_account_suspended", Scope::User, Suspended),
    no("error_checkpoint_required", Scope::User, Checkpoint),
    no("error_checkpoint_unsupported_version", Scope::User, UnsupportedVersion),
    no("error_checkpoint_logged_out", Scope::User, LoginRequired),
    no("error_feedback_required_like", Scope::Item, ActionBlocked),
    no("error_feedback_required_temporary", Scope::Item, ActionBlocked),
    no("error_feedback_required_limit", Scope::User, ActionBlocked),
    no("error_consent_required", Scope::User, Consent),
    no("error_please_wait_401", Scope::User, PleaseWait),
    no("error_please_wait_429", Scope::Login, PleaseWait),
    no("error_429_empty", Scope::Item, Throttled),
    no("error_404_not_found_text", Scope::Item, Challenge),
    no("error_useragent_mismatch", Scope::User, UnsupportedVersion),
    no("error_200_status_fail", Scope::Item, UnknownShape),
    ("error_500_json", Scope::Item, EndPass, Effect::Unknown),
    ("error_503_html", Scope::Item, EndPass, Effect::Unknown),
    ("error_200_html_login_page", Scope::Item, Stop(UnknownShape), Effect::Unknown),
    ("error_200_empty_body", Scope::Item, Stop(UnknownShape), Effect::Unknown),
    skip("users_usernameinfo_not_found", Scope::User, Skip::GoneUser),
    skip("feed_user_private", Scope::User, Skip::Private),
    skip("media_info_not_found", Scope::Item, Skip::GoneItem),
    skip("media_like_deleted", Scope::Item, Skip::GoneItem),
    skip("media_like_unavailable", Scope::Item, Skip::GoneItem),
    skip("media_like_invalid_id", Scope::Item, Skip::InvalidItem),
    // Many objects, one a line: not one JSON text.
    ("users_info_stream_ok", Scope::Own, Stop(UnknownShape), Effect::Unknown),
    // GraphQL, which says nothing of a status.
    ("caa_usdid_registration_ok", Scope::Login, Stop(UnknownShape), Effect::Unknown),
];

/// The recorded replies that are what was asked for.
pub const GOOD: &[&str] = &[
    "launcher_sync_ok",
    "qe_sync_ok",
    "accounts_login_ok",
    "accounts_two_factor_login_ok",
    "accounts_logout_ok",
    "caa_process_client_data_ok",
    "caa_create_android_keystore_ok",
    "caa_oauth_token_fetch_ok",
    "caa_send_login_request_ok",
    "caa_send_login_request_two_factor",
    "caa_send_login_request_verify_profile",
    "caa_send_login_request_fallback",
    "caa_send_login_request_no_session",
    "feed_reels_tray_ok",
    "feed_timeline_ok",
    "feed_new_feed_posts_exist_ok",
    "accounts_current_user_ok",
    "users_usernameinfo_ok",
    "users_usernameinfo_private",
    "users_usernameinfo_quiet",
    "users_info_ok",
    "users_search_ok",
    "feed_user_story_ok",
    "feed_user_story_empty",
    "feed_user_story_empty_items",
    "feed_user_story_sparse",
    "feed_reels_media_ok",
    "feed_reels_media_empty",
    "media_seen_ok",
    "story_like_ok",
    "story_unlike_ok",
    "media_info_story_ok",
    "feed_user_page1",
    "feed_user_page2",
    "feed_user_empty",
    "media_info_ok",
    "media_like_ok",
    "media_unlike_ok",
];
