//! What was typed, layer by layer: flags go before environment variables, these before the file,
//! and in the file a profile's table before the rest. A key that nobody set is absent.
//!
//! Unknown keys and variables are mistakes: a misspelt limit must not pass in silence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::LevelFilter;

use super::environment::{Environment, NotUnicode};
use super::error::Mistake;
use super::keys;
use super::places;
use super::secrets::Needs;
use super::value::{Origin, Value};
use crate::cli::Global;
use crate::model::ProfileName;

/// What the command line asks of the configuration. Not `Debug`, like all that was typed: it may
/// hold a secret in the wrong place.
#[derive(Clone, Default)]
pub struct Request {
    /// `--config`.
    pub config_file: Option<PathBuf>,
    /// The flag that named the file, where it was another one.
    pub config_flag: Option<&'static str>,
    /// `--profile`.
    pub profile: Option<ProfileName>,
    /// Keys set by flags.
    pub flags: Vec<Flag>,
    /// Whether the command cannot do without targets.
    pub needs_targets: bool,
    /// The secrets that the command needs.
    pub needs: Needs,
}

/// A key set by a flag.
#[derive(Clone)]
pub struct Flag {
    /// The key.
    pub key: &'static str,
    /// The flag, with its dashes.
    pub flag: &'static str,
    /// What it was set to.
    pub text: String,
}

impl Request {
    /// From the flags of every command, for one that needs these secrets.
    pub fn new(global: &Global, needs: Needs) -> Self {
        let database = global.database.as_ref().map(|address| Flag {
            key: "database",
            flag: "--database",
            text: address.expose().to_owned(),
        });
        Self {
            config_file: global.config.clone(),
            config_flag: None,
            profile: global.profile.clone(),
            flags: database.into_iter().collect(),
            needs_targets: false,
            needs,
        }
    }

    /// An empty target list is a mistake.
    #[must_use]
    pub fn needing_targets(mut self) -> Self {
        self.needs_targets = true;
        self
    }

    /// With `--metrics-file`.
    #[must_use]
    pub fn with_metrics_file(mut self, file: Option<&str>) -> Self {
        self.flags.extend(file.map(|file| Flag {
            key: "metrics.file",
            flag: "--metrics-file",
            text: file.to_owned(),
        }));
        self
    }

    /// With `--old-key-file`.
    #[must_use]
    pub fn with_old_key(mut self, file: Option<&Path>) -> Self {
        self.flags.extend(file.map(|file| Flag {
            key: "secrets.old_key_files",
            flag: "--old-key-file",
            text: file.display().to_string(),
        }));
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
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Everything that was typed.
pub(super) struct RawConfig {
    pub(super) profile: ProfileName,
    pub(super) profile_origin: Origin,
    pub(super) file: Option<Arc<PathBuf>>,
    pub(super) settings: BTreeMap<&'static str, Setting>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) needs: Needs,
}

impl RawConfig {
    /// Collects all layers.
    pub(super) fn collect(request: &Request, environment: &Environment) -> Self {
        let mut raw = Self {
            profile: ProfileName::default(),
            profile_origin: Origin::Default,
            file: None,
            settings: BTreeMap::new(),
            mistakes: Vec::new(),
            needs: request.needs,
        };
        raw.choose_profile(request, environment);
        raw.check_log_level(environment);
        raw.add_flags(request);
        raw.add_environment(environment);
        if let Some((path, named_by)) = raw.find_file(request, environment) {
            let path = Arc::new(path);
            raw.add_file(&path, named_by);
            raw.file = Some(path);
        }
        raw
    }

    /// The first layer that sets a key wins.
    pub(super) fn set(&mut self, key: &'static str, value: Value, origin: Origin) {
        let setting = Setting { value, origin };
        self.settings.entry(key).or_insert(setting);
    }

    /// A variable of other programs may fill a gap of the file. Where it contradicts the file, it may be
    /// a leftover, and would choose other people, or a history without the requests already sent.
    pub(super) fn refuse_leftover(&mut self, key: &keys::Key, value: &Value, origin: &Origin) {
        let Some(Setting {
            value: typed,
            origin: Origin::Variable(name),
        }) = self.settings.get(key.name)
        else {
            return;
        };
        if *name == key.variable() || typed == value {
            return;
        }
        let variable = Origin::Variable(name.clone());
        let advice = format!(
            "unset {name}, which other programs use too; or set {}, which goes before the file",
            key.variable()
        );
        let problem = format!("it contradicts {origin}");
        self.settings.remove(key.name);
        self.mistake(key.name, variable, problem, &advice);
    }

    pub(super) fn mistake(&mut self, key: &str, origin: Origin, problem: String, advice: &str) {
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            value: None,
            origin,
            problem,
            advice: advice.to_owned(),
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
            self.profile_origin = Origin::Flag("--profile");
        } else if let Some(text) = self.variable(environment, keys::PROFILE_VARIABLE) {
            self.profile_origin = Origin::Variable(keys::PROFILE_VARIABLE.to_owned());
            match text.parse() {
                Ok(profile) => self.profile = profile,
                Err(problem) => {
                    self.mistake("profile", self.profile_origin.clone(), problem, "");
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
            let advice = "allowed: off, error, warn, info, debug or trace";
            self.mistake("log level", origin, problem, advice);
        }
    }

    fn add_flags(&mut self, request: &Request) {
        for Flag { key, flag, text } in &request.flags {
            self.set(key, Value::Text(text.clone()), Origin::Flag(flag));
        }
    }

    pub(super) fn add_environment(&mut self, environment: &Environment) {
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
                || format!("unset it; {}", keys::LISTED),
                |known| format!("did you mean {known}?"),
            );
            let origin = Origin::Variable(name.to_owned());
            let problem = format!("no such setting, {advice}");
            self.mistake(name, origin, problem, "");
        }
    }

    /// The file and who named it. One that was named has to exist; the usual places may be empty.
    fn find_file(
        &mut self,
        request: &Request,
        environment: &Environment,
    ) -> Option<(PathBuf, Origin)> {
        if let Some(path) = &request.config_file {
            let flag = request.config_flag.unwrap_or("--config");
            return Some((path.clone(), Origin::Flag(flag)));
        }
        if let Some(path) = self.variable(environment, keys::CONFIG_VARIABLE) {
            let origin = Origin::Variable(keys::CONFIG_VARIABLE.to_owned());
            return Some((PathBuf::from(path), origin));
        }
        let path = places::configuration_files(environment).find(|path| path.exists());
        path.map(|path| (path, Origin::Default))
    }
}

/// Other programs' variables that begin like ours are known too: Kubernetes makes these for a
/// service called `story-liker`.
fn is_known_variable(name: &str) -> bool {
    keys::KEYS.iter().any(|key| key.variable() == name)
        || keys::VARIABLES.iter().any(|known| known.name == name)
        || name.starts_with(keys::NOTICE_VARIABLES)
        || name.starts_with("STORY_LIKER_SERVICE_")
        || name == "STORY_LIKER_PORT"
        || name.starts_with("STORY_LIKER_PORT_")
}
