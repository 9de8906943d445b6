//! `examples/config.toml` is read by the real parser and shows every key at its default.

use super::*;
use crate::model::SealKey;

const EXAMPLE: &str = include_str!("../../../examples/config.toml");

/// The example with every commented-out setting switched on. Prose comments have a space after `#`.
fn uncommented() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
            setting
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_as_it_is_shipped_means_the_defaults() {
    let setup = Setup::new(EXAMPLE);
    let loaded = setup.load().unwrap_or_else(|errors| panic!("{errors}"));
    let defaults = Setup::new("").load().unwrap();
    for (shipped, default) in loaded.effective.iter().zip(&defaults.effective) {
        if !["account.username", "targets", "database"].contains(&shipped.key) {
            assert_eq!(shipped.value, default.value, "{}", shipped.key);
        }
    }
    assert!(!loaded.config.targets.is_empty());
}

#[test]
fn every_key_appears_in_the_example_and_uncommenting_it_changes_no_default() {
    let mut setup = Setup::new(&uncommented());
    let key = |byte| SealKey::new([byte; 32]).text().expose().to_owned();
    for (name, secret) in [
        ("password", "hunter2".to_owned()),
        ("totp_secret", "JBSWY3DPEHPK3PXP".to_owned()),
        ("session.key", key(1)),
        ("old-session.key", key(2)),
    ] {
        let path = setup.path(name);
        std::fs::write(&path, secret).unwrap();
        super::layers::chmod(&path, 0o600);
    }
    setup.request.profile = Some("second".parse().unwrap());
    // The one pair that cannot stand beside the default: other roots need a loopback address.
    std::fs::write(setup.path("practice-ca.pem"), "").unwrap();
    let text = std::fs::read_to_string(setup.path("config.toml")).unwrap();
    let text = text
        .replace("/etc/story-liker/", "")
        .replace(
            "ca_file = ",
            "base_url = \"https://127.0.0.1:8443\"\nca_file = ",
        )
        .replacen("base_url = \"https://i.instagram.com\"\n", "", 1);
    std::fs::write(setup.path("config.toml"), text).unwrap();
    let loaded = setup.load().unwrap_or_else(|errors| panic!("{errors}"));
    for key in KEYS {
        let (value, origin) = shown(&loaded, key.name);
        assert!(
            origin.contains("line"),
            "{} does not appear: {origin}",
            key.name
        );
        if let Some(default) = key.default
            && !["instagram.base_url", "posts.per_target"].contains(&key.name)
        {
            assert_eq!(
                value,
                Value::parse(default).unwrap().to_string(),
                "{}",
                key.name
            );
        }
    }
    assert_eq!(
        loaded.config.posts.per_target, 3,
        "the second profile has its own"
    );
}
