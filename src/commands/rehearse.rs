//! `rehearse`: the real pass against the practice Instagram, or that server alone.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use log::LevelFilter;
use serde_json::{Value, json};

use super::shell::{Failure, Shell};
use crate::cli::{Rehearse, Trouble};
use crate::config::{Flag, Loaded, Needs, Request};
use crate::exit::ExitCode;
use crate::ports::{Clock, Interrupt};
use crate::practice::hardship::Hardship;
use crate::practice::{self, Options, ServeError, Wire};
use crate::rehearse::{
    Plan, Rehearsal, RehearseError, START, compare, compare_text, pass_line, people_of,
    rehearse as hold, summary_text,
};
use crate::telemetry::logging::Stream;

/// Up to here each pass has its line.
const DAYS_WITH_TIMELINE: u32 = 2;

/// Columns of a terminal that does not say how many it has, and of a file.
const COLUMNS: usize = 80;

/// Rehearses, or only serves.
pub fn rehearse(shell: &Shell, flags: &Rehearse) -> Result<ExitCode, Failure> {
    if let Some(address) = flags.serve {
        return serve(shell, flags, address);
    }
    let first = load(shell, shell.request(Needs::NoSecret))?;
    let Some(other) = &flags.compare else {
        let rehearsal = one(shell, flags, &first, &[&first])?;
        shell.answer(
            || as_json(flags, &rehearsal),
            || summary_text(&rehearsal.summary, columns()),
        );
        return Ok(verdict(shell, &[&rehearsal]));
    };
    let mut request = shell.request(Needs::NoSecret);
    request.config_file = Some(other.clone());
    request.config_flag = Some("--compare");
    let second = load(shell, request)?;
    let both = [&first, &second];
    let held = [
        one(shell, flags, &first, &both)?,
        one(shell, flags, &second, &both)?,
    ];
    let [one, two] = &held;
    let names = names_of(&first, &second);
    let names = [names[0].as_str(), names[1].as_str()];
    shell.answer(
        || {
            json!({
                "seed": flags.seed,
                "days": flags.days,
                "trouble": hardship(flags.trouble).as_str(),
                "rehearsals": [
                    { "config": names[0], "summary": one.summary },
                    { "config": names[1], "summary": two.summary },
                ],
                "compared": compare(&one.summary, &two.summary),
                "promises_kept": held.iter().all(|held| held.summary.promises_kept()),
            })
        },
        || format!("\n{}", compare_text(names, &one.summary, &two.summary)),
    );
    Ok(verdict(shell, &[one, two]))
}

/// The summary is the answer by then, in JSON too.
fn verdict(shell: &Shell, held: &[&Rehearsal]) -> ExitCode {
    if held.iter().all(|held| held.summary.promises_kept()) {
        ExitCode::Ok
    } else {
        shell.fail(&Failure::new(
            ExitCode::Software,
            "the rehearsal broke a promise (see the summary); please report this with its seed",
        ))
    }
}

fn load(shell: &Shell, mut request: Request) -> Result<Loaded, Failure> {
    // It keeps its own file in a temporary folder, so it must not ask for a place for another.
    request.flags.retain(|flag| flag.key != "database");
    request.flags.push(Flag {
        key: "database",
        flag: "rehearse",
        text: "rehearsal.db".to_owned(),
    });
    shell.load(&request)
}

/// Holds one rehearsal in the world of all these configurations.
fn one(
    shell: &Shell,
    flags: &Rehearse,
    loaded: &Loaded,
    all: &[&Loaded],
) -> Result<Rehearsal, Failure> {
    let mut plan = Plan::hourly(
        loaded.config.clone(),
        flags.days,
        flags.seed,
        hardship(flags.trouble),
    );
    let configs: Vec<_> = all.iter().map(|loaded| &loaded.config).collect();
    plan.world = Some(people_of(&configs, flags.seed, START));
    let compared = all.len() > 1;
    if !shell.global.json {
        shell.print(&introduction(flags, loaded, all));
    }
    let timeline = flags.timeline || flags.days <= DAYS_WITH_TIMELINE && !compared;
    if timeline && !shell.global.json {
        shell.print("");
    }
    let silent = shell.global.json || !timeline;
    // The timeline tells what a log would; only who asks for a level sees the log as well.
    let level = shell.global.log_level.unwrap_or(LevelFilter::Off);
    // From here on a signal is looked at after each pass: it must not leave the folder behind.
    let signals = shell.clock()?;
    hold(
        &plan,
        |clock| {
            shell.log_with(Stream::Stderr, Arc::new(move || clock.now()), level);
        },
        |report| {
            if let (false, Some(line)) = (silent, pass_line(report)) {
                shell.print(&line);
            }
            signals.interrupted().map_or(Ok(()), |by| Err(stopped(by)))
        },
    )
    .map_err(|error| Failure::new(error.code, error.message))
}

fn stopped(by: Interrupt) -> RehearseError {
    let signal = match by {
        Interrupt::Int => "SIGINT",
        Interrupt::Term => "SIGTERM",
    };
    RehearseError {
        code: by.into(),
        message: format!(
            "{signal} stopped the rehearsal before its end, so there is no summary; ask for fewer \
             --days if it takes too long"
        ),
    }
}

fn introduction(flags: &Rehearse, loaded: &Loaded, all: &[&Loaded]) -> String {
    let from = match &loaded.file {
        Some(file) => format!("the configuration {}", file.display()),
        None => "the default configuration".to_owned(),
    };
    // Without targets of its own it likes everybody in the world, also those whom the other names.
    let mut targets = [&loaded].into_iter().chain(all);
    let targets = targets.find_map(|loaded| match loaded.config.targets.len() {
        0 => None,
        targets => Some(targets),
    });
    let people = match targets.unwrap_or_default() {
        0 => "the practice world's own people".to_owned(),
        1 => "a target with habits of its own".to_owned(),
        targets => format!("{targets} targets with habits of their own"),
    };
    let days = match flags.days {
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    };
    let trouble = match flags.trouble {
        Trouble::None => String::new(),
        trouble => format!(", {} trouble", hardship(trouble).as_str()),
    };
    format!(
        "{days} of hourly passes against a practice Instagram on this machine, {from}, {people}, \
         seed {}{trouble}",
        flags.seed
    )
}

/// As short as can be told apart.
fn names_of(first: &Loaded, second: &Loaded) -> [String; 2] {
    let whole = |loaded: &Loaded| match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "defaults".to_owned(),
    };
    let short = |loaded: &Loaded| {
        let name = loaded.file.as_deref().and_then(Path::file_name);
        name.map_or_else(|| whole(loaded), |name| name.to_string_lossy().into_owned())
    };
    if short(first) == short(second) {
        [whole(first), whole(second)]
    } else {
        [short(first), short(second)]
    }
}

fn hardship(trouble: Trouble) -> Hardship {
    match trouble {
        Trouble::None => Hardship::None,
        Trouble::Mild => Hardship::Mild,
        Trouble::Hostile => Hardship::Hostile,
    }
}

fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { COLUMNS } else { columns }
}

fn as_json(flags: &Rehearse, rehearsal: &Rehearsal) -> Value {
    let passes: Vec<_> = rehearsal
        .passes
        .iter()
        .map(crate::engage::Report::to_json)
        .collect();
    json!({
        "seed": flags.seed,
        "days": flags.days,
        "trouble": hardship(flags.trouble).as_str(),
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
    .map_err(|error| match error {
        ServeError::Start(start) => {
            let cause = start.source().map(|cause| format!(" ({cause})"));
            let problem = format!("{start}{}", cause.unwrap_or_default());
            Failure::new(ExitCode::CantCreat, problem)
        }
        ServeError::Announce(_) => Failure::new(ExitCode::IoErr, error.to_string()),
    })?;
    Ok(clock.interrupted().map_or(ExitCode::Ok, ExitCode::from))
}
