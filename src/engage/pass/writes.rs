//! The writing steps of a pass: *seen* and like. Each is claimed before it is sent and sent at most
//! once; a dry run only counts them.

use super::Running;
use super::decisions::decide;
use super::reads::{taken_is_a_bug, trouble_of};
use crate::engage::absorb::again_or_never;
use crate::engage::act::{Act, Receipt, Refusal, Verdict, outcome};
use crate::engage::reason::Reason;
use crate::engage::report::Report;
use crate::engage::stop::Stop;
use crate::model::{Attempt, AttemptKind, ItemState, LedgerItem};
use crate::ports::{Change, Effect, Next, PlatformError};

impl Running<'_> {
    pub(super) fn view(&mut self, report: &mut Report) -> Result<(), Stop> {
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
        let now = self.actor.watch.latest();
        let effect = sent.result.as_ref().err().map(|error| error.effect);
        let mut after = story;
        // A view that may have been recorded is not repeated.
        if matches!(effect, None | Some(Effect::Unknown)) {
            after.viewed_at = Some(now);
        }
        self.settle_write(&act, sent.receipt, sent.result.err(), after, report)
    }

    pub(super) fn like(&mut self, report: &mut Report) -> Result<(), Stop> {
        let Some((act, name, item)) = self.write_act(AttemptKind::Like, "like") else {
            return Ok(());
        };
        let act = Act { name: &name, ..act };
        if self.mode.dry_run {
            self.pretend(&act);
            self.count_like(&act);
            let windows = self.rooms(act.target);
            decide(
                report,
                &name,
                &item,
                "would_like",
                Reason::WouldLike { windows },
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
        self.count_like(&act);
        let mut after = item;
        let ended = outcome(sent.result.as_ref().err());
        after.like_arrived_by = Some(ended.arrived_by(sent.receipt.answered_by));
        // No reading before this like says anything about it.
        after.unliked_read_at = None;
        match sent.result.as_ref().err().map(|error| error.effect) {
            None => after.state = ItemState::Liked,
            Some(Effect::Unsent) => after.state = ItemState::New,
            Some(Effect::Unknown) => after.state = ItemState::Unknown,
            Some(Effect::Refused) => {
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
            // An item of a target that cannot be seen any more is as gone as a deleted one.
            Some(Next::SkipGoneItem | Next::SkipTarget(_)) => after.state = ItemState::Gone,
            Some(Next::SkipInvalidItem) => after.state = ItemState::Failed,
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
            let reason = match error {
                Some(error) => self.why(&after).answered(error.message),
                None => Reason::Liked {
                    windows: self.rooms(act.target),
                },
            };
            decide(report, act.name, &after, after.state.as_str(), reason);
        }
        if act.kind == AttemptKind::Like
            && after.state == ItemState::Liked
            && let Some((_, of_target)) = act.target.and_then(|id| self.targets.get_mut(&id))
        {
            of_target.liked += 1;
        }
        match verdict {
            Verdict::Stop(stop) => Err(stop),
            Verdict::SkipTarget => {
                if let Some(target) = act.target {
                    self.drop_target(target);
                }
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

    /// The ledger refuses a like of this item. Either the queue's copy is old (a post of two authors
    /// is found on both profiles), or the item's row has forgotten a like that is on record: then it
    /// is over for good, since nothing tells any more which of its readings came after that like.
    fn taken(&mut self, item: LedgerItem, name: &str, report: &mut Report) -> Result<(), Stop> {
        let now = self.actor.watch.now();
        let (kind, media) = (item.item.kind, item.item.id.media);
        let mut after = self
            .actor
            .store()
            .items(kind, &[media])?
            .pop()
            .unwrap_or(item);
        if after.state == ItemState::New {
            after.state = ItemState::Failed;
            let forgotten = Change::Item(after.clone());
            self.actor.store().apply(&[forgotten], now)?;
        }
        decide(report, name, &after, "left", Reason::OnRecord);
        if let Some(work) = self.state.queue.front_mut() {
            work.items.pop_front();
        }
        Ok(())
    }

    /// A like counts for the target it is sent for, which need not be the one that first showed a
    /// post of two authors.
    fn count_like(&mut self, act: &Act<'_>) {
        self.state.likes += 1;
        if let Some(target) = act.target {
            *self.state.likes_by_target.entry(target).or_default() += 1;
        }
    }

    /// A dry run counts what it would send, so that its next decision is the one a real pass would
    /// make.
    fn pretend(&mut self, act: &Act<'_>) {
        let now = self.actor.watch.now();
        self.actor.budget.windows.push(Attempt {
            kind: act.kind,
            target: act.target,
            item: act.item.map(|(_, id)| id.media),
            claimed_at: now,
            settled_at: Some(now),
        });
    }
}
