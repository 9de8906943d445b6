//! Time for a test: the server's true time, a wall clock that may be wrong, and a monotonic clock
//! that stands still while the machine is suspended. All of it only moves when told.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use story_liker::model::Timestamp;
use story_liker::ports::{Clock, Interrupt};

use super::steps::{Step, Steps};

/// Something that happens to the clock or the program while time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The wall clock is stepped by so many milliseconds.
    Step(i64),
    /// The machine sleeps: true and wall time go on, monotonic time does not.
    Suspend(Duration),
    /// A signal.
    Signal(Interrupt),
}

#[derive(Clone)]
pub struct TestClock(Rc<RefCell<Inner>>);

struct Inner {
    truth: Timestamp,
    wall_ahead: i64,
    awake: Duration,
    events: Vec<(Timestamp, Event)>,
    interrupted: Option<Interrupt>,
    steps: Option<Rc<dyn Steps>>,
}

impl TestClock {
    pub fn at(start: Timestamp) -> Self {
        Self(Rc::new(RefCell::new(Inner {
            truth: start,
            wall_ahead: 0,
            awake: Duration::ZERO,
            events: Vec::new(),
            interrupted: None,
            steps: None,
        })))
    }

    /// The server's clock.
    pub fn server(&self) -> Timestamp {
        self.0.borrow().truth
    }

    /// Lets time pass, asleep or at work.
    pub fn spend(&self, span: Duration) {
        self.0.borrow_mut().pass(span, false);
    }

    /// The machine sleeps.
    pub fn suspend(&self, asleep: Duration) {
        let mut inner = self.0.borrow_mut();
        inner.truth = inner.truth.plus(asleep);
    }

    /// Sets the wall clock: how far it is ahead of the server's.
    pub fn set_ahead(&self, millis: i64) {
        self.0.borrow_mut().wall_ahead = millis;
    }

    /// Lets `event` happen `after` from now.
    pub fn schedule(&self, after: Duration, event: Event) {
        let mut inner = self.0.borrow_mut();
        let at = inner.truth.plus(after);
        inner.events.push((at, event));
        inner.events.sort_by_key(|(at, _)| *at);
    }

    /// How far the wall clock is ahead of the server's.
    pub fn ahead(&self) -> i64 {
        self.0.borrow().wall_ahead
    }

    /// Lets `steps` watch every call of a port from now on, or nobody.
    pub fn watch(&self, steps: Option<Rc<dyn Steps>>) {
        self.0.borrow_mut().steps = steps;
    }

    pub fn before(&self, step: Step) {
        let steps = self.0.borrow().steps.clone();
        if let Some(steps) = steps {
            steps.before(step);
        }
    }

    pub fn after(&self, step: Step) {
        let steps = self.0.borrow().steps.clone();
        if let Some(steps) = steps {
            steps.after(step);
        }
    }

    /// Whether the database is free within `most`; time goes by meanwhile.
    pub fn wait_for_lock(&self, most: Duration) -> bool {
        let steps = self.0.borrow().steps.clone();
        steps.is_none_or(|steps| steps.waits(most))
    }

    /// A new process: no signal, nothing scheduled.
    pub fn restart(&self) {
        let mut inner = self.0.borrow_mut();
        inner.interrupted = None;
        inner.events.clear();
    }
}

impl Inner {
    fn pass(&mut self, span: Duration, wakes: bool) {
        let mut left = span;
        while let Some((at, event)) = self.events.first().copied() {
            let until = at.since(self.truth);
            if until > left {
                break;
            }
            self.events.remove(0);
            self.truth = self.truth.plus(until);
            self.awake += until;
            left -= until;
            match event {
                Event::Step(millis) => self.wall_ahead = self.wall_ahead.saturating_add(millis),
                Event::Suspend(asleep) => self.truth = self.truth.plus(asleep),
                Event::Signal(signal) => {
                    self.interrupted = Some(signal);
                    if wakes {
                        return;
                    }
                }
            }
        }
        self.truth = self.truth.plus(left);
        self.awake += left;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let inner = self.0.borrow();
        Timestamp::from_millis(inner.truth.as_millis().saturating_add(inner.wall_ahead))
    }

    fn monotonic(&self) -> Duration {
        self.0.borrow().awake
    }

    fn sleep_until(&self, deadline: Timestamp) {
        self.before(Step::Sleep);
        let span = deadline.since(self.now());
        self.0.borrow_mut().pass(span, true);
        self.after(Step::Sleep);
    }

    fn interrupted(&self) -> Option<Interrupt> {
        self.0.borrow().interrupted
    }
}
