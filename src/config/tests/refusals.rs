//! Every refusal: which key, where from, what is allowed.

use super::*;

/// Text of a file, the key that is wrong, and words of the explanation.
const REFUSALS: &[(&str, &str, &[&str])] = &[
    // Limits beyond their ceilings.
    (
        "limits.likes = \"31/1h\"",
        "limits.likes",
        &["31/1h", "30 in 1h", "allow_unsafe_limits"],
    ),
    (
        "limits.likes = [\"12/1h\", \"151/24h\"]",
        "limits.likes",
        &["151/24h", "150"],
    ),
    (
        "limits.likes = [\"701/7d\"]",
        "limits.likes",
        &["700 in 7d"],
    ),
    (
        "limits.likes = \"12/36d\"",
        "limits.likes",
        &["longer than 35d"],
    ),
    ("limits.likes = []", "limits.likes", &["no limit at all"]),
    (
        "limits.likes = [\"many/1h\", \"12/1h\", \"12/soon\"]",
        "limits.likes",
        &["many", ", and ", "soon"],
    ),
    (
        "limits.likes_per_target = [\"many/1h\", 3, \"12/soon\"]",
        "limits.likes_per_target",
        &["many", ", and ", "soon"],
    ),
    (
        "limits.warm_up = [\"half/3d\", \"50%/soon\"]",
        "limits.warm_up",
        &["half", ", and ", "soon"],
    ),
    // Warm-ups that are none.
    (
        "limits.warm_up = \"0%/3d\"",
        "limits.warm_up",
        &["never allow anything", "1% to 99%"],
    ),
    (
        "limits.warm_up = \"100%/3d\"",
        "limits.warm_up",
        &["100% is no part of the limits"],
    ),
    (
        "limits.warm_up = \"150%/3d\"",
        "limits.warm_up",
        &["150% is no part of the limits"],
    ),
    (
        "limits.warm_up = [\"50%/3d\", \"25%/7d\"]",
        "limits.warm_up",
        &["allow more than the one before"],
    ),
    (
        "limits.warm_up = [\"25%/7d\", \"50%/7d\"]",
        "limits.warm_up",
        &["last longer than the one before"],
    ),
    (
        "limits.warm_up = \"50%/36d\"",
        "limits.warm_up",
        &["too long", "up to 35d"],
    ),
    (
        "limits.warm_up = \"50%/0s\"",
        "limits.warm_up",
        &["over at once"],
    ),
    (
        "limits.warm_up = \"14d\"",
        "limits.warm_up",
        &["not SHARE%/SPAN"],
    ),
    (
        "limits.warm_up = \"half/3d\"",
        "limits.warm_up",
        &["not a share such as 25%"],
    ),
    (
        "limits.warm_up = \"50%/16d\"\nhistory.keep = \"45d\"",
        "history.keep",
        &["16d + 30d = 46d", "at least 46d"],
    ),
    (
        "limits.likes = \"0/1h\"",
        "limits.likes",
        &["count of 1 or more"],
    ),
    (
        "limits.likes = \"12 per hour\"",
        "limits.likes",
        &["COUNT/SPAN"],
    ),
    (
        "limits.likes = 12",
        "limits.likes",
        &["a number where text belongs"],
    ),
    (
        "limits.story_views = \"61/1h\"",
        "limits.story_views",
        &["60 in 1h"],
    ),
    (
        "limits.requests = \"151/1h\"",
        "limits.requests",
        &["150 in 1h"],
    ),
    (
        "limits.requests = \"1501/24h\"",
        "limits.requests",
        &["1500 in 24h"],
    ),
    (
        "limits.requests = \"1/1h\"",
        "limits.requests",
        &["view 1 + like 1 = 2"],
    ),
    ("limits.logins = \"4/24h\"", "limits.logins", &["3 in 24h"]),
    (
        "limits.likes_per_run = 21",
        "limits.likes_per_run",
        &["more than 20", "1 to 20"],
    ),
    (
        "limits.likes_per_run = 0",
        "limits.likes_per_run",
        &["never allow anything"],
    ),
    (
        "limits.likes_per_run = -1",
        "limits.likes_per_run",
        &["not a whole number"],
    ),
    (
        "limits.likes_per_run = 1.5",
        "limits.likes_per_run",
        &["not a whole number"],
    ),
    (
        "limits.likes_per_run = 13",
        "limits.likes_per_run",
        &["13 likes x 1m 15s", "= 16m 15s", "limits.max_runtime = 15m"],
    ),
    (
        "limits.likes_per_target = 11",
        "limits.likes_per_target",
        &["more than 10 per run"],
    ),
    (
        "limits.likes_per_target = [3, \"31/24h\"]",
        "limits.likes_per_target",
        &["30 in 24h"],
    ),
    (
        "limits.likes_per_target = [3, 4]",
        "limits.likes_per_target",
        &["two numbers"],
    ),
    (
        "limits.likes_per_target = 0",
        "limits.likes_per_target",
        &["never allow anything"],
    ),
    (
        "limits.max_runtime = \"31m\"",
        "limits.max_runtime",
        &["too long", "1s to 30m"],
    ),
    (
        "limits.max_runtime = 900",
        "limits.max_runtime",
        &["without a unit"],
    ),
    (
        "limits.max_runtime = \"10 years\"",
        "limits.max_runtime",
        &["too long"],
    ),
    (
        "limits.allow_unsafe_limits = \"yes\"",
        "limits.allow_unsafe_limits",
        &["true or false"],
    ),
    // Pace.
    (
        "pace.between_likes = \"9s..75s\"",
        "pace.between_likes",
        &["too short", "at least 10s"],
    ),
    (
        "pace.between_likes = \"75s..25s\"",
        "pace.between_likes",
        &["shortest pause is longer"],
    ),
    (
        "pace.between_likes = \"30s\"",
        "pace.between_likes",
        &["MIN..MAX"],
    ),
    (
        "pace.between_likes = \"x..75s\"",
        "pace.between_likes",
        &["\"x\" is not a duration"],
    ),
    (
        "pace.between_requests = \"1s..12s\"",
        "pace.between_requests",
        &["at least 2s"],
    ),
    (
        "pace.between_requests = \"5s..10years\"",
        "pace.between_requests",
        &["too long"],
    ),
    (
        "pace.between_targets = \"4s..60s\"",
        "pace.between_targets",
        &["at least 5s"],
    ),
    (
        "pace.start_jitter = \"2h\"",
        "pace.start_jitter",
        &["0s to 1h"],
    ),
    (
        "pace.between_requests = \"8m..9m\"",
        "limits.max_runtime",
        &["2 pauses x 8m", "= 16m", "15m"],
    ),
    // Everything else.
    (
        "stories.check_every = \"10 years\"",
        "stories.check_every",
        &["1m to 30d"],
    ),
    (
        "stories.check_every = \"1s\"",
        "stories.check_every",
        &["too short"],
    ),
    (
        "stories.mark_seen = 1",
        "stories.mark_seen",
        &["true or false"],
    ),
    (
        "posts.check_every = \"soon\"",
        "posts.check_every",
        &["not a duration"],
    ),
    ("posts.per_target = 51", "posts.per_target", &["1 to 50"]),
    (
        "posts.max_age = \"10 years\"",
        "posts.max_age",
        &["1h to 365d"],
    ),
    (
        "first_contact.stories = \"skip\"",
        "first_contact.stories",
        &["\"observe\""],
    ),
    (
        "first_contact.posts = true",
        "first_contact.posts",
        &["\"like\""],
    ),
    (
        "quiet_hours = \"22-7\"\ntime_zone = \"UTC\"",
        "quiet_hours",
        &["HH:MM-HH:MM"],
    ),
    (
        "quiet_hours = \"22:00-24:00\"\ntime_zone = \"UTC\"",
        "quiet_hours",
        &["24:00"],
    ),
    (
        "quiet_hours = \"07:00-07:00\"\ntime_zone = \"UTC\"",
        "quiet_hours",
        &["never or always"],
    ),
    (
        "quiet_hours = \"22:00-07:00\"",
        "quiet_hours",
        &["time_zone = \"Europe/Berlin\""],
    ),
    (
        "time_zone = \"Middle/Earth\"",
        "time_zone",
        &["Europe/Berlin"],
    ),
    (
        "session.keep_alive = \"10y\"",
        "session.keep_alive",
        &["1m to 30d"],
    ),
    (
        "session.relogin = \"hourly\"",
        "session.relogin",
        &["\"once-a-day\" or \"never\""],
    ),
    (
        "session.relogin = \"once-a-day\"",
        "session.relogin",
        &["needs a password"],
    ),
    (
        "cleanup.stories_after = \"10 years\"",
        "cleanup.stories_after",
        &["1h to 365d"],
    ),
    ("history.keep = \"44d\"", "history.keep", &["45d to 1830d"]),
    ("history.keep = \"10 years\"", "history.keep", &["too long"]),
    (
        "account.username = \"two words\"",
        "account.username",
        &["login name"],
    ),
    // Targets.
    (
        "targets = [\"anna\", \"@Anna\"]",
        "targets",
        &["anna is listed twice; take it off the list"],
    ),
    (
        "targets = [\"anna\", \"https://www.instagram.com/ANNA/\"]",
        "targets",
        &["anna is listed twice; take it off the list"],
    ),
    (
        "targets = [\"an na\"]",
        "targets",
        &["\"an na\" is not an Instagram user name"],
    ),
    (
        "targets = [\"\"]",
        "targets",
        &["not an Instagram user name"],
    ),
    (
        "targets = [\"https://www.instagram.com/p/Cxyz/\"]",
        "targets",
        &["profile page"],
    ),
    (
        "targets = [\"https://evil.com/anna/\"]",
        "targets",
        &["profile page"],
    ),
    (
        "targets = [{ username = \"a\", storys = true }]",
        "targets",
        &["storys"],
    ),
    (
        "targets = [{ stories = true }]",
        "targets",
        &["without username"],
    ),
    ("targets = [7]", "targets", &["a number where text belongs"]),
    ("targets = true", "targets", &["where a list belongs"]),
    (
        "targets = [\"me\"]\naccount.username = \"@Me\"",
        "targets",
        &["your own account; take it off the list"],
    ),
    // Where things are.
    (
        "database = \"postgresql://db/x\"",
        "database",
        &["not available in this build"],
    ),
    (
        "database = \"mysql://db/x\"",
        "database",
        &["unknown kind of database"],
    ),
    (
        "database = \"sqlite::memory:\"",
        "database",
        &["forgets what was sent"],
    ),
    (
        "database = \"sqlite://host/x.db\"",
        "database",
        &["host name"],
    ),
    ("database = \"~/x.db\"", "database", &["~ is not expanded"]),
    ("database = \"\"", "database", &["empty path"]),
    (
        "database = \"sqlite:x.db?mode=ro\"",
        "database",
        &["parameters"],
    ),
    (
        "instagram.base_url = \"https://evil.com\"",
        "instagram.base_url",
        &["bearer token"],
    ),
    (
        "instagram.base_url = \"http://i.instagram.com\"",
        "instagram.base_url",
        &["bearer token"],
    ),
    (
        "instagram.base_url = \"https://i.instagram.com.evil.com\"",
        "instagram.base_url",
        &["bearer"],
    ),
    (
        "instagram.base_url = \"http://127.0.0.1.evil.com\"",
        "instagram.base_url",
        &["bearer"],
    ),
    (
        "instagram.base_url = \"http://127.0.0.1:80@evil.com\"",
        "instagram.base_url",
        &["bearer"],
    ),
    (
        "instagram.base_url = \"http://192.168.0.1:80\"",
        "instagram.base_url",
        &["loopback"],
    ),
    (
        "instagram.base_url = \"http://127.0.0.1:80/path\"",
        "instagram.base_url",
        &["loopback"],
    ),
    (
        "instagram.base_url = \"ftp://127.0.0.1\"",
        "instagram.base_url",
        &["loopback"],
    ),
    (
        "instagram.ca_file = \"config.toml\"",
        "instagram.ca_file",
        &["loopback instagram.base_url"],
    ),
    (
        "instagram.connect_timeout = \"2m\"",
        "instagram.connect_timeout",
        &["100ms to 1m"],
    ),
    (
        "instagram.connect_timeout = \"30s\"",
        "instagram.connect_timeout",
        &["longer than instagram.timeout = 20s"],
    ),
    (
        "instagram.timeout = \"0s\"",
        "instagram.timeout",
        &["too short"],
    ),
    (
        "instagram.app_profile.app_version = \"1.2\"",
        "instagram.app_profile.app_version",
        &["belong together", "bloks_version_id"],
    ),
    // Keys that do not exist, and files that are none.
    (
        "[limits]\nlike = \"1/1h\"",
        "limits.like",
        &["did you mean limits.likes?", "line 2"],
    ),
    (
        "likes_per_run = 3",
        "likes_per_run",
        &["did you mean limits.likes_per_run?"],
    ),
    ("[pase]\nx = 1", "pase", &["did you mean pace?"]),
    (
        "[instagram.app_profil]\nx = 1",
        "instagram.app_profil",
        &["did you mean instagram.app_profile?"],
    ),
    (
        "[weather]\nx = 1",
        "weather",
        &["no such key; examples/config.toml and `man story-liker` list every key"],
    ),
    ("limits = 3", "limits", &["a table belongs here"]),
    ("profile = 3", "profile", &["profiles are tables"]),
    ("profile.work = 3", "profile.work", &["[profile.NAME]"]),
    ("[profile.Work]", "profile.Work", &["not a profile name"]),
    (
        "[profile.work]\nlimit.likes = 1",
        "limit",
        &["did you mean limits?"],
    ),
    (
        "account.password = \"hunter2\"",
        "account.password",
        &["account.password_file"],
    ),
    (
        "\n\nx = = 1",
        "configuration file",
        &["not valid TOML", "line 3"],
    ),
    (
        "[posts]\nper_target = 1\nper_target = 2",
        "configuration file",
        &["not valid TOML"],
    ),
];

#[test]
fn every_refusal_names_key_file_line_and_what_is_allowed() {
    for (file, key, words) in REFUSALS {
        let setup = Setup::new(file);
        let mistake = setup.only_mistake();
        assert_eq!(&mistake.key, key, "{mistake}");
        let message = mistake.to_string();
        for word in *words {
            assert!(
                message.contains(word),
                "{file}: {word:?} is missing in: {message}"
            );
        }
        let in_file = matches!(mistake.origin, Origin::File { .. });
        assert!(in_file || mistake.key == "limits.max_runtime", "{message}");
    }
}

#[test]
fn a_refused_value_is_shown_as_typed() {
    let setup = Setup::new("[limits]\n\nlikes = [\"500/24h\"]");
    let message = setup.only_mistake().to_string();
    let path = setup.path("config.toml").display().to_string();
    assert!(
        message.starts_with(&format!("limits.likes = [\"500/24h\"] ({path} line 3): ")),
        "{message}"
    );
}

#[test]
fn all_mistakes_of_all_layers_are_reported_at_once() {
    let setup = Setup::new("nonsense = 1\n[limits]\nlikes_per_run = 99\n[posts]\nper_target = 0\n")
        .variable("STORY_LIKER_PACE_BETWEEN_LIKES", "1s..2s")
        .variable("STORY_LIKER_PACE_BETWEN_LIKES", "25s..75s")
        .variable("STORY_LIKER_LOG", "loud")
        .flag("database", "--database", "mysql://x")
        .variable("IG_PASSWORD", "two\nlines");
    let mistakes = setup.mistakes();
    let mut keys: Vec<&str> = mistakes.iter().map(|m| m.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "STORY_LIKER_PACE_BETWEN_LIKES",
            "account.password",
            "database",
            "limits.likes_per_run",
            "log level",
            "nonsense",
            "pace.between_likes",
            "posts.per_target",
        ]
    );
    let text = ConfigErrors(mistakes).to_string();
    for word in [
        "the configuration has 8 mistakes:",
        "flag --database",
        "environment variable STORY_LIKER_PACE_BETWEEN_LIKES",
        "did you mean STORY_LIKER_PACE_BETWEEN_LIKES?",
        "line 3",
    ] {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[test]
fn an_empty_target_list_is_a_mistake_only_for_commands_that_need_one() {
    let mut setup = Setup::new("targets = []");
    assert!(setup.config().targets.is_empty());
    setup.request.needs_targets = true;
    let mistake = setup.only_mistake();
    assert_eq!(mistake.key, "targets");
    assert!(
        mistake.to_string().contains("STORY_LIKER_TARGETS=a_friend"),
        "{mistake}"
    );
}

#[test]
fn every_wrong_target_is_named() {
    let setup = Setup::new("targets = [\"a b\", \"c\", \"c\", \"d!\"]");
    let text = ConfigErrors(setup.mistakes()).to_string();
    for word in ["\"a b\"", "c is listed twice", "\"d!\""] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn an_unknown_profile_is_refused_with_the_known_ones() {
    let file = "[profile.work]\n[profile.play]\n";
    let message = Setup::new(file).profile("wrok").only_mistake().to_string();
    assert!(message.contains("default, play, work"), "{message}");
    assert!(Setup::new(file).load().is_ok(), "default needs no table");
    let without_tables = Setup::new("").profile("anything");
    assert_eq!(without_tables.config().profile.as_str(), "anything");
}

#[test]
fn unknown_keys_of_other_profiles_are_found_too_but_not_their_values() {
    let mistake = Setup::new("[profile.other]\npostz.per_target = 1").only_mistake();
    assert!(mistake.key.starts_with("postz"), "{mistake}");
    Setup::new("[profile.other]\nposts.per_target = 999").config();
}

#[test]
fn a_named_file_that_cannot_be_read_is_a_mistake() {
    let mut setup = Setup::new("");
    for (name, content, word) in [
        ("missing.toml", None, "no such file"),
        ("binary.toml", Some(vec![0xff, 0xfe]), "not UTF-8"),
        (
            "large.toml",
            Some(vec![b'#'; (1 << 20) + 1]),
            "larger than 1 MiB",
        ),
        ("", None, "cannot be read"),
    ] {
        let path = setup.path(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        setup.request.config_file = Some(path);
        setup.request.needs_targets = true;
        let message = setup.only_mistake().to_string();
        assert!(message.contains(word), "{message}");
        assert!(message.contains("(flag --config)"), "{message}");
    }
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_are_no_mistake() {
    let setup = Setup::new("")
        .variable("STORY_LIKER_SERVICE_HOST", "10.0.0.1")
        .variable("STORY_LIKER_PORT", "tcp://10.0.0.1:80")
        .variable("STORY_LIKER_PORT_80_TCP", "tcp://10.0.0.1:80");
    setup.config();
}

#[test]
fn a_variable_that_is_not_utf_8_is_a_mistake() {
    use std::os::unix::ffi::OsStringExt;
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let environment: Environment = [("STORY_LIKER_TARGETS", value), ("HOME", "/h".into())]
        .into_iter()
        .collect();
    let ConfigErrors(mistakes) = load(&Request::default(), &environment).unwrap_err();
    assert_eq!(mistakes[0].key, "STORY_LIKER_TARGETS");
}

#[test]
fn without_any_place_to_keep_it_the_database_has_to_be_named() {
    let ConfigErrors(mistakes) = load(&Request::default(), &Environment::default()).unwrap_err();
    assert!(
        mistakes[0].problem.contains("XDG_STATE_HOME"),
        "{}",
        mistakes[0]
    );
}
