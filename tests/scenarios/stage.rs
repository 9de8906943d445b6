//! Where a story plays: one Instagram, one time, and machines on which the real commands run.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use story_liker::cli::{Cli, Command};
use story_liker::commands::{Failure, Surroundings, execute_in};
use story_liker::config::Environment;
use story_liker::model::Timestamp;
use story_liker::ports::{Clock, Interrupt};
use story_liker::practice::trouble::Trouble;
use story_liker::practice::world::{Kind, World};
use story_liker::practice::{Options, RecordEntry, Server};

use super::clock::StoryClock;

/// Machine of the commands that name none.
pub const LAPTOP: &str = "laptop";
const SEED: u64 = 7;

pub struct Stage {
    pub clock: StoryClock,
    pub server: Server,
    folder: tempfile::TempDir,
    keys: RefCell<BTreeMap<String, String>>,
    /// The database of each machine.
    machines: RefCell<BTreeMap<String, String>>,
    people: RefCell<BTreeMap<String, Person>>,
    labels: RefCell<BTreeMap<String, String>>,
    seeds: Cell<u64>,
    /// Commands that will run while another one waits.
    meanwhile: RefCell<VecDeque<Meanwhile>>,
}

#[derive(Default)]
struct Person {
    pk: u64,
    stories: u32,
    posts: u32,
}

struct Meanwhile {
    at: Timestamp,
    machine: String,
    command: String,
    trace: Rc<RefCell<Vec<String>>>,
}

/// How a command ended.
pub struct Ended {
    pub code: u8,
    pub out: Vec<String>,
    pub err: Vec<String>,
    /// What Instagram received meanwhile.
    pub record: Vec<RecordEntry>,
}

impl Stage {
    pub fn new(start: Timestamp) -> Rc<Self> {
        let clock = StoryClock::at(start);
        let options = Options {
            world: World::empty(start.as_millis()),
            ..Options::rehearsal(SEED, Arc::new(clock.clone()))
        };
        let server = Server::start(options).unwrap();
        // In memory where the system offers that: nobody cuts the power here.
        let folder = tempfile::tempdir_in("/dev/shm");
        let folder = folder.or_else(|_| tempfile::tempdir()).unwrap();
        fs::write(folder.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
        let stage = Self {
            clock,
            server,
            folder,
            keys: RefCell::default(),
            machines: RefCell::default(),
            people: RefCell::default(),
            labels: RefCell::default(),
            seeds: Cell::new(SEED),
            meanwhile: RefCell::default(),
        };
        stage.set("instagram.ca_file", "\"ca.pem\"");
        let base_url = format!("\"{}\"", stage.server.base_url());
        stage.set("instagram.base_url", &base_url);
        stage.add_machine(LAPTOP, "laptop.db");
        Rc::new(stage)
    }

    /// A machine with a database of this name.
    pub fn add_machine(&self, name: &str, database: &str) {
        let mut machines = self.machines.borrow_mut();
        machines.insert(name.to_owned(), database.to_owned());
    }

    /// How many databases there are: each keeps the limits for itself.
    pub fn ledgers(&self) -> usize {
        let machines = self.machines.borrow();
        machines.values().collect::<BTreeSet<_>>().len()
    }

    /// The database of a machine.
    pub fn database_of(&self, machine: &str) -> String {
        self.machines.borrow()[machine].clone()
    }

    /// Sets a key in the configuration file that all machines read.
    pub fn set(&self, key: &str, toml: &str) {
        let mut keys = self.keys.borrow_mut();
        keys.insert(key.to_owned(), toml.to_owned());
        let lines = keys.iter().map(|(key, value)| format!("{key} = {value}\n"));
        fs::write(self.path("config.toml"), lines.collect::<String>()).unwrap();
    }

    /// Writes a secret file and names it in the configuration.
    pub fn set_secret(&self, key: &str, secret: &str) {
        let name = format!("{key}.secret");
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = file.open(self.path(&name)).unwrap();
        std::io::Write::write_all(&mut file, secret.as_bytes()).unwrap();
        self.set(key, &format!("\"{name}\""));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn has_person(&self, name: &str) -> bool {
        self.people.borrow().contains_key(name)
    }

    pub fn add_person(&self, name: &str) {
        let pk = self.server.with_world(|world| world.add_user(name));
        let person = Person {
            pk,
            ..Person::default()
        };
        self.people.borrow_mut().insert(name.to_owned(), person);
    }

    /// Pk of a person by the name the story began with.
    pub fn pk(&self, name: &str) -> u64 {
        let people = self.people.borrow();
        let person = people.get(name);
        person
            .unwrap_or_else(|| panic!("nobody is called {name:?}"))
            .pk
    }

    pub fn publish(&self, name: &str, kind: Kind, count: u32, taken_at: Timestamp) {
        let mut people = self.people.borrow_mut();
        let person = people.get_mut(name);
        let person = person.unwrap_or_else(|| panic!("nobody is called {name:?}"));
        for number in 0..count {
            // A second apart, the last one at the moment that was named.
            let at = taken_at.as_secs() - i64::from(count - 1 - number);
            let item = self.server.with_world(|world| match kind {
                Kind::Story => world.add_story(person.pk, at),
                Kind::Post => world.add_post(person.pk, at),
            });
            let (word, number) = match kind {
                Kind::Story => ("story", &mut person.stories),
                Kind::Post => ("post", &mut person.posts),
            };
            *number += 1;
            let label = format!("{name} {word} {number}");
            self.labels.borrow_mut().insert(item.id(), label);
        }
    }

    /// What the story calls an item.
    pub fn label(&self, id: &str) -> String {
        let labels = self.labels.borrow();
        labels.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// Arms a trouble for the next matching requests.
    pub fn arm(&self, trouble: Trouble) {
        self.server.arm(trouble);
    }

    /// Runs a command while another one waits, so long from now.
    pub fn arm_meanwhile(
        &self,
        after: Duration,
        machine: &str,
        command: &str,
    ) -> Rc<RefCell<Vec<String>>> {
        let trace = Rc::default();
        self.meanwhile.borrow_mut().push_back(Meanwhile {
            at: self.clock.now().plus(after),
            machine: machine.to_owned(),
            command: command.to_owned(),
            trace: Rc::clone(&trace),
        });
        trace
    }

    fn next_meanwhile(&self, until: Timestamp) -> Option<Meanwhile> {
        let mut waiting = self.meanwhile.borrow_mut();
        if waiting.front()?.at > until {
            return None;
        }
        waiting.pop_front()
    }

    /// Whether every command that was to run meanwhile has run.
    pub fn nothing_waits(&self) -> bool {
        self.meanwhile.borrow().is_empty()
    }

    fn draw_seed(&self) -> u64 {
        self.seeds.set(self.seeds.get() + 1);
        self.seeds.get()
    }

    fn parse(&self, command: &str) -> Cli {
        let words = command.split_whitespace().map(|word| {
            // Files that a story names lie in the folder its machines share.
            if Path::new(word).extension().is_some_and(|e| e == "json") {
                self.path(word).display().to_string()
            } else {
                word.to_owned()
            }
        });
        Cli::try_parse_from(words).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Runs a command line of the program on a machine.
    pub fn execute(self: &Rc<Self>, machine: &str, command: &str) -> Ended {
        let mut cli = self.parse(command);
        // The trace of a pass is made from its report for machines.
        cli.global.json |= matches!(cli.command, Command::Run(_));
        let scene = Scene {
            stage: Rc::clone(self),
            database: self.path(&self.database_of(machine)),
            out: Rc::default(),
            err: Rc::default(),
            clock: SceneClock(Rc::clone(self)),
        };
        let (out, err) = (Rc::clone(&scene.out), Rc::clone(&scene.err));
        let before = self.server.record().len();
        let code = execute_in(cli, Box::new(scene));
        let said = |lines: &RefCell<Vec<String>>| {
            let lines = lines.borrow();
            let all = lines.iter().flat_map(|line| line.lines());
            all.map(|line| self.told(line)).collect()
        };
        Ended {
            code: code.number(),
            out: said(&out),
            err: said(&err),
            record: self.server.record().split_off(before),
        }
    }

    /// A line of output without what differs between two tellings: folders, ports, processes.
    fn told(&self, line: &str) -> String {
        let line = line
            .replace(&format!("{}/", self.folder.path().display()), "")
            .replace(&self.server.address().to_string(), "instagram")
            .replace(&format!("process {}", std::process::id()), "process 4242")
            .replace(
                rustix::system::uname().nodename().to_str().unwrap(),
                "laptop",
            );
        // Sizes of a database file depend on the version of SQLite.
        match line.split_once(" KiB)") {
            Some((before, after)) => {
                let kept = before.trim_end_matches(|c: char| c.is_ascii_digit());
                format!("{kept}.. KiB){after}")
            }
            None => line,
        }
    }
}

/// What one command meets.
struct Scene {
    stage: Rc<Stage>,
    database: PathBuf,
    out: Rc<RefCell<Vec<String>>>,
    err: Rc<RefCell<Vec<String>>>,
    clock: SceneClock,
}

impl Surroundings for Scene {
    fn environment(&self) -> Environment {
        let path = |name: &str| self.stage.path(name).into_os_string();
        [
            ("HOME", path("")),
            ("STORY_LIKER_CONFIG", path("config.toml")),
            (
                "STORY_LIKER_DATABASE",
                self.database.clone().into_os_string(),
            ),
            // The one logger of this process would serve one story only.
            ("STORY_LIKER_LOG", "off".into()),
        ]
        .into_iter()
        .collect()
    }

    fn now(&self) -> Timestamp {
        self.stage.clock.now()
    }

    fn clock(&self) -> Result<&dyn Clock, Failure> {
        Ok(&self.clock)
    }

    fn seed(&self) -> Result<u64, Failure> {
        Ok(self.stage.draw_seed())
    }

    fn print(&self, line: &str) -> io::Result<()> {
        self.out.borrow_mut().push(line.to_owned());
        Ok(())
    }

    fn hand_over(&self, text: &str) -> io::Result<()> {
        self.print(text)
    }

    fn complain(&self, line: &str) {
        self.err.borrow_mut().push(line.to_owned());
    }

    fn watched_columns(&self) -> Option<usize> {
        None
    }
}

/// The time of the story, as a program sees it. While it sleeps, other machines may act.
struct SceneClock(Rc<Stage>);

impl Clock for SceneClock {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.clock.awake()
    }

    fn sleep_until(&self, deadline: Timestamp) {
        let stage = &self.0;
        while let Some(other) = stage.next_meanwhile(deadline) {
            stage.clock.pass(other.at.since(stage.clock.now()));
            let trace = super::trace::command(stage, &other.machine, &other.command);
            *other.trace.borrow_mut() = trace;
        }
        stage.clock.pass(deadline.since(stage.clock.now()));
    }

    fn interrupted(&self) -> Option<Interrupt> {
        None
    }
}
