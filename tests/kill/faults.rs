//! A system that refuses: the disk is full, breaks, or becomes read-only; a file cannot be opened or
//! locked; the network goes away. At each call in turn, once or from then on.

use crate::home::Home;
use crate::lab::{as_left, assert_explained, assert_on_record, assert_recovers, lab};
use crate::strace::{Site, Words};
use crate::sweep::{Scene, Struck, sweep, tracer};

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

/// Whether the site is on a file of the database, not on a terminal, a pipe or a socket.
fn on_database(site: &Site) -> bool {
    site.arguments.contains("/state/") || site.arguments.contains("/state>")
}

fn inject(site: &Site, error: &str, lasting: bool) -> String {
    let last = if lasting { "+" } else { "" };
    format!("{}:error={error}:when={}{last}", site.call, site.nth)
}

/// The pass ended on time, said why, kept its books; and once the trouble is over it goes on.
fn assert_nothing_lost(home: &mut Home, struck: &Struck<'_>) {
    let about = &struck.about;
    let record = home.server.record();
    if struck.ended.code() != 0 {
        assert_explained(&struck.ended, &[65, 73, 74], about);
        assert!(
            record.len() <= struck.site.requests_before,
            "{about}: a request without a claim, or after a settlement that failed: {}",
            struck.ended
        );
    }
    match as_left(home) {
        Some(sql) => assert_on_record(&record, &sql, about),
        None => assert!(record.is_empty(), "{about}"),
    }
    assert_recovers(home, about);
}

#[test]
fn a_disk_that_is_full_from_some_call_on_ends_the_pass_with_74() {
    let full = |site: &Site| {
        let writes = ["pwrite64", "fallocate"].contains(&site.call.as_str());
        (writes && on_database(site)).then(|| vec![inject(site, "ENOSPC", true)])
    };
    sweep(&pass(), "disk_full", full, |home, struck| {
        let about = &struck.about;
        assert_explained(&struck.ended, &[74], about);
        assert_nothing_lost(home, &struck);
    });
}

#[test]
fn a_call_that_fails_once_loses_nothing() {
    let fail = |site: &Site| {
        let even = site.nth.is_multiple_of(2);
        let error = match site.call.as_str() {
            "openat" if site.arguments.contains("O_CREAT") && even => "ENOSPC",
            "openat" => "EMFILE",
            "fcntl" if even => "ENOLCK",
            "mkdir" => "EROFS",
            "fchown" => "EPERM",
            "pwrite64" | "pread64" | "fsync" | "fdatasync" | "unlink" | "ftruncate" | "close"
            | "fcntl" => "EIO",
            _ => return None,
        };
        let on_file = on_database(site) || site.call == "mkdir";
        on_file.then(|| vec![inject(site, error, false)])
    };
    sweep(&pass(), "fails_once", fail, |home, struck| {
        assert_nothing_lost(home, &struck);
    });
}

#[test]
fn a_file_system_that_becomes_read_only_ends_the_pass_before_the_next_request() {
    let read_only = |site: &Site| {
        let begins = ["pwrite64", "unlink"].contains(&site.call.as_str()) && on_database(site);
        let at_once = ["pwrite64", "unlink", "ftruncate", "fchown"];
        let fail = |call: &&str| format!("{call}:error=EROFS:when={}", site.on_from_here(call));
        begins.then(|| at_once.iter().map(fail).collect())
    };
    sweep(&pass(), "read_only", read_only, |home, struck| {
        assert_explained(&struck.ended, &[73, 74], &struck.about);
        assert_nothing_lost(home, &struck);
    });
}

fn refusal(site: &Site) -> &'static str {
    ["ENOSPC", "EROFS", "EACCES", "EMFILE"][site.nth % 4]
}

#[test]
fn a_journal_that_cannot_be_made_ends_the_pass_before_the_next_request() {
    let refuse = |site: &Site| {
        let makes = site.call == "openat" && site.arguments.contains("O_CREAT");
        (makes && on_database(site)).then(|| vec![inject(site, refusal(site), true)])
    };
    sweep(&pass(), "no_journal", refuse, |home, struck| {
        let about = &struck.about;
        assert_nothing_lost(home, &struck);
        // A lock file, or a folder that others took over.
        let no_access = !struck.site.arguments.contains("-journal\"");
        if no_access || refusal(struck.site) == "EACCES" {
            assert_explained(&struck.ended, &[73], about);
        } else {
            assert_explained(&struck.ended, &[74], about);
            struck.ended.saying(&["no journal can be made"]);
        }
    });
}

#[test]
fn a_network_that_fails_at_any_call_leaves_every_request_on_record() {
    let fail = |site: &Site| {
        let error = match site.call.as_str() {
            "connect" => ["ECONNREFUSED", "ENETUNREACH"][site.nth % 2],
            "writev" | "sendto" | "sendmsg" => "EPIPE",
            "recvfrom" if site.requests_before > 0 => "ECONNRESET",
            _ => return None,
        };
        Some(vec![inject(site, error, site.nth.is_multiple_of(2))])
    };
    sweep(&pass(), "network", fail, |home, struck| {
        let about = &struck.about;
        let ended = &struck.ended;
        assert!([0, 69].contains(&ended.code()), "{about}: {ended}");
        assert_on_record(&home.server.record(), &home.sql(), about);
        assert_recovers(home, about);
    });
}

#[test]
fn seventy_where_the_system_denies_threads_or_files_and_nothing_is_sent() {
    let Some(tracer) = tracer("denied") else {
        return;
    };
    for call in ["eventfd2", "epoll_create1"] {
        let mut home = lab();
        let deny = format!("{call}:error=EMFILE:when=1");
        let (ended, struck) = tracer.inject(&home, pass().words, &[deny]);
        assert!(struck, "{call}");
        ended
            .expect(70)
            .saying(&["is there a limit on threads or files?"]);
        assert_recovers(&mut home, call);
        assert!(home.number("SELECT count(*) FROM hold") == 0, "{call}");
    }
}

#[test]
fn a_file_system_without_locks_is_told_before_anything_is_sent() {
    let Some(tracer) = tracer("no_locks") else {
        return;
    };
    for nth in 1..=2 {
        let home = lab();
        let deny = format!("flock:error=ENOLCK:when={nth}");
        let (ended, struck) = tracer.inject(&home, pass().words, &[deny]);
        assert!(struck);
        ended.expect(73).saying(&["stories.db", "local disk"]);
        assert!(home.calls().is_empty());
    }
}

#[test]
fn a_log_and_report_that_nobody_can_keep_change_nothing() {
    let mut home = lab();
    let full = || std::fs::File::options().write(true).open("/dev/full");
    let mut pass = home.command(["run"]);
    pass.stdout(full().unwrap()).stderr(full().unwrap());
    assert_eq!(pass.status().unwrap().code(), Some(0));
    assert_on_record(&home.server.record(), &home.sql(), "/dev/full");
    assert_recovers(&mut home, "/dev/full");
}
