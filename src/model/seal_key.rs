//! The keys that seal sessions at rest, and the text they are kept as.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Secret;

/// How a key begins, so that people and scanners for secrets know one when they see it. The number
/// is that of the text form.
const PREFIX: &str = "slkey1_";

/// The prefix, the id, an underscore and 32 bytes in base64.
const TEXT_LENGTH: usize = PREFIX.len() + 8 + 1 + 43;

/// Names a key without telling anything of it: the first 32 bits of a hash of its 256. It stands in
/// the key's text, where it is the checksum as well, and beside everything that the key sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Reads eight lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 8 || !text.bytes().all(plain) {
            return None;
        }
        let number = u32::from_str_radix(text, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// Why a text is no key. Says nothing of the text but its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAKey {
    /// Another file, a password, a key of another program.
    #[error(
        "it is no key of story-liker (those begin with {PREFIX}; `story-liker session new-key FILE` \
             makes one)"
    )]
    Foreign,
    /// Cut off, or something was added.
    #[error("the key has {0} characters instead of {TEXT_LENGTH}: it is cut off or not alone")]
    Length(usize),
    /// Mistyped or damaged.
    #[error("a character of the key is wrong: its checksum does not fit")]
    Checksum,
}

/// A key that seals sessions: 32 random bytes, overwritten in memory when dropped. `Debug` shows its
/// id only.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// A key of these bytes, which nobody must be able to guess.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the text form: `slkey1_`, eight digits of the id, `_`, the bytes in base64.
    pub fn parse(text: &Secret) -> Result<Self, NotAKey> {
        let text = text.expose().trim();
        let rest = text.strip_prefix(PREFIX).ok_or(NotAKey::Foreign)?;
        if text.len() != TEXT_LENGTH {
            return Err(NotAKey::Length(text.chars().count()));
        }
        let (id, encoded) = rest.split_once('_').ok_or(NotAKey::Checksum)?;
        let decoded = URL_SAFE_NO_PAD.decode(encoded).map(Zeroizing::new);
        let decoded = decoded.map_err(|_| NotAKey::Checksum)?;
        let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| NotAKey::Checksum)?;
        let key = Self::new(bytes);
        let same = KeyId::parse(id) == Some(key.id());
        same.then_some(key).ok_or(NotAKey::Checksum)
    }

    /// The text form.
    pub fn text(&self) -> Secret {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.bytes()));
        Secret::new(format!("{PREFIX}{}_{}", self.id(), encoded.as_str()))
    }

    /// Which key it is.
    pub fn id(&self) -> KeyId {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"story-liker key id\n");
        hash.update(self.bytes());
        let hash = hash.finish();
        let [a, b, c, d, ..] = hash.as_ref() else {
            unreachable!("SHA-256 has 32 bytes")
        };
        KeyId([*a, *b, *c, *d])
    }

    /// The key itself, for the seal only.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id())
    }
}

/// A key and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// The key.
    pub key: SealKey,
    /// In the words of a message: `file /etc/story-liker/session.key`.
    pub from: String,
}

/// The keys at hand. Without any, sessions are stored as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    /// Seals, and opens.
    pub present: Option<HeldKey>,
    /// Only open what was sealed before a rotation.
    pub old: Vec<HeldKey>,
    /// Where a key was looked for in vain, in the words of a message.
    pub searched: String,
}

impl Keyring {
    /// The key of this id.
    pub fn find(&self, id: KeyId) -> Option<&SealKey> {
        let held = self.present.iter().chain(&self.old);
        held.map(|held| &held.key).find(|key| key.id() == id)
    }

    /// Which keys there are and where from, or where none was found; completes "but ".
    pub fn described(&self) -> String {
        let held = self.present.iter().chain(&self.old);
        let keys: Vec<String> = held
            .map(|held| format!("{} ({})", held.key.id(), held.from))
            .collect();
        match keys.as_slice() {
            [] if self.searched.is_empty() => "no key is configured".to_owned(),
            [] => format!("no key is configured (looked at {})", self.searched),
            [only] => format!("the configured key is {only}"),
            several => format!("the configured keys are {}", several.join(" and ")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<SealKey, NotAKey> {
        SealKey::parse(&Secret::new(text))
    }

    #[test]
    fn the_text_form_is_what_it_will_always_be() {
        let key = SealKey::new(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let text = "slkey1_3c6db9c8_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        assert_eq!(key.text().expose(), text);
        assert_eq!(parse(text), Ok(key));
    }

    #[test]
    fn what_is_no_key_is_told_apart_without_repeating_it() {
        let text = SealKey::new([7; 32]).text();
        let text = text.expose();
        assert_eq!(parse("hunter2"), Err(NotAKey::Foreign));
        assert_eq!(parse(""), Err(NotAKey::Foreign));
        assert_eq!(parse(&text[1..]), Err(NotAKey::Foreign));
        assert_eq!(
            parse(&text[..TEXT_LENGTH - 1]),
            Err(NotAKey::Length(TEXT_LENGTH - 1))
        );
        assert_eq!(
            parse(&format!("{text}x")),
            Err(NotAKey::Length(TEXT_LENGTH + 1))
        );
        assert_eq!(parse(&text.to_uppercase()), Err(NotAKey::Foreign));
        for problem in [NotAKey::Foreign, NotAKey::Length(3), NotAKey::Checksum] {
            assert!(!problem.to_string().contains("hunter2"));
        }
        assert_eq!(
            parse(&format!(" {text}\n")),
            parse(text),
            "white space around it"
        );
    }

    #[test]
    fn debug_output_shows_the_id_and_nothing_else() {
        let key = SealKey::new([7; 32]);
        let ring = Keyring {
            present: Some(HeldKey {
                key: key.clone(),
                from: "file x".to_owned(),
            }),
            ..Keyring::default()
        };
        let text = key.text();
        let secret = text.expose().rsplit_once('_').unwrap().1;
        for shown in [format!("{ring:?}"), ring.described(), format!("{key:?}")] {
            assert!(shown.contains(&key.id().to_string()), "{shown}");
            assert!(
                !shown.contains(secret) && !shown.contains("7, 7"),
                "{shown}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_key_is_read_back(bytes: [u8; 32]) {
            let key = SealKey::new(bytes);
            prop_assert_eq!(SealKey::parse(&key.text()), Ok(key.clone()));
            prop_assert_eq!(KeyId::parse(&key.id().to_string()), Some(key.id()));
        }

        #[test]
        fn any_other_character_is_noticed(bytes: [u8; 32], at in 0..TEXT_LENGTH, by in 0x21u8..0x7f) {
            let text = SealKey::new(bytes).text();
            let mut wrong = text.expose().as_bytes().to_vec();
            prop_assume!(wrong[at] != by);
            wrong[at] = by;
            prop_assert!(parse(&String::from_utf8(wrong).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("{PREFIX}{text}"));
        }
    }
}
