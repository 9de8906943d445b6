//! More than one process, one of them killed without warning. Each test plays both parts: started
//! again by itself with a path in its environment, it is the other process.

#![allow(clippy::disallowed_methods)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use story_liker::model::{AttemptKind, ItemKind, ItemState, Outcome, ProfileName};
use story_liker::ports::{Claimed, Store, StoreError};
use story_liker::store::{Opening, Writer};

use crate::support::*;

const PART: &str = "STORY_LIKER_TEST_DATABASE";

/// The database the other process is to use, if this is the other process.
fn part() -> Option<PathBuf> {
    std::env::var_os(PART).map(PathBuf::from)
}

fn other_process(test: &str, database: &Path) -> Command {
    process_of(&std::env::current_exe().unwrap(), test, database)
}

fn process_of(program: &Path, test: &str, database: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]);
    command
        .env(PART, database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Starts the other process and waits until it says `ready`.
fn started(test: &str, database: &Path) -> Child {
    let mut child = other_process(test, database).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = lines
        .map_while(Result::ok)
        .any(|line| line.contains("ready"));
    assert!(found, "the other process ended early");
    child
}

/// Says `ready` and lives until it is killed.
fn stay() {
    println!("ready");
    let _ = std::io::stdin().read(&mut [0]);
}

fn open(path: &Path) -> Writer {
    let place = Place::new();
    Writer::open(
        path,
        &ProfileName::default(),
        &place.request(),
        Opening::default(),
    )
    .unwrap()
}

#[test]
fn a_claim_and_a_settlement_survive_a_kill() {
    if let Some(path) = part() {
        let mut store = open(&path);
        let target = list_target(&mut store, "garden");
        put_item(&mut store, ItemKind::Story, 1, target);
        act(&mut store, &view(1), Outcome::Ok, START);
        granted(&mut store, &like(ItemKind::Story, 1), START);
        stay();
        return;
    }
    let place = Place::new();
    let mut child = started(
        "processes::a_claim_and_a_settlement_survive_a_kill",
        &place.path(),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let mut store = place.open().unwrap();
    let before = store.attempts(START).unwrap();
    assert_eq!(
        (before[0].kind, before[0].settled_at),
        (AttemptKind::StoryView, Some(START))
    );
    assert_eq!(
        (before[1].kind, before[1].settled_at),
        (AttemptKind::Like, None)
    );
    assert_eq!(store.recover(START.plus(HOUR)).unwrap().len(), 1);
    assert_eq!(
        known(&mut store, ItemKind::Story, 1).state,
        ItemState::Unknown
    );
    let again = store
        .claim(&like(ItemKind::Story, 1), &[], START.plus(DAY))
        .unwrap();
    assert_eq!(again, Claimed::Taken);
}

#[test]
fn no_claim_is_lost_wherever_the_process_is_killed() {
    if let Some(path) = part() {
        let mut store = open(&path);
        store.recover(START).unwrap();
        loop {
            let attempt = granted(&mut store, &read(), START);
            println!("ready, claimed {}", attempt.0);
            settle(&mut store, attempt, Outcome::Ok, START);
        }
    }
    let place = Place::new();
    let test = "processes::no_claim_is_lost_wherever_the_process_is_killed";
    let mut told = 0;
    for more in 1..=10 {
        let mut child = other_process(test, &place.path()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        told += lines
            .map_while(Result::ok)
            .filter(|line| line.contains("ready"))
            .take(more)
            .count();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut store = place.open().unwrap();
        let attempts = store.attempts(START).unwrap();
        assert!(attempts.len() >= told, "{} of {told}", attempts.len());
        let unsettled = attempts
            .iter()
            .filter(|attempt| attempt.settled_at.is_none());
        assert!(unsettled.count() <= 1);
        // Claims that were made but not told before the kill.
        told = attempts.len();
    }
}

#[test]
fn another_process_holds_the_lock_until_it_dies() {
    if let Some(path) = part() {
        let _store = open(&path);
        stay();
        return;
    }
    let place = Place::new();
    let mut child = started(
        "processes::another_process_holds_the_lock_until_it_dies",
        &place.path(),
    );
    match place.open().err() {
        Some(StoreError::Busy(text)) => {
            assert!(
                text.contains(&format!("process {} on", child.id())),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
    place.open_profile("other").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    place.open().unwrap();
}

#[test]
fn a_user_who_may_not_write_is_told_and_the_file_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if let Some(path) = part() {
        let place = Place::new();
        let opened = Writer::open(&path, &ProfileName::default(), &place.request(), quick());
        match opened.err() {
            Some(StoreError::CannotOpen(text)) => println!("ready: {text}"),
            other => println!("{other:?}"),
        }
        return;
    }
    let place = Place::filled();
    let permit = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let before = picture(&place.path());
    // Where any user may start it.
    let public = tempfile::tempdir().unwrap();
    let program = public.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    permit(public.path(), 0o755);
    // A read-only folder; then only a read-only file.
    for (folder_mode, file_mode) in [(0o555, 0o444), (0o777, 0o444)] {
        for entry in std::fs::read_dir(place.folder.path()).unwrap() {
            permit(&entry.unwrap().path(), 0o666);
        }
        permit(&place.path(), file_mode);
        permit(place.folder.path(), folder_mode);
        let test = "processes::a_user_who_may_not_write_is_told_and_the_file_stays_as_it_is";
        let mut command = process_of(&program, test, &place.path());
        if is_root() {
            // Permission bits do not bind root.
            command.uid(65534).gid(65534);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        permit(place.folder.path(), 0o700);
        assert!(said.contains("ready: "), "{said}");
        assert!(said.contains("owner or permissions"), "{said}");
    }
    assert_eq!(picture(&place.path()), before);
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}
