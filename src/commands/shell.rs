//! What every command shares: flags, environment, the streams, and the way failures are told.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use log::LevelFilter;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::surroundings::{Surroundings, ThisProcess, unless_left};
use crate::cli::{Global, Patience};
use crate::clock::wall_clock;
use crate::config::{self, Config, Environment, Loaded, Needs, Request};
use crate::engage::Stop;
use crate::exit::ExitCode;
use crate::instagram::{Instagram, SetupError};
use crate::model::{Account, Device, Secret, Session, Timestamp};
use crate::ports::{Clock, Interrupt, StoreError};
use crate::store::{LockRequest, Opening, Writer};
use crate::telemetry::logging::{Context, Stream, Style, TimeSource, install, logger};

/// A command that could not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: ExitCode,
    /// What happened, why, what to do.
    pub message: String,
}

impl Failure {
    /// A failure with this code.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.exit_code(), error.to_string())
    }
}

/// A command other than a pass was stopped before it could do what was asked: a full window means
/// "later" then, and a signal has its own code.
impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match &stop {
            Stop::Interrupted(interrupt) => Self::new((*interrupt).into(), stop.sentence()),
            Stop::WindowFull {
                key,
                limit,
                used,
                next_at,
            } => Self::new(
                ExitCode::TempFail,
                format!(
                    "{key} {limit} is full ({used} used), so nothing more is sent now; there is \
                     room again at {next_at}: try again then"
                ),
            ),
            stop => Self::new(stop.code(), stop.sentence()),
        }
    }
}

impl From<Interrupt> for ExitCode {
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Int => Self::Interrupted,
            Interrupt::Term => Self::Terminated,
        }
    }
}

impl From<config::ConfigErrors> for Failure {
    fn from(errors: config::ConfigErrors) -> Self {
        Self::new(ExitCode::Config, errors.to_string())
    }
}

/// The flags of every command and what surrounds the program.
pub struct Shell {
    /// The flags.
    pub global: Global,
    /// The environment.
    pub environment: Environment,
    /// Which run and account log lines are about.
    pub context: Context,
    around: Box<dyn Surroundings>,
    /// Whether standard output did not take what the command had to say.
    lost: Cell<bool>,
}

impl Shell {
    /// Reads the environment, once.
    pub fn new(global: Global, around: Box<dyn Surroundings>) -> Self {
        Self {
            global,
            environment: around.environment(),
            context: Context::default(),
            around,
            lost: Cell::new(false),
        }
    }

    /// The clock of a command that may wait: its waits end at SIGINT and SIGTERM.
    pub fn clock(&self) -> Result<&dyn Clock, Failure> {
        self.around.clock()
    }

    /// The wall clock, for a command that never waits.
    pub fn now(&self) -> Timestamp {
        self.around.now()
    }

    /// A seed nobody can guess, or why the system gives none.
    pub fn seed(&self) -> Result<u64, Failure> {
        self.around.seed()
    }

    /// Writes a line to standard output; the first that it does not take is told on stderr.
    pub fn print(&self, line: &str) {
        if let Err(error) = self.around.print(line)
            && !self.lost.replace(true)
        {
            self.around.complain(&not_shown(&error));
        }
    }

    /// How a command ends that would end with `code`: a success that could not be told is none.
    pub fn ended(&self, code: ExitCode) -> ExitCode {
        match code {
            ExitCode::Ok if self.lost.get() => ExitCode::IoErr,
            code => code,
        }
    }

    /// Writes to standard output what the command was asked for and nobody else has; `what` names it
    /// in the failure.
    pub fn hand_over(&self, what: &str, text: &Secret) -> Result<(), Failure> {
        self.around.hand_over(text.expose()).map_err(|error| {
            let problem = format!(
                "{what} cannot be written to standard output: {error}; see where that leads and \
                 whether its disk has room, or name a file instead of '-'"
            );
            Failure::new(ExitCode::IoErr, problem)
        })
    }

    /// How wide the terminal on stderr is, where a progress line may be shown.
    pub fn progress_columns(&self) -> Option<usize> {
        self.around.watched_columns()
    }

    /// The request for a configuration, from the flags of every command; no secrets but these.
    pub fn request(&self, needs: Needs) -> Request {
        Request::new(&self.global, needs)
    }

    /// The configuration; every mistake is reported at once.
    pub fn load(&self, request: &Request) -> Result<Loaded, Failure> {
        let loaded = config::load(request, &self.environment)?;
        self.context.set_account(loaded.config.profile.as_str());
        Ok(loaded)
    }

    /// Whether log lines on `stream` are JSON.
    pub fn style(&self, stream: Stream) -> Style {
        let no_color = self.environment.no_color();
        let global = &self.global;
        Style::choose(
            global.log_format,
            global.color,
            stream.is_terminal(),
            no_color,
        )
    }

    /// Starts logging to `stream` with the wall clock's time.
    pub fn log_to(&self, stream: Stream) {
        self.log_with(
            stream,
            Arc::new(wall_clock),
            self.environment.log_level(self.global.log_level),
        );
    }

    /// Starts logging with another clock and level.
    pub fn log_with(&self, stream: Stream, now: TimeSource, level: LevelFilter) {
        let style = self.style(stream);
        install(logger(
            level,
            style,
            stream.writer(),
            now,
            self.context.clone(),
        ));
    }

    /// Opens the database for writing, with its locks; makes or migrates it where that is due.
    pub fn open(
        &self,
        config: &Config,
        command: &str,
        patience: Patience,
        clock: &dyn Clock,
    ) -> Result<Writer, Failure> {
        self.open_as(config, command, patience, clock, Opening::default())
    }

    /// The same, with a say in what is made and migrated.
    pub fn open_as(
        &self,
        config: &Config,
        command: &str,
        patience: Patience,
        clock: &dyn Clock,
        opening: Opening,
    ) -> Result<Writer, Failure> {
        let request = lock_request(command, patience, clock);
        Writer::open(&config.database, &config.profile, &request, opening)
            .map(|writer| writer.with_keys(config.session_keys.clone()))
            .map_err(|error| while_waiting(error, clock))
    }

    /// The answer to a question, on stdout: as JSON if asked for, else as text.
    pub fn answer(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let answer = if self.global.json {
            json().to_string()
        } else {
            text()
        };
        self.print(&answer);
    }

    /// Whether stdout is read by a program: it gets one JSON report as the last line.
    pub fn reports_to_machine(&self) -> bool {
        self.global.json || self.style(Stream::Stdout) == Style::Json
    }

    /// The report of a command whose log is its output: the last line on stdout.
    pub fn report(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let report = if self.reports_to_machine() {
            json().to_string()
        } else {
            text()
        };
        self.print(&report);
    }

    /// The report of such a command when it did not get as far as doing anything.
    pub fn not_started(&self, failure: &Failure) -> ExitCode {
        let code = self.fail(failure);
        if self.reports_to_machine() {
            self.print(&not_started(code, &failure.message).to_string());
        }
        code
    }

    /// Tells a person something on stderr, whatever is logged.
    pub fn tell(&self, line: &str) {
        self.around.complain(line);
    }

    /// The end of any other command that could not do what was asked: an answer in JSON, too, if
    /// asked for.
    pub fn failed(&self, failure: &Failure) -> ExitCode {
        let code = self.fail(failure);
        if self.global.json {
            self.print(&ended_without("failed", code, &failure.message).to_string());
        }
        code
    }

    /// Tells a failure on stderr.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        self.around
            .complain(&format!("story-liker: {}", failure.message));
        failure.code
    }
}

fn not_shown(error: &io::Error) -> String {
    format!(
        "story-liker: the answer cannot be written to standard output: {error}; what was done \
         stands; see where the output leads and whether its disk has room"
    )
}

/// How help or a version ends that was `written` to standard output.
pub fn shown(written: io::Result<()>) -> ExitCode {
    match unless_left(written) {
        Ok(()) => ExitCode::Ok,
        Err(error) => {
            ThisProcess::default().complain(&not_shown(&error));
            ExitCode::IoErr
        }
    }
}

/// The report of a command that did not get as far as doing anything.
pub fn not_started(code: ExitCode, reason: &str) -> Value {
    ended_without("not_started", code, reason)
}

fn ended_without(stop: &str, code: ExitCode, reason: &str) -> Value {
    let exit = json!({ "code": code, "name": code.name(), "reason": reason });
    json!({ "stop": { "name": stop }, "exit": exit })
}

/// How and for how long `command` asks for the locks.
pub fn lock_request<'a>(
    command: &'a str,
    patience: Patience,
    clock: &'a dyn Clock,
) -> LockRequest<'a> {
    LockRequest {
        command,
        wait: patience.lock_wait.unwrap_or(Duration::ZERO),
        clock,
    }
}

/// The failure of a command that could not get at the database: a signal that ended its wait for a
/// lock is the reason, not the lock.
pub fn while_waiting(error: StoreError, clock: &dyn Clock) -> Failure {
    match (error, clock.interrupted()) {
        (StoreError::Busy(message), Some(interrupt)) => Failure::new(
            interrupt.into(),
            format!("stopped while waiting: {message}"),
        ),
        (error, _) => error.into(),
    }
}

/// Waits for what is typed or piped in; `None` if a signal came first. The one who reads is left
/// behind then: a read cannot be called off, but the program ends.
pub fn unless_interrupted<T: Send + 'static>(
    clock: &dyn Clock,
    read: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(read()));
    loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(value) => return Some(value),
            Err(_) if clock.interrupted().is_some() => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Instagram, as this account's device sees it.
pub fn instagram<'s>(
    shell: &'s Shell,
    config: &Config,
    device: Option<&Device>,
    session: Option<&Session>,
) -> Result<Instagram<&'s dyn Clock>, Failure> {
    let clock = shell.clock()?;
    // What must differ between devices and clients.
    let rng = ChaCha8Rng::seed_from_u64(shell.seed()?);
    Instagram::new(&config.instagram, device, session, clock, rng).map_err(|error| {
        let code = match error {
            SetupError::Http(_) => ExitCode::Software,
            _ => ExitCode::Config,
        };
        Failure::new(code, error.to_string())
    })
}

/// What the account is called in messages.
pub fn account_name(account: &Account) -> String {
    match (&account.username, account.pk) {
        (Some(name), Some(pk)) => format!("{name} ({pk})"),
        (None, Some(pk)) => pk.to_string(),
        (Some(name), None) => name.clone(),
        (None, None) => format!("profile '{}'", account.profile),
    }
}
