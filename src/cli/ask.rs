//! Flags of the commands that answer a question and change nothing.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::parsers::duration;
use crate::model::ItemRef;

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

/// Flags of `healthcheck`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Healthcheck {
    /// How long ago the last pass may have ended
    #[arg(long, value_name = "DURATION", default_value = "3h", value_parser = duration)]
    pub max_age: Duration,
}

/// Flags of `doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Doctor {
    /// Also look the configured hosts up and connect to them; sends no request
    #[arg(long)]
    pub online: bool,
}
