//! The real binary in real time, against a practice Instagram in this process.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../support/home.rs"]
mod home;
#[path = "../support/raw_server.rs"]
#[allow(dead_code)]
mod raw_server;
#[path = "../support/relay.rs"]
mod relay;

mod doctor;
mod exit_codes;
mod explain;
mod health;
mod leaks;
mod login;
mod metrics;
mod notices;
mod ping;
mod replies;
mod sealing;
mod secrets;
mod session;
mod signals;
mod status;
mod typist;
mod upkeep;
