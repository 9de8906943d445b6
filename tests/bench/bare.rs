//! The client a pass is compared with: a process of its own that makes the same requests to the same
//! server and as many durable commits, and nothing else. It keeps no ledger, knows no limit, reads
//! no answer beyond its status, and was told everything beforehand.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::blocking::{Client, ClientBuilder};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

/// The argument that makes the benchmark be this client.
pub const NAME: &str = "bare-client";

/// What it does.
#[derive(Serialize, Deserialize)]
pub struct Plan {
    pub address: SocketAddr,
    pub ca_file: PathBuf,
    pub database: PathBuf,
    /// Paths with their queries.
    pub requests: Vec<String>,
    pub headers: Vec<(String, String)>,
    /// Commits in all; each request has one before and one after as long as there are any.
    pub commits: u32,
}

impl Plan {
    /// Writes it down, makes the database, and returns the command.
    pub fn prepare(&self, path: &Path) -> Command {
        fs::write(path, serde_json::to_string(self).unwrap()).unwrap();
        let connection = open(&self.database);
        let table = "CREATE TABLE IF NOT EXISTS act
            (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL) STRICT";
        connection.execute_batch(table).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(NAME).arg(path).env_clear();
        command
    }
}

/// Is the client.
pub fn run(plan: &str) {
    let plan: Plan = serde_json::from_slice(&fs::read(plan).unwrap()).unwrap();
    let mut connection = open(&plan.database);
    // A pass with nothing to send needs no client either, but the program builds one.
    let client = client(&plan);
    let mut left = plan.commits;
    let mut commit = |what: &str| {
        if left == 0 {
            return;
        }
        left -= 1;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let insert = "INSERT INTO act (at, what) VALUES (unixepoch(), ?1)";
        transaction.execute(insert, [what]).unwrap();
        transaction.commit().unwrap();
    };
    for request in &plan.requests {
        commit("before");
        let mut builder = client.get(format!("https://i.instagram.com{request}"));
        for (name, value) in &plan.headers {
            builder = builder.header(name, value);
        }
        let mut reply = builder.send().unwrap();
        assert!(reply.status().is_success(), "{request}: {}", reply.status());
        let mut body = Vec::new();
        reply.read_to_end(&mut body).unwrap();
        commit("after");
    }
    for _ in 0..plan.commits {
        commit("besides");
    }
}

fn client(plan: &Plan) -> Client {
    let pem = fs::read(&plan.ca_file).unwrap();
    let roots = reqwest::Certificate::from_pem_bundle(&pem).unwrap();
    let builder = reqwest::Client::builder()
        .https_only(true)
        .http2_prior_knowledge()
        .tls_version_min(reqwest::tls::Version::TLS_1_3)
        .tls_certs_only(roots)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .gzip(true)
        .deflate(true)
        .resolve("i.instagram.com", plan.address);
    ClientBuilder::from(builder).build().unwrap()
}

/// Commits are as durable as the program's.
fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let settings = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;";
    connection.execute_batch(settings).unwrap();
    connection
}
