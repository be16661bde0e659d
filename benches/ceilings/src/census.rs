//! Counts what a database of Paydown's holds, behind the program's back: what was recorded is not to be told by the code that
//! recorded it. It only reads.

use crate::postgres::connect;
use anyhow::Result;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;

/// Payments and what they brought, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Rows of `payments`.
    pub payments: i64,
    /// The sum of `allocations`.
    pub allocated_minor: i64,
}

/// The events of processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inbox {
    /// How many are stored.
    pub events: u64,
    /// How many of them were applied.
    pub applied: u64,
}

/// One invoice and the payments on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnInvoice {
    /// Payments that brought something.
    pub payments: i64,
    /// What they brought.
    pub allocated_minor: i64,
    /// What the invoice says was paid.
    pub paid_minor: i64,
    /// What the invoice says is open.
    pub open_minor: i64,
}

const RECORDED: &str = "SELECT CAST((SELECT count(*) FROM payments) AS BIGINT), CAST((SELECT COALESCE(sum(amount), 0) FROM allocations) AS BIGINT)";
const INBOX: &str = "SELECT CAST(count(*) AS BIGINT), CAST(COALESCE(sum(CASE state WHEN 'applied' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM inbox";
const ON_INVOICES: &str = "\
SELECT i.number, CAST(count(DISTINCT a.payment_id) AS BIGINT), CAST(COALESCE(sum(a.amount), 0) AS BIGINT), i.paid, i.open
FROM invoices i LEFT JOIN allocations a ON a.merchant_id = i.merchant_id AND a.invoice_id = i.id
WHERE i.number LIKE $1 || '%' GROUP BY i.number, i.paid, i.open";

/// Where a database is: a file, or `postgres://…`.
fn is_postgres(database: &str) -> bool {
    database.starts_with("postgres")
}

fn sqlite(file: &str) -> Result<Connection> {
    Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Everything that was recorded so far.
pub async fn recorded(database: &str) -> Result<Recorded> {
    let (payments, allocated_minor) = if is_postgres(database) {
        let row = connect(database).await?.query_one(RECORDED, &[]).await?;
        (row.get(0), row.get(1))
    } else {
        sqlite(database)?.query_row(RECORDED, [], |row| Ok((row.get(0)?, row.get(1)?)))?
    };
    Ok(Recorded { payments, allocated_minor })
}

/// The events that came in so far.
pub async fn inbox(database: &str) -> Result<Inbox> {
    let (events, applied): (i64, i64) = if is_postgres(database) {
        let row = connect(database).await?.query_one(INBOX, &[]).await?;
        (row.get(0), row.get(1))
    } else {
        sqlite(database)?.query_row(INBOX, [], |row| Ok((row.get(0)?, row.get(1)?)))?
    };
    Ok(Inbox { events: u64::try_from(events)?, applied: u64::try_from(applied)? })
}

/// The invoices whose number begins so, by number.
pub async fn on_invoices(database: &str, prefix: &str) -> Result<BTreeMap<String, OnInvoice>> {
    if is_postgres(database) {
        let rows = connect(database).await?.query(ON_INVOICES, &[&prefix]).await?;
        let row = |row: &tokio_postgres::Row| {
            let [payments, allocated_minor, paid_minor, open_minor] = [1, 2, 3, 4].map(|at| row.get(at));
            (row.get(0), OnInvoice { payments, allocated_minor, paid_minor, open_minor })
        };
        return Ok(rows.iter().map(row).collect());
    }
    let conn = sqlite(database)?;
    let mut statement = conn.prepare(ON_INVOICES)?;
    let rows = statement.query_map([prefix], |row| {
        let [payments, allocated_minor, paid_minor, open_minor] =
            [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get(0)?, OnInvoice { payments, allocated_minor, paid_minor, open_minor }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The number and the 16 bytes of the id of each invoice whose number begins so, in the order they were made.
pub fn invoice_ids(file: &str, prefix: &str) -> Result<Vec<(String, [u8; 16])>> {
    let conn = sqlite(file)?;
    let mut statement =
        conn.prepare("SELECT number, id FROM invoices WHERE number LIKE $1 || '%' ORDER BY id")?;
    let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
