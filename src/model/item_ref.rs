//! The ways in which a person names an item: the id of a log line, its first half, or what the app
//! and the browser call its address. Nobody is asked: a short code is the id in base 64.

use std::str::FromStr;

use thiserror::Error;

use super::{ItemId, Pk};

/// An item as a person names it, known by its media pk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemRef(pub Pk);

/// A text that names no item.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "give an item's id as logged (PK_USERPK), its pk, its short code or its address, for example \
     https://www.instagram.com/p/SHORTCODE/"
)]
pub struct InvalidItemRef;

/// Digits of a short code, the least first.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A pk of 63 bits has at most this many digits. A longer code is that of a private account's post:
/// what follows is no part of the pk.
const CODE_LENGTH: usize = 11;

/// The shortest code taken for one; a shorter one is a slip of the hand.
const SHORTEST_CODE: usize = 5;

/// Path segments after which an item's short code follows.
const POSTS: [&str; 4] = ["p", "reel", "reels", "tv"];

impl FromStr for ItemRef {
    type Err = InvalidItemRef;

    fn from_str(text: &str) -> Result<Self, InvalidItemRef> {
        let text = text.trim();
        let pk = match path_of(text) {
            Some(path) => in_path(path),
            None => text
                .parse::<ItemId>()
                .map(|id| id.media)
                .or_else(|_| text.parse::<Pk>())
                .ok()
                .or_else(|| from_code(text)),
        };
        pk.map(Self).ok_or(InvalidItemRef)
    }
}

/// The path of an address on the platform; `None` if this is no address.
fn path_of(text: &str) -> Option<&str> {
    let (host, path) = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => text.split_once('/')?,
    };
    let host = host.to_lowercase();
    let name = host.strip_prefix("www.").unwrap_or(&host);
    let known = ["instagram.com", "m.instagram.com", "instagr.am"].contains(&name);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // Of another host no path names an item.
    Some(if known { path } else { "" })
}

fn in_path(path: &str) -> Option<Pk> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["stories", name, pk, ..] if *name != "highlights" => pk.parse().ok(),
        [kind, code, ..] if POSTS.contains(kind) => from_code(code),
        // The address of a post as a profile shows it begins with the profile's name.
        [_, kind, code, ..] if POSTS.contains(kind) => from_code(code),
        _ => None,
    }
}

/// The pk that a short code stands for.
fn from_code(code: &str) -> Option<Pk> {
    if code.len() < SHORTEST_CODE || !code.is_ascii() {
        return None;
    }
    let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte);
    // All of it has to be a code, also what is no part of the pk.
    let digits: Vec<usize> = code.bytes().map(digit).collect::<Option<_>>()?;
    let mut number: i64 = 0;
    for digit in digits.into_iter().take(CODE_LENGTH) {
        let digit = i64::try_from(digit).ok()?;
        number = number.checked_mul(64)?.checked_add(digit)?;
    }
    Pk::try_from(number).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pk(text: &str) -> Option<i64> {
        text.parse::<ItemRef>().ok().map(|item| item.0.get())
    }

    #[test]
    fn every_way_to_name_an_item_leads_to_its_pk() {
        // 4028209379393181455 in base 64.
        let number = 4_028_209_379_393_181_455;
        let code = "DfnExaToJcP";
        for text in [
            "4028209379393181455_72000000002",
            " 4028209379393181455 ",
            code,
            "https://www.instagram.com/p/DfnExaToJcP/",
            "https://www.instagram.com/p/DfnExaToJcP",
            "http://instagram.com/reel/DfnExaToJcP/?igsh=x#y",
            "instagram.com/reels/DfnExaToJcP/",
            "https://m.instagram.com/a.friend/p/DfnExaToJcP/",
            "https://www.instagram.com/stories/a.friend/4028209379393181455/?r=1",
            "DfnExaToJcPqTyVvQJ0f3xXo9dY1nS4k",
        ] {
            assert_eq!(pk(text), Some(number), "{text}");
        }
    }

    #[test]
    fn short_codes_are_those_of_the_platform() {
        let vectors = include_str!("../../tests/fixtures/private/vectors.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let pairs = vectors["shortcode"].as_array().unwrap();
        let long =
            |pair: &&serde_json::Value| pair["code"].as_str().unwrap().len() >= SHORTEST_CODE;
        assert!(pairs.iter().filter(long).count() > 1);
        for pair in pairs.iter().filter(long) {
            let number = pair["pk"].as_str().unwrap().parse().ok();
            assert_eq!(pk(pair["code"].as_str().unwrap()), number, "{pair}");
        }
    }

    #[test]
    fn what_names_no_item_is_refused() {
        for text in [
            "",
            "abc",
            "what is this",
            "https://www.instagram.com/a.friend/",
            "https://www.instagram.com/stories/a.friend/",
            "https://www.instagram.com/stories/highlights/17900000000000000/",
            "https://example.com/p/DfnExaToJcP/",
            "0",
            "-5",
            "99999999999999999999_1",
            // More than 63 bits.
            "___________",
            "AAAAAAAAAAA",
            "Dfn\u{e4}DBI_zMP",
        ] {
            assert_eq!(pk(text), None, "{text}");
        }
    }
}
