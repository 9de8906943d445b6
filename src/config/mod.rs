//! Configuration: flags, environment and file (raw: what was typed) become one [`Config`] (what it
//! means: total and free of contradictions). Nothing outside this module reads any of the three.

mod account;
mod ceilings;
mod checks;
mod environment;
mod error;
mod file;
pub mod forecast;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod keys;
mod parse;
mod places;
mod rates;
mod raw;
mod resolve;
mod resolver;
mod secrets;
mod session_keys;
pub mod show;
mod targets;
mod telling;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use ceilings::MAX_RUNTIME;
pub use environment::Environment;
pub use error::{ConfigErrors, Mistake};
pub use keys::{KEYS, Key, VARIABLES, Variable};
pub use places::{FILES, UsualFile, configuration_files};
pub use raw::{Flag, Request};
pub use resolve::{Inspected, Loaded, inspect, load};
pub use secrets::Needs;
pub use targets::username;
pub use value::{Effective, Origin, Value};

use crate::model::{Keyring, Limit, ProfileName, Secret};

/// Everything a command needs to know, resolved and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which account of this machine.
    pub profile: ProfileName,
    /// The SQLite file.
    pub database: PathBuf,
    /// The operator's account.
    pub account: AccountConfig,
    /// The keys that seal sessions in the database.
    pub session_keys: Keyring,
    /// Whose items are liked, in the configured order.
    pub targets: Vec<TargetConfig>,
    /// How much.
    pub limits: Limits,
    /// How fast.
    pub pace: Pace,
    /// Stories.
    pub stories: Stories,
    /// Posts.
    pub posts: Posts,
    /// What happens to items that were there before a target was first looked at.
    pub first_contact: FirstContact,
    /// When nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// The time zone of `quiet_hours`.
    pub time_zone: jiff::tz::TimeZone,
    /// The login session.
    pub session: SessionConfig,
    /// How long stories stay in the database (`cleanup.stories_after`), counted from when they were taken.
    pub stories_after: Duration,
    /// How long attempts, holds and runs stay in the database (`history.keep`).
    pub history_keep: Duration,
    /// Where the figures of the last pass go for Prometheus (`metrics.file`).
    pub metrics_file: Option<PathBuf>,
    /// Where each pass is reported to, in the manner of healthchecks.io (`ping.url`).
    pub ping: Option<Secret>,
    /// How a person is told what changed.
    pub notify: NotifyConfig,
    /// Where Instagram is and how to talk to it.
    pub instagram: InstagramConfig,
}

/// How a person is told what changed.
#[derive(Clone, Debug, Default)]
pub struct NotifyConfig {
    /// A program and its arguments; none if empty.
    pub command: Vec<String>,
    /// Where a notice is sent to as JSON.
    pub url: Option<Secret>,
}

/// The operator's account.
#[derive(Clone, Debug, Default)]
pub struct AccountConfig {
    /// Login name.
    pub username: Option<String>,
    /// Password, for `login` and `session.relogin`.
    pub password: Option<Secret>,
    /// Base32 secret of the authenticator app.
    pub totp_secret: Option<Secret>,
}

/// One target as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetConfig {
    /// User name, lower case, without `@`.
    pub username: String,
    /// On the list at present.
    pub enabled: bool,
    /// Whether its stories are wanted.
    pub stories: bool,
    /// Whether its posts are wanted.
    pub posts: bool,
}

/// How much is done at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Likes of stories and posts together.
    pub likes: Vec<Limit>,
    /// Story views.
    pub story_views: Vec<Limit>,
    /// Requests of any kind.
    pub requests: Vec<Limit>,
    /// Password submissions.
    pub logins: Vec<Limit>,
    /// Likes in one pass.
    pub likes_per_run: u32,
    /// Likes for one target in one pass.
    pub likes_per_target_per_run: u32,
    /// Likes for one target in rolling windows.
    pub likes_per_target: Vec<Limit>,
    /// Shares of the limits over the first days, the first stage first; none without a warm-up.
    pub warm_up: Vec<WarmUpStage>,
    /// Duration of a pass.
    pub max_runtime: Duration,
}

/// A share of the limits in the first days of liking. Written `25%/3d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUpStage {
    /// The share, in hundredths.
    pub percent: u32,
    /// Until how long after the first like.
    pub span: Duration,
}

impl fmt::Display for WarmUpStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%/{}", self.percent, parse::show_duration(self.span))
    }
}

/// After so long without a like the warm-up begins anew.
pub const WARM_UP_SILENCE: Duration = Duration::from_hours(30 * 24);

/// A pause is drawn from this range, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseRange {
    /// The shortest pause.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From like to like.
    pub between_likes: PauseRange,
    /// From request to request.
    pub between_requests: PauseRange,
    /// From one target to another.
    pub between_targets: PauseRange,
    /// Longest pause before the first request of a pass.
    pub start_jitter: Duration,
}

/// How stories are treated.
#[derive(Clone, Copy, Debug)]
pub struct Stories {
    /// How often a target's stories are listed.
    pub check_every: Duration,
    /// Whether a story is marked as seen before it is liked.
    pub mark_seen: bool,
}

/// How posts are treated.
#[derive(Clone, Copy, Debug)]
pub struct Posts {
    /// How often a target's posts are listed.
    pub check_every: Duration,
    /// How many of the newest posts are considered.
    pub per_target: u32,
    /// Older posts are left alone.
    pub max_age: Duration,
}

/// What happens to items that were there before a target was first looked at.
#[derive(Clone, Copy, Debug)]
pub struct FirstContact {
    /// Whether its present stories may be liked.
    pub like_stories: bool,
    /// Whether its present posts may be liked.
    pub like_posts: bool,
}

/// Local hours in which nothing is sent; may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// First quiet minute.
    pub from: jiff::civil::Time,
    /// First minute that is not quiet any more.
    pub to: jiff::civil::Time,
}

/// How the login session is kept.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// A proof of life is due when the last one is older.
    pub keep_alive: Duration,
    /// Whether one login a day may follow a session that the platform declared dead.
    pub relogin: bool,
}

/// Where Instagram is and how to talk to it.
#[derive(Clone, Debug)]
pub struct InstagramConfig {
    /// The real host, or a practice server on loopback.
    pub base_url: BaseUrl,
    /// For establishing a connection.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// PEM file that replaces the roots; loopback only.
    pub ca_file: Option<PathBuf>,
    /// App version, version code and Bloks version id for the next login's new device.
    pub app_profile: AppProfile,
}

/// Where requests go. The bearer token goes nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseUrl {
    /// `https://i.instagram.com`.
    Real,
    /// Loopback over TLS; the name stays `i.instagram.com`.
    LoopbackTls(SocketAddr),
    /// Loopback over plain HTTP/1.1.
    LoopbackPlain(SocketAddr),
}

/// The app a new device claims to run; the three belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppProfile {
    /// For example `449.0.0.52.84`.
    pub app_version: String,
    /// For example `1079242191`.
    pub version_code: String,
    /// 64 hex digits.
    pub bloks_version_id: String,
}
