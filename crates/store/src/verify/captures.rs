//! Payments against their capture postings and receipts: invariants 9, 12 and 20.
//!
//! A posting names its payment by printed id, which SQL cannot make from bytes. Printed ids sort as their bytes do,
//! so both sides stream in step: a page of payments, and the captures whose causes lie in the same range. A receipt of which
//! nobody knows whose it is has its posting, and neither a state nor a receipt to give.

use super::{VerifyReport, found};
use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId, PostingId};
use billing::payment::{Method, PaymentState};
use std::collections::HashMap;

const PAGE: i64 = 20_000;

const PAYMENTS: Sql = Sql(
    "SELECT y.id, y.state, COALESCE(y.captured, 0), COALESCE(y.captured_currency, y.currency), y.method, \
     (SELECT count(*) FROM receipts r WHERE r.merchant_id = y.merchant_id AND r.payment_id = y.id) \
     FROM payments y WHERE y.merchant_id = $1 AND y.id > $2 UNION ALL \
     SELECT u.id, 'unmatched', u.amount, u.currency, u.method, 0 FROM unmatched_receipts u \
     WHERE u.merchant_id = $1 AND u.id > $2 AND u.customer_id IS NULL ORDER BY 1 LIMIT $3",
);
/// What each took in is asked posting by posting: joined, an engine may read every entry there is for each page.
const CAPTURES: Sql = Sql("SELECT p.id, p.cause_kind, p.cause_id, p.currency, COALESCE((\
     SELECT CAST(SUM(e.amount) AS BIGINT) FROM entries e WHERE e.merchant_id = p.merchant_id AND e.posting_id = p.id \
     AND e.account IN (1000, 1200) AND e.side = 'debit' \
     AND e.amount BETWEEN -999999999999999 AND 999999999999999), 0) FROM postings p \
     WHERE p.merchant_id = $1 AND p.cause_kind IN ('capture', 'capture_other_currency', 'receipt') \
     AND p.cause_id > $2 AND p.cause_id <= $3");

/// Sorts after every printed id.
const AFTER_ALL: &str = "~";

/// Stands for the state of a receipt that is nobody's payment yet.
const UNMATCHED: &str = "unmatched";

struct Payment {
    id: PaymentId,
    state: String,
    captured_minor: i64,
    currency: String,
    method: String,
    receipts: i64,
}

struct Capture {
    posting_id: PostingId,
    kind: String,
    cause_id: String,
    currency: String,
    minor: i64,
}

#[derive(Default)]
struct Found {
    missing: Vec<String>,
    unexpected: Vec<String>,
    twice: Vec<String>,
    of_nobody: Vec<String>,
    differs: Vec<String>,
    other_way: Vec<String>,
    receipts: Vec<String>,
}

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    let mut all = Found::default();
    for merchant_id in merchants {
        let (mut last_id, mut last_cause) = ([0; 16], String::new());
        loop {
            let page = tx.fetch_all(PAYMENTS, args![merchant_id.0, &last_id, PAGE], payment).await?;
            let upper = page.last().map_or_else(|| AFTER_ALL.to_owned(), |last| last.id.to_string());
            let captures = tx.fetch_all(CAPTURES, args![merchant_id.0, &last_cause, &upper], capture).await?;
            compare(*merchant_id, &page, captures, &mut all);
            let Some(last) = page.last() else { break };
            (last_id, last_cause) = (*last.id.as_bytes(), upper);
        }
    }
    found(report, 9, "a payment that was captured by its state has no capture posting", all.missing);
    found(
        report,
        9,
        "a payment has a capture posting, but its state says it was not captured",
        all.unexpected,
    );
    found(report, 9, "a payment has more than one capture posting", all.twice);
    found(report, 9, "a capture posting names a payment that does not exist", all.of_nobody);
    found(report, 12, "what a payment captured is not what its posting took in", all.differs);
    found(report, 9, "a payment is booked as if it had come another way", all.other_way);
    found(report, 20, "a captured payment has no receipt, or there is one without a capture", all.receipts);
    Ok(())
}

fn compare(merchant_id: MerchantId, payments: &[Payment], captures: Vec<Capture>, all: &mut Found) {
    let mut by_cause: HashMap<String, Vec<Capture>> = HashMap::with_capacity(captures.len());
    for capture in captures {
        by_cause.entry(capture.cause_id.clone()).or_default().push(capture);
    }
    for payment in payments {
        let name = || format!("{} of {merchant_id}, {}", payment.id, payment.state);
        let captures = by_cause.remove(&payment.id.to_string()).unwrap_or_default();
        match (is_captured(&payment.state), &captures[..]) {
            (true, []) => all.missing.push(name()),
            (false, [_, ..]) => all.unexpected.push(name()),
            (true, [_, _, ..]) => all.twice.push(name()),
            (false, []) | (true, [_]) => {}
        }
        if let [capture] = &captures[..]
            && (capture.minor, &capture.currency) != (payment.captured_minor, &payment.currency)
        {
            let Capture { minor, currency, .. } = capture;
            let says = format!("captured {} {}", payment.captured_minor, payment.currency);
            all.differs.push(format!("{} of {merchant_id}, {says}, posted {minor} {currency}", payment.id));
        }
        let received = Method::parse(&payment.method).is_some_and(Method::is_received);
        if captures.iter().any(|capture| (capture.kind == "receipt") != received) {
            all.other_way.push(format!("{}, by {}", name(), payment.method));
        }
        let wanted = i64::from(payment.state != UNMATCHED)
            * i64::from(
                captures.iter().any(|capture| matches!(capture.kind.as_str(), "capture" | "receipt")),
            );
        if payment.receipts != wanted {
            all.receipts.push(format!("{}, receipts {}", name(), payment.receipts));
        }
    }
    for capture in by_cause.into_values().flatten() {
        let Capture { posting_id, cause_id, .. } = capture;
        all.of_nobody.push(format!("{posting_id} of {merchant_id}, of {cause_id}"));
    }
    all.of_nobody.sort();
}

/// True for states that only money which arrived can have.
fn is_captured(state: &str) -> bool {
    use PaymentState::{ChargedBack, Returned, Succeeded};
    state == UNMATCHED || matches!(PaymentState::parse(state), Some(Succeeded | Returned | ChargedBack))
}

fn payment(row: &Row<'_>) -> Result<Payment> {
    Ok(Payment {
        id: PaymentId::from_bytes(row.bytes16(0)?),
        state: row.text(1)?,
        captured_minor: row.i64(2)?,
        currency: row.text(3)?,
        method: row.text(4)?,
        receipts: row.i64(5)?,
    })
}

fn capture(row: &Row<'_>) -> Result<Capture> {
    Ok(Capture {
        posting_id: PostingId::from_bytes(row.bytes16(0)?),
        kind: row.text(1)?,
        cause_id: row.text(2)?,
        currency: row.text(3)?,
        minor: row.i64(4)?,
    })
}
