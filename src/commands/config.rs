//! `config show` and `config check`.

use serde_json::json;

use super::shell::{Failure, Shell};
use crate::cli::ConfigCommand;
use crate::config::{self, Needs, forecast, show};
use crate::exit::ExitCode;
use crate::telemetry::logging::Stream;

/// Shows the configuration, or checks it as a pass would. In JSON the mistakes are the answer.
pub fn config(shell: &Shell, command: ConfigCommand) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let request = match command {
        ConfigCommand::Show => shell.request(Needs::EverySecret),
        ConfigCommand::Check => shell.request(Needs::EverySecret).needing_targets(),
    };
    let loaded = match config::load(&request, &shell.environment) {
        Err(errors) if shell.global.json => {
            shell.answer(|| json!({ "ok": false, "mistakes": errors.0 }), String::new);
            return Ok(ExitCode::Config);
        }
        other => other?,
    };
    match command {
        ConfigCommand::Show => shell.answer(|| show::json(&loaded), || show::text(&loaded)),
        ConfigCommand::Check => {
            let forecast = forecast::forecast(&loaded.config);
            shell.answer(
                || json!({ "ok": true, "forecast": forecast }),
                || forecast::text(&loaded, &forecast),
            );
        }
    }
    Ok(ExitCode::Ok)
}
