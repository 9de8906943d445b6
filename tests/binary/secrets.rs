//! No secret in anything the program says, at the lowest log level, nor in its command line.

use std::fs;

use crate::home::{Ended, Home, ended, signal, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What must never be said, by name.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of(home: &Home) -> Self {
        let credentials = home.server.credentials();
        Self(vec![
            ("password", credentials.password),
            ("totp secret", credentials.totp_secret),
            ("session id", credentials.session_id),
        ])
    }

    /// What the server gave out since: in the exported file and in every form it travels in.
    fn learn(&mut self, home: &Home, file: &str) {
        home.run(["session", "export", file]).expect(0);
        let text = fs::read_to_string(home.path(file)).unwrap();
        let settings: Value = serde_json::from_str(&text).unwrap();
        let data = &settings["authorization_data"];
        let session_id = data["sessionid"].as_str().unwrap();
        self.0.push(("new session id", session_id.to_owned()));
        let plain = percent_encoding::percent_decode_str(session_id);
        self.0.push((
            "decoded session id",
            plain.decode_utf8().unwrap().into_owned(),
        ));
        self.0
            .push(("authorization", STANDARD.encode(data.to_string())));
        for (name, value) in settings["cookies"].as_object().unwrap() {
            let value = value.as_str().unwrap().to_owned();
            if !["ds_user_id", "rur"].contains(&name.as_str()) && value.len() > 8 {
                self.0.push(("cookie", value));
            }
        }
    }

    #[track_caller]
    fn assert_unsaid(&self, text: &str, by: &str) {
        for (name, secret) in &self.0 {
            assert!(!secret.is_empty());
            assert!(!text.contains(secret), "{by} tells the {name}: {text}");
        }
        for words in ["Bearer IGT", "#PWD_INSTAGRAM"] {
            assert!(!text.contains(words), "{by} tells {words}");
        }
    }

    #[track_caller]
    fn assert_unsaid_by(&self, ended: &Ended, by: &str) {
        self.assert_unsaid(&ended.stdout, by);
        self.assert_unsaid(&ended.stderr, by);
    }
}

#[test]
fn no_secret_is_in_any_output_at_any_level() {
    let mut home = Home::new();
    let credentials = home.server.credentials();
    home.secret("account.password_file", &credentials.password)
        .secret("account.totp_secret_file", &credentials.totp_secret)
        .variable("STORY_LIKER_LOG", "trace");
    let mut switches = home.server.switches();
    switches.two_factor = true;
    home.server.set_switches(switches);
    let mut secrets = Secrets::of(&home);

    let login = home.run(["login"]).expect(0);
    secrets.learn(&home, "first.json");
    secrets.assert_unsaid_by(&login, "login");

    let all: [&[&str]; 9] = [
        &["run"],
        &["run", "--check-all", "--dry-run"],
        &["run", "--check-all", "--log-format", "text"],
        &["status"],
        &["status", "--json"],
        &["session", "show", "--json"],
        &["config", "show"],
        &["session", "import", "first.json"],
        &["cleanup"],
    ];
    for arguments in all {
        let ended = home.run(arguments);
        assert!([0, 10].contains(&ended.code()), "{arguments:?}: {ended}");
        secrets.assert_unsaid_by(&ended, &format!("{arguments:?}"));
    }
    // Refused and broken off, with the refusals' texts in the log.
    for reply in [
        "error_challenge_required",
        "drop",
        "error_200_html_login_page",
    ] {
        home.arm("read", reply);
        let ended = home.run(["run", "--check-all"]);
        secrets.assert_unsaid_by(&ended, reply);
        home.run(["resume", "--force"]).expect(0);
    }
    let session_id = credentials.session_id;
    let ended = home.fed(["session", "import", "--session-id", "-"], &session_id);
    secrets.assert_unsaid_by(&ended, "session import");
    let wrong = home.fed(
        ["session", "import", "--session-id", "-"],
        &session_id[..20],
    );
    secrets.assert_unsaid_by(&wrong.expect(78), "session import of half a session id");
    // What the runs left in the database for `status` and reports.
    let told = home.dump(&["session", "account"]).join("\n");
    secrets.assert_unsaid(&told, "the ledger");
}

#[test]
fn a_wrong_password_and_a_wrong_secret_file_are_not_told_either() {
    let mut home = Home::new();
    home.variable("STORY_LIKER_LOG", "trace");
    home.secret("account.password_file", "hunter2-hunter2");
    let ended = home.run(["login"]).expect(77);
    assert!(!format!("{ended}").contains("hunter2"), "{ended}");
    home.secret("account.totp_secret_file", "not base 32, 1890");
    let ended = home.run(["login"]).expect(78);
    assert!(!format!("{ended}").contains("not base 32"), "{ended}");
    home.variable(
        "STORY_LIKER_DATABASE",
        "postgresql://me:hunter3@localhost/x",
    );
    let ended = home.run(["status"]).expect(78);
    assert!(!format!("{ended}").contains("hunter3"), "{ended}");
}

#[test]
fn no_secret_is_in_the_process_list() {
    let mut home = Home::new();
    home.set("pace.between_requests", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"");
    home.import();
    let secrets = Secrets::of(&home);
    let pass = home.start(["run"]);
    until("the first request", || !home.calls().is_empty());
    let process = format!("/proc/{}", pass.id());
    let line = fs::read(format!("{process}/cmdline")).unwrap();
    secrets.assert_unsaid(&String::from_utf8(line).unwrap(), "the command line");
    let threads = fs::read_dir(format!("{process}/task")).unwrap();
    for thread in threads {
        let name = fs::read_to_string(thread.unwrap().path().join("comm")).unwrap();
        secrets.assert_unsaid(&name, "a thread's name");
    }
    signal(&pass, "TERM");
    ended(pass).expect(0);
}

#[test]
fn a_secret_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut home = Home::logged_in();
    home.secret("account.password_file", "hunter2-hunter2");
    let file = home.path("account.password_file.secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    home.run(["run"])
        .expect(78)
        .saying(&["chmod 600", "account.password_file.secret"]);
    assert!(home.calls().is_empty());
}

const PASSWORD: &str = "account.password";
const TOTP: &str = "account.totp_secret";
const KEY: &str = "secrets.key";
const PING: &str = "ping.url";
const NOTIFY: &str = "notify.url";

#[test]
fn a_command_reads_the_secrets_it_needs_and_works_without_the_others() {
    let all: &[&str] = &[PASSWORD, TOTP, KEY, PING, NOTIFY];
    let needed: [(&[&str], &[&str]); 18] = [
        (&["run"], all),
        (&["run", "--dry-run"], all),
        (&["config", "show"], all),
        (&["config", "check"], all),
        (&["doctor"], all),
        (&["login", "--code-file", "-"], &[PASSWORD, TOTP, KEY]),
        (&["session", "import", "settings.json"], &[KEY]),
        (&["session", "export", "-"], &[KEY]),
        (&["session", "reseal"], &[KEY]),
        (&["session", "show"], &[]),
        (&["status"], &[]),
        (&["explain", "1"], &[]),
        (&["healthcheck"], &[]),
        (&["resume"], &[]),
        (&["cleanup"], &[]),
        (&["migrate"], &[]),
        (&["migrate", "--status"], &[]),
        (&["rehearse", "--days", "1"], &[]),
    ];
    for secret in all {
        let mut home = Home::new();
        home.run(["session", "new-key", "k"]).expect(0);
        let key = std::fs::read_to_string(home.path("k")).unwrap();
        let credentials = home.server.credentials();
        home.secret("account.password_file", &credentials.password)
            .secret("account.totp_secret_file", &credentials.totp_secret)
            .secret("secrets.key_file", key.trim())
            .set("session.relogin", "\"once-a-day\"");
        home.import();
        home.run(["session", "export", "settings.json"]).expect(0);
        home.run(["run"]).expect(0);
        // As for a user who may not read it; root may read everything.
        home.set(&format!("{secret}_file"), "\"not-for-you\"");
        for (arguments, needs) in needed {
            let ended = home.run(arguments);
            let refused = ended.code() == 78 && ended.to_string().contains("not-for-you");
            assert_eq!(
                refused,
                needs.contains(secret),
                "{secret}, {arguments:?}: {ended}"
            );
            let expected: &[i32] = if arguments[0] == "explain" {
                &[64]
            } else {
                &[0, 10]
            };
            assert!(
                refused || expected.contains(&ended.code()),
                "{secret}, {arguments:?}: {ended}"
            );
        }
    }
}
