//! How a notice looks to those who get it: a text for people, an object for programs, and the same
//! name each time it is told.

use std::ffi::OsString;

use serde_json::{Value, json};

use super::child;
use super::post::Post;
use crate::model::{Notice, ProfileName, Secret};

/// Longer messages are cut: some ways to tell a person take no more.
const LONGEST_MESSAGE: usize = 2_000;

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
        let message = &notice.message;
        let end = message.floor_char_boundary(LONGEST_MESSAGE);
        let message = &message[..end];
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
