//! Words of a reply that may be shown: nothing that could be a token, an address or a number.
//!
//! What goes is decided by the look of a word, because a reply of unknown shape can carry anything
//! anywhere. Losing a harmless word is cheap, showing a secret is not.

use crate::model::is_invisible;

/// Longest excerpt of a body.
const EXCERPT: usize = 120;
/// Longest sentence of the platform's own.
const SENTENCE: usize = 300;
/// Longer words are tokens.
const WORD: usize = 20;
/// A word with capitals inside is a token from this length on.
const MIXED_WORD: usize = 12;

/// The first words of a body that is no JSON; of a page, what a reader would see.
pub fn excerpt(body: &str) -> String {
    let mut seen = String::new();
    let mut inside_tag = false;
    for letter in body.chars() {
        match letter {
            '<' => inside_tag = true,
            '>' if inside_tag => {
                inside_tag = false;
                seen.push(' ');
            }
            _ if inside_tag => {}
            _ => seen.push(letter),
        }
    }
    words(&seen, EXCERPT)
}

/// The names of a JSON object's members.
pub fn names<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    match words(&keys.join(" "), EXCERPT) {
        names if names.is_empty() => "an empty object".to_owned(),
        names => format!("the members {}", names.replace(' ', ", ")),
    }
}

/// A sentence meant for the operator.
pub fn sentence(text: &str) -> String {
    words(text, SENTENCE)
}

/// The essence of a content type, as far as it looks like one.
pub fn content_type(essence: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphabetic() || "/+-.".contains(c);
    let text: String = essence
        .trim()
        .chars()
        .filter(|c| allowed(*c))
        .take(40)
        .collect();
    if text.is_empty() {
        "no content type".to_owned()
    } else {
        text
    }
}

fn words(text: &str, limit: usize) -> String {
    let separator = |c: char| c.is_whitespace() || c.is_control() || "{}[]\"<>=&;,|\\".contains(c);
    let mut line = String::new();
    for word in text.split(separator).filter(|word| !word.is_empty()) {
        let shown = if harmless(word) { word } else { "\u{2026}" };
        if shown == "\u{2026}" && line.ends_with('\u{2026}') {
            continue;
        }
        if line.chars().count() + shown.chars().count() >= limit {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(shown);
    }
    line
}

fn harmless(word: &str) -> bool {
    let mixed =
        word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    let length = word.chars().count();
    let longest = if mixed { MIXED_WORD - 1 } else { WORD };
    !word.contains(['@', '%', '/', '+'])
        && !word.chars().any(|c| c.is_numeric() || is_invisible(c))
        && length <= longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_looks_like_a_secret_survives() {
        let body = r#"{"token":"Bearer IGT:2:eyJkc191c2VyX2lkIjoi","mail":"a.b@example.org",
            "phone":"+1 555 0100","sid":"710%3Aabc","x":"AbCdEfGhIjKlMn",
            "y":"abcdefghijklmnopqrstuvwxyz"}"#;
        let shown = excerpt(body);
        for secret in ["eyJ", "example", "555", "0100", "710", "AbCd", "abcdefg"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.starts_with("token : Bearer"), "{shown}");
    }

    #[test]
    fn of_an_object_only_the_names_are_shown() {
        let keys = ["data".to_owned(), "a@b.org".to_owned(), "status".to_owned()];
        assert_eq!(names(keys.iter()), "the members data, \u{2026}, status");
        assert_eq!(names([].iter()), "an empty object");
    }

    #[test]
    fn plain_words_are_shown_up_to_the_limit() {
        assert_eq!(
            excerpt("<p>Sorry, something went wrong.</p>"),
            "Sorry something went wrong."
        );
        assert!(excerpt(&"word ".repeat(100)).chars().count() <= EXCERPT);
    }

    #[test]
    fn a_content_type_shows_nothing_else() {
        assert_eq!(content_type(" text/html "), "text/html");
        assert_eq!(content_type("\u{1b}[31m"), "m");
        assert_eq!(content_type(""), "no content type");
    }
}
