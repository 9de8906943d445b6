//! Parse, run the command, end with its exit code. Only this file ends the process.

use std::panic::catch_unwind;
use std::process::ExitCode as Status;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use story_liker::cli::Cli;
use story_liker::commands;
use story_liker::exit::ExitCode;

fn main() -> Status {
    leave_no_core();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(problem) => {
            // Help and version go to stdout; a closed pipe is no failure.
            let _ = problem.print();
            let code = if problem.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Ok
            };
            return code.into();
        }
    };
    // A panic has printed its message; what it left claimed is settled by the next pass.
    catch_unwind(|| commands::execute(cli))
        .unwrap_or(ExitCode::Software)
        .into()
}

/// The memory of a process that crashes holds its secrets; the system is asked to keep none of it.
fn leave_no_core() {
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    // Without it the program is as safe as any other.
    let _ = setrlimit(Resource::Core, limit);
}
