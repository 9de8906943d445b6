//! What the item itself and its target say, before a pass on paper or where one did not come to it.

use super::paper::Paper;
use super::{Key, key_of};
use crate::engage::policy::Work;
use crate::engage::queue::next_listing;
use crate::engage::reason::{Reason, standing};
use crate::model::{ItemKind, Target, Timestamp};

impl Paper<'_> {
    /// Why no pass will ever like it, or has to: what the item itself and the list of targets say.
    pub(super) fn settled(&self, key: Key, at: Timestamp) -> Option<Reason> {
        let item = self.items.get(&key)?;
        let target = self.target(item.target);
        let known_since = target.and_then(Target::known_since);
        let reason = standing(item, known_since, self.account.ignore_posts_before, at);
        let open = matches!(
            reason,
            Reason::WouldLike { .. } | Reason::EffectUnknown { .. } | Reason::Refused { .. }
        );
        if !open {
            return Some(reason);
        }
        let Some(target) = target.filter(|target| target.enabled) else {
            let target = target.map(|target| target.listed_as.clone());
            return Some(Reason::TargetOff {
                target: target.unwrap_or_default(),
            });
        };
        let (wanted, setting) = match key.0 {
            ItemKind::Story => (target.stories, "stories"),
            ItemKind::Post => (target.posts, "posts"),
        };
        (!wanted).then(|| Reason::KindOff {
            target: target.listed_as.clone(),
            setting,
        })
    }

    /// Why a pass did not come across the item at all.
    pub(super) fn absent(&self, key: Key, now: Timestamp) -> Reason {
        let Some((item, target)) = self
            .items
            .get(&key)
            .and_then(|item| Some((item, self.target(item.target)?)))
        else {
            return Reason::OnRecord;
        };
        if let Some(retry_at) = target.rests_until(now) {
            return Reason::TargetTrouble {
                target: target.listed_as.clone(),
                trouble: target.trouble,
                retry_at,
            };
        }
        let why = standing(item, None, self.account.ignore_posts_before, now);
        if !matches!(why, Reason::WouldLike { .. }) {
            return why;
        }
        match (key.0, next_listing(self.config, target, key.0, now)) {
            // There are more stories than a pass carries over from the ledger.
            (ItemKind::Story, Some(next_at)) => Reason::NotListed { next_at },
            _ => Reason::NotConsidered {
                key: "posts.per_target",
                limit: self.config.posts.per_target,
            },
        }
    }

    /// Whether the work has the item, or a listing of it is still to come.
    pub(super) fn is_in(&self, work: &Work, key: Key) -> bool {
        let (kind, _) = key;
        let listed = work.items.iter().any(|item| key_of(item) == key);
        let target = self.items.get(&key).map(|item| item.target);
        listed || work.listing.is_some() && work.kind == kind && Some(work.target) == target
    }
}
