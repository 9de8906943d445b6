//! The process environment as an argument.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use log::LevelFilter;

use super::keys::LOG_VARIABLE;

/// What programs need to be found, to write the operator's language and time, and to reach their
/// desktop.
const FOR_CHILDREN: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
];

/// Environment variables, read once. Not `Debug`: some of them are secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

/// A variable whose value is not UTF-8.
pub(super) struct NotUnicode;

impl Environment {
    /// The environment of this process.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the environment is read"
    )]
    pub fn of_this_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect()
    }

    /// The value of `name`. An empty variable counts as not set: that is how service managers and
    /// shells take one back.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, NotUnicode> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some("") => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(NotUnicode),
            },
        }
    }

    /// The value of `name` as a path; relative ones do not count, as the XDG rules want it.
    pub(super) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.0.get(name)?);
        path.is_absolute().then_some(path)
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a program started by this one may see: nothing that is not known to be harmless. What
    /// the variables of another program hold, this one cannot know.
    pub fn for_children(&self) -> Vec<(String, OsString)> {
        let harmless = |name: &str| FOR_CHILDREN.contains(&name) || name.starts_with("LC_");
        self.0
            .iter()
            .filter(|(name, _)| harmless(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// How much to log: the flag, else `STORY_LIKER_LOG`, else `info`. A level nobody knows is
    /// reported with the other mistakes, by [`super::load`].
    pub fn log_level(&self, flag: Option<LevelFilter>) -> LevelFilter {
        let variable = || self.text(LOG_VARIABLE).ok()??.parse().ok();
        flag.or_else(variable).unwrap_or(LevelFilter::Info)
    }

    /// Whether colours are unwanted (`NO_COLOR`, any value but an empty one).
    pub fn no_color(&self) -> bool {
        self.0
            .get("NO_COLOR")
            .is_some_and(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self(variables.map(|(n, v)| (n.into(), v.into())).collect())
    }
}
