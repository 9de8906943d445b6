//! The session: proved only when needed, renewed only when dead and allowed.

use std::time::Duration;

use story_liker::config::QuietHours;
use story_liker::engage::{
    Actor, CodeSource, Credentials, LoginEnd, Ports, Stop, log_in, session_holds_cleared,
};
use story_liker::exit::ExitCode;
use story_liker::model::{Hold, HoldId, HoldReason, Secret, Timestamp};
use story_liker::ports::{Change, SecondFactor, Store};

use crate::world::platform::MARKED_DEVICE;
use crate::world::*;

const SEQUENCE: [Act; 3] = [Act::LoginPrepare, Act::LoginKey, Act::LoginPassword];

fn with_password() -> Rig {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.config.session.relogin = true;
    rig.config.account.username = Some("operator".to_owned());
    rig.config.account.password = Some(Secret::new("secret"));
    rig
}

fn logins(rig: &Rig) -> Vec<Act> {
    let acts = rig.server.acts();
    acts.into_iter()
        .filter(|act| *act >= Act::LoginPrepare)
        .collect()
}

#[test]
fn a_dead_session_is_renewed_once_and_the_next_pass_goes_on() {
    let mut rig = with_password();
    rig.server.world().session_alive = false;
    let report = rig.pass();
    assert_eq!(report.stop, Stop::LoggedInAgain);
    assert_eq!(report.exit_code(), ExitCode::TempFail);
    assert_eq!(rig.server.acts()[1..], SEQUENCE);
    let hold = rig.holds().pop().unwrap();
    assert_eq!(hold.reason, HoldReason::LoginRequired);
    assert_eq!(hold.cleared_by.as_deref(), Some("relogin"));
    rig.later(HOUR);
    assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
    assert_eq!(rig.server.likes_of(100), 1);
    assert_eq!(logins(&rig), SEQUENCE);
}

#[test]
fn a_second_death_within_a_day_waits_for_a_person() {
    let mut rig = with_password();
    rig.server.world().session_alive = false;
    rig.pass();
    rig.later(23 * HOUR);
    rig.server.world().session_alive = false;
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.server.count(Act::LoginPassword), 1);
    rig.later(30 * DAY);
    rig.pass();
    assert_eq!(rig.server.count(Act::LoginPassword), 1);
}

#[test]
fn a_login_waits_for_an_answer_that_tells_the_time() {
    for (dated, ahead) in [
        (false, 25 * HOUR),
        (false, Duration::ZERO),
        (true, Duration::ZERO),
    ] {
        let mut rig = with_password();
        rig.config.limits.logins = limits(&["1/24h"]);
        rig.server.world().session_alive = false;
        assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
        rig.later(if dated { 25 * HOUR } else { 2 * HOUR });
        rig.clock
            .set_ahead(i64::try_from(ahead.as_millis()).unwrap());
        rig.server.world().session_alive = false;
        for act in [Act::CurrentUser, Act::Stories, Act::UserByName] {
            if !dated {
                rig.server.befall(act, Odd::Undated);
            }
        }
        let before = logins(&rig).len();
        let report = rig.check_all();
        let sent = logins(&rig).len() - before;
        if dated {
            assert_eq!(report.stop, Stop::LoggedInAgain);
            continue;
        }
        assert_eq!(sent, 0, "nothing of a login leaves");
        assert_eq!(report.exit_code(), ExitCode::NoPerm);
        let said = report.stop.sentence();
        assert!(said.contains("has told the time"), "{said}");
    }
}

#[test]
fn why_no_login_followed_is_told_with_the_moment_it_fits_again() {
    let mut rig = with_password();
    rig.server.world().session_alive = false;
    rig.pass();
    rig.later(23 * HOUR);
    rig.server.world().session_alive = false;
    let said = rig.pass().stop.sentence();
    assert!(
        said.contains("once a day, and the last was at 2026-11-20T18:0"),
        "{said}"
    );

    let mut rig = with_password();
    rig.config.limits.logins = limits(&["1/7d"]);
    rig.server.world().session_alive = false;
    rig.pass();
    rig.later(25 * HOUR);
    rig.server.world().session_alive = false;
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.server.count(Act::LoginPassword), 1);
    let said = report.stop.sentence();
    let room = "limits.logins 1/7d is full (1 used); there is room again at 2026-11-27T18:0";
    assert!(said.contains(room), "{said}");
}

#[test]
fn a_death_after_more_than_a_day_is_renewed_again() {
    let mut rig = with_password();
    for _ in 0..2 {
        rig.server.world().session_alive = false;
        assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
        rig.later(25 * HOUR);
    }
    assert_eq!(rig.server.count(Act::LoginPassword), 2);
}

#[test]
fn the_password_is_submitted_once_whatever_comes_back() {
    for trouble in [
        Trouble::Unsent,
        Trouble::Broken(Applied::No),
        Trouble::TimedOut(Applied::Now),
        Trouble::ServerError(Applied::No),
        Trouble::Objection(HoldReason::LoginRefused, None),
        Trouble::Objection(HoldReason::Challenge, None),
        Trouble::Objection(HoldReason::Throttled, None),
        Trouble::Incomplete(Applied::No),
    ] {
        for act in SEQUENCE {
            let mut rig = with_password();
            rig.server.world().session_alive = false;
            rig.server.fail(act, trouble);
            let report = rig.pass();
            assert_eq!(report.exit_code(), ExitCode::NoPerm, "{trouble:?} {act:?}");
            assert!(rig.server.count(act) <= 1);
            let sent = rig.mark();
            rig.later(2 * DAY);
            rig.pass();
            assert_eq!(rig.mark(), sent, "{trouble:?} {act:?}");
        }
    }
}

#[test]
fn the_code_is_that_of_the_platform_s_time_not_of_a_clock_that_is_off() {
    for ahead in [-240_000, 240_000] {
        let mut rig = with_password();
        rig.server.world().second_factor = true;
        rig.code = Some("123456");
        rig.server.world().session_alive = false;
        rig.clock.set_ahead(ahead);
        assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
        let asked_at = rig.code_asked_at.unwrap();
        assert!(
            asked_at.distance(rig.clock.server()) < MINUTE / 4,
            "{ahead}: {asked_at}"
        );
    }
}

#[test]
fn the_code_of_the_authenticator_app_is_submitted_once() {
    let mut rig = with_password();
    rig.server.world().second_factor = true;
    rig.code = Some("123456");
    rig.server.world().session_alive = false;
    assert_eq!(rig.pass().stop, Stop::LoggedInAgain);
    assert_eq!((rig.server.count(Act::LoginCode), rig.codes_asked), (1, 1));

    let mut rig = with_password();
    rig.server.world().second_factor = true;
    rig.code = Some("123456");
    rig.server.world().session_alive = false;
    rig.server.fail(
        Act::LoginCode,
        Trouble::Objection(HoldReason::LoginRefused, None),
    );
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.server.count(Act::LoginCode), 1);
}

#[test]
fn without_an_authenticator_app_a_second_factor_waits_for_a_person() {
    let mut rig = with_password();
    rig.server.world().second_factor = true;
    rig.server.world().session_alive = false;
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(rig.server.count(Act::LoginCode), 0);
    assert!(
        rig.holds()
            .iter()
            .any(|hold| hold.reason == HoldReason::LoginRefused)
    );
}

#[test]
fn nothing_but_login_required_leads_to_a_login() {
    for reason in HoldReason::ALL {
        if matches!(reason, HoldReason::LoginRequired) {
            continue;
        }
        let mut rig = with_password();
        rig.server
            .fail(Act::Stories, Trouble::Objection(reason, None));
        rig.pass();
        assert_eq!(logins(&rig), [], "{reason:?}");
    }
}

#[test]
fn no_login_is_made_where_it_is_not_allowed() {
    let mut rig = with_password();
    rig.config.session.relogin = false;
    rig.server.world().session_alive = false;
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(logins(&rig), []);

    let mut rig = with_password();
    rig.server.world().session_alive = false;
    assert_eq!(rig.dry_run().exit_code(), ExitCode::NoPerm);
    assert_eq!(logins(&rig), []);

    let mut rig = with_password();
    rig.config.limits.requests = limits(&["3/1h"]);
    rig.server.world().session_alive = false;
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(logins(&rig), []);
}

#[test]
fn no_login_is_begun_that_quiet_hours_or_the_time_budget_would_cut_off() {
    let mut rig = with_password();
    rig.config.limits.max_runtime = MINUTE;
    rig.server.world().session_alive = false;
    assert_eq!(rig.pass().exit_code(), ExitCode::NoPerm);
    assert_eq!(logins(&rig), []);

    let mut rig = with_password();
    rig.server.world().session_alive = false;
    rig.config.quiet_hours = Some(QuietHours {
        from: jiff::civil::time(18, 0, 10, 0),
        to: jiff::civil::time(19, 0, 0, 0),
    });
    rig.server
        .fail(Act::UserByName, Trouble::TimedOut(Applied::No));
    rig.pass();
    assert_eq!(logins(&rig), []);
}

#[test]
fn the_steps_of_a_login_keep_the_distance() {
    let mut rig = with_password();
    rig.server.world().session_alive = false;
    rig.pass();
    let world = rig.server.look();
    for pair in world.record.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap >= rig.config.pace.between_requests.min, "{pair:?}");
    }
}

#[test]
fn a_new_session_of_someone_else_is_not_taken() {
    let mut rig = with_password();
    rig.server.world().session_alive = false;
    rig.server.world().me = 666;
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::Config);
    assert_eq!(rig.store.inner.account().unwrap().session, None);
}

#[test]
fn a_session_nobody_proved_is_proved_before_anything_else() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.bring_session();
    rig.pass();
    assert_eq!(rig.server.acts()[0], Act::CurrentUser);
    assert_eq!(rig.server.count(Act::CurrentUser), 1);

    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    rig.bring_session();
    rig.server.world().me = 666;
    let report = rig.pass();
    assert_eq!(report.exit_code(), ExitCode::Config);
    assert_eq!(rig.server.acts(), [Act::CurrentUser]);
}

#[test]
fn without_a_session_nothing_is_sent() {
    let mut rig = Rig::new(&["anna"]);
    rig.apply(&[story_liker::ports::Change::SessionDead]);
    let report = rig.pass();
    assert!(matches!(report.stop, Stop::NoSession { .. }));
    assert_eq!((report.exit_code(), rig.mark()), (ExitCode::NoPerm, 0));
}

#[test]
fn the_proof_of_life_is_asked_for_only_when_nothing_else_is_read() {
    let mut rig = Rig::new(&["anna"]).acquainted();
    rig.config.stories.check_every = 30 * DAY;
    rig.config.posts.check_every = 30 * DAY;
    rig.pass();
    assert_eq!(
        rig.server.acts(),
        [],
        "proved by first contact nine hours ago"
    );
    rig.later(4 * HOUR);
    rig.pass();
    assert_eq!(rig.server.acts(), [Act::CurrentUser]);
    rig.later(HOUR);
    rig.pass();
    assert_eq!(rig.server.acts(), [Act::CurrentUser]);
    rig.later(13 * HOUR);
    rig.check_all();
    assert_eq!(
        rig.server.count(Act::CurrentUser),
        1,
        "the listings are proof enough"
    );
}

#[test]
fn the_state_of_the_session_is_saved_with_every_reply() {
    let mut rig = Rig::new(&["anna"]);
    rig.story("anna", 100);
    for trouble in [None, Some(Trouble::Objection(HoldReason::Throttled, None))] {
        if let Some(trouble) = trouble {
            rig.server.fail(Act::Posts, trouble);
        }
        rig.check_all();
        let version = rig.server.look().version;
        let session = rig.store.inner.account().unwrap().session.unwrap();
        assert_eq!(session.json.expose(), format!("{{\"version\":{version}}}"));
    }
}

/// A person's own `login`.
fn by_hand(rig: &mut Rig, codes: &mut dyn CodeSource) -> LoginEnd {
    let account = rig.store.inner.account().unwrap();
    let mut platform = rig.server.connect(None);
    let ports = Ports {
        platform: &mut platform,
        store: &mut rig.store,
        clock: &rig.clock,
        waiting: &mut Nobody,
    };
    let mut actor = Actor::new(ports, &rig.config, 1, None, false).unwrap();
    let credentials = Credentials {
        username: "operator",
        password: &Secret::new("secret"),
    };
    log_in(&mut actor, &account, &credentials, codes, "login")
}

fn no_code(_: &SecondFactor, _: Timestamp) -> Result<Secret, String> {
    Err("no authenticator app is configured".to_owned())
}

#[test]
fn a_login_by_hand_ends_with_what_the_platform_objected() {
    for (act, reason) in [
        (Act::LoginPrepare, HoldReason::Throttled),
        (Act::LoginPassword, HoldReason::LoginRefused),
        (Act::LoginPassword, HoldReason::Challenge),
    ] {
        let mut rig = Rig::new(&["anna"]);
        rig.server.fail(act, Trouble::Objection(reason, None));
        let end = by_hand(&mut rig, &mut no_code);
        assert!(
            matches!(&end, LoginEnd::Stop(Stop::Objected(by)) if by.reason == reason),
            "{end:?}"
        );
        assert_eq!(rig.holds()[0].reason, reason);
    }
}

#[test]
fn a_login_by_hand_submits_the_code_it_is_given() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().second_factor = true;
    let mut asked = 0;
    let mut code = |_: &SecondFactor, _| {
        asked += 1;
        Ok(Secret::new("123456"))
    };
    let end = by_hand(&mut rig, &mut code);
    assert!(matches!(end, LoginEnd::LoggedIn(_)), "{end:?}");
    assert_eq!((asked, rig.server.count(Act::LoginCode)), (1, 1));
    assert_eq!(rig.server.look().code_submitted.as_deref(), Some("123456"));
}

#[test]
fn the_machine_id_of_a_login_is_kept_however_it_ends() {
    let refused = Trouble::Objection(HoldReason::LoginRefused, None);
    for (act, trouble) in [
        (Act::LoginPrepare, refused),
        (Act::LoginKey, Trouble::TimedOut(Applied::No)),
        (Act::LoginPassword, refused),
        (Act::LoginPassword, Trouble::Unsent),
        (Act::LoginCode, refused),
    ] {
        let mut rig = Rig::new(&["anna"]);
        rig.server.world().names_machines = true;
        rig.server.world().second_factor = true;
        rig.server.fail(act, trouble);
        let mut code = |_: &SecondFactor, _| Ok(Secret::new("123456"));
        let end = by_hand(&mut rig, &mut code);
        assert!(matches!(&end, LoginEnd::Stop(_)), "{end:?}");
        assert_eq!(kept_device(&mut rig), MARKED_DEVICE, "{act:?} {trouble:?}");
    }

    let mut rig = Rig::new(&["anna"]);
    rig.server.world().names_machines = true;
    rig.server.world().second_factor = true;
    by_hand(&mut rig, &mut no_code);
    assert_eq!(kept_device(&mut rig), MARKED_DEVICE, "a person is needed");

    let mut rig = Rig::new(&["anna"]);
    rig.server.world().names_machines = true;
    rig.server.world().me = MYSELF + 1;
    by_hand(&mut rig, &mut no_code);
    assert_eq!(kept_device(&mut rig), MARKED_DEVICE, "another account");
}

fn kept_device(rig: &mut Rig) -> String {
    rig.store.inner.account().unwrap().device.unwrap().json
}

#[test]
fn a_login_that_brings_no_session_is_not_taken_for_one() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().keeps_sessions = true;
    let end = by_hand(&mut rig, &mut no_code);
    assert!(
        matches!(
            &end,
            LoginEnd::Stop(Stop::Store {
                code: ExitCode::Software,
                ..
            })
        ),
        "{end:?}"
    );
    assert_eq!(rig.server.count(Act::LoginPassword), 1);
}

#[test]
fn a_session_proved_exactly_as_long_ago_as_it_is_kept_alive_is_not_asked_for() {
    let mut rig = Rig::new(&[]);
    rig.later(rig.config.session.keep_alive);
    rig.pass();
    assert_eq!(rig.server.acts(), []);
    rig.later(Duration::from_millis(1));
    rig.pass();
    assert_eq!(rig.server.acts(), [Act::CurrentUser]);
}

#[test]
fn a_login_into_another_account_changes_nothing() {
    let mut rig = Rig::new(&["anna"]);
    rig.server.world().me = MYSELF + 1;
    let before = rig.store.inner.account().unwrap();
    let end = by_hand(&mut rig, &mut no_code);
    assert!(
        matches!(end, LoginEnd::Stop(Stop::WrongAccount { .. })),
        "{end:?}"
    );
    assert_eq!(rig.store.inner.account().unwrap().session, before.session);

    let mut rig = Rig::new(&[]);
    rig.server.world().me = MYSELF + 1;
    rig.later(DAY);
    let report = rig.pass();
    assert_eq!(rig.server.acts(), [Act::CurrentUser]);
    assert!(matches!(report.stop, Stop::WrongAccount { .. }));
}

#[test]
fn a_new_session_clears_the_open_holds_about_the_old_one_and_no_other() {
    let hold = |id, reason, cleared_at| Hold {
        id: HoldId(id),
        since: START,
        reason,
        until: None,
        message: String::new(),
        attempt: None,
        cleared_at,
        cleared_by: None,
    };
    let holds = [
        hold(1, HoldReason::LoggedOut, None),
        hold(2, HoldReason::Challenge, None),
        hold(3, HoldReason::LoginRequired, Some(START)),
    ];
    let cleared = session_holds_cleared(&holds, START.plus(HOUR), "login");
    let [Change::HoldCleared { hold, by }] = &cleared[..] else {
        panic!("{cleared:?}");
    };
    assert_eq!((*hold, *by), (HoldId(1), "login"));
}
