//! Receipts: one per succeeded payment, written once.

use crate::allocations::Allocation;
use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Row, Sql, Tx};
use crate::payments::Of;
use anyhow::Result;
use billing::ids::{AllocationId, CreditApplicationId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId};
use jiff::Timestamp;
use ledger::Currency;
use std::collections::HashMap;

/// What a payer keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Of which payment; it also names the receipt.
    pub payment_id: PaymentId,
    /// Captured for invoices and credit, minor units, without the surcharge.
    pub amount_minor: i64,
    /// Surcharge, minor units.
    pub surcharge_minor: i64,
    /// The part that became customer credit, minor units.
    pub credit_minor: i64,
    /// The part that had no place yet when its payer was found, minor units.
    pub unapplied_minor: i64,
    /// Currency of all.
    pub currency: Currency,
    /// When.
    pub at: Timestamp,
    /// What it was set against.
    pub lines: Vec<ReceiptLine>,
}

/// What a payment did to one invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptLine {
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// Set against it, minor units.
    pub applied_minor: i64,
    /// Owed before.
    pub open_before_minor: i64,
    /// Owed after.
    pub open_after_minor: i64,
}

const INSERT: Sql =
    Sql("INSERT INTO receipts (merchant_id, payment_id, amount, surcharge, credit, currency, at, unapplied)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
const INSERT_LINE: Sql =
    Sql("INSERT INTO receipt_lines (merchant_id, payment_id, invoice_id, applied, open_before,
    open_after) VALUES ($1, $2, $3, $4, $5, $6)");
const FIND: Sql = Sql("SELECT payment_id, amount, surcharge, credit, currency, at, unapplied FROM receipts
  WHERE merchant_id = $1 AND payment_id = $2");
const LINES: Sql = Sql("SELECT invoice_id, applied, open_before, open_after FROM receipt_lines
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY invoice_id");

const LINES_BY_INVOICE: Sql = Sql("SELECT l.invoice_id, l.applied, l.open_before, l.open_after, l.payment_id
  FROM receipt_lines l JOIN receipts r ON r.merchant_id = l.merchant_id AND r.payment_id = l.payment_id
  WHERE l.merchant_id = $1 AND l.invoice_id = $2 ORDER BY l.payment_id DESC LIMIT 200");

const PLACED: Sql =
    Sql("SELECT r.payment_id, r.credit, a.id, a.grant_id, a.invoice_id, a.amount, a.posting_id, a.at, a.application_id
  FROM receipts r LEFT JOIN allocations a ON a.merchant_id = r.merchant_id AND a.payment_id = r.payment_id
  WHERE r.merchant_id = $1 AND r.payment_id >= $2 AND r.payment_id <= $3 ORDER BY r.payment_id, a.at, CASE WHEN a.grant_id IS NULL THEN 0 ELSE 1 END, a.id");
const PLACED_OF_CUSTOMER: Sql =
    Sql("SELECT r.payment_id, r.credit, a.id, a.grant_id, a.invoice_id, a.amount, a.posting_id, a.at, a.application_id
  FROM payments p JOIN receipts r ON r.merchant_id = p.merchant_id AND r.payment_id = p.id
  LEFT JOIN allocations a ON a.merchant_id = r.merchant_id AND a.payment_id = r.payment_id
  WHERE p.merchant_id = $1 AND p.id >= $2 AND p.id <= $3 AND p.customer_id = $4
  ORDER BY r.payment_id, a.at, CASE WHEN a.grant_id IS NULL THEN 0 ELSE 1 END, a.id");
const PLACED_OF_INVOICE: Sql =
    Sql("SELECT r.payment_id, r.credit, a.id, a.grant_id, a.invoice_id, a.amount, a.posting_id, a.at, a.application_id
  FROM receipt_lines l JOIN receipts r ON r.merchant_id = l.merchant_id AND r.payment_id = l.payment_id
  LEFT JOIN allocations a ON a.merchant_id = r.merchant_id AND a.payment_id = r.payment_id
  WHERE l.merchant_id = $1 AND l.invoice_id = $4 AND l.payment_id >= $2 AND l.payment_id <= $3
  ORDER BY r.payment_id, a.at, CASE WHEN a.grant_id IS NULL THEN 0 ELSE 1 END, a.id");

/// Where the money of one payment went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// What became customer credit when it came, minor units.
    pub credit_minor: i64,
    /// What was set against invoices, oldest first; credit that went to one later is among it.
    pub allocations: Vec<Allocation>,
}

/// Where the money of a page of payments went: of those between two ids, both included. What is missing went nowhere yet.
pub async fn placed(
    tx: &mut Tx,
    merchant: MerchantId,
    of: Of,
    (from, to): (PaymentId, PaymentId),
) -> Result<HashMap<PaymentId, Placed>> {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let rows = match of {
        Of::Merchant => tx.fetch_all(PLACED, args![merchant.0, from, to], decode_placed).await?,
        Of::Customer(id) => {
            let args = args![merchant.0, from, to, id.as_bytes()];
            tx.fetch_all(PLACED_OF_CUSTOMER, args, decode_placed).await?
        }
        Of::Invoice(id) => {
            let args = args![merchant.0, from, to, id.as_bytes()];
            tx.fetch_all(PLACED_OF_INVOICE, args, decode_placed).await?
        }
    };
    let mut all: HashMap<PaymentId, Placed> = HashMap::new();
    for (payment, credit_minor, allocation) in rows {
        let placed = all.entry(payment).or_default();
        placed.credit_minor = credit_minor;
        placed.allocations.extend(allocation);
    }
    Ok(all)
}

fn decode_placed(row: &Row<'_>) -> Result<(PaymentId, i64, Option<Allocation>)> {
    let payment_id = PaymentId::from_bytes(row.bytes16(0)?);
    let allocation = match row.opt_bytes16(2)? {
        None => None,
        Some(id) => Some(Allocation {
            id: AllocationId::from_bytes(id),
            payment_id: Some(payment_id),
            grant_id: row.opt_bytes16(3)?.map(GrantId::from_bytes),
            invoice_id: InvoiceId::from_bytes(row.bytes16(4)?),
            amount_minor: row.i64(5)?,
            posting_id: PostingId::from_bytes(row.bytes16(6)?),
            at: timestamp(row, 7)?,
            application_id: row.opt_bytes16(8)?.map(CreditApplicationId::from_bytes),
        }),
    };
    Ok((payment_id, row.i64(1)?, allocation))
}

/// Writes a receipt with its lines.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, receipt: &Receipt) -> Result<()> {
    let args = args![
        merchant.0,
        receipt.payment_id.as_bytes(),
        receipt.amount_minor,
        receipt.surcharge_minor,
        receipt.credit_minor,
        receipt.currency.code(),
        receipt.at.as_microsecond(),
        receipt.unapplied_minor,
    ];
    tx.write_one(INSERT, args).await?;
    for line in &receipt.lines {
        let args = args![
            merchant.0,
            receipt.payment_id.as_bytes(),
            line.invoice_id.as_bytes(),
            line.applied_minor,
            line.open_before_minor,
            line.open_after_minor,
        ];
        tx.write_one(INSERT_LINE, args).await?;
    }
    Ok(())
}

/// The receipt of a payment.
pub async fn find(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Receipt>> {
    let found = tx.fetch_optional(FIND, args![merchant.0, payment.as_bytes()], decode).await?;
    let Some(mut receipt) = found else { return Ok(None) };
    receipt.lines = tx.fetch_all(LINES, args![merchant.0, payment.as_bytes()], decode_line).await?;
    Ok(Some(receipt))
}

/// What payments did to one invoice, newest first, 200 at most.
pub async fn lines_by_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<(PaymentId, ReceiptLine)>> {
    tx.fetch_all(LINES_BY_INVOICE, args![merchant.0, invoice.as_bytes()], |row| {
        Ok((PaymentId::from_bytes(row.bytes16(4)?), decode_line(row)?))
    })
    .await
}

fn decode(row: &Row<'_>) -> Result<Receipt> {
    Ok(Receipt {
        payment_id: PaymentId::from_bytes(row.bytes16(0)?),
        amount_minor: row.i64(1)?,
        surcharge_minor: row.i64(2)?,
        credit_minor: row.i64(3)?,
        currency: currency(row, 4)?,
        at: timestamp(row, 5)?,
        unapplied_minor: row.i64(6)?,
        lines: Vec::new(),
    })
}

fn decode_line(row: &Row<'_>) -> Result<ReceiptLine> {
    Ok(ReceiptLine {
        invoice_id: InvoiceId::from_bytes(row.bytes16(0)?),
        applied_minor: row.i64(1)?,
        open_before_minor: row.i64(2)?,
        open_after_minor: row.i64(3)?,
    })
}
