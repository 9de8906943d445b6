//! Rehearsals: the real pass, file and client against the practice Instagram, day after day.

#![allow(clippy::unwrap_used)]

use story_liker::config::{self, Config, Environment, Flag, Request};
use story_liker::practice::switches::{
    DateHeader, HasLiked, Ids, LostWrite, RepeatedLike, Seen, Switches,
};
use story_liker::practice::hardship::Hardship;
use story_liker::rehearse::{Plan, Rehearsal, rehearse};

fn config_with(flags: &[(&'static str, &str)]) -> Config {
    let flags = flags
        .iter()
        .chain([&("database", "/tmp/replaced.db")])
        .map(|(key, text)| Flag {
            key,
            flag: "--test",
            text: (*text).to_owned(),
        })
        .collect();
    let request = Request {
        flags,
        ..Request::default()
    };
    config::load(&request, &Environment::default())
        .unwrap()
        .config
}

fn plan(seed: u64, days: u32, hardship: Hardship) -> Plan {
    Plan::hourly(config_with(&[]), days, seed, hardship)
}

fn quiet(seed: u64, days: u32) -> Plan {
    plan(seed, days, Hardship::None)
}

fn held(plan: &Plan) -> Rehearsal {
    rehearse(plan, |_| {}, |_| {}).unwrap()
}

fn as_text(rehearsal: &Rehearsal) -> String {
    let passes: Vec<_> = rehearsal
        .passes
        .iter()
        .map(story_liker::engage::Report::to_json)
        .collect();
    serde_json::json!({ "passes": passes, "summary": rehearsal.summary }).to_string()
}

#[test]
fn the_same_seed_gives_the_same_rehearsal_byte_for_byte() {
    for hardship in [Hardship::Mild, Hardship::Hostile] {
        let troubled = |seed| as_text(&held(&plan(seed, 2, hardship)));
        assert_eq!(troubled(7), troubled(7));
        assert_ne!(troubled(7), troubled(8));
    }
}

#[test]
fn a_quiet_day_likes_most_of_what_is_offered_and_breaks_nothing() {
    let rehearsal = held(&quiet(1, 1));
    let summary = &rehearsal.summary;
    assert!(summary.promises_kept(), "{summary:#?}");
    assert_eq!(rehearsal.passes.len(), 24);
    let sum = |of: fn(&story_liker::rehearse::ItemsOf) -> u32| -> u32 {
        summary.items.iter().map(of).sum()
    };
    let (offered, liked) = (sum(|i| i.offered), sum(|i| i.liked));
    assert_eq!(offered, liked + sum(|i| i.missed) + sum(|i| i.open));
    assert!(liked * 2 > offered, "{liked} of {offered}");
    assert_eq!(summary.likes.total, liked);
    let reported: u32 = rehearsal
        .passes
        .iter()
        .map(|report| report.counts.requests())
        .sum();
    assert_eq!(
        summary.requests.total, reported,
        "reports and the server's record agree"
    );
}

#[test]
fn a_tighter_limit_is_kept_and_named_as_the_reason() {
    let mut tight = quiet(1, 2);
    tight.config = config_with(&[("limits.likes", "1/1h,3/24h")]);
    let summary = held(&tight).summary;
    assert!(summary.promises_kept(), "{summary:#?}");
    let peak = summary
        .promises
        .peaks
        .iter()
        .find(|peak| peak.limit == "3/24h")
        .unwrap();
    assert_eq!(peak.most, 3, "the limit is used as well as kept");
    assert!(
        summary
            .missed
            .iter()
            .any(|reason| reason.why.contains("limits.likes ")),
        "{summary:#?}"
    );
}

/// Under mild trouble, with every unknown of the real platform both ways.
#[test]
fn trouble_breaks_no_promise_whatever_the_platform_is_like() {
    let known = Switches::default();
    let unknowns = [
        Switches {
            repeated_like: RepeatedLike::Refused,
            ..known
        },
        Switches {
            has_liked: HasLiked::Absent,
            lost_like: LostWrite::Applied,
            ..known
        },
        Switches {
            has_liked: HasLiked::Late,
            lost_like: LostWrite::AppliedLate,
            ..known
        },
        Switches {
            seen: Seen::Ignored,
            ids: Ids::Numbers,
            ..known
        },
        Switches {
            ids: Ids::Strings,
            date: DateHeader::Off,
            ..known
        },
        Switches {
            date: DateHeader::Skewed(200),
            ..known
        },
        Switches {
            date: DateHeader::Skewed(-200),
            lost_like: LostWrite::Applied,
            ..known
        },
    ];
    for (seed, switches) in (11..).zip(unknowns) {
        let mut troubled = plan(seed, 4, Hardship::Mild);
        troubled.switches = switches;
        let rehearsal = held(&troubled);
        assert!(
            rehearsal.summary.promises_kept(),
            "{switches:?}: {:#?}",
            rehearsal.summary
        );
        assert!(rehearsal.summary.likes.total > 0, "{switches:?}");
    }
}

#[test]
fn a_clock_that_is_wrong_by_ten_minutes_sends_one_read_a_pass_and_no_like() {
    let mut wrong = quiet(1, 1);
    wrong.switches.date = DateHeader::Skewed(600);
    let rehearsal = held(&wrong);
    assert_eq!(rehearsal.summary.likes.total, 0);
    for report in &rehearsal.passes {
        assert_eq!(
            (report.counts.requests(), report.exit_code().number()),
            (1, 75)
        );
    }
}
