//! The server's only notion of time. A rehearsal hands in a clock that program and server share, so
//! a request "spends" its latency on it; a real client is served on the wall clock, where the
//! network spends the time by itself.

use std::time::{Duration, SystemTime};

/// Where the practice server reads the time, and where simulated latency goes.
pub trait PracticeClock: Send + Sync {
    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> i64;

    /// Moves a virtual clock forward; a clock that runs by itself ignores it.
    fn spend(&self, latency: Duration);

    /// Whether time passes only through [`spend`](Self::spend). On such a clock a stalled request
    /// costs the client's whole time-out and then loses its connection; on a running clock it is
    /// never answered at all.
    fn is_virtual(&self) -> bool {
        true
    }
}

/// The machine's clock, for clients that live in real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl PracticeClock for WallClock {
    #[allow(clippy::disallowed_methods)] // The one place where the practice server meets real time.
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    fn spend(&self, _latency: Duration) {}

    fn is_virtual(&self) -> bool {
        false
    }
}
