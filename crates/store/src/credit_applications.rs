//! Applications of customer credit: what somebody set against one invoice, of one grant or of several. Only ever added to:
//! what is taken off again is an allocation of its own, below 0.

use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, CreditApplicationId, CustomerId, InvoiceId, MerchantId};
use jiff::Timestamp;
use ledger::Money;

/// Credit that was set against an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditApplication {
    /// Which; made when its form is drawn, so it is also the key that makes a repeat harmless.
    pub id: CreditApplicationId,
    /// Whose credit.
    pub customer_id: CustomerId,
    /// Against which invoice.
    pub invoice_id: InvoiceId,
    /// How much, of all grants together.
    pub amount: Money,
    /// The signed-in contact who did it; `None` where staff or a program did.
    pub contact_id: Option<ContactId>,
    /// Who did it, as the audit trail names them.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO credit_applications (merchant_id, id, customer_id, invoice_id, currency, amount,
    contact_id, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
const FIND: Sql = Sql("SELECT id, customer_id, invoice_id, currency, amount, contact_id, actor, at
  FROM credit_applications WHERE merchant_id = $1 AND id = $2");
const BY_INVOICE: Sql = Sql("SELECT id, customer_id, invoice_id, currency, amount, contact_id, actor, at
  FROM credit_applications WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id DESC LIMIT 200");

/// Adds an application. One of this id already fails it.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, new: &CreditApplication) -> Result<()> {
    let args = args![
        merchant.0,
        new.id.as_bytes(),
        new.customer_id.as_bytes(),
        new.invoice_id.as_bytes(),
        new.amount.currency().code(),
        new.amount.minor(),
        new.contact_id.as_ref().map(ContactId::as_bytes),
        &new.actor,
        new.at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// The application with this id.
pub async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: CreditApplicationId,
) -> Result<Option<CreditApplication>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// What was set against an invoice, newest first, 200 at most.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<CreditApplication>> {
    tx.fetch_all(BY_INVOICE, args![merchant.0, invoice.as_bytes()], decode).await
}

fn decode(row: &Row<'_>) -> Result<CreditApplication> {
    Ok(CreditApplication {
        id: CreditApplicationId::from_bytes(row.bytes16(0)?),
        customer_id: CustomerId::from_bytes(row.bytes16(1)?),
        invoice_id: InvoiceId::from_bytes(row.bytes16(2)?),
        amount: Money::new(row.i64(4)?, currency(row, 3)?),
        contact_id: row.opt_bytes16(5)?.map(ContactId::from_bytes),
        actor: row.text(6)?,
        at: timestamp(row, 7)?,
    })
}
