//! Bringing a session, taking it along, and looking at it.

use std::fs;

use crate::home::Home;
use crate::typist::Typist;
use serde_json::{Value, json};
use story_liker::practice::switches::{Echo, Switches};

const SETTINGS: &str = include_str!("../fixtures/settings/instagrapi-3.2.2.json");

/// A settings file as instagrapi would have written it after a login at the practice Instagram.
fn settings(home: &Home) -> Value {
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    settings["authorization_data"]["sessionid"] = json!(home.server.credentials().session_id);
    settings
}

fn write(home: &Home, name: &str, content: impl AsRef<[u8]>) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(home.path(name), content).unwrap();
    fs::set_permissions(home.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn import(home: &Home, name: &str, settings: &Value) -> crate::home::Ended {
    write(home, name, settings.to_string());
    home.run(["session", "import", name, "--json"])
}

#[test]
fn a_settings_file_is_imported_with_one_request_and_serves_a_pass() {
    let home = Home::new();
    let imported = import(&home, "settings.json", &settings(&home))
        .expect(0)
        .report();
    assert_eq!(imported["proved"], true, "{imported}");
    assert_eq!(imported["username"], "sandbox.operator");
    assert_eq!(home.calls(), ["current_user"]);
    home.run(["session", "show"])
        .expect(0)
        .saying(&["Pixel 8 Pro", "sandbox.operator"]);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5);
    home.assert_flawless();
}

#[test]
fn what_was_imported_is_exported_again_and_fits_another_database() {
    let home = Home::new();
    // Two databases with one session know of each other's state headers nothing.
    home.server.set_switches(Switches {
        echo: Echo::Lenient,
        ..Switches::default()
    });
    let original = settings(&home);
    write(&home, "settings.json", original.to_string());
    home.run(["session", "import", "settings.json", "--offline"])
        .expect(0);
    home.run(["session", "export", "out.json"]).expect(0);
    let exported: Value =
        serde_json::from_str(&fs::read_to_string(home.path("out.json")).unwrap()).unwrap();
    for (key, value) in original.as_object().unwrap() {
        assert_eq!(exported[key], *value, "{key}");
    }
    let shown = home.run(["session", "export", "-"]).expect(0);
    assert_eq!(
        serde_json::from_str::<Value>(&shown.stdout).unwrap(),
        exported
    );
    // Neither file is overwritten: it may be the only copy.
    home.run(["session", "export", "out.json"]).expect(73);

    home.run(["session", "import", "out.json"]).expect(0);
    home.run(["session", "import", "out.json", "--profile", "second"])
        .expect(78)
        .saying(&["belongs to profile default", "--profile default"]);
    home.run(["session", "import", "out.json", "--database", "other.db"])
        .expect(0);
    home.run(["run"]).expect(0);
    home.run(["session", "export", "after.json"]).expect(0);
    let after: Value =
        serde_json::from_str(&fs::read_to_string(home.path("after.json")).unwrap()).unwrap();
    assert_eq!(after["uuids"], original["uuids"], "a device stays");
    home.run(["session", "import", "after.json"]).expect(0);
    home.assert_flawless();
}

#[test]
fn another_device_is_only_taken_over_when_that_is_wanted() {
    let home = Home::new();
    import(&home, "settings.json", &settings(&home)).expect(0);
    let mut other = settings(&home);
    other["uuids"]["uuid"] = json!("99999999-d6da-49e2-9473-622834034078");
    let before = home.dump(&[]);
    import(&home, "other.json", &other)
        .expect(78)
        .saying(&["--replace-device"]);
    assert_eq!(home.dump(&[]), before);
    home.run(["session", "import", "other.json", "--replace-device"])
        .expect(0);
    home.run(["session", "export", "out.json"]).expect(0);
    assert!(
        fs::read_to_string(home.path("out.json"))
            .unwrap()
            .contains("99999999-d6da")
    );
    // A session id alone brings no device and stays with the one there is.
    let session_id = home.server.credentials().session_id;
    home.fed(["session", "import", "--session-id", "-"], &session_id)
        .expect(0);
    home.run(["session", "export", "later.json"]).expect(0);
    assert!(
        fs::read_to_string(home.path("later.json"))
            .unwrap()
            .contains("99999999-d6da")
    );
}

#[test]
fn the_session_of_another_account_is_refused_without_a_request() {
    let home = Home::new();
    import(&home, "settings.json", &settings(&home)).expect(0);
    let before = home.dump(&[]);
    let mut other = settings(&home);
    // Of another device, too; that is not the point then.
    other["uuids"]["uuid"] = json!("99999999-d6da-49e2-9473-622834034078");
    other["authorization_data"]["ds_user_id"] = json!("71000000002");
    other["authorization_data"]["sessionid"] =
        json!("71000000002%3AE7Y9E2Nae35HWv%3A2%3AAY4B3XkvngkQpCYWxcEDzYJ3RvNTun9y");
    import(&home, "other.json", &other)
        .expect(78)
        .saying(&["71000000002", "another --profile"]);
    assert_eq!(home.dump(&[]), before);
    assert_eq!(home.calls(), ["current_user"]);
}

#[test]
fn a_file_that_is_no_settings_file_changes_nothing() {
    let home = Home::new();
    let whole = settings(&home).to_string();
    let mut logged_out = settings(&home);
    logged_out["authorization_data"] = json!({});
    let cases: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("cut off", whole.as_bytes()[..whole.len() / 2].to_vec()),
        ("not text", vec![0xFF, 0xFE, 0x00, 0x80]),
        ("not an object", b"[1, 2]".to_vec()),
        ("logged out", logged_out.to_string().into_bytes()),
        ("huge", vec![b' '; 2 << 20]),
        (
            "wrong types",
            br#"{"uuids": 7, "authorization_data": [], "cookies": "x"}"#.to_vec(),
        ),
    ];
    for (name, content) in cases {
        write(&home, name, content);
        let ended = home.run(["session", "import", name]).expect(78);
        assert!(ended.stderr.contains(name), "{name}: {ended}");
        assert!(
            !ended
                .stderr
                .contains(&home.server.credentials().session_id[15..])
        );
    }
    home.run(["session", "import", "missing"])
        .expect(78)
        .saying(&["missing"]);
    home.run(["session", "import", "state"]).expect(78);
    for text in [
        "",
        "short",
        "71000000001%3Awith spaces and more of them%3A1%3Axxxxxxx",
    ] {
        home.fed(["session", "import", "--session-id", "-"], text)
            .expect(78);
    }
    home.run(["session", "import"]).expect(64);
    home.run(["session", "import", "--session-id", "71000000001%3Aabc"])
        .expect(64);
    assert!(!home.database().exists());
    assert!(home.calls().is_empty());
}

#[test]
fn a_session_id_typed_as_a_file_is_not_repeated() {
    let home = Home::new();
    let session_id = home.server.credentials().session_id;
    for typed in [&session_id, &session_id.replace("%3A", ":"), "7%3a1"] {
        let told = home.run(["session", "import", typed]).expect(64);
        let told = told.saying(&["--session-id takes only -"]);
        assert!(!told.stderr.contains(typed), "{told}");
    }
    home.run(["session", "import", "missing"])
        .expect(78)
        .saying(&["missing cannot be read", "name a file"]);
}

#[test]
fn a_session_id_pasted_on_a_terminal_is_asked_for_and_not_shown() {
    const QUESTION: &str = "Session id (the cookie \"sessionid\"): ";
    let home = Home::new();
    let session_id = home.server.credentials().session_id;
    let mut typist = Typist::start(&home, &["session", "import", "--session-id", "-"]);
    typist.reads(QUESTION).types("\n").reads(QUESTION);
    typist.types(&format!("{session_id}\n"));
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("alive"), "{shown}");
    assert!(!shown.contains(&session_id), "{shown}");

    let mut typist = Typist::start(&home, &["session", "import", "--session-id", "-"]);
    typist.reads(QUESTION).types("\u{3}");
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("nothing was changed"), "{shown}");
}

#[test]
fn a_settings_file_read_from_a_terminal_says_so() {
    let home = Home::new();
    let mut typist = Typist::start(&home, &["session", "import", "-"]);
    typist.reads("^D on a line of its own ends it");
    typist.types(&format!(
        "{}\n\u{4}",
        serde_json::to_string_pretty(&settings(&home)).unwrap()
    ));
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_dead_session_is_not_kept() {
    let home = Home::new();
    home.server.revoke_sessions();
    import(&home, "settings.json", &settings(&home))
        .expect(77)
        .saying(&["not accepted"]);
    home.run(["session", "show"]).expect(77);
    home.run(["run"]).expect(77);
    assert_eq!(home.calls(), ["current_user"]);
}

#[test]
fn under_a_hold_about_something_else_a_session_is_imported_without_a_request() {
    let home = Home::logged_in();
    home.arm("like", "error_feedback_required_limit");
    home.run(["run"]).expect(75);
    let asked = home.calls().len();
    let session_id = home.server.credentials().session_id;
    let arguments = ["session", "import", "--session-id", "-", "--json"];
    let imported = home.fed(arguments, &session_id).expect(0).report();
    assert_eq!(imported["proved"], false);
    assert!(imported["why"].as_str().unwrap().contains("action_blocked"));
    assert_eq!(home.calls().len(), asked);
    home.run(["run"]).expect(75);
}

#[test]
fn a_new_session_clears_the_hold_about_the_old_one() {
    for offline in [false, true] {
        let home = Home::logged_in();
        home.arm("read", "error_login_required");
        home.run(["run"]).expect(77);
        home.run(["session", "show"]).expect(77);
        let session_id = home.server.credentials().session_id;
        let mut arguments = vec!["session", "import", "--session-id", "-", "--json"];
        arguments.extend(offline.then_some("--offline"));
        let imported = home.fed(arguments, &session_id).expect(0).report();
        assert_eq!(imported["holds_cleared"], 1, "{imported}");
        assert_eq!(imported["proved"], !offline);
        home.run(["run"]).expect(0);
        assert_eq!(home.likes().len(), 5);
    }
}
