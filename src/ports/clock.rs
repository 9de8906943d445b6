//! Time, as a pass needs it.

use std::time::Duration;

use crate::model::Timestamp;

/// What woke a sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: a person pressed Ctrl-C.
    Int,
    /// SIGTERM: the scheduler asks to stop.
    Term,
}

/// Time. The only way to learn it and the only way to wait.
pub trait Clock {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment that no clock step moves; it may stand still in a suspend.
    fn monotonic(&self) -> Duration;
    /// Waits until `deadline`, or less if the program is asked to stop.
    fn sleep_until(&self, deadline: Timestamp);
    /// Whether the program has been asked to stop.
    fn interrupted(&self) -> Option<Interrupt>;
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }

    fn sleep_until(&self, deadline: Timestamp) {
        (**self).sleep_until(deadline);
    }

    fn interrupted(&self) -> Option<Interrupt> {
        (**self).interrupted()
    }
}
