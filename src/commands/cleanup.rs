//! `cleanup`: prunes what has expired, by hand.

use serde_json::json;

use super::shell::{Failure, Shell};
use crate::cli::Cleanup;
use crate::config::Needs;
use crate::exit::ExitCode;
use crate::model::{SHORTEST_HISTORY, Timestamp, as_written};
use crate::ports::{Retention, Store};
use crate::store::{MigratePolicy, Opening};
use crate::telemetry::logging::Stream;

/// Prunes, or counts what would go.
pub fn cleanup(shell: &Shell, flags: &Cleanup) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stdout);
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let history_keep = flags.older_than.unwrap_or(config.history_keep);
    if history_keep < SHORTEST_HISTORY {
        return Err(Failure::new(
            ExitCode::Usage,
            format!(
                "--older-than {}: the windows need the history of the last 45 days; choose 45d or \
                 more",
                as_written(history_keep)
            ),
        ));
    }
    let clock = shell.clock()?;
    let now = clock.now();
    let posts_before = flags
        .posts_before
        .map(|date| not_after(date, now).map(|()| midnight_utc(date)))
        .transpose()?;
    // A mistyped --database must not end in a new, empty file.
    let opening = Opening {
        migrate: MigratePolicy::Refuse,
        ..Opening::default()
    };
    let mut store = shell.open_as(&config, "cleanup", flags.patience, &clock, opening)?;
    let retention = Retention {
        stories_after: config.stories_after,
        history_keep,
    };
    let (pruned, posts) = if flags.dry_run {
        let posts = posts_before
            .map(|date| store.cleanable_posts(date))
            .transpose()?;
        (store.prunable(&retention, now)?, posts)
    } else {
        let posts = posts_before
            .map(|date| store.cleanup_posts(date))
            .transpose()?;
        (store.prune(&retention, now)?, posts)
    };
    let noted = store.account_unopened()?.ignore_posts_before;
    shell.report(
        || {
            json!({
                "dry_run": flags.dry_run, "pruned": pruned, "posts": posts,
                "ignore_posts_before": noted,
            })
        },
        || {
            let verb = if flags.dry_run {
                "would remove"
            } else {
                "removed"
            };
            let mut text = format!(
                "{verb} {} stories ({} never liked), {} attempts, {} holds, {} runs",
                pruned.stories, pruned.missed, pruned.attempts, pruned.holds, pruned.runs
            );
            if let (Some(posts), Some(date)) = (posts, posts_before) {
                let never = noted.map_or(date, |noted| noted.max(date));
                text.push_str(&format!(
                    "\n{verb} {posts} posts older than {date}; those before {never} are never \
                     liked again"
                ));
            }
            text
        },
    );
    Ok(ExitCode::Ok)
}

/// With a date to come, no post of today or of the days until then would ever be liked, and nothing
/// takes that back.
fn not_after(date: jiff::civil::Date, now: Timestamp) -> Result<(), Failure> {
    // Days rather than moments: the last day of the calendar has no midnight.
    let today = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    let today = jiff::tz::TimeZone::UTC.to_datetime(today).date();
    if date <= today {
        return Ok(());
    }
    Err(Failure::new(
        ExitCode::Usage,
        format!(
            "--posts-before {date} is after today ({today} UTC): no new post would be liked until \
             then, and a later cleanup cannot take it back; give {today} or an earlier day"
        ),
    ))
}

fn midnight_utc(date: jiff::civil::Date) -> Timestamp {
    // Only the first day of the calendar has no timestamp; it is as good as never.
    date.to_zoned(jiff::tz::TimeZone::UTC)
        .map_or(Timestamp::from_millis(i64::MIN), |zoned| {
            Timestamp::from_millis(zoned.timestamp().as_millisecond())
        })
}
