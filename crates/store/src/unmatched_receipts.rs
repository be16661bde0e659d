//! Money at the bank of which nobody knows yet whose it is. As soon as somebody does, it is a payment of the same id, and what
//! has no place yet stays here.

use crate::args;
use crate::columns::{currency, date, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, MerchantId, PaymentId};
use billing::payment::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

/// A receipt that was recorded without a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedReceipt {
    /// Which; the payment that it becomes has the same id.
    pub id: PaymentId,
    /// By what means it came; never by card or debit.
    pub method: Method,
    /// What came.
    pub amount: Money,
    /// What of it has no place yet.
    pub left: Money,
    /// Who paid, as the bank says it.
    pub payer: Option<String>,
    /// What the merchant's books know it by.
    pub reference: Option<String>,
    /// The day it came, in the merchant's zone.
    pub received_on: Date,
    /// Whose it is, as soon as somebody knows.
    pub customer_id: Option<CustomerId>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was taken out of the books again, before anybody knew whose it was. Nothing is left of it then.
    pub reversed_at: Option<Timestamp>,
}

const INSERT: Sql =
    Sql("INSERT INTO unmatched_receipts (merchant_id, id, method, currency, amount, remaining, payer,
    reference, received_on, created_at) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)");
const FIND: Sql =
    Sql("SELECT id, method, currency, amount, CASE WHEN reversed_at IS NULL THEN remaining ELSE 0 END, payer, reference,
    received_on, customer_id, created_at, reversed_at FROM unmatched_receipts WHERE merchant_id = $1 AND id = $2");
const WAITING: Sql =
    Sql("SELECT id, method, currency, amount, CASE WHEN reversed_at IS NULL THEN remaining ELSE 0 END, payer, reference,
    received_on, customer_id, created_at, reversed_at FROM unmatched_receipts WHERE merchant_id = $1 AND id < $2
    AND ((remaining > 0 AND reversed_at IS NULL) OR CAST($3 AS BIGINT) = 1) ORDER BY id DESC LIMIT $4");
const WAITING_AFTER: Sql =
    Sql("SELECT id, method, currency, amount, CASE WHEN reversed_at IS NULL THEN remaining ELSE 0 END, payer, reference,
    received_on, customer_id, created_at, reversed_at FROM unmatched_receipts WHERE merchant_id = $1 AND id > $2
    AND ((remaining > 0 AND reversed_at IS NULL) OR CAST($3 AS BIGINT) = 1) ORDER BY id LIMIT $4");
const MATCH: Sql = Sql("UPDATE unmatched_receipts SET customer_id = $3
  WHERE merchant_id = $1 AND id = $2 AND customer_id IS NULL AND reversed_at IS NULL");
const REVERSE: Sql = Sql("UPDATE unmatched_receipts SET reversed_at = $3
  WHERE merchant_id = $1 AND id = $2 AND customer_id IS NULL AND reversed_at IS NULL");
const TAKE: Sql = Sql("UPDATE unmatched_receipts SET remaining = remaining - $3
  WHERE merchant_id = $1 AND id = $2 AND customer_id IS NOT NULL AND remaining >= $3");

/// Adds a receipt, all of it without a place.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, new: &UnmatchedReceipt) -> Result<()> {
    let received_on = new.received_on.to_string();
    let args = args![
        merchant.0,
        new.id.as_bytes(),
        new.method.as_str(),
        new.amount.currency().code(),
        new.amount.minor(),
        new.payer.as_deref(),
        new.reference.as_deref(),
        &received_on,
        new.created_at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// The receipt with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<UnmatchedReceipt>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// Locks the receipt; where a payment is in the lock order.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<UnmatchedReceipt>> {
    tx.lock(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// Receipts before one of them, newest first: those of which something has no place yet, or `all`.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    before: PaymentId,
    (all, limit): (bool, i64),
) -> Result<Vec<UnmatchedReceipt>> {
    tx.fetch_all(WAITING, args![merchant.0, before.as_bytes(), i64::from(all), limit], decode).await
}

/// Receipts after one of them, oldest first: those of which something has no place yet, or `all`.
pub async fn latest(
    tx: &mut Tx,
    merchant: MerchantId,
    after: PaymentId,
    (all, limit): (bool, i64),
) -> Result<Vec<UnmatchedReceipt>> {
    tx.fetch_all(WAITING_AFTER, args![merchant.0, after.as_bytes(), i64::from(all), limit], decode).await
}

/// Says whose it is, once.
pub async fn set_customer(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PaymentId,
    customer: CustomerId,
) -> Result<()> {
    tx.write_one(MATCH, args![merchant.0, id.as_bytes(), customer.as_bytes()]).await
}

/// Takes what found its place. Fails, and so rolls the transaction back, when less is left.
pub async fn take(tx: &mut Tx, merchant: MerchantId, id: PaymentId, minor: i64) -> Result<()> {
    let taken = tx.execute(TAKE, args![merchant.0, id.as_bytes(), minor]).await?;
    anyhow::ensure!(taken == 1, "receipt {id} has less than {minor} left");
    Ok(())
}

/// Notes that it was taken out of the books. Fails where it is somebody's payment, or was taken out before.
pub async fn reverse(tx: &mut Tx, merchant: MerchantId, id: PaymentId, now: Timestamp) -> Result<()> {
    tx.write_one(REVERSE, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await
}

fn decode(row: &Row<'_>) -> Result<UnmatchedReceipt> {
    let currency = currency(row, 2)?;
    Ok(UnmatchedReceipt {
        id: PaymentId::from_bytes(row.bytes16(0)?),
        method: word(row, 1, Method::parse)?,
        amount: Money::new(row.i64(3)?, currency),
        left: Money::new(row.i64(4)?, currency),
        payer: row.opt_text(5)?,
        reference: row.opt_text(6)?,
        received_on: date(row, 7)?,
        customer_id: row.opt_bytes16(8)?.map(CustomerId::from_bytes),
        created_at: timestamp(row, 9)?,
        reversed_at: opt_timestamp(row, 10)?,
    })
}
