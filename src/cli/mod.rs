//! Flags and their help, no logic. `main` parses with [`Cli::try_parse_from`] and maps a clap error
//! that goes to stderr to exit code 64; `--help` and `--version` end with 0.
//!
//! A secret is never a flag: a command line can be read by every user of the machine.

mod account;
mod ask;
mod documents;
mod global;
mod parsers;
mod refused;
mod rehearse;
mod run;
#[cfg(test)]
mod tests;
mod upkeep;

use clap::{CommandFactory, Parser, Subcommand};

pub use account::{
    Login, Resume, Session, SessionExport, SessionForget, SessionImport, SessionNewKey,
    SessionReseal,
};
pub use ask::{ConfigCommand, Doctor, Explain, Healthcheck};
pub use documents::{Completions, Man};
pub use global::{ColorChoice, Global, LogFormat, Patience};
pub use parsers::SESSION_ID_TYPED;
pub use refused::expects_report;
pub use rehearse::{Rehearse, Trouble};
pub use run::Run;
pub use upkeep::{Cleanup, Migrate};

/// Likes the new stories and posts of a few chosen Instagram accounts, one careful pass at a time
#[derive(Debug, Parser)]
#[command(
    version,
    disable_help_subcommand = true,
    after_help = "\
Try it without an account:  story-liker rehearse
Every pass afterwards:      story-liker run

The automated use of Instagram's private API is against its terms and can cost the account."
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make one pass over the targets
    #[command(after_help = "\
Examples:
  story-liker run --dry-run              explain every decision, like nothing
  story-liker run --targets a_friend     only this target
  story-liker run --lock-wait 30s --success-codes 10,75")]
    Run(Run),
    /// Remove what has expired from the database
    #[command(after_help = "\
Examples:
  story-liker cleanup --dry-run          count what would go
  story-liker cleanup --older-than 100d")]
    Cleanup(Cleanup),
    /// Bring the database up to this version
    #[command(after_help = "\
Examples:
  story-liker migrate --status           show what is pending
  story-liker migrate")]
    Migrate(Migrate),
    /// Log in with the configured password; asks for the code if there is a second factor
    #[command(after_help = "\
Examples:
  story-liker login
  story-liker login --code-file -        read the code from standard input")]
    Login(Login),
    /// Clear holds that need a person, once you have dealt with the cause
    #[command(after_help = "\
Examples:
  story-liker resume
  story-liker resume --force             timed holds as well")]
    Resume(Resume),
    /// Import, export, show or seal the login session
    #[command(
        subcommand,
        after_help = "\
Examples:
  story-liker session import settings.json
  story-liker session show
  story-liker session new-key session.key"
    )]
    Session(Session),
    /// Show windows, holds, session, targets and the last runs
    #[command(after_help = "\
Examples:
  story-liker status
  story-liker status --json")]
    Status,
    /// Look everything over and say what to do about it; sends nothing, changes nothing
    #[command(after_help = "\
Examples:
  story-liker doctor
  story-liker doctor --online            also whether the configured hosts can be reached
  sudo -u story-liker story-liker doctor --json")]
    Doctor(Doctor),
    /// Say in one line whether passes still come and end well; for watchdogs and probes
    #[command(after_help = "\
Examples:
  story-liker healthcheck
  story-liker healthcheck --max-age 90m --json")]
    Healthcheck(Healthcheck),
    /// Say why an item was, was not or will be liked; sends nothing
    #[command(after_help = "\
Examples:
  story-liker explain 4028209379393181455_72000000002
  story-liker explain https://www.instagram.com/p/DfnExaToJcP/ --json")]
    Explain(Explain),
    /// Show or check the configuration
    #[command(
        subcommand,
        after_help = "\
Examples:
  story-liker config show                every key, its value and where it came from
  story-liker config check               verdict and forecast"
    )]
    Config(ConfigCommand),
    /// Rehearse passes against a practice Instagram on this machine; needs no account, no network
    #[command(after_help = "\
Examples:
  story-liker rehearse                   one day of hourly passes
  story-liker rehearse --config config.toml --days 30
  story-liker rehearse --days 30 --compare other.toml
  story-liker rehearse --days 30 --trouble hostile --seed 7
  story-liker rehearse --serve 127.0.0.1:8080 --plain")]
    Rehearse(Rehearse),
    /// Print the script that completes command lines in a shell
    #[command(after_help = "\
Examples:
  story-liker completions bash > ~/.local/share/bash-completion/completions/story-liker
  story-liker completions zsh > ~/.zfunc/_story-liker
  story-liker completions fish > ~/.config/fish/completions/story-liker.fish")]
    Completions(Completions),
    /// Print the manual page, or write the pages of all commands
    #[command(after_help = "\
Examples:
  story-liker man | man -l -
  story-liker man --out-dir ~/.local/share/man/man1")]
    Man(Man),
}

/// A command, its flags and its subcommands as data.
pub type Definition = clap::Command;

/// The command line as data, complete with what every command inherits; for documents.
pub fn definition() -> Definition {
    let mut definition = Cli::command();
    definition.build();
    definition
}
