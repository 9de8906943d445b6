//! What to do next. Pure: values in, one [`Step`] out; it neither sleeps nor sends.
//!
//! A step that sends is only offered when every window has room for it (for a story view: for its
//! like as well), no quiet hour and no used-up budget forbids it, and the drawn pause has passed. What
//! its pause would push into quiet hours is not begun.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::absorb::may_be_liked;
use super::report::WindowReport;
use super::stop::{Stop, full_window};
use crate::care::limits::LimitsInForce;
use crate::care::pace::{Pacer, PauseReason};
use crate::care::quiet::quiet_until;
use crate::care::window::{Room, Windows};
use crate::config::QuietHours;
use crate::model::{
    AttemptKind, ItemKind, ItemState, LedgerItem, READ_BACK_AFTER, Scope, ScopedLimit, TargetId,
    Timestamp,
};

/// Likes are shared over the time in which a story has to be liked.
pub(super) const SHARED_OVER: Duration = Duration::from_hours(24);

/// For a target that was not liked for so long, and has nothing waiting, no like is kept.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_hours(48);

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait, for this reason.
    Pause(Timestamp, PauseReason),
    /// Ask whose session this is.
    Prove,
    /// Look the front target up by name.
    LookUp,
    /// List the front target's items.
    List,
    /// Read the front item again, to learn whether a like of unknown effect took.
    ReadBack,
    /// Mark the front story as seen.
    View,
    /// Like the front item.
    Like,
    /// Leave the front item alone.
    PassOver,
    /// The front work has nothing left to do.
    Finish,
    /// Leave the rest of the front work for a later pass.
    Leave(Left),
    /// End the pass.
    Stop(Stop),
}

/// Why the rest of a target's items is left for a later pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// `limits.likes_per_target`, per run.
    TargetCap(u32),
    /// A rolling window that only concerns this target or stories.
    Window(Room),
    /// The rest of a window of likes, of which so many are kept for targets that were liked less.
    Kept(Room, u32),
}

/// What is still to be done for one target and one kind of item.
#[derive(Clone, Debug)]
pub struct Work {
    /// Which target.
    pub target: TargetId,
    /// Its name, for messages and its stream of chance.
    pub name: String,
    /// Its pk, once known.
    pub pk: Option<crate::model::Pk>,
    /// Which of its items.
    pub kind: ItemKind,
    /// The listing, if one is due.
    pub listing: Option<ListingDue>,
    /// Items to act on, in order.
    pub items: VecDeque<LedgerItem>,
}

/// A listing under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingDue {
    /// Cursor of the next page; `None` for the first.
    pub page: Option<String>,
    /// Posts considered so far.
    pub considered: u32,
}

/// Everything the next step depends on, but for the budget.
#[allow(clippy::struct_excessive_bools)] // Independent facts, not one state in disguise.
pub struct State {
    /// When the pass has to end, as the clock stands at present.
    pub deadline: Timestamp,
    /// When nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// How long the answer to a request may take.
    pub timeout: Duration,
    /// The zone of `quiet_hours`.
    pub time_zone: TimeZone,
    /// What is to be done, in order.
    pub queue: VecDeque<Work>,
    /// Every target that may need its share of the likes.
    pub targets: Vec<TargetId>,
    /// Likes sent in this pass.
    pub likes: u32,
    /// Likes sent in this pass, by target.
    pub likes_by_target: BTreeMap<TargetId, u32>,
    /// Whether the account's identity has to be read before anything else.
    pub unproved: bool,
    /// Whether a proof of life is due, unless another read gives one.
    pub proof_due: bool,
    /// Whether a reply has arrived in this pass: no write before the platform's clock was read.
    pub replied: bool,
    /// Whether stories are marked as seen before they are liked.
    pub mark_seen: bool,
    /// Dry run: writes are only decided, so they need no pause.
    pub dry_run: bool,
}

/// How much is left and how fast it may be spent.
pub struct Budget {
    /// The attempts on record.
    pub windows: Windows,
    /// How many are allowed.
    pub limits: LimitsInForce,
    /// The pauses.
    pub pacer: Pacer,
}

impl Budget {
    /// The windows that a like for this target counts in, and how full they are at `now`.
    pub fn rooms(&self, target: Option<TargetId>, now: Timestamp) -> Vec<WindowReport> {
        let limits = self.limits.for_attempt(AttemptKind::Like, target);
        let room = |limit: &ScopedLimit| WindowReport::new(&self.windows.room(*limit, 1, now));
        limits.iter().map(room).collect()
    }
}

/// The next step at `now`.
pub fn next(state: &State, budget: &Budget, now: Timestamp) -> Step {
    if now >= state.deadline {
        return Step::Stop(Stop::TimeUsed);
    }
    if let Some(until) = quiet(state, now) {
        return Step::Stop(Stop::QuietHours { until });
    }
    let step = wanted(state, now);
    let blocked = blocked(state, budget, &step, now);
    match blocked {
        Some(Step::Stop(_)) | None if state.proof_is_missing(&step, blocked.is_some()) => {
            let stop = blocked_read(budget, now);
            stop.unwrap_or_else(|| paused(state, budget, Step::Prove, now))
        }
        Some(instead) => instead,
        None => paused(state, budget, step, now),
    }
}

/// The end of the quiet hours, if `at` falls into them.
pub fn quiet(state: &State, at: Timestamp) -> Option<Timestamp> {
    quiet_until(state.quiet_hours?, &state.time_zone, at)
}

impl State {
    /// Whether the session would go unproved if the pass did not ask for it now: it is about to end
    /// or to write without having read anything.
    fn proof_is_missing(&self, step: &Step, blocked: bool) -> bool {
        if self.unproved {
            return true;
        }
        let ends = blocked || matches!(step, Step::Stop(_));
        let writes = matches!(step, Step::View | Step::Like) && !self.dry_run;
        (ends && self.proof_due || writes && !blocked) && !self.replied
    }

    fn attempts_of(&self, step: &Step) -> Vec<(AttemptKind, Option<TargetId>)> {
        let Some(work) = self.queue.front() else {
            return Vec::new();
        };
        let target = Some(work.target);
        let view = (AttemptKind::StoryView, target);
        let like = (AttemptKind::Like, target);
        let read = (AttemptKind::Read, target);
        let views = work.kind == ItemKind::Story && self.mark_seen;
        match step {
            // A listing that no like could follow would only spend requests.
            Step::LookUp | Step::List if views => vec![read, view, like],
            Step::LookUp | Step::List => vec![read, like],
            Step::ReadBack => vec![read],
            Step::View => vec![view, like],
            Step::Like => vec![like],
            _ => Vec::new(),
        }
    }
}

/// What the queue asks for, windows and pauses aside.
fn wanted(state: &State, now: Timestamp) -> Step {
    let Some(work) = state.queue.front() else {
        return Step::Stop(Stop::Done);
    };
    if work.listing.is_some() {
        return if work.pk.is_none() {
            Step::LookUp
        } else {
            Step::List
        };
    }
    let Some(item) = work.items.front() else {
        return Step::Finish;
    };
    if item.state == ItemState::Unknown {
        let due = item
            .like_arrived_by
            .is_some_and(|at| now >= at.plus(READ_BACK_AFTER));
        return if due { Step::ReadBack } else { Step::PassOver };
    }
    if !may_be_liked(item, now) {
        return Step::PassOver;
    }
    let unseen = item.viewed_at.is_none() && item.item.kind == ItemKind::Story;
    if state.mark_seen && unseen {
        Step::View
    } else {
        Step::Like
    }
}

/// What a cap or a full window makes of the step; `None` if nothing stands against it.
fn blocked(state: &State, budget: &Budget, step: &Step, now: Timestamp) -> Option<Step> {
    let attempts = state.attempts_of(step);
    let work = state.queue.front()?;
    if attempts.iter().any(|(kind, _)| *kind == AttemptKind::Like) {
        if state.likes >= budget.limits.likes_per_run {
            return Some(Step::Stop(Stop::RunCap { likes: state.likes }));
        }
        let of_target = state
            .likes_by_target
            .get(&work.target)
            .copied()
            .unwrap_or(0);
        if of_target >= budget.limits.likes_per_target_per_run {
            return Some(Step::Leave(Left::TargetCap(of_target)));
        }
    }
    let limits = budget.limits.for_target(Some(work.target));
    let Some(room) = budget.windows.full(&limits, &attempts, now) else {
        let likes = attempts.iter().any(|(kind, _)| *kind == AttemptKind::Like);
        return likes.then(|| kept_for_others(state, budget, work.target, now))?;
    };
    Some(match room.limit.scope {
        Scope::TargetLikes(_) | Scope::StoryViews => Step::Leave(Left::Window(room)),
        Scope::Requests | Scope::Likes | Scope::Logins => Step::Stop(full_window(&room, now)),
    })
}

/// The likes of a day or more are shared fairly: the last of them are kept, one for each other
/// target that was liked less than this one in the last day, if it was liked at all in the last two
/// or has items waiting. So whoever publishes a lot takes what the others leave, and a target that
/// publishes nothing more costs one like, and after two days none. Shorter windows have room again before a story is gone.
fn kept_for_others(
    state: &State,
    budget: &Budget,
    target: TargetId,
    now: Timestamp,
) -> Option<Step> {
    let likes = |of: TargetId, span| budget.windows.likes_of(of, now.minus(span));
    let mine = likes(target, SHARED_OVER);
    let waits = |other| {
        let mut queue = state.queue.iter();
        queue.any(|work| work.target == other && !work.items.is_empty())
    };
    let less = state.targets.iter().copied().filter(|other| {
        likes(*other, SHARED_OVER) < mine && (likes(*other, REMEMBERED_FOR) > 0 || waits(*other))
    });
    let kept = u32::try_from(less.count()).unwrap_or(u32::MAX);
    let limits = budget.limits.windows.iter();
    limits
        .filter(|limit| limit.scope == Scope::Likes && limit.limit.span >= SHARED_OVER)
        .map(|limit| budget.windows.room(*limit, kept.saturating_add(1), now))
        .find(|room| room.next_at.is_some())
        .map(|room| Step::Leave(Left::Kept(room, kept)))
}

fn blocked_read(budget: &Budget, now: Timestamp) -> Option<Step> {
    let read = [(AttemptKind::Read, None)];
    let room = budget.windows.full(&budget.limits.windows, &read, now)?;
    Some(Step::Stop(full_window(&room, now)))
}

/// The step, or the pause before it, or the end where the pause would outlast the pass.
fn paused(state: &State, budget: &Budget, step: Step, now: Timestamp) -> Step {
    let target = state.queue.front().map(|work| work.target);
    let (kind, target) = match step {
        Step::Prove => (AttemptKind::Read, None),
        Step::LookUp | Step::List | Step::ReadBack => (AttemptKind::Read, target),
        Step::View | Step::Like if state.dry_run => return step,
        Step::View => (AttemptKind::StoryView, target),
        Step::Like => (AttemptKind::Like, target),
        _ => return step,
    };
    let (earliest, reason) = budget.pacer.earliest(kind, target);
    let mut last_act = earliest.max(now);
    let mut last_act_at_latest = last_act;
    if kind == AttemptKind::StoryView {
        last_act = budget.pacer.like_after_view(last_act);
        last_act_at_latest = last_act.plus(state.timeout);
    }
    if last_act >= state.deadline {
        Step::Stop(Stop::TimeUsed)
    } else if let Some(until) = quiet(state, last_act_at_latest) {
        Step::Stop(Stop::QuietHours { until })
    } else if earliest > now {
        Step::Pause(earliest, reason)
    } else {
        step
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
