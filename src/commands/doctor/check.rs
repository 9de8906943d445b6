//! What one look came to.

use serde::Serialize;

use super::seal::SEAL;
use crate::exit::ExitCode;
use crate::ports::StoreError;

/// Every check by its permanent name, in the order in which they are told, and what it looks at.
pub const CHECKS: &[(&str, &str)] = &[
    (
        "configuration_file",
        "which file is read, or where it was looked for",
    ),
    (
        "configuration",
        "every mistake in flags, variables and file",
    ),
    (
        "password",
        "where it comes from, whether you may read it and others may not",
    ),
    ("totp_secret", "the same for the authenticator's secret"),
    ("session_key", "the same for the key that seals the session"),
    ("ping_url", "the same for the address that is pinged"),
    ("notify_url", "the same for the address that is notified"),
    (
        "notify_command",
        "whether the program is there and may be executed; told only if one is configured",
    ),
    (
        "metrics_file",
        "whether it can be replaced and is not another program's; told only if one is configured",
    ),
    (
        "database",
        "whether it is there, on a local disk, and the one you mean",
    ),
    (
        "database_owner",
        "whether you may write it and the files beside it, and who else left some",
    ),
    (
        "database_folder",
        "whether files can be made there; a read-only file system",
    ),
    (
        "database_mode",
        "whether others can open it; told only if so",
    ),
    ("disk_space", "free space and free inodes"),
    (
        "database_schema",
        "whether it is ours, its version, migrations to come",
    ),
    (
        "database_integrity",
        "rows, indexes, references; not while a command writes, and for 10 s at most",
    ),
    ("lock", "who is at it"),
    ("database_content", "told only if the rest cannot be read"),
    (
        "session",
        "whether there is one, its age, when it was last alive",
    ),
    (
        "session_seal",
        "whether it is sealed, and opens with the keys at hand; told only if there is a session",
    ),
    ("holds", "each in force, until when, and who ends it"),
    (
        "passes",
        "how the last 20 ended, how long ago, whether one hangs or was cut off",
    ),
    (
        "notices",
        "what could not be told so far, for how long, and why",
    ),
    ("targets", "each that cannot be seen at present"),
    (
        "clock",
        "against the newest record and against the age of the program",
    ),
    ("time_zone", "the local time there and its offset"),
    ("quiet_hours", "whether they are now"),
    (
        "memory",
        "the limit that the service manager or the container sets",
    ),
    (
        "network",
        "with `--online`: whether each configured host has an address and takes a connection",
    ),
];

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Not in the way yet.
    Warning,
    /// A pass cannot do its work.
    Problem,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// A thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// Its permanent name.
    pub id: &'static str,
    pub status: Status,
    /// What was found.
    pub finding: String,
    /// What to do, where there is something to do.
    pub remedy: Option<String>,
    /// What a pass would end with because of it; only of a problem.
    pub exit_code: Option<ExitCode>,
}

impl Check {
    pub fn ok(id: &'static str, finding: impl Into<String>) -> Self {
        debug_assert!(CHECKS.iter().any(|(known, _)| *known == id), "{id}");
        Self {
            id,
            status: Status::Ok,
            finding: finding.into(),
            remedy: None,
            exit_code: None,
        }
    }

    pub fn note(id: &'static str, finding: impl Into<String>) -> Self {
        Self {
            status: Status::Note,
            ..Self::ok(id, finding)
        }
    }

    pub fn warning(
        id: &'static str,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(id, finding)
        }
    }

    pub fn problem(
        id: &'static str,
        code: ExitCode,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Problem,
            remedy: Some(remedy.into()),
            exit_code: Some(code),
            ..Self::ok(id, finding)
        }
    }

    /// The same with something that can be done.
    pub fn advising(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Messages of the store say first what happened and then what to do.
    pub fn of_store(id: &'static str, error: &StoreError) -> Self {
        let message = error.to_string();
        let (finding, remedy) = message.split_once("; ").unwrap_or((
            &message,
            "'story-liker migrate' makes it, and so do 'story-liker login' and 'session import'",
        ));
        Self::problem(id, error.exit_code(), finding, remedy)
    }
}

/// What a pass would end with: it reads the configuration first, then opens the database, and looks
/// at holds and session only after that.
pub(super) fn exit_code(checks: &[Check]) -> ExitCode {
    use ExitCode::{CantCreat, Config, DataErr, IoErr, Ok};
    let worst = |stage: &dyn Fn(&str, ExitCode) -> bool| {
        let codes = checks
            .iter()
            .filter_map(|check| Some((check.id, check.exit_code?)));
        let met = codes.filter(|(id, code)| stage(id, *code));
        met.map(|(_, code)| code).fold(Ok, ExitCode::worst)
    };
    let stages = [
        // A key that does not open the session is found out when the session is read.
        worst(&|id, code| code == Config && id != SEAL),
        worst(&|id, code| matches!(code, CantCreat | DataErr | IoErr) && id != SEAL),
        worst(&|id, _| id == SEAL),
        worst(&|_, _| true),
    ];
    stages.into_iter().find(|code| *code != Ok).unwrap_or(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_what_a_pass_meets_first() {
        for (met, first) in [
            (&[][..], ExitCode::Ok),
            (
                &[ExitCode::NoPerm, ExitCode::CantCreat],
                ExitCode::CantCreat,
            ),
            (&[ExitCode::CantCreat, ExitCode::DataErr], ExitCode::DataErr),
            (&[ExitCode::DataErr, ExitCode::Config], ExitCode::Config),
            (&[ExitCode::TempFail, ExitCode::NoPerm], ExitCode::NoPerm),
            (&[ExitCode::Unavailable], ExitCode::Unavailable),
        ] {
            let checks: Vec<Check> = met
                .iter()
                .map(|code| Check::problem("holds", *code, "", ""))
                .collect();
            assert_eq!(exit_code(&checks), first);
        }
        let sealed = Check::problem(SEAL, ExitCode::Config, "", "");
        let full = Check::problem("disk_space", ExitCode::IoErr, "", "");
        let held = Check::problem("holds", ExitCode::NoPerm, "", "");
        let met = [held, sealed.clone(), full];
        assert_eq!(exit_code(&met), ExitCode::IoErr);
        assert_eq!(exit_code(&met[..2]), ExitCode::Config);
    }
}
