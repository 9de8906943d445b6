//! Who is liked when there are more items than likes: days of hourly passes, counted by the server.

use std::collections::BTreeMap;

use crate::world::*;

/// How many stories each target publishes a day, between 07:00 and 23:00, and how long it goes on.
#[allow(clippy::struct_field_names)] // Days of stories and posts.
struct Days<'a> {
    stories: &'a [u32],
    posts: &'a [u32],
    length: u32,
}

/// Of each target: items published, and how many of them were liked in time.
#[derive(Debug, Default)]
struct Served {
    published: u32,
    liked: u32,
    /// How many of the liked are posts.
    posts: u32,
    listings: u32,
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("target{n:02}")).collect()
}

/// A rig whose budget is `likes` in 24 hours and whose other limits leave the choice open.
fn rig(targets: usize, likes: u32) -> Rig {
    let names = names(targets);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rig = Rig::in_memory(&names);
    rig.config.limits.likes = limits(&["12/1h", &format!("{likes}/24h")]);
    rig.config.limits.likes_per_target_per_run = 10;
    rig.config.limits.likes_per_target = limits(&["60/24h"]);
    rig.config.first_contact.like_posts = true;
    rig
}

impl Days<'_> {
    /// Lives through the days; the first and the last do not count.
    fn live(&self, rig: &mut Rig) -> Vec<Served> {
        let begin = START.plus(6 * HOUR);
        rig.later(begin.since(rig.clock.server()));
        let mut items = BTreeMap::new();
        let mut media = 1000;
        for hour in 0..self.length * 24 {
            let hour_begins = begin.plus(HOUR * hour);
            let now = rig.clock.server();
            rig.later(hour_begins.since(now));
            for (kind, rates) in [(Act::Stories, self.stories), (Act::Posts, self.posts)] {
                for (target, rate) in rates.iter().enumerate() {
                    let (day, of_day) = (hour / 24, hour % 24);
                    let awake = |of_day: u32| of_day.saturating_sub(7).min(16);
                    // Everyone publishes evenly, at another time than the others.
                    let shift = target as u32 * 5 % 16;
                    let by = |of_day| (day * 16 + awake(of_day)) * rate + shift;
                    for number in by(of_day) / 16..by(of_day + 1) / 16 {
                        media += 1;
                        let taken_at = hour_begins.minus(MINUTE * (1 + number % 50));
                        let name = &names(self.stories.len())[target];
                        let mut world = rig.server.world();
                        match kind {
                            Act::Stories => world.add_story(name, media, taken_at),
                            _ => world.add_post(name, media, taken_at),
                        }
                        items.insert(media, (target, kind, day));
                    }
                }
            }
            rig.later(MINUTE * (hour * 7 % 5));
            rig.pass();
        }
        let mut served: Vec<Served> = self.stories.iter().map(|_| Served::default()).collect();
        for (media, (target, kind, day)) in items {
            if (1..self.length - 1).contains(&day) {
                let of = &mut served[target];
                of.published += 1;
                let likes = rig.server.likes_of(media) as u32;
                of.liked += likes;
                of.posts += likes * u32::from(kind == Act::Posts);
            }
        }
        for entry in &rig.server.look().record {
            if matches!(entry.act, Act::Stories | Act::Posts) {
                let target = usize::try_from(entry.on.unwrap()).unwrap() - 1;
                served[target].listings += 1;
            }
        }
        served
    }
}

/// One target posts `busy` stories a day, the others two.
fn one_busy(targets: usize, busy: u32, likes: u32, days: u32) -> Vec<Served> {
    let mut stories = vec![2; targets];
    stories[0] = busy;
    let (posts, stories) = (vec![0; targets], stories);
    let days = Days {
        stories: &stories,
        posts: &posts,
        length: days,
    };
    days.live(&mut rig(targets, likes))
}

/// Everyone's share of what was published, in hundredths.
fn shares(served: &[Served]) -> Vec<u32> {
    let share = |served: &Served| served.liked * 100 / served.published;
    served.iter().map(share).collect()
}

#[test]
fn who_publishes_a_lot_takes_what_the_others_leave() {
    // Two each for ten is all there is: the modest nine get theirs, and the tenth as much.
    let served = one_busy(10, 40, 20, 6);
    assert_eq!(shares(&served[1..]), [100; 9]);
    assert!((6..=10).contains(&served[0].liked), "{:?}", served[0]);
    // With thirty there are twelve left, of which up to one for each of the others is kept.
    let served = one_busy(10, 40, 30, 6);
    assert_eq!(shares(&served[1..]), [100; 9]);
    assert!(served[0].liked >= 3 * 4, "{:?}", served[0]);
}

#[test]
fn where_there_is_less_than_everyone_wants_nobody_is_left_out() {
    let served = one_busy(10, 40, 10, 8);
    for target in &served {
        // One a day for each; a day's likes come back a little later every day.
        assert!((4..=8).contains(&target.liked), "{served:?}");
    }
}

#[test]
fn likes_that_suffice_are_not_held_back() {
    let served = one_busy(4, 10, 60, 4);
    assert_eq!(shares(&served), [100; 4]);
}

#[test]
fn a_target_that_publishes_nothing_costs_nobody_a_like() {
    let mut stories = vec![0; 12];
    stories[0] = 40;
    let days = Days {
        stories: &stories,
        posts: &[0; 12],
        length: 5,
    };
    let served = days.live(&mut rig(12, 12));
    assert!(served[0].liked >= 3 * 11, "{:?}", served[0]);
}

#[test]
fn the_posts_of_a_target_do_not_starve_behind_its_stories() {
    let days = Days {
        stories: &[40],
        posts: &[2],
        length: 6,
    };
    let mut rig = rig(1, 60);
    rig.config.limits.likes_per_target = limits(&["8/24h"]);
    rig.config.limits.likes_per_target_per_run = 3;
    let served = days.live(&mut rig);
    assert!(served[0].posts >= 4, "{served:?}");
}

#[test]
fn short_requests_drop_the_checks_of_everyone_alike() {
    let days = Days {
        stories: &[20, 1, 1, 0, 0, 0, 0, 0],
        posts: &[0; 8],
        length: 5,
    };
    let mut rig = rig(8, 60);
    rig.config.limits.requests = limits(&["60/24h"]);
    rig.config
        .targets
        .iter_mut()
        .for_each(|target| target.posts = false);
    let listings: Vec<u32> = days
        .live(&mut rig)
        .iter()
        .map(|served| served.listings)
        .collect();
    let (fewest, most) = (
        listings.iter().min().unwrap(),
        listings.iter().max().unwrap(),
    );
    assert!(*fewest >= 5 && most - fewest <= 3, "{listings:?}");
}
