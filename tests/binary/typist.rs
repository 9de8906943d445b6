//! A person at a terminal of their own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::home::{BINARY, Home};

/// Who types at a terminal, and the program that runs there.
pub struct Typist {
    person: File,
    program: Child,
    shown: String,
}

impl Typist {
    /// Starts the program on a terminal of its own.
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let person = person.unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = || {
            let mut open = File::options();
            open.read(true).write(true);
            open.open(name.to_str().unwrap()).unwrap()
        };
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait", BINARY]);
        let program = home
            .prepare(session, arguments)
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        Self {
            person: File::from(person),
            program,
            shown: String::new(),
        }
    }

    /// Reads on until the end of what is shown is this.
    pub fn reads(&mut self, end: &str) -> &mut Self {
        let from = self.shown.len();
        while !self.shown[from..].ends_with(end) {
            let mut next = [0];
            let read = self.person.read_exact(&mut next);
            read.unwrap_or_else(|_| panic!("no {end:?} in: {}", self.shown));
            self.shown.push(char::from(next[0]));
        }
        self
    }

    /// Types this.
    pub fn types(&mut self, text: &str) -> &mut Self {
        self.person.write_all(text.as_bytes()).unwrap();
        self
    }

    /// How the terminal is set.
    pub fn modes(&self) -> LocalModes {
        tcgetattr(&self.person).unwrap().local_modes
    }

    pub fn killed(mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }

    /// What was shown in all, and the exit code.
    pub fn ends(mut self) -> (String, Option<i32>) {
        let mut rest = Vec::new();
        // Where nobody has it open any more, reading a terminal fails at its end.
        let _ = self.person.read_to_end(&mut rest);
        let status = self.program.wait().unwrap();
        self.shown.push_str(&String::from_utf8_lossy(&rest));
        (self.shown, status.code())
    }
}
