//! Attempts: tries of a payment at a processor. One attempt, one key, one body, for ever.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use crate::payments::Payment;
use anyhow::Result;
use billing::ids::{AttemptId, MerchantId, PaymentId};
use jiff::Timestamp;

/// One try at a processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which attempt.
    pub id: AttemptId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Counted from 1 within the payment.
    pub number: i64,
    /// Word of the processor.
    pub processor: String,
    /// Our idempotency key there.
    pub processor_key: String,
    /// The call, for example `POST /v1/checkout/sessions`.
    pub route: String,
    /// Its exact body.
    pub body: String,
    /// Id of the hosted page.
    pub session_id: Option<String>,
    /// Address of the hosted page.
    pub session_url: Option<String>,
    /// When that page closes by itself.
    pub session_expires_at: Option<Timestamp>,
    /// The processor's own id of the payment.
    pub payment_intent_id: Option<String>,
    /// Id of the charge that took the money.
    pub charge_id: Option<String>,
    /// The line of the processor's books on which the charge and its fee stand, once the processor has told it.
    pub balance_transaction_id: Option<String>,
    /// The processor's own code of the latest decline, for staff; the payment has the reason in our words.
    pub decline_code: Option<String>,
    /// When a bank last said no.
    pub declined_at: Option<Timestamp>,
    /// Why the processor refused the call itself, in its words.
    pub refusal: Option<String>,
    /// How often it was sent.
    pub calls: i64,
    /// How often in a row the answer was a server error.
    pub server_errors: i64,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last sent.
    pub called_at: Option<Timestamp>,
}

impl Attempt {
    /// The first try of a payment, stored with it and not sent yet: our key at the processor, and the whole call as route and
    /// body.
    pub fn first(
        payment: &Payment,
        id: AttemptId,
        (processor, processor_key): (&str, String),
        (route, body): (String, String),
    ) -> Attempt {
        Attempt {
            merchant: payment.merchant,
            id,
            payment_id: payment.id,
            number: 1,
            processor: processor.to_owned(),
            processor_key,
            route,
            body,
            session_id: None,
            session_url: None,
            session_expires_at: None,
            payment_intent_id: None,
            charge_id: None,
            balance_transaction_id: None,
            decline_code: None,
            declined_at: None,
            refusal: None,
            calls: 0,
            server_errors: 0,
            created_at: payment.created_at,
            called_at: None,
        }
    }
}

/// What an answer of the processor tells about an attempt; what is `None` stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Id of the hosted page.
    pub session_id: Option<String>,
    /// Address of the hosted page.
    pub session_url: Option<String>,
    /// When that page closes by itself.
    pub session_expires_at: Option<Timestamp>,
    /// The processor's own id of the payment.
    pub payment_intent_id: Option<String>,
    /// Id of the charge that took the money.
    pub charge_id: Option<String>,
    /// The line of the processor's books on which the charge and its fee stand, once the processor has told it.
    pub balance_transaction_id: Option<String>,
    /// The processor's own code of the latest decline, for staff; the payment has the reason in our words.
    pub decline_code: Option<String>,
    /// When a bank last said no.
    pub declined_at: Option<Timestamp>,
}

const INSERT: Sql =
    Sql("INSERT INTO attempts (merchant_id, id, payment_id, number, processor, processor_key, route,
    body, calls, server_errors, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)");
const NOTE_CALL: Sql = Sql("UPDATE attempts SET calls = calls + 1, called_at = $3
  WHERE merchant_id = $1 AND id = $2 RETURNING calls");
const NOTE_SERVER_ERROR: Sql = Sql("UPDATE attempts SET server_errors = server_errors + 1
  WHERE merchant_id = $1 AND id = $2");
const NOTE_REFUSAL: Sql = Sql("UPDATE attempts SET refusal = $3 WHERE merchant_id = $1 AND id = $2");
const LEARN: Sql = Sql("UPDATE attempts SET session_id = COALESCE($3, session_id),
    session_url = COALESCE($4, session_url), session_expires_at = COALESCE($5, session_expires_at),
    payment_intent_id = COALESCE($6, payment_intent_id), charge_id = COALESCE($7, charge_id),
    balance_transaction_id = COALESCE($8, balance_transaction_id), decline_code = COALESCE($9, decline_code),
    declined_at = COALESCE($10, declined_at), server_errors = 0
  WHERE merchant_id = $1 AND id = $2");
const BY_ID: Sql =
    Sql("SELECT merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id,
    session_url, session_expires_at, payment_intent_id, charge_id, balance_transaction_id, decline_code,
    declined_at, refusal, calls, server_errors, created_at, called_at
  FROM attempts WHERE merchant_id = $1 AND id = $2");
const LATEST: Sql =
    Sql("SELECT merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id,
    session_url, session_expires_at, payment_intent_id, charge_id, balance_transaction_id, decline_code,
    declined_at, refusal, calls, server_errors, created_at, called_at
  FROM attempts WHERE merchant_id = $1 AND payment_id = $2 ORDER BY number DESC LIMIT 1");
const BY_SESSION: Sql =
    Sql("SELECT merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id,
    session_url, session_expires_at, payment_intent_id, charge_id, balance_transaction_id, decline_code,
    declined_at, refusal, calls, server_errors, created_at, called_at
  FROM attempts WHERE merchant_id = $1 AND session_id = $2");
const BY_INTENT: Sql =
    Sql("SELECT merchant_id, id, payment_id, number, processor, processor_key, route, body, session_id,
    session_url, session_expires_at, payment_intent_id, charge_id, balance_transaction_id, decline_code,
    declined_at, refusal, calls, server_errors, created_at, called_at
  FROM attempts WHERE merchant_id = $1 AND payment_intent_id = $2 ORDER BY number LIMIT 1");
const PAYMENT_OF_CHARGE: Sql =
    Sql("SELECT payment_id FROM attempts WHERE merchant_id = $1 AND processor = $2 AND charge_id = $3");

/// Stores an attempt before it is sent.
pub async fn insert(tx: &mut Tx, attempt: &Attempt) -> Result<()> {
    let args = args![
        attempt.merchant.0,
        attempt.id.as_bytes(),
        attempt.payment_id.as_bytes(),
        attempt.number,
        &attempt.processor,
        &attempt.processor_key,
        &attempt.route,
        &attempt.body,
        attempt.created_at.as_microsecond(),
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Notes that it is about to be sent; answers how often it was sent by now, this time included.
pub async fn note_call(tx: &mut Tx, merchant: MerchantId, id: AttemptId, now: Timestamp) -> Result<i64> {
    let args = args![merchant.0, id.as_bytes(), now.as_microsecond()];
    tx.fetch_one(NOTE_CALL, args, |row| row.i64(0)).await
}

/// Notes a server error; three in a row mean that the same key will answer the same for ever.
pub async fn note_server_error(tx: &mut Tx, merchant: MerchantId, id: AttemptId) -> Result<()> {
    tx.execute(NOTE_SERVER_ERROR, args![merchant.0, id.as_bytes()]).await?;
    Ok(())
}

/// Notes why the processor refused the call.
pub async fn note_refusal(tx: &mut Tx, merchant: MerchantId, id: AttemptId, refusal: &str) -> Result<()> {
    tx.execute(NOTE_REFUSAL, args![merchant.0, id.as_bytes(), refusal]).await?;
    Ok(())
}

/// Keeps what an answer told.
pub async fn learn(tx: &mut Tx, merchant: MerchantId, id: AttemptId, learned: &Learned) -> Result<()> {
    let args = args![
        merchant.0,
        id.as_bytes(),
        learned.session_id.as_deref(),
        learned.session_url.as_deref(),
        learned.session_expires_at.map(Timestamp::as_microsecond),
        learned.payment_intent_id.as_deref(),
        learned.charge_id.as_deref(),
        learned.balance_transaction_id.as_deref(),
        learned.decline_code.as_deref(),
        learned.declined_at.map(Timestamp::as_microsecond),
    ];
    tx.execute(LEARN, args).await?;
    Ok(())
}

/// The attempt with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: AttemptId) -> Result<Option<Attempt>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The last attempt of a payment.
pub async fn latest(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Attempt>> {
    tx.fetch_optional(LATEST, args![merchant.0, payment.as_bytes()], decode).await
}

/// The attempt behind a hosted page.
pub async fn find_by_session(tx: &mut Tx, merchant: MerchantId, session: &str) -> Result<Option<Attempt>> {
    tx.fetch_optional(BY_SESSION, args![merchant.0, session], decode).await
}

/// The attempt behind the processor's id of a payment.
pub async fn find_by_intent(tx: &mut Tx, merchant: MerchantId, intent: &str) -> Result<Option<Attempt>> {
    tx.fetch_optional(BY_INTENT, args![merchant.0, intent], decode).await
}

/// The payment that a charge at the processor took money for.
pub async fn payment_of_charge(
    tx: &mut Tx,
    merchant: MerchantId,
    processor: &str,
    charge: &str,
) -> Result<Option<PaymentId>> {
    let id = |row: &Row<'_>| Ok(PaymentId::from_bytes(row.bytes16(0)?));
    tx.fetch_optional(PAYMENT_OF_CHARGE, args![merchant.0, processor, charge], id).await
}

fn decode(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        merchant: MerchantId(row.i64(0)?),
        id: AttemptId::from_bytes(row.bytes16(1)?),
        payment_id: PaymentId::from_bytes(row.bytes16(2)?),
        number: row.i64(3)?,
        processor: row.text(4)?,
        processor_key: row.text(5)?,
        route: row.text(6)?,
        body: row.text(7)?,
        session_id: row.opt_text(8)?,
        session_url: row.opt_text(9)?,
        session_expires_at: opt_timestamp(row, 10)?,
        payment_intent_id: row.opt_text(11)?,
        charge_id: row.opt_text(12)?,
        balance_transaction_id: row.opt_text(13)?,
        decline_code: row.opt_text(14)?,
        declined_at: opt_timestamp(row, 15)?,
        refusal: row.opt_text(16)?,
        calls: row.i64(17)?,
        server_errors: row.i64(18)?,
        created_at: timestamp(row, 19)?,
        called_at: opt_timestamp(row, 20)?,
    })
}
