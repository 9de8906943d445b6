//! What each end of a pass says, and with which code.

use std::time::Duration;

use super::*;
use crate::care::window::Windows;
use crate::model::{Limit, Scope, ScopedLimit};

#[test]
fn a_window_that_only_the_ledger_knows_to_be_full_has_room_again_after_one_span() {
    let limit = ScopedLimit {
        scope: Scope::Likes,
        limit: Limit {
            count: 3,
            span: Duration::from_hours(1),
        },
    };
    let now = Timestamp::from_secs(1_795_197_600);
    let room = Windows::default().room(limit, 1, now);
    let Stop::WindowFull { used, next_at, .. } = full_window(&room, now) else {
        panic!("a full window");
    };
    assert_eq!((used, next_at), (3, now.plus(Duration::from_hours(1))));
}

const MOMENT: Timestamp = Timestamp::from_secs(1_795_197_600);

fn by(reason: HoldReason, until: Option<Timestamp>) -> HeldBy {
    HeldBy {
        reason,
        until,
        message: "the platform said so".to_owned(),
    }
}

#[test]
#[allow(clippy::too_many_lines)] // One line a stop, as the formatter breaks it.
fn every_stop_has_its_word_its_code_its_moment_and_its_sentence() {
    use ExitCode as E;
    let message = || "no route".to_owned();
    let throttled = || by(HoldReason::Throttled, Some(MOMENT));
    let shape = by(HoldReason::UnknownShape, Some(MOMENT));
    let person = by(HoldReason::Challenge, None);
    let session = by(HoldReason::LoggedOut, None);
    let full = Stop::WindowFull {
        key: "limits.likes",
        limit: "3/1h".to_owned(),
        used: 3,
        next_at: MOMENT,
    };
    let (slow, fast) = (400_000, -400_000);
    let down = |hold_until| Stop::Unavailable {
        message: message(),
        hold_until,
    };
    let off = |offset_millis| Stop::ClockOff { offset_millis };
    let database = "stories.db".to_owned();
    let code = E::IoErr;
    let at = Some(MOMENT);
    let until = Stop::QuietHours { until: MOMENT };
    let table = [
        (Stop::Done, "done", E::Ok, None, "nothing is left"),
        (
            full,
            "window_full",
            E::Ok,
            at,
            "limits.likes 3/1h is full (3 used)",
        ),
        (
            Stop::RunCap { likes: 4 },
            "likes_per_run",
            E::Ok,
            None,
            "reached (4)",
        ),
        (
            Stop::TimeUsed,
            "max_runtime",
            E::Ok,
            None,
            "limits.max_runtime is used up",
        ),
        (
            until,
            "quiet_hours",
            E::Ok,
            at,
            "quiet_hours last until 2026-",
        ),
        (
            Stop::Interrupted(Interrupt::Term),
            "interrupted",
            E::Ok,
            None,
            "SIGTERM",
        ),
        (
            Stop::Interrupted(Interrupt::Int),
            "interrupted",
            E::Interrupted,
            None,
            "SIGINT",
        ),
        (
            Stop::Held(throttled()),
            "held",
            E::TempFail,
            at,
            "nothing was sent: hold 'throttled' until 2026-",
        ),
        (
            Stop::Held(person),
            "held",
            E::NoPerm,
            None,
            "until a person clears it: the platform said so",
        ),
        (
            Stop::Objected(session),
            "objection",
            E::NoPerm,
            None,
            "until there is a new session: the platform",
        ),
        (
            Stop::Objected(throttled()),
            "objection",
            E::TempFail,
            at,
            "Instagram objected, stopped: hold",
        ),
        (
            Stop::Objected(shape),
            "objection",
            E::Protocol,
            at,
            "stopped: hold 'unknown_shape'",
        ),
        (
            Stop::LoggedInAgain,
            "logged_in_again",
            E::TempFail,
            None,
            "logged in once",
        ),
        (
            Stop::NoSession { database },
            "no_session",
            E::NoPerm,
            None,
            "no session in stories.db",
        ),
        (
            Stop::WrongAccount { message: message() },
            "wrong_account",
            E::Config,
            None,
            "no route",
        ),
        (
            down(None),
            "unavailable",
            E::Unavailable,
            None,
            "no route; the next pass tries again",
        ),
        (
            down(at),
            "unavailable",
            E::Unavailable,
            at,
            "nothing is sent until 2026-",
        ),
        (
            off(slow),
            "clock_off",
            E::TempFail,
            None,
            "is slower than Instagram's by 6m 40s",
        ),
        (
            off(fast),
            "clock_off",
            E::TempFail,
            None,
            "is faster than Instagram's by 6m 40s",
        ),
        (
            Stop::ClockJumped { millis: -61_000 },
            "clock_jumped",
            E::TempFail,
            None,
            "moved by 1m 1s",
        ),
        (
            Stop::Store {
                code,
                message: message(),
            },
            "store",
            E::IoErr,
            None,
            "no route",
        ),
    ];
    for (stop, name, code, next_at, words) in table {
        assert_eq!(
            (stop.name(), stop.code(), stop.next_at()),
            (name, code, next_at)
        );
        assert!(stop.sentence().contains(words), "{}", stop.sentence());
        let json = serde_json::to_value(&stop).expect("a stop is plain data");
        assert_eq!(json["name"], name);
        assert_eq!(json["reason"], stop.sentence());
        assert_eq!(json.get("next_at").is_some(), next_at.is_some(), "{name}");
        let held = matches!(stop, Stop::Held(_) | Stop::Objected(_));
        assert_eq!(json.get("hold").is_some(), held, "{name}");
    }
}

#[test]
fn only_what_the_platform_did_counts_as_trouble_in_a_row() {
    let throttled = by(HoldReason::Throttled, Some(MOMENT));
    let down = Stop::Unavailable {
        message: String::new(),
        hold_until: None,
    };
    let reason = Some(HoldReason::Throttled);
    assert_eq!(Stop::Objected(throttled.clone()).trouble(), reason);
    assert_eq!(down.trouble(), Some(HoldReason::Unavailable));
    assert_eq!(Stop::Held(throttled).trouble(), None);
    assert_eq!(Stop::Done.trouble(), None);
}

#[test]
fn a_hold_without_a_message_is_told_by_its_name() {
    let mut held = by(HoldReason::Challenge, None);
    held.message.clear();
    assert_eq!(
        Stop::Held(held).sentence(),
        "nothing was sent: hold 'challenge' until a person clears it"
    );
}

#[test]
fn each_failure_of_the_store_has_its_code() {
    let text = String::new;
    for (error, code) in [
        (StoreError::CannotOpen(text()), ExitCode::CantCreat),
        (StoreError::BadState(text()), ExitCode::DataErr),
        (StoreError::Io(text()), ExitCode::IoErr),
        (StoreError::Busy(text()), ExitCode::TempFail),
        (StoreError::Config(text()), ExitCode::Config),
        (StoreError::Bug(text()), ExitCode::Software),
    ] {
        assert_eq!(error.exit_code(), code);
    }
}

#[test]
fn the_graver_reason_wins_and_of_equals_the_later() {
    let person = Stop::NoSession {
        database: String::new(),
    };
    assert_eq!(person.clone().graver(Stop::TimeUsed), person);
    assert_eq!(Stop::TimeUsed.graver(person.clone()), person);
    assert_eq!(Stop::Done.graver(Stop::TimeUsed), Stop::TimeUsed);
}

#[test]
fn of_two_objections_both_are_told() {
    let objected = |reason, message: &str, until| {
        Stop::Objected(HeldBy {
            reason,
            until,
            message: message.to_owned(),
        })
    };
    let doubt = objected(HoldReason::SessionDoubtful, "a doubt", None);
    let block = objected(HoldReason::ActionBlocked, "a block", Some(MOMENT));
    let both = doubt.clone().graver(block);
    let told = objected(HoldReason::SessionDoubtful, "a doubt; and a block", None);
    assert_eq!(both, told);
    assert_eq!(doubt.clone().graver(doubt.clone()), doubt);
}
