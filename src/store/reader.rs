//! The one who only looks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::opening::{Opening, missing, open_existing_read_only, outdated};
use super::seal::{Sealing, Vault};
use super::sqlite::{self, AccountId, Db, Examined, FileSize, ItemCount, WindowUse};
use crate::model::{
    Account, Attempt, Channel, EndedRun, Hold, ItemKind, ItemState, Keyring, LedgerItem,
    PastAttempt, Pk, ProfileName, RequestCount, RunId, RunRecord, ScopedLimit, Session, Target,
    TargetId, Timestamp, Undelivered,
};
use crate::ports::StoreError;

/// Looks at a profile's memory without touching it.
pub struct Reader {
    db: Db,
    path: PathBuf,
    profile: ProfileName,
    account: Option<AccountId>,
}

impl Reader {
    /// Opens an existing database of the current version.
    pub fn open_read_only(path: &Path, profile: &ProfileName) -> Result<Self, StoreError> {
        let opening = Opening::default();
        Self::open_with(path, profile, opening.busy_timeout)
    }

    /// The same, with another patience for programs that keep the file locked.
    pub fn open_with(
        path: &Path,
        profile: &ProfileName,
        busy_timeout: Duration,
    ) -> Result<Self, StoreError> {
        match Self::open_any(path, profile, busy_timeout)? {
            (reader, 0) => Ok(reader),
            (reader, _) => Err(outdated(&reader.path)),
        }
    }

    /// The same for a database of an older version, too, and how many migrations are to come. Then
    /// only what every version has can be read: the account, the runs and the holds.
    pub fn open_any(
        path: &Path,
        profile: &ProfileName,
        busy_timeout: Duration,
    ) -> Result<(Self, usize), StoreError> {
        let (path, mut db) = open_existing_read_only(path, busy_timeout)?;
        let examined = db.read("open the database", |connection| {
            let examined = sqlite::examine(connection, &path)?;
            if examined == (Examined::Ours { pending: 0 }) {
                sqlite::verify(connection, &path)?;
            }
            Ok(examined)
        })?;
        let pending = match examined {
            Examined::New => return Err(missing(&path)),
            Examined::Ours { pending } => pending,
        };
        let account = db.read("open the database", |connection| {
            sqlite::find_account(connection, profile)
        })?;
        let reader = Self {
            db,
            path,
            profile: profile.clone(),
            account,
        };
        Ok((reader, pending))
    }

    fn read<T: Default>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&rusqlite::Connection, AccountId) -> Result<T, sqlite::Fault>,
    ) -> Result<T, StoreError> {
        match self.account {
            Some(account) => self.db.read(doing, |connection| work(connection, account)),
            None => Ok(T::default()),
        }
    }

    /// The account row; `None` if the profile has never been used. What looks needs no key: the
    /// content of the session is left out, sealed or not.
    pub fn account(&mut self) -> Result<Option<Account>, StoreError> {
        let profile = self.profile.clone();
        self.read("read the account", |connection, account| {
            sqlite::account(connection, account, &profile).map(Some)
        })
    }

    /// How the session is stored; `None` without one.
    pub fn sealing(&mut self) -> Result<Option<Sealing>, StoreError> {
        let stored = self.read("read the session", sqlite::stored_session)?;
        Ok(stored.map(|stored| stored.sealing()))
    }

    /// The session, opened with these keys; `None` without one.
    pub fn session(&mut self, keys: &Keyring) -> Result<Option<Session>, StoreError> {
        let vault = Vault::new(self.profile.clone(), keys.clone(), &self.path);
        let stored = self.read("read the session", sqlite::stored_session)?;
        stored.map(|stored| vault.open(&stored)).transpose()
    }

    /// Every hold since `since` and every open one, oldest first.
    pub fn holds(&mut self, since: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.read("read the holds", |connection, account| {
            sqlite::holds_since(connection, account, since)
        })
    }

    /// Every target, by name.
    pub fn targets(&mut self) -> Result<Vec<Target>, StoreError> {
        self.read("read the targets", sqlite::targets)
    }

    /// The newest runs, newest first.
    pub fn recent_runs(&mut self, most: u32) -> Result<Vec<RunRecord>, StoreError> {
        self.read("read the runs", |connection, account| {
            sqlite::recent_runs(connection, account, 0, most)
        })
    }

    /// The last pass that came to an end.
    pub fn last_ended_run(&mut self) -> Result<Option<EndedRun>, StoreError> {
        self.read("read the runs", sqlite::last_ended)
    }

    /// When a pass last ended with one of these exit codes.
    pub fn last_end_with(&mut self, exit_codes: &[u8]) -> Result<Option<Timestamp>, StoreError> {
        self.read("read the runs", |connection, account| {
            sqlite::last_end_with(connection, account, exit_codes)
        })
    }

    /// How the requests since `since` ended, those of one run or all: settled then or later, or not
    /// settled.
    pub fn request_counts(
        &mut self,
        run: Option<RunId>,
        since: Timestamp,
    ) -> Result<Vec<RequestCount>, StoreError> {
        self.read("read the attempts", |connection, account| {
            sqlite::request_counts(connection, account, run, since)
        })
    }

    /// The newest attempt of all, and the newest like.
    pub fn newest_attempts(&mut self) -> Result<(Option<Attempt>, Option<Attempt>), StoreError> {
        self.read("read the attempts", sqlite::newest)
    }

    /// How far each limit is used at `now`. For a profile never used: empty.
    pub fn windows(
        &mut self,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Vec<WindowUse>, StoreError> {
        self.read("read the windows", |connection, account| {
            sqlite::windows(connection, account, limits, now)
        })
    }

    /// Attempts settled at or after `since`, in the future, or not settled; oldest first.
    pub fn attempts(&mut self, since: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.read("read the attempts", |connection, account| {
            sqlite::standing_since(connection, account, since)
        })
    }

    /// The item, story or post, and when a listing first showed it.
    pub fn item(&mut self, item: Pk) -> Result<Option<(LedgerItem, Timestamp)>, StoreError> {
        self.read("read the item", |connection, account| {
            sqlite::find_item(connection, account, item)
        })
    }

    /// The requests about the item in order, whenever they were.
    pub fn attempts_on(&mut self, item: Pk) -> Result<Vec<PastAttempt>, StoreError> {
        self.read("read the item's history", |connection, account| {
            sqlite::attempts_on(connection, account, item)
        })
    }

    /// A target's newest items in any state, at most `most` of each kind.
    pub fn newest_items(
        &mut self,
        target: TargetId,
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        self.read("read the items", |connection, account| {
            sqlite::newest_items(connection, account, target, most)
        })
    }

    /// A target's items of these states, soonest to expire first, then newest first.
    pub fn items_in(
        &mut self,
        target: TargetId,
        kind: ItemKind,
        states: &[ItemState],
        most: u32,
    ) -> Result<Vec<LedgerItem>, StoreError> {
        self.read("read the items", |connection, account| {
            sqlite::items_in(connection, account, target, kind, states, most)
        })
    }

    /// Stories, and posts that are not done with, by state.
    pub fn item_counts(&mut self) -> Result<Vec<ItemCount>, StoreError> {
        self.read("count the items", sqlite::item_counts)
    }

    /// What `channel` has not told yet, oldest first, at most `most`.
    pub fn undelivered(
        &mut self,
        channel: Channel,
        most: u32,
    ) -> Result<Vec<Undelivered>, StoreError> {
        self.read("read the notices", |connection, account| {
            sqlite::undelivered(connection, account, channel, most)
        })
    }

    /// The file's size.
    pub fn size(&mut self) -> Result<FileSize, StoreError> {
        self.db.read("read the file's size", sqlite::size)
    }
}
