//! What one look came to.

use serde::Serialize;

use crate::exit::ExitCode;
use crate::ports::StoreError;

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

/// What a pass would end with: the worst of all problems.
pub(super) fn exit_code(checks: &[Check]) -> ExitCode {
    let codes = checks.iter().filter_map(|check| check.exit_code);
    codes.fold(ExitCode::Ok, ExitCode::worst)
}
