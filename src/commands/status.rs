//! `status`: where things stand, from the database alone. No lock, no request, no write: it answers
//! while a pass runs and under every hold.

use serde::Serialize;
use serde_json::json;

use super::shell::{Failure, Shell, account_name};
use super::status_text::render;
use crate::care::hold::MEMORY;
use crate::care::limits::LimitsInForce;
use crate::care::warm_up::{self, WarmUp};
use crate::config::{Config, Needs};
use crate::engage::{
    CARRIED_OVER, Outlook, Seen, WindowReport, as_if_synchronised, next_check, next_listing,
    outlook, wanted,
};
use crate::exit::ExitCode;
use crate::model::{
    Account, Channel, Hold, HoldReason, ItemKind, ItemState, LedgerItem, NoticeKind, RunRecord,
    Scope, ScopedLimit, Target, TargetTrouble, Timestamp,
};
use crate::store::{ItemCount, Reader, WindowUse};
use crate::telemetry::logging::Stream;

/// How many runs are shown.
const RUNS_SHOWN: u32 = 5;

/// How many notices are shown of each way.
const UNDELIVERED_SHOWN: u32 = 5;

/// How many past holds are shown.
const HOLDS_SHOWN: usize = 5;

/// Everything that is shown.
#[derive(Serialize)]
pub(super) struct Status {
    pub profile: String,
    pub database: String,
    pub at: Timestamp,
    pub account: Option<String>,
    pub session: Option<SessionStatus>,
    pub ignore_posts_before: Option<Timestamp>,
    pub next: Next,
    pub holds_in_force: Vec<HoldStatus>,
    pub recent_holds: Vec<HoldStatus>,
    pub windows: Vec<WindowReport>,
    pub likes_per_run: u32,
    pub halved_until: Option<Timestamp>,
    pub warm_up: Option<WarmUp>,
    pub targets: Vec<TargetStatus>,
    pub items: Vec<ItemCount>,
    pub runs: Vec<RunStatus>,
    pub undelivered: Vec<UndeliveredStatus>,
    pub file_bytes: u64,
}

/// A notice that `channel` could not tell yet.
#[derive(Serialize)]
pub(super) struct UndeliveredStatus {
    pub channel: &'static str,
    pub id: String,
    pub kind: NoticeKind,
    pub title: String,
    pub at: Timestamp,
    pub tries: u32,
    pub tried_at: Option<Timestamp>,
    pub problem: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SessionStatus {
    pub since: Option<Timestamp>,
    pub proved_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct Next {
    pub at: Option<Timestamp>,
    pub why: String,
}

#[derive(Serialize)]
pub(super) struct HoldStatus {
    pub reason: HoldReason,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub message: String,
    pub cleared_at: Option<Timestamp>,
    pub cleared_by: Option<String>,
}

#[derive(Serialize)]
pub(super) struct TargetStatus {
    pub username: String,
    pub known_as: Option<String>,
    pub enabled: bool,
    pub stories_checked_at: Option<Timestamp>,
    pub posts_checked_at: Option<Timestamp>,
    pub next_check_at: Option<Timestamp>,
    pub trouble: Option<TargetTrouble>,
    pub retry_at: Option<Timestamp>,
    pub likes: Vec<WindowReport>,
}

#[derive(Serialize)]
pub(super) struct RunStatus {
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub exit_code: Option<u8>,
    pub stop: Option<String>,
    pub requests: u32,
    pub likes: u32,
}

/// Shows where things stand.
pub fn status(shell: &Shell) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let mut reader = Reader::open_read_only(&config.database, &config.profile)?;
    let Some(account) = reader.account()? else {
        let (profile, database) = (&config.profile, config.database.display());
        shell.answer(
            || json!({ "profile": profile, "database": config.database, "account": null }),
            || {
                format!(
                    "profile '{profile}' has not been used yet with {database}; run 'story-liker \
                     session import FILE' or 'story-liker login'"
                )
            },
        );
        return Ok(ExitCode::Ok);
    };
    let status = read(&config, &mut reader, &account, shell.now())?;
    shell.answer(|| json!(status), || render(&status));
    Ok(ExitCode::Ok)
}

/// Where things stand at `now`.
pub(super) fn read(
    config: &Config,
    reader: &mut Reader,
    account: &Account,
    now: Timestamp,
) -> Result<Status, Failure> {
    let holds = reader.holds(now.minus(MEMORY))?;
    let attempts = reader.attempts(now.minus(warm_up::looked_back(&config.limits.warm_up)))?;
    let limits = LimitsInForce::new(&config.limits, &holds, &attempts, now);
    let windows = reader.windows(&limits.windows, now)?;
    let mut targets = reader.targets()?;
    as_if_synchronised(&mut targets, &wanted(config));
    let items = reader.item_counts()?;
    let mut likes_of_targets = Vec::with_capacity(targets.len());
    for target in &targets {
        let mut of_target = limits.for_target(Some(target.id));
        of_target.retain(|limit| matches!(limit.scope, Scope::TargetLikes(_)));
        likes_of_targets.push(reader.windows(&of_target, now)?);
    }
    let full: Vec<(ScopedLimit, Timestamp)> = (windows.iter())
        .chain(likes_of_targets.iter().flatten())
        .filter_map(|window| Some((window.limit, window.room_at?)))
        .collect();
    let seen = Seen {
        account,
        holds: &holds,
        targets: &targets,
        full: &full,
        limits_grow_at: limits.grow_at(),
        left_over: &left_over(config, reader, &targets, now)?,
    };
    let Outlook { at, why } = outlook(config, &seen, now);
    let targets = (targets.iter().zip(&likes_of_targets))
        .map(|(target, likes)| target_status(config, target, likes, now))
        .collect();
    let (in_force, past): (Vec<&Hold>, Vec<&Hold>) =
        holds.iter().partition(|hold| hold.in_force(now));
    Ok(Status {
        profile: config.profile.to_string(),
        database: config.database.display().to_string(),
        at: now,
        account: account.pk.map(|_| account_name(account)),
        session: account.session.as_ref().map(|_| SessionStatus {
            since: account.session_since,
            proved_at: account.session_proved_at,
        }),
        ignore_posts_before: account.ignore_posts_before,
        next: Next { at, why },
        holds_in_force: in_force.into_iter().map(hold_status).collect(),
        recent_holds: past
            .into_iter()
            .rev()
            .take(HOLDS_SHOWN)
            .map(hold_status)
            .collect(),
        windows: windows.iter().map(window_report).collect(),
        likes_per_run: limits.likes_per_run,
        halved_until: limits.halved_until,
        warm_up: limits.warm_up,
        targets,
        items,
        runs: reader
            .recent_runs(RUNS_SHOWN)?
            .into_iter()
            .map(run_status)
            .collect(),
        undelivered: undelivered(config, reader)?,
        file_bytes: reader.size()?.bytes,
    })
}

/// What a pass would carry over of the targets whose listing is not due.
fn left_over(
    config: &Config,
    reader: &mut Reader,
    targets: &[Target],
    now: Timestamp,
) -> Result<Vec<LedgerItem>, Failure> {
    let mut items = Vec::new();
    for target in targets.iter().filter(|target| target.id.0 > 0) {
        for kind in [ItemKind::Story, ItemKind::Post] {
            if next_listing(config, target, kind, now).is_some_and(|at| at > now) {
                let new = [ItemState::New];
                items.extend(reader.items_in(target.id, kind, &new, CARRIED_OVER)?);
            }
        }
    }
    Ok(items)
}

fn undelivered(config: &Config, reader: &mut Reader) -> Result<Vec<UndeliveredStatus>, Failure> {
    let mut all = Vec::new();
    for channel in Channel::ALL {
        for waiting in reader.undelivered(channel, UNDELIVERED_SHOWN)? {
            let notice = &waiting.notice;
            all.push(UndeliveredStatus {
                channel: channel.key(),
                id: notice.name(&config.profile),
                kind: notice.kind,
                title: notice.title(),
                at: notice.happened_at,
                tries: waiting.tries,
                tried_at: waiting.tried_at,
                problem: waiting.problem,
            });
        }
    }
    Ok(all)
}

fn window_report(window: &WindowUse) -> WindowReport {
    WindowReport {
        key: window.limit.scope.key(),
        limit: window.limit.limit.to_string(),
        used: window.used,
        free: window.limit.limit.count.saturating_sub(window.used),
        next_at: window.room_at,
    }
}

fn hold_status(hold: &Hold) -> HoldStatus {
    HoldStatus {
        reason: hold.reason,
        since: hold.since,
        until: hold.until,
        message: hold.message.clone(),
        cleared_at: hold.cleared_at,
        cleared_by: hold.cleared_by.clone(),
    }
}

fn target_status(
    config: &Config,
    target: &Target,
    likes: &[WindowUse],
    now: Timestamp,
) -> TargetStatus {
    TargetStatus {
        username: target.listed_as.clone(),
        known_as: (target.username != target.listed_as).then(|| target.username.clone()),
        enabled: target.enabled,
        stories_checked_at: target.stories_checked_at,
        posts_checked_at: target.posts_checked_at,
        next_check_at: next_check(config, target, now),
        trouble: target.trouble,
        retry_at: target.retry_at,
        likes: likes.iter().map(window_report).collect(),
    }
}

fn run_status(run: RunRecord) -> RunStatus {
    RunStatus {
        started_at: run.started_at,
        ended_at: run.ended_at,
        exit_code: run.exit_code,
        stop: run.stop,
        requests: run.requests,
        likes: run.likes,
    }
}
