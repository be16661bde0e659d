//! Where the money of payments is, and what a bank took back of it: invariants 9 and 12. What came in with a payment stands in
//! places (set against invoices, on grants of its own, on 2150, as surcharge kept), or was taken out of it again.
//!
//! A page of payments is held against the sums of its range of ids. The postings of returns name their payment by printed id,
//! which SQL cannot make from bytes; printed ids sort as their bytes do, so they stream in step.

use super::{VerifyReport, found};
use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId, PostingId};
use billing::payment::{Method, PaymentState};
use std::collections::HashMap;

const PAGE: i64 = 20_000;
/// Sorts after every printed id.
const AFTER_ALL: &str = "~";

const PAYMENTS: Sql = Sql(
    "SELECT id, state, COALESCE(captured, 0), CASE WHEN returned_at IS NULL THEN 0 ELSE 1 END, method FROM payments \
     WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
/// What each return took from where the money had come in, and what of it the customer owes now.
const RETURNS: Sql = Sql("SELECT p.id, p.cause_id, CAST(COALESCE(SUM(\
     CASE WHEN e.account IN (1000, 1200) AND e.side = 'credit' THEN e.amount ELSE 0 END), 0) AS BIGINT), \
     CAST(COALESCE(SUM(CASE WHEN e.account = 1150 AND e.side = 'debit' THEN e.amount ELSE 0 END), 0) AS BIGINT), \
     CAST(COALESCE(SUM(CASE WHEN e.account = 1000 AND e.side = 'credit' THEN e.amount ELSE 0 END), 0) AS BIGINT) \
     FROM postings p LEFT JOIN entries e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id \
     AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
     WHERE p.merchant_id = $1 AND p.cause_kind = 'payment_returned' AND p.cause_id > $2 AND p.cause_id <= $3 \
     GROUP BY p.id, p.cause_id");

/// What a payment has in a place. Credit of its own that was spent on other invoices is there still.
const PLACED: &[Sql] = &[
    Sql("SELECT payment_id, CAST(SUM(amount) AS BIGINT) FROM allocations \
         WHERE merchant_id = $1 AND payment_id > $2 AND payment_id <= $3 \
         AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY payment_id"),
    Sql("SELECT payment_id, CAST(SUM(remaining) AS BIGINT) FROM grants \
         WHERE merchant_id = $1 AND payment_id > $2 AND payment_id <= $3 \
         AND remaining BETWEEN -999999999999999 AND 999999999999999 GROUP BY payment_id"),
    Sql("SELECT o.payment_id, CAST(SUM(s.amount) AS BIGINT) FROM grants o \
         JOIN allocations s ON s.merchant_id = o.merchant_id AND s.grant_id = o.id AND s.payment_id IS NULL \
         WHERE o.merchant_id = $1 AND o.payment_id > $2 AND o.payment_id <= $3 \
         AND s.amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY o.payment_id"),
    Sql(
        "SELECT subject, CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) FROM entries \
         WHERE merchant_id = $1 AND account IN (2150, 4100) AND subject > $2 AND subject <= $3 \
         AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY subject",
    ),
];

/// What was taken out of a payment again, without what the customer owes of it or the merchant lost with it; returns are read
/// from their postings.
const TAKEN: &[Sql] = &[
    Sql("SELECT d.payment_id, CAST(SUM(d.amount - COALESCE(l.minor, 0)) AS BIGINT) FROM disputes d \
         LEFT JOIN (SELECT subject, CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
         FROM entries WHERE merchant_id = $1 AND account = 5210 \
         AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY subject) l ON l.subject = d.id \
         WHERE d.merchant_id = $1 AND d.payment_id > $2 AND d.payment_id <= $3 \
         AND d.state IN ('lost', 'accepted') AND d.amount <= 999999999999999 GROUP BY d.payment_id"),
    Sql(
        "SELECT p.payment_id, CAST(SUM(CASE WHEN r.state IN ('failed', 'canceled') THEN 0 ELSE p.amount END \
         - CASE p.place WHEN 'owed' THEN p.amount ELSE 0 END) AS BIGINT) FROM refund_parts p \
         JOIN refunds r ON r.merchant_id = p.merchant_id AND r.id = p.refund_id \
         WHERE p.merchant_id = $1 AND p.payment_id > $2 AND p.payment_id <= $3 \
         AND p.amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY p.payment_id",
    ),
];

/// A payment, as far as it matters here.
struct Payment {
    id: PaymentId,
    state: String,
    captured_minor: i64,
    says_returned: bool,
    /// True where it was recorded, and came past every processor.
    is_received: bool,
}

/// A posting of a return.
struct Return {
    posting_id: PostingId,
    cause_id: String,
    gross_minor: i64,
    owed_minor: i64,
    /// What of it left account 1000.
    from_bank_minor: i64,
}

#[derive(Default)]
struct Found {
    not_returned: Vec<String>,
    unexpected: Vec<String>,
    twice: Vec<String>,
    of_nobody: Vec<String>,
    unsaid: Vec<String>,
    other_way: Vec<String>,
    elsewhere: Vec<String>,
}

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    let mut all = Found::default();
    for merchant in merchants {
        let (mut last_id, mut last_cause) = ([0; 16], String::new());
        loop {
            let page = tx.fetch_all(PAYMENTS, args![merchant.0, &last_id, PAGE], payment).await?;
            let upper = page.last().map_or_else(|| AFTER_ALL.to_owned(), |last| last.id.to_string());
            let returns = tx.fetch_all(RETURNS, args![merchant.0, &last_cause, &upper], a_return).await?;
            let to = page.last().map_or([0; 16], |last| *last.id.as_bytes());
            let placed = sum(tx, *merchant, (&last_id, &to), PLACED).await?;
            let taken = sum(tx, *merchant, (&last_id, &to), TAKEN).await?;
            compare(*merchant, &page, returns, (&placed, &taken), &mut all);
            if page.is_empty() {
                break;
            }
            (last_id, last_cause) = (to, upper);
        }
    }
    found(report, 9, "a payment is returned by its state and has no posting of a return", all.not_returned);
    found(
        report,
        9,
        "a payment has a posting of a return, but its state says it was not returned",
        all.unexpected,
    );
    found(report, 9, "a payment has more than one posting of a return", all.twice);
    found(report, 9, "the posting of a return names a payment that does not exist", all.of_nobody);
    found(report, 9, "a payment was returned without a time, or has one and was not", all.unsaid);
    found(report, 9, "a payment was returned another way than it came", all.other_way);
    found(
        report,
        12,
        "what was captured and not taken out again is not what was allocated, granted, kept as surcharge or left unapplied",
        all.elsewhere,
    );
    Ok(())
}

type Sums = HashMap<[u8; 16], i64>;

fn compare(
    merchant: MerchantId,
    payments: &[Payment],
    returns: Vec<Return>,
    (placed, taken): (&Sums, &Sums),
    all: &mut Found,
) {
    let mut by_cause: HashMap<String, Vec<Return>> = HashMap::new();
    for one in returns {
        by_cause.entry(one.cause_id.clone()).or_default().push(one);
    }
    let minor = |sums: &Sums, payment: &Payment| sums.get(payment.id.as_bytes()).copied().unwrap_or(0);
    for payment in payments {
        let name = || format!("{} of {merchant}, {}", payment.id, payment.state);
        let returns = match by_cause.is_empty() {
            true => Vec::new(),
            false => by_cause.remove(&payment.id.to_string()).unwrap_or_default(),
        };
        let is_returned = PaymentState::parse(&payment.state) == Some(PaymentState::Returned);
        match (is_returned, &returns[..]) {
            (true, []) => all.not_returned.push(name()),
            (false, [_, ..]) => all.unexpected.push(name()),
            (true, [_, _, ..]) => all.twice.push(name()),
            (false, []) | (true, [_]) => {}
        }
        if is_returned != payment.says_returned {
            all.unsaid.push(name());
        }
        let from_bank = |one: &Return| if payment.is_received { one.gross_minor } else { 0 };
        if returns.iter().any(|one| one.from_bank_minor != from_bank(one)) {
            all.other_way.push(name());
        }
        let returned: i64 = returns.iter().map(|one| one.gross_minor.saturating_sub(one.owed_minor)).sum();
        let left = payment.captured_minor.saturating_sub(minor(taken, payment)).saturating_sub(returned);
        let there = minor(placed, payment);
        if left != there {
            let id = payment.id;
            all.elsewhere.push(format!("{id} of {merchant}, captured and not taken {left}, found {there}"));
        }
    }
    for one in by_cause.into_values().flatten() {
        all.of_nobody.push(format!("{} of {merchant}, of {}", one.posting_id, one.cause_id));
    }
    all.of_nobody.sort();
}

async fn sum(
    tx: &mut Tx,
    merchant: MerchantId,
    (after, to): (&[u8; 16], &[u8; 16]),
    statements: &[Sql],
) -> Result<Sums> {
    let mut sums = Sums::new();
    let part = |row: &Row<'_>| Ok((row.bytes16(0)?, row.i64(1)?));
    for statement in statements {
        for (payment, minor) in tx.fetch_all(*statement, args![merchant.0, after, to], part).await? {
            let sum = sums.entry(payment).or_default();
            *sum = sum.saturating_add(minor);
        }
    }
    Ok(sums)
}

fn payment(row: &Row<'_>) -> Result<Payment> {
    Ok(Payment {
        id: PaymentId::from_bytes(row.bytes16(0)?),
        state: row.text(1)?,
        captured_minor: row.i64(2)?,
        says_returned: row.bool(3)?,
        is_received: Method::parse(&row.text(4)?).is_some_and(Method::is_received),
    })
}

fn a_return(row: &Row<'_>) -> Result<Return> {
    Ok(Return {
        posting_id: PostingId::from_bytes(row.bytes16(0)?),
        cause_id: row.text(1)?,
        gross_minor: row.i64(2)?,
        owed_minor: row.i64(3)?,
        from_bank_minor: row.i64(4)?,
    })
}
