//! The real binary in real time, against a practice Instagram in this process.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../support/home.rs"]
mod home;

mod doctor;
mod exit_codes;
mod explain;
mod health;
mod login;
mod replies;
mod secrets;
mod session;
mod signals;
mod status;
mod upkeep;
