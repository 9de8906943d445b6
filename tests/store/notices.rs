//! What changed between well and not: noticed once, in its order, whatever came before.

use story_liker::model::{
    Channel, HoldReason, NoticeKind, Outcome, Pk, RunId, Secret, Session, Timestamp, Verdict,
};
use story_liker::ports::{Change, Myself, Retention, RunEnd, Store};
use story_liker::store::Writer;

use crate::support::*;

use NoticeKind::{Failure, HoldAppeared, HoldCleared, Recovery, SessionBack, SessionLost};

/// A profile with a session that was proved, whose passes tell by an address.
fn told() -> Writer {
    let mut store = Writer::in_memory(&story_liker::model::ProfileName::default()).unwrap();
    store.tell_by(&[Channel::Url]);
    bring_session(&mut store, START);
    store
}

fn bring_session(store: &mut Writer, at: Timestamp) {
    let pk: Pk = pk(71);
    let session = Session {
        pk,
        json: Secret::new("{}"),
    };
    let myself = Myself {
        pk,
        username: "operator".to_owned(),
    };
    store
        .apply(
            &[
                Change::SessionObtained { session, at },
                Change::Proved { myself, at },
            ],
            at,
        )
        .unwrap();
}

/// A pass that ends at minute `minute` of the story.
fn pass(store: &mut Writer, minute: u32, verdict: Verdict) -> RunId {
    let now = at(minute);
    let run = store.begin_run("run", 1, now).unwrap();
    let end = RunEnd {
        stop: "it ended so".to_owned(),
        trouble: None,
        exit_code: 69,
        verdict,
        requests: 1,
        likes: 0,
        report: "{}".to_owned(),
    };
    store.end_run(run, &end, now).unwrap();
    run
}

fn at(minute: u32) -> Timestamp {
    START.plus(MINUTE * minute)
}

fn challenge(store: &mut Writer, minute: u32) -> story_liker::model::HoldId {
    let new = hold(HoldReason::Challenge, None);
    store.add_hold(&new, at(minute)).unwrap()
}

fn clear(store: &mut Writer, hold: story_liker::model::HoldId, minute: u32) {
    let change = Change::HoldCleared { hold, by: "resume" };
    store.apply(&[change], at(minute)).unwrap();
}

fn noticed(store: &mut Writer) -> Vec<NoticeKind> {
    let all = store.undelivered(Channel::Url, 1000).unwrap();
    all.iter().map(|one| one.notice.kind).collect()
}

fn words(store: &mut Writer) -> Vec<String> {
    let all = store.undelivered(Channel::Url, 1000).unwrap();
    all.into_iter().map(|one| one.notice.message).collect()
}

#[test]
fn a_failure_and_its_end_are_told_once_each() {
    use Verdict::{Failed, Neither, Worked};
    let mut store = told();
    let story = [
        Worked, Neither, Failed, Failed, Neither, Failed, Worked, Worked, Neither, Failed, Worked,
    ];
    for (minute, verdict) in story.into_iter().enumerate() {
        pass(&mut store, u32::try_from(minute).unwrap(), verdict);
    }
    let told = noticed(&mut store);
    assert_eq!(told, [Failure, Recovery, Failure, Recovery]);
    let words = words(&mut store);
    assert_eq!(words[0], "it ended so");
    assert_eq!(words[1], "the first pass that works again: it ended so");
}

#[test]
fn the_first_pass_of_all_may_fail() {
    let mut store = told();
    pass(&mut store, 1, Verdict::Failed);
    assert_eq!(noticed(&mut store), [Failure]);
}

#[test]
fn a_hold_for_a_person_is_told_in_place_of_the_failure_it_is() {
    let mut store = told();
    let hold = challenge(&mut store, 1);
    for minute in 1..4 {
        pass(&mut store, minute, Verdict::Failed);
    }
    assert_eq!(noticed(&mut store), [HoldAppeared]);
    clear(&mut store, hold, 5);
    pass(&mut store, 6, Verdict::Worked);
    pass(&mut store, 7, Verdict::Worked);
    let told = noticed(&mut store);
    assert_eq!(told, [HoldAppeared, HoldCleared, Recovery]);
}

#[test]
fn a_hold_after_another_failure_is_told_as_well() {
    let mut store = told();
    pass(&mut store, 1, Verdict::Failed);
    challenge(&mut store, 2);
    pass(&mut store, 2, Verdict::Failed);
    assert_eq!(noticed(&mut store), [Failure, HoldAppeared]);
}

#[test]
fn a_failure_of_another_kind_after_a_person_cleared_the_hold_is_told() {
    let mut store = told();
    let hold = challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    clear(&mut store, hold, 2);
    pass(&mut store, 3, Verdict::Failed);
    pass(&mut store, 4, Verdict::Failed);
    pass(&mut store, 5, Verdict::Worked);
    let told = noticed(&mut store);
    assert_eq!(told, [HoldAppeared, HoldCleared, Failure, Recovery]);
}

#[test]
fn a_hold_that_comes_back_after_it_was_cleared_is_told_again() {
    let mut store = told();
    let first = challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    clear(&mut store, first, 2);
    challenge(&mut store, 3);
    pass(&mut store, 3, Verdict::Failed);
    let told = noticed(&mut store);
    assert_eq!(told, [HoldAppeared, HoldCleared, HoldAppeared]);
}

#[test]
fn a_hold_that_ends_by_itself_is_not_told() {
    let mut store = told();
    let timed = hold(HoldReason::ActionBlocked, Some(at(90)));
    store.add_hold(&timed, at(1)).unwrap();
    pass(&mut store, 1, Verdict::Neither);
    pass(&mut store, 100, Verdict::Worked);
    assert_eq!(noticed(&mut store), []);
}

#[test]
fn a_lost_session_is_told_once_and_is_back_when_it_was_proved() {
    let mut store = told();
    store.apply(&[Change::SessionDead], at(1)).unwrap();
    let dead = hold(HoldReason::LoginRequired, None);
    let dead = store.add_hold(&dead, at(1)).unwrap();
    pass(&mut store, 1, Verdict::Failed);
    pass(&mut store, 2, Verdict::Failed);
    assert_eq!(noticed(&mut store), [SessionLost]);
    // Cleared by hand, but there is still no session.
    clear(&mut store, dead, 3);
    pass(&mut store, 3, Verdict::Failed);
    assert_eq!(noticed(&mut store), [SessionLost]);
    let session = Session {
        pk: pk(71),
        json: Secret::new("{}"),
    };
    let unproved = Change::SessionObtained { session, at: at(4) };
    store.apply(&[unproved], at(4)).unwrap();
    pass(&mut store, 4, Verdict::Neither);
    assert_eq!(noticed(&mut store), [SessionLost]);
    bring_session(&mut store, at(5));
    pass(&mut store, 5, Verdict::Worked);
    assert_eq!(noticed(&mut store), [SessionLost, SessionBack, Recovery]);
    let back = "there is a session again, and Instagram answers it";
    assert_eq!(words(&mut store)[1], back);
    store.apply(&[Change::SessionDead], at(6)).unwrap();
    pass(&mut store, 6, Verdict::Failed);
    let told = noticed(&mut store);
    assert_eq!(told, [SessionLost, SessionBack, Recovery, SessionLost]);
}

/// The passes between had no chance to prove it.
#[test]
fn a_new_session_that_is_lost_before_it_was_proved_is_told_as_well() {
    let mut store = Writer::in_memory(&story_liker::model::ProfileName::default()).unwrap();
    store.tell_by(&[Channel::Url]);
    pass(&mut store, 1, Verdict::Failed);
    assert_eq!(noticed(&mut store), [SessionLost], "none was imported yet");
    for lost in [10, 20] {
        let session = Session {
            pk: pk(71),
            json: Secret::new("{}"),
        };
        let at = at(lost);
        store
            .apply(&[Change::SessionObtained { session, at }], at)
            .unwrap();
        store.apply(&[Change::SessionDead], at).unwrap();
        let dead = hold(HoldReason::LoginRequired, None);
        let dead = store.add_hold(&dead, at).unwrap();
        for minute in lost..lost + 3 {
            pass(&mut store, minute, Verdict::Failed);
        }
        clear(&mut store, dead, lost + 5);
        pass(&mut store, lost + 6, Verdict::Failed);
    }
    let told = noticed(&mut store);
    assert_eq!(told, [SessionLost, SessionLost, SessionLost]);
}

#[test]
fn a_session_that_is_doubted_again_after_a_person_said_go_on_is_told_again() {
    let mut store = told();
    for minute in [1, 10] {
        let doubt = hold(HoldReason::SessionDoubtful, None);
        let doubt = store.add_hold(&doubt, at(minute)).unwrap();
        pass(&mut store, minute, Verdict::Failed);
        pass(&mut store, minute + 1, Verdict::Failed);
        clear(&mut store, doubt, minute + 2);
    }
    assert_eq!(noticed(&mut store), [SessionLost, SessionLost]);
}

#[test]
fn a_session_that_was_renewed_within_the_pass_is_no_change() {
    let mut store = told();
    let dead = hold(HoldReason::LoginRequired, None);
    let dead = store.add_hold(&dead, at(1)).unwrap();
    store.apply(&[Change::SessionDead], at(1)).unwrap();
    bring_session(&mut store, at(1));
    clear(&mut store, dead, 1);
    pass(&mut store, 1, Verdict::Neither);
    assert_eq!(noticed(&mut store), []);
}

#[test]
fn a_long_history_has_nothing_to_tell_but_what_is_so_now() {
    let mut store = told();
    store.tell_by(&[]);
    for minute in 0..20 {
        let hold = challenge(&mut store, minute);
        pass(&mut store, minute, Verdict::Failed);
        clear(&mut store, hold, minute);
        pass(&mut store, minute, Verdict::Worked);
    }
    challenge(&mut store, 30);
    pass(&mut store, 30, Verdict::Failed);
    assert_eq!(noticed(&mut store), [], "nobody wants to be told");
    store.tell_by(&[Channel::Url]);
    pass(&mut store, 31, Verdict::Failed);
    assert_eq!(noticed(&mut store), [HoldAppeared]);
}

#[test]
fn each_way_has_its_own_record_of_what_it_told() {
    let mut store = told();
    store.tell_by(&Channel::ALL);
    challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    let waiting = store.undelivered(Channel::Url, 10).unwrap().remove(0);
    let id = waiting.notice.id;
    let problem = Some("no answer");
    store
        .tried_to_tell(id, Channel::Url, problem, at(2))
        .unwrap();
    store
        .tried_to_tell(id, Channel::Command, None, at(2))
        .unwrap();
    assert_eq!(store.undelivered(Channel::Command, 10).unwrap(), []);
    let waiting = store.undelivered(Channel::Url, 10).unwrap().remove(0);
    assert_eq!(
        (waiting.tries, waiting.tried_at, waiting.problem.as_deref()),
        (1, Some(at(2)), problem)
    );
    assert_eq!(
        store.give_up_telling(Channel::Url, at(1), at(3)).unwrap(),
        0
    );
    assert_eq!(
        store.give_up_telling(Channel::Url, at(2), at(3)).unwrap(),
        1
    );
    assert_eq!(noticed(&mut store), []);
}

#[test]
fn a_way_configured_later_tells_nothing_old() {
    let mut store = told();
    challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    store.tell_by(&Channel::ALL);
    pass(&mut store, 2, Verdict::Failed);
    assert_eq!(store.undelivered(Channel::Command, 10).unwrap(), []);
}

#[test]
fn profiles_in_one_file_are_told_apart() {
    let place = Place::new();
    let mut other = place.open_profile("other").unwrap();
    other.tell_by(&[Channel::Url]);
    let mut store = place.open().unwrap();
    store.tell_by(&[Channel::Url]);
    bring_session(&mut store, START);
    challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    assert_eq!(noticed(&mut other), []);
    assert_eq!(noticed(&mut store), [HoldAppeared]);
    let given_up = other.give_up_telling(Channel::Url, at(9), at(9)).unwrap();
    assert_eq!(given_up, 0);
}

#[test]
fn pruning_forgets_what_was_told_but_no_state() {
    let mut store = told();
    let year = START.plus(DAY * 365);
    act(&mut store, &read(), Outcome::Ok, year);
    let first = challenge(&mut store, 1);
    pass(&mut store, 1, Verdict::Failed);
    clear(&mut store, first, 2);
    pass(&mut store, 2, Verdict::Worked);
    challenge(&mut store, 3);
    pass(&mut store, 3, Verdict::Failed);
    assert_eq!(noticed(&mut store).len(), 4);
    let retention = Retention {
        stories_after: DAY,
        history_keep: 45 * DAY,
    };
    store.prune(&retention, year).unwrap();
    assert_eq!(noticed(&mut store), [HoldAppeared]);
    pass(&mut store, 600_000, Verdict::Failed);
    assert_eq!(noticed(&mut store), [HoldAppeared], "told a year ago");
}
