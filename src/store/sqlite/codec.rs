//! Domain types as SQLite values: times and ids as integers, enums as their words. A value that the
//! type does not know is an error of reading (damaged data), never a default.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use crate::model::{
    AttemptId, AttemptKind, Channel, HoldId, HoldReason, ItemKind, ItemState, NoticeId, NoticeKind,
    Outcome, Pk, RunId, TargetId, TargetOrigin, TargetTrouble, Timestamp,
};

use super::AccountId;

fn unknown(text: &str) -> FromSqlError {
    FromSqlError::Other(format!("the word {text:?} is not known here").into())
}

/// A count, which SQLite knows as a signed number only.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_millis)
    }
}

impl ToSql for Pk {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.get().into())
    }
}

impl FromSql for Pk {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::try_from(value.as_i64()?).map_err(FromSqlError::other)
    }
}

macro_rules! row_numbers {
    ($($id:ident),*) => { $(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )* };
}

row_numbers!(AccountId, AttemptId, HoldId, NoticeId, RunId, TargetId);

macro_rules! words {
    ($($word:ident),*) => { $(
        impl ToSql for $word {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let text = value.as_str()?;
                Self::parse(text).ok_or_else(|| unknown(text))
            }
        }
    )* };
}

words!(
    AttemptKind,
    Channel,
    HoldReason,
    ItemState,
    NoticeKind,
    Outcome
);

impl ToSql for ItemKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for ItemKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "story" => Ok(Self::Story),
            "post" => Ok(Self::Post),
            other => Err(unknown(other)),
        }
    }
}

impl ToSql for TargetTrouble {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for TargetTrouble {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "private" => Ok(Self::Private),
            "gone" => Ok(Self::Gone),
            other => Err(unknown(other)),
        }
    }
}

impl FromSql for TargetOrigin {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "config" => Ok(Self::Config),
            "command" => Ok(Self::Command),
            other => Err(unknown(other)),
        }
    }
}
