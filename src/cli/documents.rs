//! Flags of the commands that print what belongs beside the program: completions, manual pages.

use std::path::PathBuf;

use clap::Args;

/// Flags of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// Which shell: bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: clap_complete::Shell,
}

/// Flags of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for every command into this folder instead of printing the main page
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}
