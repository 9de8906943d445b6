//! The reading steps of a pass: who am I, what does this target show; and what a target's own
//! trouble leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Running;
use super::decisions::decide;
use crate::engage::absorb::{Read, ReadingContext, listed};
use crate::engage::act::{Act, Refusal, Verdict};
use crate::engage::policy::{ListingDue, Work};
use crate::engage::queue::{considered, in_order};
use crate::engage::report::Report;
use crate::engage::session::{ProofEnd, prove};
use crate::engage::stop::Stop;
use crate::exit::ExitCode;
use crate::model::{ItemKind, ItemState, TargetId, TargetTrouble, Timestamp};
use crate::ports::{Change, Listing, Next, PlatformError};

/// A target in trouble is looked at again after a day, then two, then four, at most seven.
const FIRST_RETRY: Duration = Duration::from_hours(24);
const LAST_RETRY: Duration = Duration::from_hours(7 * 24);

impl Running<'_> {
    pub(super) fn prove(&mut self) -> Result<(), Stop> {
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

    pub(super) fn list(&mut self, report: &mut Report) -> Result<(), Stop> {
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
        let read_at = sent.receipt.sent_after;
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
    ) -> Result<(Vec<Read>, Option<ListingDue>), Stop> {
        let Some((target, _)) = self.targets.get(&work.target) else {
            return Ok((Vec::new(), None));
        };
        let now = self.actor.watch.now();
        let ignored = self.account.ignore_posts_before;
        let context =
            ReadingContext::of_listing(self.config, ignored, target, work.kind, (read_at, now));
        let page = considered(
            self.config,
            work.kind,
            due,
            listing,
            context.posts_not_before,
        );
        let media: Vec<_> = page.items.iter().map(|item| item.id.media).collect();
        let mut known: BTreeMap<_, _> = self
            .actor
            .store()
            .items(work.kind, &media)?
            .into_iter()
            .map(|item| (item.item.id.media, item))
            .collect();
        let mut reads = Vec::new();
        for item in page.items {
            let before = known.remove(&item.id.media);
            let read = listed(before.clone(), item, &context);
            if read.disproved {
                changes.push(Change::Disproved {
                    item: read.item.item.id.media,
                });
            }
            if before.as_ref() != Some(&read.item) {
                changes.push(Change::Item(read.item.clone()));
            }
            reads.push(read);
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
            && target.username != *name
        {
            log::info!(target_name = target.listed_as, now = name.as_str(); "a target has a new user name; its id is pinned, nothing else changes");
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
        page: Vec<Read>,
        next: Option<ListingDue>,
        listing: &Listing,
        report: &mut Report,
    ) {
        if let Some((_, of_target)) = self.targets.get_mut(&work.target) {
            of_target.listed += u32::try_from(page.len()).unwrap_or(u32::MAX);
            of_target.unreadable += listing.unreadable;
            of_target.new +=
                u32::try_from(page.iter().filter(|read| read.fresh).count()).unwrap_or(u32::MAX);
        }
        // An item may show up on two pages when something new appears in between; the newer one
        // says how it stands.
        let seen: BTreeSet<_> = page.iter().map(|read| read.item.item.id.media).collect();
        let mut open = Vec::new();
        for read in page {
            let state = read.item.state;
            if matches!(state, ItemState::New | ItemState::Unknown) {
                open.push(read.item);
            } else if read.fresh || self.mode.dry_run {
                let reason = self.why(&read.item);
                decide(report, &work.name, &read.item, state.as_str(), reason);
            }
        }
        if let Some(front) = self.state.queue.front_mut() {
            front
                .items
                .retain(|item| !seen.contains(&item.item.id.media));
            front.items.extend(open);
            in_order(&mut front.items);
            front.listing = next;
        }
    }

    pub(super) fn read_act<'n>(
        &self,
        call: &'static str,
        target: TargetId,
        name: &'n str,
    ) -> Act<'n> {
        Act {
            target: Some(target),
            name,
            repetition: self.repetition,
            ..Act::read(call)
        }
    }

    pub(super) fn after_read(&mut self, verdict: Verdict, troubled: bool) -> Result<(), Stop> {
        self.repetition = matches!(verdict, Verdict::RepeatRead);
        match verdict {
            Verdict::Stop(stop) => Err(stop),
            Verdict::RepeatRead => Ok(()),
            Verdict::Fine if !troubled => {
                self.state.proof_due = false;
                Ok(())
            }
            _ => {
                if let Some(target) = self.front().map(|work| work.target) {
                    self.drop_target(target);
                }
                Ok(())
            }
        }
    }

    /// Nothing more is tried for this target in this pass.
    pub(super) fn drop_target(&mut self, target: TargetId) {
        self.state.queue.retain(|work| work.target != target);
    }

    /// Records a target's own trouble in the report, and returns it as a change to store.
    pub(super) fn trouble(&mut self, target: TargetId, trouble: TargetTrouble) -> Option<Change> {
        let now = self.actor.watch.now();
        let (entry, report) = self.targets.get_mut(&target)?;
        let count = entry.trouble_count.saturating_add(1);
        let wait = FIRST_RETRY
            .saturating_mul(1 << (count - 1).min(8))
            .min(LAST_RETRY);
        let retry_at = now.plus(wait);
        report.trouble = Some(trouble);
        report.retry_at = Some(retry_at);
        log::warn!(target_name = entry.listed_as, trouble = trouble.as_str(), retry_at = retry_at.to_string(); "a target cannot be seen; the others go on");
        Some(Change::TargetTrouble {
            target,
            trouble,
            count,
            retry_at,
        })
    }
}

pub(super) fn trouble_of(error: &PlatformError) -> Option<TargetTrouble> {
    match error.next {
        Next::SkipTarget(trouble) => Some(trouble),
        _ => None,
    }
}

pub(super) fn taken_is_a_bug<T>(sent: Result<T, Refusal>) -> Result<T, Stop> {
    sent.map_err(|refusal| match refusal {
        Refusal::Stop(stop) => stop,
        Refusal::Taken => Stop::Store {
            code: ExitCode::Software,
            message: "a request other than a like was refused as taken; please report this with \
                      the log"
                .to_owned(),
        },
    })
}
