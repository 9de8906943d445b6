//! Flags of the rehearsal.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parsers::loopback;

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
    /// Show each pass that had something to do, as a rehearsal of at most two days does anyway
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
