//! The line that tells a watching person what the program waits for. It is erased before anything
//! else is written and never reaches a log: off unless the stream is a terminal with text.

use std::io::Write;

/// Carriage return, erase to the end of the line.
const ERASE: &str = "\r\x1b[K";

/// One line that replaces itself.
pub struct Progress {
    enabled: bool,
    writer: Box<dyn Write + Send>,
    columns: usize,
    shown: bool,
}

impl Progress {
    /// A line on `writer`, at most `columns` wide: a longer one would wrap and could not be erased.
    /// Writes nothing at all unless `enabled`.
    pub fn new(writer: Box<dyn Write + Send>, columns: usize, enabled: bool) -> Self {
        Self {
            enabled,
            writer,
            columns,
            shown: false,
        }
    }

    /// One that never writes.
    pub fn off() -> Self {
        Self::new(Box::new(std::io::sink()), 0, false)
    }

    /// Shows `text` in place of what was shown.
    pub fn show(&mut self, text: &str) {
        if self.enabled {
            // The last column stays free: some terminals wrap when it is filled.
            let fits = self.columns.saturating_sub(1);
            let text: String = text
                .chars()
                .filter(|c| !c.is_control())
                .take(fits)
                .collect();
            self.write(&format!("{ERASE}{text}"));
            self.shown = true;
        }
    }

    /// Erases the line; call it before writing anything else to the same terminal.
    pub fn clear(&mut self) {
        if self.shown {
            self.write(ERASE);
            self.shown = false;
        }
    }

    /// A terminal that went away is no reason to stop a pass.
    fn write(&mut self, text: &str) {
        let _ = self.writer.write_all(text.as_bytes());
        let _ = self.writer.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn screen_after(enabled: bool, act: impl FnOnce(&mut Progress)) -> String {
        let screen = Screen::default();
        let mut progress = Progress::new(Box::new(screen.clone()), 20, enabled);
        act(&mut progress);
        drop(progress);
        let bytes = screen.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_replaces_the_one_before_and_is_gone_at_the_end() {
        let seen = screen_after(true, |progress| {
            progress.show("waiting 2 s");
            progress.show("waiting 1 s");
        });
        assert_eq!(seen, "\r\x1b[Kwaiting 2 s\r\x1b[Kwaiting 1 s\r\x1b[K");
    }

    #[test]
    fn nothing_is_written_when_off() {
        assert_eq!(screen_after(false, |progress| progress.show("x")), "");
    }

    #[test]
    fn nothing_is_erased_that_was_not_shown() {
        assert_eq!(screen_after(true, Progress::clear), "");
    }

    #[test]
    fn a_long_line_is_cut_before_it_wraps() {
        let seen = screen_after(true, |progress| progress.show(&"x".repeat(50)));
        assert_eq!(seen.matches('x').count(), 19);
    }
}
