#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::super::check::{Status, exit_code};
use super::gather::OF_THE_SERVICE;
use super::*;

const ME: u32 = 998;

fn users(me: u32) -> Users {
    Users::new(
        me,
        "root:x:0:0:::\nstory-liker:x:998:998:::\nanna:x:1000:1000:::\n",
    )
}

fn file(name: &str, owner: u32) -> Entry {
    Entry {
        path: Path::new("/data").join(name),
        owner,
        mode: 0o600,
        usable: true,
    }
}

fn sound() -> Place {
    Place {
        database: PathBuf::from("/data/stories.db"),
        files: vec![file("stories.db", ME), file("stories.db.lock", ME)],
        folder: Some(file("", ME)),
        folder_exists: true,
        exists: true,
        shared: None,
        space: Some(Space {
            free: 1 << 30,
            total: 1 << 34,
            free_files: Some(9),
            read_only: false,
        }),
        bytes: 1 << 20,
        other: None,
    }
}

fn told(place: &Place, me: u32) -> Vec<(&'static str, Status, u8, String)> {
    let row = |check: Check| {
        let code = exit_code(std::slice::from_ref(&check)).number();
        let remedy = check.remedy.unwrap_or_default();
        (
            check.id,
            check.status,
            code,
            format!("{} > {remedy}", check.finding),
        )
    };
    let checks = place.checks(&users(me)).into_iter();
    checks
        .map(row)
        .filter(|(_, status, ..)| *status > Status::Note)
        .collect()
}

#[track_caller]
fn tells(change: impl FnOnce(&mut Place), me: u32, id: &str, code: u8, words: &[&str]) {
    let mut place = sound();
    change(&mut place);
    let told = told(&place, me);
    let one = told.iter().find(|row| row.0 == id);
    let (_, status, found, text) = one.unwrap_or_else(|| panic!("{told:?}"));
    let expected = if code == 0 {
        Status::Warning
    } else {
        Status::Problem
    };
    assert_eq!((*status, *found), (expected, code), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

#[test]
fn a_sound_place_is_no_trouble() {
    assert_eq!(told(&sound(), ME), []);
}

#[test]
fn what_root_left_names_both_users() {
    let by_root = |place: &mut Place| place.files[1].owner = 0;
    let both = [
        "stories.db.lock",
        "belongs to root",
        "to story-liker",
        "chown story-liker",
    ];
    tells(by_root, 0, "database_owner", 73, &both);
    let unusable = |place: &mut Place| {
        place.files[1].owner = 0;
        place.files[1].usable = false;
    };
    let words = [
        "belongs to root",
        "story-liker may not write",
        "as root: chown story-liker",
    ];
    tells(unusable, ME, "database_owner", 73, &words);
    let words = [
        "you are root",
        "belongs to story-liker",
        "sudo -u story-liker story-liker",
    ];
    tells(|_| (), 0, "database_owner", 0, &words);
}

#[test]
fn a_read_only_volume_is_told_as_such_and_not_as_a_matter_of_owners() {
    let read_only = |place: &mut Place| {
        place.space.as_mut().unwrap().read_only = true;
        place.folder.as_mut().unwrap().usable = false;
        place.files[0].usable = false;
    };
    let words = [
        "read-only file system",
        "ReadWritePaths=",
        "readOnly",
        ":ro",
    ];
    tells(read_only, ME, "database_folder", 73, &words);
    let mut place = sound();
    read_only(&mut place);
    assert_eq!(told(&place, ME).len(), 1);
}

#[test]
fn a_folder_of_another_user_is_told() {
    let foreign = |place: &mut Place| {
        place.folder = Some(Entry {
            usable: false,
            ..file("", 1000)
        });
    };
    tells(
        foreign,
        ME,
        "database_folder",
        73,
        &["belongs to anna", "sudo -u anna"],
    );
    tells(
        |place| place.folder = None,
        ME,
        "database_folder",
        73,
        &["--database"],
    );
}

#[test]
fn a_missing_database_is_told_with_the_one_that_was_probably_meant() {
    let missing = |place: &mut Place| {
        place.files.clear();
        place.exists = false;
    };
    tells(
        missing,
        ME,
        "database",
        77,
        &["none at /data/stories.db", "session import"],
    );
    let other = (PathBuf::from(OF_THE_SERVICE), ME);
    let as_root = |place: &mut Place| {
        missing(place);
        place.other = Some(other.clone());
    };
    let words = [
        OF_THE_SERVICE,
        "sudo -u story-liker story-liker doctor --database",
    ];
    tells(as_root, 0, "database", 77, &words);
    tells(
        |place| place.other = Some(other.clone()),
        0,
        "database",
        0,
        &words,
    );
    tells(
        |place| place.shared = Some("NFS"),
        ME,
        "database",
        73,
        &["NFS", "local disk"],
    );
}

#[test]
fn an_open_database_and_a_full_disk_are_told_with_figures() {
    let open = |place: &mut Place| place.files[0].mode = 0o640;
    tells(open, ME, "database_mode", 0, &["mode 640", "chmod 600"]);
    let free = |bytes: u64| move |place: &mut Place| place.space.as_mut().unwrap().free = bytes;
    tells(
        free(1 << 20),
        ME,
        "disk_space",
        74,
        &["1 MiB free of 16 GiB", "17 MiB are needed"],
    );
    tells(
        free(100 << 20),
        ME,
        "disk_space",
        0,
        &["100 MiB free", "free some space"],
    );
    let no_inodes = |place: &mut Place| place.space.as_mut().unwrap().free_files = Some(0);
    tells(no_inodes, ME, "disk_space", 74, &["inodes"]);
}

#[test]
fn a_place_that_does_not_exist_is_gathered_without_being_made() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::gather(&folder.path().join("a/b/stories.db"));
    assert!(!place.folder_exists && !place.exists && place.files.is_empty());
    assert_eq!(place.folder.unwrap().path, folder.path());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
