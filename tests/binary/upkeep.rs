//! `cleanup` and `migrate`: what they remove or make, and their last line.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use story_liker::practice::Wire;
use story_liker::practice::clock::{PracticeClock as _, WallClock};

use crate::home::{BINARY, Ended, Home};

#[test]
fn cleanup_counts_in_a_dry_run_and_then_removes_just_that() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    let days = 50 * 86_400_000_i64;
    home.sql()
        .execute_batch(&format!(
            "UPDATE story SET taken_at = taken_at - {days}, expiring_at = expiring_at - {days};
             UPDATE run SET started_at = started_at - {days}, ended_at = ended_at - {days}"
        ))
        .unwrap();
    let before = home.dump(&[]);
    let arguments = ["cleanup", "--older-than", "45d"];
    let would = home
        .run(arguments.into_iter().chain(["--dry-run"]))
        .expect(0)
        .report();
    assert_eq!(home.dump(&[]), before);
    assert_eq!(
        (&would["pruned"]["stories"], &would["dry_run"]),
        (&json!(3), &json!(true))
    );
    let did = home.run(arguments).expect(0).report();
    assert_eq!(did["pruned"], would["pruned"]);
    assert_eq!(home.number("SELECT count(*) FROM story"), 0);
    assert_eq!(home.number("SELECT count(*) FROM post"), 2);
    // What was pruned is not liked again: the record of likes outlives the items' rows.
    home.run(["run", "--check-all"]).expect(0);
    assert_eq!(home.likes().len(), 5);
    home.assert_flawless();
}

/// A home with one post, taken at noon of the day before yesterday; and the days around it.
fn with_an_old_post() -> (Home, Date, impl Fn(i64) -> String) {
    let home = Home::on(Wire::Plain, 0, 0);
    let now = jiff::Timestamp::from_millisecond(WallClock.now_ms()).unwrap();
    let today = TimeZone::UTC.to_datetime(now).date();
    let noon = today.saturating_sub(2.days()).at(12, 0, 0, 0);
    let taken_at = noon.to_zoned(TimeZone::UTC).unwrap().timestamp();
    home.server.with_world(|world| {
        let friend = world.users()[0].pk;
        world.add_post(friend, taken_at.as_second());
    });
    home.import();
    (home, today, move |later| {
        today.saturating_add(later.days()).to_string()
    })
}

fn dates_noted(home: &Home) -> i64 {
    home.number("SELECT count(*) FROM account WHERE ignore_posts_before IS NOT NULL")
}

#[test]
fn posts_before_a_day_are_removed_on_confirmation_and_never_liked_again() {
    let (home, today, day) = with_an_old_post();
    let today = today.to_string();
    home.run(["cleanup", "--posts-before", &today])
        .expect(64)
        .saying(&["--force"]);
    home.run(["run", "--dry-run"]).expect(0);
    let arguments = ["cleanup", "--posts-before", &today, "--force"];
    home.run(arguments.into_iter().chain(["--dry-run"]))
        .expect(0);
    assert_eq!(dates_noted(&home), 0);
    let midnight = format!("{today}T00:00:00Z");
    let removed = home.run(arguments).expect(0).report();
    assert_eq!(removed["ignore_posts_before"], midnight.as_str());
    // An earlier day takes nothing back, and the answer says so.
    let earlier = ["cleanup", "--posts-before", &day(-9), "--force"];
    home.run(earlier.into_iter().chain(["--log-format", "text"]))
        .expect(0)
        .saying(&[&format!("those before {midnight} are never liked again")]);

    let report = home.run(["run", "--check-all"]).expect(0).report();
    assert!(home.likes().is_empty(), "{report}");
    let reason = &report["decisions"][0]["reason"];
    assert_eq!(reason["code"], "too_old");
    assert_eq!(reason["posts_before"], midnight.as_str());
    let status = home.run(["status", "--json"]).expect(0).report();
    assert_eq!(status["ignore_posts_before"], midnight.as_str());
    home.run(["status"])
        .expect(0)
        .saying(&[&format!("those before {midnight} are never liked")]);
}

#[test]
fn posts_before_a_day_to_come_are_refused_and_nothing_is_noted() {
    let (home, _, day) = with_an_old_post();
    // Midnight may pass while the test runs, hence two days; the calendar's last has no midnight.
    for to_come in [day(2), "2999-01-01".to_owned(), "9999-12-31".to_owned()] {
        for dry_run in [&[][..], &["--dry-run"]] {
            let arguments = ["cleanup", "--posts-before", &to_come, "--force"];
            home.run(arguments.iter().chain(dry_run))
                .expect(64)
                .saying(&["is after today", "or an earlier day"]);
        }
    }
    assert_eq!(dates_noted(&home), 0);
    let status = home.run(["status", "--json"]).expect(0).report();
    assert_eq!(status["ignore_posts_before"], Value::Null);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 1);
}

#[test]
fn the_last_line_is_a_report_also_when_nothing_was_done() {
    let mut home = Home::new();
    home.set("database", "\"config.toml/stories.db\"");
    for command in ["run", "cleanup", "migrate"] {
        let report = home.run([command]).expect(73).report();
        assert_eq!(report["stop"]["name"], "not_started", "{command}");
        assert_eq!(report["exit"]["code"], 73);
        let text = home.run([command, "--log-format", "text"]).expect(73);
        assert_eq!(text.stdout, "", "a person reads it on stderr");
    }
}

#[test]
fn with_json_every_failure_is_an_answer_too() {
    let mut home = Home::new();
    let everything: [&[&str]; 12] = [
        &["status"],
        &["session", "show"],
        &["session", "import", "settings.json"],
        &["session", "export", "-"],
        &["session", "reseal"],
        &["session", "forget", "--key-lost"],
        &["explain", "1_2"],
        &["resume"],
        &["login"],
        &["rehearse"],
        &["cleanup"],
        &["migrate"],
    ];
    let answered = |home: &Home, command: &[&str], code: i32| {
        let told = home.run(command.iter().chain(&["--json"])).expect(code);
        let lines = told.stdout.lines().count();
        assert_eq!(lines, 1, "{command:?}: {told}");
        let exit = &told.report()["exit"];
        assert_eq!(exit["code"], code, "{command:?}: {told}");
        let reason = exit["reason"].as_str().unwrap();
        assert!(told.stderr.contains(reason), "{command:?}: {told}");
        let text = home.run(command.iter().chain(&["--log-format", "text"]));
        assert_eq!(text.expect(code).stdout, "", "{command:?}");
    };
    std::fs::write(home.path("key"), "").unwrap();
    answered(&home, &["session", "new-key", "key"], 73);
    home.set("weather", "1");
    for command in everything {
        answered(&home, command, 78);
    }
}

#[test]
fn migrate_makes_a_database_and_says_when_there_is_nothing_to_do() {
    let home = Home::new();
    home.run(["migrate", "--status"]).expect(73);
    let applied = home.run(["migrate"]).expect(0).report();
    let known = fs::read_dir("migrations/sqlite").unwrap().count();
    let names = applied["applied"].as_array().unwrap();
    assert_eq!(names.len(), known, "{applied}");
    let again = home.run(["migrate"]).expect(0).report();
    assert_eq!(again["applied"], json!([]));
    let status = home
        .run(["migrate", "--status", "--json"])
        .expect(0)
        .report();
    assert_eq!(status["pending"], json!([]));
}

#[test]
fn a_pass_that_may_not_migrate_refuses_a_missing_database() {
    let home = Home::new();
    home.run(["run", "--no-migrate"])
        .expect(73)
        .saying(&["story-liker migrate"]);
    assert!(!home.database().exists());
}

#[test]
fn a_mistyped_database_is_not_made_by_a_command_that_only_tidies() {
    let home = Home::new();
    for arguments in [
        vec!["resume"],
        vec!["cleanup", "--dry-run"],
        vec!["cleanup"],
    ] {
        let arguments = arguments.into_iter().chain(["--database", "typo.db"]);
        home.run(arguments)
            .expect(73)
            .saying(&["there is no database at"]);
        assert!(!home.path("typo.db").exists());
    }
}

/// A network of its own has a loopback interface that is down.
#[test]
fn a_rehearsal_that_reaches_nobody_keeps_no_promise() {
    let home = Home::new();
    let alone = |arguments: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.arg("-rn").args(arguments);
        unshare
    };
    if !alone(&["true"]).status().is_ok_and(|tried| tried.success()) {
        let _ = writeln!(io::stderr(), "skipped: no network name space can be made");
        return;
    }
    let mut rehearsal = home.prepare(alone(&[BINARY]), ["rehearse", "--days", "1"]);
    let told: Ended = rehearsal.output().unwrap().into();
    assert!(!told.stdout.contains("every promise was kept"), "{told}");
    told.expect(69).saying(&[
        "no request reached the practice Instagram",
        "ip link set lo up",
    ]);
}

#[test]
fn a_day_that_is_none_is_told_how_to_write_one() {
    let home = Home::new();
    home.run(["cleanup", "--posts-before", "01.02.2026", "--force"])
        .expect(64)
        .saying(&["write a day as YYYY-MM-DD, for example 2026-02-01"]);
}

#[test]
fn a_port_that_is_taken_is_told_with_the_reason_of_the_system() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(["rehearse", "--serve", &address])
        .expect(73)
        .saying(&["choose another port", "Address already in use"]);
}
