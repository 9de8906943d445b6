//! Log lines as they leave the program.

#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Mutex;

use log::Log;

use super::*;
use crate::model::Secret;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_007);

fn written(style: Style, context: &Context, log: impl FnOnce(&Logger)) -> String {
    // The macros ask this before they ask the logger.
    log::set_max_level(LevelFilter::Trace);
    let sink = Sink::default();
    let logger = logger(
        LevelFilter::Info,
        style,
        Box::new(sink.clone()),
        Arc::new(|| NOON),
        context.clone(),
    );
    log(&logger);
    sink.text()
}

fn full_context() -> Context {
    let context = Context::default();
    context.set_account("alice");
    context.set_run(Some("r7".to_owned()));
    context
}

#[test]
fn a_json_line_has_time_level_message_context_and_typed_fields() {
    let text = written(Style::Json, &full_context(), |logger| {
        log::info!(logger: logger, item = "1_2", tries = 3, fresh = true, share = 0.5; "liked");
    });
    assert_eq!(
        text,
        "{\"timestamp\":\"2026-11-21T12:00:00.007Z\",\"level\":\"info\",\"msg\":\"liked\",\
         \"run_id\":\"r7\",\"account\":\"alice\",\"item\":\"1_2\",\"tries\":3,\"fresh\":true,\
         \"share\":0.5}\n"
    );
}

#[test]
fn quotes_and_line_ends_keep_a_json_line_one_valid_line() {
    let nasty = "a \"quoted\"\nline\t\u{1b}[31m \\ ü";
    let text = written(Style::Json, &Context::default(), |logger| {
        log::warn!(logger: logger, detail = nasty; "{nasty}");
    });
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["msg"], nasty);
    assert_eq!(line["detail"], nasty);
}

#[test]
fn a_field_cannot_replace_what_every_line_has() {
    let text = written(Style::Json, &full_context(), |logger| {
        log::info!(logger: logger, msg = "other", run_id = 9; "real");
    });
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["msg"], "real");
    assert_eq!(line["run_id"], "r7");
    assert_eq!(line["field_msg"], "other");
    assert_eq!(line["field_run_id"], 9);
}

#[test]
fn a_text_line_has_the_same_fields() {
    let style = Style::Text { color: false };
    let text = written(style, &full_context(), |logger| {
        log::warn!(logger: logger, wait_s = 37, reason = "two words"; "waiting");
    });
    assert_eq!(
        text,
        "2026-11-21T12:00:00.007Z warn  waiting wait_s=37 reason=\"two words\" run_id=r7 \
         account=alice\n"
    );
}

#[test]
fn foreign_text_can_neither_start_a_line_nor_steer_the_terminal() {
    let style = Style::Text { color: false };
    let text = written(style, &Context::default(), |logger| {
        log::info!(logger: logger, body = "x\n2026 error"; "a\r\nb\u{1b}[2J");
    });
    assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
}

#[test]
fn only_lines_of_this_program_are_written() {
    let text = written(Style::Json, &Context::default(), |logger| {
        log::error!(logger: logger, target: "rustls_platform_verifier", "noise");
        log::debug!(logger: logger, "below the level");
        log::error!(logger: logger, "ours");
    });
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("ours"));
}

#[test]
fn a_secret_in_a_field_or_message_is_three_stars() {
    let secret = Secret::new("hunter2");
    for style in [Style::Json, Style::Text { color: false }] {
        let text = written(style, &Context::default(), |logger| {
            log::info!(logger: logger, token:% = secret, again:? = secret; "with {secret}");
        });
        assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
    }
}

#[test]
fn the_context_of_a_line_is_that_of_its_moment() {
    let context = Context::default();
    let text = written(Style::Json, &context, |logger| {
        log::info!(logger: logger, "before");
        context.set_run(Some("r1".to_owned()));
        log::info!(logger: logger, "during");
        context.set_run(None);
        log::info!(logger: logger, "after");
    });
    let runs: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["run_id"].clone())
        .collect();
    assert_eq!(runs, [Value::Null, "r1".into(), Value::Null]);
}

#[test]
fn auto_is_text_on_a_terminal_and_json_elsewhere() {
    let choose = |format, terminal| Style::choose(format, ColorChoice::Never, terminal, false);
    let text = Style::Text { color: false };
    assert_eq!(choose(LogFormat::Auto, true), text);
    assert_eq!(choose(LogFormat::Auto, false), Style::Json);
    assert_eq!(choose(LogFormat::Text, false), text);
    assert_eq!(choose(LogFormat::Json, true), Style::Json);
}

#[test]
fn colour_needs_a_terminal_or_an_explicit_wish() {
    assert!(use_color(ColorChoice::Auto, true, false));
    assert!(!use_color(ColorChoice::Auto, true, true));
    assert!(!use_color(ColorChoice::Auto, false, false));
    assert!(use_color(ColorChoice::Always, false, true));
    assert!(!use_color(ColorChoice::Never, true, false));
    let text = written(Style::Text { color: true }, &Context::default(), |logger| {
        log::error!(logger: logger, "x");
    });
    assert!(text.contains("\u{1b}[31merror\u{1b}[0m"), "{text:?}");
}

struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    log::set_max_level(LevelFilter::Trace);
    let logger = logger(
        LevelFilter::Info,
        Style::Json,
        Box::new(ClosedPipe),
        Arc::new(|| NOON),
        Context::default(),
    );
    log::info!(logger: &logger, "nobody reads this");
    logger.flush();
}
