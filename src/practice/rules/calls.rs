//! The table of calls: who may make them, their query, their body.

use crate::practice::act::Act;

/// Whether a call belongs to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Only without one.
    Out,
    /// Only with one.
    In,
    /// Either way.
    Either,
}

/// What a query parameter or body field must be.
#[derive(Debug, Clone, Copy)]
pub enum Want {
    /// This string.
    Exactly(&'static str),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A string with something in it.
    Text,
    /// A string, possibly empty.
    AnyText,
    /// A string of decimal digits.
    Digits,
    /// A string holding an integer.
    IntegerText,
    /// A string: random uuid.
    Uuid,
    /// A string equal to the value of this request header.
    Header(&'static str),
    /// A string: own pk.
    OwnPk,
    /// A JSON number: own pk.
    OwnPkNumber,
    /// A string: `<own pk>_<uuid>`.
    RankToken,
    /// A string: full media id, equal to the one in the path where the path has one.
    MediaId,
    /// A string: `2` and the sum of the character codes of the family device id.
    Jazoest,
    /// A string: the encrypted password; looked into by the login itself.
    Password,
    /// A string holding the JSON list of supported capabilities.
    CapabilitiesText,
    /// The list of supported capabilities as a real array.
    Capabilities,
    /// A string holding any JSON.
    JsonText,
    /// A JSON number in this range.
    Number(i64, i64),
    /// The JSON value `true`.
    True,
    /// `{}`.
    EmptyObject,
    /// Any object.
    Object,
    /// The views of `media/seen`; looked into by the call itself.
    Views,
    /// A non-empty array of pks as strings.
    PkTexts,
    /// A string, or an array of strings.
    TextOrTexts,
    /// A string of Unix milliseconds near the server's clock.
    NowMsText,
}

/// One named value.
pub type Field = (&'static str, Want);

/// The form of a body.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// None at all.
    None,
    /// `signed_body` with exactly these members, in this order.
    Signed(&'static [Field]),
    /// Bare JSON with exactly these members.
    BareJson(&'static [Field]),
    /// A form the server does not look into.
    Opaque,
}

/// The form of a query.
#[derive(Debug, Clone, Copy)]
pub enum Query {
    /// Exactly these parameters.
    Exactly(&'static [Field]),
    /// Exactly these parameters, or none.
    OrNone(&'static [Field]),
    /// Whatever it is.
    Any,
}

/// Everything about one call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Who may make it.
    pub login: Login,
    /// Whether it carries the headers of a private request.
    pub has_app_headers: bool,
    /// The query.
    pub query: Query,
    /// The body.
    pub body: Body,
    /// Whether the path must end with a slash.
    pub slash: bool,
}

const READ: Call = Call {
    login: Login::In,
    has_app_headers: true,
    query: Query::Exactly(&[]),
    body: Body::None,
    slash: true,
};

use Want::{
    AnyText, Capabilities, CapabilitiesText, Digits, EmptyObject, Exactly, Header, IntegerText,
    Jazoest, JsonText, MediaId, NowMsText, Number, Object, OneOf, OwnPk, OwnPkNumber, Password,
    PkTexts, RankToken, Text, TextOrTexts, True, Uuid, Views,
};

const DEVICE: Want = Header("X-IG-Device-ID");
const PHONE: Want = Header("X-IG-Family-Device-ID");
const ANDROID: Want = Header("X-IG-Android-ID");

const LAUNCHER_OUT: &[Field] = &[("id", DEVICE), ("server_config_retrieval", Exactly("1"))];

const LAUNCHER_IN: &[Field] = &[
    ("id", DEVICE),
    ("server_config_retrieval", Exactly("1")),
    ("_uid", OwnPkNumber),
    ("_uuid", DEVICE),
    ("_csrftoken", Text),
];

const LOGIN: &[Field] = &[
    ("jazoest", Jazoest),
    ("country_codes", JsonText),
    ("phone_id", PHONE),
    ("enc_password", Password),
    ("username", Text),
    ("adid", Uuid),
    ("guid", DEVICE),
    ("device_id", ANDROID),
    ("google_tokens", Exactly("[]")),
    ("login_attempt_count", Exactly("0")),
];

const TWO_FACTOR: &[Field] = &[
    ("verification_code", Digits),
    ("phone_id", PHONE),
    ("_csrftoken", Text),
    ("two_factor_identifier", Text),
    ("username", Text),
    ("trust_this_device", Exactly("0")),
    ("guid", DEVICE),
    ("device_id", ANDROID),
    ("waterfall_id", Uuid),
    ("verification_method", OneOf(&["1", "2", "3", "4", "6"])),
];

const TWO_FACTOR_SMS: &[Field] = &[
    ("username", Text),
    ("two_factor_identifier", Text),
    ("device_id", ANDROID),
    ("guid", DEVICE),
    ("_csrftoken", Text),
];

const REELS_TRAY: &[Field] = &[
    ("supported_capabilities_new", Capabilities),
    ("reason", OneOf(&["cold_start", "pull_to_refresh"])),
    ("timezone_offset", IntegerText),
    ("tray_session_id", Uuid),
    ("request_id", Uuid),
    ("page_size", Number(50, 50)),
    ("_uuid", DEVICE),
    ("reel_tray_impressions", Object),
];

const TIMELINE: &[Field] = &[
    ("app_start_time", Digits),
    ("client_recorded_request_time_ms", NowMsText),
    ("request_build_time", NowMsText),
    ("has_camera_permission", Exactly("1")),
    ("feed_view_info", Exactly("[]")),
    ("client_view_state_media_list", Exactly("[]")),
    ("client_seen_store_media_list", Exactly("")),
    ("device_timezone_name", Text),
    ("feed_reshare_info", Exactly("")),
    ("phone_id", PHONE),
    ("reason", TextOrTexts),
    ("battery_level", Number(1, 100)),
    ("timezone_offset", IntegerText),
    ("device_id", DEVICE),
    ("include_attribution_ui_data", Exactly("true")),
    ("push_disabled", OneOf(&["true", "false"])),
    ("request_id", Uuid),
    ("_uuid", DEVICE),
    ("is_charging", Number(0, 1)),
    ("is_dark_mode", Number(0, 1)),
    ("will_sound_on", Number(0, 1)),
    ("session_id", Uuid),
    ("session_level_signals", JsonText),
    ("bloks_versioning_id", Header("X-Bloks-Version-Id")),
    ("is_pull_to_refresh", OneOf(&["0", "1"])),
];

const REELS_MEDIA: &[Field] = &[
    ("exclude_media_ids", Exactly("[]")),
    ("supported_capabilities_new", CapabilitiesText),
    ("source", Exactly("profile")),
    ("_uid", OwnPk),
    ("_uuid", DEVICE),
    ("user_ids", PkTexts),
];

const SEEN: &[Field] = &[
    ("_uuid", DEVICE),
    ("device_id", ANDROID),
    ("container_module", Exactly("feed_timeline")),
    ("live_vods_skipped", EmptyObject),
    ("nuxes_skipped", EmptyObject),
    ("nuxes", EmptyObject),
    ("reels", Views),
    ("live_vods", EmptyObject),
    ("reel_media_skipped", EmptyObject),
];

const STORY_LIKE: &[Field] = &[
    ("_uuid", DEVICE),
    ("device_id", ANDROID),
    ("radio_type", Exactly("wifi-none")),
    ("media_id", MediaId),
    ("_uid", OwnPk),
    ("source_of_like", Exactly("button")),
    ("tray_session_id", Uuid),
    ("viewer_session_id", Uuid),
    (
        "container_module",
        OneOf(&["reel_feed_timeline", "reel_profile"]),
    ),
];

const POST_LIKE: &[Field] = &[
    ("_uuid", DEVICE),
    ("device_id", ANDROID),
    ("radio_type", Exactly("wifi-none")),
    ("inventory_source", Exactly("media_or_ad")),
    ("media_id", MediaId),
    ("_uid", OwnPk),
    ("delivery_class", Exactly("organic")),
    ("tap_source", Exactly("button")),
    ("is_2m_enabled", Exactly("false")),
    ("is_from_swipe", Exactly("false")),
    ("is_carousel_bumped_post", Exactly("false")),
    ("floating_context_items", Exactly("[]")),
    ("media_pct_watched", Exactly("0")),
    ("container_module", Exactly("feed_timeline")),
    ("feed_position", OneOf(&["0", "1", "2", "3", "4", "5", "6"])),
];

const POSTS_QUERY: &[Field] = &[
    ("max_id", AnyText),
    ("count", Digits),
    ("rank_token", RankToken),
    ("ranked_content", Exactly("true")),
];

const USER_INFO_QUERY: &[Field] = &[
    ("is_prefetch", OneOf(&["false", "true"])),
    ("entry_point", Text),
    ("from_module", Text),
    ("is_app_start", OneOf(&["False", "True", "false", "true"])),
];

const fn signed(login: Login, fields: &'static [Field]) -> Call {
    Call {
        login,
        body: Body::Signed(fields),
        ..READ
    }
}

const fn query(fields: &'static [Field]) -> Call {
    Call {
        query: Query::Exactly(fields),
        ..READ
    }
}

/// The table's line for a call. `launcher/sync` differs between logged out and logged in.
pub fn of(act: Act, has_session: bool) -> Call {
    match act {
        Act::LauncherSync if has_session => signed(Login::Either, LAUNCHER_IN),
        Act::LauncherSync => signed(Login::Either, LAUNCHER_OUT),
        Act::KeySync | Act::WebLogin => Call {
            login: Login::Either,
            has_app_headers: false,
            body: Body::Opaque,
            query: Query::Any,
            ..READ
        },
        Act::Login => signed(Login::Out, LOGIN),
        Act::TwoFactor => signed(Login::Out, TWO_FACTOR),
        Act::TwoFactorSms => signed(Login::Out, TWO_FACTOR_SMS),
        Act::Caa => Call {
            login: Login::Either,
            body: Body::Opaque,
            slash: false,
            ..READ
        },
        Act::Logout => signed(Login::In, &[("one_tap_app_login", True)]),
        Act::CurrentUser => query(&[("edit", Exactly("true"))]),
        Act::Timeline => Call {
            body: Body::BareJson(TIMELINE),
            ..READ
        },
        Act::ReelsTray => signed(Login::In, REELS_TRAY),
        // Recorded with two sets of names.
        Act::UserSearch => Call {
            query: Query::Any,
            ..READ
        },
        Act::UserInfo => Call {
            query: Query::OrNone(USER_INFO_QUERY),
            ..READ
        },
        Act::UserInfoStream => Call {
            body: Body::Opaque,
            query: Query::Any,
            ..READ
        },
        Act::Stories => query(&[("supported_capabilities_new", CapabilitiesText)]),
        Act::ReelsMedia => signed(Login::In, REELS_MEDIA),
        Act::Seen => Call {
            query: Query::Exactly(&[("reel", Exactly("1")), ("live_vod", Exactly("0"))]),
            ..signed(Login::In, SEEN)
        },
        // Recorded both ways: the only calls whose slash does not matter.
        Act::StoryLike | Act::StoryUnlike => Call {
            slash: false,
            ..signed(Login::In, STORY_LIKE)
        },
        Act::Posts => query(POSTS_QUERY),
        Act::PostLike | Act::PostUnlike => signed(Login::In, POST_LIKE),
        Act::NewFeedPosts | Act::UserLookup | Act::MediaInfo => READ,
        Act::Unknown => Call {
            login: Login::Either,
            body: Body::Opaque,
            query: Query::Any,
            ..READ
        },
    }
}
