//! `run`: one pass. Its log is its output, and the last line is the report.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use log::Level;

use super::codes::TotpSecret;
use super::metrics;
use super::notices;
use super::shell::{Failure, Shell, instagram};
use super::waiting::Shown;
use crate::cli::Run;
use crate::config::{Config, Needs, Request};
use crate::engage::{Mode, PassInput, Ports, Report, pass};
use crate::exit::{ExitCode, NeedsPerson};
use crate::ports::Store;
use crate::store::{MigratePolicy, Opening};
use crate::telemetry::logging::Stream;
use crate::telemetry::ping::Ping;

/// Runs one pass and prints its report.
pub fn run(shell: &Shell, flags: &Run) -> ExitCode {
    shell.log_to(Stream::Stdout);
    let started_at = shell.now();
    let request = shell
        .request(Needs::EverySecret)
        .needing_targets()
        .with_max_runtime(flags.max_runtime)
        .with_metrics_file(flags.metrics_file.as_deref());
    let config = OnceCell::new();
    // A panic has printed its message; the report says the rest, and the next pass settles.
    let mut ping = None;
    let pass = AssertUnwindSafe(|| one_pass(shell, flags, &request, &config, &mut ping));
    let done = catch_unwind(pass).unwrap_or_else(|_| {
        Err(Failure::new(
            ExitCode::Software,
            "an invariant of the program broke; please report this with the message above it",
        ))
    });
    let code = match &done {
        Ok(report) => report.exit_code(),
        Err(failure) => failure.code,
    };
    if !flags.dry_run {
        let started = metrics::Started {
            request: &request,
            config: config.get(),
            at: started_at,
        };
        metrics::write(shell, &started, code);
    }
    let status = |code| match &flags.success_codes {
        Some(codes) => codes.apply(code),
        None => code,
    };
    if let Some(ping) = ping {
        notices::ping_the_end(ping, &done, status);
    }
    match done {
        Ok(report) => {
            shell.report(|| report.to_json(), || super::report_text::render(&report));
        }
        Err(failure) => {
            shell.not_started(&failure);
        }
    }
    status(code)
}

/// `known` gets the configuration, as soon as there is one.
fn one_pass(
    shell: &Shell,
    flags: &Run,
    request: &Request,
    known: &OnceCell<Config>,
    ping: &mut Option<Ping>,
) -> Result<Report, Failure> {
    let config = shell.load(request)?.config;
    let config = known.get_or_init(|| config);
    if !flags.dry_run {
        *ping = notices::ping(shell, config)?;
    }
    let only = only(flags, config)?;
    let seed = flags.seed.map_or_else(|| shell.seed(), Ok)?;
    let run_id = format!("{:016x}", shell.seed()?);
    shell.context.set_run(Some(run_id.clone()));
    let clock = shell.clock()?;
    let migrate = if flags.no_migrate {
        MigratePolicy::Refuse
    } else {
        MigratePolicy::Automatic
    };
    let opening = Opening {
        migrate,
        ..Opening::default()
    };
    let command = if flags.dry_run {
        "run --dry-run"
    } else {
        "run"
    };
    let mut store = shell.open_as(config, command, flags.patience, &clock, opening)?;
    if let Some(ping) = ping {
        ping.begin();
    }
    if !flags.dry_run
        && let Some(key) = store.seal_if_due()?
    {
        log::info!("the session is sealed with key {key} now");
    }
    store.tell_by(&notices::channels(config));
    let account = store.account()?;
    let mut platform = instagram(
        shell,
        config,
        account.device.as_ref(),
        account.session.as_ref(),
    )?;
    log::info!(
        seed = seed, dry_run = flags.dry_run, database = config.database.display().to_string();
        "a pass begins over {} targets", config.targets.len()
    );
    let mode = Mode {
        dry_run: flags.dry_run,
        check_all: flags.check_all,
        only,
    };
    let input = PassInput {
        config,
        mode,
        seed,
        run_id: &run_id,
        codes: &mut TotpSecret(config.account.totp_secret.as_ref()),
    };
    let mut waiting = Shown::new(shell, Stream::Stdout);
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock: &clock,
        waiting: &mut waiting,
    };
    let report = pass(input, ports);
    let code = report.exit_code();
    log::log!(
        level(code), exit_code = code.number(), requests = report.counts.requests(),
        likes = report.counts.likes;
        "the pass ends: {}", report.stop.sentence()
    );
    if !flags.dry_run {
        notices::tell(
            shell,
            config,
            &mut store,
            &clock,
            notices::knows_the_time(&report),
        );
    }
    Ok(report)
}

/// How the end of a pass is logged: an error is what waits for a person, a warning what ends by itself
/// or deserves a look.
fn level(code: ExitCode) -> Level {
    match (code, code.needs_person()) {
        (ExitCode::Ok | ExitCode::Interrupted | ExitCode::Terminated, _) => Level::Info,
        (_, NeedsPerson::Yes) => Level::Error,
        (_, NeedsPerson::No | NeedsPerson::Look | NeedsPerson::Maybe) => Level::Warn,
    }
}

/// `--targets` only filters: a name that is not configured is a mistake.
fn only(flags: &Run, config: &Config) -> Result<Option<Vec<String>>, Failure> {
    if flags.targets.is_empty() {
        return Ok(None);
    }
    let wanted: Vec<String> = flags
        .targets
        .iter()
        .map(|name| name.trim().trim_start_matches('@').to_lowercase())
        .collect();
    let known = |name: &String| config.targets.iter().any(|target| target.username == *name);
    match wanted.iter().find(|name| !known(name)) {
        None => Ok(Some(wanted)),
        Some(unknown) => Err(Failure::new(
            ExitCode::Usage,
            format!(
                "--targets: '{unknown}' is not a configured target; it only filters, configured \
                 are: {}",
                config
                    .targets
                    .iter()
                    .map(|t| t.username.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        )),
    }
}
