//! A rehearsed month: how long it takes, and how many requests a liked story costs, listings and all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use story_liker::clock::VirtualClock;
use story_liker::config::{BaseUrl, Config, Environment, Request, TargetConfig, load};
use story_liker::engage::{Mode, PassInput, Ports, Waiting, pass};
use story_liker::instagram::{Instagram, settings};
use story_liker::model::{Secret, Timestamp};
use story_liker::ports::{Change, Clock, Platform, SecondFactor, Store};
use story_liker::practice::switches::Switches;
use story_liker::practice::world::{Rhythm, World};
use story_liker::practice::{Act, Options, Server, Wire};
use story_liker::store::{Durability, LockRequest, Opening, Writer};

use super::Asked;
use super::lab::program;
use super::measure::{finish, median_ms};
use super::table::Table;

const DAYS: u32 = 30;
/// The seed of the month whose figures are told first.
const SEED: u64 = 1;
/// 2026-11-21, 06:00 UTC, where rehearsals begin too.
const START: Timestamp = Timestamp::from_secs(1_795_240_800);

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
    let number = |name: &str| summary[name].as_u64().unwrap();
    let (requests, likes) = (number("requests"), number("likes"));
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
    /// Hourly passes with the default configuration, as a rehearsal holds them.
    fn lived(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(START);
        let server = Server::start(Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            wire: Wire::Tls,
            seed: SEED,
            clock: Arc::new(clock.clone()),
            world,
            switches: Switches::default(),
            client_timeout: Duration::from_secs(20),
        })
        .unwrap();
        let config = defaults(folder.path(), &server);
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        bring_session(&config, &server, &clock);
        for hour in 0..DAYS * 24 {
            let late = Duration::from_secs(rng.random_range(0..300));
            clock.advance_to(START.plus(Duration::from_hours(1) * hour + late));
            one_pass(&config, &clock, rng.random());
        }
        assert!(server.violations().is_empty(), "{:?}", server.violations());
        let record = server.record();
        let count = |act: Act| record.iter().filter(|entry| entry.act == act).count() as u64;
        Self {
            requests: record.len() as u64,
            story_lists: count(Act::Stories),
            views: count(Act::Seen),
            stories: count(Act::StoryLike),
            post_lists: count(Act::Posts),
            posts: count(Act::PostLike),
        }
    }
}

fn defaults(folder: &Path, server: &Server) -> Config {
    let home = [("HOME", folder.to_str().unwrap())];
    let environment: Environment = home.into_iter().collect();
    let mut config = load(&Request::default(), &environment).unwrap().config;
    config.database = folder.join("stories.db");
    config.instagram.base_url = BaseUrl::LoopbackTls(server.address());
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, server.ca_pem().unwrap()).unwrap();
    config.instagram.ca_file = Some(ca_file);
    let target = |username| TargetConfig {
        username,
        enabled: true,
        stories: true,
        posts: true,
    };
    config.targets = server.targets().into_iter().map(target).collect();
    config
}

fn open(config: &Config, clock: &VirtualClock) -> Writer {
    let request = LockRequest {
        command: "bench",
        wait: Duration::ZERO,
        clock,
    };
    let opening = Opening {
        durability: Durability::ThrowAway,
        ..Opening::default()
    };
    Writer::open(&config.database, &config.profile, &request, opening).unwrap()
}

fn client<'a>(
    config: &Config,
    store: &mut Writer,
    clock: &'a VirtualClock,
) -> Instagram<&'a VirtualClock> {
    let account = store.account().unwrap();
    let rng = ChaCha8Rng::seed_from_u64(SEED);
    let (device, session) = (account.device.as_ref(), account.session.as_ref());
    Instagram::new(&config.instagram, device, session, clock, rng).unwrap()
}

fn bring_session(config: &Config, server: &Server, clock: &VirtualClock) {
    let session = settings::from_session_id(&server.credentials().session_id).unwrap();
    let mut store = open(config, clock);
    let device = client(config, &mut store, clock).device();
    let changes = [
        Change::Device {
            device,
            replace: false,
        },
        Change::SessionObtained {
            session,
            at: clock.now(),
        },
    ];
    store.apply(&changes, clock.now()).unwrap();
}

fn one_pass(config: &Config, clock: &VirtualClock, seed: u64) {
    let mut store = open(config, clock);
    let mut platform = client(config, &mut store, clock);
    let input = PassInput {
        config,
        mode: Mode::default(),
        seed,
        run_id: "bench",
        codes: &mut no_code,
    };
    let ports = Ports {
        platform: &mut platform,
        store: &mut store,
        clock,
        waiting: &mut Unwatched,
    };
    pass(input, ports);
}

fn no_code(_: &SecondFactor, _: Timestamp) -> Result<Secret, String> {
    Err("a rehearsal has no second factor".to_owned())
}

struct Unwatched;

impl Waiting for Unwatched {
    fn wait(&mut self, _: Timestamp, _: Timestamp, _: &str) {}

    fn over(&mut self) {}
}
