//! SIGKILL at every system call with an effect.

use crate::home::{Home, mode};
use crate::lab::{
    age, as_left, assert_at_rest, assert_completes, assert_moderate, assert_on_record,
    assert_recovers, bare_home, lab, number,
};
use crate::strace::{Site, Words};
use crate::sweep::{Scene, Struck, sweep};

/// Kills at each call. `check` gets the home as it was left.
pub fn killed(scene: &Scene, check: impl Fn(&mut Home, &Struck<'_>) + Sync) {
    killed_after(0, scene, check);
}

/// The same at the calls after so many requests.
fn killed_after(requests: usize, scene: &Scene, check: impl Fn(&mut Home, &Struck<'_>) + Sync) {
    let kill = |site: &Site| {
        let kill = format!("{}:signal=SIGKILL:when={}", site.call, site.nth);
        (site.requests_before >= requests && !site.only_reads()).then(|| vec![kill])
    };
    sweep(scene, "killed", kill, |home, struck| {
        let about = &struck.about;
        assert_eq!(struck.ended.signal(), Some(9), "{about}: {}", struck.ended);
        let record = home.server.record();
        match as_left(home) {
            Some(sql) => assert_on_record(&record, &sql, about),
            None => assert!(record.is_empty(), "{about}: {record:?}"),
        }
        // Looking works, or says who repairs.
        if struck.site.nth % 4 == 0 && home.database().exists() {
            let status = home.run(["status"]);
            assert!([0, 73, 74].contains(&status.code()), "{about}: {status}");
            if status.code() != 0 {
                status.saying(&["run`"]);
            }
        }
        check(home, &struck);
    });
}

const RUN: Words = Words {
    arguments: &["run"],
    input: None,
};

#[test]
fn a_pass_killed_at_any_system_call_goes_on_where_it_was() {
    let scene = Scene {
        name: "pass",
        words: RUN,
        home: lab,
    };
    killed(&scene, |home, struck| {
        assert_recovers(home, &struck.about);
    });
}

fn blocked() -> Home {
    let home = lab();
    home.server.arm(
        story_liker::practice::trouble::Trouble::new("like", "error_feedback_required_limit")
            .unwrap()
            .after(1),
    );
    home
}

#[test]
fn an_objection_is_remembered_whole_or_not_at_all() {
    let scene = Scene {
        name: "objection",
        words: RUN,
        home: blocked,
    };
    // Up to its second like it is a pass as any other: look-up, stories, view, like, view.
    killed_after(5, &scene, |home, struck| {
        let about = &struck.about;
        let held = as_left(home).map_or(0, |sql| {
            let refused = number(
                &sql,
                "SELECT count(*) FROM attempt WHERE outcome = 'refused'",
            );
            let holds = number(&sql, "SELECT count(*) FROM hold");
            assert_eq!(refused, holds, "{about}");
            holds
        });
        let before = home.calls().len();
        let met = home
            .server
            .record()
            .iter()
            .filter(|entry| entry.act.is_like())
            .count()
            > 1;
        let again = home.run(["run"]);
        if held > 0 {
            assert_eq!(home.calls().len(), before, "{about}: {again}");
        }
        // The answer was lost with the process: that request counts, the hold is unknown.
        let code = if held > 0 || !met { 75 } else { 0 };
        assert_eq!(again.code(), code, "{about}: {again}");
        assert_moderate(home, about);
        assert_at_rest(home, about);
        assert_on_record(&home.server.record(), &home.sql(), about);
    });
}

fn with_password() -> Home {
    let mut home = bare_home();
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    home
}

#[test]
fn a_killed_login_submits_no_second_password_and_keeps_its_device() {
    let scene = Scene {
        name: "login",
        words: Words {
            arguments: &["login"],
            input: None,
        },
        home: with_password,
    };
    killed(&scene, |home, struck| {
        let about = &struck.about;
        let left = as_left(home);
        let device = "SELECT json_extract(device, '$.uuids') FROM account";
        let device = |sql: &rusqlite::Connection| -> Option<String> {
            sql.query_row(device, [], |row| row.get(0)).unwrap_or(None)
        };
        let first = left.as_ref().and_then(device);
        assert!(first.is_some() || home.calls().is_empty(), "{about}");
        let again = home.run(["login"]);
        assert!([0, 75].contains(&again.code()), "{about}: {again}");
        if again.code() == 75 {
            again.saying(&["limits.logins 1/6h is full"]);
            assert_moderate(home, about);
            home.run(["run"]).expect(77).saying(&["no session"]);
            age(home, 7);
            home.run(["login"]).expect(0);
        }
        assert!(first.is_none() || device(&home.sql()) == first, "{about}");
        let pass = home.run(["run"]);
        assert_eq!(pass.code(), 0, "{about}: {pass}");
        assert_at_rest(home, about);
        assert_completes(home, about);
    });
}

fn with_session_id() -> Home {
    let home = bare_home();
    let session_id = home.server.credentials().session_id;
    std::fs::write(home.path("session_id"), session_id).unwrap();
    home
}

#[test]
fn a_killed_import_is_complete_or_is_done_again() {
    let scene = Scene {
        name: "import",
        words: Words {
            arguments: &["session", "import", "--session-id", "-"],
            input: Some("session_id"),
        },
        home: with_session_id,
    };
    killed(&scene, |home, struck| {
        let about = &struck.about;
        if let Some(sql) = as_left(home) {
            let sessions = number(&sql, "SELECT count(*) FROM session");
            let devices = number(
                &sql,
                "SELECT count(*) FROM account WHERE device IS NOT NULL",
            );
            assert_eq!(sessions, devices, "{about}: half of an import");
        }
        let session_id = home.server.credentials().session_id;
        home.fed(["session", "import", "--session-id", "-"], &session_id)
            .expect(0);
        assert_recovers(home, about);
    });
}

#[test]
fn a_killed_first_start_leaves_no_half_made_database() {
    let scene = Scene {
        name: "creation",
        words: Words {
            arguments: &["migrate"],
            input: None,
        },
        home: bare_home,
    };
    killed(&scene, |home, struck| {
        let about = &struck.about;
        home.run(["migrate"]).expect(0);
        home.import();
        assert_recovers(home, about);
    });
}

/// The rows that matter, but the times of checks.
fn rows(sql: &rusqlite::Connection) -> Vec<usize> {
    [
        "SELECT count(*) FROM run",
        "SELECT count(*) FROM story",
        "SELECT count(*) FROM post",
        "SELECT count(*) FROM attempt",
        "SELECT count(*) FROM account WHERE ignore_posts_before IS NOT NULL",
        "SELECT count(*) FROM hold WHERE cleared_at IS NULL",
    ]
    .map(|query| number(sql, query))
    .into()
}

/// Kills a command that changes the database in `steps` transactions: what was left is the beginning,
/// the end, or one of the states in between, and doing it again ends where it should have ended.
fn killed_between(scene: &Scene, steps: usize) {
    let whole = (scene.home)();
    let begin = rows(&whole.sql());
    whole.run(scene.words.arguments).expect(0);
    let end = rows(&whole.sql());
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    killed(scene, |home, struck| {
        let about = &struck.about;
        let left = rows(&as_left(home).unwrap());
        seen.lock().unwrap().insert(left);
        home.run(scene.words.arguments).expect(0);
        assert_eq!(rows(&home.sql()), end, "{about}");
        let orphans = home.number("SELECT count(*) FROM pragma_foreign_key_check");
        assert_eq!(orphans, 0, "{about}");
        assert!(home.calls().len() <= REQUESTS_BEFORE_CLEANUP, "{about}");
    });
    let mut between = seen.into_inner().unwrap();
    between.retain(|state| *state != begin && *state != end);
    assert!(
        between.len() < steps,
        "{}: something was cut in half: {between:?}, from {begin:?} to {end:?}",
        scene.name
    );
}

/// What the pass before a cleanup sends at most.
const REQUESTS_BEFORE_CLEANUP: usize = 12;

fn with_old_history() -> Home {
    let home = lab();
    home.run(["run"]).expect(0);
    let days = 50 * 86_400_000_i64;
    home.sql()
        .execute_batch(&format!(
            "UPDATE story SET taken_at = taken_at - {days}, expiring_at = expiring_at - {days};
             UPDATE post SET taken_at = 1000;
             INSERT INTO attempt (account, kind, call, claimed_at, settled_at, outcome)
             VALUES (1, 'read', 'stories', 1000, 2000, 'ok'), (1, 'read', 'posts', 3000, 4000, 'ok');
             UPDATE run SET started_at = started_at - {days}, ended_at = ended_at - {days}"
        ))
        .unwrap();
    home
}

#[test]
fn a_killed_cleanup_removed_all_that_belongs_together_or_nothing() {
    let scene = Scene {
        name: "cleanup",
        words: Words {
            arguments: &[
                "cleanup",
                "--older-than",
                "45d",
                "--posts-before",
                "2026-01-01",
                "--force",
            ],
            input: None,
        },
        home: with_old_history,
    };
    killed_between(&scene, 2);
}

fn held_by_a_challenge() -> Home {
    let home = lab();
    home.arm("read", "error_challenge_required");
    home.run(["run"]).expect(77);
    home
}

#[test]
fn a_killed_resume_cleared_the_hold_or_did_not() {
    let scene = Scene {
        name: "resume",
        words: Words {
            arguments: &["resume"],
            input: None,
        },
        home: held_by_a_challenge,
    };
    killed_between(&scene, 1);
}

#[test]
fn a_killed_export_leaves_the_whole_file_or_none() {
    let scene = Scene {
        name: "export",
        words: Words {
            arguments: &["session", "export", "settings.json"],
            input: None,
        },
        home: lab,
    };
    killed(&scene, |home, struck| {
        let about = &struck.about;
        let exported = home.path("settings.json");
        if exported.exists() {
            let text = std::fs::read_to_string(&exported).unwrap();
            let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(settings["authorization_data"].is_object(), "{about}");
            std::fs::remove_file(&exported).unwrap();
        }
        for entry in std::fs::read_dir(home.folder.path()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with(".tmp") {
                assert_eq!(mode(&entry.path()), 0o600, "{about}");
            }
        }
        home.run(scene.words.arguments).expect(0);
    });
}

/// A key file of a home, and what names it.
fn with_key(home: &mut Home, name: &str, byte: u8) {
    let text = story_liker::model::SealKey::new([byte; 32]).text();
    let path = home.path(name);
    std::fs::write(&path, text.expose()).unwrap();
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, owner).unwrap();
    home.set("secrets.key_file", &format!("\"{name}\""));
}

fn about_to_be_sealed() -> Home {
    let mut home = lab();
    with_key(&mut home, "first.key", 1);
    home
}

fn about_to_change_keys() -> Home {
    let mut home = about_to_be_sealed();
    home.run(["session", "reseal"]).expect(0);
    with_key(&mut home, "second.key", 2);
    home.set("secrets.old_key_files", "[\"first.key\"]");
    home
}

/// What was left opens with the keys at hand, and doing it again leaves nothing of the plain session.
fn killed_sealing(scene: &Scene, formats: &[usize]) {
    killed(scene, |home, struck| {
        let about = &struck.about;
        let sql = as_left(home).unwrap();
        let format = number(&sql, "SELECT format FROM session");
        assert!(formats.contains(&format), "{about}: format {format}");
        let session_id = home.server.credentials().session_id;
        // Half a change is undone by a command that may write.
        let exported = home.run(["session", "export", "-"]);
        if exported.code() == 0 {
            exported.saying(&[&session_id]);
        } else {
            exported.expect(74);
        }
        home.run(scene.words.arguments).expect(0);
        let bytes = std::fs::read(home.database()).unwrap();
        let plain = bytes
            .windows(session_id.len())
            .any(|part| part == session_id.as_bytes());
        assert!(!plain, "{about}: the plain session is still in the file");
        assert_recovers(home, about);
    });
}

#[test]
fn a_session_is_sealed_or_plain_wherever_its_sealing_was_killed() {
    let scene = Scene {
        name: "seal",
        words: Words {
            arguments: &["session", "reseal"],
            input: None,
        },
        home: about_to_be_sealed,
    };
    killed_sealing(&scene, &[0, 1]);
}

#[test]
fn one_of_two_keys_opens_the_session_wherever_their_change_was_killed() {
    let scene = Scene {
        name: "rotation",
        words: Words {
            arguments: &["session", "reseal"],
            input: None,
        },
        home: about_to_change_keys,
    };
    killed_sealing(&scene, &[1]);
}
