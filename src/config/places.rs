//! Where files are looked for when nobody names them.

use std::path::{Path, PathBuf};

use super::environment::Environment;

/// The configuration file of a machine.
const SYSTEM_FILE: &str = "/etc/story-liker/config.toml";

/// The configuration file below the folder of a user's configurations.
const USER_FILE: &str = "story-liker/config.toml";

/// The database in its folder.
const DATABASE: &str = "stories.db";

/// The database of a machine, in what systemd makes of `StateDirectory=story-liker`.
const SYSTEM_DATABASE: &str = "/var/lib/story-liker/stories.db";

/// A file that the program looks for by itself.
#[derive(Clone, Copy, Debug)]
pub struct UsualFile {
    /// Its place, with a home as `~`.
    pub place: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// The files that matter where nothing is set, for documents.
pub const FILES: &[UsualFile] = &[
    UsualFile {
        place: "~/.config/story-liker/config.toml",
        meaning: "The configuration, unless --config or STORY_LIKER_CONFIG names another",
    },
    UsualFile {
        place: SYSTEM_FILE,
        meaning: "The configuration, if the file above is not there",
    },
    UsualFile {
        place: "~/.local/state/story-liker/stories.db",
        meaning: "The database, unless --database or the key database names another. It holds the \
                  login session: mode 0600, in a folder of mode 0700",
    },
    UsualFile {
        place: SYSTEM_DATABASE,
        meaning: "The database, if the configuration is /etc/story-liker/config.toml",
    },
    UsualFile {
        place: "stories.db.lock, stories.db.PROFILE.lock",
        meaning: "The locks, beside the database. Never delete them: the kernel releases a lock \
                  with its process",
    },
];

/// Where the configuration file is looked for, in this order.
pub fn configuration_files(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let home = || Some(environment.absolute_path("HOME")?.join(".config"));
    let user = environment.absolute_path("XDG_CONFIG_HOME").or_else(home);
    let user = user.map(|folder| folder.join(USER_FILE));
    user.into_iter().chain([PathBuf::from(SYSTEM_FILE)])
}

/// Where the database is, if the variables or the configuration file in use tell.
pub(super) fn database(environment: &Environment, file: Option<&Path>) -> Option<PathBuf> {
    // systemd lists several folders with colons in between; the first is ours.
    let service = environment.absolute_path("STATE_DIRECTORY");
    let service = service.as_deref().and_then(Path::to_str);
    if let Some(folder) = service.and_then(|list| list.split(':').next()) {
        return Some(Path::new(folder).join(DATABASE));
    }
    // Not the user's folder: by hand and by the service the same file, or a session brought by one
    // would be missed by the other.
    if file == Some(Path::new(SYSTEM_FILE)) {
        return Some(PathBuf::from(SYSTEM_DATABASE));
    }
    let home = || Some(environment.absolute_path("HOME")?.join(".local/state"));
    let state = environment.absolute_path("XDG_STATE_HOME").or_else(home)?;
    Some(state.join("story-liker").join(DATABASE))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_places_are_those_that_are_looked_at() {
        let environment: Environment = [("HOME", "/home/me")].into_iter().collect();
        let at_home = |path: PathBuf| path.display().to_string().replace("/home/me", "~");
        let mut looked_at: Vec<String> = configuration_files(&environment).map(at_home).collect();
        for file in [None, Some(Path::new(SYSTEM_FILE))] {
            looked_at.push(at_home(database(&environment, file).unwrap()));
        }
        let documented: Vec<&str> = FILES.iter().map(|file| file.place).collect();
        assert_eq!(documented[..4], looked_at);
    }
}
