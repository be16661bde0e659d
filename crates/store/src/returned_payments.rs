//! What customers owe of payments that were taken back, and the invoices that demand it again. Nothing here is ever changed.

use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use jiff::Timestamp;
use ledger::Money;

/// An invoice that demands a returned payment again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// Who owes it.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO returned_payment_demands (merchant_id, invoice_id, customer_id, currency, amount, at)
  VALUES ($1, $2, $3, $4, $5, $6)");
const FIND: Sql = Sql("SELECT invoice_id, customer_id, currency, amount, at FROM returned_payment_demands
  WHERE merchant_id = $1 AND invoice_id = $2");
const OWED: Sql = Sql("SELECT p.currency,
    CAST(SUM(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END) AS BIGINT)
  FROM entries e JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id
  WHERE e.merchant_id = $1 AND e.customer_id = $2 AND e.account = 1150 GROUP BY p.currency ORDER BY p.currency");

/// Notes that an invoice demands a returned payment again.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, demand: &Demand) -> Result<()> {
    let args = args![
        merchant.0,
        demand.invoice_id.as_bytes(),
        demand.customer_id.as_bytes(),
        demand.amount.currency().code(),
        demand.amount.minor(),
        demand.at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// The demand that an invoice is, if it is one.
pub async fn find(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<Option<Demand>> {
    tx.fetch_optional(FIND, args![merchant.0, invoice.as_bytes()], decode).await
}

/// What a customer owes of returned payments and was not asked for again, a sum per currency.
pub async fn owed(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<Vec<Money>> {
    let sums = tx
        .fetch_all(OWED, args![merchant.0, customer.as_bytes()], |row| {
            Ok(Money::new(row.i64(1)?, currency(row, 0)?))
        })
        .await?;
    Ok(sums.into_iter().filter(|sum| !sum.is_zero()).collect())
}

fn decode(row: &Row<'_>) -> Result<Demand> {
    Ok(Demand {
        invoice_id: InvoiceId::from_bytes(row.bytes16(0)?),
        customer_id: CustomerId::from_bytes(row.bytes16(1)?),
        amount: Money::new(row.i64(3)?, currency(row, 2)?),
        at: timestamp(row, 4)?,
    })
}
