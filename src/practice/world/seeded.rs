//! What users publish by themselves, and the world a rehearsal starts with. Each user's day has its
//! own stream of chance: one user more or one day more changes nothing for the others.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{Item, Kind, Rhythm, User, World, media_pk};

/// Posts reach this far back before the world's beginning.
pub const HISTORY_DAYS: i64 = 90;
const DAY_S: i64 = 86_400;
/// People publish between 07:00 and 23:00 UTC.
const AWAKE_S: std::ops::Range<i64> = 7 * 3600..23 * 3600;

/// How busy each hour of somebody's own day is: little at night, most in the evening.
const BUSY_HOURS: [u32; 24] = [
    2, 1, 0, 0, 0, 1, 3, 6, 8, 7, 6, 6, 8, 8, 6, 6, 6, 7, 9, 10, 10, 9, 6, 4,
];

/// Appends what `user` published by rhythm in `from_s..=to_s`.
pub fn items(seed: u64, user: &User, from_s: i64, to_s: i64, into: &mut Vec<Item>) {
    if user.rhythm == Rhythm::default() {
        return;
    }
    for day in from_s.div_euclid(DAY_S)..=to_s.div_euclid(DAY_S) {
        let made = day_items(seed, user, day);
        into.extend(
            made.into_iter()
                .filter(|item| (from_s..=to_s).contains(&item.taken_at)),
        );
    }
}

fn day_items(seed: u64, user: &User, day: i64) -> Vec<Item> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(user.pk.rotate_left(24) ^ day.unsigned_abs());
    let stories = stories_of_a_day(user.rhythm, &mut rng);
    let posts = u8::from(rng.random_range(0..10) < user.rhythm.posts_in_ten_days);
    let kinds = std::iter::repeat_n(Kind::Story, stories.into());
    let kinds = kinds.chain(std::iter::repeat_n(Kind::Post, posts.into()));
    kinds.map(|kind| one(&mut rng, user, day, kind)).collect()
}

fn stories_of_a_day(rhythm: Rhythm, rng: &mut ChaCha8Rng) -> u8 {
    let feast = rhythm.stories_at_a_feast;
    if feast > 0 && rng.random_range(0..100) < rhythm.feasts_in_hundred_days {
        rng.random_range(feast / 2..=feast)
    } else if rhythm.idle_in_ten_days > 0 && rng.random_range(0..10) < rhythm.idle_in_ten_days {
        0
    } else {
        rng.random_range(0..=rhythm.stories_a_day)
    }
}

/// Second of the UTC day at which something is published.
fn second_of_day(rhythm: Rhythm, rng: &mut ChaCha8Rng) -> i64 {
    let Some(ahead_s) = rhythm.clock_ahead_s else {
        return rng.random_range(AWAKE_S);
    };
    let mut rest = rng.random_range(0..BUSY_HOURS.iter().sum());
    let mut hour = 0;
    for (weight, number) in BUSY_HOURS.iter().zip(0..) {
        if rest < *weight {
            hour = number;
            break;
        }
        rest -= weight;
    }
    let local = hour * 3600 + rng.random_range(0..3600);
    (local - i64::from(ahead_s)).rem_euclid(DAY_S)
}

fn one(rng: &mut ChaCha8Rng, user: &User, day: i64, kind: Kind) -> Item {
    let taken_at = day * DAY_S + second_of_day(user.rhythm, rng);
    let media_type = match rng.random_range(0..10) {
        0..6 => 1,
        6..9 => 2,
        _ if kind == Kind::Post => 8,
        _ => 1,
    };
    let pk = media_pk(taken_at, u64::from(rng.random::<u32>()));
    Item {
        pk,
        profile: user.pk,
        author: user.pk,
        kind,
        taken_at,
        media_type,
        pinned: false,
    }
}

impl World {
    /// The world of a rehearsal beginning at `start_ms`: two lively targets, one that is renamed
    /// after nine hours, one that disappears after fifteen, a private one and a quiet one.
    pub fn seeded(seed: u64, start_ms: i64) -> Self {
        let mut world = Self::empty(start_ms);
        world.seed = seed;
        let start = world.start_s;
        let first = world.publisher("sandbox.aurora", 6, 4);
        let second = world.publisher("sandbox.birch", 4, 3);
        let renamed = world.publisher("sandbox.comet", 3, 2);
        let leaving = world.publisher("sandbox.dune", 3, 3);
        let private = world.publisher("sandbox.ember", 3, 3);
        let quiet = world.publisher("sandbox.fern", 0, 0);
        world.quiet = Some(quiet);
        for user in &mut world.users {
            if user.pk == renamed {
                user.names
                    .push((start + 9 * 3600, "sandbox.comet.new".to_owned()));
            } else if user.pk == leaving {
                user.vanished_from = Some(start + 15 * 3600);
            } else if user.pk == private {
                user.private_from = Some(0);
            }
        }
        world.backlog(first, second);
        world
    }

    fn publisher(&mut self, name: &str, stories_a_day: u8, posts_in_ten_days: u8) -> u64 {
        let pk = self.add_user(name);
        if let Some(user) = self.user_mut(pk) {
            user.rhythm = Rhythm {
                stories_a_day,
                posts_in_ten_days,
                ..Rhythm::default()
            };
        }
        pk
    }

    /// What the first target shows at the very beginning: three stories, more than two pages of
    /// posts, an old pinned one among them and one that somebody else made.
    fn backlog(&mut self, first: u64, coauthor: u64) {
        let start = self.start_s;
        for hours in [19, 7, 1] {
            self.add_story(first, start - hours * 3600);
        }
        self.add(first, first, Kind::Post, start - 400 * DAY_S, 1, true);
        for number in 0..30_i64 {
            let media_type = if number % 5 == 3 { 2 } else { 1 };
            let taken_at = start - 5 * 3600 - number * 2 * DAY_S;
            self.add(first, first, Kind::Post, taken_at, media_type, false);
        }
        self.add(first, coauthor, Kind::Post, start - 30 * 3600, 1, false);
    }
}
