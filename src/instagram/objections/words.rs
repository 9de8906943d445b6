//! What came back, in words fit for the operator.

use std::fmt::Write as _;

use super::{Kind, facts::Facts, redact};

/// Status, content type and words, none of them secret.
pub fn what_came(kind: Kind, facts: &Facts) -> String {
    let mut text = format!("Instagram answered {}", facts.reply.status);
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
    let sentence = redact::sentence(&sentence(kind, facts));
    if let Some(trouble) = facts.reply.body_trouble {
        add(format_args!(", {}", trouble.words()));
    } else if facts.body().is_empty() {
        add(format_args!(" with an empty body"));
    } else if !sentence.is_empty() {
        add(format_args!(" \"{sentence}\""));
    } else if let Some(json) = &facts.json {
        // Values of unknown members may be anything about anybody; the names are telling enough.
        add(format_args!(" with {}", redact::names(json.keys())));
    } else {
        let body = String::from_utf8_lossy(&facts.reply.body);
        add(format_args!(" \"{}\"", redact::excerpt(&body)));
    }
    if let Some(place) = place(&facts.urls) {
        add(format_args!(" and names {place}"));
    }
    text
}

/// What the platform itself says to a person.
fn sentence(kind: Kind, facts: &Facts) -> String {
    let members: &[&str] = match kind {
        Kind::ActionBlocked => &["feedback_title", "feedback_message"],
        _ => &["message"],
    };
    let texts: Vec<&str> = members
        .iter()
        .filter_map(|name| facts.member(name)?.as_str())
        .collect();
    texts.join(": ")
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
