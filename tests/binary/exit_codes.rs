//! Every exit code that the real binary can end with here, each by its cause. Those of signals are
//! in `signals.rs`.

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use crate::home::{BINARY, Ended, FRIEND, Home};
use serde_json::Value;
use story_liker::practice::Wire;
use story_liker::practice::switches::{DateHeader, Switches};

const RUN: [&str; 1] = ["run"];

#[test]
fn zero_after_liking_what_is_new_and_again_when_nothing_is() {
    for wire in [Wire::Plain, Wire::Tls] {
        let home = Home::on(wire, 3, 2);
        home.import();
        let first = home.run(RUN).expect(0).report();
        assert_eq!(first["exit"]["code"], 0, "{first}");
        assert_eq!(home.likes().len(), 5, "{first}");
        let asked = home.calls().len();
        let second = home.run(RUN).expect(0).report();
        assert_eq!(second["stop"]["name"], "done", "{second}");
        assert_eq!(home.calls().len(), asked, "nothing was due: {second}");
        home.run(["run", "--check-all"]).expect(0);
        assert_eq!(home.likes().len(), 5);
        home.assert_flawless();
    }
}

#[test]
fn zero_when_a_window_is_full_or_the_hours_are_quiet() {
    let mut home = Home::new();
    home.set("limits.likes", "\"2/1h\"");
    home.import();
    let report = home.run(RUN).expect(0).report();
    assert_eq!(report["stop"]["name"], "window_full");
    assert_eq!(home.likes().len(), 2);
    home.set("quiet_hours", "\"00:00-23:59\"")
        .set("time_zone", "\"UTC\"");
    let report = home.run(RUN).expect(0).report();
    // The one minute of the day that is not quiet ends at the window instead.
    let stop = report["stop"]["name"].as_str().unwrap();
    assert!(["quiet_hours", "window_full"].contains(&stop), "{report}");
}

#[test]
fn ten_when_one_target_has_trouble_of_its_own_and_the_others_are_served() {
    let mut home = Home::logged_in();
    home.set("targets", &format!("[\"sandbox.nobody\", \"{FRIEND}\"]"));
    let ended = home.run(RUN).expect(10);
    assert_eq!(ended.report()["exit"]["name"], "partial");
    assert_eq!(home.likes().len(), 5);
    home.run(RUN).expect(0);
    home.assert_flawless();
}

#[test]
fn a_pass_over_some_targets_leaves_the_others_alone() {
    let mut home = Home::logged_in();
    home.set("targets", &format!("[\"sandbox.nobody\", \"{FRIEND}\"]"));
    home.run(["run", "--targets", &format!("@{FRIEND}")])
        .expect(0);
    assert_eq!(home.likes().len(), 5);
    let record = home.server.record();
    assert!(record.iter().all(|entry| !entry.path.contains("nobody")));
}

#[test]
fn sixty_four_for_a_command_line_that_makes_no_sense() {
    let home = Home::logged_in();
    let report = home.run(["run", "--speed", "9"]).expect(64).report();
    assert_eq!(report["exit"]["code"], 64);
    assert!(
        report["exit"]["reason"]
            .as_str()
            .unwrap()
            .contains("--speed")
    );
    // Also what stands on a line of its own below.
    let arguments = ["cleanup", "--posts-before", "2026-01-01"];
    let report = home.run(arguments).expect(64).report();
    assert_eq!(
        report["exit"]["reason"],
        "the following required arguments were not provided: --force"
    );
    home.run(["status", "now", "--json"]).expect(64).report();
    let refused = home.run(["status", "now"]).expect(64);
    assert_eq!(refused.stdout, "");
    for too_short in ["24h", "44d", "1079h"] {
        home.run(["cleanup", "--older-than", too_short])
            .expect(64)
            .saying(&[&format!("--older-than {too_short}: "), "45d or more"]);
    }
    home.run(["cleanup", "--older-than", "45d"]).expect(0);
    let ended = home.run(["run", "--targets", "stranger"]).expect(64);
    assert_eq!(ended.report()["exit"]["code"], 64);
    ended.saying(&["stranger", FRIEND]);
    assert!(home.calls().is_empty());
}

#[test]
fn the_end_of_a_pass_is_logged_as_loudly_as_it_needs_a_person() {
    for (reply, code, level) in [
        ("error_challenge_required", 77, "error"),
        ("error_feedback_required_limit", 75, "warn"),
    ] {
        let home = Home::logged_in();
        home.arm("read", reply);
        let ended = home.run(["run", "--log-level", level]).expect(code);
        let mut lines = ended.stdout.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line
        });
        let end = lines.find(|line| line["exit_code"] == code);
        assert_eq!(end.unwrap()["level"], level, "{ended}");
    }
    let home = Home::logged_in();
    let ended = home.run(["run", "--log-level", "warn"]).expect(0);
    assert_eq!(ended.stdout.lines().count(), 1, "the report alone: {ended}");
}

#[test]
fn seventy_four_when_an_answer_cannot_be_written_and_zero_when_nobody_stays_to_read_it() {
    let home = Home::logged_in();
    let to = |out: Stdio, arguments: &[&str]| -> Ended {
        let mut command = home.command(arguments);
        command.stdout(out).output().unwrap().into()
    };
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["status", "--json"][..],
        &["config", "show"],
        &["completions", "bash"],
        &["man"],
        &["migrate", "--status"],
        &["migrate"],
        &["cleanup"],
        &["session", "show"],
        &["rehearse"],
        &["--help"],
        &["--version"],
    ] {
        to(full().into(), arguments)
            .expect(74)
            .saying(&["cannot be written to standard output: No space left"]);
        let (reader, pipe) = std::io::pipe().unwrap();
        drop(reader);
        let left = to(pipe.into(), arguments).expect(0);
        assert_eq!(left.stderr, "", "{arguments:?}");
    }
    to(full().into(), &["rehearse", "--serve", "127.0.0.1:0"])
        .expect(74)
        .saying(&["how to reach the practice server: No space left"]);
    // A failure of another kind stays what it is, and so does a pass, which is on record.
    to(full().into(), &["status", "--database", "nowhere.db"]).expect(73);
    to(full().into(), &["run"])
        .expect(0)
        .saying(&["cannot be written to standard output"]);
    assert_eq!(home.likes().len(), 5);
}

#[test]
fn sixty_five_for_a_damaged_or_newer_database_which_is_left_as_it_is() {
    let home = Home::logged_in();
    let healthy = fs::read(home.database()).unwrap();
    home.sql()
        .execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')",
            [],
        )
        .unwrap();
    let newer = fs::read(home.database()).unwrap();
    let mut torn = healthy.clone();
    torn[4096..].fill(0xA5);
    let cases = [
        newer,
        torn,
        b"not a database at all, but long enough to be one".repeat(90),
    ];
    for content in cases {
        fs::write(home.database(), &content).unwrap();
        for arguments in [&["run"][..], &["resume"], &["status"], &["session", "show"]] {
            home.run(arguments).expect(65).saying(&["stories.db"]);
        }
        assert_eq!(fs::read(home.database()).unwrap(), content);
    }
    assert!(
        home.calls().is_empty(),
        "no request before the database is known to be sound"
    );
}

#[test]
fn sixty_nine_when_nobody_answers() {
    let mut home = Home::logged_in();
    home.set("instagram.base_url", "\"http://127.0.0.1:1\"");
    let report = home.run(RUN).expect(69).report();
    assert_eq!(report["stop"]["name"], "unavailable");
    assert_eq!(home.number("SELECT count(*) FROM hold"), 0);
}

#[test]
fn seventy_when_the_system_denies_what_the_program_cannot_do_without() {
    let home = Home::logged_in();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -n 4 && exec \"$0\" resume", BINARY]);
    let ended = home.prepare(shell, [""; 0]).output().unwrap();
    crate::home::Ended::from(ended)
        .expect(70)
        .saying(&["signals cannot be caught"]);
}

#[test]
fn seventy_three_when_the_database_cannot_be_opened_or_created() {
    let mut home = Home::new();
    for command in [
        &["status"][..],
        &["session", "show"],
        &["session", "export", "-"],
    ] {
        home.run(command)
            .expect(73)
            .saying(&["no database", "migrate"]);
    }
    assert!(!home.database().exists(), "looking creates nothing");
    home.set("database", "\"config.toml/stories.db\"");
    let ended = home.run(RUN).expect(73);
    assert_eq!(ended.report()["stop"]["name"], "not_started");
    fs::create_dir(home.path("folder")).unwrap();
    home.set("database", "\"folder\"");
    home.run(RUN).expect(73).saying(&["not a file"]);
    assert!(home.calls().is_empty());
}

#[test]
fn seventy_four_when_the_disk_is_full_and_the_next_pass_goes_on_without_a_second_like() {
    let mut home = Home::on(Wire::Plain, 40, 0);
    home.set("limits.likes_per_run", "50");
    home.import();
    let pages = fs::metadata(home.database()).unwrap().len() / 512;
    let mut seen = Vec::new();
    // The file may grow by this many blocks: nowhere, and a little further on.
    for more in [0, 8, 16, 24] {
        let mut shell = Command::new("/bin/sh");
        let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" run", pages + more);
        shell.args(["-c", &limit, BINARY]);
        let ended = home.prepare(shell, [""; 0]).output().unwrap();
        let ended = crate::home::Ended::from(ended);
        if ended.code() == 0 {
            break;
        }
        let ended = ended.expect(74);
        assert_eq!(ended.report()["exit"]["name"], "IOERR");
        seen.push(home.likes().len());
    }
    let stopped_between_likes = seen.iter().any(|likes| (1..40).contains(likes));
    assert!(stopped_between_likes, "{seen:?}");
    home.run(RUN).expect(0);
    let left = 40 - home.likes().len();
    assert!(
        left <= seen.len(),
        "a pass leaves at most one item unsettled: {left} left"
    );
    let integrity: String = home
        .sql()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
    home.assert_flawless();
}

#[test]
fn seventy_five_while_another_process_works_for_the_profile_and_names_it() {
    let mut home = Home::new();
    home.set("pace.between_requests", "\"30s..30s\"");
    home.import();
    let working = home.start(RUN);
    crate::home::until("the first request", || !home.calls().is_empty());
    let holder = format!("process {}", working.id());
    let ended = home.run(RUN).expect(75);
    assert_eq!(ended.report()["exit"]["code"], 75);
    ended.saying(&[&holder, "story-liker run", "since"]);
    home.run(["resume"]).expect(75).saying(&[&holder]);
    home.run(["cleanup"]).expect(75).saying(&[&holder]);
    home.run(["migrate"]).expect(75).saying(&[&holder]);
    // Looking needs no lock, and other profiles have their own.
    home.run(["status"]).expect(0);
    home.run(["session", "show"]).expect(0);
    home.run(["resume", "--profile", "second"]).expect(0);
    crate::home::signal(&working, "TERM");
    crate::home::ended(working).expect(0);
}

#[test]
fn seventy_five_for_a_timed_hold_when_it_is_met_and_as_long_as_it_lasts() {
    for reply in [
        "error_429_empty",
        "error_please_wait_401",
        "error_feedback_required_limit",
    ] {
        let home = Home::logged_in();
        home.arm("like", reply);
        let met = home.run(RUN).expect(75).report();
        assert_eq!(met["stop"]["name"], "objection", "{met}");
        let asked = home.calls().len();
        let held = home.run(RUN).expect(75).report();
        assert_eq!(held["stop"]["name"], "held", "{held}");
        home.run(["run", "--dry-run"]).expect(75);
        assert_eq!(
            home.calls().len(),
            asked,
            "{reply}: nothing is sent under a hold"
        );
        home.run(["resume"]).expect(0).saying(&["kept"]);
        home.run(RUN).expect(75);
        assert_eq!(home.calls().len(), asked);
        home.run(["resume", "--force"])
            .expect(0)
            .saying(&["cleared"]);
        home.run(RUN).expect(0);
        assert!(home.calls().len() > asked);
    }
}

#[test]
fn seventy_five_when_the_clock_is_off_and_nothing_is_written_then() {
    for seconds in [600, -600, 86_400, -86_400] {
        let home = Home::logged_in();
        home.server.set_switches(Switches {
            date: DateHeader::Skewed(seconds),
            ..Switches::default()
        });
        let met = home.run(RUN).expect(75).saying(&["set the clock (NTP)"]);
        let report = met.report();
        assert_eq!(report["stop"]["name"], "clock_off");
        assert_eq!(home.calls().len(), 1, "{report}");
        assert!(home.likes().is_empty());
    }
}

#[test]
fn seventy_six_for_an_answer_of_unknown_form() {
    for reply in [
        "error_200_html_login_page",
        "redirect",
        "error_200_status_fail",
    ] {
        let home = Home::logged_in();
        home.arm("stories", reply);
        let report = home.run(RUN).expect(76).report();
        assert_eq!(report["exit"]["name"], "PROTOCOL");
        let asked = home.calls().len();
        home.run(RUN).expect(75);
        assert_eq!(home.calls().len(), asked, "{reply}");
    }
}

#[test]
fn seventy_seven_where_a_person_is_needed() {
    let home = Home::new();
    home.run(RUN)
        .expect(77)
        .saying(&["stories.db", "session import", "login"]);
    assert!(home.calls().is_empty());
    for reply in [
        "error_challenge_required",
        "error_login_required",
        "error_account_suspended",
    ] {
        let home = Home::logged_in();
        home.arm("read", reply);
        let met = home.run(RUN).expect(77).report();
        assert_eq!(met["stop"]["name"], "objection", "{reply}: {met}");
        let asked = home.calls().len();
        home.run(RUN).expect(77);
        home.run(["login"]).saying(&["story-liker:"]);
        assert_eq!(home.calls().len(), asked, "{reply}");
    }
}

#[test]
fn seventy_eight_for_a_configuration_that_cannot_be_meant() {
    let cases = [
        ("limits.likes", "\"12 an hour\"", "limits.likes"),
        ("limits.lkies", "\"12/1h\"", "limits.likes"),
        ("targets", "[]", "targets"),
        ("targets", "[\"sandbox.operator\"]", "sandbox.operator"),
        ("account.password_file", "\"missing\"", "missing"),
        (
            "instagram.base_url",
            "\"https://example.org\"",
            "instagram.base_url",
        ),
    ];
    for (key, value, word) in cases {
        let mut home = Home::logged_in();
        home.set(key, value);
        let ended = home.run(RUN).expect(78);
        assert_eq!(ended.report()["exit"]["name"], "CONFIG");
        ended.saying(&[word]);
        assert!(home.calls().is_empty());
    }
}

#[test]
fn success_codes_change_the_status_and_not_the_report() {
    let home = Home::logged_in();
    home.arm("read", "error_429_empty");
    let ended = home.run(["run", "--success-codes", "10,75"]).expect(0);
    assert_eq!(ended.report()["exit"]["code"], 75);
    let ended = home.run(["run", "--success-codes", "75"]).expect(0);
    assert_eq!(ended.report()["exit"]["code"], 75);
    home.run(["run", "--success-codes", "10"]).expect(75);
    let ended = home
        .run(["run", "--success-codes", "64", "--targets", "stranger"])
        .expect(0);
    assert_eq!(ended.report()["exit"]["code"], 64);
}

#[test]
fn a_dry_run_explains_and_leaves_every_row_but_its_own_reads() {
    let home = Home::new();
    home.import();
    let allowed = ["attempt", "session", "account", "sqlite_sequence"];
    let before = home.dump(&allowed);
    let report = home.run(["run", "--dry-run"]).expect(0).report();
    assert_eq!(home.dump(&allowed), before);
    let would = report["decisions"].as_array().unwrap();
    assert_eq!(would.len(), 5, "{report}");
    assert!(
        would.iter().all(|one| one["decision"] == "would_like"),
        "{report}"
    );
    assert!(
        would[0]["why"].as_str().unwrap().contains("100/1h"),
        "{report}"
    );
    assert_eq!(
        home.number("SELECT count(*) FROM attempt WHERE kind <> 'read'"),
        0
    );
    assert_eq!(
        usize::try_from(home.number("SELECT count(*) FROM attempt")).unwrap(),
        home.calls().len()
    );
    assert!(
        home.server
            .record()
            .iter()
            .all(|entry| !entry.act.is_write())
    );
    // What it said is what a pass then does.
    home.run(RUN).expect(0);
    assert_eq!(home.likes().len(), 5);
    let asked = home.calls().len();
    home.run(["run", "--dry-run"]).expect(0);
    assert_eq!(home.calls().len(), asked);
    home.assert_flawless();
}

#[test]
fn secrets_are_kept_where_only_the_owner_reads() {
    use crate::home::mode;
    let home = Home::logged_in();
    home.run(RUN).expect(0);
    home.run(["session", "export", "exported.json"]).expect(0);
    assert_eq!(mode(&home.path("state")), 0o700);
    assert_eq!(mode(&home.database()), 0o600);
    assert_eq!(mode(&home.path("exported.json")), 0o600);
    for entry in fs::read_dir(home.path("state")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}
