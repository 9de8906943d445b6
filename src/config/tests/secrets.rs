//! Secrets: where they come from, when they are refused, and that nobody sees them.

use super::layers::chmod;
use super::*;

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
