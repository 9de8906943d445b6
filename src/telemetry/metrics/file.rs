//! The metrics file, replaced in one piece: whoever reads it sees the old figures or the new ones,
//! also if the machine stops in between.
//!
//! Two starts may end at the same time, and the later one keeps what it does not know. So reading,
//! making and replacing happen under one lock: that of the folder, which needs no file of its own.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs2::FileExt as _;
use rustix::fs::{Access, access};
use thiserror::Error;

use super::text::{NotOurs, are_ours};

/// The collector runs as another user.
const MODE: u32 = 0o644;

/// How often a busy folder is tried; `wait` comes in between.
const TRIES: u32 = 100;

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
    let (folder, _) = beside(&path)?;
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
    let (folder, spare) = beside(&path)?;
    // A folder that may be written but not read cannot be locked; then two starts that end at the same
    // moment may cost each other a figure, and nothing more.
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
    write(&spare, &new)
        .and_then(|()| fs::rename(&spare, &path))
        .map_err(|error| {
            // Nothing may be there; the next start removes what is.
            let _ = fs::remove_file(&spare);
            problem("write", &spare, error)
        })?;
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

/// Whole and on the disk, or not at all.
fn write(spare: &Path, text: &str) -> io::Result<()> {
    // Left by a start that was killed.
    match fs::remove_file(spare) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(spare)?;
    // The umask may have taken away what the collector needs.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
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

/// The folder, and the name under which the new content is made. Collectors overlook it: it does not
/// end in `.prom`.
fn beside(path: &Path) -> Result<(PathBuf, PathBuf), Problem> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Problem::NoFolder(folder.display().to_string()));
    }
    let name = path.file_name().ok_or(Problem::NoFile)?;
    let spare = format!(".{}.new", name.to_string_lossy());
    Ok((folder.to_owned(), folder.join(spare)))
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
