//! A folder with a configuration, a practice Instagram and the program under test.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use story_liker::practice::clock::WallClock;
use story_liker::practice::switches::{Echo, Switches};
use story_liker::practice::world::World;
use story_liker::practice::{Options, Server, Wire};

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_story-liker");

/// Pauses off and limits out of the way, as nobody should set them.
const UNHURRIED: &str = r#"
[account]
username = "sandbox.operator"

[limits]
allow_unsafe_limits = true
likes = ["100000/1h"]
story_views = ["100000/1h"]
requests = ["100000/1h"]
likes_per_run = 1000
likes_per_target = [1000, "100000/24h"]

[pace]
between_likes = "0s..0s"
between_requests = "0s..0s"
between_targets = "0s..0s"
"#;

/// Nothing of the surroundings reaches the program.
pub fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear();
    command
}

/// Server, folder, configuration.
pub struct Lab {
    pub server: Server,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Five targets, each with three stories of this morning and a page of posts of last month. The
    /// folder is on the disk the build is on, so that a durable commit costs what it costs.
    pub fn new() -> Self {
        let now_s = now_ms().div_euclid(1000);
        let mut world = World::empty(now_ms());
        for name in ["aurora", "birch", "comet", "dune", "ember"] {
            let pk = world.add_user(&format!("sandbox.{name}"));
            for hours in 1..=3 {
                world.add_story(pk, now_s - hours * 3600);
            }
            for days in 1..=12 {
                world.add_post(pk, now_s - days * 86_400);
            }
        }
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            wire: Wire::Tls,
            seed: 1,
            clock: Arc::new(WallClock),
            world,
            switches: Switches {
                echo: Echo::Lenient,
                ..Switches::default()
            },
            client_timeout: Duration::from_secs(20),
        };
        let server = Server::start(options).unwrap();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let lab = Self { server, folder };
        std::fs::write(lab.ca_file(), lab.server.ca_pem().unwrap()).unwrap();
        lab
    }

    /// With a session, all targets known, and nothing new left: the state of `name.db`.
    pub fn settled(&self, name: &str) -> PathBuf {
        let database = self.path(&format!("{name}.db"));
        let config = self.config(name, self.server.address(), &database);
        self.import_session(&config);
        super::measure::finish(&mut run(&config));
        super::measure::finish(&mut run(&config));
        config
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Writes a configuration that leads to `address`.
    pub fn config(&self, name: &str, address: SocketAddr, database: &Path) -> PathBuf {
        let path = self.path(&format!("{name}.toml"));
        // A JSON text is a TOML text as well.
        let (targets, ca_file) = (json!(self.server.targets()), json!(self.ca_file()));
        let database = json!(database);
        let text = format!(
            "targets = {targets}\ndatabase = {database}\n{UNHURRIED}\n[instagram]\n\
             base_url = \"https://{address}\"\nca_file = {ca_file}\n",
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    fn import_session(&self, config: &Path) {
        let mut command = program();
        command.args(["session", "import", "--session-id", "-"]);
        command.args(["--log-level", "error", "--config"]);
        command.arg(config).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let session_id = self.server.credentials().session_id;
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(session_id.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

/// A pass that lists everything of every target.
pub fn run(config: &Path) -> Command {
    let mut command = program();
    command.args(["run", "--check-all", "--seed", "1", "--config"]);
    command.arg(config);
    command
}

/// A pass at a moment when nothing is due.
pub fn idle_run(config: &Path) -> Command {
    let mut command = program();
    command.args(["run", "--seed", "1", "--config"]).arg(config);
    command
}

/// How many write transactions the file has seen: SQLite's change counter, which a rollback journal
/// raises once per commit.
pub fn commits(database: &Path) -> u32 {
    let mut counter = [0; 4];
    let file = std::fs::File::open(database).unwrap();
    file.read_exact_at(&mut counter, 24).unwrap();
    u32::from_be_bytes(counter)
}

/// A connection past all safeguards, for making up a history.
pub fn scratch_connection(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    let settings =
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
        PRAGMA locking_mode = EXCLUSIVE;";
    connection.execute_batch(settings).unwrap();
    connection
}

/// The wall clock.
pub fn now_ms() -> i64 {
    use story_liker::practice::clock::PracticeClock;
    WallClock.now_ms()
}
