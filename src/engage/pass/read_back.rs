//! Did that like take? Only a reading of the item itself, long enough after it, can tell.

use super::Running;
use super::decisions::decide;
use super::reads::{taken_is_a_bug, trouble_of};
use crate::engage::absorb::{ReadingContext, listed};
use crate::engage::act::{Act, Verdict};
use crate::engage::report::Report;
use crate::engage::stop::Stop;
use crate::model::{ItemState, LedgerItem, Timestamp};
use crate::ports::{Change, Next};

impl Running<'_> {
    pub(super) fn read_back(&mut self, report: &mut Report) -> Result<(), Stop> {
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
                changes.push(Change::SessionAlive(sent.receipt.sent_after));
                let context = ReadingContext {
                    target: work.target,
                    read_at: sent.receipt.sent_after,
                    observe_only: false,
                    contact_at: Timestamp::from_millis(i64::MIN),
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
            Err(error) if error.next == Next::SkipGoneItem => {
                changes.push(Change::Item(LedgerItem {
                    state: ItemState::Gone,
                    ..known.clone()
                }));
            }
            Err(_) => {}
        }
        let trouble = sent.result.as_ref().err().and_then(trouble_of);
        changes.extend(trouble.and_then(|trouble| self.trouble(work.target, trouble)));
        let verdict = self
            .actor
            .settle(&act, sent.receipt, sent.result.as_ref().err(), changes)?;
        self.repetition = matches!(verdict, Verdict::RepeatRead);
        match verdict {
            Verdict::Stop(stop) => return Err(stop),
            Verdict::RepeatRead => return Ok(()),
            Verdict::SkipTarget => {
                self.drop_target(work.target);
                return Ok(());
            }
            Verdict::Fine | Verdict::SkipItem => {}
        }
        let Some(front) = self.state.queue.front_mut() else {
            return Ok(());
        };
        front.items.pop_front();
        match after {
            Some(item) if item.state == ItemState::New => front.items.push_front(item),
            Some(item) => {
                let reason = self.why(&item);
                decide(report, &work.name, &item, item.state.as_str(), reason);
            }
            None => {}
        }
        Ok(())
    }
}
