//! The device an account appears as: made once, then kept for the account's life.
//!
//! The JSON is the device half of instagrapi's settings file; keys that nothing here reads are kept
//! as they are, so that an export gives an imported file back. A saved `user_agent` is used as it
//! stands, even where it disagrees with `device_settings`: a session stays with the device it was
//! made with, and so does a login after it, but for the version of the app.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::config::AppProfile;
use crate::model::Device;

/// Why a stored or imported device cannot be used; names the key, never the value.
pub type Problem = String;

/// The settings a request is made of.
pub struct Profile {
    /// Everything, as stored.
    document: Map<String, Value>,
    pub uuid: String,
    pub phone_id: String,
    pub client_session_id: String,
    pub advertising_id: String,
    pub tray_session_id: String,
    pub android_id: String,
    pub user_agent: String,
    pub bloks_version_id: String,
    pub locale: String,
    pub country: String,
    pub country_code: String,
    pub timezone_offset: String,
    /// The machine id the platform gave this device. It outlives sessions: a login without it would
    /// look like a new device.
    pub machine_id: Option<String>,
}

/// The key of the machine id, in the device as in a settings file.
pub const MACHINE_ID: &str = "mid";

/// The ids a device has, in the order of the settings file.
const UUIDS: [&str; 6] = [
    "phone_id",
    "uuid",
    "client_session_id",
    "advertising_id",
    "request_id",
    "tray_session_id",
];

impl Profile {
    /// Reads `device`, or starts a new one, and makes what is missing. The result depends on
    /// nothing but the arguments.
    pub fn complete(
        device: Option<&Device>,
        app: &AppProfile,
        rng: &mut impl Rng,
    ) -> Result<Self, Problem> {
        let mut document: Map<String, Value> = match device {
            None => Map::new(),
            Some(device) => serde_json::from_str(&device.json)
                .map_err(|_| "the device is not a JSON object".to_owned())?,
        };
        complete_uuids(&mut document, rng)?;
        complete_locality(&mut document)?;
        complete_app(&mut document, app)?;
        let uuid = |name: &str| text(object(&document, "uuids")?, name, "uuids.");
        let settings = |name: &str| {
            text(
                object(&document, "device_settings")?,
                name,
                "device_settings.",
            )
        };
        Ok(Self {
            uuid: uuid("uuid")?,
            phone_id: uuid("phone_id")?,
            client_session_id: uuid("client_session_id")?,
            advertising_id: uuid("advertising_id")?,
            tray_session_id: uuid("tray_session_id")?,
            android_id: uuid("android_device_id")?,
            user_agent: text(&document, "user_agent", "")?,
            bloks_version_id: settings("bloks_versioning_id")?,
            locale: text(&document, "locale", "")?,
            country: text(&document, "country", "")?,
            country_code: number(&document, "country_code")?.to_string(),
            timezone_offset: number(&document, "timezone_offset")?.to_string(),
            machine_id: document
                .get(MACHINE_ID)
                .and_then(Value::as_str)
                .map(str::to_owned),
            document,
        })
    }

    /// The device, to be stored.
    pub fn device(&self) -> Device {
        let mut document = self.document.clone();
        if let Some(machine_id) = &self.machine_id {
            document.insert(MACHINE_ID.to_owned(), json!(machine_id));
        }
        Device {
            json: Value::Object(document).to_string(),
        }
    }
}

/// Whether two devices are the same one; the machine id is given by the platform and may be renewed.
pub fn is_same(one: &Device, other: &Device) -> bool {
    let made = |device: &Device| {
        let document: Result<Map<String, Value>, _> = serde_json::from_str(&device.json);
        document.map(|mut document| {
            document.shift_remove(MACHINE_ID);
            document
        })
    };
    matches!((made(one), made(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether `device` can be completed at all; for an import, before anything is stored.
pub fn check(device: &Device) -> Result<(), Problem> {
    let app = AppProfile {
        app_version: "1".to_owned(),
        version_code: "1".to_owned(),
        bloks_version_id: "1".to_owned(),
    };
    Profile::complete(Some(device), &app, &mut ChaCha8Rng::seed_from_u64(0)).map(|_| ())
}

/// A random uuid v4 in lower case with dashes.
pub fn random_uuid(rng: &mut impl Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn complete_uuids(document: &mut Map<String, Value>, rng: &mut impl Rng) -> Result<(), Problem> {
    let uuids = entry(document, "uuids")?;
    for name in UUIDS {
        fill(uuids, name, || json!(random_uuid(rng)));
    }
    // Files of old versions call it `device_id`.
    let old_name = uuids.get("device_id").filter(|id| id.is_string()).cloned();
    fill(uuids, "android_device_id", || {
        old_name.unwrap_or_else(|| json!(format!("android-{:016x}", rng.next_u64())))
    });
    Ok(())
}

/// Fixed defaults, as instagrapi has them; not taken from the machine.
fn complete_locality(document: &mut Map<String, Value>) -> Result<(), Problem> {
    fill(document, "country", || json!("US"));
    fill(document, "country_code", || json!(1));
    fill(document, "locale", || json!("en_US"));
    fill(document, "timezone_offset", || json!(-14_400));
    let offset = number(document, "timezone_offset")?;
    fill(document, "timezone_name", || json!(timezone_name(offset)));
    Ok(())
}

fn timezone_name(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn complete_app(document: &mut Map<String, Value>, app: &AppProfile) -> Result<(), Problem> {
    let has_user_agent = document.get("user_agent").is_some_and(Value::is_string);
    let settings = entry(document, "device_settings")?;
    let has = |name: &str| settings.get(name).is_some_and(Value::is_string);
    // Only a saved User-Agent can tell which code goes with a saved version.
    if !has_user_agent && has("app_version") && !has("version_code") {
        return Err(
            "`device_settings.version_code` is missing although `device_settings.app_version` is \
             there, and there is no `user_agent`; the two belong together"
                .to_owned(),
        );
    }
    for (name, value) in [
        ("android_version", json!(34)),
        ("android_release", json!("14")),
        ("dpi", json!("480dpi")),
        ("resolution", json!("1344x2992")),
        ("manufacturer", json!("Google/google")),
        ("device", json!("husky")),
        ("model", json!("Pixel 8 Pro")),
        ("cpu", json!("husky")),
    ] {
        fill(settings, name, || value);
    }
    fill(settings, "app_version", || json!(app.app_version));
    fill(settings, "version_code", || json!(app.version_code));
    fill(settings, "bloks_versioning_id", || {
        json!(app.bloks_version_id)
    });
    let user_agent = user_agent(document)?;
    fill(document, "user_agent", || json!(user_agent));
    Ok(())
}

/// The device with another version of the app: for a new login, whose session begins with it.
///
/// Only the version and its code change within the saved `user_agent`; the phone in it stays,
/// whatever `device_settings` say. An app that was updated on its phone is nothing new to the
/// platform; another phone under the same ids is, and so is an older app, so a version that is newer
/// than the configured one stays. A `user_agent` of another form is an error: the device is then
/// better left as it is than guessed at.
pub fn with_app(device: &Device, app: &AppProfile) -> Result<Device, Problem> {
    let mut document: Map<String, Value> = serde_json::from_str(&device.json)
        .map_err(|_| "the device is not a JSON object".to_owned())?;
    let saved = text(&document, "user_agent", "")?;
    let user_agent = with_version(&saved, app).ok_or("`user_agent` has an unknown form")?;
    if !is_older(version_of(&saved), &app.app_version) {
        return Ok(device.clone());
    }
    document.insert("user_agent".to_owned(), json!(user_agent));
    let settings = entry(&mut document, "device_settings")?;
    for (name, value) in [
        ("app_version", &app.app_version),
        ("version_code", &app.version_code),
        ("bloks_versioning_id", &app.bloks_version_id),
    ] {
        settings.insert(name.to_owned(), json!(value));
    }
    Ok(Device {
        json: Value::Object(document).to_string(),
    })
}

fn version_of(agent: &str) -> &str {
    agent.split(' ').nth(1).unwrap_or_default()
}

fn is_older(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let parts = version.split('.');
        parts.map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(than)
}

/// `agent` with another version and version code; `None` where they are not in their places.
fn with_version(agent: &str, app: &AppProfile) -> Option<String> {
    /// From the Android version to the locale.
    const PARTS_OF_THE_PHONE: usize = 8;
    let (version, rest) = agent.strip_prefix("Instagram ")?.split_once(" Android (")?;
    let (phone, code) = rest.strip_suffix(')')?.rsplit_once("; ")?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = version.split('.').all(digits)
        && digits(code)
        && phone.split("; ").count() == PARTS_OF_THE_PHONE;
    fits.then(|| {
        format!(
            "Instagram {} Android ({phone}; {})",
            app.app_version, app.version_code
        )
    })
}

fn user_agent(document: &Map<String, Value>) -> Result<String, Problem> {
    let settings = object(document, "device_settings")?;
    let part = |name: &str| match settings.get(name) {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => text(settings, name, "device_settings."),
    };
    Ok(format!(
        "Instagram {} Android ({}/{}; {}; {}; {}; {}; {}; {}; {}; {})",
        part("app_version")?,
        part("android_version")?,
        part("android_release")?,
        part("dpi")?,
        part("resolution")?,
        part("manufacturer")?,
        part("model")?,
        part("device")?,
        part("cpu")?,
        text(document, "locale", "")?,
        part("version_code")?,
    ))
}

/// Sets `name` unless it has a value; `null` and `""` are none.
fn fill(map: &mut Map<String, Value>, name: &str, make: impl FnOnce() -> Value) {
    let missing = match map.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    if missing {
        map.insert(name.to_owned(), make());
    }
}

fn entry<'a>(
    document: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, Problem> {
    fill(document, name, || json!({}));
    document
        .get_mut(name)
        .and_then(Value::as_object_mut)
        .ok_or_else(|| format!("`{name}` is not an object"))
}

fn object<'a>(
    document: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, Problem> {
    document
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| format!("`{name}` is not an object"))
}

/// A text that can stand in a header; `prefix` completes the key's name in the message.
fn text(map: &Map<String, Value>, name: &str, prefix: &str) -> Result<String, Problem> {
    match map.get(name) {
        Some(Value::String(text)) if super::encode::fits(text) => Ok(text.clone()),
        Some(Value::String(_)) => Err(format!(
            "`{prefix}{name}` has characters that no header can carry"
        )),
        _ => Err(format!("`{prefix}{name}` is not a text")),
    }
}

fn number(map: &Map<String, Value>, name: &str) -> Result<i64, Problem> {
    map.get(name)
        .and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        })
        .ok_or_else(|| format!("`{name}` is not a whole number"))
}

#[cfg(test)]
mod tests;
