//! The list of targets: names as operators paste them, each account once, never their own.

use super::resolver::Resolver;
use super::value::Value;
use super::{TargetConfig, parse};

impl Resolver<'_> {
    pub(super) fn targets(&mut self, own_name: Option<&str>) -> Vec<TargetConfig> {
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
        let off = || "take it off the list".to_owned();
        for entry in entries.unwrap_or_default() {
            match target(&entry) {
                Err(problem) => problems.push((problem, format!("allowed: {ALLOWED}"))),
                Ok(target) => {
                    let name = &target.username;
                    if targets.iter().any(|other| &other.username == name) {
                        problems.push((format!("{name} is listed twice"), off()));
                    } else if own_name.is_some_and(|own| own.eq_ignore_ascii_case(name)) {
                        problems.push((format!("{name} is your own account"), off()));
                    }
                    targets.push(target);
                }
            }
        }
        if self.sound(&[KEY]) && self.is_set(KEY) {
            let shown = targets.iter().map(shown_target).collect();
            self.show(KEY, Some(Value::List(shown)));
        }
        for (problem, advice) in problems {
            self.mistake(KEY, problem, advice);
        }
        targets
    }
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

/// An Instagram user name, in lower case. A leading `@` and the address of the profile page are
/// understood.
pub fn username(text: &str) -> Result<String, String> {
    let name = text.trim();
    let name = match name.split_once("://") {
        Some((_, rest)) => name_in_address(rest)
            .ok_or_else(|| format!("{text:?} is not the address of a profile page"))?,
        None => name.strip_prefix('@').unwrap_or(name),
    };
    let name = name.to_ascii_lowercase();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_';
    let valid = (1..=30).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if valid {
        Ok(name)
    } else {
        Err(format!("{text:?} is not an Instagram user name"))
    }
}

fn name_in_address(rest: &str) -> Option<&str> {
    /// First parts of addresses that are no profile pages.
    const NOT_PROFILES: [&str; 9] = [
        "accounts", "direct", "explore", "p", "reel", "reels", "stories", "tv", "web",
    ];
    let rest = rest.split(['?', '#']).next()?;
    let (host, path) = rest.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let name = path.strip_suffix('/').unwrap_or(path);
    let own = host == "instagram.com" || host.ends_with(".instagram.com");
    (own && !name.contains('/') && !NOT_PROFILES.contains(&name)).then_some(name)
}

/// One entry of `targets`: a name, or a table with `username`, `enabled`, `stories`, `posts`.
fn target(value: &Value) -> Result<TargetConfig, String> {
    let mut target = TargetConfig {
        username: String::new(),
        enabled: true,
        stories: true,
        posts: true,
    };
    let Value::Table(entries) = value else {
        target.username = username(value.as_text()?)?;
        return Ok(target);
    };
    for (name, value) in entries {
        let flag = match name.as_str() {
            "username" => {
                target.username = username(value.as_text()?)?;
                continue;
            }
            "enabled" => &mut target.enabled,
            "stories" => &mut target.stories,
            "posts" => &mut target.posts,
            other => return Err(format!("{other:?} is not a key of a target")),
        };
        *flag = parse::truth(value).map_err(|problem| format!("{name}: {problem}"))?;
    }
    if target.username.is_empty() {
        return Err("a target without username".to_owned());
    }
    Ok(target)
}
