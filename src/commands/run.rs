//! `run`: one pass. Its log is its output, and the last line is the report.

use std::time::Duration;

use super::login::TotpSecret;
use super::shell::{Failure, Shell, fresh_seed, instagram, progress_columns, system_clock};
use crate::cli::Run;
use crate::config::Config;
use crate::engage::{Mode, PassInput, Ports, Report, Waiting, pass};
use crate::exit::ExitCode;
use crate::model::Timestamp;
use crate::ports::Store;
use crate::store::{MigratePolicy, Opening};
use crate::telemetry::logging::{Stream, Style};
use crate::telemetry::progress::Progress;

/// Runs one pass and prints its report.
pub fn run(shell: &Shell, flags: &Run) -> ExitCode {
    shell.log_to(Stream::Stdout);
    let code = match one_pass(shell, flags) {
        Ok(report) => {
            let code = report.exit_code();
            shell.report(|| report.to_json(), || super::report_text::render(&report));
            code
        }
        Err(failure) => shell.not_started(&failure),
    };
    flags
        .success_codes
        .as_ref()
        .map_or(code, |codes| codes.apply(code))
}

fn one_pass(shell: &Shell, flags: &Run) -> Result<Report, Failure> {
    let request = shell
        .request()
        .needing_targets()
        .with_max_runtime(flags.max_runtime);
    let config = shell.load(&request)?.config;
    let only = only(flags, &config)?;
    let seed = flags.seed.map_or_else(fresh_seed, Ok)?;
    let run_id = format!("{:016x}", fresh_seed()?);
    shell.context.set_run(Some(run_id.clone()));
    let clock = system_clock()?;
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
    let mut store = shell.open_as(&config, command, flags.patience, &clock, opening)?;
    let account = store.account()?;
    let mut platform = instagram(
        &config,
        account.device.as_ref(),
        account.session.as_ref(),
        &clock,
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
        config: &config,
        mode,
        seed,
        run_id: &run_id,
        codes: &mut TotpSecret::new(config.account.totp_secret.as_ref(), &clock),
    };
    let mut waiting = Shown::new(shell, Stream::Stdout);
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock: &clock,
        waiting: &mut waiting,
    };
    let report = pass(input, ports);
    log::info!(
        exit_code = report.exit_code().number(), requests = report.counts.requests(),
        likes = report.counts.likes;
        "the pass ends: {}", report.stop.sentence()
    );
    Ok(report)
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

/// The line that tells a watching person what the program waits for.
pub(super) struct Shown(Progress);

impl Shown {
    /// On stderr, if that is a terminal and the log on `stream` is text.
    pub fn new(shell: &Shell, stream: Stream) -> Self {
        let text = shell.style(stream) != Style::Json && !shell.global.json;
        Self(match progress_columns() {
            Some(columns) if text => Progress::new(Box::new(std::io::stderr()), columns, true),
            _ => Progress::off(),
        })
    }
}

impl Waiting for Shown {
    fn wait(&mut self, now: Timestamp, until: Timestamp, why: &str) {
        let length = Duration::from_secs(until.since(now).as_secs());
        let length = humantime::format_duration(length);
        log::debug!(until = until.to_string(), why = why; "waiting {length}");
        self.0
            .show(&format!("waiting {length} ({why}), until {until}"));
    }

    fn over(&mut self) {
        self.0.clear();
    }
}
