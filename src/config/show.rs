//! `config show`: every key, its value in the end and where it came from.

use std::fmt::Write as _;

use serde_json::{Map, json};

use super::resolve::Loaded;

/// A table for people: a line a key.
pub fn text(loaded: &Loaded) -> String {
    let value = |value: &Option<super::Value>| match value {
        Some(value) => value.to_string(),
        None => "-".to_owned(),
    };
    let rows: Vec<(&str, String, String)> = loaded
        .effective
        .iter()
        .map(|entry| (entry.key, value(&entry.value), entry.origin.to_string()))
        .collect();
    let width = |length: fn(&(&str, String, String)) -> usize| {
        // A list of many targets must not push the origins out of sight.
        const WIDEST: usize = 44;
        rows.iter().map(length).max().unwrap_or(0).min(WIDEST)
    };
    let keys = width(|row| row.0.len());
    let values = width(|row| row.1.chars().count());
    let mut text = heading(loaded);
    for (key, value, origin) in rows {
        let _ = writeln!(text, "{key:<keys$}  {value:<values$}  {origin}");
    }
    text.trim_end().to_owned()
}

/// The same for machines.
pub fn json(loaded: &Loaded) -> serde_json::Value {
    let settings: Map<String, serde_json::Value> = loaded
        .effective
        .iter()
        .map(|entry| {
            let setting = json!({ "value": entry.value, "origin": entry.origin });
            (entry.key.to_owned(), setting)
        })
        .collect();
    json!({
        "profile": loaded.config.profile,
        "file": loaded.file,
        "settings": settings,
    })
}

/// Which account and which file.
pub(super) fn heading(loaded: &Loaded) -> String {
    let file = match &loaded.file {
        Some(path) => path.display().to_string(),
        None => "none found".to_owned(),
    };
    format!(
        "profile {}, configuration file: {file}\n",
        loaded.config.profile
    )
}
