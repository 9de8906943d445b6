//! The profile's session, holds, passes and targets, as they are on record. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::Check;
use crate::engage::ended_well;
use crate::exit::ExitCode;
use crate::model::{Account, Hold, RunRecord, Target, Timestamp};

/// How many passes are looked at.
const RUNS_LOOKED_AT: usize = 20;

/// A timer that starts less often than this is no timer for stories, which last a day.
const TOO_OLD: Duration = Duration::from_hours(24);

const NEW_SESSION: &str = "'story-liker session import FILE' or 'story-liker login'";

fn ago(now: Timestamp, then: Timestamp) -> String {
    let span = Duration::from_secs(now.since(then).as_secs());
    format!("{} ago", humantime::format_duration(span))
}

/// Whether there is a session, how old it is and when it was last seen alive.
pub(super) fn session(account: Option<&Account>, now: Timestamp) -> Check {
    const ID: &str = "session";
    let session = account.filter(|account| account.session.is_some());
    let Some(account) = session else {
        let finding = "there is none in this database for this profile";
        let remedy = format!("{NEW_SESSION}; or check --database and --profile");
        return Check::problem(ID, ExitCode::NoPerm, finding, remedy);
    };
    let mut finding = match &account.username {
        Some(name) => format!("of {name}"),
        None => "there".to_owned(),
    };
    if let Some(at) = account.session_since {
        finding.push_str(&format!(", since {at} ({})", ago(now, at)));
    }
    match account.session_proved_at {
        Some(at) => Check::ok(ID, format!("{finding}, alive at {at} ({})", ago(now, at))),
        None => Check::note(
            ID,
            format!("{finding}, not proved alive yet: the next pass asks first"),
        ),
    }
}

/// What stands in the way, and who ends it.
pub(super) fn holds(holds: &[Hold], now: Timestamp) -> Vec<Check> {
    const ID: &str = "holds";
    let mut checks: Vec<Check> = Vec::new();
    for hold in holds.iter().filter(|hold| hold.in_force(now)) {
        let name = hold.reason.as_str();
        let message = &hold.message;
        checks.push(match hold.until {
            Some(until) => Check::problem(
                ID,
                ExitCode::TempFail,
                format!("'{name}' until {until}: {message}"),
                "wait: it ends by itself, and the next pass goes on",
            ),
            None if hold.reason.about_session() => Check::problem(
                ID,
                ExitCode::NoPerm,
                format!("'{name}' since {}: {message}", hold.since),
                NEW_SESSION,
            ),
            None => Check::problem(
                ID,
                ExitCode::NoPerm,
                format!("'{name}' since {}: {message}", hold.since),
                "do what it says in the official app, then run 'story-liker resume'",
            ),
        });
    }
    if checks.is_empty() {
        let past = holds.len();
        checks.push(Check::ok(
            ID,
            format!("none in force, {past} of the last 60 days are over"),
        ));
    }
    checks
}

/// How the last passes ended, and whether they still come. `under_way` says whether the newest one
/// has its lock.
pub(super) fn runs(
    runs: &[RunRecord],
    under_way: bool,
    longest: Duration,
    now: Timestamp,
) -> Check {
    const ID: &str = "passes";
    let Some(last) = runs.first() else {
        let remedy = "'story-liker run --dry-run' shows what the first would do";
        return Check::warning(ID, "none is on record yet", remedy);
    };
    let Some(ended_at) = last.ended_at else {
        let since = format!("since {} ({})", last.started_at, ago(now, last.started_at));
        if !under_way {
            let finding = format!("the last one was cut off: it has no end, {since}");
            let remedy = "see in the log whether it was killed, crashed or met a full disk; the next \
                          one settles what it left";
            return Check::warning(ID, finding, remedy);
        }
        if now.since(last.started_at) > longest {
            let finding = format!("one has been under way for longer than it may, {since}");
            let remedy = "see whether the machine slept or the process is stopped; SIGTERM ends it \
                          in order";
            return Check::problem(ID, ExitCode::TempFail, finding, remedy);
        }
        return Check::note(ID, format!("one is under way, {since}"));
    };
    let finding = format!(
        "the last ended at {ended_at} ({}); {}",
        ago(now, ended_at),
        tally(runs)
    );
    if now.since(ended_at) > TOO_OLD {
        let remedy = "see whether the timer is on: systemctl list-timers, crontab -l, kubectl get \
                      cronjobs";
        return Check::warning(ID, finding, remedy);
    }
    let same = runs
        .iter()
        .take_while(|run| run.exit_code == last.exit_code)
        .count();
    if ended_well(last) {
        return Check::ok(ID, finding);
    }
    let code = last.exit_code.and_then(ExitCode::from_number);
    let code = code.map_or("an unknown code".to_owned(), |code| code.to_string());
    let why = last.stop.as_deref().unwrap_or("no reason is on record");
    let finding = format!("{finding}; {same} in a row with {code}: {why}");
    Check::warning(ID, finding, "do what it says; the other checks tell more")
}

/// "of the last 20: 18 with 0, 2 with 69".
fn tally(runs: &[RunRecord]) -> String {
    let runs = &runs[..runs.len().min(RUNS_LOOKED_AT)];
    let mut counts: BTreeMap<Option<u8>, usize> = BTreeMap::new();
    for run in runs {
        *counts.entry(run.exit_code).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let part = |(code, count): &(Option<u8>, usize)| match code {
        Some(code) => format!("{count} with {code}"),
        None => format!("{count} cut off"),
    };
    let parts: Vec<String> = counts.iter().map(part).collect();
    format!("of the last {}: {}", runs.len(), parts.join(", "))
}

/// Targets that cannot be seen at present.
pub(super) fn targets(targets: &[Target]) -> Vec<Check> {
    const ID: &str = "targets";
    let enabled = || targets.iter().filter(|target| target.enabled);
    let mut checks: Vec<Check> = enabled()
        .filter_map(|target| Some((target, target.trouble?)))
        .map(|(target, trouble)| {
            let again = target
                .retry_at
                .map_or(String::new(), |at| format!(" after {at}"));
            let name = &target.listed_as;
            Check::warning(
                ID,
                format!("{name} is {}, looked at again{again}", trouble.as_str()),
                "look at it in the app; take it off the list or wait",
            )
        })
        .collect();
    if checks.is_empty() {
        checks.push(Check::ok(
            ID,
            format!("{} on record, none in trouble", enabled().count()),
        ));
    }
    checks
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::Status;
    use super::*;
    use crate::model::{HoldId, HoldReason, ProfileName, RunId, Secret, Session};

    /// 2026-11-20 18:00:00 UTC.
    const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);
    const HOUR: Duration = Duration::from_hours(1);

    fn run(before: Duration, code: Option<u8>) -> RunRecord {
        RunRecord {
            id: RunId(1),
            command: "run".to_owned(),
            started_at: NOW.minus(before),
            ended_at: code.map(|_| NOW.minus(before)),
            requests: 0,
            likes: 0,
            trouble: None,
            exit_code: code,
            stop: Some("the network is gone".to_owned()),
        }
    }

    #[test]
    fn the_passes_are_told_with_their_pattern() {
        let judge = |list: &[RunRecord], under_way| runs(list, under_way, HOUR, NOW);
        let good = judge(&[run(HOUR, Some(0)), run(2 * HOUR, Some(69))], false);
        assert_eq!(good.status, Status::Ok);
        let bad = judge(
            &[
                run(HOUR, Some(69)),
                run(2 * HOUR, Some(69)),
                run(3 * HOUR, Some(0)),
            ],
            false,
        );
        assert_eq!(bad.status, Status::Warning);
        for words in [
            "of the last 3: 2 with 69, 1 with 0",
            "2 in a row with 69",
            "network",
        ] {
            assert!(bad.finding.contains(words), "{bad:?}");
        }
        assert_eq!(
            judge(&[run(25 * HOUR, Some(0))], false).status,
            Status::Warning
        );
        assert_eq!(judge(&[run(HOUR, None)], true).status, Status::Note);
        assert_eq!(
            judge(&[run(HOUR * 2, None)], true).exit_code,
            Some(ExitCode::TempFail)
        );
        let cut_off = judge(&[run(HOUR, None)], false);
        assert!(cut_off.finding.contains("cut off"), "{cut_off:?}");
        assert_eq!(judge(&[], false).status, Status::Warning);
    }

    #[test]
    fn each_hold_has_its_remedy_and_the_exit_code_of_a_pass() {
        let hold = |reason, until| Hold {
            id: HoldId(1),
            since: NOW.minus(HOUR),
            reason,
            until,
            message: "it objected".to_owned(),
            attempt: None,
            cleared_at: None,
            cleared_by: None,
        };
        for (reason, until, code, words) in [
            (
                HoldReason::Throttled,
                Some(NOW.plus(HOUR)),
                ExitCode::TempFail,
                "wait",
            ),
            (
                HoldReason::Challenge,
                None,
                ExitCode::NoPerm,
                "story-liker resume",
            ),
            (
                HoldReason::LoginRequired,
                None,
                ExitCode::NoPerm,
                "session import",
            ),
        ] {
            let checks = holds(&[hold(reason, until)], NOW);
            assert_eq!(checks.len(), 1);
            assert_eq!(checks[0].exit_code, Some(code));
            assert!(
                checks[0].remedy.as_ref().unwrap().contains(words),
                "{checks:?}"
            );
        }
        let over = [hold(HoldReason::Throttled, Some(NOW))];
        assert_eq!(holds(&over, NOW)[0].status, Status::Ok);
    }

    #[test]
    fn a_session_is_there_proved_or_missing() {
        let mut account = Account {
            profile: ProfileName::default(),
            pk: None,
            username: Some("sandbox.operator".to_owned()),
            device: None,
            session: Some(Session {
                pk: "71000000001".parse().unwrap(),
                json: Secret::new("hidden"),
            }),
            session_since: Some(NOW.minus(HOUR)),
            session_proved_at: Some(NOW.minus(HOUR)),
            ignore_posts_before: None,
        };
        assert_eq!(session(Some(&account), NOW).status, Status::Ok);
        account.session_proved_at = None;
        assert_eq!(session(Some(&account), NOW).status, Status::Note);
        account.session = None;
        for account in [Some(&account), None] {
            assert_eq!(session(account, NOW).exit_code, Some(ExitCode::NoPerm));
        }
    }
}
