//! Tells a monitor how a pass goes, and a person what changed by it.
//!
//! What is to be told is on record since the pass ended, and each way has a record of its own of
//! what it told. A notice is told first and recorded as told after: a crash in between tells it a
//! second time, under the same name; the other order would lose it, and a lost call for help is
//! worse than a second one. A way that fails is left alone until the next pass, so that notices
//! arrive in their order. The lock is kept meanwhile: another pass would tell the same things.

use std::time::Duration;

use super::aside::aside;
use super::report_text;
use super::shell::{Failure, Shell};
use crate::config::Config;
use crate::engage::{Report, Stop};
use crate::exit::ExitCode;
use crate::model::{Channel, Timestamp, Undelivered};
use crate::ports::{Clock, StoreError};
use crate::store::Writer;
use crate::telemetry::notify::Message;
use crate::telemetry::ping::Ping;

/// A way tells at most so many notices after one pass.
const MOST: u32 = 10;

/// No telling begins when all together took so long.
const BUDGET: Duration = Duration::from_secs(20);

/// What could not be told for so long is given up.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_hours(7 * 24);

/// The pings of a pass, if they are wanted.
pub(super) fn ping(shell: &Shell, config: &Config) -> Result<Option<Ping>, Failure> {
    match &config.ping {
        None => Ok(None),
        Some(url) => Ok(Ping::new(url, [shell.seed()?, shell.seed()?])),
    }
}

/// Tells the monitor how the process is about to end. A start that did not get the lock is told by
/// nobody: the pass that has it tells for itself, and an end of another pass would be taken for its
/// own. Nothing that goes wrong here changes how the process ends.
pub(super) fn ping_the_end(
    ping: Ping,
    done: &Result<Report, Failure>,
    status: impl Fn(ExitCode) -> ExitCode,
) {
    aside("told the monitor how the pass ended", || {
        let (code, text) = match done {
            Ok(report) => (report.exit_code(), report_text::render(report)),
            Err(failure) => (failure.code, failure.message.clone()),
        };
        let never_began = matches!(
            code,
            ExitCode::TempFail | ExitCode::Interrupted | ExitCode::Terminated
        );
        if ping.has_begun() || !never_began {
            ping.end(status(code).number(), text.trim_start());
        }
    });
}

/// The ways that are configured.
pub(super) fn channels(config: &Config) -> Vec<Channel> {
    let command = (!config.notify.command.is_empty()).then_some(Channel::Command);
    let url = config.notify.url.as_ref().map(|_| Channel::Url);
    command.into_iter().chain(url).collect()
}

/// Whether an answer has told the pass what time it is.
pub(super) fn knows_the_time(report: &Report) -> bool {
    let untold = matches!(
        report.stop,
        Stop::ClockOff { .. } | Stop::ClockJumped { .. } | Stop::Unavailable { .. }
    );
    report.counts.requests() > 0 && !untold
}

/// Tells what is to be told after a pass. Nothing that goes wrong here changes how it ended.
pub(super) fn tell(
    shell: &Shell,
    config: &Config,
    store: &mut Writer,
    clock: &dyn Clock,
    knows_the_time: bool,
) {
    aside("told what is to be told", || {
        let began = clock.monotonic();
        let may_begin =
            || clock.interrupted().is_none() && clock.monotonic().saturating_sub(began) < BUDGET;
        for channel in Channel::ALL {
            let told = tell_by(channel, shell, config, store, clock, &may_begin);
            let done = told.and_then(|is_down| {
                // What a wrong clock says has waited for a week may be of today, and only an answer
                // tells whether it is wrong.
                if is_down && knows_the_time {
                    give_up(channel, store, clock.now())
                } else {
                    Ok(())
                }
            });
            if let Err(error) = done {
                log::warn!("notices stay as they are: {error}");
                return;
            }
        }
    });
}

/// Whether this way could not tell something, or is not configured any more.
fn tell_by(
    channel: Channel,
    shell: &Shell,
    config: &Config,
    store: &mut Writer,
    clock: &dyn Clock,
    may_begin: &dyn Fn() -> bool,
) -> Result<bool, StoreError> {
    let waiting = store.undelivered(channel, MOST)?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let mut is_down = !channels(config).contains(&channel);
    for Undelivered { notice, .. } in waiting {
        if is_down || !may_begin() {
            break;
        }
        let message = Message::new(&notice, &config.profile);
        let told = match (channel, &config.notify.url) {
            (Channel::Url, Some(url)) => message.post(url),
            _ => message.run(&config.notify.command, shell.environment.for_children()),
        };
        store.tried_to_tell(
            notice.id,
            channel,
            told.as_ref().err().map(String::as_str),
            clock.now(),
        )?;
        match told {
            Ok(()) => log::info!(
                notice = notice.name(&config.profile);
                "{} was told: {}", channel.key(), notice.title()
            ),
            Err(problem) => {
                is_down = true;
                log::warn!(
                    notice = notice.name(&config.profile);
                    "{} could not be told \"{}\": {problem}; the next pass tries again", channel.key(),
                    notice.title()
                );
            }
        }
    }
    Ok(is_down)
}

fn give_up(channel: Channel, store: &mut Writer, now: Timestamp) -> Result<(), StoreError> {
    let given_up = store.give_up_telling(channel, now.minus(GIVEN_UP_AFTER), now)?;
    if given_up > 0 {
        log::error!(
            "{} could not be told {given_up} notices for 7 days; they are given up",
            channel.key()
        );
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cli::{ColorChoice, Global, LogFormat};
    use crate::commands::ThisProcess;
    use crate::config::{self, Environment, Request};
    use crate::model::{ProfileName, Secret};
    use crate::ports::Interrupt;

    struct Broken;

    impl Clock for Broken {
        fn now(&self) -> Timestamp {
            panic!("planted")
        }

        fn monotonic(&self) -> Duration {
            panic!("planted")
        }

        fn sleep_until(&self, _: Timestamp) {}

        fn interrupted(&self) -> Option<Interrupt> {
            None
        }
    }

    #[test]
    fn a_panic_while_somebody_is_told_does_not_reach_the_pass() {
        let global = Global {
            config: None,
            database: None,
            profile: None,
            log_level: None,
            log_format: LogFormat::Auto,
            color: ColorChoice::Auto,
            json: false,
        };
        let shell = Shell::new(global, Box::new(ThisProcess::default()));
        let environment: Environment = [("HOME", "/nowhere")].into_iter().collect();
        let request = Request::default();
        let config = config::load(&request, &environment).unwrap().config;
        let mut store = Writer::in_memory(&ProfileName::default()).unwrap();
        tell(&shell, &config, &mut store, &Broken, true);
        let nowhere = Secret::new("http://127.0.0.1:1/");
        let ping = Ping::new(&nowhere, [1, 2]).unwrap();
        let done = Err(Failure::new(ExitCode::Config, "a mistake"));
        ping_the_end(ping, &done, |_| panic!("planted"));
    }
}
