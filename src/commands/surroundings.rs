//! What a command meets outside the program: variables, time, chance, and those who read its output.
//!
//! The program's own are [`ThisProcess`]. A story told as a test brings others, so that the command
//! that is tested is the one that is shipped, to the last line of its wiring.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rand::TryRng;
use rand::rngs::SysRng;
use rustix::fs::{OFlags, fcntl_getfl};

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
    /// Writes a line to standard output. That nobody reads there is no error.
    fn print(&self, line: &str) -> io::Result<()>;
    /// Writes to standard output what exists nowhere else, or says why nobody has it.
    fn hand_over(&self, text: &str) -> io::Result<()>;
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

    fn print(&self, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        unless_left(writeln!(out, "{line}").and_then(|()| out.flush()))
    }

    fn hand_over(&self, text: &str) -> io::Result<()> {
        writeln!(standard_output()?, "{text}")
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

/// Who reads a pipe and leaves before the end misses nothing.
pub fn unless_left(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Standard output without the buffer, which hides a closed one.
fn standard_output() -> io::Result<File> {
    const NULL: &str = "/dev/null";
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    // Before `main` the runtime opens the null device, for reading too, in place of a closed
    // stream; a shell's `> /dev/null` is for writing only, and somebody's wish.
    let is_both = fcntl_getfl(&out)?.contains(OFlags::RDWR);
    let device = out.metadata()?.rdev();
    if is_both && fs::metadata(NULL).is_ok_and(|null| null.rdev() == device) {
        return Err(io::Error::other("it is closed, or leads nowhere"));
    }
    Ok(out)
}
