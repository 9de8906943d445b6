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
    assert_eq!(first(many), ("limits.likes", 42));
    let slow = format!("{many}limits.requests = [\"60/1h\", \"130/24h\"]");
    // 8 targets x (12 + 3) checks = 120; 10 are left, 2 for each story.
    assert_eq!(first(&slow), ("limits.requests", 5));
}

#[test]
fn quiet_hours_leave_less_time() {
    let file = "targets = [\"a\"]\nquiet_hours = \"22:00-06:00\"\ntime_zone = \"UTC\"";
    let forecast = forecast(&Setup::new(file).config());
    assert_eq!(forecast.check_requests_per_day, 8 + 2);
    let hourly = forecast
        .bounds
        .iter()
        .find(|b| b.key == "limits.likes_per_run")
        .unwrap();
    assert_eq!(hourly.likes_per_day, 160);
}

#[test]
fn checks_beyond_the_request_limit_are_a_warning() {
    let file =
        "targets = [\"a\",\"b\",\"c\"]\nlimits.requests = \"20/24h\"\naccount.username = \"x\"";
    let forecast = forecast(&Setup::new(file).config());
    assert_eq!(forecast.bounds[0].likes_per_day, 0);
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
        "15 for checks",
        "at most 8: limits.likes_per_target binds first",
        "8/24h x 1 targets",
    ] {
        assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    }
}
