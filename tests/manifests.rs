//! The Kubernetes manifests, the Dockerfile and the compose file say what the program understands:
//! its commands, exit codes, variables, folders and times. What they say to a cluster is checked by
//! `tests/all manifests`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use story_liker::cli::{Cli, Command};
use story_liker::config::{self, Config, Environment, KEYS, Needs, Request};
use story_liker::exit::ExitCode;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const DOCKERFILE: &str = "k8s/Dockerfile";
const COMPOSE: &str = "examples/compose.yaml";
const PASS: &str = "k8s/base/pass.yaml";
const POD: &str = "k8s/base/pod.yaml";

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
    found
}

/// The values of a key in YAML of this house, where each stands on one line.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let starts = [format!("{key}: "), format!("- {key}: ")];
    let of = |line: &'a str| {
        let line = line.trim_start();
        starts.iter().find_map(|start| line.strip_prefix(start))
    };
    text.lines().filter_map(of).collect()
}

fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let found = values(text, key);
    assert_eq!(found.len(), 1, "{key}: {found:?}");
    found[0]
}

fn seconds(text: &str, key: &str) -> Duration {
    Duration::from_secs(value(text, key).parse().unwrap())
}

/// The command lines that manifests and compose file give the image.
fn command_lines() -> Vec<(String, Vec<String>)> {
    let mut places = files(&Path::new(ROOT).join("k8s"), "yaml");
    places.push(Path::new(ROOT).join(COMPOSE));
    let mut lines = Vec::new();
    for place in places {
        let text = fs::read_to_string(&place).unwrap();
        for key in ["args", "command"] {
            for line in values(&text, key) {
                let words: Vec<String> = serde_json::from_str(line).unwrap();
                lines.push((place.display().to_string(), words));
            }
        }
    }
    lines
}

fn parsed(words: &[String]) -> Cli {
    let words = std::iter::once("story-liker").chain(words.iter().map(String::as_str));
    Cli::try_parse_from(words).unwrap()
}

/// `NAME=value` of the Dockerfile's only ENV.
fn image_variables() -> Vec<(String, String)> {
    let text = shipped(DOCKERFILE).replace("\\\n", " ");
    let line = text.lines().find_map(|line| line.strip_prefix("ENV "));
    let pairs = line.unwrap().split_whitespace();
    pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn image_variable(name: &str) -> String {
    let found = image_variables().into_iter().find(|(n, _)| n == name);
    found
        .unwrap_or_else(|| panic!("the image sets no {name}"))
        .1
}

/// The configuration as the image reads it.
fn load(file: &Path) -> Result<Config, String> {
    let environment: Environment = image_variables().into_iter().collect();
    let line = ["story-liker", "--config", file.to_str().unwrap(), "run"];
    let cli = Cli::try_parse_from(line).unwrap();
    match config::load(&Request::new(&cli.global, Needs::EverySecret), &environment) {
        Ok(loaded) => Ok(loaded.config),
        Err(problem) => Err(problem.to_string()),
    }
}

#[test]
fn every_command_line_that_is_given_to_the_image_parses() {
    let lines = command_lines();
    assert!(lines.len() >= 9, "{lines:?}");
    for (_, words) in &lines {
        parsed(words);
    }
    let cmd = shipped(DOCKERFILE);
    assert!(cmd.contains("CMD [\"--help\"]"));
}

#[test]
fn whatever_starts_by_itself_counts_a_target_in_trouble_and_a_kept_pause_as_success() {
    let mut passes = 0;
    for (place, words) in command_lines() {
        if let Command::Run(run) = parsed(&words).command {
            let codes = run.success_codes.unwrap_or_default();
            let successes: Vec<_> = ExitCode::ALL
                .into_iter()
                .filter(|code| codes.apply(*code) == ExitCode::Ok)
                .collect();
            let expected = [ExitCode::Ok, ExitCode::Partial, ExitCode::TempFail];
            assert_eq!(successes, expected, "{place}");
            passes += 1;
        }
    }
    assert_eq!(passes, 2, "the CronJob and the compose file");
}

/// All but 0 and the two that a signal from outside leaves.
#[test]
fn no_exit_code_of_the_program_makes_kubernetes_start_it_again() {
    let listed: Vec<u8> = serde_json::from_str(value(&shipped(PASS), "values")).unwrap();
    let signals = [ExitCode::Interrupted, ExitCode::Terminated];
    let expected: BTreeSet<u8> = ExitCode::ALL
        .into_iter()
        .filter(|code| *code != ExitCode::Ok && !signals.contains(code))
        .map(ExitCode::number)
        .collect();
    // The API server wants them ordered.
    assert!(listed.is_sorted());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn an_operation_is_never_repeated_and_never_starts_by_itself() {
    let text = shipped("k8s/base/operations.yaml");
    let operations = values(&text, "args").len();
    assert!(operations >= 7);
    assert_eq!(values(&text, "suspend"), vec!["true"; operations]);
    assert_eq!(values(&text, "backoffLimit"), vec!["0"; operations]);
}

/// The longest pass that the configuration admits, and the longest request.
fn longest() -> (Duration, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let with = |minutes: u64| {
        let limits = format!("[limits]\nmax_runtime = \"{minutes}m\"\n");
        fs::write(&file, format!("targets = [\"a_friend\"]\n{limits}")).unwrap();
        load(&file)
    };
    let minutes = (15..=24 * 60).take_while(|m| with(*m).is_ok()).last();
    let config = with(minutes.unwrap()).unwrap();
    let request = config.instagram.connect_timeout + config.instagram.timeout;
    (config.limits.max_runtime, request)
}

#[test]
fn the_job_outlives_the_longest_pass_and_ends_before_the_next_start() {
    let (pass, request) = longest();
    let deadline = seconds(&shipped(PASS), "activeDeadlineSeconds");
    let for_the_node = Duration::from_mins(5);
    assert!(deadline >= pass + request + for_the_node, "{deadline:?}");
    assert!(deadline < Duration::from_hours(1));
    let missed = seconds(&shipped(PASS), "startingDeadlineSeconds");
    assert!(deadline + missed <= Duration::from_hours(1), "{missed:?}");
}

#[test]
fn a_request_in_flight_may_end_before_the_pod_is_killed() {
    let (_, request) = longest();
    let grace = seconds(&shipped(POD), "terminationGracePeriodSeconds");
    assert!(grace > request, "{grace:?}");
    let compose = shipped(COMPOSE);
    let compose = humantime::parse_duration(value(&compose, "stop_grace_period")).unwrap();
    assert_eq!(compose, grace);
}

#[test]
fn what_is_mounted_is_where_the_image_looks() {
    let (pod, compose) = (shipped(POD), shipped(COMPOSE));
    let state = image_variable("STATE_DIRECTORY");
    let credentials = image_variable("CREDENTIALS_DIRECTORY");
    // The last of the usual places of the configuration.
    let config = "/etc/story-liker";
    let mounts = [state.as_str(), config, credentials.as_str()];
    assert_eq!(values(&pod, "mountPath"), mounts);
    let file = format!("{config}/config.toml");
    assert_eq!(values(&compose, "target"), [state.as_str(), file.as_str()]);
    // Where compose mounts secrets.
    assert_eq!(credentials, "/run/secrets");
}

#[test]
fn one_user_without_rights_runs_it_everywhere() {
    let dockerfile = shipped(DOCKERFILE);
    let user = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("USER "));
    let (user, group) = user.unwrap().split_once(':').unwrap();
    assert!(user.parse::<u32>().unwrap() > 10_000 && user == group);
    let pod = shipped(POD);
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert_eq!(value(&pod, key), user, "{key}");
    }
    let both = format!("\"{user}:{group}\"");
    assert_eq!(value(&shipped(COMPOSE), "user"), both);
}

#[test]
fn every_variable_that_is_set_is_one_of_the_program() {
    let mut names: Vec<String> = image_variables()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for place in files(&Path::new(ROOT).join("k8s"), "yaml") {
        let text = fs::read_to_string(place).unwrap();
        let of_ours = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        names.extend(
            values(&text, "name")
                .into_iter()
                .filter(of_ours)
                .map(str::to_owned),
        );
    }
    names.sort();
    names.dedup();
    let known = [
        "CREDENTIALS_DIRECTORY",
        "STATE_DIRECTORY",
        "STORY_LIKER_PROFILE",
    ];
    for name in &names {
        let of_a_key = KEYS.iter().any(|key| key.variable() == *name);
        assert!(
            of_a_key || known.contains(&name.as_str()),
            "nothing reads {name}"
        );
    }
    assert!(known.iter().all(|name| names.contains(&(*name).to_owned())));
}

#[test]
fn every_configuration_of_an_overlay_is_accepted_by_the_image() {
    let overlays = files(&Path::new(ROOT).join("k8s"), "toml");
    assert_eq!(overlays.len(), 3);
    for file in overlays {
        let config = load(&file).unwrap();
        // A CronJob knows no random delay, so the configuration brings it.
        assert!(!config.pace.start_jitter.is_zero(), "{}", file.display());
    }
}

#[test]
fn every_version_is_that_of_the_program() {
    let tag = format!("story-liker:{VERSION}");
    let dockerfile = shipped(DOCKERFILE);
    assert!(dockerfile.contains(&format!("--tag {tag} .")));
    assert!(dockerfile.contains(&format!("image.version=\"{VERSION}\"")));
    let base = shipped("k8s/base/kustomization.yaml");
    assert_eq!(value(&base, "newTag"), format!("\"{VERSION}\""));
    assert_eq!(value(&shipped(COMPOSE), "image"), tag);
    for (at, _) in shipped("README.md").match_indices("story-liker:") {
        let readme = shipped("README.md");
        let rest = &readme[at..];
        let is_a_tag = rest["story-liker:".len()..].starts_with(|c: char| c.is_ascii_digit());
        assert!(!is_a_tag || rest.starts_with(&tag), "{}", &rest[..20]);
    }
}

/// What the build of an image may see.
fn let_through() -> Vec<String> {
    let ignored = shipped(".dockerignore");
    assert!(ignored.lines().any(|line| line == "*"));
    let lines = ignored.lines().filter_map(|line| line.strip_prefix('!'));
    lines.map(str::to_owned).collect()
}

/// Files outside the sources that the compiler reads, as paths from the root.
fn compiled_in() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in files(&Path::new(ROOT).join("src"), "rs") {
        let text = fs::read_to_string(&source).unwrap();
        let name = source.to_str().unwrap();
        if name.contains("tests") || name.contains("fuzzing") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for macro_name in ["include_str!(", "include_bytes!("] {
            for (at, _) in code.match_indices(macro_name) {
                let rest = &code[at + macro_name.len()..];
                let literal = |text: &str| text.split('"').nth(1).unwrap().to_owned();
                let path = match rest.split_once("CARGO_MANIFEST_DIR\"),") {
                    Some((before, after)) if before.trim_start().starts_with("concat!") => {
                        literal(after).trim_start_matches('/').to_owned()
                    }
                    _ if rest.starts_with("\"../") => literal(rest).replace("../", ""),
                    _ => continue,
                };
                found.insert(path);
            }
        }
    }
    found
}

#[test]
fn what_the_compiler_reads_reaches_the_image() {
    let read = compiled_in();
    assert!(read.len() >= 2, "{read:?}");
    for path in read {
        let reaches = |start: &String| path.starts_with(start.as_str());
        assert!(let_through().iter().any(reaches), "{path}");
    }
}

#[test]
fn what_the_dockerfile_copies_reaches_it() {
    let let_through = let_through();
    let mut copied = BTreeSet::new();
    for line in shipped(DOCKERFILE).lines() {
        if let Some(words) = line
            .strip_prefix("COPY ")
            .filter(|line| !line.starts_with("--"))
        {
            let words: Vec<&str> = words.split_whitespace().collect();
            copied.extend(
                words[..words.len() - 1]
                    .iter()
                    .map(|word| (*word).to_owned()),
            );
        }
    }
    assert!(copied.len() >= 6);
    for source in &copied {
        assert!(Path::new(ROOT).join(source).exists(), "{source}");
        assert!(let_through.contains(source), "{source}");
    }
    assert_eq!(
        copied.len(),
        let_through.len(),
        "nothing more is let through"
    );
}

#[test]
fn the_image_is_built_by_a_compiler_that_is_new_enough() {
    let dockerfile = shipped(DOCKERFILE);
    let tag = dockerfile.split("FROM rust:").nth(1).unwrap();
    let version = |text: &str| {
        let mut parts = text
            .split(['.', '-'])
            .map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap(), parts.next().unwrap())
    };
    let manifest = shipped("Cargo.toml");
    let wanted = manifest.split("rust-version = \"").nth(1).unwrap();
    let wanted = wanted.split('"').next().unwrap();
    assert!(version(tag) >= version(wanted), "{wanted}");
}
