//! The one who writes.

mod port;

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::lock::{DatabaseLock, LockRequest, ProfileLock};
use super::opening::{MigratePolicy, Opening, missing, open_current};
use super::place;
use super::seal::{Sealing, Vault};
use super::sqlite::{self, AccountId, Db, Durability, Fault, WindowUse};
use crate::model::{
    Account, Channel, KeyId, Keyring, NoticeId, ProfileName, ScopedLimit, Timestamp, Undelivered,
};
use crate::ports::StoreError;

/// A profile's memory, to read and to write. Holds the locks until it is dropped.
pub struct Writer {
    // Fields are dropped in this order: the connection is closed before the locks are released.
    db: Db,
    _locks: Option<(ProfileLock, DatabaseLock)>,
    account: AccountId,
    vault: Vault,
    /// By which ways a person is told what changes.
    told_by: Vec<Channel>,
}

impl Writer {
    /// Takes the locks, opens the file (creates or migrates it if `opening` says so), checks it for
    /// damage if that is due, and makes the profile's row if there is none.
    pub fn open(
        path: &Path,
        profile: &ProfileName,
        request: &LockRequest<'_>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        place::refuse_root(path)?;
        match opening.migrate {
            MigratePolicy::Automatic => place::make_folder(path)?,
            MigratePolicy::Refuse if !place::has_content(path) => return Err(missing(path)),
            MigratePolicy::Refuse => {}
        }
        let path = place::resolve(path)?;
        place::refuse_network(&path, opening.file_system)?;
        let mut database_lock = DatabaseLock::shared(&path, request)?;
        let profile_lock = ProfileLock::take(&path, profile, request)?;
        place::make_file(&path)?;
        let mut db = open_current(&path, opening, (&mut database_lock, &profile_lock), request)?;
        let account = check_and_enrol(&mut db, &path, profile, request.clock.now())?;
        Ok(Self {
            db,
            _locks: Some((profile_lock, database_lock)),
            account,
            vault: Vault::new(profile.clone(), Keyring::default(), &path),
            told_by: Vec::new(),
        })
    }

    /// Seals and opens sessions with these keys from now on.
    #[must_use]
    pub fn with_keys(mut self, keys: Keyring) -> Self {
        self.vault.keys = keys;
        self
    }

    /// An empty memory that ends with the process and needs no lock.
    pub fn in_memory(profile: &ProfileName) -> Result<Self, StoreError> {
        Self::over(Db::in_memory()?, profile)
    }

    /// The same under a name: writers of this process that give the same name share one memory, as
    /// two machines would that share a file without its locks.
    pub fn in_shared_memory(name: &str, profile: &ProfileName) -> Result<Self, StoreError> {
        Self::over(Db::in_shared_memory(name)?, profile)
    }

    fn over(mut db: Db, profile: &ProfileName) -> Result<Self, StoreError> {
        db.configure(Durability::ThrowAway)?;
        sqlite::migrate(&mut db)?;
        let account = db.write("open the profile", |transaction| {
            sqlite::enrol(transaction, profile, None)
        })?;
        Ok(Self {
            db,
            _locks: None,
            account,
            vault: Vault::new(profile.clone(), Keyring::default(), Path::new(":memory:")),
            told_by: Vec::new(),
        })
    }

    fn read<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Connection, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db.read(doing, |connection| work(connection, account))
    }

    fn write<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db
            .write(doing, |transaction| work(transaction, account))
    }

    /// What `work` would do.
    fn rehearse<T>(
        &mut self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>, AccountId) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let account = self.account;
        self.db
            .rehearse(doing, |transaction| work(transaction, account))
    }

    /// The account row, for what takes no key: the content of its session is left out.
    pub fn account_unopened(&mut self) -> Result<Account, StoreError> {
        let (account, profile) = (self.account, self.vault.profile());
        self.db.read("read the account", |connection| {
            sqlite::account(connection, account, profile)
        })
    }

    /// How the session is stored; `None` without one.
    pub fn sealing(&mut self) -> Result<Option<Sealing>, StoreError> {
        self.read("read the session", |connection, account| {
            let stored = sqlite::stored_session(connection, account)?;
            Ok(stored.map(|stored| stored.sealing()))
        })
    }

    /// Stores the session sealed with the present key, or plain if `plain`: one transaction, and only
    /// what opens again. Returns how it was stored before and how it is now; `None` without one.
    pub fn reseal(&mut self, plain: bool) -> Result<Option<(Sealing, Sealing)>, StoreError> {
        let (account, vault) = (self.account, &self.vault);
        self.db.write("seal the session", |transaction| {
            let Some(before) = sqlite::stored_session(transaction, account)? else {
                return Ok(None);
            };
            let session = vault.open(&before)?;
            let after = if plain {
                Vault::put_plain(&session)
            } else {
                vault.put(&session)?
            };
            if vault.open(&after)? != session {
                return Err(Fault::bug("what was sealed does not open again"));
            }
            sqlite::reseal(transaction, account, &after)?;
            Ok(Some((before.sealing(), after.sealing())))
        })
    }

    /// Seals with the present key what is stored plain or sealed with an old one. Says with which key,
    /// if there was anything to do.
    pub fn seal_if_due(&mut self) -> Result<Option<KeyId>, StoreError> {
        let Some(present) = self.vault.present() else {
            return Ok(None);
        };
        match self.sealing()? {
            Some(Sealing::Plain) => {}
            Some(Sealing::Sealed(id)) if id != present => {}
            _ => return Ok(None),
        }
        self.reseal(false)?;
        Ok(Some(present))
    }

    /// Forgets a sealed session that no key at hand opens. Says whether there was one.
    pub fn forget_lost(&mut self) -> Result<bool, StoreError> {
        let (account, vault) = (self.account, &self.vault);
        self.db.write("forget the session", |transaction| {
            let stored = sqlite::stored_session(transaction, account)?;
            let lost = stored.is_some_and(|stored| vault.is_lost(&stored));
            if lost {
                sqlite::forget_session(transaction, account)?;
            }
            Ok(lost)
        })
    }

    /// How far each limit is used at `now`.
    pub fn windows(
        &mut self,
        limits: &[ScopedLimit],
        now: Timestamp,
    ) -> Result<Vec<WindowUse>, StoreError> {
        self.read("read the windows", |connection, account| {
            sqlite::windows(connection, account, limits, now)
        })
    }

    /// Removes posts taken before `before`, and notes that such posts are never liked again: one
    /// transaction. Returns how many were removed.
    pub fn cleanup_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("remove old posts", |transaction, account| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }

    /// From now on the end of a run records what changed, to be told in each of these ways. Without
    /// any nothing is recorded: a way configured later begins with the state of that day.
    pub fn tell_by(&mut self, channels: &[Channel]) {
        self.told_by = channels.to_vec();
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

    /// A try to tell a notice ended: told, or why not.
    pub fn tried_to_tell(
        &mut self,
        notice: NoticeId,
        channel: Channel,
        problem: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("record the notice as told", |transaction, _| {
            sqlite::tried(transaction, notice, channel, problem, now)
        })
    }

    /// Gives up what `channel` has not told of the time before `before`. Returns how many notices.
    pub fn give_up_telling(
        &mut self,
        channel: Channel,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("give up notices", |transaction, account| {
            sqlite::give_up(transaction, account, channel, before, now)
        })
    }

    /// Counts what `cleanup_posts` would remove.
    pub fn cleanable_posts(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.rehearse("count old posts", |transaction, account| {
            sqlite::cleanup_posts(transaction, account, before)
        })
    }
}

/// Looks for damage if that is due, and only then writes: the profile's row if there is none, and
/// the time of the check. A known profile within a day of the last check writes nothing.
fn check_and_enrol(
    db: &mut Db,
    path: &Path,
    profile: &ProfileName,
    now: Timestamp,
) -> Result<AccountId, StoreError> {
    let checked = db.read("check the database for damage", |connection| {
        sqlite::check_if_due(connection, profile, now, path)
    })?;
    let doing = "open the profile";
    let known = db.read(doing, |connection| {
        sqlite::find_account(connection, profile)
    })?;
    match known {
        Some(account) if !checked => Ok(account),
        _ => db.write(doing, |transaction| {
            sqlite::enrol(transaction, profile, checked.then_some(now))
        }),
    }
}
