//! Grants of customer credit, spent oldest first.

use crate::args;
use crate::columns::{currency, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::customer::Grant;
use billing::ids::{CreditNoteId, CustomerId, GrantId, InvoiceId, MerchantId, PaymentId};
use jiff::Timestamp;
use ledger::{Currency, Money};

/// Where a grant comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A payment was more than its invoice could take.
    Surplus,
    /// A credit note was more than its invoice could take.
    CreditNote,
    /// A refund failed.
    RefundFailed,
    /// A refund was withdrawn before it was sent.
    RefundWithdrawn,
    /// A dispute was won after it had been lost.
    DisputeWon,
    /// What had been set against an invoice was taken off it.
    TakenOff,
    /// Money of which nobody knew whose it was became credit of a customer.
    Matched,
}

impl Source {
    /// Every one of them.
    pub const ALL: [Source; 7] = [
        Source::Surplus,
        Source::CreditNote,
        Source::RefundFailed,
        Source::RefundWithdrawn,
        Source::DisputeWon,
        Source::TakenOff,
        Source::Matched,
    ];

    /// The word of the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Surplus => "surplus",
            Source::CreditNote => "credit_note",
            Source::RefundFailed => "refund_failed",
            Source::RefundWithdrawn => "refund_withdrawn",
            Source::DisputeWon => "dispute_won",
            Source::TakenOff => "taken_off",
            Source::Matched => "matched",
        }
    }

    /// The source behind such a word.
    pub fn parse(word: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// A grant when it is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewGrant {
    /// Which grant.
    pub id: GrantId,
    /// Whose credit.
    pub customer_id: CustomerId,
    /// Where it comes from.
    pub source: Source,
    /// The payment whose money it is; a credit note's is nobody's.
    pub payment_id: Option<PaymentId>,
    /// The invoice it goes back to as soon as that has something payable.
    pub invoice_id: Option<InvoiceId>,
    /// The credit note it comes from.
    pub credit_note_id: Option<CreditNoteId>,
    /// How much.
    pub amount: Money,
}

/// A grant as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredGrant {
    /// What it was when it was born.
    pub born: NewGrant,
    /// What is left of it.
    pub left: Money,
    /// When it was born.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO grants (merchant_id, id, customer_id, payment_id, invoice_id, currency, amount,
    remaining, created_at, source, credit_note_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)");
const LEFT_FOR_INVOICE: Sql = Sql("SELECT id, remaining, payment_id FROM grants
  WHERE merchant_id = $1 AND invoice_id = $2 AND remaining > 0 ORDER BY id");
const LEFT_OF_PAYMENT: Sql = Sql("SELECT id, invoice_id, remaining FROM grants
  WHERE merchant_id = $1 AND payment_id = $2 AND remaining > 0 ORDER BY id");
const LEFT_OF_CUSTOMER: Sql = Sql("SELECT id, remaining FROM grants
  WHERE merchant_id = $1 AND customer_id = $2 AND currency = $3 AND remaining > 0 ORDER BY created_at, id");
const BY_CUSTOMER: Sql =
    Sql("SELECT id, customer_id, payment_id, invoice_id, currency, amount, remaining, created_at,
    source, credit_note_id FROM grants WHERE merchant_id = $1 AND customer_id = $2
    AND (remaining > 0 OR CAST($3 AS BIGINT) = 1) ORDER BY created_at, id LIMIT 1000");
const BY_ID: Sql =
    Sql("SELECT id, customer_id, payment_id, invoice_id, currency, amount, remaining, created_at,
    source, credit_note_id FROM grants WHERE merchant_id = $1 AND id = $2");
const SUMS: Sql = Sql("SELECT currency, CAST(SUM(remaining) AS BIGINT) FROM grants
  WHERE merchant_id = $1 AND customer_id = $2 AND remaining > 0 GROUP BY currency ORDER BY currency");
const SPEND: Sql = Sql("UPDATE grants SET remaining = remaining - $3
  WHERE merchant_id = $1 AND id = $2 AND remaining >= $3");
const REFILL: Sql = Sql("UPDATE grants SET remaining = remaining + $3
  WHERE merchant_id = $1 AND id = $2 AND remaining + $3 <= amount");

/// Adds a grant, all of it left.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, grant: &NewGrant, now: Timestamp) -> Result<()> {
    let args = args![
        merchant.0,
        grant.id.as_bytes(),
        grant.customer_id.as_bytes(),
        grant.payment_id.as_ref().map(PaymentId::as_bytes),
        grant.invoice_id.as_ref().map(InvoiceId::as_bytes),
        grant.amount.currency().code(),
        grant.amount.minor(),
        now.as_microsecond(),
        grant.source.as_str(),
        grant.credit_note_id.as_ref().map(CreditNoteId::as_bytes),
    ];
    tx.write_one(INSERT, args).await
}

/// Grants born on an invoice that have something left, oldest first, each with the payment whose money it is.
pub async fn left_for_invoice(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
) -> Result<Vec<(Grant, Option<PaymentId>)>> {
    tx.fetch_all(LEFT_FOR_INVOICE, args![merchant.0, invoice.as_bytes()], |row| {
        let grant = Grant { id: GrantId::from_bytes(row.bytes16(0)?), left_minor: row.i64(1)? };
        Ok((grant, row.opt_bytes16(2)?.map(PaymentId::from_bytes)))
    })
    .await
}

/// Grants that are a payment's money and have something left, oldest first, each with the invoice it was born on.
pub async fn left_of_payment(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<(Grant, Option<InvoiceId>)>> {
    tx.fetch_all(LEFT_OF_PAYMENT, args![merchant.0, payment.as_bytes()], |row| {
        let grant = Grant { id: GrantId::from_bytes(row.bytes16(0)?), left_minor: row.i64(2)? };
        Ok((grant, row.opt_bytes16(1)?.map(InvoiceId::from_bytes)))
    })
    .await
}

/// A customer's grants in a currency that have something left, oldest first.
pub async fn left_of_customer(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
    currency: Currency,
) -> Result<Vec<Grant>> {
    tx.fetch_all(LEFT_OF_CUSTOMER, args![merchant.0, customer.as_bytes(), currency.code()], |row| {
        Ok(Grant { id: GrantId::from_bytes(row.bytes16(0)?), left_minor: row.i64(1)? })
    })
    .await
}

/// What a customer has left, a sum per currency that has any.
pub async fn left(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<Vec<Money>> {
    tx.fetch_all(SUMS, args![merchant.0, customer.as_bytes()], |row| {
        Ok(Money::new(row.i64(1)?, currency(row, 0)?))
    })
    .await
}

/// A customer's grants, oldest first, 1,000 at most: those that have something left, or `all`.
pub async fn list_by_customer(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
    all: bool,
) -> Result<Vec<StoredGrant>> {
    tx.fetch_all(BY_CUSTOMER, args![merchant.0, customer.as_bytes(), i64::from(all)], decode).await
}

/// One grant.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: GrantId) -> Result<Option<StoredGrant>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Takes from a grant. Fails, and so rolls the transaction back, when less is left.
pub async fn spend(tx: &mut Tx, merchant: MerchantId, id: GrantId, minor: i64) -> Result<()> {
    let spent = tx.execute(SPEND, args![merchant.0, id.as_bytes(), minor]).await?;
    anyhow::ensure!(spent == 1, "grant {id} has less than {minor} left");
    Ok(())
}

/// Gives a grant back what was spent of it. Fails, and so rolls the transaction back, when that makes it more than it was.
pub async fn refill(tx: &mut Tx, merchant: MerchantId, id: GrantId, minor: i64) -> Result<()> {
    let refilled = tx.execute(REFILL, args![merchant.0, id.as_bytes(), minor]).await?;
    anyhow::ensure!(refilled == 1, "{minor} were never spent of grant {id}");
    Ok(())
}

fn decode(row: &Row<'_>) -> Result<StoredGrant> {
    let currency = currency(row, 4)?;
    let born = NewGrant {
        id: GrantId::from_bytes(row.bytes16(0)?),
        customer_id: CustomerId::from_bytes(row.bytes16(1)?),
        source: word(row, 8, Source::parse)?,
        payment_id: row.opt_bytes16(2)?.map(PaymentId::from_bytes),
        invoice_id: row.opt_bytes16(3)?.map(InvoiceId::from_bytes),
        credit_note_id: row.opt_bytes16(9)?.map(CreditNoteId::from_bytes),
        amount: Money::new(row.i64(5)?, currency),
    };
    Ok(StoredGrant { born, left: Money::new(row.i64(6)?, currency), at: timestamp(row, 7)? })
}
