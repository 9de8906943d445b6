//! What was typed, layer by layer: flags go before environment variables, these before the file,
//! and in the file a profile's table before the rest. A key that nobody set is absent.
//!
//! Unknown keys and variables are mistakes: a misspelt limit must not pass in silence.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::LevelFilter;
use toml::de::{DeTable, DeValue};

use super::environment::{Environment, NotUnicode};
use super::error::Mistake;
use super::keys;
use super::value::{Origin, Value};
use crate::cli::Global;
use crate::model::ProfileName;

/// No sensible file comes near this; anything larger is a mistaken path.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What the command line asks of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--config`.
    pub config_file: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<ProfileName>,
    /// Keys set by flags.
    pub flags: Vec<Flag>,
    /// Whether the command cannot do without targets.
    pub needs_targets: bool,
}

/// A key set by a flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The key.
    pub key: &'static str,
    /// The flag, with its dashes.
    pub flag: &'static str,
    /// What it was set to.
    pub text: String,
}

impl Request {
    /// From the flags of every command.
    pub fn new(global: &Global) -> Self {
        let database = global.database.clone().map(|text| Flag {
            key: "database",
            flag: "--database",
            text,
        });
        Self {
            config_file: global.config.clone(),
            profile: global.profile.clone(),
            flags: database.into_iter().collect(),
            needs_targets: false,
        }
    }

    /// An empty target list is a mistake.
    #[must_use]
    pub fn needing_targets(mut self) -> Self {
        self.needs_targets = true;
        self
    }

    /// With `--max-runtime`.
    #[must_use]
    pub fn with_max_runtime(mut self, max_runtime: Option<std::time::Duration>) -> Self {
        self.flags.extend(max_runtime.map(|span| Flag {
            key: "limits.max_runtime",
            flag: "--max-runtime",
            text: humantime::format_duration(span).to_string(),
        }));
        self
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Everything that was typed.
pub(super) struct RawConfig {
    pub(super) profile: ProfileName,
    pub(super) file: Option<Arc<PathBuf>>,
    pub(super) settings: BTreeMap<&'static str, Setting>,
    pub(super) mistakes: Vec<Mistake>,
}

impl RawConfig {
    /// Collects all layers.
    pub(super) fn collect(request: &Request, environment: &Environment) -> Self {
        let mut raw = Self {
            profile: ProfileName::default(),
            file: None,
            settings: BTreeMap::new(),
            mistakes: Vec::new(),
        };
        raw.choose_profile(request, environment);
        raw.check_log_level(environment);
        raw.add_flags(request);
        raw.add_environment(environment);
        if let Some(path) = raw.find_file(request, environment) {
            let path = Arc::new(path);
            raw.add_file(&path);
            raw.file = Some(path);
        }
        raw
    }

    /// The first layer that sets a key wins.
    fn set(&mut self, key: &'static str, value: Value, origin: Origin) {
        let setting = Setting { value, origin };
        self.settings.entry(key).or_insert(setting);
    }

    fn mistake(&mut self, key: &str, origin: Origin, problem: String, allowed: &str) {
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            value: None,
            origin,
            problem,
            allowed: allowed.to_owned(),
        });
    }

    fn variable<'e>(&mut self, environment: &'e Environment, name: &str) -> Option<&'e str> {
        environment.text(name).unwrap_or_else(|NotUnicode| {
            let origin = Origin::Variable(name.to_owned());
            self.mistake(name, origin, "its value is not UTF-8".to_owned(), "");
            None
        })
    }

    fn choose_profile(&mut self, request: &Request, environment: &Environment) {
        if let Some(profile) = &request.profile {
            self.profile = profile.clone();
        } else if let Some(text) = self.variable(environment, keys::PROFILE_VARIABLE) {
            match text.parse() {
                Ok(profile) => self.profile = profile,
                Err(problem) => {
                    let origin = Origin::Variable(keys::PROFILE_VARIABLE.to_owned());
                    self.mistake("profile", origin, problem, "");
                }
            }
        }
    }

    fn check_log_level(&mut self, environment: &Environment) {
        if let Some(text) = self.variable(environment, keys::LOG_VARIABLE)
            && text.parse::<LevelFilter>().is_err()
        {
            let origin = Origin::Variable(keys::LOG_VARIABLE.to_owned());
            let problem = format!("{text:?} is not a log level");
            let allowed = "off, error, warn, info, debug or trace";
            self.mistake("log level", origin, problem, allowed);
        }
    }

    fn add_flags(&mut self, request: &Request) {
        for Flag { key, flag, text } in &request.flags {
            self.set(key, Value::Text(text.clone()), Origin::Flag(flag));
        }
    }

    fn add_environment(&mut self, environment: &Environment) {
        let own = keys::KEYS.iter().map(|key| (key.name, key.variable()));
        let aliases = keys::ENV_ALIASES.iter();
        let aliases = aliases.map(|(key, name)| (*key, (*name).to_owned()));
        for (key, name) in own.chain(aliases) {
            if let Some(text) = self.variable(environment, &name) {
                let text = Value::Text(text.to_owned());
                self.set(key, text, Origin::Variable(name));
            }
        }
        let unknown: Vec<&str> = environment
            .names()
            .filter(|name| name.starts_with(keys::ENV_PREFIX))
            .filter(|name| !is_known_variable(name))
            .collect();
        for name in unknown {
            let alike = |known: &str| strsim::normalized_damerau_levenshtein(name, known);
            let known: Vec<String> = keys::KEYS.iter().map(keys::Key::variable).collect();
            let advice = keys::closest(known.iter().map(String::as_str), alike).map_or_else(
                || "unset it; `story-liker config show` lists every key".to_owned(),
                |known| format!("did you mean {known}?"),
            );
            let origin = Origin::Variable(name.to_owned());
            let problem = format!("no such setting, {advice}");
            self.mistake(name, origin, problem, "");
        }
    }

    /// A file that was named has to exist; the usual places may be empty.
    fn find_file(&mut self, request: &Request, environment: &Environment) -> Option<PathBuf> {
        if let Some(path) = &request.config_file {
            return Some(path.clone());
        }
        if let Some(path) = self.variable(environment, keys::CONFIG_VARIABLE) {
            return Some(PathBuf::from(path));
        }
        let home = environment.absolute_path("HOME");
        let user = environment
            .absolute_path("XDG_CONFIG_HOME")
            .or_else(|| Some(home?.join(".config")));
        let user = user.map(|folder| folder.join("story-liker/config.toml"));
        let system = PathBuf::from("/etc/story-liker/config.toml");
        user.into_iter().chain([system]).find(|path| path.exists())
    }

    fn add_file(&mut self, path: &Arc<PathBuf>) {
        let at = |line| Origin::File {
            path: Arc::clone(path),
            line,
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(problem) => {
                let advice = "a readable TOML file, see examples/config.toml";
                return self.mistake("configuration file", at(1), problem, advice);
            }
        };
        let line_of = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        let document = match DeTable::parse(&text) {
            Ok(document) => document.into_inner(),
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(span.start));
                // Only the parser's own words: the line itself may hold a secret.
                let problem = format!("not valid TOML: {}", error.message());
                return self.mistake("configuration file", at(line), problem, "");
            }
        };
        let mut reader = FileReader {
            raw: self,
            origin: &|offset| at(line_of(offset)),
        };
        reader.read(&document);
    }
}

/// Other programs' variables that begin like ours are known too: Kubernetes makes these for a
/// service called `story-liker`.
fn is_known_variable(name: &str) -> bool {
    keys::KEYS.iter().any(|key| key.variable() == name)
        || keys::OTHER_VARIABLES.contains(&name)
        || name.starts_with("STORY_LIKER_SERVICE_")
        || name == "STORY_LIKER_PORT"
        || name.starts_with("STORY_LIKER_PORT_")
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => format!("it cannot be read: {error}"),
        })?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err("it is larger than 1 MiB, so it is no configuration".to_owned());
    }
    Ok(text)
}

struct FileReader<'r> {
    raw: &'r mut RawConfig,
    origin: &'r dyn Fn(usize) -> Origin,
}

impl FileReader<'_> {
    fn read(&mut self, document: &DeTable<'_>) {
        let profiles = document
            .iter()
            .find(|(name, _)| name.get_ref() == "profile");
        if let Some((name, profiles)) = profiles {
            let origin = (self.origin)(name.span().start);
            self.read_profiles(&origin, profiles.get_ref());
        }
        for (name, value) in document {
            if name.get_ref() != "profile" {
                let origin = (self.origin)(name.span().start);
                self.entry(name.get_ref(), &origin, value.get_ref(), true);
            }
        }
    }

    /// Tables of other profiles are checked for unknown keys and otherwise left alone.
    fn read_profiles(&mut self, origin: &Origin, profiles: &DeValue<'_>) {
        let Some(profiles) = profiles.as_table() else {
            let allowed = "tables [profile.NAME], NAME of a-z, 0-9 and -";
            let problem = "profiles are tables".to_owned();
            return self
                .raw
                .mistake("profile", origin.clone(), problem, allowed);
        };
        let mut names = Vec::new();
        for (name, table) in profiles {
            let origin = (self.origin)(name.span().start);
            let key = format!("profile.{}", name.get_ref());
            if let Err(problem) = name.get_ref().parse::<ProfileName>() {
                self.raw.mistake(&key, origin.clone(), problem, "");
            }
            names.push(name.get_ref().to_string());
            let chosen = name.get_ref() == self.raw.profile.as_str();
            let Some(table) = table.get_ref().as_table() else {
                let problem = "a profile is a table".to_owned();
                self.raw.mistake(&key, origin, problem, "[profile.NAME]");
                continue;
            };
            for (name, value) in table {
                let origin = (self.origin)(name.span().start);
                self.entry(name.get_ref(), &origin, value.get_ref(), chosen);
            }
        }
        let profile = self.raw.profile.clone();
        if profile != ProfileName::default() && !names.iter().any(|name| name == profile.as_str()) {
            let problem = format!("the file has no table [profile.{profile}]");
            let allowed = format!("default, {}", names.join(", "));
            self.raw.mistakes.push(Mistake {
                key: "profile".to_owned(),
                value: Some(profile.to_string()),
                origin: origin.clone(),
                problem,
                allowed,
            });
        }
    }

    fn entry(&mut self, name: &str, origin: &Origin, value: &DeValue<'_>, chosen: bool) {
        if let Some(key) = keys::find(name) {
            if chosen {
                let value = Value::from_toml(value);
                self.raw.set(key.name, value, origin.clone());
            }
            return;
        }
        let prefix = format!("{name}.");
        let is_section = keys::KEYS.iter().any(|key| key.name.starts_with(&prefix));
        match value.as_table() {
            Some(table) if is_section => {
                for (inner, value) in table {
                    let origin = (self.origin)(inner.span().start);
                    let name = format!("{prefix}{}", inner.get_ref());
                    self.entry(&name, &origin, value.get_ref(), chosen);
                }
            }
            None if is_section => {
                let problem = "a table belongs here".to_owned();
                self.raw
                    .mistake(name, origin.clone(), problem, &format!("[{name}]"));
            }
            _ => {
                let problem = unknown_key(name);
                self.raw.mistake(name, origin.clone(), problem, "");
            }
        }
    }
}

/// The value of an unknown key is never shown: it may be a secret in the wrong place.
fn unknown_key(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let secret = [
        "password",
        "totp",
        "secret",
        "token",
        "session_id",
        "sessionid",
    ]
    .iter()
    .any(|word| last.contains(word));
    if secret && !last.ends_with("_file") {
        return "secrets do not belong in the configuration file; put the password into a file of \
                its own, chmod 600, and name it in account.password_file (an authenticator secret: \
                account.totp_secret_file)"
            .to_owned();
    }
    match keys::similar(name) {
        Some(known) => format!("no such key, did you mean {known}?"),
        None => "no such key; `story-liker config show` lists every key".to_owned(),
    }
}
