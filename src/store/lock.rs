//! Who may write. `<db>.lock` is shared by everyone who writes and exclusive for migrating;
//! `<db>.<profile>.lock` is exclusive for whoever acts for that account. The kernel releases a lock
//! with its process, so there are no stale ones, and the files are never deleted: whoever waits for
//! a deleted file's lock would get it beside the owner of the new one.
//!
//! An exclusive owner writes itself into the file, for the message of those who find it busy.
//!
//! Whoever only wants to know takes a lock shared for a moment. That must not end a pass that starts
//! in the same moment, so a lock that nobody owns is asked for again before it is called busy.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs2::FileExt;

use super::place::{FILE_MODE, cannot_open, resolve};
use crate::model::ProfileName;
use crate::ports::{Clock, StoreError};

/// How often a waiting process tries again.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// How long a lock is asked for that somebody looks at or is about to leave. Looking takes
/// microseconds; the rest is for a machine that is busy.
const LOOKED_AT: Duration = Duration::from_secs(1);

/// How often in that time.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Who asks for the locks, and how long they would wait.
#[derive(Clone, Copy)]
pub struct LockRequest<'a> {
    /// The command, for the message of whoever finds the lock busy.
    pub command: &'a str,
    /// How long to wait for a busy lock (`--lock-wait`).
    pub wait: Duration,
    /// The only way to wait; an interrupt ends the wait.
    pub clock: &'a dyn Clock,
}

/// The lock on a whole database.
pub(super) struct DatabaseLock {
    file: File,
    path: PathBuf,
    database: PathBuf,
}

/// The lock on one profile of a database, held until it is dropped.
pub(super) struct ProfileLock {
    _file: File,
    path: PathBuf,
}

impl DatabaseLock {
    /// For a command that writes.
    pub fn shared(database: &Path, request: &LockRequest<'_>) -> Result<Self, StoreError> {
        let lock = Self::prepare(database)?;
        lock.share(request)?;
        Ok(lock)
    }

    /// For migrating.
    pub fn exclusive(database: &Path, request: &LockRequest<'_>) -> Result<Self, StoreError> {
        let mut lock = Self::prepare(database)?;
        lock.upgrade(None, request)?;
        Ok(lock)
    }

    fn prepare(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        Ok(Self {
            file: open(&path)?,
            path,
            database: database.to_owned(),
        })
    }

    fn share(&self, request: &LockRequest<'_>) -> Result<(), StoreError> {
        let busy = || Some(format!("it is being migrated by {}", owner(&self.path)));
        take(
            &self.file,
            FileExt::try_lock_shared,
            request,
            &self.database,
            busy,
        )
    }

    /// Makes it exclusive, for whoever holds the profile lock `own`. The lock is not held for a moment
    /// in between, so what was read under the shared lock must be read again.
    pub fn upgrade(
        &mut self,
        own: Option<&ProfileLock>,
        request: &LockRequest<'_>,
    ) -> Result<(), StoreError> {
        FileExt::unlock(&self.file).map_err(|error| cannot_open(&self.path, &error))?;
        let busy = || {
            let users = self.users(own)?;
            Some(format!(
                "migrating needs it alone, and it is in use by {users}"
            ))
        };
        take(
            &self.file,
            FileExt::try_lock_exclusive,
            request,
            &self.database,
            busy,
        )?;
        sign(&mut self.file, request);
        Ok(())
    }

    /// Makes it shared again.
    pub fn downgrade(&self, request: &LockRequest<'_>) -> Result<(), StoreError> {
        self.share(request)
    }

    /// Whoever migrates, or else the owners of the profile locks that are held.
    fn users(&self, own: Option<&ProfileLock>) -> Option<String> {
        if is_held(&self.path) {
            return Some(owner(&self.path));
        }
        let mut users: Vec<String> = profile_locks(&self.database)
            .into_iter()
            .filter(|path| own.is_none_or(|own| own.path != *path) && is_held(path))
            .map(|path| owner(&path))
            .collect();
        users.sort();
        (!users.is_empty()).then(|| users.join(" and by "))
    }
}

impl ProfileLock {
    /// For whoever acts for this account.
    pub fn take(
        database: &Path,
        profile: &ProfileName,
        request: &LockRequest<'_>,
    ) -> Result<Self, StoreError> {
        let path = beside(database, &format!(".{profile}.lock"));
        let mut file = open(&path)?;
        let in_use = |by: String| format!("profile {profile} is in use by {by}");
        let busy = || is_held(&path).then(|| in_use(owner(&path)));
        take(&file, FileExt::try_lock_exclusive, request, database, busy)?;
        sign(&mut file, request);
        Ok(Self { _file: file, path })
    }
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    PathBuf::from(name)
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE);
    options
        .open(path)
        .map_err(|error| cannot_open(path, &error))
}

/// `busy` says who owns the lock; `None` if nobody does who stays.
fn take(
    file: &File,
    try_lock: fn(&File) -> io::Result<()>,
    request: &LockRequest<'_>,
    database: &Path,
    busy: impl Fn() -> Option<String>,
) -> Result<(), StoreError> {
    let clock = request.clock;
    let asked_at = clock.monotonic();
    loop {
        match try_lock(file) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                return Err(StoreError::CannotOpen(format!(
                    "cannot lock the database {}: {error}; two passes are kept apart by file locks, \
                     which this file system does not give: put the database on a local disk \
                     (--database)",
                    database.display()
                )));
            }
        }
        let user = busy();
        let (wait, again) = match user {
            Some(_) => (request.wait, TRY_EVERY),
            None => (request.wait.max(LOOKED_AT), LOOK_AGAIN),
        };
        let left = asked_at
            .saturating_add(wait)
            .saturating_sub(clock.monotonic());
        if left.is_zero() || clock.interrupted().is_some() {
            return Err(StoreError::Busy(format!(
                "the database {} is busy: {}; nothing was done: start again when that has ended, or \
                 wait for it with --lock-wait 5m",
                database.display(),
                user.unwrap_or_else(|| format!("it is in use by {UNNAMED}"))
            )));
        }
        clock.sleep_until(clock.now().plus(left.min(again)));
    }
}

/// Writes the owner into its file. For the eyes of others only, so a full disk does not matter here.
fn sign(file: &mut File, request: &LockRequest<'_>) {
    let owner = format!(
        "process {} on {}, since {}: story-liker {}\n",
        std::process::id(),
        rustix::system::uname().nodename().to_string_lossy(),
        request.clock.now(),
        request.command
    );
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(owner.as_bytes()));
    if let Err(error) = written {
        log::debug!("the lock file does not name its owner: {error}");
    }
}

/// Longer than any owner; whatever else lies there is not read into a message.
const LONGEST_OWNER: u64 = 512;

const UNNAMED: &str = "another process";

fn owner(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_OWNER).read_to_string(&mut text));
    match (read, text.lines().next()) {
        (Ok(_), Some(owner)) if !owner.is_empty() => owner.to_owned(),
        _ => UNNAMED.to_owned(),
    }
}

fn profile_locks(database: &Path) -> Vec<PathBuf> {
    let Some(folder) = database.parent() else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| profile_of(database, path).is_some())
        .collect()
}

/// Whose lock file it is, if it is one of a profile.
fn profile_of(database: &Path, lock: &Path) -> Option<ProfileName> {
    let database = database.file_name()?.to_string_lossy();
    let name = lock.file_name()?.to_string_lossy();
    let rest = name.strip_prefix(&*database)?.strip_prefix('.')?;
    rest.strip_suffix(".lock")?.parse().ok()
}

/// Who has a lock at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The profile; `None` where the whole database is being migrated.
    pub profile: Option<ProfileName>,
    /// Process, host, since when and which command, as it wrote itself.
    pub owner: String,
}

/// Who has which lock of the database. Creates nothing, waits for nobody, and keeps nobody out.
pub fn holders(database: &Path) -> Vec<Holder> {
    let Ok(database) = &resolve(database) else {
        return Vec::new();
    };
    let whole = beside(database, ".lock");
    let mut holders = Vec::new();
    if is_held(&whole) {
        holders.push(Holder {
            profile: None,
            owner: owner(&whole),
        });
    }
    for path in profile_locks(database) {
        if is_held(&path) {
            holders.push(Holder {
                profile: profile_of(database, &path),
                owner: owner(&path),
            });
        }
    }
    holders.sort_by(|a, b| a.profile.cmp(&b.profile));
    holders
}

/// Every file beside the database that is made with it: the locks, and what SQLite writes.
pub(super) fn companions(database: &Path) -> Vec<PathBuf> {
    let mut files = profile_locks(database);
    files.sort();
    let others = [".lock", "-journal", "-wal", "-shm"];
    files.extend(others.map(|ending| beside(database, ending)));
    files.retain(|path| path.exists());
    files
}

/// Whether someone holds it exclusively.
fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| {
        FileExt::try_lock_shared(&file)
            .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    })
}

#[cfg(test)]
mod tests;
