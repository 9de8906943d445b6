//! Where the database lies: its folder, its file, its file system.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ports::StoreError;

/// Only the owner enters a folder we make.
const FOLDER_MODE: u32 = 0o700;

/// Only the owner reads and writes a file we make.
pub(super) const FILE_MODE: u32 = 0o600;

/// The one name of the file, however it was reached, so that everyone meets at the same lock files.
/// The folder must exist; the file need not.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let resolved = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(name) = path.file_name() else {
                return Err(cannot_open(path, &error));
            };
            fs::canonicalize(folder_of(path)).map(|folder| folder.join(name))
        }
        other => other,
    };
    let resolved = resolved.map_err(|error| cannot_open(path, &error))?;
    match fs::metadata(&resolved) {
        Ok(found) if !found.is_file() => Err(StoreError::CannotOpen(format!(
            "{} is not a file, so it cannot be the database; name a file with --database",
            path.display()
        ))),
        _ => Ok(resolved),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether the file is there with something in it.
pub(super) fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() > 0)
}

/// Makes the folders that are missing.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(FOLDER_MODE);
    builder
        .create(folder)
        .map_err(|error| cannot_open(folder, &error))
}

/// Makes the file if it is missing, before SQLite would with other permissions.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if is_exposed(path) {
                log::warn!(
                    "other users can open {}, which holds the login session: run `chmod 600` on it",
                    path.display()
                );
            }
            Ok(())
        }
        Err(error) => Err(cannot_open(path, &error)),
    }
}

/// Whether anyone but the owner may do anything with the file.
fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.mode() & 0o077 != 0)
}

/// Refuses the superuser in another user's folder: its files would lock out the owner. Where the
/// folder is missing, the one that it would be made in counts.
pub(super) fn refuse_root(path: &Path) -> Result<(), StoreError> {
    refuse_root_as(rustix::process::geteuid().as_raw(), path)
}

fn refuse_root_as(user: u32, path: &Path) -> Result<(), StoreError> {
    let owner_of = |inner: &Path| {
        let folder = folder_of(inner);
        Some((folder.to_owned(), fs::metadata(folder).ok()?.uid()))
    };
    let Some((folder, owner)) = path.ancestors().find_map(owner_of) else {
        return Ok(());
    };
    if user != 0 || owner == 0 {
        return Ok(());
    }
    Err(StoreError::CannotOpen(format!(
        "{} belongs to another user, who could not open what root makes there; nothing was done: run \
         the command as that user (sudo -u '#{owner}' story-liker ...)",
        folder.display()
    )))
}

pub(super) fn cannot_open(path: &Path, error: &io::Error) -> StoreError {
    let advice = if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        "the database is written to by every pass: mount the file system for writing, in a \
         container a volume for the database's folder"
    } else {
        "the user that runs story-liker needs to read and write the database and its folder: \
         change their owner or permissions"
    };
    StoreError::CannotOpen(format!(
        "cannot open or create {}: {error}; {advice}, or name another file with --database",
        path.display()
    ))
}

/// Refuses a file system whose locks do not reach every machine that mounts it.
pub(super) fn refuse_network(
    path: &Path,
    file_system: fn(&Path) -> Option<u32>,
) -> Result<(), StoreError> {
    match file_system(folder_of(path)).and_then(name_of_shared) {
        Some(name) => Err(StoreError::CannotOpen(format!(
            "{} lies on a {name} file system, where the locks that keep two passes apart cannot be \
             trusted; put the database on a local disk",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// The kernel's number of the file system that the folder lies on.
#[cfg(target_os = "linux")]
pub(super) fn file_system(folder: &Path) -> Option<u32> {
    // A failure here shows again, with its reason, when the file is opened.
    let found = rustix::fs::statfs(folder).ok()?;
    // The kernel's magic numbers have 32 bits; the field's width and sign depend on the machine.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(found.f_type as u32)
}

/// Elsewhere these numbers mean nothing.
#[cfg(not(target_os = "linux"))]
pub(super) fn file_system(_folder: &Path) -> Option<u32> {
    None
}

/// File systems by the numbers of the kernel's `magic.h` (`man 2 statfs`).
pub(super) fn name_of_shared(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "NFS",
        0x0000_517B | 0xFE53_4D42 | 0xFF53_4D42 => "SMB",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9P",
        0x00C3_6400 => "Ceph",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0BD0_0BD0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x786F_4256 => "VirtualBox",
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn network_and_fuse_file_systems_are_told_from_local_ones() {
        // As `man 2 statfs` and the file systems' own headers have them.
        for (number, name) in [
            (0x6969, "NFS"),
            (0x517B, "SMB"),
            (0xFE53_4D42, "SMB"),
            (0xFF53_4D42, "SMB"),
            (0x6573_5546, "FUSE"),
            (0x0102_1997, "9P"),
            (0x00C3_6400, "Ceph"),
            (0x5346_414F, "AFS"),
            (0x6B41_4653, "AFS"),
            (0x7375_7245, "Coda"),
            (0x0BD0_0BD0, "Lustre"),
            (0x4750_4653, "GPFS"),
            (0x786F_4256, "VirtualBox"),
        ] {
            assert_eq!(name_of_shared(number), Some(name), "{number:#x}");
        }
        let (ext4, xfs, btrfs, tmpfs, overlay) =
            (0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630);
        for local in [ext4, xfs, btrfs, tmpfs, overlay] {
            assert_eq!(name_of_shared(local), None, "{local:#x}");
        }
    }

    #[test]
    fn a_bare_file_name_lies_in_the_present_folder() {
        for (path, folder) in [
            ("a.db", "."),
            ("b/a.db", "b"),
            ("/b/a.db", "/b"),
            ("/", "."),
        ] {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder));
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error_and_one_that_is_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(make_file(&folder.path().join("none/a.db")).is_err());
        let file = folder.path().join("a.db");
        make_file(&file).unwrap();
        fs::write(&file, "text").unwrap();
        make_file(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"text");
    }

    #[test]
    fn a_read_only_file_system_is_not_blamed_on_permissions() {
        let path = Path::new("/var/lib/story-liker");
        let message = |kind: io::ErrorKind| cannot_open(path, &kind.into()).to_string();
        let read_only = message(io::ErrorKind::ReadOnlyFilesystem);
        assert!(read_only.contains("volume") && !read_only.contains("permissions"));
        let denied = message(io::ErrorKind::PermissionDenied);
        assert!(denied.contains("permissions") && !denied.contains("volume"));
    }

    #[test]
    fn a_file_is_exposed_as_soon_as_anyone_else_may_do_anything_with_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        fs::write(&file, "").unwrap();
        for (mode, exposed) in [
            (0o600, false),
            (0o700, false),
            (0o640, true),
            (0o602, true),
            (0o611, true),
            (0o666, true),
        ] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(&file), exposed, "{mode:o}");
        }
        assert!(!is_exposed(&folder.path().join("none")));
    }

    #[test]
    fn root_makes_nothing_in_the_folder_of_another_user() {
        const SOMEBODY: u32 = 1000;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        if fs::metadata(folder.path()).unwrap().uid() == 0 {
            refuse_root_as(0, &file).unwrap();
            std::os::unix::fs::chown(folder.path(), Some(SOMEBODY), None).unwrap();
        }
        let owner = fs::metadata(folder.path()).unwrap().uid();
        refuse_root_as(owner, &file).unwrap();
        refuse_root_as(owner + 1, &file).unwrap();
        for path in [file, folder.path().join("not/made/yet/a.db")] {
            let refused = refuse_root_as(0, &path).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("sudo -u '#{owner}'")),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_kernel_is_asked() {
        let proc = 0x9FA0;
        assert_eq!(file_system(Path::new("/proc/self")), Some(proc));
        assert_eq!(file_system(Path::new("/nowhere/at/all")), None);
    }
}
