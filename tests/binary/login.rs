//! Logging in, by hand and once by itself: how often a password leaves, and what stops it.

use std::process::Stdio;

use rustix::termios::LocalModes;
use serde_json::{Value, json};

use crate::home::{Home, ended as ended_of, signal, until};
use crate::typist::Typist;
use story_liker::instagram::totp;
use story_liker::model::{Secret, Timestamp};
use story_liker::practice::clock::{PracticeClock as _, WallClock};

/// A home whose operator has a password and no session.
fn home_with_password() -> Home {
    let mut home = Home::new();
    let password = home.server.credentials().password;
    home.secret("account.password_file", &password);
    home
}

fn ask_for_second_factor(home: &Home) {
    let mut switches = home.server.switches();
    switches.two_factor = true;
    home.server.set_switches(switches);
}

fn submissions(home: &Home) -> usize {
    home.calls().iter().filter(|call| **call == "login").count()
}

#[test]
fn a_login_submits_the_password_once_and_its_session_serves_a_pass() {
    let home = home_with_password();
    home.run(["login"])
        .expect(0)
        .saying(&["logged in as sandbox.operator"]);
    assert_eq!(home.calls(), ["launcher_sync", "key_sync", "login"]);
    let again = home.run(["login", "--json"]).expect(0).report();
    assert_eq!(again["already"], true, "a living session is kept");
    assert_eq!(submissions(&home), 1);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5);
    home.assert_flawless();
}

#[test]
fn a_wrong_password_leaves_once_and_the_next_login_names_when_it_may_try_again() {
    let mut home = home_with_password();
    home.secret("account.password_file", "not the password");
    home.run(["login"]).expect(77);
    assert_eq!(submissions(&home), 1);
    let asked = home.calls().len();
    home.run(["run"]).expect(77);
    let right = home.server.credentials().password;
    home.secret("account.password_file", &right);
    home.run(["login"])
        .expect(75)
        .saying(&["limits.logins 1/6h is full", "room again at 20"]);
    assert_eq!(
        home.calls().len(),
        asked,
        "nothing leaves before there is room"
    );
}

#[test]
fn no_password_is_asked_for_that_could_not_be_submitted() {
    let mut home = home_with_password();
    home.secret("account.password_file", "not the password");
    home.run(["login"]).expect(77);
    let asked = home.calls().len();
    // Without a terminal the question for a password ends with 78.
    home.unset("account.password_file");
    home.run(["login"])
        .expect(75)
        .saying(&["limits.logins 1/6h is full", "room again at 20"]);
    assert_eq!(home.calls().len(), asked);
}

#[test]
fn a_second_factor_is_answered_from_the_secret_file() {
    let mut home = home_with_password();
    ask_for_second_factor(&home);
    let secret = home.server.credentials().totp_secret;
    home.secret("account.totp_secret_file", &secret);
    home.run(["login"]).expect(0);
    assert_eq!(submissions(&home), 1);
    assert_eq!(home.calls().last(), Some(&"two_factor"));
    home.run(["run"]).expect(0);
    home.assert_flawless();
}

#[test]
fn a_second_factor_is_answered_from_a_code_file_or_standard_input() {
    for from_stdin in [false, true] {
        let home = home_with_password();
        ask_for_second_factor(&home);
        let secret = Secret::new(home.server.credentials().totp_secret);
        let now = Timestamp::from_millis(WallClock.now_ms());
        let code = totp::code(&secret, now).unwrap();
        let spaced = format!("{} {}\n", &code.expose()[..3], &code.expose()[3..]);
        let ended = if from_stdin {
            home.fed(["login", "--code-file", "-"], &spaced)
        } else {
            std::fs::write(home.path("code"), spaced).unwrap();
            home.run(["login", "--code-file", "code"])
        };
        ended.expect(0);
        home.assert_flawless();
    }
}

#[test]
fn a_code_file_that_cannot_be_used_costs_no_password() {
    let home = home_with_password();
    std::fs::write(home.path("code"), "no code").unwrap();
    for file in ["code", "missing"] {
        home.run(["login", "--code-file", file])
            .expect(78)
            .saying(&["--code-file", file]);
    }
    assert_eq!(home.calls().len(), 0);
}

#[test]
fn without_a_code_the_login_stops_and_says_where_one_may_come_from() {
    let home = home_with_password();
    ask_for_second_factor(&home);
    home.run(["login"])
        .expect(77)
        .saying(&["--code-file", "account.totp_secret_file"]);
    let (passwords, asked) = (submissions(&home), home.calls().len());
    assert_eq!(passwords, 1);
    home.run(["login"]).expect(75).saying(&["limits.logins"]);
    assert_eq!(home.calls().len(), asked);
}

#[test]
fn a_dead_session_is_replaced_once_a_day_and_the_next_pass_works() {
    let mut home = home_with_password();
    // So that it is not the window that stops the second one.
    home.set("limits.logins", "\"9/1h\"");
    home.import();
    home.server.revoke_sessions();
    let met = home.run(["run"]).expect(75).report();
    assert_eq!(met["stop"]["name"], "logged_in_again", "{met}");
    assert_eq!(submissions(&home), 1);
    assert!(
        home.likes().is_empty(),
        "the pass that logs in likes nothing"
    );
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5);

    home.server.revoke_sessions();
    let met = home.run(["run", "--check-all"]).expect(77).report();
    assert_eq!(met["stop"]["name"], "objection", "{met}");
    assert_eq!(submissions(&home), 1, "not twice within 24 hours");
    home.run(["run"]).expect(77);
    assert_eq!(submissions(&home), 1);

    // 25 hours later the person's own login goes through, and so would one of the program.
    let hours = 25 * 3_600_000;
    home.sql()
        .execute_batch(&format!(
            "UPDATE attempt SET claimed_at = claimed_at - {hours}, settled_at = settled_at - {hours}"
        ))
        .unwrap();
    home.run(["login"]).expect(0);
    assert_eq!(submissions(&home), 2);
    home.run(["run", "--check-all"]).expect(0);
    home.assert_flawless();
}

#[test]
fn a_login_keeps_the_phone_of_an_imported_device() {
    for relogin in [true, false] {
        let mut home = home_with_password();
        let mut settings: Value =
            serde_json::from_str(include_str!("../fixtures/settings/instagrapi-3.2.2.json"))
                .unwrap();
        settings["authorization_data"]["sessionid"] = json!(home.server.credentials().session_id);
        settings["user_agent"] = json!(
            "Instagram 364.0.0.35.86 Android (33/13; 420dpi; 1080x2400; samsung; SM-G991B; o1s; \
             exynos2100; en_US; 374010953)"
        );
        settings.as_object_mut().unwrap().remove("device_settings");
        home.fed(["session", "import", "-"], &settings.to_string())
            .expect(0);
        home.server.revoke_sessions();
        if relogin {
            home.run(["run"]).expect(75);
        } else {
            home.set("session.relogin", "\"never\"");
            home.run(["run"]).expect(77);
            home.run(["login"]).expect(0);
        }
        assert_eq!(submissions(&home), 1);
        home.run(["run"]).expect(0);
        home.run(["session", "show"]).expect(0).saying(&[
            "449.0.0.52.84",
            "SM-G991B",
            "1079242191",
        ]);
        home.assert_flawless();
    }
}

#[test]
fn a_login_after_one_that_failed_comes_with_the_machine_id_it_was_given() {
    let mut home = home_with_password();
    home.set("limits.logins", "\"9/1h\"");
    home.secret("account.password_file", "not the password");
    for _ in 0..2 {
        home.run(["login"]).expect(77);
    }
    assert_eq!(submissions(&home), 2);
    home.assert_flawless();
}

#[test]
fn no_login_happens_by_itself_where_it_is_not_wanted() {
    let mut home = home_with_password();
    home.set("session.relogin", "\"never\"");
    home.import();
    home.server.revoke_sessions();
    home.run(["run"]).expect(77).saying(&["story-liker login"]);
    assert_eq!(submissions(&home), 0);

    let home = home_with_password();
    home.import();
    home.server.revoke_sessions();
    home.run(["run", "--dry-run"]).expect(77);
    assert_eq!(submissions(&home), 0, "a dry run never logs in");
}

#[test]
fn a_login_waits_for_a_hold_that_is_not_about_the_session() {
    let home = home_with_password();
    home.import();
    home.arm("like", "error_feedback_required_limit");
    home.run(["run"]).expect(75);
    let asked = home.calls().len();
    home.run(["login"]).expect(75).saying(&["action_blocked"]);
    assert_eq!(home.calls().len(), asked);
}

#[test]
fn a_hold_for_a_person_is_cleared_by_resume_with_a_warning() {
    let home = home_with_password();
    home.import();
    home.arm("like", "error_challenge_required");
    home.run(["run"]).expect(77).saying(&["story-liker resume"]);
    home.run(["login"])
        .expect(77)
        .saying(&["challenge", "resume"]);
    home.run(["resume"])
        .expect(0)
        .saying(&["cleared: challenge", "cost the account"]);
    let again = home.run(["resume", "--json"]).expect(0).report();
    assert_eq!(again["cleared"], serde_json::json!([]));
    home.run(["run"]).expect(0);
}

/// Meets a refusal that may mean a dead session, and leaves its hold.
fn doubted(home: &Home) {
    let refusal = r#"{"on": "read", "times": 2,
                      "reply": {"status": 403, "body": {"status": "fail", "message": ""}}}"#;
    let trouble = story_liker::practice::trouble::Trouble::from_json(refusal.as_bytes());
    home.server.arm(trouble.unwrap());
    home.run(["run"]).expect(77).saying(&["session_doubtful"]);
    assert_eq!(home.calls(), ["current_user", "current_user"]);
}

#[test]
fn a_doubted_session_that_lives_is_kept_by_a_login() {
    let home = home_with_password();
    home.import();
    doubted(&home);
    let kept = home.run(["login", "--json"]).expect(0).report();
    assert_eq!(kept["already"], true, "{kept}");
    assert_eq!(home.calls().last(), Some(&"current_user"));
    assert_eq!(submissions(&home), 0);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5);
}

#[test]
fn a_doubted_session_that_is_dead_is_replaced_by_a_login() {
    let home = home_with_password();
    home.import();
    doubted(&home);
    home.server.revoke_sessions();
    home.run(["login"]).expect(0).saying(&["logged in as"]);
    assert_eq!(submissions(&home), 1);
    home.run(["run"]).expect(0);
    assert_eq!(home.likes().len(), 5);
}

/// A password that is pasted at once must not be shown either. What comes too late may be in time by
/// chance, so it is asked again and again.
#[test]
fn a_terminal_is_silent_before_it_asks_for_the_password() {
    let home = Home::new();
    for _ in 0..20 {
        let mut typist = Typist::start(&home, &["login"]);
        let modes = typist.reads("Pass").modes();
        typist.killed();
        assert!(!modes.contains(LocalModes::ECHO), "{modes:?}");
    }
    let mut typist = Typist::start(&home, &["login"]);
    let password = home.server.credentials().password;
    typist.reads("Pass").types(&format!("{password}\n"));
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("logged in as"), "{shown}");
    assert!(!shown.contains(&password));
}

#[test]
fn an_empty_line_is_no_password_and_the_question_is_put_again() {
    let home = Home::new();
    let mut typist = Typist::start(&home, &["login"]);
    let password = home.server.credentials().password;
    typist.reads(QUESTION).types("\n");
    typist.reads("nothing was typed").reads(QUESTION);
    typist.types(&format!("{password}\n"));
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(0), "{shown}");

    let home = Home::new();
    let mut typist = Typist::start(&home, &["login"]);
    for _ in 0..3 {
        typist.reads(QUESTION).types("\n");
    }
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(78), "{shown}");
    assert!(home.calls().is_empty());

    // The end of what is typed is no line.
    let mut typist = Typist::start(&home, &["login"]);
    typist.reads(QUESTION);
    // The question stands there a little earlier; till then ^D is the terminal's own matter.
    until("each key to be read", || {
        !typist.modes().contains(LocalModes::ICANON)
    });
    typist.types("\u{4}");
    let (shown, code) = typist.ends();
    assert_eq!(code, Some(78), "{shown}");
    assert_eq!(shown.matches(QUESTION).count(), 1, "{shown}");
}

const QUESTION: &str = "Password of sandbox.operator: ";
const CODE: &str = "Code from the authenticator app of sandbox.operator: ";

#[test]
fn what_is_no_code_is_never_sent_and_the_question_is_put_again() {
    let home = home_with_password();
    ask_for_second_factor(&home);
    let credentials = home.server.credentials();
    let mut typist = Typist::start(&home, &["login"]);
    typist.reads(CODE).types("\n");
    typist.reads("that is no code").reads(CODE);
    typist.types(&format!("{}\n", credentials.password));
    typist.reads("that is no code").reads(CODE);
    let now = Timestamp::from_millis(WallClock.now_ms());
    let code = totp::code(&Secret::new(credentials.totp_secret), now).unwrap();
    typist.types(&format!("{}\n", code.expose()));
    let (shown, ended) = typist.ends();
    assert_eq!(ended, Some(0), "{shown}");
    assert!(!shown.contains(&credentials.password), "{shown}");
    home.assert_flawless();

    let home = home_with_password();
    ask_for_second_factor(&home);
    let mut typist = Typist::start(&home, &["login"]);
    for typed in ["", "12345", "no code"] {
        typist.reads(CODE).types(&format!("{typed}\n"));
    }
    let (shown, ended) = typist.ends();
    assert_eq!(ended, Some(77), "{shown}");
    assert!(
        shown.contains("one has 6 to 8 digits (asked 3 times)"),
        "{shown}"
    );
    assert!(!shown.contains("Instagram objected"), "{shown}");
    assert_eq!(home.calls().last(), Some(&"login"));
}

#[test]
fn a_login_that_is_stopped_at_the_question_for_the_code_is_no_objection() {
    const WORDS: [&str; 3] = [
        "stopped at the question for the code; this login counts (limits.logins)",
        "hold 'login_refused'",
        "session import",
    ];
    let home = home_with_password();
    ask_for_second_factor(&home);
    let mut typist = Typist::start(&home, &["login"]);
    typist.reads(CODE).types("\u{3}");
    let (shown, ended) = typist.ends();
    assert_eq!(ended, Some(130), "{shown}");
    assert!(WORDS.iter().all(|words| shown.contains(words)), "{shown}");
    assert!(!shown.contains("objected"), "{shown}");
    home.run(["run"]).expect(77).saying(&WORDS[..1]);

    let home = home_with_password();
    ask_for_second_factor(&home);
    // Somebody keeps the other end open and says nothing.
    let mut waiting = home.start_with(["login", "--code-file", "-"], Stdio::piped());
    let kept = waiting.stdin.take();
    until("the password", || submissions(&home) == 1);
    signal(&waiting, "INT");
    let told = ended_of(waiting).expect(130).saying(&WORDS);
    assert!(!told.stderr.contains("objected"), "{told}");
    drop(kept);
}

#[test]
fn a_code_typed_as_an_argument_is_not_repeated() {
    let home = home_with_password();
    let told = home.run(["login", "--code-file", "123456"]).expect(78);
    let told = told.saying(&["--code-file takes the name of a file, or - for standard input"]);
    assert!(!told.stderr.contains("123456"), "{told}");
    home.run(["login", "--code-file", "missing"])
        .expect(78)
        .saying(&["missing cannot be read", "name a file"]);
}
