//! Alert rules, dashboard and README speak of the metrics that the program writes, and of no others.
//! That the rules fire when they should is tested by `promtool` (`tests/all metrics`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use story_liker::engage::Stop;
use story_liker::exit::{ExitCode, NeedsPerson};
use story_liker::model::{AttemptKind, HoldReason, ItemState, Outcome};
use story_liker::telemetry::metrics::{ALL, Metric};

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn alerts() -> String {
    shipped("examples/alerts.yaml")
}

fn dashboard() -> Value {
    serde_json::from_str(&shipped("examples/grafana-dashboard.json")).unwrap()
}

fn panels(dashboard: &Value) -> Vec<Value> {
    dashboard["panels"].as_array().unwrap().clone()
}

/// The queries of the dashboard, as Prometheus gets them.
fn queries() -> String {
    let mut queries = Vec::new();
    for panel in panels(&dashboard()) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    assert!(queries.len() > 25);
    queries.join("\n")
}

/// What is said of metrics: each name, and the selector in braces behind it.
fn mentions(text: &str) -> Vec<(String, String)> {
    const PREFIX: &str = "story_liker_";
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    text.match_indices(PREFIX)
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let selector = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split('}').next());
            (name.to_owned(), selector.unwrap_or_default().to_owned())
        })
        .collect()
}

fn metric(name: &str) -> &'static Metric {
    let found = ALL.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("there is no metric {name}"))
}

/// Every value that a label of a list may have; `None` for the free ones.
fn values_of(label: &str) -> Option<BTreeSet<&'static str>> {
    const MORE_KINDS: [&str; 2] = ["story", "post"];
    const TARGETS: [&str; 4] = ["fine", "private", "gone", "disabled"];
    const KEYS: [&str; 4] = [
        "limits.requests",
        "limits.story_views",
        "limits.likes",
        "limits.logins",
    ];
    Some(match label {
        "stop" => Stop::NAMES.into_iter().collect(),
        "reason" => HoldReason::ALL
            .map(HoldReason::as_str)
            .into_iter()
            .collect(),
        "kind" => AttemptKind::ALL
            .map(AttemptKind::as_str)
            .into_iter()
            .chain(MORE_KINDS)
            .collect(),
        "outcome" => Outcome::ALL
            .map(Outcome::as_str)
            .into_iter()
            .chain(["unsettled"])
            .collect(),
        "state" => ItemState::ALL
            .map(ItemState::as_str)
            .into_iter()
            .chain(TARGETS)
            .collect(),
        "key" => KEYS.into_iter().collect(),
        _ => return None,
    })
}

/// Labels that come with the scrape.
const OF_THE_SCRAPE: [&str; 2] = ["instance", "job"];

#[test]
fn every_metric_and_label_that_is_asked_for_is_written() {
    let tests = shipped("examples/alerts_test.yaml");
    for text in [alerts(), tests, queries()] {
        let mentions = mentions(&text);
        assert!(mentions.len() > 20);
        for (name, selector) in mentions {
            let metric = metric(&name);
            // Values have no comma in them.
            for matcher in selector.split(',').filter(|part| !part.trim().is_empty()) {
                let (label, value) = matcher.split_once('=').unwrap();
                let label = label.trim().trim_end_matches('!');
                let known = ["profile"]
                    .iter()
                    .chain(&OF_THE_SCRAPE)
                    .chain(metric.labels);
                assert!(
                    known.clone().any(|l| *l == label),
                    "{name} has no label {label}"
                );
                let value = value.trim_start_matches('~').trim_matches('"');
                let Some(values) = values_of(label) else {
                    continue;
                };
                for value in value.split('|') {
                    assert!(values.contains(value), "{label} is never {value}");
                }
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    let queries = queries();
    let shown: BTreeSet<String> = mentions(&queries)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for metric in ALL {
        assert!(shown.contains(metric.name), "{}", metric.name);
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_imports() {
    let dashboard = dashboard();
    // Grafana 11 and later; an older one brings older schemas up to date, not newer ones down.
    assert_eq!(dashboard["schemaVersion"], 41);
    assert_eq!(
        dashboard["id"],
        Value::Null,
        "a new one, wherever it is imported"
    );
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables
        .iter()
        .map(|v| v["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["datasource", "instance", "profile"]);
    let panels = panels(&dashboard);
    let ids: BTreeSet<i64> = panels.iter().map(|p| p["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in &panels {
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| place[side].as_i64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(
                taken.insert(cell),
                "{} overlaps at {cell:?}",
                panel["title"]
            );
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(
            !panel["description"].as_str().unwrap().is_empty(),
            "{panel}"
        );
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            let expression = target["expr"].as_str().unwrap();
            assert!(expression.contains("$profile") && expression.contains("$instance"));
            // Over a range, a figure that is absent by now would show its last value of days ago.
            if panel["type"] == "stat" {
                assert_eq!(
                    (&target["instant"], &target["range"]),
                    (&true.into(), &false.into())
                );
            }
        }
    }
}

/// The rules by name, each with its text.
fn rules() -> Vec<(String, String)> {
    let alerts = alerts();
    let rules = alerts.split("- alert: ").skip(1);
    rules
        .map(|rule| {
            let (name, text) = rule.split_once('\n').unwrap();
            (name.to_owned(), text.to_owned())
        })
        .collect()
}

#[test]
fn every_alert_has_a_remedy_a_row_in_readme_and_a_test() {
    let tests = shipped("examples/alerts_test.yaml");
    let readme = shipped("README.md");
    let rules = rules();
    for (name, text) in &rules {
        for part in ["expr: ", "severity: ", "summary: ", "description: >-"] {
            assert!(text.contains(part), "{name} has no {part}");
        }
        assert!(tests.contains(name), "{name} never fires in a test");
        let severity = text.split("severity: ").nth(1).unwrap();
        let severity = severity.lines().next().unwrap();
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("README has no row for {name}"));
        assert!(row.ends_with(&format!("| {severity} |")), "{row}");
    }
    let in_readme = readme
        .lines()
        .filter(|line| line.starts_with("| `StoryLiker"));
    assert_eq!(in_readme.count(), rules.len());
}

/// The filter of the alert, read as Prometheus reads it, lets just those codes through that need a person.
#[test]
fn the_alert_on_exit_codes_is_about_those_that_need_a_person() {
    const FILTER: &str = "story_liker_last_start_exit_code >= 64 < 130 != 69 != 75";
    let (_, rule) = rules()
        .into_iter()
        .find(|(name, _)| name == "StoryLikerFailing")
        .unwrap();
    assert!(rule.contains(FILTER), "{rule}");
    for code in ExitCode::ALL {
        let number = code.number();
        let passes = (64..130).contains(&number) && ![69, 75].contains(&number);
        let needed = matches!(code.needs_person(), NeedsPerson::Yes | NeedsPerson::Maybe);
        assert_eq!(passes, needed, "{code}");
    }
}

#[test]
fn the_table_of_metrics_is_that_of_the_program() {
    let readme = shipped("README.md");
    let table: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `story_liker_"))
        .collect();
    let expected: Vec<String> = ALL
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            format!("| `{}` | {labels} | {} |", metric.name, metric.help)
        })
        .collect();
    assert_eq!(table, expected);
}
