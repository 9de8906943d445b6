//! What must hold of a reply, whatever its status, headers and body.

use serde_json::{Map, Value, json};

use super::{Heard, NOW, fit_for_the_operator};
use crate::instagram::objections::{self, BodyTrouble, Reply};
use crate::instagram::wire::{Scope, replies};
use crate::instagram::{login, state::State};
use crate::model::{HoldReason, Item, ItemId, ItemKind, Pk, Secret};
use crate::ports::{Effect, Listing, Next, Objection, PlatformError};

const SCOPES: [Scope; 4] = [Scope::Own, Scope::User, Scope::Item, Scope::Login];

/// Words of objections: where one stands in `message`, nothing was agreed to.
const OBJECTIONS: [&str; 6] = [
    "challenge_required",
    "checkpoint_required",
    "consent_required",
    "feedback_required",
    "login_required",
    "user_has_logged_out",
];

/// Beyond this many bytes, variations of the same body would take too long.
const LARGE: usize = 32 * 1024;

/// A reply: bytes of a head (optional) and a body.
pub fn reply(bytes: &[u8]) {
    for heard in Heard::all(bytes) {
        let reply = heard.reply();
        for scope in SCOPES {
            meaning(&reply, scope);
        }
        if let Ok(content) = read(&reply, Scope::Item) {
            nothing_shorter_is_good(&reply);
            listings(&content);
            one_item(&content);
            people(&content);
        }
        logins(&heard, &reply);
    }
}

fn read(reply: &Reply, scope: Scope) -> Result<Map<String, Value>, PlatformError> {
    objections::read(reply, "testing", scope, NOW)
}

fn meaning(reply: &Reply, scope: Scope) {
    for trouble in [
        BodyTrouble::Broken,
        BodyTrouble::TimedOut,
        BodyTrouble::TooLong,
        BodyTrouble::TooMany,
    ] {
        let lost = Reply {
            body: Vec::new(),
            body_trouble: Some(trouble),
            content_type: reply.content_type.clone(),
            retry_after: reply.retry_after.clone(),
            location: reply.location.clone(),
            ..*reply
        };
        let error = read(&lost, scope).expect_err("a body that was not read is no success");
        fit_for_the_operator(&error.message);
        if reply.status == 200 {
            assert_eq!(error.effect, Effect::Unknown);
            match trouble {
                BodyTrouble::Broken => assert_eq!(error.next, Next::RepeatRead),
                BodyTrouble::TimedOut => assert_eq!(error.next, Next::EndPass),
                BodyTrouble::TooLong | BodyTrouble::TooMany => {
                    assert!(matches!(error.next, Next::Stop(_)));
                }
            }
        }
    }
    let document: Option<Value> = serde_json::from_slice(&reply.body).ok();
    match read(reply, scope) {
        Ok(content) => {
            assert_eq!(reply.status, 200, "only 200 is a success");
            let document = document.as_ref().expect("a success is JSON as a whole");
            assert_eq!(document.as_object(), Some(&content));
            assert_eq!(document["status"], "ok");
            let message = document["message"].as_str().unwrap_or_default();
            let message = message.trim().to_lowercase();
            assert!(!OBJECTIONS.contains(&message.as_str()), "{message}");
            assert!(document["spam"] != true);
        }
        Err(error) => objection(reply, scope, &error, document.as_ref()),
    }
    if let Some(Value::Object(document)) = document
        && reply.body.len() <= LARGE
    {
        order_and_company_make_no_difference(reply, scope, &document);
    }
}

fn objection(reply: &Reply, scope: Scope, error: &PlatformError, document: Option<&Value>) {
    fit_for_the_operator(&error.message);
    fit_for_the_operator(&format!("{error:?}"));
    no_token_of(&reply.body, &error.message);
    let readable = document.is_some_and(Value::is_object);
    match &error.next {
        Next::RepeatRead => panic!("what was answered is not asked again"),
        Next::SkipTarget(_) => assert!(readable && matches!(scope, Scope::User | Scope::Item)),
        Next::SkipGoneItem | Next::SkipInvalidItem => assert!(readable && scope == Scope::Item),
        Next::EndPass => assert!(matches!(reply.status, 405 | 408 | 500..=599)),
        Next::Stop(Objection { reason, until }) => {
            let timed = [
                HoldReason::PleaseWait,
                HoldReason::Throttled,
                HoldReason::ActionBlocked,
            ];
            assert!(until.is_none() || timed.contains(reason), "{reason:?}");
            assert!(until.is_none_or(|until| until >= NOW), "{until:?}");
        }
    }
    assert_ne!(error.effect, Effect::Unsent, "it was answered");
    let said_no = readable || matches!(reply.status, 401 | 403 | 404 | 429);
    assert!(error.effect == Effect::Unknown || said_no);
}

/// Long words of letters and digits together are tokens.
fn no_token_of(body: &[u8], message: &str) {
    let body = String::from_utf8_lossy(body);
    for word in body.split(|c: char| !c.is_ascii_alphanumeric()) {
        let token = word.len() >= 12
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        assert!(!token || !message.contains(word), "{word} in {message}");
    }
}

/// The same members in another order, and members nobody knows, mean the same.
fn order_and_company_make_no_difference(
    reply: &Reply,
    scope: Scope,
    document: &Map<String, Value>,
) {
    let consequence = |members: Map<String, Value>| {
        let other = Reply {
            body: Value::Object(members).to_string().into_bytes(),
            content_type: reply.content_type.clone(),
            retry_after: reply.retry_after.clone(),
            location: reply.location.clone(),
            ..*reply
        };
        read(&other, scope)
            .err()
            .map(|error| (error.next, error.effect))
    };
    let plain = consequence(document.clone());
    let turned = document.clone().into_iter().rev().collect();
    assert_eq!(plain, consequence(turned), "in another order");
    let mut in_company = Map::new();
    in_company.insert("x_new".to_owned(), json!({"status": "new", "message": [1]}));
    in_company.extend(document.clone());
    in_company.insert("x_newer".to_owned(), json!([null, 1e300, {"a": false}]));
    assert_eq!(plain, consequence(in_company), "with unknown members");
}

/// Cut off anywhere, a success is none.
fn nothing_shorter_is_good(reply: &Reply) {
    let whole = reply.body.trim_ascii_end().len();
    if whole > LARGE {
        return;
    }
    let step = (whole / 16).max(1);
    let ends = (0..whole).step_by(step).chain(whole.checked_sub(1));
    for end in ends {
        let cut = Reply {
            body: reply.body[..end].to_vec(),
            content_type: reply.content_type.clone(),
            ..Reply::default()
        };
        let cut = Reply { status: 200, ..cut };
        let error = read(&cut, Scope::Item).expect_err("half a success is none");
        assert_eq!(error.effect, Effect::Unknown, "it may have taken effect");
        assert!(matches!(error.next, Next::Stop(_)));
    }
}

fn listings(content: &Map<String, Value>) {
    let owner = Pk::try_from(72_000_000_002).expect("a positive number is an id");
    let liked = count_of_liked(content);
    for (kind, listing) in [
        (ItemKind::Story, replies::stories(content, owner)),
        (ItemKind::Post, replies::posts(content, owner)),
    ] {
        let Ok(listing) = listing else { continue };
        assert!(listing.unreadable == 0 || !listing.items.is_empty());
        let shown = listing.items.iter();
        let said = shown.filter(|item| item.has_liked == Some(true)).count();
        assert!(said <= liked, "{said} liked items where {liked} are named");
        listing.items.iter().for_each(|item| fine_item(item, kind));
        fine_names(&listing);
    }
}

/// How often the whole document says, in so many words, that something is liked.
fn count_of_liked(members: &Map<String, Value>) -> usize {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(members) => count_of_liked(members),
            Value::Array(parts) => parts.iter().map(count).sum(),
            _ => 0,
        }
    }
    let said = members.get("has_liked") == Some(&Value::Bool(true));
    usize::from(said) + members.values().map(count).sum::<usize>()
}

fn fine_names(listing: &Listing) {
    listing.owner_name.iter().for_each(|name| fine_name(name));
    assert_ne!(listing.next_page.as_deref(), Some(""));
}

/// What goes into lists, logs and reports as a user name is one.
fn fine_name(name: &str) {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_';
    assert!(!name.is_empty() && name.len() <= 64, "{name:?}");
    assert!(name.chars().all(fine), "{name:?}");
}

fn fine_item(item: &Item, kind: ItemKind) {
    assert_eq!(item.kind, kind);
    assert_eq!(item.expiring_at.is_some(), kind == ItemKind::Story);
    assert!(item.taken_at.as_secs() > 0);
    assert_eq!(item.id.to_string().parse(), Ok(item.id));
    if let Some(code) = &item.code {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(code.len() <= 64 && code.chars().all(fine), "{code:?}");
    }
}

fn one_item(content: &Map<String, Value>) {
    let asked: ItemId = "3764000000000000001_72000000002"
        .parse()
        .expect("an id of the right form");
    for kind in [ItemKind::Story, ItemKind::Post] {
        if let Ok(item) = replies::media_info(content, kind, asked) {
            assert_eq!(item.id.media, asked.media, "another item than asked for");
            let first = &content["items"][0]["has_liked"];
            assert_eq!(item.has_liked, first.as_bool());
            fine_item(&item, kind);
        }
    }
}

fn people(content: &Map<String, Value>) {
    if let Ok(user) = replies::user(content) {
        fine_name(&user.username);
        let is_private = content["user"].get("is_private");
        assert_eq!(user.is_private, is_private == Some(&Value::Bool(true)));
    }
    for member in ["user", "logged_in_user"] {
        if let Ok(myself) = replies::myself(content, member) {
            fine_name(&myself.username);
            assert!(myself.pk.get() > 0);
        }
    }
}

/// Nobody is logged in without a session in the headers, and no code is given where none is due.
fn logins(heard: &Heard, reply: &Reply) {
    let content = read(reply, Scope::Login);
    if let Ok(content) = &content
        && let Ok(myself) = login::newcomer(content, &heard.headers, NOW)
    {
        let mut state = State::default();
        state.absorb(&heard.headers, None, NOW);
        assert!(state.session_id().is_some() || state.authorization().is_some());
        state.logged_in_at(myself.pk, NOW);
        assert!(!state.owners().is_empty(), "an export would be of nobody");
        assert!(state.owners().iter().all(|owner| *owner == myself.pk));
        let carried = ["ig-set-authorization", "set-cookie"]
            .iter()
            .any(|name| heard.headers.contains_key(*name));
        assert!(carried, "a session came out of nothing");
    }
    if let Err(error) = &content
        && let Some(factor) = login::asked_for(reply, error)
    {
        let asked = Next::Stop(Objection {
            reason: HoldReason::TwoFactor,
            until: None,
        });
        assert_eq!(error.next, asked, "an objection comes first");
        let shown = format!("{factor:?}");
        let mut other = factor;
        other.identifier = Secret::new("another");
        assert_eq!(shown, format!("{other:?}"), "the identifier is shown");
    }
}
