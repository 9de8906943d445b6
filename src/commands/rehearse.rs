//! `rehearse`: the real pass against the practice Instagram.

use super::shell::{Failure, Shell, system_clock};
use crate::cli::Rehearse;
use crate::exit::ExitCode;
use crate::ports::Clock;
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
    let clock = system_clock()?;
    let wire = if flags.plain { Wire::Plain } else { Wire::Tls };
    let options = Options::serving(address, wire, flags.seed);
    practice::serve(options, &mut std::io::stdout(), || {
        clock.sleep_until_interrupted()
    })
    .map_err(|error| Failure::new(ExitCode::CantCreat, error.to_string()))?;
    Ok(clock.interrupted().map_or(ExitCode::Ok, ExitCode::from))
}
