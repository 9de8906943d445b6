//! The home that is struck, and what must be so in it: right after the blow, and once the program
//! has been started again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use rusqlite::Connection;
use serde_json::Value;
use story_liker::practice::switches::{Echo, HasLiked, Switches};
use story_liker::practice::{RecordEntry, Wire};

use crate::home::{Ended, Home, mode};

/// Windows that one undisturbed pass fills, or nearly: whoever forgets a request exceeds them.
pub const LIKES: usize = 3;
pub const VIEWS: usize = 2;
pub const REQUESTS: usize = 12;

/// Stories and posts of the one friend.
pub const ITEMS: usize = 4;

/// Two stories and two posts, windows for most of them, and no session yet.
pub fn bare_home() -> Home {
    let mut home = Home::on(Wire::Plain, 2, 2);
    home.set("limits.likes", &format!("\"{LIKES}/1h\""))
        .set("limits.story_views", &format!("\"{VIEWS}/1h\""))
        .set("limits.requests", &format!("\"{REQUESTS}/1h\""))
        .set("limits.likes_per_run", &LIKES.to_string());
    home.server.set_switches(Switches {
        // A reading right after a like does not show it yet: whoever believes it likes again.
        has_liked: HasLiked::Late,
        // What a killed program was told in a reply it never read, the next one cannot give back.
        echo: Echo::Lenient,
        ..Switches::default()
    });
    home
}

/// The same with a session, and a history of which a pass prunes something.
pub fn lab() -> Home {
    static IMPORTED: OnceLock<Vec<u8>> = OnceLock::new();
    let imported = IMPORTED.get_or_init(|| {
        let home = bare_home();
        home.import();
        home.sql()
            .execute_batch(
                "INSERT INTO run (account, command, seed, started_at, ended_at, exit_code)
                 VALUES (1, 'run', '1', 1000, 2000, 0), (1, 'run', '2', 3000, 4000, 0)",
            )
            .unwrap();
        fs::read(home.database()).unwrap()
    });
    let home = bare_home();
    let only_owner = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(home.path("state")).unwrap();
    only_owner(&home.path("state"), 0o700);
    fs::write(home.database(), imported).unwrap();
    only_owner(&home.database(), 0o600);
    home
}

/// The database as the program left it, in a copy: opening the original would finish what the
/// next start has to.
pub fn as_left(home: &Home) -> Option<Connection> {
    let copy = home.path("as_left");
    if copy.exists() {
        fs::remove_dir_all(&copy).unwrap();
    }
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(home.path("state")).ok()?.flatten() {
        let path = entry.path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    assert_eq!(mode(&home.path("state")), 0o700);
    let database = copy.join("stories.db");
    let sql = Connection::open(database).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('account', 'attempt')";
    (number(&sql, tables) == 2).then_some(sql)
}

pub fn number(sql: &Connection, query: &str) -> usize {
    let count: i64 = sql.query_row(query, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// A request on record.
struct Row {
    kind: String,
    item: Option<i64>,
    claimed_at: i64,
    settled_at: Option<i64>,
}

/// A `Date` has whole seconds, and times on record are corrected by it.
const DATE_STEP_MS: i64 = 1_000;

/// The kind under which a request counts.
fn kind(entry: &RecordEntry) -> &'static str {
    match entry.act.name() {
        "seen" => "story_view",
        "login" => "login",
        "two_factor" => "login_code",
        _ if entry.act.is_like() => "like",
        _ => "read",
    }
}

/// The file is whole, and each request that the server got has a row of its own, claimed before it
/// came and settled after.
pub fn assert_on_record(record: &[RecordEntry], sql: &Connection, about: &str) {
    let integrity: String = sql
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok", "{about}");
    let orphans = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(number(sql, orphans), 0, "{about}");
    let mut statement = sql
        .prepare("SELECT kind, item_pk, claimed_at, settled_at FROM attempt ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Row {
            kind: row.get(0)?,
            item: row.get(1)?,
            claimed_at: row.get(2)?,
            settled_at: row.get(3)?,
        })
    });
    let mut rows: Vec<Row> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    for entry in record {
        let item = entry.item.as_deref();
        let item = item.map(|id| id.split('_').next().unwrap().parse::<i64>().unwrap());
        let stands_for = |row: &Row| {
            row.kind == kind(entry)
                && (item.is_none() || row.item == item)
                && row.claimed_at <= entry.at_ms + DATE_STEP_MS
                && row
                    .settled_at
                    .is_none_or(|at| at + DATE_STEP_MS >= entry.at_ms)
        };
        let Some(at) = rows.iter().position(stands_for) else {
            panic!("{about}: the ledger knows nothing of {entry:?}");
        };
        rows.remove(at);
    }
}

/// No window was exceeded, and nothing was liked or seen twice: the server says so.
pub fn assert_moderate(home: &Home, about: &str) {
    let record = home.server.record();
    let count = |wanted: &str| record.iter().filter(|entry| kind(entry) == wanted).count();
    assert!(count("like") <= LIKES, "{about}: {} likes", count("like"));
    assert!(
        count("story_view") <= VIEWS,
        "{about}: {} views",
        count("story_view")
    );
    assert!(
        record.len() <= REQUESTS,
        "{about}: {} requests",
        record.len()
    );
    assert!(count("login") <= 1, "{about}: {} logins", count("login"));
    assert_once(home, about);
}

fn assert_once(home: &Home, about: &str) {
    assert!(home.server.violations().is_empty(), "{about}");
    let likes = home.server.likes_per_item();
    assert!(
        likes.values().all(|count| *count == 1),
        "{about}: {likes:?}"
    );
    let mut seen: Vec<_> = home.server.record();
    seen.retain(|entry| kind(entry) == "story_view");
    let views = seen.len();
    seen.sort_by(|a, b| a.item.cmp(&b.item));
    seen.dedup_by(|a, b| a.item == b.item);
    assert_eq!(seen.len(), views, "{about}: a story was seen twice");
}

/// What must be so once the program ended by itself: nothing is pending, nothing lies about.
pub fn assert_at_rest(home: &Home, about: &str) {
    let sql = home.sql();
    for (what, query) in [
        (
            "requests without outcome",
            "SELECT count(*) FROM attempt WHERE outcome IS NULL",
        ),
        (
            "items that are being liked",
            "SELECT (SELECT count(*) FROM story WHERE state = 'claimed')
                  + (SELECT count(*) FROM post WHERE state = 'claimed')",
        ),
    ] {
        assert_eq!(number(&sql, query), 0, "{about}: {what}");
    }
    let mut names: Vec<String> = fs::read_dir(home.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let known = ["stories.db", "stories.db.default.lock", "stories.db.lock"];
    assert_eq!(names, known, "{about}");
    for name in names {
        assert_eq!(
            mode(&home.path("state").join(&name)),
            0o600,
            "{about}: {name}"
        );
    }
    assert_eq!(mode(&home.path("state")), 0o700, "{about}");
}

const HOUR_MS: i64 = 3_600_000;

/// Lets hours pass: everything on record becomes that much older.
pub fn age(home: &Home, hours: i64) {
    let past = hours * HOUR_MS;
    let sql = home.sql();
    for (table, column) in [
        ("attempt", "claimed_at"),
        ("attempt", "settled_at"),
        ("story", "claimed_at"),
        ("story", "unliked_read_at"),
        ("post", "claimed_at"),
        ("post", "unliked_read_at"),
    ] {
        let older = format!("UPDATE {table} SET {column} = {column} - {past}");
        sql.execute(&older, []).unwrap();
    }
}

/// Starts again after a blow. First in the same windows: they hold. Then in wide ones, which leave
/// room for what must not be: nothing is liked twice. Hours later every item has its like.
pub fn assert_recovers(home: &mut Home, about: &str) {
    assert_starts_again(home, about);
    assert_moderate(home, about);
    for window in ["limits.likes", "limits.story_views", "limits.requests"] {
        home.set(window, "\"100/1h\"");
    }
    assert_starts_again(home, about);
    assert_once(home, about);
    assert_completes(home, about);
}

fn assert_starts_again(home: &Home, about: &str) {
    let ended = home.run(["run", "--check-all"]);
    assert_eq!(ended.code(), 0, "{about}, started again: {ended}");
    assert_at_rest(home, about);
    assert_on_record(&home.server.record(), &home.sql(), about);
}

/// Hours later every item gets its like.
pub fn assert_completes(home: &Home, about: &str) {
    age(home, 2);
    let mut switches = home.server.switches();
    switches.has_liked = HasLiked::Present;
    home.server.set_switches(switches);
    let ended = home.run(["run", "--check-all"]);
    assert_eq!(ended.code(), 0, "{about}, two hours later: {ended}");
    assert_once(home, about);
    assert_eq!(
        home.likes().len(),
        ITEMS,
        "{about}: not every item was liked: {ended}"
    );
}

/// A documented end: this code, in the status as in the report's last line if there is one, and a
/// message that names the file and says what to do.
#[track_caller]
pub fn assert_explained(ended: &Ended, codes: &[i32], about: &str) {
    let code = ended.code();
    assert!(codes.contains(&code), "{about}: {ended}");
    let last = ended.stdout.lines().last().unwrap_or_default();
    if let Ok(report) = serde_json::from_str::<Value>(last) {
        assert_eq!(report["exit"]["code"], code, "{about}: {ended}");
    }
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for one_of in [
        &["stories.db", "/state:"][..],
        &[
            "start again",
            "free some space",
            "change their owner",
            "change its owner",
            "mount the file system for writing",
            "restore a backup",
        ],
    ] {
        assert!(
            one_of.iter().any(|word| said.contains(word)),
            "{about}: none of {one_of:?}: {ended}"
        );
    }
}
