//! `healthcheck`: what a watchdog is told, by the real binary.

use std::fs;

use crate::home::{Home, ended, signal, until};
use serde_json::Value;

const CHECK: [&str; 1] = ["healthcheck"];

fn status(home: &Home, code: i32) -> Value {
    home.run(["healthcheck", "--json"]).expect(code).report()
}

#[test]
fn a_profile_is_healthy_after_a_pass_and_not_before_the_first() {
    let home = Home::new();
    home.run(CHECK)
        .expect(73)
        .saying(&["not ok (73 CANTCREAT)", "there is no database"]);
    assert!(!home.database().exists());
    home.import();
    home.run(CHECK).expect(69).saying(&["no pass is on record"]);
    home.run(["run"]).expect(0);
    let before = fs::read(home.database()).unwrap();
    let files = || fs::read_dir(home.path("state")).unwrap().count();
    let count = files();
    let told = home.run(CHECK).expect(0);
    assert!(told.stdout.starts_with("ok: the last pass ended"), "{told}");
    assert_eq!(told.stdout.lines().count(), 1);
    let answer = status(&home, 0);
    assert_eq!(
        (&answer["healthy"], &answer["status"]),
        (&true.into(), &"well".into())
    );
    assert_eq!(answer["last_pass"]["exit_code"], 0);
    assert_eq!(fs::read(home.database()).unwrap(), before);
    assert_eq!(files(), count);
}

#[test]
fn another_profile_s_pass_proves_nothing() {
    let mut home = Home::logged_in();
    home.run(["run"]).expect(0);
    let config = fs::read_to_string(home.path("config.toml")).unwrap();
    fs::write(home.path("config.toml"), config + "[profile.second]\n").unwrap();
    home.variable("STORY_LIKER_PROFILE", "second");
    home.run(CHECK).expect(77).saying(&["there is no session"]);
    home.sql()
        .execute_batch(
            "INSERT INTO account (profile) VALUES ('second');
             INSERT INTO session (account, pk, format, content, obtained_at)
             SELECT (SELECT max(id) FROM account), pk, format, content, obtained_at FROM session",
        )
        .unwrap();
    home.run(CHECK).expect(69).saying(&["no pass is on record"]);
}

#[test]
fn a_pass_that_is_too_long_ago_names_both_spans_and_the_timer() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    let hour = "UPDATE run SET started_at = started_at - 3600000, ended_at = ended_at - 3600000";
    home.sql().execute(hour, []).unwrap();
    home.run(["healthcheck", "--max-age", "2h"]).expect(0);
    home.run(["healthcheck", "--max-age", "59m"])
        .expect(69)
        .saying(&["the last pass ended 1h", "59m is allowed", "timer"]);
    home.sql().execute_batch(&[hour; 3].join(";")).unwrap();
    assert_eq!(status(&home, 69)["status"], "too_old");
}

#[test]
fn a_bad_end_is_told_with_its_own_exit_code() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    home.arm("any", "challenge_required");
    home.run(["run", "--check-all"]).expect(77);
    let told = home.run(CHECK).expect(77);
    told.saying(&["hold 'challenge'", "story-liker resume"]);
    let answer = status(&home, 77);
    assert_eq!(
        (&answer["healthy"], &answer["status"]),
        (&false.into(), &"person_needed".into())
    );
}

#[test]
fn throttling_is_waited_out_without_an_alarm() {
    let home = Home::logged_in();
    home.arm("any", "error_429_empty");
    home.run(["run"]).expect(75);
    assert_eq!(status(&home, 0)["status"], "waiting");
    home.run(["run"]).expect(75);
    assert_eq!(status(&home, 0)["status"], "waiting");
}

#[test]
fn quiet_hours_are_healthy() {
    let mut home = Home::logged_in();
    home.set("quiet_hours", "\"00:00-23:59\"")
        .set("time_zone", "\"UTC\"");
    home.run(["run"]).expect(0);
    home.run(CHECK).expect(0);
}

#[test]
fn a_pass_under_way_is_alive_and_a_killed_one_is_not() {
    let mut home = Home::logged_in();
    home.set("pace.between_requests", "\"20s..20s\"");
    let mut child = home.start(["run"]);
    until("a request arrives", || home.calls().len() == 1);
    assert_eq!(status(&home, 0)["status"], "running");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(&home, 74)["status"], "cut_off");
    let child = home.start(["run"]);
    until("the next pass is under way", || status_is(&home, "running"));
    signal(&child, "TERM");
    ended(child);
    assert_eq!(status(&home, 0)["status"], "well");
}

fn status_is(home: &Home, expected: &str) -> bool {
    home.run(["healthcheck", "--json"]).report()["status"] == expected
}

#[test]
fn after_an_upgrade_the_age_of_the_last_pass_decides_until_the_next_one_migrates() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    home.sql()
        .execute_batch(
            "DROP INDEX attempt_about_item;
             DROP TABLE delivery;
             DROP TABLE notice;
             DELETE FROM refinery_schema_history WHERE version > 1",
        )
        .unwrap();
    let before = fs::read(home.database()).unwrap();
    let answer = status(&home, 0);
    assert_eq!(
        (&answer["healthy"], &answer["status"]),
        (&true.into(), &"upgrading".into())
    );
    home.run(CHECK)
        .expect(0)
        .saying(&["the last pass ended", "schema of an older version"]);
    assert_eq!(fs::read(home.database()).unwrap(), before);
    home.run(["run", "--no-migrate"]).expect(73);
    let hours = "UPDATE run SET started_at = started_at - 14400000, ended_at = ended_at - 14400000";
    home.sql().execute(hours, []).unwrap();
    assert_eq!(status(&home, 69)["status"], "too_old");
    home.run(["run"]).expect(0);
    assert_eq!(status(&home, 0)["status"], "well");
}

#[test]
fn a_pass_that_was_given_more_time_than_the_key_says_is_not_stuck_before_that_is_over() {
    let mut home = Home::logged_in();
    home.set("limits.max_runtime", "\"5m\"")
        .set("pace.between_requests", "\"20s..20s\"");
    let child = home.start(["run", "--max-runtime", "20m"]);
    until("a request arrives", || home.calls().len() == 1);
    let started = |minutes_ago: i64| {
        let past = minutes_ago * 60_000;
        home.sql()
            .execute(
                &format!("UPDATE run SET started_at = started_at - {past}"),
                [],
            )
            .unwrap();
    };
    started(19);
    assert_eq!(status(&home, 0)["status"], "running");
    home.run(["doctor"]).expect(0);
    started(19);
    assert_eq!(status(&home, 75)["status"], "stuck");
    signal(&child, "TERM");
    ended(child).expect(0);
}

#[test]
fn a_watchdog_needs_no_secret_and_a_broken_configuration_is_told_in_one_line() {
    let mut home = Home::logged_in();
    home.run(["run"]).expect(0);
    home.set("account.password_file", "\"not-for-you\"")
        .set("session.relogin", "\"once-a-day\"");
    home.run(["run"]).expect(78);
    home.run(CHECK).expect(0);
    home.set("limits.likes", "\"many\"")
        .set("stories.check_every", "\"often\"");
    let told = home.run(CHECK).expect(78);
    assert_eq!(told.stdout.lines().count(), 1, "{told}");
    told.saying(&["2 mistakes", "limits.likes", "stories.check_every"]);
    let answer = status(&home, 78);
    assert_eq!(
        (&answer["healthy"], &answer["status"]),
        (&false.into(), &"not_started".into())
    );
}
