//! SIGKILL at every request and at random instants, for which nothing but the program is needed. The
//! practice server's record is the truth: it is written when a request arrives, before it is answered.

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use crate::home::{Home, until};
use crate::strace::say;
use crate::sweep::seed;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use story_liker::practice::Wire;
use story_liker::practice::switches::{Echo, LostWrite, Switches};
use story_liker::practice::trouble::Trouble;

fn kill(mut pass: Child) {
    pass.kill().unwrap();
    pass.wait().unwrap();
}

/// What must be so after any number of kills.
fn assert_sound(home: &Home, about: &str) {
    home.assert_flawless();
    let integrity: String = home
        .sql()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok", "{about}");
    assert_eq!(
        home.number("SELECT count(*) FROM pragma_foreign_key_check"),
        0
    );
    // The ledger knows every like that the server got.
    let sql = home.sql();
    let mut rows = sql
        .prepare("SELECT item_pk FROM attempt WHERE kind = 'like'")
        .unwrap();
    let known: BTreeSet<String> = rows
        .query_map([], |row| row.get::<_, i64>(0))
        .unwrap()
        .map(|pk| pk.unwrap().to_string())
        .collect();
    for like in home.likes() {
        let item = like.item.unwrap();
        let pk = item.split('_').next().unwrap();
        assert!(
            known.contains(pk),
            "{about}: the ledger knows nothing of {item}"
        );
    }
    // And it counts no fewer requests than the server got.
    let counted = usize::try_from(home.number("SELECT count(*) FROM attempt")).unwrap();
    assert!(
        counted >= home.calls().len(),
        "{about}: {counted} on record"
    );
}

/// Kills a pass while the `n`-th request is under way, for every `n` that a pass has.
fn killed_at_each_request(lost: LostWrite) {
    for n in 0.. {
        let mut home = Home::on(Wire::Plain, 2, 2);
        home.set("instagram.timeout", "\"30s\"");
        home.import();
        home.server.set_switches(Switches {
            lost_like: lost,
            ..Switches::default()
        });
        home.server
            .arm(Trouble::new("any", "stall").unwrap().after(n));
        let mut pass = home.start(["run"]);
        let reached = usize::try_from(n).unwrap() + 1;
        until("the stalled request, or the end", || {
            home.calls().len() == reached || pass.try_wait().unwrap().is_some()
        });
        kill(pass);
        if home.calls().len() < reached {
            assert!(n > 9, "a pass has more requests than {n}");
            return;
        }
        let about = format!("killed at request {n} ({:?})", home.calls().last());
        home.run(["run", "--check-all"]).expect(0);
        let unsettled = "SELECT count(*) FROM attempt WHERE outcome IS NULL";
        assert_eq!(home.number(unsettled), 0, "{about}");
        home.run(["run", "--check-all"]).expect(0);
        assert_sound(&home, &about);
        assert_eq!(home.likes().len(), 4, "{about}: every item gets its like");
    }
}

#[test]
fn a_kill_at_any_request_that_was_lost_leads_to_no_second_like() {
    killed_at_each_request(LostWrite::Lost);
}

#[test]
fn a_kill_at_any_request_that_arrived_leads_to_no_second_like() {
    killed_at_each_request(LostWrite::Applied);
}

#[test]
fn kills_at_random_instants_never_exceed_a_window_and_never_like_twice() {
    let seed = seed();
    let about = format!(
        "kills at random instants; again: KILL_SEED={seed} cargo test --test kill random_instants"
    );
    let mut home = Home::on(Wire::Plain, 40, 10);
    home.set("limits.likes", "\"35/1h\"")
        .set("limits.story_views", "\"30/1h\"")
        .set("limits.likes_per_run", "40")
        .set("limits.requests", "\"120/1h\"");
    home.import();
    // What a killed pass was told in a reply it never read, the next one cannot give back.
    home.server.set_switches(Switches {
        echo: Echo::Lenient,
        ..Switches::default()
    });
    let mut rng = ChaCha8Rng::seed_from_u64(u64::try_from(seed).unwrap());
    let mut killed = 0;
    // How many of the passes are hit before they end depends on the machine; so many have to be.
    for round in 0.. {
        if round >= 40 && killed > 20 {
            break;
        }
        assert!(
            round < 400,
            "{about}: only {killed} passes were under way when killed"
        );
        let before = home.calls().len();
        let mut pass = home.start(["run", "--check-all"]);
        // Some are killed before their first request, the others around one of the next.
        let requests = rng.random_range(0..6);
        until("some requests, or the end", || {
            home.calls().len() >= before + requests || pass.try_wait().unwrap().is_some()
        });
        let longest = if requests == 0 { 30_000 } else { 4_000 };
        nap(Duration::from_micros(rng.random_range(0..longest)));
        killed += usize::from(pass.try_wait().unwrap().is_none());
        kill(pass);
    }
    home.run(["run"]).expect(0);
    assert_sound(&home, &about);
    let received = |name: &str| home.calls().iter().filter(|call| **call == name).count();
    let (likes, views, requests) = (home.likes().len(), received("seen"), home.calls().len());
    assert!(likes <= 35 && views <= 30 && requests <= 120, "{about}");
    say(&format!(
        "random instants (seed {seed}): {killed} kills, {requests} requests, {likes} likes"
    ));
}

#[allow(clippy::disallowed_methods)] // To be killed at any point, a process needs some real time.
fn nap(length: Duration) {
    std::thread::sleep(length);
}
