//! `config show` and `config check`.

use std::io::{self, Write};

use serde_json::json;

use crate::cli::{ConfigCommand, Global};
use crate::config::{self, ConfigErrors, Environment, Request, forecast, show};
use crate::exit::ExitCode;

/// Answers on `out`. Mistakes are part of the answer in JSON, and the error otherwise; exit code 78
/// either way.
pub fn run(
    command: ConfigCommand,
    global: &Global,
    environment: &Environment,
    out: &mut dyn Write,
) -> Result<ExitCode, ConfigErrors> {
    let request = match command {
        ConfigCommand::Show => Request::new(global),
        ConfigCommand::Check => Request::new(global).needing_targets(),
    };
    let loaded = match config::load(&request, environment) {
        Err(errors) if global.json => {
            // A reader that went away changes nothing about the verdict.
            let _ = write_json(out, &json!({ "ok": false, "mistakes": errors.0 }));
            return Ok(ExitCode::Config);
        }
        other => other?,
    };
    let _ = match (command, global.json) {
        (ConfigCommand::Show, true) => write_json(out, &show::json(&loaded)),
        (ConfigCommand::Show, false) => out.write_all(show::text(&loaded).as_bytes()),
        (ConfigCommand::Check, json) => {
            let forecast = forecast::forecast(&loaded.config);
            if json {
                write_json(out, &json!({ "ok": true, "forecast": forecast }))
            } else {
                out.write_all(forecast::text(&loaded, &forecast).as_bytes())
            }
        }
    };
    Ok(ExitCode::Ok)
}

fn write_json(out: &mut dyn Write, answer: &serde_json::Value) -> io::Result<()> {
    writeln!(out, "{answer:#}")
}
