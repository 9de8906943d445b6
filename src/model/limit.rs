//! Rolling limits and what they apply to.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{AttemptKind, TargetId};

/// History younger than this is never removed: the longest window is 35 days, and escalation looks
/// back on 30.
pub const SHORTEST_HISTORY: Duration = Duration::from_hours(45 * 24);

/// At most `count` attempts in any span of `span`. Written `12/1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How many attempts any window may hold; at least 1.
    pub count: u32,
    /// The length of the window.
    pub span: Duration,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, as_written(self.span))
    }
}

/// A span as operators write and speak of it: `24h`, `7d`, and no month of 30.44 days.
pub fn as_written(span: Duration) -> String {
    let hours = span.as_secs() / 3600;
    let whole_hours = span.as_secs().is_multiple_of(3600) && span.subsec_nanos() == 0;
    match (whole_hours, hours) {
        (true, 49..) if hours.is_multiple_of(24) => format!("{}d", hours / 24),
        (true, 1..) => format!("{hours}h"),
        _ => humantime::format_duration(span)
            .to_string()
            .replace(' ', ""),
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, span) = text.split_once('/').ok_or_else(|| {
            format!("{text:?} is not a limit; write COUNT/SPAN, for example 12/1h")
        })?;
        let count = count
            .trim()
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| format!("{:?} in {text:?} is not a count of 1 or more", count.trim()))?;
        let span = humantime::parse_duration(span.trim())
            .ok()
            .filter(|span| !span.is_zero())
            .ok_or_else(|| {
                format!(
                    "{:?} in {text:?} is not a span such as 1h, 24h or 7d",
                    span.trim()
                )
            })?;
        Ok(Self { count, span })
    }
}

/// Which attempts a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Every attempt of any kind (`limits.requests`).
    Requests,
    /// Story views (`limits.story_views`).
    StoryViews,
    /// Likes of stories and posts together (`limits.likes`).
    Likes,
    /// Password submissions (`limits.logins`).
    Logins,
    /// Likes for one target (`limits.likes_per_target`).
    TargetLikes(TargetId),
}

impl Scope {
    /// Whether an attempt of `kind` for `target` is counted here.
    pub fn covers(self, kind: AttemptKind, target: Option<TargetId>) -> bool {
        match self {
            Self::Requests => true,
            Self::StoryViews => kind == AttemptKind::StoryView,
            Self::Likes => kind == AttemptKind::Like,
            Self::Logins => kind == AttemptKind::Login,
            Self::TargetLikes(wanted) => kind == AttemptKind::Like && target == Some(wanted),
        }
    }

    /// The configuration key an operator changes to move this limit.
    pub fn key(self) -> &'static str {
        match self {
            Self::Requests => "limits.requests",
            Self::StoryViews => "limits.story_views",
            Self::Likes => "limits.likes",
            Self::Logins => "limits.logins",
            Self::TargetLikes(_) => "limits.likes_per_target",
        }
    }
}

/// A limit together with what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopedLimit {
    /// What is counted.
    pub scope: Scope,
    /// How much of it is allowed.
    pub limit: Limit,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_back_as_it_prints() {
        for text in ["12/1h", "60/24h", "300/7d", "1/6h", "5/90s"] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.to_string().parse::<Limit>().unwrap(), limit);
        }
        assert_eq!("300/7d".parse::<Limit>().unwrap().to_string(), "300/7d");
        assert_eq!("60/1day".parse::<Limit>().unwrap().to_string(), "60/24h");
    }

    #[test]
    fn a_limit_of_nothing_or_of_no_time_is_refused() {
        for text in ["0/1h", "5", "5/0s", "-1/1h", "5/soon", ""] {
            assert!(text.parse::<Limit>().is_err(), "{text:?}");
        }
    }
}
