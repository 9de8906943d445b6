//! `config show` and `config check` of the real program: streams, exit codes, environment.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(folder: &Path, file: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    std::fs::write(folder.join("config.toml"), file).unwrap();
    Command::new(env!("CARGO_BIN_EXE_story-liker"))
        .arg("config")
        .args(arguments)
        .arg("--config")
        .arg(folder.join("config.toml"))
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn show_answers_on_stdout_without_targets_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("IG_PASSWORD", "hunter2")];
    for arguments in [&["show"][..], &["show", "--json"]] {
        let output = run(folder.path(), "", arguments, &variables);
        assert_eq!(output.status.code(), Some(0));
        let answer = text(&output.stdout);
        assert!(
            answer.contains("environment variable IG_PASSWORD"),
            "{answer}"
        );
        assert!(
            answer.contains("***") && !answer.contains("hunter2"),
            "{answer}"
        );
        assert_eq!(text(&output.stderr), "");
    }
    let database = folder.path().join(".local/state/story-liker/stories.db");
    assert!(!database.exists(), "a question makes no database");
}

#[test]
fn check_of_a_sound_file_forecasts_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "targets = [\"anna\"]", &["check"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let answer = text(&output.stdout);
    assert!(
        answer.contains("limits.likes_per_target binds first"),
        "{answer}"
    );
    let output = run(
        folder.path(),
        "targets = [\"anna\"]",
        &["check", "--json"],
        &[],
    );
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["forecast"]["round"]["requests"], 2);
}

#[test]
fn every_mistake_is_on_stderr_and_the_exit_code_is_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = "posts.per_target = 99\npassword = \"hunter2\"";
    let variables = [("STORY_LIKER_PACE_BETWEEN_LIKES", "1s..2s")];
    let output = run(folder.path(), file, &["check"], &variables);
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(text(&output.stdout), "");
    let told = text(&output.stderr);
    for words in [
        "4 mistakes",
        "posts.per_target = 99",
        "config.toml line 1",
        "account.password_file",
        "environment variable STORY_LIKER_PACE_BETWEEN_LIKES",
        "STORY_LIKER_TARGETS=a_friend",
    ] {
        assert!(told.contains(words), "{words:?} is missing in: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn mistakes_are_the_answer_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = "targets = [\"anna\"]\nposts.per_target = 99";
    let output = run(folder.path(), file, &["check", "--json"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["mistakes"][0]["key"], "posts.per_target");
    assert_eq!(answer["mistakes"][0]["value"], "99");
    let origin = answer["mistakes"][0]["origin"].as_str().unwrap();
    assert!(origin.ends_with("line 2"), "{origin}");
}

#[test]
fn a_bad_command_line_ends_with_64_and_help_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "", &["show", "--bogus"], &[]);
    assert_eq!(output.status.code(), Some(64));
    let output = run(folder.path(), "", &["show", "--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Examples:"));
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_story-liker"))
        .args(["config", "show"])
        .env_clear()
        .env("HOME", folder.path())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}
