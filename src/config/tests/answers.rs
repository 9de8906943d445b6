//! `config show` and `config check`.

use super::*;
use crate::config::forecast::forecast;

#[test]
fn show_tells_every_key_with_value_and_origin() {
    let setup = Setup::new("targets = [\"anna\"]\n").variable("IG_PASSWORD", "hunter2");
    let text = show::text(&setup.load().unwrap());
    for key in KEYS {
        let line = text
            .lines()
            .find(|line| line.split(' ').next() == Some(key.name));
        let line = line.unwrap_or_else(|| panic!("{} is missing in:\n{text}", key.name));
        let origin = if key.name == "targets" {
            "config.toml line 1"
        } else {
            "default"
        };
        assert!(line.ends_with(origin), "{line}");
    }
    assert!(text.contains("***") && !text.contains("hunter2"), "{text}");
    assert!(text.contains("environment variable IG_PASSWORD"), "{text}");
}

#[test]
fn show_in_json_has_typed_values() {
    let setup = Setup::new("[stories]\nmark_seen = false").variable("IG_PASSWORD", "hunter2");
    let json = show::json(&setup.load().unwrap());
    let settings = &json["settings"];
    assert_eq!(json["profile"], "default");
    assert_eq!(settings["stories.mark_seen"]["value"], false);
    assert_eq!(settings["limits.likes_per_run"]["value"], 10);
    assert_eq!(settings["limits.likes"]["value"][0], "12/1h");
    assert_eq!(settings["limits.likes"]["origin"], "default");
    assert_eq!(settings["account.password"]["value"], "***");
    assert_eq!(settings["quiet_hours"]["value"], serde_json::Value::Null);
    assert!(!json.to_string().contains("hunter2"));
}

#[test]
fn show_tells_the_ceilings_that_were_added() {
    let text = show::text(&Setup::new("limits.likes = \"5/1h\"").load().unwrap());
    assert!(text.contains("[\"5/1h\", \"700/7d\"]"), "{text}");
}

#[test]
fn a_round_takes_as_long_as_its_pauses() {
    let round = forecast(&Setup::new("targets = [\"a\", \"b\"]").config()).round;
    assert_eq!(round.requests, 4);
    // Best: a a | b b, one change of target. Worst: a b a b, three changes.
    assert_eq!(round.shortest_secs, 5 + 20 + 5);
    assert_eq!(round.longest_secs, 3 * 60);
    assert_eq!(round.passes, 1);
    let alone = forecast(&Setup::new("targets = [\"a\"]").config()).round;
    assert_eq!((alone.shortest_secs, alone.longest_secs), (5, 12));
    let nobody = forecast(&Setup::new("").config()).round;
    assert_eq!((nobody.requests, nobody.longest_secs), (0, 0));
}

#[test]
fn more_posts_than_a_page_take_more_requests() {
    let setup = Setup::new("posts.per_target = 13\n[[targets]]\nusername = \"a\"\nstories = false");
    assert_eq!(forecast(&setup.config()).round.requests, 2);
}

#[test]
fn the_tightest_limit_is_named_first() {
    let first = |file: &str| {
        let bound = forecast(&Setup::new(file).config()).bounds.remove(0);
        (bound.key, bound.likes_per_day)
    };
    // 8 a day for one target; 300 in 7 days for many.
    assert_eq!(first("targets = [\"a\"]"), ("limits.likes_per_target", 8));
    let many = "targets = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]\n";
    assert_eq!(first(many), ("limits.likes", 43));
    let slow = format!("{many}limits.requests = [\"60/1h\", \"31/24h\"]");
    assert_eq!(first(&slow), ("limits.requests", 31));
    let passes = format!("{many}limits.likes_per_run = 1");
    assert_eq!(first(&passes), ("limits.likes_per_run", 24));
}

#[test]
fn checks_take_nothing_from_the_likes_that_are_possible() {
    let names: Vec<String> = (0..26).map(|number| format!("\"t{number}\"")).collect();
    let file = format!("targets = [{}]", names.join(","));
    let forecast = forecast(&Setup::new(&file).config());
    let requests = |bound: &&forecast::Bound| bound.key == "limits.requests";
    let least = forecast.bounds.iter().find(requests).unwrap();
    assert_eq!(least.likes_per_day, 400);
    assert_eq!(forecast.bounds[0].key, "limits.likes");
}

#[test]
fn views_bound_the_likes_only_where_every_like_is_a_storys() {
    let first = |more: &str| {
        let file = format!("limits.story_views = \"2/24h\"\n[[targets]]\nusername = \"a\"\n{more}");
        forecast(&Setup::new(&file).config()).bounds.remove(0).key
    };
    assert_eq!(first("posts = false"), "limits.story_views");
    assert_eq!(first(""), "limits.likes_per_target");
    let file = "limits.requests = \"6/24h\"\n[[targets]]\nusername = \"a\"\nposts = false";
    assert_eq!(
        forecast(&Setup::new(file).config()).bounds[0].likes_per_day,
        3
    );
}

/// What 10 targets lead to with these settings, and these quiet hours.
fn ten(settings: &str, target: &str, quiet: Option<&str>) -> forecast::Forecast {
    let mut file = format!("{settings}\n");
    if let Some(hours) = quiet {
        file += &format!("quiet_hours = \"{hours}\"\ntime_zone = \"UTC\"\n");
    }
    for number in 0..10 {
        file += &format!("[[targets]]\nusername = \"t{number}\"\n{target}\n");
    }
    forecast(&Setup::new(&file).config())
}

#[test]
fn checks_are_as_many_as_hourly_passes_make_of_them() {
    let night = Some("22:00-07:00");
    let posts = "stories = false";
    let stories = "posts = false";
    // With what 14 rehearsed days came to.
    let cases = [
        ("posts.check_every = \"24h\"", posts, night, 9), // 10
        ("stories.check_every = \"12h\"", stories, night, 15), // 15.6
        ("", "", Some("08:00-07:00"), 20),                // 17.5
        ("", "", None, 107),                              // 98
        ("posts.check_every = \"7d\"", posts, None, 1),
        ("stories.check_every = \"90m\"", stories, None, 120),
    ];
    for (settings, target, quiet, checks) in cases {
        let forecast = ten(settings, target, quiet);
        assert_eq!(
            forecast.check_requests_per_day, checks,
            "{settings} {target} {quiet:?}"
        );
    }
}

#[test]
fn quiet_hours_leave_fewer_passes_and_windows_that_fit_as_often() {
    let likes = |settings: &str, quiet: &str, key: &str| {
        let forecast = ten(settings, "", Some(quiet));
        let bound = forecast.bounds.iter().find(|bound| bound.key == key);
        bound.unwrap().likes_per_day
    };
    let run = "limits.likes_per_run";
    assert_eq!(likes("", "22:00-06:00", run), 160);
    // A pass fits into half an hour, and a window of 12 hours twice into 15 hours awake.
    assert_eq!(likes("", "08:00-07:30", run), 10);
    let twice = "limits.likes = [\"15/12h\"]";
    assert_eq!(likes(twice, "22:00-07:00", "limits.likes"), 30);
    assert_eq!(likes(twice, "19:00-07:00", "limits.likes"), 15);
}

#[test]
fn checks_beyond_the_request_limit_are_a_warning() {
    let file =
        "targets = [\"a\",\"b\",\"c\"]\nlimits.requests = \"20/24h\"\naccount.username = \"x\"";
    let forecast = forecast(&Setup::new(file).config());
    assert_eq!(forecast.warnings.len(), 1, "{:?}", forecast.warnings);
    assert!(
        forecast.warnings[0].contains("20/24h"),
        "{:?}",
        forecast.warnings
    );
}

#[test]
fn check_prints_verdict_and_forecast() {
    let loaded = Setup::new("targets = [\"anna\"]").load().unwrap();
    let text = forecast::text(&loaded, &forecast(&loaded.config));
    for words in [
        "The configuration is in order.",
        "2 requests, 5s to 12s",
        "11 for checks by hourly passes",
        "at most 8: limits.likes_per_target binds first",
        "8/24h x 1 targets",
    ] {
        assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    }
}
