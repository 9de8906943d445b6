//! Likes the new stories and posts of a few chosen Instagram accounts, one careful pass at a time.

pub mod care;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod engage;
pub mod exit;
pub mod instagram;
pub mod model;
pub mod ports;
pub mod practice;
pub mod rehearse;
pub mod store;
pub mod telemetry;
