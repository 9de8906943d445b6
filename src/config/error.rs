//! Mistakes in the configuration, all reported at once.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::value::Origin;

/// One mistake. Never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The key, variable or file concerned.
    pub key: String,
    /// The value as typed, where it may be shown.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// What is wrong, with the arithmetic where there is one.
    pub problem: String,
    /// What is allowed, or what to do; may be empty.
    pub advice: String,
}

/// One line: a key or variable of strange characters is shown with their escapes.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.key.clone();
        if let Some(value) = &self.value {
            line.push_str(&format!(" = {value}"));
        }
        line.push_str(&format!(" ({}): {}", self.origin, self.problem));
        if !self.advice.is_empty() {
            line.push_str(&format!("; {}", self.advice));
        }
        for letter in line.chars() {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Every mistake found (exit code 78).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Mistake>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration has a mistake:")?,
            count => write!(f, "the configuration has {count} mistakes:")?,
        }
        for mistake in &self.0 {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
