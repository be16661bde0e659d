//! Mandates: what a payer agreed to before an account is debited, word for word. Written before the bank page is opened; what that
//! page tells of the account is added once. Never a number of an account.

use crate::args;
use crate::columns::{currency, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MandateId, MerchantId, PaymentId};
use billing::payment::Method;
use jiff::Timestamp;
use ledger::Money;

/// What a payer agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Which mandate.
    pub id: MandateId,
    /// The payment it was given for.
    pub payment_id: PaymentId,
    /// Whose account it is.
    pub customer_id: CustomerId,
    /// Who agreed, where somebody was signed in.
    pub contact_id: Option<ContactId>,
    /// By what means the account is debited.
    pub method: Method,
    /// The text that was shown.
    pub wording: String,
    /// Its SHA-256.
    pub wording_hash: [u8; 32],
    /// What may be taken, once.
    pub amount: Money,
    /// The address the payer gave.
    pub payer_email: Option<String>,
    /// The network address of the browser.
    pub client: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    /// Language tag of the text.
    pub language: String,
    /// When the text was shown and agreed to.
    pub offered_at: Timestamp,
    /// When the bank page was submitted, as far as we learned.
    pub accepted_at: Option<Timestamp>,
    /// The account, once the processor has told.
    pub account: Account,
    /// When it ended, and why.
    pub ended: Option<(Timestamp, String)>,
}

/// A bank account, as far as it may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub name: Option<String>,
    /// Its bank.
    pub bank_name: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// The processor's name of the mandate.
    pub processor_mandate_id: Option<String>,
    /// The processor's name of the account.
    pub processor_method_id: Option<String>,
}

const INSERT: Sql =
    Sql("INSERT INTO mandates (merchant_id, id, payment_id, customer_id, contact_id, method, wording, wording_hash, amount,
    currency, payer_email, client, user_agent, language, offered_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
const BY_PAYMENT: Sql =
    Sql("SELECT id, payment_id, customer_id, contact_id, method, wording, wording_hash, amount, currency, payer_email, client,
    user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, processor_mandate_id, processor_method_id,
    ended_at, ended_why
  FROM mandates WHERE merchant_id = $1 AND payment_id = $2");
const ACCEPT: Sql =
    Sql("UPDATE mandates SET accepted_at = COALESCE(accepted_at, $3), account_name = COALESCE($4, account_name),
    bank_name = COALESCE($5, bank_name), last4 = COALESCE($6, last4),
    processor_mandate_id = COALESCE($7, processor_mandate_id), processor_method_id = COALESCE($8, processor_method_id)
  WHERE merchant_id = $1 AND payment_id = $2");
const END: Sql = Sql("UPDATE mandates SET ended_at = $3, ended_why = $4
  WHERE merchant_id = $1 AND payment_id = $2 AND ended_at IS NULL");

/// Adds what a payer agrees to.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, mandate: &Mandate) -> Result<()> {
    let args = args![
        merchant.0,
        mandate.id.as_bytes(),
        mandate.payment_id.as_bytes(),
        mandate.customer_id.as_bytes(),
        mandate.contact_id.as_ref().map(ContactId::as_bytes),
        mandate.method.as_str(),
        &mandate.wording,
        &mandate.wording_hash,
        mandate.amount.minor(),
        mandate.amount.currency().code(),
        mandate.payer_email.as_deref(),
        mandate.client.as_deref(),
        mandate.user_agent.as_deref(),
        &mandate.language,
        mandate.offered_at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// The mandate that was given for a payment.
pub async fn find(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Mandate>> {
    tx.fetch_optional(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// Notes that the bank page was submitted, and for which account; the first time counts, and nothing known is forgotten.
pub async fn accept(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
    account: &Account,
    at: Timestamp,
) -> Result<()> {
    let args = args![
        merchant.0,
        payment.as_bytes(),
        at.as_microsecond(),
        account.name.as_deref(),
        account.bank_name.as_deref(),
        account.last4.as_deref(),
        account.processor_mandate_id.as_deref(),
        account.processor_method_id.as_deref(),
    ];
    tx.execute(ACCEPT, args).await.map(drop)
}

/// Ends the mandate of a payment; `false` where there is none or it has ended.
pub async fn end(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
    why: &str,
    at: Timestamp,
) -> Result<bool> {
    Ok(tx.execute(END, args![merchant.0, payment.as_bytes(), at.as_microsecond(), why]).await? == 1)
}

fn decode(row: &Row<'_>) -> Result<Mandate> {
    Ok(Mandate {
        id: MandateId::from_bytes(row.bytes16(0)?),
        payment_id: PaymentId::from_bytes(row.bytes16(1)?),
        customer_id: CustomerId::from_bytes(row.bytes16(2)?),
        contact_id: row.opt_bytes16(3)?.map(ContactId::from_bytes),
        method: word(row, 4, Method::parse)?,
        wording: row.text(5)?,
        wording_hash: row.bytes32(6)?,
        amount: Money::new(row.i64(7)?, currency(row, 8)?),
        payer_email: row.opt_text(9)?,
        client: row.opt_text(10)?,
        user_agent: row.opt_text(11)?,
        language: row.text(12)?,
        offered_at: timestamp(row, 13)?,
        accepted_at: opt_timestamp(row, 14)?,
        account: Account {
            name: row.opt_text(15)?,
            bank_name: row.opt_text(16)?,
            last4: row.opt_text(17)?,
            processor_mandate_id: row.opt_text(18)?,
            processor_method_id: row.opt_text(19)?,
        },
        ended: opt_timestamp(row, 20)?.zip(row.opt_text(21)?),
    })
}
