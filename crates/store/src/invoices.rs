//! Invoices and their lines. Balances change by guarded updates only, so that the database itself refuses to reserve
//! or allocate more than is there; `verify` proves them from the ledger.

mod list;
mod newest;
mod pages;

pub use list::{Owed, Tab, TabCounts, count_tabs, currencies, in_cli_list, owed};
pub use newest::{Filter, newest};
pub use pages::{Cursor, Key, Listed, Place, Search, Sort, page};

use crate::args;
use crate::columns::{currency, date, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::{Context as _, Result};
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::invoice::{Figures, Lifecycle};
use billing::line::TaxRate;
use jiff::Timestamp;
use jiff::civil::Date;

/// A demand for payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which invoice.
    pub id: InvoiceId,
    /// What people call it; unique per merchant.
    pub number: String,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// Stored part of the state.
    pub lifecycle: Lifecycle,
    /// Total, open, pending, paid, and their currency.
    pub figures: Figures,
    /// Tax within the total, minor units.
    pub tax_minor: i64,
    /// Civil date in the merchant's zone.
    pub issued_on: Date,
    /// Civil date in the merchant's zone.
    pub due_on: Date,
    /// The customer's order number.
    pub purchase_order: Option<String>,
    /// A note of the merchant.
    pub memo: Option<String>,
    /// SHA-256 of what was imported or entered, to recognise the same again.
    pub content_hash: [u8; 32],
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When nothing was owed any more or it was voided; `None` while something is owed.
    pub ended_at: Option<Timestamp>,
}

impl Invoice {
    /// The number, as soon as it has one: a draft that was written without goes by its id until it is issued.
    pub fn given_number(&self) -> Option<&str> {
        let has_none = self.lifecycle == Lifecycle::Draft && self.number == self.id.to_string();
        (!has_none).then_some(&self.number)
    }
}

/// One row of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// What for.
    pub description: String,
    /// How many, decimal text.
    pub quantity: String,
    /// Price of one, minor units.
    pub unit_amount_minor: i64,
    /// Tax rate, if taxed.
    pub tax_rate: Option<TaxRate>,
    /// Quantity × price, minor units.
    pub net_minor: i64,
    /// Tax on it, minor units.
    pub tax_minor: i64,
}

/// A change of the balances, minor units; each part may be below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shift {
    /// Added to what is owed.
    pub open_minor: i64,
    /// Added to what is reserved.
    pub pending_minor: i64,
    /// Added to what was paid.
    pub paid_minor: i64,
}

const INSERT: Sql =
    Sql("INSERT INTO invoices (merchant_id, id, number, customer_id, currency, lifecycle, total, tax,
    open, pending, paid, issued_on, due_on, purchase_order, memo, content_hash, created_at)
  VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, 0, 0, 0, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING");
const INSERT_LINE: Sql =
    Sql("INSERT INTO invoice_lines (merchant_id, invoice_id, position, description, quantity,
    unit_amount, tax_rate, net, tax) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
const ISSUE: Sql = Sql("UPDATE invoices SET lifecycle = 'open', open = total, issued_at = $3,
    ended_at = CASE WHEN total = 0 THEN CAST($3 AS BIGINT) ELSE NULL END
  WHERE merchant_id = $1 AND id = $2 AND lifecycle = 'draft'");
const COMPLETE: Sql = Sql("UPDATE invoices SET number = $3, issued_on = $4, content_hash = $5
  WHERE merchant_id = $1 AND id = $2 AND lifecycle = 'draft'");
const VOID: Sql = Sql("UPDATE invoices SET lifecycle = 'void', open = 0, ended_at = $3
  WHERE merchant_id = $1 AND id = $2 AND lifecycle = 'open' AND open = total AND pending = 0 AND paid = 0");
const GIVE_UP: Sql = Sql("UPDATE invoices SET lifecycle = 'uncollectible'
  WHERE merchant_id = $1 AND id = $2 AND lifecycle = 'open' AND open = 0 AND pending = 0");
const RESERVE: Sql = Sql("UPDATE invoices SET pending = pending + $3
  WHERE merchant_id = $1 AND id = $2 AND lifecycle IN ('open', 'uncollectible') AND open - pending >= $3");
const SHIFT: Sql = Sql("UPDATE invoices SET open = open + $3, pending = pending + $4, paid = paid + $5,
    ended_at = CASE WHEN open + $3 > 0 THEN NULL ELSE COALESCE(ended_at, CAST($6 AS BIGINT)) END
  WHERE merchant_id = $1 AND id = $2 AND pending + $4 >= 0 AND open + $3 >= pending + $4");
const BY_ID: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND id = $2");
const BY_NUMBER: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending,
    paid, tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND number = $2");
const LINES: Sql = Sql("SELECT description, quantity, unit_amount, tax_rate, net, tax FROM invoice_lines
  WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY position");

/// Adds a draft with its lines; `false` when its number is taken. Nothing is owed until it is issued.
pub async fn insert(tx: &mut Tx, invoice: &Invoice, lines: &[InvoiceLine]) -> Result<bool> {
    let (issued_on, due_on) = (invoice.issued_on.to_string(), invoice.due_on.to_string());
    let args = args![
        invoice.merchant.0,
        invoice.id.as_bytes(),
        &invoice.number,
        invoice.customer_id.as_bytes(),
        invoice.figures.currency.code(),
        invoice.figures.total_minor,
        invoice.tax_minor,
        &issued_on,
        &due_on,
        invoice.purchase_order.as_deref(),
        invoice.memo.as_deref(),
        &invoice.content_hash,
        invoice.created_at.as_microsecond(),
    ];
    if tx.execute(INSERT, args).await? == 0 {
        return Ok(false);
    }
    for (position, line) in (1_i64..).zip(lines) {
        let args = args![
            invoice.merchant.0,
            invoice.id.as_bytes(),
            position,
            &line.description,
            &line.quantity,
            line.unit_amount_minor,
            line.tax_rate.map(|rate| rate.0),
            line.net_minor,
            line.tax_minor,
        ];
        tx.execute(INSERT_LINE, args).await?;
    }
    Ok(true)
}

/// Gives a locked draft what only issuing tells: its number, which is free, its day and the hash of what it says.
pub async fn complete(tx: &mut Tx, invoice: &Invoice) -> Result<()> {
    let issued_on = invoice.issued_on.to_string();
    let (merchant, id) = (invoice.merchant.0, invoice.id.as_bytes());
    let args = args![merchant, id, &invoice.number, &issued_on, &invoice.content_hash];
    let changed = tx.execute(COMPLETE, args).await?;
    anyhow::ensure!(changed == 1, "invoice {} is no draft", invoice.id);
    Ok(())
}

/// Makes a draft owed; `false` when it is no draft.
pub async fn issue(tx: &mut Tx, merchant: MerchantId, id: InvoiceId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(ISSUE, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await? == 1)
}

/// Voids an invoice on which nothing was paid, reserved or credited; `false` otherwise.
pub async fn void(tx: &mut Tx, merchant: MerchantId, id: InvoiceId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(VOID, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await? == 1)
}

/// Says that what was owed of an invoice was given up: nothing is open of it any more.
pub async fn give_up(tx: &mut Tx, merchant: MerchantId, id: InvoiceId) -> Result<()> {
    let given_up = tx.execute(GIVE_UP, args![merchant.0, id.as_bytes()]).await?;
    anyhow::ensure!(given_up == 1, "invoice {id} is still owed");
    Ok(())
}

/// Reserves an amount if so much is payable now; `false` otherwise. The guard that two payers meet at.
pub async fn reserve(tx: &mut Tx, merchant: MerchantId, id: InvoiceId, minor: i64) -> Result<bool> {
    Ok(tx.execute(RESERVE, args![merchant.0, id.as_bytes(), minor]).await? == 1)
}

/// Moves the balances of a locked invoice. Fails, and so rolls the transaction back, when they would leave `0 <= pending <= open`.
pub async fn shift(
    tx: &mut Tx,
    merchant: MerchantId,
    id: InvoiceId,
    shift: Shift,
    now: Timestamp,
) -> Result<()> {
    let Shift { open_minor, pending_minor, paid_minor } = shift;
    let now = now.as_microsecond();
    let args = args![merchant.0, id.as_bytes(), open_minor, pending_minor, paid_minor, now];
    let moved = tx.write_one(SHIFT, args).await;
    moved.with_context(|| format!("invoice {id} cannot move its balances by {shift:?}"))
}

/// The invoice with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: InvoiceId) -> Result<Option<Invoice>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The invoice with this number.
pub async fn find_by_number(tx: &mut Tx, merchant: MerchantId, number: &str) -> Result<Option<Invoice>> {
    tx.fetch_optional(BY_NUMBER, args![merchant.0, number], decode).await
}

/// Locks the invoice; last in the lock order, several by id.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: InvoiceId) -> Result<Option<Invoice>> {
    tx.lock(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The lines, in order.
pub async fn lines(tx: &mut Tx, merchant: MerchantId, id: InvoiceId) -> Result<Vec<InvoiceLine>> {
    tx.fetch_all(LINES, args![merchant.0, id.as_bytes()], decode_line).await
}

pub(super) fn decode(row: &Row<'_>) -> Result<Invoice> {
    let figures = Figures {
        currency: currency(row, 4)?,
        total_minor: row.i64(6)?,
        open_minor: row.i64(7)?,
        pending_minor: row.i64(8)?,
        paid_minor: row.i64(9)?,
    };
    Ok(Invoice {
        merchant: MerchantId(row.i64(0)?),
        id: InvoiceId::from_bytes(row.bytes16(1)?),
        number: row.text(2)?,
        customer_id: CustomerId::from_bytes(row.bytes16(3)?),
        lifecycle: word(row, 5, Lifecycle::parse)?,
        figures,
        tax_minor: row.i64(10)?,
        issued_on: date(row, 11)?,
        due_on: date(row, 12)?,
        purchase_order: row.opt_text(13)?,
        memo: row.opt_text(14)?,
        content_hash: row.blob(15)?.try_into().ok().context("a content hash has 32 bytes")?,
        created_at: timestamp(row, 16)?,
        issued_at: opt_timestamp(row, 17)?,
        ended_at: opt_timestamp(row, 18)?,
    })
}

fn decode_line(row: &Row<'_>) -> Result<InvoiceLine> {
    Ok(InvoiceLine {
        description: row.text(0)?,
        quantity: row.text(1)?,
        unit_amount_minor: row.i64(2)?,
        tax_rate: row.opt_i64(3)?.map(TaxRate),
        net_minor: row.i64(4)?,
        tax_minor: row.i64(5)?,
    })
}
