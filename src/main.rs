//! Parse, run the command, end with its exit code. Only this file ends the process.

#![cfg_attr(not(target_feature = "crt-static"), forbid(unsafe_code))]

use std::env;
use std::io::{self, IsTerminal, Write};
use std::panic::catch_unwind;
use std::process::ExitCode as Status;

use clap::Parser;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};
use story_liker::cli::{Cli, expects_report};
use story_liker::commands;
use story_liker::exit::ExitCode;

fn main() -> Status {
    leave_no_core();
    #[cfg(all(target_feature = "crt-static", target_env = "gnu"))]
    find_hosts_without_modules();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(problem) => {
            let printed = problem.print();
            if !problem.use_stderr() {
                return commands::shown(printed).into();
            }
            report(&problem);
            return ExitCode::Usage.into();
        }
    };
    // A panic has printed its message; what it left claimed is settled by the next pass.
    catch_unwind(|| commands::execute(cli))
        .unwrap_or(ExitCode::Software)
        .into()
}

/// The memory of a process that crashes holds its secrets; the system is asked to keep none of it.
/// The limit alone is not heeded where cores are piped to a program (core(5)).
fn leave_no_core() {
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    // Without them the program is as safe as any other.
    let _ = setrlimit(Resource::Core, limit);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Hosts are found by `/etc/hosts` and DNS alone. For whatever else `/etc/nsswitch.conf` names, glibc
/// loads the machine's own modules even into a static program; they need the machine's own C library,
/// and with two of them a process crashes.
#[cfg(all(target_feature = "crt-static", target_env = "gnu"))]
#[allow(unsafe_code)]
fn find_hosts_without_modules() {
    use std::ffi::{c_char, c_int};
    unsafe extern "C" {
        /// Stands in for the line of a database in `/etc/nsswitch.conf` (`nss.h`).
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    // SAFETY: both strings end with a zero byte and live for ever, and no second thread is there yet.
    unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
}

/// A program that waits for a report learns from it too that the command line was refused.
fn report(problem: &clap::Error) {
    let words: Vec<String> = env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if expects_report(&words, io::stdout().is_terminal()) {
        let text = problem.to_string();
        // What is missing or possible stands on lines of its own; after an empty one comes the usage.
        let lines = text.lines().map(str::trim);
        let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let reason = lines.join(" ");
        let reason = reason.strip_prefix("error: ").unwrap_or(&reason);
        let _ = writeln!(
            io::stdout(),
            "{}",
            commands::not_started(ExitCode::Usage, reason)
        );
    }
}
