//! Instagram's numeric ids.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A user's or a media's primary key: a positive decimal number beyond 2^53, so it must never pass
/// through a float. Instagram's ids have 63 bits, which is also what a database integer holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pk(i64);

impl Pk {
    /// The number, as the database stores it.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A text or number that is not an Instagram id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not an Instagram id: {0:?}")]
pub struct InvalidId(pub String);

impl TryFrom<i64> for Pk {
    type Error = InvalidId;

    fn try_from(number: i64) -> Result<Self, InvalidId> {
        if number > 0 {
            Ok(Self(number))
        } else {
            Err(InvalidId(number.to_string()))
        }
    }
}

impl FromStr for Pk {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits_only { text.parse().ok() } else { None };
        number
            .and_then(|number: i64| Self::try_from(number).ok())
            .ok_or_else(|| InvalidId(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Pk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Pk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pk({})", self.0)
    }
}

impl Serialize for Pk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A media id in full, `<media pk>_<owner pk>`: what a like names. The owner is the author, who for
/// a co-authored post is not the profile it was found on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    /// The media itself.
    pub media: Pk,
    /// Its author.
    pub owner: Pk,
}

impl FromStr for ItemId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (media, owner) = text
            .split_once('_')
            .ok_or_else(|| InvalidId(text.chars().take(40).collect()))?;
        Ok(Self {
            media: media.parse()?,
            owner: owner.parse()?,
        })
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.media, self.owner)
    }
}

impl Serialize for ItemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_digits_survive_unchanged() {
        let id: ItemId = "4028209379393181455_72000000002".parse().unwrap();
        assert_eq!(id.to_string(), "4028209379393181455_72000000002");
    }

    #[test]
    fn anything_but_a_positive_number_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1e3",
            "9223372036854775808",
            "1_",
        ] {
            assert!(text.parse::<Pk>().is_err(), "{text:?} was taken for an id");
        }
    }
}
