//! What every test here needs: a clock that is set, a store of every kind, and short words for long
//! values.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use story_liker::model::{
    AttemptId, AttemptKind, HoldReason, Item, ItemId, ItemKind, ItemState, LedgerItem, Limit,
    NewHold, Outcome, Pk, ProfileName, Scope, ScopedLimit, TargetId, Timestamp,
};
use story_liker::ports::{
    Change, Claim, Claimed, Clock, Interrupt, Settlement, Store, StoreError, WantedTarget,
};
use story_liker::store::{Durability, LockRequest, Opening, Writer};
use tempfile::TempDir;

/// A Monday morning of no meaning.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub const MS: Duration = Duration::from_millis(1);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

/// A clock that moves only when someone sleeps.
pub struct TestClock(pub Cell<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }
    fn monotonic(&self) -> Duration {
        self.0.get().since(Timestamp::from_millis(0))
    }
    fn sleep_until(&self, deadline: Timestamp) {
        self.0.set(deadline.max(self.0.get()));
    }
    fn interrupted(&self) -> Option<Interrupt> {
        None
    }
}

/// A folder with a database in it that nobody has made yet.
pub struct Place {
    pub folder: TempDir,
    pub clock: TestClock,
}

impl Place {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: TestClock(Cell::new(START)),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("stories.db")
    }

    pub fn request(&self) -> LockRequest<'_> {
        LockRequest {
            command: "run",
            wait: Duration::ZERO,
            clock: &self.clock,
        }
    }

    pub fn open(&self) -> Result<Writer, StoreError> {
        self.open_profile("default")
    }

    pub fn open_profile(&self, profile: &str) -> Result<Writer, StoreError> {
        let profile: ProfileName = profile.parse().unwrap();
        Writer::open(&self.path(), &profile, &self.request(), quick())
    }

    /// A finished database with some history in it.
    pub fn filled() -> Self {
        let place = Self::new();
        let mut store = place.open().unwrap();
        let target = list_target(&mut store, "garden");
        for number in 1..=40 {
            put_item(&mut store, ItemKind::Post, number, target);
            let attempt = granted(&mut store, &like(ItemKind::Post, number), START);
            settle(&mut store, attempt, Outcome::Ok, START);
        }
        drop(store);
        place
    }
}

/// Without the wait for the disk and for others: most tests are about something else.
pub fn quick() -> Opening {
    Opening {
        durability: Durability::ThrowAway,
        busy_timeout: Duration::from_millis(50),
        ..Opening::default()
    }
}

/// Runs `facts` on a fresh store of every kind.
pub fn each_store(facts: impl Fn(&mut dyn Store)) {
    eprintln!("in memory:");
    facts(&mut Writer::in_memory(&ProfileName::default()).unwrap());
    eprintln!("in a file:");
    let place = Place::new();
    facts(&mut place.open().unwrap());
}

pub fn pk(number: i64) -> Pk {
    Pk::try_from(number).unwrap()
}

pub fn id(number: i64) -> ItemId {
    ItemId {
        media: pk(number),
        owner: pk(77),
    }
}

pub fn limit(scope: Scope, text: &str) -> ScopedLimit {
    let limit: Limit = text.parse().unwrap();
    ScopedLimit { scope, limit }
}

pub fn read() -> Claim {
    Claim {
        kind: AttemptKind::Read,
        target: None,
        item: None,
        call: "stories",
        run: None,
        despite_session_holds: false,
    }
}

pub fn of_kind(kind: AttemptKind) -> Claim {
    Claim { kind, ..read() }
}

pub fn like(kind: ItemKind, number: i64) -> Claim {
    Claim {
        kind: AttemptKind::Like,
        item: Some((kind, id(number))),
        call: "like",
        ..read()
    }
}

pub fn view(number: i64) -> Claim {
    Claim {
        kind: AttemptKind::StoryView,
        item: Some((ItemKind::Story, id(number))),
        call: "seen",
        ..read()
    }
}

pub fn granted(store: &mut dyn Store, claim: &Claim, now: Timestamp) -> AttemptId {
    match store.claim(claim, &[], now).unwrap() {
        Claimed::Granted(attempt) => attempt,
        other => panic!("not granted: {other:?}"),
    }
}

pub fn ending(outcome: Outcome) -> Settlement {
    Settlement {
        outcome,
        detail: String::new(),
        session: None,
        hold: None,
        changes: Vec::new(),
    }
}

pub fn settle(store: &mut dyn Store, attempt: AttemptId, outcome: Outcome, now: Timestamp) {
    store.settle(attempt, &ending(outcome), now).unwrap();
}

/// Claims and settles at the same moment.
pub fn act(store: &mut dyn Store, claim: &Claim, outcome: Outcome, now: Timestamp) {
    let attempt = granted(store, claim, now);
    settle(store, attempt, outcome, now);
}

pub fn wanted(username: &str) -> WantedTarget {
    WantedTarget {
        username: username.to_owned(),
        enabled: true,
        stories: true,
        posts: true,
    }
}

pub fn list_target(store: &mut dyn Store, username: &str) -> TargetId {
    store.sync_targets(&[wanted(username)], START).unwrap();
    let targets = store.targets().unwrap();
    targets
        .iter()
        .find(|target| target.username == username)
        .unwrap()
        .id
}

pub fn item(kind: ItemKind, number: i64, target: TargetId) -> LedgerItem {
    LedgerItem {
        item: Item {
            kind,
            id: id(number),
            code: Some(format!("C{number}")),
            taken_at: START,
            expiring_at: (kind == ItemKind::Story).then(|| START.plus(DAY)),
            has_liked: Some(false),
            pinned: false,
        },
        target,
        state: ItemState::New,
        tries: 0,
        viewed_at: None,
        like_arrived_by: None,
        unliked_read_at: None,
    }
}

pub fn put(store: &mut dyn Store, item: &LedgerItem) {
    store.apply(&[Change::Item(item.clone())], START).unwrap();
}

pub fn put_item(store: &mut dyn Store, kind: ItemKind, number: i64, target: TargetId) {
    put(store, &item(kind, number, target));
}

pub fn known(store: &mut dyn Store, kind: ItemKind, number: i64) -> LedgerItem {
    store.items(kind, &[pk(number)]).unwrap().remove(0)
}

pub fn hold(reason: HoldReason, until: Option<Timestamp>) -> NewHold {
    NewHold {
        reason,
        until,
        message: "the platform said so".to_owned(),
    }
}

/// The names of the migrations, oldest first, and their text.
pub fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (number, name) = name[1..].split_once("__").unwrap();
        let number: i32 = number.parse().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        (format!("V{number}__{name}"), text)
    };
    files.iter().map(named).collect()
}

/// The bytes of a file, and what lies beside it except lock files.
pub fn picture(path: &Path) -> (Vec<u8>, Vec<String>) {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with("lock"))
        .collect();
    names.sort();
    (std::fs::read(path).unwrap_or_default(), names)
}
