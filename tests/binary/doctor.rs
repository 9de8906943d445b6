//! `doctor`: the operator's wrong turns, named by the real binary with what to do; and nothing moves.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::home::{Ended, Home, ended, signal, until};
use serde_json::Value;

const DOCTOR: [&str; 1] = ["doctor"];

/// The checks, by their names.
fn checks(home: &Home, code: i32, more: &[&str]) -> BTreeMap<String, Value> {
    let arguments = [&["doctor", "--json"][..], more].concat();
    let answer = home.run(arguments).expect(code).report();
    assert_eq!(answer["exit"]["code"], code);
    let checks = answer["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (check["id"].as_str().unwrap().to_owned(), check.clone()))
        .collect()
}

/// The one that is in the way, with its words.
#[track_caller]
fn problem(home: &Home, code: i32, id: &str, words: &[&str]) {
    let checks = checks(home, code, &[]);
    let check = &checks[id];
    assert_eq!(check["status"], "problem", "{check}");
    assert_eq!(check["exit_code"], code, "{check}");
    let text = check.to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    assert!(
        check["remedy"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

/// Every file below a folder: content, mode, owner, times.
fn everything(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::metadata(&path).unwrap();
        if found.is_dir() {
            all.extend(everything(&path));
        }
        let content = fs::read(&path).unwrap_or_default();
        let (mode, time) = (found.mode(), (found.mtime(), found.mtime_nsec()));
        all.push(format!("{} {mode:o} {time:?} {content:?}", path.display()));
    }
    all.sort();
    all
}

/// Makes a key and configures it; its id.
fn seal(home: &mut Home, file: &str) -> String {
    let made = home.run(["session", "new-key", file, "--json"]).expect(0);
    home.set("secrets.key_file", &format!("\"{file}\""));
    made.report()["key"].as_str().unwrap().to_owned()
}

fn looked(home: &Home, arguments: &[&str], code: i32) -> Ended {
    let before = everything(home.folder.path());
    let told = home.run(arguments).expect(code);
    assert_eq!(everything(home.folder.path()), before, "{told}");
    told
}

#[test]
fn after_a_good_pass_there_is_no_problem_and_every_check_has_its_place() {
    let mut home = Home::new();
    seal(&mut home, "key");
    home.import();
    home.run(["run"]).expect(0);
    let told = looked(&home, &DOCTOR, 0);
    told.saying(&["no problem, "]);
    let asked = home.calls().len();
    let checks = checks(&home, 0, &["--online"]);
    assert_eq!(home.calls().len(), asked, "no request was sent");
    let ids: Vec<&str> = checks.keys().map(String::as_str).collect();
    let expected = [
        "clock",
        "configuration",
        "configuration_file",
        "database",
        "database_folder",
        "database_integrity",
        "database_owner",
        "database_schema",
        "disk_space",
        "holds",
        "lock",
        "memory",
        "network",
        "notices",
        "notify_url",
        "passes",
        "password",
        "ping_url",
        "quiet_hours",
        "session",
        "session_key",
        "session_seal",
        "targets",
        "time_zone",
        "totp_secret",
    ];
    assert_eq!(ids, expected);
    for (id, check) in &checks {
        // How much memory there is depends on where the tests run.
        assert!(check["status"] == "ok" || id == "memory", "{check}");
    }
}

#[test]
fn without_a_database_none_is_made() {
    let home = Home::new();
    let told = looked(&home, &DOCTOR, 77);
    told.saying(&[
        "there is none at",
        "session import",
        "a pass would end with 77 NOPERM",
    ]);
    assert!(!home.path("state").exists());
}

#[test]
fn a_broken_configuration_does_not_hide_the_rest() {
    let mut home = Home::logged_in();
    home.set("limits.likes", "\"many\"");
    home.set("pace.between_likes", "\"fast\"");
    problem(
        &home,
        78,
        "configuration",
        &["pace.between_likes", "allowed:"],
    );
    looked(&home, &DOCTOR, 78).saying(&[
        "limits.likes",
        "pace.between_likes",
        "not proved alive yet",
        "references are sound",
        "2 problems",
    ]);
    fs::write(home.path("config.toml"), "not toml").unwrap();
    let told = home
        .run(["doctor", "--database", "state/stories.db"])
        .expect(78);
    told.saying(&["not valid TOML", "references are sound"]);
}

#[test]
fn a_missing_or_open_credential_is_named_with_its_file() {
    let mut home = Home::logged_in();
    home.set("account.password_file", "\"no-such-file\"");
    problem(&home, 78, "password", &["no-such-file", "chmod 600"]);
    home.secret("account.password_file", "Correct-Horse");
    let path = home.path("account.password_file.secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    problem(&home, 78, "password", &["others may read it", "chmod 600"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let found = checks(&home, 0, &[]);
    assert!(
        found["password"]["finding"]
            .as_str()
            .unwrap()
            .contains("mode 600")
    );
    home.unset("account.password_file")
        .variable("IG_PASSWORD", "Correct-Horse");
    let told = home
        .run(DOCTOR)
        .expect(0)
        .saying(&["IG_PASSWORD", "a file of mode 600 is safer"]);
    let session = home.server.credentials().session_id;
    for secret in ["Correct-Horse", &session] {
        assert!(!told.to_string().contains(secret), "{told}");
    }
}

#[test]
fn damage_a_newer_version_and_another_program_s_file_are_told_apart() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    let sound = fs::read(home.database()).unwrap();
    let mut torn = sound.clone();
    let at = torn.len() - 4096 * 3;
    torn[at..].fill(0xA5);
    fs::write(home.database(), &torn).unwrap();
    problem(&home, 65, "database_integrity", &["damage", "restore"]);
    fs::write(home.database(), b"something else altogether".repeat(400)).unwrap();
    problem(&home, 65, "database_schema", &["damaged"]);
    fs::write(home.database(), &sound).unwrap();
    let dangling = "PRAGMA foreign_keys = OFF; UPDATE story SET target = 99";
    home.sql().execute_batch(dangling).unwrap();
    problem(&home, 65, "database_integrity", &["story", "target"]);
    fs::write(home.database(), &sound).unwrap();
    home.sql()
        .execute_batch(
            "UPDATE refinery_schema_history SET version = 99, name = 'later'
             WHERE version = (SELECT max(version) FROM refinery_schema_history)",
        )
        .unwrap();
    problem(
        &home,
        65,
        "database_schema",
        &["newer version", "use that version"],
    );
    fs::write(home.database(), &sound).unwrap();
    home.sql().pragma_update(None, "application_id", 7).unwrap();
    problem(&home, 65, "database_schema", &["another program"]);
}

#[test]
fn a_record_of_tomorrow_is_told_and_keeps_no_pass_from_its_work() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    let day = 86_400_000;
    home.sql()
        .execute_batch(&format!(
            "UPDATE run SET started_at = started_at + {day}, ended_at = ended_at + {day};
             UPDATE attempt SET claimed_at = claimed_at + {day}, settled_at = settled_at + {day}"
        ))
        .unwrap();
    home.run(["healthcheck"])
        .expect(75)
        .saying(&["in the future", "timedatectl"]);
    for _ in 0..2 {
        let told = home.run(["doctor"]).expect(0);
        told.saying(&[
            "warning  clock",
            "in the future",
            "timedatectl set-ntp true",
        ]);
        home.run(["run"]).expect(0);
    }
    home.run(["healthcheck"]).expect(0);
}

#[test]
fn an_expired_session_is_told_with_its_remedy() {
    let home = Home::logged_in();
    home.arm("any", "error_login_required");
    home.run(["run"]).expect(77);
    problem(
        &home,
        77,
        "holds",
        &["login_required", "story-liker session import"],
    );
    problem(&home, 77, "session", &["none", "story-liker login"]);
    home.run(["healthcheck"])
        .expect(77)
        .saying(&["session import"]);
}

#[test]
fn a_pass_under_way_is_named_and_goes_on_undisturbed() {
    let mut home = Home::logged_in();
    home.set("pace.between_requests", "\"20s..20s\"");
    let child = home.start(["run"]);
    until("a request arrives", || home.calls().len() == 1);
    let checks = checks(&home, 0, &[]);
    let told = checks["lock"]["finding"].as_str().unwrap();
    assert!(
        told.contains(&format!("process {} on", child.id())),
        "{told}"
    );
    assert!(told.contains("--lock-wait"), "{told}");
    assert_eq!(checks["passes"]["status"], "note");
    assert_eq!(checks["database_integrity"]["status"], "note");
    signal(&child, "TERM");
    ended(child).expect(0);
}

#[test]
fn a_file_that_another_program_keeps_locked_is_told() {
    let home = Home::logged_in();
    let other = home.sql();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    problem(
        &home,
        74,
        "database_schema",
        &["a program other than story-liker", "end it"],
    );
    home.run(["healthcheck"])
        .expect(74)
        .saying(&["a program other than story-liker"]);
}

#[test]
fn targets_in_trouble_and_failing_passes_are_warnings() {
    let mut home = Home::logged_in();
    home.set("targets", "[\"sandbox.nobody\", \"sandbox.friend\"]");
    home.run(["run"]).expect(10);
    let found = checks(&home, 0, &[]);
    assert_eq!(found["targets"]["status"], "warning");
    assert!(
        found["targets"]["finding"]
            .as_str()
            .unwrap()
            .contains("sandbox.nobody")
    );
    home.set("instagram.base_url", "\"http://127.0.0.1:1\"");
    home.run(["run", "--check-all"]).expect(69);
    let found = checks(&home, 69, &["--online"]);
    assert!(
        found["passes"]["finding"]
            .as_str()
            .unwrap()
            .contains("1 with 69")
    );
    assert_eq!(found["network"]["status"], "problem");
    let offline = checks(&home, 0, &[]);
    assert!(
        !offline.contains_key("network"),
        "asked for only with --online"
    );
}

#[test]
fn half_a_change_that_a_crash_left_is_a_matter_for_the_next_pass() {
    let home = Home::logged_in();
    let journal = home.path("state/stories.db-journal");
    let sql = home.sql();
    // More than the cache holds, so that a part is in the file before the end.
    sql.execute_batch(
        "PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE large (content);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO large SELECT randomblob(200) FROM n",
    )
    .unwrap();
    let left = [home.database(), journal.clone()].map(|path| (fs::read(&path).unwrap(), path));
    drop(sql);
    for (content, path) in left {
        fs::write(path, content).unwrap();
    }
    let found = checks(&home, 0, &[]);
    assert_eq!(found["database_schema"]["status"], "warning", "{found:?}");
    looked(&home, &DOCTOR, 0).saying(&["cut off by a crash", "story-liker run"]);
    home.run(["run"]).expect(0);
    let found = checks(&home, 0, &[]);
    assert_eq!(found["database_schema"]["status"], "ok", "{found:?}");
    assert!(!journal.exists());
}

#[test]
fn a_session_that_is_not_sealed_or_does_not_open_is_told_with_what_to_do() {
    let mut home = Home::logged_in();
    let told = |home: &Home, code: i32, status: &str, words: &[&str]| {
        let check = checks(home, code, &[]).remove("session_seal").unwrap();
        assert_eq!(check["status"], status, "{check}");
        for word in words {
            assert!(check.to_string().contains(word), "no {word:?} in {check}");
        }
    };
    told(&home, 0, "note", &["not sealed", "session new-key"]);
    let first = seal(&mut home, "first.key");
    told(
        &home,
        0,
        "note",
        &["not sealed yet", &first, "session reseal"],
    );
    home.run(["session", "reseal"]).expect(0);
    told(&home, 0, "ok", &[&first]);
    let second = seal(&mut home, "second.key");
    told(
        &home,
        78,
        "problem",
        &[&first, &second, "secrets.old_key_files"],
    );
    home.run(["run"]).expect(78);
    home.set("secrets.old_key_files", "[\"first.key\"]");
    told(&home, 0, "note", &["old key", &first, &second, "reseal"]);
    home.unset("secrets.old_key_files")
        .unset("secrets.key_file");
    told(&home, 78, "problem", &[&first, "no key is configured"]);
    // One cause is one problem.
    home.set("secrets.key_file", "\"no-such-key\"");
    problem(&home, 78, "session_key", &["no-such-key"]);
    told(&home, 78, "note", &["not tried"]);
    home.set("secrets.key_file", "\"second.key\"")
        .set("secrets.old_key_files", "[\"no-such-key\"]");
    problem(&home, 78, "session_key", &["no-such-key"]);
}

#[test]
fn who_cannot_be_told_is_a_warning_and_nobody_is_told_by_asking() {
    let mut home = Home::logged_in();
    let server = crate::raw_server::RawServer::start(vec![crate::ping::ok()]);
    home.secret(
        "ping.url_file",
        &format!("http://{}/secret-1", server.address),
    )
    .secret("notify.url_file", "http://localhost:1/secret-2")
    .set("notify.command", "\"/no/such/program\"")
    .set("metrics.file", "\"no/such/folder.prom\"");
    home.arm("read", "error_challenge_required");
    home.run(["run"]).expect(77);
    home.run(["resume"]).expect(0);
    let before = server.received().len();
    let told = looked(&home, &["doctor", "--online"], 0);
    assert_eq!(server.received().len(), before, "nothing was sent");
    let told = told.saying(&[
        "there is no program /no/such/program",
        "there is no folder",
        "2 not told, the oldest for 0 h",
        "(notify.url) takes no connection",
        "(ping.url) takes connections",
    ]);
    assert!(!told.to_string().contains("secret-"), "{told}");
    let found = checks(&home, 0, &[]);
    for id in ["notify_command", "metrics_file", "notices"] {
        assert_eq!(found[id]["status"], "warning", "{}", found[id]);
    }
}
