//! Log lines: one JSON object a line for machines, text with the same fields for people.
//!
//! The format is chosen once, at the start; time, stream and context are handed in, so that a
//! rehearsal logs virtual time and a test reads what was written. The filter names this crate: the
//! TLS library writes ERROR lines of its own about things that are handled here.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, PoisonError, RwLock};

use env_logger::{Builder, Logger, Target, WriteStyle};
use log::kv::{self, VisitSource, VisitValue};
use log::{Level, LevelFilter, Record};
use serde_json::{Map, Value};

use crate::cli::{ColorChoice, LogFormat};
use crate::model::Timestamp;

/// Where time stamps come from.
pub type TimeSource = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The stream log lines go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// For `run`, `cleanup` and `migrate`: their log is their output.
    Stdout,
    /// For commands that print an answer on stdout.
    Stderr,
}

impl Stream {
    /// Whether a person watches it.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }

    /// The stream itself. A write to a closed pipe fails; it does not panic.
    pub fn writer(self) -> Box<dyn Write + Send> {
        match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
        }
    }
}

/// The two ways a line can look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One JSON object a line.
    Json,
    /// Text, perhaps with a coloured level.
    Text {
        /// Whether the level is coloured.
        color: bool,
    },
}

impl Style {
    /// What the flags mean for a stream. `no_color` is whether the environment has `NO_COLOR`.
    pub fn choose(format: LogFormat, color: ColorChoice, terminal: bool, no_color: bool) -> Self {
        let text = match format {
            LogFormat::Auto => terminal,
            LogFormat::Json => false,
            LogFormat::Text => true,
        };
        if text {
            Self::Text {
                color: use_color(color, terminal, no_color),
            }
        } else {
            Self::Json
        }
    }
}

/// Whether output to a stream is coloured.
pub fn use_color(choice: ColorChoice, terminal: bool, no_color: bool) -> bool {
    match choice {
        ColorChoice::Auto => terminal && !no_color,
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    }
}

/// Which run and account the following lines are about. Clones share what they know; a command
/// sets it as soon as the database has told.
#[derive(Clone, Debug, Default)]
pub struct Context(Arc<RwLock<Known>>);

#[derive(Clone, Debug, Default)]
struct Known {
    run_id: Option<String>,
    account: Option<String>,
}

impl Context {
    /// Sets the account, by profile or user name.
    pub fn set_account(&self, account: impl Into<String>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .account = Some(account.into());
    }

    /// Sets the run; `None` after it has ended.
    pub fn set_run(&self, run_id: Option<String>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .run_id = run_id;
    }

    fn known(&self) -> Known {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Builds the logger. Call [`install`] to make it the program's; a test uses it directly.
pub fn logger(
    level: LevelFilter,
    style: Style,
    writer: Box<dyn Write + Send>,
    now: TimeSource,
    context: Context,
) -> Logger {
    Builder::new()
        .filter_module(env!("CARGO_CRATE_NAME"), level)
        .target(Target::Pipe(writer))
        // Colour is decided above and written by this module.
        .write_style(WriteStyle::Never)
        .format(move |out, record| {
            let line = match style {
                Style::Json => json_line(record, now(), &context.known()),
                Style::Text { color } => text_line(record, now(), &context.known(), color),
            };
            writeln!(out, "{line}")
        })
        .build()
}

/// Makes it the program's logger. A second call changes nothing.
pub fn install(logger: Logger) {
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

fn json_line(record: &Record<'_>, now: Timestamp, known: &Known) -> String {
    let mut line = Map::new();
    line.insert("timestamp".into(), rfc3339_millis(now).into());
    line.insert("level".into(), level_name(record.level()).into());
    line.insert("msg".into(), record.args().to_string().into());
    for (key, value) in context_fields(known) {
        line.insert(key, value);
    }
    for (key, value) in fields(record) {
        // A field never hides what every line has.
        let key = if line.contains_key(&key) {
            format!("field_{key}")
        } else {
            key
        };
        line.insert(key, value);
    }
    Value::Object(line).to_string()
}

fn text_line(record: &Record<'_>, now: Timestamp, known: &Known, color: bool) -> String {
    let level = level_name(record.level());
    let mut line = rfc3339_millis(now);
    if color {
        let code = match record.level() {
            Level::Error => "31",
            Level::Warn => "33",
            Level::Info => "32",
            Level::Debug | Level::Trace => "2",
        };
        let _ = write!(line, " \x1b[{code}m{level:<5}\x1b[0m ");
    } else {
        let _ = write!(line, " {level:<5} ");
    }
    line.push_str(&one_line(&record.args().to_string()));
    for (key, value) in fields(record).into_iter().chain(context_fields(known)) {
        let _ = write!(line, " {}={}", one_line(&key), text_value(&value));
    }
    line
}

fn context_fields(known: &Known) -> Vec<(String, Value)> {
    let run = known
        .run_id
        .clone()
        .map(|run| ("run_id".to_owned(), run.into()));
    let account = known.account.clone();
    let account = account.map(|account| ("account".to_owned(), account.into()));
    run.into_iter().chain(account).collect()
}

/// Text from elsewhere cannot start a line of its own or steer the terminal.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

fn text_value(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let bare = !text.is_empty()
                && !text
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "\"=".contains(c));
            if bare {
                text.clone()
            } else {
                format!("{text:?}")
            }
        }
        other => other.to_string(),
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// RFC 3339 in UTC with milliseconds.
fn rfc3339_millis(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.as_millis()).map_or_else(
        |_| format!("{} ms", moment.as_millis()),
        |moment| format!("{moment:.3}"),
    )
}

fn fields(record: &Record<'_>) -> Vec<(String, Value)> {
    let mut fields = Fields(Vec::new());
    // The visitor itself never fails; a value that does is left out.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

struct Fields(Vec<(String, Value)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let mut json = Json(Value::Null);
        value.visit(&mut json)?;
        self.0.push((key.as_str().to_owned(), json.0));
        Ok(())
    }
}

struct Json(Value);

impl VisitValue<'_> for Json {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.0 = value.to_string().into();
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }
}

#[cfg(test)]
#[path = "logging_tests.rs"]
mod tests;
