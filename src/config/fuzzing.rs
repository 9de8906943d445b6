//! What must hold of whatever an operator types: a configuration file with variables, one value.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::raw::RawConfig;
use super::resolve::resolve;
use super::{
    BaseUrl, ConfigErrors, Environment, Loaded, Request, Value, WarmUpStage, ceilings, forecast,
    parse, secrets, show, username,
};
use crate::model::Limit;

/// Stands for a password and for an authenticator secret.
pub(super) const PLANTED: &str = "Zk3Planted7Qx9Secret1";

/// Between the file and the variables, one a line.
pub(super) const VARIABLES: &str = "\n--- variables\n";

/// A configuration file, and behind [`VARIABLES`] the environment.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (file, variables) = text.split_once(VARIABLES).unwrap_or((&text, ""));
    let environment = || {
        let lines = variables.lines().filter_map(|line| line.split_once('='));
        let planted = [
            ("HOME", "/nowhere"),
            ("STORY_LIKER_ACCOUNT_PASSWORD", PLANTED),
        ];
        lines.chain(planted).collect::<Environment>()
    };
    // A secret in a key of another meaning is shown like any value.
    let hidden = !text.contains(PLANTED);
    match load(file, &environment()) {
        Err(errors) => {
            assert!(!errors.0.is_empty(), "refused for no reason");
            let shown = errors.to_string();
            assert_eq!(shown.lines().count(), errors.0.len() + 1, "{shown:?}");
            let odd = shown.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(odd, None, "in {shown:?}");
            for text in [shown, format!("{errors:?}")] {
                assert!(!hidden || !text.contains(PLANTED), "a secret in {text}");
            }
        }
        Ok(loaded) => {
            sensible(&loaded);
            for text in [
                show::text(&loaded),
                show::json(&loaded).to_string(),
                format!("{loaded:?}"),
            ] {
                assert!(!hidden || !text.contains(PLANTED), "a secret in {text}");
            }
            reads_back(&loaded);
        }
    }
}

fn load(file: &str, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let request = Request::default();
    let no_file: Environment = [("STORY_LIKER_PROFILE", "")].into_iter().collect();
    let mut raw = RawConfig::collect(&request, &no_file);
    raw.mistakes.clear();
    raw.add_environment(environment);
    raw.add_text(&Arc::new(PathBuf::from("config.toml")), file);
    resolve(raw, &request, environment)
}

/// A configuration that is let through is one the account is safe with.
fn sensible(loaded: &Loaded) {
    let config = &loaded.config;
    let limits = &config.limits;
    let unsafe_limits = loaded.effective.iter().any(|entry| {
        entry.key == "limits.allow_unsafe_limits" && entry.value == Some(Value::Bool(true))
    });
    for (windows, most) in [
        (&limits.likes, ceilings::LIKES),
        (&limits.story_views, ceilings::STORY_VIEWS),
        (&limits.requests, ceilings::REQUESTS),
        (&limits.logins, ceilings::LOGINS),
        (&limits.likes_per_target, ceilings::LIKES_PER_TARGET),
    ] {
        for window in windows {
            assert!(window.count > 0 && !window.span.is_zero());
        }
        for ceiling in most {
            let permitted = ceilings::permitted(windows, ceiling.span);
            assert!(unsafe_limits || permitted <= u64::from(ceiling.count));
        }
    }
    let pace = &config.pace;
    for pause in [
        pace.between_likes,
        pace.between_requests,
        pace.between_targets,
    ] {
        assert!(pause.min <= pause.max);
    }
    assert!(!limits.max_runtime.is_zero() && limits.max_runtime <= 24 * HOUR);
    assert!(
        config
            .quiet_hours
            .is_none_or(|hours| hours.from != hours.to)
    );
    for target in &config.targets {
        assert_eq!(username(&target.username).as_ref(), Ok(&target.username));
    }
    only_loopback(&config.instagram.base_url);
    let forecast = forecast::forecast(config);
    let _ = forecast::text(loaded, &forecast);
}

const HOUR: Duration = Duration::from_hours(1);

fn only_loopback(place: &BaseUrl) {
    match place {
        BaseUrl::Real => {}
        BaseUrl::LoopbackTls(address) | BaseUrl::LoopbackPlain(address) => {
            assert!(address.ip().is_loopback(), "{address}");
        }
    }
}

/// What `config show` shows means the same when it is written into a file.
fn reads_back(loaded: &Loaded) {
    let settings = loaded.effective.iter().filter_map(|entry| {
        let value = entry.value.as_ref()?;
        let secret = secrets::ALL.iter().any(|kind| kind.key == entry.key);
        (!secret).then(|| format!("{} = {value}\n", entry.key))
    });
    let file: String = settings.collect();
    let variables = [
        ("HOME", "/nowhere"),
        ("STORY_LIKER_ACCOUNT_PASSWORD", PLANTED),
    ];
    let again = load(&file, &variables.into_iter().collect());
    let again = again.unwrap_or_else(|errors| panic!("{errors}\n{file}"));
    for (one, other) in loaded.effective.iter().zip(&again.effective) {
        let is_secret = ["account.totp_secret", "secrets.key"].contains(&one.key);
        assert!(
            is_secret || one.value == other.value,
            "{} in\n{file}",
            one.key
        );
    }
}

/// One value: as text in a flag or variable, and as a TOML literal.
pub fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    value(&Value::Text(text.to_string()));
    if let Some(literal) = Value::parse(&text) {
        value(&literal);
        let shown = literal.to_string();
        assert_eq!(shown.lines().count().max(1), 1, "{shown:?}");
        if !has_other(&literal) {
            assert_eq!(Value::parse(&shown), Some(literal), "shown as {shown}");
        }
    }
    if let Ok(name) = username(&text) {
        assert_eq!(username(&name).as_ref(), Ok(&name));
        assert!((1..=30).contains(&name.len()) && !name.contains(char::is_control));
    }
}

fn has_other(value: &Value) -> bool {
    match value {
        Value::Other(_) => true,
        Value::List(items) => items.iter().any(has_other),
        Value::Table(entries) => entries.iter().any(|(_, value)| has_other(value)),
        Value::Text(_) | Value::Integer(_) | Value::Bool(_) => false,
    }
}

fn value(value: &Value) {
    let text = |shown: String| Value::Text(shown);
    if let Ok(span) = parse::duration(value) {
        assert_eq!(parse::duration(&text(parse::show_duration(span))), Ok(span));
    }
    if let Ok(limits) = parse::limits(value) {
        assert!(!limits.is_empty());
        limits.iter().for_each(limit);
        assert_eq!(parse::limits(&text(ceilings::list(&limits))), Ok(limits));
    }
    if let Ok((per_run, windows)) = parse::per_target(value) {
        assert!(per_run.is_some() || !windows.is_empty());
        windows.iter().for_each(limit);
    }
    if let Ok(stages) = parse::warm_up(value) {
        let shown = stages.iter().map(|part| text(stage(part))).collect();
        assert_eq!(parse::warm_up(&Value::List(shown)), Ok(stages));
    }
    if let Ok(pause) = parse::pause(value) {
        assert!(pause.min <= pause.max);
        let (min, max) = (pause.min, pause.max);
        let shown = format!(
            "{}..{}",
            parse::show_duration(min),
            parse::show_duration(max)
        );
        assert_eq!(parse::pause(&text(shown)), Ok(pause));
    }
    if let Ok(hours) = parse::quiet_hours(value) {
        assert_ne!(hours.from, hours.to);
        let (from, to) = (hours.from, hours.to);
        let shown = format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"));
        assert_eq!(parse::quiet_hours(&text(shown)), Ok(hours));
    }
    if let Ok(count) = parse::count(value) {
        assert_eq!(parse::count(&text(count.to_string())), Ok(count));
    }
    if let Ok(place) = parse::base_url(value) {
        only_loopback(&place);
    }
    if let Ok(path) = parse::database(value) {
        assert!(!path.as_os_str().is_empty());
    }
    let _ = (parse::truth(value), parse::time_zone(value));
    for key in ["database", "instagram.base_url", "limits.likes"] {
        let shown = parse::showable(key, value);
        let odd = shown.chars().find(|c| c.is_control());
        assert_eq!(odd, None, "in {shown:?}");
    }
}

/// A share of the limits that is none of nothing and not all.
fn stage(stage: &WarmUpStage) -> String {
    assert!((1..100).contains(&stage.percent) && !stage.span.is_zero());
    format!("{}%/{}", stage.percent, parse::show_duration(stage.span))
}

fn limit(limit: &Limit) {
    assert!(limit.count > 0 && !limit.span.is_zero());
    assert_eq!(limit.to_string().parse(), Ok(*limit), "shown as {limit}");
}
