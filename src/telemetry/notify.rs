//! How a notice looks to those who get it: a text for people, an object for programs, and the same
//! name each time it is told.

use std::ffi::OsString;

use serde_json::{Value, json};

use super::child;
use super::post::Post;
use crate::model::{Notice, ProfileName, Secret};

/// Longer messages are cut: some ways to tell a person take no more.
const LONGEST_MESSAGE: usize = 2_000;

/// At most [`LONGEST_MESSAGE`] bytes of `message`, with a mark where it was cut.
fn shortened(message: &str) -> String {
    const CUT: &str = " [...]";
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(LONGEST_MESSAGE - CUT.len());
    format!("{}{CUT}", &message[..end])
}

/// A notice as it is told.
pub struct Message {
    title: String,
    text: String,
    object: Value,
}

impl Message {
    /// What is said of `notice` of `profile`.
    pub fn new(notice: &Notice, profile: &ProfileName) -> Self {
        let title = format!("story-liker, profile {profile}: {}", notice.title());
        let message = shortened(&notice.message);
        let name = notice.name(profile);
        let at = notice.happened_at;
        let text = format!("{title}\n\n{message}\n\nat {at}, notice {name}\n");
        let object = json!({
            "id": name,
            "kind": notice.kind,
            "needs_person": notice.kind.is_trouble(),
            "profile": profile,
            "at": at,
            "hold": notice.reason,
            "exit_code": notice.exit_code,
            "title": title,
            "message": message,
            "text": text,
        });
        Self {
            title,
            text,
            object,
        }
    }

    /// Tells it to a program: the text on standard input, the rest in variables.
    pub fn run(&self, argv: &[String], variables: Vec<(String, OsString)>) -> Result<(), String> {
        let mut variables = variables;
        for (name, value) in [
            ("STORY_LIKER_NOTICE", self.object.to_string()),
            ("STORY_LIKER_NOTICE_TITLE", self.title.clone()),
        ] {
            variables.push((name.to_owned(), value.into()));
        }
        child::run(argv, &variables, self.text.clone())
    }

    /// Tells it to a server.
    pub fn post(&self, url: &Secret) -> Result<(), String> {
        let post = Post {
            url: url.clone(),
            content_type: "application/json",
            body: self.object.to_string(),
        };
        post.begin().wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NoticeId, NoticeKind, Timestamp};

    fn message(text: &str) -> Message {
        let notice = Notice {
            id: NoticeId(1),
            kind: NoticeKind::Failure,
            subject: 7,
            happened_at: Timestamp::from_secs(1_795_197_600),
            reason: None,
            exit_code: Some(76),
            message: text.to_owned(),
        };
        Message::new(&notice, &ProfileName::default())
    }

    #[test]
    fn people_and_programs_are_told_the_same() {
        let told = message("it went wrong; do this");
        assert_eq!(
            told.text,
            "story-liker, profile default: passes fail since now, with exit code 76\n\nit went wrong; \
             do this\n\nat 2026-11-20T18:00:00Z, notice default-failure-7-1795197600000\n"
        );
        assert_eq!(told.object["text"], told.text);
        assert_eq!(told.object["title"], told.title);
        assert_eq!(told.object["message"], "it went wrong; do this");
        assert_eq!(told.object["kind"], "failure");
        assert_eq!(told.object["needs_person"], true);
        assert_eq!(told.object["hold"], Value::Null);
        assert_eq!(told.object["at"], "2026-11-20T18:00:00Z");
    }

    #[test]
    fn a_long_message_is_cut_between_letters_and_says_so() {
        let whole = "x".repeat(LONGEST_MESSAGE);
        assert_eq!(shortened(&whole), whole);
        let cut = shortened(&"\u{20ac}".repeat(LONGEST_MESSAGE));
        assert!(cut.ends_with("\u{20ac} [...]") && cut.len() <= LONGEST_MESSAGE);
    }
}
