//! Tells a monitor that a pass begins and how it ended, in the manner of healthchecks.io, so that
//! somebody is called when passes fail or do not come at all.
//!
//! A pass neither waits for its first ping nor ends otherwise because of one: the answer is awaited
//! when the pass is over, before the last ping, so that the two cannot overtake each other.

use url::Url;
use uuid::Uuid;

use super::post::{Post, Sending};
use crate::model::Secret;

/// What healthchecks.io keeps of a body, in bytes.
pub const LONGEST_BODY: usize = 100_000;

const CUT: &str = "\n[cut here: only 100,000 bytes are kept]\n";

/// The pings of one pass.
pub struct Ping {
    url: Url,
    run: Uuid,
    begun: Option<Sending>,
}

impl Ping {
    /// To this address. `chance` names the pass: the monitor tells by it which end belongs to which
    /// beginning. None if the address is none.
    pub fn new(url: &Secret, chance: [u64; 2]) -> Option<Self> {
        Some(Self {
            url: Url::parse(url.expose()).ok()?,
            run: uuid::Builder::from_u128(u128::from(chance[0]) << 64 | u128::from(chance[1]))
                .with_variant(uuid::Variant::RFC4122)
                .with_version(uuid::Version::Random)
                .into_uuid(),
            begun: None,
        })
    }

    /// The pass begins. Does not wait for the answer.
    pub fn begin(&mut self) {
        self.begun = Some(self.post("start", String::new()).begin());
    }

    /// Whether the monitor was told that the pass begins.
    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// The process ends with this status. `report` is shown beside it. Waits until both pings have
    /// arrived or failed, 20 seconds at most.
    pub fn end(mut self, status: u8, report: &str) {
        if let Some(begun) = self.begun.take() {
            tell("that the pass begins", begun.wait());
        }
        let post = self.post(&status.to_string(), cut(report));
        tell("how the pass ended", post.begin().wait());
    }

    fn post(&self, event: &str, body: String) -> Post {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(event);
        }
        url.query_pairs_mut()
            .append_pair("rid", &self.run.to_string());
        Post {
            url: Secret::new(url),
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }
}

fn tell(what: &str, sent: Result<(), String>) {
    match sent {
        Ok(()) => log::debug!("the monitor was told {what}"),
        Err(problem) => log::warn!(
            "ping.url was not told {what}: {problem}; the pass and its exit code are as they are: \
             check the address and the network"
        ),
    }
}

/// As much of `text` as is kept, and a word that it was cut.
fn cut(text: &str) -> String {
    if text.len() <= LONGEST_BODY {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONGEST_BODY - CUT.len());
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn posted(url: &str, event: &str) -> String {
        let ping = Ping::new(&Secret::new(url), [1, 2]).unwrap();
        let post = ping.post(event, String::new());
        post.url.expose().to_owned()
    }

    #[test]
    fn an_event_is_the_last_part_of_the_path_and_the_pass_has_a_name() {
        const RUN: &str = "rid=00000000-0000-4001-8000-000000000002";
        for (url, event, expected) in [
            (
                "https://hc-ping.com/key",
                "start",
                format!("https://hc-ping.com/key/start?{RUN}"),
            ),
            (
                "https://hc-ping.com/key/",
                "0",
                format!("https://hc-ping.com/key/0?{RUN}"),
            ),
            (
                "https://hc-ping.com/key/slug?create=1",
                "77",
                format!("https://hc-ping.com/key/slug/77?create=1&{RUN}"),
            ),
        ] {
            assert_eq!(posted(url, event), expected);
        }
    }

    #[test]
    fn a_long_report_is_cut_between_letters_and_says_so() {
        assert_eq!(cut("short"), "short");
        let whole = "x".repeat(LONGEST_BODY);
        assert_eq!(cut(&whole), whole);
        for shift in 0..3 {
            let long = format!(
                "{}{}",
                "x".repeat(shift),
                "\u{20ac}".repeat(LONGEST_BODY / 2)
            );
            let cut = cut(&long);
            assert!(cut.len() <= LONGEST_BODY && cut.len() > LONGEST_BODY - 4);
            let kept = cut.strip_suffix(CUT).unwrap();
            assert!(long.starts_with(kept));
        }
    }
}
