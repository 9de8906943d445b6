//! Where a second factor's code, or a password, comes from: a file, the authenticator app's secret, or
//! the terminal, without echo.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::shell::unless_interrupted;
use crate::engage::CodeSource;
use crate::instagram::totp;
use crate::model::{Secret, Timestamp};
use crate::ports::{Clock, SecondFactor};

/// A code has six digits, a backup code eight; anything longer is not a code.
const LONGEST_CODE: u64 = 64;

const INTERRUPTED: &str = "stopped while it was awaited";

const STOPPED: &str = "stopped at the question for the code; this login counts (limits.logins): \
     when there is room again run 'story-liker login', or bring a session with 'story-liker session \
     import FILE'";

/// How often a question is put until there is an answer that can be one.
const TIMES_ASKED: u32 = 3;

/// Codes computed from the authenticator app's secret.
pub struct TotpSecret<'a>(
    /// From `account.totp_secret_file`, if configured.
    pub Option<&'a Secret>,
);

impl CodeSource for TotpSecret<'_> {
    fn code(&mut self, factor: &SecondFactor, now: Timestamp) -> Result<Secret, String> {
        let secret = self.0.ok_or_else(|| {
            "a second factor is asked for and account.totp_secret_file is not set; run \
             'story-liker login' on a terminal and type the code"
                .to_owned()
        })?;
        if !factor.totp {
            return Err(
                "a second factor is asked for, but not that of an authenticator app; run \
                        'story-liker login' on a terminal and type the code"
                    .to_owned(),
            );
        }
        totp::code(secret, now)
            .map_err(|problem| format!("account.totp_secret_file cannot be used: {problem}"))
    }
}

/// Where a person's code comes from: the named file, else the secret, else the terminal.
pub(super) struct Codes<'a> {
    pub file: Option<PathBuf>,
    pub secret: TotpSecret<'a>,
    pub username: String,
    pub clock: &'a dyn Clock,
    /// Whether a code was asked for and there was none: what ended the login then.
    pub missing: bool,
}

impl CodeSource for Codes<'_> {
    fn code(&mut self, factor: &SecondFactor, now: Timestamp) -> Result<Secret, String> {
        let code = self.find(factor, now);
        self.missing = code.is_err();
        code.map_err(|problem| match self.clock.interrupted() {
            Some(_) => STOPPED.to_owned(),
            None => problem,
        })
    }
}

impl Codes<'_> {
    fn find(&mut self, factor: &SecondFactor, now: Timestamp) -> Result<Secret, String> {
        if let Some(file) = &self.file {
            let file = file.clone();
            return unless_interrupted(self.clock, move || read_code(&file))
                .unwrap_or_else(|| Err(INTERRUPTED.to_owned()));
        }
        if self.secret.0.is_some() && factor.totp {
            return self.secret.code(factor, now);
        }
        let what = if factor.totp {
            "authenticator app"
        } else if factor.sms {
            "text message"
        } else {
            return Err(
                "a second factor is asked for that is neither an authenticator app's nor a text \
                 message's; a backup code of eight digits will do (--code-file), or log in with the \
                 client that writes your settings file and import that"
                    .to_owned(),
            );
        };
        let question = format!("Code from the {what} of {}: ", self.username);
        let take = |typed: &str| code_of(typed).ok_or("that is no code; one has 6 to 8 digits");
        ask_hidden(self.clock, &question, take).map_err(|problem| {
            format!(
                "a second factor is asked for and there is no code: {problem}; use --code-file, or \
                 account.totp_secret_file, or a terminal"
            )
        })
    }
}

/// The code in the file, or on standard input.
pub(super) fn read_code(file: &Path) -> Result<Secret, String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin()
            .lock()
            .take(LONGEST_CODE)
            .read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(LONGEST_CODE).read_to_string(&mut text))
    };
    let name = file.display().to_string();
    read.map_err(|error| {
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            return "--code-file takes the name of a file, or - for standard input, and no code: \
                    others can read what is typed as an argument"
                .to_owned();
        }
        format!(
            "--code-file {name} cannot be read: {error}; name a file that the user who runs this \
             may read, or - for standard input"
        )
    })?;
    code_of(&text).ok_or_else(|| format!("--code-file {name}: not a code of 6 to 8 digits"))
}

/// The code in `text`; blanks are for reading.
pub fn code_of(text: &str) -> Option<Secret> {
    let code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = (6..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| Secret::new(code))
}

/// The terminal on standard input without echo, until it is dropped.
struct Silent {
    as_it_was: Termios,
}

impl Silent {
    fn terminal() -> io::Result<Self> {
        let as_it_was = tcgetattr(io::stdin())?;
        let mut silent = as_it_was.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self { as_it_was })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that stays silent is a nuisance, no more, so a failure changes nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.as_it_was);
    }
}

/// Asks on the terminal, without echo, until `take` makes something of what was typed; what it says
/// against it stands before the question when that is put again.
pub(super) fn ask_hidden(
    clock: &dyn Clock,
    question: &str,
    take: impl Fn(&str) -> Result<Secret, &'static str>,
) -> Result<Secret, String> {
    if !io::stdin().is_terminal() {
        return Err("standard input is not a terminal".to_owned());
    }
    let unreadable = |error: io::Error| format!("the terminal cannot be read: {error}");
    // Before the question is there to be answered: what is typed or pasted at once is not shown. And
    // until the end of it: a reader that is left behind has changed it further.
    let _terminal = Silent::terminal().map_err(unreadable)?;
    let mut prompt = question.to_owned();
    let mut against = "";
    for _ in 0..TIMES_ASKED {
        let typed = unless_interrupted(clock, move || typed(prompt));
        let typed = typed.ok_or(INTERRUPTED)?.map_err(unreadable)?;
        match take(typed.expose()) {
            Ok(answer) => return Ok(answer),
            Err(why) => against = why,
        }
        prompt = format!("{against}\n{question}");
    }
    Err(format!("{against} (asked {TIMES_ASKED} times)"))
}

/// Whatever was typed, if anything.
pub(super) fn something(typed: &str) -> Result<Secret, &'static str> {
    if typed.is_empty() {
        Err("nothing was typed")
    } else {
        Ok(Secret::new(typed))
    }
}

fn typed(prompt: String) -> io::Result<Secret> {
    match rpassword::prompt_password(prompt) {
        // It has raised the signal, and whoever waits for what is typed learns of that.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => loop {
            thread::park();
        },
        typed => typed.map(Secret::new),
    }
}
