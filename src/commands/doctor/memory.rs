//! What the service manager or the container allows.

use std::fs;
use std::path::Path;

use super::check::Check;

/// A pass takes 13 MiB, and 34 MiB with the worst answer that the client reads (measured with the
/// release build); the rest is for the system's pages of the database. The shipped limits are the same.
const LEAST: u64 = 64 << 20;

/// From here on a number stands for "no limit": version 1 of control groups has no word for it, and
/// says the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 60;

/// The limit of the control group that this process is in, or of one around it.
pub(super) fn memory() -> Check {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    judge(least(&groups, Path::new("/sys/fs/cgroup")))
}

/// The least limit, in bytes, of the control groups named in `groups` (cgroups(7)) and of those
/// around them, as far as they can be seen below `root`; `None` if none can.
fn least(groups: &str, root: &Path) -> Option<u64> {
    let limits = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next().unwrap_or_default();
        let group = fields.next().unwrap_or_default().trim_start_matches('/');
        let (root, file) = if controllers.is_empty() {
            (root.to_owned(), "memory.max")
        } else {
            // Version 1; a group of another controller has no such file.
            (root.join(controllers), "memory.limit_in_bytes")
        };
        let around = Path::new(group).ancestors();
        let files = around.map(move |group| root.join(group).join(file));
        files.filter_map(|file| fs::read_to_string(file).ok())
    });
    limits
        .map(|limit| limit.trim().parse().unwrap_or(NO_LIMIT))
        .min()
}

fn judge(limit: Option<u64>) -> Check {
    const ID: &str = "memory";
    match limit {
        None => Check::note(
            ID,
            "whether there is a limit is not known: no control group can be looked at here",
        ),
        Some(NO_LIMIT..) => Check::ok(ID, "no limit"),
        Some(bytes) if bytes < LEAST => Check::warning(
            ID,
            format!(
                "limited to {} MiB, and the kernel kills what takes more",
                bytes >> 20
            ),
            format!(
                "allow {} MiB (MemoryMax=, resources.limits.memory)",
                LEAST >> 20
            ),
        ),
        Some(bytes) => Check::ok(ID, format!("limited to {} MiB", bytes >> 20)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::Status;
    use super::*;

    const V2: &str = "0::/a.slice/b.scope\n";
    const V1: &str = "5:devices:/\n4:memory:/a/b\n0::/\n";

    #[test]
    fn the_least_limit_of_the_groups_around_a_pass_is_what_it_has_to_fit_in() {
        let (own, outer) = ("a.slice/b.scope/memory.max", "a.slice/memory.max");
        let (old, older) = (
            "memory/a/b/memory.limit_in_bytes",
            "memory/a/memory.limit_in_bytes",
        );
        let unlimited = "9223372036854771712\n";
        for (groups, files, status, words) in [
            (V2, &[][..], Status::Note, "not known"),
            (
                "",
                &[("memory.max", "16777216\n")],
                Status::Note,
                "not known",
            ),
            (V2, &[(own, "max\n")], Status::Ok, "no limit"),
            (V2, &[(own, "67108864\n")], Status::Ok, "to 64 MiB"),
            (V2, &[(own, "67108863\n")], Status::Warning, "to 6"),
            (V2, &[(own, "16777216\n")], Status::Warning, "to 16 MiB"),
            (
                V2,
                &[(own, "max\n"), (outer, "16777216\n")],
                Status::Warning,
                "to 16 MiB",
            ),
            (
                V2,
                &[(own, "67108864\n"), (outer, "134217728\n")],
                Status::Ok,
                "to 64 MiB",
            ),
            // As in a container, which sees its own group as the root.
            (
                V2,
                &[("memory.max", "16777216\n")],
                Status::Warning,
                "to 16",
            ),
            ("0::/\n", &[("memory.max", "max\n")], Status::Ok, "no limit"),
            (V1, &[(old, unlimited)], Status::Ok, "no limit"),
            (
                V1,
                &[(old, unlimited), (older, "16777216\n")],
                Status::Warning,
                "to 16 MiB",
            ),
        ] {
            let root = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let file = root.path().join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            let check = judge(least(groups, root.path()));
            assert_eq!(check.status, status, "{files:?}: {check:?}");
            assert!(check.finding.contains(words), "{files:?}: {check:?}");
        }
    }
}
