//! What must hold of the practice server, whatever it is asked.

use std::time::Duration;

use super::Act;
use super::clock::PracticeClock;
use super::exchange;
use super::request::Request;
use super::state::State;
use super::switches::Switches;
use super::world::World;

struct Standing;

impl PracticeClock for Standing {
    fn now_ms(&self) -> i64 {
        1_795_197_600_000
    }

    fn spend(&self, _: Duration) {}
}

/// Requests one after another as text files have them: method and address, header lines, a blank
/// line, the body up to a line of dashes.
pub fn practice(bytes: &[u8]) {
    let mut state = State::new(1, world(), Switches::default());
    for (place, bytes) in parts(bytes).into_iter().take(4).enumerate() {
        let request = request(bytes);
        let reply = exchange::answer(
            &mut state,
            &Standing,
            Duration::from_secs(20),
            &|host| host == "i.instagram.com",
            &request,
        );
        assert!((100..600).contains(&reply.status), "{}", reply.status);
        let entries = state.record.entries();
        assert_eq!(entries.len(), place + 1, "every request goes on record");
        let entry = &entries[place];
        if entry.act == Act::Unknown {
            assert!(!entry.violations.is_empty(), "an unknown call is a mistake");
            assert!(!entry.outcome.took_effect());
        }
        let proven =
            request.header("authorization").is_some() || request.cookie("sessionid").is_some();
        assert!(!entry.act.is_like() || !entry.outcome.took_effect() || proven);
    }
}

/// One friend with a story and a post.
fn world() -> World {
    let mut world = World::empty(Standing.now_ms());
    let friend = world.add_user("sandbox.friend");
    let now_s = Standing.now_ms() / 1000;
    world.add_story(friend, now_s - 3600);
    world.add_post(friend, now_s - 7200);
    world
}

fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    const LINE: &[u8] = b"\n-----\n";
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(LINE.len()).position(|part| part == LINE) {
        parts.push(&rest[..at]);
        rest = &rest[at + LINE.len()..];
    }
    parts.push(rest);
    parts
}

fn request(bytes: &[u8]) -> Request {
    let end = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, address) = lines
        .next()
        .and_then(|l| l.split_once(' '))
        .unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let host = headers.iter().find(|(name, _)| name == "host");
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        host: host.map_or("i.instagram.com", |(_, host)| host).to_owned(),
        headers: headers.clone(),
        body: body.to_vec(),
    }
}
