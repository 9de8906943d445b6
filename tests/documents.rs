//! What is made from the program for those beside it: completions and manual pages. They know every
//! command, and the shells and roff take them.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use story_liker::cli::{Definition, definition};
use story_liker::config::{FILES, KEYS, VARIABLES};
use story_liker::exit::ExitCode;

fn story_liker(args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_story-liker");
    Command::new(binary)
        .args(args)
        .env_clear()
        .output()
        .unwrap()
}

fn printed(args: &[&str]) -> String {
    let output = story_liker(args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stderr, b"");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command, with the words that call it.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &Definition, words: &[String], all: &mut Vec<Vec<String>>) {
        for inner in command.get_subcommands() {
            let mut words = words.to_vec();
            words.push(inner.get_name().to_owned());
            all.push(words.clone());
            below(inner, &words, all);
        }
    }
    let mut all = vec![vec![]];
    below(&definition(), &[], &mut all);
    assert!(all.len() > 15, "{all:?}");
    all
}

/// What the program makes of `input`; `None` where it is not installed.
fn fed(program: &str, args: &[&str], input: &str) -> Option<Output> {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("{program} is not installed: skipped");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Some(child.wait_with_output().unwrap())
}

#[test]
fn every_shell_has_a_script_that_knows_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        for name in commands().iter().filter_map(|words| words.last()) {
            assert!(script.contains(name), "{shell} does not know {name}");
        }
    }
    let unknown = story_liker(&["completions", "tcsh"]);
    assert_eq!(unknown.status.code(), Some(64));
}

#[test]
fn the_script_completes_in_bash() {
    let script = printed(&["completions", "bash"]);
    // What bash offers for the last word of a command line.
    let asked = |words: &str, at: usize| {
        format!(
            "{script}\nCOMP_WORDS=({words}) COMP_CWORD={at}\n\
             \"$(complete -p story-liker | sed 's/.*-F \\([^ ]*\\).*/\\1/')\" story-liker \
             \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at} - 1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
    };
    for (words, at, offered) in [
        ("story-liker st", 1, "status"),
        ("story-liker session im", 2, "import"),
        ("story-liker run --dr", 2, "--dry-run"),
    ] {
        let Some(output) = fed("bash", &["--norc", "-s"], &asked(words, at)) else {
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.stderr, b"", "{words}");
        assert_eq!(text.trim(), offered, "{words}");
    }
}

#[test]
fn every_command_has_a_page_and_no_page_has_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("share/man1");
    printed(&["man", "--out-dir", out.to_str().unwrap()]);
    let mut expected: Vec<String> = commands()
        .iter()
        .map(|words| {
            ["story-liker".to_owned()]
                .iter()
                .chain(words)
                .cloned()
                .collect()
        })
        .map(|words: Vec<String>| words.join("-") + ".1")
        .collect();
    expected.sort();
    let mut written: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    assert_eq!(written, expected);
    for file in &written {
        let text = fs::read_to_string(out.join(file)).unwrap();
        let name = file.strip_suffix(".1").unwrap();
        assert!(
            text.contains(&format!("\n.TH {name} 1 \"\" \"story-liker ")),
            "{text}"
        );
        for part in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "SEE ALSO"] {
            let heading = format!("\n.SH {part}\n").replace("SEE ALSO", "\"SEE ALSO\"");
            assert_eq!(text.matches(&heading).count(), 1, "{file}: {part}");
        }
    }
    // A second time replaces them.
    printed(&["man", "--out-dir", out.to_str().unwrap()]);
}

/// The text as roff source has it.
fn in_roff(text: &str) -> String {
    text.replace('-', "\\-").replace('\'', "\\*(Aq")
}

#[test]
fn the_main_page_has_every_exit_code_file_variable_and_key() {
    let page = printed(&["man"]);
    let section = |heading: &str| {
        let begin = page.split(&format!(".SH {heading}\n")).nth(1).unwrap();
        begin.split("\n.SH ").next().unwrap().to_owned()
    };
    let status = section("\"EXIT STATUS\"");
    let listed: Vec<&str> = status
        .lines()
        .filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR"))
        .collect();
    assert_eq!(listed, ExitCode::ALL.map(|code| code.to_string()));
    for code in ExitCode::ALL {
        assert!(status.contains(&in_roff(code.meaning())), "{code}");
    }
    let environment = section("ENVIRONMENT");
    let keys = KEYS.iter().map(story_liker::config::Key::variable);
    let names = VARIABLES.iter().map(|variable| variable.name.to_owned());
    for name in names.chain(keys) {
        assert!(environment.contains(&format!("\\fB{name}\\fR\n")), "{name}");
    }
    let files = section("FILES");
    for file in FILES {
        assert!(files.contains(&in_roff(file.place)), "{}", file.place);
    }
    let configuration = section("CONFIGURATION");
    for key in KEYS {
        let last = key.name.rsplit('.').next().unwrap();
        assert!(configuration.contains(last), "{}", key.name);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("man1");
    let output = story_liker(&["man", "--out-dir", below.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(73));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(below.to_str().unwrap()), "{told}");
    assert!(told.contains("--out-dir"), "{told}");
}

#[test]
fn roff_takes_every_page_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", "--out-dir", folder.path().to_str().unwrap()]);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let Some(output) = fed("groff", &["-ww", "-man", "-Tutf8", "-Kutf8"], &page) else {
            return;
        };
        assert!(output.status.success());
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert_eq!(warnings, "", "{}", path.display());
    }
}

#[test]
fn with_json_both_answer_in_json() {
    let answer: serde_json::Value =
        serde_json::from_str(&printed(&["completions", "fish", "--json"])).unwrap();
    assert_eq!(answer["shell"], "fish");
    let answer: serde_json::Value = serde_json::from_str(&printed(&["man", "--json"])).unwrap();
    assert_eq!(answer["file"], "story-liker.1");
    assert!(
        answer["page"]
            .as_str()
            .unwrap()
            .contains(".TH story-liker 1")
    );
}

/// The variables that the sources of `config` name are all documented.
#[test]
fn every_variable_that_is_read_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let code = text.split("#[cfg(test)]").next().unwrap();
        // What is handed on to other programs is not read.
        let (before, rest) = code.split_once("const FOR_CHILDREN").unwrap_or((code, ""));
        let code = [before, rest.split_once("];").map_or("", |(_, after)| after)].concat();
        for name in code.split('"').skip(1).step_by(2) {
            let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
            let prefix = name.ends_with('_');
            if name.len() < 4 || prefix || !name.chars().all(is_name) {
                continue;
            }
            // Known in order to be ignored: Kubernetes makes the one for a service of this name, a
            // program that is told what changed gets the others.
            if ["STORY_LIKER_PORT", "STORY_LIKER_NOTICE"].contains(&name) {
                continue;
            }
            let listed = VARIABLES.iter().any(|variable| variable.name == name);
            let of_a_key = KEYS.iter().any(|key| key.variable() == name);
            assert!(listed || of_a_key, "{} reads {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}
