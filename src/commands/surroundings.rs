//! What a command meets outside the program: variables, time, chance, and those who read its output.
//!
//! The program's own are [`ThisProcess`]. A story told as a test brings others, so that the command
//! that is tested is the one that is shipped, to the last line of its wiring.

use std::cell::OnceCell;
use std::io::{self, IsTerminal, Write};

use rand::TryRng;
use rand::rngs::SysRng;

use super::shell::Failure;
use crate::clock::{SystemClock, wall_clock};
use crate::config::Environment;
use crate::exit::ExitCode;
use crate::model::Timestamp;
use crate::ports::Clock;

/// What a command meets outside the program.
pub trait Surroundings {
    /// The environment variables.
    fn environment(&self) -> Environment;
    /// The wall clock, for a command that never waits.
    fn now(&self) -> Timestamp;
    /// The clock of a command that may wait. Whoever asks for it is told of signals by it from then
    /// on, and no longer ended by them.
    fn clock(&self) -> Result<&dyn Clock, Failure>;
    /// A seed nobody can guess.
    fn seed(&self) -> Result<u64, Failure>;
    /// Writes a line to standard output.
    fn print(&self, line: &str);
    /// Writes a line to standard error.
    fn complain(&self, line: &str);
    /// How many columns a line has that is shown to a person while the program waits; `None` if
    /// nobody watches.
    fn watched_columns(&self) -> Option<usize>;
}

/// The machine and the terminal this process was started on.
#[derive(Default)]
pub struct ThisProcess(OnceCell<SystemClock>);

impl Surroundings for ThisProcess {
    fn environment(&self) -> Environment {
        Environment::of_this_process()
    }

    fn now(&self) -> Timestamp {
        wall_clock()
    }

    fn clock(&self) -> Result<&dyn Clock, Failure> {
        if let Some(clock) = self.0.get() {
            return Ok(clock);
        }
        let clock = SystemClock::catching_signals().map_err(|error| {
            Failure::new(
                ExitCode::Software,
                format!("signals cannot be caught: {error}; is there a limit on threads or files?"),
            )
        })?;
        Ok(self.0.get_or_init(|| clock))
    }

    fn seed(&self) -> Result<u64, Failure> {
        SysRng.try_next_u64().map_err(|error| {
            Failure::new(
                ExitCode::Software,
                format!(
                    "the system's random source cannot be read: {error}; is /dev/urandom there?"
                ),
            )
        })
    }

    fn print(&self, line: &str) {
        // A closed pipe is no failure.
        let _ = writeln!(io::stdout(), "{line}");
    }

    fn complain(&self, line: &str) {
        // Nobody is left to tell when stderr is closed.
        let _ = writeln!(io::stderr(), "{line}");
    }

    fn watched_columns(&self) -> Option<usize> {
        const COLUMNS: usize = 80;
        io::stderr().is_terminal().then_some(COLUMNS)
    }
}
