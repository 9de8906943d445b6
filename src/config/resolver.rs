//! Reads one key after the other: what was typed or the default, checked against what is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::error::Mistake;
use super::file::FILE_KEY;
use super::raw::{RawConfig, Setting};
use super::value::{Effective, Origin, Value};
use super::{PauseRange, ceilings, keys, parse, secrets};
use crate::model::Limit;

/// No rolling window is longer; what is older may be pruned.
const LONGEST_WINDOW: Duration = Duration::from_hours(35 * 24);

const HOUR: Duration = Duration::from_hours(1);

/// Reads keys one by one and collects mistakes.
pub(super) struct Resolver<'r> {
    pub(super) raw: &'r RawConfig,
    pub(super) environment: &'r Environment,
    mistakes: Vec<Mistake>,
    failed: BTreeSet<&'static str>,
    effective: BTreeMap<&'static str, (Option<Value>, Origin)>,
    unsafe_limits: bool,
}

impl<'r> Resolver<'r> {
    /// Reads `raw`, in which these mistakes were found already.
    pub(super) fn new(
        raw: &'r RawConfig,
        environment: &'r Environment,
        mistakes: Vec<Mistake>,
    ) -> Self {
        Self {
            raw,
            environment,
            mistakes,
            failed: BTreeSet::new(),
            effective: BTreeMap::new(),
            unsafe_limits: false,
        }
    }

    /// What every key came to, and the mistakes.
    pub(super) fn finish(self) -> (Vec<Effective>, Vec<Mistake>) {
        (self.table(), self.mistakes)
    }

    /// Reads `limits.allow_unsafe_limits`, on which the ranges of other keys depend.
    pub(super) fn read_unsafe_limits(&mut self) {
        self.unsafe_limits = self.truth("limits.allow_unsafe_limits");
    }

    /// Notes a mistake in the value of `key`.
    pub(super) fn mistake(&mut self, key: &'static str, problem: String, advice: String) {
        let setting = self.raw.settings.get(key);
        let default = || keys::default_of(key).map(|value| value.to_string());
        self.failed.insert(key);
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            value: setting.map_or_else(default, |set| Some(parse::showable(key, &set.value))),
            origin: setting.map_or(Origin::Default, |set| set.origin.clone()),
            problem,
            advice,
        });
    }

    /// Notes a mistake in a secret, without the secret.
    pub(super) fn secret_mistake(&mut self, key: &'static str, refused: secrets::Refused) {
        self.failed.insert(key);
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            value: None,
            origin: refused.origin,
            problem: refused.problem,
            advice: refused.remedy,
        });
    }

    /// Where the value of a key that was read came from.
    pub(super) fn origin_of(&self, key: &str) -> Origin {
        let known = self.effective.get(key);
        known.map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Tells `config show` of a key that is no setting itself.
    pub(super) fn came_to(&mut self, key: &'static str, value: Option<Value>, origin: Origin) {
        self.effective.insert(key, (value, origin));
    }

    /// Whether none of these keys has a mistake, so that their values may be compared.
    pub(super) fn sound(&self, keys: &[&'static str]) -> bool {
        keys.iter().all(|key| !self.failed.contains(key))
    }

    /// Whether the file, if there is one, could be read.
    pub(super) fn file_is_sound(&self) -> bool {
        !self.mistakes.iter().any(|mistake| mistake.key == FILE_KEY)
    }

    /// Whether somebody set the key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.raw.settings.contains_key(key)
    }

    /// What the key was set to, unless it has no default and nobody set it.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let default = || {
            Some(Setting {
                value: keys::default_of(key)?,
                origin: Origin::Default,
            })
        };
        let Some(setting) = self.raw.settings.get(key).cloned().or_else(default) else {
            self.came_to(key, None, Origin::Default);
            return None;
        };
        match parse(&setting.value) {
            Ok(parsed) => {
                self.came_to(key, Some(setting.value), setting.origin);
                Some(parsed)
            }
            Err(problem) => {
                self.mistake(key, problem, format!("allowed: {allowed}"));
                None
            }
        }
    }

    /// What the key was set to, or its default.
    pub(super) fn required<T>(
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
    pub(super) fn show(&mut self, key: &'static str, value: Option<Value>) {
        if let Some(entry) = self.effective.get_mut(key) {
            entry.0 = value;
        }
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, key: &'static str) -> bool {
        self.required(key, "true or false", parse::truth)
    }

    /// A duration from `least` to `most`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        least: Duration,
        most: Duration,
    ) -> Duration {
        self.duration_or_beyond(key, (least, most), (least, most))
    }

    /// A duration in the range `safe`, or in `wider` with `limits.allow_unsafe_limits`.
    pub(super) fn duration_or_beyond(
        &mut self,
        key: &'static str,
        safe: (Duration, Duration),
        wider: (Duration, Duration),
    ) -> Duration {
        let (least, most) = if self.unsafe_limits { wider } else { safe };
        let allowed = format!(
            "{} to {}, with a unit{}",
            parse::show_duration(least),
            parse::show_duration(most),
            if safe == wider { "" } else { self.beyond() }
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
    pub(super) fn count(&mut self, key: &'static str, safe: u32, most: u32) -> u32 {
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

    /// Windows up to the ceilings, completed by the ceilings they do not imply.
    pub(super) fn limits(&mut self, key: &'static str, ceilings: &[Limit]) -> Vec<Limit> {
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

    /// A range of pauses whose shortest is at least `floor`.
    pub(super) fn pause(&mut self, key: &'static str, floor: Duration) -> PauseRange {
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
    pub(super) fn path(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&Value) -> Result<PathBuf, String>,
    ) -> Option<PathBuf> {
        let path = self.optional(key, allowed, parse)?;
        Some(self.beside_the_file(key, path))
    }

    /// A path that the configuration file gives for this key is relative to that file's folder.
    pub(super) fn beside_the_file(&self, key: &str, path: PathBuf) -> PathBuf {
        match self.raw.settings.get(key).map(|setting| &setting.origin) {
            Some(Origin::File { path: file, .. }) => file.with_file_name("").join(path),
            _ => path,
        }
    }

    /// A part that is left out keeps its default.
    pub(super) fn likes_per_target(&mut self) -> (u32, Vec<Limit>) {
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

    fn table(&self) -> Vec<Effective> {
        let secrets = secrets::ALL.map(|kind| kind.key);
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
