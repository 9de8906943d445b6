//! The header table of every private request (fact sheet section 2), and the User-Agent's shape.

use super::Violations;
use super::text;
use crate::practice::request::Request;

/// What a header's value must be.
enum Want {
    Exactly(&'static str),
    Like(fn(&str) -> bool),
}

use Want::{Exactly, Like};

/// Every header that no request may lack. `X-MID` and the logged-in group are state and live with
/// the session; `Connection` is a matter of HTTP/1.1 alone.
const HEADERS: &[(&str, Want)] = &[
    ("User-Agent", Like(is_user_agent)),
    ("Accept-Encoding", Exactly("gzip, deflate")),
    ("Accept", Exactly("*/*")),
    ("X-IG-App-Locale", Like(text::is_locale)),
    ("X-IG-Device-Locale", Like(text::is_locale)),
    ("X-IG-Mapped-Locale", Like(text::is_locale)),
    (
        "X-Pigeon-Session-Id",
        Like(|v| text::is_wrapped_uuid4(v, "UFS-", "-1")),
    ),
    (
        "X-Pigeon-Rawclienttime",
        Like(|v| text::decimal_seconds_ms(v).is_some()),
    ),
    ("X-IG-Bandwidth-Speed-KBPS", Exactly("-1.000")),
    ("X-IG-Bandwidth-TotalBytes-B", Exactly("0")),
    ("X-IG-Bandwidth-TotalTime-MS", Exactly("0")),
    ("X-IG-App-Startup-Country", Like(text::is_country)),
    (
        "X-Bloks-Version-Id",
        Like(|v| v.len() == 64 && text::is_lower_hex(v)),
    ),
    (
        "X-IG-WWW-Claim",
        Like(|v| v == "0" || v.starts_with("hmac.")),
    ),
    ("X-Bloks-Is-Layout-RTL", Exactly("false")),
    ("X-Bloks-Is-Panorama-Enabled", Exactly("true")),
    ("X-IG-Device-ID", Like(text::is_uuid4)),
    ("X-IG-Family-Device-ID", Like(text::is_uuid4)),
    ("X-IG-Android-ID", Like(text::is_android_id)),
    ("X-IG-Timezone-Offset", Like(text::is_integer)),
    ("X-IG-Connection-Type", Exactly("WIFI")),
    ("X-IG-Capabilities", Exactly("3brTv10=")),
    ("X-IG-App-ID", Exactly("567067343352427")),
    ("Priority", Exactly("u=3")),
    ("Accept-Language", Like(text::is_accept_language)),
    ("X-FB-HTTP-Engine", Exactly("Tigon/MNS/TCP")),
    ("X-Tigon-Is-Retry", Exactly("False")),
    ("X-Zero-Balance", Exactly("INIT")),
    ("X-Zero-Eh", Exactly("")),
    ("X-Zero-State", Exactly("unknown")),
    ("Zero-HTTP-Network-Interface", Exactly("wifi")),
    ("X-FB-Client-IP", Exactly("True")),
    ("X-FB-Server-Cluster", Exactly("True")),
    ("IG-INTENDED-USER-ID", Like(text::is_digits)),
    (
        "X-IG-Nav-Chain",
        Exactly("9MV:self_profile:2,ProfileMediaTabFragment:self_profile:3,9Xf:self_following:4"),
    ),
];

/// App versions with their version codes, and the Bloks version id where it is known.
const PROFILES: &[(&str, &str, Option<&str>)] = &[
    (
        "449.0.0.52.84",
        "1079242191",
        Some("799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b"),
    ),
    ("448.0.0.0.20", "1065560286", None),
    ("446.0.0.49.77", "385211303", None),
    ("428.0.0.47.67", "961145276", None),
    ("385.0.0.47.74", "378906843", None),
    ("364.0.0.35.86", "374010953", None),
];

/// How far a client's clock may be from the server's.
pub const CLOCK_TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// Checks the headers every private request carries.
pub fn check(request: &Request, now_ms: i64, found: &mut Violations) {
    for (name, want) in HEADERS {
        let Some(value) = request.header(name) else {
            found.of("header-missing", name);
            continue;
        };
        if request.header_count(name) > 1 {
            found.of("header-repeated", name);
        }
        let good = match want {
            Exactly(exact) => value == *exact,
            Like(form) => form(value),
        };
        if !good {
            found.of("header-value", name);
        }
    }
    check_agreement(request, found);
    let time = request
        .header("X-Pigeon-Rawclienttime")
        .and_then(text::decimal_seconds_ms);
    if time.is_some_and(|client_ms| (client_ms - now_ms).abs() > CLOCK_TOLERANCE_MS) {
        found.of("client-time", "X-Pigeon-Rawclienttime");
    }
}

/// Values that must agree with each other: the app version with its code and Bloks id, the locales.
fn check_agreement(request: &Request, found: &mut Violations) {
    if let Some(agent) = request.header("User-Agent").and_then(user_agent) {
        let known = PROFILES
            .iter()
            .find(|(version, _, _)| *version == agent.version);
        match known {
            Some((_, code, bloks)) => {
                if agent.code != *code {
                    found.plain("app-version-code");
                }
                let sent = request.header("X-Bloks-Version-Id");
                if bloks.is_some_and(|id| sent.is_some_and(|sent| sent.len() == 64 && sent != id)) {
                    found.plain("app-bloks-version");
                }
            }
            None => found.plain("app-version"),
        }
    }
    let app_locale = request
        .header("X-IG-App-Locale")
        .filter(|value| text::is_locale(value));
    for name in ["X-IG-Device-Locale", "X-IG-Mapped-Locale"] {
        let other = request.header(name);
        if app_locale.is_some()
            && other.is_some_and(|o| text::is_locale(o) && Some(o) != app_locale)
        {
            found.of("header-value", name);
        }
    }
}

struct UserAgent<'a> {
    version: &'a str,
    /// Everything between the version and its code.
    phone: &'a str,
    code: &'a str,
}

/// The phone that a User-Agent names: everything but the version of the app and its code.
pub fn phone(agent: &str) -> Option<&str> {
    user_agent(agent).map(|agent| agent.phone)
}

fn is_user_agent(value: &str) -> bool {
    user_agent(value).is_some()
}

/// `Instagram {version} Android ({sdk}/{release}; {n}dpi; {w}x{h}; {maker}; {model}; {device};
/// {cpu}; {locale}; {version code})`
fn user_agent(value: &str) -> Option<UserAgent<'_>> {
    let (version, rest) = value.strip_prefix("Instagram ")?.split_once(" Android (")?;
    let inner = rest.strip_suffix(')')?;
    let (phone, _) = inner.rsplit_once("; ")?;
    let parts: Vec<&str> = inner.split("; ").collect();
    let [
        android,
        dpi,
        resolution,
        maker,
        model,
        device,
        cpu,
        locale,
        code,
    ] = parts[..]
    else {
        return None;
    };
    let (sdk, release) = android.split_once('/')?;
    let (width, height) = resolution.split_once('x')?;
    let good = version.split('.').count() >= 4
        && version.split('.').all(text::is_digits)
        && [sdk, width, height, code].into_iter().all(text::is_digits)
        && text::is_digits(dpi.strip_suffix("dpi")?)
        && [release, maker, model, device, cpu]
            .into_iter()
            .all(|part| !part.is_empty())
        && text::is_locale(locale);
    good.then_some(UserAgent {
        version,
        phone,
        code,
    })
}
