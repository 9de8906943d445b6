//! `explain`: why one item was, was not or will be liked, from the database alone. No lock, no
//! request, no write: like `status` it answers while a pass runs and under every hold.

use serde::Serialize;
use serde_json::json;

use super::explain_text::{render, render_unknown};
use super::shell::{Failure, Shell};
use crate::care::hold::MEMORY;
use crate::care::limits::LimitsInForce;
use crate::care::quiet::quiet_until;
use crate::care::warm_up::WarmUp;
use crate::care::window::Windows;
use crate::cli::Explain;
use crate::config::{Config, Needs};
use crate::engage::{
    Forecast, Known, Reason, WindowReport, as_if_synchronised, forecast, next_listing, standing,
    wanted,
};
use crate::exit::ExitCode;
use crate::model::{
    Account, AttemptKind, Hold, HoldReason, ItemId, ItemKind, ItemState, LedgerItem, PastAttempt,
    Pk, READ_BACK_AFTER, Target, TargetTrouble, Timestamp,
};
use crate::store::Reader;
use crate::telemetry::logging::Stream;

/// How many items of each target and kind are weighed with the one that is asked about.
const ITEMS_WEIGHED: u32 = 100;

/// Everything that is shown.
#[derive(Serialize)]
pub(super) struct Explanation {
    pub profile: String,
    pub database: String,
    pub at: Timestamp,
    pub known: bool,
    pub item: ItemFacts,
    pub target: TargetFacts,
    pub history: Vec<PastAttempt>,
    pub reason: Reason,
    pub why: String,
    pub forecast: Option<Forecast>,
    pub windows: Vec<WindowReport>,
    pub likes_per_run: u32,
    pub likes_per_target_per_run: u32,
    pub halved_until: Option<Timestamp>,
    pub warm_up: Option<WarmUp>,
    pub quiet_until: Option<Timestamp>,
    pub holds_in_force: Vec<HoldFacts>,
}

#[derive(Serialize)]
pub(super) struct ItemFacts {
    pub id: ItemId,
    pub kind: ItemKind,
    pub code: Option<String>,
    pub taken_at: Timestamp,
    pub expiring_at: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    pub state: ItemState,
    pub tries: u32,
    pub viewed_at: Option<Timestamp>,
    pub like_arrived_by: Option<Timestamp>,
    pub read_back_from: Option<Timestamp>,
    pub unliked_read_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct TargetFacts {
    pub username: String,
    pub enabled: bool,
    pub trouble: Option<TargetTrouble>,
    pub retry_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
    pub next_check_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct HoldFacts {
    pub reason: HoldReason,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub message: String,
}

/// Explains one item.
pub fn explain(shell: &Shell, flags: &Explain) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let mut reader = Reader::open_read_only(&config.database, &config.profile)?;
    let now = shell.now();
    let media = flags.item.0;
    let account = reader.account()?;
    let (Some(account), Some((item, first_seen_at))) = (account, reader.item(media)?) else {
        return unknown(shell, &config, &mut reader, media);
    };
    let explanation = read(&config, &mut reader, &account, (item, first_seen_at), now)?;
    let zone = &config.time_zone;
    shell.answer(|| json!(explanation), || render(&explanation, zone));
    Ok(ExitCode::Ok)
}

/// The ledger has no row of it: never listed, or pruned. What was sent about it may be known still.
fn unknown(
    shell: &Shell,
    config: &Config,
    reader: &mut Reader,
    media: Pk,
) -> Result<ExitCode, Failure> {
    let history = reader.attempts_on(media)?;
    let keep = format!("{} days", config.history_keep.as_secs() / 86_400);
    let (profile, database) = (&config.profile, config.database.display());
    let message = if history.is_empty() {
        format!(
            "nothing is known of item {media}: profile '{profile}' in {database} has neither \
             the item nor a like of it in the last {keep}; check --profile and --database, and \
             whether its author is a target (a story goes once its life has ended)"
        )
    } else {
        format!(
            "item {media} of profile '{profile}' has left {database}: a story goes once its life \
             has ended; what was sent about it is kept for {keep}"
        )
    };
    if history.is_empty() && !shell.global.json {
        return Err(Failure::new(ExitCode::Usage, message));
    }
    shell.answer(
        || {
            json!({
                "profile": profile, "database": config.database, "known": false,
                "history": history, "why": message,
            })
        },
        || render_unknown(&message, &history, &config.time_zone),
    );
    Ok(if history.is_empty() {
        ExitCode::Usage
    } else {
        ExitCode::Ok
    })
}

fn read(
    config: &Config,
    reader: &mut Reader,
    account: &Account,
    (item, first_seen_at): (LedgerItem, Timestamp),
    now: Timestamp,
) -> Result<Explanation, Failure> {
    let holds = reader.holds(now.minus(MEMORY))?;
    let attempts = reader.attempts(now.minus(Known::looked_back(config)))?;
    let limits = LimitsInForce::new(&config.limits, &holds, &attempts, now);
    let mut targets = reader.targets()?;
    as_if_synchronised(&mut targets, &wanted(config));
    let mut items = Vec::new();
    for target in targets.iter().filter(|target| target.id.0 > 0) {
        items.extend(reader.newest_items(target.id, ITEMS_WEIGHED)?);
    }
    let target = targets
        .iter()
        .find(|target| target.id == item.target)
        .cloned();
    let history = reader.attempts_on(item.item.id.media)?;
    let rooms = Windows::new(attempts.clone());
    let windows = limits
        .for_target(Some(item.target))
        .into_iter()
        .filter(|limit| {
            let like = limit.scope.covers(AttemptKind::Like, Some(item.target));
            let view = limit.scope.covers(AttemptKind::StoryView, None);
            like || view && item.item.kind == ItemKind::Story && config.stories.mark_seen
        })
        .map(|limit| WindowReport::new(&rooms.room(limit, 1, now)))
        .collect();
    let known_since = target.as_ref().and_then(Target::known_since);
    let known = Known {
        config,
        account,
        holds: &holds,
        targets,
        items,
        attempts,
        newest: reader.newest_attempts()?.0,
    };
    let reason = standing(&item, known_since, account.ignore_posts_before, now);
    let open = matches!(
        reason,
        Reason::WouldLike { .. }
            | Reason::EffectUnknown { .. }
            | Reason::Refused { .. }
            | Reason::ExpiresSoon { .. }
    );
    let forecast = open.then(|| forecast(known, &item, now));
    let reason = forecast.as_ref().map_or(reason, |told| told.now.clone());
    let quiet = config.quiet_hours;
    Ok(Explanation {
        profile: config.profile.to_string(),
        database: config.database.display().to_string(),
        at: now,
        known: true,
        target: target_facts(config, target.as_ref(), item.item.kind, now),
        item: item_facts(&item, first_seen_at),
        history,
        why: reason.to_string(),
        reason,
        forecast,
        windows,
        likes_per_run: limits.likes_per_run,
        likes_per_target_per_run: limits.likes_per_target_per_run,
        halved_until: limits.halved_until,
        warm_up: limits.warm_up,
        quiet_until: quiet.and_then(|hours| quiet_until(hours, &config.time_zone, now)),
        holds_in_force: holds
            .iter()
            .filter(|hold| hold.in_force(now))
            .map(hold_facts)
            .collect(),
    })
}

fn item_facts(item: &LedgerItem, first_seen_at: Timestamp) -> ItemFacts {
    ItemFacts {
        id: item.item.id,
        kind: item.item.kind,
        code: item.item.code.clone(),
        taken_at: item.item.taken_at,
        expiring_at: item.item.expiring_at,
        first_seen_at,
        state: item.state,
        tries: item.tries,
        viewed_at: item.viewed_at,
        like_arrived_by: item.like_arrived_by,
        read_back_from: item.like_arrived_by.map(|at| at.plus(READ_BACK_AFTER)),
        unliked_read_at: item.unliked_read_at,
    }
}

fn target_facts(
    config: &Config,
    target: Option<&Target>,
    kind: ItemKind,
    now: Timestamp,
) -> TargetFacts {
    TargetFacts {
        username: target.map(|t| t.listed_as.clone()).unwrap_or_default(),
        enabled: target.is_some_and(|t| t.enabled),
        trouble: target.and_then(|t| t.trouble),
        retry_at: target.and_then(|t| t.retry_at),
        checked_at: target.and_then(|t| match kind {
            ItemKind::Story => t.stories_checked_at,
            ItemKind::Post => t.posts_checked_at,
        }),
        next_check_at: target.and_then(|t| next_listing(config, t, kind, now)),
    }
}

fn hold_facts(hold: &Hold) -> HoldFacts {
    HoldFacts {
        reason: hold.reason,
        since: hold.since,
        until: hold.until,
        message: hold.message.clone(),
    }
}
