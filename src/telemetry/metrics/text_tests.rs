#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn of(metric: &Metric, profile: &str, labels: &[&str], value: f64) -> Sample {
    let names = std::iter::once("profile").chain(metric.labels.iter().copied());
    let values = std::iter::once(profile).chain(labels.iter().copied());
    Sample {
        name: metric.name.to_owned(),
        labels: names
            .zip(values)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        value,
    }
}

fn start(profile: &str, code: f64) -> Sample {
    of(&list::LAST_START_EXIT_CODE, profile, &[], code)
}

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn merged_now(old: &str, profile: &str, fresh: &[Sample]) -> Result<String, NotOurs> {
    merged(old, profile, fresh, NOW)
}

fn start_at(at: f64, code: f64, version: &str) -> Vec<Sample> {
    vec![
        of(&list::BUILD_INFO, "a", &[version], 1.0),
        of(&list::LAST_START, "a", &[], at),
        start("a", code),
    ]
}

fn figures(profile: &str, at: f64, targets: f64) -> Vec<Sample> {
    vec![
        of(&list::SNAPSHOT, profile, &[], at),
        of(&list::TARGETS, profile, &["fine"], targets),
    ]
}

#[test]
fn a_label_is_escaped_as_the_format_wants_it() {
    let text = encode(&[of(&list::BUILD_INFO, "a", &["\\ \" \n end"], 1.0)]);
    let line = r#"story_liker_build_info{profile="a",version="\\ \" \n end"} 1"#;
    assert_eq!(text.lines().last(), Some(line), "{text}");
}

proptest! {
    /// Whatever a label says, it stays in its line, and is read as it was.
    #[test]
    fn what_is_written_is_read_again(
        labels in prop::collection::vec("(?s).{0,12}", 1..4),
        value in prop_oneof![any::<f64>().prop_filter("a number", |v| !v.is_nan()), Just(0.1)],
    ) {
        let samples: Vec<Sample> = labels
            .iter()
            .map(|label| of(&list::HOLD, "a", &[label], value))
            .collect();
        let text = encode(&samples);
        // A carriage return alone ends no line here.
        prop_assert_eq!(text.split('\n').count(), 2 + samples.len() + 1);
        prop_assert_eq!(read(&text).collect::<Vec<_>>(), samples);
    }

    /// Nothing that stands in the file ends the program.
    #[test]
    fn any_old_text_is_survived(old in "(?s)(# HELP story_liker_x|story_liker_hold|[{}=\",\\\\ \n]|.){0,40}") {
        let fresh = [start("a", 0.0)];
        if let Ok(text) = merged_now(&old, "a", &fresh) {
            let found = read(&text).any(|sample| sample == fresh[0]);
            prop_assert!(found, "{}", text);
        }
    }
}

#[test]
fn a_start_without_figures_keeps_those_of_the_last_one() {
    let first = [vec![start("a", 0.0)], figures("a", 100.0, 3.0)].concat();
    let old = merged_now("", "a", &first).unwrap();
    let text = merged_now(&old, "a", &[start("a", 75.0)]).unwrap();
    let now: Vec<Sample> = read(&text).collect();
    let expected = [vec![start("a", 75.0)], figures("a", 100.0, 3.0)].concat();
    assert_eq!(now, expected);
}

#[test]
fn fresh_figures_replace_all_old_ones() {
    let held = of(&list::HOLD_UNTIL, "a", &["throttled"], 500.0);
    let first = [figures("a", 100.0, 3.0), vec![held]].concat();
    let old = merged_now("", "a", &first).unwrap();
    let text = merged_now(&old, "a", &figures("a", 200.0, 4.0)).unwrap();
    assert_eq!(read(&text).collect::<Vec<_>>(), figures("a", 200.0, 4.0));
}

#[test]
fn an_earlier_start_that_ends_later_leaves_what_the_last_one_said_of_itself() {
    let last = [start_at(900.0, 75.0, "2"), figures("a", 910.0, 3.0)].concat();
    let old = merged_now("", "a", &last).unwrap();
    let earlier = [start_at(800.0, 0.0, "1"), figures("a", 990.0, 4.0)].concat();
    let text = merged_now(&old, "a", &earlier).unwrap();
    let expected = [start_at(900.0, 75.0, "2"), figures("a", 990.0, 4.0)].concat();
    assert_eq!(read(&text).collect::<Vec<_>>(), expected);
    let again = merged_now(&text, "a", &start_at(950.0, 69.0, "2")).unwrap();
    let expected = [start_at(950.0, 69.0, "2"), figures("a", 990.0, 4.0)].concat();
    assert_eq!(read(&again).collect::<Vec<_>>(), expected);
}

/// A start of a profile says nothing about those of another.
#[test]
fn the_starts_of_two_profiles_do_not_overtake_each_other() {
    let old = merged_now("", "a", &start_at(900.0, 75.0, "2")).unwrap();
    let other = [of(&list::LAST_START, "b", &[], 800.0), start("b", 0.0)];
    let text = merged_now(&old, "b", &other).unwrap();
    assert_eq!(read(&text).count(), 5, "{text}");
}

#[test]
fn a_clock_that_was_ahead_does_not_silence_the_starts_after_it() {
    let old = merged_now("", "a", &start_at(1_001.0, 75.0, "1")).unwrap();
    let text = merged_now(&old, "a", &start_at(800.0, 0.0, "1")).unwrap();
    assert_eq!(read(&text).collect::<Vec<_>>(), start_at(800.0, 0.0, "1"));
}

#[test]
fn profiles_share_a_file() {
    let old = merged_now("", "b", &figures("b", 100.0, 3.0)).unwrap();
    let text = merged_now(&old, "a", &figures("a", 200.0, 4.0)).unwrap();
    let again = merged_now(&text, "a", &figures("a", 300.0, 4.0)).unwrap();
    let whole = [figures("a", 300.0, 4.0), figures("b", 100.0, 3.0)].concat();
    let mut now: Vec<Sample> = read(&again).collect();
    now.sort_by(|a, b| a.label("profile").cmp(&b.label("profile")));
    assert_eq!(now, whole);
    // One heading for each metric, and all its samples below it.
    assert_eq!(again.matches("# TYPE ").count(), 2, "{again}");
}

#[test]
fn what_another_version_wrote_is_left_out() {
    let old = "# HELP story_liker_old Gone.\n# TYPE story_liker_old gauge\n\
               story_liker_old{profile=\"b\"} 1\n\
               story_liker_hold{profile=\"b\",name=\"throttled\"} 1\n\
               story_liker_hold{profile=\"b\",reason=\"throttled\"} 1\n";
    let text = merged_now(old, "a", &[start("a", 0.0)]).unwrap();
    let kept: Vec<Sample> = read(&text).collect();
    let expected = [start("a", 0.0), of(&list::HOLD, "b", &["throttled"], 1.0)];
    assert_eq!(kept, expected);
}

#[test]
fn figures_of_other_programs_are_not_replaced() {
    let other = "# HELP node_x X.\n# TYPE node_x gauge\nnode_x 1\n";
    assert_eq!(merged_now(other, "a", &[start("a", 0.0)]), Err(NotOurs));
    assert!(merged_now(" \n", "a", &[start("a", 0.0)]).is_ok());
}
