//! The end of a pass: one new login where that is allowed, pruning, the run's record.

use std::time::Duration;

use super::Running;
use crate::engage::actor::{BETWEEN_LOGINS, PATIENCE_AT_THE_END};
use crate::engage::login::{Credentials, LoginEnd, log_in};
use crate::engage::report::{Report, WindowReport};
use crate::engage::stop::{HeldBy, Stop};
use crate::model::{AttemptKind, HoldReason};
use crate::ports::{Retention, RunEnd};

impl Running<'_> {
    /// One login after `login_required`, where the configuration allows it and none was made in
    /// the last 24 hours, by a clock that an answer of this pass has confirmed. The hold waits for a
    /// person otherwise, who is told why there was none.
    pub(super) fn log_in_again(&mut self, stop: &Stop) -> Option<Stop> {
        let Stop::Objected(by) = stop else {
            return None;
        };
        let username = self
            .config
            .account
            .username
            .as_deref()
            .or(self.account.username.as_deref());
        let password = self.config.account.password.as_ref();
        let allowed = by.reason == HoldReason::LoginRequired
            && self.config.session.relogin
            && !self.mode.dry_run;
        let (Some(username), Some(password), true) = (username, password, allowed) else {
            return None;
        };
        if let Some(why) = self.too_soon_to_log_in() {
            return Some(no_login(by, &why));
        }
        log::warn!("the session is dead; logging in once, as session.relogin allows");
        let credentials = Credentials { username, password };
        match log_in(
            &mut self.actor,
            &self.account,
            &credentials,
            self.codes,
            "relogin",
        ) {
            LoginEnd::LoggedIn(_) => Some(Stop::LoggedInAgain),
            LoginEnd::Stop(full @ Stop::WindowFull { .. }) => Some(no_login(by, &full.sentence())),
            // Not logged in: the session is as dead as before, whatever stopped the login.
            LoginEnd::Stop(later) => Some(stop.clone().graver(later)),
        }
    }

    /// Why no login by itself is made now, if none is.
    fn too_soon_to_log_in(&self) -> Option<String> {
        // By a clock that is a day ahead, a login of today is one of yesterday.
        if !self.actor.watch.confirmed() {
            return Some(
                "no answer of this pass has told the time, so nobody knows when the last one was"
                    .to_owned(),
            );
        }
        let now = self.actor.watch.now();
        let windows = &self.actor.budget.windows;
        let last = windows
            .newest(AttemptKind::Login)
            .map(|login| login.settled_at.unwrap_or(login.claimed_at));
        if let Some(last) = last.filter(|last| now.since(*last) <= BETWEEN_LOGINS) {
            return Some(format!("it is made once a day, and the last was at {last}"));
        }
        let takes = self.login_takes();
        if !self.may_send(takes) || self.actor.deadline() <= now.plus(takes) {
            return Some("the pass, or the time before the quiet hours, is over".to_owned());
        }
        None
    }

    /// The pauses before the four requests of a login, at most: a code asked for when the time is
    /// used up would be a password submitted in vain.
    fn login_takes(&self) -> Duration {
        self.config.pace.between_requests.max * 4 + self.config.instagram.timeout * 3
    }

    pub(super) fn close(&mut self, report: &mut Report) {
        let now = self.actor.watch.now();
        // The later reading: after the machine slept, the earlier one is from before that.
        report.ended_at = self.actor.watch.latest();
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
            .map(|limit| WindowReport::new(&self.actor.budget.windows.room(*limit, 1, now)))
            .collect();
        let Some(run) = self.actor.run else {
            return;
        };
        if self.may_prune(report) {
            let retention = Retention {
                stories_after: self.config.stories_after,
                history_keep: self.config.history_keep,
            };
            match self
                .actor
                .store_with(PATIENCE_AT_THE_END)
                .prune(&retention, now)
            {
                Ok(pruned) => report.pruned = pruned,
                Err(error) => report.stop = Stop::from(error).graver(report.stop.clone()),
            }
        }
        let ended_at = self.actor.watch.latest();
        report.ended_at = ended_at;
        let end = RunEnd {
            stop: report.reason(),
            trouble: report.stop.trouble(),
            exit_code: report.exit_code().number(),
            verdict: report.verdict(),
            // A pass that could not reach the platform met trouble all the same.
            requests: report.counts.tried(),
            likes: report.counts.likes,
            report: report.to_json().to_string(),
        };
        // Of equals the cause itself is told, not that its record failed too.
        if let Err(error) = self
            .actor
            .store_with(PATIENCE_AT_THE_END)
            .end_run(run, &end, ended_at)
        {
            report.stop = Stop::from(error).graver(report.stop.clone());
        }
        // The record itself may have waited for a locked database.
        report.ended_at = self.actor.watch.latest();
    }

    /// Only by a clock that a reply of this pass has confirmed, and that still runs true.
    fn may_prune(&self, report: &Report) -> bool {
        let watch = &self.actor.watch;
        let trusted = watch.confirmed() && watch.untrusted().is_none() && watch.jumped().is_none();
        trusted && !matches!(report.stop, Stop::Store { .. })
    }
}

/// The hold's stop, with why no login followed it.
fn no_login(by: &HeldBy, why: &str) -> Stop {
    let message = format!(
        "{}; no login by itself (session.relogin): {why}",
        by.message
    );
    log::warn!("{message}");
    Stop::Objected(HeldBy {
        message,
        ..by.clone()
    })
}
