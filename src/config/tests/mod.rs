//! The configuration from the outside: text, variables and flags in, meaning or mistakes out.

#![allow(clippy::unwrap_used)]

mod answers;
mod example;
mod generated;
mod layers;
mod metrics;
mod parsers;
mod refusals;
mod secrets;

use std::path::PathBuf;

use super::*;

/// A folder with a configuration file, and variables that lead nowhere else.
struct Setup {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    request: Request,
}

impl Setup {
    fn new(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        Self {
            variables: vec![("HOME".to_owned(), folder.path().display().to_string())],
            request: Request {
                config_file: Some(path),
                ..Request::default()
            },
            folder,
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, key: &'static str, flag: &'static str, text: &str) -> Self {
        let text = text.to_owned();
        self.request.flags.push(Flag { key, flag, text });
        self
    }

    fn profile(mut self, name: &str) -> Self {
        self.request.profile = Some(name.parse().unwrap());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Loaded, ConfigErrors> {
        let environment = self.variables.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        load(&self.request, &environment.collect())
    }

    #[track_caller]
    fn config(&self) -> Config {
        self.load()
            .unwrap_or_else(|errors| panic!("{errors}"))
            .config
    }

    #[track_caller]
    fn mistakes(&self) -> Vec<Mistake> {
        match self.load() {
            Err(ConfigErrors(mistakes)) => mistakes,
            Ok(_) => panic!("no mistake was found"),
        }
    }

    #[track_caller]
    fn only_mistake(&self) -> Mistake {
        let mut mistakes = self.mistakes();
        assert_eq!(mistakes.len(), 1, "{}", ConfigErrors(mistakes));
        mistakes.remove(0)
    }
}

fn shown(loaded: &Loaded, key: &str) -> (String, String) {
    let entry = loaded.effective.iter().find(|entry| entry.key == key);
    let entry = entry.unwrap_or_else(|| panic!("{key} is not shown"));
    let value = entry
        .value
        .as_ref()
        .map_or("none".to_owned(), Value::to_string);
    (value, entry.origin.to_string())
}
