//! A rehearsal: the real pass, the real SQLite file and the real HTTP client over loopback, against
//! the practice Instagram, on a virtual clock that moves when the program would sleep and when a
//! simulated reply takes its time. The same seed and configuration give the same rehearsal, byte
//! for byte.

mod days;
mod summary;
mod text;

pub use days::{Plan, Rehearsal, RehearseError, rehearse};
pub use summary::{ItemsOf, MissedReason, Peak, Summary};
pub use text::{pass_line, summary_text};
