//! Where the database lies: who owns what, what may be written, how much room is left. What is found
//! is gathered first and judged then, so that each verdict can be tried.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use super::check::Check;
use super::users::Users;
use crate::exit::ExitCode;
use crate::store::{files, shared_file_system};

/// Where the system's service keeps its database (`StateDirectory=story-liker`).
const OF_THE_SERVICE: &str = "/var/lib/story-liker/stories.db";

/// Below this a pass may not be able to finish: its journal and what a year adds.
const FULL: u64 = 16 << 20;

/// Below this it is time to look.
const SCARCE: u64 = 256 << 20;

/// A file or folder.
pub(super) struct Entry {
    pub path: PathBuf,
    pub owner: u32,
    pub mode: u32,
    /// Whether the one who asks may read and write it.
    pub usable: bool,
}

/// A file system.
pub(super) struct Space {
    pub free: u64,
    pub total: u64,
    /// Files that can still be made; `None` where the file system does not count them.
    pub free_files: Option<u64>,
    pub read_only: bool,
}

/// What was found.
pub(super) struct Place {
    pub database: PathBuf,
    /// The database and the files beside it, as far as they exist; the database first.
    pub files: Vec<Entry>,
    /// The folder, or the nearest one above that exists.
    pub folder: Option<Entry>,
    /// Whether `folder` is the database's own.
    pub folder_exists: bool,
    pub exists: bool,
    pub shared: Option<&'static str>,
    pub space: Option<Space>,
    /// The size of the database.
    pub bytes: u64,
    /// The service's database and its owner, where it is another one.
    pub other: Option<(PathBuf, u32)>,
}

impl Place {
    pub fn gather(database: &Path) -> Self {
        let is_file = fs::metadata(database).is_ok_and(|found| found.is_file());
        let folder = folder_of(database);
        let nearest = folder.ancestors().find(|folder| folder.exists());
        let service = Path::new(OF_THE_SERVICE);
        let same = fs::canonicalize(database).ok() == fs::canonicalize(service).ok();
        Self {
            database: database.to_owned(),
            files: files(database)
                .into_iter()
                .filter_map(|path| entry(&path, Access::READ_OK | Access::WRITE_OK))
                .collect(),
            folder: nearest.and_then(|path| entry(path, Access::WRITE_OK | Access::EXEC_OK)),
            folder_exists: folder.exists(),
            exists: is_file,
            shared: nearest.and_then(shared_file_system),
            space: nearest.and_then(space),
            bytes: fs::metadata(database).map_or(0, |found| found.len()),
            other: fs::metadata(service)
                .ok()
                .filter(|_| !same)
                .map(|found| (service.to_owned(), found.uid())),
        }
    }

    /// Every verdict about it.
    pub fn checks(&self, users: &Users) -> Vec<Check> {
        let mut checks = vec![self.database(users), self.owner(users), self.folder(users)];
        checks.extend(self.exposed());
        checks.push(self.disk_space());
        checks
    }

    fn database(&self, users: &Users) -> Check {
        const ID: &str = "database";
        let path = self.database.display();
        if let Some(name) = self.shared {
            return Check::problem(
                ID,
                ExitCode::CantCreat,
                format!(
                    "{path} lies on a {name} file system, whose locks cannot keep two passes apart"
                ),
                "put the database on a local disk (--database)",
            );
        }
        let other = self.other.as_ref().map(|(other, owner)| {
            let name = users.name(*owner);
            let finding = format!("{} exists as well and belongs to {name}", other.display());
            let start = users.sudo(*owner);
            let remedy = format!(
                "if that is the one you mean: {start} doctor --database {}",
                other.display()
            );
            (finding, remedy)
        });
        if !self.exists && self.database.exists() {
            return Check::problem(
                ID,
                ExitCode::CantCreat,
                format!("{path} is not a file"),
                "name a file with --database",
            );
        }
        if !self.exists {
            let remedy = "'story-liker session import FILE' or 'story-liker login' begins one; if \
                          there should be one, check --database, --profile and which user you are";
            let (more, remedy) = match other {
                Some((finding, remedy)) => (format!("; {finding}"), remedy),
                None => (String::new(), remedy.to_owned()),
            };
            let finding = format!("there is none at {path} yet{more}");
            return Check::problem(ID, ExitCode::NoPerm, finding, remedy);
        }
        let finding = format!("{path}, {} KiB", self.bytes / 1024);
        match other {
            Some((more, remedy)) => Check::warning(ID, format!("{finding}; {more}"), remedy),
            None => Check::ok(ID, finding),
        }
    }

    /// The classic trap: a command was run as root, and the service cannot open what it left.
    fn owner(&self, users: &Users) -> Check {
        const ID: &str = "database_owner";
        let me = users.name(users.me);
        let unusable = self.files.iter().find(|file| !file.usable);
        let read_only = self.space.as_ref().is_some_and(|space| space.read_only);
        if let Some(file) = unusable.filter(|_| !read_only) {
            let owner = users.name(file.owner);
            let path = file.path.display();
            let finding = format!(
                "{path} (mode {:03o}) belongs to {owner}, and {me} may not write it",
                file.mode
            );
            let start = users.sudo(file.owner);
            let remedy = format!(
                "start it as {owner} ({start} ...), or if it should be {me}'s: chown {me} {path}"
            );
            return Check::problem(ID, ExitCode::CantCreat, finding, remedy);
        }
        let Some(database) = self.files.first() else {
            return Check::ok(ID, format!("you are {me}, and would own it"));
        };
        let owner = users.name(database.owner);
        let stranger = self.files.iter().find(|file| file.owner != database.owner);
        if let Some(file) = stranger {
            let path = file.path.display();
            return Check::problem(
                ID,
                ExitCode::CantCreat,
                format!(
                    "{path} belongs to {}, but the database to {owner}, who may not be able to \
                     open it: something was started as another user",
                    users.name(file.owner)
                ),
                format!("chown {owner} {path}, and start everything as {owner}"),
            );
        }
        if database.owner != users.me {
            return Check::warning(
                ID,
                format!(
                    "you are {me}, and the database belongs to {owner}: a file that you make \
                         now, {owner} cannot open"
                ),
                format!(
                    "start commands that write as {owner}: {} ...",
                    users.sudo(database.owner)
                ),
            );
        }
        Check::ok(ID, format!("you are {me}, who owns it"))
    }

    fn folder(&self, users: &Users) -> Check {
        const ID: &str = "database_folder";
        let Some(folder) = &self.folder else {
            let remedy = "name another place with --database";
            return Check::problem(ID, ExitCode::CantCreat, "no part of it exists", remedy);
        };
        let path = folder.path.display();
        if self.space.as_ref().is_some_and(|space| space.read_only) {
            return Check::problem(
                ID,
                ExitCode::CantCreat,
                format!("{path} lies on a read-only file system"),
                "mount it for writing: StateDirectory= or ReadWritePaths= in a systemd unit, a \
                 volume without readOnly in Kubernetes, -v without :ro in Docker",
            );
        }
        if !folder.usable {
            let (me, owner) = (users.name(users.me), users.name(folder.owner));
            return Check::problem(
                ID,
                ExitCode::CantCreat,
                format!(
                    "{path} (mode {:03o}) belongs to {owner}, and {me} may make no file in it, which \
                     every change needs",
                    folder.mode
                ),
                format!(
                    "start it as {owner} ({} ...), or change the folder's owner or mode",
                    users.sudo(folder.owner)
                ),
            );
        }
        if self.folder_exists {
            Check::ok(ID, format!("{path} can be written"))
        } else {
            Check::ok(
                ID,
                format!("will be made below {path}, which can be written"),
            )
        }
    }

    /// What others may open.
    fn exposed(&self) -> Option<Check> {
        let database = self.files.first().filter(|file| file.mode & 0o077 != 0)?;
        let path = database.path.display();
        Some(Check::warning(
            "database_mode",
            format!(
                "other users can open {path} (mode {:03o}), which holds the login session",
                database.mode
            ),
            format!("chmod 600 {path}"),
        ))
    }

    fn disk_space(&self) -> Check {
        const ID: &str = "disk_space";
        let Some(space) = &self.space else {
            return Check::note(ID, "the file system does not tell");
        };
        let finding = format!("{} free of {}", size(space.free), size(space.total));
        // Migrating may write the whole file once more.
        let needed = FULL + self.bytes;
        if space.free_files == Some(0) {
            let finding = format!("{finding}, but no file can be made any more (inodes)");
            return Check::problem(ID, ExitCode::IoErr, finding, "remove some files");
        }
        if space.free < needed {
            let finding = format!("{finding}; {} are needed to be safe", size(needed));
            return Check::problem(ID, ExitCode::IoErr, finding, "free some space");
        }
        if space.free < SCARCE + self.bytes {
            return Check::warning(ID, finding, "free some space before passes begin to fail");
        }
        Check::ok(ID, finding)
    }
}

fn folder_of(database: &Path) -> PathBuf {
    let path = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn entry(path: &Path, wanted: Access) -> Option<Entry> {
    let found = fs::metadata(path).ok()?;
    Some(Entry {
        path: path.to_owned(),
        owner: found.uid(),
        mode: found.mode() & 0o777,
        usable: access(path, wanted).is_ok(),
    })
}

fn space(folder: &Path) -> Option<Space> {
    let found = statvfs(folder).ok()?;
    Some(Space {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        total: found.f_blocks.saturating_mul(found.f_frsize),
        free_files: (found.f_files > 0).then_some(found.f_favail),
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        megabytes @ 1..10_240 => format!("{megabytes} MiB"),
        megabytes => format!("{} GiB", megabytes >> 10),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::{Status, exit_code};
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
        let words = ["belongs to root", "story-liker may not write"];
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
}
