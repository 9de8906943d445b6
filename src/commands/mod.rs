//! One file per subcommand, wiring only: configuration in, ports made, work done, answer out.
//!
//! Every command ends with an [`ExitCode`]; only `main` ends the process. A failure is one line on
//! stderr that says what happened, why, and what to do.

mod aside;
mod cleanup;
mod codes;
mod completions;
mod config;
mod doctor;
mod explain;
mod explain_text;
mod healthcheck;
mod login;
mod man;
mod metrics;
mod migrate;
mod notices;
mod proof;
mod rehearse;
mod report_text;
mod resume;
mod run;
mod sealing;
mod session;
mod shell;
mod status;
mod status_text;
mod surroundings;
mod waiting;

use crate::cli::{Cli, Command};
use crate::exit::ExitCode;

#[cfg(any(test, fuzzing))]
pub use codes::code_of;
pub use doctor::CHECKS;
pub use shell::{Failure, Shell, not_started, shown};
pub use surroundings::{Surroundings, ThisProcess};

/// Runs the command that was typed.
pub fn execute(cli: Cli) -> ExitCode {
    execute_in(cli, Box::new(ThisProcess::default()))
}

/// The same in other surroundings.
pub fn execute_in(cli: Cli, around: Box<dyn Surroundings>) -> ExitCode {
    let shell = Shell::new(cli.global, around);
    let code = match cli.command {
        // Its code speaks of the pass, which is on record whoever reads of it.
        Command::Run(flags) => return run::run(&shell, &flags),
        Command::Rehearse(flags) => rehearse::rehearse(&shell, &flags),
        Command::Cleanup(flags) => {
            cleanup::cleanup(&shell, &flags).or_else(|failure| Ok(shell.not_started(&failure)))
        }
        Command::Migrate(flags) => {
            migrate::migrate(&shell, &flags).or_else(|failure| Ok(shell.not_started(&failure)))
        }
        Command::Login(flags) => login::login(&shell, &flags),
        Command::Resume(flags) => resume::resume(&shell, &flags),
        Command::Session(flags) => session::session(&shell, &flags),
        Command::Status => status::status(&shell),
        Command::Doctor(flags) => Ok(doctor::doctor(&shell, flags)),
        Command::Healthcheck(flags) => Ok(healthcheck::healthcheck(&shell, flags)),
        Command::Explain(flags) => explain::explain(&shell, &flags),
        Command::Config(flags) => config::config(&shell, flags),
        Command::Completions(flags) => Ok(completions::completions(&shell, flags)),
        Command::Man(flags) => man::man(&shell, &flags),
    };
    shell.ended(code.unwrap_or_else(|failure| shell.failed(&failure)))
}
