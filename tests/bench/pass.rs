//! A pass that finds nothing new, pauses off, beside a bare client that makes the same requests and
//! as many durable commits.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use story_liker::practice::{Act, RecordEntry};

use super::Asked;
use super::bare::Plan;
use super::lab::{Lab, commits, idle_run, now_ms, run};
use super::measure::{again, finish, peak_memory_mib, wall_times};
use super::practice_support as support;
use super::relay::Relay;
use super::table::Table;

const TURNS: usize = 41;

pub fn measure(_: &Asked, table: &mut Table) {
    let lab = Lab::new();
    let config = lab.settled("program");
    let database = lab.path("program.db");
    let kept = lab.path("kept.db");
    std::fs::copy(&database, &kept).unwrap();
    let pass = || {
        // Every turn begins with the same file, which is on the disk already.
        std::fs::copy(&kept, &database).unwrap();
        File::open(&database).unwrap().sync_all().unwrap();
        run(&config)
    };
    let (requests, of_pass) = observed(&lab, &database, &mut pass());
    assert!(!requests.is_empty() && requests.iter().all(|entry| entry.act.is_read()));
    let bare = bare_client(&lab, "bare", &requests, of_pass);
    let (program_ms, bare_ms) = wall_times(TURNS, pass, || again(&bare));
    let counts = format!("{} requests, {of_pass} commits", requests.len());
    table.at_most(
        "pass with nothing new / bare client",
        1.5,
        program_ms / bare_ms,
        "",
        &format!("{program_ms:.1} / {bare_ms:.1} ms, median of {TURNS}; {counts}"),
    );
    let memory = (0..9).map(|_| peak_memory_mib(&mut pass()));
    let most = memory.fold(0.0, f64::max);
    table.at_most("its peak memory", 25.0, most, "MiB", "most of 9");
    let relay = Relay::to(lab.server.address());
    let config = lab.config("relayed", relay.address, &database);
    finish(&mut run(&config));
    let handshakes = u32::try_from(relay.connections()).unwrap();
    let detail = format!("for {} requests", requests.len());
    table.at_most("its TLS handshakes", 1.0, handshakes.into(), "", &detail);
    idle(&lab, &config, &database, table);
}

/// What a timer's start costs when no check is due yet.
fn idle(lab: &Lab, config: &Path, database: &Path, table: &mut Table) {
    let (requests, of_pass) = observed(lab, database, &mut idle_run(config));
    let bare = bare_client(lab, "bare-idle", &requests, of_pass);
    let (program_ms, bare_ms) = wall_times(TURNS, || idle_run(config), || again(&bare));
    let told = format!(
        "{program_ms:.1} / {bare_ms:.1} ms = {:.2}; {} requests, {of_pass} commits",
        program_ms / bare_ms,
        requests.len()
    );
    table.tell("pass with nothing due / bare client", &told);
}

/// The requests that arrive and the commits that are made meanwhile.
fn observed(lab: &Lab, database: &Path, command: &mut Command) -> (Vec<RecordEntry>, u32) {
    let (requests, before) = (lab.server.record().len(), commits(database));
    finish(command);
    let made = commits(database) - before;
    (lab.server.record().split_off(requests), made)
}

fn bare_client(lab: &Lab, name: &str, requests: &[RecordEntry], commits: u32) -> Command {
    let mut headers = support::private_headers(now_ms());
    let session_id = lab.server.credentials().session_id;
    let own_pk = support::OPERATOR.to_string();
    support::set(&mut headers, "IG-INTENDED-USER-ID", &own_pk);
    support::set(&mut headers, "IG-U-DS-USER-ID", &own_pk);
    support::set(&mut headers, "Authorization", &support::bearer(&session_id));
    // HTTP/2 has another word for it.
    headers.retain(|(name, _)| name != "Host");
    let plan = Plan {
        address: lab.server.address(),
        ca_file: lab.ca_file(),
        database: lab.path(&format!("{name}.db")),
        requests: requests.iter().map(path_and_query).collect(),
        headers,
        commits,
    };
    let path: PathBuf = lab.path(&format!("{name}.json"));
    plan.prepare(&path)
}

/// The record keeps paths only; these are the queries that belong to them.
fn path_and_query(entry: &RecordEntry) -> String {
    let query = match entry.act {
        Act::CurrentUser => "edit=true".to_owned(),
        Act::Stories => {
            let capabilities = support::form_encode(support::CAPABILITIES);
            format!("supported_capabilities_new={capabilities}")
        }
        Act::Posts => {
            let token = format!("{}_{}", support::OPERATOR, support::OTHER_UUID);
            format!("max_id=&count=33&rank_token={token}&ranked_content=true")
        }
        other => panic!("a pass with nothing new sent {}", other.name()),
    };
    format!("{}?{query}", entry.path)
}
