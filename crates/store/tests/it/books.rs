//! Small, complete books for the tests of seals and of `verify`: every kind of row, and nothing wrong with it.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

mod debits;
mod payments;

use anyhow::Result;
use billing::chart;
use billing::ids::*;
use billing::line::TaxRate;
use jiff::Timestamp;
use ledger::{Currency, Money, Posting, Side};
use store::anomalies::{self, Closing};
use store::args;
use store::audit::{self, AuditRow, acts};
use store::db::{Sql, Store, Tx, Val};
use store::events::{self, Event};
use store::inbox::{self, NewInboxEvent};
use store::links::{self, Link};
use store::mails::{self, MailKind, NewMail};
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::seals;
use store::sessions::{self, Session};
use store::testing::TestDatabase;

/// The merchant of everything.
pub const M: MerchantId = MerchantId(1);

/// How many postings the books have.
pub const POSTINGS: i64 = 16;
/// How many audit rows they have.
pub const AUDIT_ROWS: i64 = 8;

/// So many minutes after the books were opened. Whatever was made in a minute has an id that begins with it.
pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + 60 * minute).unwrap()
}

/// The random part of the id of what was made in a minute.
pub fn random(minute: i64) -> [u8; 10] {
    let mut bytes = [7; 10];
    bytes[2..].copy_from_slice(&minute.to_be_bytes());
    bytes
}

macro_rules! id {
    ($name:ident, $minute:expr) => {
        $name::new(crate::books::at($minute), crate::books::random($minute))
    };
}
pub(crate) use id;

pub fn customer() -> CustomerId {
    id!(CustomerId, 1)
}

pub fn contact() -> ContactId {
    id!(ContactId, 2)
}

/// 1,000.00 USD, in part paid, in part reserved.
pub fn partly_paid() -> InvoiceId {
    id!(InvoiceId, 10)
}

/// 300.00 USD, paid with too much.
pub fn overpaid() -> InvoiceId {
    id!(InvoiceId, 11)
}

pub fn voided() -> InvoiceId {
    id!(InvoiceId, 12)
}

pub fn grant() -> GrantId {
    id!(GrantId, 60)
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Opens the books and fills them; everything is sealed.
pub async fn open(db: &TestDatabase) -> Store {
    let store = db.open().await;
    store.write(async move |tx: &mut Tx| fill(tx).await).await.unwrap();
    seal(&store).await;
    store
}

/// Seals what is new.
pub async fn seal(store: &Store) -> seals::Sealed {
    store.write(async move |tx: &mut Tx| seals::seal_batch(tx, M, 1000).await).await.unwrap()
}

async fn fill(tx: &mut Tx) -> Result<()> {
    merchant(tx, M).await?;
    people(tx).await?;
    invoice(tx, 10, "INV-10", "open", 100_000, (52_000, 20_000, 48_000)).await?;
    invoice(tx, 11, "INV-11", "open", 30_000, (0, 0, 30_000)).await?;
    invoice(tx, 12, "INV-12", "void", 20_000, (0, 0, 0)).await?;
    invoice(tx, 13, "INV-13", "draft", 15_000, (0, 0, 0)).await?;
    payments::payments(tx).await?;
    payments::credit(tx).await?;
    debits::debits(tx).await?;
    void(tx).await?;
    around(tx).await
}

/// A merchant with nothing else.
pub async fn merchant(tx: &mut Tx, merchant_id: MerchantId) -> Result<()> {
    let slug = format!("merchant-{}", merchant_id.0);
    put(
        tx,
        Sql("INSERT INTO merchants (merchant_id, slug, name, address, help_email, help_phone, currency, time_zone, \
             brand_color, logo, sender, statement_line, abandon_after_seconds, created_at) \
             VALUES ($1, $2, 'Acme', '1 Road', 'help@acme.example', '+1 555 0100', 'USD', 'UTC', '#224466', NULL, \
             'Acme <billing@acme.example>', 'ACME', 1800, $3)"),
        args![merchant_id.0, &slug, at(0).as_microsecond()],
    )
    .await
}

/// A customer and its contact.
pub async fn people(tx: &mut Tx) -> Result<()> {
    customer_named(tx, 1, "Globex").await?;
    person(tx, contact(), "ada@globex.example").await
}

/// A customer that was made in this minute.
pub async fn customer_named(tx: &mut Tx, minute: i64, name: &str) -> Result<()> {
    put(
        tx,
        Sql("INSERT INTO customers (merchant_id, id, name, name_key, address, created_at) \
             VALUES ($1, $2, $3, $3, '2 Street', $4)"),
        args![M.0, id!(CustomerId, minute).as_bytes(), name, at(minute).as_microsecond()],
    )
    .await
}

/// One more contact of the customer.
pub async fn person(tx: &mut Tx, contact_id: ContactId, email: &str) -> Result<()> {
    person_of(tx, customer(), contact_id, email).await
}

/// One more contact of that customer.
pub async fn person_of(
    tx: &mut Tx,
    customer_id: CustomerId,
    contact_id: ContactId,
    email: &str,
) -> Result<()> {
    put(
        tx,
        Sql("INSERT INTO contacts (merchant_id, id, customer_id, name, email, email_key, created_at) \
             VALUES ($1, $2, $3, 'Ada', $4, $4, $5)"),
        args![M.0, contact_id.as_bytes(), customer_id.as_bytes(), email, at(2).as_microsecond()],
    )
    .await
}

/// An invoice, with the posting of its issue unless it is a draft. `balances` are open, pending and paid.
pub async fn invoice(
    tx: &mut Tx,
    minute: i64,
    number: &str,
    lifecycle: &str,
    total: i64,
    (open, pending, paid): (i64, i64, i64),
) -> Result<()> {
    let invoice_id = id!(InvoiceId, minute);
    put(
        tx,
        Sql("INSERT INTO invoices (merchant_id, id, number, customer_id, currency, lifecycle, total, tax, open, pending, \
             paid, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at) \
             VALUES ($1, $2, $3, $4, 'USD', $5, $6, 0, $7, $8, $9, '2026-01-01', '2026-01-31', 'PO 7', 'Thanks', $2, \
             $10, $10, NULL)"),
        args![
            M.0,
            invoice_id.as_bytes(),
            number,
            customer().as_bytes(),
            lifecycle,
            total,
            open,
            pending,
            paid,
            at(minute).as_microsecond(),
        ],
    )
    .await?;
    put(
        tx,
        Sql("INSERT INTO invoice_lines (merchant_id, invoice_id, position, description, quantity, unit_amount, tax_rate, \
             net, tax) VALUES ($1, $2, 1, 'Work', '1', $3, NULL, $3, 0)"),
        args![M.0, invoice_id.as_bytes(), total],
    )
    .await?;
    if lifecycle == "draft" {
        return Ok(());
    }
    let tax = (TaxRate(0), usd(0));
    let posting =
        chart::invoice_issued(customer(), invoice_id, usd(total), &[tax])?.expect("it asks for money");
    post(tx, 100 + minute, "invoice_issued", &invoice_id.to_string(), &posting, None).await
}

async fn void(tx: &mut Tx) -> Result<()> {
    let issued = chart::invoice_issued(customer(), voided(), usd(20_000), &[])?.expect("it asks for money");
    let reverses = id!(PostingId, 112);
    post(tx, 170, "invoice_voided", &voided().to_string(), &issued.reversed(), Some(reverses)).await?;
    act(tx, 170, acts::INVOICE_VOID, &voided().to_string()).await
}

/// A row of the audit trail.
pub async fn act(tx: &mut Tx, minute: i64, act: &str, object: &str) -> Result<()> {
    let row = AuditRow {
        id: id!(AuditId, minute),
        actor: "cli:ops".into(),
        act: act.into(),
        object: object.into(),
        before: "null".into(),
        after: "{}".into(),
        at: at(minute),
    };
    audit::append(tx, M, &row).await
}

/// Everything that stands around the money.
async fn around(tx: &mut Tx) -> Result<()> {
    for (minute, hash) in [(40, [40; 32]), (41, [41; 32])] {
        let link = Link {
            id: id!(LinkId, minute),
            invoice_id: partly_paid(),
            contact_id: Some(contact()),
            token_hash: hash,
            created_at: at(minute),
            revoked_at: None,
        };
        assert!(links::insert(tx, M, &link).await?);
    }
    assert!(links::revoke(tx, M, id!(LinkId, 41), at(171)).await?);
    act(tx, 171, acts::LINK_REVOKE, &id!(LinkId, 41).to_string()).await?;
    put(
        tx,
        Sql("INSERT INTO policies (merchant_id, scope, subject, partial, updated_at) \
             VALUES ($1, 'customer', $2, 'always', $3)"),
        args![M.0, customer().as_bytes(), at(172).as_microsecond()],
    )
    .await?;
    act(tx, 172, acts::POLICY_SET, &customer().to_string()).await?;
    let account = ProcessorAccount {
        merchant_id: M,
        processor: "stripe".into(),
        mode: Mode::Practice,
        base_url: "http://127.0.0.1:1".into(),
        account: "acct_1".into(),
        secret_key: vec![1],
        webhook_secret: None,
        webhook_secret_before: None,
        polled_to: at(0),
        connected_at: at(173),
    };
    processor_accounts::upsert(tx, &account).await?;
    act(tx, 173, acts::PROCESSOR_CONNECT, "stripe").await?;
    let closing = Closing { actor: "cli:dana".into(), note: "Seen".into(), at: at(174) };
    assert!(anomalies::close(tx, M, id!(AnomalyId, 23), &closing).await?);
    act(tx, 174, acts::ANOMALY_CLOSE, &id!(AnomalyId, 23).to_string()).await?;
    put(
        tx,
        Sql("INSERT INTO idempotency (merchant_id, owner, route, key, request_hash, resource, created_at) \
             VALUES ($1, 'session', '/pay', 'key', $2, 'pay_1', $3)"),
        args![M.0, &[5; 32], at(20).as_microsecond()],
    )
    .await?;
    assert!(inbox::store(tx, M, &inbox_event("evt_1", at(30))).await?);
    assert!(mails::queue(tx, M, &mail(50, "ada@globex.example")).await?);
    for minute in [80, 81] {
        let event = Event {
            id: id!(EventId, minute),
            kind: "payment.succeeded".into(),
            invoice_id: Some(partly_paid()),
            payment_id: Some(id!(PaymentId, 20)),
            data: "{}".into(),
            at: at(minute),
            feed_number: None,
        };
        events::append(tx, M, &event).await?;
    }
    let session = Session {
        token_hash: [9; 32],
        contact_id: Some(contact()),
        email_key: Some("ada@globex.example".into()),
        created_at: at(90),
        seen_at: at(90),
        expires_at: at(9_000),
    };
    sessions::insert(tx, M, &session).await?;
    sessions::add_grant(tx, M, &[9; 32], partly_paid(), id!(LinkId, 40), at(91)).await
}

/// An event as a processor sends it.
pub fn inbox_event(event_id: &str, received_at: Timestamp) -> NewInboxEvent {
    NewInboxEvent {
        processor: "stripe".into(),
        event_id: event_id.into(),
        kind: "checkout.session.completed".into(),
        object_id: "cs_1".into(),
        session_id: Some("cs_1".into()),
        payment_intent_id: None,
        attempt_id: Some(id!(AttemptId, 20)),
        raw: r#"{"id":"evt_1","amount":41190}"#.into(),
        received_at,
    }
}

/// A mail of that minute.
pub fn mail(minute: i64, recipient: &str) -> NewMail {
    NewMail {
        id: id!(MailId, minute),
        kind: MailKind::Invoice,
        cause: "inv_10".into(),
        recipient: recipient.into(),
        invoice_id: Some(partly_paid()),
        payment_id: None,
        link_id: Some(id!(LinkId, 40)),
        signin_id: None,
        created_at: at(minute),
    }
}

/// Writes a posting with its entries.
pub async fn post(
    tx: &mut Tx,
    minute: i64,
    cause_kind: &str,
    cause_id: &str,
    posting: &Posting,
    reverses: Option<PostingId>,
) -> Result<()> {
    let (posting_id, now) = (id!(PostingId, minute), at(minute).as_microsecond());
    let reverses = reverses.as_ref().map(PostingId::as_bytes);
    put(
        tx,
        Sql("INSERT INTO postings (merchant_id, id, cause_kind, cause_id, currency, reverses, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)"),
        args![M.0, posting_id.as_bytes(), cause_kind, cause_id, posting.currency().code(), reverses, now],
    )
    .await?;
    for (line, entry) in (1_i64..).zip(posting.entries()) {
        let side = match entry.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        put(
            tx,
            Sql("INSERT INTO entries (merchant_id, posting_id, line, account, side, amount, customer_id, subject) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
            args![
                M.0,
                posting_id.as_bytes(),
                line,
                i64::from(entry.account.number),
                side,
                entry.amount_minor,
                entry.account.customer.as_ref().map(|customer| &customer.0),
                entry.account.subject.as_ref().map(|subject| &subject.0),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Adds one row.
pub async fn put(tx: &mut Tx, sql: Sql, args: &[Val<'_>]) -> Result<()> {
    let count = tx.execute(sql, args).await?;
    anyhow::ensure!(count == 1, "{count} rows by {sql:?}");
    Ok(())
}
