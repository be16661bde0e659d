//! Somebody who can write the whole database changes it at random, past every guard: each change is noticed, and the invariant
//! that it breaks is named. Chains that are cut or written anew are noticed against heads that were kept elsewhere.
//!
//! What no statement of the books can show is left out, and only that: a step in the middle of a history that is replaced by
//! another one which the table allows there, the words of a reason, the time of an allocation.
//!
//! A failure prints its seed; `PAYDOWN_TAMPER_SEED` begins with it, `PAYDOWN_TAMPERS` says how many.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::books::{self, M};
use crate::tamper::loosen;
use billing::payment::PaymentState;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::fmt::Write as _;
use store::both_engines;
use store::db::{DatabaseUrl, Engine, Store, Tx};
use store::seals::{self, Chain, Head};
use store::testing::TestDatabase;
use store::verify::{Options, verify};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// What one change does to a value.
#[derive(Clone, Copy)]
enum How {
    /// A little or much more or less, its negative, or nothing.
    Amount,
    /// The value of another row of the table.
    Other,
    /// The value of a row of another table and column.
    From(&'static str, &'static str),
    /// Nothing at all.
    Null,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The same with a letter more.
    Longer,
    /// So much more.
    Plus(i64),
}

/// What may be changed: table, column, how, in which rows, and which invariants name it.
struct Target(&'static str, &'static str, How, &'static str, &'static [u8]);

const ALL: &str = "1 = 1";
const LIVE: &str = "state = 'live'";
const STATES: &[&str] = &[
    "created",
    "submitting",
    "requires_action",
    "processing",
    "unknown",
    "succeeded",
    "failed",
    "canceled",
    "returned",
    "charged_back",
];
const KINDS: &[&str] = &["capture", "receipt", "payment_returned", "invoice_issued", "processing_fee"];

const TARGETS: &[Target] = &[
    Target("entries", "amount", How::Amount, ALL, &[1]),
    Target("entries", "amount", How::Other, ALL, &[1, 4]),
    Target("entries", "account", How::Other, ALL, &[4]),
    Target("entries", "side", How::Word(&["debit", "credit"]), ALL, &[1]),
    Target("entries", "customer_id", How::Null, ALL, &[4]),
    Target("entries", "subject", How::Other, ALL, &[4]),
    Target("entries", "subject", How::Null, ALL, &[4]),
    Target("entries", "posting_id", How::Other, ALL, &[1, 4]),
    Target("entries", "line", How::Plus(10), ALL, &[4]),
    Target("postings", "cause_kind", How::Word(KINDS), ALL, &[4]),
    Target("postings", "cause_id", How::Other, ALL, &[4]),
    Target("postings", "cause_id", How::Longer, ALL, &[4]),
    Target("postings", "currency", How::Word(&["EUR", "JPY", "USD"]), ALL, &[4]),
    Target("postings", "at", How::Plus(-1), ALL, &[4]),
    Target("postings", "reverses", How::From("postings", "id"), ALL, &[4, 5]),
    Target("postings", "reverses", How::Null, ALL, &[4]),
    Target("postings", "id", How::From("contacts", "id"), ALL, &[1, 4]),
    Target("seals", "hash", How::Other, ALL, &[4]),
    Target("seals", "previous_hash", How::Other, ALL, &[4]),
    Target("seals", "number", How::Plus(1_000), ALL, &[4]),
    Target("seals", "subject", How::From("payments", "id"), ALL, &[4]),
    Target("audit", "actor", How::Longer, ALL, &[4]),
    Target("audit", "act", How::Other, ALL, &[4]),
    Target("audit", "object", How::Other, ALL, &[4]),
    Target("audit", "after", How::Longer, ALL, &[4]),
    Target("audit", "before", How::Longer, ALL, &[4]),
    Target("audit", "at", How::Plus(1), ALL, &[4]),
    Target("allocations", "amount", How::Amount, ALL, &[3, 12]),
    Target("allocations", "invoice_id", How::Other, ALL, &[3, 12]),
    Target("allocations", "payment_id", How::Other, ALL, &[12]),
    Target("allocations", "posting_id", How::Other, ALL, &[12]),
    Target("allocations", "grant_id", How::From("grants", "id"), ALL, &[12]),
    Target("allocations", "grant_id", How::Null, ALL, &[12]),
    Target("payments", "state", How::Word(STATES), ALL, &[17]),
    Target("payments", "captured", How::Amount, "captured IS NOT NULL", &[12]),
    Target("payments", "captured_currency", How::Word(&["EUR", "USD", "JPY"]), "captured IS NOT NULL", &[12]),
    Target("payments", "returned_at", How::Null, ALL, &[9]),
    Target("payment_states", "state", How::Word(STATES), ALL, &[17]),
    Target("payment_states", "number", How::Plus(1), ALL, &[17]),
    Target("payment_states", "payment_id", How::Other, ALL, &[17]),
    Target("payment_states", "at", How::Plus(-1_000_000_000), "number > 1", &[17]),
    Target("invoices", "open", How::Amount, ALL, &[6]),
    Target("invoices", "pending", How::Amount, ALL, &[6, 7]),
    Target("invoices", "paid", How::Amount, ALL, &[3]),
    Target("invoices", "total", How::Amount, "lifecycle <> 'draft'", &[6]),
    Target("invoices", "lifecycle", How::Word(&["open", "void", "draft"]), ALL, &[6, 23, 24]),
    Target("grants", "remaining", How::Amount, ALL, &[3, 16]),
    Target("grants", "amount", How::Amount, ALL, &[12, 16]),
    Target("reservations", "amount", How::Amount, LIVE, &[6, 8]),
    Target("reservations", "invoice_id", How::Other, LIVE, &[6]),
    Target("reservations", "state", How::Word(&["consumed", "released"]), LIVE, &[8]),
    Target("reservations", "state", How::Word(&["live"]), ALL, &[8]),
    Target("receipts", "amount", How::Amount, ALL, &[20]),
    Target("receipts", "surcharge", How::Amount, ALL, &[20]),
    Target("receipts", "credit", How::Amount, ALL, &[20]),
    Target("receipts", "payment_id", How::Other, ALL, &[20]),
    Target("receipt_lines", "applied", How::Amount, ALL, &[20]),
    Target("receipt_lines", "open_before", How::Amount, ALL, &[20]),
    Target("receipt_lines", "open_after", How::Amount, ALL, &[20]),
];

/// Tables from which rows are taken and into which rows are put again, with the invariants that name it.
const ROWS: &[(&str, &str, &[u8])] = &[
    ("entries", ALL, &[1, 4]),
    ("postings", ALL, &[1, 4]),
    ("audit", ALL, &[4]),
    ("allocations", ALL, &[3, 12]),
    ("payment_states", ALL, &[17]),
    ("receipts", ALL, &[20]),
    ("receipt_lines", ALL, &[20]),
];

/// Tables of which a copy is kept, so that each change begins with right books.
const KEPT: &[&str] = &[
    "entries",
    "postings",
    "seals",
    "audit",
    "allocations",
    "payments",
    "payment_states",
    "invoices",
    "grants",
    "reservations",
    "receipts",
    "receipt_lines",
    "events",
];
/// Of these, the ones whose keys are taken away.
const LOOSE: &[&str] =
    &["entries", "postings", "audit", "allocations", "payment_states", "receipts", "receipt_lines"];

/// A connection of its own, which no trigger, check or reference stops.
enum Door {
    Sqlite(rusqlite::Connection),
    Postgres(Client, JoinHandle<Result<(), tokio_postgres::Error>>),
}

impl Door {
    async fn open(db: &TestDatabase) -> Door {
        for table in LOOSE {
            loosen(db, table).await; // it drops triggers and checks as well
        }
        let door = match db.url() {
            DatabaseUrl::Sqlite(path) => {
                let conn = rusqlite::Connection::open(path).unwrap();
                conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF")
                    .unwrap();
                Door::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                client.batch_execute("SET session_replication_role = replica").await.unwrap();
                Door::Postgres(client, connection)
            }
        };
        for table in KEPT {
            door.run(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        door
    }

    async fn run(&self, sql: &str) {
        match self {
            Door::Sqlite(conn) => conn.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}")),
            Door::Postgres(client, _) => {
                client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            }
        }
    }

    /// The rows of a statement that answers texts only.
    async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Door::Sqlite(conn) => {
                let mut statement = conn.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
                statement.query_map([], read).unwrap().map(Result::unwrap).collect()
            }
            Door::Postgres(client, _) => {
                let answer =
                    client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                let text = |row: &tokio_postgres::SimpleQueryRow| {
                    (0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect()
                };
                answer
                    .iter()
                    .filter_map(|message| match message {
                        SimpleQueryMessage::Row(row) => Some(text(row)),
                        _ => None,
                    })
                    .collect()
            }
        }
    }

    async fn number(&self, sql: &str) -> u32 {
        self.rows(&format!("SELECT CAST(({sql}) AS TEXT)")).await[0][0].parse().unwrap()
    }

    /// Makes the books right again.
    async fn restore(&self) {
        let mut sql = String::from("BEGIN; ");
        for table in KEPT {
            write!(sql, "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; ").unwrap();
        }
        sql.push_str("COMMIT");
        self.run(&sql).await;
    }

    /// True if the table has other rows than at first.
    async fn is_changed(&self, table: &str) -> bool {
        let (now, kept) = (table.to_owned(), format!("kept_{table}"));
        let missing = |from: &str, to: &str| {
            format!("SELECT count(*) FROM (SELECT * FROM {from} EXCEPT SELECT * FROM {to}) AS missing")
        };
        self.number(&missing(&now, &kept)).await > 0
            || self.number(&missing(&kept, &now)).await > 0
            || self.number(&format!("SELECT count(*) FROM {now}")).await
                != self.number(&format!("SELECT count(*) FROM {kept}")).await
    }

    /// Picks a row of those that fit, by its place in the table.
    async fn pick(&self, table: &str, fits: &str, rng: &mut StdRng) -> Option<String> {
        let count = self.number(&format!("SELECT count(*) FROM {table} WHERE {fits}")).await;
        // The same row for the same seed, wherever the engine has put it.
        let (place, order) = match self {
            Door::Sqlite(_) => ("rowid", "rowid".to_owned()),
            Door::Postgres(..) => ("ctid", format!("CAST({table} AS TEXT)")),
        };
        let nth = rng.random_range(0..count.max(1));
        (count > 0).then(|| {
            format!(
                "{place} = (SELECT {place} FROM {table} WHERE {fits} ORDER BY {order} LIMIT 1 OFFSET {nth})"
            )
        })
    }

    async fn close(self) {
        match self {
            Door::Sqlite(conn) => conn.close().unwrap(),
            Door::Postgres(client, connection) => {
                drop(client);
                connection.await.unwrap().unwrap();
            }
        }
    }
}

/// One change: what is run, on which table, and which invariants have to name it.
struct Change {
    sql: String,
    table: &'static str,
    invariants: &'static [u8],
}

/// Makes up a change; `None` where it would change nothing.
async fn make_up(door: &Door, rng: &mut StdRng) -> Option<Change> {
    let (table, sql, invariants) = match rng.random_range(0..100) {
        0..8 => {
            let (table, fits, invariants) = ROWS[rng.random_range(0..ROWS.len())];
            let row = door.pick(table, fits, rng).await?;
            (table, format!("DELETE FROM {table} WHERE {row}"), invariants)
        }
        8..14 => {
            let (table, fits, invariants) = ROWS[rng.random_range(0..ROWS.len())];
            let row = door.pick(table, fits, rng).await?;
            (table, format!("INSERT INTO {table} SELECT * FROM {table} WHERE {row}"), invariants)
        }
        14..18 => {
            // The last seal of a chain may be missing: then its row is only not sealed yet.
            let fits =
                "EXISTS (SELECT 1 FROM kept_seals k WHERE k.chain = seals.chain AND k.number > seals.number)";
            let row = door.pick("seals", fits, rng).await?;
            ("seals", format!("DELETE FROM seals WHERE {row}"), &[4][..])
        }
        18..26 => {
            let swapped = [
                ("entries", "amount"),
                ("entries", "posting_id"),
                ("postings", "cause_id"),
                ("audit", "object"),
            ];
            let (table, column) = swapped[rng.random_range(0..swapped.len())];
            let (one, two) = (door.pick(table, ALL, rng).await?, door.pick(table, ALL, rng).await?);
            let kept = |row: &str| {
                let row = row.replace(&format!("FROM {table} "), &format!("FROM kept_{table} "));
                row.replace(&format!("CAST({table} "), &format!("CAST(kept_{table} "))
            };
            let sql = format!(
                "UPDATE {table} SET {column} = (SELECT {column} FROM kept_{table} WHERE {two_kept}) WHERE {one}; \
                 UPDATE {table} SET {column} = (SELECT {column} FROM kept_{table} WHERE {one_kept}) WHERE {two}",
                one_kept = kept(&one),
                two_kept = kept(&two),
            );
            // Where the change moves the first row, the second may be another one: a change all the same.
            (table, sql, &[4][..])
        }
        _ => {
            let Target(table, column, how, fits, invariants) = &TARGETS[rng.random_range(0..TARGETS.len())];
            let row = door.pick(table, fits, rng).await?;
            let value = value(door, (table, column), *how, rng).await?;
            (*table, format!("UPDATE {table} SET {column} = {value} WHERE {row}"), *invariants)
        }
    };
    door.run(&sql).await;
    let counts = door.is_changed(table).await && !is_another_history(door, table).await;
    if !counts {
        door.restore().await;
    }
    counts.then_some(Change { sql, table, invariants })
}

async fn value(door: &Door, (table, column): (&str, &str), how: How, rng: &mut StdRng) -> Option<String> {
    let from = async |table: &str, column: &str, rng: &mut StdRng| {
        let count = door.number(&format!("SELECT count(*) FROM {table}")).await;
        let nth = rng.random_range(0..count.max(1));
        Some(format!("(SELECT {column} FROM {table} ORDER BY {column} LIMIT 1 OFFSET {nth})"))
    };
    match how {
        How::Amount => Some(match rng.random_range(0..6) {
            0 => format!("{column} + 1"),
            1 => format!("{column} - 1"),
            2 => format!("{column} + {}", rng.random_range(2..100_000)),
            3 => format!("-{column}"),
            4 => "0".to_owned(),
            _ => "1000000000000000".to_owned(),
        }),
        How::Other => from(&format!("kept_{table}"), column, rng).await,
        How::From(table, column) => from(table, column, rng).await,
        How::Null => Some("NULL".to_owned()),
        How::Word(words) => Some(format!("'{}'", words[rng.random_range(0..words.len())])),
        How::Longer => Some(format!("{column} || 'x'")),
        How::Plus(more) => Some(format!("{column} + {more}")),
    }
}

/// True if histories were changed into others that the table allows: nothing in the books can tell them from true ones.
async fn is_another_history(door: &Door, table: &str) -> bool {
    if table != "payment_states" {
        return false;
    }
    let steps = "SELECT s.state, CAST(s.number AS TEXT), y.state, CAST(s.at AS TEXT) FROM payment_states s \
                 JOIN payments y ON y.id = s.payment_id ORDER BY s.payment_id, s.number";
    let parse = |word: &str| PaymentState::parse(word).unwrap();
    let (mut before, mut count) = (None::<(PaymentState, i64, String, i64)>, 0);
    for row in door.rows(steps).await {
        let (state, number, at) =
            (parse(&row[0]), row[1].parse::<i64>().unwrap(), row[3].parse::<i64>().unwrap());
        let is_next = match &before {
            None => number == 1,
            Some((ended, _, end, _)) if number == 1 => ended.as_str() == end,
            Some((state_before, last, _, at_before)) => {
                number == last + 1 && state_before.may_become(state) && at >= *at_before
            }
        };
        let begins_well = number != 1 || matches!(state, PaymentState::Created | PaymentState::Submitting);
        if !is_next || !begins_well {
            return false;
        }
        before = Some((state, number, row[2].clone(), at));
        count += 1;
    }
    let ends_well = before.is_some_and(|(state, _, end, _)| state.as_str() == end);
    ends_well && count == door.number("SELECT count(*) FROM kept_payment_states").await
}

async fn heads(store: &Store) -> Vec<Head> {
    let read = async |tx: &mut Tx| {
        let mut heads = Vec::new();
        for chain in Chain::ALL {
            heads.extend(seals::head(tx, M, chain).await?);
        }
        Ok(heads)
    };
    store.read(read).await.unwrap()
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

both_engines!(random_changes_are_noticed, async |db: TestDatabase| {
    let store = books::open(&db).await;
    let usual = if store.engine() == Engine::Sqlite { 1_000 } else { 100 };
    let (wanted, first) = (setting("PAYDOWN_TAMPERS", usual), setting("PAYDOWN_TAMPER_SEED", 1));
    let door = Door::open(&db).await;
    let whole = verify(&store, &Options::default()).await.unwrap();
    assert!(whole.is_clean(), "{whole:#?}");
    let (mut seed, mut counted) = (first, 0);
    while counted < wanted {
        let mut rng = StdRng::seed_from_u64(seed);
        if let Some(Change { sql, table, invariants }) = make_up(&door, &mut rng).await {
            let report = verify(&store, &Options::default()).await.unwrap();
            let named = report.broken();
            assert!(
                invariants.iter().any(|invariant| named.contains(invariant)),
                "seed {seed}: {sql}\nchanged {table} and should break one of {invariants:?}, but {named:?} were named: {:#?}",
                report.findings
            );
            door.restore().await;
            counted += 1;
        }
        seed += 1;
    }
    let whole = verify(&store, &Options::default()).await.unwrap();
    assert!(whole.is_clean(), "the last restore leaves right books: {whole:#?}");
    door.close().await;
    store.close().await.unwrap();
});

both_engines!(chains_cut_or_written_anew_are_noticed_against_their_heads, async |db: TestDatabase| {
    let store = books::open(&db).await;
    let anchored = Options { anchors: heads(&store).await };
    assert_eq!(anchored.anchors.len(), 2);
    let door = Door::open(&db).await;
    let first = setting("PAYDOWN_TAMPER_SEED", 1);
    for seed in first..first + 40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let chain = Chain::ALL[rng.random_range(0..Chain::ALL.len())].as_str();
        let length = door.number(&format!("SELECT count(*) FROM seals WHERE chain = '{chain}'")).await;
        let kept = rng.random_range(0..length);
        let cut = format!("DELETE FROM seals WHERE chain = '{chain}' AND number > {kept}");
        // Half of them also change something that the rest of the books does not show, and seal everything again.
        let again = rng.random_range(0..2) == 1;
        let quiet = match chain {
            "audit" => "UPDATE audit SET actor = 'cli:nobody'",
            _ => "UPDATE postings SET at = at + 1",
        };
        let sql =
            if again { format!("{cut}; {quiet}; DELETE FROM seals WHERE chain = '{chain}'") } else { cut };
        door.run(&sql).await;
        if again {
            books::seal(&store).await;
            let report = verify(&store, &Options::default()).await.unwrap();
            assert!(report.is_clean(), "seed {seed}: {sql}\nit is a chain like any other: {report:#?}");
        }
        let report = verify(&store, &anchored).await.unwrap();
        let named =
            report.findings.iter().any(|one| one.invariant == 4 && one.what.contains("whose head was kept"));
        assert!(named, "seed {seed}: {sql}\n{report:#?}");
        door.restore().await;
    }
    assert!(verify(&store, &anchored).await.unwrap().is_clean());
    door.close().await;
    store.close().await.unwrap();
});
