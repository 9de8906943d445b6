//! What a reply means: the ordered list of tests from a reply to what the caller does next. Pure.
//!
//! First hit wins. Sentences are compared in lower case; the HTTP status alone never suffices,
//! because the same objection comes with different statuses. Whatever is not understood stops the
//! program: refusing to guess is what protects the account.

pub(super) mod dates;
mod facts;
#[cfg(test)]
mod meanings;
mod redact;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

use serde_json::{Map, Value};

use super::wire::Scope;
use crate::model::{HoldReason, Timestamp};
use crate::ports::{Effect, Next, PlatformError};
use facts::Facts;
pub use facts::{BodyTrouble, Reply};

/// What an objecting reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The app version or User-Agent is not accepted.
    UnsupportedVersion,
    /// "Please wait a few minutes before you try again."
    PleaseWait,
    /// `login_required`.
    LoginRequired,
    /// `user_has_logged_out`.
    LoggedOut,
    /// The account is suspended or disabled.
    Suspended,
    /// A challenge.
    Challenge,
    /// A checkpoint.
    Checkpoint,
    /// An action is blocked.
    ActionBlocked,
    /// New terms to accept.
    Consent,
    /// A second factor is asked for.
    TwoFactor,
    /// Too many attempts or requests.
    Throttled,
    /// The login was rejected.
    LoginRefused,
    /// The profile is private.
    Private,
    /// The user or item is gone.
    Gone,
    /// The id of the item is called invalid.
    InvalidItem,
    /// A challenge that looks like a missing page.
    MaskedChallenge,
    /// An unexplained 401 or 403.
    Doubtful,
    /// 5xx, 408 or 405.
    ServerTrouble,
    /// A redirect, a page or nothing where JSON was due.
    NotTheApi,
    /// Refused for an unknown reason, or changed.
    Unknown,
}

/// The content of a good reply, or what is wrong.
pub fn read(
    reply: &Reply,
    label: &str,
    scope: Scope,
    now: Timestamp,
) -> Result<Map<String, Value>, PlatformError> {
    if let Some(error) = network(reply, label) {
        return Err(error);
    }
    let facts = Facts::of(reply);
    match kind(&facts, scope) {
        None => Ok(facts.json.unwrap_or_default()),
        Some(kind) => Err(verdict::error(kind, &facts, label, scope, now)),
    }
}

/// A good status whose body was lost on the way. With any other status the status alone decides:
/// an objection is never asked for twice.
fn network(reply: &Reply, label: &str) -> Option<PlatformError> {
    let trouble = reply.body_trouble.filter(|_| reply.status == 200)?;
    let next = match trouble {
        BodyTrouble::Broken => Next::RepeatRead,
        BodyTrouble::TimedOut => Next::EndPass,
        BodyTrouble::TooLong | BodyTrouble::TooMany => return None,
    };
    Some(PlatformError {
        next,
        effect: Effect::Unknown,
        message: format!(
            "{label}: {} \u{b7} the network or Instagram failed \u{b7} nothing is repeated that \
             may have happened",
            trouble.words()
        ),
    })
}

/// A good reply that lacks what it is for.
pub fn incomplete(label: &str, missing: &str) -> PlatformError {
    PlatformError {
        next: verdict::stop(HoldReason::UnknownShape, None),
        effect: Effect::Unknown,
        message: format!(
            "{label}: Instagram answered 200 \"ok\" without {missing} \u{b7} the API has probably \
             changed \u{b7} nothing more is sent for now; look for a newer version of this program"
        ),
    }
}

/// The ordered list; `None` is a good reply.
fn kind(facts: &Facts, scope: Scope) -> Option<Kind> {
    let status = facts.reply.status;
    // A caption in a listing may contain any word: only replies that object are searched for these.
    if !facts.is_ok() {
        let outdated = facts.body_has("unsupported_version")
            || facts.urls.contains("unsupported_version")
            || facts.has("useragent mismatch")
            || facts.error_type == "needs_upgrade";
        if outdated {
            return Some(Kind::UnsupportedVersion);
        }
    }
    if facts.has("please wait a few minutes") {
        return Some(Kind::PleaseWait);
    }
    if facts.message == "user_has_logged_out" {
        return Some(Kind::LoggedOut);
    }
    if facts.message == "login_required" || facts.error_type == "checkpoint_logged_out" {
        return Some(Kind::LoginRequired);
    }
    if let Some(kind) = challenge(facts) {
        return Some(kind);
    }
    if facts.message == "feedback_required" || facts.is_true("spam") {
        return Some(Kind::ActionBlocked);
    }
    if facts.message == "consent_required" {
        return Some(Kind::Consent);
    }
    if let Some(kind) = login_trouble(facts) {
        return Some(kind);
    }
    // The account wants a newer form of the second factor than this program knows.
    if scope == Scope::Login && facts.message == "invalid parameters" {
        return Some(Kind::LoginRefused);
    }
    if facts.has("not authorized to view user") {
        return Some(Kind::Private);
    }
    if GONE.iter().any(|sentence| facts.has(sentence)) {
        return Some(Kind::Gone);
    }
    if facts.has("invalid media_id") {
        return Some(Kind::InvalidItem);
    }
    by_status(facts, status)
}

const GONE: [&str; 4] = [
    "has been deleted",
    "media is unavailable",
    "media not found or unavailable",
    "invalid target user",
];

fn challenge(facts: &Facts) -> Option<Kind> {
    let has_challenge = facts
        .member("challenge")
        .and_then(Value::as_object)
        .is_some_and(|challenge| !challenge.is_empty());
    let has_checkpoint = facts
        .member("checkpoint_url")
        .and_then(Value::as_str)
        .is_some_and(|url| !url.is_empty());
    let redirected = (300..400).contains(&facts.reply.status)
        && [
            "/challenge/",
            "/accounts/suspended/",
            "/integrity/checkpoint/",
            "/auth_platform/",
        ]
        .iter()
        .any(|path| facts.urls.contains(path));
    let is_checkpoint = facts.message == "checkpoint_required" || has_checkpoint;
    if facts.message != "challenge_required" && !has_challenge && !is_checkpoint && !redirected {
        return None;
    }
    Some(if facts.urls.contains("/accounts/suspended/") {
        Kind::Suspended
    } else if is_checkpoint || facts.urls.contains("/integrity/checkpoint/") {
        Kind::Checkpoint
    } else {
        Kind::Challenge
    })
}

fn login_trouble(facts: &Facts) -> Option<Kind> {
    match facts.error_type.as_str() {
        "two_factor_required" => Some(Kind::TwoFactor),
        _ if facts.is_true("two_factor_required") => Some(Kind::TwoFactor),
        "bad_password"
        | "invalid_user"
        | "sentry_block"
        | "sms_code_validation_code_invalid"
        | "invalid_nonce" => Some(Kind::LoginRefused),
        "rate_limit_error" => Some(Kind::Throttled),
        "inactive user" => Some(Kind::Suspended),
        "checkpoint_challenge_required" => Some(Kind::Challenge),
        _ => None,
    }
}

fn by_status(facts: &Facts, status: u16) -> Option<Kind> {
    match status {
        404 if facts.body().eq_ignore_ascii_case(b"not found") => Some(Kind::MaskedChallenge),
        404 if facts.json.is_some() => Some(Kind::Gone),
        429 => Some(Kind::Throttled),
        401 | 403 => Some(Kind::Doubtful),
        405 | 408 | 500..=599 => Some(Kind::ServerTrouble),
        300..=399 => Some(Kind::NotTheApi),
        // An apology in place of an answer, whatever its status says (protocol notes, 12.3).
        200 if facts.has_error_title() => Some(Kind::Unknown),
        200 if facts.is_ok() => None,
        200 if facts.json.is_none() => Some(Kind::NotTheApi),
        _ => Some(Kind::Unknown),
    }
}
