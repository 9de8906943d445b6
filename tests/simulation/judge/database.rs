//! What the rows have to say: P2, P4 and P5 from the database.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;
use story_liker::engage::Report;
use story_liker::model::{HoldReason, Timestamp};

use super::holds::forgotten;
use super::{Judge, Judged, Pending, RESOLUTION, Started};
use crate::world::platform::Entry;
use crate::world::*;

/// An attempt without outcome stands later than any moment.
const NEWEST_CLAIM: &str = "
    SELECT id, kind, call, item_pk FROM attempt
    WHERE stands_at = 9223372036854775807 AND settled_at IS NULL ORDER BY id DESC LIMIT 1";

const OPEN_CLAIMS: &str = "
    SELECT count(*) FROM attempt
    WHERE stands_at = 9223372036854775807 AND settled_at IS NULL";

const SETTLED: &str = "SELECT settled_at, outcome, detail FROM attempt WHERE id = ?1";

const LIKES: &str = "SELECT settled_at FROM attempt WHERE kind = 'like' AND settled_at IS NOT NULL";

const DOUBLE_LIKES: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM attempt
        WHERE kind = 'like' AND (outcome IS NULL OR outcome IN ('ok', 'unknown'))
        GROUP BY item_pk HAVING count(*) > 1)
    UNION ALL SELECT count(*) FROM (
        SELECT 1 FROM attempt WHERE kind = 'like' AND outcome IS NOT 'unsent'
        GROUP BY item_pk HAVING count(*) > 2)
    UNION ALL SELECT count(*) FROM attempt WHERE settled_at < claimed_at
    UNION ALL SELECT count(*) FROM attempt WHERE (settled_at IS NULL) <> (outcome IS NULL)";

impl Judge {
    /// P5: every act is on record before it is sent, by a claim of its own.
    pub(super) fn claimed_before(&mut self, index: usize, entry: &Entry, start: usize) -> Judged {
        let claim: Option<(i64, String, String, Option<i64>)> = self
            .raw
            .prepare_cached(NEWEST_CLAIM)
            .unwrap()
            .query_row([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()
            .unwrap();
        let (kind, call) = on_record(entry.act);
        let item = entry
            .on
            .filter(|_| matches!(entry.act, Act::View | Act::Like | Act::MediaInfo));
        let fits = |(id, of_kind, of_call, of_item): &(i64, String, String, Option<i64>)| {
            *id > self.last_claim && of_kind == kind && of_call == call && *of_item == item
        };
        let Some((attempt, ..)) = claim.as_ref().filter(|claim| fits(claim)) else {
            return Err(format!(
                "P5: {:?} at {} is not on record as claimed; the newest open claim is {claim:?}",
                entry.act, entry.at
            ));
        };
        self.last_claim = *attempt;
        self.attempts.insert(*attempt, index);
        self.pending.push(Pending {
            attempt: *attempt,
            entry: index,
            start,
            first: self.starts[start].requests == 0,
        });
        Ok(())
    }

    /// Something may have been settled: with its hold, not before the server received it, and as
    /// what it was.
    pub fn settled(&mut self, record: &[Entry]) -> Judged {
        let mut left = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            let row: Option<(Option<i64>, Option<String>, String)> = self
                .raw
                .prepare_cached(SETTLED)
                .unwrap()
                .query_row([pending.attempt], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
                .unwrap();
            let Some((settled_at, outcome, detail)) = row else {
                return Err("P5: the record of a request is gone".to_owned());
            };
            let (Some(settled_at), Some(outcome)) = (settled_at, outcome) else {
                left.push(pending);
                continue;
            };
            let entry = &record[pending.entry];
            if detail == "found without outcome after a crash" {
                if outcome != "unknown" {
                    return Err(format!("P5: a killed request was settled as {outcome}"));
                }
                let recovered_in = &self.starts[self.running.last().copied().unwrap_or_default()];
                let settled_at = Timestamp::from_millis(settled_at);
                if !self.own_clock && recovered_in.ahead == 0 && settled_at < entry.at {
                    return Err(format!(
                        "P1: {:?} at {} stands at {settled_at} since a crash, before it was received",
                        entry.act, entry.at
                    ));
                }
                continue;
            }
            self.read_holds(record)?;
            if !self.is_remembered(pending.attempt, entry, pending.start) {
                return Err(forgotten(entry));
            }
            let by_itself = self.running.contains(&pending.start);
            let knows = self.own_clock || !pending.first || self.starts[pending.start].ahead == 0;
            let stands = Timestamp::from_millis(settled_at).plus(RESOLUTION);
            let told = !self.untold(entry, pending.start);
            if by_itself && knows && told && stands < self.time(entry) {
                return Err(format!(
                    "P1: {:?} at {} stands at {settled_at} on record, before it was received",
                    entry.act, entry.at
                ));
            }
            let true_ok = entry.objected.is_none()
                && (entry.took_effect || !matches!(entry.act, Act::Like | Act::View));
            if outcome == "unsent" || outcome == "ok" && !true_ok {
                return Err(format!(
                    "P5: {:?} at {} was settled as {outcome}",
                    entry.act, entry.at
                ));
            }
        }
        self.pending = left;
        Ok(())
    }

    /// P3: an objection whose settlement failed is held all the same. A disk that takes no byte, or a
    /// database that stays locked,
    /// remembers nothing, and the next pass goes on; then the operator is told what nothing else
    /// knows. Nor can a process remember that is killed before it has settled an answer.
    pub(super) fn unsettled_objections(
        &self,
        record: &[Entry],
        start: usize,
        report: &Report,
        failure: Option<Failure>,
    ) -> Judged {
        for pending in self.pending.iter().filter(|it| it.start == start) {
            let entry = &record[pending.entry];
            let Some(reason) = entry.objected else {
                continue;
            };
            let told = report.stop.sentence().contains(&format!("{reason:?}"));
            let remembered = self.is_remembered(pending.attempt, entry, start);
            let cannot = matches!(failure, Some(Failure::DiskFull | Failure::Locked));
            if !(remembered || cannot && told) {
                return Err(forgotten(entry));
            }
        }
        Ok(())
    }

    /// When likes were settled, also those that nobody received.
    pub(super) fn likes_on_record(&self) -> Vec<Timestamp> {
        let mut statement = self.raw.prepare_cached(LIKES).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(|row| Timestamp::from_millis(row.unwrap()))
            .collect()
    }

    /// P5: a pass that ends leaves nothing open. A dry run settles nothing but its own.
    pub(super) fn nothing_is_open(&self, start: &Started) -> Judged {
        if self.open_claims() > 0 && !start.dry_run {
            return Err("P5: the pass left an attempt unsettled".to_owned());
        }
        Ok(())
    }

    pub(super) fn open_claims(&self) -> i64 {
        let mut statement = self.raw.prepare_cached(OPEN_CLAIMS).unwrap();
        statement.query_row([], |row| row.get(0)).unwrap()
    }

    /// P5: the session on record is the one the server last gave; none is kept that it declared
    /// dead.
    pub(super) fn session_is_the_one_given(&self, start: &Started, given: &str) -> Judged {
        let stored: Option<String> = self
            .raw
            .prepare_cached("SELECT content FROM session")
            .unwrap()
            .query_row([], |row| row.get(0))
            .optional()
            .unwrap();
        let declared_dead = || {
            let mut holds = self.holds.values();
            holds.any(|hold| {
                let reason = hold.reason;
                hold.cleared.is_none()
                    && matches!(reason, HoldReason::LoginRequired | HoldReason::LoggedOut)
            })
        };
        match stored {
            Some(stored) if start.given != given && stored != given => Err(format!(
                "P5: the session on record is {stored}, the server last gave {given}"
            )),
            None if !declared_dead() => Err("P5: the session is lost".to_owned()),
            _ => Ok(()),
        }
    }

    /// P4: the device is made once.
    pub(super) fn device_is_the_same(&mut self) -> Judged {
        let device: Option<String> = self
            .raw
            .prepare_cached("SELECT device FROM account")
            .unwrap()
            .query_row([], |row| row.get(0))
            .unwrap();
        if self.device.is_some() && self.device != device {
            return Err(format!("P4: device {:?} became {device:?}", self.device));
        }
        self.device = device;
        Ok(())
    }

    pub(super) fn has_session(&self) -> bool {
        let mut statement = self.raw.prepare_cached("SELECT 1 FROM session").unwrap();
        statement.exists([]).unwrap()
    }

    /// P5 and P2: no item with two likes that may have taken, nor other rows that contradict each
    /// other.
    pub(super) fn no_contradiction(&self) -> Judged {
        let mut statement = self.raw.prepare_cached(DOUBLE_LIKES).unwrap();
        let wrong = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        let wrong: Vec<i64> = wrong.map(Result::unwrap).collect();
        if wrong.iter().any(|count| *count > 0) {
            return Err(format!("P5: rows that contradict each other: {wrong:?}"));
        }
        Ok(())
    }

    /// Likes on record that a later reading called not taken.
    pub fn disproved_likes(&self) -> u64 {
        let count = "SELECT count(*) FROM attempt WHERE outcome = 'disproved'";
        let mut statement = self.raw.prepare_cached(count).unwrap();
        statement
            .query_row([], |row| row.get::<_, u32>(0))
            .unwrap()
            .into()
    }

    /// P5: a sound file, without rows that refer to none.
    pub fn sound_file(&self) -> Judged {
        let astray: i64 = self
            .raw
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })
            .unwrap();
        if astray > 0 {
            return Err(format!("P5: {astray} rows refer to none"));
        }
        let verdict: String = self
            .raw
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        if verdict == "ok" {
            Ok(())
        } else {
            Err(format!("P5: the database is damaged: {verdict}"))
        }
    }

    /// Every row of the tables that a dry run leaves alone, as text.
    pub(super) fn tables(&self) -> BTreeMap<&'static str, Vec<String>> {
        let tables = ["target", "story", "post", "run"];
        let dump = tables.into_iter().map(|table| {
            let query = format!("SELECT * FROM {table}");
            let mut statement = self.raw.prepare_cached(&query).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                let values = (0..columns).map(|column| row.get(column));
                let values: Vec<rusqlite::types::Value> = values.collect::<Result<_, _>>()?;
                Ok(format!("{values:?}"))
            });
            (table, rows.unwrap().map(Result::unwrap).collect())
        });
        dump.collect()
    }
}

/// Kind and call of the attempt that such a request is claimed as.
fn on_record(act: Act) -> (&'static str, &'static str) {
    match act {
        Act::CurrentUser => ("read", "current_user"),
        Act::UserByName => ("read", "user_by_name"),
        Act::Stories => ("read", "stories"),
        Act::Posts => ("read", "posts"),
        Act::MediaInfo => ("read", "media_info"),
        Act::View => ("story_view", "view_story"),
        Act::Like => ("like", "like"),
        Act::LoginPrepare => ("read", "login_prepare"),
        Act::LoginKey => ("read", "login_key"),
        Act::LoginPassword => ("login", "login_password"),
        Act::LoginCode => ("login_code", "login_code"),
    }
}
