//! Rehearsals: the real pass, file and client against the practice Instagram, day after day.

#![allow(clippy::unwrap_used)]

use story_liker::config::{self, Config, Environment, Flag, Request};
use story_liker::practice::hardship::Hardship;
use story_liker::practice::switches::{
    DateHeader, HasLiked, Ids, LostWrite, RepeatedLike, Seen, Switches,
};
use story_liker::practice::world::{Kind, World};
use story_liker::rehearse::{Plan, Rehearsal, START, pass_line, rehearse, summary_text};

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
    rehearse(plan, |_| {}, |_| Ok(())).unwrap()
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
        let first = troubled(7);
        // Not `assert_eq`: a megabyte tells nobody where the two part.
        assert!(first == troubled(7), "{hardship:?}");
        assert!(first != troubled(8), "{hardship:?}");
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

fn with_targets(targets: &str, more: &[(&'static str, &str)]) -> Config {
    let mut flags = vec![("targets", targets)];
    flags.extend_from_slice(more);
    config_with(&flags)
}

const SEVEN: &str = "anna,bert,carla.k,dora,emil,fritz,gisela";

#[test]
fn hostile_trouble_needs_a_person_and_breaks_no_promise() {
    let mut met = std::collections::BTreeSet::new();
    for seed in [1, 2] {
        let config = with_targets(
            SEVEN,
            &[
                ("quiet_hours", "23:00-07:00"),
                ("time_zone", "Europe/Berlin"),
            ],
        );
        let hostile = Plan::hourly(config, 14, seed, Hardship::Hostile);
        let summary = held(&hostile).summary;
        assert_eq!(
            summary.promises.broken(),
            Vec::<String>::new(),
            "seed {seed}"
        );
        assert!(summary.likes.total > 30, "seed {seed}: {:?}", summary.likes);
        assert!(
            summary.person.needed >= 2,
            "seed {seed}: {:?}",
            summary.person
        );
        assert!(
            summary.person.new_sessions >= 1,
            "seed {seed}: {:?}",
            summary.person
        );
        let likes = |peak: &&story_liker::rehearse::Peak| peak.limit == "12/1h";
        assert!(summary.promises.peaks.iter().any(|peak| likes(&peak)));
        met.extend(summary.holds.into_keys());
    }
    for reason in [
        "action_blocked",
        "challenge",
        "login_required",
        "throttled",
        "unavailable",
    ] {
        assert!(met.contains(reason), "{reason} in {met:?}");
    }
}

#[test]
fn a_session_that_may_log_in_again_does_so_once_a_day_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "secret").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let config = with_targets(
        "anna,bert",
        &[
            ("account.username", "me"),
            ("account.password_file", file.to_str().unwrap()),
        ],
    );
    assert!(config.session.relogin);
    let summary = held(&Plan::hourly(config, 3, 4, Hardship::Hostile)).summary;
    assert_eq!(summary.promises.broken(), Vec::<String>::new());
    assert_eq!(
        summary.requests.by_call.get("login"),
        Some(&1),
        "{:?}",
        summary.requests
    );
}

#[test]
fn the_operators_own_targets_are_rehearsed_as_they_are_configured() {
    let mut plan = Plan::hourly(with_targets(SEVEN, &[]), 3, 1, Hardship::None);
    plan.config.targets[0].posts = false;
    plan.config.targets[1].stories = false;
    plan.config.targets[2].enabled = false;
    let rehearsal = held(&plan);
    let summary = &rehearsal.summary;
    assert_eq!(summary.promises.broken(), Vec::<String>::new());
    let told: Vec<(&str, &str)> = summary
        .items
        .iter()
        .map(|items| (items.target.as_str(), items.kind))
        .collect();
    assert_eq!(
        told[..3],
        [("anna", "story"), ("bert", "post"), ("dora", "story")]
    );
    assert_eq!(told.len(), 10);
    let about = |name: &str, call: &str| {
        let mut entries = rehearsal.record.iter();
        entries.any(|entry| entry.target.as_deref() == Some(name) && entry.act.name() == call)
    };
    assert!(about("anna", "stories") && !about("anna", "posts"));
    assert!(!about("bert", "stories") && about("bert", "posts"));
    assert!(!about("carla.k", "user_lookup"));
}

#[test]
fn a_limit_that_binds_is_named_with_its_days() {
    let config = with_targets(SEVEN, &[("limits.likes", "2/1h,5/24h")]);
    let summary = held(&Plan::hourly(config, 4, 1, Hardship::None)).summary;
    let setting = "limits.likes 5/24h";
    assert_eq!(summary.binding.as_deref(), Some(setting));
    let bound = &summary.bounds[0];
    assert_eq!((bound.what.as_str(), bound.first_day), (setting, Some(1)));
    assert!(bound.items_missed > 0 && bound.items_kept_waiting >= bound.items_missed);
    let full = bound.full.as_ref().unwrap();
    assert_eq!((full.days, full.first_day), (4, 1));
    assert!(
        (12 * 60..=24 * 60).contains(&full.minutes_a_day),
        "{full:?}"
    );
    assert_eq!(summary.missed[0].why, setting);
    let missed: u32 = summary.items.iter().map(|items| items.missed).sum();
    let explained: u32 = summary.missed.iter().map(|reason| reason.items).sum();
    assert_eq!(missed, explained, "every miss has its reason");
    assert_eq!(
        summary.likes.by_hour.iter().sum::<u32>(),
        summary.likes.total
    );
}

#[test]
fn a_cap_per_pass_does_not_bind_where_the_days_likes_are_used_up() {
    let names: Vec<String> = (0..40).map(|number| format!("target{number:02}")).collect();
    let summary = |likes: &str, cap: &str, days| {
        let more = [("limits.likes", likes), ("limits.likes_per_run", cap)];
        let config = with_targets(&names.join(","), &more);
        held(&Plan::hourly(config, days, 1, Hardship::None)).summary
    };
    let day = Some("limits.likes 20/24h");
    let slow = summary("12/1h,20/24h", "1", 1);
    assert_eq!(slow.bounds[0].what, "limits.likes_per_run 1");
    assert_eq!((slow.binding.as_deref(), slow.likes.total), (day, 20));
    assert_eq!(summary("12/1h,20/24h", "2", 1).likes.total, 20);
    // Each item waits in more passes that the cap ended.
    let two_days = summary("12/1h,20/24h", "1", 2);
    assert!(
        two_days
            .missed
            .iter()
            .any(|missed| Some(missed.why.as_str()) == day)
    );
    let more = summary("12/1h,150/24h", "1", 1);
    assert_eq!(more.binding.as_deref(), Some("limits.likes_per_run 1"));
}

#[test]
fn passes_in_quiet_hours_have_no_line() {
    let config = config_with(&[("quiet_hours", "08:00-07:00"), ("time_zone", "UTC")]);
    let rehearsal = held(&Plan::hourly(config, 2, 1, Hardship::None));
    let lines: Vec<String> = rehearsal.passes.iter().filter_map(pass_line).collect();
    assert_eq!((rehearsal.passes.len(), lines.len()), (48, 2), "{lines:#?}");
}

#[test]
fn names_are_told_in_full_on_a_terminal_as_narrow_as_it_may_be() {
    let names = [
        "sandbox.friend.of.many.years",
        "sandbox.friend.of.many.days",
    ];
    let config = with_targets(&names.join(","), &[]);
    let summary = held(&Plan::hourly(config, 1, 1, Hardship::None)).summary;
    let text = summary_text(&summary, 20);
    for name in names {
        assert!(
            text.contains(&format!("\n{name} ")),
            "{name} is cut in:\n{text}"
        );
    }
}

#[test]
fn a_warm_up_that_binds_is_named_and_judged_by_what_it_leaves_of_the_limits() {
    let warm = |hardship| {
        let config = with_targets(SEVEN, &[("limits.warm_up", "25%/3d,50%/7d")]);
        let summary = held(&Plan::hourly(config, 10, 1, hardship)).summary;
        assert_eq!(summary.promises.broken(), Vec::<String>::new());
        summary
    };
    let summary = warm(Hardship::None);
    let bound = |what: &str| summary.bounds.iter().find(|bound| bound.what == what);
    let (first, second) = (
        bound("limits.warm_up 25%/3d").unwrap(),
        bound("limits.warm_up 50%/7d").unwrap(),
    );
    let days = |bound: &story_liker::rehearse::Bound| {
        let full = bound.full.as_ref().unwrap();
        (bound.first_day, full.first_day, full.days)
    };
    assert_eq!(days(first), (Some(1), 1, 4), "{:#?}", summary.bounds);
    assert_eq!(days(second), (Some(4), 4, 5), "{:#?}", summary.bounds);
    assert!(first.is_setting() && first.items_kept_waiting > 0);
    let others = summary.bounds.iter().filter(|bound| {
        let of_likes = bound.what.starts_with("limits.likes");
        of_likes && bound.first_day.is_some_and(|day| day < 8)
    });
    assert_eq!(others.count(), 0, "{:#?}", summary.bounds);
    let used = |limit: &str| {
        let mut peaks = summary.promises.peaks.iter();
        let peak = peaks.find(|peak| peak.limit == limit).unwrap();
        (peak.most, peak.in_force)
    };
    assert_eq!(used("12/1h"), (3, 3), "{:#?}", summary.promises.peaks);
    warm(Hardship::Hostile);
}

#[test]
fn longer_checks_cost_fewer_requests_for_each_like() {
    let of = |every: &[(&'static str, &str)]| {
        let summary = held(&Plan::hourly(
            with_targets("anna,bert,dora", every),
            4,
            1,
            Hardship::None,
        ));
        summary.summary.requests
    };
    let often = of(&[]);
    let rarely = of(&[("stories.check_every", "8h"), ("posts.check_every", "1d")]);
    assert!(rarely.per_liked_item < often.per_liked_item);
    assert!(rarely.listings_without_news < often.listings_without_news);
    assert!(often.listings_without_news < often.listings);
}

#[test]
fn the_people_of_a_seed_differ_in_their_habits() {
    let names: Vec<String> = (0..40).map(|number| format!("friend{number}")).collect();
    let world = World::of_people(1, START.as_millis(), &names, 3600);
    let start_s = START.as_secs();
    let stories = |pk: u64, day: i64| {
        let from = start_s + day * 86_400;
        world.published(pk, Kind::Story, from, from + 86_399)
    };
    let mut busiest = 0;
    let mut monthly = Vec::new();
    let mut hours = [0_u32; 24];
    for user in world.users() {
        let days: Vec<_> = (0..30).map(|day| stories(user.pk, day)).collect();
        busiest = busiest.max(days.iter().map(Vec::len).max().unwrap());
        monthly.push(days.iter().map(Vec::len).sum::<usize>());
        for item in days.iter().flatten() {
            hours[usize::try_from((item.taken_at + 3600).rem_euclid(86_400) / 3600).unwrap()] += 1;
        }
    }
    assert!(busiest >= 30, "{busiest}");
    assert!(monthly.iter().min().unwrap() < &20, "{monthly:?}");
    assert!(monthly.iter().max().unwrap() > &200, "{monthly:?}");
    let sum = |hours: &[u32]| hours.iter().sum::<u32>();
    assert!(sum(&hours[..6]) * 8 < sum(&hours[8..22]), "{hours:?}");
    let others = World::of_people(1, START.as_millis(), &names[5..6], 3600);
    assert_eq!(others.users()[0].rhythm, world.users()[5].rhythm);
}
