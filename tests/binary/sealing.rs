//! A session sealed at rest: made, opened, lost, and sealed anew with another key.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::home::{BINARY, Ended, Home, mode, signal, until};
use serde_json::Value;
use story_liker::model::{SealKey, Secret};
use story_liker::practice::clock::{PracticeClock as _, WallClock};

/// A key file, and the id it says.
fn key(home: &Home, name: &str) -> String {
    let made = home.run(["session", "new-key", name, "--json"]).expect(0);
    made.report()["key"].as_str().unwrap().to_owned()
}

/// Configures the key of this file.
fn configure(home: &mut Home, name: &str) {
    home.set("secrets.key_file", &format!("\"{name}\""));
}

/// A home whose session is sealed with the key in `first.key`; and that key's id.
fn sealed_home() -> (Home, String) {
    let mut home = Home::new();
    let id = key(&home, "first.key");
    configure(&mut home, "first.key");
    home.import();
    (home, id)
}

/// The session's row, to the last byte.
fn row(home: &Home) -> (i64, String) {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    home.sql()
        .query_row("SELECT format, content FROM session", [], read)
        .unwrap()
}

fn show(home: &Home) -> Value {
    home.run(["session", "show", "--json"]).expect(0).report()
}

/// Everything that lies in the folder of the database.
fn bytes_at_rest(home: &Home) -> Vec<u8> {
    let files = fs::read_dir(home.path("state")).unwrap();
    files
        .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

#[track_caller]
fn assert_nowhere(home: &Home, secret: &str) {
    let bytes = bytes_at_rest(home);
    let found = bytes
        .windows(secret.len())
        .any(|part| part == secret.as_bytes());
    assert!(!found, "the folder of the database still holds it");
}

/// Nothing was sent and the session is as it was.
#[track_caller]
fn assert_untouched(home: &Home, before: &(i64, String), by: &str) {
    assert_eq!(&row(home), before, "{by} changed the session");
    assert!(home.calls().is_empty(), "{by} sent {:?}", home.calls());
}

#[test]
fn a_new_key_is_for_its_owner_only_and_never_takes_the_place_of_another() {
    let mut home = Home::new();
    // The configuration may name the file that is about to be made.
    configure(&mut home, "session.key");
    let id = key(&home, "session.key");
    let path = home.path("session.key");
    assert_eq!(mode(&path), 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let made = SealKey::parse(&Secret::new(text.clone())).unwrap();
    assert_eq!(made.id().to_string(), id);
    home.run(["session", "new-key", "session.key"])
        .expect(73)
        .saying(&["choose a path that does not exist"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    let printed = home.run(["session", "new-key", "-"]).expect(0).stdout;
    let other = SealKey::parse(&Secret::new(printed)).unwrap();
    assert_ne!(other, made, "no two are the same");
}

#[test]
fn a_key_or_session_that_nobody_received_is_a_failure() {
    let home = Home::logged_in();
    for arguments in [["session", "new-key", "-"], ["session", "export", "-"]] {
        let to = |out: Stdio| -> Ended {
            let mut command = home.command(arguments);
            command.stdout(out).output().unwrap().into()
        };
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (reader, pipe) = std::io::pipe().unwrap();
        drop(reader);
        let mut closing =
            home.prepare(Command::new("sh"), ["-c", "exec \"$0\" \"$@\" >&-", BINARY]);
        let closed: Ended = closing.args(arguments).output().unwrap().into();
        for (ended, why) in [
            (to(full.into()), "No space left"),
            (to(pipe.into()), "Broken pipe"),
            (closed, "it is closed"),
        ] {
            let ended = ended.expect(74);
            ended.saying(&["cannot be written to standard output", why, "name a file"]);
        }
        let unwanted = OpenOptions::new().write(true).open("/dev/null").unwrap();
        to(unwanted.into()).expect(0);
    }
}

#[test]
fn a_plain_session_says_so_and_is_sealed_by_the_next_pass() {
    let mut home = Home::new();
    let session_id = home.server.credentials().session_id;
    let arguments = ["session", "import", "--session-id", "-", "--offline"];
    let imported = home.fed(arguments, &session_id);
    imported.expect(0).saying(&["not sealed"]);
    assert_eq!((row(&home).0, &show(&home)["sealed"]), (0, &Value::Null));

    let id = key(&home, "session.key");
    configure(&mut home, "session.key");
    home.run(["run"])
        .expect(0)
        .saying(&[&format!("sealed with key {id} now")]);
    assert_eq!(row(&home).0, 1);
    assert_eq!(show(&home)["sealed"], *id);
    home.run(["session", "show"])
        .expect(0)
        .saying(&[&format!("sealed with key {id}")]);
    assert_eq!(home.likes().len(), 5);
    home.assert_flawless();
    assert_nowhere(&home, &session_id);
    home.run(["session", "export", "-"])
        .expect(0)
        .saying(&[&session_id]);
    // A second pass opens what the first one sealed.
    let pass = home.run(["run", "--check-all"]).expect(0);
    assert!(!format!("{pass}").contains("sealed"), "it is told once");
    home.assert_flawless();
}

#[test]
fn a_login_seals_its_session_and_says_so() {
    let mut home = Home::new();
    let id = key(&home, "session.key");
    configure(&mut home, "session.key");
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    home.run(["login"])
        .expect(0)
        .saying(&[&format!("sealed with key {id}")]);
    assert_eq!(row(&home).0, 1);
    home.run(["run"]).expect(0);
    home.assert_flawless();
}

#[test]
fn what_nobody_knows_in_an_imported_file_is_sealed_with_the_session() {
    let mut home = Home::new();
    key(&home, "first.key");
    configure(&mut home, "first.key");
    let settings = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/settings/instagrapi-3.2.2.json"
    );
    let mut settings: Value = serde_json::from_slice(&fs::read(settings).unwrap()).unwrap();
    settings["token_of_a_fork"] = "hunter2".into();
    fs::write(home.path("in.json"), settings.to_string()).unwrap();
    fs::set_permissions(home.path("in.json"), Permissions::from_mode(0o600)).unwrap();
    home.run(["session", "import", "--offline", "in.json"])
        .expect(0);
    assert_nowhere(&home, "hunter2");
    home.run(["session", "export", "out.json"]).expect(0);
    let exported: Value =
        serde_json::from_slice(&fs::read(home.path("out.json")).unwrap()).unwrap();
    assert_eq!(exported["token_of_a_fork"], "hunter2");
}

#[test]
fn without_its_key_nothing_is_sent_and_the_session_stays() {
    let (mut home, id) = sealed_home();
    let before = row(&home);
    // A login would be possible, and is not made.
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    let other = key(&home, "other.key");
    let needing_it: [&[&str]; 5] = [
        &["run"],
        &["run", "--dry-run"],
        &["login"],
        &["session", "export", "out.json"],
        &["session", "reseal"],
    ];
    for (configured, words) in [
        (None, "STORY_LIKER_SECRETS_KEY_FILE"),
        (Some("other.key"), other.as_str()),
    ] {
        match configured {
            Some(name) => configure(&mut home, name),
            None => drop(home.unset("secrets.key_file")),
        }
        for arguments in needing_it {
            let ended = home.run(arguments).expect(78);
            assert_untouched(&home, &before, &format!("{arguments:?}"));
            if configured.is_none() && arguments == ["session", "reseal"] {
                ended.saying(&["there is no key to seal with"]);
                continue;
            }
            ended.saying(&[&format!("sealed with key {id}"), words, "stories.db"]);
        }
        assert!(!home.path("out.json").exists());
    }
    configure(&mut home, "first.key");
    home.run(["run"]).expect(0);
}

#[test]
fn what_only_looks_or_tidies_up_needs_no_key() {
    let (mut home, id) = sealed_home();
    home.run(["run"]).expect(0);
    let before = row(&home);
    let item = home
        .sql()
        .query_row("SELECT media_pk FROM post", [], |row| row.get::<_, i64>(0));
    let item = item.unwrap().to_string();
    // As for a user who may not read the key.
    home.set("secrets.key_file", "\"nowhere.key\"");
    home.run(["run"])
        .expect(78)
        .saying(&["secrets.key", "nowhere.key"]);
    let looking: [&[&str]; 7] = [
        &["status"],
        &["explain", &item],
        &["session", "show"],
        &["cleanup"],
        &["migrate"],
        &["resume"],
        &["rehearse", "--days", "1"],
    ];
    for arguments in looking {
        let code = home.run(arguments).code();
        assert!([0, 10].contains(&code), "{arguments:?}: {code}");
    }
    let status = home.run(["status", "--json"]).expect(0).report();
    assert!(status["session"]["since"].is_string(), "{status}");
    assert_eq!(show(&home)["sealed"], *id);
    assert_eq!(row(&home), before);
}

#[test]
fn another_session_takes_the_place_of_one_whose_key_is_lost() {
    let (mut home, _) = sealed_home();
    let before = row(&home);
    let session_id = home.server.credentials().session_id;
    let import = ["session", "import", "--session-id", "-", "--offline"];
    // Plain, it would undo what the operator asked for.
    home.unset("secrets.key_file");
    home.fed(import, &session_id)
        .expect(78)
        .saying(&["so what would take its place would not be"]);
    assert_untouched(&home, &before, "a plain import");

    let id = key(&home, "second.key");
    configure(&mut home, "second.key");
    home.fed(import, &session_id).expect(0);
    assert_eq!(show(&home)["sealed"], *id);
    home.run(["run"]).expect(0);
    home.assert_flawless();
}

#[test]
fn only_a_session_that_no_key_opens_is_forgotten_and_a_login_follows() {
    let (mut home, _) = sealed_home();
    let before = row(&home);
    home.run(["session", "forget"]).expect(64);
    home.run(["session", "forget", "--key-lost"])
        .expect(78)
        .saying(&["nothing was forgotten"]);
    assert_untouched(&home, &before, "forget");

    let id = key(&home, "second.key");
    configure(&mut home, "second.key");
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    home.run(["session", "forget", "--key-lost"]).expect(0);
    home.run(["session", "forget", "--key-lost"]).expect(77);
    home.run(["run"]).expect(77);
    let device = "SELECT count(*) FROM account WHERE device IS NOT NULL";
    assert_eq!(home.number(device), 1, "the device stays");
    home.run(["login"]).expect(0);
    assert_eq!(show(&home)["sealed"], *id);
}

#[test]
fn keys_are_changed_at_once_or_by_the_next_pass() {
    let (mut home, first) = sealed_home();
    let second = key(&home, "second.key");
    configure(&mut home, "second.key");
    let reseal = |home: &Home, more: &[&str]| -> Ended {
        let words = ["session", "reseal", "--json"];
        home.run(words.iter().chain(more))
    };
    let done = reseal(&home, &["--old-key-file", "first.key"])
        .expect(0)
        .report();
    assert_eq!(
        (&done["was_sealed"], &done["sealed"]),
        (&first.into(), &second.clone().into())
    );
    // Neither key opens it.
    let before = row(&home);
    let third = key(&home, "third.key");
    configure(&mut home, "third.key");
    reseal(&home, &["--old-key-file", "first.key"])
        .expect(78)
        .saying(&[&second, "third.key", "first.key"]);
    assert_untouched(&home, &before, "reseal");
    // The next pass does it by itself, and would without any reply that changes the session.
    home.set("secrets.old_key_files", "[\"first.key\", \"second.key\"]");
    home.sql()
        .execute(
            "INSERT INTO hold (account, since_at, reason, until_at, message)
             SELECT id, :now, 'throttled', :now + 600000, 'too many requests' FROM account",
            rusqlite::named_params! { ":now": WallClock.now_ms() },
        )
        .unwrap();
    let asked = home.calls().len();
    home.run(["run"])
        .expect(75)
        .saying(&[&format!("sealed with key {third}")]);
    assert_eq!(
        (home.calls().len(), &show(&home)["sealed"]),
        (asked, &third.into())
    );
    home.run(["resume", "--force"]).expect(0);
    home.unset("secrets.old_key_files");
    home.run(["run", "--check-all"]).expect(0);
    home.assert_flawless();
    // Once more under the same key: another seal of the same.
    let before = row(&home);
    reseal(&home, &[]).expect(0);
    assert_ne!(row(&home), before);
}

#[test]
fn a_seal_comes_off_only_when_no_key_would_put_it_on_again() {
    let (mut home, _) = sealed_home();
    let before = row(&home);
    home.run(["session", "reseal", "--plain"])
        .expect(78)
        .saying(&["would seal the session again", "first.key"]);
    home.unset("secrets.key_file");
    home.run(["session", "reseal", "--plain"])
        .expect(78)
        .saying(&["is sealed with key"]);
    assert_untouched(&home, &before, "reseal --plain");
    home.run([
        "session",
        "reseal",
        "--plain",
        "--old-key-file",
        "first.key",
    ])
    .expect(0)
    .saying(&["is not sealed"]);
    assert_eq!(row(&home).0, 0);
    home.run(["run"]).expect(0);
    home.assert_flawless();
}

#[test]
fn nothing_of_a_plain_session_is_left_in_the_files_once_it_is_sealed() {
    let mut home = Home::new();
    home.import();
    // Longer and shorter contents leave more behind than one would.
    home.run(["run"]).expect(0);
    home.run(["run", "--check-all"]).expect(0);
    let session_id = home.server.credentials().session_id;
    let bytes = bytes_at_rest(&home);
    let plain = |bytes: &[u8]| {
        bytes
            .windows(session_id.len())
            .any(|part| part == session_id.as_bytes())
    };
    assert!(plain(&bytes), "the search finds it");
    key(&home, "session.key");
    configure(&mut home, "session.key");
    home.run(["session", "reseal"]).expect(0);
    assert_nowhere(&home, &session_id);
    assert_nowhere(&home, "authorization_data");
    let left: Vec<_> = fs::read_dir(home.path("state"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            !Path::new(name)
                .extension()
                .is_some_and(|end| end == "lock" || end == "db")
        })
        .collect();
    assert!(left.is_empty(), "no journal is left: {left:?}");
}

#[test]
fn a_changed_or_moved_content_is_refused_and_left_as_it_is() {
    let (mut home, id) = sealed_home();
    let good = row(&home);
    let damage = [
        "UPDATE session SET content = substr(content, 1, 40) || 'AAAA' || substr(content, 45)",
        "UPDATE session SET content = substr(content, 1, 60)",
        "UPDATE session SET content = ''",
        "UPDATE session SET pk = pk + 1; UPDATE account SET pk = NULL",
        "UPDATE account SET profile = 'other' WHERE profile = 'default';
         INSERT INTO account (profile) VALUES ('default');
         UPDATE session SET account = (SELECT id FROM account WHERE profile = 'default')",
    ];
    for change in damage {
        home.sql().execute_batch(change).unwrap();
        let before = row(&home);
        home.run(["run"])
            .expect(65)
            .saying(&["stored session was changed"]);
        home.run(["login"]).expect(65);
        home.run(["session", "reseal"]).expect(65);
        home.run(["status"]).expect(0);
        home.run(["session", "show"]).expect(0);
        assert_untouched(&home, &before, change);
    }
    // Only the words: the row has another owner by now.
    assert!(good.1.starts_with(&id));
    home.sql()
        .execute_batch("UPDATE session SET format = 7")
        .unwrap();
    home.run(["run"])
        .expect(78)
        .saying(&["format 7", "the version that wrote it"]);
    // Another session mends all of it.
    let session_id = home.server.credentials().session_id;
    home.fed(["session", "import", "--session-id", "-"], &session_id)
        .expect(0);
    home.set("stories.check_every", "\"1m\"");
    home.run(["run"]).expect(0);
}

#[test]
fn a_seal_is_not_changed_while_a_pass_runs() {
    let (mut home, _) = sealed_home();
    home.set("pace.between_requests", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"");
    let pass = home.start(["run"]);
    until("the first request", || !home.calls().is_empty());
    home.run(["session", "reseal"])
        .expect(75)
        .saying(&["is in use by"]);
    home.run(["session", "forget", "--key-lost"]).expect(75);
    signal(&pass, "TERM");
    crate::home::ended(pass).expect(0);
    home.run(["session", "reseal"]).expect(0);
}

#[test]
fn profiles_have_keys_of_their_own() {
    let (mut home, first) = sealed_home();
    let second = key(&home, "second.key");
    home.set("profile.second.secrets.key_file", "\"second.key\"");
    // The practice server knows one account: the second profile's session is made up.
    let made_up = "72000000099%3Aabcdefghijklmn%3A5%3AAYabcdefghijklmnopqrstuvwxyz";
    let words = [
        "session",
        "import",
        "--session-id",
        "-",
        "--offline",
        "--profile",
        "second",
    ];
    home.fed(words, made_up).expect(0);
    let shown = home.run(["session", "show", "--json", "--profile", "second"]);
    assert_eq!(shown.expect(0).report()["sealed"], *second);
    assert_eq!(show(&home)["sealed"], *first);
    home.run(["session", "export", "-", "--profile", "second"])
        .expect(0)
        .saying(&[made_up]);
}

#[test]
fn what_readme_says_about_the_key_can_be_typed_as_it_stands() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut home = Home::new();
    let database = home.database().display().to_string();
    home.set("database", &format!("\"{database}\""));
    home.import();
    let folder = home.path(".config/story-liker");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let says = |language: &str| {
        let mut readme = Command::new(root.join("tests/readme"));
        let told = readme
            .args(["### Sealing the session", language])
            .output()
            .unwrap();
        assert!(told.status.success());
        String::from_utf8(told.stdout).unwrap()
    };
    let config = fs::read_to_string(home.path("config.toml")).unwrap() + &says("toml");
    fs::write(folder.join("config.toml"), config).unwrap();
    let programs = Path::new(BINARY).parent().unwrap().display().to_string();
    let mut shell = home.prepare(Command::new("sh"), ["-e", "-c", &says("sh")]);
    shell
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .env_remove("STORY_LIKER_CONFIG");
    let typed: Ended = shell.output().unwrap().into();
    typed
        .expect(0)
        .saying(&["was not sealed", "is sealed with key"]);
    assert_eq!(row(&home).0, 1);
    assert_eq!(mode(&folder.join("session.key")), 0o600);
}
