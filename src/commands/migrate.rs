//! `migrate`: brings the database up to this version, all in one transaction.

use serde_json::json;

use super::shell::{Failure, Shell, lock_request, while_waiting};
use crate::cli::Migrate;
use crate::config::Needs;
use crate::exit::ExitCode;
use crate::store::{Opening, migrate as apply, migration_status};
use crate::telemetry::logging::Stream;

/// Applies what is pending, or only shows it.
pub fn migrate(shell: &Shell, flags: &Migrate) -> Result<ExitCode, Failure> {
    shell.log_to(if flags.status {
        Stream::Stderr
    } else {
        Stream::Stdout
    });
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let database = &config.database;
    if flags.status {
        let status = migration_status(database)?;
        shell.answer(
            || {
                json!({ "database": database, "current": status.current, "known": status.known,
                        "pending": status.pending })
            },
            || {
                let mut text = format!(
                    "{}: schema {}, this program knows {}",
                    database.display(),
                    status.current,
                    status.known
                );
                for name in &status.pending {
                    text.push_str(&format!("\npending: {name}"));
                }
                text
            },
        );
        return Ok(ExitCode::Ok);
    }
    let clock = shell.clock()?;
    let request = lock_request("migrate", flags.patience, &clock);
    let applied = apply(database, &request, Opening::default())
        .map_err(|error| while_waiting(error, &clock))?;
    shell.report(
        || json!({ "database": database, "applied": applied }),
        || match applied.as_slice() {
            [] => format!("{} is up to date", database.display()),
            names => format!("{}: applied {}", database.display(), names.join(", ")),
        },
    );
    Ok(ExitCode::Ok)
}
