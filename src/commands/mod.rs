//! One file per command: wiring only.

pub mod config;
