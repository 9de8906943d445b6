//! `rehearse`: the real pass against the practice Instagram, or that server alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use log::LevelFilter;
use serde_json::json;

use super::shell::{Failure, Shell};
use crate::cli::{Rehearse, Trouble};
use crate::config::Flag;
use crate::exit::ExitCode;
use crate::ports::Clock;
use crate::practice::switches::Switches;
use crate::practice::{self, Options, Wire};
use crate::rehearse::{Plan, Rehearsal, pass_line, rehearse as hold, summary_text};
use crate::telemetry::logging::Stream;

/// Rehearses, or only serves.
pub fn rehearse(shell: &Shell, flags: &Rehearse) -> Result<ExitCode, Failure> {
    if let Some(address) = flags.serve {
        return serve(shell, flags, address);
    }
    let mut request = shell.request();
    // It keeps its own file in a temporary folder, so it must not ask for a place for another.
    request.flags.retain(|flag| flag.key != "database");
    request.flags.push(Flag {
        key: "database",
        flag: "rehearse",
        text: "rehearsal.db".to_owned(),
    });
    let loaded = shell.load(&request)?;
    if !shell.global.json {
        let limits = match &loaded.file {
            Some(file) => format!("limits and pauses of {}", file.display()),
            None => "default limits and pauses".to_owned(),
        };
        let days = match flags.days {
            1 => "a day".to_owned(),
            days => format!("{days} days"),
        };
        shell.print(&format!(
            "{days} of hourly passes against a practice Instagram on this machine, {limits}, seed \
             {}\n",
            flags.seed
        ));
    }
    let plan = Plan {
        config: loaded.config,
        days: flags.days,
        seed: flags.seed,
        trouble: flags.trouble == Trouble::Mild,
        switches: Switches::default(),
    };
    // The timeline tells what a log would; only who asks for a level sees the log as well.
    let level = shell.global.log_level.unwrap_or(LevelFilter::Off);
    let held = hold(
        &plan,
        |clock| {
            shell.log_with(Stream::Stderr, Arc::new(move || clock.now()), level);
        },
        |report| {
            if let (false, Some(line)) = (shell.global.json, pass_line(report)) {
                shell.print(&line);
            }
        },
    );
    let rehearsal = held.map_err(|error| Failure::new(error.code, error.message))?;
    shell.answer(
        || as_json(flags, &rehearsal),
        || summary_text(&rehearsal.summary),
    );
    if rehearsal.summary.promises_kept() {
        Ok(ExitCode::Ok)
    } else {
        Err(Failure::new(
            ExitCode::Software,
            "the rehearsal broke a promise (see the summary); please report this with its seed",
        ))
    }
}

fn as_json(flags: &Rehearse, rehearsal: &Rehearsal) -> serde_json::Value {
    let passes: Vec<_> = rehearsal
        .passes
        .iter()
        .map(crate::engage::Report::to_json)
        .collect();
    json!({
        "seed": flags.seed,
        "days": flags.days,
        "passes": passes,
        "summary": rehearsal.summary,
        "promises_kept": rehearsal.summary.promises_kept(),
    })
}

fn serve(shell: &Shell, flags: &Rehearse, address: SocketAddr) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let clock = shell.clock()?;
    let wire = if flags.plain { Wire::Plain } else { Wire::Tls };
    let options = Options::serving(address, wire, flags.seed);
    practice::serve(options, &mut std::io::stdout(), || {
        while clock.interrupted().is_none() {
            clock.sleep_until(clock.now().plus(Duration::from_hours(24)));
        }
    })
    .map_err(|error| Failure::new(ExitCode::CantCreat, error.to_string()))?;
    Ok(clock.interrupted().map_or(ExitCode::Ok, ExitCode::from))
}
