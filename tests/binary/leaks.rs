//! No planted secret in anything the program leaves anywhere: what it prints at the lowest log level
//! in every form, what lies on the disk, what other processes can read of it, what leaves for the
//! server, for the monitor and for whoever is notified, what the program that notifies is given. Over
//! every command, and over the ways in which they fail.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::home::{BINARY, Ended, Home, ended, signal, until};
use crate::ping::ok;
use crate::raw_server::{Act, RawServer, reply};
use crate::relay::Relay;
use serde_json::Value;
use story_liker::practice::switches::{Echo, Switches};

/// What must never be said, by name. A new secret of the configuration is planted in [`plant`].
struct Planted(Vec<(String, String)>);

/// Words that stand before a secret, whatever its value.
const TELLING: [&str; 2] = ["Bearer IGT", "#PWD_INSTAGRAM"];

impl Planted {
    fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() > 7, "{name} is too short to be found");
        self.0.push((name.to_owned(), secret.to_owned()));
    }

    /// What the server gave out: in the form of the settings file and as it travels.
    fn learn(&mut self, home: &Home) {
        let exported = home.run(["session", "export", "-"]).expect(0).stdout;
        let settings: Value = serde_json::from_str(&exported).unwrap();
        let data = &settings["authorization_data"];
        let session_id = data["sessionid"].as_str().unwrap();
        self.add("session id", session_id);
        let plain = percent_encoding::percent_decode_str(session_id);
        self.add("decoded session id", &plain.decode_utf8().unwrap());
        for (name, value) in settings["cookies"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            if !["ds_user_id", "rur"].contains(&name.as_str()) && value.len() > 8 {
                self.add(&format!("cookie {name}"), value);
            }
        }
    }

    /// The first secret that these bytes hold.
    fn found<'p>(&'p self, bytes: &[u8]) -> Option<&'p str> {
        // Secrets are ASCII, so nothing of one is lost here.
        let text = String::from_utf8_lossy(bytes);
        let holds = |secret: &str| text.contains(secret);
        let planted = self
            .0
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.as_str()));
        let telling = TELLING.map(|words| (words, words));
        planted
            .chain(telling)
            .find(|(_, secret)| holds(secret))
            .map(|(name, _)| name)
    }

    #[track_caller]
    fn assert_unsaid(&self, bytes: &[u8], by: &str) {
        if let Some(name) = self.found(bytes) {
            panic!("{by} tells the {name}: {}", String::from_utf8_lossy(bytes));
        }
    }

    #[track_caller]
    fn assert_unsaid_by(&self, ended: &Ended, by: &str) {
        self.assert_unsaid(ended.stdout.as_bytes(), &format!("{by} on stdout"));
        self.assert_unsaid(ended.stderr.as_bytes(), &format!("{by} on stderr"));
    }

    /// Every file of the home but the operator's own: the database to the last byte, whatever lies
    /// beside it, and what nobody thought of.
    #[track_caller]
    fn assert_nowhere_on_disk(&self, home: &Home, own: &BTreeSet<PathBuf>, by: &str) {
        let mut seen = 0;
        each_file(home.folder.path(), &mut |path| {
            if own.contains(path) {
                return;
            }
            match fs::read(path) {
                Ok(content) => {
                    seen += 1;
                    self.assert_unsaid(&content, &format!("{} after {by}", path.display()));
                }
                // A journal comes and goes while a pass runs.
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{}", path.display()),
            }
        });
        assert!(
            seen > 0 || by.starts_with("nothing"),
            "no file was looked at after {by}"
        );
    }
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, visit);
        } else {
            visit(&path);
        }
    }
}

/// Where a secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Files,
    Variables,
    Credentials,
}

/// Every secret that can be configured: its key, its variable, its credential. One that is added to
/// the program is added here.
const CONFIGURED: [(&str, &str, &str); 5] = [
    (
        "account.password",
        "STORY_LIKER_ACCOUNT_PASSWORD",
        "password",
    ),
    (
        "account.totp_secret",
        "STORY_LIKER_ACCOUNT_TOTP_SECRET",
        "totp_secret",
    ),
    ("secrets.key", "STORY_LIKER_SECRETS_KEY", "session_key"),
    ("ping.url", "STORY_LIKER_PING_URL", "ping_url"),
    ("notify.url", "STORY_LIKER_NOTIFY_URL", "notify_url"),
];

/// What the program that notifies is given goes into the file that is its name, and so does whatever
/// others can read of it.
const NOTE: &str = "{ env; cat; tr '\\0' '\\n' < /proc/$$/cmdline; } >> \"$0\"";

#[test]
fn the_table_of_planted_secrets_has_every_secret_of_the_program() {
    let home = Home::new();
    let shown = home.run(["config", "show", "--json"]).expect(0).report();
    let keys = shown["settings"].as_object().unwrap().keys();
    let files: BTreeSet<&str> = keys
        .filter_map(|key| key.strip_suffix("_file"))
        .filter(|key| *key != "instagram.ca")
        .collect();
    let planted: BTreeSet<&str> = CONFIGURED.iter().map(|(key, ..)| *key).collect();
    assert_eq!(files, planted, "a secret is configured that no test plants");
}

/// A home whose every secret comes from the same place, a relay that keeps what is sent, the servers
/// of a monitor and of notices, and the operator's own files.
struct Stage {
    home: Home,
    relay: Relay,
    monitor: RawServer,
    notified: RawServer,
    planted: Planted,
    own: BTreeSet<PathBuf>,
}

impl Stage {
    fn new(from: From) -> Self {
        Self::told(from, &[ok()])
    }

    /// Monitor and notices are answered like this.
    fn told(from: From, answers: &[Act]) -> Self {
        let mut home = Home::new();
        home.server.set_switches(Switches {
            echo: Echo::Lenient,
            ..Switches::default()
        });
        let address = home.server.base_url();
        let address: SocketAddr = address.strip_prefix("http://").unwrap().parse().unwrap();
        let relay = Relay::to(address);
        home.set(
            "instagram.base_url",
            &format!("\"http://{}\"", relay.address),
        )
        .variable("STORY_LIKER_LOG", "trace")
        .variable("RUST_BACKTRACE", "full");
        let mut stage = Self {
            home,
            relay,
            monitor: RawServer::start(answers.to_vec()),
            notified: RawServer::start(answers.to_vec()),
            planted: Planted(Vec::new()),
            own: BTreeSet::new(),
        };
        stage.notify_by(NOTE);
        stage.home.set("metrics.file", "\"figures.prom\"");
        stage.plant(from);
        stage
    }

    /// Notices go to a shell script too; its `$0` is a file of the home.
    fn notify_by(&mut self, script: &str) {
        let told = self.home.path("told").display().to_string();
        let command = ["/bin/sh", "-c", script, &told];
        self.home.set("notify.command", &format!("{command:?}"));
    }

    fn plant(&mut self, from: From) {
        let credentials = self.home.server.credentials();
        let key = self.home.run(["session", "new-key", "-"]).expect(0).stdout;
        let key = key.trim().to_owned();
        let bytes = key["slkey1_01234567_".len()..].to_owned();
        self.planted.add("session id", &credentials.session_id);
        self.planted.add("session key", &key);
        self.planted.add("session key's bytes", &bytes);
        self.planted.add("IG_PASSWORD", "hunter2-of-the-alias");
        self.home.variable("IG_PASSWORD", "hunter2-of-the-alias");
        for (name, variable, credential) in CONFIGURED {
            // Of an address the path is the secret; the host is known to whoever watches the network.
            let address = |server: &RawServer| {
                let secret = format!("planted-for-{name}");
                (format!("http://{}/{secret}", server.address), secret)
            };
            let (configured, secret) = match name {
                "account.password" => (credentials.password.clone(), credentials.password.clone()),
                "account.totp_secret" => {
                    let secret = credentials.totp_secret.clone();
                    (secret.clone(), secret)
                }
                "secrets.key" => (key.clone(), key.clone()),
                "ping.url" => address(&self.monitor),
                "notify.url" => address(&self.notified),
                other => panic!("nobody says what {other} looks like"),
            };
            self.planted.add(name, &secret);
            let file = match from {
                From::Variables => {
                    self.home.variable(variable, &configured);
                    continue;
                }
                From::Files => format!("{variable}.secret"),
                From::Credentials => format!("credentials/{credential}"),
            };
            let path = self.own_file(&file, &configured);
            if from == From::Files {
                self.home
                    .variable(&format!("{variable}_FILE"), path.to_str().unwrap());
            }
        }
        if from == From::Credentials {
            // It goes after the alias of another program.
            let folder = self.home.path("credentials").display().to_string();
            self.home.variable("CREDENTIALS_DIRECTORY", &folder);
            self.home.variable("IG_PASSWORD", "");
        }
    }

    /// A file of the operator's.
    fn own_file(&mut self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own.insert(path.clone());
        path
    }

    /// Runs, and looks everywhere.
    #[track_caller]
    fn quiet(&self, arguments: &[&str]) -> Ended {
        self.look(self.home.run(arguments), &arguments.join(" "))
    }

    #[track_caller]
    fn fed(&self, arguments: &[&str], input: &str) -> Ended {
        self.look(self.home.fed(arguments, input), &arguments.join(" "))
    }

    #[track_caller]
    fn look(&self, ended: Ended, by: &str) -> Ended {
        self.planted.assert_unsaid_by(&ended, by);
        self.planted
            .assert_nowhere_on_disk(&self.home, &self.own, by);
        ended
    }

    #[track_caller]
    fn in_every_form(&self, arguments: &[&str], codes: &[i32]) {
        for form in [
            &["--log-format", "json"][..],
            &["--log-format", "text", "--color", "always"],
            &["--json"],
        ] {
            let words = [arguments, form].concat();
            let ended = self.quiet(&words);
            assert!(codes.contains(&ended.code()), "{words:?}: {ended}");
        }
    }
}

/// Every command that can be asked while there is a session.
fn ask_everything(stage: &Stage) {
    let item = "SELECT media_pk FROM post LIMIT 1";
    let item = stage.home.number(item).to_string();
    let asked: [(&[&str], &[i32]); 18] = [
        (&["run", "--check-all"], &[0, 10]),
        (&["run", "--check-all", "--dry-run"], &[0, 10]),
        (&["login"], &[0]),
        (&["status"], &[0]),
        (&["doctor"], &[0]),
        (&["doctor", "--online"], &[0]),
        (&["healthcheck"], &[0]),
        (&["explain", &item], &[0]),
        (&["explain", "1"], &[64]),
        (&["session", "show"], &[0]),
        (&["session", "reseal"], &[0]),
        (&["session", "forget", "--key-lost"], &[78]),
        (&["config", "show"], &[0]),
        (&["config", "check"], &[0]),
        (&["cleanup"], &[0]),
        (&["migrate"], &[0]),
        (&["resume"], &[0]),
        (&["rehearse", "--days", "1"], &[0, 10]),
    ];
    for (arguments, codes) in asked {
        stage.in_every_form(arguments, codes);
    }
}

#[test]
fn no_secret_is_told_wherever_the_secrets_come_from() {
    for from in [From::Files, From::Variables, From::Credentials] {
        let mut stage = Stage::new(from);
        let mut switches = stage.home.server.switches();
        switches.two_factor = true;
        stage.home.server.set_switches(switches);
        // So there is something to tell, now and after the next pass.
        stage.quiet(&["run"]).expect(77);
        stage.quiet(&["login"]).expect(0);
        stage.planted.learn(&stage.home);
        assert_eq!(
            stage.home.number("SELECT format FROM session"),
            1,
            "{from:?}"
        );
        stage.quiet(&["run"]).expect(0);
        stage.planted.learn(&stage.home);
        ask_everything(&stage);
        // What the operator takes out is the operator's, and goes nowhere else.
        let exported = stage.home.path("exported.json");
        stage.own.insert(exported);
        stage
            .quiet(&["session", "export", "exported.json"])
            .expect(0);
        stage
            .quiet(&["session", "import", "exported.json"])
            .expect(0);
        let session_id = stage.home.server.credentials().session_id;
        let import = ["session", "import", "--session-id", "-"];
        stage.fed(&import, &session_id).expect(0);
        stage.fed(&import, &session_id[..20]).expect(78);
        let new_key = stage.home.path("new.key");
        stage.own.insert(new_key);
        stage.quiet(&["session", "new-key", "new.key"]).expect(0);
        stage.quiet(&["session", "new-key", "new.key"]).expect(73);
        assert_sent_only_where_it_belongs(&stage);
        assert_told_no_secret(&stage);
        stage.home.assert_flawless();
    }
}

/// Monitor and notices get no secret but the own address of each, and that in the request line.
fn assert_told_no_secret(stage: &Stage) {
    for (name, server) in [
        ("ping.url", &stage.monitor),
        ("notify.url", &stage.notified),
    ] {
        let received = server.received();
        assert!(received.len() > 2, "{name} was told");
        for mut one in received {
            let own = format!("/planted-for-{name}");
            assert!(one.line.contains(&own), "{}", one.line);
            one.line = one.line.replacen(&own, "", 1);
            let all = format!("{one:?}");
            stage.planted.assert_unsaid(all.as_bytes(), name);
        }
    }
    let told = fs::read_to_string(stage.home.path("told")).unwrap();
    for word in ["STORY_LIKER_NOTICE_TITLE=", "no session in", "/bin/sh"] {
        assert!(told.contains(word), "not a word of {word:?}: {told}");
    }
    let figures = fs::read_to_string(stage.home.path("figures.prom")).unwrap();
    assert!(figures.contains("story_liker_session_present"), "{figures}");
}

/// The session goes into the headers that carry it; password and code go sealed or as a code; the
/// secrets behind them never leave.
fn assert_sent_only_where_it_belongs(stage: &Stage) {
    let sent = stage.relay.sent();
    let text = String::from_utf8_lossy(&sent);
    assert!(
        text.matches("HTTP/1.1\r\n").count() > 10,
        "the relay keeps what is sent"
    );
    let never = [
        "account.password",
        "account.totp_secret",
        "secrets.key",
        "session key's bytes",
        "ping.url",
        "notify.url",
        "IG_PASSWORD",
    ];
    for (name, secret) in &stage.planted.0 {
        if never.contains(&name.as_str()) {
            assert!(
                !text.contains(secret.as_str()),
                "the {name} left the machine"
            );
        }
    }
    assert!(!text.contains("slkey1_"));
    let mut carried = 0;
    for line in text.lines() {
        let header = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let names_session =
            stage.planted.0.iter().any(|(name, secret)| {
                name.contains("session id") && line.contains(secret.as_str())
            });
        if names_session {
            carried += 1;
            assert!(
                ["cookie", "authorization"].contains(&header.as_str()),
                "{line}"
            );
        }
    }
    assert!(
        carried > 0 || text.contains("Bearer IGT"),
        "a session was used"
    );
}

#[test]
fn no_secret_is_told_by_a_failure() {
    // Nobody is told at the first try either, and the reason is in log, report and database.
    let elsewhere = [("location", "/elsewhere")];
    let mut stage = Stage::told(
        From::Files,
        &[
            Act::Close,
            Act::Say(reply(302, &elsewhere, b"")),
            Act::Say(reply(500, &[], b"no")),
            Act::SayAndClose(b"nonsense\r\n\r\n".to_vec()),
        ],
    );
    stage.quiet(&["login"]).expect(0);
    stage.planted.learn(&stage.home);
    for (reply, codes) in [
        ("error_challenge_required", &[77][..]),
        ("drop", &[69]),
        ("error_200_html_login_page", &[76]),
        ("error_login_required", &[75, 77]),
    ] {
        stage.home.arm("read", reply);
        let ended = stage.quiet(&["run", "--check-all"]);
        assert!(codes.contains(&ended.code()), "{reply}: {ended}");
        stage.quiet(&["status", "--json"]).expect(0);
        stage.quiet(&["resume", "--force"]).expect(0);
    }
    let session_id = stage.home.server.credentials().session_id;
    let import = ["session", "import", "--session-id", "-", "--offline"];
    stage.fed(&import, &session_id).expect(0);
    let good = stage.home.sql();
    let content: String = good
        .query_row("SELECT content FROM session", [], |row| row.get(0))
        .unwrap();
    // Damaged, of another version, nothing at all.
    for (change, code) in [
        ("UPDATE session SET content = substr(content, 1, 50)", 65),
        ("UPDATE session SET content = 'x'", 65),
        ("UPDATE session SET format = 2", 78),
    ] {
        good.execute_batch(change).unwrap();
        for arguments in [&["run"][..], &["login"], &["session", "export", "-"]] {
            stage.quiet(arguments).expect(code);
        }
        let mend = "UPDATE session SET format = 1, content = ?1";
        good.execute(mend, [&content]).unwrap();
    }
    drop(good);
    // Another key, half a key, none, one that others may read, a folder.
    let right = stage
        .planted
        .0
        .iter()
        .find(|(name, _)| name == "session key")
        .unwrap()
        .1
        .clone();
    let other = stage.home.run(["session", "new-key", "-"]).expect(0).stdout;
    stage.planted.add("other key", other.trim());
    let variable = "STORY_LIKER_SECRETS_KEY";
    for wrong in [other.trim(), &right[..40], "hunter2-hunter2"] {
        stage.home.variable(variable, wrong);
        stage.planted.add("wrong key", wrong);
        for arguments in [
            &["run"][..],
            &["login"],
            &["session", "reseal"],
            &["config", "show"],
        ] {
            let code = stage.quiet(arguments).code();
            assert!([0, 78].contains(&code), "{arguments:?}: {code}");
            assert!(code == 78 || arguments == ["config", "show"]);
        }
        stage.planted.0.pop();
    }
    stage.home.variable(variable, "");
    let file = stage.home.path("STORY_LIKER_SECRETS_KEY.secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    stage.quiet(&["run"]).expect(78).saying(&["chmod 600"]);
    fs::remove_file(&file).unwrap();
    stage.quiet(&["run"]).expect(78);
    fs::create_dir(&file).unwrap();
    stage.quiet(&["run"]).expect(78);
}

#[test]
fn a_wrong_password_is_not_told_either() {
    let mut stage = Stage::new(From::Files);
    let file = stage.own_file("wrong.secret", "hunter2-hunter2");
    stage.planted.add("wrong password", "hunter2-hunter2");
    stage
        .home
        .variable("STORY_LIKER_ACCOUNT_PASSWORD_FILE", file.to_str().unwrap());
    stage.in_every_form(&["login"], &[75, 77]);
    let sent = stage.relay.sent();
    assert!(!String::from_utf8_lossy(&sent).contains("hunter2"));
}

#[test]
fn without_a_key_the_session_lies_in_its_own_row_and_nowhere_else() {
    let mut stage = Stage::new(From::Files);
    stage.home.variable("STORY_LIKER_SECRETS_KEY_FILE", "");
    let database = stage.home.database();
    stage.own.insert(database);
    stage.quiet(&["login"]).expect(0);
    stage.planted.learn(&stage.home);
    stage.quiet(&["run"]).expect(0);
    stage.planted.learn(&stage.home);
    assert_eq!(stage.home.number("SELECT format FROM session"), 0);
    // The device is no secret, and has none in it.
    let told = stage.home.dump(&["session"]).join("\n");
    stage.planted.assert_unsaid(told.as_bytes(), "a table");
    stage.home.run(["run", "--check-all"]).expect(0);
    let told = stage.home.dump(&["session"]).join("\n");
    stage.planted.assert_unsaid(told.as_bytes(), "a table");
    // Without that row the file has nothing of it left.
    stage
        .home
        .sql()
        .execute_batch("PRAGMA secure_delete = ON; DELETE FROM session")
        .unwrap();
    let bytes = fs::read(stage.home.database()).unwrap();
    stage.planted.assert_unsaid(&bytes, "the database");
}

const CORES_AND_RUN: &str = "ulimit -S -c unlimited || ulimit -S -c 1; exec \"$0\" run";

#[test]
fn other_processes_learn_no_secret_of_a_pass_that_runs() {
    let mut stage = Stage::new(From::Files);
    stage
        .home
        .set("pace.between_requests", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"");
    let session_id = stage.home.server.credentials().session_id;
    let import = ["session", "import", "--session-id", "-", "--offline"];
    stage.fed(&import, &session_id).expect(0);
    // As where cores are kept.
    let mut shell = stage
        .home
        .prepare(Command::new("sh"), ["-c", CORES_AND_RUN, BINARY]);
    let shell = shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let pass = shell.spawn().unwrap();
    until("the first request", || !stage.home.calls().is_empty());
    let process = PathBuf::from(format!("/proc/{}", pass.id()));
    let own_alias = ["hunter2-of-the-alias"];
    for name in ["cmdline", "environ"] {
        let bytes = match fs::read(process.join(name)) {
            // To all but root.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => continue,
            read => read.unwrap(),
        };
        // A variable stays where whoever started the program put it; that is why files are better.
        let text = String::from_utf8_lossy(&bytes).replace(own_alias[0], "");
        stage.planted.assert_unsaid(text.as_bytes(), name);
    }
    let limits = fs::read_to_string(process.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let soft = core.and_then(|line| line.split_whitespace().nth(4));
    assert_eq!(
        soft,
        Some("0"),
        "a crash would leave the memory behind: {core:?}"
    );
    for thread in fs::read_dir(process.join("task")).unwrap() {
        let thread = thread.unwrap().path();
        // A thread may end meanwhile.
        let name = fs::read(thread.join("comm")).unwrap_or_default();
        stage.planted.assert_unsaid(&name, "a thread's name");
        let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
        assert_eq!(children, "", "nobody is told anything before the end");
    }
    // Nothing lies open beside the files of the home.
    stage
        .planted
        .assert_nowhere_on_disk(&stage.home, &stage.own, "a pass that runs");
    signal(&pass, "TERM");
    let ended = ended(pass).expect(0);
    stage.planted.assert_unsaid_by(&ended, "a stopped pass");
}

#[test]
fn the_program_that_notifies_is_handed_no_secret_while_it_runs() {
    let mut stage = Stage::new(From::Variables);
    stage.notify_by("mkdir \"$0.there\"; until [ -e \"$0.go\" ]; do sleep 0.1; done");
    // Without a session somebody has to be told.
    let pass = stage.home.start(["run"]);
    until("somebody is told", || {
        stage.home.path("told.there").exists()
    });
    let threads = fs::read_dir(format!("/proc/{}/task", pass.id())).unwrap();
    let children: String = threads
        .map(|thread| fs::read_to_string(thread.unwrap().path().join("children")))
        .filter_map(Result::ok)
        .collect();
    let child = PathBuf::from(format!("/proc/{}", children.trim()));
    for name in ["environ", "cmdline"] {
        let bytes = fs::read(child.join(name)).unwrap();
        assert!(!bytes.is_empty(), "{name} of {children:?}");
        stage
            .planted
            .assert_unsaid(&bytes, &format!("{name} of the child"));
    }
    // Nor the way to one: the database is not open in it.
    for open in fs::read_dir(child.join("fd")).unwrap() {
        let leads_to = fs::read_link(open.unwrap().path()).unwrap();
        assert!(
            !leads_to.starts_with(stage.home.folder.path()),
            "{leads_to:?}"
        );
    }
    fs::write(stage.home.path("told.go"), "").unwrap();
    let ended = ended(pass).expect(77);
    stage.planted.assert_unsaid_by(&ended, "a pass that told");
}
