//! The small languages of the values, with whatever anybody types.

use std::time::Duration;

use proptest::prelude::*;

use super::super::parse;
use super::*;

proptest! {
    #[test]
    fn a_duration_reads_back_as_it_is_shown(millis in 0_u64..=200_000_000_000) {
        let span = Duration::from_millis(millis);
        let shown = Value::Text(parse::show_duration(span));
        prop_assert_eq!(parse::duration(&shown), Ok(span));
    }

    #[test]
    fn a_pause_reads_back(min in 0_u64..4000, more in 0_u64..4000) {
        let text = format!("{min}s..{}s", min + more);
        let pause = parse::pause(&Value::Text(text)).unwrap();
        prop_assert_eq!(pause.min, Duration::from_secs(min));
        prop_assert_eq!(pause.max, Duration::from_secs(min + more));
    }

    #[test]
    fn quiet_hours_read_back(from in 0_u32..1440, to in 0_u32..1440) {
        prop_assume!(from != to);
        let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let text = Value::Text(format!("{}-{}", time(from), time(to)));
        let hours = parse::quiet_hours(&text).unwrap();
        let minutes = |time: jiff::civil::Time| {
            u32::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap()
        };
        prop_assert_eq!((minutes(hours.from), minutes(hours.to)), (from, to));
    }

    #[test]
    fn every_valid_name_is_itself_however_it_is_written(name in "[a-z0-9_]{1,15}[.]?[a-z0-9_]{1,14}") {
        for text in [
            name.clone(),
            format!("@{name}"),
            name.to_uppercase(),
            format!(" {name} "),
        ] {
            prop_assert_eq!(username(&text), Ok(name.clone()));
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,40}") {
        let value = Value::Text(text.clone());
        let _ = (parse::duration(&value), parse::pause(&value), parse::quiet_hours(&value));
        let _ = (parse::limits(&value), parse::per_target(&value), parse::base_url(&value));
        let _ = (parse::database(&value), parse::time_zone(&value), parse::count(&value));
        let _ = (username(&text), value.to_string(), parse::showable("database", &value));
    }

    #[test]
    fn no_file_makes_the_reader_panic(file in "[\\PC\n]{0,120}") {
        let _ = Setup::new(&file).load();
    }

    #[test]
    fn a_text_value_is_shown_as_valid_toml(text in "[\\PC\n\"]{0,40}") {
        let shown = Value::Text(text.clone()).to_string();
        prop_assert_eq!(Value::parse(&shown), Some(Value::Text(text)));
    }

    #[test]
    fn only_loopback_addresses_are_servers(octets in any::<[u8; 4]>(), port in 1_u16..) {
        let ip = std::net::Ipv4Addr::from(octets);
        let url = Value::Text(format!("http://{ip}:{port}"));
        prop_assert_eq!(parse::base_url(&url).is_ok(), octets[0] == 127);
    }
}

#[test]
fn loopback_addresses_in_all_their_forms() {
    let parsed = |text: &str| parse::base_url(&Value::Text(text.to_owned()));
    let plain = |text: &str| Ok(BaseUrl::LoopbackPlain(text.parse().unwrap()));
    assert_eq!(parsed("http://127.0.0.1:8080"), plain("127.0.0.1:8080"));
    assert_eq!(parsed("http://127.0.0.1:8080/"), plain("127.0.0.1:8080"));
    assert_eq!(parsed("http://localhost:8080"), plain("127.0.0.1:8080"));
    assert_eq!(parsed("http://localhost"), plain("127.0.0.1:80"));
    assert_eq!(parsed("http://[::1]:8080"), plain("[::1]:8080"));
    assert_eq!(parsed("http://[::1]"), plain("[::1]:80"));
    let tls = BaseUrl::LoopbackTls("127.0.0.1:443".parse().unwrap());
    assert_eq!(parsed("https://127.0.0.1"), Ok(tls));
    assert_eq!(parsed("https://i.instagram.com"), Ok(BaseUrl::Real));
    assert_eq!(parsed("https://i.instagram.com/"), Ok(BaseUrl::Real));
}

#[test]
fn databases_in_all_their_forms() {
    let parsed = |text: &str| parse::database(&Value::Text(text.to_owned()));
    assert_eq!(parsed("sqlite:rel/x.db"), Ok(PathBuf::from("rel/x.db")));
    assert_eq!(parsed("sqlite:/abs/x.db"), Ok(PathBuf::from("/abs/x.db")));
    assert_eq!(parsed("sqlite:///abs/x.db"), Ok(PathBuf::from("/abs/x.db")));
    assert_eq!(parsed("x.db"), Ok(PathBuf::from("x.db")));
    assert_eq!(
        parsed("/abs/with:colon.db"),
        Ok(PathBuf::from("/abs/with:colon.db"))
    );
}

#[test]
fn every_default_passes_its_own_checks() {
    let loaded = Setup::new("")
        .load()
        .unwrap_or_else(|errors| panic!("{errors}"));
    for key in KEYS {
        if let Some(default) = key.default {
            let expected = Value::parse(default).unwrap().to_string();
            assert_eq!(shown(&loaded, key.name), (expected, "default".to_owned()));
        }
    }
}
