//! `completions`: the script that completes command lines in a shell, made from the flags themselves.

use serde_json::json;

use super::shell::Shell;
use crate::cli::{Completions, definition};
use crate::exit::ExitCode;

/// `clap_complete` 4.6 spells a name with a hyphen in two ways in bash, so that nothing is completed
/// after a subcommand, as is known there. One day this finds nothing more to replace.
const MISSPELT: &str = "story__subcmd__liker";
const SPELT: &str = "story__liker";

/// Prints the script.
pub fn completions(shell: &Shell, flags: Completions) -> ExitCode {
    let mut script = Vec::new();
    let mut definition = definition();
    let name = definition.get_name().to_owned();
    clap_complete::generate(flags.shell, &mut definition, name, &mut script);
    let script = String::from_utf8_lossy(&script).replace(MISSPELT, SPELT);
    shell.answer(
        || json!({ "shell": flags.shell.to_string(), "script": script }),
        || script.trim_end().to_owned(),
    );
    ExitCode::Ok
}
