//! Credit notes and their taxes. Only ever added to: one that was wrong is answered by a new invoice.

use crate::args;
use crate::columns::{currency, date, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CreditNoteId, CustomerId, InvoiceId, MerchantId, PostingId};
use billing::line::TaxRate;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

/// A document that lowers what an invoice asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// Which.
    pub id: CreditNoteId,
    /// What people call it; unique per merchant, without gaps.
    pub number: String,
    /// Whose invoice.
    pub customer_id: CustomerId,
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// All of it, tax included.
    pub amount: Money,
    /// Tax within the amount, minor units.
    pub tax_minor: i64,
    /// The part that lowers what is owed, minor units; the rest is customer credit.
    pub to_invoice_minor: i64,
    /// Why, in the merchant's words.
    pub reason: String,
    /// The posting that booked it.
    pub posting_id: PostingId,
    /// Civil date in the merchant's zone.
    pub issued_on: Date,
    /// When.
    pub issued_at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO credit_notes (merchant_id, id, number, customer_id, invoice_id, currency, amount,
    tax, to_invoice, reason, posting_id, issued_on, issued_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
const INSERT_TAX: Sql = Sql("INSERT INTO credit_note_taxes (merchant_id, credit_note_id, tax_rate, amount)
  VALUES ($1, $2, $3, $4)");
const FIND: Sql =
    Sql("SELECT id, number, customer_id, invoice_id, currency, amount, tax, to_invoice, reason, posting_id,
    issued_on, issued_at FROM credit_notes WHERE merchant_id = $1 AND id = $2");
const BY_NUMBER: Sql =
    Sql("SELECT id, number, customer_id, invoice_id, currency, amount, tax, to_invoice, reason,
    posting_id, issued_on, issued_at FROM credit_notes WHERE merchant_id = $1 AND number = $2");
const BY_INVOICE: Sql = Sql("SELECT id, number, customer_id, invoice_id, currency, amount, tax, to_invoice, reason,
    posting_id, issued_on, issued_at FROM credit_notes WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id DESC");
const NEWEST: Sql = Sql("SELECT id, number, customer_id, invoice_id, currency, amount, tax, to_invoice, reason,
    posting_id, issued_on, issued_at FROM credit_notes WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const LATEST: Sql = Sql("SELECT id, number, customer_id, invoice_id, currency, amount, tax, to_invoice, reason,
    posting_id, issued_on, issued_at FROM credit_notes WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const TAXES: Sql = Sql("SELECT tax_rate, amount FROM credit_note_taxes
  WHERE merchant_id = $1 AND credit_note_id = $2 ORDER BY tax_rate");
const CREDITED: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM credit_notes
  WHERE merchant_id = $1 AND invoice_id = $2");
const CREDITED_TAXES: Sql = Sql("SELECT t.tax_rate, CAST(SUM(t.amount) AS BIGINT) FROM credit_notes n
  JOIN credit_note_taxes t ON t.merchant_id = n.merchant_id AND t.credit_note_id = n.id
  WHERE n.merchant_id = $1 AND n.invoice_id = $2 GROUP BY t.tax_rate ORDER BY t.tax_rate");

/// Adds a credit note with its taxes.
pub async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    note: &CreditNote,
    taxes: &[(TaxRate, i64)],
) -> Result<()> {
    let issued_on = note.issued_on.to_string();
    let args = args![
        merchant.0,
        note.id.as_bytes(),
        &note.number,
        note.customer_id.as_bytes(),
        note.invoice_id.as_bytes(),
        note.amount.currency().code(),
        note.amount.minor(),
        note.tax_minor,
        note.to_invoice_minor,
        &note.reason,
        note.posting_id.as_bytes(),
        &issued_on,
        note.issued_at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await?;
    for (rate, minor) in taxes {
        tx.write_one(INSERT_TAX, args![merchant.0, note.id.as_bytes(), rate.0, *minor]).await?;
    }
    Ok(())
}

/// The credit note with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: CreditNoteId) -> Result<Option<CreditNote>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// The credit note with this number.
pub async fn find_by_number(tx: &mut Tx, merchant: MerchantId, number: &str) -> Result<Option<CreditNote>> {
    tx.fetch_optional(BY_NUMBER, args![merchant.0, number], decode).await
}

/// The credit notes of an invoice, newest first.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<CreditNote>> {
    tx.fetch_all(BY_INVOICE, args![merchant.0, invoice.as_bytes()], decode).await
}

/// Credit notes before one of them, newest first.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    before: CreditNoteId,
    limit: i64,
) -> Result<Vec<CreditNote>> {
    tx.fetch_all(NEWEST, args![merchant.0, before.as_bytes(), limit], decode).await
}

/// Credit notes after one of them, oldest first.
pub async fn latest(
    tx: &mut Tx,
    merchant: MerchantId,
    after: CreditNoteId,
    limit: i64,
) -> Result<Vec<CreditNote>> {
    tx.fetch_all(LATEST, args![merchant.0, after.as_bytes(), limit], decode).await
}

/// The taxes within a credit note, by rate, minor units.
pub async fn taxes(tx: &mut Tx, merchant: MerchantId, id: CreditNoteId) -> Result<Vec<(TaxRate, i64)>> {
    tx.fetch_all(TAXES, args![merchant.0, id.as_bytes()], tax).await
}

/// What was credited of an invoice so far, tax included, minor units.
pub async fn credited(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<i64> {
    tx.fetch_one(CREDITED, args![merchant.0, invoice.as_bytes()], |row| row.i64(0)).await
}

/// What was credited of an invoice's taxes so far, by rate, minor units.
pub async fn credited_taxes(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<(TaxRate, i64)>> {
    tx.fetch_all(CREDITED_TAXES, args![merchant.0, invoice.as_bytes()], tax).await
}

fn tax(row: &Row<'_>) -> Result<(TaxRate, i64)> {
    Ok((TaxRate(row.i64(0)?), row.i64(1)?))
}

fn decode(row: &Row<'_>) -> Result<CreditNote> {
    Ok(CreditNote {
        id: CreditNoteId::from_bytes(row.bytes16(0)?),
        number: row.text(1)?,
        customer_id: CustomerId::from_bytes(row.bytes16(2)?),
        invoice_id: InvoiceId::from_bytes(row.bytes16(3)?),
        amount: Money::new(row.i64(5)?, currency(row, 4)?),
        tax_minor: row.i64(6)?,
        to_invoice_minor: row.i64(7)?,
        reason: row.text(8)?,
        posting_id: PostingId::from_bytes(row.bytes16(9)?),
        issued_on: date(row, 10)?,
        issued_at: timestamp(row, 11)?,
    })
}
