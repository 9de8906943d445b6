//! What a pass says about whether passes work: whether somebody is to be told, once.
//!
//! Neither of one pass means nothing: a full window, quiet hours, a timed hold, a signal and a first
//! outage end by themselves. A pass that asked nothing proves nothing, so it ends no failure: the
//! next one that asks would fail again and tell a second time.

use super::report::Report;
use super::stop::Stop;
use crate::exit::ExitCode;
use crate::model::Verdict;
use crate::ports::Interrupt;

impl Report {
    /// Whether this pass worked or failed, if it tells.
    pub fn verdict(&self) -> Verdict {
        match &self.stop {
            Stop::Interrupted(Interrupt::Term | Interrupt::Int)
            // Once or twice without an answer is an hour's outage; the third time is a hold.
            | Stop::Unavailable {
                hold_until: None, ..
            } => return Verdict::Neither,
            // Waiting does not help, although nothing is broken: somebody has to set the clock.
            Stop::ClockOff { .. } => return Verdict::Failed,
            _ => {}
        }
        match self.exit_code() {
            ExitCode::Ok | ExitCode::Partial if self.counts.requests() > 0 => Verdict::Worked,
            ExitCode::Ok
            | ExitCode::Partial
            | ExitCode::Interrupted
            | ExitCode::Terminated
            | ExitCode::TempFail => Verdict::Neither,
            ExitCode::Unavailable
            | ExitCode::IoErr
            | ExitCode::CantCreat
            | ExitCode::DataErr
            | ExitCode::Protocol
            | ExitCode::NoPerm
            | ExitCode::Config
            | ExitCode::Usage
            | ExitCode::Software => Verdict::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engage::report::{Counts, TargetReport};
    use crate::engage::stop::HeldBy;
    use crate::model::{HoldReason, ProfileName, TargetTrouble, Timestamp};
    use crate::ports::Pruned;

    const MOMENT: Timestamp = Timestamp::from_secs(1_795_197_600);

    fn report(stop: Stop, reads: u32) -> Report {
        Report {
            run_id: String::new(),
            profile: ProfileName::default(),
            dry_run: false,
            seed: 1,
            started_at: MOMENT,
            ended_at: MOMENT,
            stop,
            counts: Counts {
                reads,
                ..Counts::default()
            },
            targets: Vec::new(),
            decisions: Vec::new(),
            windows: Vec::new(),
            halved_until: None,
            warm_up: None,
            recovered: 0,
            pruned: Pruned::default(),
        }
    }

    fn by(reason: HoldReason, until: Option<Timestamp>) -> HeldBy {
        HeldBy {
            reason,
            until,
            message: String::new(),
        }
    }

    fn store(code: ExitCode) -> Stop {
        Stop::Store {
            code,
            message: String::new(),
        }
    }

    #[test]
    fn only_answers_prove_that_passes_work() {
        for stop in [
            Stop::Done,
            Stop::TimeUsed,
            Stop::RunCap { likes: 3 },
            Stop::QuietHours { until: MOMENT },
        ] {
            assert_eq!(
                report(stop.clone(), 2).verdict(),
                Verdict::Worked,
                "{stop:?}"
            );
            assert_eq!(
                report(stop.clone(), 0).verdict(),
                Verdict::Neither,
                "{stop:?}"
            );
        }
        let mut partial = report(Stop::Done, 2);
        partial.targets.push(TargetReport {
            trouble: Some(TargetTrouble::Private),
            ..TargetReport::default()
        });
        assert_eq!(partial.exit_code(), ExitCode::Partial);
        assert_eq!(partial.verdict(), Verdict::Worked);
    }

    #[test]
    fn what_ends_by_itself_is_no_failure() {
        let down = Stop::Unavailable {
            message: String::new(),
            hold_until: None,
        };
        for stop in [
            Stop::Held(by(HoldReason::Throttled, Some(MOMENT))),
            Stop::Objected(by(HoldReason::ActionBlocked, Some(MOMENT))),
            Stop::LoggedInAgain,
            Stop::ClockJumped { millis: 90_000 },
            Stop::Interrupted(Interrupt::Term),
            Stop::Interrupted(Interrupt::Int),
            store(ExitCode::TempFail),
            down,
        ] {
            assert_eq!(
                report(stop.clone(), 2).verdict(),
                Verdict::Neither,
                "{stop:?}"
            );
        }
    }

    #[test]
    fn what_waits_for_somebody_is_one() {
        let down = Stop::Unavailable {
            message: String::new(),
            hold_until: Some(MOMENT),
        };
        for stop in [
            Stop::Held(by(HoldReason::Challenge, None)),
            Stop::Objected(by(HoldReason::LoggedOut, None)),
            Stop::Objected(by(HoldReason::UnknownShape, Some(MOMENT))),
            Stop::NoSession {
                database: String::new(),
            },
            Stop::WrongAccount {
                message: String::new(),
            },
            Stop::ClockOff {
                offset_millis: 400_000,
            },
            store(ExitCode::IoErr),
            store(ExitCode::DataErr),
            store(ExitCode::Software),
            down,
        ] {
            assert_eq!(
                report(stop.clone(), 2).verdict(),
                Verdict::Failed,
                "{stop:?}"
            );
            assert_eq!(
                report(stop.clone(), 0).verdict(),
                Verdict::Failed,
                "{stop:?}"
            );
        }
    }
}
