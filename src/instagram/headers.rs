//! Request headers, and the two header values a reply's time is read from.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::device::Profile;
use super::state::{State, known};
use crate::model::{Pk, Timestamp};

/// Sent by instagrapi with every request, whatever was visited before.
const NAV_CHAIN: &str =
    "9MV:self_profile:2,ProfileMediaTabFragment:self_profile:3,9Xf:self_following:4";

/// A desktop browser's name, with which the password key is fetched.
pub const WEB_USER_AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) \
     AppleWebKit/605.1.15 (KHTML, like Gecko) Version/11.1.2 Safari/605.1.15";

/// The headers that are the same for everybody.
const FIXED: [(&str, &str); 20] = [
    ("accept-encoding", "gzip, deflate"),
    ("accept", "*/*"),
    ("x-ig-bandwidth-speed-kbps", "-1.000"),
    ("x-ig-bandwidth-totalbytes-b", "0"),
    ("x-ig-bandwidth-totaltime-ms", "0"),
    ("x-bloks-is-layout-rtl", "false"),
    ("x-bloks-is-panorama-enabled", "true"),
    ("x-ig-connection-type", "WIFI"),
    ("x-ig-capabilities", "3brTv10="),
    ("x-ig-app-id", "567067343352427"),
    ("priority", "u=3"),
    ("x-fb-http-engine", "Tigon/MNS/TCP"),
    ("x-tigon-is-retry", "False"),
    ("x-zero-balance", "INIT"),
    ("x-zero-eh", ""),
    ("x-zero-state", "unknown"),
    ("zero-http-network-interface", "wifi"),
    ("x-fb-client-ip", "True"),
    ("x-fb-server-cluster", "True"),
    ("x-ig-nav-chain", NAV_CHAIN),
];

/// The headers of an app request. `session` is whose session `state` is, if anybody's.
pub fn of_app(
    profile: &Profile,
    pigeon_session: &str,
    state: &State,
    session: Option<Pk>,
    now: Timestamp,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(48);
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let mut set = |name: &'static str, value: &str| {
        // Values were checked with `fits` where they came from; one that slipped through is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("user-agent", &profile.user_agent);
    for name in [
        "x-ig-app-locale",
        "x-ig-device-locale",
        "x-ig-mapped-locale",
    ] {
        set(name, &profile.locale);
    }
    set("accept-language", &accept_language(&profile.locale));
    set("x-pigeon-session-id", pigeon_session);
    set("x-pigeon-rawclienttime", &client_time(now));
    set("x-ig-app-startup-country", &profile.country);
    set("x-bloks-version-id", &profile.bloks_version_id);
    set("x-ig-www-claim", known(state.claim.as_ref()).unwrap_or("0"));
    set("x-ig-device-id", &profile.uuid);
    set("x-ig-family-device-id", &profile.phone_id);
    set("x-ig-android-id", &profile.android_id);
    set("x-ig-timezone-offset", &profile.timezone_offset);
    if let Some(mid) = state.machine_id() {
        set("x-mid", mid);
    }
    let own_pk = session.map(|pk| pk.to_string());
    set("ig-intended-user-id", own_pk.as_deref().unwrap_or("0"));
    if let Some(own_pk) = own_pk {
        set("ig-u-ds-user-id", &own_pk);
        for (name, value) in [
            ("ig-u-rur", &state.rur),
            ("ig-u-shbid", &state.shbid),
            ("ig-u-shbts", &state.shbts),
            ("ig-u-ig-direct-region-hint", &state.region_hint),
        ] {
            if let Some(value) = known(value.as_ref()) {
                set(name, value);
            }
        }
        if let Some(authorization) = state.authorization() {
            set("authorization", &authorization);
        }
    }
    if let Some(cookies) = state.cookies.header(now) {
        set("cookie", &cookies);
    }
    headers
}

/// The headers of the one call that pretends to be a browser.
pub fn of_web() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("accept-encoding", "gzip, deflate"),
        ("accept", "*/*"),
        ("user-agent", WEB_USER_AGENT),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers
}

/// Seconds with at most three decimals and no trailing zeros.
fn client_time(now: Timestamp) -> String {
    let millis = now.as_millis().rem_euclid(1000);
    let text = format!("{}.{millis:03}", now.as_secs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// English is always among the languages: the platform's sentences are recognised in English only.
fn accept_language(locale: &str) -> String {
    match locale.replace('_', "-").as_str() {
        "en-US" => "en-US".to_owned(),
        other => format!("{other}, en-US"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_time_has_no_trailing_zeros() {
        for (millis, text) in [
            (1_795_305_332_350, "1795305332.35"),
            (1_795_305_332_001, "1795305332.001"),
            (1_795_305_330_000, "1795305330"),
        ] {
            assert_eq!(client_time(Timestamp::from_millis(millis)), text);
        }
    }

    #[test]
    fn another_language_comes_before_english() {
        assert_eq!(accept_language("en_US"), "en-US");
        assert_eq!(accept_language("de_DE"), "de-DE, en-US");
    }
}
