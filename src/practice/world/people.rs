//! People an operator named, with habits drawn for each: most publish a little on most days, some
//! rarely, some all day long, and some forty stories on a single day.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{Rhythm, World};

impl World {
    /// The people of these names, whose clocks are ahead of UTC by about `clock_ahead_s`. Habits
    /// depend on the seed and the name alone.
    pub fn of_people(seed: u64, start_ms: i64, names: &[String], clock_ahead_s: i32) -> Self {
        let mut world = Self::empty(start_ms);
        world.seed = seed;
        for name in names {
            let pk = world.add_user(name);
            if let Some(user) = world.user_mut(pk) {
                user.rhythm = habits(seed, name, clock_ahead_s);
            }
        }
        world
    }
}

fn habits(seed: u64, name: &str, clock_ahead_s: i32) -> Rhythm {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(fingerprint(name));
    let (stories_a_day, idle_in_ten_days, feasts_in_hundred_days) = match rng.random_range(0..10) {
        // Rarely.
        0..2 => (2, 8, 0),
        // Now and then.
        2..5 => (3, 4, 2),
        // Daily.
        5..8 => (6, 1, 4),
        // All day long.
        8 => (14, 0, 5),
        // Little, and then everything at once.
        _ => (4, 3, 15),
    };
    Rhythm {
        stories_a_day,
        posts_in_ten_days: rng.random_range(0..=6),
        idle_in_ten_days,
        feasts_in_hundred_days,
        stories_at_a_feast: 40,
        // Some get up early, and some stay up late.
        clock_ahead_s: Some(clock_ahead_s + rng.random_range(-2..=2) * 3600),
    }
}

/// FNV-1a: the same on every machine and in every version.
fn fingerprint(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
