//! Contradictions between keys that are fine one by one, each with its arithmetic.

use std::time::Duration;

use super::resolver::Resolver;
use super::value::Origin;
use super::{Config, WARM_UP_SILENCE, parse};

/// Notes every contradiction. Keys with a mistake of their own are not compared.
pub(super) fn contradictions(resolver: &mut Resolver<'_>, config: &Config) {
    likes_fit_into_the_run(resolver, config);
    one_like_fits_into_the_run(resolver, config);
    one_like_fits_into_the_requests(resolver, config);
    quiet_hours_have_a_time_zone(resolver, config);
    history_remembers_the_warm_up(resolver, config);
    timeouts_are_in_order(resolver, config);
    app_profile_is_whole(resolver);
}

/// For commands that cannot do without targets.
pub(super) fn some_target(resolver: &mut Resolver<'_>, config: &Config) {
    if config.targets.is_empty() && resolver.sound(&["targets"]) && resolver.file_is_sound() {
        resolver.mistake(
            "targets",
            "no account is named whose items are to be liked".to_owned(),
            "add a line such as targets = [\"a_friend\"] to the configuration file, or set \
             STORY_LIKER_TARGETS=a_friend"
                .to_owned(),
        );
    }
}

fn likes_fit_into_the_run(resolver: &mut Resolver<'_>, config: &Config) {
    let keys = [
        "limits.likes_per_run",
        "pace.between_likes",
        "limits.max_runtime",
    ];
    let (likes, limits) = (config.limits.likes_per_run, &config.limits);
    let longest = config.pace.between_likes.max;
    let needed = longest.saturating_mul(likes);
    // A flag shortens one pass on purpose; a configuration that never reaches its own limit is a
    // contradiction.
    let shortened = matches!(resolver.origin_of("limits.max_runtime"), Origin::Flag(_));
    if resolver.sound(&keys) && !shortened && needed > limits.max_runtime {
        resolver.mistake(
            "limits.likes_per_run",
            format!(
                "{likes} likes x {} (longest of pace.between_likes) = {}, more than \
                 limits.max_runtime = {}",
                show(longest),
                show(needed),
                show(limits.max_runtime)
            ),
            "fewer likes per run, shorter pauses, or a longer run".to_owned(),
        );
    }
}

fn show(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(span)
}

/// How many requests one like takes, a story's view included.
fn requests_per_like(config: &Config) -> u32 {
    if config.stories.mark_seen { 2 } else { 1 }
}

fn one_like_fits_into_the_run(resolver: &mut Resolver<'_>, config: &Config) {
    let keys = [
        "pace.between_requests",
        "limits.max_runtime",
        "stories.mark_seen",
    ];
    let shortest = config.pace.between_requests.min;
    // The listing comes before; each further request waits at least once.
    let pauses = requests_per_like(config);
    let needed = shortest.saturating_mul(pauses);
    let most = config.limits.max_runtime;
    if resolver.sound(&keys) && needed > most {
        resolver.mistake(
            "limits.max_runtime",
            format!(
                "not one like fits: after the listing {pauses} pauses x {} (shortest of \
                 pace.between_requests) = {}, more than {}",
                show(shortest),
                show(needed),
                show(most)
            ),
            "a longer run or shorter pauses".to_owned(),
        );
    }
}

fn one_like_fits_into_the_requests(resolver: &mut Resolver<'_>, config: &Config) {
    let needed = requests_per_like(config);
    let narrow = config
        .limits
        .requests
        .iter()
        .find(|limit| limit.count < needed);
    if let Some(limit) = narrow
        && resolver.sound(&["limits.requests", "stories.mark_seen"])
    {
        resolver.mistake(
            "limits.requests",
            format!(
                "{limit} can never admit one story: view 1 + like 1 = {needed} requests, more than \
                 {}",
                limit.count
            ),
            format!("{needed} or more in every window"),
        );
    }
}

fn quiet_hours_have_a_time_zone(resolver: &mut Resolver<'_>, config: &Config) {
    let zone_is_set = resolver.is_set("time_zone");
    if config.quiet_hours.is_some() && !zone_is_set {
        resolver.mistake(
            "quiet_hours",
            "nobody knows in which time zone".to_owned(),
            "together with time_zone, for example time_zone = \"Europe/Berlin\"".to_owned(),
        );
    }
}

/// Pruning must never change what the warm-up is counted from.
fn history_remembers_the_warm_up(resolver: &mut Resolver<'_>, config: &Config) {
    let Some(last) = config.limits.warm_up.last() else {
        return;
    };
    let needed = last.span + WARM_UP_SILENCE;
    if resolver.sound(&["limits.warm_up", "history.keep"]) && config.history_keep < needed {
        resolver.mistake(
            "history.keep",
            format!(
                "limits.warm_up looks back on {} + {} = {} of likes, more than {}",
                parse::show_duration(last.span),
                parse::show_duration(WARM_UP_SILENCE),
                parse::show_duration(needed),
                parse::show_duration(config.history_keep)
            ),
            format!("at least {}", parse::show_duration(needed)),
        );
    }
}

fn timeouts_are_in_order(resolver: &mut Resolver<'_>, config: &Config) {
    let keys = ["instagram.connect_timeout", "instagram.timeout"];
    let (connect, whole) = (config.instagram.connect_timeout, config.instagram.timeout);
    if resolver.sound(&keys) && connect > whole {
        resolver.mistake(
            "instagram.connect_timeout",
            format!(
                "longer than instagram.timeout = {}, which includes it",
                show(whole)
            ),
            format!("at most {}", show(whole)),
        );
    }
}

/// Parts of two app versions together are what no real app sends.
fn app_profile_is_whole(resolver: &mut Resolver<'_>) {
    const PARTS: [&str; 3] = [
        "instagram.app_profile.app_version",
        "instagram.app_profile.version_code",
        "instagram.app_profile.bloks_version_id",
    ];
    let (set, missing): (Vec<_>, Vec<_>) = PARTS.into_iter().partition(|key| resolver.is_set(key));
    if let (Some(first), false) = (set.first(), missing.is_empty()) {
        resolver.mistake(
            first,
            format!(
                "the three belong together, and {} is not set",
                missing.join(" and ")
            ),
            "all three of one app version, or none".to_owned(),
        );
    }
}
