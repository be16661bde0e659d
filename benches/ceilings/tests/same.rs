//! The ceilings do the same work: one row of payments, taken by each of them, has the same outcomes and leaves the same
//! balances. On PostgreSQL in a database of its own.

use ceilings::postgres::Taker;
use ceilings::{Outcome, Pay, TOTAL_MINOR, databases, postgres, sqlite};

const INVOICES: i64 = 5;

fn pay(key: u8, invoice: i64, amount_minor: i64) -> Pay {
    let (reference, received_on) = ("WIRE 1".to_owned(), "2026-11-01".to_owned());
    Pay { key: vec![key], invoice, amount_minor, reference, received_on }
}

/// Fresh, repeated, with another body, in parts to the end, too much, on no invoice.
fn row() -> Vec<Pay> {
    vec![
        pay(1, 1, 100),
        pay(1, 1, 100),
        pay(1, 1, 101),
        pay(1, 2, 100),
        pay(2, 3, TOTAL_MINOR - 1),
        pay(3, 3, 2),
        pay(4, 3, 1),
        pay(5, 3, 1),
        pay(3, 4, 2),
        pay(6, INVOICES + 1, 1),
    ]
}

/// What a number of its own is called in each ceiling does not matter.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Taken(_) => "taken",
        Outcome::Repeated(_) => "repeated",
        Outcome::AnotherBody => "another body",
        Outcome::TooMuch => "too much",
    }
}

const EXPECTED: [&str; 10] = [
    "taken",
    "repeated",
    "another body",
    "another body",
    "taken",
    "too much",
    "taken",
    "too much",
    "taken",
    "too much",
];

fn left() -> Vec<i64> {
    vec![TOTAL_MINOR - 100, TOTAL_MINOR, 0, TOTAL_MINOR - 2, TOTAL_MINOR]
}

#[test]
fn sqlite_takes_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a1.db");
    sqlite::seed(&file, INVOICES, false).unwrap();
    let conn = sqlite::open(&file).unwrap();
    let outcomes: Vec<&str> = row().iter().map(|pay| word(sqlite::take(&conn, pay).unwrap())).collect();
    assert_eq!(outcomes, EXPECTED);
    let open: Vec<i64> = (1..=INVOICES).map(|invoice| sqlite::open_minor(&conn, invoice).unwrap()).collect();
    assert_eq!(open, left());
}

#[tokio::test]
async fn postgres_takes_the_row() {
    let server = std::env::var("PAYDOWN_TEST_POSTGRES").expect("tests are run by `cargo xtask test`");
    let name = format!("ceilings_{}", std::process::id());
    databases::remove(&server, &name).await.unwrap();
    let database = databases::create(&server, &name, None).await.unwrap();
    assert!(databases::exists(&server, &name).await.unwrap());
    postgres::seed(&database, INVOICES).await.unwrap();
    let taker = Taker::connect(&database).await.unwrap();
    let mut outcomes = Vec::new();
    for pay in row() {
        outcomes.push(word(taker.take(&pay).await.unwrap()));
    }
    let mut open = Vec::new();
    for invoice in 1..=INVOICES {
        open.push(postgres::open_minor(&database, invoice).await.unwrap());
    }
    drop(taker);
    databases::remove(&server, &name).await.unwrap();
    assert_eq!(outcomes, EXPECTED);
    assert_eq!(open, left());
    assert!(!databases::exists(&server, &name).await.unwrap());
}
