//! An operator's machine: a home folder, a configuration, a practice Instagram and the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use story_liker::practice::clock::{PracticeClock as _, WallClock};
use story_liker::practice::switches::Switches;
use story_liker::practice::trouble::Trouble;
use story_liker::practice::world::World;
use story_liker::practice::{Options, RecordEntry, Server, Wire};

pub const BINARY: &str = env!("CARGO_BIN_EXE_story-liker");

pub const FRIEND: &str = "sandbox.friend";

/// How long a client waits, as the practice server sees it: twice as long as its slow answers take.
const TIMEOUT: Duration = Duration::from_secs(1);

pub struct Home {
    pub folder: tempfile::TempDir,
    pub server: Server,
    keys: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
}

/// How a program ended, and what it said.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// The last line of stdout.
    pub fn report(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Ended with this code, in the status as well as in the report.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// `expect`, and both streams together say all of this.
    #[track_caller]
    pub fn saying(self, words: &[&str]) -> Self {
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "not a word of {word:?}: {self}");
        }
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        write!(f, "{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Home {
    /// One friend with three stories and two posts, plain HTTP, no pauses.
    pub fn new() -> Self {
        Self::on(Wire::Plain, 3, 2)
    }

    /// The same with so many items, and a session that was imported offline.
    pub fn logged_in() -> Self {
        let home = Self::new();
        home.import();
        home
    }

    pub fn on(wire: Wire, stories: i64, posts: i64) -> Self {
        let now_ms = WallClock.now_ms();
        let now = now_ms.div_euclid(1000);
        let mut world = World::empty(now_ms);
        let friend = world.add_user(FRIEND);
        for hour in 1..=stories {
            world.add_story(friend, now - hour * 600);
        }
        for hour in 1..=posts {
            world.add_post(friend, now - hour * 3600);
        }
        let options = Options {
            world,
            switches: Switches::default(),
            client_timeout: TIMEOUT,
            ..Options::serving(SocketAddr::from(([127, 0, 0, 1], 0)), wire, 7)
        };
        let server = Server::start(options).unwrap();
        let mut home = Self {
            folder: folder(),
            server,
            keys: BTreeMap::new(),
            variables: Vec::new(),
        };
        let base_url = home.server.base_url();
        if let Some(pem) = home.server.ca_pem() {
            fs::write(home.path("ca.pem"), pem).unwrap();
            home.keys
                .insert("instagram.ca_file".into(), "\"ca.pem\"".into());
        }
        home.set("targets", &format!("[\"{FRIEND}\"]"))
            .set("database", "\"state/stories.db\"")
            .set("account.username", "\"sandbox.operator\"")
            .set("limits.allow_unsafe_limits", "true")
            .set("limits.requests", "\"500/1h\"")
            .set("limits.likes", "\"100/1h\"")
            .set("limits.story_views", "\"100/1h\"")
            .set("limits.likes_per_target", "[50, \"100/24h\"]")
            .set("pace.between_likes", "\"0s..0s\"")
            .set("pace.between_requests", "\"0s..0s\"")
            .set("pace.between_targets", "\"0s..0s\"")
            .set("first_contact.posts", "\"like\"")
            .set("instagram.base_url", &format!("\"{base_url}\""));
        home.patient();
        home
    }

    /// Waits longer for an answer than any machine can be busy with other things.
    pub fn patient(&mut self) -> &mut Self {
        self.waiting("20s")
    }

    /// For those who wait in vain; whoever expects an answer again should be patient again.
    pub fn impatient(&mut self) -> &mut Self {
        self.waiting("2s")
    }

    fn waiting(&mut self, long: &str) -> &mut Self {
        let long = format!("\"{long}\"");
        self.set("instagram.connect_timeout", &long)
            .set("instagram.timeout", &long)
    }

    /// Sets a key of the configuration file to a TOML value.
    pub fn set(&mut self, key: &str, value: &str) -> &mut Self {
        self.keys.insert(key.to_owned(), value.to_owned());
        self.write_keys()
    }

    pub fn unset(&mut self, key: &str) -> &mut Self {
        self.keys.remove(key);
        self.write_keys()
    }

    fn write_keys(&mut self) -> &mut Self {
        let lines = self
            .keys
            .iter()
            .map(|(key, value)| format!("{key} = {value}\n"));
        fs::write(self.path("config.toml"), lines.collect::<String>()).unwrap();
        self
    }

    /// Sets a variable of the environment.
    pub fn variable(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a secret file and names it in the configuration.
    pub fn secret(&mut self, key: &str, secret: &str) -> &mut Self {
        use std::os::unix::fs::OpenOptionsExt as _;
        let name = format!("{key}.secret");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.path(&name)).unwrap();
        file.write_all(secret.as_bytes()).unwrap();
        self.set(key, &format!("\"{name}\""))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("state/stories.db")
    }

    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.prepare(Command::new(BINARY), arguments)
    }

    /// The binary below another program, such as a shell that sets a limit first.
    pub fn prepare<A: AsRef<OsStr>>(
        &self,
        mut command: Command,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("STORY_LIKER_CONFIG", self.path("config.toml"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs to the end with something on standard input.
    pub fn fed<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Ended {
        let mut child = self.start_with(arguments, Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// Starts and returns at once.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Child {
        self.start_with(arguments, Stdio::null())
    }

    pub fn start_with<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: Stdio,
    ) -> Child {
        let mut command = self.command(arguments);
        let streams = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        streams.stdin(stdin).spawn().unwrap()
    }

    /// Imports the practice session without asking whether it is alive.
    pub fn import(&self) {
        let session_id = self.server.credentials().session_id;
        let arguments = ["session", "import", "--session-id", "-", "--offline"];
        self.fed(arguments, &session_id).expect(0);
    }

    /// Arms a trouble.
    pub fn arm(&self, on: &str, reply: &str) {
        self.server.arm(Trouble::new(on, reply).unwrap());
    }

    /// Calls received, by name.
    pub fn calls(&self) -> Vec<&'static str> {
        self.server
            .record()
            .iter()
            .map(|entry| entry.act.name())
            .collect()
    }

    pub fn likes(&self) -> Vec<RecordEntry> {
        let mut record = self.server.record();
        record.retain(|entry| entry.act.is_like());
        record
    }

    /// No request was flawed, and no item got a second like.
    #[track_caller]
    pub fn assert_flawless(&self) {
        assert_eq!(self.server.violations(), BTreeMap::new());
        let likes = self.server.likes_per_item();
        assert!(likes.values().all(|count| *count == 1), "{likes:?}");
    }

    /// A connection of our own to the database.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    /// One number out of the database.
    #[track_caller]
    pub fn number(&self, query: &str) -> i64 {
        self.sql().query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Every row of every table but these, as text.
    pub fn dump(&self, without: &[&str]) -> Vec<String> {
        let sql = self.sql();
        let mut names = sql
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .unwrap();
        let names: Vec<String> = names
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut lines = Vec::new();
        for name in names
            .iter()
            .filter(|name| !without.contains(&name.as_str()))
        {
            let mut rows = sql.prepare(&format!("SELECT * FROM {name}")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<String> = (0..columns)
                    .map(|column| format!("{:?}", row.get_ref(column).unwrap()))
                    .collect();
                lines.push(format!("{name}: {}", values.join(", ")));
            }
        }
        lines
    }
}

/// In memory where the system offers enough of it, also for programs: a kill is no power cut, so
/// nothing has to reach a disk.
fn folder() -> tempfile::TempDir {
    const MEMORY: &str = "/dev/shm";
    let fits = rustix::fs::statvfs(MEMORY).is_ok_and(|memory| {
        let free = memory.f_bavail.saturating_mul(memory.f_frsize);
        free >= 1 << 30
            && !memory
                .f_flag
                .contains(rustix::fs::StatVfsMountFlags::NOEXEC)
    });
    let memory = if fits {
        tempfile::tempdir_in(MEMORY)
    } else {
        tempfile::tempdir()
    };
    memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Two minutes and more: only who waits in vain waits so long.
const LOOKS: u32 = 24_000;

/// Waits until something is so.
#[track_caller]
#[allow(clippy::disallowed_methods)] // The real binary lives in real time.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// Sends a signal to a process of ours.
pub fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill")
        .args(["-s", name, &id])
        .status()
        .unwrap();
    assert!(sent.success(), "kill -s {name} {id}");
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The end of a program that is about to end; one that is not is killed.
#[track_caller]
pub fn ended(mut child: Child) -> Ended {
    let mut looks = 0;
    until("the program ends", || {
        looks += 1;
        if looks == LOOKS {
            child.kill().unwrap();
        }
        child.try_wait().unwrap().is_some()
    });
    child.wait_with_output().unwrap().into()
}
