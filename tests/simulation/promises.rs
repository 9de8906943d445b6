//! The promises, judged from what the server received and when, by its own clock. Nothing of the
//! program's counting is used; its hold rows are only read to know until when it promised silence.

use std::collections::BTreeMap;
use std::time::Duration;

use story_liker::engage::{Report, Stop};
use story_liker::exit::ExitCode;
use story_liker::model::{AttemptKind, Hold, HoldReason, Limit, Timestamp};
use story_liker::ports::Store;

use crate::history::{History, Start};
use crate::world::platform::Entry;
use crate::world::*;

/// A `Date` has whole seconds, so the program knows the server's time no better than this.
const RESOLUTION: Duration = Duration::from_millis(2_500);
const READ_BACK_AFTER: Duration = Duration::from_mins(15);
const TIME_OUT: Duration = Duration::from_secs(21);

type Judged = Result<(), String>;

pub fn check(history: &mut History, report: &Report, elapsed: Duration) -> Judged {
    let holds = history.rig.holds();
    let record = history.rig.server.look().record.clone();
    let violations = history.rig.server.look().violations.clone();
    if let Some(violation) = violations.first() {
        return Err(format!("P5: {violation}"));
    }
    windows(history, &record)?;
    second_likes(&record)?;
    silence(history, &record, &holds)?;
    objections_are_remembered(history, &record, &holds)?;
    distances(history, &record)?;
    nothing_is_lost(history, &record, report)?;
    let most = history.rig.config.limits.max_runtime + TIME_OUT;
    if elapsed > most {
        return Err(format!(
            "P6: the pass took {elapsed:?}, allowed are {most:?}"
        ));
    }
    Ok(())
}

/// P1. Likes and views are strict; of all requests one read per start with a wrong clock may escape.
fn windows(history: &History, record: &[Entry]) -> Judged {
    let limits = &history.rig.config.limits;
    let times = |wanted: &dyn Fn(&Entry) -> bool| -> Vec<Timestamp> {
        let wanted = record.iter().filter(|entry| wanted(entry));
        wanted.map(|entry| entry.at).collect()
    };
    let escaped: Vec<Timestamp> = history
        .starts
        .iter()
        .filter(|start| start.clock_wrong)
        .filter_map(|start| record.get(start.from).map(|entry| entry.at))
        .collect();
    let likes = times(&|entry| entry.act == Act::Like);
    rolling("likes", &likes, &limits.likes, &[])?;
    let views = times(&|entry| entry.act == Act::View);
    rolling("views", &views, &limits.story_views, &[])?;
    let logins = times(&|entry| entry.act == Act::LoginPassword);
    rolling("logins", &logins, &limits.logins, &[])?;
    rolling("requests", &times(&|_| true), &limits.requests, &escaped)?;
    for owner in 1..=3 {
        // Items are numbered by their owner; 3000 and more are also found on another profile.
        if owner == 3 {
            continue;
        }
        let of_target = times(&|entry| {
            entry.act == Act::Like && entry.on.is_some_and(|media| media / 1000 == owner)
        });
        rolling(
            "likes of a target",
            &of_target,
            &limits.likes_per_target,
            &[],
        )?;
    }
    Ok(())
}

fn rolling(what: &str, times: &[Timestamp], limits: &[Limit], escaped: &[Timestamp]) -> Judged {
    for limit in limits {
        for (index, start) in times.iter().enumerate() {
            let end = start.plus(limit.span);
            let inside = times[index..].iter().filter(|at| **at <= end).count();
            let excused = escaped.iter().filter(|at| *start <= **at && **at <= end);
            if inside > limit.count as usize + excused.count() {
                return Err(format!(
                    "P1: {inside} {what} from {start} on, allowed are {limit}"
                ));
            }
        }
    }
    Ok(())
}

/// P2.
fn second_likes(record: &[Entry]) -> Judged {
    let mut likes: BTreeMap<i64, Vec<Timestamp>> = BTreeMap::new();
    for entry in record.iter().filter(|entry| entry.act == Act::Like) {
        let media = entry.on.unwrap_or_default();
        likes.entry(media).or_default().push(entry.at);
    }
    for (media, times) in likes {
        if times.len() > 2 {
            return Err(format!("P2: item {media} was liked {} times", times.len()));
        }
        if let [first, second] = times[..] {
            let proof = record.iter().any(|entry| {
                entry.at <= second
                    && entry.at.plus(RESOLUTION) >= first.plus(READ_BACK_AFTER)
                    && entry.said.contains(&(media, Some(false)))
            });
            if !proof {
                return Err(format!(
                    "P2: item {media} was liked at {first} and again at {second} without a reading"
                ));
            }
        }
    }
    Ok(())
}

/// P3. Exceptions: in the pass that met the objection one `current_user` or one login; one read of
/// a start with a wrong clock.
fn silence(history: &History, record: &[Entry], holds: &[Hold]) -> Judged {
    for hold in holds {
        let ends = [hold.until, hold.cleared_at];
        let end = ends.into_iter().flatten().min();
        // Its own time may be that of a clock that no reply had corrected yet.
        let met_in = history.met_in.get(&hold.id).copied();
        let during = record.iter().enumerate().filter(|(index, entry)| {
            met_in.is_some_and(|from| *index >= from)
                && entry.at > hold.since.plus(RESOLUTION)
                && end.is_none_or(|end| entry.at.plus(RESOLUTION) < end)
        });
        let mut proofs = 0;
        for (index, entry) in during {
            let start = start_of(&history.starts, index);
            let first = start.is_some_and(|start| start.from == index);
            let same_pass = start.map(|start| start.from) == met_in;
            let clock_wrong = start.is_some_and(|start| start.clock_wrong || start.clock_moved);
            let excused = match (hold.reason, entry.act) {
                (HoldReason::SessionDoubtful, Act::CurrentUser) if same_pass => {
                    proofs += 1;
                    proofs == 1
                }
                (HoldReason::LoginRequired | HoldReason::SessionDoubtful, act) => {
                    same_pass && act >= Act::LoginPrepare && history.rig.config.session.relogin
                }
                _ => false,
            };
            if !(excused || first && clock_wrong) {
                return Err(format!(
                    "P3: {:?} at {} in spite of hold {:?} since {} until {end:?}",
                    entry.act, entry.at, hold.reason, hold.since
                ));
            }
        }
    }
    Ok(())
}

fn start_of(starts: &[Start], index: usize) -> Option<&Start> {
    starts.iter().rev().find(|start| start.from <= index)
}

/// P3, the other half: an objection that was answered to a living process has its hold.
fn objections_are_remembered(history: &History, record: &[Entry], holds: &[Hold]) -> Judged {
    for (index, entry) in record.iter().enumerate() {
        let lost = start_of(&history.starts, index).is_some_and(|start| start.failed);
        let Some(reason) = entry.objected.filter(|_| !lost) else {
            continue;
        };
        let remembered = holds.iter().any(|hold| {
            hold.reason == reason && hold.since.distance(entry.at) < Duration::from_secs(5)
        });
        if !remembered {
            return Err(format!("P3: no hold remembers {reason:?} of {}", entry.at));
        }
    }
    Ok(())
}

/// Two requests are never closer than the shortest pause, two likes never closer than theirs.
fn distances(history: &History, record: &[Entry]) -> Judged {
    let pace = history.rig.config.pace;
    let mut last_like: Option<Timestamp> = None;
    for (index, entry) in record.iter().enumerate() {
        let start = start_of(&history.starts, index);
        if start.is_some_and(|start| start.clock_wrong || start.clock_moved) {
            if entry.act == Act::Like {
                last_like = Some(entry.at);
            }
            continue;
        }
        if let Some(before) = index.checked_sub(1).map(|before| &record[before])
            && entry.at.since(before.at) < pace.between_requests.min
        {
            return Err(format!(
                "pace: {:?} at {} right after another request",
                entry.act, entry.at
            ));
        }
        if entry.act == Act::Like {
            if last_like.is_some_and(|at| entry.at.since(at) < pace.between_likes.min) {
                return Err(format!("pace: a like at {} right after another", entry.at));
            }
            last_like = Some(entry.at);
        }
    }
    Ok(())
}

/// P5: whatever the server received is on record; a pass that ends leaves nothing open; the session
/// on record is the one the server last gave.
fn nothing_is_lost(history: &mut History, record: &[Entry], report: &Report) -> Judged {
    let failed = history.rig.store.failed();
    if let Stop::Store { code, message } = &report.stop
        && !failed
    {
        return Err(format!("P5: the pass ended with {code:?}: {message}"));
    }
    if report.exit_code() == ExitCode::Software && !failed {
        return Err("P5: an invariant of the program broke".to_owned());
    }
    let store = &mut history.rig.store.inner;
    let attempts = store.attempts(Timestamp::from_millis(i64::MIN)).unwrap();
    for (act, kind) in [
        (Act::Like, AttemptKind::Like),
        (Act::View, AttemptKind::StoryView),
        (Act::LoginPassword, AttemptKind::Login),
    ] {
        let received = record.iter().filter(|entry| entry.act == act).count();
        let known = attempts
            .iter()
            .filter(|attempt| attempt.kind == kind)
            .count();
        if received > known {
            return Err(format!(
                "P5: {received} {kind:?} received, {known} on record"
            ));
        }
    }
    if record.len() > attempts.len() {
        return Err(format!(
            "P5: {} received, {} on record",
            record.len(),
            attempts.len()
        ));
    }
    let open = attempts
        .iter()
        .filter(|attempt| attempt.settled_at.is_none());
    if !failed && !report.dry_run && open.count() > 0 {
        return Err("P5: the pass left an attempt unsettled".to_owned());
    }
    Ok(())
}
