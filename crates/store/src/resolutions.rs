//! Resolutions: the word of a person on how a payment ended, where the processor could not be asked. Never changed; when the
//! processor has said its own final word is noted beside it, once.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId};
use billing::payment::PaymentState;
use jiff::Timestamp;

/// What a person said of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Which payment.
    pub payment_id: PaymentId,
    /// How it ended: succeeded, failed or canceled; or returned, where an earlier word turned out to be wrong.
    pub state: PaymentState,
    /// Why they are sure of it. Never empty.
    pub reason: String,
    /// Who, as the audit trail calls them. Never empty.
    pub actor: String,
    /// Why the processor could not be asked at that moment.
    pub unanswered: Option<String>,
    /// When it was said.
    pub at: Timestamp,
    /// When the processor said how the payment ended. Until then it is asked.
    pub answered_at: Option<Timestamp>,
}

const INSERT: Sql =
    Sql("INSERT INTO resolutions (merchant_id, payment_id, state, reason, actor, unanswered, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)");
const LIST: Sql = Sql("SELECT payment_id, state, reason, actor, unanswered, at, answered_at FROM resolutions
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY at, CASE state WHEN 'returned' THEN 1 ELSE 0 END");
const NOTE_ANSWER: Sql = Sql("UPDATE resolutions SET answered_at = $3
  WHERE merchant_id = $1 AND payment_id = $2 AND answered_at IS NULL");

/// Adds a word. Fails where the same was said of the payment before.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, resolution: &Resolution) -> Result<()> {
    let Resolution { payment_id, state, reason, actor, unanswered, at, .. } = resolution;
    let (state, at) = (state.as_str(), at.as_microsecond());
    let args = args![merchant.0, payment_id.as_bytes(), state, reason, actor, unanswered.as_deref(), at];
    tx.write_one(INSERT, args).await
}

/// What was said of a payment, oldest first.
pub async fn list(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Resolution>> {
    tx.fetch_all(LIST, args![merchant.0, payment.as_bytes()], decode).await
}

/// The last word on a payment.
pub async fn latest(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Resolution>> {
    Ok(list(tx, merchant, payment).await?.pop())
}

/// Notes that the processor has said how the payment ended; the first time counts.
pub async fn note_answer(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
    now: Timestamp,
) -> Result<()> {
    tx.execute(NOTE_ANSWER, args![merchant.0, payment.as_bytes(), now.as_microsecond()]).await.map(drop)
}

fn decode(row: &Row<'_>) -> Result<Resolution> {
    Ok(Resolution {
        payment_id: PaymentId::from_bytes(row.bytes16(0)?),
        state: word(row, 1, PaymentState::parse)?,
        reason: row.text(2)?,
        actor: row.text(3)?,
        unanswered: row.opt_text(4)?,
        at: timestamp(row, 5)?,
        answered_at: opt_timestamp(row, 6)?,
    })
}
