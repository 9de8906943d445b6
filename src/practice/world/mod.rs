//! The simulated Instagram behind the server. What a user has published is a pure function of seed,
//! user and time, plus explicit additions: the world can be asked about any moment, and asking
//! changes nothing.

mod people;
mod seeded;
pub mod shape;

use std::collections::BTreeMap;

/// Seconds a story stays visible.
pub const STORY_LIFE_S: i64 = 86_400;

/// Media ids begin counting milliseconds here (August 2011); today they have 19 digits.
const ID_EPOCH_MS: i64 = 1_314_220_021_721;
/// Bits of a media id below its time.
const ID_LOW_BITS: u32 = 23;

/// A story or a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Gone after 24 hours.
    Story,
    /// Stays.
    Post,
}

/// Something published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Media pk: 19 digits, beyond 2^53.
    pub pk: u64,
    /// Whose profile shows it.
    pub profile: u64,
    /// Who made it; differs from the profile for a co-authored post.
    pub author: u64,
    /// Story or post.
    pub kind: Kind,
    /// Unix seconds.
    pub taken_at: i64,
    /// 1 picture, 2 video, 8 album.
    pub media_type: u8,
    /// Pinned posts come first on the first page.
    pub pinned: bool,
}

impl Item {
    /// The full media id, `<pk>_<author pk>`.
    pub fn id(&self) -> String {
        format!("{}_{}", self.pk, self.author)
    }

    /// Whether others can see it at `now_s`.
    pub fn is_visible(&self, now_s: i64) -> bool {
        self.taken_at <= now_s && (self.kind == Kind::Post || now_s < self.taken_at + STORY_LIFE_S)
    }
}

/// How often a user publishes by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rhythm {
    /// At most this many stories a day; the number is drawn per day.
    pub stories_a_day: u8,
    /// On how many of ten days a post appears.
    pub posts_in_ten_days: u8,
    /// On how many of ten days there is no story at all.
    pub idle_in_ten_days: u8,
    /// On how many of a hundred days there are far more stories: a wedding, a journey.
    pub feasts_in_hundred_days: u8,
    /// At most this many stories on such a day, and at least half of them.
    pub stories_at_a_feast: u8,
    /// Seconds by which their clock is ahead of UTC, for people who publish as others are awake;
    /// `None` spreads evenly from 07:00 to 23:00 UTC.
    pub clock_ahead_s: Option<i32>,
}

/// Somebody on the practice Instagram.
#[derive(Debug, Clone)]
pub struct User {
    /// Never changes.
    pub pk: u64,
    /// Display name.
    pub full_name: String,
    /// User names with the Unix second from which each is in use; the first is in use from the start.
    pub names: Vec<(i64, String)>,
    /// From this Unix second on the account is private (and not followed).
    pub private_from: Option<i64>,
    /// From this Unix second on it is open again.
    pub private_until: Option<i64>,
    /// From this Unix second on the account does not exist.
    pub vanished_from: Option<i64>,
    /// What they publish by themselves.
    pub rhythm: Rhythm,
}

impl User {
    /// The user name in use at `now_s`.
    pub fn name(&self, now_s: i64) -> &str {
        let mut valid = self.names.iter().rev();
        let found = valid
            .find(|(from, _)| *from <= now_s)
            .or(self.names.first());
        found.map_or("", |(_, name)| name)
    }

    /// Whether the account is private at `now_s`.
    pub fn is_private(&self, now_s: i64) -> bool {
        self.private_from.is_some_and(|from| from <= now_s)
            && self.private_until.is_none_or(|until| now_s < until)
    }

    /// Whether the account has disappeared by `now_s`.
    pub fn is_gone(&self, now_s: i64) -> bool {
        self.vanished_from.is_some_and(|from| from <= now_s)
    }
}

/// Everybody, and what they published.
#[derive(Debug, Clone)]
pub struct World {
    seed: u64,
    start_s: i64,
    operator: User,
    users: Vec<User>,
    targets: Vec<u64>,
    quiet: Option<u64>,
    added: Vec<Item>,
    /// Seconds by which items were made older than they were published.
    aged: BTreeMap<u64, i64>,
}

/// Pk of the operator's own account in every world.
pub const OPERATOR_PK: u64 = 71_000_000_001;
const FIRST_USER_PK: u64 = 72_000_000_001;

impl World {
    /// A world with the operator alone, beginning at `start_ms`.
    pub fn empty(start_ms: i64) -> Self {
        let operator = User {
            pk: OPERATOR_PK,
            full_name: "Sandbox Operator".to_owned(),
            names: vec![(0, "sandbox.operator".to_owned())],
            private_from: None,
            private_until: None,
            vanished_from: None,
            rhythm: Rhythm::default(),
        };
        Self {
            seed: 0,
            start_s: start_ms.div_euclid(1000),
            operator,
            users: Vec::new(),
            targets: Vec::new(),
            quiet: None,
            added: Vec::new(),
            aged: BTreeMap::new(),
        }
    }

    /// Adds a user who is also a target. Returns the pk.
    pub fn add_user(&mut self, username: &str) -> u64 {
        let pk = FIRST_USER_PK + 1_000_003 * u64::try_from(self.users.len()).unwrap_or(0);
        let display = username.replace('.', " ");
        self.users.push(User {
            pk,
            full_name: display,
            names: vec![(0, username.to_owned())],
            private_from: None,
            private_until: None,
            vanished_from: None,
            rhythm: Rhythm::default(),
        });
        self.targets.push(pk);
        pk
    }

    /// Publishes a story of `user` at `taken_at` (Unix seconds). Returns the item.
    pub fn add_story(&mut self, user: u64, taken_at: i64) -> Item {
        self.add(user, user, Kind::Story, taken_at, 1, false)
    }

    /// Publishes a post of `user` at `taken_at` (Unix seconds). Returns the item.
    pub fn add_post(&mut self, user: u64, taken_at: i64) -> Item {
        self.add(user, user, Kind::Post, taken_at, 1, false)
    }

    /// Publishes anything: who shows it, who made it, what and when.
    pub fn add(
        &mut self,
        profile: u64,
        author: u64,
        kind: Kind,
        taken_at: i64,
        media_type: u8,
        pinned: bool,
    ) -> Item {
        // The low bits number the additions, so two of the same second differ.
        let number = u64::try_from(self.added.len()).unwrap_or(0) + 1;
        let pk = media_pk(taken_at, number);
        let item = Item {
            pk,
            profile,
            author,
            kind,
            taken_at,
            media_type,
            pinned,
        };
        self.added.push(item.clone());
        item
    }

    /// Makes an item older by `seconds`. Its id stays.
    pub fn age(&mut self, media_pk: u64, seconds: i64) {
        *self.aged.entry(media_pk).or_default() += seconds;
    }

    /// The operator's own account.
    pub fn operator(&self) -> &User {
        &self.operator
    }

    /// Unix second at which the world began.
    pub fn start_s(&self) -> i64 {
        self.start_s
    }

    /// The user with this pk, the operator included, present or not.
    pub fn user(&self, pk: u64) -> Option<&User> {
        if pk == self.operator.pk {
            return Some(&self.operator);
        }
        self.users.iter().find(|user| user.pk == pk)
    }

    /// The same, for changing.
    pub fn user_mut(&mut self, pk: u64) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.pk == pk)
    }

    /// The user who bears this name at `now_s` and still exists.
    pub fn user_named(&self, name: &str, now_s: i64) -> Option<&User> {
        let mut all = self.users.iter().chain([&self.operator]);
        all.find(|user| !user.is_gone(now_s) && user.name(now_s) == name)
    }

    /// Everybody but the operator.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Names an operator would configure, as they were at the beginning.
    pub fn targets(&self) -> Vec<String> {
        let users = self.targets.iter().filter_map(|pk| self.user(*pk));
        users
            .map(|user| user.name(self.start_s).to_owned())
            .collect()
    }

    /// A target who publishes nothing by themselves, where the world has one.
    pub fn quiet_target(&self) -> Option<String> {
        let user = self.quiet.and_then(|pk| self.user(pk));
        user.map(|user| user.name(self.start_s).to_owned())
    }

    /// Stories of a profile visible at `now_s`, oldest first.
    pub fn stories(&self, profile: u64, now_s: i64) -> Vec<Item> {
        let mut items = self.published(profile, Kind::Story, now_s - STORY_LIFE_S, now_s);
        items.retain(|item| item.is_visible(now_s));
        items
    }

    /// Posts of a profile at `now_s` as its pages show them: pinned ones, then newest first.
    pub fn posts(&self, profile: u64, now_s: i64) -> Vec<Item> {
        let mut items = self.published(profile, Kind::Post, 0, now_s);
        items.sort_by_key(|item| (!item.pinned, -item.taken_at, item.pk));
        items
    }

    /// What a profile published in `from_s..=to_s`, oldest first, expired or not.
    pub fn published(&self, profile: u64, kind: Kind, from_s: i64, to_s: i64) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        if let Some(user) = self.user(profile) {
            let first = self.start_s - seeded::HISTORY_DAYS * 86_400;
            // One day more, because an item that was made older was published later.
            let oldest = self.aged.values().max().copied().unwrap_or(0);
            seeded::items(
                self.seed,
                user,
                from_s.max(first),
                to_s + oldest,
                &mut items,
            );
        }
        items.extend(
            self.added
                .iter()
                .filter(|item| item.profile == profile)
                .cloned(),
        );
        for item in &mut items {
            item.taken_at -= self.aged.get(&item.pk).copied().unwrap_or(0);
        }
        items.retain(|item| item.kind == kind && (from_s..=to_s).contains(&item.taken_at));
        items.sort_by_key(|item| (item.taken_at, item.pk));
        items
    }

    /// What every user published in `from_s..=to_s` where the operator could have seen it: not
    /// while the account was private, nor after it disappeared. Oldest first.
    pub fn offered(&self, kind: Kind, from_s: i64, to_s: i64) -> Vec<Item> {
        let everything = self.users.iter().flat_map(|user| {
            let mut items = self.published(user.pk, kind, from_s, to_s);
            items.retain(|item| !user.is_private(item.taken_at) && !user.is_gone(item.taken_at));
            items
        });
        let mut items: Vec<Item> = everything.collect();
        items.sort_by_key(|item| (item.taken_at, item.pk));
        items
    }

    /// The item with this pk if it was published by `now_s`, whether or not it is still visible.
    pub fn item(&self, media_pk: u64, now_s: i64) -> Option<Item> {
        let named = self.added.iter().find(|item| item.pk == media_pk).cloned();
        let mut item = named.or_else(|| {
            let taken_at = media_time_s(media_pk);
            let mut found = Vec::new();
            for user in &self.users {
                seeded::items(self.seed, user, taken_at, taken_at, &mut found);
            }
            found.into_iter().find(|item| item.pk == media_pk)
        })?;
        item.taken_at -= self.aged.get(&media_pk).copied().unwrap_or(0);
        (item.taken_at <= now_s).then_some(item)
    }
}

/// A media pk that carries its time, as the real ones do.
fn media_pk(taken_at: i64, low: u64) -> u64 {
    let since = u64::try_from(taken_at * 1000 - ID_EPOCH_MS).unwrap_or(1);
    (since << ID_LOW_BITS) | (low & ((1 << ID_LOW_BITS) - 1))
}

fn media_time_s(pk: u64) -> i64 {
    (i64::try_from(pk >> ID_LOW_BITS).unwrap_or(0) + ID_EPOCH_MS).div_euclid(1000)
}
