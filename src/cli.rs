//! Flags and their help, no logic. `main` parses with [`Cli::try_parse_from`] and maps a clap error
//! that goes to stderr to exit code 64; `--help` and `--version` end with 0.
//!
//! A secret is never a flag: a command line can be read by every user of the machine.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use log::LevelFilter;

use crate::exit::SuccessCodes;
use crate::model::{ItemRef, ProfileName, Secret};

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

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file instead of the usual places
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database: a path or sqlite:PATH
    // A password in it is refused later; until then no `Debug` output may show it.
    #[arg(long, global = true, value_name = "URL", value_parser = secret)]
    pub database: Option<Secret>,
    /// Which of your accounts; names the table [profile.NAME] in the file
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<ProfileName>,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<LevelFilter>,
    /// How to log: json, text, or auto for text on a terminal and JSON lines elsewhere
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub log_format: LogFormat,
    /// When to colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: ColorChoice,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON lines elsewhere
    Auto,
    /// One JSON object a line
    Json,
    /// Text for people
    Text,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
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
    /// Import, export or show the login session
    #[command(
        subcommand,
        after_help = "\
Examples:
  story-liker session import settings.json
  story-liker session show"
    )]
    Session(Session),
    /// Show windows, holds, session, targets and the last runs
    #[command(after_help = "\
Examples:
  story-liker status
  story-liker status --json")]
    Status,
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
}

/// Of every command that takes the lock.
#[derive(Clone, Copy, Debug, Args)]
pub struct Patience {
    /// How long to wait for another pass or command to end, for example 30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub lock_wait: Option<Duration>,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Explain every decision and send no view, like or login
    #[arg(long)]
    pub dry_run: bool,
    /// Treat every target as due
    #[arg(long)]
    pub check_all: bool,
    /// Only these targets, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub targets: Vec<String>,
    /// Longest duration of the pass, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_runtime: Option<Duration>,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
    /// Seed of the pauses, to repeat a pass
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Exit codes to report as 0, separated by commas
    #[arg(long, value_name = "CODES")]
    pub success_codes: Option<SuccessCodes>,
    /// Refuse a database that needs migrating instead of migrating it
    #[arg(long)]
    pub no_migrate: bool,
}

/// Flags of `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// Remove attempts, holds and runs older than this, for example 100d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// Remove posts older than this day (YYYY-MM-DD) and never like them again; needs --force
    #[arg(long, value_name = "DATE", requires = "force")]
    pub posts_before: Option<jiff::civil::Date>,
    /// Confirm --posts-before
    #[arg(long, requires = "posts_before")]
    pub force: bool,
    /// Count what would go and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// Flags of `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Show applied and pending migrations and change nothing
    #[arg(long)]
    pub status: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// Flags of `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// File with the code of the second factor; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub code_file: Option<PathBuf>,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// Flags of `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// Clear timed holds as well
    #[arg(long)]
    pub force: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// What to do with the session.
#[derive(Debug, Subcommand)]
pub enum Session {
    /// Take over a session from a settings file of instagrapi or from a session id
    #[command(after_help = "\
Examples:
  story-liker session import settings.json
  story-liker session import --session-id - < session_id.txt")]
    Import(SessionImport),
    /// Write the session as a settings file of instagrapi
    #[command(after_help = "\
Examples:
  story-liker session export settings.json
  story-liker session export - > settings.json")]
    Export(SessionExport),
    /// Show whose session it is, its age and its device, without any secret
    #[command(after_help = "\
Examples:
  story-liker session show
  story-liker session show --json")]
    Show,
}

/// Flags of `session import`.
#[derive(Debug, Args)]
pub struct SessionImport {
    /// Settings file to import
    #[arg(value_name = "FILE", required_unless_present = "session_id")]
    pub file: Option<PathBuf>,
    /// Read a session id from standard input; only - is accepted
    #[arg(long, value_name = "-", value_parser = OnlyDash, allow_hyphen_values = true,
          conflicts_with = "file")]
    pub session_id: Option<String>,
    /// Store it without asking Instagram whether it is alive
    #[arg(long)]
    pub offline: bool,
    /// Let the file's device replace the one this account already has
    #[arg(long)]
    pub replace_device: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// Flags of `session export`.
#[derive(Debug, Args)]
pub struct SessionExport {
    /// File to write, readable by its owner only; - writes to standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Flags of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Its id as logged (pk, underscore, author's pk), its pk, its short code or its address
    #[arg(value_name = "ITEM")]
    pub item: ItemRef,
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every key, its value and where it came from; secrets as ***
    #[command(after_help = "\
Examples:
  story-liker config show
  story-liker config show --profile second --json")]
    Show,
    /// Check everything and forecast what the settings lead to
    #[command(after_help = "\
Examples:
  story-liker config check
  story-liker config check --config /etc/story-liker/config.toml")]
    Check,
}

/// Flags of `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// How many days of hourly passes
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Rehearse a second configuration in the same world and show both side by side
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Show every pass, as a rehearsal of at most two days does anyway
    #[arg(long)]
    pub timeline: bool,
    /// How much trouble the practice Instagram makes: none, mild or hostile
    #[arg(
        long,
        value_name = "HOW",
        default_value = "none",
        hide_possible_values = true
    )]
    pub trouble: Trouble,
    /// Seed of world and pauses; the same seed gives the same rehearsal
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Only serve the practice Instagram on this loopback address, in real time
    #[arg(long, value_name = "ADDR", value_parser = loopback,
          conflicts_with_all = ["days", "compare", "timeline", "trouble"])]
    pub serve: Option<SocketAddr>,
    /// Serve plain HTTP/1.1 instead of TLS
    #[arg(long, requires = "serve")]
    pub plain: bool,
}

/// How much trouble a rehearsal meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trouble {
    /// None at all
    None,
    /// Throttling, lost answers, an action block
    Mild,
    /// All that is known to happen, and often
    Hostile,
}

#[allow(clippy::unnecessary_wraps, reason = "the form of a value parser")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "write a number and a unit, for example 30s, 15m or 2h".to_owned())
}

/// Accepts `-` only. Its error does not repeat the value, which is probably the session id itself.
#[derive(Clone)]
struct OnlyDash;

impl TypedValueParser for OnlyDash {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        if value == "-" {
            return Ok("-".to_owned());
        }
        let advice = "--session-id takes only -: give the session id on standard input, because a \
                      command line can be read by others\n";
        Err(clap::Error::raw(ErrorKind::ValueValidation, advice).with_cmd(command))
    }
}

fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .ok()
        .filter(|address: &SocketAddr| address.ip().is_loopback())
        .ok_or("only a loopback address with a port, for example 127.0.0.1:8080")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    fn every_command(command: &clap::Command, visit: &mut dyn FnMut(&clap::Command)) {
        visit(command);
        for inner in command.get_subcommands() {
            every_command(inner, visit);
        }
    }

    #[test]
    fn the_definition_is_free_of_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_text_is_one_line_with_a_capital_and_no_full_stop() {
        every_command(&Cli::command(), &mut |command| {
            let helps = command
                .get_arguments()
                .filter(|arg| arg.get_id() != "help" && arg.get_id() != "version")
                .map(|arg| (arg.get_id().to_string(), arg.get_help().cloned()))
                .chain([(command.get_name().to_owned(), command.get_about().cloned())]);
            for (name, help) in helps {
                let help = help
                    .unwrap_or_else(|| panic!("{name} has no help"))
                    .to_string();
                assert!(
                    help.chars().next().unwrap().is_uppercase(),
                    "{name}: {help}"
                );
                assert!(
                    !help.ends_with('.') && !help.contains('\n'),
                    "{name}: {help}"
                );
            }
        });
    }

    #[test]
    fn every_command_ends_its_help_with_an_example() {
        every_command(&Cli::command(), &mut |command| {
            let after = command.get_after_help().map(ToString::to_string);
            let after = after.unwrap_or_else(|| panic!("{} has no example", command.get_name()));
            assert!(after.contains("  story-liker "), "{after}");
        });
    }

    #[test]
    fn every_example_parses() {
        every_command(&Cli::command(), &mut |command| {
            let after = command.get_after_help().unwrap().to_string();
            for line in after
                .lines()
                .filter_map(|line| line.strip_prefix("  story-liker "))
            {
                let words = line.split("  ").next().unwrap();
                let words = words.split(['<', '>']).next().unwrap();
                parse(&format!("story-liker {words}"))
                    .unwrap_or_else(|err| panic!("{line}: {err}"));
            }
        });
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
        for line in [
            "story-liker session import --session-id hunter2",
            "story-liker session import --session-id=hunter2",
            "story-liker login --password=hunter2",
            "story-liker --password=hunter2 login",
        ] {
            let problem = parse(line).unwrap_err();
            assert!(problem.use_stderr());
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
        let problem = parse("story-liker session import --session-id x").unwrap_err();
        assert!(problem.to_string().contains("standard input"), "{problem}");
        assert!(parse("story-liker session import --session-id -").is_ok());
    }

    #[test]
    fn a_password_in_a_database_address_is_not_in_debug_output() {
        let cli = parse("story-liker status --database postgresql://me:hunter2@db/x").unwrap();
        assert!(!format!("{cli:?}").contains("hunter2"));
    }

    #[test]
    fn a_practice_server_for_other_machines_is_refused() {
        assert!(parse("story-liker rehearse --serve 0.0.0.0:80").is_err());
        assert!(parse("story-liker rehearse --serve [::1]:8080 --plain").is_ok());
        assert!(parse("story-liker rehearse --plain").is_err());
    }

    #[test]
    fn removing_posts_asks_for_force() {
        assert!(parse("story-liker cleanup --posts-before 2026-01-01").is_err());
        assert!(parse("story-liker cleanup --posts-before 2026-01-01 --force").is_ok());
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in ["story-liker --json status", "story-liker status --json"] {
            assert!(parse(line).unwrap().global.json);
        }
    }
}
