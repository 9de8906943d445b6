//! Where the figures go, also when the rest of the configuration is wrong.

use super::*;

const FILE: &str = "[metrics]\nfile = \"a.prom\"\n[profile.second.metrics]\nfile = \"b.prom\"\n";

impl Setup {
    /// Whose figures, and the file.
    fn despite_mistakes(&self) -> Option<(String, PathBuf)> {
        let environment = self.variables.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let found = inspect(&self.request, &environment.collect()).metrics_file();
        found.map(|(profile, path)| (profile.to_string(), path))
    }
}

#[test]
fn no_file_is_written_unless_one_is_named() {
    assert_eq!(Setup::new("").config().metrics_file, None);
    assert_eq!(Setup::new("").despite_mistakes(), None);
}

#[test]
fn the_file_is_the_flags_then_the_variables_then_the_keys() {
    let setup = Setup::new(FILE);
    assert_eq!(setup.config().metrics_file, Some(setup.path("a.prom")));
    let setup = setup.variable("STORY_LIKER_METRICS_FILE", "c.prom");
    assert_eq!(setup.config().metrics_file, Some("c.prom".into()));
    let setup = setup.flag("metrics.file", "--metrics-file", "d.prom");
    assert_eq!(setup.config().metrics_file, Some("d.prom".into()));
}

#[test]
fn mistakes_elsewhere_do_not_hide_the_file() {
    let setup = Setup::new(&format!("{FILE}[limits]\nlikes = \"many\"\nlieks = 1\n"));
    assert_eq!(setup.mistakes().len(), 2);
    let of_default = ("default".to_owned(), setup.path("a.prom"));
    assert_eq!(setup.despite_mistakes(), Some(of_default));
    let setup = setup.profile("second");
    let of_second = ("second".to_owned(), setup.path("b.prom"));
    assert_eq!(setup.despite_mistakes(), Some(of_second));
}

#[test]
fn what_is_no_toml_hides_its_keys_and_nothing_else() {
    let setup = Setup::new("[metrics\nfile = \"a.prom\"");
    assert_eq!(setup.despite_mistakes(), None);
    let setup = setup.variable("STORY_LIKER_METRICS_FILE", "/c.prom");
    let expected = ("default".to_owned(), PathBuf::from("/c.prom"));
    assert_eq!(setup.despite_mistakes(), Some(expected));
}

#[test]
fn figures_are_not_told_of_another_profile_than_the_one_that_was_meant() {
    let setup = Setup::new(FILE).variable("STORY_LIKER_PROFILE", "My Profile");
    assert_eq!(setup.despite_mistakes(), None);
}

#[test]
fn a_file_that_no_collector_would_read_is_refused() {
    for path in ["", "~/a.prom", "stories.db", "prom", ".prom", "a.prom.txt"] {
        let setup = Setup::new(&format!("[metrics]\nfile = \"{path}\"\n"));
        let mistake = setup.only_mistake();
        assert_eq!(mistake.key, "metrics.file", "{path}");
        assert!(
            mistake.advice.contains("ends in .prom"),
            "{path}: {mistake}"
        );
        assert_eq!(setup.despite_mistakes(), None, "{path}");
    }
}
