//! What the fuzz targets check, for values and files of the right form with anything in their places.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::fuzzing::{PLANTED, VARIABLES, config, values};
use super::*;

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0_u32..120).prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => select(vec!["", "-1", "007", "1.5", "1e9"]).prop_map(str::to_owned),
    ]
}

fn duration() -> impl Strategy<Value = String> {
    let unit = select(vec![
        "ms", "s", "m", "h", "h", "d", "d", "w", "y", " min", "M", "",
    ]);
    let part = (number(), unit).prop_map(|(number, unit)| format!("{number}{unit}"));
    prop::collection::vec(part, 1..3).prop_map(|parts| parts.concat())
}

fn joined(
    left: impl Strategy<Value = String>,
    middle: &'static str,
) -> impl Strategy<Value = String> {
    (left, duration()).prop_map(move |(left, right)| format!("{left}{middle}{right}"))
}

fn time() -> impl Strategy<Value = String> {
    (0_u8..26, 0_u8..62).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

/// A text in one of the small languages, or any.
fn text() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        3 => duration(),
        3 => joined(number(), "/"),
        3 => joined(number(), "%/"),
        2 => joined(duration(), ".."),
        2 => (time(), time()).prop_map(|(from, to)| format!("{from}-{to}")),
        1 => select(vec!["Europe/Berlin", "UTC", "true", "like", "observe", "@friend", "friend"])
            .prop_map(str::to_owned),
        1 => "[\\PC\n\r\t\u{1b}\u{7f}\"\\\\]{0,12}",
    ];
    prop::collection::vec(one, 1..4).prop_map(|parts| parts.join(", "))
}

/// A literal of any type.
fn literal() -> impl Strategy<Value = String> {
    let quoted = || text().prop_map(|text| Value::Text(text).to_string());
    prop_oneof![
        5 => quoted(),
        2 => number(),
        1 => select(vec!["true", "false", "1.5", "2026-11-20", "{ a = 1 }", "[[]]"]).prop_map(str::to_owned),
        3 => prop::collection::vec(prop_oneof![3 => quoted(), 1 => number()], 0..4)
            .prop_map(|items| format!("[{}]", items.join(", "))),
    ]
}

/// A key there is, or one that is nearly that.
fn key() -> impl Strategy<Value = String> {
    let known = || select(KEYS).prop_map(|key| key.name.to_owned());
    prop_oneof![20 => known(), 1 => known().prop_map(|key| format!("{key}s")), 1 => "[a-z.]{1,12}"]
}

/// A place for a secret that is wrong, and what stands there.
fn secret_in_a_wrong_place() -> impl Strategy<Value = String> {
    let kind = select(vec![
        "password",
        "totp",
        "secret",
        "token",
        "session_id",
        "sessionid",
    ]);
    let named = ("([a-z]{1,8}[._])?", kind, "(_[a-z]{1,4})?")
        .prop_map(|(before, kind, behind)| format!("{before}{kind}{behind} = \"{PLANTED}\""))
        .prop_filter("a key that names a file", |line| !line.contains("_file"));
    let key = select(vec!["database", "instagram.base_url"]);
    let address = (key, "[a-z]{1,10}", "[a-z0-9.%]{0,8}", "[a-z0-9.:/?=]{0,12}").prop_map(
        |(key, scheme, user, behind)| format!("{key} = \"{scheme}://{user}:{PLANTED}@{behind}\""),
    );
    let parameter = (
        select(vec!["postgres", "postgresql", "mysql", "sqlite"]),
        "[a-z/.]{1,12}",
    )
        .prop_map(|(scheme, path)| format!("database = \"{scheme}:{path}?x={PLANTED}\""));
    prop_oneof![named, address, parameter]
}

proptest! {
    #![proptest_config(few(1000))]

    #[test]
    fn what_a_value_means_reads_back_from_what_is_shown(text in text(), literal in literal()) {
        values(text.as_bytes());
        values(literal.as_bytes());
    }
}

proptest! {
    #![proptest_config(few(500))]

    #[test]
    fn a_file_of_any_values_is_sensible_and_reads_back_or_is_refused_on_single_lines(
        lines in prop::collection::vec((key(), literal()), 0..5),
        variables in prop::collection::vec((select(KEYS), text()), 0..2),
    ) {
        let mut file = String::new();
        for (key, literal) in lines {
            file.push_str(&format!("{key} = {literal}\n"));
        }
        file.push_str(VARIABLES);
        for (key, text) in variables {
            file.push_str(&format!("{}={}\n", key.variable(), text.replace('\n', " ")));
        }
        config(file.as_bytes());
    }

    #[test]
    fn a_secret_in_a_wrong_place_is_refused_and_not_shown(
        line in secret_in_a_wrong_place(),
        profile in any::<bool>(),
    ) {
        let head = if profile { "[profile.default]\n" } else { "" };
        let mistakes = Setup::new(&format!("{head}{line}\n")).mistakes();
        let debug = format!("{mistakes:?}");
        for shown in [ConfigErrors(mistakes).to_string(), debug] {
            prop_assert!(!shown.contains(PLANTED), "{}", shown);
        }
    }
}
