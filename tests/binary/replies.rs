//! Answers that are none: cut off, too large, of the wrong kind, or missing. Whatever comes back, a
//! like is sent once, counts, and is not sent again before a later reading.

use std::net::TcpListener;

use crate::home::Home;
use story_liker::practice::Wire;

/// What comes instead of an answer, and the exit code of the pass that meets it.
const TO_A_LIKE: [(&str, i32); 10] = [
    ("truncated", 69),
    ("drop", 69),
    ("drop_applied", 69),
    ("stall", 69),
    ("oversized", 76),
    ("gzip_bomb", 76),
    ("non_utf8", 76),
    ("redirect", 76),
    ("error_200_empty_body", 76),
    ("error_200_html_login_page", 76),
];

#[test]
fn a_like_without_an_answer_is_not_sent_again() {
    like_without_an_answer(Wire::Plain);
}

#[test]
fn a_like_without_an_answer_over_http_2_is_not_sent_again() {
    like_without_an_answer(Wire::Tls);
}

fn like_without_an_answer(wire: Wire) {
    for (reply, code) in TO_A_LIKE {
        let mut home = Home::on(wire, 1, 1);
        if reply == "stall" {
            home.impatient();
        }
        home.import();
        home.arm("like", reply);
        let met = home.run(["run"]);
        home.patient();
        assert_eq!(met.code(), code, "{reply}: {met}");
        assert_eq!(met.report()["exit"]["code"], code);
        let sent = home.likes();
        assert_eq!(sent.len(), 1, "{reply}");
        let unknown = "SELECT count(*) FROM attempt WHERE kind = 'like' AND outcome = 'unknown'";
        assert_eq!(home.number(unknown), 1, "{reply}: {met}");
        home.run(["resume", "--force"]).expect(0);
        home.run(["run", "--check-all"]).expect(0);
        assert_eq!(home.likes().len(), 2, "{reply}: the other gets its own");
        home.assert_flawless();
    }
}

/// As if everything so far had happened this much earlier.
fn a_quarter_of_an_hour_later(home: &Home) {
    let earlier = "UPDATE attempt SET claimed_at = claimed_at - 1000000,
                                      settled_at = settled_at - 1000000;
                   UPDATE story SET claimed_at = claimed_at - 1000000,
                                    unliked_read_at = unliked_read_at - 1000000";
    home.sql().execute_batch(earlier).unwrap();
}

fn in_state(home: &Home, state: &str) -> i64 {
    home.number(&format!(
        "SELECT count(*) FROM story WHERE state = '{state}'"
    ))
}

#[test]
fn a_like_that_took_effect_without_an_answer_is_found_by_the_next_reading() {
    let home = Home::on(Wire::Tls, 1, 0);
    home.import();
    home.arm("like", "drop_applied");
    home.run(["run"]).expect(69);
    assert_eq!(in_state(&home, "unknown"), 1);
    home.run(["run", "--check-all"]).expect(0);
    assert_eq!(in_state(&home, "liked"), 1);
    home.assert_flawless();
}

#[test]
fn a_like_that_was_lost_gets_one_more_after_a_quarter_of_an_hour_and_never_a_third() {
    let home = Home::on(Wire::Tls, 1, 0);
    home.import();
    for likes in [1, 2] {
        home.arm("like", "drop");
        home.run(["run", "--check-all"]).expect(69);
        assert_eq!(home.likes().len(), likes);
        home.run(["run", "--check-all"]).expect(0);
        assert_eq!(home.likes().len(), likes, "not before a quarter of an hour");
        a_quarter_of_an_hour_later(&home);
    }
    home.run(["run", "--check-all"]).expect(0);
    a_quarter_of_an_hour_later(&home);
    home.run(["run", "--check-all"]).expect(0);
    assert_eq!(home.likes().len(), 2);
    assert_eq!(in_state(&home, "failed"), 1);
}

#[test]
fn a_reading_without_an_answer_is_asked_again_only_after_a_broken_connection() {
    let to_a_reading = [
        ("truncated", 0, 2),
        ("drop", 0, 2),
        ("stall", 69, 1),
        ("oversized", 76, 1),
        ("gzip_bomb", 76, 1),
        ("non_utf8", 76, 1),
        ("redirect", 76, 1),
        ("error_200_empty_body", 76, 1),
        ("error_200_html_login_page", 76, 1),
        ("error_500_json", 69, 1),
        ("error_503_html", 69, 1),
        ("error_429_empty", 75, 1),
    ];
    for (reply, code, times) in to_a_reading {
        let mut home = Home::logged_in();
        if reply == "stall" {
            home.impatient();
        }
        home.arm("stories", reply);
        let ended = home.run(["run"]);
        assert_eq!(ended.code(), code, "{reply}: {ended}");
        let asked = home
            .calls()
            .iter()
            .filter(|call| **call == "stories")
            .count();
        assert_eq!(asked, times, "{reply}");
        let on_record = "SELECT count(*) FROM attempt WHERE call = 'stories'";
        assert_eq!(home.number(on_record), i64::try_from(times).unwrap());
        home.assert_flawless();
    }
}

#[test]
fn a_connection_that_breaks_twice_ends_the_pass() {
    let home = Home::logged_in();
    home.arm("stories", "drop");
    home.arm("stories", "drop");
    home.run(["run"]).expect(69);
    let asked = home
        .calls()
        .iter()
        .filter(|call| **call == "stories")
        .count();
    assert_eq!(asked, 2);
}

#[test]
fn a_server_that_accepts_and_says_nothing_costs_one_time_out() {
    let mut home = Home::logged_in();
    home.impatient();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    for scheme in ["http", "https"] {
        home.set("instagram.base_url", &format!("\"{scheme}://{address}\""));
        let report = home.run(["run"]).expect(69).report();
        assert_eq!(report["stop"]["name"], "unavailable", "{report}");
    }
}

#[test]
fn the_third_pass_in_a_row_without_an_answer_brings_a_hold() {
    let home = Home::logged_in();
    for _ in 0..3 {
        assert_eq!(home.number("SELECT count(*) FROM hold"), 0);
        home.arm("read", "error_503_html");
        home.run(["run"]).expect(69);
    }
    let asked = home.calls().len();
    home.run(["run"]).expect(75).saying(&["unavailable"]);
    assert_eq!(home.calls().len(), asked);
}
