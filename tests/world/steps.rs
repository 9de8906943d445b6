//! The steps of a pass, as a test may watch them, stop it at them, or let something else happen
//! between them: every call of a port is one.

use std::time::Duration;

use super::platform::Act;

/// A call of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One transaction of the store.
    Store(&'static str),
    /// One request.
    Platform(Act),
    Sleep,
}

/// Whoever watches. It may unwind, which is how a process is killed: nothing of it goes on.
pub trait Steps {
    fn before(&self, step: Step);
    fn after(&self, step: Step);
    /// A transaction waits this long at most for whoever has the database locked; says whether that
    /// was long enough.
    fn waits(&self, _: Duration) -> bool {
        true
    }
}
