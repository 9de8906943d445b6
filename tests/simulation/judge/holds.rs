//! P3, the other half: an objection that was answered to a living process has its hold, and the hold
//! is as long as the promises say. The table of the promises stands here a second time.

use std::time::Duration;

use story_liker::model::{HoldReason, Timestamp};

use super::{Held, HoldKey, Judge, Judged};
use crate::world::platform::Entry;
use crate::world::*;

const HOLDS: &str = "
    SELECT id, reason, since_at, until_at, cleared_at, attempt FROM hold ORDER BY id";

impl Judge {
    /// Reads the holds, and judges those that are new.
    pub(super) fn read_holds(&mut self, record: &[Entry]) -> Judged {
        self.read_holds_after(record, false)
    }

    /// A person cleared some of them, and no process ran meanwhile.
    pub fn person_cleared(&mut self) -> Judged {
        self.read_holds_after(&[], true)
    }

    fn read_holds_after(&mut self, record: &[Entry], person: bool) -> Judged {
        let now_running = self.running.last().copied().unwrap_or_default();
        let rows: Vec<(HoldKey, Held)> = {
            let mut statement = self.raw.prepare_cached(HOLDS).unwrap();
            let moment = |millis: Option<i64>| millis.map(Timestamp::from_millis);
            let rows = statement.query_map([], |row| {
                let reason: String = row.get(1)?;
                let held = Held {
                    reason: HoldReason::parse(&reason).unwrap(),
                    since: Timestamp::from_millis(row.get(2)?),
                    until: moment(row.get(3)?),
                    cleared: moment(row.get(4)?),
                    attempt: row.get(5)?,
                    met_in: now_running,
                };
                Ok(((row.get(0)?, held.since), held))
            });
            rows.unwrap().map(Result::unwrap).collect()
        };
        let last_act = self
            .running
            .last()
            .and_then(|start| self.starts[*start].last_act);
        for (id, row) in rows {
            let news = self
                .holds
                .get(&id)
                .is_none_or(|known| known.cleared.is_none());
            if news && row.cleared.is_some() && !person && !clears(last_act, row.reason) {
                return Err(format!("P3: {row:?} was cleared, and no person did"));
            }
            if let Some(known) = self.holds.get_mut(&id) {
                known.cleared = row.cleared;
                continue;
            }
            self.is_long_enough(record, row)?;
            self.holds.insert(id, row);
        }
        Ok(())
    }

    /// The objection that a hold is about, if something tells when it was met.
    fn objection_of<'r>(&self, record: &'r [Entry], hold: &Held) -> Option<&'r Entry> {
        let unsettled = || {
            let pending = self.pending.iter().rev();
            let mut of_it = pending.filter(|it| it.start == hold.met_in);
            of_it.find(|it| record[it.entry].objected == Some(hold.reason))
        };
        let index = match hold.attempt {
            Some(attempt) => *self.attempts.get(&attempt)?,
            None => unsettled()?.entry,
        };
        let entry = record.get(index)?;
        let start = self.start_of[index];
        let told = !self.untold(entry, start);
        // Whatever else it was answered, or nothing: the record tells when that was, and so does the
        // program's own clock, if it is right.
        let right = self.starts[start].ahead == 0 && !self.starts[start].moved;
        (told && (right || entry.objected == Some(hold.reason))).then_some(entry)
    }

    fn is_long_enough(&self, record: &[Entry], hold: Held) -> Judged {
        let met = self.objection_of(record, &hold);
        // From the objection on by the server's own record; from what the row says only where
        // nothing tells when that was.
        let met_at = met.map_or(hold.since, |entry| {
            // What is under way for too long is met when the pass gives it up.
            self.time(entry).minus(entry.late).minus(super::RESOLUTION)
        });
        if hold.since < met_at {
            return Err(format!(
                "P3: {hold:?} begins before its objection of {met_at}"
            ));
        }
        let asked = met.and_then(|entry| Some(met_at.plus(entry.asked?)));
        let same = |held: &&Held| held.reason == hold.reason;
        let overlapped = self.starts.get(hold.met_in).is_some_and(|s| s.overlapped);
        // What another machine meets meanwhile is not known to a pass that has begun.
        let earlier = self.holds.values().filter(same);
        let earlier = earlier.filter(|_| !overlapped);
        let least = match hold.reason {
            HoldReason::Throttled | HoldReason::PleaseWait => {
                let (first, most) = match hold.reason {
                    HoldReason::Throttled => (30 * MINUTE, 12 * HOUR),
                    _ => (2 * HOUR, DAY),
                };
                let length = doubled(hold, earlier, first, most);
                Some(met_at.plus(length).max(asked.unwrap_or(met_at)))
            }
            HoldReason::ActionBlocked => {
                let month = hold.since.minus(30 * DAY);
                let before = earlier.filter(|held| held.since >= month).count();
                match (before, asked) {
                    (0, Some(date)) if date > hold.since => Some(date),
                    // Nothing tells which objection it was, so nor which date it named.
                    (0, None) if met.is_none() => Some(hold.since),
                    (0, _) => Some(met_at.plus(2 * DAY)),
                    (1, date) => Some(met_at.plus(7 * DAY).max(date.unwrap_or(met_at))),
                    _ => None,
                }
            }
            HoldReason::UnknownShape => Some(met_at.plus(6 * HOUR)),
            HoldReason::Unavailable => {
                Some(met_at.plus(doubled(hold, earlier, 2 * HOUR, 12 * HOUR)))
            }
            _ => None,
        };
        let enough = match (hold.until, least) {
            (None, _) => true,
            (Some(until), Some(least)) => until >= least,
            (Some(_), None) => false,
        };
        if enough {
            Ok(())
        } else {
            Err(format!("P3: {hold:?} is shorter than {least:?}"))
        }
    }

    /// How many holds are longer than the first of their kind.
    pub fn doubled_holds(&self) -> u64 {
        let longer = self.holds.values().filter(|hold| {
            let first = match hold.reason {
                HoldReason::Throttled => 30 * MINUTE,
                HoldReason::PleaseWait | HoldReason::Unavailable => 2 * HOUR,
                _ => return false,
            };
            hold.until
                .is_some_and(|until| until.since(hold.since) == 2 * first)
        });
        longer.count() as u64
    }

    /// Whether there is the hold that this attempt's objection caused, if it was answered with one.
    pub(super) fn is_remembered(&self, attempt: i64, entry: &Entry, start: usize) -> bool {
        let Some(reason) = entry.objected else {
            return true;
        };
        let mut holds = self.holds.values();
        holds.any(|hold| {
            // Stored by itself where its attempt could not be settled.
            let by_itself = hold.attempt.is_none() && hold.met_in == start;
            let of_it = hold.attempt == Some(attempt) || by_itself;
            let of_it = of_it && hold.reason == reason;
            // The proof of life met the doubt that it was to settle.
            let doubt = reason == HoldReason::SessionDoubtful
                && hold.reason == reason
                && hold.met_in == start
                && hold.cleared.is_none();
            of_it || doubt
        })
    }
}

pub(super) fn forgotten(entry: &Entry) -> String {
    let (reason, at) = (entry.objected, entry.at);
    format!("P3: no hold remembers {reason:?} of {at}")
}

/// What a pass itself finds out about a session: a login ends every hold about it, the question
/// whether it is alive ends the doubt. Nothing else is the program's to clear.
fn clears(last: Option<Act>, reason: HoldReason) -> bool {
    match reason {
        HoldReason::SessionDoubtful => {
            last >= Some(Act::LoginPrepare) || last == Some(Act::CurrentUser)
        }
        HoldReason::LoginRequired | HoldReason::LoggedOut | HoldReason::LoginRefused => {
            last >= Some(Act::LoginPrepare)
        }
        _ => false,
    }
}

/// The length of a hold that doubles while it recurs within a day.
fn doubled<'a>(
    hold: Held,
    earlier: impl Iterator<Item = &'a Held>,
    first: Duration,
    most: Duration,
) -> Duration {
    let last = earlier.max_by_key(|held| held.since);
    last.and_then(|last| last.until.map(|until| (last.since, until)))
        .filter(|(_, until)| hold.since <= until.plus(DAY))
        .map_or(first, |(since, until)| {
            (until.since(since) * 2).clamp(first, most)
        })
}
