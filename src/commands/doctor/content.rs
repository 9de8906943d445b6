//! What is in the database: its version, damage, and who is at it.

use std::path::Path;
use std::time::Duration;

use super::check::Check;
use crate::config::Config;
use crate::exit::ExitCode;
use crate::ports::StoreError;
use crate::store::{
    Holder, Integrity, MigrationStatus, Reader, check_integrity, is_half_changed,
    migration_status_with,
};

/// How long a program that keeps the file locked is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the content is looked through at most. A pass waits half a minute for a reader.
const LOOK: Duration = Duration::from_secs(10);

/// The version of the schema; and the memory of the profile, if it can be read.
pub(super) fn schema(config: &Config) -> (Check, Option<Reader>) {
    const ID: &str = "database_schema";
    let status = match migration_status_with(&config.database, PATIENCE) {
        Ok(status) => status,
        Err(error) => return (refused(ID, &config.database, &error), None),
    };
    let MigrationStatus {
        current,
        known,
        pending,
    } = &status;
    if !pending.is_empty() {
        let finding = format!(
            "version {current}, and this program has {known}: {} to come",
            pending.join(", ")
        );
        return (
            Check::warning(
                ID,
                finding,
                "the next pass does it, or 'story-liker migrate' now",
            ),
            None,
        );
    }
    match Reader::open_with(&config.database, &config.profile, PATIENCE) {
        Ok(reader) => (
            Check::ok(ID, format!("version {current}, the newest")),
            Some(reader),
        ),
        Err(error) => (refused(ID, &config.database, &error), None),
    }
}

/// A change that a crash cut off looks like a fault, and the next pass undoes it.
fn refused(id: &'static str, database: &Path, error: &StoreError) -> Check {
    let check = Check::of_store(id, error);
    if is_half_changed(database, PATIENCE) {
        Check::warning(id, check.finding, check.remedy.unwrap_or_default())
    } else {
        check
    }
}

/// Looks through the whole content, unless a pass would have to wait for it.
pub(super) fn integrity(database: &Path, holders: &[Holder]) -> Check {
    const ID: &str = "database_integrity";
    if !holders.is_empty() {
        return Check::note(
            ID,
            "not looked through now: a command that writes is under way",
        );
    }
    match check_integrity(database, PATIENCE, LOOK) {
        Ok(Integrity::Sound) => Check::ok(ID, "rows, indexes and references are sound"),
        Ok(Integrity::Unfinished) => Check::note(
            ID,
            format!(
                "too large to look through in {} s; a pass does once a day",
                LOOK.as_secs()
            ),
        ),
        Ok(Integrity::Damaged(damage)) => Check::problem(
            ID,
            ExitCode::DataErr,
            format!("damaged: {damage}"),
            "look for disk errors in the system log first, then move the file aside, and a -journal \
             beside it with it, to restore a backup or begin anew; neither knows the likes sent \
             since, so let a week pass",
        ),
        Err(error) => refused(ID, database, &error),
    }
}

/// Who is at it.
pub(super) fn lock(holders: &[Holder]) -> Check {
    const ID: &str = "lock";
    if holders.is_empty() {
        return Check::ok(ID, "free");
    }
    let told: Vec<String> = holders
        .iter()
        .map(|holder| match &holder.profile {
            Some(profile) => format!("profile '{profile}' is in use by {}", holder.owner),
            None => format!("it is being migrated by {}", holder.owner),
        })
        .collect();
    Check::note(
        ID,
        format!(
            "{}; another start for it ends with 75, unless it waits (--lock-wait)",
            told.join("; ")
        ),
    )
}
