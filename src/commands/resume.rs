//! `resume`: a person says that the cause of a hold is dealt with.

use serde_json::json;

use super::shell::{Failure, Shell};
use crate::cli::Resume;
use crate::config::Needs;
use crate::engage::resumable;
use crate::exit::ExitCode;
use crate::model::Hold;
use crate::ports::{Change, Store};
use crate::store::{MigratePolicy, Opening};
use crate::telemetry::logging::Stream;

/// Clears the holds that need a person; timed ones too if forced.
pub fn resume(shell: &Shell, flags: &Resume) -> Result<ExitCode, Failure> {
    shell.log_to(Stream::Stderr);
    let config = shell.load(&shell.request(Needs::NoSecret))?.config;
    let clock = shell.clock()?;
    // A mistyped --database must not end in a new, empty file.
    let opening = Opening {
        migrate: MigratePolicy::Refuse,
        ..Opening::default()
    };
    let mut store = shell.open_as(&config, "resume", flags.patience, &clock, opening)?;
    let now = clock.now();
    let holds = store.holds(now)?;
    let (clear, keep) = resumable(&holds, now, flags.force);
    let changes: Vec<Change> = clear
        .iter()
        .map(|hold| Change::HoldCleared {
            hold: hold.id,
            by: "resume",
        })
        .collect();
    store.apply(&changes, now)?;
    let no_session = store.sealing()?.is_none();
    let name = |hold: &&Hold| hold.reason.as_str();
    shell.answer(
        || {
            json!({ "cleared": clear.iter().map(name).collect::<Vec<_>>(),
                    "kept": keep.iter().map(|hold| json!({ "reason": hold.reason,
                        "until": hold.until })).collect::<Vec<_>>() })
        },
        || text(&clear, &keep, no_session),
    );
    Ok(ExitCode::Ok)
}

fn text(clear: &[&Hold], keep: &[&Hold], no_session: bool) -> String {
    let mut lines = Vec::new();
    for hold in clear {
        lines.push(format!(
            "cleared: {} ({})",
            hold.reason.as_str(),
            hold.message
        ));
    }
    if !clear.is_empty() && !no_session {
        lines.push(
            "The next pass sends requests again. If the cause is not settled in the official app, \
             Instagram objects again, and each time is more likely to cost the account."
                .to_owned(),
        );
    }
    if no_session {
        lines.push(
            "There is no session: a pass ends with 77 until 'story-liker login' or 'story-liker \
             session import FILE' brings one."
                .to_owned(),
        );
    } else if clear.iter().any(|hold| hold.reason.about_session()) {
        lines.push(
            "If the session is dead, a pass still ends with 77 until 'story-liker login' or \
             'story-liker session import FILE' brings a new one."
                .to_owned(),
        );
    }
    for hold in keep {
        let until = hold
            .until
            .map_or_else(String::new, |until| format!(" until {until}"));
        lines.push(format!(
            "kept: {}{until} ({}); it ends by itself; --force clears it at your own risk",
            hold.reason.as_str(),
            hold.message
        ));
    }
    if clear.is_empty() && keep.is_empty() {
        lines.insert(0, "no hold is in force; nothing to clear".to_owned());
    }
    lines.join("\n")
}
