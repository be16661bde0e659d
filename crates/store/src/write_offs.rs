//! What was given up of invoices, and what came of it after all. Only ever added to.

use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{InvoiceId, MerchantId, PaymentId, PostingId, WriteOffId};
use jiff::Timestamp;
use ledger::Money;

/// A part of an invoice that was given up, or money that came for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Which.
    pub id: WriteOffId,
    /// Of which invoice.
    pub invoice_id: InvoiceId,
    /// Given up; below 0 where money came for it after all.
    pub amount: Money,
    /// Why, in the merchant's words.
    pub reason: String,
    /// The payment that came after all.
    pub payment_id: Option<PaymentId>,
    /// The posting that booked it.
    pub posting_id: PostingId,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO write_offs (merchant_id, id, invoice_id, currency, amount, reason, payment_id,
    posting_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
const FIND: Sql =
    Sql("SELECT id, invoice_id, currency, amount, reason, payment_id, posting_id, at FROM write_offs
  WHERE merchant_id = $1 AND id = $2");
const BY_INVOICE: Sql = Sql("SELECT id, invoice_id, currency, amount, reason, payment_id, posting_id, at
  FROM write_offs WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id DESC");
const WRITTEN_OFF: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM write_offs
  WHERE merchant_id = $1 AND invoice_id = $2");

/// Adds a write-off, or what came of one.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, new: &WriteOff) -> Result<()> {
    let args = args![
        merchant.0,
        new.id.as_bytes(),
        new.invoice_id.as_bytes(),
        new.amount.currency().code(),
        new.amount.minor(),
        &new.reason,
        new.payment_id.as_ref().map(PaymentId::as_bytes),
        new.posting_id.as_bytes(),
        new.at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// The write-off with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: WriteOffId) -> Result<Option<WriteOff>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// Those of an invoice, newest first.
pub async fn list_by_invoice(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<Vec<WriteOff>> {
    tx.fetch_all(BY_INVOICE, args![merchant.0, invoice.as_bytes()], decode).await
}

/// What is written off of an invoice now, minor units.
pub async fn written_off(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<i64> {
    tx.fetch_one(WRITTEN_OFF, args![merchant.0, invoice.as_bytes()], |row| row.i64(0)).await
}

fn decode(row: &Row<'_>) -> Result<WriteOff> {
    Ok(WriteOff {
        id: WriteOffId::from_bytes(row.bytes16(0)?),
        invoice_id: InvoiceId::from_bytes(row.bytes16(1)?),
        amount: Money::new(row.i64(3)?, currency(row, 2)?),
        reason: row.text(4)?,
        payment_id: row.opt_bytes16(5)?.map(PaymentId::from_bytes),
        posting_id: PostingId::from_bytes(row.bytes16(6)?),
        at: timestamp(row, 7)?,
    })
}
