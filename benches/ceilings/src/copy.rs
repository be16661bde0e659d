//! Copies every row of Paydown's tables from an SQLite file into a PostgreSQL database of the same schema, so that both
//! engines are measured over the same business. `verify` proves the copy afterwards. It decides nothing and knows no table
//! by name but the one that says which migrations were applied.

use crate::postgres::connect;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::SinkExt as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::fmt::Write as _;
use std::pin::pin;

/// Both databases have it by themselves.
const MIGRATIONS: &str = "migration";
/// Sent at once, bytes.
const CHUNK: usize = 256 * 1024;

/// Copies all rows. The target's tables have to be there, and empty.
pub async fn to_postgres(file: &str, url: &str) -> Result<()> {
    let from = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let into = connect(url).await?;
    // Rows refer to each other and were proven where they come from.
    into.batch_execute("SET session_replication_role = replica").await?;
    for table in tables(&from)? {
        copy(&from, &into, &table).await.with_context(|| format!("table {table}"))?;
    }
    into.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

fn tables(from: &Connection) -> Result<Vec<String>> {
    let mut statement = from.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> ?1 ORDER BY name",
    )?;
    let names = statement.query_map([MIGRATIONS], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

async fn copy(from: &Connection, into: &tokio_postgres::Client, table: &str) -> Result<()> {
    let mut statement = from.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = statement.column_names().join(", ");
    let width = statement.column_count();
    let mut rows = statement.query([])?;
    let sink = into.copy_in(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT csv)")).await?;
    let mut sink = pin!(sink);
    let mut text = String::with_capacity(CHUNK + 4_096);
    while let Some(row) = rows.next()? {
        for at in 0..width {
            let end = if at + 1 == width { '\n' } else { ',' };
            field(&mut text, row.get_ref(at)?)?;
            text.push(end);
        }
        if text.len() >= CHUNK {
            sink.send(Bytes::from(std::mem::take(&mut text))).await?;
        }
    }
    sink.send(Bytes::from(text)).await?;
    sink.finish().await?;
    Ok(())
}

/// One value. Nothing at all is NULL, an empty text is in quotation marks.
fn field(text: &mut String, value: ValueRef<'_>) -> Result<()> {
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(number) => write!(text, "{number}")?,
        ValueRef::Text(bytes) => write!(text, "\"{}\"", std::str::from_utf8(bytes)?.replace('"', "\"\""))?,
        ValueRef::Blob(bytes) => write!(text, "\\x{}", HEXLOWER.encode(bytes))?,
        ValueRef::Real(_) => anyhow::bail!("no column holds a float"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart() {
        let mut text = String::new();
        let values = [
            ValueRef::Null,
            ValueRef::Text(b""),
            ValueRef::Text(b"a \"b\", \xc3\xa9"),
            ValueRef::Integer(-7),
            ValueRef::Blob(&[0, 255]),
        ];
        for value in values {
            field(&mut text, value).unwrap();
            text.push('|');
        }
        assert_eq!(text, "|\"\"|\"a \"\"b\"\", \u{e9}\"|-7|\\x00ff|");
        assert!(field(&mut text, ValueRef::Real(0.5)).is_err());
    }
}
