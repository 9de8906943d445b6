//! Helpers of the integration tests.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

pub mod client;
pub mod raw_server;
pub mod refusing;
pub mod relay;
