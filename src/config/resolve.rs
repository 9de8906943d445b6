//! What was typed becomes what it means. Every key is read once; a mistake is noted and the default
//! stands in, so that all mistakes are found in one go and no configuration with one gets out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::environment::Environment;
use super::error::{ConfigErrors, Mistake};
use super::raw::{RawConfig, Request, Setting};
use super::value::{Origin, Value};
use super::{
    AccountConfig, AppProfile, BaseUrl, Config, FirstContact, InstagramConfig, Limits, Pace,
    PauseRange, Posts, SessionConfig, Stories, TargetConfig, ceilings, checks, keys, parse,
    secrets,
};
use crate::model::{Limit, Secret};

/// No rolling window is longer; what is older may be pruned.
pub(super) const LONGEST_WINDOW: Duration = Duration::from_hours(35 * 24);

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The value a key has in the end, and where it came from.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// Its value; `None` where there is none.
    pub value: Option<Value>,
    /// Where it came from.
    pub origin: Origin,
}

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
    let mut raw = RawConfig::collect(request, environment);
    let mistakes = std::mem::take(&mut raw.mistakes);
    let mut resolver = Resolver {
        raw: &raw,
        environment,
        mistakes,
        failed: BTreeSet::new(),
        effective: BTreeMap::new(),
        unsafe_limits: false,
    };
    let config = resolver.config();
    checks::contradictions(&mut resolver, &config);
    if request.needs_targets {
        checks::some_target(&mut resolver, &config);
    }
    if !resolver.mistakes.is_empty() {
        return Err(ConfigErrors(resolver.mistakes));
    }
    Ok(Loaded {
        config,
        effective: resolver.table(),
        file: raw.file.as_deref().cloned(),
    })
}

/// Reads keys one by one and collects mistakes.
pub(super) struct Resolver<'r> {
    raw: &'r RawConfig,
    environment: &'r Environment,
    mistakes: Vec<Mistake>,
    failed: BTreeSet<&'static str>,
    effective: BTreeMap<&'static str, (Option<Value>, Origin)>,
    unsafe_limits: bool,
}

impl Resolver<'_> {
    /// Notes a mistake in the value of `key`.
    pub(super) fn mistake(&mut self, key: &'static str, problem: String, allowed: String) {
        let setting = self.raw.settings.get(key);
        let default = || keys::default_of(key).map(|value| value.to_string());
        self.failed.insert(key);
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            value: setting.map_or_else(default, |set| Some(parse::showable(key, &set.value))),
            origin: setting.map_or(Origin::Default, |set| set.origin.clone()),
            problem,
            allowed,
        });
    }

    /// Whether none of these keys has a mistake, so that their values may be compared.
    pub(super) fn sound(&self, keys: &[&'static str]) -> bool {
        keys.iter().all(|key| !self.failed.contains(key))
    }

    /// Whether somebody set the key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.raw.settings.contains_key(key)
    }

    /// What the key was set to, unless it has no default and nobody set it.
    fn optional<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let default = || Setting {
            value: keys::default_of(key).unwrap_or(Value::List(Vec::new())),
            origin: Origin::Default,
        };
        let setting = match self.raw.settings.get(key) {
            Some(setting) => setting.clone(),
            None if keys::default_of(key).is_none() => {
                self.effective.insert(key, (None, Origin::Default));
                return None;
            }
            None => default(),
        };
        match parse(&setting.value) {
            Ok(parsed) => {
                let entry = (Some(setting.value), setting.origin);
                self.effective.insert(key, entry);
                Some(parsed)
            }
            Err(problem) => {
                self.mistake(key, problem, allowed.to_owned());
                None
            }
        }
    }

    /// What the key was set to, or its default.
    fn required<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> T {
        self.optional(key, allowed, &parse).unwrap_or_else(|| {
            let default = keys::default_of(key).expect("a required key has a default");
            parse(&default).expect("defaults are valid")
        })
    }

    /// Replaces what `config show` tells of a key.
    fn show(&mut self, key: &'static str, value: Option<Value>) {
        if let Some(entry) = self.effective.get_mut(key) {
            entry.0 = value;
        }
    }

    fn truth(&mut self, key: &'static str) -> bool {
        self.required(key, "true or false", parse::truth)
    }

    fn duration(&mut self, key: &'static str, least: Duration, most: Duration) -> Duration {
        let allowed = format!(
            "{} to {}, with a unit",
            parse::show_duration(least),
            parse::show_duration(most)
        );
        self.required(key, &allowed, |value| {
            let span = parse::duration(value)?;
            if span < least {
                return Err("too short".to_owned());
            }
            if span > most {
                return Err("too long".to_owned());
            }
            Ok(span)
        })
    }

    /// A whole number up to `safe`, or up to `most` with `limits.allow_unsafe_limits`.
    fn count(&mut self, key: &'static str, safe: u32, most: u32) -> u32 {
        let most = if self.unsafe_limits { most } else { safe };
        let allowed = format!("1 to {most}{}", self.beyond());
        self.required(key, &allowed, |value| {
            let count = parse::count(value)?;
            if count == 0 {
                return Err("this would never allow anything".to_owned());
            }
            if count > most {
                return Err(format!("more than {most}"));
            }
            Ok(count)
        })
    }

    /// How to go beyond what is allowed, where that is possible.
    fn beyond(&self) -> &'static str {
        if self.unsafe_limits {
            ""
        } else {
            "; beyond only with limits.allow_unsafe_limits = true, at the account's risk"
        }
    }

    fn limits(&mut self, key: &'static str, ceilings: &[Limit]) -> Vec<Limit> {
        let unsafe_limits = self.unsafe_limits;
        let allowed = format!(
            "COUNT/SPAN or a list of them, up to {}{}",
            ceilings::list(ceilings),
            self.beyond()
        );
        let limits = self.required(key, &allowed, |value| {
            let limits = parse::limits(value)?;
            within(&limits, ceilings, unsafe_limits)?;
            Ok(limits)
        });
        if unsafe_limits {
            return limits;
        }
        let all = ceilings::completed(&limits, ceilings);
        let shown = all.iter().map(|limit| Value::Text(limit.to_string()));
        self.show(key, Some(Value::List(shown.collect())));
        all
    }

    /// A part that is left out keeps its default.
    fn likes_per_target(&mut self) -> (u32, Vec<Limit>) {
        const KEY: &str = "limits.likes_per_target";
        /// Per run, without `limits.allow_unsafe_limits`.
        const SAFE_PER_RUN: u32 = 10;
        let unsafe_limits = self.unsafe_limits;
        let allowed = format!(
            "a number per run (up to {SAFE_PER_RUN}) and COUNT/SPAN windows (up to {}), for \
             example [3, \"8/24h\"]{}",
            ceilings::list(ceilings::LIKES_PER_TARGET),
            self.beyond()
        );
        let (per_run, windows) = self.required(KEY, &allowed, |value| {
            let (per_run, windows) = parse::per_target(value)?;
            if per_run == Some(0) {
                return Err("this would never allow anything".to_owned());
            }
            if per_run.is_some_and(|count| count > SAFE_PER_RUN) && !unsafe_limits {
                return Err(format!("more than {SAFE_PER_RUN} per run"));
            }
            within(&windows, ceilings::LIKES_PER_TARGET, unsafe_limits)?;
            Ok((per_run, windows))
        });
        let default = keys::default_of(KEY).and_then(|value| parse::per_target(&value).ok());
        let (default_per_run, default_windows) = default.expect("the default is valid");
        let per_run = per_run.or(default_per_run).expect("the default has one");
        let mut windows = if windows.is_empty() {
            default_windows
        } else {
            windows
        };
        if !unsafe_limits {
            windows = ceilings::completed(&windows, ceilings::LIKES_PER_TARGET);
        }
        let shown = windows.iter().map(|limit| Value::Text(limit.to_string()));
        let shown = std::iter::once(Value::Integer(per_run.into())).chain(shown);
        self.show(KEY, Some(Value::List(shown.collect())));
        (per_run, windows)
    }

    /// A range of pauses whose shortest is at least `floor`.
    fn pause(&mut self, key: &'static str, floor: Duration) -> PauseRange {
        let floor = if self.unsafe_limits {
            Duration::ZERO
        } else {
            floor
        };
        let allowed = format!(
            "MIN..MAX, MIN at least {}, MAX at most 1h{}",
            parse::show_duration(floor),
            self.beyond()
        );
        self.required(key, &allowed, |value| {
            let pause = parse::pause(value)?;
            if pause.min < floor {
                return Err("the shortest pause is too short".to_owned());
            }
            if pause.max > HOUR {
                return Err("the longest pause is too long".to_owned());
            }
            Ok(pause)
        })
    }

    /// A path; one in the configuration file is relative to that file's folder.
    fn path(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&Value) -> Result<PathBuf, String>,
    ) -> Option<PathBuf> {
        let path = self.optional(key, allowed, parse)?;
        match self.raw.settings.get(key).map(|setting| &setting.origin) {
            Some(Origin::File { path: file, .. }) => Some(folder_of(file).join(path)),
            _ => Some(path),
        }
    }

    fn config(&mut self) -> Config {
        self.unsafe_limits = self.truth("limits.allow_unsafe_limits");
        let account = self.account();
        let relogin = self.relogin(&account);
        Config {
            profile: self.raw.profile.clone(),
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
            history_keep: self.duration("history.keep", 45 * DAY, 1830 * DAY),
            instagram: self.instagram(),
            account,
        }
    }

    fn account(&mut self) -> AccountConfig {
        let username = self.optional("account.username", "your login name", |value| {
            let name = value.as_text()?;
            let name = name.strip_prefix('@').unwrap_or(name);
            let odd = name.is_empty() || name.len() > 254 || name.contains(char::is_whitespace);
            if odd || name.contains(char::is_control) {
                return Err("not a login name".to_owned());
            }
            Ok(name.to_owned())
        });
        let password = self.secret(secrets::PASSWORD);
        let totp_secret =
            self.secret(secrets::TOTP_SECRET).filter(|secret| {
                let fine = secrets::is_totp_secret(secret);
                if !fine {
                    let (_, origin) = self.effective[secrets::TOTP_SECRET.key].clone();
                    self.secret_mistake(secrets::TOTP_SECRET, secrets::Refused {
                    origin,
                    problem: "not the base32 secret of an authenticator app".to_owned(),
                    remedy: "the 16 or more letters and digits 2-7 shown when the app was set up"
                        .to_owned(),
                });
                }
                fine
            });
        AccountConfig {
            username,
            password,
            totp_secret,
        }
    }

    fn secret(&mut self, kind: secrets::Kind) -> Option<Secret> {
        let path = self.path(kind.file_key, "the path of a file", parse::path);
        let origin = self.raw.settings.get(kind.file_key);
        let file = path.zip(origin.map(|setting| setting.origin.clone()));
        match secrets::find(kind, file, self.environment) {
            Ok(found) => {
                let (secret, origin) = found.unzip();
                let shown = secret.as_ref().map(|_| Value::Text("***".to_owned()));
                let origin = origin.unwrap_or(Origin::Default);
                self.effective.insert(kind.key, (shown, origin));
                secret
            }
            Err(refused) => {
                self.secret_mistake(kind, refused);
                None
            }
        }
    }

    fn secret_mistake(&mut self, kind: secrets::Kind, refused: secrets::Refused) {
        self.failed.insert(kind.key);
        self.mistakes.push(Mistake {
            key: kind.key.to_owned(),
            value: None,
            origin: refused.origin,
            problem: refused.problem,
            allowed: refused.remedy,
        });
    }

    fn relogin(&mut self, account: &AccountConfig) -> bool {
        const KEY: &str = "session.relogin";
        let wish = self.optional(KEY, "\"once-a-day\" or \"never\"", |value| {
            match value.as_text()? {
                "once-a-day" => Ok(true),
                "never" => Ok(false),
                _ => Err("not one of the two choices".to_owned()),
            }
        });
        let possible = account.password.is_some();
        if wish == Some(true) && !possible && self.sound(&[secrets::PASSWORD.key]) {
            self.mistake(
                KEY,
                "logging in again needs a password, and none is configured".to_owned(),
                "\"never\", or set account.password_file".to_owned(),
            );
        }
        let relogin = wish.unwrap_or(possible);
        let word = if relogin { "once-a-day" } else { "never" };
        self.show(KEY, Some(Value::Text(word.to_owned())));
        relogin
    }

    fn database(&mut self) -> PathBuf {
        const KEY: &str = "database";
        let allowed = "a path, sqlite:PATH or sqlite:///absolute/path";
        let path = self.path(KEY, allowed, parse::database);
        let path = path.or_else(|| self.default_database());
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

    fn default_database(&self) -> Option<PathBuf> {
        const FILE: &str = "stories.db";
        // systemd lists several folders with colons in between; the first is ours.
        let service = self.environment.absolute_path("STATE_DIRECTORY");
        let service = service.as_deref().and_then(Path::to_str);
        if let Some(folder) = service.and_then(|list| list.split(':').next()) {
            return Some(Path::new(folder).join(FILE));
        }
        let state = self.environment.absolute_path("XDG_STATE_HOME");
        let home = || Some(self.environment.absolute_path("HOME")?.join(".local/state"));
        let state = state.or_else(home)?;
        Some(state.join("story-liker").join(FILE))
    }

    fn targets(&mut self, own_name: Option<&str>) -> Vec<TargetConfig> {
        const KEY: &str = "targets";
        const ALLOWED: &str = "user names, or tables with username, enabled, stories and posts";
        let entries = self.optional(KEY, ALLOWED, |value| match value {
            Value::Text(text) => Ok(text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|name| !name.is_empty())
                .map(|name| Value::Text(name.to_owned()))
                .collect()),
            Value::List(items) => Ok(items.clone()),
            other => Err(format!("{} where a list belongs", other.kind())),
        });
        let mut targets: Vec<TargetConfig> = Vec::new();
        let mut problems = Vec::new();
        for entry in entries.unwrap_or_default() {
            match parse::target(&entry) {
                Err(problem) => problems.push(problem),
                Ok(target) => {
                    let name = &target.username;
                    if targets.iter().any(|other| &other.username == name) {
                        problems.push(format!("{name} is listed twice"));
                    } else if own_name.is_some_and(|own| own.eq_ignore_ascii_case(name)) {
                        problems.push(format!("{name} is your own account"));
                    }
                    targets.push(target);
                }
            }
        }
        if self.sound(&[KEY]) && self.is_set(KEY) {
            let shown = targets.iter().map(shown_target).collect();
            self.show(KEY, Some(Value::List(shown)));
        }
        for problem in problems {
            self.mistake(KEY, problem, ALLOWED.to_owned());
        }
        targets
    }

    fn all_limits(&mut self) -> Limits {
        let (likes_per_target_per_run, likes_per_target) = self.likes_per_target();
        let longest_run = if self.unsafe_limits { DAY } else { 30 * MINUTE };
        Limits {
            likes: self.limits("limits.likes", ceilings::LIKES),
            story_views: self.limits("limits.story_views", ceilings::STORY_VIEWS),
            requests: self.limits("limits.requests", ceilings::REQUESTS),
            logins: self.limits("limits.logins", ceilings::LOGINS),
            likes_per_run: self.count("limits.likes_per_run", 20, 1000),
            likes_per_target_per_run,
            likes_per_target,
            max_runtime: self.duration("limits.max_runtime", SECOND, longest_run),
        }
    }

    fn check_every(&mut self, key: &'static str) -> Duration {
        let least = if self.unsafe_limits { SECOND } else { MINUTE };
        self.duration(key, least, 30 * DAY)
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
            timeout: self.duration("instagram.timeout", short, 5 * MINUTE),
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

    fn table(&self) -> Vec<Effective> {
        let secrets = [secrets::PASSWORD.key, secrets::TOTP_SECRET.key];
        let names = keys::KEYS.iter().map(|key| key.name).chain(secrets);
        names
            .map(|key| {
                let known = self.effective.get(key).cloned();
                let (value, origin) = known.unwrap_or((None, Origin::Default));
                Effective { key, value, origin }
            })
            .collect()
    }
}

fn within(limits: &[Limit], ceilings: &[Limit], unsafe_limits: bool) -> Result<(), String> {
    if let Some(limit) = limits.iter().find(|limit| limit.span > LONGEST_WINDOW) {
        let longest = parse::show_duration(LONGEST_WINDOW);
        return Err(format!("{limit} is a window longer than {longest}"));
    }
    match ceilings::first_beyond(limits, ceilings) {
        Some((limit, most)) if !unsafe_limits => Err(format!(
            "{limit} is more than {most} in {}",
            parse::show_duration(limit.span)
        )),
        _ => Ok(()),
    }
}

fn folder_of(file: &Arc<PathBuf>) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// As short as it can be said.
fn shown_target(target: &TargetConfig) -> Value {
    let name = Value::Text(target.username.clone());
    let flags = [
        ("enabled", target.enabled),
        ("stories", target.stories),
        ("posts", target.posts),
    ];
    if flags.iter().all(|(_, on)| *on) {
        return name;
    }
    let flags = flags.map(|(flag, on)| (flag.to_owned(), Value::Bool(on)));
    Value::Table(
        std::iter::once(("username".to_owned(), name))
            .chain(flags)
            .collect(),
    )
}
