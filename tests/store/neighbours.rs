//! Two profiles in one file: what the one does changes no row of the other.

use std::collections::BTreeMap;

use rusqlite::Connection;
use story_liker::model::{
    AttemptId, AttemptKind, Channel, Device, HoldId, HoldReason, ItemKind, ItemState, Outcome,
    RunId, Secret, Session, TargetId, TargetTrouble, Verdict,
};
use story_liker::ports::{Change, Myself, Retention, RunEnd, Settlement, Store};
use story_liker::store::Writer;

use crate::support::*;

/// Every row of a profile, table by table.
type Rows = BTreeMap<&'static str, Vec<String>>;

const TABLES: [(&str, &str); 10] = [
    ("account", "id = ?1"),
    ("attempt", "account = ?1"),
    ("hold", "account = ?1"),
    ("notice", "account = ?1"),
    ("post", "account = ?1"),
    ("run", "account = ?1"),
    ("session", "account = ?1"),
    ("story", "account = ?1"),
    ("target", "account = ?1"),
    (
        "delivery",
        "notice IN (SELECT id FROM notice WHERE account = ?1)",
    ),
];

fn rows(place: &Place, profile: &str) -> Rows {
    let sql = Connection::open(place.path()).unwrap();
    let find = "SELECT id FROM account WHERE profile = ?1";
    let account: i64 = sql.query_row(find, [profile], |row| row.get(0)).unwrap();
    let tables = TABLES.into_iter().map(|(table, whose)| {
        let query = format!("SELECT * FROM {table} WHERE {whose}");
        let mut statement = sql.prepare(&query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([account], |row| {
            let values = (0..columns).map(|column| row.get(column));
            let values: Vec<rusqlite::types::Value> = values.collect::<Result<_, _>>()?;
            Ok(format!("{values:?}"))
        });
        (table, rows.unwrap().map(Result::unwrap).collect())
    });
    tables.collect()
}

/// What a profile's calls are about.
#[derive(Clone, Copy)]
struct Ids {
    target: TargetId,
    second_target: TargetId,
    hold: HoldId,
    run: RunId,
    attempt: AttemptId,
}

fn session(of: i64, content: &str) -> Session {
    Session {
        pk: pk(of),
        json: Secret::new(content),
    }
}

fn myself(of: i64, name: &str) -> Myself {
    Myself {
        pk: pk(of),
        username: name.to_owned(),
    }
}

fn device(made: u32) -> Device {
    Device {
        json: format!("{{\"made\":{made}}}"),
    }
}

fn end(verdict: Verdict) -> RunEnd {
    RunEnd {
        stop: "it ended so".to_owned(),
        trouble: Some(HoldReason::Unavailable),
        exit_code: 69,
        verdict,
        requests: 3,
        likes: 1,
        report: "{}".to_owned(),
    }
}

/// A profile that has everything a profile can have, the same for each but the account.
fn furnish(store: &mut Writer, me: i64) -> Ids {
    store.tell_by(&[Channel::Command, Channel::Url]);
    store
        .sync_targets(&[wanted("garden"), wanted("museum")], START)
        .unwrap();
    let targets = store.targets().unwrap();
    let (target, second_target) = (targets[0].id, targets[1].id);
    let gone = Change::TargetTrouble {
        target: second_target,
        trouble: TargetTrouble::Gone,
        count: 1,
        retry_at: START.plus(DAY),
    };
    let changes = [
        Change::Device {
            device: device(1),
            replace: true,
        },
        Change::SessionObtained {
            session: session(me, "{\"old\":1}"),
            at: START,
        },
        Change::Proved {
            myself: myself(me, "operator"),
            at: START,
        },
        Change::Item(item(ItemKind::Story, 1, target)),
        Change::Item(item(ItemKind::Post, 2, target)),
        Change::Item(item(ItemKind::Post, 3, target)),
        gone,
    ];
    store.apply(&changes, START).unwrap();
    let ended = store.begin_run("run", 1, START).unwrap();
    act(store, &read(), Outcome::Ok, START);
    act(store, &like(ItemKind::Post, 3), Outcome::Unknown, START);
    let old = hold(HoldReason::Throttled, Some(START.plus(HOUR)));
    store.add_hold(&old, START).unwrap();
    let open = hold(HoldReason::SessionDoubtful, None);
    let hold = store.add_hold(&open, START).unwrap();
    store.end_run(ended, &end(Verdict::Failed), START).unwrap();
    let run = store.begin_run("run", 2, START).unwrap();
    let claim = story_liker::ports::Claim {
        run: Some(run),
        despite_session_holds: true,
        ..read()
    };
    let now = START.plus(HOUR * 2);
    let attempt = granted(store, &claim, now);
    Ids {
        target,
        second_target,
        hold,
        run,
        attempt,
    }
}

type Call = Box<dyn Fn(&mut Writer, &Ids)>;

/// Every call that may change something, with whether it changes something of a furnished profile.
#[allow(clippy::too_many_lines)] // A list.
fn calls(me: i64) -> Vec<(&'static str, bool, Call)> {
    let later = START.plus(HOUR * 3);
    let far = START.plus(DAY * 200);
    let change = move |name, changes: fn(&Ids, i64) -> Vec<Change>| -> (_, _, Call) {
        let call = move |store: &mut Writer, ids: &Ids| {
            // Of what is not its own a store may refuse to take note.
            let _ = store.apply(&changes(ids, me), later);
        };
        (name, true, Box::new(call))
    };
    let retention = Retention {
        stories_after: DAY,
        history_keep: DAY * 45,
    };
    vec![
        change("Proved", |_, me| {
            vec![Change::Proved {
                myself: myself(me, "renamed"),
                at: START.plus(HOUR),
            }]
        }),
        change("SessionAlive", |_, _| {
            vec![Change::SessionAlive(START.plus(HOUR * 3))]
        }),
        change("SessionObtained", |_, me| {
            vec![Change::SessionObtained {
                session: session(me, "{\"new\":1}"),
                at: START.plus(HOUR),
            }]
        }),
        change("Device", |_, _| {
            vec![Change::Device {
                device: device(2),
                replace: true,
            }]
        }),
        change("TargetResolved", |ids, _| {
            vec![Change::TargetResolved {
                target: ids.target,
                pk: pk(5001),
                username: "garden".to_owned(),
            }]
        }),
        change("TargetResolved to one row", |ids, _| {
            vec![Change::TargetResolved {
                target: ids.second_target,
                pk: pk(5001),
                username: "garden".to_owned(),
            }]
        }),
        change("TargetRenamed", |ids, _| {
            vec![Change::TargetRenamed {
                target: ids.target,
                username: "orchard".to_owned(),
            }]
        }),
        change("TargetTrouble", |ids, _| {
            vec![Change::TargetTrouble {
                target: ids.target,
                trouble: TargetTrouble::Private,
                count: 3,
                retry_at: START.plus(DAY),
            }]
        }),
        change("TargetFine", |ids, _| {
            vec![Change::TargetFine { target: ids.target }]
        }),
        change("Checked", |ids, _| {
            let checked = |kind| Change::Checked {
                target: ids.target,
                kind,
                at: START.plus(HOUR),
            };
            vec![checked(ItemKind::Story), checked(ItemKind::Post)]
        }),
        change("Item", |ids, _| {
            let of = |kind, number| {
                let mut item = item(kind, number, ids.target);
                item.state = ItemState::Observed;
                Change::Item(item)
            };
            vec![of(ItemKind::Story, 1), of(ItemKind::Post, 2)]
        }),
        change("Disproved", |_, _| vec![Change::Disproved { item: pk(3) }]),
        change("HoldCleared", |ids, _| {
            vec![Change::HoldCleared {
                hold: ids.hold,
                by: "resume",
            }]
        }),
        change("IgnorePostsBefore", |_, _| {
            vec![Change::IgnorePostsBefore(START)]
        }),
        (
            "claim",
            true,
            Box::new(move |store, ids| {
                let claim = story_liker::ports::Claim {
                    kind: AttemptKind::Login,
                    target: Some(ids.target),
                    despite_session_holds: true,
                    ..read()
                };
                let _ = store.claim(&claim, &[], later);
            }),
        ),
        (
            "settle",
            true,
            Box::new(move |store, ids| {
                let settlement = Settlement {
                    session: Some(session(me, "{\"next\":1}")),
                    hold: Some(hold(HoldReason::PleaseWait, Some(later.plus(HOUR)))),
                    ..ending(Outcome::Refused)
                };
                let _ = store.settle(ids.attempt, &settlement, later);
            }),
        ),
        (
            "add_hold",
            true,
            Box::new(move |store, _| {
                store
                    .add_hold(&hold(HoldReason::Challenge, None), later)
                    .unwrap();
            }),
        ),
        (
            "end_run",
            true,
            Box::new(move |store, ids| {
                let _ = store.end_run(ids.run, &end(Verdict::Worked), later);
            }),
        ),
        (
            "begin_run",
            true,
            Box::new(move |store, _| {
                store.begin_run("run", 7, later).unwrap();
            }),
        ),
        (
            "recover",
            true,
            Box::new(move |store, _| drop(store.recover(later).unwrap())),
        ),
        (
            "sync_targets",
            true,
            Box::new(move |store, _| store.sync_targets(&[wanted("quarry")], later).unwrap()),
        ),
        (
            "tried_to_tell",
            true,
            Box::new(move |store, _| {
                for notice in store.undelivered(Channel::Url, 1).unwrap() {
                    let told = store.tried_to_tell(notice.notice.id, Channel::Url, None, later);
                    told.unwrap();
                }
            }),
        ),
        (
            "give_up_telling",
            true,
            Box::new(move |store, _| {
                store.give_up_telling(Channel::Command, far, later).unwrap();
            }),
        ),
        (
            "prunable and cleanable_posts",
            false,
            Box::new(move |store, _| {
                store.prunable(&retention, far).unwrap();
                store.cleanable_posts(far).unwrap();
            }),
        ),
        (
            "every question",
            false,
            Box::new(move |store, ids| {
                store.account().unwrap();
                store.holds(START).unwrap();
                store.targets().unwrap();
                store.attempts(START).unwrap();
                store.newest_attempts().unwrap();
                store.recent_runs(1, 9).unwrap();
                store.items(ItemKind::Post, &[pk(2)]).unwrap();
                let states = [ItemState::New];
                let found = store.items_in(ids.target, ItemKind::Post, &states, 9);
                found.unwrap();
                store.windows(&[], later).unwrap();
                store.sealing().unwrap();
                assert!(!store.forget_lost().unwrap());
                store.reseal(true).unwrap();
            }),
        ),
        (
            "cleanup_posts",
            true,
            Box::new(move |store, _| {
                store.cleanup_posts(far).unwrap();
            }),
        ),
        change("SessionDead", |_, _| vec![Change::SessionDead]),
        (
            "prune",
            true,
            Box::new(move |store, _| {
                let open = store.holds(far).unwrap().into_iter();
                let cleared = open.map(|hold| Change::HoldCleared {
                    hold: hold.id,
                    by: "resume",
                });
                store.apply(&cleared.collect::<Vec<_>>(), later).unwrap();
                // The newest attempt tells how far the clock may be believed.
                act(store, &of_kind(AttemptKind::Read), Outcome::Ok, far);
                let pruned = store.prune(&retention, far).unwrap();
                assert!(pruned.stories > 0 && pruned.attempts > 0, "{pruned:?}");
            }),
        ),
    ]
}

#[test]
fn nothing_that_a_profile_does_changes_a_row_of_its_neighbour() {
    let names = ["first", "second"];
    for (mine, other) in [(0, 1), (1, 0)] {
        for foreign in [false, true] {
            let place = Place::new();
            let mut stores = names.map(|name| place.open_profile(name).unwrap());
            let accounts: [i64; 2] = [71, 72];
            let ids: Vec<Ids> = stores
                .iter_mut()
                .zip(accounts)
                .map(|(store, me)| furnish(store, me))
                .collect();
            let about = if foreign { ids[other] } else { ids[mine] };
            let neighbour = rows(&place, names[other]);
            for (table, of_it) in &neighbour {
                assert!(!of_it.is_empty(), "{table}: the neighbour has everything");
            }
            for (name, changes, call) in calls(accounts[mine]) {
                let before = rows(&place, names[mine]);
                call(&mut stores[mine], &about);
                let told = format!("{name} of {}, foreign numbers: {foreign}", names[mine]);
                assert_eq!(rows(&place, names[other]), neighbour, "{told}");
                if !foreign {
                    assert_eq!(rows(&place, names[mine]) != before, changes, "{told}");
                }
            }
        }
    }
}
