//! Cookies of one host: name, value, and when they end by the program's clock.

use serde_json::{Map, Value, json};

use crate::model::Timestamp;

/// Cookies that say whose session it is. Neither a reply nor the clock can take them away: whether a
/// session is dead is decided by what the reply says, and a good session must survive a stray
/// deletion and a clock set years ahead.
const IDENTITY: [&str; 2] = ["sessionid", "ds_user_id"];

#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    expires_at: Option<Timestamp>,
}

/// The jar, in the order in which the cookies came.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cookies(Vec<Cookie>);

impl Cookies {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let cookie = self.0.iter().find(|cookie| cookie.name == name)?;
        Some(&cookie.value)
    }

    /// Sets a cookie; one that is there keeps its place.
    pub fn set(&mut self, name: &str, value: &str, expires_at: Option<Timestamp>) {
        let cookie = Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            expires_at,
        };
        match self.0.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = cookie,
            None => self.0.push(cookie),
        }
    }

    /// The `Cookie` header, unless there is nothing to send at `now`.
    pub fn header(&self, now: Timestamp) -> Option<String> {
        let pairs: Vec<String> = self
            .0
            .iter()
            .filter(|cookie| {
                let identity = IDENTITY.contains(&cookie.name.as_str());
                identity || cookie.expires_at.is_none_or(|end| now < end)
            })
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Takes over one `Set-Cookie` header.
    pub fn absorb(&mut self, header: &str, now: Timestamp) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        let value = if value == "\"\"" { "" } else { value };
        // Both: a tab in a name would pass the wire and make the stored session unreadable.
        if name.is_empty() || !super::encode::fits(name) || !super::encode::fits(value) {
            return;
        }
        let mut max_age = None;
        let mut expires = None;
        for part in parts {
            let (key, text) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "max-age" => max_age = text.trim().parse::<i64>().ok(),
                "expires" => expires = super::encode::http_date(text.trim()),
                "domain" if !text.trim().ends_with("instagram.com") => return,
                _ => {}
            }
        }
        // Max-Age wins over Expires (RFC 6265, 4.1.2.2).
        let expires_at = match max_age {
            Some(seconds) => Some(Timestamp::from_millis(
                now.as_millis().saturating_add(seconds.saturating_mul(1000)),
            )),
            None => expires,
        };
        if value.is_empty() || expires_at.is_some_and(|end| end <= now) {
            if !IDENTITY.contains(&name) {
                self.0.retain(|cookie| cookie.name != name);
            }
        } else {
            self.set(name, value, expires_at);
        }
    }

    /// Name → value, as the settings file has it.
    pub fn to_json(&self) -> Value {
        let pairs = self.0.iter();
        let pairs = pairs.map(|cookie| (cookie.name.clone(), json!(cookie.value)));
        Value::Object(pairs.collect())
    }

    /// Name → end in milliseconds, for the cookies that have one.
    pub fn ends_to_json(&self) -> Map<String, Value> {
        self.0
            .iter()
            .filter_map(|cookie| {
                let end = cookie.expires_at?.as_millis();
                Some((cookie.name.clone(), json!(end)))
            })
            .collect()
    }

    /// Reads the two back; a cookie without a known end has none.
    pub fn from_json(values: &Map<String, Value>, ends: &Value) -> Result<Self, String> {
        let mut cookies = Self::default();
        let fits = |text: &str| super::encode::fits(text) && !text.contains(';');
        for (name, value) in values {
            if name.is_empty() || name.contains('=') || !fits(name) {
                return Err("`cookies` has a name that no header can carry".to_owned());
            }
            let value = value.as_str().filter(|value| fits(value)).ok_or_else(|| {
                let name = plain_name(name);
                format!("`cookies{name}` is not a text that a header can carry")
            })?;
            let end = ends.get(name).and_then(Value::as_i64);
            cookies.set(name, value, end.map(Timestamp::from_millis));
        }
        Ok(cookies)
    }
}

/// `.name` for a message; nothing if it is no usual name, for then it may be a value out of place.
fn plain_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if name.len() <= 20 && name.chars().all(plain) {
        format!(".{name}")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

    fn after(headers: &[&str]) -> Cookies {
        let mut cookies = Cookies::default();
        for header in headers {
            cookies.absorb(header, NOW);
        }
        cookies
    }

    #[test]
    fn a_cookie_ends_by_the_given_clock() {
        let cookies = after(&["csrftoken=abc; Domain=.instagram.com; Max-Age=60; Path=/; Secure"]);
        let later = Timestamp::from_secs(NOW.as_secs() + 60);
        assert_eq!(cookies.header(NOW).as_deref(), Some("csrftoken=abc"));
        assert_eq!(cookies.header(later), None);
    }

    #[test]
    fn a_clock_set_years_ahead_does_not_hide_the_session() {
        let cookies = after(&[
            "sessionid=7%3Aabc; Max-Age=31536000",
            "rur=x; Max-Age=31536000",
        ]);
        let ahead = Timestamp::from_secs(NOW.as_secs() + 2 * 31_536_000);
        assert_eq!(cookies.header(ahead).as_deref(), Some("sessionid=7%3Aabc"));
    }

    #[test]
    fn both_forms_of_the_expiry_date_are_read() {
        for date in [
            "Fri, 19-Nov-2027 18:00:00 GMT",
            "Fri, 19 Nov 2027 18:00:00 GMT",
        ] {
            let cookies = after(&[&format!("a=b; expires={date}")]);
            assert_eq!(
                cookies.ends_to_json().get("a").and_then(Value::as_i64),
                Some(1_826_647_200_000)
            );
        }
    }

    #[test]
    fn a_deletion_is_honoured_except_for_the_identity() {
        let gone = "Thu, 01-Jan-1970 00:00:00 GMT";
        let cookies = after(&[
            "csrftoken=abc",
            "sessionid=7%3Aabc",
            &format!("csrftoken=x; expires={gone}"),
            "sessionid=\"\"; Max-Age=0",
            "sessionid=; Max-Age=100",
        ]);
        assert_eq!(cookies.get("csrftoken"), None);
        assert_eq!(cookies.get("sessionid"), Some("7%3Aabc"));
    }

    #[test]
    fn cookies_of_other_sites_and_broken_ones_are_left_alone() {
        let cookies = after(&["a=b; Domain=.example.com", "nonsense", "=x", "c=\u{e9}"]);
        assert_eq!(cookies.header(NOW), None);
    }
}
