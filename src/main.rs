//! Parse, run the command, end with its exit code. Only this file ends the process.

use std::panic::catch_unwind;
use std::process::ExitCode as Status;

use clap::Parser;
use story_liker::cli::Cli;
use story_liker::commands;
use story_liker::exit::ExitCode;

fn main() -> Status {
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
