#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::super::{ALL, text};
use super::*;

/// 2026-11-20 18:00:00.500 UTC.
const NOW: Timestamp = Timestamp::from_millis(1_795_197_600_500);
const MINUTE: Duration = Duration::from_mins(1);
const GOLDEN: &str = include_str!("golden.prom");

fn count(kind: AttemptKind, outcome: Option<Outcome>, count: u64) -> RequestCount {
    RequestCount {
        kind,
        outcome,
        count,
    }
}

/// Something of everything.
fn full() -> Snapshot {
    let later = |minutes| Some(NOW.plus(MINUTE * minutes));
    let earlier = |minutes| Some(NOW.minus(MINUTE * minutes));
    let window = |key, span: &str, used, room_at| WindowFigure {
        key,
        span: span.to_owned(),
        limit: 12,
        used,
        room_at,
    };
    Snapshot {
        profile: "second".parse().unwrap(),
        start: Start {
            version: "1.2.3",
            at: NOW.minus(MINUTE * 3),
            exit_code: 10,
        },
        figures: Some(Figures {
            at: NOW,
            last_run: Some(LastRun {
                started_at: NOW.minus(MINUTE * 3),
                ended_at: NOW,
                exit_code: 10,
                stop: ("window_full".to_owned(), &["done", "window_full"]),
                requests: vec![
                    count(AttemptKind::Read, Some(Outcome::Ok), 7),
                    count(AttemptKind::Like, Some(Outcome::Unknown), 1),
                ],
                pruned: vec![("story", 5), ("attempt", 0)],
                missed: 2,
            }),
            last_success: Some(NOW),
            last_day: vec![
                count(AttemptKind::Like, Some(Outcome::Disproved), 1),
                count(AttemptKind::StoryView, None, 1),
            ],
            windows: vec![
                window("limits.likes", "1h", 12, later(50)),
                window("limits.requests", "24h", 8, None),
            ],
            targets_at_limit: BTreeMap::from([("24h".to_owned(), 1)]),
            halved_until: later(60),
            warm_up_percent: Some(25),
            next_pass: later(50),
            holds: vec![HoldFigure {
                reason: HoldReason::Throttled,
                until: later(30),
            }],
            session: Some((earlier(600), earlier(1))),
            targets: vec![TargetState::Fine, TargetState::Fine, TargetState::Private],
            items: vec![
                (ItemKind::Story, ItemState::Liked, 9),
                (ItemKind::Post, ItemState::New, 1),
            ],
            database_bytes: 98_304,
        }),
    }
}

fn value(samples: &[Sample], name: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let same = |sample: &&Sample| {
        sample.name == name && label.is_none_or(|(name, value)| sample.label(name) == Some(value))
    };
    samples.iter().find(same).map(|sample| sample.value)
}

/// Run with `STORY_LIKER_UPDATE_METRICS=1` after a change, and read the difference.
#[test]
#[allow(clippy::disallowed_methods)]
fn the_file_reads_like_this() {
    let text = text::merged("", "second", &samples(&full()), full().start.at).unwrap();
    if std::env::var_os("STORY_LIKER_UPDATE_METRICS").is_some() {
        std::fs::write("src/telemetry/metrics/golden.prom", &text).unwrap();
    }
    assert_eq!(text, GOLDEN);
}

#[test]
fn the_golden_file_shows_every_metric() {
    for metric in ALL {
        let heading = format!("\n# TYPE {} gauge\n", metric.name);
        assert!(GOLDEN.contains(&heading), "{}", metric.name);
    }
}

#[test]
fn every_sample_has_its_own_labels() {
    let samples = samples(&full());
    for (at, sample) in samples.iter().enumerate() {
        let same = |other: &Sample| (&other.name, &other.labels) == (&sample.name, &sample.labels);
        assert!(!samples[..at].iter().any(same), "{sample:?}");
    }
}

#[test]
fn a_hold_that_waits_for_a_person_has_no_end_and_needs_one() {
    let mut snapshot = full();
    let needed =
        |snapshot: &Snapshot| value(&samples(snapshot), "story_liker_person_needed", None).unwrap();
    let until = |snapshot: &Snapshot, reason| {
        let samples = samples(snapshot);
        let label = Some(("reason", reason));
        value(&samples, "story_liker_hold_until_timestamp_seconds", label)
    };
    assert!(needed(&snapshot) < 0.5);
    assert_eq!(until(&snapshot, "throttled"), Some(1_795_199_400.5));
    for reason in [HoldReason::Challenge, HoldReason::Throttled] {
        let hold = HoldFigure {
            reason,
            until: None,
        };
        snapshot.figures.as_mut().unwrap().holds.push(hold);
        assert_eq!(until(&snapshot, reason.as_str()), None);
        assert!(needed(&snapshot) > 0.5);
    }
}

#[test]
fn without_a_session_a_person_is_needed_and_no_age_is_told() {
    let mut snapshot = full();
    snapshot.figures.as_mut().unwrap().session = None;
    let samples = samples(&snapshot);
    assert_eq!(
        value(&samples, "story_liker_person_needed", None),
        Some(1.0)
    );
    assert_eq!(
        value(&samples, "story_liker_session_present", None),
        Some(0.0)
    );
    let age = value(
        &samples,
        "story_liker_session_obtained_timestamp_seconds",
        None,
    );
    assert_eq!(age, None);
}

#[test]
fn a_success_that_never_was_is_told_and_a_run_that_never_was_is_not() {
    let mut snapshot = full();
    let figures = snapshot.figures.as_mut().unwrap();
    figures.last_success = None;
    figures.last_run = None;
    let samples = samples(&snapshot);
    let success = value(&samples, "story_liker_last_success_timestamp_seconds", None);
    assert_eq!(success, Some(0.0));
    let runs = samples
        .iter()
        .filter(|s| s.name.starts_with("story_liker_last_run_"));
    assert_eq!(runs.count(), 0);
}
