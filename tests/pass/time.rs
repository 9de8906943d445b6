//! Clocks that are wrong, jump or stop, and signals.

use std::time::Duration;

use story_liker::engage::{Actor, Ports, Stop, Watch};
use story_liker::exit::ExitCode;
use story_liker::model::Timestamp;
use story_liker::ports::{Interrupt, Store};

use crate::world::*;

fn busy() -> Rig {
    let mut rig = Rig::new(&["anna"]);
    rig.config.targets[0].posts = false;
    rig.config.limits.likes_per_target_per_run = 9;
    for media in 100..106 {
        rig.story("anna", media);
    }
    rig
}

#[test]
fn a_clock_more_than_five_minutes_off_writes_and_prunes_nothing() {
    for ahead in [-310_000, 310_000, -90_000_000, 90_000_000] {
        let mut rig = busy();
        rig.clock.set_ahead(ahead);
        let report = rig.pass();
        assert!(matches!(report.stop, Stop::ClockOff { .. }), "{ahead}");
        assert_eq!(report.exit_code(), ExitCode::TempFail);
        assert_eq!(rig.mark(), 1, "one read told the difference");
        assert!(!rig.store.calls.contains(&"prune"));
        assert!(
            report.stop.sentence().contains("Instagram's by"),
            "{}",
            report.stop.sentence()
        );
    }
}

#[test]
fn a_date_more_than_five_minutes_off_is_the_same() {
    for off in [-310, 310] {
        let mut rig = busy();
        rig.server.world().date = Some(off);
        assert!(matches!(rig.pass().stop, Stop::ClockOff { .. }));
        assert_eq!(
            (rig.server.count(Act::View), rig.server.count(Act::Like)),
            (0, 0)
        );
    }
}

#[test]
fn a_clock_within_five_minutes_is_corrected_and_worked_with() {
    for ahead in [-290_000, 290_000] {
        let mut rig = busy();
        rig.config.limits.likes = limits(&["3/1h"]);
        rig.clock.set_ahead(ahead);
        assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
        assert_eq!(rig.server.count(Act::Like), 3);
        rig.clock.set_ahead(-ahead);
        let first = rig
            .server
            .look()
            .record
            .iter()
            .find(|entry| entry.act == Act::Like)
            .unwrap()
            .at;
        let now = rig.clock.server();
        rig.later(first.plus(57 * MINUTE).since(now));
        rig.check_all();
        assert_eq!(rig.server.count(Act::Like), 3, "{ahead}");
    }
}

#[test]
fn a_reply_without_a_date_undoes_no_correction() {
    for ahead in [-240_000, 240_000] {
        let rig = busy();
        rig.clock.set_ahead(ahead);
        let mut watch = Watch::new(&rig.clock);
        watch.answered(watch.sending(), Some(rig.clock.server()));
        watch.answered(watch.sending(), None);
        let off = watch.now().distance(rig.clock.server());
        assert!(off <= Duration::from_secs(1), "{off:?}");
    }
}

#[test]
fn a_date_tells_nothing_of_a_sleep_that_came_after_it() {
    let rig = busy();
    let mut watch = Watch::new(&rig.clock);
    let sent = watch.sending();
    let date = rig.clock.server();
    // The answer waits for a machine that sleeps, not long enough for the pass to end.
    rig.clock.schedule(
        Duration::from_secs(1),
        Event::Suspend(Duration::from_secs(55)),
    );
    rig.clock.spend(Duration::from_secs(2));
    watch.answered(sent, Some(date));
    assert!(watch.latest() >= rig.clock.server(), "{}", watch.latest());
}

#[test]
fn without_a_date_the_local_clock_is_believed() {
    let mut rig = busy();
    rig.server.world().date = None;
    assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
    assert_eq!(rig.server.count(Act::Like), 6);
}

#[test]
fn a_step_or_suspend_of_more_than_a_minute_ends_the_pass() {
    let asleep = Event::Suspend(Duration::from_secs(61));
    // During a pause, and while a request is under way.
    for after in [Duration::from_secs(4), Duration::from_millis(100)] {
        for event in [
            Event::Step(61_000),
            Event::Step(-61_000),
            asleep,
            Event::Step(-9_000_000),
        ] {
            let mut rig = busy();
            rig.clock.schedule(after, event);
            let report = rig.pass();
            assert!(
                matches!(report.stop, Stop::ClockJumped { .. }),
                "{event:?} {:?}",
                report.stop
            );
            assert_eq!(report.exit_code(), ExitCode::TempFail);
            assert_eq!(rig.mark(), 1);
            assert!(!rig.store.calls.contains(&"prune"));
        }
    }
}

#[test]
fn a_smaller_step_moves_nothing() {
    let times = |event: Option<Event>| {
        let mut rig = busy();
        rig.server.world().date = None;
        if let Some(event) = event {
            rig.clock.schedule(Duration::from_secs(50), event);
        }
        assert_eq!(rig.pass().exit_code(), ExitCode::Ok);
        let times: Vec<Timestamp> = rig
            .server
            .look()
            .record
            .iter()
            .map(|entry| entry.at)
            .collect();
        times
    };
    let undisturbed = times(None);
    assert_eq!(times(Some(Event::Step(-59_000))), undisturbed);
    let stepped = times(Some(Event::Step(59_000)));
    assert_eq!(stepped.len(), undisturbed.len());
    assert!(stepped.iter().zip(&undisturbed).all(|(a, b)| a >= b));
}

#[test]
fn no_clock_however_wrong_breaks_the_program() {
    for ahead in [
        i64::MIN,
        -i64::MAX / 2,
        -1_795_197_600_000,
        i64::MAX / 2,
        i64::MAX,
    ] {
        for date in [Some(0), None] {
            let mut rig = busy();
            rig.server.world().date = date;
            rig.clock.set_ahead(ahead);
            let report = rig.pass();
            assert_ne!(
                report.exit_code(),
                ExitCode::Software,
                "{ahead}: {:?}",
                report.stop
            );
            rig.clock.set_ahead(0);
            rig.later(HOUR);
            let report = rig.pass();
            assert_ne!(
                report.exit_code(),
                ExitCode::Software,
                "{ahead}: {:?}",
                report.stop
            );
        }
    }
}

#[test]
fn a_signal_ends_the_pause_and_the_pass() {
    for (signal, code) in [
        (Interrupt::Term, ExitCode::Ok),
        (Interrupt::Int, ExitCode::Interrupted),
    ] {
        let mut rig = busy();
        rig.clock
            .schedule(Duration::from_secs(4), Event::Signal(signal));
        let before = rig.clock.server();
        let report = rig.pass();
        assert_eq!(report.stop, Stop::Interrupted(signal));
        assert_eq!(report.exit_code(), code);
        assert_eq!(rig.clock.server().since(before), Duration::from_secs(4));
        assert_eq!(rig.mark(), 1);
    }
}

#[test]
fn a_request_under_way_is_settled_before_a_signal_ends_the_pass() {
    let mut rig = busy();
    rig.clock
        .schedule(Duration::from_millis(200), Event::Signal(Interrupt::Term));
    rig.pass();
    assert_eq!(rig.outcomes(), [("read".to_owned(), Some("ok".to_owned()))]);
    assert_eq!(rig.store.calls.last(), Some(&"end_run"));
}

#[test]
fn no_write_is_sent_before_a_reply_was_read() {
    let mut rig = busy();
    rig.config.limits.likes_per_target_per_run = 2;
    rig.pass();
    for minutes in [20, 20] {
        rig.later(minutes * MINUTE);
        let from = rig.mark();
        rig.pass();
        let acts = rig.server.acts().split_off(from);
        assert_eq!(acts[..2], [Act::CurrentUser, Act::View]);
    }
    rig.later(20 * MINUTE);
    rig.story("anna", 110);
    rig.clock.set_ahead(90_000_000);
    let from = rig.mark();
    rig.pass();
    assert!(rig.server.acts()[from..].iter().all(|act| *act < Act::View));
}

#[test]
fn a_proof_by_itself_keeps_the_distance_to_the_last_request() {
    let mut rig = busy();
    rig.pass();
    let last = rig.server.look().record.last().unwrap().at;
    let mut platform = rig.server.connect(None);
    let ports = Ports {
        platform: &mut platform,
        store: &mut rig.store,
        clock: &rig.clock,
        waiting: &mut Nobody,
    };
    let mut actor = Actor::new(ports, &rig.config, 1, None, false).unwrap();
    assert_eq!(actor.pause_before_proof(), None);
    assert!(rig.clock.server().since(last) >= rig.config.pace.between_requests.min);
}

#[test]
fn a_proof_of_life_keeps_the_distance_and_waits_for_no_room() {
    let mut rig = Rig::new(&[]);
    rig.config.session.keep_alive = Duration::ZERO;
    rig.later(MINUTE);
    rig.pass();
    rig.later(Duration::from_secs(1));
    rig.pass();
    let times: Vec<Timestamp> = rig.server.look().record.iter().map(|e| e.at).collect();
    assert_eq!(rig.server.acts(), [Act::CurrentUser; 2]);
    assert!(times[1].since(times[0]) >= rig.config.pace.between_requests.min);
    rig.later(Duration::from_secs(1));
    rig.config.limits.requests = limits(&["2/1h"]);
    let before = rig.clock.server();
    let report = rig.pass();
    assert!(matches!(report.stop, Stop::WindowFull { .. }));
    assert_eq!(rig.mark(), 2);
    assert_eq!(
        rig.clock.server(),
        before,
        "no pause before what is refused"
    );
}

#[test]
fn a_drift_of_exactly_a_minute_is_no_jump_yet() {
    for (millis, jumped) in [
        (60_000, None),
        (-60_000, None),
        (60_001, Some(60_001)),
        (-60_001, Some(-60_001)),
    ] {
        let clock = TestClock::at(START);
        let watch = Watch::new(&clock);
        clock.set_ahead(millis);
        assert_eq!(watch.jumped(), jumped);
    }
}

#[test]
fn no_row_stands_before_the_server_got_its_request_however_the_machine_slept() {
    let mut rig = busy();
    rig.server.world().date = None;
    // While the first request is on its way.
    let asleep = Duration::from_secs(50);
    rig.clock
        .schedule(Duration::from_millis(100), Event::Suspend(asleep));
    rig.pass();
    let rows = rig.store.inner.attempts(START.minus(DAY)).unwrap();
    let world = rig.server.look();
    assert_eq!(rows.len(), world.record.len());
    for (row, entry) in rows.iter().zip(&world.record) {
        assert!(row.settled_at.unwrap() >= entry.at, "{row:?} {entry:?}");
    }
}

/// What is drawn after a request depends on its target alone, so a target more or less moves nobody
/// else's pauses.
#[test]
fn every_pause_is_drawn_from_the_stream_of_the_target_just_asked() {
    let pauses = |name: &str| -> Vec<(Act, Duration)> {
        let mut rig = Rig::new(&[name]);
        rig.config.first_contact.like_posts = true;
        rig.story(name, 100);
        rig.post(name, 200);
        rig.pass();
        let world = rig.server.look();
        let pairs = world.record.windows(2);
        pairs
            .map(|pair| (pair[0].act, pair[1].at.since(pair[0].at)))
            .collect()
    };
    let (anna, berta) = (pauses("anna"), pauses("berta"));
    let acts: Vec<Act> = anna.iter().map(|(act, _)| *act).collect();
    assert_eq!(
        acts,
        [
            Act::UserByName,
            Act::Stories,
            Act::View,
            Act::Like,
            Act::Posts
        ]
    );
    assert_eq!(anna, pauses("anna"));
    for (one, other) in anna.iter().zip(&berta) {
        assert_eq!(one.0, other.0);
        assert_ne!(one.1, other.1, "{:?}", one.0);
    }
}
