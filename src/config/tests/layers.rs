//! Which layer wins, and where things are looked for.

use std::sync::Arc;
use std::time::Duration;

use super::raw::RawConfig;
use super::resolve::resolve;
use super::*;

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn flags_beat_variables_beat_the_file_beat_defaults() {
    let steps: [(&str, Setup, u32); 4] = [
        ("default", Setup::new(""), 15),
        (
            "config.toml line 2",
            Setup::new("[limits]\nmax_runtime = \"16m\""),
            16,
        ),
        (
            "environment variable STORY_LIKER_LIMITS_MAX_RUNTIME",
            Setup::new("[limits]\nmax_runtime = \"16m\"")
                .variable("STORY_LIKER_LIMITS_MAX_RUNTIME", "17m"),
            17,
        ),
        (
            "flag --max-runtime",
            Setup::new("[limits]\nmax_runtime = \"16m\"")
                .variable("STORY_LIKER_LIMITS_MAX_RUNTIME", "17m")
                .flag("limits.max_runtime", "--max-runtime", "18m"),
            18,
        ),
    ];
    for (origin, setup, minutes) in steps {
        let loaded = setup.load().unwrap();
        assert_eq!(loaded.config.limits.max_runtime, minutes * MINUTE);
        let (_, shown) = shown(&loaded, "limits.max_runtime");
        assert!(shown.ends_with(origin), "{shown} instead of {origin}");
    }
}

#[test]
fn a_profile_table_overrides_the_rest_of_the_file_for_that_profile_only() {
    let file = "[posts]\nper_target = 5\n[profile.work.posts]\nper_target = 7\n[profile.play]\n";
    assert_eq!(Setup::new(file).config().posts.per_target, 5);
    assert_eq!(
        Setup::new(file).profile("work").config().posts.per_target,
        7
    );
    assert_eq!(
        Setup::new(file).profile("play").config().posts.per_target,
        5
    );
    let by_variable = Setup::new(file).variable("STORY_LIKER_PROFILE", "work");
    let config = by_variable.config();
    assert_eq!(config.posts.per_target, 7);
    assert_eq!(config.profile.as_str(), "work");
    let beaten = Setup::new(file)
        .profile("work")
        .variable("STORY_LIKER_POSTS_PER_TARGET", "8");
    assert_eq!(beaten.config().posts.per_target, 8);
}

#[test]
fn an_empty_list_takes_the_warm_up_back_for_a_profile() {
    let file =
        "[limits]\nwarm_up = \"25%/3d\"\n[profile.work.limits]\nwarm_up = []\n[profile.play]\n";
    let stages = |profile| {
        let config = Setup::new(file).profile(profile).config();
        config.limits.warm_up.len()
    };
    assert_eq!((stages("work"), stages("play")), (0, 1));
}

#[test]
fn every_key_can_be_set_by_its_variable() {
    let setup = Setup::new("");
    let pem = setup.path("ca.pem");
    let secret = setup.path("secret");
    std::fs::write(&pem, "").unwrap();
    std::fs::write(&secret, "JBSWY3DPEHPK3PXP\n").unwrap();
    chmod(&secret, 0o600);
    let key_file = setup.path("session.key");
    let text = crate::model::SealKey::new([1; 32]).text();
    std::fs::write(&key_file, text.expose()).unwrap();
    chmod(&key_file, 0o600);
    let address = setup.path("address");
    std::fs::write(&address, "https://example.org/synthetic\n").unwrap();
    chmod(&address, 0o600);
    let mut setup = setup;
    for key in KEYS {
        let value = match key.name {
            "account.username" => "me".to_owned(),
            "account.password_file" | "account.totp_secret_file" => secret.display().to_string(),
            "secrets.key_file" | "secrets.old_key_files" => key_file.display().to_string(),
            "ping.url_file" | "notify.url_file" => address.display().to_string(),
            "notify.command" => "[\"mail\", \"-s\", \"story-liker\", \"me\"]".to_owned(),
            "targets" => "a,b".to_owned(),
            "database" => "sqlite:/x/y.db".to_owned(),
            "quiet_hours" => "22:00-07:00".to_owned(),
            "time_zone" => "UTC".to_owned(),
            "limits.warm_up" => "25%/3d,50%/7d".to_owned(),
            "session.relogin" => "never".to_owned(),
            "metrics.file" => "/x/story-liker.prom".to_owned(),
            "instagram.ca_file" => pem.display().to_string(),
            "instagram.base_url" => "https://127.0.0.1:9".to_owned(),
            _ => match super::keys::default_of(key.name).unwrap() {
                Value::Text(text) => text,
                Value::List(items) => {
                    let items = items.iter().map(|item| item.to_string().replace('"', ""));
                    items.collect::<Vec<_>>().join(",")
                }
                other => other.to_string(),
            },
        };
        setup = setup.variable(&key.variable(), &value);
    }
    let loaded = setup.load().unwrap_or_else(|errors| panic!("{errors}"));
    for key in KEYS {
        let (_, origin) = shown(&loaded, key.name);
        assert_eq!(origin, format!("environment variable {}", key.variable()));
    }
}

#[test]
fn variables_of_other_programs_count_after_our_own() {
    let aliases = || {
        Setup::new("")
            .variable("IG_USERNAME", "me")
            .variable("IG_TARGET_USERNAMES", "anna, bob\ncarl")
            .variable("DATABASE_URL", "sqlite:///var/x.db")
    };
    let config = aliases().config();
    assert_eq!(config.account.username.as_deref(), Some("me"));
    assert_eq!(config.database, PathBuf::from("/var/x.db"));
    let names: Vec<&str> = config.targets.iter().map(|t| t.username.as_str()).collect();
    assert_eq!(names, ["anna", "bob", "carl"]);

    let own = aliases()
        .variable("STORY_LIKER_TARGETS", "dora")
        .variable("STORY_LIKER_DATABASE", "/own.db")
        .variable("STORY_LIKER_ACCOUNT_USERNAME", "myself");
    let config = own.config();
    assert_eq!(config.account.username.as_deref(), Some("myself"));
    assert_eq!(config.database, PathBuf::from("/own.db"));
    assert_eq!(config.targets[0].username, "dora");
}

#[test]
fn a_variable_of_other_programs_that_contradicts_the_file_is_refused() {
    let file = "targets = [\"from_file\"]\ndatabase = \"/file.db\"\n[account]\nusername = \"me\"\n";
    let refused = |name: &str, text: &str| {
        let errors = Setup::new(file).variable(name, text).load().unwrap_err();
        errors.to_string()
    };
    for (name, own) in [
        ("IG_USERNAME", "STORY_LIKER_ACCOUNT_USERNAME"),
        ("IG_TARGET_USERNAMES", "STORY_LIKER_TARGETS"),
        ("DATABASE_URL", "STORY_LIKER_DATABASE"),
    ] {
        let said = refused(name, "/left.over");
        assert!(
            said.contains(&format!("(environment variable {name})")),
            "{said}"
        );
        assert!(said.contains(" line ") && said.contains(own), "{said}");
        assert!(!said.contains("left.over"), "{said}");
    }
    let agreeing = Setup::new(file).variable("IG_USERNAME", "me").config();
    assert_eq!(agreeing.account.username.as_deref(), Some("me"));
    let chosen = Setup::new(file)
        .variable("DATABASE_URL", "/left.over")
        .variable("STORY_LIKER_DATABASE", "/own.db");
    assert_eq!(chosen.config().database, PathBuf::from("/own.db"));
}

#[test]
fn an_account_of_its_own_is_not_logged_in_with_the_password_of_another() {
    let file = "targets = [\"anna\"]\n[account]\nusername = \"me\"\npassword_file = \"mine\"\n\
                totp_secret_file = \"mine too\"\n\
                [profile.same.posts]\nper_target = 7\n\
                [profile.other.account]\nusername = \"someone\"\n\
                [profile.third.account]\nusername = \"third\"\npassword_file = \"its own\"\n";
    let file_of = |profile: &str, key: &str| {
        let mut setup = Setup::new(file).profile(profile);
        setup.request.needs = Needs::NoSecret;
        shown(&setup.load().unwrap(), key).0
    };
    for (profile, expected) in [("default", "mine"), ("same", "mine"), ("third", "its own")] {
        let password = file_of(profile, "account.password_file");
        assert!(password.contains(expected), "{profile}: {password}");
    }
    assert!(!file_of("other", "account.password_file").contains("mine"));
    assert!(!file_of("other", "account.totp_secret_file").contains("mine"));
    assert!(!file_of("third", "account.totp_secret_file").contains("mine"));
    assert!(file_of("other", "session.relogin").contains("never"));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let setup = Setup::new("[posts]\nper_target = 5").variable("STORY_LIKER_POSTS_PER_TARGET", "");
    assert_eq!(setup.config().posts.per_target, 5);
}

#[test]
fn the_database_is_kept_where_the_service_manager_or_the_desktop_says() {
    let with = |variables: &[(&str, &str)]| {
        let environment: Environment = variables.iter().copied().collect();
        let mut request = Setup::new("").request;
        request.config_file = None;
        load(&request, &environment).unwrap().config.database
    };
    let home = ("HOME", "/home/me");
    let state = ("XDG_STATE_HOME", "/state");
    let service = ("STATE_DIRECTORY", "/var/lib/sl:/var/lib/other");
    assert_eq!(
        with(&[home]),
        PathBuf::from("/home/me/.local/state/story-liker/stories.db")
    );
    assert_eq!(
        with(&[home, state]),
        PathBuf::from("/state/story-liker/stories.db")
    );
    assert_eq!(
        with(&[home, state, service]),
        PathBuf::from("/var/lib/sl/stories.db")
    );
    let relative = ("XDG_STATE_HOME", "relative");
    assert_eq!(
        with(&[home, relative]),
        PathBuf::from("/home/me/.local/state/story-liker/stories.db")
    );
}

#[test]
fn the_configuration_of_the_service_leads_to_its_database_whoever_reads_it() {
    let system = "/etc/story-liker/config.toml";
    let setup = Setup::new("");
    let with = |file: &str, text: &str, variables: &[(&str, &str)]| {
        let environment: Environment = variables.iter().copied().collect();
        let mut raw = RawConfig::collect(&setup.request, &environment);
        let file = Arc::new(PathBuf::from(file));
        raw.add_text(&file, text);
        raw.file = Some(file);
        let loaded = resolve(raw, &setup.request, &environment).unwrap();
        loaded.config.database.display().to_string()
    };
    let home = ("HOME", "/home/me");
    let state = ("XDG_STATE_HOME", "/state");
    let service = ("STATE_DIRECTORY", "/var/lib/story-liker");
    let by_service = with(system, "", &[service]);
    assert_eq!(by_service, "/var/lib/story-liker/stories.db");
    assert_eq!(with(system, "", &[home]), by_service);
    assert_eq!(with(system, "", &[home, state]), by_service);
    let own = "database = \"/own.db\"";
    assert_eq!(with(system, own, &[home, service]), "/own.db");
    let users = with("/home/me/.config/story-liker/config.toml", "", &[home]);
    assert_eq!(users, "/home/me/.local/state/story-liker/stories.db");
}

#[test]
fn the_file_is_the_flags_then_the_variables_then_the_users() {
    let setup = Setup::new("[posts]\nper_target = 1");
    let write = |name: &str, count: u32| {
        let path = setup.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("[posts]\nper_target = {count}")).unwrap();
        path.display().to_string()
    };
    let named = write("named.toml", 2);
    write("xdg/story-liker/config.toml", 3);
    write(".config/story-liker/config.toml", 4);
    let xdg = setup.path("xdg").display().to_string();
    let home = setup.folder.path().display().to_string();
    let per_target = |config_file: Option<PathBuf>, variables: &[(&str, &str)]| {
        let request = Request {
            config_file,
            ..Request::default()
        };
        load(&request, &variables.iter().copied().collect())
            .unwrap()
            .config
            .posts
            .per_target
    };
    let (home, xdg) = (("HOME", home.as_str()), ("XDG_CONFIG_HOME", xdg.as_str()));
    let named = ("STORY_LIKER_CONFIG", named.as_str());
    let flag = setup.request.config_file.clone();
    assert_eq!(per_target(flag, &[home, xdg, named]), 1);
    assert_eq!(per_target(None, &[home, xdg, named]), 2);
    assert_eq!(per_target(None, &[home, xdg]), 3);
    assert_eq!(per_target(None, &[home]), 4);
}

#[test]
fn a_path_in_the_file_is_relative_to_the_file_and_elsewhere_to_where_we_are() {
    let setup = Setup::new("database = \"sqlite:data/s.db\"");
    assert_eq!(setup.config().database, setup.path("data/s.db"));
    let setup = Setup::new("").variable("STORY_LIKER_DATABASE", "sqlite:data/s.db");
    assert_eq!(setup.config().database, PathBuf::from("data/s.db"));
}

#[test]
fn targets_are_names_addresses_or_tables() {
    let file = r#"
        targets = [
            "@Anna", "https://www.instagram.com/Bob.B/?hl=en", "https://instagram.com/carl",
            { username = "dora", posts = false }, { username = "@emil", enabled = false },
        ]"#;
    let targets = Setup::new(file).config().targets;
    let names: Vec<&str> = targets.iter().map(|t| t.username.as_str()).collect();
    assert_eq!(names, ["anna", "bob.b", "carl", "dora", "emil"]);
    assert!(targets[0].stories && targets[0].posts && targets[0].enabled);
    assert!(targets[3].stories && !targets[3].posts);
    assert!(!targets[4].enabled);
    let tables = "[[targets]]\nusername = \"anna\"\n[[targets]]\nusername = \"bob\"\n";
    assert_eq!(Setup::new(tables).config().targets.len(), 2);
}

#[test]
fn limits_per_target_are_a_number_per_run_and_windows() {
    let limits = |text: &str| {
        let setup = Setup::new(&format!("[limits]\nlikes_per_target = {text}"));
        let limits = setup.config().limits;
        let windows = super::ceilings::list(&limits.likes_per_target);
        (limits.likes_per_target_per_run, windows)
    };
    assert_eq!(limits("[2, \"5/24h\"]"), (2, "5/24h".to_owned()));
    assert_eq!(limits("2"), (2, "8/24h".to_owned()));
    assert_eq!(limits("\"5/24h\""), (3, "5/24h".to_owned()));
    assert_eq!(limits("\"4, 6/48h\""), (4, "6/48h".to_owned()));
}

#[test]
fn a_flag_may_shorten_one_pass_below_what_its_likes_would_take() {
    let setup = Setup::new("").flag("limits.max_runtime", "--max-runtime", "5m");
    assert_eq!(setup.config().limits.max_runtime, 5 * MINUTE);
}

#[test]
fn unsafe_limits_are_taken_as_they_are_once_allowed() {
    let file = "[limits]\nallow_unsafe_limits = true\nlikes = \"1000/1h\"\nlikes_per_run = 100\n\
                max_runtime = \"2h\"\n[pace]\nbetween_likes = \"0s..0s\"\n\
                between_requests = \"0s..0s\"\nbetween_targets = \"0s..0s\"\n";
    let limits = Setup::new(file).config().limits;
    assert_eq!(super::ceilings::list(&limits.likes), "1000/1h");
    assert_eq!(limits.likes_per_run, 100);
}

#[test]
fn relogin_follows_the_password_unless_said_otherwise() {
    assert!(!Setup::new("").config().session.relogin);
    let setup = Setup::new("").variable("IG_PASSWORD", "x");
    assert!(setup.config().session.relogin);
    let setup = Setup::new("[session]\nrelogin = \"never\"").variable("IG_PASSWORD", "x");
    assert!(!setup.config().session.relogin);
}

#[test]
fn a_log_level_comes_from_the_flag_then_the_variable() {
    use log::LevelFilter;
    let environment: Environment = [("STORY_LIKER_LOG", "debug")].into_iter().collect();
    assert_eq!(environment.log_level(None), LevelFilter::Debug);
    assert_eq!(
        environment.log_level(Some(LevelFilter::Warn)),
        LevelFilter::Warn
    );
    assert_eq!(Environment::default().log_level(None), LevelFilter::Info);
}

#[cfg(unix)]
pub(super) fn chmod(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
