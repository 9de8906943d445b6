//! The real binary below `strace`: which system calls it makes, and what is done to it at one of
//! them.
//!
//! `strace` counts each call of each thread by itself, so "the 7th `pwrite64`" is the same moment in
//! every run of one scene: only one thread uses the database, and only one the network. A signal
//! arrives before the call has any effect. Killing before *every* call that has an effect is
//! therefore killing after every one, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::home::{BINARY, Ended, Home};

/// The calls that change a file, take a lock, or speak to the server. A `?` stands before those that
/// not every machine has.
const EFFECTS: &str = "?open,openat,?creat,close,write,?pwrite64,pwritev,writev,?truncate,\
     ftruncate,fallocate,fsync,fdatasync,?unlink,unlinkat,?rename,?renameat,renameat2,?link,linkat,\
     ?mkdir,mkdirat,?chmod,fchmod,fchmodat,?chown,fchown,fchownat,flock,fcntl,connect,sendto,\
     sendmsg,recvfrom,recvmsg,shutdown";

/// What may fail, too.
const READS: &str = "?pread64,preadv";

/// Of these only the ones on files of the folder matter: the others are the start of any program.
const ON_FILES: [&str; 4] = ["openat", "open", "close", "fcntl"];

/// What sends a request.
const SENDS: [&str; 3] = ["writev", "sendto", "sendmsg"];

/// One system call of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub call: String,
    /// It is the so many-th of its name in its thread, from 1.
    pub nth: usize,
    /// How many requests were handed over before it.
    pub requests_before: usize,
    /// Its arguments.
    pub arguments: String,
    /// How many calls of each name its thread made before it.
    before: BTreeMap<String, usize>,
}

impl Site {
    /// Whether it only reads.
    pub fn only_reads(&self) -> bool {
        READS.split([',', '?']).any(|call| call == self.call)
    }

    /// Whether it leaves every file as it is.
    pub fn changes_nothing(&self) -> bool {
        ["close", "fcntl"].contains(&self.call.as_str())
    }

    /// From here on every call of this name, as `strace` counts them.
    pub fn on_from_here(&self, call: &str) -> String {
        format!("{}+", self.before.get(call).unwrap_or(&0) + 1)
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.call, self.nth)
    }
}

/// What a command gets to read, and its words.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub arguments: &'static [&'static str],
    /// A file of the home for standard input.
    pub input: Option<&'static str>,
}

/// A `strace` that works here.
pub struct Tracer {
    /// The program, and what comes before its options.
    words: Vec<PathBuf>,
}

/// The program keeps others of its user out of its memory; who is root may look, if only in a name
/// space of his own.
const AS_ROOT: &str = "--map-root-user";

impl Tracer {
    /// The tracer, or why there is none.
    pub fn find() -> Result<&'static Self, &'static str> {
        static FOUND: OnceLock<Result<Tracer, String>> = OnceLock::new();
        let found = FOUND.get_or_init(|| {
            let strace = in_path("strace").ok_or("strace is not installed")?;
            let mut tracer = Self {
                words: vec![strace],
            };
            let Err(why) = tracer.tried() else {
                return Ok(tracer);
            };
            let unshare = in_path("unshare").ok_or_else(|| why.clone())?;
            tracer.words.splice(0..0, [unshare, AS_ROOT.into()]);
            let tried = tracer.tried();
            tried.map(|()| tracer).map_err(|_| why)
        });
        found.as_ref().map_err(String::as_str)
    }

    /// Whether it sees what the program writes, or why not.
    fn tried(&self) -> Result<(), String> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let output = self
            .command(log.path())
            .args(["-e", "trace=write", "--", BINARY, "--version"])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("strace does not start: {error}"))?;
        let seen = fs::read_to_string(log.path()).unwrap();
        if output.status.success() && seen.contains("\"story-liker") {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("strace may not trace here: {} {seen}", said.trim()))
    }

    /// The tracer, to which its other options are added.
    pub fn command(&self, log: &Path) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["-f", "-o"]).arg(log);
        command
    }

    /// Runs to the end without doing anything to it, and returns the calls with an effect.
    pub fn sites(&self, home: &Home, words: Words) -> (Ended, Vec<Site>) {
        let log = home.path("calls.log");
        let ended = self.run(
            home,
            words,
            &log,
            &["-y", "-e", &format!("trace={EFFECTS},{READS}")],
        );
        let text = fs::read_to_string(&log).unwrap();
        (ended, sites(&text, home.folder.path()))
    }

    /// Runs with `what` done at the sites' calls (`pwrite64:error=EIO:when=3`), and tells whether it
    /// was.
    pub fn inject(&self, home: &Home, words: Words, what: &[String]) -> (Ended, bool) {
        let log = home.path("inject.log");
        let calls: BTreeSet<&str> = what
            .iter()
            .map(|one| one.split(':').next().unwrap())
            .collect();
        let calls: Vec<&str> = calls.into_iter().collect();
        let mut options = vec!["-e".to_owned(), format!("trace={}", calls.join(","))];
        for one in what {
            options.extend(["-e".to_owned(), format!("inject={one}")]);
        }
        // Faster, but signals are not delivered then.
        if !what.iter().any(|one| one.contains("signal=")) {
            options.push("--seccomp-bpf".to_owned());
        }
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let ended = self.run(home, words, &log, &options);
        let text = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        let marks = [
            "(INJECTED)",
            "killed by SIGKILL",
            "--- SIGTERM",
            "--- SIGINT",
        ];
        (ended, marks.iter().any(|mark| text.contains(mark)))
    }

    fn run(&self, home: &Home, words: Words, log: &Path, options: &[&str]) -> Ended {
        let mut strace = self.command(log);
        strace.args(options).args(["--", BINARY]);
        let mut command = home.prepare(strace, words.arguments);
        if let Some(name) = words.input {
            command.stdin(File::open(home.path(name)).unwrap());
        }
        command.output().unwrap().into()
    }
}

#[allow(clippy::disallowed_methods)] // The binary gets an empty environment; its tracer has to be found.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The calls in a log, in the order in which they began.
fn sites(log: &str, folder: &Path) -> Vec<Site> {
    let within = format!("{}/", folder.display());
    let mut counts: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut requests = 0;
    let mut sites = Vec::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        // Not the second half of a call that another thread's came between, nor an exit.
        if rest.starts_with(['<', '+', '-']) {
            continue;
        }
        let Some((call, arguments)) = rest.split_once('(') else {
            continue;
        };
        let counts = counts.entry(thread).or_default();
        let before = counts.clone();
        let nth = before.get(call).unwrap_or(&0) + 1;
        counts.insert(call.to_owned(), nth);
        let concerns = !ON_FILES.contains(&call) || arguments.contains(&within);
        // Another thread gets as far first.
        if concerns && seen.insert((call, nth)) {
            sites.push(Site {
                call: call.to_owned(),
                nth,
                requests_before: requests,
                arguments: arguments.to_owned(),
                before,
            });
        }
        requests += usize::from(SENDS.contains(&call));
    }
    sites
}

/// Says something that a test runner does not keep to itself.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[test]
fn sites_are_counted_by_call_and_thread() {
    let log = "\
        11  openat(AT_FDCWD</h>, \"/lib/x.so\", O_RDONLY) = 3\n\
        11  openat(AT_FDCWD</h>, \"/h/db\", O_RDWR) = 3</h/db>\n\
        11  pwrite64(3</h/db>, \"\\0\"..., 4096, 0 <unfinished ...>\n\
        12  writev(4<socket:[1]>, [{iov_base=\"G\"}], 1) = 1\n\
        11  <... pwrite64 resumed>)         = 4096\n\
        12  pwrite64(9</h/x>, \"\", 1, 0) = 1\n\
        11  pwrite64(3</h/db>, \"\\0\"..., 4096, 0) = 4096\n\
        11  +++ exited with 0 +++\n";
    let found: Vec<String> = sites(log, Path::new("/h"))
        .iter()
        .map(|site| format!("{site} {}", site.requests_before))
        .collect();
    assert_eq!(
        found,
        ["openat:2 0", "pwrite64:1 0", "writev:1 0", "pwrite64:2 1"]
    );
}
