//! Allocations: parts of a payment, or of customer credit, set against an invoice. Only ever added to.
//!
//! One with a payment is that payment's money, also where it went through credit born on the very invoice; one without is
//! credit that was spent.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{AllocationId, CreditApplicationId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId};
use jiff::Timestamp;

/// A part set against an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// Which allocation.
    pub id: AllocationId,
    /// The payment whose money it is; `None` for credit that was spent.
    pub payment_id: Option<PaymentId>,
    /// The grant of customer credit it went through, if it did.
    pub grant_id: Option<GrantId>,
    /// The application of credit that it is a part of.
    pub application_id: Option<CreditApplicationId>,
    /// Against which invoice.
    pub invoice_id: InvoiceId,
    /// Minor units; below 0 when it takes back an earlier one.
    pub amount_minor: i64,
    /// The posting that booked it.
    pub posting_id: PostingId,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO allocations (merchant_id, id, payment_id, grant_id, invoice_id, amount, posting_id,
    at, application_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
const BY_INVOICE: Sql = Sql(
    "SELECT id, payment_id, grant_id, invoice_id, amount, posting_id, at, application_id FROM allocations
  WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY at, id",
);
const BY_PAYMENT: Sql = Sql(
    "SELECT id, payment_id, grant_id, invoice_id, amount, posting_id, at, application_id FROM allocations
  WHERE merchant_id = $1 AND payment_id = $2
  ORDER BY at, CASE WHEN grant_id IS NULL THEN 0 ELSE 1 END, id",
);
const BY_APPLICATION: Sql = Sql(
    "SELECT id, payment_id, grant_id, invoice_id, amount, posting_id, at, application_id FROM allocations
  WHERE merchant_id = $1 AND application_id = $2 ORDER BY at, id",
);
const MOVED: Sql = Sql("SELECT a.id FROM allocations a
  JOIN postings p ON p.merchant_id = a.merchant_id AND p.id = a.posting_id
  WHERE a.merchant_id = $1 AND a.invoice_id = $2
  AND p.cause_kind IN ('allocation_moved', 'allocation_taken_off', 'credit_restored')");
const NET_OF_PAYMENT: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM allocations
  WHERE merchant_id = $1 AND invoice_id = $2 AND payment_id = $3");
const NET_OF_GRANT: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM allocations
  WHERE merchant_id = $1 AND invoice_id = $2 AND grant_id = $3 AND payment_id IS NULL");

/// Adds an allocation.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, allocation: &Allocation) -> Result<()> {
    let args = args![
        merchant.0,
        allocation.id.as_bytes(),
        allocation.payment_id.as_ref().map(PaymentId::as_bytes),
        allocation.grant_id.as_ref().map(GrantId::as_bytes),
        allocation.invoice_id.as_bytes(),
        allocation.amount_minor,
        allocation.posting_id.as_bytes(),
        allocation.at.as_microsecond(),
        allocation.application_id.as_ref().map(CreditApplicationId::as_bytes),
    ];
    tx.write_one(INSERT, args).await
}

/// What was set against an invoice, oldest first.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<Allocation>> {
    tx.fetch_all(BY_INVOICE, args![merchant.0, invoice.as_bytes()], decode).await
}

/// Where the money of a payment went, oldest first.
pub async fn list_by_payment(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<Allocation>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// The parts of an application of credit, oldest first.
pub async fn list_by_application(
    tx: &mut Tx,
    merchant: MerchantId,
    application: CreditApplicationId,
) -> Result<Vec<Allocation>> {
    tx.fetch_all(BY_APPLICATION, args![merchant.0, application.as_bytes()], decode).await
}

/// Those of an invoice that came from another one, went to another one, or became credit.
pub async fn moved(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<Vec<AllocationId>> {
    tx.fetch_all(MOVED, args![merchant.0, invoice.as_bytes()], |row| {
        Ok(AllocationId::from_bytes(row.bytes16(0)?))
    })
    .await
}

/// What of a payment is set against an invoice now, minor units.
pub async fn net_of_payment(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
    payment: PaymentId,
) -> Result<i64> {
    let args = args![merchant.0, invoice.as_bytes(), payment.as_bytes()];
    tx.fetch_one(NET_OF_PAYMENT, args, |row| row.i64(0)).await
}

/// What of a grant is spent on an invoice now, minor units; what went back to where it was born is a payment's.
pub async fn net_of_grant(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
    grant: GrantId,
) -> Result<i64> {
    let args = args![merchant.0, invoice.as_bytes(), grant.as_bytes()];
    tx.fetch_one(NET_OF_GRANT, args, |row| row.i64(0)).await
}

fn decode(row: &Row<'_>) -> Result<Allocation> {
    Ok(Allocation {
        id: AllocationId::from_bytes(row.bytes16(0)?),
        payment_id: row.opt_bytes16(1)?.map(PaymentId::from_bytes),
        grant_id: row.opt_bytes16(2)?.map(GrantId::from_bytes),
        invoice_id: InvoiceId::from_bytes(row.bytes16(3)?),
        amount_minor: row.i64(4)?,
        posting_id: PostingId::from_bytes(row.bytes16(5)?),
        at: timestamp(row, 6)?,
        application_id: row.opt_bytes16(7)?.map(CreditApplicationId::from_bytes),
    })
}
