#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

const OLD: &str = "# HELP story_liker_x x\n";

fn home() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story-liker.prom");
    (folder, path)
}

fn put(path: &Path, text: &str) -> Result<(), Problem> {
    replace(path, || (), |_| Ok(text.to_owned()))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    entries.map(name).collect()
}

#[test]
fn everybody_may_read_it_and_nothing_else_is_left() {
    let (folder, path) = home();
    put(&path, OLD).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert_eq!(names(folder.path()), ["story-liker.prom"]);
}

#[test]
fn what_is_made_is_made_of_what_was_there() {
    let (_folder, path) = home();
    put(&path, OLD).unwrap();
    replace(&path, || (), |old| Ok(format!("{old}more"))).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{OLD}more"));
}

/// A file that is written in place is empty, or short, for some readers.
#[test]
fn a_reader_never_sees_half_a_file() {
    let (_folder, path) = home();
    let texts = ["a".repeat(100_000), "b".repeat(10)];
    put(&path, &texts[0]).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..200 {
                put(&path, &texts[round % 2]).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let seen = fs::read_to_string(&path).unwrap();
            assert!(texts.contains(&seen), "{} bytes", seen.len());
        }
    });
}

#[test]
fn whoever_has_it_open_keeps_the_old_figures_whole() {
    use std::io::Read as _;
    let (_folder, path) = home();
    put(&path, OLD).unwrap();
    let mut open = File::open(&path).unwrap();
    put(&path, "new").unwrap();
    let mut seen = String::new();
    open.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, OLD);
}

#[test]
fn what_a_killed_start_left_is_overlooked_and_removed_when_it_is_old() {
    let (folder, path) = home();
    put(&path, OLD).unwrap();
    let now = fs::metadata(&path).unwrap().modified().unwrap();
    let minute = Duration::from_mins(1);
    let leave = |name: &str, age| {
        let file = File::create(folder.path().join(name)).unwrap();
        file.set_modified(now - age).unwrap();
    };
    leave(".story-liker.aB3dE6.new", LEFT_AFTER + minute);
    leave(".story-liker.young1.new", minute);
    leave(".story-liker.of a person.new", LEFT_AFTER + minute);
    leave(".other.aB3dE6.new", LEFT_AFTER + minute);
    put(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    let mut left = names(folder.path());
    left.sort();
    let expected = [
        ".other.aB3dE6.new",
        ".story-liker.of a person.new",
        ".story-liker.young1.new",
        "story-liker.prom",
    ];
    assert_eq!(left, expected);
}

#[test]
fn two_starts_that_write_at_the_same_moment_do_not_write_the_same_file() {
    let (folder, path) = home();
    let first = spare(folder.path(), "first").unwrap();
    let second = spare(folder.path(), "second").unwrap();
    first.persist(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    second.persist(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "second");
    assert_eq!(names(folder.path()), ["story-liker.prom"]);
}

/// As in a folder that may not be read, or that somebody keeps locked.
#[test]
fn a_reader_sees_whole_files_also_where_nobody_gets_the_lock() {
    let (folder, path) = home();
    let other = File::open(folder.path()).unwrap();
    other.lock_exclusive().unwrap();
    let texts = ["a".repeat(100_000), "b".repeat(10)];
    put(&path, &texts[0]).unwrap();
    thread::scope(|scope| {
        let writers = texts.each_ref().map(|text| {
            scope.spawn(|| {
                for _ in 0..50 {
                    put(&path, text).unwrap();
                }
            })
        });
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let seen = fs::read_to_string(&path).unwrap();
            assert!(texts.contains(&seen), "{} bytes", seen.len());
        }
    });
    assert_eq!(names(folder.path()), ["story-liker.prom"]);
}

#[test]
fn a_failure_leaves_the_old_figures() {
    let (folder, path) = home();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join(path.file_name().unwrap());
    put(&path, OLD).unwrap();
    let moved = folder.path().join("moved");
    let unplug = |_: &str| {
        fs::rename(&inner, &moved).unwrap();
        Ok("new".to_owned())
    };
    let problem = replace(&path, || (), unplug).unwrap_err();
    assert!(matches!(problem, Problem::Io { .. }), "{problem}");
    assert_eq!(names(&moved), ["story-liker.prom"]);
    let kept = fs::read_to_string(moved.join("story-liker.prom")).unwrap();
    assert_eq!(kept, OLD);
}

#[test]
fn what_is_no_figures_of_ours_is_left_alone() {
    let (folder, path) = home();
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(put(&path, "new"), Err(Problem::NotOurs)));
    assert_eq!(fs::read(&path).unwrap(), [0xff, 0xfe]);
    let problem = replace(&path.with_file_name("b.prom"), || (), |_| Err(NotOurs));
    assert!(matches!(problem, Err(Problem::NotOurs)));
    let folder = folder.path().join("folder.prom");
    fs::create_dir(&folder).unwrap();
    assert!(matches!(put(&folder, "new"), Err(Problem::NoFile)));
    assert!(matches!(
        put(Path::new("/dev/null"), "new"),
        Err(Problem::NoFile)
    ));
}

#[test]
fn a_missing_folder_is_named_and_not_made() {
    let (folder, _) = home();
    let missing = folder.path().join("missing");
    let problem = put(&missing.join("a.prom"), "new").unwrap_err();
    assert!(
        problem.to_string().contains(missing.to_str().unwrap()),
        "{problem}"
    );
    assert!(!missing.exists());
}

#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let (folder, path) = home();
    put(&path, OLD).unwrap();
    let link = folder.path().join("link.prom");
    symlink(&path, &link).unwrap();
    put(&link, "new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn a_start_waits_for_another_that_replaces_it_but_not_for_ever() {
    let (folder, path) = home();
    put(&path, OLD).unwrap();
    let other = File::open(folder.path()).unwrap();
    other.lock_exclusive().unwrap();
    let waits = Cell::new(0);
    let count = || waits.set(waits.get() + 1);
    replace(&path, count, |_| Ok("new".to_owned())).unwrap();
    assert_eq!(waits.get(), TRIES);
    // The other one writes while this one waits: what it wrote is what this one reads.
    let late = || {
        fs::write(&path, "other").unwrap();
        fs2::FileExt::unlock(&other).unwrap();
    };
    replace(&path, late, |old| Ok(format!("{old} and this"))).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "other and this");
}
