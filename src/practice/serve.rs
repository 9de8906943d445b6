//! Serving third parties: says in one line of JSON how to get in, then serves until told to stop.

use std::io::Write;

use serde_json::json;

use super::server::{Options, Server, StartError};

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The line could not be printed or the certificate not be written.
    #[error("cannot tell how to reach the practice server: {0}")]
    Announce(#[from] std::io::Error),
}

/// Starts a server, writes one line of JSON to `out` (`base_url`, `ca_file`, `username`, `password`,
/// `totp_secret`, `session_id`, `targets`, `quiet_target`), and serves until `until` returns.
/// `ca_file` is null for plain HTTP; otherwise the file lives as long as the server.
pub fn serve(
    options: Options,
    out: &mut impl Write,
    until: impl FnOnce(),
) -> Result<(), ServeError> {
    let server = Server::start(options)?;
    let folder = tempfile::Builder::new().prefix("practice-").tempdir()?;
    let ca_file = match server.ca_pem() {
        None => None,
        Some(pem) => {
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, pem)?;
            Some(path)
        }
    };
    let credentials = server.credentials();
    let line = json!({
        "base_url": server.base_url(),
        "ca_file": ca_file,
        "username": credentials.username,
        "password": credentials.password,
        "totp_secret": credentials.totp_secret,
        "session_id": credentials.session_id,
        "targets": server.targets(),
        "quiet_target": server.quiet_target(),
    });
    writeln!(out, "{line}")?;
    out.flush()?;
    until();
    Ok(())
}
