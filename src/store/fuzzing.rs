//! What must hold of whatever stands in the place of a sealed session or of a key.

use std::path::Path;

use super::seal::{Sealing, Stored, Vault};
use crate::model::{HeldKey, Keyring, Pk, ProfileName, SealKey, Secret};

/// A stored content, or a key's text. Nobody without the key can make a content that opens.
pub fn seal(bytes: &[u8]) {
    let text = Secret::new(String::from_utf8_lossy(bytes));
    let found = SealKey::parse(&text);
    if let Ok(key) = &found {
        assert!(key.text().expose() == text.expose().trim());
    }
    let key = SealKey::new([1; 32]);
    let keys = Keyring {
        present: Some(HeldKey {
            key,
            from: "file 1".to_owned(),
        }),
        ..Keyring::default()
    };
    let vault = Vault::new(ProfileName::default(), keys, Path::new("stories.db"));
    let mut stored = Stored {
        pk: Pk::try_from(9).expect("a pk"),
        format: 1,
        content: text,
    };
    let error = vault.open(&stored).expect_err("nobody sealed it");
    assert!(!error.to_string().contains(|c: char| c.is_control()));
    stored.format = 0;
    let session = vault.open(&stored).expect("plain is taken as it is");
    assert_eq!(stored.sealing(), Sealing::Plain);
    let sealed = vault.put(&session).expect("anything can be sealed");
    assert!(vault.open(&sealed).is_ok_and(|opened| opened == session));
}
