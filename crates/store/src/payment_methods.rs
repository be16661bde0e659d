//! Saved methods: cards and bank accounts that a processor keeps for a person. Kept here is the processor's name of each and what
//! may be told of it; never a number. A row is not deleted: payments that it made refer to it.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use crate::processor_accounts::ProcessorAccount;
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MandateId, MerchantId, PaymentMethodId};
use billing::payment::Method;
use jiff::Timestamp;

/// A card or a bank account that can be charged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMethod {
    /// Which one.
    pub id: PaymentMethodId,
    /// For which company it pays.
    pub customer_id: CustomerId,
    /// Whose it is: nobody else sees or uses it.
    pub contact_id: ContactId,
    /// The processor's name of it.
    pub token: String,
    /// What it is.
    pub method: Method,
    /// Brand of the card or name of the bank, as the processor words it; empty where it names none.
    pub name: String,
    /// The last four digits.
    pub last4: String,
    /// Year and month in which a card ends.
    pub expires: Option<(i16, i8)>,
    /// The leave to debit an account, whenever its owner asks for it.
    pub mandate_id: Option<MandateId>,
    /// Since when it is the one its owner is offered first.
    pub default_since: Option<Timestamp>,
    /// When it was saved.
    pub created_at: Timestamp,
    /// When it was removed; it is never charged again.
    pub removed_at: Option<Timestamp>,
}

const INSERT: Sql = Sql(
    "INSERT INTO payment_methods (merchant_id, id, customer_id, contact_id, processor, mode, account, token,
    method, name, last4, exp_year, exp_month, mandate_id, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING",
);
const BY_ID: Sql =
    Sql("SELECT id, customer_id, contact_id, token, method, name, last4, exp_year, exp_month, mandate_id,
    default_since, created_at, removed_at
  FROM payment_methods WHERE merchant_id = $1 AND id = $2");
const USABLE: Sql =
    Sql("SELECT id, customer_id, contact_id, token, method, name, last4, exp_year, exp_month, mandate_id,
    default_since, created_at, removed_at
  FROM payment_methods WHERE merchant_id = $1 AND id = $2 AND processor = $3 AND mode = $4 AND account = $5");
const BY_TOKEN: Sql = Sql("SELECT id, customer_id, contact_id, token, method, name, last4, exp_year, exp_month, mandate_id,
    default_since, created_at, removed_at
  FROM payment_methods WHERE merchant_id = $1 AND processor = $2 AND mode = $3 AND account = $4 AND token = $5");
const OF_CONTACT: Sql = Sql("SELECT id, customer_id, contact_id, token, method, name, last4, exp_year, exp_month, mandate_id,
    default_since, created_at, removed_at
  FROM payment_methods WHERE merchant_id = $1 AND contact_id = $2 AND processor = $3 AND mode = $4 AND account = $5
    AND removed_at IS NULL
  ORDER BY CASE WHEN default_since IS NULL THEN 1 ELSE 0 END, id DESC");
const OF_CUSTOMER: Sql =
    Sql("SELECT id, customer_id, contact_id, token, method, name, last4, exp_year, exp_month, mandate_id,
    default_since, created_at, removed_at
  FROM payment_methods WHERE merchant_id = $1 AND customer_id = $2 AND removed_at IS NULL ORDER BY id DESC");
const REFRESH: Sql = Sql("UPDATE payment_methods SET name = $3, last4 = $4, exp_year = $5, exp_month = $6,
    mandate_id = COALESCE($7, mandate_id)
  WHERE merchant_id = $1 AND id = $2");
const NO_DEFAULT: Sql = Sql("UPDATE payment_methods SET default_since = NULL
  WHERE merchant_id = $1 AND contact_id = $2 AND processor = $3 AND mode = $4 AND account = $5 AND default_since IS NOT NULL");
const SET_DEFAULT: Sql = Sql("UPDATE payment_methods SET default_since = $3
  WHERE merchant_id = $1 AND id = $2 AND removed_at IS NULL");
const REMOVE: Sql = Sql("UPDATE payment_methods SET removed_at = $3, default_since = NULL
  WHERE merchant_id = $1 AND id = $2 AND removed_at IS NULL");

/// Adds one that the processor keeps; `false` when it is there already, removed or not.
pub async fn insert(tx: &mut Tx, at: &ProcessorAccount, saved: &SavedMethod) -> Result<bool> {
    let (year, month) = saved.expires.unzip();
    let args = args![
        at.merchant_id.0,
        saved.id.as_bytes(),
        saved.customer_id.as_bytes(),
        saved.contact_id.as_bytes(),
        &at.processor,
        at.mode.as_str(),
        &at.account,
        &saved.token,
        saved.method.as_str(),
        &saved.name,
        &saved.last4,
        year.map(i64::from),
        month.map(i64::from),
        saved.mandate_id.as_ref().map(MandateId::as_bytes),
        saved.created_at.as_microsecond(),
    ];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// The one with this id, removed or not, at whatever account.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PaymentMethodId) -> Result<Option<SavedMethod>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Locks the one with this id.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: PaymentMethodId) -> Result<Option<SavedMethod>> {
    tx.lock(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Locks the one with this id, if the account that is connected now keeps it.
pub async fn lock_at(tx: &mut Tx, at: &ProcessorAccount, id: PaymentMethodId) -> Result<Option<SavedMethod>> {
    let args = args![at.merchant_id.0, id.as_bytes(), &at.processor, at.mode.as_str(), &at.account];
    tx.lock(USABLE, args, decode).await
}

/// The one that the processor calls so.
pub async fn find_by_token(tx: &mut Tx, at: &ProcessorAccount, token: &str) -> Result<Option<SavedMethod>> {
    let args = args![at.merchant_id.0, &at.processor, at.mode.as_str(), &at.account, token];
    tx.fetch_optional(BY_TOKEN, args, decode).await
}

/// What a person can pay with at the account that is connected now: the default first, then the newest.
pub async fn list(tx: &mut Tx, at: &ProcessorAccount, contact: ContactId) -> Result<Vec<SavedMethod>> {
    let args = args![at.merchant_id.0, contact.as_bytes(), &at.processor, at.mode.as_str(), &at.account];
    tx.fetch_all(OF_CONTACT, args, decode).await
}

/// What the people of a company can pay with, for staff: the newest first.
pub async fn list_of_customer(
    tx: &mut Tx,
    merchant: MerchantId,
    customer: CustomerId,
) -> Result<Vec<SavedMethod>> {
    tx.fetch_all(OF_CUSTOMER, args![merchant.0, customer.as_bytes()], decode).await
}

/// Notes what the processor says of it now: a new card came for an old one, or its mandate became known.
pub async fn refresh(tx: &mut Tx, merchant: MerchantId, saved: &SavedMethod) -> Result<()> {
    let (year, month) = saved.expires.unzip();
    let args = args![
        merchant.0,
        saved.id.as_bytes(),
        &saved.name,
        &saved.last4,
        year.map(i64::from),
        month.map(i64::from),
        saved.mandate_id.as_ref().map(MandateId::as_bytes),
    ];
    tx.execute(REFRESH, args).await.map(drop)
}

/// Makes it the one that its owner is offered first.
pub async fn set_default(
    tx: &mut Tx,
    at: &ProcessorAccount,
    saved: &SavedMethod,
    now: Timestamp,
) -> Result<()> {
    let contact = saved.contact_id.as_bytes();
    let args = args![at.merchant_id.0, contact, &at.processor, at.mode.as_str(), &at.account];
    tx.execute(NO_DEFAULT, args).await?;
    let args = args![at.merchant_id.0, saved.id.as_bytes(), now.as_microsecond()];
    tx.execute(SET_DEFAULT, args).await.map(drop)
}

/// Removes it; `false` when it was removed before.
pub async fn remove(tx: &mut Tx, merchant: MerchantId, id: PaymentMethodId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(REMOVE, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await? == 1)
}

fn decode(row: &Row<'_>) -> Result<SavedMethod> {
    let year = row.opt_i64(7)?.map(i16::try_from).transpose()?;
    let month = row.opt_i64(8)?.map(i8::try_from).transpose()?;
    Ok(SavedMethod {
        id: PaymentMethodId::from_bytes(row.bytes16(0)?),
        customer_id: CustomerId::from_bytes(row.bytes16(1)?),
        contact_id: ContactId::from_bytes(row.bytes16(2)?),
        token: row.text(3)?,
        method: word(row, 4, Method::parse)?,
        name: row.text(5)?,
        last4: row.text(6)?,
        expires: year.zip(month),
        mandate_id: row.opt_bytes16(9)?.map(MandateId::from_bytes),
        default_since: opt_timestamp(row, 10)?,
        created_at: timestamp(row, 11)?,
        removed_at: opt_timestamp(row, 12)?,
    })
}
