//! A1: SQLite in process. The tables, one payment, and a loop that commits every so many. The same functions write for the
//! server of A2. Never anything but direct calls on one connection.

use crate::{INVOICES_PER_CUSTOMER, Outcome, Pay, ROWS_PER_PAGE, TOTAL_MINOR};
use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::path::Path;
use std::time::{Duration, Instant};

const TABLES: &str = "\
CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, number TEXT NOT NULL, due_on TEXT NOT NULL,
  total INTEGER NOT NULL, open INTEGER NOT NULL CHECK (0 <= open AND open <= total)) STRICT;
CREATE TABLE payment (id INTEGER PRIMARY KEY, invoice INTEGER NOT NULL, amount INTEGER NOT NULL, reference TEXT NOT NULL,
  received_on TEXT NOT NULL) STRICT;
CREATE TABLE allocation (id INTEGER PRIMARY KEY, payment INTEGER NOT NULL, invoice INTEGER NOT NULL, amount INTEGER NOT NULL) STRICT;
CREATE TABLE posting (id INTEGER PRIMARY KEY, payment INTEGER NOT NULL) STRICT;
CREATE TABLE entry (posting INTEGER NOT NULL, line INTEGER NOT NULL, account INTEGER NOT NULL, customer INTEGER,
  amount INTEGER NOT NULL, PRIMARY KEY (posting, line)) STRICT, WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, invoice INTEGER NOT NULL, payment INTEGER NOT NULL) STRICT;
CREATE TABLE idempotency (key BLOB PRIMARY KEY, payment INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/// Whatever a list page shows, so that it reads no table. Each payment would have to keep it: only the lists' file has it.
const COVERING_INDEX: &str =
    "CREATE INDEX invoice_list ON invoice (customer, due_on, id, number, total, open);";

const FILL: &str = "\
WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?1)
INSERT INTO invoice SELECT id, (id - 1) / ?2 + 1, 'INV-' || id, date('2024-01-01', '+' || (id % 700) || ' days'), ?3, ?3 FROM n";

const KNOWN: &str = "\
SELECT payment.id, payment.invoice, payment.amount FROM idempotency JOIN payment ON payment.id = idempotency.payment WHERE key = ?1";
const BALANCE: &str = "UPDATE invoice SET open = open - ?2 WHERE id = ?1 AND open >= ?2 RETURNING customer";
const PAYMENT: &str = "INSERT INTO payment (invoice, amount, reference, received_on) VALUES (?1, ?2, ?3, ?4)";
const ALLOCATION: &str = "INSERT INTO allocation (payment, invoice, amount) VALUES (?1, ?2, ?3)";
const POSTING: &str = "INSERT INTO posting (payment) VALUES (?1)";
const ENTRIES: &str = "INSERT INTO entry VALUES (?1, 1, 1000, NULL, ?2), (?1, 2, 1100, ?3, -?2)";
const EVENT: &str = "INSERT INTO event (kind, invoice, payment) VALUES ('payment.succeeded', ?1, ?2)";
const KEY: &str = "INSERT INTO idempotency VALUES (?1, ?2)";
const LIST: &str = "SELECT id, number, due_on, total, open FROM invoice WHERE customer = ?1 ORDER BY due_on DESC, id DESC LIMIT ?2";

/// One row of a list page.
pub struct Listed {
    /// The invoice's number, from 1.
    pub id: i64,
    /// As people call it.
    pub number: String,
    /// YYYY-MM-DD.
    pub due_on: String,
    /// Minor units.
    pub total_minor: i64,
    /// Minor units.
    pub open_minor: i64,
}

/// Opens a file with every commit flushed, and a cache and a log that suit the work.
pub fn open(file: &Path) -> Result<Connection> {
    let conn = Connection::open(file)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cache_size", -65_536)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 16_000, |_| Ok(()))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Makes the tables with `invoices` invoices; `for_lists` adds what list pages want and payments do not.
pub fn seed(file: &Path, invoices: i64, for_lists: bool) -> Result<()> {
    let mut conn = open(file)?;
    let tx = conn.transaction()?;
    tx.execute_batch(TABLES)?;
    tx.execute(FILL, params![invoices, INVOICES_PER_CUSTOMER, TOTAL_MINOR])?;
    if for_lists {
        tx.execute_batch(COVERING_INDEX)?;
    }
    tx.commit()?;
    conn.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// Takes one payment within the transaction that is open.
pub fn take(conn: &Connection, pay: &Pay) -> Result<Outcome> {
    let known = conn
        .prepare_cached(KNOWN)?
        .query_row([&pay.key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    if let Some((payment, invoice, amount)) = known {
        let same = (invoice, amount) == (pay.invoice, pay.amount_minor);
        return Ok(if same { Outcome::Repeated(payment) } else { Outcome::AnotherBody });
    }
    let customer: Option<i64> = conn
        .prepare_cached(BALANCE)?
        .query_row([pay.invoice, pay.amount_minor], |row| row.get(0))
        .optional()?;
    let Some(customer) = customer else { return Ok(Outcome::TooMuch) };
    let payment = conn.prepare_cached(PAYMENT)?.insert(params![
        pay.invoice,
        pay.amount_minor,
        pay.reference,
        pay.received_on
    ])?;
    conn.prepare_cached(ALLOCATION)?.execute([payment, pay.invoice, pay.amount_minor])?;
    let posting = conn.prepare_cached(POSTING)?.insert([payment])?;
    conn.prepare_cached(ENTRIES)?.execute([posting, pay.amount_minor, customer])?;
    conn.prepare_cached(EVENT)?.execute([pay.invoice, payment])?;
    conn.prepare_cached(KEY)?.execute(params![pay.key, payment])?;
    Ok(Outcome::Taken(payment))
}

/// What is left to pay.
pub fn open_minor(conn: &Connection, invoice: i64) -> Result<i64> {
    Ok(conn.query_row("SELECT open FROM invoice WHERE id = ?1", [invoice], |row| row.get(0))?)
}

/// The first page of a customer's invoices.
pub fn list(conn: &Connection, customer: i64) -> Result<Vec<Listed>> {
    let mut statement = conn.prepare_cached(LIST)?;
    let rows = statement.query_map([customer, ROWS_PER_PAGE], |row| {
        Ok(Listed {
            id: row.get(0)?,
            number: row.get(1)?,
            due_on: row.get(2)?,
            total_minor: row.get(3)?,
            open_minor: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes payments for so long, `per_commit` in each transaction; answers how many a second. Every payment has to be taken.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn run(file: &Path, lasting: Duration, per_commit: usize, mut next: impl FnMut() -> Pay) -> Result<f64> {
    let mut conn = open(file)?;
    let began_at = Instant::now();
    let mut taken = 0_u32;
    while began_at.elapsed() < lasting {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..per_commit {
            let outcome = take(&tx, &next())?;
            anyhow::ensure!(
                matches!(outcome, Outcome::Taken(_)),
                "the ceiling refused a payment: {outcome:?}"
            );
            taken += 1;
        }
        tx.commit()?;
    }
    Ok(f64::from(taken) / began_at.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pay(key: u8, invoice: i64, amount_minor: i64) -> Pay {
        let (reference, received_on) = ("WIRE 1".to_owned(), "2026-11-01".to_owned());
        Pay { key: vec![key], invoice, amount_minor, reference, received_on }
    }

    #[test]
    fn a_payment_leaves_the_rest_and_is_booked_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a1.db");
        seed(&file, 300, false).unwrap();
        let conn = open(&file).unwrap();
        assert_eq!(take(&conn, &pay(1, 7, 250)).unwrap(), Outcome::Taken(1));
        assert_eq!(take(&conn, &pay(1, 7, 250)).unwrap(), Outcome::Repeated(1));
        assert_eq!(take(&conn, &pay(1, 7, 251)).unwrap(), Outcome::AnotherBody);
        assert_eq!(take(&conn, &pay(2, 7, TOTAL_MINOR - 249)).unwrap(), Outcome::TooMuch);
        assert_eq!(take(&conn, &pay(3, 301, 1)).unwrap(), Outcome::TooMuch);
        assert_eq!(open_minor(&conn, 7).unwrap(), TOTAL_MINOR - 250);
        assert_eq!(take(&conn, &pay(4, 7, TOTAL_MINOR - 250)).unwrap(), Outcome::Taken(2));
        assert_eq!(open_minor(&conn, 7).unwrap(), 0);
        let sums: (i64, i64, i64) = conn
            .query_row("SELECT count(*), sum(amount), (SELECT count(*) FROM event) FROM entry", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(sums, (4, 0, 2));
    }

    #[test]
    fn a_page_has_its_rows_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a2.db");
        seed(&file, 300, true).unwrap();
        let rows = list(&open(&file).unwrap(), 2).unwrap();
        assert_eq!(rows.len(), 25);
        assert!(rows.iter().all(|row| (101..=200).contains(&row.id) && row.open_minor == TOTAL_MINOR));
        assert!(rows.is_sorted_by(|one, next| one.due_on >= next.due_on));
        assert_eq!(rows[0].number, format!("INV-{}", rows[0].id));
    }
}
