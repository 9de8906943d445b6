//! The metrics file of `run`: when it is written, what it keeps, and that nothing depends on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use fs2::FileExt as _;

use crate::home::{BINARY, FRIEND, Home, ended, mode, signal, until};

const NAME: &str = "story-liker.prom";

/// A home whose configuration names the file.
fn measured() -> Home {
    let mut home = Home::new();
    home.set("metrics.file", &format!("\"{NAME}\""));
    home.import();
    home
}

fn file(home: &Home) -> PathBuf {
    home.path(NAME)
}

/// Every sample, by all that stands before its value, without the prefix and the profile.
fn figures(home: &Home) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(file(home)).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.strip_prefix("story_liker_").unwrap();
            let name = name.replace("profile=\"default\",", "");
            let name = name.replace("{profile=\"default\"}", "");
            (name, value.parse().unwrap())
        })
        .collect()
}

/// What whole numbers are compared with.
#[track_caller]
fn assert_is(figures: &BTreeMap<String, f64>, name: &str, expected: u32) {
    let value = figures.get(name);
    let same = value.is_some_and(|value| (value - f64::from(expected)).abs() < 1e-9);
    assert!(same, "{name} is {value:?}, not {expected}: {figures:#?}");
}

fn without_start(figures: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut figures = figures.clone();
    figures.retain(|name, _| !name.starts_with("last_start_"));
    figures
}

/// What a pass has changed in the figures of the database is kept; those of the start are `code`'s.
#[track_caller]
fn assert_only_the_start_differs(home: &Home, before: &BTreeMap<String, f64>, code: u32) {
    let now = figures(home);
    assert_is(&now, "last_start_exit_code", code);
    let start = "last_start_timestamp_seconds";
    assert!(now[start] > before[start]);
    assert_eq!(without_start(&now), without_start(before));
}

#[test]
fn a_pass_leaves_its_figures_for_everybody_to_read() {
    let home = measured();
    home.run(["run"]).expect(0);
    let now = figures(&home);
    for (name, expected) in [
        ("last_start_exit_code", 0),
        ("last_run_exit_code", 0),
        ("last_run_stop{stop=\"done\"}", 1),
        ("last_run_stop{stop=\"held\"}", 0),
        ("last_run_requests{kind=\"like\",outcome=\"ok\"}", 5),
        ("last_day_requests{kind=\"story_view\",outcome=\"ok\"}", 3),
        ("window_used{key=\"limits.likes\",span=\"1h\"}", 5),
        ("window_limit{key=\"limits.likes\",span=\"1h\"}", 100),
        ("items{kind=\"story\",state=\"liked\"}", 3),
        ("targets{state=\"fine\"}", 1),
        ("targets_at_limit{span=\"24h\"}", 0),
        ("person_needed", 0),
        ("session_present", 1),
        ("hold{reason=\"challenge\"}", 0),
    ] {
        assert_is(&now, name, expected);
    }
    let (run, success) = (
        "last_run_end_timestamp_seconds",
        "last_success_timestamp_seconds",
    );
    assert!((now[run] - now[success]).abs() < 1e-9);
    assert!(now["last_start_timestamp_seconds"] <= now[run]);
    assert!(now["next_pass_timestamp_seconds"] > now[run]);
    assert_eq!(mode(&file(&home)), 0o644);
    home.assert_flawless();
}

/// Twice the same labels would make the whole file unreadable.
#[test]
fn of_two_limits_of_one_span_the_lower_one_is_told() {
    let mut home = measured();
    home.set("limits.likes", "[\"100/1h\", \"50/1h\", \"70/60m\"]");
    home.run(["run"]).expect(0);
    let text = fs::read_to_string(file(&home)).unwrap();
    let samples: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("story_liker_window_limit") && line.contains("likes"))
        .collect();
    assert_eq!(samples.len(), 1, "{samples:?}");
    assert!(samples[0].ends_with(" 50"), "{samples:?}");
}

#[test]
fn friends_and_secrets_do_not_go_to_monitoring() {
    let mut home = measured();
    home.set("targets", &format!("[\"sandbox.nobody\", \"{FRIEND}\"]"));
    home.run(["run"]).expect(10);
    let text = fs::read_to_string(file(&home)).unwrap();
    let session = home.server.credentials().session_id;
    for word in ["sandbox", &session] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let now = figures(&home);
    assert_is(&now, "targets{state=\"gone\"}", 1);
    assert_is(&now, "last_run_exit_code", 10);
}

#[test]
fn a_collector_of_another_user_reads_it_whatever_the_umask() {
    let home = measured();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$0\" run", BINARY]);
    let ended = home.prepare(shell, [] as [&str; 0]).output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(mode(&file(&home)), 0o644);
}

#[test]
fn the_flag_goes_before_the_variable_and_the_variable_before_the_key() {
    let mut home = measured();
    home.run(["run", "--metrics-file", "flag.prom"]).expect(0);
    assert!(home.path("flag.prom").exists() && !file(&home).exists());
    home.variable("STORY_LIKER_METRICS_FILE", "variable.prom");
    home.run(["run"]).expect(0);
    assert!(home.path("variable.prom").exists() && !file(&home).exists());
}

#[test]
fn a_dry_run_writes_no_figures_also_when_it_fails() {
    let mut home = measured();
    home.run(["run", "--dry-run"]).expect(0);
    assert!(!file(&home).exists());
    home.run(["run"]).expect(0);
    let before = fs::read(file(&home)).unwrap();
    home.arm("read", "error_429_empty");
    home.run(["run", "--dry-run", "--check-all"]).expect(75);
    home.set("limits.likes_per_run", "0");
    home.run(["run", "--dry-run"]).expect(78);
    assert_eq!(fs::read(file(&home)).unwrap(), before);
}

#[test]
fn the_last_success_survives_failures() {
    let home = measured();
    home.run(["run"]).expect(0);
    let good = figures(&home);
    home.arm("read", "error_challenge_required");
    home.run(["run", "--check-all"]).expect(77);
    let now = figures(&home);
    assert_is(&now, "last_run_exit_code", 77);
    assert_is(&now, "hold{reason=\"challenge\"}", 1);
    assert_is(&now, "person_needed", 1);
    let missing = [
        "next_pass_timestamp_seconds",
        "hold_until_timestamp_seconds{reason=\"challenge\"}",
    ];
    for name in missing {
        assert_eq!(now.get(name), None, "{now:#?}");
    }
    let success = "last_success_timestamp_seconds";
    assert!((now[success] - good[success]).abs() < 1e-9);
    assert!(now["last_run_end_timestamp_seconds"] > now[success]);
}

#[test]
fn a_timed_hold_tells_its_end() {
    let home = measured();
    home.arm("read", "error_429_empty");
    home.run(["run"]).expect(75);
    let now = figures(&home);
    assert_is(&now, "hold{reason=\"throttled\"}", 1);
    assert_is(&now, "person_needed", 0);
    let until = now["hold_until_timestamp_seconds{reason=\"throttled\"}"];
    assert!(
        until > now["snapshot_timestamp_seconds"] + 1700.0,
        "{now:#?}"
    );
    assert!((now["next_pass_timestamp_seconds"] - until).abs() < 1e-9);
}

#[test]
fn a_start_that_finds_another_pass_at_work_keeps_the_figures_of_passes() {
    let mut home = measured();
    home.run(["run"]).expect(0);
    let good = figures(&home);
    home.set("pace.between_requests", "\"10m..10m\"");
    home.set("limits.max_runtime", "\"6h\"");
    let pass = home.start(["run", "--check-all"]);
    until("the pass is at work", || {
        home.number("SELECT count(*) FROM run WHERE ended_at IS NULL") == 1
    });
    home.run(["run"]).expect(75);
    let now = figures(&home);
    assert_is(&now, "last_start_exit_code", 75);
    for name in good.keys().filter(|name| name.starts_with("last_run_")) {
        assert!((now[name] - good[name]).abs() < 1e-9, "{name}");
    }
    assert_is(&now, "last_run_requests{kind=\"like\",outcome=\"ok\"}", 5);
    signal(&pass, "TERM");
    ended(pass).expect(0);
    let then = figures(&home);
    assert_is(&then, "last_run_stop{stop=\"interrupted\"}", 1);
    // That of the later start, which ended before this one.
    assert_is(&then, "last_start_exit_code", 75);
    let start = "last_start_timestamp_seconds";
    assert!((then[start] - now[start]).abs() < 1e-9);
    assert_is(&then, "last_run_exit_code", 0);
    assert!(then["last_run_end_timestamp_seconds"] > now["last_run_end_timestamp_seconds"]);
}

#[test]
fn a_start_without_configuration_or_database_keeps_the_figures_and_tells_its_code() {
    let mut home = measured();
    home.run(["run"]).expect(0);
    let good = figures(&home);
    home.set("limits.likes", "\"many\"");
    home.run(["run"]).expect(78);
    assert_only_the_start_differs(&home, &good, 78);
    home.set("limits.likes", "\"100/1h\"");
    home.set("database", &format!("\"{NAME}/stories.db\""));
    home.run(["run"]).expect(73);
    assert_only_the_start_differs(&home, &good, 73);
    home.set("database", "\"state/stories.db\"");
    fs::write(
        home.database(),
        "no database at all, but long enough to be looked at",
    )
    .unwrap();
    home.run(["run"]).expect(65);
    assert_only_the_start_differs(&home, &good, 65);
}

#[test]
fn a_first_start_that_fails_tells_at_least_that() {
    let mut home = Home::new();
    home.set("metrics.file", &format!("\"{NAME}\""));
    home.set("targets", "[]");
    home.run(["run"]).expect(78);
    let now = figures(&home);
    assert_is(&now, "last_start_exit_code", 78);
    assert_eq!(now.len(), 3, "{now:#?}");
}

#[test]
fn an_unknown_target_and_a_signal_before_the_pass_are_starts_too() {
    let mut home = measured();
    home.run(["run", "--targets", "stranger"]).expect(64);
    assert_is(&figures(&home), "last_start_exit_code", 64);
    home.set("pace.between_requests", "\"10m..10m\"");
    home.set("limits.max_runtime", "\"6h\"");
    let pass = home.start(["run"]);
    until("a request", || !home.calls().is_empty());
    let waiting = home.start(["run", "--lock-wait", "1h"]);
    until("its signals are caught", || {
        crate::signals::catches_signals(waiting.id())
    });
    signal(&waiting, "TERM");
    ended(waiting).expect(143);
    assert_is(&figures(&home), "last_start_exit_code", 143);
    signal(&pass, "TERM");
    ended(pass).expect(0);
}

#[test]
fn success_codes_change_the_status_and_not_the_figures() {
    let mut home = measured();
    home.set("targets", &format!("[\"sandbox.nobody\", \"{FRIEND}\"]"));
    home.run(["run", "--success-codes", "10"]).expect(0);
    assert_is(&figures(&home), "last_start_exit_code", 10);
    assert_is(&figures(&home), "last_run_exit_code", 10);
}

/// A file that cannot be written is told with the remedy; exit code and report are as without it.
#[test]
fn a_failure_to_write_costs_nothing_but_a_warning() {
    let home = measured();
    fs::create_dir(home.path("folder.prom")).unwrap();
    fs::write(home.path("other.prom"), "node_load1 0.5\n").unwrap();
    for (name, words) in [
        ("missing/a.prom", "there is no folder missing; make it"),
        ("folder.prom", "it is a folder or a device"),
        ("config.toml/a.prom", "there is no folder"),
        (
            "other.prom",
            "holds something else than figures of story-liker",
        ),
    ] {
        for code in [0, 78] {
            let mut arguments = vec!["run", "--check-all", "--metrics-file", name];
            if code == 78 {
                arguments.extend(["--max-runtime", "100h"]);
            }
            let ended = home.run(arguments).expect(code);
            assert_eq!(ended.report()["exit"]["code"], code, "{ended}");
            ended.saying(&["metrics file", "was not written", words]);
        }
    }
    let other = fs::read_to_string(home.path("other.prom")).unwrap();
    assert_eq!(other, "node_load1 0.5\n");
    assert_eq!(home.likes().len(), 5);
}

#[test]
fn a_name_that_no_collector_reads_is_refused_and_nothing_is_replaced() {
    let home = measured();
    let before = fs::read(home.path("config.toml")).unwrap();
    home.run(["run", "--metrics-file", "config.toml"])
        .expect(78)
        .saying(&["metrics.file", "*.prom"]);
    assert_eq!(fs::read(home.path("config.toml")).unwrap(), before);
    assert!(home.calls().is_empty());
}

#[test]
fn two_profiles_share_a_file() {
    let home = measured();
    home.run(["run"]).expect(0);
    let first = figures(&home);
    // It has no session.
    home.run(["run", "--profile", "second"]).expect(77);
    let both = figures(&home);
    assert_is(&both, "last_start_exit_code{profile=\"second\"}", 77);
    assert_is(&both, "person_needed{profile=\"second\"}", 1);
    let of_first = |name: &&String| !name.contains("profile=");
    let kept: BTreeMap<_, _> = both.iter().filter(|(name, _)| of_first(name)).collect();
    assert_eq!(kept, first.iter().collect());
}

/// Two starts that end at the same time: the later one waits, and then knows what the first one did.
#[test]
fn a_start_waits_while_another_one_replaces_the_file() {
    let home = measured();
    let folder = fs::File::open(home.folder.path()).unwrap();
    folder.lock_exclusive().unwrap();
    let pass = home.start(["run"]);
    until("the pass is over", || {
        home.database().exists()
            && home.number("SELECT count(*) FROM run WHERE ended_at IS NOT NULL") == 1
    });
    assert!(!file(&home).exists());
    fs2::FileExt::unlock(&folder).unwrap();
    ended(pass).expect(0);
    assert_is(&figures(&home), "last_run_exit_code", 0);
}
