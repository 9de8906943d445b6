//! Likes the new stories and posts of a few chosen Instagram accounts, one careful pass at a time.
//!
//! A pass asks pure code what to do next, puts it on record, does it, records what came of it, and
//! asks again. Whatever it needs from outside comes through a port, so the same pass runs against
//! Instagram, in a rehearsal, and in the tests.
//!
//! ```text
//!   flags, variables, file
//!             |
//!             v
//!         [config] -----> [engage], step by step:
//!                            |
//!                            |   1. choose    policy, over [care]   pure
//!   [clock] time, pauses, -->|   2. claim     --> [store]           durable, before it leaves
//!           signals          |   3. act       --> [instagram]       may fail, may be lost
//!                            |   4. settle    --> [store]           with the hold it caused
//!                            |   5. take in   what is known now     pure
//!                            v
//!                         report -----> stdout, log, exit code
//! ```
//!
//! Three rules keep it so: a request is durable before it leaves and never leaves twice; what an
//! answer means is decided in one place; only `main` ends the process. `tests/house.rs` checks who
//! may use whom, `.clippy.toml` that nobody reads a clock, the environment or chance on the side.
//!
//! # Map
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | flags and their help |
//! | [`config`] | flags, variables and file become one checked configuration |
//! | [`commands`] | one file per subcommand: wiring |
//! | [`model`] | the words of the domain as types |
//! | [`ports`] | what a pass needs from outside: platform, store, clock |
//! | [`engage`] | the pass: policy, loop, report |
//! | [`care`] | what protects the account: windows, holds, pauses, quiet hours, clock error |
//! | [`instagram`] | the platform, over the private API |
//! | [`store`] | the memory: one SQLite file, its locks, its schema, and the seal on sessions |
//! | [`clock`] | real and virtual time, sleeping, signals |
//! | [`practice`] | a strict practice Instagram with a simulated world; knows nothing of the rest |
//! | [`rehearse`] | days of real passes against it, on virtual time |
//! | [`telemetry`] | log lines, the progress line, metrics, pings and notices |
//! | [`exit`] | the one list of exit codes |

#![forbid(unsafe_code)]

pub mod care;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod engage;
pub mod exit;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod instagram;
pub mod model;
pub mod ports;
pub mod practice;
pub mod rehearse;
pub mod store;
pub mod telemetry;
