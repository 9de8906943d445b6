//! A pass on paper: the steps that the policy gives, without sending anything.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use super::{Key, Known, key_of};
use crate::care::hold;
use crate::care::limits::LimitsInForce;
use crate::care::pace::Pacer;
use crate::care::window::Windows;
use crate::config::Config;
use crate::engage::policy::{self, Budget, State, Step, Work};
use crate::engage::queue::{in_order, next_listing, queue};
use crate::engage::reason::{Reason, standing};
use crate::model::{
    Account, Attempt, AttemptKind, Hold, ItemState, LedgerItem, Outcome, Pk, Target, TargetId,
    Timestamp,
};

/// The ledger as passes on paper would leave it.
pub(super) struct Paper<'a> {
    pub config: &'a Config,
    pub account: &'a Account,
    pub targets: Vec<Target>,
    pub items: BTreeMap<Key, LedgerItem>,
    /// Likes of other items in the last pass.
    pub likes: u32,
    holds: &'a [Hold],
    windows: Windows,
    last_request: Option<(Timestamp, Option<TargetId>)>,
    /// Whether the account's identity has to be read first.
    unproved: bool,
    /// Stands for the number of a target that was never looked up. Nothing is sent to it.
    any_pk: Pk,
}

impl<'a> Paper<'a> {
    /// What a crash left under way is settled, as every pass begins with.
    pub fn new(known: Known<'a>, item: &LedgerItem, now: Timestamp) -> Self {
        let recovered = |claimed_at: Timestamp| Outcome::Unknown.arrived_by(now.max(claimed_at));
        let settled = |attempt: Attempt| Attempt {
            settled_at: (attempt.settled_at).or_else(|| Some(recovered(attempt.claimed_at))),
            ..attempt
        };
        let stood = |attempt: &Attempt| attempt.settled_at.unwrap_or(attempt.claimed_at);
        let mut items: BTreeMap<Key, LedgerItem> = BTreeMap::new();
        for mut item in known.items.into_iter().chain([item.clone()]) {
            if item.state == ItemState::Claimed {
                item.state = ItemState::Unknown;
                item.like_arrived_by = item.like_arrived_by.map(recovered);
            }
            items.insert(key_of(&item), item);
        }
        Self {
            config: known.config,
            account: known.account,
            holds: known.holds,
            targets: known.targets,
            items,
            windows: Windows::new(known.attempts.into_iter().map(settled).collect()),
            last_request: (known.newest.as_ref()).map(|last| (stood(last), last.target)),
            unproved: known.account.pk.is_none() || known.account.session_proved_at.is_none(),
            any_pk: item.item.id.owner,
            likes: 0,
        }
    }

    pub fn target(&self, id: TargetId) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }

    pub fn next_listing(&self, key: Key, at: Timestamp) -> Option<Timestamp> {
        let target = self.target(self.items.get(&key)?.target)?;
        next_listing(self.config, target, key.0, at)
    }

    /// When a window may have room that rolls at `rolls_at`: limits that grow before that come first.
    pub fn room_at(&self, rolls_at: Timestamp, at: Timestamp) -> Timestamp {
        let (limits, attempts) = (&self.config.limits, self.windows.attempts());
        let grow_at = LimitsInForce::new(limits, self.holds, attempts, at).grow_at();
        grow_at.map_or(rolls_at, |grow_at| grow_at.min(rolls_at))
    }

    /// When likes that are kept for others may be released: what is kept depends on who was liked
    /// how often, so it may change whenever a like is forgotten.
    pub fn released_at(&self, rolls_at: Timestamp, at: Timestamp) -> Timestamp {
        let forgotten = (self.windows.attempts().iter())
            .filter(|attempt| attempt.kind == AttemptKind::Like)
            .flat_map(|like| {
                let stands_at = like.settled_at.unwrap_or(like.claimed_at);
                [policy::SHARED_OVER, policy::REMEMBERED_FOR]
                    .map(|span| stands_at.plus(span).plus(Duration::from_millis(1)))
            })
            .filter(|forgotten| *forgotten > at)
            .min();
        let room_at = self.room_at(rolls_at, at);
        forgotten.map_or(room_at, |forgotten| forgotten.min(room_at))
    }

    /// One pass that starts at `at`: what it decides about the item, and when it ends.
    pub fn pass(&mut self, key: Key, at: Timestamp) -> (Reason, Timestamp) {
        if let Some(reason) = self.settled(key, at) {
            return (reason, at);
        }
        if let Some(hold) = hold::in_force(self.holds, at) {
            let reason = Reason::Hold {
                hold: hold.reason,
                until: hold.until,
                message: hold.message.clone(),
            };
            return (reason, at);
        }
        if self.account.session.is_none() {
            let database = self.config.database.display().to_string();
            return (Reason::NoSession { database }, at);
        }
        let (mut state, mut budget) = self.begin(at);
        let mut decided = None;
        let mut now = at;
        let stop = loop {
            match policy::next(&state, &budget, now) {
                Step::Stop(stop) => break stop,
                Step::Pause(until, _) => now = until,
                step => {
                    let reason = self.take(&step, &mut state, &mut budget, key, now);
                    decided = decided.or(reason);
                }
            }
        };
        self.windows = budget.windows;
        let waits = |work: &Work| self.is_in(work, key);
        let left = state.queue.iter().any(waits).then(|| Reason::from(&stop));
        let reason = decided.or(left).or_else(|| self.settled(key, now));
        (reason.unwrap_or_else(|| self.absent(key, now)), now)
    }

    fn begin(&self, at: Timestamp) -> (State, Budget) {
        let config = self.config;
        let left_over = |target, kind, most: u32| {
            let mut items: VecDeque<LedgerItem> = self
                .items
                .values()
                .filter(|item| item.target == target && item.item.kind == kind)
                .filter(|item| item.state == ItemState::New)
                .cloned()
                .collect();
            in_order(&mut items);
            items.truncate(most as usize);
            Ok::<_, Infallible>(items.into())
        };
        let Ok(queue) = queue(config, false, &self.targets, at, left_over);
        let state = State {
            deadline: at.plus(config.limits.max_runtime),
            quiet_hours: config.quiet_hours,
            time_zone: config.time_zone.clone(),
            queue,
            timeout: config.instagram.timeout,
            targets: self
                .targets
                .iter()
                .filter(|target| target.enabled)
                .map(|target| target.id)
                .collect(),
            likes: 0,
            likes_by_target: BTreeMap::new(),
            unproved: self.unproved,
            proof_due: false,
            replied: false,
            mark_seen: config.stories.mark_seen,
            // As a dry run: writes are only decided.
            dry_run: true,
        };
        let budget = Budget {
            windows: self.windows.clone(),
            limits: LimitsInForce::new(&config.limits, self.holds, self.windows.attempts(), at),
            pacer: Pacer::new(config.pace, 0, self.last_request, None, at),
        };
        (state, budget)
    }

    /// Does a step on paper; what it decides about the item, if it does.
    fn take(
        &mut self,
        step: &Step,
        state: &mut State,
        budget: &mut Budget,
        key: Key,
        now: Timestamp,
    ) -> Option<Reason> {
        if *step == Step::Prove {
            (state.unproved, self.unproved) = (false, false);
            self.count(budget, AttemptKind::Read, None, now);
            return None;
        }
        let work = state.queue.front_mut()?;
        let target = Some(work.target);
        let is_it = |item: &LedgerItem| key_of(item) == key;
        match step {
            Step::LookUp => {
                self.count(budget, AttemptKind::Read, target, now);
                let id = work.target;
                self.look_up(&mut state.queue, id);
            }
            Step::List => {
                self.count(budget, AttemptKind::Read, target, now);
                self.list(work, now);
            }
            Step::View => {
                self.count(budget, AttemptKind::StoryView, target, now);
                work.items.front_mut()?.viewed_at = Some(now);
            }
            Step::Like => {
                let mut item = work.items.pop_front()?;
                let windows = budget.rooms(target, now);
                state.likes += 1;
                *state.likes_by_target.entry(work.target).or_default() += 1;
                self.count(budget, AttemptKind::Like, target, now);
                if is_it(&item) {
                    return Some(Reason::WouldLike { windows });
                }
                self.likes += 1;
                item.state = ItemState::Liked;
                self.items.insert(key_of(&item), item);
            }
            // What a reading of its own would tell, its next listing does.
            Step::PassOver | Step::ReadBack => {
                let item = work.items.pop_front()?;
                let date = self.account.ignore_posts_before;
                return is_it(&item).then(|| standing(&item, None, date, now));
            }
            Step::Finish => {
                state.queue.pop_front();
            }
            Step::Leave(left) => {
                let work = state.queue.pop_front()?;
                return self.is_in(&work, key).then(|| Reason::from(left));
            }
            Step::Prove | Step::Pause(..) | Step::Stop(_) => {}
        }
        None
    }

    /// A target that was never looked up is taken to be there, so that its listings follow.
    fn look_up(&mut self, queue: &mut VecDeque<Work>, id: TargetId) {
        let found = Some(self.any_pk);
        for work in queue.iter_mut().filter(|work| work.target == id) {
            work.pk = found;
        }
        for target in self.targets.iter_mut().filter(|target| target.id == id) {
            target.pk = found;
        }
    }

    fn count(
        &mut self,
        budget: &mut Budget,
        kind: AttemptKind,
        target: Option<TargetId>,
        now: Timestamp,
    ) {
        budget.windows.push(Attempt {
            kind,
            target,
            item: None,
            claimed_at: now,
            settled_at: Some(now),
        });
        budget.pacer.sent(kind, target, "", now);
        self.last_request = Some((now, target));
    }
}
