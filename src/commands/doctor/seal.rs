//! Whether the stored session opens with the keys at hand.

use super::check::Check;
use super::configuration::SESSION_KEY;
use crate::config::Inspected;
use crate::model::KeyId;
use crate::ports::StoreError;
use crate::store::{Reader, Sealing};

/// The name of this check.
pub(super) const SEAL: &str = "session_seal";

const RESEAL: &str = "'story-liker session reseal' seals it now, and the next pass does as well";

/// `None` without a session.
pub(super) fn seal(
    inspected: &Inspected,
    reader: &mut Reader,
) -> Result<Option<Check>, StoreError> {
    let Some(sealing) = reader.sealing()? else {
        return Ok(None);
    };
    let keys = &inspected.loaded.config.session_keys;
    if SESSION_KEY.is_mistaken(inspected) {
        return Ok(Some(Check::note(
            SEAL,
            "not tried: the keys have a mistake",
        )));
    }
    let present = keys.present.as_ref().map(|held| held.key.id());
    Ok(Some(match reader.session(keys) {
        Ok(_) => judged(sealing, present),
        Err(error) => Check::of_store(SEAL, &error),
    }))
}

/// A session that opens.
fn judged(sealing: Sealing, present: Option<KeyId>) -> Check {
    match (sealing, present) {
        (Sealing::Sealed(id), Some(present)) if id != present => Check::note(
            SEAL,
            format!("sealed with the old key {id}, and the present one is {present}"),
        )
        .advising(RESEAL),
        (Sealing::Sealed(id), _) => {
            Check::ok(SEAL, format!("sealed with key {id}, which opens it"))
        }
        (_, Some(present)) => Check::note(
            SEAL,
            format!("not sealed yet, though there is a key ({present})"),
        )
        .advising(RESEAL),
        (_, None) => Check::note(
            SEAL,
            "not sealed: whoever reads the database or a copy of it has the session",
        )
        .advising(
            "'story-liker session new-key FILE' makes a key, secrets.key_file names it, \
             'story-liker session reseal' seals",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;
    use crate::model::SealKey;

    #[test]
    fn a_session_that_opens_is_sealed_with_the_present_key_or_can_be() {
        let [one, two] = [1, 2].map(|byte| SealKey::new([byte; 32]).id());
        for (sealing, present, status, says) in [
            (Sealing::Sealed(one), Some(one), Status::Ok, "opens it"),
            (Sealing::Sealed(one), Some(two), Status::Note, "old key"),
            (Sealing::Plain, Some(one), Status::Note, "not sealed yet"),
            (Sealing::Plain, None, Status::Note, "whoever reads"),
        ] {
            let check = judged(sealing, present);
            assert_eq!(check.status, status, "{check:?}");
            assert!(check.finding.contains(says), "{check:?}");
            assert_eq!(check.remedy.is_some(), status == Status::Note);
        }
    }
}
