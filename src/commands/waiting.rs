//! Tells a watching person what the program waits for.

use std::time::Duration;

use super::shell::Shell;
use crate::engage::Waiting;
use crate::model::Timestamp;
use crate::telemetry::logging::{Stream, Style};
use crate::telemetry::progress::Progress;

/// The line that tells a watching person what the program waits for.
pub(super) struct Shown(Progress);

impl Shown {
    /// On stderr, if that is a terminal and the log on `stream` is text.
    pub fn new(shell: &Shell, stream: Stream) -> Self {
        let text = shell.style(stream) != Style::Json && !shell.global.json;
        Self(match shell.progress_columns() {
            Some(columns) if text => Progress::new(Box::new(std::io::stderr()), columns, true),
            _ => Progress::off(),
        })
    }
}

impl Waiting for Shown {
    fn wait(&mut self, now: Timestamp, until: Timestamp, why: &str) {
        let length = Duration::from_secs(until.since(now).as_secs());
        let length = humantime::format_duration(length);
        log::debug!(until = until.to_string(), why = why; "waiting {length}");
        self.0
            .show(&format!("waiting {length} ({why}), until {until}"));
    }

    fn over(&mut self) {
        self.0.clear();
    }
}
