//! A program of the operator's, started without a shell: fed a text, given ten seconds, seen through
//! a narrow window, and shown only the variables that are handed in.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::model::one_line;

/// How long the program may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How much of what it writes is kept of each stream, for the log.
const KEPT: usize = 2_000;

/// How long what an ended program wrote may take to arrive: longer only if it left others behind
/// that hold the stream open, and they are not waited for. As long may a killed one take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs `argv` with these variables and no others, and `input` on its standard input. An error says
/// in one line how it ended and what it wrote, without its arguments.
pub fn run(argv: &[String], variables: &[(String, OsString)], input: String) -> Result<(), String> {
    run_beside(Builder::new, argv, variables, input)
}

fn run_beside(
    thread: fn() -> Builder,
    argv: &[String],
    variables: &[(String, OsString)],
    input: String,
) -> Result<(), String> {
    let (program, arguments) = argv.split_first().ok_or("there is no program")?;
    let helpers = Helpers::start(thread, input).map_err(|error| {
        format!("{program} was not started, for the system starts no thread beside it: {error}")
    })?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        // A group of its own: when its time is up, those it started go with it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    helpers.begin(&mut child);
    let end = await_end(&helpers.end.done, LIMIT, LAST_WORDS, || kill(&mut child));
    if let End::Never(why) = end {
        return Err(format!("{program} {why}"));
    }
    let status = child
        .wait()
        .map_err(|error| format!("{program} cannot be waited for: {error}"))?;
    let said = match one_line(&helpers.last_words()) {
        said if said.is_empty() => said,
        said => format!("; it wrote: {said}"),
    };
    match end {
        End::Killed => Err(format!("{program} was ended after 10 s{said}")),
        _ if status.success() => Ok(()),
        _ => Err(format!("{program} ended with {status}{said}")),
    }
}

#[derive(Debug, PartialEq)]
enum End {
    ByItself,
    Killed,
    /// Why not.
    Never(String),
}

/// Waits for the end that `ended` tells of, and helps it along after `limit`. What belongs to another
/// user cannot be killed, and what hangs in the kernel does not end by it: neither may keep the pass.
fn await_end(
    ended: &Receiver<()>,
    limit: Duration,
    patience: Duration,
    kill: impl FnOnce() -> io::Result<()>,
) -> End {
    if ended.recv_timeout(limit).is_ok() {
        return End::ByItself;
    }
    let killed = kill();
    if ended.recv_timeout(patience).is_ok() {
        return End::Killed;
    }
    End::Never(match killed {
        Ok(()) => "was killed after 10 s, and does not end".to_owned(),
        Err(error) => format!("did not end within 10 s, and cannot be killed: {error}"),
    })
}

/// It is not reaped yet, so the number is still its own.
fn kill(child: &mut Child) -> io::Result<()> {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // It may have none of its own any more.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.kill()
}

/// A thread for each thing that may take its time. They are there before the program is: where the
/// system starts none, nothing has begun.
struct Helpers {
    input: Helper<ChildStdin, ()>,
    output: Helper<ChildStdout, String>,
    errors: Helper<ChildStderr, String>,
    end: Helper<Pid, ()>,
}

impl Helpers {
    fn start(thread: fn() -> Builder, input: String) -> io::Result<Self> {
        let feed = move |mut stdin: ChildStdin| {
            // A program may end without reading.
            let _ = stdin.write_all(input.as_bytes());
        };
        Ok(Self {
            input: Helper::start(thread(), feed)?,
            output: Helper::start(thread(), beginning)?,
            errors: Helper::start(thread(), beginning)?,
            end: Helper::start(thread(), until_it_ends)?,
        })
    }

    fn begin(&self, child: &mut Child) {
        self.input.give(child.stdin.take());
        self.output.give(child.stdout.take());
        self.errors.give(child.stderr.take());
        self.end.give(Pid::from_raw(child.id().cast_signed()));
    }

    fn last_words(&self) -> String {
        let streams = [&self.output.done, &self.errors.done];
        let words = streams.map(|stream| stream.recv_timeout(LAST_WORDS).unwrap_or_default());
        words.join(" ")
    }
}

/// A thread that does one thing with what it is given.
struct Helper<Given, Done> {
    given: Sender<Given>,
    done: Receiver<Done>,
}

impl<Given: Send + 'static, Done: Send + 'static> Helper<Given, Done> {
    fn start(
        thread: Builder,
        work: impl FnOnce(Given) -> Done + Send + 'static,
    ) -> io::Result<Self> {
        let (given, to_do) = channel();
        let (tell, done) = channel();
        thread.spawn(move || {
            if let Ok(given) = to_do.recv() {
                // Nobody may be left to tell.
                let _ = tell.send(work(given));
            }
        })?;
        Ok(Self { given, done })
    }

    fn give(&self, given: Option<Given>) {
        if let Some(given) = given {
            // It waits for nothing else.
            let _ = self.given.send(given);
        }
    }
}

/// Waits for the end, but leaves the process to be reaped.
fn until_it_ends(process: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    // The system reaps it where this process was started to ignore its children.
    let _ = retry_on_intr(|| waitid(WaitId::Pid(process), options));
}

/// Reads a stream to its end and keeps how it begins.
fn beginning(mut stream: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..length.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// More than there is room for.
    const TOO_MUCH: usize = 1 << 60;

    #[test]
    fn where_the_system_starts_no_thread_the_program_is_not_started_either() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let argv = ["/bin/sh", "-c", ": > \"$0\"", trace.to_str().unwrap()].map(str::to_owned);
        let no_thread = || Builder::new().stack_size(TOO_MUCH);
        let problem = run_beside(no_thread, &argv, &[], String::new()).unwrap_err();
        assert!(problem.contains("no thread"), "{problem}");
        assert!(!trace.exists());
        run(&argv, &[], String::new()).unwrap();
        assert!(trace.exists());
    }

    #[test]
    fn what_it_wrote_is_one_line_that_steers_no_terminal() {
        let script = "printf 'a\\033[2J\\nok  session  forged \\342\\200\\256x' >&2; exit 4";
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        let problem = run(&argv, &[], String::new()).unwrap_err();
        let says = "/bin/sh ended with exit status: 4; it wrote: a [2J ok session forged x";
        assert_eq!(problem, says);
    }

    const AT_ONCE: Duration = Duration::ZERO;

    fn refused() -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    #[test]
    fn what_cannot_be_killed_is_left_and_not_said_to_be_ended() {
        let (_running, ended) = channel();
        let says = "did not end within 10 s, and cannot be killed: permission denied";
        assert_eq!(
            await_end(&ended, AT_ONCE, AT_ONCE, refused),
            End::Never(says.to_owned())
        );
    }

    #[test]
    fn what_does_not_end_when_killed_is_left_and_not_said_to_be_ended() {
        let (_running, ended) = channel();
        let says = "was killed after 10 s, and does not end";
        assert_eq!(
            await_end(&ended, AT_ONCE, AT_ONCE, || Ok(())),
            End::Never(says.to_owned())
        );
    }

    #[test]
    fn what_ends_is_killed_only_if_it_is_late() {
        let (running, ended) = channel();
        running.send(()).unwrap();
        let end = await_end(&ended, AT_ONCE, AT_ONCE, || panic!("it has ended"));
        assert_eq!(end, End::ByItself);
        let late = || {
            running.send(()).unwrap();
            refused()
        };
        assert_eq!(await_end(&ended, AT_ONCE, AT_ONCE, late), End::Killed);
    }
}
