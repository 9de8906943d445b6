//! Secrets: where they come from, when they are refused, and that nobody sees them.

use super::layers::chmod;
use super::*;

use crate::model::SealKey;

const SECRET: &str = "correct-horse-hunter2";

fn secret_file(setup: &Setup, name: &str, content: &str, mode: u32) -> PathBuf {
    let path = setup.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    chmod(&path, mode);
    path
}

fn password(setup: &Setup) -> String {
    setup.config().account.password.unwrap().expose().to_owned()
}

#[test]
fn the_first_source_that_is_set_wins() {
    let mut setup = Setup::new("[account]\npassword_file = \"from_key\"");
    secret_file(&setup, "from_key", "5\n", 0o600);
    assert_eq!(password(&setup), "5");

    let folder = setup.path("credentials").display().to_string();
    secret_file(&setup, "credentials/password", "4", 0o400);
    setup = setup.variable("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(password(&setup), "4");

    setup = setup.variable("IG_PASSWORD", "3");
    assert_eq!(password(&setup), "3");

    let file = secret_file(&setup, "from_variable", "2\r\n", 0o600);
    let file = file.display().to_string();
    setup = setup.variable("STORY_LIKER_ACCOUNT_PASSWORD_FILE", &file);
    assert_eq!(password(&setup), "2");

    setup = setup.variable("STORY_LIKER_ACCOUNT_PASSWORD", "1");
    assert_eq!(password(&setup), "1");
}

#[test]
fn one_trailing_line_end_is_no_part_of_a_secret_but_spaces_are() {
    let setup = Setup::new("[account]\npassword_file = \"p\"");
    secret_file(&setup, "p", " with spaces \n", 0o600);
    assert_eq!(password(&setup), " with spaces ");
}

#[test]
fn a_secret_file_that_others_may_read_is_refused_with_the_remedy() {
    for mode in [0o604, 0o640, 0o660, 0o644, 0o601] {
        let setup = Setup::new("[account]\npassword_file = \"p\"");
        let path = secret_file(&setup, "p", SECRET, mode);
        let message = setup.only_mistake().to_string();
        let remedy = format!("chmod 600 {}", path.display());
        assert!(message.contains(&remedy), "{mode:o}: {message}");
        assert!(message.contains(&format!("{mode:o}")), "{message}");
    }
}

#[test]
fn a_credential_of_the_service_manager_may_have_any_mode() {
    let setup = Setup::new("");
    secret_file(&setup, "credentials/password", SECRET, 0o444);
    secret_file(
        &setup,
        "credentials/totp_secret",
        "jbsw y3dp ehpk 3pxp\n",
        0o444,
    );
    let folder = setup.path("credentials").display().to_string();
    let account = setup
        .variable("CREDENTIALS_DIRECTORY", &folder)
        .config()
        .account;
    assert_eq!(account.password.unwrap().expose(), SECRET);
    assert_eq!(account.totp_secret.unwrap().expose(), "jbsw y3dp ehpk 3pxp");
}

#[test]
fn a_secret_file_without_a_usable_secret_is_refused() {
    let long = "x".repeat(5000);
    for (content, word) in [
        ("", "empty"),
        ("\n", "empty"),
        ("a\nb", "more than one line"),
        (long.as_str(), "larger than 4 KiB"),
    ] {
        let setup = Setup::new("[account]\npassword_file = \"p\"");
        secret_file(&setup, "p", content, 0o600);
        let message = setup.only_mistake().to_string();
        assert!(message.contains(word), "{message}");
    }
    let missing = Setup::new("[account]\npassword_file = \"p\"");
    let message = missing.only_mistake().to_string();
    assert!(
        message.contains("no such file") && message.contains("chmod 600"),
        "{message}"
    );
}

#[test]
fn an_authenticator_secret_of_the_wrong_alphabet_is_refused_without_showing_it() {
    for text in ["123456", "JBSWY3DPEHPK3PX1", "JBSWY3DP"] {
        let setup = Setup::new("").variable("STORY_LIKER_ACCOUNT_TOTP_SECRET", text);
        let mistake = setup.only_mistake();
        assert_eq!(mistake.key, "account.totp_secret");
        assert!(!mistake.to_string().contains(text), "{mistake}");
    }
}

#[test]
fn a_refused_secret_is_not_also_called_missing() {
    let setup = Setup::new("[session]\nrelogin = \"once-a-day\"\n[account]\npassword_file = \"p\"");
    assert_eq!(setup.only_mistake().key, "account.password");
}

#[test]
fn no_message_shows_a_secret_wherever_it_was_put() {
    let in_file = [
        format!("account.password = \"{SECRET}\""),
        format!("password = \"{SECRET}\""),
        format!("account.totp_secret = \"{SECRET}\""),
        format!("[profile.default]\naccount.password = \"{SECRET}\""),
        format!("[account]\npassword = {SECRET}"),
        format!("[account]\npassword = \"{SECRET}"),
        format!("password: {SECRET}"),
        format!("sessionid = \"{SECRET}\""),
        format!("database = \"postgresql://me:{SECRET}@db/x\""),
        format!("database = \"postgresql://db/x?user=me&password={SECRET}\""),
        format!("database = \"postgres://me:{SECRET}@db/x\""),
        format!("database = \"mysql://me:{SECRET}@db/x\""),
        format!("database = \"sqlite:x.db?key={SECRET}\""),
        format!("instagram.base_url = \"http://me:{SECRET}@127.0.0.1\""),
    ];
    for file in in_file {
        let text = ConfigErrors(Setup::new(&file).mistakes()).to_string();
        assert!(!text.contains(SECRET), "{text}");
        let debug = format!("{:?}", Setup::new(&file).mistakes());
        assert!(!debug.contains(SECRET), "{debug}");
    }
    let flag = format!("postgresql://me:{SECRET}@db/x");
    let setup = Setup::new("").flag("database", "--database", &flag);
    let text = setup.only_mistake().to_string();
    assert!(
        !text.contains(SECRET) && text.contains("password inside"),
        "{text}"
    );
    assert!(text.contains("flag --database"), "{text}");
}

#[test]
fn nothing_resolved_shows_a_secret() {
    let totp = "JBSWY3DPEHPK3PXP";
    let setup = Setup::new("")
        .variable("IG_PASSWORD", SECRET)
        .variable("STORY_LIKER_ACCOUNT_TOTP_SECRET", totp);
    let loaded = setup.load().unwrap();
    for text in [
        format!("{loaded:?}"),
        serde_json::to_string(&loaded.effective).unwrap(),
    ] {
        assert!(!text.contains(SECRET) && !text.contains(totp), "{text}");
        assert!(text.contains("***"), "{text}");
    }
    assert_eq!(
        shown(&loaded, "account.password"),
        (
            "\"***\"".to_owned(),
            "environment variable IG_PASSWORD".to_owned()
        )
    );
}

fn key_text(byte: u8) -> String {
    SealKey::new([byte; 32]).text().expose().to_owned()
}

fn key_id(byte: u8) -> String {
    SealKey::new([byte; 32]).id().to_string()
}

#[test]
fn a_session_key_comes_from_where_every_secret_comes_from() {
    let present = |setup: &Setup| {
        setup
            .config()
            .session_keys
            .present
            .unwrap()
            .key
            .id()
            .to_string()
    };
    let mut setup = Setup::new("[secrets]\nkey_file = \"from_key\"");
    secret_file(&setup, "from_key", &key_text(1), 0o600);
    assert_eq!(present(&setup), key_id(1));
    secret_file(&setup, "credentials/session_key", &key_text(2), 0o440);
    let folder = setup.path("credentials").display().to_string();
    setup = setup.variable("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(present(&setup), key_id(2));
    let file = secret_file(&setup, "from_variable", &key_text(3), 0o600);
    let file = file.display().to_string();
    setup = setup.variable("STORY_LIKER_SECRETS_KEY_FILE", &file);
    assert_eq!(present(&setup), key_id(3));
    setup = setup.variable("STORY_LIKER_SECRETS_KEY", &key_text(4));
    assert_eq!(present(&setup), key_id(4));
    let loaded = setup.load().unwrap();
    let (value, origin) = shown(&loaded, "secrets.key");
    assert_eq!(value, format!("\"*** (id {})\"", key_id(4)));
    assert_eq!(origin, "environment variable STORY_LIKER_SECRETS_KEY");
    assert!(!format!("{loaded:?}").contains(&key_text(4)));
}

#[test]
fn without_a_session_key_every_place_is_named_where_one_was_looked_for() {
    let folder = "/run/credentials/story-liker.service";
    let setup = Setup::new("").variable("CREDENTIALS_DIRECTORY", folder);
    let keys = setup.config().session_keys;
    assert_eq!(keys.present, None);
    for place in [
        "STORY_LIKER_SECRETS_KEY",
        "STORY_LIKER_SECRETS_KEY_FILE",
        "/run/credentials/story-liker.service/session_key",
        "secrets.key_file",
    ] {
        assert!(keys.described().contains(place), "{}", keys.described());
    }
    let keys = Setup::new("").config().session_keys;
    assert!(
        keys.described()
            .contains("CREDENTIALS_DIRECTORY, which is not set")
    );
}

#[test]
fn what_is_no_session_key_is_refused_without_showing_it() {
    for (text, word) in [
        (SECRET.to_owned(), "no key of story-liker"),
        (key_text(1)[..40].to_owned(), "cut off"),
        (key_text(1).replace("AQ", "AR"), "checksum"),
    ] {
        let setup = Setup::new("[secrets]\nkey_file = \"k\"");
        secret_file(&setup, "k", &text, 0o600);
        let mistake = setup.only_mistake();
        assert_eq!(mistake.key, "secrets.key");
        let message = mistake.to_string();
        assert!(
            message.contains(word) && !message.contains(&text),
            "{message}"
        );
    }
    let setup = Setup::new("[secrets]\nkey_file = \"k\"");
    secret_file(&setup, "k", &key_text(1), 0o644);
    assert!(setup.only_mistake().to_string().contains("chmod 600"));
}

#[test]
fn old_session_keys_lie_beside_the_configuration_and_need_a_present_one() {
    let file = "[secrets]\nkey_file = \"new\"\nold_key_files = [\"old\", \"older\"]";
    let setup = Setup::new(file);
    secret_file(&setup, "new", &key_text(1), 0o600);
    secret_file(&setup, "old", &key_text(2), 0o600);
    secret_file(&setup, "older", &key_text(3), 0o600);
    let keys = setup.config().session_keys;
    let ids: Vec<String> = keys
        .old
        .iter()
        .map(|held| held.key.id().to_string())
        .collect();
    assert_eq!(ids, [key_id(2), key_id(3)]);
    assert!(keys.described().contains("/old)"), "{}", keys.described());

    let alone = Setup::new("secrets.old_key_files = [\"old\"]");
    secret_file(&alone, "old", &key_text(2), 0o600);
    assert!(alone.only_mistake().problem.contains("only open"));
    // A flag names one to take the seal off.
    let old = alone.path("old").display().to_string();
    let flagged = Setup::new("").flag("secrets.old_key_files", "--old-key-file", &old);
    assert_eq!(flagged.config().session_keys.old.len(), 1);
}

#[test]
fn a_command_that_opens_no_session_reads_no_key() {
    let mut setup = Setup::new("secrets.key_file = \"nowhere\"\nsecrets.old_key_files = \"no\"");
    assert_eq!(setup.mistakes().len(), 2);
    setup.request.needs = Needs::NoSecret;
    assert_eq!(
        setup.config().session_keys,
        crate::model::Keyring::default()
    );
}

#[test]
fn every_secret_of_the_table_is_kept_out_of_the_file_and_shown_as_a_key() {
    use super::super::secrets::ALL;
    for kind in ALL {
        let file = format!("{} = \"{SECRET}\"", kind.key);
        let mistake = Setup::new(&file).only_mistake().to_string();
        assert!(mistake.contains(kind.file_key), "{mistake}");
        assert!(!mistake.contains(SECRET), "{mistake}");
        assert!(KEYS.iter().any(|key| key.name == kind.file_key));
        let loaded = Setup::new("").load().unwrap();
        assert!(loaded.effective.iter().any(|entry| entry.key == kind.key));
    }
}

#[test]
fn a_rehearsal_knows_without_reading_the_password_that_a_pass_would_log_in() {
    let relogin = |file: &str, alias: &str| {
        let mut setup = Setup::new(file).variable("IG_PASSWORD", alias);
        setup.request.needs = Needs::NoSecret;
        let config = setup.config();
        assert!(config.account.password.is_none());
        config.session.relogin
    };
    assert!(!relogin("", ""));
    assert!(relogin("", SECRET));
    assert!(relogin("account.password_file = \"not-for-you\"", ""));
    assert!(relogin("session.relogin = \"once-a-day\"", ""));
    assert!(!relogin("session.relogin = \"never\"", SECRET));
}

#[test]
fn each_command_is_given_the_secrets_it_needs() {
    use super::super::secrets::ALL;
    let included = |needs: Needs| {
        let all = ALL.iter().filter(|kind| needs.include(**kind));
        all.map(|kind| kind.key).collect::<Vec<_>>()
    };
    let login = ["account.password", "account.totp_secret", "secrets.key"];
    assert_eq!(included(Needs::EverySecret).len(), ALL.len());
    assert_eq!(included(Needs::LoginSecrets), login);
    assert_eq!(included(Needs::SessionKey), login[2..]);
    assert!(included(Needs::NoSecret).is_empty());
}
