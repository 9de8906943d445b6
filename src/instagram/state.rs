//! What a session consists of, and how replies change it.
//!
//! Every reply can bring new state headers, whatever it answers; all of them are taken over, and an
//! empty value never replaces a good one. The stored form is the session half of instagrapi's
//! settings file; what that file has no place for stands in one extra object, [`EXTRA`].

use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

use super::cookies::Cookies;
use super::encode;
use crate::model::{Pk, Secret, Session, Timestamp};

/// Keys of the settings file that belong to the device (protocol notes, 4.4). All others belong to the
/// session and are sealed with it: nobody knows what is in a key that nobody knows.
pub const DEVICE_KEYS: [&str; 21] = [
    "uuids",
    "device_settings",
    "user_agent",
    "country",
    "country_code",
    "locale",
    "timezone_offset",
    "timezone_name",
    "push_disabled",
    "request_timeout",
    "public_request_retries_count",
    "public_request_retries_timeout",
    "session_retry_total",
    "session_retry_backoff_factor",
    "session_retry_statuses",
    "public_transport",
    "private_transport",
    "public_transport_impersonate",
    "public_user_agent",
    "public_graphql_user_agent",
    "tls_verify",
];

/// Keys of the settings file that are read or written as a part of the session.
const STATE_KEYS: [&str; 6] = [
    "mid",
    "ig_u_rur",
    "ig_www_claim",
    "authorization_data",
    "cookies",
    EXTRA,
];

/// Our own key in the settings file: state headers, the verbatim `Authorization`, cookie ends.
pub const EXTRA: &str = "story_liker";

/// The state of a session, or of a client that is not logged in yet.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct State {
    /// `Authorization` exactly as the platform sent it.
    sent_authorization: Option<String>,
    /// What it stands for; an imported file has only this.
    authorization_data: Map<String, Value>,
    pub cookies: Cookies,
    pub mid: Option<String>,
    pub rur: Option<String>,
    pub claim: Option<String>,
    pub shbid: Option<String>,
    pub shbts: Option<String>,
    pub region_hint: Option<String>,
    /// Keys that are kept for an export and never used: `last_login`, `usdid`, `fbns_auth`, others.
    rest: Map<String, Value>,
}

impl State {
    /// Reads the stored form. Problems name the key, never the value.
    pub fn parse(json: &str) -> Result<Self, String> {
        let document: Map<String, Value> =
            serde_json::from_str(json).map_err(|_| "it is not a JSON object".to_owned())?;
        Self::from_document(&document)
    }

    /// Reads the session keys of a settings document.
    pub fn from_document(document: &Map<String, Value>) -> Result<Self, String> {
        let none = Map::new();
        let extra = optional_object(document, EXTRA)?.unwrap_or(&none);
        let cookies = optional_object(document, "cookies")?.unwrap_or(&none);
        let ends = extra.get("cookie_ends").unwrap_or(&Value::Null);
        let authorization_data = optional_object(document, "authorization_data")?;
        let is_rest = |key: &str| !STATE_KEYS.contains(&key) && !DEVICE_KEYS.contains(&key);
        let rest = document.iter().filter(|(key, _)| is_rest(key));
        let rest = rest.map(|(key, value)| (key.clone(), value.clone()));
        Ok(Self {
            sent_authorization: optional_text(extra, "authorization")?,
            authorization_data: authorization_data.unwrap_or(&none).clone(),
            cookies: Cookies::from_json(cookies, ends)?,
            mid: optional_text(document, "mid")?,
            rur: optional_text(document, "ig_u_rur")?,
            claim: optional_text(document, "ig_www_claim")?,
            shbid: optional_text(extra, "ig_u_shbid")?,
            shbts: optional_text(extra, "ig_u_shbts")?,
            region_hint: optional_text(extra, "ig_u_ig_direct_region_hint")?,
            rest: rest.collect(),
        })
    }

    /// The session keys of a settings document.
    pub fn to_document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        let mut set = |key: &str, value: Value| document.insert(key.to_owned(), value);
        set("mid", json!(self.mid));
        set("ig_u_rur", json!(self.rur));
        set("ig_www_claim", json!(self.claim));
        set("authorization_data", json!(self.authorization_data));
        set("cookies", self.cookies.to_json());
        set("last_login", Value::Null);
        for (key, value) in &self.rest {
            set(key, value.clone());
        }
        let mut extra = Map::new();
        for (key, value) in [
            ("authorization", &self.sent_authorization),
            ("ig_u_shbid", &self.shbid),
            ("ig_u_shbts", &self.shbts),
            ("ig_u_ig_direct_region_hint", &self.region_hint),
        ] {
            if let Some(value) = value {
                extra.insert(key.to_owned(), json!(value));
            }
        }
        let ends = self.cookies.ends_to_json();
        if !ends.is_empty() {
            extra.insert("cookie_ends".to_owned(), Value::Object(ends));
        }
        if !extra.is_empty() {
            set(EXTRA, Value::Object(extra));
        }
        document
    }

    /// The state as a session of `pk`.
    pub fn session(&self, pk: Pk) -> Session {
        Session {
            pk,
            json: Secret::new(Value::Object(self.to_document()).to_string()),
        }
    }

    /// A session made from nothing but the value of the cookie `sessionid`.
    pub fn of_session_id(pk: Pk, session_id: &str) -> Self {
        let mut state = Self {
            authorization_data: authorization_data(pk, session_id),
            ..Self::default()
        };
        state.cookies.set("sessionid", session_id, None);
        state
    }

    /// Whose session it says it is: every statement, the most reliable first.
    pub fn owners(&self) -> Vec<Pk> {
        let cookie = self.cookies.get("ds_user_id");
        let data = self.authorization_data.get("ds_user_id");
        [
            cookie.and_then(|text| text.parse().ok()),
            data.and_then(super::wire::pk_of),
            self.session_id().and_then(pk_of_session_id),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether there is anything that could be taken for a login.
    pub fn has_session(&self) -> bool {
        self.session_id().is_some() || known(self.sent_authorization.as_ref()).is_some()
    }

    /// The session id, from either place.
    pub fn session_id(&self) -> Option<&str> {
        let in_data = || self.authorization_data.get("sessionid")?.as_str();
        self.cookies
            .get("sessionid")
            .or_else(in_data)
            .filter(|id| !id.is_empty())
    }

    /// The `Authorization` header: verbatim, or rebuilt where only its content is known. A session
    /// that lives in cookies alone has none.
    pub fn authorization(&self) -> Option<String> {
        let rebuilt = || {
            let id = self.authorization_data.get("sessionid")?.as_str()?;
            (!id.is_empty()).then(|| encode::authorization(&self.authorization_data))
        };
        known(self.sent_authorization.as_ref())
            .map(str::to_owned)
            .or_else(rebuilt)
    }

    /// The machine id, from either place.
    pub fn machine_id(&self) -> Option<&str> {
        known(self.mid.as_ref()).or_else(|| self.cookies.get("mid"))
    }

    /// Records who logged in, and when.
    pub fn logged_in_at(&mut self, pk: Pk, now: Timestamp) {
        self.name_owner(pk);
        self.rest
            .insert("last_login".to_owned(), json!(now.as_secs()));
    }

    /// Takes over what a reply's headers carry. `pk`: whose session this is, if it is known; an
    /// `Authorization` or a cookie of somebody else is not taken.
    pub fn absorb(&mut self, reply: &HeaderMap, pk: Option<Pk>, now: Timestamp) {
        // The region hint's header had a shorter name once.
        let former_name = |name: &str| name.replace("ig-u-ig-", "ig-u-");
        let value = |name: &str| {
            let text = reply.get(name)?.to_str().ok()?.trim();
            (!text.is_empty() && encode::fits(text)).then(|| text.to_owned())
        };
        for (name, field) in [
            ("ig-set-x-mid", &mut self.mid),
            ("ig-set-ig-u-rur", &mut self.rur),
            ("x-ig-set-www-claim", &mut self.claim),
            ("ig-set-ig-u-shbid", &mut self.shbid),
            ("ig-set-ig-u-shbts", &mut self.shbts),
            ("ig-set-ig-u-ig-direct-region-hint", &mut self.region_hint),
        ] {
            if let Some(value) = value(name).or_else(|| value(&former_name(name))) {
                *field = Some(value);
            }
        }
        if let Some(header) = value("ig-set-authorization") {
            self.absorb_authorization(header, pk);
        }
        for header in reply.get_all(reqwest::header::SET_COOKIE) {
            if let Ok(header) = header.to_str() {
                let before = self.cookies.clone();
                self.cookies.absorb(header, now);
                let named = [
                    self.cookies
                        .get("ds_user_id")
                        .and_then(|id| id.parse().ok()),
                    self.cookies.get("sessionid").and_then(pk_of_session_id),
                ];
                if names_another(named, pk) {
                    self.cookies = before;
                }
            }
        }
        if let Some(pk) = pk {
            self.name_owner(pk);
        }
    }

    /// A session that says nothing about whose it is says so from now on, as the official app's
    /// does: an export without an owner could not be imported.
    fn name_owner(&mut self, pk: Pk) {
        if self.has_session() && self.owners().is_empty() {
            self.cookies.set("ds_user_id", &pk.to_string(), None);
        }
    }

    fn absorb_authorization(&mut self, header: String, pk: Option<Pk>) {
        // Seen as `Bearer IGT:2:` with nothing behind it, meaning "no news".
        if header.ends_with(':') || !header.starts_with("Bearer ") {
            return;
        }
        if let Some(data) = encode::authorization_data(&header) {
            let session_id = data.get("sessionid").and_then(Value::as_str);
            let named = [
                data.get("ds_user_id").and_then(super::wire::pk_of),
                session_id.and_then(pk_of_session_id),
            ];
            if names_another(named, pk) {
                return;
            }
            self.authorization_data = data;
        }
        self.sent_authorization = Some(header);
    }
}

/// Whether somebody else than the known owner is named.
fn names_another(named: [Option<Pk>; 2], owner: Option<Pk>) -> bool {
    owner.is_some_and(|owner| named.into_iter().flatten().any(|pk| pk != owner))
}

/// An imported file may have `""` where it knows nothing.
pub fn known(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// The content of an `Authorization` header, in the platform's order.
fn authorization_data(pk: Pk, session_id: &str) -> Map<String, Value> {
    let pairs = [
        ("ds_user_id", json!(pk.to_string())),
        ("sessionid", json!(session_id)),
        ("should_use_header_over_cookies", json!(true)),
    ];
    pairs
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

/// A session id begins with its owner's pk, up to the first colon.
pub fn pk_of_session_id(session_id: &str) -> Option<Pk> {
    let end = session_id.find([':', '%'])?;
    let (pk, rest) = session_id.split_at(end);
    let separated = rest.starts_with(':') || rest.to_ascii_lowercase().starts_with("%3a");
    if separated { pk.parse().ok() } else { None }
}

fn optional_object<'a>(
    document: &'a Map<String, Value>,
    key: &str,
) -> Result<Option<&'a Map<String, Value>>, String> {
    match document.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("`{key}` is not an object")),
    }
}

fn optional_text(document: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match document.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if encode::fits(text) => Ok(Some(text.clone())),
        Some(_) => Err(format!(
            "`{key}` is neither null nor a text that a header can carry"
        )),
    }
}
