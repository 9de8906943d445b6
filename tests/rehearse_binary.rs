//! A rehearsal is worth as much as it agrees with the real thing: the same world, the same starts,
//! once in process on the virtual clock, once with the program itself on the real one.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use story_liker::config::{Environment, Request, load};
use story_liker::model::Timestamp;
use story_liker::practice::clock::{PracticeClock as _, WallClock};
use story_liker::practice::hardship::Hardship;
use story_liker::practice::switches::Switches;
use story_liker::practice::trouble::Trouble;
use story_liker::practice::world::{Kind, World};
use story_liker::practice::{Options, RecordEntry, Server, Wire};
use story_liker::rehearse::{Plan, Schedule, rehearse};

const BINARY: &str = env!("CARGO_BIN_EXE_story-liker");
const SEED: u64 = 7;

/// Pauses that only have to be there, and limits that several passes fill.
const SETTINGS: &str = r#"
targets = ["anna", { username = "bert", posts = false }, "carla", "dora"]

[account]
username = "sandbox.operator"

[limits]
allow_unsafe_limits = true
requests = "1000/24h"
story_views = "1000/24h"
likes_per_target = [3, "100/24h"]

[pace]
between_likes = "1ms..2ms"
between_requests = "1ms..2ms"
between_targets = "1ms..2ms"

[stories]
check_every = "1h"

[first_contact]
posts = "like"
"#;

/// What happened, told alike by both.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    /// Act, item, target and outcome of each request, in order.
    received: Vec<[String; 4]>,
    /// Exit code, reason to stop and decisions of each pass.
    passes: Vec<(u64, String, Vec<[String; 2]>)>,
}

/// Four people with stories and posts of the last hours, as the seed has it; nothing is published
/// while the test runs, and nothing expires.
fn world(now_ms: i64) -> World {
    let now_s = now_ms.div_euclid(1000);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut world = World::empty(now_ms);
    for name in ["anna", "bert", "carla", "dora"] {
        let pk = world.add_user(name);
        for kind in [Kind::Story, Kind::Post] {
            for _ in 0..rng.random_range(2..=4) {
                let age_s = rng.random_range(1800..18 * 3600);
                world.add(pk, pk, kind, now_s - age_s, 1, false);
            }
        }
    }
    world.user_mut(world.users()[2].pk).unwrap().private_from = Some(0);
    world
}

fn troubles(armed: &[(&str, &str, u32)]) -> Vec<Trouble> {
    let troubles = armed.iter();
    let troubles =
        troubles.map(|(on, reply, after)| Trouble::new(on, reply).unwrap().after(*after));
    troubles.collect()
}

fn received(record: &[RecordEntry]) -> Vec<[String; 4]> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let told = record.iter().map(|entry| {
        [
            entry.act.name().to_owned(),
            text(&entry.item),
            text(&entry.target),
            entry.outcome.to_string(),
        ]
    });
    told.collect()
}

fn pass_of(report: &Value) -> (u64, String, Vec<[String; 2]>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let decisions = report["decisions"].as_array().unwrap().iter();
    let decisions = decisions.map(|made| [text(&made["item"]), text(&made["decision"])]);
    (
        report["exit"]["code"].as_u64().unwrap(),
        text(&report["stop"]["name"]),
        decisions.collect(),
    )
}

/// The program itself, so many times in a row, on the real clock.
fn run_for_real(now_ms: i64, settings: &str, passes: u32, armed: &[(&str, &str, u32)]) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        wire: Wire::Tls,
        seed: SEED,
        clock: Arc::new(WallClock),
        world: world(now_ms),
        switches: Switches::default(),
        client_timeout: Duration::from_secs(20),
    })
    .unwrap();
    for trouble in troubles(armed) {
        server.arm(trouble);
    }
    std::fs::write(folder.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
    let there = format!(
        "\n[instagram]\nbase_url = \"{}\"\nca_file = \"ca.pem\"\n",
        server.base_url()
    );
    std::fs::write(
        folder.path().join("config.toml"),
        format!("{settings}{there}"),
    )
    .unwrap();
    let start = |arguments: &[&str], input: &str| {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .args([
                "--config",
                "config.toml",
                "--database",
                "stories.db",
                "--json",
            ])
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, input.as_bytes()).unwrap();
        drop(stdin);
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let session_id = server.credentials().session_id;
    start(
        &["session", "import", "--session-id", "-", "--offline"],
        &session_id,
    );
    let passes = (0..passes).map(|_| {
        let said = start(&["run"], "");
        let report = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        pass_of(&report)
    });
    let passes = passes.collect();
    Told {
        received: received(&server.record()),
        passes,
    }
}

/// The same, rehearsed.
fn run_rehearsed(now_ms: i64, settings: &str, passes: u32, armed: &[(&str, &str, u32)]) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, settings).unwrap();
    let environment: Environment = [("HOME", folder.path().to_str().unwrap())]
        .into_iter()
        .collect();
    let request = Request {
        config_file: Some(file),
        ..Request::default()
    };
    let config = load(&request, &environment).unwrap().config;
    let start = |number| Timestamp::from_millis(now_ms + i64::from(number) * 1000);
    let plan = Plan {
        schedule: Schedule::At((0..passes).map(start).collect()),
        world: Some(world(now_ms)),
        troubles: troubles(armed),
        ..Plan::hourly(config, 1, SEED, Hardship::None)
    };
    let rehearsal = rehearse(&plan, |_| {}, |_| Ok(())).unwrap();
    assert!(
        rehearsal.summary.promises_kept(),
        "{:?}",
        rehearsal.summary.promises
    );
    let passes = rehearsal
        .passes
        .iter()
        .map(|report| pass_of(&report.to_json()));
    Told {
        passes: passes.collect(),
        received: received(&rehearsal.record),
    }
}

#[track_caller]
fn agree(more: &str, passes: u32, armed: &[(&str, &str, u32)], stops: &[(u64, &str)]) {
    let settings = SETTINGS.replace("[limits]\n", &format!("[limits]\n{more}"));
    let now_ms = WallClock.now_ms();
    let real = run_for_real(now_ms, &settings, passes, armed);
    let rehearsed = run_rehearsed(now_ms, &settings, passes, armed);
    let ended: Vec<(u64, &str)> = real
        .passes
        .iter()
        .map(|pass| (pass.0, pass.1.as_str()))
        .collect();
    assert_eq!(ended, stops);
    assert!(real.received.iter().any(|entry| entry[0] == "story_like"));
    assert_eq!(real, rehearsed);
}

#[test]
fn a_rehearsal_and_the_program_agree_until_a_window_is_full() {
    agree(
        "likes_per_run = 3\nlikes = \"8/24h\"\n",
        4,
        &[],
        &[
            (0, "likes_per_run"),
            (10, "likes_per_run"),
            (0, "window_full"),
            (0, "window_full"),
        ],
    );
}

#[test]
fn a_rehearsal_and_the_program_agree_about_a_lost_answer_an_objection_and_its_hold() {
    agree(
        "likes_per_run = 2\nlikes = \"100/24h\"\n",
        5,
        // The second like gets no answer, the fifth an objection.
        &[
            ("like", "drop_applied", 1),
            ("like", "error_feedback_required_like", 3),
        ],
        &[
            (69, "unavailable"),
            (0, "likes_per_run"),
            (75, "objection"),
            (75, "held"),
            (75, "held"),
        ],
    );
}

fn rehearsed(arguments: &[&str], folder: &std::path::Path) -> std::process::Output {
    let mut command = Command::new(BINARY);
    let command = command.arg("rehearse").args(arguments).env_clear();
    command
        .env("HOME", folder)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn two_configurations_are_compared_in_the_same_world() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("one.toml", "targets = [\"anna\", \"bert\"]\n");
    write(
        "other.toml",
        "targets = [\"bert\", \"anna\", \"carla\"]\nlimits.likes = \"1/1h\"\n",
    );
    let arguments = [
        "--config",
        "one.toml",
        "--compare",
        "other.toml",
        "--days",
        "3",
    ];
    let output = rehearsed(&[&arguments[..], &["--json"]].concat(), folder.path());
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let again = rehearsed(&[&arguments[..], &["--json"]].concat(), folder.path());
    assert!(output.stdout == again.stdout, "byte for byte");
    let summary = |number: usize| &json["rehearsals"][number]["summary"];
    let offered = |number: usize, target: &str| {
        let items = summary(number)["items"].as_array().unwrap().iter();
        let mut items = items.filter(|items| items["target"] == target && items["kind"] == "story");
        items.next().map(|items| items["offered"].clone())
    };
    for target in ["anna", "bert"] {
        assert_eq!(offered(0, target), offered(1, target), "{target}");
    }
    assert_eq!(offered(0, "carla"), None);
    assert!(offered(1, "carla").is_some());
    assert_eq!(summary(1)["binding"], "limits.likes 1/1h");

    let text = rehearsed(&arguments, folder.path());
    let text = String::from_utf8(text.stdout).unwrap();
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        row("setting that binds").contains("limits.likes 1/1h"),
        "{text}"
    );
    assert!(row("likes a day").ends_with('*'), "{text}");
    assert!(row("broken promises").ends_with('0'), "{text}");
}

#[test]
fn a_long_rehearsal_tells_its_result_and_not_each_pass() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |arguments: &[&str]| {
        let output = rehearsed(arguments, folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        // The first line names the configuration, a pass has its reason at the end.
        let mut summary = text
            .lines()
            .skip(1)
            .filter(|line| !line.contains("  exit "));
        assert!(summary.all(|line| line.len() <= 110), "{text}");
        text.lines().filter(|line| line.contains("  exit ")).count()
    };
    assert_eq!(lines(&["--days", "3"]), 0);
    assert!(lines(&["--days", "3", "--timeline"]) > 20);
}

#[test]
fn a_file_to_compare_with_that_is_missing_is_told_by_its_own_flag() {
    let folder = tempfile::tempdir().unwrap();
    let output = rehearsed(&["--compare", "nope.toml"], folder.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("nope.toml (flag --compare)"), "{said}");
    assert!(!said.contains("--config"), "{said}");
}

#[test]
fn the_people_of_the_other_configuration_are_told_where_this_one_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("two.toml", "targets = [\"anna\", \"bert\"]\n");
    write("none.toml", "");
    let introductions = |arguments: &[&str]| {
        let output = rehearsed(arguments, folder.path());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| line.contains("hourly passes"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let told = introductions(&["--compare", "two.toml"]);
    assert_eq!(told.len(), 2, "{told:?}");
    for line in &told {
        assert!(
            line.contains(", 2 targets with habits of their own, "),
            "{line}"
        );
    }
    for line in introductions(&["--compare", "none.toml"]) {
        assert!(
            line.contains(", the practice world's own people, "),
            "{line}"
        );
    }
}

#[test]
fn what_only_a_rehearsal_heeds_is_refused_where_the_practice_server_is_served() {
    let folder = tempfile::tempdir().unwrap();
    // An address that is taken: where a flag is not refused, the program ends all the same.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flags in [
        &["--days", "2"][..],
        &["--timeline"],
        &["--trouble", "mild"],
        &["--compare", "other.toml"],
    ] {
        let serve = ["--serve", &address];
        let output = rehearsed(&[&serve, flags].concat(), folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{flags:?}: {said}");
        assert!(
            said.contains(flags[0]) && said.contains("--serve"),
            "{said}"
        );
    }
}
