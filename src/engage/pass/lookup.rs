//! From a target's name to its pk, once; and what follows when that pk is known already.

use super::Running;
use super::reads::{taken_is_a_bug, trouble_of};
use crate::engage::report::TargetReport;
use crate::engage::stop::Stop;
use crate::model::{Pk, Target, TargetId, TargetTrouble};
use crate::ports::Change;

impl Running<'_> {
    pub(super) fn look_up(&mut self) -> Result<(), Stop> {
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
        let mut holder = None;
        let mut trouble = sent.result.as_ref().err().and_then(trouble_of);
        if let Ok(user) = &sent.result {
            if self.account.pk == Some(user.pk) {
                let verdict = self.actor.settle(&act, sent.receipt, None, Vec::new());
                return Err(verdict.err().unwrap_or_else(|| own_account(&name)));
            }
            changes.push(Change::SessionAlive(sent.receipt.sent_after));
            changes.push(Change::TargetResolved {
                target,
                pk: user.pk,
                username: user.username.clone(),
            });
            holder = self.holder_of(user.pk)?;
            self.resolved(target, holder.as_ref(), user.pk);
            let hidden = user.is_private && user.following == Some(false);
            trouble = hidden.then_some(TargetTrouble::Private);
        }
        let holder_id = holder.as_ref().map_or(target, |holder| holder.id);
        changes.extend(trouble.and_then(|trouble| self.trouble(holder_id, trouble)));
        let verdict = self
            .actor
            .settle(&act, sent.receipt, sent.result.as_ref().err(), changes)?;
        self.after_read(verdict, trouble.is_some())?;
        if let (Some(holder), None) = (holder, trouble) {
            self.requeue(holder.id)?;
        }
        Ok(())
    }

    /// The known target that has this pk already, perhaps under an older name.
    fn holder_of(&mut self, pk: Pk) -> Result<Option<Target>, Stop> {
        let targets = self.actor.store().targets()?;
        Ok(targets.into_iter().find(|target| target.pk == Some(pk)))
    }

    /// The looked-up target has its pk. Where another row holds that pk, the two are one: that row
    /// takes over this one's list entry, and all work on either is work on that row.
    fn resolved(&mut self, placeholder: TargetId, holder: Option<&Target>, pk: Pk) {
        let id = holder.map_or(placeholder, |holder| holder.id);
        let Some((entry, mut report)) = self.targets.remove(&placeholder) else {
            return;
        };
        let mut target = holder.unwrap_or(&entry).clone();
        target.pk = Some(pk);
        target.listed_as.clone_from(&entry.listed_as);
        (target.enabled, target.stories, target.posts) =
            (entry.enabled, entry.stories, entry.posts);
        if let Some((_, of_holder)) = self.targets.remove(&id) {
            report = TargetReport {
                username: report.username,
                ..of_holder
            };
        }
        self.targets.insert(id, (target, report));
        for work in &mut self.state.queue {
            if work.target == placeholder {
                work.target = id;
                work.pk = Some(pk);
            }
        }
    }

    /// Queues a target anew, and first: what its own row says is due.
    fn requeue(&mut self, target: TargetId) -> Result<(), Stop> {
        let Some((entry, _)) = self.targets.get(&target).cloned() else {
            return Ok(());
        };
        let due = self.queue(&[entry], self.actor.watch.now())?;
        self.state.queue.retain(|work| work.target != target);
        for work in due.into_iter().rev() {
            self.state.queue.push_front(work);
        }
        Ok(())
    }
}

/// The operator's own account is refused as a target, by its pk as well as by its name.
fn own_account(name: &str) -> Stop {
    Stop::WrongAccount {
        message: format!(
            "the target '{name}' is this profile's own account; remove it from 'targets'"
        ),
    }
}
