//! Pauses: the earliest moment of the next request.
//!
//! Three distances are kept, from request to request, from like to like and from target to target.
//! Each is drawn from its range; the latest of those that apply counts, they are not added. They
//! are counted from attempts on record, so a start right after a kill keeps the distance. Chance
//! only adds to the minimum. Every target has its own stream of chance, so that adding a target
//! changes nothing for the others.

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::config::{Pace, PauseRange};
use crate::model::{AttemptKind, TargetId, Timestamp};

/// A drawing from `range`, both ends included.
pub fn draw(range: PauseRange, rng: &mut impl rand::Rng) -> Duration {
    let min = u64::try_from(range.min.as_millis()).unwrap_or(u64::MAX);
    let max = u64::try_from(range.max.as_millis())
        .unwrap_or(u64::MAX)
        .max(min);
    Duration::from_millis(rng.random_range(min..=max))
}

/// Why the next request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// `pace.start_jitter`.
    Start,
    /// `pace.between_requests`.
    Requests,
    /// `pace.between_targets`.
    Targets,
    /// `pace.between_likes`.
    Likes,
}

impl PauseReason {
    /// The configuration key that sets this pause.
    pub fn key(self) -> &'static str {
        match self {
            Self::Start => "pace.start_jitter",
            Self::Requests => "pace.between_requests",
            Self::Targets => "pace.between_targets",
            Self::Likes => "pace.between_likes",
        }
    }
}

/// Keeps the distances of one pass.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    seed: u64,
    streams: HashMap<u64, ChaCha8Rng>,
    /// The start's jitter; over once a request was sent.
    not_before: Option<Timestamp>,
    last_request: Option<(Timestamp, Option<TargetId>)>,
    last_like: Option<Timestamp>,
    /// The last moment known not to be in the future. An attempt on record after it means that the
    /// clock was set back: its distance is kept from here, rather than waiting for the old clock to
    /// be reached again.
    present: Timestamp,
    request_gap: Duration,
    like_gap: Duration,
    target_gap: Duration,
}

impl Pacer {
    /// Starts a pass at `now`, after the last request and the last like on record.
    pub fn new(
        pace: Pace,
        seed: u64,
        last_request: Option<(Timestamp, Option<TargetId>)>,
        last_like: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let jitter = PauseRange {
            min: Duration::ZERO,
            max: pace.start_jitter,
        };
        let not_before = now.plus(draw(jitter, &mut ChaCha8Rng::seed_from_u64(seed)));
        let mut pacer = Self {
            pace,
            seed,
            streams: HashMap::new(),
            not_before: Some(not_before),
            last_request,
            last_like,
            present: now,
            request_gap: Duration::ZERO,
            like_gap: Duration::ZERO,
            target_gap: Duration::ZERO,
        };
        pacer.redraw("");
        pacer
    }

    /// The earliest moment for a request of `kind` on `target`, and what sets it.
    pub fn earliest(
        &self,
        kind: AttemptKind,
        target: Option<TargetId>,
    ) -> (Timestamp, PauseReason) {
        let start = self.not_before.unwrap_or(self.present);
        let mut earliest = (start, PauseReason::Start);
        let mut at_least = |moment: Timestamp, reason| {
            if moment > earliest.0 {
                earliest = (moment, reason);
            }
        };
        if let Some((at, last_target)) = self.last_request {
            let at = at.min(self.present);
            at_least(at.plus(self.request_gap), PauseReason::Requests);
            if target.is_some() && last_target.is_some() && target != last_target {
                at_least(at.plus(self.target_gap), PauseReason::Targets);
            }
        }
        if kind == AttemptKind::Like
            && let Some(at) = self.last_like
        {
            at_least(at.min(self.present).plus(self.like_gap), PauseReason::Likes);
        }
        earliest
    }

    /// When the like would leave whose story view leaves at `view_at`, at the latest.
    pub fn like_after_view(&self, view_at: Timestamp) -> Timestamp {
        let after_view = view_at.plus(self.pace.between_requests.max);
        self.last_like.map_or(after_view, |at| {
            after_view.max(at.min(self.present).plus(self.like_gap))
        })
    }

    /// A request has been answered, or not, at `at`. Draws the distances to the next one from the
    /// stream of `stream` (the target's name; empty where there is none).
    pub fn sent(
        &mut self,
        kind: AttemptKind,
        target: Option<TargetId>,
        stream: &str,
        at: Timestamp,
    ) {
        self.not_before = None;
        self.present = at;
        let last_target = target.or(self.last_request.and_then(|(_, target)| target));
        self.last_request = Some((at, last_target));
        if kind == AttemptKind::Like {
            self.last_like = Some(at);
        }
        self.redraw(stream);
    }

    fn redraw(&mut self, stream: &str) {
        let number = stable_hash(stream);
        let seed = self.seed;
        let rng = self.streams.entry(number).or_insert_with(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number);
            rng
        });
        self.request_gap = draw(self.pace.between_requests, rng);
        self.like_gap = draw(self.pace.between_likes, rng);
        self.target_gap = draw(self.pace.between_targets, rng);
    }
}

/// FNV-1a: the same on every machine and in every version, which the standard hasher is not.
fn stable_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(min: u64, max: u64) -> PauseRange {
        PauseRange {
            min: Duration::from_secs(min),
            max: Duration::from_secs(max),
        }
    }

    fn pace() -> Pace {
        Pace {
            between_likes: secs(25, 75),
            between_requests: secs(5, 12),
            between_targets: secs(20, 60),
            start_jitter: Duration::ZERO,
        }
    }

    const A: Option<TargetId> = Some(TargetId(1));
    const B: Option<TargetId> = Some(TargetId(2));

    #[test]
    fn a_start_right_after_a_kill_keeps_the_distance() {
        let now = Timestamp::from_secs(1000);
        let last = Timestamp::from_secs(999);
        let pacer = Pacer::new(pace(), 1, Some((last, A)), Some(last), now);
        let (read, _) = pacer.earliest(AttemptKind::Read, A);
        let (like, reason) = pacer.earliest(AttemptKind::Like, A);
        assert!(read >= last.plus(Duration::from_secs(5)));
        assert!(like >= last.plus(Duration::from_secs(25)));
        assert_eq!(reason, PauseReason::Likes);
    }

    #[test]
    fn another_target_waits_longer_and_the_pauses_are_not_added() {
        let now = Timestamp::from_secs(1000);
        for seed in 0..200 {
            let mut pacer = Pacer::new(pace(), seed, None, None, now);
            assert_eq!(pacer.earliest(AttemptKind::Read, A).0, now);
            pacer.sent(AttemptKind::Like, A, "a", now);
            let (same, _) = pacer.earliest(AttemptKind::Read, A);
            let (other, reason) = pacer.earliest(AttemptKind::Read, B);
            let (like, _) = pacer.earliest(AttemptKind::Like, B);
            assert!(same.since(now) <= Duration::from_secs(12));
            assert!(other.since(now) >= Duration::from_secs(20));
            assert_eq!(reason, PauseReason::Targets);
            assert!(like.since(now) <= Duration::from_secs(75));
            // The proof of life belongs to no target and forgets none.
            pacer.sent(AttemptKind::Read, None, "", now);
            assert_eq!(pacer.earliest(AttemptKind::Read, B).1, PauseReason::Targets);
        }
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_pass_for_hours() {
        let now = Timestamp::from_secs(1000);
        let future = Timestamp::from_secs(90_000);
        let pacer = Pacer::new(pace(), 1, Some((future, A)), Some(future), now);
        assert!(pacer.earliest(AttemptKind::Like, A).0 <= now.plus(Duration::from_secs(75)));
    }

    #[test]
    fn a_clock_corrected_after_the_first_reply_neither_shortens_nor_lengthens_the_pauses() {
        let local = Timestamp::from_secs(1000);
        for off in [240, -240] {
            let now = Timestamp::from_secs(1000 + off);
            let last = now.minus(Duration::from_secs(10));
            let mut pacer = Pacer::new(pace(), 1, Some((last, A)), Some(last), local);
            pacer.sent(AttemptKind::Read, A, "a", now);
            let (like, _) = pacer.earliest(AttemptKind::Like, A);
            assert!(like >= last.plus(Duration::from_secs(25)), "{off}");
            assert!(like <= now.plus(Duration::from_secs(75)), "{off}");
        }
    }

    #[test]
    fn only_a_like_moves_the_distance_to_the_next_like() {
        let now = Timestamp::from_secs(1000);
        let later = now.plus(Duration::from_mins(10));
        let mut pacer = Pacer::new(pace(), 1, Some((now, A)), Some(now), now);
        pacer.sent(AttemptKind::StoryView, A, "a", later);
        let (like, reason) = pacer.earliest(AttemptKind::Like, A);
        assert_eq!(reason, PauseReason::Requests);
        assert!(like <= later.plus(Duration::from_secs(12)));
        pacer.sent(AttemptKind::Like, A, "a", later);
        let (like, reason) = pacer.earliest(AttemptKind::Like, A);
        assert_eq!(reason, PauseReason::Likes);
        assert!(like >= later.plus(Duration::from_secs(25)));
    }

    #[test]
    fn the_like_after_a_view_leaves_no_later_than_foreseen() {
        let now = Timestamp::from_secs(1000);
        for seed in 0..200 {
            let mut pacer = Pacer::new(pace(), seed, Some((now, A)), Some(now), now);
            let (view, _) = pacer.earliest(AttemptKind::StoryView, A);
            let foreseen = pacer.like_after_view(view);
            pacer.sent(AttemptKind::StoryView, A, "a", view);
            let (like, _) = pacer.earliest(AttemptKind::Like, A);
            assert!(like >= view.plus(Duration::from_secs(5)));
            assert!(foreseen >= view.plus(Duration::from_secs(12)));
            assert!(foreseen <= now.plus(Duration::from_secs(75)));
        }
    }

    #[test]
    fn every_pause_is_named_by_its_configuration_key() {
        let reasons = [
            PauseReason::Start,
            PauseReason::Requests,
            PauseReason::Targets,
            PauseReason::Likes,
        ];
        let mut keys: Vec<_> = reasons.into_iter().map(PauseReason::key).collect();
        for key in &keys {
            assert!(crate::config::KEYS.iter().any(|known| known.name == *key));
        }
        keys.dedup();
        assert_eq!(keys.len(), reasons.len());
    }

    #[test]
    fn a_stream_s_number_is_the_published_hash_of_its_name() {
        for (name, number) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(stable_hash(name), number, "{name}");
        }
    }

    #[test]
    fn one_target_s_pauses_do_not_depend_on_another_s() {
        let now = Timestamp::from_secs(0);
        let mut alone = Pacer::new(pace(), 7, None, None, now);
        let mut beside = Pacer::new(pace(), 7, None, None, now);
        beside.sent(AttemptKind::Read, B, "b", now);
        alone.sent(AttemptKind::Read, A, "a", now);
        beside.sent(AttemptKind::Read, A, "a", now);
        assert_eq!(
            alone.earliest(AttemptKind::Like, A),
            beside.earliest(AttemptKind::Like, A)
        );
    }

    #[test]
    fn the_start_is_spread_only_when_asked() {
        let now = Timestamp::from_secs(0);
        let spread = Pace {
            start_jitter: Duration::from_mins(10),
            ..pace()
        };
        let starts: Vec<_> = (0..20)
            .map(|seed| Pacer::new(spread, seed, None, None, now).earliest(AttemptKind::Read, A))
            .collect();
        assert!(
            starts
                .iter()
                .all(|(at, _)| *at <= now.plus(Duration::from_mins(10)))
        );
        assert!(
            starts
                .iter()
                .any(|(at, _)| *at > now.plus(Duration::from_mins(1)))
        );
    }
}
