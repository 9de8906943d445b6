//! `config check`: what the settings lead to, computed without looking at the account.
//!
//! Rates are sustained ones. What a limit admits is an upper bound: checks take none of it away, for
//! where requests run short they yield to likes, and one listing may bring many items. Whether there
//! is anything to like is another matter.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::Config;
use super::parse::show_duration as show;
use super::rates::{checks_a_day, most_a_day, passes_a_day};
use super::resolve::Loaded;
use super::show::heading;

const DAY: Duration = Duration::from_hours(24);

/// Posts on a page of a profile's feed.
const POSTS_PER_PAGE: u32 = 12;

/// What the settings lead to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// Targets that are enabled.
    pub targets: u32,
    /// One round over all of them.
    pub round: Round,
    /// Requests a day for listing stories and posts, with a pass every hour.
    pub check_requests_per_day: u32,
    /// What each limit admits, the tightest first.
    pub bounds: Vec<Bound>,
    /// What an operator probably does not intend.
    pub warnings: Vec<String>,
}

/// One listing of everything that is wanted of every target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// How many requests it takes.
    pub requests: u32,
    /// With the shortest pauses and the best order, in seconds.
    pub shortest_secs: u64,
    /// With the longest pauses and the worst order, in seconds.
    pub longest_secs: u64,
    /// How many passes of `limits.max_runtime` that is at most.
    pub passes: u64,
}

/// How many likes a day a limit admits at most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// The key.
    pub key: &'static str,
    /// The arithmetic.
    pub because: String,
    /// Likes a day.
    pub likes_per_day: u32,
}

/// Computes the forecast.
pub fn forecast(config: &Config) -> Forecast {
    let enabled: Vec<_> = config
        .targets
        .iter()
        .filter(|target| target.enabled)
        .collect();
    let targets = count(enabled.len());
    let stories = count(enabled.iter().filter(|target| target.stories).count());
    let posts = count(enabled.iter().filter(|target| target.posts).count());
    let post_pages = config.posts.per_target.div_ceil(POSTS_PER_PAGE);
    let round = round(config, targets, stories, posts, post_pages);
    let checks = |every| checks_a_day(every, config.quiet_hours);
    let check_requests = f64::from(stories) * checks(config.stories.check_every)
        + f64::from(posts * post_pages) * checks(config.posts.check_every);
    let bounds = bounds(config, targets, posts > 0);
    let mut forecast = Forecast {
        targets,
        round,
        check_requests_per_day: whole(check_requests.round()),
        bounds,
        warnings: Vec::new(),
    };
    forecast.warnings = warnings(config, &forecast);
    forecast
}

fn round(config: &Config, targets: u32, stories: u32, posts: u32, post_pages: u32) -> Round {
    let pace = &config.pace;
    let checks = stories + posts;
    let requests = stories + posts * post_pages;
    let gaps = requests.saturating_sub(1);
    let fewest_changes = targets.saturating_sub(1).min(gaps);
    // All stories first, then all posts: every check may be another target's.
    let most_changes = if targets > 1 {
        checks.saturating_sub(1)
    } else {
        0
    };
    let change = |requests: Duration, targets: Duration| requests.max(targets);
    let shortest = fewest_changes * change(pace.between_requests.min, pace.between_targets.min)
        + (gaps - fewest_changes) * pace.between_requests.min;
    let longest = most_changes * change(pace.between_requests.max, pace.between_targets.max)
        + (gaps - most_changes) * pace.between_requests.max
        + pace.start_jitter;
    let run = config.limits.max_runtime.as_secs().max(1);
    Round {
        requests,
        shortest_secs: shortest.as_secs(),
        longest_secs: longest.as_secs(),
        passes: longest.as_secs().div_ceil(run).max(1),
    }
}

fn bounds(config: &Config, targets: u32, posts: bool) -> Vec<Bound> {
    let limits = &config.limits;
    let a_day = |limit| most_a_day(limit, config.quiet_hours);
    let mut bounds = Vec::new();
    let mut add = |key, because, likes: f64| {
        bounds.push(Bound {
            key,
            because,
            likes_per_day: whole(likes.ceil()),
        });
    };
    for limit in &limits.likes {
        add("limits.likes", limit.to_string(), a_day(limit));
    }
    for limit in &limits.likes_per_target {
        let because = format!("{limit} x {targets} targets");
        let likes = f64::from(targets) * a_day(limit);
        add("limits.likes_per_target", because, likes);
    }
    // A post is liked without a view: where posts are wanted, views bound no number of likes.
    let every_like_has_a_view = config.stories.mark_seen && !posts;
    if every_like_has_a_view {
        for limit in &limits.story_views {
            let because = format!("{limit}, a view before each like");
            add("limits.story_views", because, a_day(limit));
        }
    }
    let per_like = if every_like_has_a_view { 2 } else { 1 };
    for limit in &limits.requests {
        let because = format!("{limit}, at least {per_like} for each like");
        let likes = a_day(limit) / f64::from(per_like);
        add("limits.requests", because, likes);
    }
    let passes = passes_a_day(config.quiet_hours);
    add(
        "limits.likes_per_run",
        format!("{} x {passes} hourly passes", limits.likes_per_run),
        f64::from(limits.likes_per_run) * f64::from(passes),
    );
    bounds.sort_by_key(|bound| bound.likes_per_day);
    bounds
}

fn warnings(config: &Config, forecast: &Forecast) -> Vec<String> {
    let mut warnings = Vec::new();
    let checks = f64::from(forecast.check_requests_per_day);
    for limit in &config.limits.requests {
        let admitted = most_a_day(limit, config.quiet_hours);
        if admitted >= checks {
            continue;
        }
        warnings.push(format!(
            "checks take {} requests a day, limits.requests {limit} admits {}: targets are checked \
             less often than check_every says",
            forecast.check_requests_per_day,
            whole(admitted)
        ));
    }
    if forecast.round.passes > 1 {
        warnings.push(format!(
            "one round over all targets can take {} passes of {}",
            forecast.round.passes,
            show(config.limits.max_runtime)
        ));
    }
    if config.stories.check_every >= DAY && config.targets.iter().any(|target| target.stories) {
        warnings.push(format!(
            "stories live 24h; checked every {} most are missed",
            show(config.stories.check_every)
        ));
    }
    if let (Some(first), Some(last)) = (config.limits.warm_up.first(), config.limits.warm_up.last())
    {
        warnings.push(format!(
            "limits.warm_up: the figures hold from {} after the first like on; it begins with {}% \
             of the limits of likes and story views",
            show(last.span),
            first.percent
        ));
    }
    if !config.stories.mark_seen {
        warnings.push(
            "stories.mark_seen = false: the like of a story that was not seen does not reach its \
             author"
                .to_owned(),
        );
    }
    if config.account.username.is_none() {
        warnings
            .push("account.username is not set; logging in with a password needs it".to_owned());
    }
    warnings
}

/// The verdict and the forecast for people.
pub fn text(loaded: &Loaded, forecast: &Forecast) -> String {
    let mut text = heading(loaded);
    let round = &forecast.round;
    let _ = writeln!(text, "The configuration is in order.\n");
    let _ = writeln!(text, "targets           {}", forecast.targets);
    let _ = writeln!(
        text,
        "one round         {} requests, {} to {}, likes not included",
        round.requests,
        humantime::format_duration(Duration::from_secs(round.shortest_secs)),
        humantime::format_duration(Duration::from_secs(round.longest_secs)),
    );
    let _ = writeln!(
        text,
        "requests per day  {} for checks by hourly passes, and for each like {}",
        forecast.check_requests_per_day,
        if loaded.config.stories.mark_seen {
            "1 (post) or 2 (story)"
        } else {
            "1"
        },
    );
    if let Some(first) = forecast.bounds.first() {
        let _ = writeln!(
            text,
            "likes per day     at most {}: {} binds first\n",
            first.likes_per_day, first.key
        );
    }
    for bound in &forecast.bounds {
        let _ = writeln!(
            text,
            "  {:>6}  {:<24}  {}",
            bound.likes_per_day, bound.key, bound.because
        );
    }
    for warning in &forecast.warnings {
        let _ = writeln!(text, "\nnote: {warning}");
    }
    text.trim_end().to_owned()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Rounded down; saturates.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what a forecast wants"
)]
fn whole(number: f64) -> u32 {
    number as u32
}
