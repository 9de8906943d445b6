//! What a person is told: every change once, in order, whatever fails on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use story_liker::practice::switches::{DateHeader, Switches};

use crate::home::{Ended, Home, until};
use crate::ping::ok;
use crate::raw_server::{Act, RawServer, reply};

const KEY: &str = "synthetic-capability-4712";

/// Notes what it is told in the file that is its name; `$0` is that file.
const NOTE: &str = "printf '%s\\n' \"$STORY_LIKER_NOTICE\" >> \"$0\"";

/// Tells by a shell script.
fn tell_by_script(home: &mut Home, script: &str) {
    let told = home.path("told");
    let command = format!("['/bin/sh', '-c', '''{script}''', '{}']", told.display());
    home.set("notify.command", &command);
}

fn tell_by_url(home: &mut Home, script: Vec<Act>) -> RawServer {
    let server = RawServer::start(script);
    let url = format!("http://{}/{KEY}", server.address);
    home.secret("notify.url_file", &url);
    server
}

/// What the script noted.
fn told(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.path("told")).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn posted(server: &RawServer) -> Vec<Value> {
    let received = server.received();
    let body = |one: &crate::raw_server::Received| {
        assert_eq!(one.line, format!("POST /{KEY} HTTP/1.1"));
        assert_eq!(one.header("content-type"), Some("application/json"));
        serde_json::from_str(&one.body).unwrap()
    };
    received.iter().map(body).collect()
}

fn kinds(notices: &[Value]) -> Vec<&str> {
    let kinds = notices.iter().map(|notice| notice["kind"].as_str());
    kinds.map(Option::unwrap).collect()
}

fn names(notices: &[Value]) -> BTreeSet<&str> {
    notices
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect()
}

/// The next pass meets a challenge.
fn challenge(home: &Home) -> Ended {
    home.arm("read", "error_challenge_required");
    home.run(["run", "--check-all"])
}

fn open_deliveries(home: &Home) -> i64 {
    home.number("SELECT count(*) FROM delivery WHERE delivered_at IS NULL AND given_up_at IS NULL")
}

#[test]
fn a_hold_its_end_and_the_recovery_are_told_once_by_every_way() {
    let mut home = Home::logged_in();
    home.run(["run"]).expect(0);
    tell_by_script(&mut home, NOTE);
    let server = tell_by_url(&mut home, vec![ok()]);
    home.run(["run"]).expect(0);
    assert_eq!(told(&home), Vec::<Value>::new(), "all is as it was");
    challenge(&home).expect(77);
    home.run(["run"]).expect(77);
    home.run(["run"]).expect(77);
    assert_eq!(kinds(&told(&home)), ["hold_appeared"]);
    home.run(["resume"]).expect(0);
    home.run(["run", "--check-all"]).expect(0);
    home.run(["run", "--check-all"]).expect(0);
    let told = told(&home);
    assert_eq!(kinds(&told), ["hold_appeared", "hold_cleared", "recovery"]);
    assert_eq!(posted(&server), told, "the same by both ways");
    assert_eq!(names(&told).len(), 3);
    let first = &told[0];
    assert_eq!(first["hold"], "challenge");
    assert_eq!(first["needs_person"], true);
    assert_eq!(first["exit_code"], 77);
    assert_eq!(first["profile"], "default");
    assert_eq!(
        first["title"],
        "story-liker, profile default: hold 'challenge' needs a person"
    );
    let text = first["text"].as_str().unwrap();
    assert!(text.contains("then run `story-liker resume`"), "{text}");
    assert_eq!(told[2]["needs_person"], false);
}

#[test]
fn a_dry_run_tells_nothing() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, "exit 1");
    challenge(&home).expect(77);
    assert_eq!(open_deliveries(&home), 1);
    tell_by_script(&mut home, NOTE);
    home.run(["run", "--dry-run"]).expect(77);
    assert_eq!(told(&home), Vec::<Value>::new());
    assert_eq!(open_deliveries(&home), 1);
    home.run(["run"]).expect(77);
    assert_eq!(kinds(&told(&home)), ["hold_appeared"]);
}

#[test]
fn a_hold_that_a_dry_run_met_is_told_by_the_next_pass() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, NOTE);
    home.arm("read", "error_challenge_required");
    home.run(["run", "--dry-run"]).expect(77);
    assert_eq!(told(&home), Vec::<Value>::new());
    home.run(["run"]).expect(77);
    assert_eq!(kinds(&told(&home)), ["hold_appeared"]);
}

#[test]
fn without_a_way_to_tell_nothing_is_recorded() {
    let home = Home::logged_in();
    challenge(&home).expect(77);
    assert_eq!(home.number("SELECT count(*) FROM notice"), 0);
}

#[test]
fn a_first_start_without_a_session_is_told_and_so_is_its_end() {
    let mut home = Home::new();
    tell_by_script(&mut home, NOTE);
    home.run(["run"]).expect(77);
    home.run(["run"]).expect(77);
    home.import();
    home.run(["run"]).expect(0);
    let told = told(&home);
    assert_eq!(kinds(&told), ["session_lost", "session_back", "recovery"]);
    let message = told[0]["message"].as_str().unwrap();
    assert!(message.contains("no session in"), "{message}");
}

#[test]
fn one_outage_is_nothing_and_the_third_in_a_row_is_told_once() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, NOTE);
    for _ in 0..2 {
        home.arm("read", "drop");
        home.run(["run", "--check-all"]).expect(69);
    }
    assert_eq!(told(&home), Vec::<Value>::new());
    home.arm("read", "drop");
    home.run(["run", "--check-all"]).expect(69);
    home.run(["run"]).expect(75);
    assert_eq!(kinds(&told(&home)), ["failure"]);
    home.run(["resume", "--force"]).expect(0);
    home.run(["run", "--check-all"]).expect(0);
    assert_eq!(kinds(&told(&home)), ["failure", "recovery"]);
}

#[test]
fn what_was_not_told_is_told_by_the_next_pass_in_its_order() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, NOTE);
    let no = || Act::Say(reply(503, &[], b"later"));
    let server = tell_by_url(&mut home, vec![no(), no(), ok()]);
    challenge(&home)
        .expect(77)
        .saying(&["notify.url could not be told", "the answer was 503"]);
    assert_eq!(posted(&server).len(), 1);
    let status = home.run(["status"]).expect(0);
    status.saying(&["not told", "(notify.url, tried 1x): the answer was 503"]);
    home.run(["resume"]).expect(0);
    // Three wait now; the first fails again, and the others do not overtake it.
    home.run(["run", "--check-all"]).expect(0);
    assert_eq!(posted(&server).len(), 2);
    assert_eq!(open_deliveries(&home), 3);
    home.run(["run"]).expect(0);
    let posted = posted(&server);
    let expected = [
        "hold_appeared",
        "hold_appeared",
        "hold_appeared",
        "hold_cleared",
        "recovery",
    ];
    assert_eq!(kinds(&posted), expected);
    assert_eq!(names(&posted[..3]).len(), 1, "one notice has one name");
    assert_eq!(open_deliveries(&home), 0);
    let told = told(&home);
    assert_eq!(kinds(&told), ["hold_appeared", "hold_cleared", "recovery"]);
    assert!(!home.run(["status"]).stdout.contains("not told"));
}

#[test]
fn a_crash_before_telling_loses_nothing_and_one_after_it_repeats_one_by_name() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, "kill -9 $PPID");
    let ended = challenge(&home);
    assert_eq!(ended.signal(), Some(9), "{ended}");
    assert_eq!(
        home.number("SELECT exit_code FROM run ORDER BY id DESC"),
        77
    );
    assert_eq!(told(&home), Vec::<Value>::new());
    let killed_after = format!("{NOTE}; [ -e \"$0.again\" ] || kill -9 $PPID; : > \"$0.again\"");
    tell_by_script(&mut home, &killed_after);
    assert_eq!(home.run(["run"]).signal(), Some(9));
    until("the script has ended", || home.path("told.again").exists());
    assert_eq!(told(&home).len(), 1);
    for _ in 0..3 {
        home.run(["run"]).expect(77);
    }
    let told = told(&home);
    assert_eq!(kinds(&told), ["hold_appeared", "hold_appeared"]);
    assert_eq!(names(&told).len(), 1);
}

#[test]
fn many_notices_come_in_order_ten_after_each_pass() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, NOTE);
    challenge(&home).expect(77);
    home.sql()
        .execute_batch(
            "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 13)
             INSERT INTO notice (account, kind, subject, happened_at, noticed_at, message)
             SELECT 1, 'failure', n, n, n, 'planted' FROM more;
             INSERT INTO delivery (notice, channel)
             SELECT id, 'command' FROM notice WHERE message = 'planted'",
        )
        .unwrap();
    home.run(["run"]).expect(77);
    assert_eq!(told(&home).len(), 1 + 10);
    home.run(["run"]).expect(77);
    let told = told(&home);
    assert_eq!(told.len(), 1 + 13);
    let order: Vec<&str> = told[1..]
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (1..=13)
        .map(|n| format!("default-failure-{n}-{n}"))
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn what_could_not_be_told_for_a_week_is_tried_once_more_and_given_up() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, "exit 3");
    challenge(&home).expect(77);
    let week = 7 * 86_400_000 + 1000;
    let older = format!("UPDATE notice SET noticed_at = noticed_at - {week}");
    home.sql().execute(&older, []).unwrap();
    // Nothing has told this pass the time: by a wrong clock the call for help may be of today.
    home.run(["run"]).expect(77);
    assert_eq!(open_deliveries(&home), 1);
    home.run(["resume"]).expect(0);
    home.run(["run"])
        .expect(0)
        .saying(&["for 7 days; they are given up"]);
    let tries = "SELECT tries FROM delivery ORDER BY notice LIMIT 1";
    assert_eq!(home.number(tries), 3);
    let open = open_deliveries(&home);
    tell_by_script(&mut home, NOTE);
    home.run(["run"]).expect(0);
    assert_eq!(told(&home).len(), usize::try_from(open).unwrap());
}

/// A clock that is a week ahead makes everything look old.
#[test]
fn nothing_is_given_up_by_a_clock_that_is_known_to_be_wrong() {
    let mut home = Home::logged_in();
    tell_by_script(&mut home, "exit 3");
    home.sql()
        .execute_batch(
            "INSERT INTO notice (account, kind, subject, happened_at, noticed_at, message)
             VALUES (1, 'failure', 1, 1, 1, 'planted');
             INSERT INTO delivery (notice, channel) SELECT id, 'command' FROM notice",
        )
        .unwrap();
    let given_up =
        |home: &Home| home.number("SELECT count(*) FROM delivery WHERE given_up_at IS NOT NULL");
    home.server.set_switches(Switches {
        date: DateHeader::Skewed(600),
        ..Switches::default()
    });
    let report = home.run(["run"]).expect(75).report();
    assert_eq!(report["stop"]["name"], "clock_off");
    assert_eq!(given_up(&home), 0);
    home.server.set_switches(Switches::default());
    home.run(["run"]).expect(0);
    assert_eq!(given_up(&home), 1);
}

#[test]
fn what_a_program_wrote_steers_no_terminal() {
    let mut home = Home::logged_in();
    let script = r"printf 'a\033[2J\nok       session    forged\n' >&2; exit 4";
    home.set(
        "notify.command",
        &format!("['/bin/sh', '-c', '''{script}''']"),
    );
    challenge(&home).expect(77);
    let says = "it wrote: a [2J ok session forged";
    for command in ["status", "doctor"] {
        let shown = home.run([command]).stdout;
        assert!(shown.contains(says), "{command}: {shown}");
        assert!(!shown.contains('\u{1b}'), "{command}: {shown}");
    }
    let on_record = format!("SELECT count(*) FROM delivery WHERE problem LIKE '%{says}'");
    assert_eq!(home.number(&on_record), 1);
}

#[test]
fn the_program_sees_no_secret_and_gets_the_text() {
    const PLANTED: &str = "planted-secret-0815";
    let mut home = Home::logged_in();
    let credentials = home.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("password"), PLANTED).unwrap();
    for name in [
        "IG_PASSWORD",
        "STORY_LIKER_ACCOUNT_PASSWORD",
        "HTTPS_PROXY",
        "SOME_TOKEN",
        "LD_PRELOAD_NOT",
    ] {
        home.variable(name, PLANTED);
    }
    home.variable("STORY_LIKER_ACCOUNT_TOTP_SECRET", "JBSWY3DPEHPK3PXP")
        .variable("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
        .variable("LC_TIME", "C");
    let server = tell_by_url(&mut home, vec![ok()]);
    tell_by_script(
        &mut home,
        "env > \"$0\"; cat > \"$0.text\"; pwd > \"$0.place\"",
    );
    let ended = challenge(&home).expect(77);
    let read = |name: &str| fs::read_to_string(home.path(name)).unwrap();
    let seen = read("told");
    let known = [
        "PATH",
        "HOME",
        "LC_TIME",
        "STORY_LIKER_NOTICE",
        "STORY_LIKER_NOTICE_TITLE",
        // Of the shell's own making.
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
    ];
    for line in seen.lines() {
        let name = line.split('=').next().unwrap();
        assert!(known.contains(&name), "the program sees {line}");
    }
    assert!(
        seen.contains("LC_TIME=C") && seen.contains("PATH=/usr"),
        "{seen}"
    );
    let text = read("told.text");
    assert!(
        text.starts_with("story-liker, profile default: hold 'challenge'"),
        "{text}"
    );
    assert!(text.contains("open the official app"), "{text}");
    assert_eq!(read("told.place").trim(), "/");
    let session_id = home.server.credentials().session_id;
    let database = home.dump(&["session", "account"]).join("\n");
    let body = server.only().body;
    for (what, text) in [
        ("the variables", &seen),
        ("the text", &text),
        ("the body", &body),
        ("the log", &ended.stdout),
        ("the messages", &ended.stderr),
        ("the database", &database),
    ] {
        for secret in [PLANTED, KEY, "JBSWY3DPEHPK3PXP", &session_id] {
            assert!(!text.contains(secret), "{what}: {secret} in {text}");
        }
    }
}

#[test]
fn a_script_may_ask_this_program() {
    let mut home = Home::logged_in();
    let ask = format!(
        "STORY_LIKER_CONFIG=\"$HOME/config.toml\" \"{}\" status > \"$0\"",
        crate::home::BINARY
    );
    home.variable("PATH", "/usr/bin:/bin");
    tell_by_script(&mut home, &format!("cd; {ask}"));
    challenge(&home).expect(77);
    let status = fs::read_to_string(home.path("told")).unwrap();
    assert!(status.contains("hold      'challenge'"), "{status}");
}

#[test]
fn the_example_script_calls_when_a_person_is_needed_and_notes_the_rest() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut home = Home::logged_in();
    let tools = home.path("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["mail", "logger"] {
        let script =
            format!("#!/bin/sh\necho {tool} \"$@\" >> \"$HOME/called\"\ncat >> \"$HOME/text\"\n");
        fs::write(tools.join(tool), script).unwrap();
        fs::set_permissions(tools.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", tools.display());
    home.variable("PATH", &path);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/notify");
    home.set("notify.command", &format!("['{example}']"));
    challenge(&home).expect(77);
    home.run(["resume"]).expect(0);
    home.run(["run", "--check-all"]).expect(0);
    let called = fs::read_to_string(home.path("called")).unwrap();
    let title = "story-liker, profile default: hold 'challenge' needs a person";
    let expected =
        format!("mail -s {title} you@example.org\nlogger -t story-liker\nlogger -t story-liker\n");
    assert_eq!(called, expected);
    let text = fs::read_to_string(home.path("text")).unwrap();
    assert_eq!(text.matches("notice default-").count(), 3);
}

#[test]
fn a_program_in_trouble_is_a_warning_and_is_tried_again() {
    for (command, says) in [
        (
            "['/bin/sh', '-c', 'echo so much; echo and why >&2; exit 3']",
            "it wrote: so much and why",
        ),
        ("['/nowhere/at/all']", "/nowhere/at/all cannot be started"),
        (
            "['/bin/sh', '-c', 'yes 0123456789 | head -c 3000000; exit 4']",
            "exit status: 4; it wrote: 0123456789",
        ),
        ("['/bin/sh', '-c', 'kill -9 $$']", "signal: 9"),
    ] {
        let mut home = Home::logged_in();
        home.variable("PATH", "/usr/bin:/bin");
        home.set("notify.command", command);
        let ended = challenge(&home).expect(77).saying(&[says]);
        assert!(ended.stdout.len() < 30_000, "{command}: a flood in the log");
        assert_eq!(open_deliveries(&home), 1, "{command}");
        assert_eq!(ended.report()["exit"]["code"], 77);
        home.assert_flawless();
    }
}

#[test]
fn a_program_that_reads_nothing_or_leaves_another_behind_has_told() {
    for script in ["exec <&-; exit 0", "sleep 60 & echo $! > \"$0\""] {
        let mut home = Home::logged_in();
        home.variable("PATH", "/usr/bin:/bin");
        tell_by_script(&mut home, script);
        challenge(&home).expect(77);
        assert_eq!(open_deliveries(&home), 0, "{script}");
        if let Ok(left) = fs::read_to_string(home.path("told")) {
            let killed = std::process::Command::new("kill").arg(left.trim()).status();
            assert!(killed.unwrap().success());
        }
    }
}

#[test]
fn a_program_that_hangs_is_ended_with_all_it_started() {
    let mut home = Home::logged_in();
    home.variable("PATH", "/usr/bin:/bin");
    tell_by_script(
        &mut home,
        "sleep 600 & echo $! > \"$0\"; echo waiting; wait",
    );
    challenge(&home)
        .expect(77)
        .saying(&["was ended after 10 s; it wrote: waiting"]);
    assert_eq!(open_deliveries(&home), 1);
    let started = fs::read_to_string(home.path("told")).unwrap();
    let process = format!("/proc/{}/cmdline", started.trim());
    until("what it started is gone", || {
        // A zombie that nobody reaps has no command line any more.
        fs::read(Path::new(&process)).map_or(true, |line| line.is_empty())
    });
}

#[test]
fn a_database_of_the_version_before_begins_with_what_is_so_now() {
    let mut home = Home::logged_in();
    for _ in 0..3 {
        challenge(&home).expect(77);
        home.run(["resume"]).expect(0);
    }
    challenge(&home).expect(77);
    home.sql()
        .execute_batch(
            "DROP INDEX attempt_about_item;
             DROP TABLE delivery;
             DROP TABLE notice;
             DELETE FROM refinery_schema_history WHERE version > 1",
        )
        .unwrap();
    tell_by_script(&mut home, NOTE);
    home.run(["run"]).expect(77);
    home.run(["run"]).expect(77);
    let told = told(&home);
    assert_eq!(kinds(&told), ["hold_appeared"]);
}
