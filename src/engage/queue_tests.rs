#![allow(clippy::unwrap_used)]

use super::*;

fn item(media: i64, has_liked: Option<bool>, pinned: bool) -> Item {
    Item {
        kind: ItemKind::Post,
        id: crate::model::ItemId {
            media: media.try_into().unwrap(),
            owner: 7.try_into().unwrap(),
        },
        code: None,
        taken_at: Timestamp::from_secs(1_795_305_330),
        expiring_at: None,
        has_liked,
        pinned,
    }
}

#[test]
fn of_two_readings_of_an_item_in_one_page_the_more_cautious_stands() {
    for (first, second, stands) in [
        (Some(false), Some(true), Some(true)),
        (Some(true), Some(false), Some(true)),
        (None, Some(true), Some(true)),
        (Some(false), None, None),
        (None, Some(false), None),
        (Some(false), Some(false), Some(false)),
    ] {
        let page = [
            item(1, first, true),
            item(2, None, false),
            item(1, second, false),
        ];
        let expected = [item(1, stands, true), item(2, None, false)];
        assert_eq!(once(&page), expected, "{first:?} {second:?}");
    }
}
