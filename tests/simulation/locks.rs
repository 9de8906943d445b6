//! With the lock of a real file no second start gets in, whatever the first is doing.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use story_liker::exit::ExitCode;
use story_liker::model::ProfileName;
use story_liker::store::{LockRequest, Opening, Writer};

use crate::world::*;

/// Starts a second time before every step.
struct SecondStarts {
    database: PathBuf,
    clock: TestClock,
    refused: Cell<u32>,
}

impl Steps for SecondStarts {
    fn before(&self, step: Step) {
        let request = LockRequest {
            command: "run",
            wait: Duration::ZERO,
            clock: &self.clock,
        };
        let profile = ProfileName::default();
        let opened = Writer::open(&self.database, &profile, &request, Opening::default());
        let code = opened.err().map(|error| error.exit_code());
        assert_eq!(code, Some(ExitCode::TempFail), "before {step:?}");
        self.refused.set(self.refused.get() + 1);
    }

    fn after(&self, _: Step) {}
}

#[test]
fn a_second_start_ends_with_75_whatever_the_first_is_doing() {
    let mut rig = Rig::new(&["anna", "berta"]);
    rig.story("anna", 1001);
    rig.post("berta", 2001);
    let steps = Rc::new(SecondStarts {
        database: rig.database().to_owned(),
        clock: rig.clock.clone(),
        refused: Cell::new(0),
    });
    rig.clock.watch(Some(steps.clone()));
    let report = rig.pass();
    rig.clock.watch(None);
    assert_eq!((report.counts.likes, report.exit_code()), (1, ExitCode::Ok));
    assert!(steps.refused.get() > 30, "{} steps", steps.refused.get());
}
