//! What an operator would tell as a story, as text files with golden traces.
//!
//! Each story runs the real commands — flags, configuration file, SQLite file, HTTP client — against
//! the practice Instagram on virtual time. `steps.rs` lists the sentences. A trace that has changed
//! is shown as a difference; `STORY_LIKER_UPDATE_SCENARIOS=1 cargo test --test scenarios` accepts it.
#![allow(missing_docs, clippy::unwrap_used)]

mod clock;
mod stage;
mod steps;
mod story;
mod trace;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{PoisonError, RwLock};

use stage::Stage;
use steps::Trace;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[allow(clippy::disallowed_methods)] // A switch of the test, not of the program.
fn is_to_be_updated() -> bool {
    std::env::var_os("STORY_LIKER_UPDATE_SCENARIOS").is_some_and(|value| !value.is_empty())
}

/// Plays the story and returns its file with the traces it has now.
fn play(text: &str) -> String {
    let lines = story::parse(text);
    let mut stage: Option<Rc<Stage>> = None;
    let mut traces: Vec<Trace> = Vec::new();
    for line in &lines {
        if !line.is_step() {
            traces.push(Rc::new(RefCell::new(line.expected.clone())));
            continue;
        }
        let number = line.number;
        let begin = || {
            let start = line.text.strip_prefix("it is ").and_then(steps::moment_of);
            Stage::new(
                start.unwrap_or_else(|| panic!("line {number}: a story begins with 'it is'")),
            )
        };
        let trace = steps::perform(stage.get_or_insert_with(begin), &line.text);
        traces.push(trace.unwrap_or_else(|| {
            panic!(
                "line {number}: {:?} is no sentence of the language",
                line.text
            )
        }));
    }
    let last = lines.iter().rfind(|line| line.is_step());
    assert_eq!(
        last.map(|line| line.text.as_str()),
        Some("what instagram saw"),
        "how every story ends"
    );
    let traces: Vec<Vec<String>> = traces.iter().map(|trace| trace.borrow().clone()).collect();
    story::write(&lines, &traces)
}

/// A story in which a program is started is told alone. All stories share this process, and a program
/// that starts has, for a moment, the locks of every database that is open then.
static STARTING: RwLock<()> = RwLock::new(());

fn tell(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap();
    let found = if expected.contains("a script tells me") {
        let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
        play(&expected)
    } else {
        let _beside_others = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        play(&expected)
    };
    if expected == found {
        return;
    }
    if is_to_be_updated() {
        fs::write(&path, found).unwrap();
        return;
    }
    panic!(
        "{name}.txt tells another story now; if that is right, run the tests once with \
         STORY_LIKER_UPDATE_SCENARIOS=1\n{}",
        story::difference(&expected, &found)
    );
}

macro_rules! stories {
    ($($name:ident)*) => {
        $(#[test] fn $name() { tell(stringify!($name)); })*

        const STORIES: &[&str] = &[$(stringify!($name)),*];
    };
}

stories! {
    first_day
    a_friend_posts_forty_stories
    a_block_for_a_week
    a_session_lost_at_night
    a_session_lost_without_a_password
    a_challenge
    a_person_is_told
    a_renamed_and_a_vanished_target
    a_target_becoming_private
    two_machines_with_two_databases
    two_machines_with_one_database
    a_laptop_asleep_for_three_days
    travelling_across_time_zones
}

#[test]
fn every_story_is_told() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".txt")?.to_owned())
        })
        .collect();
    let told: BTreeSet<String> = STORIES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files, told);
}
