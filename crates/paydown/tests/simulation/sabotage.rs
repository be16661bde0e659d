//! The proof that the simulation can fail: the same runs with a program that has a defect, each of which must be noticed within a
//! few seeds.
//!
//! No defect stands in the program. It is made around it, where its effect is that of the defect: on the network, which changes
//! what the program sends and is answered, or in its database, where a trigger undoes or repeats what the program wrote.

use crate::run::run_with;
use axum::http::{HeaderValue, Method};
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every defect is noticed within so many seeds: most at once, one that takes a refund which fails late, and a payer who is refunded, later.
const SEEDS: u64 = 100;

/// A defect of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A call that is made again has a new key, so it is done again.
    FreshKeys,
    /// A refund is sent twice.
    RefundsTwice,
    /// A bank debit that is under way is believed to be paid.
    BooksAtProcessing,
    /// That money was captured never arrives: the second transaction of a payment does not take place.
    DropsCaptures,
    /// A hold is not released when its payment ends.
    KeepsHolds,
    /// What the processor keeps is booked again when its event comes again.
    BooksTwice,
    /// Who asked and was not answered is never looked after.
    ForgetsJobs,
    /// A refund that came back late stays paid in the books.
    MissesLateFailures,
}

/// Every defect.
pub const ALL: [Sabotage; 8] = [
    Sabotage::FreshKeys,
    Sabotage::RefundsTwice,
    Sabotage::BooksAtProcessing,
    Sabotage::DropsCaptures,
    Sabotage::KeepsHolds,
    Sabotage::BooksTwice,
    Sabotage::ForgetsJobs,
    Sabotage::MissesLateFailures,
];

impl Sabotage {
    /// The triggers that make the defect.
    pub const fn triggers(self) -> &'static [&'static str] {
        match self {
            Sabotage::KeepsHolds => &["CREATE TRIGGER sabotage AFTER UPDATE OF state ON reservations
                WHEN NEW.state = 'released' BEGIN
                  UPDATE reservations SET state = 'live', ended_at = NULL WHERE rowid = NEW.rowid;
                END"],
            Sabotage::BooksTwice => &[
                "CREATE TRIGGER sabotage AFTER INSERT ON postings WHEN NEW.cause_kind = 'processing_fee' BEGIN
                  INSERT INTO postings (merchant_id, id, cause_kind, cause_id, currency, reverses, at)
                    VALUES (NEW.merchant_id, randomblob(16), NEW.cause_kind, NEW.cause_id || ' again', NEW.currency, NULL,
                      NEW.at);
                END",
                "CREATE TRIGGER sabotage_entries AFTER INSERT ON entries BEGIN
                  INSERT INTO entries (merchant_id, posting_id, line, account, side, amount, customer_id, subject)
                    SELECT NEW.merchant_id, twin.id, NEW.line, NEW.account, NEW.side, NEW.amount, NEW.customer_id, NEW.subject
                    FROM postings first JOIN postings twin ON twin.merchant_id = first.merchant_id
                      AND twin.cause_kind = first.cause_kind AND twin.cause_id = first.cause_id || ' again'
                    WHERE first.merchant_id = NEW.merchant_id AND first.id = NEW.posting_id;
                END",
            ],
            Sabotage::ForgetsJobs => &["CREATE TRIGGER sabotage AFTER INSERT ON jobs
                WHEN NEW.kind = 'reconcile_payment' BEGIN
                  DELETE FROM jobs WHERE rowid = NEW.rowid;
                END"],
            _ => &[],
        }
    }

    /// What becomes of the key of a call.
    pub fn key(self, key: &HeaderValue) -> Option<HeaderValue> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let key = key.to_str().ok()?;
        (self == Sabotage::FreshKeys).then(|| format!("{key}-{number}").parse().expect("a key"))
    }

    /// True if a call is made twice.
    pub fn doubles(self, method: &Method, path: &str) -> bool {
        self == Sabotage::RefundsTwice && method == Method::POST && path == "/v1/refunds"
    }

    /// What the program reads instead of an answer.
    pub fn read_as(self, path: &str, answer: Bytes) -> Bytes {
        let swap = |from: &str, to: &str| Bytes::from(String::from_utf8_lossy(&answer).replace(from, to));
        match self {
            Sabotage::BooksAtProcessing if is_about_payment(path) => as_if_paid(&answer).unwrap_or(answer),
            Sabotage::DropsCaptures if is_about_payment(path) => {
                swap(r#""status":"succeeded""#, r#""status":"processing""#)
            }
            Sabotage::MissesLateFailures if path.starts_with("/v1/refunds") => {
                swap(r#""status":"failed""#, r#""status":"succeeded""#)
            }
            _ => answer,
        }
    }
}

fn is_about_payment(path: &str) -> bool {
    ["/v1/payment_intents/", "/v1/checkout/sessions/"].iter().any(|route| path.starts_with(route))
}

/// A debit that is under way, alone or on its page, as if it had been paid.
fn as_if_paid(answer: &Bytes) -> Option<Bytes> {
    let mut whole: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let intent = match whole["object"] == "payment_intent" {
        true => &mut whole,
        false => whole.get_mut("payment_intent")?,
    };
    if intent["status"] != "processing" {
        return None;
    }
    intent["status"] = "succeeded".into();
    intent["amount_received"] = intent["amount"].clone();
    Some(Bytes::from(whole.to_string()))
}

#[test]
fn every_defect_is_noticed() {
    let mut unnoticed = Vec::new();
    for sabotage in ALL {
        let noticed =
            (1..=SEEDS).find_map(|seed| Some((seed, run_with(seed, Some(sabotage)).outcome.err()?)));
        match noticed {
            Some((seed, why)) => {
                let why: String = why.chars().take(200).collect();
                println!("{sabotage:?} is noticed by seed {seed}: {why}");
            }
            None => unnoticed.push(sabotage),
        }
    }
    assert!(unnoticed.is_empty(), "not noticed within {SEEDS} seeds: {unnoticed:?}");
}
