//! What came back, in words fit for the operator.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Kind, facts::Facts, redact};

/// Status, content type and words, none of them secret.
pub fn what_came(kind: Kind, facts: &Facts) -> String {
    let status = facts.reply.status;
    let words = match kind {
        Kind::ActionBlocked => ["feedback_title", "feedback_message"]
            .iter()
            .filter_map(|name| facts.member(name)?.as_str())
            .collect::<Vec<_>>()
            .join(": "),
        _ => facts
            .member("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    };
    let words = if words.is_empty() && kind != Kind::Challenge {
        redact::excerpt(&String::from_utf8_lossy(&facts.reply.body))
    } else {
        redact::sentence(&words)
    };
    let mut text = format!("Instagram answered {status}");
    let mut add = |part: std::fmt::Arguments| {
        text.write_fmt(part)
            .expect("writing to a String cannot fail");
    };
    if matches!(
        kind,
        Kind::NotTheApi | Kind::Unknown | Kind::Doubtful | Kind::ServerTrouble
    ) {
        let essence = facts.reply.content_type.split(';').next().unwrap_or("");
        add(format_args!(" ({})", redact::content_type(essence)));
    }
    if let Some(trouble) = facts.reply.body_trouble {
        add(format_args!(", {}", trouble.words()));
    } else if facts.text.is_empty() {
        add(format_args!(" with an empty body"));
    } else if !words.is_empty() {
        add(format_args!(" \"{words}\""));
    }
    if let Some(place) = place(&facts.urls) {
        add(format_args!(" and names {place}"));
    }
    text
}

/// The kind of page the operator is sent to; the address itself may hold a token.
fn place(urls: &str) -> Option<&'static str> {
    [
        ("/web/unsupported_version/", "/web/unsupported_version/"),
        ("/accounts/suspended/", "/accounts/suspended/"),
        (
            "/auth_platform/",
            "/auth_platform/ (a check in the official app only)",
        ),
        (
            "/integrity/checkpoint/",
            "/integrity/checkpoint/ (a screen in the app)",
        ),
        (
            "/challenge/",
            "/challenge/ (a check in the app or on the web)",
        ),
        ("/accounts/login", "the web login page"),
    ]
    .into_iter()
    .find_map(|(path, words)| urls.contains(path).then_some(words))
}
