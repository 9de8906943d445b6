//! instagrapi's settings file: one JSON object that holds a device and a session.
//!
//! Import divides it, export joins the halves; every key of an imported file comes back, those that
//! nothing here understands included. Files of any age are read: only whose session it is and the
//! session itself must be there. Problems name keys, never values, because the file is a credential.

use serde_json::{Map, Value};
use thiserror::Error;

use super::device::MACHINE_ID;
pub use super::device::is_same as is_same_device;
use super::state::{self, DEVICE_KEYS, EXTRA, State};
use crate::model::{Device, Pk, Secret, Session};

/// A settings file, divided.
#[derive(Debug)]
pub struct Imported {
    /// The device half.
    pub device: Device,
    /// The session half.
    pub session: Session,
    /// What the operator should know, one line each.
    pub warnings: Vec<String>,
}

/// A settings file or session id that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// It is not the JSON it is taken for.
    #[error(
        "this is not a settings file of instagrapi \u{b7} {0} \u{b7} write one with \
         `client.dump_settings(path)` after a login"
    )]
    NotSettings(String),
    /// It was written by a client that was not logged in.
    #[error(
        "there is no session in this settings file \u{b7} neither `cookies.sessionid` nor \
         `authorization_data.sessionid` holds one, as after a logout \u{b7} log in there and write \
         it again"
    )]
    LoggedOut,
    /// It says nothing, or two things, about whose session it is.
    #[error(
        "it is not clear whose session this is \u{b7} {0} \u{b7} log in there and write the file again"
    )]
    NoOwner(String),
    /// The text is no session id.
    #[error(
        "this is not a session id \u{b7} {0} \u{b7} give the whole value of the cookie `sessionid`, \
         as it is, with its %3A"
    )]
    NotSessionId(&'static str),
}

/// Reads a settings file.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ImportError::NotSettings(format!("line {line}, column {column} is not JSON"))
    })?;
    let Value::Object(document) = document else {
        return Err(ImportError::NotSettings(
            "it is not a JSON object".to_owned(),
        ));
    };
    let state = State::from_document(&document).map_err(ImportError::NotSettings)?;
    if !state.has_session() {
        return Err(ImportError::LoggedOut);
    }
    let pk = owner(&state)?;
    let mut warnings = Vec::new();
    if document.contains_key("usdid") {
        warnings.push("`usdid` is kept for an export and not used".to_owned());
    }
    warnings.extend(warnings_about_device(&document));
    let (device, _): (Map<_, _>, Map<_, _>) = document
        .into_iter()
        .partition(|(key, _)| DEVICE_KEYS.contains(&key.as_str()));
    let device = Device {
        json: Value::Object(device).to_string(),
    };
    super::device::check(&device).map_err(ImportError::NotSettings)?;
    Ok(Imported {
        device,
        session: state.session(pk),
        warnings,
    })
}

fn warnings_about_device(document: &Map<String, Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    let text = |object: &Map<String, Value>, key: &str| {
        let text = object.get(key).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let none = Map::new();
    let settings = document.get("device_settings").and_then(Value::as_object);
    let settings = settings.unwrap_or(&none);
    let has_version =
        text(settings, "app_version").is_some() || text(document, "user_agent").is_some();
    if !has_version {
        warnings.push("it names no version of the app: the configured one is used".to_owned());
    } else if text(settings, "bloks_versioning_id").is_none() {
        warnings.push(
            "`device_settings.bloks_versioning_id` is missing: that of the configured app version is \
             sent with the version that the file names, which no app does; take a file of a newer \
             client if you can"
                .to_owned(),
        );
    }
    if let Some(locale) = text(document, "locale").filter(|locale| !locale.starts_with("en")) {
        warnings.push(format!(
            "`locale` is {locale}: Instagram answers in that language, and only its code words are \
             understood then, not its sentences; whatever is not understood ends a pass"
        ));
    }
    warnings
}

fn owner(state: &State) -> Result<Pk, ImportError> {
    let claims = state.owners();
    let Some(pk) = claims.first().copied() else {
        return Err(ImportError::NoOwner(
            "neither `cookies.ds_user_id`, `authorization_data.ds_user_id` nor the session id names \
             a user"
                .to_owned(),
        ));
    };
    if claims.iter().any(|other| *other != pk) {
        return Err(ImportError::NoOwner(
            "`cookies` and `authorization_data` belong to different accounts".to_owned(),
        ));
    }
    Ok(pk)
}

/// Joins device and session to a settings file, in the order instagrapi writes it.
pub fn export(device: &Device, session: &Session) -> Result<Secret, ImportError> {
    let read = |json: &str| -> Result<Map<String, Value>, ImportError> {
        serde_json::from_str(json)
            .map_err(|_| ImportError::NotSettings("the stored half is damaged".to_owned()))
    };
    let mut device = read(&device.json)?;
    let mut document = Map::new();
    if let Some(uuids) = device.shift_remove("uuids") {
        document.insert("uuids".to_owned(), uuids);
    }
    let session = read(session.json.expose())?;
    let is_extra = |key: &str| key == EXTRA;
    let (extra, session): (Map<_, _>, Map<_, _>) =
        session.into_iter().partition(|(key, _)| is_extra(key));
    // The session's machine id is the newer one.
    if session.get(MACHINE_ID).is_some_and(|mid| !mid.is_null()) {
        device.shift_remove(MACHINE_ID);
    }
    document.extend(session);
    document.extend(device);
    document.extend(extra);
    let text = serde_json::to_string_pretty(&document)
        .map_err(|_| ImportError::NotSettings("the stored half is damaged".to_owned()))?;
    Ok(Secret::new(text))
}

/// What the device calls itself, its `User-Agent`: no secret, every server sees it.
pub fn describe(device: &Device) -> String {
    let document: Option<Map<String, Value>> = serde_json::from_str(&device.json).ok();
    let agent = document
        .as_ref()
        .and_then(|document| document.get("user_agent")?.as_str());
    agent.unwrap_or("unknown").to_owned()
}

/// A session made from the value of the cookie `sessionid` alone.
pub fn from_session_id(text: &str) -> Result<Session, ImportError> {
    /// Shorter ones were cut off on the way.
    const SHORTEST: usize = 31;
    let text = text.trim();
    if text.len() < SHORTEST {
        return Err(ImportError::NotSessionId("it is too short"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%:-_.~".contains(&byte);
    if !text.bytes().all(plain) {
        return Err(ImportError::NotSessionId(
            "it has characters no session id has",
        ));
    }
    let pk = state::pk_of_session_id(text).ok_or(ImportError::NotSessionId(
        "it does not begin with a user's id",
    ))?;
    Ok(State::of_session_id(pk, text).session(pk))
}
