//! Grants of customer credit, spent oldest first.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::customer::Grant;
use billing::ids::{CustomerId, GrantId, InvoiceId, MerchantId, PaymentId};
use jiff::Timestamp;
use ledger::Money;

/// A grant when it is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewGrant {
    /// Which grant.
    pub id: GrantId,
    /// Whose credit.
    pub customer_id: CustomerId,
    /// The payment whose surplus it is.
    pub payment_id: PaymentId,
    /// The invoice it goes back to as soon as that has something payable.
    pub invoice_id: InvoiceId,
    /// How much.
    pub amount: Money,
}

const INSERT: Sql =
    Sql("INSERT INTO grants (merchant_id, id, customer_id, payment_id, invoice_id, currency, amount,
    remaining, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)");
const LEFT_FOR_INVOICE: Sql = Sql("SELECT id, remaining, payment_id FROM grants
  WHERE merchant_id = $1 AND invoice_id = $2 AND remaining > 0 ORDER BY id");
const LEFT_OF_PAYMENT: Sql = Sql("SELECT id, invoice_id, remaining FROM grants
  WHERE merchant_id = $1 AND payment_id = $2 AND remaining > 0 ORDER BY id");
const SPEND: Sql = Sql("UPDATE grants SET remaining = remaining - $3
  WHERE merchant_id = $1 AND id = $2 AND remaining >= $3");

/// Adds a grant, all of it left.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, grant: &NewGrant, now: Timestamp) -> Result<()> {
    let args = args![
        merchant.0,
        grant.id.as_bytes(),
        grant.customer_id.as_bytes(),
        grant.payment_id.as_bytes(),
        grant.invoice_id.as_bytes(),
        grant.amount.currency().code(),
        grant.amount.minor(),
        now.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// Grants born on an invoice that have something left, oldest first, each with the payment that bore it.
pub async fn left_for_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<(Grant, PaymentId)>> {
    tx.fetch_all(LEFT_FOR_INVOICE, args![merchant.0, invoice.as_bytes()], |row| {
        let grant = Grant { id: GrantId::from_bytes(row.bytes16(0)?), left_minor: row.i64(1)? };
        Ok((grant, PaymentId::from_bytes(row.bytes16(2)?)))
    })
    .await
}

/// Grants that a payment bore and that have something left, oldest first, each with the invoice it was born on.
pub async fn left_of_payment(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<(Grant, InvoiceId)>> {
    tx.fetch_all(LEFT_OF_PAYMENT, args![merchant.0, payment.as_bytes()], |row| {
        let grant = Grant { id: GrantId::from_bytes(row.bytes16(0)?), left_minor: row.i64(2)? };
        Ok((grant, InvoiceId::from_bytes(row.bytes16(1)?)))
    })
    .await
}

/// Takes from a grant. Fails, and so rolls the transaction back, when less is left.
pub async fn spend(tx: &mut Tx, merchant: MerchantId, id: GrantId, minor: i64) -> Result<()> {
    let spent = tx.execute(SPEND, args![merchant.0, id.as_bytes(), minor]).await?;
    anyhow::ensure!(spent == 1, "grant {id} has less than {minor} left");
    Ok(())
}
