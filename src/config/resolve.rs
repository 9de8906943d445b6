//! What was typed becomes what it means. Every key is read once; a mistake is noted and the default
//! stands in, so that all mistakes are found in one go and no configuration with one gets out.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::error::{ConfigErrors, Mistake};
use super::raw::{RawConfig, Request};
use super::resolver::Resolver;
use super::value::{Effective, Value};
use super::{
    AppProfile, BaseUrl, Config, FirstContact, InstagramConfig, Limits, Pace, Posts, SessionConfig,
    Stories, ceilings, checks, parse, places,
};
use crate::model::{ProfileName, SHORTEST_HISTORY};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A resolved configuration and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it means.
    pub config: Config,
    /// Every key with its value and origin, secrets as `***`.
    pub effective: Vec<Effective>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// Reads flags, environment and file and resolves them.
pub fn load(request: &Request, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    resolve(
        RawConfig::collect(request, environment),
        request,
        environment,
    )
}

/// What all layers together mean.
pub(super) fn resolve(
    raw: RawConfig,
    request: &Request,
    environment: &Environment,
) -> Result<Loaded, ConfigErrors> {
    let Inspected { loaded, mistakes } = look_through(raw, request, environment);
    if mistakes.is_empty() {
        Ok(loaded)
    } else {
        Err(ConfigErrors(mistakes))
    }
}

/// A configuration that may have mistakes: something to look at, nothing to act by.
pub struct Inspected {
    /// What it means, with defaults where the mistakes are. Without a place for the database, that
    /// path is empty.
    pub loaded: Loaded,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}

impl Inspected {
    /// Where the figures go, and whose: who looks at figures should see that there are mistakes.
    /// `None` if this is not configured, or if a mistake hides it.
    pub fn metrics_file(&self) -> Option<(ProfileName, PathBuf)> {
        if self.mistakes.iter().any(|mistake| mistake.key == "profile") {
            return None;
        }
        let config = &self.loaded.config;
        Some((config.profile.clone(), config.metrics_file.clone()?))
    }
}

/// Reads flags, environment and file as [`load`] does, and goes on with what it can.
pub fn inspect(request: &Request, environment: &Environment) -> Inspected {
    let raw = RawConfig::collect(request, environment);
    look_through(raw, request, environment)
}

fn look_through(mut raw: RawConfig, request: &Request, environment: &Environment) -> Inspected {
    let mistakes = std::mem::take(&mut raw.mistakes);
    let mut resolver = Resolver::new(&raw, environment, mistakes);
    let config = resolver.config();
    checks::contradictions(&mut resolver, &config);
    if request.needs_targets {
        checks::some_target(&mut resolver, &config);
    }
    let (effective, mistakes) = resolver.finish();
    let loaded = Loaded {
        effective,
        config,
        file: raw.file.as_deref().cloned(),
    };
    Inspected { loaded, mistakes }
}

impl Resolver<'_> {
    fn config(&mut self) -> Config {
        self.read_unsafe_limits();
        let account = self.account();
        let relogin = self.relogin(&account);
        Config {
            profile: self.raw.profile.clone(),
            session_keys: self.session_keys(),
            database: self.database(),
            targets: self.targets(account.username.as_deref()),
            limits: self.all_limits(),
            pace: Pace {
                between_likes: self.pause("pace.between_likes", 10 * SECOND),
                between_requests: self.pause("pace.between_requests", 2 * SECOND),
                between_targets: self.pause("pace.between_targets", 5 * SECOND),
                start_jitter: self.duration("pace.start_jitter", Duration::ZERO, HOUR),
            },
            stories: Stories {
                check_every: self.check_every("stories.check_every"),
                mark_seen: self.truth("stories.mark_seen"),
            },
            posts: Posts {
                check_every: self.check_every("posts.check_every"),
                per_target: self.count("posts.per_target", 50, 500),
                max_age: self.duration("posts.max_age", HOUR, 365 * DAY),
            },
            first_contact: FirstContact {
                like_stories: self.first_contact("first_contact.stories"),
                like_posts: self.first_contact("first_contact.posts"),
            },
            quiet_hours: self.optional(
                "quiet_hours",
                "HH:MM-HH:MM, for example \"22:00-07:00\"",
                parse::quiet_hours,
            ),
            time_zone: self
                .optional(
                    "time_zone",
                    "a name such as \"Europe/Berlin\" or \"UTC\"",
                    parse::time_zone,
                )
                .unwrap_or(jiff::tz::TimeZone::UTC),
            session: SessionConfig {
                keep_alive: self.duration("session.keep_alive", MINUTE, 30 * DAY),
                relogin,
            },
            stories_after: self.duration("cleanup.stories_after", HOUR, 365 * DAY),
            history_keep: self.duration("history.keep", SHORTEST_HISTORY, 1830 * DAY),
            metrics_file: self.metrics_file(),
            ping: self.ping(),
            notify: self.notify(),
            instagram: self.instagram(),
            account,
        }
    }

    fn metrics_file(&mut self) -> Option<PathBuf> {
        self.path(
            "metrics.file",
            "the path of a file whose name ends in .prom, such as \
             /var/lib/prometheus/node-exporter/story-liker.prom",
            parse::metrics_file,
        )
    }

    fn database(&mut self) -> PathBuf {
        const KEY: &str = "database";
        let allowed = "a path, sqlite:PATH or sqlite:///absolute/path";
        let path = self.path(KEY, allowed, parse::database);
        let path = path.or_else(|| {
            let file = self.raw.file.as_deref().map(PathBuf::as_path);
            places::database(self.environment, file)
        });
        let Some(path) = path else {
            if self.sound(&[KEY]) {
                self.mistake(
                    KEY,
                    "none of STATE_DIRECTORY, XDG_STATE_HOME and HOME tells where to keep it"
                        .to_owned(),
                    allowed.to_owned(),
                );
            }
            return PathBuf::new();
        };
        self.show(KEY, Some(Value::Text(path.display().to_string())));
        path
    }

    fn all_limits(&mut self) -> Limits {
        let (likes_per_target_per_run, likes_per_target) = self.likes_per_target();
        Limits {
            likes: self.limits("limits.likes", ceilings::LIKES),
            story_views: self.limits("limits.story_views", ceilings::STORY_VIEWS),
            requests: self.limits("limits.requests", ceilings::REQUESTS),
            logins: self.limits("limits.logins", ceilings::LOGINS),
            likes_per_run: self.count("limits.likes_per_run", 20, 1000),
            likes_per_target_per_run,
            likes_per_target,
            warm_up: self
                .optional(
                    "limits.warm_up",
                    "SHARE%/SPAN or a list of growing ones, 1% to 99%, up to 35d, for example \
                     [\"25%/3d\", \"50%/7d\"]",
                    parse::warm_up,
                )
                .unwrap_or_default(),
            max_runtime: self.duration_or_beyond(
                "limits.max_runtime",
                (SECOND, ceilings::MAX_RUNTIME),
                (SECOND, DAY),
            ),
        }
    }

    fn check_every(&mut self, key: &'static str) -> Duration {
        self.duration_or_beyond(key, (MINUTE, 30 * DAY), (SECOND, 30 * DAY))
    }

    fn first_contact(&mut self, key: &'static str) -> bool {
        self.required(key, "\"like\" or \"observe\"", |value| {
            match value.as_text()? {
                "like" => Ok(true),
                "observe" => Ok(false),
                _ => Err("not one of the two choices".to_owned()),
            }
        })
    }

    fn instagram(&mut self) -> InstagramConfig {
        let base_url = self.required(
            "instagram.base_url",
            "https://i.instagram.com, or http(s):// and a loopback address such as 127.0.0.1:8080",
            parse::base_url,
        );
        let ca_file = self.path("instagram.ca_file", "the path of a PEM file", parse::path);
        if let Some(path) = &ca_file
            && !path.is_file()
        {
            let problem = format!("there is no file {}", path.display());
            let allowed = "the path of a PEM file".to_owned();
            self.mistake("instagram.ca_file", problem, allowed);
        }
        if ca_file.is_some() && base_url == BaseUrl::Real && self.sound(&["instagram.base_url"]) {
            self.mistake(
                "instagram.ca_file",
                "other roots than the system's are for a practice server only: whoever holds them \
                 could read the session"
                    .to_owned(),
                "only together with a loopback instagram.base_url".to_owned(),
            );
        }
        let short = Duration::from_millis(100);
        InstagramConfig {
            base_url,
            connect_timeout: self.duration("instagram.connect_timeout", short, MINUTE),
            // What a stop waits for: units and manifests allow for no longer request.
            timeout: self.duration("instagram.timeout", short, Duration::from_secs(30)),
            ca_file,
            app_profile: self.app_profile(),
        }
    }

    fn app_profile(&mut self) -> AppProfile {
        let matching = |allowed: fn(char) -> bool| {
            move |value: &Value| {
                let text = value.as_text()?;
                if !text.is_empty() && text.chars().all(allowed) {
                    Ok(text.to_owned())
                } else {
                    Err("unexpected characters".to_owned())
                }
            }
        };
        AppProfile {
            app_version: self.required(
                "instagram.app_profile.app_version",
                "digits and dots in quotes",
                matching(|c| c.is_ascii_digit() || c == '.'),
            ),
            version_code: self.required(
                "instagram.app_profile.version_code",
                "digits in quotes",
                matching(|c| c.is_ascii_digit()),
            ),
            bloks_version_id: self.required(
                "instagram.app_profile.bloks_version_id",
                "64 hexadecimal digits in quotes",
                |value| {
                    let text = matching(|c| c.is_ascii_hexdigit())(value)?;
                    let right = text.len() == 64;
                    right.then_some(text).ok_or("not 64 digits".to_owned())
                },
            ),
        }
    }
}
