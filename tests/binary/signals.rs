//! Signals, and two processes at once: the real binary in real time.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::home::{Ended, Home, ended, signal, until};

/// A home whose passes wait for a long time after the first request.
fn waiting_home() -> Home {
    let mut home = Home::new();
    home.set("pace.between_requests", "\"10m..10m\"");
    home.set("limits.max_runtime", "\"6h\"");
    home.import();
    home
}

fn stopped_in_a_pause(name: &str) -> (Home, Ended) {
    let home = waiting_home();
    let pass = home.start(["run"]);
    until("the first request settled", || {
        home.number("SELECT count(*) FROM attempt WHERE outcome IS NOT NULL") == 1
    });
    signal(&pass, name);
    let ended = ended(pass);
    assert_eq!(
        home.number("SELECT count(*) FROM attempt WHERE outcome IS NULL"),
        0
    );
    assert_eq!(
        home.number("SELECT count(*) FROM run WHERE ended_at IS NULL"),
        0
    );
    assert_eq!(home.calls().len(), 1);
    (home, ended)
}

#[test]
fn sigterm_in_a_pause_ends_the_pass_with_zero_and_everything_on_record() {
    let (_home, ended) = stopped_in_a_pause("TERM");
    let report = ended.expect(0).report();
    assert_eq!(report["stop"]["name"], "interrupted");
}

#[test]
fn sigint_in_a_pause_ends_the_pass_with_130() {
    let (_home, ended) = stopped_in_a_pause("INT");
    let report = ended.expect(130).report();
    assert_eq!(report["exit"]["code"], 130);
}

#[test]
fn a_signal_ends_a_rehearsal_with_its_code_and_leaves_no_folder_behind() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut home = Home::new();
        let folder = home.path("temporary");
        fs::create_dir(&folder).unwrap();
        home.variable("TMPDIR", folder.to_str().unwrap());
        let folders = || fs::read_dir(&folder).unwrap().count();
        let rehearsal = home.start(["rehearse", "--days", "366"]);
        until("the rehearsal has begun", || folders() > 0);
        signal(&rehearsal, name);
        ended(rehearsal)
            .expect(code)
            .saying(&["stopped the rehearsal"]);
        assert_eq!(folders(), 0, "{name}");
    }
}

#[test]
fn a_request_in_flight_is_settled_before_a_signal_ends_the_pass() {
    let mut home = Home::new();
    // A signal that is late meets the pause.
    home.set("pace.between_likes", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"");
    home.import();
    // The answer comes half of the server's idea of a time-out late.
    home.arm("like", "slow");
    let pass = home.start(["run"]);
    until("the like", || home.likes().len() == 1);
    signal(&pass, "TERM");
    ended(pass).expect(0);
    assert_eq!(
        home.number("SELECT count(*) FROM attempt WHERE kind = 'like' AND outcome = 'ok'"),
        1
    );
    assert_eq!(home.likes().len(), 1);
}

#[test]
fn a_second_signal_ends_at_once_and_the_claim_stays() {
    let home = Home::new();
    home.import();
    home.arm("like", "stall");
    let pass = home.start(["run"]);
    until("the like", || home.likes().len() == 1);
    signal(&pass, "INT");
    // One after the other: a signal that is still pending is not delivered twice.
    signal(&pass, "TERM");
    let ended = ended(pass);
    assert!(ended.signal().is_some(), "{ended}");
    assert_eq!(
        home.number("SELECT count(*) FROM attempt WHERE outcome IS NULL"),
        1
    );
    home.run(["run"]).expect(0);
    assert_eq!(
        home.number("SELECT count(*) FROM attempt WHERE outcome IS NULL"),
        0
    );
    home.assert_flawless();
}

#[test]
fn signals_end_a_wait_for_the_lock_with_their_own_codes() {
    let home = waiting_home();
    let pass = home.start(["run"]);
    until("the first request", || !home.calls().is_empty());
    for command in ["run", "resume", "cleanup", "migrate"] {
        for (name, code) in [("TERM", 143), ("INT", 130)] {
            let waiting = home.start([command, "--lock-wait", "1h"]);
            until("its signals are caught", || catches_signals(waiting.id()));
            signal(&waiting, name);
            ended(waiting)
                .expect(code)
                .saying(&["stopped while waiting"]);
        }
    }
    signal(&pass, "TERM");
    ended(pass).expect(0);
}

/// Whether SIGINT and SIGTERM have handlers.
pub fn catches_signals(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
    // Bit n - 1 stands for signal n.
    caught & (1 << 1) != 0 && caught & (1 << 14) != 0
}

#[test]
fn whoever_waits_for_the_lock_goes_on_when_it_is_free() {
    let home = waiting_home();
    let pass = home.start(["run"]);
    until("the first request", || !home.calls().is_empty());
    let waiting = home.start(["resume", "--lock-wait", "1h"]);
    until("its signals are caught", || catches_signals(waiting.id()));
    signal(&pass, "TERM");
    ended(pass).expect(0);
    ended(waiting).expect(0).saying(&["nothing to clear"]);
}

#[test]
fn of_two_passes_at_once_one_works_and_the_other_ends_with_75() {
    let home = Home::logged_in();
    let passes = [home.start(["run"]), home.start(["run"])];
    let mut codes = passes.map(|pass| ended(pass).code());
    codes.sort_unstable();
    // The second may as well have come when the first was done.
    assert!(codes == [0, 75] || codes == [0, 0], "{codes:?}");
    assert_eq!(home.likes().len(), 5);
    home.assert_flawless();
}

#[test]
fn the_practice_server_serves_until_it_is_stopped() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let home = Home::new();
        let serve = ["rehearse", "--serve", "127.0.0.1:0", "--plain"];
        let mut server = home.start(serve);
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("base_url"), "{line}");
        signal(&server, name);
        ended(server).expect(code);
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_code_that_is_piped_in() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let mut home = Home::new();
        let password = home.server.credentials().password;
        home.secret("account.password_file", &password);
        let mut switches = home.server.switches();
        switches.two_factor = true;
        home.server.set_switches(switches);
        let login = home.start_with(["login", "--code-file", "-"], Stdio::piped());
        until("the password is settled", || {
            home.database().exists()
                && home.calls().contains(&"login")
                && home
                    .number("SELECT count(*) FROM attempt WHERE kind = 'login' AND outcome = 'ok'")
                    == 1
        });
        signal(&login, name);
        let mut login = login;
        let stdin = login.stdin.take();
        ended(login).expect(code);
        drop(stdin);
        assert!(!home.calls().contains(&"two_factor"));
    }
}
