//! The practice server must not confirm the client's own guesses: it may share no code with it.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// The first part of every path below the crate's root that a source names, by whatever spelling.
fn neighbours(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let depth = path
        .strip_prefix(Path::new(ROOT).join("src/practice"))
        .unwrap()
        .components()
        .count();
    // From a module at this depth, so many `super::` lead out of the practice module.
    let module = depth - usize::from(path.ends_with("mod.rs"));
    let out = "super::".repeat(module + 1);
    let mut found = Vec::new();
    for way in ["crate::", "story_liker::", out.as_str()] {
        for (place, _) in text.match_indices(way) {
            let name: String = text[place + way.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '{')
                .collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn practice_uses_nothing_else_of_the_crate() {
    let mut sources = Vec::new();
    files(&Path::new(ROOT).join("src/practice"), &mut sources);
    assert!(sources.len() > 20);
    let mut named = 0;
    for path in sources {
        for name in neighbours(&path) {
            named += 1;
            assert_eq!(
                name,
                "practice",
                "{} reaches out of the practice module",
                path.display()
            );
        }
    }
    assert!(named > 0, "the search finds paths at all");
}

#[test]
fn every_recorded_reply_is_embedded_unchanged() {
    let folder = Path::new(ROOT).join("tests/fixtures/private");
    let mut names = Vec::new();
    files(&folder, &mut names);
    let embedded = story_liker::practice::fixtures::all();
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "index" || name == "vectors" {
            continue;
        }
        assert_eq!(embedded[name].body, std::fs::read(&path).unwrap(), "{name}");
    }
}
