//! A practice Instagram: a strict server for loopback with a simulated world behind it.
//!
//! It exists to find a client's mistakes, so it shares nothing with the client of this crate: its
//! rules are its own tables, written down from recordings of other clients, and its
//! refusals are the recorded replies themselves ([`fixtures`]). Whatever is not known about the real
//! platform is a switch ([`switches`]); whatever can go wrong can be armed ([`trouble`]).
//!
//! * Every request goes on record when it is received, with everything that was wrong with it.
//!   A flawed request is still answered where it can be understood.
//! * The same seed and the same requests on a virtual clock give the same answers, byte for byte
//!   (but for the password key, which is made anew in every process).
//! * It listens on loopback only and never connects anywhere.
//! * The account has a password and a secret for one-time codes. The password alone is enough, and
//!   no second factor is asked for, unless the switch `two_factor` is on; then a right code is
//!   needed. So a client that sends a code when asked gets in as well as one that is never asked.
//!
//! While it runs, loopback clients may `GET /practice/record` and `/practice/switches`, and `POST`
//! JSON to `/practice/switches`, `/practice/trouble` and `/practice/world`.

mod act;
mod bodies;
pub mod clock;
mod credentials;
mod exchange;
mod faults;
pub mod fixtures;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod hardship;
mod reactions;
mod record;
mod reply;
mod request;
mod routes;
mod rules;
mod serve;
mod server;
mod sessions;
mod state;
mod state_headers;
pub mod switches;
mod tls;
pub mod trouble;
mod understanding;
mod wire;
pub mod world;

pub use act::Act;
pub use credentials::Credentials;
pub use record::{Outcome, RecordEntry};
pub use serve::{ServeError, serve};
pub use server::{Options, Server, StartError, Wire};
