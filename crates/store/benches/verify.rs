//! How long `verify` takes on many postings: `cargo bench -p store --bench verify -- 1000000`.
//!
//! Fills an empty database with invoices that were paid in two parts, each with its fee, seals every posting as the sealer
//! does, and proves the books. On SQLite in a temporary folder; with `PAYDOWN_TEST_POSTGRES` on PostgreSQL as well, in a
//! database of its own. It must never be run by `cargo test`: it takes minutes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark: what fails ends it, and it tells figures"
)]

use anyhow::{Result, ensure};
use billing::allocation::CaptureSplit;
use billing::chart::{self, Capture, Processor};
use billing::ids::*;
use jiff::Timestamp;
use ledger::{Currency, Money, Posting, Side};
use std::time::{Duration, Instant};
use store::db::{DatabaseUrl, Sql, Store, Tx, Val};
use store::testing::TestDatabase;
use store::verify::{Options, verify};
use store::{args, seals};

const M: MerchantId = MerchantId(1);
/// What one invoice brings: its issue, and two payments with a fee each.
const POSTINGS_PER_INVOICE: usize = 5;
/// Invoices written in one transaction.
const BATCH: usize = 500;
const TOTAL: i64 = 125_000;
const PARTS: [i64; 2] = [50_000, 75_000];
const FEE: i64 = 1_480;

const INVOICE: Sql = Sql(
    "INSERT INTO invoices (merchant_id, id, number, customer_id, currency, lifecycle, total, tax, open, pending, \
         paid, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at) \
         VALUES ($1, $2, $3, $4, 'USD', 'open', $5, 0, 0, 0, $5, '2026-01-01', '2026-01-31', 'PO 7', 'Thanks', $2, \
         $6, $6, NULL)",
);
const LINE: Sql = Sql(
    "INSERT INTO invoice_lines (merchant_id, invoice_id, position, description, quantity, unit_amount, tax_rate, \
         net, tax) VALUES ($1, $2, 1, 'Work', '1', $3, NULL, $3, 0)",
);
const PAYMENT: Sql = Sql(
    "INSERT INTO payments (merchant_id, id, customer_id, currency, amount, surcharge, method, state, contact_id, \
         link_id, receipt_email, payer_reference, captured, captured_currency, captured_at, created_at, changed_at, \
         language) VALUES ($1, $2, $3, 'USD', $4, 0, 'card', 'succeeded', $5, NULL, 'ada@globex.example', 'ref 1', $4, \
         'USD', $6, $6, $6, 'en')",
);
const RESERVATION: Sql = Sql(
    "INSERT INTO reservations (merchant_id, payment_id, invoice_id, amount, state, created_at, ended_at) \
         VALUES ($1, $2, $3, $4, 'consumed', $5, $5)",
);
const STATE: Sql = Sql("INSERT INTO payment_states (merchant_id, payment_id, number, state, reason, at) \
     VALUES ($1, $2, $3, $4, 'bench', $5)");
const ATTEMPT: Sql = Sql(
    "INSERT INTO attempts (merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id, \
         payment_intent_id, charge_id, calls, server_errors, created_at) VALUES ($1, $2, $3, 1, 'stripe', $4, \
         '/v1/checkout/sessions', 'amount=1', $4, $4, $4, 1, 0, $5)",
);
const ALLOCATION: Sql = Sql(
    "INSERT INTO allocations (merchant_id, id, payment_id, grant_id, invoice_id, amount, posting_id, at) \
         VALUES ($1, $2, $3, NULL, $4, $5, $6, $7)",
);
const RECEIPT: Sql =
    Sql("INSERT INTO receipts (merchant_id, payment_id, amount, surcharge, credit, currency, at) \
     VALUES ($1, $2, $3, 0, 0, 'USD', $4)");
const RECEIPT_LINE: Sql =
    Sql("INSERT INTO receipt_lines (merchant_id, payment_id, invoice_id, applied, open_before, open_after) \
         VALUES ($1, $2, $3, $4, $5, $6)");
const POSTING: Sql =
    Sql("INSERT INTO postings (merchant_id, id, cause_kind, cause_id, currency, reverses, at) \
     VALUES ($1, $2, $3, $4, 'USD', NULL, $5)");
const ENTRY: Sql =
    Sql("INSERT INTO entries (merchant_id, posting_id, line, account, side, amount, customer_id, subject) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");

/// The only clock here: a benchmark is what it is for.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::main]
async fn main() {
    let given: Vec<String> = std::env::args().collect();
    if !given.iter().any(|arg| arg == "--bench") {
        return;
    }
    let postings = given.iter().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    measure("SQLite", &TestDatabase::sqlite().await, postings).await.unwrap();
    if std::env::var_os("PAYDOWN_TEST_POSTGRES").is_some() {
        measure("PostgreSQL", &TestDatabase::postgres().await, postings).await.unwrap();
    }
}

async fn measure(engine: &str, database: &TestDatabase, postings: usize) -> Result<()> {
    let store = database.open().await;
    store.write(async move |tx: &mut Tx| people(tx).await).await?;
    let (begin, invoices) = (now(), postings.div_ceil(POSTINGS_PER_INVOICE));
    for first in (0..invoices).step_by(BATCH) {
        let last = invoices.min(first + BATCH);
        store.write(async move |tx: &mut Tx| fill(tx, first..last).await).await?;
    }
    let filled = begin.elapsed();
    let begin = now();
    let sealed = seal(&store).await?;
    println!("{engine}: filled in {filled:.1?}, {sealed} sealed in {:.1?}", begin.elapsed());
    if matches!(database.url(), DatabaseUrl::Postgres(_)) {
        // What autovacuum does by itself after a while.
        database.execute("ANALYZE").await;
    }
    for round in 1..=2 {
        let begin = now();
        let report = verify(&store, &Options::default()).await?;
        let took: Duration = begin.elapsed();
        ensure!(report.is_clean() && report.unsealed.is_empty(), "{report:#?}");
        println!("{engine}: verify of {} postings took {took:.1?} (round {round})", report.postings);
    }
    store.close().await
}

async fn seal(store: &Store) -> Result<usize> {
    let (mut all, batch) = (0, 5_000);
    loop {
        let sealed = store.write(async move |tx: &mut Tx| seals::seal_batch(tx, M, batch).await).await?;
        all += sealed.postings;
        if !sealed.is_full(batch) {
            return Ok(all);
        }
    }
}

/// A minute for each row that a batch makes, so that ids are as far apart as in life.
fn at(number: usize) -> Timestamp {
    let seconds = i64::try_from(number).unwrap() * 60;
    Timestamp::from_second(1_600_000_000 + seconds).unwrap()
}

fn random(number: usize) -> [u8; 10] {
    let mut bytes = [7; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn customer() -> CustomerId {
    CustomerId::new(at(0), random(0))
}

fn contact() -> ContactId {
    ContactId::new(at(0), random(0))
}

async fn people(tx: &mut Tx) -> Result<()> {
    let at = at(0).as_microsecond();
    tx.execute(
        Sql("INSERT INTO merchants (merchant_id, slug, name, address, help_email, help_phone, currency, time_zone, \
             brand_color, logo, sender, statement_line, abandon_after_seconds, created_at) \
             VALUES ($1, 'acme', 'Acme', '1 Road', 'help@acme.example', '+1 555 0100', 'USD', 'UTC', '#224466', NULL, \
             'Acme <billing@acme.example>', 'ACME', 1800, $2)"),
        args![M.0, at],
    )
    .await?;
    tx.execute(
        Sql("INSERT INTO customers (merchant_id, id, name, name_key, address, created_at) \
             VALUES ($1, $2, 'Globex', 'globex', '', $3)"),
        args![M.0, customer().as_bytes(), at],
    )
    .await?;
    tx.execute(
        Sql("INSERT INTO contacts (merchant_id, id, customer_id, name, email, email_key, created_at) \
             VALUES ($1, $2, $3, 'Ada', 'ada@globex.example', 'ada@globex.example', $4)"),
        args![M.0, contact().as_bytes(), customer().as_bytes(), at],
    )
    .await?;
    Ok(())
}

/// A posting with what it is called.
struct Booked {
    id: PostingId,
    kind: &'static str,
    cause: String,
    posting: Posting,
    at: i64,
}

struct Part {
    payment: PaymentId,
    attempt: AttemptId,
    allocation: AllocationId,
    key: String,
    capture: Booked,
    fee: Booked,
    open_before: i64,
    amount: i64,
}

struct Paid {
    id: InvoiceId,
    customer: CustomerId,
    contact: ContactId,
    number: String,
    issue: Booked,
    parts: Vec<Part>,
    at: i64,
}

async fn fill(tx: &mut Tx, numbers: std::ops::Range<usize>) -> Result<()> {
    let invoices: Vec<Paid> = numbers.map(paid).collect::<Result<_>>()?;
    let mut rows: Vec<(Sql, Vec<Val<'_>>)> = Vec::new();
    for invoice in &invoices {
        invoice_rows(invoice, &mut rows);
    }
    // Every row but the first of its kind refers to earlier ones: the order is that of the list.
    for part in rows.chunks(2_000) {
        let list: Vec<(Sql, &[Val<'_>])> = part.iter().map(|(sql, args)| (*sql, args.as_slice())).collect();
        tx.execute_many(&list).await?;
    }
    Ok(())
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn paid(number: usize) -> Result<Paid> {
    let base = number * POSTINGS_PER_INVOICE + 1;
    let id = InvoiceId::new(at(base), random(base));
    let booked = |place: usize, kind, cause, posting| {
        let number = base + place;
        Booked {
            id: PostingId::new(at(number), random(number)),
            kind,
            cause,
            posting,
            at: at(number).as_microsecond(),
        }
    };
    let issue = chart::invoice_issued(customer(), id, usd(TOTAL), &[])?.unwrap();
    let mut parts = Vec::new();
    let mut open_before = TOTAL;
    for (place, amount) in PARTS.into_iter().enumerate() {
        let minute = base + 1 + 2 * place;
        let payment = PaymentId::new(at(minute), random(minute));
        let who = Capture {
            customer: customer(),
            invoice: id,
            payment,
            processor: Processor::Stripe,
            grant: GrantId::new(at(minute), random(minute)),
        };
        let split = CaptureSplit { to_invoice_minor: amount, surcharge_minor: 0, surplus_minor: 0 };
        let capture = chart::payment_succeeded(&who, usd(amount), split)?;
        let fee = chart::processing_fee_charged(payment, Processor::Stripe, usd(FEE))?;
        parts.push(Part {
            payment,
            attempt: AttemptId::new(at(minute), random(minute)),
            allocation: AllocationId::new(at(minute), random(minute)),
            key: format!("key-{minute}"),
            capture: booked(1 + 2 * place, "capture", payment.to_string(), capture),
            fee: booked(2 + 2 * place, "processing_fee", format!("txn_{minute}"), fee),
            open_before,
            amount,
        });
        open_before -= amount;
    }
    let issue = booked(0, "invoice_issued", id.to_string(), issue);
    Ok(Paid {
        id,
        customer: customer(),
        contact: contact(),
        number: format!("INV-{number}"),
        issue,
        parts,
        at: at(base).as_microsecond(),
    })
}

fn invoice_rows<'v>(invoice: &'v Paid, rows: &mut Vec<(Sql, Vec<Val<'v>>)>) {
    let Paid { id, customer, contact, number, issue, parts, at } = invoice;
    let id = id.as_bytes();
    rows.push((INVOICE, args![M.0, id, number, customer.as_bytes(), TOTAL, *at].to_vec()));
    rows.push((LINE, args![M.0, id, TOTAL].to_vec()));
    posting_rows(issue, rows);
    for part in parts {
        let (payment, at) = (part.payment.as_bytes(), part.capture.at);
        rows.push((
            PAYMENT,
            args![M.0, payment, customer.as_bytes(), part.amount, contact.as_bytes(), at].to_vec(),
        ));
        rows.push((RESERVATION, args![M.0, payment, id, part.amount, at].to_vec()));
        for (step, state) in (1_i64..).zip(["submitting", "requires_action", "succeeded"]) {
            rows.push((STATE, args![M.0, payment, step, state, at].to_vec()));
        }
        rows.push((ATTEMPT, args![M.0, part.attempt.as_bytes(), payment, &part.key, at].to_vec()));
        posting_rows(&part.capture, rows);
        let (allocation, posting) = (part.allocation.as_bytes(), part.capture.id.as_bytes());
        rows.push((ALLOCATION, args![M.0, allocation, payment, id, part.amount, posting, at].to_vec()));
        rows.push((RECEIPT, args![M.0, payment, part.amount, at].to_vec()));
        let left = part.open_before - part.amount;
        rows.push((RECEIPT_LINE, args![M.0, payment, id, part.amount, part.open_before, left].to_vec()));
        posting_rows(&part.fee, rows);
    }
}

fn posting_rows<'v>(booked: &'v Booked, rows: &mut Vec<(Sql, Vec<Val<'v>>)>) {
    let Booked { id, kind, cause, posting, at } = booked;
    rows.push((POSTING, args![M.0, id.as_bytes(), *kind, cause, *at].to_vec()));
    for (line, entry) in (1_i64..).zip(posting.entries()) {
        let side = if entry.side == Side::Debit { "debit" } else { "credit" };
        let account = i64::from(entry.account.number);
        let who = entry.account.customer.as_ref().map(|dimension| &dimension.0);
        let subject = entry.account.subject.as_ref().map(|dimension| &dimension.0);
        rows.push((
            ENTRY,
            args![M.0, id.as_bytes(), line, account, side, entry.amount_minor, who, subject].to_vec(),
        ));
    }
}
