//! What is shipped beside the program is true: README, changelog and examples are checked against
//! the code that they describe.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use story_liker::cli::Cli;
use story_liker::commands::CHECKS;
use story_liker::config::{self, Environment, KEYS, Needs, Request};
use story_liker::engage::Reason;
use story_liker::exit::{ExitCode, NeedsPerson};
use story_liker::model::{HoldReason, SealKey};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

fn readme() -> String {
    shipped("README.md")
}

/// Everything below a heading, up to the next one of the same rank or a higher one.
fn section(text: &str, heading: &str) -> String {
    let rank = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "README has no {heading:?}");
    let end = |line: &&str| rank(line) == 0 || rank(line) > rank(heading);
    lines.take_while(end).collect::<Vec<_>>().join("\n")
}

/// The cells of every row of every table, without headings and rulers.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_body = |at: usize| {
        let ruler = |line: &str| line.starts_with("|---");
        let heads = lines.get(at + 1).is_some_and(|next| ruler(next));
        lines[at].starts_with('|') && !ruler(lines[at]) && !heads
    };
    let cells = |line: &str| {
        let inner = line.trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    (0..lines.len())
        .filter(|at| is_body(*at))
        .map(|at| cells(lines[at]))
        .collect()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<_> = lines.by_ref().take_while(|l| *l != "```").collect();
            if &line[3..] == language {
                found.push(block.join("\n"));
            }
        }
    }
    found
}

/// What stands between backticks, outside fenced blocks.
fn spans(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// The program's texts: its sources without tests, comments and the practice server, with each
/// string literal that goes over several lines put together.
fn program_texts() -> String {
    let mut paths = Vec::new();
    sources(&Path::new(ROOT).join("src"), &mut paths);
    let mut text = String::new();
    for path in paths {
        let name = path.to_str().unwrap();
        let is_source = path.extension().is_some_and(|ending| ending == "rs");
        if !is_source || name.contains("/practice/") || name.contains("tests") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        let mut continued = false;
        for line in code.lines() {
            let line = if continued { line.trim_start() } else { line };
            continued = line.ends_with('\\');
            if !line.trim_start().starts_with("//") {
                text.push_str(line.strip_suffix('\\').unwrap_or(line));
            }
            if !continued {
                text.push('\n');
            }
        }
    }
    text.replace("\\\"", "\"")
}

#[test]
fn the_exit_code_table_is_that_of_the_program() {
    let table = rows(&section(&readme(), "## Exit codes"));
    let expected: Vec<Vec<String>> = ExitCode::ALL
        .iter()
        .map(|code| {
            let person = match code.needs_person() {
                NeedsPerson::No => "no",
                NeedsPerson::Look => "look",
                NeedsPerson::Maybe => "maybe",
                NeedsPerson::Yes => "yes",
            };
            let number = code.number().to_string();
            [&number, code.name(), code.meaning(), person]
                .map(str::to_owned)
                .to_vec()
        })
        .collect();
    assert_eq!(table, expected);
}

#[test]
fn the_table_of_checks_is_that_of_the_program() {
    let table = rows(&section(
        &readme(),
        "### When in doubt: doctor and healthcheck",
    ));
    let mut told: Vec<(String, String)> = Vec::new();
    for row in table.iter().filter(|row| row[0].starts_with('`')) {
        told.push((row[0].trim_matches('`').to_owned(), row[1].clone()));
    }
    let known = CHECKS
        .iter()
        .map(|(id, what)| ((*id).to_owned(), (*what).to_owned()));
    assert_eq!(told, known.collect::<Vec<_>>());
}

#[test]
fn the_table_of_secrets_has_each_once_and_the_units_hand_over_what_passes_alone_need() {
    let table = rows(&section(&readme(), "## Files and secrets"));
    let secrets: Vec<&Vec<String>> = table.iter().filter(|row| row.len() == 5).collect();
    let column = |at: usize| -> Vec<&str> {
        let cells = secrets.iter().map(|row| row[at].trim_matches('`'));
        cells.filter(|cell| !cell.contains(' ')).collect()
    };
    let of_program: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let files = of_program.iter().filter(|name| name.ends_with("_file"));
    let mut files: Vec<&str> = files
        .copied()
        .filter(|name| *name != "instagram.ca_file")
        .collect();
    let mut told = column(3);
    told.sort_unstable();
    files.sort_unstable();
    assert_eq!(told, files);
    // The session key is needed by hand too.
    let mut handed: Vec<&str> = column(2);
    handed.retain(|name| *name != "session_key");
    for unit in ["story-liker.service", "story-liker@.service"] {
        let text = shipped(&format!("systemd/{unit}"));
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("LoadCredential="));
        let names: Vec<&str> = lines.filter_map(|line| line.split(':').next()).collect();
        assert_eq!(names, handed, "{unit}");
    }
}

#[test]
fn the_table_of_holds_has_every_reason_once() {
    let part = section(&readme(), "## Windows, pauses, holds");
    let named: Vec<String> = rows(&part)
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .filter(|name| !name.contains('.'))
        .collect();
    let known: Vec<&str> = HoldReason::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(named, known);
}

#[test]
fn the_table_of_reasons_has_every_code_once() {
    let table = rows(&section(&readme(), "## Why an item was not liked"));
    let named: Vec<String> = table
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, Reason::CODES);
    // The list itself is that of the variants, in their order.
    let source = shipped("src/engage/reason.rs");
    let body = source.split("pub enum Reason {").nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    let variant = |line: &str| {
        let name = line.strip_prefix("    ")?.trim_end_matches([',', '{', ' ']);
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        is_name.then(|| {
            let mut code = String::new();
            for c in name.chars() {
                if c.is_ascii_uppercase() && !code.is_empty() {
                    code.push('_');
                }
                code.push(c.to_ascii_lowercase());
            }
            code
        })
    };
    let variants: Vec<String> = body.lines().filter_map(variant).collect();
    assert_eq!(variants, Reason::CODES);
}

#[test]
fn the_table_of_limits_shows_the_defaults() {
    let part = section(&readme(), "## Windows, pauses, holds");
    let mut seen = 0;
    for row in rows(&part) {
        let name = row[0].trim_matches('`');
        if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            let default = key.default.unwrap_or("none");
            assert_eq!(row[1].trim_matches('`'), default, "{name}");
            seen += 1;
        }
    }
    let limits = |key: &&config::Key| key.name.starts_with("limits.");
    let all = KEYS.iter().filter(limits).count();
    assert_eq!(seen, all - 1, "every limit but allow_unsafe_limits");
}

/// A command line as a shell would hand it over, without what belongs to the shell.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap();
    let line = line.split(['<', '>', '|']).next().unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

fn assert_parses(line: &str, place: &str) {
    if let Err(problem) = Cli::try_parse_from(words(line)) {
        assert!(!problem.use_stderr(), "{place}: {line}\n{problem}");
    }
}

/// Every command line of the program in a text for people: in a block, in backticks or in quotes.
fn command_lines(text: &str) -> Vec<String> {
    const NAME: &str = "story-liker ";
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.strip_prefix("sudo -u story-liker ").unwrap_or(line);
        for (at, _) in line.match_indices(NAME) {
            let before = line[..at].chars().next_back();
            let rest = &line[at..];
            let command = match before {
                None | Some('/') => rest,
                Some(quote @ ('`' | '\'')) => rest.split(quote).next().unwrap(),
                Some(_) => continue,
            };
            found.push(command.to_owned());
        }
    }
    found
}

#[test]
fn every_command_line_that_is_shipped_parses() {
    let readme = readme();
    let blocks = [blocks(&readme, "sh"), blocks(&readme, "cron")].concat();
    let mut lines = command_lines(&blocks.join("\n"));
    // A command in running text may go over the end of a line.
    lines.extend(
        spans(&readme)
            .into_iter()
            .filter(|span| span.starts_with("story-liker ")),
    );
    assert!(lines.len() > 30, "{lines:?}");
    for line in lines {
        assert_parses(&line, "README.md");
    }
    let mut examples = Vec::new();
    sources(&Path::new(ROOT).join("examples"), &mut examples);
    for path in examples {
        let text = fs::read_to_string(&path).unwrap();
        // Prometheus fills in the profile that an alert is about.
        let text = text.replace("{{ $labels.profile }}", "default");
        for line in command_lines(&text) {
            assert_parses(&line, path.to_str().unwrap());
        }
    }
}

#[test]
fn every_command_line_that_a_message_advises_parses() {
    let mut seen = BTreeSet::new();
    for line in command_lines(&program_texts()) {
        // `{command}` and the like stand for what is known only then.
        if !line.contains('{') && seen.insert(line.clone()) {
            assert_parses(&line, "a message");
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}

#[test]
fn every_key_that_readme_names_exists() {
    const FILES: [&str; 6] = ["toml", "db", "json", "txt", "lock", "md"];
    let mut seen = 0;
    for span in spans(&readme()) {
        let name = span.split(" = ").next().unwrap();
        let parts: Vec<&str> = name.split('.').collect();
        let word = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        if parts.len() < 2 || !parts.iter().all(word) || FILES.contains(&parts[parts.len() - 1]) {
            continue;
        }
        let is_table = KEYS
            .iter()
            .any(|key| key.name.starts_with(&format!("{name}.")));
        let is_key = KEYS.iter().any(|key| key.name == name);
        // A secret has no key of its own, but its file has.
        let file = format!("{name}_file");
        let is_secret = KEYS.iter().any(|key| key.name == file);
        let is_target = ["sandbox", "another"].contains(&parts[0]);
        assert!(
            is_key || is_table || is_secret || is_target,
            "{name} is no key"
        );
        seen += usize::from(is_key);
    }
    assert!(seen > 15);
}

#[test]
fn every_variable_that_readme_names_is_read() {
    let readme = readme();
    let mut texts = program_texts();
    // The knobs of the tests that try more.
    for test in ["simulation/main.rs", "kill/sweep.rs"] {
        texts.push_str(&fs::read_to_string(Path::new(ROOT).join("tests").join(test)).unwrap());
    }
    // systemd tells it to the unit of `OnFailure=`.
    texts.push_str("\"MONITOR_EXIT_STATUS\"");
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let mut seen = 0;
    for name in readme.split(|c: char| !is_name(c)) {
        let name = name.trim_end_matches('_');
        if !name.contains('_') {
            continue;
        }
        let of_a_key = KEYS.iter().any(|key| key.variable() == name);
        let literal = texts.contains(&format!("\"{name}\""));
        assert!(of_a_key || literal, "nothing reads {name}");
        seen += 1;
    }
    assert!(seen > 8);
}

#[test]
fn every_configuration_in_readme_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let key = SealKey::new([1; 32]).text();
    for (name, secret) in [
        ("password", "JBSWY3DPEHPK3PXP\n"),
        ("totp_secret", "JBSWY3DPEHPK3PXP\n"),
        ("session.key", key.expose()),
        ("ping_url", "https://hc-ping.com/synthetic\n"),
        ("notify_url", "https://example.org/synthetic\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let blocks = blocks(&readme(), "toml");
    assert!(blocks.len() >= 3);
    for block in blocks {
        let path = folder.path().join("config.toml");
        fs::write(&path, &block).unwrap();
        for profile in ["default", "second"] {
            let line = ["story-liker", "--profile", profile, "--config"];
            let line = line.into_iter().chain([path.to_str().unwrap(), "run"]);
            let cli = Cli::try_parse_from(line).unwrap();
            let environment: Environment = [("HOME", folder.path())].into_iter().collect();
            let loaded = config::load(&Request::new(&cli.global, Needs::EverySecret), &environment);
            assert!(loaded.is_ok(), "{block}\n{}", loaded.err().unwrap());
        }
    }
}

#[test]
fn every_message_in_troubleshooting_is_one_of_the_program() {
    let texts = program_texts();
    let table = rows(&section(&readme(), "## Troubleshooting"));
    assert!(table.len() > 40);
    for row in table {
        let fragments: Vec<&str> = row[0].split('`').skip(1).step_by(2).collect();
        assert!(!fragments.is_empty(), "{}", row[0]);
        for fragment in fragments {
            assert!(texts.contains(fragment), "no message says {fragment:?}");
        }
    }
}

#[test]
fn the_two_commands_come_first_and_exist() {
    let first = &blocks(&readme(), "sh")[0];
    assert_eq!(first, "cargo run --release -- rehearse\ntests/all");
    let mode = fs::metadata(Path::new(ROOT).join("tests/all")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o111, 0o111);
}

#[test]
fn the_rehearsal_prints_what_readme_shows() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_story-liker"))
        .arg("rehearse")
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in blocks(&readme(), "text")[0].lines() {
        assert!(
            printed.lines().any(|other| other == line),
            "README shows {line:?}; `rehearse` now prints\n{printed}"
        );
    }
}

/// The planning example and the comparison after it.
#[test]
fn planning_prints_what_readme_shows() {
    let readme = readme();
    let blocks_of = |kind| blocks(&readme, kind).into_iter();
    let plan = blocks_of("toml")
        .find(|block| block.contains("carla.k"))
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write("plan.toml", &plan);
    let rarely = "stories.check_every = \"8h\"\nposts.check_every = \"24h\"\n";
    write("other.toml", &format!("{plan}\n{rarely}"));
    let texts: Vec<String> = blocks_of("text").skip(1).take(2).collect();
    let mut commands = blocks_of("sh").filter(|block| block.contains("--config plan.toml"));
    for shown in texts {
        let command = commands.next().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_story-liker"))
            .args(command.split_whitespace().skip(1))
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        for line in shown.lines() {
            assert!(
                printed.lines().any(|other| other == line),
                "README shows {line:?}; `{command}` now prints\n{printed}"
            );
        }
    }
}

#[test]
fn the_rehearsal_answers_with_the_keys_that_readme_names() {
    let shown = &blocks(&readme(), "json")[0];
    let shown: serde_json::Map<String, serde_json::Value> = serde_json::from_str(shown).unwrap();
    let mut printed = Vec::new();
    let options = story_liker::practice::Options::serving(
        "127.0.0.1:0".parse().unwrap(),
        story_liker::practice::Wire::Plain,
        1,
    );
    story_liker::practice::serve(options, &mut printed, || {}).unwrap();
    let printed: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&printed).unwrap();
    assert!(shown.keys().eq(printed.keys()));
}

/// The values of a setting of a unit.
fn settings(unit: &str, key: &str) -> Vec<String> {
    let is_it = |line: &str| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    unit.lines().filter_map(is_it).collect()
}

#[test]
fn the_unit_fails_where_a_person_is_needed_and_only_there() {
    let unit = shipped("systemd/story-liker.service");
    let success: BTreeSet<String> = settings(&unit, "SuccessExitStatus")
        .iter()
        .flat_map(|codes| codes.split_whitespace().map(str::to_owned))
        .collect();
    let unneeded = |code: &&ExitCode| {
        **code != ExitCode::Ok && matches!(code.needs_person(), NeedsPerson::No | NeedsPerson::Look)
    };
    let expected = ExitCode::ALL.iter().filter(unneeded);
    let expected: BTreeSet<String> = expected.map(|code| code.number().to_string()).collect();
    assert_eq!(success, expected);
}

#[test]
fn a_pass_has_time_to_end_by_itself_in_the_unit() {
    let unit = shipped("systemd/story-liker.service");
    let span = |key| {
        let text = &settings(&unit, key)[0];
        humantime::parse_duration(text).unwrap()
    };
    let mut global = Cli::try_parse_from(["story-liker", "run"]).unwrap().global;
    global.config = Some(Path::new(ROOT).join("examples/config.toml"));
    let home: Environment = [("HOME", "/nowhere")].into_iter().collect();
    let longest =
        Request::new(&global, Needs::EverySecret).with_max_runtime(Some(Duration::from_mins(30)));
    let config = config::load(&longest, &home).unwrap().config;
    // The largest that is accepted: one minute more is refused.
    let beyond =
        Request::new(&global, Needs::EverySecret).with_max_runtime(Some(Duration::from_mins(31)));
    assert!(config::load(&beyond, &home).is_err());
    let request = config.instagram.connect_timeout + config.instagram.timeout;
    assert!(span("TimeoutStartSec") > config.limits.max_runtime + request);
    assert!(span("TimeoutStopSec") > request);
}

#[test]
fn the_template_units_are_the_others_for_a_profile() {
    let lines = |name: &str| -> Vec<String> {
        let unit = shipped(&format!("systemd/{name}"));
        let code = |line: &&str| !line.starts_with('#');
        unit.lines().filter(code).map(str::to_owned).collect()
    };
    let for_profile = |line: String| {
        let line = match line.strip_prefix("Description=") {
            Some(_) => format!("{line} (profile %i)"),
            None => line,
        };
        line.replace("/story-liker run", "/story-liker --profile %i run")
            .replace(":story-liker.", ":story-liker.%i.")
    };
    for kind in ["service", "timer"] {
        let plain = lines(&format!("story-liker.{kind}"));
        let expected: Vec<String> = plain.into_iter().map(for_profile).collect();
        assert_eq!(lines(&format!("story-liker@.{kind}")), expected);
    }
}

#[test]
fn the_units_the_package_and_the_program_mean_the_same_user_and_places() {
    let unit = shipped("systemd/story-liker.service");
    assert_eq!(settings(&unit, "User"), ["story-liker"]);
    assert_eq!(settings(&unit, "StateDirectory"), ["story-liker"]);
    assert_eq!(settings(&unit, "StateDirectoryMode"), ["0700"]);
    let state = "/var/lib/story-liker";
    assert!(
        shipped("systemd/sysusers.d/story-liker.conf")
            .contains(&format!("u story-liker - \"story-liker\" {state}\n"))
    );
    assert!(
        shipped("systemd/tmpfiles.d/story-liker.conf")
            .contains(&format!("d {state} 0700 story-liker story-liker -\n"))
    );
    let places: Vec<&str> = config::FILES.iter().map(|file| file.place).collect();
    assert!(
        places.contains(&"/var/lib/story-liker/stories.db"),
        "{places:?}"
    );
    assert!(shipped("packaging/debian/config.toml").contains("/var/lib/story-liker/stories.db"));
}

#[test]
fn the_packaged_configuration_lacks_targets_and_nothing_else() {
    let file = Path::new(ROOT).join("packaging/debian/config.toml");
    let mut global = Cli::try_parse_from(["story-liker", "run"]).unwrap().global;
    global.config = Some(file);
    let home: Environment = [("HOME", "/nowhere")].into_iter().collect();
    config::load(&Request::new(&global, Needs::EverySecret), &home).unwrap();
    let mistakes = config::load(
        &Request::new(&global, Needs::EverySecret).needing_targets(),
        &home,
    )
    .unwrap_err();
    assert_eq!(mistakes.0.len(), 1, "{mistakes}");
}
