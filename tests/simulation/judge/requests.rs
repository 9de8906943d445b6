//! What every single request has to respect: P1, P2, P3, P4, quiet hours and distances.

use std::time::Duration;

use story_liker::model::{HoldReason, Limit, Timestamp};

use super::{Judge, Judged, RESOLUTION, UNNOTICED};
use crate::events::{MEDIA_OF, NAMES, SHARED};
use crate::local::is_quiet;
use crate::world::platform::Entry;
use crate::world::*;

const READ_BACK_AFTER: Duration = Duration::from_mins(15);
const HALVED_FOR: Duration = Duration::from_hours(14 * 24);
/// After so long without a like the warm-up begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);
/// A clock that is wrong by no more than this is worked with, corrected.
const TOLERATED: Duration = Duration::from_mins(6);

impl Judge {
    /// The server has received something.
    pub fn received(&mut self, record: &[Entry], index: usize) -> Judged {
        let entry = &record[index];
        let start = self.running[self.running.len() - 1];
        self.start_of.push(start);
        let started = &mut self.starts[start];
        started.moved |= !entry.slept.is_zero();
        started.misdated |= entry.misdated != 0;
        self.read_holds(record)?;
        self.claimed_before(index, entry, start)?;
        self.silence(entry, start)?;
        self.quiet(entry, start)?;
        self.windows(entry, start)?;
        self.second_likes(entry)?;
        self.second_views(entry, start)?;
        self.logins(entry, start)?;
        self.distances(record, index, start)?;
        let started = &mut self.starts[start];
        if started.dry_run && matches!(entry.act, Act::View | Act::Like) {
            return Err(format!("P7: a dry run sent {:?}", entry.act));
        }
        started.undated += u32::from(entry.undated && started.undated == started.requests);
        started.requests += 1;
        started.last = Some(index);
        started.last_act = Some(entry.act);
        Ok(())
    }

    /// Nobody knows the time before the first reply with a `Date` of a start whose clock is wrong.
    fn knows_no_time(&self, start: usize) -> bool {
        let started = &self.starts[start];
        !self.own_clock && started.requests == started.undated && started.ahead != 0
    }

    /// P3. Exceptions: in the pass that met the objection one `current_user` or one login; one read
    /// of a start with a wrong clock, as far as only time tells that a hold is not over.
    fn silence(&mut self, entry: &Entry, start: usize) -> Judged {
        let now = self.time(entry);
        let allowance = self.allowance(&self.starts[start]);
        for (id, hold) in &self.holds {
            let over = hold.until.is_some_and(|until| now.plus(allowance) >= until);
            if hold.cleared.is_some() || over {
                continue;
            }
            let by_itself = match hold.reason {
                HoldReason::SessionDoubtful => entry.act == Act::CurrentUser,
                HoldReason::LoginRequired => entry.act >= Act::LoginPrepare && self.relogin,
                _ => false,
            };
            let once = !self.starts[start].despite_holds.contains(&(*id, entry.act));
            if by_itself && hold.met_in == start && once {
                self.starts[start].despite_holds.push((*id, entry.act));
                continue;
            }
            let read = entry.act < Act::View;
            if hold.until.is_some() && read && self.knows_no_time(start) {
                continue;
            }
            return Err(format!(
                "P3: {:?} at {} in spite of hold {:?} since {} until {:?}",
                entry.act,
                entry.at,
                hold.reason,
                hold.since,
                hold.until.map(|until| until.to_string())
            ));
        }
        Ok(())
    }

    fn quiet(&self, entry: &Entry, start: usize) -> Judged {
        // Nobody knows while asleep how late it is.
        let Some(rest) = self.rest.filter(|_| entry.slept.is_zero()) else {
            return Ok(());
        };
        let (now, allowance) = (self.time(entry), self.allowance(&self.starts[start]));
        let around = [now.minus(allowance), now, now.plus(allowance)];
        if around.into_iter().all(|at| is_quiet(rest, at)) && !self.knows_no_time(start) {
            return Err(format!(
                "quiet hours: {:?} at {} within {rest:?}",
                entry.act, entry.at
            ));
        }
        Ok(())
    }

    /// The share of likes and views that the warm-up allows, in hundredths. Its days run from the
    /// first like after a month without any. A like whose settlement or fate is all that is on record
    /// may have begun them as well. Time that nobody can know is not judged.
    fn warm_up(&self, now: Timestamp) -> u32 {
        let stages = &self.config.limits.warm_up;
        let Some(coldest) = stages.first().filter(|_| !self.own_clock) else {
            return 100;
        };
        let mut times = self.likes_on_record();
        times.extend(&self.likes);
        times.sort_unstable();
        let mut first = None;
        for like in times.into_iter().rev() {
            if first.unwrap_or(now).since(like) > FORGOTTEN_AFTER {
                break;
            }
            first = Some(like);
        }
        let Some(first) = first else {
            return coldest.percent;
        };
        let mut stages = stages.iter();
        let stage = stages.find(|stage| now.plus(TOLERATED) < first.plus(stage.span));
        stage.map_or(100, |stage| stage.percent)
    }

    /// P1, and what one pass may do: a share of likes and views while the account warms up, half of
    /// the likes after an action block.
    fn windows(&mut self, entry: &Entry, start: usize) -> Judged {
        let now = self.time(entry);
        let halved = self.holds.values().any(|hold| {
            let end = [hold.until, hold.cleared].into_iter().flatten().min();
            hold.reason == HoldReason::ActionBlocked
                && hold.met_in < start
                && end.is_some_and(|end| now.plus(TOLERATED) < end.plus(HALVED_FOR))
        });
        let warm = match entry.act {
            Act::View | Act::Like => self.warm_up(now),
            _ => 100,
        };
        let share = |count: u32, parts: u32| (count * warm / parts).max(1);
        let of_likes = if halved { 200 } else { 100 };
        let shared = |limits: &[Limit], parts: u32| -> Vec<Limit> {
            let limits = limits.iter();
            let shared = limits.map(|limit| Limit {
                count: share(limit.count, parts),
                ..*limit
            });
            shared.collect()
        };
        let limits = self.config.limits.clone();
        let own_clock = self.own_clock;
        let judge = |what: &str, times: &mut Vec<Timestamp>, limits: &[Limit]| -> Judged {
            let newest = if own_clock {
                times.len()
            } else {
                times.partition_point(|at| *at <= now)
            };
            times.insert(newest, now);
            rolling(what, times, newest, limits, own_clock)
        };
        if !self.knows_no_time(start) {
            judge("requests", &mut self.requests, &limits.requests)?;
        }
        match entry.act {
            Act::View => judge("views", &mut self.views, &shared(&limits.story_views, 100))?,
            Act::LoginPassword => judge("logins", &mut self.logins, &limits.logins)?,
            Act::Like => {
                judge("likes", &mut self.likes, &shared(&limits.likes, of_likes))?;
                let started = &mut self.starts[start];
                started.likes += 1;
                let most = share(limits.likes_per_run, of_likes);
                if started.likes > most {
                    return Err(format!(
                        "P1: {} likes in one pass, {most} allowed",
                        started.likes
                    ));
                }
                // A post of two authors counts for the one it is liked for, whoever that is.
                let media = entry.on.unwrap_or_default();
                let owner = usize::try_from(media / MEDIA_OF - 1).unwrap();
                if media != SHARED && owner < NAMES.len() {
                    let times = &mut self.likes_of[owner];
                    judge(
                        "likes of a target",
                        times,
                        &shared(&limits.likes_per_target, of_likes),
                    )?;
                    let started = &mut self.starts[start];
                    started.likes_of[owner] += 1;
                    let most = share(limits.likes_per_target_per_run, of_likes);
                    if started.likes_of[owner] > most {
                        return Err(format!(
                            "P1: {} likes of {} in one pass, {most} allowed",
                            started.likes_of[owner], NAMES[owner]
                        ));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// P2.
    fn second_likes(&mut self, entry: &Entry) -> Judged {
        let now = self.time(entry);
        for (media, says) in &entry.said {
            if *says == Some(false) {
                self.items.entry(*media).or_default().unliked_read = Some(now);
            }
        }
        if entry.act != Act::Like {
            return Ok(());
        }
        let media = entry.on.unwrap_or_default();
        let allowance = if self.own_clock {
            UNNOTICED
        } else {
            RESOLUTION
        };
        let tried = self.items.entry(media).or_default();
        tried.likes.push(now);
        match tried.likes[..] {
            [_] => Ok(()),
            [first, _] => {
                let proof = tried
                    .unliked_read
                    .is_some_and(|read| read.plus(allowance) >= first.plus(READ_BACK_AFTER));
                if proof {
                    return Ok(());
                }
                Err(format!(
                    "P2: item {media} was liked at {first} and again at {now} without a reading \
                     that says, 15 minutes after the first, that it did not take"
                ))
            }
            _ => Err(format!(
                "P2: item {media} was liked {} times",
                tried.likes.len()
            )),
        }
    }

    /// A view on record is not repeated, but for two machines at once, which no lock keeps apart here,
    /// and where a clock that nobody corrects made the story look expired and be forgotten.
    fn second_views(&mut self, entry: &Entry, start: usize) -> Judged {
        let excused = self.own_clock || self.starts[start].overlapped;
        if entry.act != Act::View || excused {
            return Ok(());
        }
        let media = entry.on.unwrap_or_default();
        let tried = self.items.entry(media).or_default();
        if tried.viewed {
            return Err(format!("P5: item {media} was seen twice"));
        }
        tried.viewed = entry.took_effect && entry.objected.is_none();
        Ok(())
    }

    /// P4.
    fn logins(&mut self, entry: &Entry, start: usize) -> Judged {
        if entry.act >= Act::LoginPrepare {
            let started = &self.starts[start];
            let wrong = [
                (!self.dead, "the server has not declared the session dead"),
                (!self.relogin, "session.relogin does not allow it"),
                (started.dry_run, "it is a dry run"),
                (self.knows_no_time(start), "no reply has told the time"),
            ];
            if let Some((_, why)) = wrong.into_iter().find(|(wrong, _)| *wrong) {
                return Err(format!("P4: {:?} at {}: {why}", entry.act, entry.at));
            }
        }
        if entry.act == Act::LoginPassword
            && let [.., before, now] = self.logins[..]
            && now.since(before).saturating_add(UNNOTICED) <= DAY
            && now >= before
        {
            return Err(format!(
                "P4: a login at {now}, a day not over since {before}"
            ));
        }
        let factor = if self.second_factor {
            Act::LoginCode
        } else {
            Act::LoginPassword
        };
        if entry.objected == Some(HoldReason::LoginRequired) {
            self.dead = true;
        } else if entry.act == factor && entry.took_effect {
            self.dead = false;
        }
        Ok(())
    }

    /// Two requests are never closer than the shortest pause, two likes never closer than theirs.
    fn distances(&mut self, record: &[Entry], index: usize, start: usize) -> Judged {
        let entry = &record[index];
        // What others took too long to deliver left in time.
        let left_at = |entry: &Entry| entry.at.minus(entry.late);
        let last_like = self.last_like;
        if entry.act == Act::Like {
            self.last_like = Some(left_at(entry));
        }
        let Some(before) = index.checked_sub(1) else {
            return Ok(());
        };
        let one = self.start_of[before] == start;
        let known = |start: usize| {
            let start = &self.starts[start];
            start.ahead == 0 && !start.moved && !start.overlapped
        };
        let previous = self.start_of[before];
        if !(one || !self.own_clock && known(start) && known(previous)) || self.starts[start].moved
        {
            return Ok(());
        }
        let pace = self.config.pace;
        if left_at(entry).since(left_at(&record[before])) < pace.between_requests.min {
            return Err(format!(
                "pace: {:?} at {} right after another request",
                entry.act, entry.at
            ));
        }
        let like_here = self.starts[start].likes > 1;
        if entry.act == Act::Like
            && (like_here || known(start) && known(previous) && !self.own_clock)
            && !self.starts[start].overlapped
            && last_like.is_some_and(|at| left_at(entry).since(at) < pace.between_likes.min)
        {
            return Err(format!("pace: a like at {} right after another", entry.at));
        }
        Ok(())
    }
}

/// Every window that ends at the newest of `times`, which was put in at `newest`, or at what arrived
/// after it and was judged before: one by one, these are all windows there are. Where the clock
/// itself goes back and forth, what is on record later than now counts as well.
fn rolling(
    what: &str,
    times: &[Timestamp],
    newest: usize,
    limits: &[Limit],
    own_clock: bool,
) -> Judged {
    for (end, limit) in (newest..times.len()).flat_map(|end| limits.iter().map(move |l| (end, l))) {
        let (now, most) = (times[end], limit.count as usize);
        let inside = if own_clock {
            let from = now.minus(limit.span - UNNOTICED);
            times.iter().filter(|at| **at >= from).count()
        } else {
            let from = now.minus(limit.span);
            let times = times[..=end].iter().rev();
            times.take_while(|at| **at >= from).take(most + 1).count()
        };
        if inside > most {
            return Err(format!(
                "P1: {inside} {what} up to {now}, allowed are {limit}"
            ));
        }
    }
    Ok(())
}
