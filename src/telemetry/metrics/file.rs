//! The metrics file, replaced in one piece: whoever reads it sees the old figures or the new ones,
//! also if the machine stops in between.
//!
//! Two starts may end at the same time, and the later one keeps what it does not know. So reading,
//! making and replacing happen under one lock: that of the folder, which needs no file of its own. The
//! new content is made in a file that no other start knows, so without the lock a figure may get lost,
//! but still nobody sees half a file.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs2::FileExt as _;
use rustix::fs::{Access, access};
use tempfile::NamedTempFile;
use thiserror::Error;

use super::text::{NotOurs, are_ours};

/// The collector runs as another user.
const MODE: u32 = 0o644;

/// How often a busy folder is tried; `wait` comes in between.
const TRIES: u32 = 100;

/// How the names of spare files begin and end. Collectors overlook them: they do not end in `.prom`.
const SPARE: [&str; 2] = [".story-liker.", ".new"];

/// A spare file is there for a moment; what is older was left by a start that was killed.
const LEFT_AFTER: Duration = Duration::from_hours(1);

/// Why the file was not replaced, and what to do.
#[derive(Debug, Error)]
pub enum Problem {
    /// The folder is not there.
    #[error("there is no folder {0}; make it, or name another file (metrics.file, --metrics-file)")]
    NoFolder(String),
    /// Something else has the name.
    #[error(
        "it is a folder or a device; name a file that may be replaced (metrics.file, --metrics-file)"
    )]
    NoFile,
    /// Another program's figures stand there.
    #[error(
        "it holds something else than figures of story-liker and was left alone; name another file \
         (metrics.file, --metrics-file), or remove this one"
    )]
    NotOurs,
    /// The file system said no.
    #[error(
        "cannot {doing} {path}: {error}; the user that runs story-liker needs to write in that \
         folder, and the disk needs room"
    )]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: String,
        /// What came back.
        error: io::Error,
    },
}

impl From<NotOurs> for Problem {
    fn from(NotOurs: NotOurs) -> Self {
        Self::NotOurs
    }
}

/// Whether [`replace`] would find a folder it may write and figures that are its own. Changes nothing.
pub fn is_replaceable(path: &Path) -> Result<(), Problem> {
    let path = resolved(path)?;
    let folder = folder_of(&path)?;
    access(&folder, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| problem("write to", &folder, error.into()))?;
    Ok(are_ours(&content(&path)?)?)
}

/// Replaces the content of the file at `path` with what `make` makes of it (of nothing, if there is no
/// file yet). `wait` passes a moment while another start replaces it.
pub fn replace(
    path: &Path,
    mut wait: impl FnMut(),
    make: impl FnOnce(&str) -> Result<String, NotOurs>,
) -> Result<(), Problem> {
    let path = resolved(path)?;
    let folder = folder_of(&path)?;
    // A folder that may be written but not read cannot be locked, and one that somebody keeps locked
    // is not waited for without end.
    let lock = File::open(&folder).ok();
    if let Some(lock) = &lock {
        for _ in 0..TRIES {
            match lock.try_lock_exclusive() {
                Err(error) if error.kind() == fs2::lock_contended_error().kind() => wait(),
                _ => break,
            }
        }
    }
    let old = content(&path)?;
    let new = make(&old)?;
    let spare = spare(&folder, &new).map_err(|error| problem("write in", &folder, error))?;
    remove_left_overs(&folder, spare.as_file());
    spare
        .persist(&path)
        .map_err(|refused| problem("replace", &path, refused.error))?;
    if let Some(lock) = &lock {
        // The figures are there; only a power cut could bring the old ones back.
        let _ = lock.sync_all();
    }
    Ok(())
}

/// What stands in the file; nothing if there is none.
fn content(path: &Path) -> Result<String, Problem> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| Problem::NotOurs),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(problem("read", path, error)),
    }
}

/// A new file with this text, whole and on the disk; removed when it is dropped.
fn spare(folder: &Path, text: &str) -> io::Result<NamedTempFile> {
    let [beginning, end] = SPARE;
    let mut names = tempfile::Builder::new();
    let mut spare = names.prefix(beginning).suffix(end).tempfile_in(folder)?;
    // It was made for nobody but this user.
    let mode = Permissions::from_mode(MODE);
    spare.as_file().set_permissions(mode)?;
    spare.write_all(text.as_bytes())?;
    spare.as_file().sync_all()?;
    Ok(spare)
}

/// Removes the spare files of starts that were killed: those much older than `new`. What cannot be
/// removed, or seen, does no harm.
fn remove_left_overs(folder: &Path, new: &File) {
    let now = new.metadata().and_then(|new| new.modified());
    let (Ok(now), Ok(entries)) = (now, fs::read_dir(folder)) else {
        return;
    };
    for entry in entries.flatten() {
        let is_spare = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(SPARE[0])
                .and_then(|name| name.strip_suffix(SPARE[1]))
                .is_some_and(|chance| chance.chars().all(|c| c.is_ascii_alphanumeric()))
        });
        let made = entry.metadata().and_then(|entry| entry.modified());
        let age = made.ok().and_then(|made| now.duration_since(made).ok());
        if is_spare && age.is_some_and(|age| age > LEFT_AFTER) {
            // Another start may have done it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file itself, if the path leads to it by a link; a link would be replaced otherwise.
fn resolved(path: &Path) -> Result<PathBuf, Problem> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(Problem::NoFile),
        Ok(_) => fs::canonicalize(path).map_err(|error| problem("read", path, error)),
        Err(error) if is_missing(&error) => Ok(path.to_owned()),
        Err(error) => Err(problem("read", path, error)),
    }
}

fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    [NotFound, NotADirectory].contains(&error.kind())
}

fn folder_of(path: &Path) -> Result<PathBuf, Problem> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Problem::NoFolder(folder.display().to_string()));
    }
    Ok(folder.to_owned())
}

fn problem(doing: &'static str, path: &Path, error: io::Error) -> Problem {
    Problem::Io {
        doing,
        path: path.display().to_string(),
        error,
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
