//! The one time of a story: machines and Instagram read the same clock, and it moves when a program
//! sleeps, when an answer takes its time, and when the story says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use story_liker::model::Timestamp;
use story_liker::practice::clock::PracticeClock;

#[derive(Clone)]
pub struct StoryClock(Arc<Mutex<Inner>>);

struct Inner {
    now: Timestamp,
    /// How long programs have run. Stands still while the machine is suspended.
    awake: Duration,
    suspends: VecDeque<(Timestamp, Duration)>,
}

impl StoryClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now,
            awake: Duration::ZERO,
            suspends: VecDeque::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.inner().now
    }

    pub fn awake(&self) -> Duration {
        self.inner().awake
    }

    /// The story goes on at `moment`.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut inner = self.inner();
        assert!(moment >= inner.now, "a story does not go back in time");
        inner.now = moment;
        let missed = inner.suspends.front().is_some_and(|(at, _)| *at < moment);
        assert!(
            !missed,
            "the machine was to be suspended while a program runs"
        );
    }

    /// The machine will be suspended at `moment`, for so long.
    pub fn suspend(&self, moment: Timestamp, span: Duration) {
        self.inner().suspends.push_back((moment, span));
    }

    /// Lets a program spend `span` awake, whatever the wall clock does meanwhile.
    pub fn pass(&self, mut span: Duration) {
        let mut inner = self.inner();
        while let Some((at, asleep)) = inner.suspends.front().copied() {
            let until = at.since(inner.now);
            if until > span {
                break;
            }
            inner.suspends.pop_front();
            inner.now = at.plus(asleep);
            inner.awake += until;
            span -= until;
        }
        inner.now = inner.now.plus(span);
        inner.awake += span;
    }
}

impl PracticeClock for StoryClock {
    fn now_ms(&self) -> i64 {
        self.now().as_millis()
    }

    fn spend(&self, latency: Duration) {
        self.pass(latency);
    }
}
