//! SIGKILL around the moment in which a person is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::Value;

use crate::calls::killed;
use crate::home::Home;
use crate::lab::{assert_at_rest, lab};
use crate::raw_server::{Act, RawServer, reply};
use crate::strace::Words;
use crate::sweep::Scene;

/// Who is told in each home, by its folder.
static TOLD: Mutex<BTreeMap<PathBuf, RawServer>> = Mutex::new(BTreeMap::new());

/// The first pass meets a challenge, and somebody wants to know.
fn challenged() -> Home {
    let mut home = lab();
    let server = RawServer::start(vec![Act::Say(reply(200, &[], b"OK"))]);
    let url = format!("http://{}/synthetic", server.address);
    home.secret("notify.url_file", &url);
    home.arm("read", "error_challenge_required");
    let folder = home.folder.path().to_owned();
    TOLD.lock().unwrap().insert(folder, server);
    home
}

/// The names of the notices of this kind that arrived, in their order.
fn told(home: &Home, kind: &str) -> Vec<String> {
    let all = TOLD.lock().unwrap();
    let received = all[home.folder.path()].received();
    let notices = received.iter().map(|one| {
        let notice: Value = serde_json::from_str(&one.body).unwrap();
        notice
    });
    notices
        .filter(|notice| notice["kind"] == kind)
        .map(|notice| notice["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_killed_pass_loses_no_notice_and_repeats_at_most_one_by_its_name() {
    let scene = Scene {
        name: "telling",
        words: Words {
            arguments: &["run"],
            input: None,
        },
        home: challenged,
    };
    killed(&scene, |home, struck| {
        let about = &struck.about;
        home.run(["run"]);
        let again = home.run(["run"]);
        let held = home.number("SELECT count(*) FROM hold");
        let told = told(home, "hold_appeared");
        let names: BTreeSet<&String> = told.iter().collect();
        // Whether the challenge was recorded or lost with the process, what is on record was told.
        assert_eq!(
            names.len(),
            usize::try_from(held).unwrap(),
            "{about}: {again}"
        );
        assert!(told.len() <= names.len() + 1, "{about}: {told:?}");
        for (what, query) in [
            (
                "told twice",
                "SELECT count(*) - count(DISTINCT subject) FROM notice",
            ),
            (
                "not told",
                "SELECT count(*) FROM delivery WHERE delivered_at IS NULL",
            ),
        ] {
            assert_eq!(home.number(query), 0, "{about}: {what}");
        }
        assert_at_rest(home, about);
    });
}
