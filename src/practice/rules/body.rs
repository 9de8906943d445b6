//! Queries and bodies against the table of calls.

use serde_json::{Map, Value};

use super::calls::{Body, Call, Field, Query, Want};
use super::headers::CLOCK_TOLERANCE_MS;
use super::{Violations, text};
use crate::practice::request::{Request, form_pairs};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// The four capabilities every story listing names.
const CAPABILITIES: [(&str, &str); 4] = [
    (
        "SUPPORTED_SDK_VERSIONS",
        "119.0,120.0,121.0,122.0,123.0,124.0,125.0,126.0,127.0,128.0,129.0,130.0,131.0,132.0,133.0,\
         134.0,135.0,136.0,137.0,138.0,139.0,140.0,141.0,142.0",
    ),
    ("FACE_TRACKER_VERSION", "14"),
    ("COMPRESSION", "ETC2_COMPRESSION"),
    ("gyroscope", "gyroscope_enabled"),
];

/// What a value may be compared with.
pub struct Context<'a> {
    /// The request itself.
    pub request: &'a Request,
    /// The session's pk, where there is one.
    pub own_pk: Option<u64>,
    /// The media id in the path, where there is one.
    pub path_media: Option<&'a str>,
    /// The server's clock.
    pub now_ms: i64,
}

/// Checks the query.
pub fn check_query(call: &Call, context: &Context<'_>, found: &mut Violations) {
    let pairs = context.request.query_pairs();
    let fields = match call.query {
        Query::Any => return,
        Query::OrNone(_) if pairs.is_empty() => return,
        Query::OrNone(fields) | Query::Exactly(fields) => fields,
    };
    for (name, want) in fields {
        match pairs.iter().find(|(n, _)| n == name) {
            None => found.of("query-missing", name),
            Some((_, value)) => {
                if fits(*want, &Value::String(value.clone()), context) != Fit::Good {
                    found.of("query-value", name);
                }
            }
        }
    }
    for (name, _) in &pairs {
        if !fields.iter().any(|(n, _)| n == name) {
            found.of("query-unknown", name);
        }
    }
}

/// Checks the body and returns its members. `None`: it could not be understood.
pub fn check(
    call: &Call,
    context: &Context<'_>,
    found: &mut Violations,
) -> Option<Map<String, Value>> {
    let request = context.request;
    if request.header("Content-Encoding").is_some() {
        found.of("header-unexpected", "Content-Encoding");
    }
    let (fields, is_ordered) = match call.body {
        Body::None => {
            if !request.body.is_empty() {
                found.plain("body-unexpected");
            }
            return Some(Map::new());
        }
        Body::Opaque => return Some(Map::new()),
        Body::Signed(fields) => (fields, true),
        Body::BareJson(fields) => (fields, false),
    };
    check_headers(request, found);
    let Ok(body) = std::str::from_utf8(&request.body) else {
        found.plain("body-utf8");
        return None;
    };
    let json = if is_ordered {
        signed(body, found)?
    } else {
        body.to_owned()
    };
    let Ok(Value::Object(map)) = serde_json::from_str(&json) else {
        found.plain("body-json");
        return None;
    };
    check_fields(fields, is_ordered, &map, context, found);
    Some(map)
}

fn check_headers(request: &Request, found: &mut Violations) {
    match request.header("Content-Type") {
        None => found.of("header-missing", "Content-Type"),
        Some(FORM) => {}
        Some(_) => found.of("header-value", "Content-Type"),
    }
    if request.header("Content-Length").is_none() {
        found.of("header-missing", "Content-Length");
    }
}

/// The JSON text inside `signed_body=SIGNATURE.<JSON>`.
fn signed(body: &str, found: &mut Violations) -> Option<String> {
    let pairs = form_pairs(body);
    let value = pairs
        .iter()
        .find(|(name, _)| name == "signed_body")
        .map(|(_, value)| value);
    if pairs.len() != 1 || value.is_none() {
        found.plain("body-form");
    }
    let json = value?.strip_prefix("SIGNATURE.");
    if json.is_none() {
        found.plain("body-signature");
    }
    Some(json?.to_owned())
}

fn check_fields(
    fields: &[Field],
    is_ordered: bool,
    map: &Map<String, Value>,
    context: &Context<'_>,
    found: &mut Violations,
) {
    for (name, want) in fields {
        match map.get(*name).map(|value| fits(*want, value, context)) {
            None => found.of("body-field-missing", name),
            Some(Fit::Good) => {}
            Some(Fit::WrongType) => found.of("body-field-type", name),
            Some(Fit::WrongValue) => found.of("body-field-value", name),
        }
    }
    let place = |name: &String| fields.iter().position(|(n, _)| n == name);
    for name in map.keys().filter(|name| place(name).is_none()) {
        found.of("body-field-unknown", name);
    }
    let places: Vec<usize> = map.keys().filter_map(place).collect();
    if is_ordered && !places.is_sorted() {
        found.plain("body-field-order");
    }
}

#[derive(PartialEq, Eq)]
enum Fit {
    Good,
    WrongType,
    WrongValue,
}

fn fits(want: Want, value: &Value, context: &Context<'_>) -> Fit {
    match want {
        Want::OwnPkNumber => match value {
            Value::Number(n) => worth(n.as_u64() == context.own_pk),
            _ => Fit::WrongType,
        },
        Want::Number(low, high) => match value {
            Value::Number(n) => worth(n.as_i64().is_some_and(|n| (low..=high).contains(&n))),
            _ => Fit::WrongType,
        },
        Want::True => match value {
            Value::Bool(flag) => worth(*flag),
            _ => Fit::WrongType,
        },
        Want::EmptyObject => match value {
            Value::Object(map) => worth(map.is_empty()),
            _ => Fit::WrongType,
        },
        Want::Object => match value {
            Value::Object(_) => Fit::Good,
            _ => Fit::WrongType,
        },
        Want::Views => match value {
            Value::Object(map) => worth(!map.is_empty()),
            _ => Fit::WrongType,
        },
        Want::Capabilities => match value {
            Value::Array(_) => worth(are_capabilities(value)),
            _ => Fit::WrongType,
        },
        Want::PkTexts => match value {
            Value::Array(list) => worth(
                !list.is_empty() && list.iter().all(|v| v.as_str().is_some_and(text::is_digits)),
            ),
            _ => Fit::WrongType,
        },
        Want::TextOrTexts => match value {
            Value::String(text) => worth(!text.is_empty()),
            Value::Array(list) => worth(!list.is_empty() && list.iter().all(Value::is_string)),
            _ => Fit::WrongType,
        },
        _ => match value {
            Value::String(text) => worth(text_fits(want, text, context)),
            _ => Fit::WrongType,
        },
    }
}

fn worth(good: bool) -> Fit {
    if good { Fit::Good } else { Fit::WrongValue }
}

fn text_fits(want: Want, value: &str, context: &Context<'_>) -> bool {
    let own_pk = context.own_pk.map(|pk| pk.to_string());
    match want {
        Want::Exactly(exact) => value == exact,
        Want::OneOf(list) => list.contains(&value),
        Want::Text => !value.is_empty(),
        Want::Digits => text::is_digits(value),
        Want::IntegerText => text::is_integer(value),
        Want::Uuid => text::is_uuid4(value),
        // Compared only where the header is there: its absence is a violation of its own.
        Want::Header(name) => context
            .request
            .header(name)
            .is_none_or(|header| header == value),
        Want::OwnPk => own_pk.is_none_or(|pk| pk == value),
        Want::RankToken => value
            .split_once('_')
            .is_some_and(|(pk, uuid)| own_pk.is_none_or(|own| own == pk) && text::is_uuid4(uuid)),
        Want::MediaId => {
            text::media_id(value).is_some() && context.path_media.is_none_or(|path| path == value)
        }
        Want::Jazoest => {
            let phone = context.request.header("X-IG-Family-Device-ID");
            phone.is_none_or(|phone| {
                let sum: u64 = phone.bytes().map(u64::from).sum();
                value == format!("2{sum}")
            })
        }
        Want::CapabilitiesText => {
            serde_json::from_str(value).is_ok_and(|list: Value| are_capabilities(&list))
        }
        Want::JsonText => serde_json::from_str::<Value>(value).is_ok(),
        Want::NowMsText => value
            .parse::<i64>()
            .is_ok_and(|ms| (ms - context.now_ms).abs() <= CLOCK_TOLERANCE_MS),
        _ => true,
    }
}

fn are_capabilities(list: &Value) -> bool {
    list.as_array().is_some_and(|list| {
        list.len() == CAPABILITIES.len()
            && list.iter().zip(CAPABILITIES).all(|(entry, (name, value))| {
                entry.get("name").and_then(Value::as_str) == Some(name)
                    && entry.get("value").and_then(Value::as_str) == Some(value)
            })
    })
}
