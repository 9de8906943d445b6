//! A real file system that is full, or read-only: a small one in memory, which only the program and
//! its shell see.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::home::{BINARY, Ended, Home};
use crate::lab::{assert_explained, assert_on_record, assert_recovers, lab};
use crate::strace::say;

/// The state folder becomes a file system of its own with the same files, the program runs in it,
/// and what it left is brought back.
const SCRIPT: &str = r#"
    mount -t tmpfs -o "size=$SIZE,mode=0700" tmpfs state || exit 99
    cp -p saved/* state/ || exit 98
    [ -z "$READ_ONLY" ] || mount -o remount,bind,ro state || exit 97
    "$0" "$@"
    code=$?
    cp -p state/* left/ || exit 96
    exit $code
"#;

/// Whether a file system can be mounted here, by its owner or in a name space of its own.
fn can_mount(what: &str) -> bool {
    let home = Home::new();
    fs::create_dir(home.path("state")).unwrap();
    let mount = "mount -t tmpfs tmpfs state";
    let tried = Command::new("unshare")
        .args(["-rm", "/bin/sh", "-c", mount])
        .current_dir(home.folder.path())
        .output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    say(&format!(
        "{what}: skipped, no file system can be mounted: {why}"
    ));
    false
}

/// Runs a pass in a file system of so many bytes.
fn pass_in(home: &Home, bytes: u64, read_only: bool) -> Ended {
    for name in ["saved", "left"] {
        if home.path(name).exists() {
            fs::remove_dir_all(home.path(name)).unwrap();
        }
    }
    fs::rename(home.path("state"), home.path("saved")).unwrap();
    for name in ["state", "left"] {
        fs::create_dir(home.path(name)).unwrap();
    }
    let mut shell = Command::new("/usr/bin/unshare");
    shell.args(["-rm", "/bin/sh", "-c", SCRIPT, BINARY]);
    let mut command = home.prepare(shell, ["run"]);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("SIZE", bytes.to_string());
    command.env("READ_ONLY", if read_only { "yes" } else { "" });
    let ended: Ended = command.output().unwrap().into();
    assert!(!(96..=99).contains(&ended.code()), "{ended}");
    fs::remove_dir(home.path("state")).unwrap();
    fs::rename(home.path("left"), home.path("state")).unwrap();
    fs::set_permissions(home.path("state"), fs::Permissions::from_mode(0o700)).unwrap();
    ended
}

const PAGE: u64 = 4096;

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_pass_ends_it_with_74_and_it_goes_on_once_there_is_room()
{
    let name = "tmpfs/full";
    if !can_mount(name) {
        return;
    }
    let (mut full, mut in_the_middle) = (0, 0);
    for more in 0.. {
        let mut home = lab();
        let size = fs::metadata(home.database()).unwrap().len();
        // Two lock files.
        let ended = pass_in(&home, size + (2 + more) * PAGE, false);
        let about = format!("{name}, {more} pages left");
        let record = home.server.record();
        assert_on_record(&record, &home.sql(), &about);
        if ended.code() == 0 {
            assert!(full > 3 && in_the_middle > 0, "{full}, {in_the_middle}");
            break;
        }
        assert_explained(&ended, &[74], &about);
        full += 1;
        in_the_middle += usize::from(!record.is_empty());
        assert_recovers(&mut home, &about);
    }
    say(&format!(
        "{name}: {full} sizes too small, {in_the_middle} of them for the whole of a pass only"
    ));
}

#[test]
fn a_read_only_file_system_is_told_before_any_request() {
    let name = "tmpfs/read_only";
    if !can_mount(name) {
        return;
    }
    let mut home = lab();
    let ended = pass_in(&home, 64 * PAGE, true);
    assert_explained(&ended, &[73], name);
    assert!(home.calls().is_empty(), "{ended}");
    assert_recovers(&mut home, name);
}
