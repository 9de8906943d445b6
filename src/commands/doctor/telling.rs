//! Whoever is told how passes go, as far as that can be seen without telling anything.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::check::Check;
use crate::config::{Config, Environment};
use crate::model::{Timestamp, Undelivered};
use crate::telemetry::metrics::file;

/// Where programs are looked for when nobody says so.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Whether the program of `notify.command` can be started; `None` if there is none.
pub(super) fn command(config: &Config, environment: &Environment) -> Option<Check> {
    const ID: &str = "notify_command";
    let program = config.notify.command.first()?;
    let variables = environment.for_children();
    let path = variables.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or(OsStr::new(USUAL_PATH), |(_, folders)| folders.as_os_str());
    Some(match find(program, path) {
        Found::Usable(file) => Check::ok(ID, file.display().to_string()),
        Found::Unusable(file) => Check::warning(
            ID,
            format!("{} may not be executed by you", file.display()),
            format!("chmod +x {}", file.display()),
        ),
        Found::Nowhere => Check::warning(
            ID,
            format!("there is no program {program}, so no notice can be told by it"),
            "install it, or give its whole path; a service may have another PATH than you",
        ),
    })
}

enum Found {
    Usable(PathBuf),
    Unusable(PathBuf),
    Nowhere,
}

/// As the system finds it: a name with a slash is a path, another one is looked for in these folders.
fn find(program: &str, path: &OsStr) -> Found {
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        std::env::split_paths(path)
            .map(|folder| folder.join(program))
            .collect()
    };
    let mut files = places.into_iter().filter(|place| place.is_file());
    let is_usable = |file: &PathBuf| access(file, Access::EXEC_OK).is_ok();
    let first = files.next();
    match first {
        None => Found::Nowhere,
        Some(file) if is_usable(&file) => Found::Usable(file),
        Some(first) => files
            .find(is_usable)
            .map_or(Found::Unusable(first), Found::Usable),
    }
}

/// What could not be told so far.
pub(super) fn notices(waiting: &[Undelivered], now: Timestamp) -> Check {
    const ID: &str = "notices";
    let Some(first) = waiting.first() else {
        return Check::ok(ID, "none waits to be told");
    };
    let hours = now.since(first.notice.happened_at).as_secs() / 3600;
    let tries: u32 = waiting.iter().map(|one| one.tries).sum();
    let mut finding = format!(
        "{} not told, the oldest for {hours} h (\"{}\", by {}), after {tries} tries",
        waiting.len(),
        first.notice.title(),
        first.channel.key()
    );
    if let Some(problem) = waiting.iter().find_map(|one| one.problem.as_ref()) {
        finding.push_str(&format!(": {problem}"));
    }
    let remedy = "mend the program or the address; the next pass tries again, for 7 days";
    Check::warning(ID, finding, remedy)
}

/// Whether the metrics file can be replaced; `None` if there is none.
pub(super) fn metrics_file(path: Option<&Path>) -> Option<Check> {
    const ID: &str = "metrics_file";
    let path = path?;
    Some(match file::is_replaceable(path) {
        Ok(()) => Check::ok(ID, path.display().to_string()),
        Err(problem) => {
            let problem = problem.to_string();
            let (finding, remedy) = problem.split_once("; ").unwrap_or((&problem, "see README"));
            Check::warning(ID, format!("{}: {finding}", path.display()), remedy)
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::check::Status;
    use super::*;

    fn told(program: &str, path: &str) -> Status {
        let program = format!("[{program:?}]");
        let variables = [
            ("HOME", "/nowhere"),
            ("PATH", path),
            ("STORY_LIKER_NOTIFY_COMMAND", &program),
        ];
        let environment: Environment = variables.into_iter().collect();
        let request = crate::config::Request::default();
        let config = crate::config::load(&request, &environment).unwrap().config;
        command(&config, &environment).unwrap().status
    }

    #[test]
    fn a_program_is_looked_for_as_the_system_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tell");
        let (path, file) = (folder.path().to_str().unwrap(), file.to_str().unwrap());
        assert_eq!(told(file, ""), Status::Warning);
        assert_eq!(told("tell", path), Status::Warning);
        fs::write(file, "").unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(told(file, ""), Status::Warning, "not executable");
        fs::set_permissions(file, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(told(file, ""), Status::Ok);
        assert_eq!(told("tell", path), Status::Ok);
        assert_eq!(told("tell", "/nowhere"), Status::Warning);
        assert_eq!(told(path, path), Status::Warning, "a folder");
    }

    #[test]
    fn a_metrics_file_that_cannot_be_replaced_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.prom");
        let status = |path: &Path| metrics_file(Some(path)).unwrap().status;
        assert_eq!(status(&path), Status::Ok);
        assert!(!path.exists());
        fs::write(&path, "node_load1 1\n").unwrap();
        assert_eq!(status(&path), Status::Warning, "another program's");
        assert_eq!(fs::read_to_string(&path).unwrap(), "node_load1 1\n");
        assert_eq!(status(folder.path()), Status::Warning, "a folder");
        let nowhere = folder.path().join("no/figures.prom");
        assert_eq!(status(&nowhere), Status::Warning);
        assert_eq!(metrics_file(None), None);
    }
}
