//! Likes the new stories and posts of a few chosen Instagram accounts, one careful pass at a time.

pub mod cli;
pub mod commands;
pub mod config;
pub mod exit;
pub mod model;
pub mod ports;
pub mod practice;
pub mod telemetry;
