//! The pass, sentence by sentence, over a platform in memory that keeps its own record.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../world/mod.rs"]
mod world;

mod ending;
mod holds;
mod limits;
mod login;
mod outcomes;
mod queue;
mod targets;
mod time;
