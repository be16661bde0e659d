//! Values on their way into a statement and rows on their way out, the same for both engines.
//!
//! Only four kinds of value exist: 64-bit integers, text, bytes and NULL. Nothing here converts silently: a
//! value that does not fit its column is an error that names both.

use anyhow::{Context as _, Result, bail};
use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// One argument of a statement.
///
/// A `bool` travels as 0 or 1, because columns are `BIGINT`: never compare such an argument with a `BOOL`
/// expression. An owned `String` or `Vec<u8>` is passed by reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Val<'a> {
    /// SQL's NULL, of any type.
    Null,
    /// An integer column.
    Int(i64),
    /// A text column.
    Text(&'a str),
    /// A column of bytes: `BLOB`, `BYTEA`.
    Blob(&'a [u8]),
}

impl From<i64> for Val<'_> {
    fn from(value: i64) -> Self {
        Val::Int(value)
    }
}

impl From<bool> for Val<'_> {
    fn from(value: bool) -> Self {
        Val::Int(i64::from(value))
    }
}

impl<'a> From<&'a str> for Val<'a> {
    fn from(value: &'a str) -> Self {
        Val::Text(value)
    }
}

impl<'a> From<&'a String> for Val<'a> {
    fn from(value: &'a String) -> Self {
        Val::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Val<'a> {
    fn from(value: &'a [u8]) -> Self {
        Val::Blob(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Val<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Val::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Val<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Val::Blob(value)
    }
}

impl<'a, T: Into<Val<'a>>> From<Option<T>> for Val<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Val::Null, Into::into)
    }
}

/// The same, kept until its statement is sent.
pub(super) enum OwnedVal {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<&Val<'_>> for OwnedVal {
    fn from(value: &Val<'_>) -> OwnedVal {
        match *value {
            Val::Null => OwnedVal::Null,
            Val::Int(value) => OwnedVal::Int(value),
            Val::Text(text) => OwnedVal::Text(text.to_owned()),
            Val::Blob(bytes) => OwnedVal::Blob(bytes.to_owned()),
        }
    }
}

impl OwnedVal {
    pub(super) fn borrow(&self) -> Val<'_> {
        match self {
            OwnedVal::Null => Val::Null,
            OwnedVal::Int(value) => Val::Int(*value),
            OwnedVal::Text(text) => Val::Text(text),
            OwnedVal::Blob(bytes) => Val::Blob(bytes),
        }
    }
}

/// The arguments of a statement, in the order of `$1`, `$2`, …: `args![merchant_id, &invoice_id, amount_minor]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Val::from($value)),*] };
}

/// One row of an answer; columns are counted from 0. Every getter fails, naming the column, when the value is
/// of another kind or is NULL where none is allowed.
pub struct Row<'r>(RowKind<'r>);

enum RowKind<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// Decodes one row in place. A plain function, so that a statement cannot hide side effects in it.
pub type Map<T> = fn(&Row<'_>) -> Result<T>;

impl<'r> Row<'r> {
    pub(super) fn sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Row(RowKind::Sqlite(row))
    }

    pub(super) fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Row(RowKind::Postgres(row))
    }

    /// An integer.
    pub fn i64(&self, column: usize) -> Result<i64> {
        self.opt_i64(column)?.with_context(|| null(column))
    }

    /// An integer or NULL.
    pub fn opt_i64(&self, column: usize) -> Result<Option<i64>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(value)),
            other => bail!("column {column} is {}, not an integer", other.kind()),
        }
    }

    /// A truth: BOOL on PostgreSQL (`EXISTS`, `a = b`), or an integer that is 0 or 1.
    pub fn bool(&self, column: usize) -> Result<bool> {
        match self.cell(column)? {
            Cell::Bool(value) => Ok(value),
            Cell::Int(0) => Ok(false),
            Cell::Int(1) => Ok(true),
            Cell::Int(other) => bail!("column {column} holds {other}, which is neither 0 nor 1"),
            other => bail!("column {column} is {}, not a truth value", other.kind()),
        }
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<String> {
        self.opt_text(column)?.with_context(|| null(column))
    }

    /// A text or NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(value) => Ok(Some(value.to_owned())),
            other => bail!("column {column} is {}, not text", other.kind()),
        }
    }

    /// Bytes of any length.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>> {
        self.opt_blob(column)?.with_context(|| null(column))
    }

    /// Bytes of any length, or NULL.
    pub fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Blob(value) => Ok(Some(value.to_owned())),
            other => bail!("column {column} is {}, not bytes", other.kind()),
        }
    }

    /// Exactly 16 bytes: an id.
    pub fn bytes16(&self, column: usize) -> Result<[u8; 16]> {
        self.opt_bytes(column)?.with_context(|| null(column))
    }

    /// Exactly 16 bytes, or NULL: an optional id.
    pub fn opt_bytes16(&self, column: usize) -> Result<Option<[u8; 16]>> {
        self.opt_bytes(column)
    }

    /// Exactly 32 bytes: a SHA-256.
    pub fn bytes32(&self, column: usize) -> Result<[u8; 32]> {
        self.opt_bytes(column)?.with_context(|| null(column))
    }

    /// Exactly 32 bytes, or NULL.
    pub fn opt_bytes32(&self, column: usize) -> Result<Option<[u8; 32]>> {
        self.opt_bytes(column)
    }

    fn opt_bytes<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Blob(value) => match value.try_into() {
                Ok(bytes) => Ok(Some(bytes)),
                Err(_) => bail!("column {column} holds {} bytes, not {N}", value.len()),
            },
            other => bail!("column {column} is {}, not bytes", other.kind()),
        }
    }

    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.0 {
            RowKind::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(Cell::Null),
                ValueRef::Integer(value) => Ok(Cell::Int(value)),
                ValueRef::Text(value) => Ok(Cell::Text(
                    str::from_utf8(value).with_context(|| format!("column {column} is not UTF-8"))?,
                )),
                ValueRef::Blob(value) => Ok(Cell::Blob(value)),
                ValueRef::Real(_) => {
                    bail!("column {column} is a floating-point number, which nothing may be")
                }
            },
            RowKind::Postgres(row) => {
                row.try_get(column).with_context(|| format!("column {column} cannot be read"))
            }
        }
    }
}

fn null(column: usize) -> String {
    format!("column {column} is NULL")
}

/// What either engine may put into a column.
#[derive(Debug, Clone, Copy)]
enum Cell<'a> {
    Null,
    Int(i64),
    Bool(bool),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl Cell<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "NULL",
            Cell::Int(_) => "an integer",
            Cell::Bool(_) => "a truth value",
            Cell::Text(_) => "text",
            Cell::Blob(_) => "bytes",
        }
    }
}

type Boxed = Box<dyn Error + Sync + Send>;

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(match *ty {
            Type::INT8 => Cell::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Cell::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT2 => Cell::Int(i64::from(i16::from_sql(ty, raw)?)),
            Type::BOOL => Cell::Bool(bool::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Cell::Text(<&str>::from_sql(ty, raw)?),
            Type::BYTEA => Cell::Blob(<&[u8]>::from_sql(ty, raw)?),
            _ => {
                return Err(format!(
                    "its type is {ty}; the store reads BIGINT, TEXT, BYTEA and BOOL only (write CAST(SUM(x) AS BIGINT))"
                )
                .into());
            }
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true // from_sql names the type it refuses, which says more than the driver's own refusal
    }
}

impl ToSql for Val<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match (*self, ty) {
            (Val::Null, _) => Ok(IsNull::Yes),
            (Val::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Val::Int(value), &Type::INT4) => i32::try_from(value)?.to_sql(ty, out),
            (Val::Int(value), &Type::INT2) => i16::try_from(value)?.to_sql(ty, out),
            (Val::Text(value), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)) => {
                value.to_sql(ty, out)
            }
            (Val::Blob(value), &Type::BYTEA) => value.to_sql(ty, out),
            (value, ty) => Err(format!("{} was given where the statement wants {ty}", value.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // to_sql names the value and the type it refuses
    }

    to_sql_checked!();
}

impl rusqlite::ToSql for Val<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Val::Null => ValueRef::Null,
            Val::Int(value) => ValueRef::Integer(value),
            Val::Text(value) => ValueRef::Text(value.as_bytes()),
            Val::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

impl Val<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Val::Null => "NULL",
            Val::Int(_) => "an integer",
            Val::Text(_) => "text",
            Val::Blob(_) => "bytes",
        }
    }
}
