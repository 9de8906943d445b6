//! Who is asking: known sessions, the device each belongs to, and the state headers each was sent
//! and has to bring back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::request::Request;
use super::rules::Violations;
use super::rules::calls::Login;
use super::rules::headers::phone;
use super::switches::Echo;

/// Reply headers that carry state, and the request header each comes back as.
const ECHOED: &[(&str, &str)] = &[
    ("ig-set-x-mid", "X-MID"),
    ("ig-set-ig-u-rur", "IG-U-RUR"),
    ("x-ig-set-www-claim", "X-IG-WWW-Claim"),
    ("ig-set-ig-u-shbid", "IG-U-SHBID"),
    ("ig-set-ig-u-shbts", "IG-U-SHBTS"),
    (
        "ig-set-ig-u-ig-direct-region-hint",
        "IG-U-IG-DIRECT-REGION-HINT",
    ),
];

/// Headers a client may hold from an earlier life of its session; the others it can only invent.
const KEPT_IN_SETTINGS: &[&str] = &["X-MID", "IG-U-RUR", "X-IG-WWW-Claim"];

/// What must not change while a session lives.
const DEVICE: &[&str] = &["X-IG-Device-ID", "X-IG-Android-ID", "User-Agent"];

/// State headers sent to one client and not yet superseded.
#[derive(Debug, Clone, Default)]
pub struct Issued(BTreeMap<&'static str, String>);

impl Issued {
    /// Remembers the state headers of an answer that arrives.
    pub fn learn(&mut self, reply_headers: &[(String, String)]) {
        for (name, value) in reply_headers.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some((_, header)) = ECHOED.iter().find(|(reply, _)| reply == name) {
                self.0.insert(header, value.clone());
            }
        }
    }

    /// Whether a value of this request header was ever issued.
    pub fn has(&self, header: &str) -> bool {
        self.0.contains_key(header)
    }

    fn check(&self, request: &Request, found: &mut Violations) {
        for (_, header) in ECHOED {
            match (self.0.get(header), request.header(header)) {
                (Some(issued), Some(sent)) if issued != sent => found.of("echo-stale", header),
                // A missing claim is a missing header already.
                (Some(_), None) if *header != "X-IG-WWW-Claim" => found.of("echo-missing", header),
                (None, Some(_)) if !KEPT_IN_SETTINGS.contains(header) => {
                    found.of("header-made-up", header);
                }
                _ => {}
            }
        }
    }
}

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The cookie value `sessionid`, percent signs and all.
    pub id: String,
    /// Whose it is.
    pub pk: u64,
    /// Ended by a logout or by the server.
    pub is_revoked: bool,
    /// State headers sent so far.
    pub issued: Issued,
    device: Option<Vec<Option<String>>>,
}

impl Session {
    /// The value of `ig-set-authorization` for this session.
    pub fn bearer(&self) -> String {
        let token = json!({
            "ds_user_id": self.pk.to_string(),
            "sessionid": self.id,
            "should_use_header_over_cookies": true,
        });
        format!("Bearer IGT:2:{}", STANDARD.encode(token.to_string()))
    }

    fn check_device(&mut self, request: &Request, echo: Echo, found: &mut Violations) {
        let sent: Vec<Option<String>> = DEVICE
            .iter()
            .map(|name| request.header(name).map(str::to_owned))
            .collect();
        let Some(known) = &mut self.device else {
            if sent.iter().all(Option::is_some) {
                self.device = Some(sent);
            }
            return;
        };
        for ((name, sent), known) in DEVICE.iter().zip(&sent).zip(known.iter()) {
            if sent.is_some() && sent != known {
                found.of("device-changed", name);
            }
        }
        // Several third-party clients may share the given session; each change counts once.
        if echo == Echo::Lenient {
            *known = sent;
        }
    }
}

/// What the server makes of a request's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// This living session.
    Session(usize),
    /// Nobody, and none is needed.
    Nobody,
    /// No session, an unknown or an ended one, where one is needed.
    Refused,
}

/// All sessions and the devices that have not logged in yet.
#[derive(Debug, Default)]
pub struct Sessions {
    list: Vec<Session>,
    devices: BTreeMap<String, Issued>,
    /// The phone that each device id first named.
    phones: BTreeMap<String, String>,
}

impl Sessions {
    /// Opens a session; what its device was sent before stays expected of it.
    pub fn open(&mut self, id: String, pk: u64, request: Option<&Request>) -> usize {
        let device = request.and_then(|request| request.header("X-IG-Device-ID"));
        let issued = device
            .and_then(|id| self.devices.get(id))
            .cloned()
            .unwrap_or_default();
        let device = request.map(|request| {
            DEVICE
                .iter()
                .map(|name| request.header(name).map(str::to_owned))
                .collect()
        });
        self.list.push(Session {
            id,
            pk,
            is_revoked: false,
            issued,
            device,
        });
        self.list.len() - 1
    }

    /// One session.
    pub fn get(&self, place: usize) -> Option<&Session> {
        self.list.get(place)
    }

    /// Ends a session.
    pub fn revoke(&mut self, place: usize) {
        if let Some(session) = self.list.get_mut(place) {
            session.is_revoked = true;
        }
    }

    /// Ends every session.
    pub fn revoke_all(&mut self) {
        self.list
            .iter_mut()
            .for_each(|session| session.is_revoked = true);
    }

    /// How many sessions were ever opened.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The session that an answer with these headers hands over.
    pub fn opened_by(&self, reply_headers: &[(String, String)]) -> Option<usize> {
        let (_, bearer) = reply_headers
            .iter()
            .find(|(name, _)| name == "ig-set-authorization")?;
        self.list
            .iter()
            .position(|session| session.bearer() == *bearer)
    }

    /// The state headers sent to whoever made this request.
    pub fn issued_mut(&mut self, who: &Who, request: &Request) -> &mut Issued {
        if let Who::Session(place) = who {
            return &mut self.list[*place].issued;
        }
        let device = request.header("X-IG-Device-ID").unwrap_or_default();
        self.devices.entry(device.to_owned()).or_default()
    }

    /// Between two sessions of a device its app may have been updated; its phone stays.
    fn check_phone(&mut self, request: &Request, echo: Echo, found: &mut Violations) {
        let Some(device) = request.header("X-IG-Device-ID") else {
            return;
        };
        let Some(phone) = request.header("User-Agent").and_then(phone) else {
            return;
        };
        let known = self.phones.entry(device.to_owned());
        let known = known.or_insert_with(|| phone.to_owned());
        if known != phone {
            found.of("device-changed", "User-Agent");
            if echo == Echo::Lenient {
                phone.clone_into(known);
            }
        }
    }

    /// Finds the session of a request and checks everything that belongs to being logged in.
    pub fn identify(
        &mut self,
        request: &Request,
        login: Login,
        echo: Echo,
        found: &mut Violations,
    ) -> Who {
        let claimed = claimed(request, found);
        let place = match (login, claimed) {
            (Login::Out, claim) => {
                if request.header("Authorization").is_some() {
                    found.of("header-unexpected", "Authorization");
                }
                drop(claim);
                None
            }
            (_, Claim::None) => None,
            (_, Claim::Unreadable) => return refusal(login),
            (_, Claim::Session { id, user }) => {
                let Some(place) = self.list.iter().position(|session| session.id == id) else {
                    found.plain("session-unknown");
                    return refusal(login);
                };
                if self.list[place].is_revoked {
                    return refusal(login);
                }
                if user.is_some_and(|user| user != self.list[place].pk.to_string()) {
                    found.plain("authorization-user");
                }
                Some(place)
            }
        };
        let intended = request.header("IG-INTENDED-USER-ID");
        let Some(place) = place else {
            if login == Login::In {
                found.plain("session-missing");
                return Who::Refused;
            }
            if intended.is_some_and(|pk| pk != "0") {
                found.of("header-value", "IG-INTENDED-USER-ID");
            }
            self.check_phone(request, echo, found);
            if echo == Echo::Strict {
                let device = request.header("X-IG-Device-ID").unwrap_or_default();
                self.devices
                    .get(device)
                    .cloned()
                    .unwrap_or_default()
                    .check(request, found);
            }
            return Who::Nobody;
        };
        if self.list[place].device.is_none() {
            self.check_phone(request, echo, found);
        }
        let session = &mut self.list[place];
        let pk = session.pk.to_string();
        if intended.is_some_and(|sent| sent != pk) {
            found.of("header-value", "IG-INTENDED-USER-ID");
        }
        match request.header("IG-U-DS-USER-ID") {
            None => found.of("header-missing", "IG-U-DS-USER-ID"),
            Some(sent) if sent != pk => found.of("header-value", "IG-U-DS-USER-ID"),
            Some(_) => {}
        }
        session.check_device(request, echo, found);
        if echo == Echo::Strict {
            session.issued.check(request, found);
        }
        Who::Session(place)
    }
}

fn refusal(login: Login) -> Who {
    if login == Login::In {
        Who::Refused
    } else {
        Who::Nobody
    }
}

enum Claim {
    None,
    Unreadable,
    Session { id: String, user: Option<String> },
}

/// The session a request says it belongs to: by `Authorization`, else by the cookie `sessionid`.
fn claimed(request: &Request, found: &mut Violations) -> Claim {
    let cookie = request.cookie("sessionid");
    let Some(header) = request.header("Authorization") else {
        return match cookie {
            Some(id) => Claim::Session {
                id: id.to_owned(),
                user: None,
            },
            None => Claim::None,
        };
    };
    let token = header
        .strip_prefix("Bearer IGT:2:")
        .and_then(|code| STANDARD.decode(code).ok());
    let token: Option<Value> = token.and_then(|json| serde_json::from_slice(&json).ok());
    let member = |name: &str| {
        let value = token.as_ref().and_then(|token| token.get(name));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let (Some(id), Some(user)) = (member("sessionid"), member("ds_user_id")) else {
        found.plain("authorization-unreadable");
        return Claim::Unreadable;
    };
    if cookie.is_some_and(|cookie| cookie != id) {
        found.plain("cookie-sessionid");
    }
    Claim::Session {
        id,
        user: Some(user),
    }
}
