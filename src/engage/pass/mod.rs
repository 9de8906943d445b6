//! The loop: decide, claim, act, settle, absorb, until the policy says stop.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::act::held_by;
use super::actor::{Actor, LEAST_PATIENCE, Ports, patience};
use super::login::CodeSource;
use super::policy::{self, State, Step, Work};
use super::queue::{as_if_synchronised, queue, wanted};
use super::report::{Counts, Report, TargetReport};
use super::session::settle_doubt;
use super::stop::Stop;
use crate::care::hold;
use crate::config::Config;
use crate::model::{Account, HoldReason, ItemState, Target, TargetId, Timestamp};
use crate::ports::{Pruned, StoreError};

mod closing;
mod decisions;
mod lookup;
mod read_back;
mod reads;
mod writes;

/// How a pass is run.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// Decide and explain, but send no view, like or login.
    pub dry_run: bool,
    /// Treat every target as due.
    pub check_all: bool,
    /// Only these targets.
    pub only: Option<Vec<String>>,
}

/// What a pass is run with.
pub struct PassInput<'a> {
    /// The resolved configuration.
    pub config: &'a Config,
    /// How it is run.
    pub mode: Mode,
    /// Seed of its chance.
    pub seed: u64,
    /// Names it in logs and reports.
    pub run_id: &'a str,
    /// The code of the second factor, where `session.relogin` needs one.
    pub codes: &'a mut dyn CodeSource,
}

/// Runs one pass. Every way in which it can end is a [`Stop`] in the report.
pub fn pass<'a>(input: PassInput<'a>, ports: Ports<'a>) -> Report {
    let clock = ports.clock;
    let started_at = clock.now();
    let mut report = Report {
        run_id: input.run_id.to_owned(),
        profile: input.config.profile.clone(),
        dry_run: input.mode.dry_run,
        seed: input.seed,
        started_at,
        ended_at: started_at,
        stop: Stop::Done,
        counts: Counts::default(),
        targets: Vec::new(),
        decisions: Vec::new(),
        windows: Vec::new(),
        halved_until: None,
        warm_up: None,
        recovered: 0,
        pruned: Pruned::default(),
    };
    match Running::begin(input, ports, &mut report) {
        Ok(mut running) => running.finish(&mut report),
        Err(error) => {
            report.stop = error.into();
            report.ended_at = clock.now();
        }
    }
    report
}

struct Running<'a> {
    config: &'a Config,
    mode: Mode,
    codes: &'a mut dyn CodeSource,
    actor: Actor<'a>,
    account: Account,
    state: State,
    targets: BTreeMap<TargetId, (Target, TargetReport)>,
    /// The next read repeats one whose connection broke.
    repetition: bool,
}

impl<'a> Running<'a> {
    fn begin(
        input: PassInput<'a>,
        ports: Ports<'a>,
        report: &mut Report,
    ) -> Result<Self, StoreError> {
        let PassInput {
            config,
            mode,
            seed,
            codes,
            ..
        } = input;
        let store = ports.store;
        let now = ports.clock.now();
        let begun = ports.clock.monotonic();
        let left = || {
            let used = ports.clock.monotonic().saturating_sub(begun);
            config.limits.max_runtime.saturating_sub(used)
        };
        store.be_patient(patience(left(), LEAST_PATIENCE));
        let run = if mode.dry_run {
            None
        } else {
            Some(store.begin_run("run", seed, now)?)
        };
        store.be_patient(patience(left(), LEAST_PATIENCE));
        if !mode.dry_run {
            report.recovered = u32::try_from(store.recover(now)?.len()).unwrap_or(u32::MAX);
        }
        store.be_patient(patience(left(), LEAST_PATIENCE));
        let account = store.account()?;
        let proved = account.session_proved_at;
        let state = State {
            deadline: now,
            quiet_hours: config.quiet_hours,
            timeout: config.instagram.timeout,
            time_zone: config.time_zone.clone(),
            queue: VecDeque::new(),
            targets: Vec::new(),
            likes: 0,
            likes_by_target: BTreeMap::new(),
            unproved: account.pk.is_none() || proved.is_none(),
            proof_due: proved.is_none_or(|at| now.since(at) > config.session.keep_alive),
            replied: false,
            mark_seen: config.stories.mark_seen,
            dry_run: mode.dry_run,
        };
        let left = left();
        store.be_patient(patience(left, LEAST_PATIENCE));
        let ports = Ports { store, ..ports };
        let mut actor = Actor::new(ports, config, seed, run, mode.dry_run)?;
        actor.max_runtime = Some(left);
        report.halved_until = actor.budget.limits.halved_until;
        report.warm_up = actor.budget.limits.warm_up;
        if let Some(until) = report.halved_until {
            log::info!(until = until.to_string(); "likes are halved because of an action block");
        }
        if let Some(stage) = report.warm_up {
            log::info!(percent = stage.percent; "{}", stage.sentence());
        }
        Ok(Self {
            config,
            mode,
            codes,
            actor,
            account,
            state,
            targets: BTreeMap::new(),
            repetition: false,
        })
    }

    fn finish(&mut self, report: &mut Report) {
        report.stop = self.stop(report);
        self.leave_the_rest(report);
        if let Stop::Objected(doubt) = &report.stop
            && doubt.reason == HoldReason::SessionDoubtful
            && self.may_send(self.config.pace.between_requests.max)
        {
            report.stop = settle_doubt(&mut self.actor, &self.account, doubt);
        }
        if let Some(stop) = self.log_in_again(&report.stop) {
            report.stop = stop;
        }
        self.close(report);
    }

    /// Whether the pass may go on sending for this long after it met what ends it.
    fn may_send(&self, takes: Duration) -> bool {
        let now = self.actor.watch.now();
        let quiet = |at| policy::quiet(&self.state, at).is_some();
        !self.actor.forgetful
            && self.actor.disturbed().is_none()
            && !quiet(now)
            && !quiet(now.plus(takes))
    }

    /// Everything up to the reason for stopping.
    fn stop(&mut self, report: &mut Report) -> Stop {
        let now = self.actor.watch.now();
        if let Some(hold) = hold::in_force(&self.actor.holds, now) {
            return Stop::Held(held_by(hold));
        }
        if self.account.session.is_none() {
            return Stop::NoSession {
                database: self.config.database.display().to_string(),
            };
        }
        match self.actor.hold_over_by_a_wrong_clock(now) {
            Ok(None) => {}
            Ok(Some(stop)) => return stop,
            Err(error) => return error.into(),
        }
        if let Err(error) = self.fill_queue(now) {
            return error.into();
        }
        loop {
            if let Some(stop) = self.actor.disturbed() {
                return stop;
            }
            self.state.deadline = self.actor.deadline();
            let now = self.actor.watch.now();
            let step = policy::next(&self.state, &self.actor.budget, now);
            if let Err(stop) = self.take(step, report) {
                return stop;
            }
            self.state.replied = self.actor.watch.confirmed();
        }
    }

    fn fill_queue(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let wanted = wanted(self.config);
        if !self.mode.dry_run {
            self.actor.store().sync_targets(&wanted, now)?;
        }
        let mut targets = self.actor.store().targets()?;
        if self.mode.dry_run {
            as_if_synchronised(&mut targets, &wanted);
        }
        if let Some(only) = &self.mode.only {
            targets.retain(|target| {
                only.iter()
                    .any(|name| *name == target.listed_as || *name == target.username)
            });
        }
        self.state.queue = self.queue(&targets, now)?;
        self.state.targets = targets
            .iter()
            .filter(|target| target.enabled)
            .map(|target| target.id)
            .collect();
        self.targets = targets
            .into_iter()
            .filter(|target| target.enabled)
            .map(|target| {
                let report = TargetReport {
                    username: target.listed_as.clone(),
                    ..TargetReport::default()
                };
                (target.id, (target, report))
            })
            .collect();
        Ok(())
    }

    /// The work on these targets.
    fn queue(&mut self, targets: &[Target], now: Timestamp) -> Result<VecDeque<Work>, StoreError> {
        let actor = &mut self.actor;
        let check_all = self.mode.check_all;
        queue(
            self.config,
            check_all,
            targets,
            now,
            |target, kind, most| {
                actor
                    .store()
                    .items_in(target, kind, &[ItemState::New], most)
            },
        )
    }

    fn take(&mut self, step: Step, report: &mut Report) -> Result<(), Stop> {
        match step {
            Step::Stop(stop) => return Err(stop),
            Step::Pause(until, reason) => {
                if let Some(stop) = self.actor.wait(until, reason.key()) {
                    return Err(stop);
                }
            }
            Step::Prove => self.prove()?,
            Step::LookUp => self.look_up()?,
            Step::List => self.list(report)?,
            Step::ReadBack => self.read_back(report)?,
            Step::View => self.view(report)?,
            Step::Like => self.like(report)?,
            Step::PassOver => self.pass_over(report),
            Step::Finish => {
                self.state.queue.pop_front();
            }
            Step::Leave(left) => self.leave(left, report),
        }
        Ok(())
    }

    fn front(&self) -> Option<&Work> {
        self.state.queue.front()
    }
}
