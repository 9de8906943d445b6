//! What the service manager or the container allows.

use std::fs;
use std::path::Path;

use super::check::Check;

/// A pass takes 13 MiB, and 34 MiB with the worst answer that the client reads (measured with the
/// release build); the rest is for the system's pages of the database. The shipped limits are the same.
const LEAST: u64 = 64 << 20;

/// The limit of the control group that this process is in.
pub(super) fn memory() -> Check {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::/"));
    let folder = Path::new("/sys/fs/cgroup").join(group.unwrap_or_default());
    let limit = fs::read_to_string(folder.join("memory.max")).ok();
    judge(limit.as_deref())
}

fn judge(limit: Option<&str>) -> Check {
    const ID: &str = "memory";
    let limit: Option<u64> = limit.and_then(|text| text.trim().parse().ok());
    match limit {
        None => Check::ok(ID, "no limit"),
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
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn a_limit_that_a_pass_does_not_fit_in_is_a_warning() {
        for (limit, status) in [
            (None, Status::Ok),
            (Some("max\n"), Status::Ok),
            (Some("67108864\n"), Status::Ok),
            (Some("67108863\n"), Status::Warning),
            (Some("16777216\n"), Status::Warning),
        ] {
            assert_eq!(judge(limit).status, status, "{limit:?}");
        }
    }
}
