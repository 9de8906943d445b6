//! Flags of the pass.

use std::time::Duration;

use clap::Args;

use super::global::Patience;
use super::parsers::duration;
use crate::exit::SuccessCodes;

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
    /// Write figures for Prometheus to this file (*.prom) when the pass ends; not in a dry run
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<String>,
}
