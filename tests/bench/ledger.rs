//! What a long history costs: `status` over many attempts, and a pass over many posts.

use std::path::Path;

use rusqlite::{Connection, named_params};

use super::Asked;
use super::lab::{Lab, now_ms, program, run, scratch_connection};
use super::measure::{compare, finish, median_of, wall_time};
use super::table::Table;

/// Posts beside the attempts when `status` is measured: a rehearsed month likes 27 of them in 1,900
/// requests, so a million attempts go with some 14,000.
const FEW_POSTS: u64 = 20_000;

const DAY_MS: i64 = 86_400_000;
/// No window reaches further back than 35 days.
const PAST_WINDOWS_MS: i64 = 36 * DAY_MS;
/// As many attempts as the default limits admit in 35 days.
const IN_WINDOWS: u64 = 35 * 400;

pub fn measure(asked: &Asked, table: &mut Table) {
    let lab = Lab::new();
    let small = lab.settled("small");
    let large = lab.settled("large");
    let database = lab.path("large.db");
    add_attempts(&database, asked.attempts, (400 * DAY_MS, PAST_WINDOWS_MS));
    add_posts(&database, 0, FEW_POSTS.min(asked.posts));
    let attempts = in_words(asked.attempts);
    let status = format!(
        "`status`, {attempts} attempts, {} posts",
        in_words(FEW_POSTS)
    );
    let (median, detail) = status_ms(&large);
    table.at_most(&status, 10.0, median, "ms", &detail);

    add_posts(&database, FEW_POSTS, asked.posts);
    let posts = in_words(asked.posts);
    let status = format!("`status`, {attempts} attempts, {posts} posts");
    let (median, detail) = status_ms(&large);
    table.tell(&status, &format!("{median:.2} ms ({detail})"));
    for config in [&small, &large] {
        finish(&mut run(config));
    }
    let (few, many, unit) = compare(15, &run(&small), &run(&large));
    table.at_most(
        &format!("pass with {posts} posts and {attempts} attempts / empty ledger"),
        1.2,
        many / few,
        "",
        &format!("{many:.1} / {few:.1} {unit}"),
    );
    add_attempts(&database, IN_WINDOWS, (PAST_WINDOWS_MS, DAY_MS));
    let (few, many, unit) = compare(15, &run(&small), &run(&large));
    let told = format!("{:.2} ({many:.1} / {few:.1} {unit})", many / few);
    table.tell(
        "the same, with 400 attempts on each of the last 35 days",
        &told,
    );

    let connection = Connection::open(&database).unwrap();
    connection
        .execute("UPDATE account SET checked_at = 0", [])
        .unwrap();
    drop(connection);
    let size = std::fs::metadata(&database).unwrap().len() / 1_000_000;
    let checked = wall_time(&mut run(&large));
    let told = format!("{:.1} s; the file has {size} MB", checked.as_secs_f64());
    table.tell("the same pass with the daily check for damage", &told);
}

fn status_ms(config: &Path) -> (f64, String) {
    median_of(41, || {
        let mut command = program();
        command.args(["status", "--config"]).arg(config);
        command
    })
}

fn in_words(number: u64) -> String {
    match number {
        0..1_000_000 => format!("{} thousand", number / 1000),
        _ => format!("{} million", number / 1_000_000),
    }
}

/// The pks of targets in the large ledger, numbered from 0.
const TARGETS: &str = "
    CREATE TEMP TABLE friend AS
    SELECT row_number() OVER (ORDER BY id) - 1 AS number, id, pk, account FROM target";

/// Attempts spread over the time between two ages: of ten, five reads, two views, two likes of
/// stories, and one like of a post.
fn add_attempts(database: &Path, count: u64, (oldest_ms, newest_ms): (i64, i64)) {
    const ADD: &str = "
        WITH RECURSIVE step (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n + 1 < :count)
        INSERT INTO attempt (account, run, kind, call, target, item_kind, item_pk, item_owner,
                             claimed_at, settled_at, outcome)
        SELECT account, NULL,
               CASE WHEN n % 10 < 5 THEN 'read' WHEN n % 10 < 7 THEN 'story_view' ELSE 'like' END,
               'made up', id,
               CASE WHEN n % 10 < 5 THEN NULL WHEN n % 10 < 9 THEN 'story' ELSE 'post' END,
               CASE WHEN n % 10 < 5 THEN NULL ELSE :from + n END,
               CASE WHEN n % 10 < 5 THEN NULL ELSE pk END,
               :from + n * :step, :from + n * :step + 300, 'ok'
        FROM step JOIN friend ON number = n / 10 % (SELECT count(*) FROM friend)";
    let connection = scratch_connection(database);
    connection.execute_batch(TARGETS).unwrap();
    let count = i64::try_from(count).unwrap();
    let bound = named_params! { ":count": count, ":from": now_ms() - oldest_ms,
    ":step": (oldest_ms - newest_ms) / count.max(1) };
    connection.execute(ADD, bound).unwrap();
}

/// Posts numbered `from..to`, some liked and most only observed, spread over the targets.
fn add_posts(database: &Path, from: u64, to: u64) {
    const ADD: &str = "
        WITH RECURSIVE step (n) AS (SELECT :from UNION ALL SELECT n + 1 FROM step WHERE n + 1 < :to)
        INSERT INTO post (account, media_pk, owner_pk, target, code, taken_at, has_liked, pinned,
                          state, tries, first_seen_at)
        SELECT account, 3000000000000000000 + n * 1000, pk, id, 'C0de' || n, :since + n, 0, 0,
               iif(n % 4 = 0, 'liked', 'observed'), n % 4 = 0, :since + n
        FROM step JOIN friend ON number = n % (SELECT count(*) FROM friend)";
    if from >= to {
        return;
    }
    let connection = scratch_connection(database);
    connection.execute_batch(TARGETS).unwrap();
    let (from, to) = (i64::try_from(from).unwrap(), i64::try_from(to).unwrap());
    let since = now_ms() - 400 * DAY_MS;
    let bound = named_params! { ":from": from, ":to": to, ":since": since };
    connection.execute(ADD, bound).unwrap();
}
