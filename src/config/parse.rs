//! The small languages of the values: durations, pauses, hours, names, addresses. Every function
//! takes what was typed and returns its meaning or, in the operator's words, what is wrong with it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::value::Value;
use super::{BaseUrl, PauseRange, QuietHours, WarmUpStage};
use crate::model::Limit;

/// As long as the longest window; who warms up for longer wants lower limits.
const LONGEST_WARM_UP: Duration = Duration::from_hours(35 * 24);

/// A duration such as `15m`.
pub(super) fn duration(value: &Value) -> Result<Duration, String> {
    match value {
        Value::Integer(_) => Err("a number without a unit".to_owned()),
        other => span(other.as_text()?),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "not a duration".to_owned())
}

/// A duration as it is written in the configuration.
pub(super) fn show_duration(span: Duration) -> String {
    let secs = span.as_secs();
    if span.subsec_nanos() != 0 {
        return humantime::format_duration(span)
            .to_string()
            .replace(' ', "");
    }
    match secs {
        0 => "0s".to_owned(),
        _ if secs.is_multiple_of(86400) && secs >= 3 * 86400 => format!("{}d", secs / 86400),
        _ if secs.is_multiple_of(3600) => format!("{}h", secs / 3600),
        _ if secs.is_multiple_of(60) => format!("{}m", secs / 60),
        _ => format!("{secs}s"),
    }
}

/// `true` or `false`.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Text(text) if text == "true" => Ok(true),
        Value::Text(text) if text == "false" => Ok(false),
        other => Err(format!("{} where true or false belongs", other.kind())),
    }
}

/// A whole number.
pub(super) fn count(value: &Value) -> Result<u32, String> {
    let number = match value {
        Value::Integer(number) => u32::try_from(*number).ok(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| "not a whole number from 0".to_owned())
}

/// One limit or several.
pub(super) fn limits(value: &Value) -> Result<Vec<Limit>, String> {
    let limits = each(value, limit)?;
    if limits.is_empty() {
        return Err("no limit at all".to_owned());
    }
    Ok(limits)
}

/// What every item of a list means, or all that is wrong with any of them.
fn each<T>(value: &Value, read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut meanings = Vec::new();
    let mut problems = Vec::new();
    for item in &value.items() {
        match read(item) {
            Ok(meaning) => meanings.push(meaning),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(meanings)
    } else {
        Err(problems.join(", and "))
    }
}

fn limit(value: &Value) -> Result<Limit, String> {
    value.as_text()?.parse()
}

/// `[3, "8/24h"]`: a bare number is a cap per run, the others are windows.
pub(super) fn per_target(value: &Value) -> Result<(Option<u32>, Vec<Limit>), String> {
    let parts = each(value, |item| {
        let number = match item {
            Value::Integer(_) => Some(count(item)?),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        number.map_or_else(|| limit(item).map(Err), |number| Ok(Ok(number)))
    })?;
    let (mut per_run, mut windows) = (None, Vec::new());
    for part in parts {
        match part {
            Err(window) => windows.push(window),
            Ok(_) if per_run.is_some() => return Err("two numbers per run".to_owned()),
            Ok(number) => per_run = Some(number),
        }
    }
    if per_run.is_none() && windows.is_empty() {
        return Err("no limit at all".to_owned());
    }
    Ok((per_run, windows))
}

/// `25%/3d` or a list of such stages, each longer and larger than the one before; an empty list is
/// none, for a profile that takes nothing over.
pub(super) fn warm_up(value: &Value) -> Result<Vec<WarmUpStage>, String> {
    let stages = each(value, warm_up_stage)?;
    for pair in stages.windows(2) {
        if pair[1].span <= pair[0].span {
            return Err("every stage has to last longer than the one before".to_owned());
        }
        if pair[1].percent <= pair[0].percent {
            return Err("every stage has to allow more than the one before".to_owned());
        }
    }
    Ok(stages)
}

fn warm_up_stage(value: &Value) -> Result<WarmUpStage, String> {
    let text = value.as_text()?;
    let (share, end) = text.split_once('/').ok_or("not SHARE%/SPAN")?;
    let percent = share.trim().strip_suffix('%').map(str::trim);
    let percent = percent.and_then(|number| number.parse().ok());
    let percent: u32 = percent.ok_or_else(|| format!("{share:?} is not a share such as 25%"))?;
    match percent {
        0 => return Err("0% would never allow anything".to_owned()),
        1..=99 => {}
        _ => return Err(format!("{percent}% is no part of the limits")),
    }
    let span = span(end.trim()).map_err(|problem| format!("{:?} is {problem}", end.trim()))?;
    if span.is_zero() {
        return Err("a stage that is over at once".to_owned());
    }
    if span > LONGEST_WARM_UP {
        return Err("too long".to_owned());
    }
    Ok(WarmUpStage { percent, span })
}

/// `25s..75s`, both ends included.
pub(super) fn pause(value: &Value) -> Result<PauseRange, String> {
    let text = value.as_text()?;
    let (min, max) = text.split_once("..").ok_or("not a range MIN..MAX")?;
    let min = span(min.trim()).map_err(|problem| format!("{:?} is {problem}", min.trim()))?;
    let max = span(max.trim()).map_err(|problem| format!("{:?} is {problem}", max.trim()))?;
    if min > max {
        return Err("the shortest pause is longer than the longest".to_owned());
    }
    Ok(PauseRange { min, max })
}

/// `22:00-07:00`; may pass midnight.
pub(super) fn quiet_hours(value: &Value) -> Result<QuietHours, String> {
    let text = value.as_text()?;
    let (from, to) = text.split_once('-').ok_or("not a range of hours")?;
    let (from, to) = (time_of_day(from.trim())?, time_of_day(to.trim())?);
    if from == to {
        return Err("it begins when it ends, so it is never or always quiet".to_owned());
    }
    Ok(QuietHours { from, to })
}

fn time_of_day(text: &str) -> Result<jiff::civil::Time, String> {
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i8>().ok()).flatten()
    };
    text.split_once(':')
        .and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)))
        .and_then(|(hour, minute)| jiff::civil::Time::new(hour, minute, 0, 0).ok())
        .ok_or_else(|| format!("{text:?} is not a time of day HH:MM"))
}

/// A name of the IANA time zone database.
pub(super) fn time_zone(value: &Value) -> Result<jiff::tz::TimeZone, String> {
    jiff::tz::TimeZone::get(value.as_text()?).map_err(|_| {
        "no such time zone on this machine (if every name fails, install the package tzdata)"
            .to_owned()
    })
}

/// A path. `~` is the shell's business; here it would become a folder of that name.
pub(super) fn path(value: &Value) -> Result<PathBuf, String> {
    let text = value.as_text()?;
    if text.is_empty() {
        return Err("an empty path".to_owned());
    }
    if text.starts_with('~') {
        return Err("~ is not expanded here; write the full path".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// A path that ends in `.prom`: collectors read no other files, and a file of another kind that was
/// named by mistake must not be replaced.
pub(super) fn metrics_file(value: &Value) -> Result<PathBuf, String> {
    let path = path(value)?;
    if path.extension().is_some_and(|ending| ending == "prom") {
        Ok(path)
    } else {
        Err("collectors read files named *.prom only".to_owned())
    }
}

/// `sqlite:PATH`, `sqlite:///abs` or a bare path. Messages never repeat the text: it may hold a
/// password.
pub(super) fn database(value: &Value) -> Result<PathBuf, String> {
    let text = value.as_text()?;
    let scheme = text.split(':').next().unwrap_or_default().to_lowercase();
    if scheme == "postgres" || scheme == "postgresql" {
        if has_password(text) {
            return Err(
                "a password inside a database address is refused: addresses end up in \
                        process lists and logs; and PostgreSQL is not available in this build"
                    .to_owned(),
            );
        }
        return Err("PostgreSQL is not available in this build".to_owned());
    }
    let rest = if scheme == "sqlite" && text.contains(':') {
        &text["sqlite:".len()..]
    } else if text.contains("://") {
        return Err("an unknown kind of database".to_owned());
    } else {
        text
    };
    if rest.contains('?') {
        return Err("parameters after a ? are not understood".to_owned());
    }
    if rest == ":memory:" {
        return Err(
            "a database in memory forgets what was sent; limits need one on disk".to_owned(),
        );
    }
    let rest = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return Err("a host name where a path belongs".to_owned()),
        None => rest,
    };
    path(&Value::Text(rest.to_owned()))
}

fn has_password(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || rest.contains("password=")
}

/// What may be shown of a value: an address that can hold a password loses everything after its
/// scheme.
pub(super) fn showable(key: &str, value: &Value) -> String {
    match value {
        Value::Text(text) if key == "database" || key == "instagram.base_url" => {
            match text.split_once(':') {
                Some((scheme, rest)) if rest.contains(['@', '?']) => {
                    Value::Text(format!("{scheme}:***")).to_string()
                }
                _ => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}

/// A program and its arguments. As text, from a variable: a TOML list, or the program alone.
pub(super) fn program(value: &Value) -> Result<Vec<String>, String> {
    let list = match value {
        Value::List(words) => words.clone(),
        Value::Text(text) if text.trim_start().starts_with('[') => match Value::parse(text) {
            Some(Value::List(words)) => words,
            _ => return Err("not a TOML list".to_owned()),
        },
        Value::Text(text) if text.contains(char::is_whitespace) => {
            return Err("no shell takes this apart".to_owned());
        }
        other => vec![other.clone()],
    };
    let words = list
        .iter()
        .map(|word| match word {
            Value::Text(text) if text.contains('\0') => Err("a NUL character".to_owned()),
            Value::Text(text) => Ok(text.clone()),
            other => Err(format!("{} where text belongs", other.kind())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    match words.first() {
        Some(program) if program.is_empty() => Err("a program without a name".to_owned()),
        Some(program) if program.contains('/') && !program.starts_with('/') => {
            Err("a relative path: passes start in any folder".to_owned())
        }
        // None of them is for a profile that takes nothing over.
        _ => Ok(words),
    }
}

/// An address that something is sent to: nobody on the way may read it. An error never says it.
pub(super) fn address(text: &str) -> Result<url::Url, &'static str> {
    let address = url::Url::parse(text).map_err(|_| "not an address")?;
    let is_here = match address.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err("an address without a host"),
    };
    match address.scheme() {
        "https" => Ok(address),
        "http" if is_here => Ok(address),
        "http" => Err("http:// to another machine can be read on the way"),
        _ => Err("neither https:// nor http://"),
    }
}

/// The real host, or a server on loopback.
pub(super) fn base_url(value: &Value) -> Result<BaseUrl, String> {
    const REASON: &str = "the session's bearer token goes to i.instagram.com and nowhere else";
    let text = value.as_text()?;
    let text = text.strip_suffix('/').unwrap_or(text);
    if text == "https://i.instagram.com" {
        return Ok(BaseUrl::Real);
    }
    if let Some(host) = text.strip_prefix("https://") {
        let address = loopback(host, 443).ok_or(REASON)?;
        return Ok(BaseUrl::LoopbackTls(address));
    }
    let host = text.strip_prefix("http://").ok_or(REASON)?;
    let address = loopback(host, 80).ok_or(REASON)?;
    Ok(BaseUrl::LoopbackPlain(address))
}

fn loopback(host: &str, default_port: u16) -> Option<SocketAddr> {
    let address = if let Some(rest) = host.strip_prefix("localhost") {
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => default_port,
            None => return None,
        };
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    } else {
        host.parse().ok().or_else(|| {
            let bare = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
            let ip: IpAddr = bare.unwrap_or(host).parse().ok()?;
            Some(SocketAddr::new(ip, default_port))
        })?
    };
    address.ip().is_loopback().then_some(address)
}
