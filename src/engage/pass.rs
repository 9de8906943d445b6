//! The loop: decide, claim, act, settle, absorb, until the policy says stop.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::absorb::{Read, ReadingContext, again_or_never, listed};
use super::act::{Act, Actor, Receipt, Refusal, Verdict, Waiting, held_by};
use super::login::{CodeSource, Credentials, LoginEnd, log_in};
use super::policy::{self, Budget, Left, ListingDue, State, Step, Work};
use super::queue::queue;
use super::report::{Counts, Decision, Report, Stop, TargetReport, WindowReport};
use super::session::{ProofEnd, prove, settle_doubt};
use super::watch::Watch;
use crate::care::hold;
use crate::care::limits::LimitsInForce;
use crate::care::pace::Pacer;
use crate::care::window::{LONGEST_SPAN, Windows};
use crate::config::Config;
use crate::model::{
    Account, AttemptKind, HoldReason, ItemKind, ItemState, LedgerItem, Target, TargetId,
    TargetTrouble, Timestamp,
};
use crate::ports::{
    Change, Clock, Listing, Platform, PlatformError, Pruned, Retention, RunEnd, Store, StoreError,
    WantedTarget,
};

/// A target in trouble is looked at again after a day, then two, then four, at most seven.
const FIRST_RETRY: Duration = Duration::from_secs(24 * 3600);
const LAST_RETRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many earlier runs are looked back on for trouble "in a row". Runs that sent nothing do not
/// count, so more than three are read.
const RUNS_LOOKED_BACK: u32 = 50;

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

/// The ports of a pass.
pub struct Pass<'a> {
    /// Instagram.
    pub platform: &'a mut dyn Platform,
    /// The opened store; its lock is held.
    pub store: &'a mut dyn Store,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who is told of pauses.
    pub waiting: &'a mut dyn Waiting,
}

/// Runs one pass. Every way in which it can end is a [`Stop`] in the report.
pub fn pass<'a>(input: PassInput<'a>, ports: Pass<'a>) -> Report {
    let watch = Watch::new(ports.clock);
    let started_at = watch.now();
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
        recovered: 0,
        pruned: Pruned::default(),
    };
    match Running::begin(input, ports, watch, &mut report) {
        Ok(mut running) => running.to_the_end(&mut report),
        Err(error) => report.stop = error.into(),
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
        ports: Pass<'a>,
        watch: Watch<'a>,
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
        let now = watch.now();
        let run = if mode.dry_run {
            None
        } else {
            Some(store.begin_run("run", seed, now)?)
        };
        if !mode.dry_run {
            report.recovered = u32::try_from(store.recover(now)?.len()).unwrap_or(u32::MAX);
        }
        let account = store.account()?;
        let holds = store.holds(now.minus(hold::MEMORY))?;
        let runs = store
            .recent_runs(RUNS_LOOKED_BACK)?
            .into_iter()
            .filter(|earlier| Some(earlier.id) != run)
            .collect();
        let windows = Windows::new(store.attempts(now.minus(LONGEST_SPAN))?);
        let (last, last_like) = store.newest_attempts()?;
        let stood =
            |attempt: &crate::model::Attempt| attempt.settled_at.unwrap_or(attempt.claimed_at);
        let pacer = Pacer::new(
            config.pace,
            seed,
            last.as_ref()
                .map(|attempt| (stood(attempt), attempt.target)),
            last_like.as_ref().map(stood),
            now,
        );
        let limits = LimitsInForce::new(&config.limits, &holds, now);
        report.halved_until = limits.halved_until;
        let proved = account.session_proved_at;
        let state = State {
            deadline: now.plus(config.limits.max_runtime),
            quiet_hours: config.quiet_hours,
            time_zone: config.time_zone.clone(),
            queue: VecDeque::new(),
            likes: 0,
            likes_by_target: BTreeMap::new(),
            unproved: account.pk.is_none() || proved.is_none(),
            proof_due: proved.is_none_or(|at| now.since(at) > config.session.keep_alive),
            replied: false,
            mark_seen: config.stories.mark_seen,
            dry_run: mode.dry_run,
        };
        let actor = Actor {
            platform: ports.platform,
            store,
            watch,
            waiting: ports.waiting,
            budget: Budget {
                windows,
                limits,
                pacer,
            },
            run,
            holds,
            runs,
            counts: Counts::default(),
            dry_run: mode.dry_run,
        };
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

    fn to_the_end(&mut self, report: &mut Report) {
        report.stop = self.stop(report);
        if let Stop::Objected(by) = &report.stop
            && by.reason == HoldReason::SessionDoubtful
        {
            report.stop = settle_doubt(&mut self.actor, &self.account, report.stop.clone());
        }
        if let Some(stop) = self.log_in_again(&report.stop) {
            report.stop = stop;
        }
        if let Err(error) = self.close(report) {
            report.stop = error.into();
        }
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
        if let Err(error) = self.fill_queue(now) {
            return error.into();
        }
        loop {
            if let Some(interrupt) = self.actor.watch.interrupted() {
                return Stop::Interrupted(interrupt);
            }
            if let Some(skew) = self.actor.watch.untrusted() {
                return Stop::ClockOff {
                    offset_millis: skew.offset_millis(),
                };
            }
            let now = self.actor.watch.now();
            let step = policy::next(&self.state, &self.actor.budget, now);
            if let Err(stop) = self.take(step, report) {
                return stop;
            }
            self.state.replied = self.actor.watch.confirmed();
        }
    }

    fn fill_queue(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let wanted: Vec<WantedTarget> = self
            .config
            .targets
            .iter()
            .map(|target| WantedTarget {
                username: target.username.clone(),
                enabled: target.enabled,
                stories: target.stories,
                posts: target.posts,
            })
            .collect();
        if !self.mode.dry_run {
            self.actor.store.sync_targets(&wanted, now)?;
        }
        let mut targets = self.actor.store.targets()?;
        if self.mode.dry_run {
            super::queue::as_if_synchronised(&mut targets, &wanted);
        }
        if let Some(only) = &self.mode.only {
            targets.retain(|target| only.contains(&target.username));
        }
        self.state.queue = queue(
            self.config,
            self.mode.check_all,
            &targets,
            self.actor.store,
            now,
        )?;
        self.targets = targets
            .into_iter()
            .filter(|target| target.enabled)
            .map(|target| {
                let report = TargetReport {
                    username: target.username.clone(),
                    ..TargetReport::default()
                };
                (target.id, (target, report))
            })
            .collect();
        Ok(())
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

    // ------------------------------------------------------------------------------------ reads

    fn prove(&mut self) -> Result<(), Stop> {
        match prove(&mut self.actor, &self.account, false, self.repetition) {
            ProofEnd::Alive(myself) => {
                self.account.pk = Some(myself.pk);
                self.state.unproved = false;
                self.state.proof_due = false;
                self.repetition = false;
                Ok(())
            }
            ProofEnd::RepeatRead => {
                self.repetition = true;
                Ok(())
            }
            ProofEnd::Stop(stop) => Err(stop),
        }
    }

    fn look_up(&mut self) -> Result<(), Stop> {
        let Some(work) = self.front() else {
            return Ok(());
        };
        let (target, name) = (work.target, work.name.clone());
        let act = self.read_act("user_by_name", target, &name);
        let sent = taken_is_a_bug(
            self.actor
                .send(&act, |platform| platform.user_by_name(&name)),
        )?;
        let mut changes = Vec::new();
        let mut hidden = false;
        if let Ok(user) = &sent.result {
            changes.push(Change::SessionAlive(sent.receipt.claimed_at));
            changes.push(Change::TargetResolved {
                target,
                pk: user.pk,
                username: user.username.clone(),
            });
            hidden = user.is_private && user.following == Some(false);
        }
        let trouble = match &sent.result {
            Err(error) => trouble_of(error),
            Ok(_) => hidden.then_some(TargetTrouble::Private),
        };
        changes.extend(trouble.and_then(|trouble| self.trouble(target, trouble)));
        let verdict = self
            .actor
            .settle(&act, sent.receipt, sent.result.as_ref().err(), changes)?;
        self.after_read(verdict, trouble.is_some())?;
        if let (Ok(user), false) = (sent.result, hidden) {
            self.resolved(target, user.pk)?;
        }
        Ok(())
    }

    /// The looked-up pk may be that of a known target under an older name: then its rows are that
    /// target's, and it takes over this one's place in the queue.
    fn resolved(&mut self, placeholder: TargetId, pk: crate::model::Pk) -> Result<(), Stop> {
        let known = self
            .actor
            .store
            .targets()?
            .into_iter()
            .find(|target| target.pk == Some(pk));
        let target = known.as_ref().map_or(placeholder, |target| target.id);
        for work in self
            .state
            .queue
            .iter_mut()
            .filter(|work| work.target == placeholder)
        {
            work.pk = Some(pk);
            work.target = target;
        }
        if let Some((mut entry, report)) = self.targets.remove(&placeholder) {
            entry.pk = Some(pk);
            self.targets
                .insert(target, (known.unwrap_or(entry), report));
        }
        Ok(())
    }

    fn list(&mut self, report: &mut Report) -> Result<(), Stop> {
        let Some(work) = self.front().cloned() else {
            return Ok(());
        };
        let (Some(pk), Some(due)) = (work.pk, work.listing.clone()) else {
            return Ok(());
        };
        let call = match work.kind {
            ItemKind::Story => "stories",
            ItemKind::Post => "posts",
        };
        let act = self.read_act(call, work.target, &work.name);
        let sent = taken_is_a_bug(self.actor.send(&act, |platform| match work.kind {
            ItemKind::Story => platform.stories(pk),
            ItemKind::Post => platform.posts(pk, due.page.as_deref()),
        }))?;
        let read_at = sent.receipt.claimed_at;
        let trouble = sent.result.as_ref().err().and_then(trouble_of);
        let mut changes: Vec<Change> = trouble
            .and_then(|trouble| self.trouble(work.target, trouble))
            .into_iter()
            .collect();
        let mut read = None;
        if let Ok(listing) = &sent.result {
            changes.push(Change::SessionAlive(read_at));
            let (page, next) = self.absorb(&work, &due, listing, read_at, &mut changes)?;
            read = Some((page, next));
        }
        let verdict = self
            .actor
            .settle(&act, sent.receipt, sent.result.as_ref().err(), changes)?;
        self.after_read(verdict, trouble.is_some())?;
        if let (Some((page, next)), Ok(listing)) = (read, sent.result) {
            self.listed(&work, page, next, &listing, report);
        }
        Ok(())
    }

    /// What a page says about its items, as changes to store with its settlement.
    fn absorb(
        &mut self,
        work: &Work,
        due: &ListingDue,
        listing: &Listing,
        read_at: Timestamp,
        changes: &mut Vec<Change>,
    ) -> Result<(Vec<(Read, bool)>, Option<ListingDue>), Stop> {
        let Some((target, _)) = self.targets.get(&work.target) else {
            return Ok((Vec::new(), None));
        };
        let now = self.actor.watch.now();
        let first_contact = match work.kind {
            ItemKind::Story => target.stories_checked_at.is_none(),
            ItemKind::Post => target.posts_checked_at.is_none(),
        };
        let likes_first = match work.kind {
            ItemKind::Story => self.config.first_contact.like_stories,
            ItemKind::Post => self.config.first_contact.like_posts,
        };
        let youngest_ignored = now.minus(self.config.posts.max_age);
        let context = ReadingContext {
            target: work.target,
            read_at,
            observe_only: first_contact && !likes_first,
            posts_not_before: self
                .account
                .ignore_posts_before
                .map_or(youngest_ignored, |date| date.max(youngest_ignored)),
        };
        let page = super::queue::considered(
            self.config,
            work.kind,
            due,
            listing,
            context.posts_not_before,
        );
        let media: Vec<_> = page.items.iter().map(|item| item.id.media).collect();
        let mut known: BTreeMap<_, _> = self
            .actor
            .store
            .items(work.kind, &media)?
            .into_iter()
            .map(|item| (item.item.id.media, item))
            .collect();
        let mut reads = Vec::new();
        for item in page.items {
            let before = known.remove(&item.id.media);
            let fresh = before.is_none();
            let read = listed(before.clone(), item, &context);
            if read.disproved {
                changes.push(Change::Disproved {
                    item: read.item.item.id.media,
                });
            }
            if before.as_ref() != Some(&read.item) {
                changes.push(Change::Item(read.item.clone()));
            }
            reads.push((read, fresh));
        }
        if page.next.is_none() {
            changes.push(Change::Checked {
                target: work.target,
                kind: work.kind,
                at: read_at,
            });
            if target.trouble.is_some() {
                changes.push(Change::TargetFine {
                    target: work.target,
                });
            }
        }
        if let (Some(name), Some(_)) = (&listing.owner_name, work.pk)
            && target.present_name() != name
        {
            log::info!(target_name = target.username, now = name.as_str(); "a target has a new user name; its id is pinned, nothing else changes");
            changes.push(Change::TargetRenamed {
                target: work.target,
                username: name.clone(),
            });
        }
        Ok((reads, page.next))
    }

    fn listed(
        &mut self,
        work: &Work,
        page: Vec<(Read, bool)>,
        next: Option<ListingDue>,
        listing: &Listing,
        report: &mut Report,
    ) {
        if let Some((_, of_target)) = self.targets.get_mut(&work.target) {
            of_target.listed += u32::try_from(page.len()).unwrap_or(u32::MAX);
            of_target.unreadable += listing.unreadable;
            of_target.new +=
                u32::try_from(page.iter().filter(|(_, fresh)| *fresh).count()).unwrap_or(u32::MAX);
        }
        let mut open = Vec::new();
        for (read, fresh) in page {
            let state = read.item.state;
            if matches!(state, ItemState::New | ItemState::Unknown) {
                open.push(read.item);
            } else if fresh || self.mode.dry_run {
                decide(
                    report,
                    &work.name,
                    &read.item,
                    state.as_str(),
                    why_left(&read.item),
                );
            }
        }
        if let Some(front) = self.state.queue.front_mut() {
            front.items.extend(open);
            super::queue::in_order(&mut front.items);
            front.listing = next;
        }
    }

    fn read_back(&mut self, report: &mut Report) -> Result<(), Stop> {
        let Some(work) = self.front().cloned() else {
            return Ok(());
        };
        let Some(known) = work.items.front().cloned() else {
            return Ok(());
        };
        let (kind, id) = (known.item.kind, known.item.id);
        let act = Act {
            item: Some((kind, id)),
            ..self.read_act("media_info", work.target, &work.name)
        };
        let sent = taken_is_a_bug(
            self.actor
                .send(&act, |platform| platform.media_info(kind, id)),
        )?;
        let mut changes = Vec::new();
        let mut after = None;
        match &sent.result {
            Ok(item) => {
                changes.push(Change::SessionAlive(sent.receipt.claimed_at));
                let context = ReadingContext {
                    target: work.target,
                    read_at: sent.receipt.claimed_at,
                    observe_only: false,
                    posts_not_before: Timestamp::from_millis(i64::MIN),
                };
                let mut item = item.clone();
                item.expiring_at = item.expiring_at.or(known.item.expiring_at);
                let read = listed(Some(known.clone()), item, &context);
                if read.disproved {
                    changes.push(Change::Disproved { item: id.media });
                }
                changes.push(Change::Item(read.item.clone()));
                after = Some(read.item);
            }
            Err(error) if error.next == crate::ports::Next::SkipGoneItem => {
                changes.push(Change::Item(LedgerItem {
                    state: ItemState::Gone,
                    ..known.clone()
                }));
            }
            Err(_) => {}
        }
        let verdict = self
            .actor
            .settle(&act, sent.receipt, sent.result.as_ref().err(), changes)?;
        match verdict {
            Verdict::Stop(stop) => return Err(stop),
            Verdict::RepeatRead => {
                self.repetition = true;
                return Ok(());
            }
            _ => self.repetition = false,
        }
        let Some(front) = self.state.queue.front_mut() else {
            return Ok(());
        };
        front.items.pop_front();
        match after {
            Some(item) if item.state == ItemState::New => front.items.push_front(item),
            Some(item) => decide(
                report,
                &work.name,
                &item,
                item.state.as_str(),
                why_left(&item),
            ),
            None => {}
        }
        Ok(())
    }

    fn read_act<'n>(&self, call: &'static str, target: TargetId, name: &'n str) -> Act<'n> {
        Act {
            target: Some(target),
            name,
            repetition: self.repetition,
            ..Act::read(call)
        }
    }

    fn after_read(&mut self, verdict: Verdict, troubled: bool) -> Result<(), Stop> {
        self.repetition = matches!(verdict, Verdict::RepeatRead);
        match verdict {
            Verdict::Stop(stop) => Err(stop),
            Verdict::RepeatRead => Ok(()),
            Verdict::Fine if !troubled => {
                self.state.proof_due = false;
                Ok(())
            }
            _ => {
                let target = self.front().map(|work| work.target);
                self.state.queue.retain(|work| Some(work.target) != target);
                Ok(())
            }
        }
    }

    /// Records a target's own trouble in the report, and returns it as a change to store.
    fn trouble(&mut self, target: TargetId, trouble: TargetTrouble) -> Option<Change> {
        let now = self.actor.watch.now();
        let (entry, report) = self.targets.get_mut(&target)?;
        let count = entry.trouble_count.saturating_add(1);
        let wait = FIRST_RETRY
            .saturating_mul(1 << (count - 1).min(8))
            .min(LAST_RETRY);
        let retry_at = now.plus(wait);
        report.trouble = Some(trouble);
        report.retry_at = Some(retry_at);
        log::warn!(target_name = entry.username, trouble = trouble.as_str(), retry_at = retry_at.to_string(); "a target cannot be seen; the others go on");
        Some(Change::TargetTrouble {
            target,
            trouble,
            count,
            retry_at,
        })
    }

    // ----------------------------------------------------------------------------------- writes

    fn view(&mut self, report: &mut Report) -> Result<(), Stop> {
        let Some((act, name, story)) = self.write_act(AttemptKind::StoryView, "view_story") else {
            return Ok(());
        };
        let act = Act { name: &name, ..act };
        if self.mode.dry_run {
            self.pretend(&act);
            if let Some(front) = self
                .state
                .queue
                .front_mut()
                .and_then(|w| w.items.front_mut())
            {
                front.viewed_at = Some(self.actor.watch.now());
            }
            return Ok(());
        }
        let sent = taken_is_a_bug(
            self.actor
                .send(&act, |platform| platform.view_story(&story.item)),
        )?;
        let now = self.actor.watch.now();
        let effect = sent.result.as_ref().err().map(|error| error.effect);
        let mut after = story;
        // A view that may have been recorded is not repeated.
        if matches!(effect, None | Some(crate::ports::Effect::Unknown)) {
            after.viewed_at = Some(now);
        }
        self.settle_write(&act, sent.receipt, sent.result.err(), after, report)
    }

    fn like(&mut self, report: &mut Report) -> Result<(), Stop> {
        let Some((act, name, item)) = self.write_act(AttemptKind::Like, "like") else {
            return Ok(());
        };
        let act = Act { name: &name, ..act };
        if self.mode.dry_run {
            self.pretend(&act);
            self.count_like(item.target);
            decide(
                report,
                &name,
                &item,
                "would_like",
                self.room_in_words(act.target),
            );
            if let Some(work) = self.state.queue.front_mut() {
                work.items.pop_front();
            }
            return Ok(());
        }
        let sent = match self.actor.send(&act, |platform| platform.like(&item.item)) {
            Ok(sent) => sent,
            Err(Refusal::Stop(stop)) => return Err(stop),
            Err(Refusal::Taken) => return self.taken(item, &name, report),
        };
        self.count_like(item.target);
        let mut after = item;
        after.claimed_at = Some(sent.receipt.claimed_at);
        match sent.result.as_ref().err().map(|error| error.effect) {
            None => after.state = ItemState::Liked,
            Some(crate::ports::Effect::Unsent) => after.state = ItemState::New,
            Some(crate::ports::Effect::Unknown) => after.state = ItemState::Unknown,
            Some(crate::ports::Effect::Refused) => {
                after.tries += 1;
                after.state = again_or_never(after.tries);
            }
        }
        self.settle_write(&act, sent.receipt, sent.result.err(), after, report)
    }

    fn settle_write(
        &mut self,
        act: &Act<'_>,
        receipt: Receipt,
        error: Option<PlatformError>,
        mut after: LedgerItem,
        report: &mut Report,
    ) -> Result<(), Stop> {
        match error.as_ref().map(|error| &error.next) {
            Some(crate::ports::Next::SkipGoneItem) => after.state = ItemState::Gone,
            Some(crate::ports::Next::SkipInvalidItem) => after.state = ItemState::Failed,
            _ => {}
        }
        let trouble = error.as_ref().and_then(trouble_of);
        let mut changes = vec![Change::Item(after.clone())];
        changes.extend(
            trouble
                .zip(act.target)
                .and_then(|(trouble, target)| self.trouble(target, trouble)),
        );
        let verdict = self.actor.settle(act, receipt, error.as_ref(), changes)?;
        let still_to_like = act.kind == AttemptKind::StoryView && error.is_none();
        if let Some(work) = self.state.queue.front_mut() {
            work.items.pop_front();
            if still_to_like {
                work.items.push_front(after.clone());
            }
        }
        if !still_to_like {
            let why = error.map_or_else(|| self.room_in_words(act.target), |error| error.message);
            decide(report, act.name, &after, after.state.as_str(), why);
        }
        if act.kind == AttemptKind::Like
            && after.state == ItemState::Liked
            && let Some((_, of_target)) = act.target.and_then(|id| self.targets.get_mut(&id))
        {
            of_target.liked += 1;
        }
        match verdict {
            Verdict::Stop(stop) => Err(stop),
            Verdict::SkipTarget(_) => {
                self.state
                    .queue
                    .retain(|work| Some(work.target) != act.target);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn write_act(
        &self,
        kind: AttemptKind,
        call: &'static str,
    ) -> Option<(Act<'static>, String, LedgerItem)> {
        let work = self.front()?;
        let item = work.items.front()?.clone();
        let act = Act {
            kind,
            target: Some(work.target),
            item: Some((item.item.kind, item.item.id)),
            ..Act::read(call)
        };
        Some((act, work.name.clone(), item))
    }

    /// The ledger has a like of this item although its row says otherwise. Never sent; only a
    /// reading can tell where it stands.
    fn taken(&mut self, item: LedgerItem, name: &str, report: &mut Report) -> Result<(), Stop> {
        let now = self.actor.watch.now();
        let after = LedgerItem {
            state: ItemState::Unknown,
            claimed_at: Some(now),
            ..item
        };
        self.actor
            .store
            .apply(&[Change::Item(after.clone())], now)?;
        decide(
            report,
            name,
            &after,
            "left",
            "a like of it is already on record".to_owned(),
        );
        if let Some(work) = self.state.queue.front_mut() {
            work.items.pop_front();
        }
        Ok(())
    }

    fn count_like(&mut self, target: TargetId) {
        self.state.likes += 1;
        *self.state.likes_by_target.entry(target).or_default() += 1;
    }

    /// A dry run counts what it would send, so that its next decision is the one a real pass would
    /// make.
    fn pretend(&mut self, act: &Act<'_>) {
        let now = self.actor.watch.now();
        self.actor.budget.windows.push(crate::model::Attempt {
            kind: act.kind,
            target: act.target,
            item: act.item.map(|(_, id)| id.media),
            claimed_at: now,
            settled_at: Some(now),
        });
    }

    // --------------------------------------------------------------------------- decided against

    fn pass_over(&mut self, report: &mut Report) {
        let name = self
            .front()
            .map(|work| work.name.clone())
            .unwrap_or_default();
        let item = self
            .state
            .queue
            .front_mut()
            .and_then(|work| work.items.pop_front());
        if let Some(item) = item {
            let why = why_left(&item);
            decide(report, &name, &item, "left", why);
        }
    }

    fn leave(&mut self, left: Left, report: &mut Report) {
        let Some(work) = self.state.queue.pop_front() else {
            return;
        };
        let why = match left {
            Left::TargetCap(likes) => {
                format!("limits.likes_per_target is reached for this run ({likes})")
            }
            Left::Window(room) => format!(
                "{} {} is full ({} used); there is room again at {}",
                room.limit.scope.key(),
                room.limit.limit,
                room.used,
                room.next_at.unwrap_or_default()
            ),
        };
        log::info!(target_name = work.name.as_str(), kind = work.kind.as_str(); "left for a later pass: {why}");
        for item in &work.items {
            decide(report, &work.name, item, "left", why.clone());
        }
    }

    fn room_in_words(&self, target: Option<TargetId>) -> String {
        let now = self.actor.watch.now();
        let limits = self.actor.budget.limits.for_target(target);
        let used = limits
            .iter()
            .filter(|limit| limit.scope.covers(AttemptKind::Like, target))
            .map(|limit| {
                let room = self.actor.budget.windows.room(*limit, 1, now);
                format!("{} {} of {}", limit.scope.key(), room.used, limit.limit)
            })
            .collect::<Vec<_>>();
        used.join(", ")
    }

    // --------------------------------------------------------------------------------- the end

    /// One login after `login_required`, where the configuration allows it and none was made in
    /// the last 24 hours.
    fn log_in_again(&mut self, stop: &Stop) -> Option<Stop> {
        let Stop::Objected(by) = stop else {
            return None;
        };
        let allowed = by.reason == HoldReason::LoginRequired
            && self.config.session.relogin
            && !self.mode.dry_run;
        let now = self.actor.watch.now();
        let recent = self
            .actor
            .budget
            .windows
            .newest(AttemptKind::Login)
            .is_some_and(|login| {
                now.since(login.settled_at.unwrap_or(login.claimed_at)) <= FIRST_RETRY
            });
        let username = self
            .config
            .account
            .username
            .as_deref()
            .or(self.account.username.as_deref());
        let password = self.config.account.password.as_ref();
        let (Some(username), Some(password), true, false) = (username, password, allowed, recent)
        else {
            return None;
        };
        log::warn!("the session is dead; logging in once, as session.relogin allows");
        let credentials = Credentials { username, password };
        self.account.session = None;
        match log_in(
            &mut self.actor,
            &self.account,
            &credentials,
            self.codes,
            "relogin",
        ) {
            LoginEnd::LoggedIn(_) => Some(Stop::LoggedInAgain),
            LoginEnd::Stop(Stop::WindowFull { .. }) => None,
            LoginEnd::Stop(stop) => Some(stop),
        }
    }

    fn close(&mut self, report: &mut Report) -> Result<(), StoreError> {
        let now = self.actor.watch.now();
        report.ended_at = now;
        report.counts = self.actor.counts;
        report.targets = self
            .targets
            .values()
            .map(|(_, report)| report.clone())
            .collect();
        report.targets.sort_by(|a, b| a.username.cmp(&b.username));
        report.windows = self
            .actor
            .budget
            .limits
            .windows
            .iter()
            .filter(|limit| WindowReport::shown(limit.scope))
            .map(|limit| WindowReport::new(&self.actor.budget.windows.room(*limit, 1, now)))
            .collect();
        let Some(run) = self.actor.run else {
            return Ok(());
        };
        let may_prune = !matches!(
            report.stop,
            Stop::Store { .. } | Stop::ClockOff { .. } | Stop::ClockJumped { .. } | Stop::Held(_)
        ) && self.actor.watch.untrusted().is_none();
        if may_prune {
            let retention = Retention {
                stories_after: self.config.stories_after,
                history_keep: self.config.history_keep,
            };
            report.pruned = self.actor.store.prune(&retention, now)?;
        }
        let end = RunEnd {
            stop: report.stop.sentence(),
            trouble: report.stop.trouble(),
            exit_code: report.exit_code().number(),
            requests: report.counts.requests(),
            likes: report.counts.likes,
            report: report.to_json().to_string(),
        };
        self.actor.store.end_run(run, &end, now)
    }
}

fn trouble_of(error: &PlatformError) -> Option<TargetTrouble> {
    match error.next {
        crate::ports::Next::SkipTarget(trouble) => Some(trouble),
        _ => None,
    }
}

fn taken_is_a_bug<T>(sent: Result<T, Refusal>) -> Result<T, Stop> {
    sent.map_err(|refusal| match refusal {
        Refusal::Stop(stop) => stop,
        Refusal::Taken => Stop::Store {
            code: crate::exit::ExitCode::Software,
            message: "a request other than a like was refused as taken; please report this with \
                      the log"
                .to_owned(),
        },
    })
}

fn decide(
    report: &mut Report,
    target: &str,
    item: &LedgerItem,
    decision: &'static str,
    why: String,
) {
    log::info!(
        target_name = target, item = item.item.id.to_string(), kind = item.item.kind.as_str();
        "{decision}: {why}"
    );
    report.decisions.push(Decision {
        item: item.item.id,
        kind: item.item.kind,
        target: target.to_owned(),
        decision,
        why,
    });
}

fn why_left(item: &LedgerItem) -> String {
    match item.state {
        ItemState::AlreadyLiked => "liked before the program saw it".to_owned(),
        ItemState::Observed => "it was there before the first contact with this target".to_owned(),
        ItemState::Skipped => {
            "older than posts.max_age or than the date given to cleanup".to_owned()
        }
        ItemState::Liked => "liked".to_owned(),
        ItemState::Unknown | ItemState::Claimed => {
            "a like was sent and its effect is not known; only a reading at least 15 minutes \
             later can tell"
                .to_owned()
        }
        ItemState::Failed => "the like did not take twice, or the id is invalid".to_owned(),
        ItemState::Gone => "no longer there".to_owned(),
        ItemState::Expired => "its life has ended".to_owned(),
        ItemState::New if item.tries > 0 => {
            "a like of it was refused; only a later reading that says 'not liked' allows one more"
                .to_owned()
        }
        ItemState::New => "it expires in a moment".to_owned(),
    }
}
