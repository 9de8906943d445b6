//! Flags of the commands that look after the database.

use std::time::Duration;

use clap::Args;

use super::global::Patience;
use super::parsers::{day, duration};

/// Flags of `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// Remove attempts, holds and runs older than this, for example 100d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// Remove posts older than this day (YYYY-MM-DD) and never like them again; needs --force
    #[arg(long, value_name = "DATE", value_parser = day, requires = "force")]
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
