//! SIGTERM and SIGINT at each system call of a pass: before the lock, between claim and settlement,
//! while a request is under way, while pruning and at the end. Waiting for a lock and pausing are in
//! `tests/binary/signals.rs`.

use story_liker::practice::switches::LostWrite;

use crate::home::{Home, ended, signal, until};
use crate::lab::{
    as_left, assert_at_rest, assert_moderate, assert_on_record, assert_recovers, lab, number,
};
use crate::strace::{Site, Words};
use crate::sweep::{Scene, sweep};

fn pass() -> Scene {
    Scene {
        name: "pass",
        words: Words {
            arguments: &["run"],
            input: None,
        },
        home: lab,
    }
}

const TERM: i32 = 15;
const INT: i32 = 2;

#[test]
fn a_signal_at_any_system_call_ends_the_pass_in_order() {
    let kind = |site: &Site| [("SIGTERM", TERM, 0), ("SIGINT", INT, 130)][site.nth % 2];
    let send = |site: &Site| {
        let (name, ..) = kind(site);
        let once = format!("{}:signal={name}:when={}", site.call, site.nth);
        // The thread that is told of signals reads them with this call: it would get a second one.
        let tells = site.call == "recvfrom";
        (!site.only_reads() && !tells).then(|| vec![once])
    };
    sweep(&pass(), "signalled", send, |home, struck| {
        let about = &struck.about;
        let (_, signal, code) = kind(struck.site);
        let record = home.server.record();
        // Whether it came before the signals were caught.
        if struck.ended.signal() == Some(signal) {
            assert!(record.is_empty(), "{about}");
        } else {
            let report = struck.ended.report();
            let stop = &report["stop"]["name"];
            let expected = if stop == "interrupted" { code } else { 0 };
            assert_eq!(struck.ended.code(), expected, "{about}: {}", struck.ended);
            // Too late to change anything.
            let planned = stop == "done" || stop == "likes_per_run" || stop == "window_full";
            assert!(stop == "interrupted" || planned, "{about}: {stop}");
            assert_at_rest(home, about);
            let sql = home.sql();
            assert_on_record(&record, &sql, about);
            let open = number(&sql, "SELECT count(*) FROM run WHERE ended_at IS NULL");
            assert_eq!(open, 0, "{about}");
        }
        assert_recovers(home, about);
    });
}

#[test]
fn a_second_signal_at_any_system_call_is_as_good_as_a_kill() {
    let send = |site: &Site| {
        let next = site.nth + 1;
        let twice = format!("{}:signal=SIGTERM:when={}..{next}", site.call, site.nth);
        (site.call == "pwrite64").then(|| vec![twice])
    };
    sweep(&pass(), "signalled_twice", send, |home, struck| {
        let about = &struck.about;
        let ended = &struck.ended;
        // Two that come at once are one.
        let in_order = ended.code() == 0;
        assert!(in_order || ended.signal() == Some(TERM), "{about}: {ended}");
        if let Some(sql) = as_left(home) {
            assert_on_record(&home.server.record(), &sql, about);
        }
        assert_recovers(home, about);
    });
}

/// A pass that waits for the answer to its first like, which never comes.
fn stalled() -> (Home, std::process::Child) {
    let mut home = lab();
    home.impatient();
    let mut switches = home.server.switches();
    switches.lost_like = LostWrite::Applied;
    home.server.set_switches(switches);
    home.arm("like", "stall");
    let pass = home.start(["run"]);
    until("the like", || home.likes().len() == 1);
    (home, pass)
}

#[test]
fn a_signal_while_the_server_is_silent_ends_the_pass_after_its_time_out_and_nothing_more_is_sent() {
    for name in ["TERM", "INT"] {
        let (mut home, pass) = stalled();
        let sent = home.calls().len();
        signal(&pass, name);
        // Nobody answered: that is the graver reason.
        let report = ended(pass).expect(69).report();
        assert_eq!(home.calls().len(), sent, "{report}");
        let unknown = "SELECT count(*) FROM attempt WHERE kind = 'like' AND outcome = 'unknown'";
        assert_eq!(home.number(unknown), 1, "{report}");
        assert_at_rest(&home, name);
        assert_moderate(&home, name);
        home.patient();
        assert_recovers(&mut home, name);
    }
}
