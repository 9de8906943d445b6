//! `explain`: why one item was, was not or will be liked; always an answer, never a change.

use std::fs;

use serde_json::Value;
use story_liker::practice::Wire;
use story_liker::practice::clock::{PracticeClock as _, WallClock};

use crate::home::{FRIEND, Home, ended, signal, until};

fn explain(home: &Home, item: &str) -> Value {
    home.run(["explain", item, "--json"]).expect(0).report()
}

/// An item of the ledger in this state, as it is logged.
fn item_in(home: &Home, table: &str, state: &str) -> String {
    let query = format!(
        "SELECT media_pk || '_' || owner_pk FROM {table} WHERE state = '{state}' ORDER BY media_pk"
    );
    let row = home.sql().query_row(&query, [], |row| row.get(0));
    row.unwrap_or_else(|error| panic!("no {table} is {state}: {error}"))
}

#[test]
fn a_window_that_outlasts_a_story_is_named_and_that_its_life_ends_first() {
    let mut home = Home::new();
    home.set("limits.likes", "[\"2/3d\"]");
    home.import();
    home.run(["run"]).expect(0);
    let waiting = item_in(&home, "story", "new");
    let told = explain(&home, &waiting);
    let forecast = &told["forecast"];
    assert_eq!(forecast["binding"]["limit"], "2/3d");
    assert_eq!(forecast["life_ends_first_at"], told["item"]["expiring_at"]);
    home.run(["explain", &waiting]).expect(0).saying(&[
        "no pass will like it as things stand: limits.likes 2/3d is full",
        "; its life ends first, at ",
    ]);
}

#[test]
fn explain_answers_from_the_ledger_alone_and_changes_no_byte_of_it() {
    let mut home = Home::new();
    home.set("limits.likes", "[\"2/1h\", \"60/24h\"]");
    home.import();
    home.run(["run"]).expect(0);
    let waiting = item_in(&home, "story", "new");
    let liked = item_in(&home, "story", "liked");
    let content = fs::read(home.database()).unwrap();
    let requests = home.calls().len();

    let told = explain(&home, &waiting);
    assert_eq!(told["reason"]["code"], "window_full");
    assert_eq!(told["reason"]["key"], "limits.likes");
    assert_eq!(told["reason"]["used"], 2);
    assert_eq!(told["forecast"]["binding"]["limit"], "2/1h");
    assert_eq!(told["forecast"]["at"], told["reason"]["next_at"]);
    assert_eq!(told["target"]["username"], FRIEND);
    assert_eq!(told["history"], Value::Array(Vec::new()));
    home.run(["explain", &waiting]).expect(0).saying(&[
        "the next pass at or after",
        "binding: limits.likes 2/1h",
        "2/1h: 2 used, 0 free; room again at",
        "nothing was sent about it",
    ]);

    let told = explain(&home, &liked);
    assert_eq!(told["reason"]["code"], "liked");
    assert_eq!(told["forecast"], Value::Null);
    let history = told["history"].as_array().unwrap();
    let kinds: Vec<_> = history.iter().map(|attempt| &attempt["kind"]).collect();
    assert_eq!(kinds, ["story_view", "like"]);
    assert!(history.iter().all(|attempt| attempt["outcome"] == "ok"));
    assert!(
        history
            .iter()
            .all(|attempt| attempt["run_started_at"].is_string())
    );
    // Its pk alone and the address of a story name it as well.
    let pk = liked.split('_').next().unwrap();
    let address = format!("https://www.instagram.com/stories/{FRIEND}/{pk}/");
    for name in [pk, address.as_str()] {
        assert_eq!(explain(&home, name)["item"]["id"], liked.as_str());
    }

    assert_eq!(
        fs::read(home.database()).unwrap(),
        content,
        "nothing was written"
    );
    assert_eq!(home.calls().len(), requests, "nothing was sent");
}

#[test]
fn the_keys_of_an_explanation_are_these() {
    let mut home = Home::new();
    home.set("limits.likes", "\"2/1h\"");
    home.import();
    home.run(["run"]).expect(0);
    let told = explain(&home, &item_in(&home, "story", "new"));
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let expected = "profile database at known item target history reason why forecast windows \
                    likes_per_run likes_per_target_per_run halved_until warm_up \
                    quiet_until holds_in_force";
    assert_eq!(keys(&told).join(" "), expected);
    let expected = "id kind code taken_at expiring_at first_seen_at state tries viewed_at \
                    like_arrived_by read_back_from unliked_read_at";
    assert_eq!(keys(&told["item"]).join(" "), expected);
    let expected = "now at binding life_ends_first_at passes_before needs_reading";
    assert_eq!(keys(&told["forecast"]).join(" "), expected);
}

#[test]
fn explain_answers_while_a_pass_runs_and_under_a_hold() {
    let mut home = Home::new();
    let far = (WallClock.now_ms() / 3_600_000 + 12) % 24;
    home.set("limits.likes", "\"1/1h\"");
    home.set("quiet_hours", &format!("\"{far:02}:00-{far:02}:01\""))
        .set("time_zone", "\"Europe/Berlin\"");
    home.import();
    home.run(["run"]).expect(0);
    let waiting = item_in(&home, "story", "new");

    home.set("pace.between_requests", "\"10m..10m\"")
        .set("limits.max_runtime", "\"6h\"")
        .set("limits.likes", "\"50/1h\"");
    let pass = home.start(["run"]);
    until("the pass has begun", || {
        home.number("SELECT count(*) FROM run WHERE ended_at IS NULL") == 1
    });
    assert_eq!(explain(&home, &waiting)["reason"]["code"], "would_like");
    // Moments stand in the configured zone beside UTC.
    let text = home.run(["explain", &waiting]).expect(0);
    assert!(
        text.stdout.contains(" CET (") || text.stdout.contains(" CEST ("),
        "{text}"
    );
    signal(&pass, "TERM");
    ended(pass).expect(0);

    home.set("pace.between_requests", "\"0s..0s\"");
    home.arm("any", "error_feedback_required_limit");
    home.run(["run", "--check-all"]).expect(75);
    let told = explain(&home, &waiting);
    assert_eq!(told["reason"]["code"], "hold");
    assert_eq!(told["reason"]["hold"], "action_blocked");
    assert_eq!(told["holds_in_force"][0]["until"], told["reason"]["until"]);
    assert!(told["halved_until"].is_string());
}

#[test]
fn an_item_that_nobody_listed_is_not_known_and_a_pruned_one_has_its_history() {
    let home = Home::logged_in();
    home.run(["run"]).expect(0);
    let unknown = home.run(["explain", "4028209379393181455"]).expect(64);
    unknown.saying(&[
        "nothing is known of item",
        "'default'",
        "stories.db",
        "400 days",
    ]);
    let unknown = home
        .run(["explain", "4028209379393181455", "--json"])
        .expect(64);
    assert_eq!(unknown.report()["known"], false);
    home.run(["explain", "what is this"])
        .expect(64)
        .saying(&["its short code or its address"]);

    let liked = item_in(&home, "story", "liked");
    home.sql().execute("DELETE FROM story", []).unwrap();
    let pruned = home.run(["explain", &liked]).expect(0);
    pruned.saying(&["has left", "is kept for", "like "]);
}

#[test]
fn a_dry_run_gives_each_decision_its_code() {
    let mut home = Home::logged_in();
    home.set("limits.likes", "\"1/1h\"");
    let report = home.run(["run", "--dry-run", "--json"]).expect(0).report();
    let decisions = report["decisions"].as_array().unwrap();
    let codes: Vec<_> = decisions
        .iter()
        .map(|one| one["reason"]["code"].as_str())
        .collect();
    assert!(codes.contains(&Some("would_like")), "{report}");
    assert!(codes.contains(&Some("window_full")), "{report}");
}

/// Moments and long numbers differ from run to run.
fn without_moments(text: &str) -> Vec<String> {
    let moment = |word: &str| {
        let parts: Vec<_> = word.split([':', '-', 'T']).collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = word.trim_matches(['(', ')', ';', ',', 'Z']);
        parts.len() >= 3 && whole.split([':', '-', 'T']).all(|part| digits(&part))
    };
    let long = |word: &str| word.bytes().filter(u8::is_ascii_digit).count() > 7;
    let line = |line: &str| {
        let words = line.split(' ').map(|word| match word {
            "CET" | "CEST" => "ZONE",
            word if moment(word) => "MOMENT",
            word if long(word) => "NUMBER",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect()
}

#[test]
fn an_explanation_is_what_readme_shows() {
    let mut home = Home::on(Wire::Plain, 14, 0);
    home.unset("limits.requests")
        .unset("limits.story_views")
        .unset("limits.likes")
        .set("limits.likes_per_run", "12")
        .set("limits.likes_per_target", "[12, \"16/24h\"]")
        .set("time_zone", "\"Europe/Berlin\"");
    home.import();
    home.run(["run"]).expect(0);
    let waiting = item_in(&home, "story", "new");
    let target = &explain(&home, &waiting)["target"];
    let at = |key: &str| -> jiff::Timestamp { target[key].as_str().unwrap().parse().unwrap() };
    let wait = at("next_check_at").duration_since(at("checked_at"));
    assert_eq!(
        wait.as_hours(),
        2,
        "posts were never listed, stories just now"
    );
    let told = home.run(["explain", &waiting]);
    let readme = fs::read_to_string("README.md").unwrap();
    let mut shown = readme.split("```console\n").skip(1);
    let shown = shown.find(|block| block.starts_with("story ")).unwrap();
    let shown = shown.split("```").next().unwrap();
    let told = told.expect(0).stdout;
    assert_eq!(
        without_moments(&told),
        without_moments(shown),
        "explain now prints\n{told}"
    );
}

#[test]
fn how_long_a_hold_without_an_end_lasts_is_told_alike_by_explain_and_status() {
    for (reply, hold, lasts) in [
        (
            "error_login_required",
            "login_required",
            "until there is a new session",
        ),
        (
            "error_challenge_required",
            "challenge",
            "until a person clears it",
        ),
    ] {
        let mut home = Home::new();
        home.set("limits.likes", "\"1/1h\"");
        home.import();
        home.run(["run"]).expect(0);
        let waiting = item_in(&home, "story", "new");
        home.set("limits.likes", "\"50/1h\"");
        home.arm("any", reply);
        home.run(["run", "--check-all"]).expect(77);
        for (arguments, begins) in [
            (&["explain", &waiting][..], format!("hold '{hold}' since")),
            (&["status"], format!("hold      '{hold}' since")),
        ] {
            let text = home.run(arguments).expect(0).stdout;
            let line = text.lines().find(|line| line.starts_with(&begins));
            assert!(line.is_some_and(|line| line.contains(lasts)), "{text}");
        }
    }
}
