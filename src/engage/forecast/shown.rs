//! What the listings of a pass on paper are taken to show.

use super::key_of;
use super::paper::Paper;
use crate::engage::absorb::{ReadingContext, listed};
use crate::engage::policy::Work;
use crate::engage::queue::{considered, in_order};
use crate::model::{Item, ItemKind, ItemState, Timestamp};
use crate::ports::Listing;

impl Paper<'_> {
    /// A listing that shows what the ledger knows, all of it as not liked.
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
            .map(|item| Item {
                has_liked: Some(false),
                ..item.item.clone()
            })
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
            let known = self.items.get(&(item.kind, item.id.media)).cloned();
            let read = listed(known, item, &context).item;
            if matches!(read.state, ItemState::New | ItemState::Unknown) {
                work.items.push_back(read.clone());
            }
            self.items.insert(key_of(&read), read);
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
}
