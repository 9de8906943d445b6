//! Claim before act, for every kind of request: whatever the server got is on record, wherever the
//! process is killed.

use story_liker::model::{AttemptKind, Secret, Timestamp};
use story_liker::ports::Store;

use crate::world::*;

const KINDS: [AttemptKind; 5] = AttemptKind::ALL;

fn kind_of(act: Act) -> AttemptKind {
    match act {
        Act::View => AttemptKind::StoryView,
        Act::Like => AttemptKind::Like,
        Act::LoginPassword => AttemptKind::Login,
        Act::LoginCode => AttemptKind::LoginCode,
        _ => AttemptKind::Read,
    }
}

/// A pass that reads, views and likes.
fn that_likes() -> Rig {
    let rig = Rig::in_memory(&["anna"]);
    rig.story("anna", 100);
    rig.story("anna", 101);
    rig
}

/// A pass that meets a dead session and logs in again, with a second factor.
fn that_logs_in() -> Rig {
    let mut rig = that_likes();
    rig.config.session.relogin = true;
    rig.config.account.username = Some("operator".to_owned());
    rig.config.account.password = Some(Secret::new("secret"));
    rig.code = Some("123456");
    let mut world = rig.server.world();
    world.second_factor = true;
    world.session_alive = false;
    drop(world);
    rig
}

#[test]
fn every_kind_of_request_is_on_record_before_it_leaves() {
    let mut sent_at_all = [false; KINDS.len()];
    for start in [that_likes, that_logs_in] {
        let mut whole = start();
        whole.pass();
        for call in 0..whole.store.calls.len() {
            let mut rig = start();
            rig.plan = Some(Plan {
                call,
                when: When::Before,
                failure: Failure::Crash,
            });
            rig.pass();
            let since = Timestamp::from_millis(i64::MIN);
            let on_record = rig.store.inner.attempts(since).unwrap();
            for (kind, sent_at_all) in KINDS.into_iter().zip(&mut sent_at_all) {
                let acts = rig.server.acts();
                let sent = acts.iter().filter(|act| kind_of(**act) == kind).count();
                let claimed = on_record.iter().filter(|row| row.kind == kind).count();
                assert!(
                    sent <= claimed,
                    "killed before {} (call {call}): {sent} of kind {} left, {claimed} on record",
                    whole.store.calls[call],
                    kind.as_str()
                );
                *sent_at_all |= sent > 0;
            }
        }
    }
    assert_eq!(sent_at_all, [true; KINDS.len()], "every kind was tried");
}
