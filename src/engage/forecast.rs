//! When could a pass like this item, and what binds until then? Answered by holding passes on paper:
//! the queue, the policy, the limits and the readings are those of a real pass, only nothing is sent
//! and time moves by itself. Each listing is taken to show what the ledger knows and nothing new, and
//! a reading that has to tell whether a like took is taken to say "no", so the answer is the earliest
//! moment, not a promise. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use serde::Serialize;

use super::absorb::{ReadingContext, listed, may_be_liked};
use super::actor::attempts_looked_back;
use super::policy::{self, Budget, State, Step, Work};
use super::queue::{considered, in_order, next_listing, queue};
use super::reason::{Reason, standing};
use crate::care::hold;
use crate::care::limits::LimitsInForce;
use crate::care::pace::Pacer;
use crate::care::window::Windows;
use crate::config::Config;
use crate::model::{
    Account, Attempt, AttemptKind, Hold, ItemKind, ItemState, LedgerItem, Pk, Target, TargetId,
    Timestamp,
};
use crate::ports::Listing;

/// As many passes are held on paper at most: more than a week of full windows takes, one for each
/// window that opens.
const MOST_PASSES: u32 = 1000;

/// What is known without asking anybody.
pub struct Known<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The account.
    pub account: &'a Account,
    /// At least the holds that limits and silence still depend on.
    pub holds: &'a [Hold],
    /// The targets, as synchronised with the configuration.
    pub targets: Vec<Target>,
    /// What the ledger knows of their items.
    pub items: Vec<LedgerItem>,
    /// The attempts as far back as a pass looks at them.
    pub attempts: Vec<Attempt>,
    /// The newest attempt of all, and the newest like.
    pub newest: (Option<Attempt>, Option<Attempt>),
}

impl Known<'_> {
    /// How far back its attempts have to reach.
    pub fn looked_back(config: &Config) -> Duration {
        attempts_looked_back(config)
    }
}

/// When a pass could like an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// What a pass would decide that starts now.
    pub now: Reason,
    /// The earliest start of a pass that could like it; `None` if none ever could, or none before a
    /// person acts.
    pub at: Option<Timestamp>,
    /// What binds until then, or for ever.
    pub binding: Option<Reason>,
    /// How many passes have other items to like first.
    pub passes_before: u32,
    /// Whether a reading has to say "not liked" first.
    pub needs_reading: bool,
}

/// When a pass could like `item`, seen from `now`.
pub fn forecast(known: Known<'_>, item: &LedgerItem, now: Timestamp) -> Forecast {
    let key = (item.item.kind, item.item.id.media);
    let mut paper = Paper::new(known, item, now);
    let needs_reading = match item.state {
        ItemState::Unknown | ItemState::Claimed => true,
        ItemState::New => item.tries > 0 && !may_be_liked(item, now),
        _ => false,
    };
    let mut first = None;
    let mut binding = None;
    let mut passes_before = 0;
    let mut at = now;
    for _ in 0..MOST_PASSES {
        paper.likes = 0;
        let (reason, ended_at) = paper.pass(key, at);
        let first = first.get_or_insert_with(|| reason.clone()).clone();
        let next = match &reason {
            Reason::WouldLike { .. } => {
                return Forecast {
                    now: first,
                    at: Some(at),
                    binding,
                    passes_before,
                    needs_reading,
                };
            }
            Reason::TargetCap { .. } | Reason::RunCap { .. } | Reason::TimeUsed { .. } => {
                Some(ended_at)
            }
            Reason::WindowFull { next_at, .. } => Some(paper.room_at(*next_at, at)),
            Reason::KeptForOthers { next_at, .. } => Some(paper.released_at(*next_at, at)),
            Reason::NotListed { next_at } => Some(*next_at),
            Reason::QuietHours { until } => Some(*until),
            Reason::Hold { until, .. } => *until,
            Reason::TargetTrouble { retry_at, .. } => Some(*retry_at),
            Reason::EffectUnknown { read_back_from, .. }
            | Reason::Refused { read_back_from, .. } => {
                let listing = paper.next_listing(key, at);
                listing.map(|listing| listing.max(read_back_from.unwrap_or(at)))
            }
            _ => None,
        };
        passes_before += u32::from(paper.likes > 0);
        binding = Some(reason);
        let Some(next) = next else { break };
        // Time always moves, however the reasons may follow one another.
        at = next.max(Timestamp::from_millis(at.as_millis().saturating_add(1)));
    }
    let fallback = standing(item, None, now);
    Forecast {
        now: first.unwrap_or(fallback),
        at: None,
        binding,
        passes_before,
        needs_reading,
    }
}

/// What a target's items are told apart by, over all targets.
type Key = (ItemKind, Pk);

struct Paper<'a> {
    config: &'a Config,
    account: &'a Account,
    holds: &'a [Hold],
    targets: Vec<Target>,
    items: BTreeMap<Key, LedgerItem>,
    windows: Windows,
    last_request: Option<(Timestamp, Option<TargetId>)>,
    last_like: Option<Timestamp>,
    /// Likes of other items in this pass.
    likes: u32,
}

impl<'a> Paper<'a> {
    /// What a crash left under way is settled, as every pass begins with.
    fn new(known: Known<'a>, item: &LedgerItem, now: Timestamp) -> Self {
        let settled = |attempt: Attempt| Attempt {
            settled_at: attempt.settled_at.or(Some(now)),
            ..attempt
        };
        let stood = |attempt: &Attempt| attempt.settled_at.unwrap_or(attempt.claimed_at);
        let (last, last_like) = &known.newest;
        let mut items: BTreeMap<Key, LedgerItem> = BTreeMap::new();
        for mut item in known.items.into_iter().chain([item.clone()]) {
            if item.state == ItemState::Claimed {
                item.state = ItemState::Unknown;
            }
            items.insert((item.item.kind, item.item.id.media), item);
        }
        Self {
            config: known.config,
            account: known.account,
            holds: known.holds,
            targets: known.targets,
            items,
            windows: Windows::new(known.attempts.into_iter().map(settled).collect()),
            last_request: last.as_ref().map(|last| (stood(last), last.target)),
            last_like: last_like.as_ref().map(stood),
            likes: 0,
        }
    }

    fn target(&self, id: TargetId) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }

    fn next_listing(&self, key: Key, at: Timestamp) -> Option<Timestamp> {
        let target = self.target(self.items.get(&key)?.target)?;
        next_listing(self.config, target, key.0, at)
    }

    /// When a window may have room that rolls at `rolls_at`: limits that grow before that come first.
    fn room_at(&self, rolls_at: Timestamp, at: Timestamp) -> Timestamp {
        let (limits, attempts) = (&self.config.limits, self.windows.attempts());
        let grow_at = LimitsInForce::new(limits, self.holds, attempts, at).grow_at();
        grow_at.map_or(rolls_at, |grow_at| grow_at.min(rolls_at))
    }

    /// When likes that are kept for others may be released: what is kept depends on who was liked
    /// how often, so it may change whenever a like is forgotten.
    fn released_at(&self, rolls_at: Timestamp, at: Timestamp) -> Timestamp {
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
    fn pass(&mut self, key: Key, at: Timestamp) -> (Reason, Timestamp) {
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
        let proved = self.account.session_proved_at;
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
            unproved: self.account.pk.is_none() || proved.is_none(),
            proof_due: false,
            replied: false,
            mark_seen: config.stories.mark_seen,
            // As a dry run: writes are only decided.
            dry_run: true,
        };
        let budget = Budget {
            windows: self.windows.clone(),
            limits: LimitsInForce::new(&config.limits, self.holds, self.windows.attempts(), at),
            pacer: Pacer::new(config.pace, 0, self.last_request, self.last_like, at),
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
        let Some(work) = state.queue.front_mut() else {
            // Only a proof of life comes without work.
            state.unproved = false;
            self.count(budget, AttemptKind::Read, None, now);
            return None;
        };
        let target = Some(work.target);
        let is_it = |item: &LedgerItem| (item.item.kind, item.item.id.media) == key;
        match step {
            Step::Prove => {
                state.unproved = false;
                self.count(budget, AttemptKind::Read, None, now);
            }
            Step::LookUp => {
                // Nobody knows what it shows; its listing is counted as well.
                self.count(budget, AttemptKind::Read, target, now);
                self.count(budget, AttemptKind::Read, target, now);
                state.queue.pop_front();
            }
            Step::List => {
                self.count(budget, AttemptKind::Read, target, now);
                self.list(work, now);
            }
            Step::ReadBack => {
                self.count(budget, AttemptKind::Read, target, now);
                let item = work.items.pop_front()?;
                let item = self.read_as_not_liked(&item, now);
                if item.state == ItemState::New {
                    work.items.push_front(item);
                }
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
                let other = (item.item.kind, item.item.id.media);
                self.items.insert(other, item);
            }
            Step::PassOver => {
                let item = work.items.pop_front()?;
                return is_it(&item).then(|| standing(&item, None, now));
            }
            Step::Finish => {
                state.queue.pop_front();
            }
            Step::Leave(left) => {
                let work = state.queue.pop_front()?;
                return self.is_in(&work, key).then(|| Reason::from(left));
            }
            Step::Pause(..) | Step::Stop(_) => {}
        }
        None
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
        if kind == AttemptKind::Read {
            budget.pacer.sent(kind, target, "", now);
            self.last_request = Some((now, target));
        }
    }

    /// A listing that shows what the ledger knows.
    fn list(&mut self, work: &mut Work, now: Timestamp) {
        let due = work.listing.take().unwrap_or_default();
        let Some(target) = self.target(work.target).cloned() else {
            return;
        };
        let ignored = self.account.ignore_posts_before;
        let context =
            ReadingContext::of_listing(self.config, ignored, &target, work.kind, (now, now));
        let mut shown: Vec<_> = self
            .items
            .values()
            .filter(|item| item.target == work.target && item.item.kind == work.kind)
            .filter(|item| item.state != ItemState::Gone)
            .filter(|item| item.item.expiring_at.is_none_or(|end| end > now))
            .map(|item| assumed(item).item)
            .collect();
        shown.sort_by_key(|item| std::cmp::Reverse(item.taken_at));
        let listing = Listing {
            items: shown,
            ..Listing::default()
        };
        let page = considered(
            self.config,
            work.kind,
            &due,
            &listing,
            context.posts_not_before,
        );
        work.items.clear();
        for item in page.items {
            let key = (item.kind, item.id.media);
            let read = listed(self.items.get(&key).cloned(), item, &context).item;
            if matches!(read.state, ItemState::New | ItemState::Unknown) {
                work.items.push_back(read.clone());
            }
            self.items.insert(key, read);
        }
        in_order(&mut work.items);
        for target in &mut self.targets {
            if target.id == work.target {
                match work.kind {
                    ItemKind::Story => target.stories_checked_at = Some(now),
                    ItemKind::Post => target.posts_checked_at = Some(now),
                }
            }
        }
    }

    fn read_as_not_liked(&mut self, item: &LedgerItem, now: Timestamp) -> LedgerItem {
        let context = ReadingContext {
            target: item.target,
            read_at: now,
            observe_only: false,
            contact_at: Timestamp::from_millis(i64::MIN),
            posts_not_before: Timestamp::from_millis(i64::MIN),
        };
        let read = listed(Some(item.clone()), assumed(item).item, &context).item;
        self.items
            .insert((item.item.kind, item.item.id.media), read.clone());
        read
    }

    /// Why no pass will ever like it, or has to: what the item itself and the list of targets say.
    fn settled(&self, key: Key, at: Timestamp) -> Option<Reason> {
        let item = self.items.get(&key)?;
        let target = self.target(item.target);
        let reason = standing(item, target.and_then(Target::known_since), at);
        let open = matches!(
            reason,
            Reason::WouldLike { .. } | Reason::EffectUnknown { .. } | Reason::Refused { .. }
        );
        if !open {
            return Some(reason);
        }
        let Some(target) = target.filter(|target| target.enabled) else {
            let target = target.map(|target| target.listed_as.clone());
            return Some(Reason::TargetOff {
                target: target.unwrap_or_default(),
            });
        };
        let (wanted, setting) = match key.0 {
            ItemKind::Story => (target.stories, "stories"),
            ItemKind::Post => (target.posts, "posts"),
        };
        (!wanted).then(|| Reason::KindOff {
            target: target.listed_as.clone(),
            setting,
        })
    }

    /// Why a pass did not come across the item at all.
    fn absent(&self, key: Key, now: Timestamp) -> Reason {
        let Some((item, target)) = self
            .items
            .get(&key)
            .and_then(|item| Some((item, self.target(item.target)?)))
        else {
            return Reason::OnRecord;
        };
        if let Some(retry_at) = target.retry_at.filter(|at| now < *at) {
            return Reason::TargetTrouble {
                target: target.listed_as.clone(),
                trouble: target.trouble,
                retry_at,
            };
        }
        let why = standing(item, None, now);
        if !matches!(why, Reason::WouldLike { .. }) {
            return why;
        }
        let checked_at = match key.0 {
            ItemKind::Story => target.stories_checked_at,
            ItemKind::Post => target.posts_checked_at,
        };
        match next_listing(self.config, target, key.0, now) {
            // It was listed in this very pass, and the item was not among what is looked at.
            Some(next_at) if checked_at.is_none() || key.0 == ItemKind::Story => {
                Reason::NotListed { next_at }
            }
            _ => Reason::NotConsidered {
                key: "posts.per_target",
                limit: self.config.posts.per_target,
            },
        }
    }

    /// Whether the work has the item, or a listing of it is still to come.
    fn is_in(&self, work: &Work, key: Key) -> bool {
        let (kind, _) = key;
        let listed = work
            .items
            .iter()
            .any(|item| (item.item.kind, item.item.id.media) == key);
        let target = self.items.get(&key).map(|item| item.target);
        listed || work.listing.is_some() && work.kind == kind && Some(work.target) == target
    }
}

/// The item as the next listing is taken to show it: as before, and without the like whose effect is
/// not known or that was refused.
fn assumed(item: &LedgerItem) -> LedgerItem {
    let mut item = item.clone();
    if item.state == ItemState::Unknown || item.state == ItemState::New && item.tries > 0 {
        item.item.has_liked = Some(false);
    }
    item
}
