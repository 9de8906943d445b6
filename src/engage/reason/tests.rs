//! What each reason says: to machines, to people, and which setting it names as the one that binds.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::model::{Item, ItemKind, TargetId};

/// 2026-11-20 18:00:00 UTC.
const AT: Timestamp = Timestamp::from_secs(1_795_197_600);

fn window(key: &'static str, used: u32) -> WindowReport {
    WindowReport {
        key,
        limit: "12/1h".to_owned(),
        used,
        free: 12 - used,
        next_at: None,
    }
}

/// Each reason, its sentence and what binds, in the order of the codes.
#[allow(clippy::too_many_lines)] // A table.
fn table() -> Vec<(Reason, &'static str, Option<&'static str>)> {
    let windows = vec![window("limits.likes", 3), window("limits.story_views", 4)];
    let answer = || Some("what came back".to_owned());
    vec![
        (
            Reason::WouldLike { windows },
            "limits.likes 3 of 12/1h, limits.story_views 4 of 12/1h",
            None,
        ),
        (
            Reason::Liked {
                windows: Vec::new(),
            },
            "liked",
            None,
        ),
        (
            Reason::AlreadyLiked,
            "liked before the program saw it",
            None,
        ),
        (
            Reason::Observed {
                first_contact_at: Some(AT),
            },
            "it was there before the first contact with this target",
            None,
        ),
        (
            Reason::TooOld {
                taken_at: AT,
                posts_before: None,
            },
            "older than posts.max_age when it was listed",
            None,
        ),
        (
            Reason::EffectUnknown {
                read_back_from: Some(AT),
                answer: None,
            },
            "a like was sent and its effect is not known; only a reading at least 15 minutes later \
             can tell (from 2026-11-20T18:00:00Z on)",
            None,
        ),
        (
            Reason::Refused {
                tries: 1,
                read_back_from: None,
                answer: None,
            },
            "a like of it did not take; only a reading at least 15 minutes later that says 'not \
             liked' allows one more",
            None,
        ),
        (
            Reason::Failed {
                tries: 2,
                answer: None,
            },
            "the like did not take twice; there is no third try",
            None,
        ),
        (Reason::Gone { answer: answer() }, "what came back", None),
        (
            Reason::Expired {
                expired_at: Some(AT),
            },
            "its life has ended (2026-11-20T18:00:00Z)",
            None,
        ),
        (
            Reason::ExpiresSoon { expiring_at: AT },
            "it expires in a moment (2026-11-20T18:00:00Z)",
            None,
        ),
        (Reason::OnRecord, "a like of it is already on record", None),
        (
            Reason::NotSent {
                answer: "what came back".to_owned(),
            },
            "what came back",
            None,
        ),
        (
            Reason::WindowFull {
                key: "limits.likes",
                limit: "12/1h".to_owned(),
                used: 12,
                next_at: AT,
            },
            "limits.likes 12/1h is full (12 used); there is room again at 2026-11-20T18:00:00Z",
            Some("limits.likes 12/1h"),
        ),
        (
            Reason::KeptForOthers {
                key: "limits.likes",
                limit: "60/24h".to_owned(),
                used: 58,
                kept: 2,
                next_at: AT,
            },
            "what is left of limits.likes 60/24h (58 used) is kept for targets that were liked \
             less: 2; there is room again at 2026-11-20T18:00:00Z",
            Some("limits.likes 60/24h"),
        ),
        (
            Reason::TargetCap {
                key: "limits.likes_per_target",
                used: 3,
            },
            "limits.likes_per_target is reached for this run (3)",
            Some("limits.likes_per_target"),
        ),
        (
            Reason::RunCap {
                key: "limits.likes_per_run",
                used: 10,
            },
            "limits.likes_per_run is reached (10); the next pass goes on",
            Some("limits.likes_per_run"),
        ),
        (
            Reason::TimeUsed {
                key: "limits.max_runtime",
            },
            "limits.max_runtime is used up; the next pass goes on",
            Some("limits.max_runtime"),
        ),
        (
            Reason::QuietHours { until: AT },
            "quiet_hours last until 2026-11-20T18:00:00Z; a pass after that goes on",
            Some("quiet_hours"),
        ),
        (
            Reason::Hold {
                hold: HoldReason::Challenge,
                until: None,
                message: "answer it in the app".to_owned(),
            },
            "hold 'challenge' until a person clears it: answer it in the app",
            Some("hold 'challenge'"),
        ),
        (
            Reason::NoSession {
                database: "stories.db".to_owned(),
            },
            "no session in stories.db; run 'story-liker session import FILE' or 'story-liker \
             login' with the same --profile and --database",
            None,
        ),
        (
            Reason::PassEnded {
                stop: "clock_off",
                message: "the clock is wrong".to_owned(),
            },
            "the clock is wrong",
            None,
        ),
        (
            Reason::TargetOff {
                target: "anna".to_owned(),
            },
            "its target anna is not on the list at present",
            None,
        ),
        (
            Reason::KindOff {
                target: "anna".to_owned(),
                setting: "posts",
            },
            "the configuration wants no posts of anna",
            None,
        ),
        (
            Reason::TargetTrouble {
                target: "anna".to_owned(),
                trouble: Some(TargetTrouble::Private),
                retry_at: AT,
            },
            "anna is private; looked at again after 2026-11-20T18:00:00Z",
            None,
        ),
        (
            Reason::NotListed { next_at: AT },
            "its target is listed next at 2026-11-20T18:00:00Z",
            None,
        ),
        (
            Reason::NotConsidered {
                key: "posts.per_target",
                limit: 9,
            },
            "posts.per_target is 9, and at least so many posts are newer",
            Some("posts.per_target"),
        ),
    ]
}

#[test]
fn every_reason_has_its_code_its_sentence_and_what_binds() {
    let table = table();
    assert_eq!(table.len(), Reason::CODES.len());
    for ((reason, sentence, binding), code) in table.iter().zip(Reason::CODES) {
        let json = serde_json::to_value(reason).unwrap();
        assert_eq!(json["code"], code);
        assert_eq!(reason.to_string(), *sentence, "{code}");
        assert_eq!(reason.binding().as_deref(), *binding, "{code}");
    }
}

#[test]
fn the_sentence_has_what_is_known_and_nothing_else() {
    let cases = [
        (
            Reason::TooOld {
                taken_at: AT,
                posts_before: Some(AT),
            },
            "older than 2026-11-20T18:00:00Z, the date given to cleanup --posts-before: such posts \
             are never liked again",
        ),
        (
            Reason::WouldLike {
                windows: Vec::new(),
            },
            "nothing stands against a like of it",
        ),
        (
            Reason::Liked {
                windows: vec![window("limits.likes", 4)],
            },
            "limits.likes 4 of 12/1h",
        ),
        (Reason::Expired { expired_at: None }, "its life has ended"),
        (Reason::Gone { answer: None }, "no longer there"),
        (
            Reason::Failed {
                tries: 1,
                answer: None,
            },
            "no like of it can take, or the one on record cannot be told from another",
        ),
        (
            Reason::Hold {
                hold: HoldReason::LoggedOut,
                until: None,
                message: String::new(),
            },
            "hold 'logged_out' until there is a new session",
        ),
        (
            Reason::Hold {
                hold: HoldReason::Throttled,
                until: Some(AT),
                message: String::new(),
            },
            "hold 'throttled' until 2026-11-20T18:00:00Z",
        ),
    ];
    for (reason, sentence) in cases {
        assert_eq!(reason.to_string(), sentence);
    }
}

#[test]
fn an_answer_takes_the_place_of_the_sentence_where_a_request_was_just_made() {
    let said = || "what came back".to_owned();
    let asked = [
        Reason::EffectUnknown {
            read_back_from: None,
            answer: None,
        },
        Reason::Refused {
            tries: 1,
            read_back_from: None,
            answer: None,
        },
        Reason::Failed {
            tries: 1,
            answer: None,
        },
        Reason::Gone { answer: None },
    ];
    for reason in asked {
        let code = serde_json::to_value(&reason).unwrap()["code"].clone();
        let answered = reason.answered(said());
        assert_eq!(answered.to_string(), said());
        assert_eq!(serde_json::to_value(&answered).unwrap()["code"], code);
    }
    // Nothing was asked about the like of the others: the request before it failed.
    let not_sent = Reason::NotSent { answer: said() };
    assert_eq!(Reason::AlreadyLiked.answered(said()), not_sent);
}

fn story(state: ItemState, ends_in: Duration) -> LedgerItem {
    LedgerItem {
        item: Item {
            kind: ItemKind::Story,
            id: "4034671962997715712_72000000002".parse().unwrap(),
            code: None,
            taken_at: AT.minus(Duration::from_hours(20)),
            expiring_at: Some(AT.plus(ends_in)),
            has_liked: None,
            pinned: false,
        },
        target: TargetId(1),
        state,
        tries: 0,
        viewed_at: None,
        like_arrived_by: None,
        unliked_read_at: None,
    }
}

fn code(item: &LedgerItem) -> String {
    let json = serde_json::to_value(standing(item, None, None, AT)).unwrap();
    json["code"].as_str().unwrap().to_owned()
}

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn where_an_item_stands_is_its_state_while_it_lives() {
    for (state, expected, once_ended) in [
        (ItemState::New, "would_like", "expired"),
        (ItemState::Claimed, "effect_unknown", "expired"),
        (ItemState::Unknown, "effect_unknown", "expired"),
        (ItemState::Observed, "observed", "observed"),
        (ItemState::Liked, "liked", "liked"),
        (ItemState::AlreadyLiked, "already_liked", "already_liked"),
        (ItemState::Failed, "failed", "failed"),
        (ItemState::Gone, "gone", "gone"),
        (ItemState::Expired, "expired", "expired"),
        (ItemState::Skipped, "too_old", "too_old"),
    ] {
        assert_eq!(code(&story(state, HOUR)), expected, "{state:?}");
        assert_eq!(code(&story(state, Duration::ZERO)), once_ended, "{state:?}");
    }
}

#[test]
fn a_new_story_is_left_in_the_last_half_minute_of_its_life() {
    let second = Duration::from_secs(1);
    for (ends_in, expected) in [
        (Duration::ZERO, "expired"),
        (second, "expires_soon"),
        (30 * second, "expires_soon"),
        (31 * second, "would_like"),
    ] {
        assert_eq!(code(&story(ItemState::New, ends_in)), expected);
    }
    let mut post = story(ItemState::New, HOUR);
    post.item.expiring_at = None;
    assert_eq!(code(&post), "would_like");
}

#[test]
fn a_new_item_with_a_like_that_did_not_take_waits_for_a_reading_and_a_liked_one_for_nothing() {
    let mut item = story(ItemState::New, HOUR);
    item.item.has_liked = Some(false);
    assert_eq!(code(&item), "would_like");
    item.item.has_liked = Some(true);
    assert_eq!(code(&item), "already_liked");
    (item.tries, item.like_arrived_by) = (1, Some(AT));
    let refused = Reason::Refused {
        tries: 1,
        read_back_from: Some(AT.plus(Duration::from_mins(15))),
        answer: None,
    };
    assert_eq!(standing(&item, None, None, AT), refused);
}
