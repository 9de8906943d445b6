//! The monitor that is pinged: what it is told, and that no pass depends on it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use story_liker::clock::VirtualClock;
use story_liker::model::{ProfileName, Timestamp};
use story_liker::practice::Wire;
use story_liker::store::{LockRequest, Opening, Writer};

use crate::home::{Ended, Home, until};
use crate::raw_server::{Act, RawServer, Received, reply};

/// What must never be said: whoever knows it can ping.
const KEY: &str = "synthetic-capability-4711";

pub fn ok() -> Act {
    Act::Say(reply(200, &[], b"OK"))
}

fn watch(home: &mut Home, address: SocketAddr) {
    home.secret("ping.url_file", &format!("http://{address}/{KEY}"));
}

/// A home whose passes are watched by a server that acts so.
fn watched(script: Vec<Act>) -> (Home, RawServer) {
    let server = RawServer::start(script);
    let mut home = Home::logged_in();
    watch(&mut home, server.address);
    home.variable("STORY_LIKER_LOG", "trace");
    (home, server)
}

/// The event of each ping, and the run it is about.
fn events(server: &RawServer) -> Vec<(String, String)> {
    let event = |received: Received| {
        let path = received.line.split(' ').nth(1).unwrap().to_owned();
        assert!(received.line.starts_with("POST "), "{}", received.line);
        let (path, query) = path.split_once('?').unwrap();
        let event = path.strip_prefix(&format!("/{KEY}/")).unwrap();
        let run = query.strip_prefix("rid=").unwrap();
        (event.to_owned(), run.to_owned())
    };
    server.received().into_iter().map(event).collect()
}

fn names(server: &RawServer) -> Vec<String> {
    events(server).into_iter().map(|(event, _)| event).collect()
}

#[track_caller]
fn assert_unsaid(ended: &Ended) {
    assert!(!ended.to_string().contains(KEY), "{ended}");
}

#[test]
fn a_pass_tells_its_beginning_and_its_end_with_the_report() {
    let (home, server) = watched(vec![ok()]);
    let ended = home.run(["run"]).expect(0);
    assert_unsaid(&ended);
    let events = events(&server);
    assert_eq!([&*events[0].0, &*events[1].0], ["start", "0"]);
    assert_eq!(events[0].1, events[1].1, "one run");
    assert_eq!(events[0].1.len(), 36, "a UUID");
    let body = server.received().remove(1).body;
    assert!(body.starts_with("pass ended: nothing is left"), "{body}");
    assert!(body.contains("exit 0 (ok)"), "{body}");
    home.run(["run"]).expect(0);
    let again = self::events(&server);
    assert_eq!(again.len(), 4);
    assert_ne!(again[2].1, again[0].1, "another run");
}

#[test]
fn a_dry_run_tells_nothing() {
    let (home, server) = watched(vec![ok()]);
    home.run(["run", "--dry-run"]).expect(0);
    assert_eq!(server.received(), []);
}

#[test]
fn the_exit_status_is_told_as_the_caller_sees_it() {
    let (home, server) = watched(vec![ok()]);
    home.arm("like", "error_feedback_required_limit");
    home.run(["run"]).expect(75);
    home.run(["run", "--success-codes", "10,75"]).expect(0);
    assert_eq!(names(&server), ["start", "75", "start", "0"]);
    let body = server.received().remove(3).body;
    assert!(body.contains("exit 75 (TEMPFAIL)"), "{body}");
}

#[test]
fn a_start_that_finds_another_pass_tells_nothing_of_its_own() {
    let (home, server) = watched(vec![ok()]);
    let clock = VirtualClock::new(Timestamp::from_secs(1_795_197_600));
    let request = LockRequest {
        command: "run",
        wait: Duration::ZERO,
        clock: &clock,
    };
    let profile = ProfileName::default();
    let writer = Writer::open(&home.database(), &profile, &request, Opening::default()).unwrap();
    home.run(["run"]).expect(75);
    drop(writer);
    assert_eq!(server.received(), []);
}

#[test]
fn a_pass_that_cannot_open_its_database_tells_that_it_failed() {
    let (mut home, server) = watched(vec![ok()]);
    std::fs::create_dir(home.path("folder")).unwrap();
    home.set("database", "\"folder\"");
    let ended = home.run(["run"]).expect(73);
    assert_unsaid(&ended);
    assert_eq!(names(&server), ["73"]);
    let body = server.received().remove(0).body;
    assert!(body.contains("cannot be the database"), "{body}");
}

#[test]
fn a_monitor_in_trouble_is_a_warning_and_changes_nothing() {
    let elsewhere = RawServer::start(vec![ok()]);
    let moved = format!("http://{}/{KEY}", elsewhere.address);
    let moved = reply(302, &[("location", &moved)], b"");
    for (script, says) in [
        (vec![Act::Say(reply(500, &[], b"no"))], "the answer was 500"),
        (vec![Act::Say(moved)], "redirects are not followed"),
        (vec![Act::Close], "the connection broke"),
    ] {
        let (home, server) = watched(script);
        let ended = home.run(["run"]).expect(0);
        assert_unsaid(&ended);
        ended.saying(&["ping.url was not told how the pass ended", says]);
        assert_eq!(home.likes().len(), 5);
        assert_eq!(names(&server), ["start", "0"], "nothing is repeated");
    }
    assert_eq!(elsewhere.received(), []);
}

#[test]
fn a_monitor_that_is_not_there_or_that_nobody_vouches_for_is_a_warning() {
    let mut home = Home::logged_in();
    watch(&mut home, "127.0.0.1:1".parse().unwrap());
    let ended = home.run(["run"]).expect(0);
    assert_unsaid(&ended);
    ended.saying(&["no connection could be made"]);

    let strange = Home::on(Wire::Tls, 0, 0);
    let mut home = Home::logged_in();
    let url = format!("https://{}/{KEY}", strange.server.address());
    home.secret("ping.url_file", &url);
    let ended = home.run(["run"]).expect(0);
    assert_unsaid(&ended);
    ended.saying(&["ping.url was not told"]);
    assert!(strange.server.record().is_empty());
}

/// Answers the first ping only once the pass has liked everything.
#[test]
fn a_pass_does_not_wait_for_the_answer_to_its_first_ping() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut home = Home::logged_in();
    watch(&mut home, listener.local_addr().unwrap());
    let child = home.start(["run"]);
    for nth in 0..2 {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        if nth == 0 {
            until("everything is liked", || home.likes().len() == 5);
        }
        stream.write_all(&reply(200, &[], b"OK")).unwrap();
    }
    let ended = crate::home::ended(child).expect(0);
    assert!(!ended.to_string().contains("was not told"), "{ended}");
}

#[test]
fn a_monitor_that_never_answers_is_left_after_ten_seconds() {
    let (home, server) = watched(vec![Act::Stall(Vec::new()), ok()]);
    let ended = home.run(["run"]).expect(0);
    assert_unsaid(&ended);
    ended.saying(&["that the pass begins: no answer came within 10 s"]);
    assert_eq!(names(&server), ["start", "0"]);
}
