//! What the readings of a pass on paper are taken to show.

use super::key_of;
use super::paper::Paper;
use crate::engage::absorb::{ReadingContext, listed};
use crate::engage::policy::Work;
use crate::engage::queue::{considered, in_order};
use crate::model::{ItemKind, ItemState, LedgerItem, Timestamp};
use crate::ports::Listing;

impl Paper<'_> {
    /// A listing that shows what the ledger knows.
    pub(super) fn list(&mut self, work: &mut Work, now: Timestamp) {
        let due = work.listing.take().unwrap_or_default();
        let Some(target) = self.target(work.target).cloned() else {
            return;
        };
        let ignored = self.account.ignore_posts_before;
        let context =
            ReadingContext::of_listing(self.config, ignored, &target, work.kind, (now, now));
        let mut shown: Vec<_> = self
            .items
            .values()
            .filter(|item| item.target == work.target && item.item.kind == work.kind)
            .filter(|item| item.state != ItemState::Gone)
            .filter(|item| item.item.expiring_at.is_none_or(|end| end > now))
            .map(|item| assumed(item).item)
            .collect();
        shown.sort_by_key(|item| std::cmp::Reverse(item.taken_at));
        let listing = Listing {
            items: shown,
            ..Listing::default()
        };
        let page = considered(
            self.config,
            work.kind,
            &due,
            &listing,
            context.posts_not_before,
        );
        work.items.clear();
        for item in page.items {
            let key = (item.kind, item.id.media);
            let read = listed(self.items.get(&key).cloned(), item, &context).item;
            if matches!(read.state, ItemState::New | ItemState::Unknown) {
                work.items.push_back(read.clone());
            }
            self.items.insert(key, read);
        }
        in_order(&mut work.items);
        for target in &mut self.targets {
            if target.id == work.target {
                match work.kind {
                    ItemKind::Story => target.stories_checked_at = Some(now),
                    ItemKind::Post => target.posts_checked_at = Some(now),
                }
            }
        }
    }

    pub(super) fn read_as_not_liked(&mut self, item: &LedgerItem, now: Timestamp) -> LedgerItem {
        let context = ReadingContext {
            target: item.target,
            read_at: now,
            observe_only: false,
            contact_at: Timestamp::from_millis(i64::MIN),
            posts_not_before: Timestamp::from_millis(i64::MIN),
        };
        let read = listed(Some(item.clone()), assumed(item).item, &context).item;
        self.items.insert(key_of(item), read.clone());
        read
    }
}

/// The item as the next listing is taken to show it: as before, and without the like whose effect is
/// not known or that was refused.
fn assumed(item: &LedgerItem) -> LedgerItem {
    let mut item = item.clone();
    if item.state == ItemState::Unknown || item.state == ItemState::New && item.tries > 0 {
        item.item.has_liked = Some(false);
    }
    item
}
