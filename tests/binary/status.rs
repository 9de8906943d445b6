//! `status`: always an answer, never a change.

use std::fs;

use crate::home::{FRIEND, Home, ended, signal, until};
use serde_json::Value;
use story_liker::practice::Wire;

fn status(home: &Home) -> Value {
    home.run(["status", "--json"]).expect(0).report()
}

#[test]
fn status_of_a_profile_never_used_says_so() {
    let home = Home::logged_in();
    let text = home.run(["status", "--profile", "second"]).expect(0);
    text.saying(&["'second' has not been used", "session import"]);
    let answer = home
        .run(["status", "--profile", "second", "--json"])
        .expect(0)
        .report();
    assert_eq!(answer["account"], Value::Null);
}

#[test]
fn status_shows_windows_items_targets_and_runs_and_changes_nothing() {
    let mut home = Home::on(Wire::Plain, 3, 2);
    home.set("limits.likes", "[\"4/1h\", \"60/24h\"]");
    home.import();
    let before = status(&home);
    assert_eq!(before["next"]["why"], format!("{FRIEND} is due"));
    home.run(["run"]).expect(0);
    let content = fs::read(home.database()).unwrap();
    let now = status(&home);
    let window = |limit: &str| {
        let windows = now["windows"].as_array().unwrap();
        windows
            .iter()
            .find(|window| window["limit"] == limit)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&window("4/1h")["used"], &window("4/1h")["free"]),
        (&4.into(), &0.into())
    );
    assert_eq!(window("60/24h")["used"], 4);
    assert_eq!(now["next"]["at"], window("4/1h")["next_at"]);
    assert_eq!(now["next"]["why"], "limits.likes 4/1h has room");
    assert_eq!(now["targets"][0]["username"], FRIEND);
    assert_eq!(now["targets"][0]["likes"][0]["used"], 4);
    assert_eq!(now["runs"][0]["exit_code"], 0);
    assert_eq!(now["runs"][0]["likes"], 4);
    home.run(["status"]).expect(0).saying(&[
        "4/1h: 4 used, 0 free; room again at",
        "story liked",
        "sandbox.operator",
        "exit 0",
    ]);
    assert_eq!(
        fs::read(home.database()).unwrap(),
        content,
        "nothing was written"
    );
}

#[test]
fn what_waits_for_the_window_of_its_target_is_not_next() {
    let mut home = Home::on(Wire::Plain, 3, 2);
    home.set("limits.likes_per_target", "[\"2/24h\"]");
    home.import();
    home.run(["run"]).expect(0);
    let after = status(&home);
    let window = &after["targets"][0]["likes"][0];
    assert_eq!(
        (&window["limit"], &window["free"]),
        (&"2/24h".into(), &0.into())
    );
    assert_eq!(after["next"]["at"], window["next_at"]);
    let why = format!("limits.likes_per_target 2/24h has room for {FRIEND}");
    assert_eq!(after["next"]["why"], why);

    home.set("limits.likes_per_target", "[\"9/24h\"]");
    assert_eq!(status(&home)["next"]["why"], "items wait to be liked");
}

#[test]
fn a_warm_up_is_told_by_status_the_report_and_the_log() {
    let mut home = Home::new();
    home.set("limits.warm_up", "[\"10%/3d\", \"50%/7d\"]");
    home.import();
    let before = status(&home);
    assert_eq!(before["warm_up"]["percent"], 10);
    assert_eq!(before["warm_up"]["until"], Value::Null);
    let ran = home.run(["run"]).expect(0).saying(&["10% of their limits"]);
    let report = ran.report();
    assert_eq!(report["warm_up"]["percent"], 10);
    let limit_shown = |of: &Value| {
        let windows = of["windows"].as_array().unwrap().clone();
        windows.iter().any(|window| window["limit"] == "10/1h")
    };
    assert!(limit_shown(&report), "{report}");
    let after = status(&home);
    assert!(after["warm_up"]["until"].is_string(), "{after}");
    assert!(limit_shown(&after), "{after}");
    home.run(["status"])
        .expect(0)
        .saying(&["at 10% of their limits until", "limits.warm_up"]);
}

#[test]
fn status_answers_while_a_pass_runs_and_under_a_hold() {
    let mut home = Home::new();
    home.set("pace.between_requests", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"");
    home.import();
    let pass = home.start(["run"]);
    until("the first request settled", || {
        home.number("SELECT count(*) FROM attempt WHERE outcome IS NOT NULL") == 1
    });
    let running = status(&home);
    assert_eq!(running["runs"][0]["ended_at"], Value::Null);
    assert_eq!(running["windows"][0]["used"], 1);
    signal(&pass, "TERM");
    ended(pass).expect(0);

    home.set("pace.between_requests", "\"0s..0s\"");
    home.arm("like", "error_feedback_required_limit");
    home.run(["run"]).expect(75);
    let held = status(&home);
    let hold = &held["holds_in_force"][0];
    assert_eq!(hold["reason"], "action_blocked");
    assert_eq!(held["next"]["at"], hold["until"]);
    assert_eq!(
        held["windows"][0]["limit"], "500/1h",
        "only likes are halved"
    );
    let halved = held["windows"]
        .as_array()
        .unwrap()
        .iter()
        .any(|w| w["limit"] == "50/1h");
    assert!(halved && held["halved_until"].is_string(), "{held}");
    home.run(["status"])
        .expect(0)
        .saying(&["'action_blocked'", "likes are halved until"]);

    home.run(["resume", "--force"]).expect(0);
    let resumed = status(&home);
    assert_eq!(resumed["holds_in_force"], Value::Array(Vec::new()));
    assert_eq!(resumed["recent_holds"][0]["cleared_by"], "resume");
}

#[test]
fn status_names_the_trouble_of_a_target_and_what_waits_for_a_person() {
    let mut home = Home::logged_in();
    home.set("targets", &format!("[\"sandbox.nobody\", \"{FRIEND}\"]"));
    home.run(["run"]).expect(10);
    let answer = status(&home);
    let targets = answer["targets"].as_array().unwrap();
    let nobody = targets
        .iter()
        .find(|one| one["username"] == "sandbox.nobody")
        .unwrap();
    assert_eq!(nobody["trouble"], "gone");
    assert_eq!(nobody["next_check_at"], nobody["retry_at"]);

    home.arm("read", "error_challenge_required");
    home.run(["run", "--check-all"]).expect(77);
    let answer = status(&home);
    assert_eq!(answer["next"]["at"], Value::Null);
    home.run(["status"])
        .expect(0)
        .saying(&["not before a person acts", "'challenge'"]);
}
