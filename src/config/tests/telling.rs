//! Who is told: addresses that are secrets, and a program that no shell takes apart.

use super::layers::chmod;
use super::*;

const ADDRESS: &str = "https://hc-ping.com/synthetic-capability";

#[test]
fn an_address_comes_from_a_variable_a_credential_or_a_file() {
    let mut setup = Setup::new("[ping]\nurl_file = \"p\"\n[notify]\nurl_file = \"n\"");
    for (name, address) in [("p", "https://a.example/1"), ("n", "https://a.example/2")] {
        std::fs::write(setup.path(name), format!("{address}\n")).unwrap();
        chmod(&setup.path(name), 0o600);
    }
    let addresses = |setup: &Setup| {
        let config = setup.config();
        [config.ping, config.notify.url].map(|address| address.unwrap().expose().to_owned())
    };
    assert_eq!(
        addresses(&setup),
        ["https://a.example/1", "https://a.example/2"]
    );
    let folder = setup.path("credentials");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("ping_url"), "https://a.example/3").unwrap();
    std::fs::write(folder.join("notify_url"), "https://a.example/4").unwrap();
    setup = setup.variable("CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
    assert_eq!(
        addresses(&setup),
        ["https://a.example/3", "https://a.example/4"]
    );
    let file = setup.path("p").display().to_string();
    setup = setup
        .variable("STORY_LIKER_PING_URL_FILE", &file)
        .variable("STORY_LIKER_NOTIFY_URL", "http://127.0.0.1:8080/5");
    assert_eq!(
        addresses(&setup),
        ["https://a.example/1", "http://127.0.0.1:8080/5"]
    );
}

#[test]
fn an_address_is_used_as_it_was_understood() {
    for (written, used) in [
        ("HTTPS://A.example/Key", "https://a.example/Key"),
        (" https://a.example/1 ", "https://a.example/1"),
        ("Http://LocalHost:8080", "http://localhost:8080/"),
    ] {
        let setup = Setup::new("")
            .variable("STORY_LIKER_PING_URL", written)
            .variable("STORY_LIKER_NOTIFY_URL", written);
        let config = setup.config();
        for address in [config.ping, config.notify.url] {
            assert_eq!(address.unwrap().expose(), used);
        }
    }
}

#[test]
fn an_address_is_never_shown() {
    let setup = Setup::new("")
        .variable("STORY_LIKER_PING_URL", ADDRESS)
        .variable("STORY_LIKER_NOTIFY_URL", ADDRESS);
    let loaded = setup.load().unwrap();
    for key in ["ping.url", "notify.url"] {
        assert_eq!(shown(&loaded, key).0, "\"***\"");
    }
    assert!(!format!("{loaded:?}").contains("synthetic"));
}

#[test]
fn an_address_that_others_could_read_on_the_way_is_refused_unsaid() {
    for (address, says) in [
        ("http://hc-ping.com/synthetic", "http:// to another machine"),
        ("http://10.0.0.1/synthetic", "http:// to another machine"),
        ("hc-ping.com/synthetic", "not an address"),
        (
            "ftp://hc-ping.com/synthetic",
            "neither https:// nor http://",
        ),
        ("https://", "not an address"),
        ("data:synthetic", "without a host"),
    ] {
        for name in ["STORY_LIKER_PING_URL", "STORY_LIKER_NOTIFY_URL"] {
            let mistake = Setup::new("").variable(name, address).only_mistake();
            let text = mistake.to_string();
            assert!(text.contains(says) && text.contains(name), "{text}");
            assert!(!text.contains("synthetic"), "{text}");
        }
    }
    for address in [
        "http://127.0.0.1:1/x",
        "http://[::1]/x",
        "http://localhost/x",
    ] {
        let setup = Setup::new("").variable("STORY_LIKER_PING_URL", address);
        assert_eq!(setup.config().ping.unwrap().expose(), address);
    }
}

#[test]
fn an_address_in_the_configuration_file_is_refused_with_the_place_it_belongs() {
    for section in ["ping", "notify"] {
        let file = format!("[{section}]\nurl = \"{ADDRESS}\"");
        let text = Setup::new(&file).only_mistake().to_string();
        assert!(
            text.contains(&format!("name it in {section}.url_file")),
            "{text}"
        );
        assert!(!text.contains("synthetic"), "{text}");
    }
}

#[test]
fn a_program_is_a_list_of_words() {
    let command = |value: &str| {
        let file = format!("[notify]\ncommand = {value}");
        Setup::new(&file).config().notify.command
    };
    assert_eq!(
        command("[\"mail\", \"-s\", \"a b\"]"),
        ["mail", "-s", "a b"]
    );
    assert_eq!(command("\"/usr/local/bin/tell\""), ["/usr/local/bin/tell"]);
    assert!(command("[]").is_empty());
    let by_variable = Setup::new("").variable("STORY_LIKER_NOTIFY_COMMAND", "[\"mail\", \"me\"]");
    assert_eq!(by_variable.config().notify.command, ["mail", "me"]);
}

#[test]
fn a_program_that_a_shell_would_have_to_take_apart_is_refused() {
    for (value, says) in [
        ("\"mail -s x me\"", "no shell takes this apart"),
        ("\"[mail\"", "not a TOML list"),
        ("[\"mail\", 5]", "a number where text belongs"),
        ("[\"\"]", "a program without a name"),
        ("[\"./tell\"]", "a relative path"),
        ("7", "a number where text belongs"),
    ] {
        let file = format!("[notify]\ncommand = {value}");
        let text = Setup::new(&file).only_mistake().to_string();
        assert!(text.contains(says) && text.contains("as a list"), "{text}");
    }
}

#[test]
fn variables_made_for_the_program_are_no_mistakes() {
    let setup = Setup::new("").variable("STORY_LIKER_NOTICE", "{}");
    setup.variable("STORY_LIKER_NOTICE_TITLE", "x").config();
}

#[test]
fn a_program_sees_only_what_is_known_to_be_harmless() {
    let harmless = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"];
    let others = [
        "IG_PASSWORD",
        "STORY_LIKER_ACCOUNT_PASSWORD",
        "STORY_LIKER_PING_URL",
        "CREDENTIALS_DIRECTORY",
        "DATABASE_URL",
        "https_proxy",
        "AWS_SECRET_ACCESS_KEY",
        "LD_PRELOAD",
    ];
    let all = harmless.iter().chain(&others).map(|name| (*name, "value"));
    let environment: Environment = all.collect();
    let mut seen: Vec<String> = environment
        .for_children()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    seen.sort_by_key(|name| harmless.iter().position(|known| known == name));
    assert_eq!(seen, harmless);
}
