//! The two clocks: the machine's, which signals interrupt, and a virtual one for rehearsals, which
//! moves only when the program sleeps or a simulated reply takes its time.
//!
//! This is the only module that reads the real time or sleeps (`.clippy.toml` forbids it elsewhere).

#![allow(clippy::disallowed_methods)]

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::model::Timestamp;
use crate::ports::{Clock, Interrupt};
use crate::practice::clock::PracticeClock;

/// The machine's clock.
pub struct SystemClock {
    started: Instant,
    stop: Arc<StopRequest>,
}

#[derive(Default)]
struct StopRequest {
    signal: Mutex<Option<Interrupt>>,
    arrived: Condvar,
}

impl SystemClock {
    /// A clock whose sleeps end at SIGINT or SIGTERM. The first signal is remembered and lets the
    /// pass stop in order; a second ends the process at once, as if nobody had caught it.
    pub fn catching_signals() -> io::Result<Self> {
        let stop = Arc::new(StopRequest::default());
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let told = Arc::clone(&stop);
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    let interrupt = if signal == SIGINT {
                        Interrupt::Int
                    } else {
                        Interrupt::Term
                    };
                    let mut first = told.signal.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.is_some() {
                        // Only fails for a signal number the system does not know.
                        let _ = emulate_default_handler(signal);
                    }
                    *first = Some(interrupt);
                    told.arrived.notify_all();
                }
            })?;
        Ok(Self {
            started: Instant::now(),
            stop,
        })
    }
}

/// The wall clock, now. For log lines and for commands that never sleep.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall_clock()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep_until(&self, deadline: Timestamp) {
        let length = deadline.since(self.now());
        let signal = self
            .stop
            .signal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let asleep = |signal: &mut Option<Interrupt>| signal.is_none();
        // The condition variable counts monotonic time: a step of the wall clock neither shortens
        // nor lengthens the pause.
        drop(self.stop.arrived.wait_timeout_while(signal, length, asleep));
    }

    fn interrupted(&self) -> Option<Interrupt> {
        *self
            .stop
            .signal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that only moves when told. Clones show the same time, so a program and the practice
/// server it talks to can share one.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    started: Timestamp,
    now: Arc<Mutex<Timestamp>>,
}

impl VirtualClock {
    /// Stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            started: start,
            now: Arc::new(Mutex::new(start)),
        }
    }

    /// Moves to `moment`, unless it is past already.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = moment.max(*now);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn monotonic(&self) -> Duration {
        self.now().since(self.started)
    }

    fn sleep_until(&self, deadline: Timestamp) {
        self.advance_to(deadline);
    }

    fn interrupted(&self) -> Option<Interrupt> {
        None
    }
}

impl PracticeClock for VirtualClock {
    fn now_ms(&self) -> i64 {
        self.now().as_millis()
    }

    fn spend(&self, latency: Duration) {
        self.advance_to(self.now().plus(latency));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_by_sleeps_and_replies_and_never_back() {
        let clock = VirtualClock::new(Timestamp::from_secs(100));
        let shared = clock.clone();
        clock.sleep_until(Timestamp::from_secs(160));
        clock.sleep_until(Timestamp::from_secs(110));
        shared.spend(Duration::from_millis(250));
        assert_eq!(clock.now(), Timestamp::from_millis(160_250));
        assert_eq!(clock.monotonic(), Duration::from_millis(60_250));
    }
}
