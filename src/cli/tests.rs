#![allow(clippy::unwrap_used)]

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn every_command(command: &clap::Command, visit: &mut dyn FnMut(&clap::Command)) {
    visit(command);
    for inner in command.get_subcommands() {
        every_command(inner, visit);
    }
}

#[test]
fn the_definition_is_free_of_contradictions() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_text_is_one_line_with_a_capital_and_no_full_stop() {
    every_command(&Cli::command(), &mut |command| {
        let helps = command
            .get_arguments()
            .filter(|arg| arg.get_id() != "help" && arg.get_id() != "version")
            .map(|arg| (arg.get_id().to_string(), arg.get_help().cloned()))
            .chain([(command.get_name().to_owned(), command.get_about().cloned())]);
        for (name, help) in helps {
            let help = help
                .unwrap_or_else(|| panic!("{name} has no help"))
                .to_string();
            assert!(
                help.chars().next().unwrap().is_uppercase(),
                "{name}: {help}"
            );
            assert!(
                !help.ends_with('.') && !help.contains('\n'),
                "{name}: {help}"
            );
        }
    });
}

#[test]
fn every_command_ends_its_help_with_an_example() {
    every_command(&Cli::command(), &mut |command| {
        let after = command.get_after_help().map(ToString::to_string);
        let after = after.unwrap_or_else(|| panic!("{} has no example", command.get_name()));
        assert!(after.contains("  story-liker "), "{after}");
    });
}

#[test]
fn every_example_parses() {
    every_command(&Cli::command(), &mut |command| {
        let after = command.get_after_help().unwrap().to_string();
        for line in after
            .lines()
            .filter_map(|line| line.strip_prefix("  story-liker "))
        {
            let words = line.split("  ").next().unwrap();
            let words = words.split(['<', '>', '|']).next().unwrap();
            parse(&format!("story-liker {words}")).unwrap_or_else(|err| panic!("{line}: {err}"));
        }
    });
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    for line in [
        "story-liker session import --session-id hunter2",
        "story-liker session import --session-id=hunter2",
        "story-liker login --password=hunter2",
        "story-liker --password=hunter2 login",
    ] {
        let problem = parse(line).unwrap_err();
        assert!(problem.use_stderr());
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
        assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
    }
    let problem = parse("story-liker session import --session-id x").unwrap_err();
    assert!(problem.to_string().contains("standard input"), "{problem}");
    assert!(parse("story-liker session import --session-id -").is_ok());
}

#[test]
fn a_password_in_a_database_address_is_not_in_debug_output() {
    let cli = parse("story-liker status --database postgresql://me:hunter2@db/x").unwrap();
    assert!(!format!("{cli:?}").contains("hunter2"));
}

#[test]
fn a_practice_server_for_other_machines_is_refused() {
    assert!(parse("story-liker rehearse --serve 0.0.0.0:80").is_err());
    assert!(parse("story-liker rehearse --serve [::1]:8080 --plain").is_ok());
    assert!(parse("story-liker rehearse --plain").is_err());
}

#[test]
fn removing_posts_asks_for_force() {
    assert!(parse("story-liker cleanup --posts-before 2026-01-01").is_err());
    assert!(parse("story-liker cleanup --posts-before 2026-01-01 --force").is_ok());
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    for line in ["story-liker --json status", "story-liker status --json"] {
        assert!(parse(line).unwrap().global.json);
    }
}
