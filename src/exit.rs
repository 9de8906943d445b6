//! The one list of exit codes. Numbers follow `sysexits.h`, whose names `systemctl status` prints.
//!
//! The order of [`ExitCode::ALL`] is the order of severity: when several codes apply, the one that
//! stands later wins ([`ExitCode::worst`]). The README table is checked against this list.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How a command ended. [`ExitCode::meaning`] says when.
///
/// | code | name | needs a person |
/// |---|---|---|
/// | 0 | ok | no |
/// | 10 | partial | look |
/// | 130 | interrupted | no |
/// | 143 | interrupted | no |
/// | 75 | TEMPFAIL | no |
/// | 69 | UNAVAILABLE | no |
/// | 74 | IOERR | maybe |
/// | 73 | CANTCREAT | yes |
/// | 65 | DATAERR | yes |
/// | 76 | PROTOCOL | yes |
/// | 77 | NOPERM | yes |
/// | 78 | CONFIG | yes |
/// | 64 | USAGE | yes |
/// | 70 | SOFTWARE | yes |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExitCode {
    /// Ended as planned.
    Ok,
    /// A target failed for its own reason.
    Partial,
    /// SIGINT.
    Interrupted,
    /// SIGTERM outside a pass.
    Terminated,
    /// Try again later.
    TempFail,
    /// Nobody answers.
    Unavailable,
    /// State failed in the middle.
    IoErr,
    /// State cannot be created or opened.
    CantCreat,
    /// State is damaged or too new.
    DataErr,
    /// An answer has another form.
    Protocol,
    /// A person has to log in or prove something.
    NoPerm,
    /// The configuration is wrong.
    Config,
    /// The command line is wrong.
    Usage,
    /// The program is wrong.
    Software,
}

/// Whether somebody has to do something before the next pass can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsPerson {
    /// The next start goes on by itself.
    No,
    /// Nothing is broken, but it deserves a look.
    Look,
    /// Perhaps: the message says.
    Maybe,
    /// Until a person acts, every start ends the same way.
    Yes,
}

impl ExitCode {
    /// Every code, the mildest first.
    pub const ALL: [Self; 14] = [
        Self::Ok,
        Self::Partial,
        Self::Interrupted,
        Self::Terminated,
        Self::TempFail,
        Self::Unavailable,
        Self::IoErr,
        Self::CantCreat,
        Self::DataErr,
        Self::Protocol,
        Self::NoPerm,
        Self::Config,
        Self::Usage,
        Self::Software,
    ];

    /// The process status.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Partial => 10,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::TempFail => 75,
            Self::Unavailable => 69,
            Self::IoErr => 74,
            Self::CantCreat => 73,
            Self::DataErr => 65,
            Self::Protocol => 76,
            Self::NoPerm => 77,
            Self::Config => 78,
            Self::Usage => 64,
            Self::Software => 70,
        }
    }

    /// The name in reports: that of `sysexits.h` where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Interrupted | Self::Terminated => "interrupted",
            Self::TempFail => "TEMPFAIL",
            Self::Unavailable => "UNAVAILABLE",
            Self::IoErr => "IOERR",
            Self::CantCreat => "CANTCREAT",
            Self::DataErr => "DATAERR",
            Self::Protocol => "PROTOCOL",
            Self::NoPerm => "NOPERM",
            Self::Config => "CONFIG",
            Self::Usage => "USAGE",
            Self::Software => "SOFTWARE",
        }
    }

    /// When a command ends with it, in the operator's words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "ended as planned; also nothing to do, a window full, quiet hours, time budget \
                 used, or SIGTERM during a pass"
            }
            Self::Partial => {
                "as planned, but a target tried in this pass failed for its own reason"
            }
            Self::Interrupted => "stopped by SIGINT",
            Self::Terminated => "stopped by SIGTERM outside a pass",
            Self::TempFail => {
                "another pass holds the lock, a timed hold was met or is in force, or the clock is \
                 not to be trusted"
            }
            Self::Unavailable => {
                "Instagram is not reachable, or `rehearse` not its own server; from `healthcheck`: no \
                 pass in time"
            }
            Self::IoErr => {
                "reading or writing state, or writing an answer, failed in the middle \
                 (disk full ...)"
            }
            Self::CantCreat => {
                "database, lock or folder cannot be created or opened; or a file or port that was \
                 asked for cannot be made or taken"
            }
            Self::DataErr => "the database is damaged, or was written by a newer version",
            Self::Protocol => "an answer of Instagram no longer has the expected form",
            Self::NoPerm => {
                "no session, or a login, challenge, checkpoint or suspension that a person has to \
                 deal with"
            }
            Self::Config => {
                "the configuration is incomplete or contradicts itself; or a file or session that \
                 was handed in cannot be used"
            }
            Self::Usage => "bad command line",
            Self::Software => "an invariant of the program broke",
        }
    }

    /// Whether a person has to act.
    pub const fn needs_person(self) -> NeedsPerson {
        match self {
            Self::Ok
            | Self::Interrupted
            | Self::Terminated
            | Self::TempFail
            | Self::Unavailable => NeedsPerson::No,
            Self::Partial => NeedsPerson::Look,
            Self::IoErr => NeedsPerson::Maybe,
            Self::CantCreat
            | Self::DataErr
            | Self::Protocol
            | Self::NoPerm
            | Self::Config
            | Self::Usage
            | Self::Software => NeedsPerson::Yes,
        }
    }

    /// The code of this number, if the list has it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The one that wins when both apply.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.name())
    }
}

impl Serialize for ExitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

/// Codes that the caller wants to see as 0 (`--success-codes 10,75`), for schedulers that know no
/// other success. Applied at the very end; the report keeps the true code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuccessCodes(BTreeSet<ExitCode>);

impl SuccessCodes {
    /// The status to end with.
    #[must_use]
    pub fn apply(&self, code: ExitCode) -> ExitCode {
        if self.0.contains(&code) {
            ExitCode::Ok
        } else {
            code
        }
    }
}

impl FromStr for SuccessCodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|part| {
                let number = part.trim().parse().ok();
                number.and_then(ExitCode::from_number).ok_or_else(|| {
                    let known: Vec<String> =
                        ExitCode::ALL.map(|code| code.number().to_string()).into();
                    format!(
                        "{:?} is not an exit code of this program; known are {}",
                        part.trim(),
                        known.join(", ")
                    )
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn severity_is_the_order_of_the_table() {
        let numbers = ExitCode::ALL.map(ExitCode::number);
        assert_eq!(
            numbers,
            [0, 10, 130, 143, 75, 69, 74, 73, 65, 76, 77, 78, 64, 70]
        );
        for (index, milder) in ExitCode::ALL.into_iter().enumerate() {
            for graver in &ExitCode::ALL[index..] {
                assert_eq!(milder.worst(*graver), *graver);
                assert_eq!(graver.worst(milder), *graver);
            }
        }
    }

    #[test]
    fn the_documented_table_is_the_list() {
        let documented: Vec<&str> = include_str!("exit.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("/// | "))
            .skip(1)
            .collect();
        let rows = ExitCode::ALL.map(|code| {
            let person = format!("{:?}", code.needs_person()).to_lowercase();
            format!("{} | {} | {person} |", code.number(), code.name())
        });
        assert_eq!(documented, rows);
    }

    #[test]
    fn every_number_leads_back_to_its_code() {
        for code in ExitCode::ALL {
            assert_eq!(ExitCode::from_number(code.number()), Some(code));
        }
        assert_eq!(ExitCode::from_number(1), None);
    }

    #[test]
    fn success_codes_become_zero_and_others_stay() {
        let codes: SuccessCodes = "10, 75".parse().unwrap();
        assert_eq!(codes.apply(ExitCode::Partial), ExitCode::Ok);
        assert_eq!(codes.apply(ExitCode::TempFail), ExitCode::Ok);
        assert_eq!(codes.apply(ExitCode::NoPerm), ExitCode::NoPerm);
        assert_eq!(
            SuccessCodes::default().apply(ExitCode::Partial),
            ExitCode::Partial
        );
    }

    #[test]
    fn an_unknown_success_code_is_refused_with_the_known_ones() {
        for text in ["", "10,", "1", "ten", "256", "-1"] {
            let problem = text.parse::<SuccessCodes>().unwrap_err();
            assert!(problem.contains("known are 0, 10,"), "{problem}");
        }
    }
}
