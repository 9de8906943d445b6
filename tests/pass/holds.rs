//! Objections: stored with their outcome, honoured before anything else.

use std::time::Duration;

use story_liker::config::QuietHours;
use story_liker::engage::{Stop, resumable};
use story_liker::exit::ExitCode;
use story_liker::model::{Hold, HoldReason, ItemKind, ItemState, Secret};

use crate::world::*;

fn one_of_each() -> Rig {
    one_of_each_over(Rig::in_memory(&["anna", "berta"]))
}

fn one_of_each_over(mut rig: Rig) -> Rig {
    rig.story("anna", 100);
    rig.story("berta", 200);
    rig.config.first_contact.like_posts = true;
    rig
}

#[test]
fn what_a_reply_asks_to_wait_is_kept_though_the_clock_was_set_meanwhile() {
    for step in [-26_000, 26_000] {
        let mut rig = one_of_each();
        rig.clock
            .schedule(Duration::from_secs(15), Event::Step(step));
        let asked = Trouble::Objection(HoldReason::PleaseWait, Some(5 * HOUR));
        rig.server.fail(Act::Like, asked);
        rig.pass();
        // A `Date` has whole seconds.
        let second = Duration::from_secs(1);
        let met_at = rig.server.look().record.last().unwrap().at.minus(second);
        let until = rig.holds().pop().unwrap().until.unwrap();
        assert!(until >= met_at.plus(5 * HOUR), "{step}: {until}, {met_at}");
        assert!(until <= met_at.plus(5 * HOUR + MINUTE), "{step}: {until}");
    }
}

#[test]
fn a_clock_that_makes_a_hold_look_over_is_found_wrong_once_and_not_by_every_start() {
    let mut rig = one_of_each();
    let asked = Trouble::Objection(HoldReason::PleaseWait, Some(30 * HOUR));
    rig.server.fail(Act::Stories, asked);
    rig.pass();
    let before = rig.mark();
    rig.clock.set_ahead(3 * 86_400_000);
    for _ in 0..5 {
        rig.later(HOUR);
        assert_eq!(rig.check_all().stop.name(), "clock_off");
    }
    assert_eq!(rig.mark(), before + 1);
    // Once it is set the hold counts, and once that is over the pass goes on.
    rig.clock.set_ahead(0);
    assert_eq!(rig.check_all().stop.name(), "held");
    rig.later(30 * HOUR);
    assert_eq!(rig.check_all().stop.name(), "done");
}

fn open(rig: &mut Rig) -> Vec<Hold> {
    let now = rig.clock.server();
    let holds = rig.holds();
    holds
        .into_iter()
        .filter(|hold| hold.in_force(now))
        .collect()
}

fn code_of(hold: &Hold) -> ExitCode {
    if hold.until.is_some() {
        ExitCode::TempFail
    } else {
        ExitCode::NoPerm
    }
}

#[test]
fn every_objection_to_every_act_is_stored_ends_the_pass_and_silences_the_next() {
    let reasons = HoldReason::ALL.into_iter().filter(|reason| {
        !matches!(
            reason,
            HoldReason::SessionDoubtful | HoldReason::Unavailable
        )
    });
    for reason in reasons {
        for act in [
            Act::UserByName,
            Act::Stories,
            Act::View,
            Act::Like,
            Act::Posts,
        ] {
            for trouble in [Trouble::Objection(reason, None), Trouble::Page(reason)] {
                let mut rig = one_of_each();
                rig.server.fail(act, trouble);
                let report = rig.pass();
                let holds = open(&mut rig);
                assert_eq!(holds.len(), 1, "{reason:?} {act:?}");
                assert_eq!(holds[0].reason, reason);
                assert!(holds[0].attempt.is_some());
                assert_eq!(rig.server.acts().last(), Some(&act));
                let expected = if reason == HoldReason::UnknownShape {
                    ExitCode::Protocol
                } else {
                    code_of(&holds[0])
                };
                assert_eq!(report.exit_code(), expected, "{reason:?} {act:?}");
                // Until its end nothing leaves, whatever the mode.
                let sent = rig.mark();
                for _ in 0..2 {
                    let report = rig.check_all();
                    assert!(matches!(report.stop, Stop::Held(_)));
                    assert_eq!(report.exit_code(), code_of(&holds[0]));
                    rig.dry_run();
                    rig.later(14 * MINUTE);
                }
                assert_eq!(rig.mark(), sent, "{reason:?} {act:?}");
            }
        }
    }
}

#[test]
fn a_timed_hold_ends_by_itself_and_not_a_minute_early() {
    let mut rig = one_of_each();
    rig.server.fail(
        Act::Stories,
        Trouble::Objection(HoldReason::Throttled, Some(3 * HOUR)),
    );
    rig.pass();
    let until = open(&mut rig)[0].until.unwrap();
    assert!(until.since(rig.clock.server()) <= 3 * HOUR);
    let now = rig.clock.server();
    rig.later(until.since(now) - Duration::from_secs(5));
    let sent = rig.mark();
    rig.pass();
    assert_eq!(rig.mark(), sent);
    rig.later(Duration::from_secs(6));
    rig.pass();
    assert!(rig.mark() > sent);
}

#[test]
fn what_a_reply_asks_for_is_waited_for_by_the_platform_s_clock() {
    for ahead in [-200_000, 200_000] {
        let mut rig = one_of_each();
        rig.clock.set_ahead(ahead);
        rig.server.fail(
            Act::Stories,
            Trouble::Objection(HoldReason::Throttled, Some(3 * HOUR)),
        );
        rig.pass();
        let at = rig.server.look().record.last().unwrap().at;
        let until = rig.holds()[0].until.unwrap();
        assert!(
            until.plus(Duration::from_secs(2)) >= at.plus(3 * HOUR),
            "{until} {at}"
        );
    }
}

/// A proxy with a wrong clock, say.
#[test]
fn a_hold_lasts_from_the_objection_on_whatever_date_its_reply_carries() {
    let days = |days: i64| days * 86_400;
    for (reason, asked, least) in [
        (HoldReason::Throttled, None, 30 * MINUTE),
        (HoldReason::PleaseWait, Some(5 * HOUR), 5 * HOUR),
        (HoldReason::ActionBlocked, None, 2 * DAY),
        (HoldReason::UnknownShape, None, 6 * HOUR),
    ] {
        for (misdated, slept, ahead) in [
            (days(-325), Duration::ZERO, 0),
            (-400, Duration::ZERO, 0),
            (days(-325), 20 * HOUR, 0),
            (days(1200), Duration::ZERO, 0),
            // Here it is the machine's clock that is wrong, as the first reply tells.
            (0, Duration::ZERO, -1000 * days(325)),
        ] {
            let mut rig = one_of_each();
            rig.clock.set_ahead(ahead);
            let act = if ahead == 0 {
                Act::Stories
            } else {
                Act::UserByName
            };
            rig.server.fail(act, Trouble::Objection(reason, asked));
            rig.server.befall(act, Odd::Misdated(misdated));
            rig.server.befall(act, Odd::Asleep(slept));
            rig.pass();
            // A `Date` has whole seconds.
            let second = Duration::from_secs(1);
            let met_at = rig.server.look().record.last().unwrap().at.minus(second);
            let hold = rig.holds().pop().unwrap();
            let until = hold.until.unwrap();
            assert!(
                hold.since >= met_at && until >= met_at.plus(least),
                "{reason:?}, a date wrong by {misdated} s: {hold:?}, met at {met_at}"
            );
            let sent = rig.mark();
            rig.later(least - MINUTE);
            rig.clock.set_ahead(0);
            rig.check_all();
            assert_eq!(rig.mark(), sent, "{reason:?} {misdated}");
        }
    }
}

#[test]
fn outcome_and_hold_are_stored_together_or_not_at_all() {
    for when in [When::Before, When::After] {
        let mut rig = one_of_each_over(Rig::new(&["anna", "berta"]));
        rig.server.fail(
            Act::Like,
            Trouble::Objection(HoldReason::ActionBlocked, None),
        );
        rig.pass();
        let settle = rig
            .store
            .calls
            .iter()
            .rposition(|call| *call == "settle")
            .unwrap();
        let mut rig = one_of_each_over(Rig::new(&["anna", "berta"]));
        rig.server.fail(
            Act::Like,
            Trouble::Objection(HoldReason::ActionBlocked, None),
        );
        rig.plan = Some(Plan {
            call: settle,
            when,
            failure: Failure::Crash,
        });
        rig.pass();
        let held = rig.holds().len();
        let outcome = rig.last_outcome("like");
        match when {
            When::Before => assert_eq!((outcome.as_str(), held), ("none", 0)),
            When::After => assert_eq!((outcome.as_str(), held), ("refused", 1)),
        }
    }
}

#[test]
fn an_objection_whose_settlement_fails_is_held_and_told_all_the_same() {
    let reasons = HoldReason::ALL
        .into_iter()
        .filter(|reason| *reason != HoldReason::Unavailable);
    for (reason, act) in reasons.flat_map(|reason| [(reason, Act::Stories), (reason, Act::Like)]) {
        for (failure, when, settled) in [
            (Failure::Unreadable, When::Before, true),
            (Failure::Unreadable, When::After, true),
            (Failure::Damage, When::Before, true),
            (Failure::Settlements, When::Before, false),
        ] {
            let mut rig = one_of_each_over(Rig::new(&["anna", "berta"]));
            rig.config.session.relogin = true;
            rig.config.account.username = Some("operator".to_owned());
            rig.config.account.password = Some(Secret::new("secret"));
            let trouble = Trouble::Objection(reason, None);
            rig.server.fail(act, trouble);
            rig.plan = Some(Plan {
                call: Plan::AT_A_HOLD,
                when,
                failure,
            });
            let report = rig.pass();
            let case = format!("{reason:?} of {act:?}, {failure:?} {when:?}");
            let holds = open(&mut rig);
            assert_eq!(holds.len(), 1, "{case}");
            assert_eq!(holds[0].reason, reason, "{case}");
            assert_eq!(holds[0].attempt.is_some(), settled, "{case}");
            let sentence = report.stop.sentence();
            assert!(sentence.contains(reason.as_str()), "{case}: {sentence}");
            assert!(sentence.contains("it is stored"), "{case}: {sentence}");
            let failed = if failure == Failure::Damage {
                ExitCode::DataErr
            } else {
                ExitCode::IoErr
            };
            let objected = if reason == HoldReason::UnknownShape {
                ExitCode::Protocol
            } else {
                code_of(&holds[0])
            };
            assert_eq!(report.exit_code(), failed.worst(objected), "{case}");
            assert_eq!(rig.server.acts().last(), Some(&act), "{case}");
            let sent = rig.mark();
            let next = rig.check_all();
            assert!(matches!(next.stop, Stop::Held(_)), "{case}");
            assert_eq!(rig.mark(), sent, "{case}");
            if act == Act::Like && settled {
                let state = rig.state(ItemKind::Story, 100);
                assert_eq!(state, (ItemState::New, 1), "{case}");
            }
        }
    }
}

#[test]
fn an_objection_that_no_disk_takes_is_told_with_what_to_do() {
    for (reason, code) in [
        (HoldReason::Throttled, ExitCode::IoErr),
        (HoldReason::Challenge, ExitCode::NoPerm),
        (HoldReason::SessionDoubtful, ExitCode::NoPerm),
    ] {
        let mut rig = one_of_each();
        rig.server
            .fail(Act::Stories, Trouble::Objection(reason, None));
        rig.plan = Some(Plan {
            call: Plan::AT_A_HOLD,
            when: When::Before,
            failure: Failure::DiskFull,
        });
        let report = rig.pass();
        assert_eq!(report.exit_code(), code, "{reason:?}");
        let sentence = report.stop.sentence();
        for part in [reason.as_str(), "could not be stored, so", "let none start"] {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
        assert_eq!(rig.server.look().violations, [""; 0]);
    }
}

#[test]
fn an_unknown_shape_in_the_third_pass_in_a_row_needs_a_person() {
    let doubt = Trouble::Objection(HoldReason::SessionDoubtful, None);
    // An answer that nobody knows, and a refusal of a session that is alive after all.
    for trouble in [Trouble::Incomplete(Applied::No), doubt] {
        let mut rig = one_of_each();
        for pass in 0..3 {
            rig.server.fail(Act::Stories, trouble);
            let report = rig.check_all();
            assert_eq!(report.exit_code(), ExitCode::Protocol, "{trouble:?}");
            let hold = rig.holds().pop().unwrap();
            assert_eq!(hold.reason, HoldReason::UnknownShape, "{trouble:?}");
            assert_eq!(hold.until.is_none(), pass == 2, "{trouble:?}");
            // A pass that is merely held says nothing, and a timer of 5 minutes starts many.
            for _ in 0..60 {
                rig.later(5 * MINUTE);
                rig.check_all();
            }
            rig.later(HOUR);
        }
    }
}

#[test]
fn a_platform_out_of_reach_in_the_third_pass_in_a_row_is_left_alone_for_two_hours() {
    for trouble in [
        Trouble::Unsent,
        Trouble::TimedOut(Applied::No),
        Trouble::ServerError(Applied::No),
    ] {
        let mut rig = one_of_each();
        for pass in 0..3 {
            assert_eq!(rig.holds().len(), 0);
            rig.server.fail(Act::Stories, trouble);
            rig.server.fail(Act::Stories, trouble);
            let report = rig.check_all();
            assert_eq!(
                report.exit_code(),
                ExitCode::Unavailable,
                "{trouble:?} {pass}"
            );
            rig.server.world().troubles.clear();
            rig.later(HOUR);
        }
        let hold = rig.holds().pop().unwrap();
        assert_eq!(hold.reason, HoldReason::Unavailable);
        assert_eq!(hold.until.unwrap().since(hold.since), 2 * HOUR);
    }
}

#[test]
fn a_good_pass_breaks_the_row() {
    let mut rig = one_of_each();
    for fails in [true, true, false, true, true] {
        if fails {
            rig.server
                .fail(Act::Stories, Trouble::TimedOut(Applied::No));
        }
        rig.check_all();
        rig.later(HOUR);
    }
    assert_eq!(rig.holds(), []);
}

#[test]
fn a_broken_connection_is_tried_once_more_for_a_read_and_never_for_a_write() {
    for act in [Act::Stories, Act::Posts] {
        for trouble in [Trouble::Unsent, Trouble::Broken(Applied::Now)] {
            let mut rig = one_of_each();
            rig.server.fail(act, trouble);
            assert_eq!(rig.pass().exit_code(), ExitCode::Ok, "{act:?} {trouble:?}");

            let mut rig = one_of_each();
            rig.server.fail(act, trouble);
            rig.server.fail(act, trouble);
            let code = rig.pass().exit_code();
            assert_eq!(code, ExitCode::Unavailable, "{act:?} {trouble:?}");
            assert_eq!(rig.server.look().troubles, []);
        }
    }
    for act in [Act::View, Act::Like] {
        let mut rig = one_of_each();
        rig.server.fail(act, Trouble::Broken(Applied::No));
        assert_eq!(rig.pass().exit_code(), ExitCode::Unavailable);
        assert_eq!(rig.server.acts().last(), Some(&act));
    }
}

#[test]
fn a_question_whether_the_session_is_alive_is_tried_once_more_and_no_third_time() {
    for broken in [1, 2, 3] {
        let mut rig = Rig::new(&[]);
        rig.later(rig.config.session.keep_alive + HOUR);
        for _ in 0..broken {
            rig.server.fail(Act::CurrentUser, Trouble::Unsent);
        }
        let code = rig.pass().exit_code();
        let expected = if broken == 1 {
            ExitCode::Ok
        } else {
            ExitCode::Unavailable
        };
        assert_eq!(code, expected, "{broken}");
        let left = rig.server.look().troubles.len();
        assert_eq!(left, usize::from(broken == 3), "{broken}");
    }
}

/// What ends the third pass in a row is an outage, whatever that pass was about before.
#[test]
fn a_doubt_or_a_login_that_cannot_be_settled_for_an_outage_tells_of_both() {
    for (act, on) in [
        (Act::CurrentUser, DOUBT),
        (
            Act::LoginPrepare,
            Trouble::Objection(HoldReason::LoginRequired, None),
        ),
    ] {
        let mut rig = one_of_each();
        rig.config.session.relogin = true;
        rig.config.account.username = Some("operator".to_owned());
        rig.config.account.password = Some(Secret::new("secret"));
        for _ in 0..2 {
            rig.server
                .fail(Act::Stories, Trouble::TimedOut(Applied::No));
            assert_eq!(rig.check_all().exit_code(), ExitCode::Unavailable);
            rig.later(HOUR);
        }
        rig.server.fail(Act::Stories, on);
        rig.server.fail(act, Trouble::Broken(Applied::No));
        assert_eq!(rig.check_all().exit_code(), ExitCode::NoPerm);
        let reasons: Vec<_> = open(&mut rig).iter().map(|hold| hold.reason).collect();
        assert!(reasons.contains(&HoldReason::Unavailable), "{reasons:?}");
        assert_eq!(reasons.len(), 2, "{reasons:?}");
    }
}

#[test]
fn a_first_read_that_may_have_arrived_is_not_tried_again_before_the_clock_is_known() {
    let mut rig = one_of_each();
    rig.server
        .fail(Act::UserByName, Trouble::Broken(Applied::Now));
    assert_eq!(rig.pass().exit_code(), ExitCode::Unavailable);
    assert_eq!(rig.mark(), 1);

    let mut rig = one_of_each();
    rig.server.fail(Act::UserByName, Trouble::Unsent);
    assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
}

#[test]
fn a_time_out_and_a_server_error_are_never_tried_again() {
    for trouble in [
        Trouble::TimedOut(Applied::No),
        Trouble::ServerError(Applied::No),
        Trouble::NotMade,
    ] {
        let mut rig = one_of_each();
        rig.server.fail(Act::Stories, trouble);
        assert_eq!(rig.pass().exit_code(), ExitCode::Unavailable);
        assert!(rig.server.count(Act::Stories) <= 1);
    }
}

const DOUBT: Trouble = Trouble::Objection(HoldReason::SessionDoubtful, None);

#[test]
fn an_unexplained_refusal_of_a_live_session_becomes_an_unknown_shape() {
    for act in [
        Act::UserByName,
        Act::Stories,
        Act::View,
        Act::Like,
        Act::Posts,
    ] {
        let mut rig = one_of_each();
        rig.server.fail(act, DOUBT);
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::Protocol, "{act:?}");
        let holds = open(&mut rig);
        assert_eq!(holds.len(), 1);
        assert_eq!(holds[0].reason, HoldReason::UnknownShape);
        assert!(holds[0].until.is_some() && holds[0].attempt.is_some());
        let doubt = rig.holds().remove(0);
        assert_eq!(doubt.cleared_by.as_deref(), Some("replaced"));
        assert_eq!(rig.server.acts().last(), Some(&Act::CurrentUser));
        assert_eq!(rig.server.count(Act::CurrentUser), 1);
        let sent = rig.mark();
        rig.later(HOUR);
        rig.pass();
        assert_eq!(rig.mark(), sent);
    }
}

#[test]
fn an_unexplained_refusal_of_a_dead_session_needs_a_new_one() {
    let mut rig = one_of_each();
    rig.server.fail(Act::Stories, DOUBT);
    rig.server.fail(
        Act::CurrentUser,
        Trouble::Objection(HoldReason::LoginRequired, None),
    );
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::NoPerm);
    let reasons: Vec<_> = open(&mut rig).iter().map(|hold| hold.reason).collect();
    assert_eq!(reasons, [HoldReason::LoginRequired]);
    assert_eq!(rig.server.count(Act::CurrentUser), 1);
}

#[test]
fn a_doubt_that_nothing_answers_stays_and_is_asked_about_once() {
    let timed = Trouble::Objection(HoldReason::Throttled, None);
    for trouble in [
        Trouble::TimedOut(Applied::No),
        Trouble::Broken(Applied::No),
        Trouble::Unsent,
        DOUBT,
        timed,
    ] {
        let mut rig = one_of_each();
        rig.server.fail(Act::Stories, DOUBT);
        rig.server.fail(Act::CurrentUser, trouble);
        let report = rig.pass();
        assert_eq!(report.exit_code(), ExitCode::NoPerm, "{trouble:?}");
        let doubts = open(&mut rig)
            .iter()
            .filter(|hold| hold.reason == HoldReason::SessionDoubtful)
            .count();
        assert_eq!(doubts, 1, "{trouble:?}");
        assert!(rig.server.count(Act::CurrentUser) <= 1);
        rig.later(3 * DAY);
        let sent = rig.mark();
        rig.pass();
        assert_eq!(rig.mark(), sent);
    }
}

#[test]
fn a_kill_while_a_doubt_is_settled_never_leaves_the_account_without_a_hold() {
    for dies in [false, true] {
        let prepare = || {
            let rig = one_of_each();
            rig.server.fail(Act::Stories, DOUBT);
            if dies {
                rig.server.fail(
                    Act::CurrentUser,
                    Trouble::Objection(HoldReason::LoginRequired, None),
                );
            }
            rig
        };
        let mut rig = prepare();
        rig.pass();
        let calls = rig.store.calls.clone();
        let doubt = calls
            .iter()
            .enumerate()
            .filter(|(_, call)| **call == "settle")
            .nth(1)
            .unwrap()
            .0;
        for call in doubt..calls.len() {
            for when in [When::Before, When::After] {
                if (call, when) == (doubt, When::Before) {
                    continue;
                }
                let mut rig = prepare();
                rig.plan = Some(Plan {
                    call,
                    when,
                    failure: Failure::Crash,
                });
                rig.pass();
                assert_eq!(open(&mut rig).len(), 1, "call {call} {when:?}");
                let sent = rig.mark();
                rig.check_all();
                assert_eq!(rig.mark(), sent);
            }
        }
    }
}

#[test]
fn a_doubt_stays_where_the_time_budget_or_a_signal_leaves_no_room_to_ask() {
    let mut rig = one_of_each();
    let minute = Duration::from_mins(1);
    rig.config.pace.between_requests.min = minute;
    rig.config.pace.between_requests.max = minute;
    rig.config.limits.max_runtime = Duration::from_secs(110);
    rig.server.fail(Act::Stories, DOUBT);
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.server.acts(), [Act::UserByName, Act::Stories]);
    assert_eq!(open(&mut rig)[0].reason, HoldReason::SessionDoubtful);

    let mut rig = one_of_each();
    rig.server.fail(Act::UserByName, DOUBT);
    let term = Event::Signal(story_liker::ports::Interrupt::Term);
    rig.clock.schedule(Duration::from_secs(2), term);
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.mark(), 1);
}

#[test]
fn a_doubt_stays_where_quiet_hours_have_begun_or_are_about_to() {
    // While the first request is under way; during the pause before the second; both, and over again
    // before the second.
    for (second, nanosecond, end) in [(0, 100_000_000, 59), (4, 0, 59), (0, 100_000_000, 4)] {
        let mut rig = one_of_each();
        rig.server.fail(Act::UserByName, DOUBT);
        rig.config.quiet_hours = Some(QuietHours {
            from: jiff::civil::time(18, 0, second, nanosecond),
            to: jiff::civil::time(18, 0, end, 0),
        });
        assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
        assert_eq!(rig.server.acts(), [Act::UserByName]);
        assert_eq!(open(&mut rig)[0].reason, HoldReason::SessionDoubtful);
    }
}

#[test]
fn a_person_resumes_what_waits_for_one_and_what_has_a_date_only_by_force() {
    let mut rig = one_of_each();
    rig.server.fail(
        Act::Stories,
        Trouble::Objection(HoldReason::Throttled, None),
    );
    rig.pass();
    let timed = open(&mut rig).remove(0);
    let now = rig.clock.server();
    let needs_person = Hold {
        until: None,
        ..timed.clone()
    };
    let over = Hold {
        until: Some(now),
        ..timed.clone()
    };
    let holds = [timed.clone(), needs_person.clone(), over];
    let (clear, keep) = resumable(&holds, now, false);
    assert_eq!((clear, keep), (vec![&needs_person], vec![&timed]));
    let (clear, keep) = resumable(&holds, now, true);
    assert_eq!((clear, keep), (vec![&timed, &needs_person], vec![]));
}
