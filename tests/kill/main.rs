//! What a process that dies leaves behind: the real binary is killed, starved and refused at its
//! system calls, one after the other, and the practice server's record is compared with the ledger.
//!
//! `strace` chooses the call. Without it, or where tracing is not allowed, those tests say so on
//! stderr and leave the proof to the kills at each request and at random instants.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `KILL_EVERY` | tries every so many-th call, but of locking and closing, which change no file, every fourth of those; with 1 nothing is skipped for want of `strace` | 30 |
//! | `KILL_SEED` | which of them, and the random instants | 7 |
//! | `KILL_ONLY` | one case, as a failure prints it | |
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code)] // Shared with the other tests of the binary.
#[path = "../support/home.rs"]
mod home;
#[allow(dead_code)]
#[path = "../support/raw_server.rs"]
mod raw_server;

mod calls;
mod cores;
mod disk;
mod faults;
mod instants;
mod lab;
mod names;
mod signals;
mod strace;
mod sweep;
mod telling;
