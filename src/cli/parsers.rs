//! How the value of a flag is read.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use crate::model::Secret;

#[allow(clippy::unnecessary_wraps, reason = "the form of a value parser")]
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "write a number and a unit, for example 30s, 15m or 2h".to_owned())
}

pub(super) fn day(text: &str) -> Result<jiff::civil::Date, &'static str> {
    let wrong = "write a day as YYYY-MM-DD, for example 2026-02-01";
    text.parse().map_err(|_| wrong)
}

/// What is said to one who typed a session id as an argument.
pub const SESSION_ID_TYPED: &str = "--session-id takes only -: give the session id on standard \
     input, because a command line can be read by others";

/// Accepts `-` only. Its error does not repeat the value, which is probably the session id itself.
#[derive(Clone)]
pub(super) struct OnlyDash;

impl TypedValueParser for OnlyDash {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        if value == "-" {
            return Ok("-".to_owned());
        }
        let advice = format!("{SESSION_ID_TYPED}\n");
        Err(clap::Error::raw(ErrorKind::ValueValidation, advice).with_cmd(command))
    }
}

pub(super) fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .ok()
        .filter(|address: &SocketAddr| address.ip().is_loopback())
        .ok_or("only a loopback address with a port, for example 127.0.0.1:8080")
}
