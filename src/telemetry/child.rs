//! A program of the operator's, started without a shell: fed a text, given ten seconds, seen through
//! a narrow window, and shown only the variables that are handed in.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long the program may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How much of what it writes is kept of each stream, for the log.
const KEPT: usize = 2_000;

/// How long what an ended program wrote may take to arrive: longer only if it left others behind
/// that hold the stream open, and they are not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs `argv` with these variables and no others, and `input` on its standard input. An error says
/// how it ended and what it wrote, without its arguments.
pub fn run(argv: &[String], variables: &[(String, OsString)], input: String) -> Result<(), String> {
    let (program, arguments) = argv.split_first().ok_or("there is no program")?;
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
    if let Some(mut stdin) = child.stdin.take() {
        // A program may end without reading.
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    }
    let out = child.stdout.take().map(keep_beginning);
    let err = child.stderr.take().map(keep_beginning);
    let in_time = ends_in_time(&child);
    if !in_time && let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // It is not reaped yet, so the number is still its own. It may have ended by now.
        let _ = kill_process_group(group, Signal::KILL);
        // If the group was not to be had, at least the program itself.
        let _ = child.kill();
    }
    let status = child
        .wait()
        .map_err(|error| format!("{program} cannot be waited for: {error}"))?;
    let said = [&out, &err].into_iter().flatten().map(last_words);
    let said: String = said.collect::<Vec<_>>().join(" ");
    let said = match said.trim() {
        "" => String::new(),
        said => format!("; it wrote: {said}"),
    };
    if !in_time {
        return Err(format!("{program} was ended after 10 s{said}"));
    }
    if status.success() {
        return Ok(());
    }
    Err(format!("{program} ended with {status}{said}"))
}

/// Waits for the end, but leaves the process to be reaped.
fn ends_in_time(child: &Child) -> bool {
    let Some(process) = Pid::from_raw(child.id().cast_signed()) else {
        return false;
    };
    let (sender, ended) = channel();
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let waited = waitid(WaitId::Pid(process), options);
        sender.send(waited.is_ok())
    });
    matches!(ended.recv_timeout(LIMIT), Ok(true))
}

/// Reads a stream to its end and keeps how it begins.
fn keep_beginning(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let room = KEPT - kept.len();
            kept.extend_from_slice(&buffer[..length.min(room)]);
        }
        sender.send(kept)
    });
    receiver
}

fn last_words(stream: &Receiver<Vec<u8>>) -> String {
    match stream.recv_timeout(LAST_WORDS) {
        Ok(kept) => String::from_utf8_lossy(&kept).trim().to_owned(),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => String::new(),
    }
}
