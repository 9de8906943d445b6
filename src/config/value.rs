//! What was typed, before it means anything: a value and where it came from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use toml::de::DeValue;

/// A value as typed. Text from a flag or a variable is always [`Value::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// An array.
    List(Vec<Value>),
    /// A table.
    Table(Vec<(String, Value)>),
    /// Something no key takes (a float, a date, a number beyond 64 bits), as typed.
    Other(String),
}

impl Value {
    /// Reads a TOML literal.
    pub(super) fn parse(literal: &str) -> Option<Self> {
        let value = DeValue::parse(literal).ok()?;
        Some(Self::from_toml(value.get_ref()))
    }

    pub(super) fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Self::Other(number.as_str().to_owned()), Self::Integer),
            DeValue::Boolean(truth) => Self::Bool(*truth),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| Self::from_toml(item.get_ref()))
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(
                table
                    .iter()
                    .map(|(name, value)| {
                        (name.get_ref().to_string(), Self::from_toml(value.get_ref()))
                    })
                    .collect(),
            ),
            DeValue::Float(number) => Self::Other(number.as_str().to_owned()),
            DeValue::Datetime(date) => Self::Other(date.to_string()),
        }
    }

    /// The text of a string.
    pub(super) fn as_text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            other => Err(format!("{} where text belongs", other.kind())),
        }
    }

    /// The items of a list; a single value is a list of one, and text is split at commas.
    pub(super) fn items(&self) -> Vec<Self> {
        match self {
            Self::List(items) => items.clone(),
            Self::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Self::Text(part.to_owned()))
                .collect(),
            other => vec![other.clone()],
        }
    }

    /// What it is, in the words of a message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(_) => "a date, a fraction or a huge number",
        }
    }
}

/// As TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: Vec<String>| f.write_str(&parts.join(", "));
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Other(text) => f.write_str(&visible(text)),
            Self::List(items) => {
                f.write_str("[")?;
                list(f, items.iter().map(ToString::to_string).collect())?;
                f.write_str("]")
            }
            Self::Table(entries) => {
                f.write_str("{ ")?;
                let entries = entries
                    .iter()
                    .map(|(name, value)| format!("{} = {value}", key(name)));
                list(f, entries.collect())?;
                f.write_str(" }")
            }
        }
    }
}

/// A TOML string on one line that a terminal can show, whatever is in it.
fn quoted(text: &str) -> String {
    let shown = toml::Value::from(text).to_string();
    if !shown.contains(char::is_control) {
        return shown;
    }
    // The escapes of JSON are TOML's as well; DEL and what follows need none there.
    visible(&serde_json::Value::from(text).to_string())
}

/// The escapes of what a terminal would obey.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if letter.is_control() {
            shown.push_str(&format!("\\u{:04X}", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A name as it stands before an equals sign.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::Other(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(entries) => {
                serializer.collect_map(entries.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A command-line flag, with its dashes.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// A line of the configuration file.
    File {
        /// The file.
        path: Arc<PathBuf>,
        /// The line, from 1.
        line: usize,
    },
    /// A file with a secret.
    SecretFile(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::SecretFile(path) => write!(f, "file {}", path.display()),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The value a key has in the end, and where it came from.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// Its value; `None` where there is none.
    pub value: Option<Value>,
    /// Where it came from.
    pub origin: Origin,
}
