//! A rehearsal: the real pass, the real SQLite file and the real HTTP client over loopback, against
//! the practice Instagram, on a virtual clock that moves when the program would sleep and when a
//! simulated reply takes its time. The same seed and configuration give the same rehearsal, byte
//! for byte.
//!
//! A [`Plan`] says what is rehearsed, `stage` where, `days` holds it pass by pass. What it came to
//! is counted from the server's record: `items` (liked, missed, why), `bounds` (what kept likes
//! waiting) and the promises (`promises`, `peaks`, `in_force`, `silence`), which are judged without the code under test.

mod binding;
mod bounds;
mod chart;
mod compare;
mod days;
mod in_force;
mod items;
#[cfg(test)]
mod judged;
mod peaks;
mod plan;
mod promises;
mod silence;
mod stage;
mod summary;
mod text;

pub use bounds::{Bound, Full};
pub use compare::{Compared, compare, compare_text};
pub use days::{Rehearsal, RehearseError, rehearse};
pub use items::{ItemsOf, MissedReason};
pub use peaks::Peak;
pub use plan::{Plan, START, Schedule, people_of};
pub use promises::{Distance, Promises};
pub use summary::{Likes, Person, Requests, Summary, TimeInPasses};
pub use text::{pass_line, summary_text};
