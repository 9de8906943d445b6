//! Where the database lies: who owns what, what may be written, how much room is left. What is found
//! is gathered first and judged then, so that each verdict can be tried.

mod gather;

use std::path::PathBuf;

use super::check::Check;
use super::users::Users;
use crate::exit::ExitCode;

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
            let first = self.files.first().map(|database| database.owner);
            let remedy = if first == Some(users.me) {
                format!("as root: chown {me} {path}; and start everything as {me}")
            } else {
                format!(
                    "start it as {owner} ({start} ...), or if it should be {me}'s: chown {me} {path}"
                )
            };
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

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        megabytes @ 1..10_240 => format!("{megabytes} MiB"),
        megabytes => format!("{} GiB", megabytes >> 10),
    }
}

#[cfg(test)]
mod tests;
