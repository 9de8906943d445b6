//! `config`.

use super::shell::{Failure, Shell};
use crate::cli::ConfigCommand;
use crate::exit::ExitCode;

/// Shows or checks the configuration.
pub fn config(_shell: &Shell, _flags: ConfigCommand) -> Result<ExitCode, Failure> {
    Ok(ExitCode::Ok)
}
