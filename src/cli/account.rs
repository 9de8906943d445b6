//! Flags of the commands that look after the account: its session and its holds.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::global::Patience;
use super::parsers::OnlyDash;

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
    /// Make a key that seals sessions in the database
    #[command(after_help = "\
Examples:
  story-liker session new-key /etc/story-liker/session.key
  story-liker session new-key - > session.key")]
    NewKey(SessionNewKey),
    /// Seal the stored session with the present key, after setting or changing it
    #[command(after_help = "\
Examples:
  story-liker session reseal
  story-liker session reseal --old-key-file old.key
  story-liker session reseal --old-key-file old.key --plain")]
    Reseal(SessionReseal),
    /// Forget a sealed session whose key is lost, so that `login` may bring another
    #[command(after_help = "\
Examples:
  story-liker session forget --key-lost")]
    Forget(SessionForget),
}

/// Flags of `session import`.
#[derive(Debug, Args)]
pub struct SessionImport {
    /// Settings file to import, or - for standard input
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

/// Flags of `session new-key`.
#[derive(Debug, Args)]
pub struct SessionNewKey {
    /// File to write, readable by its owner only; - writes to standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Flags of `session reseal`.
#[derive(Debug, Args)]
pub struct SessionReseal {
    /// File with the key that the session is sealed with now, instead of those configured
    #[arg(long, value_name = "FILE")]
    pub old_key_file: Option<PathBuf>,
    /// Take the seal off instead, once no key is configured any more
    #[arg(long)]
    pub plain: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}

/// Flags of `session forget`.
#[derive(Debug, Args)]
pub struct SessionForget {
    /// Confirm that the key is lost for good
    #[arg(long, required = true)]
    pub key_lost: bool,
    /// Patience with others who use the database.
    #[command(flatten)]
    pub patience: Patience,
}
