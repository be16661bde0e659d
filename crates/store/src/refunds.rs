//! Refunds: money that goes back to who paid it, where it was taken from, and the numbered history of it. One refund, one key, one
//! body, for ever. What was asked for is never changed; what became of it is.

mod kinds;

pub use kinds::{Approval, RefundCall, RefundLearned, RefundOrigin, RefundPart, RefundPlace, RefundSource};

use crate::args;
use crate::columns::{currency, opt_date, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{CustomerId, GrantId, InvoiceId, MerchantId, PaymentId, RefundId};
use billing::refund::{RefundMeaning, RefundState};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which refund.
    pub id: RefundId,
    /// What it is a refund of.
    pub source: RefundSource,
    /// How it is paid.
    pub channel: Channel,
    /// Who came to ask for it.
    pub origin: RefundOrigin,
    /// Who gets it.
    pub customer_id: CustomerId,
    /// The payment it was asked of, or whose charge carries it; none for credit that is paid from the bank.
    pub payment_id: Option<PaymentId>,
    /// The one invoice whose allocation is given back, where it was asked so.
    pub invoice_id: Option<InvoiceId>,
    /// What the payer gets.
    pub amount: Money,
    /// What it means for invoices; none for credit.
    pub meaning: Option<RefundMeaning>,
    /// Where it stands.
    pub state: RefundState,
    /// Why, in the words of who asked for it.
    pub reason: String,
    /// Who asked for it, as the audit trail calls them.
    pub requested_by: String,
    /// Whether a second person had to approve it.
    pub approval: Approval,
    /// The call at the processor, where there is one of ours.
    pub call: Option<RefundCall>,
    /// How often it was sent.
    pub calls: i64,
    /// How often in a row the answer was a server error.
    pub server_errors: i64,
    /// When it was last sent.
    pub called_at: Option<Timestamp>,
    /// What the processor told of it.
    pub learned: RefundLearned,
    /// When and under which reference it was paid from the bank; civil date in the merchant's zone.
    pub paid: Option<(Date, Option<String>)>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

/// One step of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundStep {
    /// Counted from 1, without gap.
    pub number: i64,
    /// The state it came to.
    pub state: RefundState,
    /// Why, in a few words for people.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Which refunds are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundsOf {
    /// All of the merchant.
    Merchant,
    /// Those of a customer.
    Customer(CustomerId),
    /// Those of a payment.
    Payment(PaymentId),
}

const INSERT: Sql = Sql("INSERT INTO refunds (merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id,
    amount, currency, meaning, state, reason, requested_by, approval, processor_key, route, body, calls, server_errors,
    processor_refund_id, created_at, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'requested', $12, $13, $14, $15, $16, $17, 0, 0, $18, $19, $19)");
const INSERT_PART: Sql =
    Sql("INSERT INTO refund_parts (merchant_id, refund_id, number, place, payment_id, invoice_id, grant_id, amount)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
const INSERT_STATE: Sql = Sql("INSERT INTO refund_states (merchant_id, refund_id, number, state, reason, at)
  SELECT CAST($1 AS BIGINT), $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5
  FROM refund_states WHERE merchant_id = $1 AND refund_id = $2");
const SET_STATE: Sql = Sql("UPDATE refunds SET state = $4, changed_at = $5
  WHERE merchant_id = $1 AND id = $2 AND state = $3");
const APPROVE: Sql = Sql("UPDATE refunds SET approval = 'given', approved_by = $3, approved_at = $4
  WHERE merchant_id = $1 AND id = $2 AND approval = 'waiting' AND state = 'requested'");
const SET_PAID: Sql =
    Sql("UPDATE refunds SET paid_on = $3, paid_reference = $4 WHERE merchant_id = $1 AND id = $2");
const NOTE_CALL: Sql = Sql("UPDATE refunds SET calls = calls + 1, called_at = $3
  WHERE merchant_id = $1 AND id = $2 RETURNING calls");
const NOTE_SERVER_ERROR: Sql =
    Sql("UPDATE refunds SET server_errors = server_errors + 1 WHERE merchant_id = $1 AND id = $2");
const LEARN: Sql = Sql("UPDATE refunds SET processor_refund_id = COALESCE($3, processor_refund_id),
    line_id = COALESCE($4, line_id), failure_line_id = COALESCE($5, failure_line_id),
    failure_reason = COALESCE($6, failure_reason), bank_reference = COALESCE($7, bank_reference), server_errors = 0
  WHERE merchant_id = $1 AND id = $2");
const BY_ID: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
    meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls, server_errors,
    called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on, paid_reference, created_at,
    changed_at
  FROM refunds WHERE merchant_id = $1 AND id = $2");
const BY_PROCESSOR_ID: Sql =
    Sql("SELECT id FROM refunds WHERE merchant_id = $1 AND processor_refund_id = $2");
const BY_PAYMENT: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
    meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls, server_errors,
    called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on, paid_reference, created_at,
    changed_at
  FROM refunds WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id");
const NEWEST: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
    meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls, server_errors,
    called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on, paid_reference, created_at,
    changed_at
  FROM refunds WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_CUSTOMER: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount,
    currency, meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls,
    server_errors, called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on,
    paid_reference, created_at, changed_at
  FROM refunds WHERE merchant_id = $1 AND id < $2 AND customer_id = $4 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_PAYMENT: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount,
    currency, meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls,
    server_errors, called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on,
    paid_reference, created_at, changed_at
  FROM refunds WHERE merchant_id = $1 AND id < $2 AND payment_id = $4 ORDER BY id DESC LIMIT $3");
const LATEST: Sql = Sql("SELECT merchant_id, id, source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
    meaning, state, reason, requested_by, approval, approved_by, approved_at, processor_key, route, body, calls, server_errors,
    called_at, processor_refund_id, line_id, failure_line_id, failure_reason, bank_reference, paid_on, paid_reference, created_at,
    changed_at
  FROM refunds WHERE merchant_id = $1 AND id > $2 AND (CAST($4 AS BIGINT) = 0 OR (state = 'requested'
    AND (approval = 'waiting' OR channel = 'bank'))) ORDER BY id LIMIT $3");
const IN_FLIGHT: Sql =
    Sql("SELECT id FROM refunds WHERE merchant_id = $1 AND channel <> 'bank' AND approval <> 'waiting'
    AND state IN ('requested', 'submitting', 'pending', 'unknown') ORDER BY id LIMIT 500");
const PARTS: Sql = Sql("SELECT place, payment_id, invoice_id, grant_id, amount FROM refund_parts
  WHERE merchant_id = $1 AND refund_id = $2 ORDER BY number");
const OF_INVOICE: Sql =
    Sql("SELECT r.id, r.payment_id, r.state, r.meaning, p.amount, r.created_at, r.changed_at
  FROM refund_parts p JOIN refunds r ON r.merchant_id = p.merchant_id AND r.id = p.refund_id
  WHERE p.merchant_id = $1 AND p.invoice_id = $2 AND p.place = 'allocated' ORDER BY r.id DESC LIMIT 200");
const HISTORY: Sql = Sql("SELECT number, state, reason, at FROM refund_states
  WHERE merchant_id = $1 AND refund_id = $2 ORDER BY number");
const TAKEN: Sql = Sql("SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM refund_parts p
  JOIN refunds r ON r.merchant_id = p.merchant_id AND r.id = p.refund_id
  WHERE p.merchant_id = $1 AND p.payment_id = $2 AND r.state NOT IN ('failed', 'canceled')");
const THROUGH: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refunds
  WHERE merchant_id = $1 AND payment_id = $2 AND channel <> 'bank' AND state NOT IN ('failed', 'canceled')");

/// Adds a refund that is asked for, with its parts and the first step of its history.
pub async fn insert(tx: &mut Tx, refund: &Refund, parts: &[RefundPart]) -> Result<()> {
    let call = refund.call.as_ref();
    let args = args![
        refund.merchant.0,
        refund.id.as_bytes(),
        refund.source.as_str(),
        refund.channel.as_str(),
        refund.origin.as_str(),
        refund.customer_id.as_bytes(),
        refund.payment_id.as_ref().map(PaymentId::as_bytes),
        refund.invoice_id.as_ref().map(InvoiceId::as_bytes),
        refund.amount.minor(),
        refund.amount.currency().code(),
        refund.meaning.map(RefundMeaning::as_str),
        &refund.reason,
        &refund.requested_by,
        refund.approval.as_str(),
        call.map(|call| call.processor_key.as_str()),
        call.map(|call| call.route.as_str()),
        call.map(|call| call.body.as_str()),
        refund.learned.processor_refund_id.as_deref(),
        refund.created_at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await?;
    for (number, part) in (1_i64..).zip(parts) {
        insert_part(tx, refund, number, part).await?;
    }
    let how = match refund.origin {
        RefundOrigin::Asked => "it was asked for",
        RefundOrigin::Adopted => "it was found at the processor",
    };
    note_state(tx, refund, RefundState::Requested, how, refund.created_at).await
}

async fn insert_part(tx: &mut Tx, refund: &Refund, number: i64, part: &RefundPart) -> Result<()> {
    let (place, invoice, grant) = match part.place {
        RefundPlace::Surcharge => ("surcharge", None, None),
        RefundPlace::Allocated(invoice) => ("allocated", Some(invoice), None),
        RefundPlace::Grant { grant, born_on } => ("grant", born_on, Some(grant)),
        RefundPlace::Unapplied => ("unapplied", None, None),
        RefundPlace::Owed => ("owed", None, None),
    };
    let args = args![
        refund.merchant.0,
        refund.id.as_bytes(),
        number,
        place,
        part.payment_id.as_ref().map(PaymentId::as_bytes),
        invoice.as_ref().map(InvoiceId::as_bytes),
        grant.as_ref().map(GrantId::as_bytes),
        part.amount_minor,
    ];
    tx.write_one(INSERT_PART, args).await
}

/// Moves a locked refund from its state to the next and notes the step. Its time never falls behind the last one.
pub async fn set_state(
    tx: &mut Tx,
    refund: &Refund,
    next: RefundState,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let at = now.max(refund.changed_at);
    let (from, to) = (refund.state.as_str(), next.as_str());
    let args = args![refund.merchant.0, refund.id.as_bytes(), from, to, at.as_microsecond()];
    let moved = tx.execute(SET_STATE, args).await?;
    anyhow::ensure!(moved == 1, "refund {} is no longer {from}", refund.id);
    note_state(tx, refund, next, reason, at).await
}

async fn note_state(
    tx: &mut Tx,
    refund: &Refund,
    state: RefundState,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let args = args![refund.merchant.0, refund.id.as_bytes(), state.as_str(), reason, at.as_microsecond()];
    tx.write_one(INSERT_STATE, args).await
}

/// Notes that a second person approved it; `false` where nobody waits for that.
pub async fn approve(
    tx: &mut Tx,
    merchant: MerchantId,
    id: RefundId,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(APPROVE, args![merchant.0, id.as_bytes(), by, now.as_microsecond()]).await? == 1)
}

/// Notes when and under which reference it was paid from the bank.
pub async fn set_paid(
    tx: &mut Tx,
    merchant: MerchantId,
    id: RefundId,
    on: Date,
    reference: Option<&str>,
) -> Result<()> {
    let on = on.to_string();
    tx.execute(SET_PAID, args![merchant.0, id.as_bytes(), &on, reference]).await.map(drop)
}

/// Notes that it is about to be sent; answers how often it was sent by now, this time included.
pub async fn note_call(tx: &mut Tx, merchant: MerchantId, id: RefundId, now: Timestamp) -> Result<i64> {
    let args = args![merchant.0, id.as_bytes(), now.as_microsecond()];
    tx.fetch_one(NOTE_CALL, args, |row| row.i64(0)).await
}

/// Notes a server error; three in a row mean that the same key will answer the same for ever.
pub async fn note_server_error(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<()> {
    tx.execute(NOTE_SERVER_ERROR, args![merchant.0, id.as_bytes()]).await.map(drop)
}

/// Keeps what an answer told.
pub async fn learn(tx: &mut Tx, merchant: MerchantId, id: RefundId, learned: &RefundLearned) -> Result<()> {
    let args = args![
        merchant.0,
        id.as_bytes(),
        learned.processor_refund_id.as_deref(),
        learned.line_id.as_deref(),
        learned.failure_line_id.as_deref(),
        learned.failure_reason.as_deref(),
        learned.bank_reference.as_deref(),
    ];
    tx.execute(LEARN, args).await.map(drop)
}

/// The refund with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<Option<Refund>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The same, locked until the end of the transaction. Customer and payment are locked before it, invoices after it.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<Option<Refund>> {
    tx.lock(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The refund behind the processor's id of it.
pub async fn find_by_processor_id(tx: &mut Tx, merchant: MerchantId, id: &str) -> Result<Option<RefundId>> {
    tx.fetch_optional(BY_PROCESSOR_ID, args![merchant.0, id], |row| Ok(RefundId::from_bytes(row.bytes16(0)?)))
        .await
}

/// All refunds of a payment, and those of credit that its charge carries, oldest first.
pub async fn list_by_payment(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Refund>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// Refunds before one of them, newest first, `limit` at most.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    of: RefundsOf,
    before: Option<RefundId>,
    limit: i64,
) -> Result<Vec<Refund>> {
    let before = before.map_or([0xff; 16], |id| *id.as_bytes());
    match of {
        RefundsOf::Merchant => tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode).await,
        RefundsOf::Customer(id) => {
            let args = args![merchant.0, &before, limit, id.as_bytes()];
            tx.fetch_all(NEWEST_OF_CUSTOMER, args, decode).await
        }
        RefundsOf::Payment(id) => {
            let args = args![merchant.0, &before, limit, id.as_bytes()];
            tx.fetch_all(NEWEST_OF_PAYMENT, args, decode).await
        }
    }
}

/// Refunds after one of them in the order they were asked for, `limit` at most: all, or those that wait for a person.
pub async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    after: Option<RefundId>,
    (waiting, limit): (bool, i64),
) -> Result<Vec<Refund>> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    tx.fetch_all(LATEST, args![merchant.0, &after, limit, i64::from(waiting)], decode).await
}

/// Refunds that a processor works on or is to be called for, oldest first, 500 at most.
pub async fn in_flight(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<RefundId>> {
    tx.fetch_all(IN_FLIGHT, args![merchant.0], |row| Ok(RefundId::from_bytes(row.bytes16(0)?))).await
}

/// Where the money of a refund was taken from, in the order in which it was.
pub async fn parts(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<Vec<RefundPart>> {
    tx.fetch_all(PARTS, args![merchant.0, id.as_bytes()], decode_part).await
}

/// A refund as an invoice sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundOfInvoice {
    /// Which refund.
    pub id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Where it stands.
    pub state: RefundState,
    /// What it means for the invoice.
    pub meaning: RefundMeaning,
    /// What of it was taken off this invoice, minor units.
    pub amount_minor: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

/// What refunds took off an invoice, newest first, 200 at most.
pub async fn of_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<RefundOfInvoice>> {
    tx.fetch_all(OF_INVOICE, args![merchant.0, invoice.as_bytes()], |row| {
        Ok(RefundOfInvoice {
            id: RefundId::from_bytes(row.bytes16(0)?),
            payment_id: PaymentId::from_bytes(row.bytes16(1)?),
            state: word(row, 2, RefundState::parse)?,
            meaning: word(row, 3, RefundMeaning::parse)?,
            amount_minor: row.i64(4)?,
            created_at: timestamp(row, 5)?,
            changed_at: timestamp(row, 6)?,
        })
    })
    .await
}

/// The steps of a refund, first to last.
pub async fn history(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<Vec<RefundStep>> {
    tx.fetch_all(HISTORY, args![merchant.0, id.as_bytes()], |row| {
        Ok(RefundStep {
            number: row.i64(0)?,
            state: word(row, 1, RefundState::parse)?,
            reason: row.text(2)?,
            at: timestamp(row, 3)?,
        })
    })
    .await
}

/// What refunds took of a payment's own money and did not fail or withdraw, minor units of what was captured.
pub async fn taken_of(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<i64> {
    tx.fetch_one(TAKEN, args![merchant.0, payment.as_bytes()], |row| row.i64(0)).await
}

/// What refunds sent through a payment's charge and did not fail or withdraw, minor units of what was captured.
pub async fn sent_through(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<i64> {
    tx.fetch_one(THROUGH, args![merchant.0, payment.as_bytes()], |row| row.i64(0)).await
}

fn decode(row: &Row<'_>) -> Result<Refund> {
    let approval = match row.text(14)?.as_str() {
        "not_needed" => Approval::NotNeeded,
        "waiting" => Approval::Waiting,
        _ => Approval::Given {
            by: row.text(15)?,
            at: opt_timestamp(row, 16)?.context("what was approved was so at some time")?,
        },
    };
    let call = match (row.opt_text(17)?, row.opt_text(18)?, row.opt_text(19)?) {
        (Some(processor_key), Some(route), Some(body)) => Some(RefundCall { processor_key, route, body }),
        _ => None,
    };
    Ok(Refund {
        merchant: MerchantId(row.i64(0)?),
        id: RefundId::from_bytes(row.bytes16(1)?),
        source: word(row, 2, RefundSource::parse)?,
        channel: word(row, 3, Channel::parse)?,
        origin: word(row, 4, RefundOrigin::parse)?,
        customer_id: CustomerId::from_bytes(row.bytes16(5)?),
        payment_id: row.opt_bytes16(6)?.map(PaymentId::from_bytes),
        invoice_id: row.opt_bytes16(7)?.map(InvoiceId::from_bytes),
        amount: Money::new(row.i64(8)?, currency(row, 9)?),
        meaning: row.opt_text(10)?.as_deref().and_then(RefundMeaning::parse),
        state: word(row, 11, RefundState::parse)?,
        reason: row.text(12)?,
        requested_by: row.text(13)?,
        approval,
        call,
        calls: row.i64(20)?,
        server_errors: row.i64(21)?,
        called_at: opt_timestamp(row, 22)?,
        learned: RefundLearned {
            processor_refund_id: row.opt_text(23)?,
            line_id: row.opt_text(24)?,
            failure_line_id: row.opt_text(25)?,
            failure_reason: row.opt_text(26)?,
            bank_reference: row.opt_text(27)?,
        },
        paid: opt_date(row, 28)?.map(|on| Ok::<_, anyhow::Error>((on, row.opt_text(29)?))).transpose()?,
        created_at: timestamp(row, 30)?,
        changed_at: timestamp(row, 31)?,
    })
}

fn decode_part(row: &Row<'_>) -> Result<RefundPart> {
    let invoice = row.opt_bytes16(2)?.map(InvoiceId::from_bytes);
    let grant = row.opt_bytes16(3)?.map(GrantId::from_bytes);
    let place = match row.text(0)?.as_str() {
        "surcharge" => RefundPlace::Surcharge,
        "unapplied" => RefundPlace::Unapplied,
        "owed" => RefundPlace::Owed,
        "grant" => RefundPlace::Grant { grant: grant.context("credit names its grant")?, born_on: invoice },
        _ => RefundPlace::Allocated(invoice.context("an allocation names its invoice")?),
    };
    let payment_id = row.opt_bytes16(1)?.map(PaymentId::from_bytes);
    Ok(RefundPart { place, payment_id, amount_minor: row.i64(4)? })
}
