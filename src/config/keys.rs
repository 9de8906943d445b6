//! The one list of configuration keys. Names of environment variables, the suggestion for a
//! misspelt key, the defaults, `config show` and the check of `examples/config.toml` follow from it.

use super::value::Value;

/// A configuration key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its path in the file, for example `limits.likes`.
    pub name: &'static str,
    /// Its default as a TOML literal; `None` where there is none or it depends on other things.
    pub default: Option<&'static str>,
}

const fn key(name: &'static str, default: &'static str) -> Key {
    Key {
        name,
        default: Some(default),
    }
}

const fn optional(name: &'static str) -> Key {
    Key {
        name,
        default: None,
    }
}

/// Every key, in the order in which it is shown. The figures are a judgement from many public
/// reports of blocked accounts, conservative on purpose.
pub const KEYS: &[Key] = &[
    optional("account.username"),
    optional("account.password_file"),
    optional("account.totp_secret_file"),
    optional("secrets.key_file"),
    optional("secrets.old_key_files"),
    optional("targets"),
    optional("database"),
    key("limits.likes", r#"["12/1h", "60/24h", "300/7d"]"#),
    key("limits.story_views", r#"["30/1h"]"#),
    key("limits.requests", r#"["60/1h", "400/24h"]"#),
    key("limits.logins", r#"["1/6h", "2/24h"]"#),
    key("limits.likes_per_run", "10"),
    key("limits.likes_per_target", r#"[3, "8/24h"]"#),
    optional("limits.warm_up"),
    key("limits.max_runtime", r#""15m""#),
    key("limits.allow_unsafe_limits", "false"),
    key("pace.between_likes", r#""25s..75s""#),
    key("pace.between_requests", r#""5s..12s""#),
    key("pace.between_targets", r#""20s..60s""#),
    key("pace.start_jitter", r#""0s""#),
    key("stories.check_every", r#""2h""#),
    key("stories.mark_seen", "true"),
    key("posts.check_every", r#""8h""#),
    key("posts.per_target", "9"),
    key("posts.max_age", r#""72h""#),
    key("first_contact.stories", r#""like""#),
    key("first_contact.posts", r#""observe""#),
    optional("quiet_hours"),
    optional("time_zone"),
    key("session.keep_alive", r#""12h""#),
    optional("session.relogin"),
    key("cleanup.stories_after", r#""24h""#),
    key("history.keep", r#""400d""#),
    optional("metrics.file"),
    optional("ping.url_file"),
    optional("notify.command"),
    optional("notify.url_file"),
    key("instagram.base_url", r#""https://i.instagram.com""#),
    key("instagram.connect_timeout", r#""10s""#),
    key("instagram.timeout", r#""20s""#),
    optional("instagram.ca_file"),
    // The three belong together: one released version of the app.
    key("instagram.app_profile.app_version", r#""449.0.0.52.84""#),
    key("instagram.app_profile.version_code", r#""1079242191""#),
    key(
        "instagram.app_profile.bloks_version_id",
        r#""799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b""#,
    ),
];

/// Where an operator finds every key, also while the configuration has mistakes.
pub(super) const LISTED: &str = "examples/config.toml and `man story-liker` list every key";

/// What every variable of this program begins with.
pub(super) const ENV_PREFIX: &str = "STORY_LIKER_";

/// Variables of other programs that are understood as well; the one with [`ENV_PREFIX`] goes first.
pub(super) const ENV_ALIASES: &[(&str, &str)] = &[
    ("account.username", "IG_USERNAME"),
    ("targets", "IG_TARGET_USERNAMES"),
    ("database", "DATABASE_URL"),
];

/// A variable that sets no key under the key's own name.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it says to this program.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// Every variable that is read besides those of the keys ([`Key::variable`]).
pub const VARIABLES: &[Variable] = &[
    variable(CONFIG_VARIABLE, "The configuration file, as --config"),
    variable(PROFILE_VARIABLE, "The profile, as --profile"),
    variable(LOG_VARIABLE, "How much to log, as --log-level"),
    variable(
        "STORY_LIKER_ACCOUNT_PASSWORD",
        "The password; a file is safer",
    ),
    variable(
        "STORY_LIKER_ACCOUNT_TOTP_SECRET",
        "The secret of the authenticator app; a file is safer",
    ),
    variable(
        "STORY_LIKER_SECRETS_KEY",
        "The key that seals the session in the database; a file is safer",
    ),
    variable(
        "STORY_LIKER_PING_URL",
        "Where each pass is reported to; a file is safer",
    ),
    variable(
        "STORY_LIKER_NOTIFY_URL",
        "Where a person is told what changed; a file is safer",
    ),
    variable(
        "IG_USERNAME",
        "The same as STORY_LIKER_ACCOUNT_USERNAME; may not contradict the file",
    ),
    variable("IG_PASSWORD", "The same as STORY_LIKER_ACCOUNT_PASSWORD"),
    variable(
        "IG_TARGET_USERNAMES",
        "The same as STORY_LIKER_TARGETS; may not contradict the file",
    ),
    variable(
        "DATABASE_URL",
        "The same as STORY_LIKER_DATABASE; may not contradict the file",
    ),
    variable(
        "CREDENTIALS_DIRECTORY",
        "A folder with the files password, totp_secret, session_key, ping_url and notify_url; \
         systemd sets it for LoadCredential=",
    ),
    variable(
        "STATE_DIRECTORY",
        "The folder of the database; systemd sets it for StateDirectory=",
    ),
    variable(
        "XDG_STATE_HOME",
        "The folder above that of the database, ~/.local/state if not set",
    ),
    variable(
        "XDG_CONFIG_HOME",
        "The folder above that of the configuration file, ~/.config if not set",
    ),
    variable("HOME", "Your home, where neither of the two is set"),
    variable("NO_COLOR", "No colour on a terminal, whatever its value"),
];

/// What the variables begin with that `notify.command` gets: it may start this program in turn.
pub(super) const NOTICE_VARIABLES: &str = "STORY_LIKER_NOTICE";

/// Where the configuration file is.
pub(super) const CONFIG_VARIABLE: &str = "STORY_LIKER_CONFIG";
/// The profile, unless `--profile` says so.
pub(super) const PROFILE_VARIABLE: &str = "STORY_LIKER_PROFILE";
/// The log level, unless `--log-level` says so.
pub(super) const LOG_VARIABLE: &str = "STORY_LIKER_LOG";

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("{ENV_PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The default of a key as a value.
pub(super) fn default_of(name: &str) -> Option<Value> {
    let literal = find(name)?.default?;
    Some(Value::parse(literal).expect("defaults are TOML"))
}

/// The known key that is probably meant by `unknown`: similar as a whole, or with the right last
/// part in the wrong table. It may be a table of them.
pub(super) fn similar(unknown: &str) -> Option<&'static str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |name: &str| {
        let whole = strsim::normalized_damerau_levenshtein(unknown, name);
        whole.max(strsim::normalized_damerau_levenshtein(
            &last(unknown),
            &last(name),
        ))
    };
    let names = KEYS.iter().map(|key| key.name);
    let tables = names
        .clone()
        .filter_map(|name| Some(name.rsplit_once('.')?.0));
    closest(names.chain(tables), alike)
}

/// The candidate that scores best, if any scores well.
pub(super) fn closest<T: Copy>(
    candidates: impl Iterator<Item = T>,
    alike: impl Fn(T) -> f64,
) -> Option<T> {
    /// Two letters off in a word of six still counts; another word does not.
    const ALIKE_ENOUGH: f64 = 0.65;
    candidates
        .map(|candidate| (alike(candidate), candidate))
        .filter(|(score, _)| *score >= ALIKE_ENOUGH)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
