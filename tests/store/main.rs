//! The memory of the program: one contract for every store, and what only a file has.

#![allow(clippy::unwrap_used)]

mod support;

mod damage;
mod holds;
mod items;
mod likes;
mod locks;
mod neighbours;
mod notices;
mod opening;
mod outcomes;
mod processes;
mod properties;
mod pruning;
mod sealing;
mod targets;
mod windows;
