//! Flags of the commands that answer a question and change nothing.

use clap::{Args, Subcommand};

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
