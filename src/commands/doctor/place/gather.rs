//! Asks the system about the place. Makes nothing, and opens nothing for writing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use super::{Entry, Place, Space};
use crate::store::{files, shared_file_system};

/// Where the system's service keeps its database (`StateDirectory=story-liker`).
pub(super) const OF_THE_SERVICE: &str = "/var/lib/story-liker/stories.db";

impl Place {
    /// What there is to say of this place.
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
