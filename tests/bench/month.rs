//! A rehearsed month: how long it takes, and how many requests a liked story costs, listings and all.

use serde_json::Value;
use story_liker::config::{Config, Environment, Request, load};
use story_liker::practice::hardship::Hardship;
use story_liker::practice::world::{Rhythm, World};
use story_liker::rehearse::{Plan, START, rehearse};

use super::Asked;
use super::lab::program;
use super::measure::{finish, median_ms};
use super::table::Table;

const DAYS: u32 = 30;
/// The seed of the month whose figures are told first.
const SEED: u64 = 1;
pub fn measure(_: &Asked, table: &mut Table) {
    let mut times = Vec::new();
    let mut output = Vec::new();
    for _ in 0..3 {
        let mut command = program();
        let days = DAYS.to_string();
        command.args(["--json", "rehearse", "--days", &days, "--seed", "1"]);
        let started = std::time::Instant::now();
        output = finish(&mut command).stdout;
        times.push(started.elapsed());
    }
    let seconds = median_ms(&mut times) / 1000.0;
    let detail = format!("median of 3, best {:.2} s", times[0].as_secs_f64());
    table.at_most("30 rehearsed days", 10.0, seconds, "s", &detail);

    let report: Value = serde_json::from_slice(&output).unwrap();
    let summary = &report["summary"];
    let of_stories = summary["items"].as_array().unwrap().iter();
    let of_stories = of_stories.filter(|items| items["kind"] == "story");
    let stories: u64 = of_stories
        .map(|items| items["liked"].as_u64().unwrap())
        .sum();
    let total = |name: &str| summary[name]["total"].as_u64().unwrap();
    let (requests, likes) = (total("requests"), total("likes"));
    let ratio = |a: u64, b: u64| {
        let float = |n: u64| f64::from(u32::try_from(n).unwrap());
        float(a) / float(b.max(1))
    };
    table.at_most(
        "requests per liked story, default month",
        2.5,
        ratio(requests, stories),
        "",
        &format!(
            "{requests} requests, {stories} stories and {} posts",
            likes - stories
        ),
    );
    let worlds = [
        ("the same, by calls", World::seeded(SEED, START.as_millis())),
        ("six targets with 0 to 12 stories a day", busy(12)),
        ("six targets with 0 to 24 stories a day", busy(24)),
    ];
    for (name, world) in worlds {
        let month = Month::lived(world);
        let Month {
            stories,
            posts,
            views,
            story_lists,
            post_lists,
            requests,
        } = month;
        let told = format!(
            "{:.2} ({requests} requests: {story_lists} story listings, {views} views, {stories} \
             story likes, {post_lists} post listings, {posts} post likes, {} others; stories alone \
             {:.2})",
            ratio(requests, stories),
            requests - stories - posts - views - story_lists - post_lists,
            ratio(story_lists + views + stories, stories),
        );
        table.tell(&format!("requests per liked story, {name}"), &told);
    }
}

/// Six targets who publish up to `stories_a_day` and a post on three of ten days.
fn busy(stories_a_day: u8) -> World {
    let mut world = World::empty(START.as_millis());
    for name in ["aurora", "birch", "comet", "dune", "ember", "fern"] {
        let pk = world.add_user(&format!("sandbox.{name}"));
        world.user_mut(pk).unwrap().rhythm = Rhythm {
            stories_a_day,
            posts_in_ten_days: 3,
            ..Rhythm::default()
        };
    }
    world
}

/// What the server received in a month.
struct Month {
    requests: u64,
    story_lists: u64,
    views: u64,
    stories: u64,
    post_lists: u64,
    posts: u64,
}

impl Month {
    /// Hourly passes with the default configuration in this world.
    fn lived(world: World) -> Self {
        let plan = Plan {
            world: Some(world),
            ..Plan::hourly(defaults(), DAYS, SEED, Hardship::None)
        };
        let summary = rehearse(&plan, |_| {}, |_| Ok(())).unwrap().summary;
        assert!(summary.promises_kept(), "{:?}", summary.promises);
        let count = |call: &str| {
            summary
                .requests
                .by_call
                .get(call)
                .map_or(0, |n| u64::from(*n))
        };
        Self {
            requests: u64::from(summary.requests.total),
            story_lists: count("stories"),
            views: count("seen"),
            stories: count("story_like"),
            post_lists: count("posts"),
            posts: count("post_like"),
        }
    }
}

fn defaults() -> Config {
    let home = [("HOME", "/nowhere")];
    let environment: Environment = home.into_iter().collect();
    load(&Request::default(), &environment).unwrap().config
}
