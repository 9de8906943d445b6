//! What the operator has done to the items of the world: views and likes that took effect, and those
//! still on their way.

use std::collections::BTreeMap;

/// Something a write does once it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The item is liked.
    Like(u64),
    /// The like is taken back.
    Unlike(u64),
    /// The story counts as viewed.
    View(u64),
}

#[derive(Debug, Clone, Copy)]
struct Change {
    at_ms: i64,
    liked: bool,
    seen_before: bool,
}

/// Views and likes in effect.
#[derive(Debug, Default)]
pub struct Reactions {
    changes: BTreeMap<u64, Vec<Change>>,
    views: BTreeMap<u64, i64>,
    later: Vec<(i64, Effect)>,
}

impl Reactions {
    /// Lets an effect happen at `at_ms`.
    pub fn apply(&mut self, effect: Effect, at_ms: i64) {
        match effect {
            Effect::Like(pk) | Effect::Unlike(pk) => {
                let liked = matches!(effect, Effect::Like(_));
                let seen_before = self.views.contains_key(&pk);
                self.changes.entry(pk).or_default().push(Change {
                    at_ms,
                    liked,
                    seen_before,
                });
            }
            Effect::View(pk) => {
                self.views.entry(pk).or_insert(at_ms);
            }
        }
    }

    /// Lets an effect happen once `at_ms` has come.
    pub fn apply_later(&mut self, effect: Effect, at_ms: i64) {
        self.later.push((at_ms, effect));
    }

    /// Applies what has become due by `now_ms`.
    pub fn settle(&mut self, now_ms: i64) {
        let (due, later) = self
            .later
            .drain(..)
            .partition(|(at_ms, _)| *at_ms <= now_ms);
        self.later = later;
        let due: Vec<(i64, Effect)> = due;
        for (at_ms, effect) in due {
            self.apply(effect, at_ms);
        }
    }

    /// Whether the item was liked at `at_ms`.
    pub fn is_liked(&self, pk: u64, at_ms: i64) -> bool {
        let changes = self.changes.get(&pk).map_or(&[][..], Vec::as_slice);
        changes
            .iter()
            .rev()
            .find(|change| change.at_ms <= at_ms)
            .is_some_and(|change| change.liked)
    }

    /// Whether a view of the story is in effect.
    pub fn is_seen(&self, pk: u64) -> bool {
        self.views.contains_key(&pk)
    }

    /// Whether the author can see the like: a story's only when a view came before it.
    pub fn is_delivered(&self, pk: u64, is_story: bool) -> bool {
        let last = self.changes.get(&pk).and_then(|changes| changes.last());
        last.is_some_and(|change| change.liked && (change.seen_before || !is_story))
    }

    /// Every item something was done to.
    pub fn touched(&self) -> Vec<u64> {
        let mut pks: Vec<u64> = self
            .changes
            .keys()
            .chain(self.views.keys())
            .copied()
            .collect();
        pks.sort_unstable();
        pks.dedup();
        pks
    }
}
