//! What was decided about each item and why, in the report and in the log.

use super::Running;
use crate::engage::policy::Left;
use crate::engage::reason::{Reason, standing};
use crate::engage::report::{Decision, Report, WindowReport};
use crate::model::{LedgerItem, TargetId};

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
            let reason = self.why(&item);
            decide(report, &name, &item, "left", reason);
        }
    }

    pub(super) fn leave(&mut self, left: Left, report: &mut Report) {
        let Some(work) = self.state.queue.pop_front() else {
            return;
        };
        let reason = Reason::from(&left);
        log::info!(target_name = work.name.as_str(), kind = work.kind.as_str(); "left for a later pass: {reason}");
        for item in &work.items {
            decide(report, &work.name, item, "left", reason.clone());
        }
    }

    /// What was in the queue when the pass ended: each item has its decision, too.
    pub(super) fn leave_the_rest(&mut self, report: &mut Report) {
        let reason = Reason::from(&report.stop);
        for work in std::mem::take(&mut self.state.queue) {
            for item in &work.items {
                decide(report, &work.name, item, "left", reason.clone());
            }
        }
    }

    /// The windows that a like for this target counts in, as they stand.
    pub(super) fn rooms(&self, target: Option<TargetId>) -> Vec<WindowReport> {
        self.actor.budget.rooms(target, self.actor.watch.now())
    }

    /// Why the item is as it is.
    pub(super) fn why(&self, item: &LedgerItem) -> Reason {
        let target = self.targets.get(&item.target);
        let first_contact_at = target.and_then(|(target, _)| target.known_since());
        standing(
            item,
            first_contact_at,
            self.account.ignore_posts_before,
            self.actor.watch.now(),
        )
    }
}

pub(super) fn decide(
    report: &mut Report,
    target: &str,
    item: &LedgerItem,
    decision: &'static str,
    reason: Reason,
) {
    log::info!(
        target_name = target, item = item.item.id.to_string(), kind = item.item.kind.as_str();
        "{decision}: {reason}"
    );
    report
        .decisions
        .push(Decision::new(item, target, decision, reason));
}
