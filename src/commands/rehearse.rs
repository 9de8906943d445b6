//! `rehearse`: the real pass against the practice Instagram.

use super::shell::{Failure, Shell};
use crate::cli::Rehearse;
use crate::clock::SystemClock;
use crate::exit::ExitCode;
use crate::ports::{Clock, Interrupt};
use crate::practice::{self, Options, Wire};
use crate::telemetry::logging::Stream;

/// Rehearses, or only serves.
pub fn rehearse(shell: &Shell, flags: &Rehearse) -> Result<ExitCode, Failure> {
    if let Some(address) = flags.serve {
        return serve(shell, flags, address);
    }
    Ok(ExitCode::Ok)
}

fn serve(
    shell: &Shell,
    flags: &Rehearse,
    address: std::net::SocketAddr,
) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let clock = SystemClock::catching_signals().map_err(|error| {
        Failure::new(
            ExitCode::Software,
            format!("signals cannot be caught: {error}"),
        )
    })?;
    let wire = if flags.plain { Wire::Plain } else { Wire::Tls };
    let options = Options::serving(address, wire, flags.seed);
    practice::serve(options, &mut std::io::stdout(), || {
        clock.sleep_until_interrupted()
    })
    .map_err(|error| Failure::new(ExitCode::CantCreat, error.to_string()))?;
    Ok(match clock.interrupted() {
        Some(Interrupt::Term) => ExitCode::Terminated,
        Some(Interrupt::Int) => ExitCode::Interrupted,
        None => ExitCode::Ok,
    })
}
