//! The pass, sentence by sentence, over a platform in memory that keeps its own record.
#![allow(missing_docs, clippy::unwrap_used)]
// Counts of a handful of items and spans that are known to be long enough.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::unchecked_time_subtraction
)]

#[path = "../world/mod.rs"]
mod world;

mod claims;
mod ending;
mod fairness;
mod forecast;
mod forecast_passes;
mod holds;
mod limits;
mod listing;
mod login;
mod outcomes;
mod outlook;
mod queue;
mod targets;
mod time;
