#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn recorded(name: &str) -> Object {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn object(value: Value) -> Object {
    serde_json::from_value(value).unwrap()
}

fn pk(text: &str) -> Pk {
    text.parse().unwrap()
}

fn friend() -> Pk {
    pk("72000000002")
}

#[test]
fn recorded_stories_are_read_in_full() {
    let listing = stories(&recorded("feed_user_story_ok"), friend()).unwrap();
    assert_eq!(listing.unreadable, 0);
    assert_eq!(listing.owner_name.as_deref(), Some("sandbox.friend"));
    let liked: Vec<_> = listing.items.iter().map(|item| item.has_liked).collect();
    assert_eq!(liked, [Some(true), Some(false), Some(false)]);
    let first = &listing.items[0];
    assert_eq!(first.id.to_string(), "4034671962997715712_72000000002");
    assert_eq!(first.code.as_deref(), Some("Df-CMYTtPMA"));
    assert_eq!(first.taken_at, Timestamp::from_secs(1_795_190_400));
    assert_eq!(first.expiring_at, Some(Timestamp::from_secs(1_795_276_800)));
}

#[test]
fn a_sparse_story_says_nothing_about_likes() {
    let listing = stories(&recorded("feed_user_story_sparse"), friend()).unwrap();
    assert_eq!(listing.items.len(), 2);
    assert!(listing.items.iter().all(|item| item.has_liked.is_none()));
}

#[test]
fn nothing_to_see_has_three_forms() {
    for reply in [
        recorded("feed_user_story_empty"),
        recorded("feed_user_story_empty_items"),
        object(json!({"status": "ok"})),
    ] {
        let listing = stories(&reply, friend()).unwrap();
        assert_eq!((listing.items.len(), listing.unreadable), (0, 0));
    }
}

#[test]
fn recorded_posts_are_read_page_by_page() {
    let first = posts(&recorded("feed_user_page1"), friend()).unwrap();
    assert_eq!(first.items.len(), 33);
    assert_eq!(
        first.next_page.as_deref(),
        Some("3958630909201035280_72000000002")
    );
    let pinned: Vec<_> = first.items.iter().filter(|item| item.pinned).collect();
    assert_eq!(pinned[0].id.media, pk("4028209379393181455"));
    let second = posts(&recorded("feed_user_page2"), friend()).unwrap();
    assert_eq!((second.items.len(), second.next_page), (12, None));
    assert_eq!(second.items[0].id.media, pk("3956456582005756609"));
    let empty = posts(&recorded("feed_user_empty"), friend()).unwrap();
    assert_eq!((empty.items.len(), empty.next_page), (0, None));
}

#[test]
fn the_list_ends_at_any_sign_of_its_end() {
    let end = |cursor: Value, more: Value| {
        let reply = json!({"items": [], "next_max_id": cursor, "more_available": more});
        posts(&object(reply), friend()).unwrap().next_page
    };
    assert_eq!(end(json!("1_2"), json!(true)).as_deref(), Some("1_2"));
    assert_eq!(end(json!(12), json!(null)).as_deref(), Some("12"));
    assert_eq!(end(json!("1_2"), json!(false)), None);
    assert_eq!(end(json!(""), json!(true)), None);
    assert_eq!(end(json!(null), json!(true)), None);
}

#[test]
fn a_co_authored_post_keeps_its_authors_id_and_is_pinned_on_the_profile_only() {
    let value = json!({"pk": 5, "id": "5_99", "taken_at": 7, "user": {"pk": 99},
        "timeline_pinned_user_ids": ["72000000002"]});
    let found = item(&value, ItemKind::Post, friend()).unwrap();
    assert_eq!(found.id.to_string(), "5_99");
    assert!(found.pinned);
    assert!(!item(&value, ItemKind::Post, pk("99")).unwrap().pinned);
}

#[test]
fn a_post_of_somebody_else_does_not_name_the_owner() {
    let reply = json!({"items": [
        {"id": "5_99", "taken_at": 7, "user": {"pk": 99, "username": "other"}},
        {"id": "6_72000000002", "taken_at": 7, "user": {"pk": 72_000_000_002_u64, "username": "New.Name"}},
    ]});
    let listing = posts(&object(reply), friend()).unwrap();
    assert_eq!(listing.owner_name.as_deref(), Some("new.name"));
}

#[test]
fn a_story_without_an_end_lives_for_a_day() {
    let value = json!({"id": "5_7", "taken_at": "1000"});
    let found = item(&value, ItemKind::Story, friend()).unwrap();
    assert_eq!(found.expiring_at, Some(Timestamp::from_secs(1000 + 86_400)));
    assert_eq!(
        item(&value, ItemKind::Post, friend()).unwrap().expiring_at,
        None
    );
}

#[test]
fn device_time_is_in_microseconds() {
    let value = json!({"id": "5_7", "device_timestamp": 1_795_190_400_000_000_i64});
    let found = item(&value, ItemKind::Story, friend()).unwrap();
    assert_eq!(found.taken_at, Timestamp::from_secs(1_795_190_400));
}

#[test]
fn a_liked_flag_that_is_no_flag_says_nothing() {
    for flag in [json!(null), json!("true"), json!(1)] {
        let value = json!({"id": "5_7", "taken_at": 1, "has_liked": flag});
        assert_eq!(
            item(&value, ItemKind::Post, friend()).unwrap().has_liked,
            None
        );
    }
}

#[test]
fn an_unreadable_item_is_counted_and_the_others_stay() {
    let good = json!({"id": "5_7", "taken_at": 1});
    for bad in [
        json!(null),
        json!(7),
        json!({}),
        json!({"id": "5_7"}),
        json!({"taken_at": 1}),
        json!({"id": "5.0_7", "taken_at": 1}),
        json!({"pk": 5.5, "taken_at": 1}),
        json!({"pk": -5, "taken_at": 1}),
        json!({"pk": 4e18, "taken_at": 1}),
    ] {
        let reply = object(json!({"items": [bad.clone(), good]}));
        let listing = posts(&reply, friend()).unwrap();
        assert_eq!((listing.items.len(), listing.unreadable), (1, 1), "{bad}");
        let reply = object(json!({ "items": [bad] }));
        assert!(posts(&reply, friend()).is_err(), "nothing readable at all");
    }
}

#[test]
fn a_listing_that_is_none_is_a_change_of_the_api() {
    for reply in [
        json!({}),
        json!({"items": null}),
        json!({"items": {"0": {}}}),
    ] {
        assert_eq!(posts(&object(reply), friend()), Err("items"));
    }
    for reel in [json!({}), json!({"items": "none"}), json!({"items": null})] {
        let reply = object(json!({ "reel": reel }));
        assert_eq!(stories(&reply, friend()), Err("reel.items"));
    }
    assert_eq!(
        stories(&object(json!({"reel": "none"})), friend()),
        Err("reel")
    );
}

#[test]
fn an_item_is_read_back_only_if_it_is_the_one_asked_for() {
    let id: ItemId = "4028209379393181455_72000000002".parse().unwrap();
    let reply = recorded("media_info_ok");
    let found = media_info(&reply, ItemKind::Post, id).unwrap();
    assert_eq!((found.id, found.has_liked), (id, Some(false)));
    let other: ItemId = "1_72000000002".parse().unwrap();
    assert!(media_info(&reply, ItemKind::Post, other).is_err());
    assert!(media_info(&object(json!({"items": []})), ItemKind::Post, id).is_err());
}

#[test]
fn recorded_users_are_read() {
    let friend = user(&recorded("users_usernameinfo_ok")).unwrap();
    assert_eq!(friend.pk, pk("72000000002"));
    assert_eq!((friend.is_private, friend.following), (false, Some(true)));
    assert!(
        user(&recorded("users_usernameinfo_private"))
            .unwrap()
            .is_private
    );
    let me = myself(&recorded("accounts_current_user_ok"), "user").unwrap();
    assert_eq!(
        (me.pk, &*me.username),
        (pk("71000000001"), "sandbox.operator")
    );
    assert_eq!(
        myself(&object(json!({"status": "ok"})), "user"),
        Err("user")
    );
}

#[test]
fn a_second_factor_needs_its_identifier() {
    let totp = second_factor(&recorded("accounts_login_two_factor_totp")).unwrap();
    assert_eq!((totp.totp, totp.sms), (true, false));
    let sms = second_factor(&recorded("accounts_login_two_factor_sms")).unwrap();
    assert_eq!((sms.totp, sms.sms), (false, true));
    assert_eq!(second_factor(&object(json!({"two_factor_info": {}}))), None);
}

proptest! {
    #[test]
    fn an_id_is_the_same_as_text_and_as_number(number in 1..=i64::MAX) {
        let wanted = Pk::try_from(number).ok();
        prop_assert_eq!(pk_of(&json!(number)), wanted);
        prop_assert_eq!(pk_of(&json!(number.to_string())), wanted);
    }
}
