//! The normal run over everything the fuzz targets begin with and everything they have ever found.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::TARGETS;

/// Fixtures that are inputs of a target as they are; `tests/fuzz/run` begins with the same.
const FIXTURES: [(&str, &str); 3] = [
    ("reply", "tests/fixtures/private"),
    ("settings", "tests/fixtures/settings"),
    ("config", "examples"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The versions of every crate that a lock file names.
fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lock: toml::Table = fs::read_to_string(root().join(lock))
        .unwrap()
        .parse()
        .unwrap();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        versions
            .entry(text("name"))
            .or_default()
            .insert(text("version"));
    }
    versions
}

/// Otherwise `--locked` refuses to build them, and nobody notices until somebody wants to fuzz.
#[test]
fn the_targets_are_locked_to_the_crates_of_the_program() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let (program, targets) = (locked("Cargo.lock"), locked("tests/fuzz/Cargo.lock"));
    for name in manifest["dependencies"].as_table().unwrap().keys() {
        assert_eq!(
            targets.get(name),
            program.get(name),
            "{name}: copy Cargo.lock over tests/fuzz/Cargo.lock, then run `cargo fetch` in there"
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn every_kept_input_of_every_target_holds() {
    for (name, check) in TARGETS {
        let fuzz = root().join("tests/fuzz");
        let mut inputs = files(&fuzz.join("corpus").join(name));
        inputs.extend(files(&fuzz.join("found").join(name)));
        for (_, folder) in FIXTURES.iter().filter(|(target, _)| *target == name) {
            inputs.extend(files(&root().join(folder)));
        }
        assert!(!inputs.is_empty(), "{name} has nothing to begin with");
        for input in inputs {
            // Shown when the check panics: the last line names the input.
            println!("{name}: {}", input.display());
            check(&fs::read(&input).unwrap());
        }
        check(b"");
    }
}

#[test]
fn every_check_has_its_target_and_every_target_its_check() {
    let checks: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets = files(&root().join("tests/fuzz/targets"));
    for target in &targets {
        let call = format!("story_liker::fuzzing::{}(bytes)", stem(target));
        assert!(
            fs::read_to_string(target).unwrap().contains(&call),
            "{call}"
        );
    }
    assert_eq!(targets.iter().map(stem).collect::<BTreeSet<_>>(), checks);
    let manifest = fs::read_to_string(root().join("tests/fuzz/Cargo.toml")).unwrap();
    let named = manifest.lines().filter_map(|line| {
        line.strip_prefix("path = \"targets/")?
            .strip_suffix(".rs\"")
    });
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), checks);
    let run = fs::read_to_string(root().join("tests/fuzz/run")).unwrap();
    for (target, folder) in FIXTURES {
        assert!(
            run.contains(&format!("{target}) echo {folder}")),
            "{target}"
        );
    }
}
