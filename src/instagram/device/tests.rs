#![allow(clippy::unwrap_used)]

use super::*;

fn app() -> AppProfile {
    AppProfile {
        app_version: "449.0.0.52.84".to_owned(),
        version_code: "1079242191".to_owned(),
        bloks_version_id: "7".repeat(64),
    }
}

fn complete(json: Option<&str>) -> Result<Profile, Problem> {
    let device = json.map(|json| Device {
        json: json.to_owned(),
    });
    Profile::complete(device.as_ref(), &app(), &mut ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn a_new_device_has_the_recorded_user_agent_and_ids_of_the_right_form() {
    let profile = complete(None).unwrap();
    assert_eq!(
        profile.user_agent,
        "Instagram 449.0.0.52.84 Android (34/14; 480dpi; 1344x2992; Google/google; \
         Pixel 8 Pro; husky; husky; en_US; 1079242191)"
    );
    let digits = profile.android_id.strip_prefix("android-").unwrap();
    assert_eq!(digits.len(), 16);
    assert_eq!(profile.uuid.as_bytes()[14], b'4', "uuid version");
    assert_ne!(profile.uuid, profile.phone_id);
    assert!(
        profile
            .device()
            .json
            .contains(r#""timezone_name":"GMT-04:00""#)
    );
}

#[test]
fn a_completed_device_does_not_change_any_more() {
    let first = complete(None).unwrap().device();
    let again = Profile::complete(Some(&first), &app(), &mut ChaCha8Rng::seed_from_u64(2));
    assert_eq!(again.unwrap().device(), first);
}

#[test]
fn a_saved_user_agent_stands_even_against_the_device_settings() {
    let profile = complete(Some(
        r#"{"user_agent":"Instagram 1.2 Android (x)","device_settings":{"app_version":"3",
            "version_code":"4","bloks_versioning_id":"5"}}"#,
    ))
    .unwrap();
    assert_eq!(profile.user_agent, "Instagram 1.2 Android (x)");
    assert_eq!(profile.bloks_version_id, "5");
}

#[test]
fn another_app_version_changes_the_version_and_nothing_else_of_the_device() {
    let device = complete(None).unwrap().device();
    let newer = AppProfile {
        app_version: "500.0.0.1".to_owned(),
        version_code: "1111111111".to_owned(),
        bloks_version_id: "a".repeat(64),
    };
    let updated = with_app(&device, &newer).unwrap();
    assert!(!is_same(&device, &updated));
    let updated = complete(Some(&updated.json)).unwrap();
    assert!(
        updated
            .user_agent
            .starts_with("Instagram 500.0.0.1 Android (34/14;")
    );
    assert!(updated.user_agent.ends_with("; 1111111111)"));
    assert_eq!(updated.bloks_version_id, newer.bloks_version_id);
    let ids = |device: &Device| -> Value {
        serde_json::from_str::<Value>(&device.json).unwrap()["uuids"].take()
    };
    assert_eq!(ids(&updated.device()), ids(&device));
}

#[test]
fn a_device_is_never_given_an_older_app() {
    for (saved, becomes) in [
        ("448.9.9.99.99", "449.0.0.52.84"),
        ("99.0.0.0.0", "449.0.0.52.84"),
        ("449.0.0.52.84", "449.0.0.52.84"),
        ("449.0.0.53.1", "449.0.0.53.1"),
        ("1000.0", "1000.0"),
    ] {
        let agent = |version: &str| {
            format!("Instagram {version} Android (33/13; 420dpi; 1080x2400; a; b; c; d; en_US; 7)")
        };
        let saved_agent = json!({ "user_agent": agent(saved) }).to_string();
        let device = complete(Some(&saved_agent)).unwrap().device();
        let updated = with_app(&device, &app()).unwrap();
        let version = format!("Instagram {becomes} Android");
        let updated_agent = complete(Some(&updated.json)).unwrap().user_agent;
        assert!(
            updated_agent.starts_with(&version),
            "{saved}: {updated_agent}"
        );
        assert_eq!(
            is_same(&device, &updated),
            !updated_agent.ends_with("; 1079242191)")
        );
    }
}

#[test]
fn another_app_version_leaves_the_phone_in_a_saved_user_agent_alone() {
    let samsung = "(33/13; 420dpi; 1080x2400; samsung; SM-G991B; o1s; exynos2100; de_DE;";
    let with_settings = json!({
        "user_agent": format!("Instagram 364.0.0.35.86 Android {samsung} 374010953)"),
        "device_settings": {"model": "SM-A525F", "device": "a52q"},
    });
    let without = json!({"user_agent": with_settings["user_agent"]});
    for imported in [with_settings, without] {
        let device = complete(Some(&imported.to_string())).unwrap().device();
        let updated = with_app(&device, &app()).unwrap();
        let updated = complete(Some(&updated.json)).unwrap();
        assert_eq!(
            updated.user_agent,
            format!("Instagram 449.0.0.52.84 Android {samsung} 1079242191)")
        );
        assert_eq!(updated.bloks_version_id, app().bloks_version_id);
    }
}

#[test]
fn a_user_agent_of_another_form_gets_no_other_app_version() {
    for agent in [
        "Instagram 1.2 Android (x)",
        "Instagram 1.2 Android (33/13; 420dpi; 1080x2400; samsung; SM-G991B; o1s; exynos2100; de_DE)",
        "Instagram 1.2 Android (33/13; 420dpi; 1080x2400; samsung; SM-G991B; o1s; exynos2100; de_DE; 7; y/1)",
        "Instagram 1.2 Android (33/13; 420dpi; 1080x2400; a; samsung; SM-G991B; o1s; exynos2100; de_DE; 7)",
        "Instagram 1.2 (iPhone14,2; iOS 16_0; de_DE; de-DE; scale=3.00; 1170x2532; a; b; 7)",
        "Mozilla/5.0",
    ] {
        let device = complete(Some(&json!({"user_agent": agent}).to_string()))
            .unwrap()
            .device();
        let problem = with_app(&device, &app()).unwrap_err();
        assert!(problem.contains("`user_agent`"), "{agent}: {problem}");
    }
}

#[test]
fn a_renewed_machine_id_makes_no_other_device() {
    let mut profile = complete(None).unwrap();
    let before = profile.device();
    profile.machine_id = Some("aR0000ABAAE".to_owned());
    assert!(is_same(&before, &profile.device()));
    let again = complete(Some(&profile.device().json)).unwrap();
    assert_eq!(
        again.machine_id, profile.machine_id,
        "it outlives the session"
    );
}

#[test]
fn the_old_name_of_the_android_id_is_understood() {
    let profile = complete(Some(
        r#"{"uuids":{"device_id":"android-0123456789abcdef"}}"#,
    ))
    .unwrap();
    assert_eq!(profile.android_id, "android-0123456789abcdef");
}

#[test]
fn a_wrong_type_names_its_key_and_not_its_value() {
    for (json, key) in [
        ("[]", "not a JSON object"),
        (r#"{"uuids":"hunter2"}"#, "`uuids`"),
        (r#"{"uuids":{"uuid":7}}"#, "`uuids.uuid`"),
        (r#"{"locale":["hunter2"]}"#, "`locale`"),
        (r#"{"timezone_offset":"hunter2"}"#, "`timezone_offset`"),
        ("{\"user_agent\":\"hunter2\\r\\nX: y\"}", "`user_agent`"),
        (r#"{"device_settings":{"app_version":"1"}}"#, "version_code"),
    ] {
        let problem = complete(Some(json)).err().unwrap();
        assert!(problem.contains(key), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}
