//! From the kind of an objection to what the caller does next and what the operator is told.

use std::time::Duration;

use super::facts::{Facts, Reply, collect_text};
use super::{Kind, dates, words};
use crate::instagram::encode;
use crate::instagram::wire::{SECOND_FACTOR, Scope};
use crate::model::{HoldReason, TargetTrouble, Timestamp};
use crate::ports::{Effect, Next, Objection, PlatformError};

pub fn error(
    kind: Kind,
    facts: &Facts,
    label: &str,
    scope: Scope,
    now: Timestamp,
) -> PlatformError {
    let until = match kind {
        Kind::PleaseWait | Kind::Throttled => retry_after(facts.reply, now),
        Kind::ActionBlocked => blocked_until(facts, now),
        _ => None,
    };
    let (next, mut why, mut remedy) = consequence(kind, scope, until);
    if kind == Kind::LoginRefused && label == SECOND_FACTOR {
        (why, remedy) = CODE_REFUSED;
    }
    let mut why = why.to_owned();
    if kind == Kind::Throttled && facts.body().is_empty() {
        why.push_str(", or the request did not come over HTTP/2, which it refuses in the same way");
    }
    if let Some(until) = until {
        why = format!("{why} (until {until})");
    }
    PlatformError {
        next,
        effect: effect(kind, facts),
        message: format!(
            "{label}: {} \u{b7} {why} \u{b7} {remedy}",
            words::what_came(kind, facts)
        ),
    }
}

/// The password was accepted before.
const CODE_REFUSED: (&str, &str) = (
    "the code was not accepted",
    "run `story-liker login` with a new code when `limits.logins` has room again (an authenticator \
     app's code wants a clock that is right), or bring a session with `story-liker session import \
     FILE`",
);

pub fn stop(reason: HoldReason, until: Option<Timestamp>) -> Next {
    Next::Stop(Objection { reason, until })
}

/// What the caller does next, why, and what the operator does.
fn consequence(
    kind: Kind,
    scope: Scope,
    until: Option<Timestamp>,
) -> (Next, &'static str, &'static str) {
    const WAIT: &str = "nothing is sent until the hold ends";
    const NEW_SESSION: &str =
        "log in with `story-liker login` or bring a session with `story-liker session import FILE`";
    const APP: &str = "open the official app, do what it asks, then run `story-liker resume`";
    const CHANGED: &str = "nothing more is sent for now; look into the official app and for a newer version of this \
         program";
    let stop = |reason| stop(reason, until);
    match kind {
        Kind::UnsupportedVersion => (
            stop(HoldReason::UnsupportedVersion),
            "the app version this device claims is not accepted",
            "bring a session of a present app version with `story-liker session import FILE \
             --replace-device`, then run `story-liker resume`",
        ),
        Kind::PleaseWait => (stop(HoldReason::PleaseWait), "it asks for a pause", WAIT),
        Kind::Throttled => (stop(HoldReason::Throttled), "too many requests", WAIT),
        // Before a session exists there is none that could be lost.
        Kind::LoginRequired | Kind::LoggedOut | Kind::Doubtful if scope == Scope::Login => (
            stop(HoldReason::LoginRefused),
            "the login was refused",
            "bring a session with `story-liker session import FILE`",
        ),
        Kind::LoginRequired => (
            stop(HoldReason::LoginRequired),
            "the session is dead",
            NEW_SESSION,
        ),
        Kind::LoggedOut => (
            stop(HoldReason::LoggedOut),
            "the session was ended on purpose",
            NEW_SESSION,
        ),
        Kind::Doubtful => (
            stop(HoldReason::SessionDoubtful),
            "the session may be dead",
            "it is asked once whether it lives; if it does not, a new session is needed",
        ),
        Kind::Suspended => (
            stop(HoldReason::Suspended),
            "the account is suspended or disabled",
            APP,
        ),
        Kind::Challenge | Kind::MaskedChallenge => (
            stop(HoldReason::Challenge),
            "it wants the account's owner to confirm who they are",
            APP,
        ),
        Kind::Checkpoint => (
            stop(HoldReason::Checkpoint),
            "it shows a checkpoint that must be passed by hand",
            APP,
        ),
        Kind::ActionBlocked => (
            stop(HoldReason::ActionBlocked),
            "the action is blocked",
            WAIT,
        ),
        Kind::Consent => (
            stop(HoldReason::Consent),
            "new terms have to be accepted",
            APP,
        ),
        Kind::TwoFactor => (
            stop(HoldReason::TwoFactor),
            "it asks for a second factor",
            "run `story-liker resume`, then `story-liker login`, and give the code",
        ),
        Kind::LoginRefused => (
            stop(HoldReason::LoginRefused),
            "the login was refused; the password may be right all the same",
            "check it, or bring a session with `story-liker session import FILE`; the password is not \
             submitted again by itself",
        ),
        Kind::Private | Kind::Gone | Kind::InvalidItem => match scope {
            Scope::User | Scope::Item => (skip(kind, scope), "this one is skipped", "see `status`"),
            Scope::Own | Scope::Login => (
                stop(HoldReason::UnknownShape),
                "this makes no sense for the own account",
                CHANGED,
            ),
        },
        Kind::ServerTrouble => (
            Next::EndPass,
            "Instagram has trouble of its own",
            "nothing is repeated that may have happened; the next pass goes on",
        ),
        Kind::NotTheApi => (
            stop(HoldReason::UnknownShape),
            "this is not the API: a lost session, or something between here and Instagram",
            CHANGED,
        ),
        Kind::Unknown => (
            stop(HoldReason::UnknownShape),
            "it refused for a reason this program does not know, or the API has changed",
            CHANGED,
        ),
    }
}

fn skip(kind: Kind, scope: Scope) -> Next {
    match (kind, scope) {
        (Kind::Private, _) => Next::SkipTarget(TargetTrouble::Private),
        (Kind::InvalidItem, Scope::Item) => Next::SkipInvalidItem,
        (_, Scope::Item) => Next::SkipGoneItem,
        _ => Next::SkipTarget(TargetTrouble::Gone),
    }
}

/// Whether the platform read the request and said no, or whether it may have taken effect.
fn effect(kind: Kind, facts: &Facts) -> Effect {
    let readable = facts.json.is_some();
    let refused = match facts.reply.status {
        401 | 403 | 429 => true,
        200 if kind == Kind::Unknown => facts.status_word() == Some("fail"),
        200 | 400..=404 | 406 | 407 | 409..=499 => readable || kind == Kind::MaskedChallenge,
        // It may be done (201, 204), be done yet (202) or be under way elsewhere (5xx).
        _ => readable && kind.is_plain_no(),
    };
    if refused {
        Effect::Refused
    } else {
        Effect::Unknown
    }
}

impl Kind {
    /// An objection recognised by its words, not by its status.
    fn is_plain_no(self) -> bool {
        !matches!(
            self,
            Self::ServerTrouble | Self::NotTheApi | Self::Unknown | Self::Doubtful
        )
    }
}

/// Seconds or a date; never before now.
fn retry_after(reply: &Reply, now: Timestamp) -> Option<Timestamp> {
    let text = reply.retry_after.as_deref()?.trim();
    let seconds = || text.parse().ok().map(Duration::from_secs);
    seconds()
        .map(|span| now.plus(span))
        .or_else(|| encode::http_date(text))
        .map(|until| until.max(now))
}

fn blocked_until(facts: &Facts, now: Timestamp) -> Option<Timestamp> {
    let mut text = String::new();
    for name in ["feedback_message", "feedback_title", "message"] {
        if let Some(value) = facts.member(name) {
            collect_text(value, &mut text);
        }
    }
    dates::end_of_named_day(&text, now)
}
