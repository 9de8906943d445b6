//! What was decided about each item and why, in the report and in the log.

use super::Running;
use crate::engage::policy::Left;
use crate::engage::report::{Decision, Report};
use crate::model::{AttemptKind, ItemState, LedgerItem, TargetId};

impl Running<'_> {
    pub(super) fn pass_over(&mut self, report: &mut Report) {
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

    pub(super) fn leave(&mut self, left: Left, report: &mut Report) {
        let Some(work) = self.state.queue.pop_front() else {
            return;
        };
        let why = match left {
            Left::TargetCap(likes) => {
                format!("limits.likes_per_target is reached for this run ({likes})")
            }
            Left::Kept(room, kept) => format!(
                "what is left of {} {} ({} used) is kept for targets that were liked less: {kept}",
                room.limit.scope.key(),
                room.limit.limit,
                room.used,
            ),
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

    /// What was in the queue when the pass ended: each item has its decision, too.
    pub(super) fn leave_the_rest(&mut self, report: &mut Report) {
        let why = report.stop.sentence();
        for work in std::mem::take(&mut self.state.queue) {
            for item in &work.items {
                decide(report, &work.name, item, "left", why.clone());
            }
        }
    }

    pub(super) fn room_in_words(&self, target: Option<TargetId>) -> String {
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
}

pub(super) fn decide(
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

pub(super) fn why_left(item: &LedgerItem) -> String {
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
