//! The rules of the house that the compiler does not know, read off the sources: who may use whom,
//! which knowledge stays in one place, what lies in the repository. What clippy can forbid stands in `.clippy.toml`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A source file below `src`: its path there, and its code without comments.
struct Source {
    path: String,
    code: String,
}

fn below(folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = |line: &&str| !line.trim_start().starts_with("//");
            let name = path.strip_prefix(src()).unwrap();
            into.push(Source {
                path: name.to_str().unwrap().to_owned(),
                code: text.lines().filter(code).collect::<Vec<_>>().join("\n"),
            });
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn src() -> PathBuf {
    root().join("src")
}

fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    below(&src(), &mut all);
    assert!(all.len() > 100, "the search finds the sources");
    all
}

/// The modules of this crate that a source names.
fn neighbours(code: &str) -> BTreeSet<String> {
    let word = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let place = "crate::";
    code.match_indices(place)
        .map(|(at, _)| word(&code[at + place.len()..]))
        .collect()
}

/// Which other modules each module may use. `commands` and `rehearse` put everything together;
/// `practice` has a test of its own.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model/", &[]),
    ("exit.rs", &[]),
    ("cli/", &["exit", "model"]),
    ("ports/", &["model"]),
    ("clock.rs", &["model", "ports", "practice"]),
    ("telemetry/", &["cli", "model"]),
    ("config/", &["cli", "model"]),
    ("care/", &["config", "model", "ports"]),
    ("engage/policy.rs", &["care", "config", "model"]),
    ("engage/outlook.rs", &["care", "config", "model"]),
    ("engage/health.rs", &["care", "exit", "model"]),
    ("engage/reason.rs", &["model"]),
    ("engage/forecast.rs", &["care", "config", "model", "ports"]),
    ("engage/", &["care", "config", "exit", "model", "ports"]),
    ("instagram/", &["config", "model", "ports"]),
    ("store/", &["model", "ports"]),
];

#[test]
fn every_module_uses_only_what_it_may() {
    let sources = sources();
    for (module, allowed) in MAY_USE {
        let own = module.split(['/', '.']).next().unwrap();
        let mut files = 0;
        for source in sources.iter().filter(|s| s.path.starts_with(module)) {
            files += 1;
            for name in neighbours(&source.code) {
                assert!(
                    name == own || allowed.contains(&name.as_str()),
                    "{} uses crate::{name}",
                    source.path
                );
            }
        }
        assert!(files > 0, "there is no {module}");
    }
}

/// Names that mean that something acts instead of deciding.
const PORTS: [&str; 7] = [
    "Platform", "Store", "Clock", "Ports", "rusqlite", "reqwest", "std::fs",
];

fn names(code: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(part);
        let after = code[at + name.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}

#[test]
fn decisions_know_no_port() {
    let pure = [
        "care/",
        "engage/absorb.rs",
        "engage/forecast.rs",
        "engage/health.rs",
        "engage/outlook.rs",
        "engage/policy.rs",
        "engage/queue.rs",
        "engage/reason.rs",
    ];
    for source in sources() {
        if pure.iter().any(|module| source.path.starts_with(module)) {
            for port in PORTS {
                assert!(!names(&source.code, port), "{} knows {port}", source.path);
            }
        }
    }
}

/// Words that may stand in some places only: the word, and how the paths of these places begin.
const KEPT: &[(&str, &[&str])] = &[
    ("rusqlite", &["store/"]),
    ("refinery", &["store/"]),
    ("TextEncoder", &["telemetry/metrics/"]),
    ("reqwest", &["instagram/", "telemetry/"]),
    ("hyper", &["practice/"]),
    ("tokio", &["practice/"]),
    ("signal_hook", &["clock.rs"]),
    ("rpassword", &["commands/"]),
    ("clap", &["cli/", "main.rs"]),
    ("clap_complete", &["cli/", "commands/completions.rs"]),
    ("clap_mangen", &["commands/man/"]),
    (
        "clippy::disallowed_methods",
        &[
            "clock.rs",
            "config/environment.rs",
            "practice/clock.rs",
            // The test that renews the snapshot of the schema.
            "store/sqlite/schema.rs",
            // And that of the metrics file.
            "telemetry/metrics/snapshot_tests.rs",
        ],
    ),
    ("std::process::ExitCode", &["exit.rs", "main.rs"]),
    (
        "catch_unwind",
        &["main.rs", "commands/aside.rs", "commands/run.rs"],
    ),
];

#[test]
fn each_tool_stays_in_its_place() {
    let sources = sources();
    for (word, places) in KEPT {
        let users: Vec<_> = sources.iter().filter(|s| names(&s.code, word)).collect();
        assert!(!users.is_empty(), "nobody uses {word}");
        for source in users {
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            assert!(allowed, "{} uses {word}", source.path);
        }
    }
}

/// The names of two or more words between quotes.
fn field_names(code: &str) -> BTreeSet<&str> {
    let field = |text: &&str| {
        text.contains('_') && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    code.split('"').filter(field).collect()
}

#[test]
fn names_of_reply_fields_stay_with_the_adapter() {
    let sources = sources();
    let replies = sources
        .iter()
        .find(|s| s.path == "instagram/wire/replies.rs")
        .unwrap();
    let fields = field_names(&replies.code);
    assert!(fields.contains("has_liked") && fields.len() > 10);
    for source in &sources {
        if source.path.starts_with("instagram/") || source.path.starts_with("practice/") {
            continue;
        }
        for field in &fields {
            let quoted = format!("\"{field}\"");
            assert!(!source.code.contains(&quoted), "{}: {quoted}", source.path);
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file is not one of those it looks for.
    let parts = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["to", "do!"],
        ["unimple", "mented!"],
    ];
    let more = [["#[ig", "nore"], ["db", "g!("]];
    let mut all = Vec::new();
    below(&src(), &mut all);
    for word in parts.iter().chain(&more).map(|part| part.concat()) {
        for source in &all {
            let text = fs::read_to_string(src().join(&source.path)).unwrap();
            assert!(!text.contains(&word), "{} has {word}", source.path);
        }
    }
}

/// The files that belong to the project: those that version control knows, or that would be added.
fn project_files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let listed = output.ok().filter(|output| output.status.success());
    let listed = listed.map(|output| String::from_utf8(output.stdout).unwrap());
    // An unpacked archive has no version control; then there is nothing to be added by mistake.
    listed
        .unwrap_or_default()
        .lines()
        .filter(|name| root().join(name).exists())
        .map(str::to_owned)
        .collect()
}

#[test]
fn only_the_agreed_names_lie_at_the_top() {
    const AGREED: [&str; 12] = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "migrations",
        "tests",
        "systemd",
        "k8s",
        "examples",
        "packaging",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    ];
    for file in project_files() {
        let top = file.split('/').next().unwrap();
        assert!(top.starts_with('.') || AGREED.contains(&top), "{file}");
    }
}

#[test]
fn no_file_names_the_machine_it_was_made_on() {
    let root = root();
    let outer = root.parent().filter(|path| path.components().count() > 2);
    let mut telling: Vec<String> = [Some(root), outer]
        .into_iter()
        .flatten()
        .map(|path| format!("{}/", path.display()))
        .collect();
    // Put together here, so that this file is not one of those it looks for: somebody's home, the
    // package cache, and the ways to name another registry.
    let parts = [
        ["/ro", "ot/"],
        ["/.cargo/", "registry/"],
        ["index-", "url"],
        ["replace-", "with"],
        ["spar", "se+"],
    ];
    telling.extend(parts.map(|part| part.concat()));
    for file in project_files() {
        let Ok(text) = fs::read_to_string(root.join(&file)) else {
            continue;
        };
        for words in &telling {
            assert!(!text.contains(words.as_str()), "{file} names {words}");
        }
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = lock
        .lines()
        .filter(|line| line.starts_with("source = "))
        .collect();
    assert_eq!(
        sources.len(),
        1,
        "all dependencies come from one place: {sources:?}"
    );
}
