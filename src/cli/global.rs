//! Flags of every command, and of every command that takes the lock.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use log::LevelFilter;

use super::parsers::{duration, secret};
use crate::model::{ProfileName, Secret};

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

/// Of every command that takes the lock.
#[derive(Clone, Copy, Debug, Args)]
pub struct Patience {
    /// How long to wait for another pass or command to end, for example 30s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub lock_wait: Option<Duration>,
}
