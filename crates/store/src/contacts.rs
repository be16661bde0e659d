//! Contacts: the people at a customer who may sign in and pay.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MerchantId};
use jiff::Timestamp;

/// A person at a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which contact.
    pub id: ContactId,
    /// Of which customer.
    pub customer_id: CustomerId,
    /// Name of the customer.
    pub customer_name: String,
    /// Name of the person; may be empty.
    pub name: String,
    /// Address as it was given.
    pub email: String,
    /// Address in its comparable form.
    pub email_key: String,
    /// When it was created.
    pub created_at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO contacts (merchant_id, id, customer_id, name, email, email_key, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
const BY_ID: Sql =
    Sql("SELECT c.merchant_id, c.id, c.customer_id, k.name, c.name, c.email, c.email_key, c.created_at
  FROM contacts c JOIN customers k ON k.merchant_id = c.merchant_id AND k.id = c.customer_id
  WHERE c.merchant_id = $1 AND c.id = $2");
const BY_EMAIL: Sql =
    Sql("SELECT c.merchant_id, c.id, c.customer_id, k.name, c.name, c.email, c.email_key, c.created_at
  FROM contacts c JOIN customers k ON k.merchant_id = c.merchant_id AND k.id = c.customer_id
  WHERE c.merchant_id = $1 AND c.email_key = $2 ORDER BY k.name_key, c.id LIMIT 200");
const BY_CUSTOMER: Sql =
    Sql("SELECT c.merchant_id, c.id, c.customer_id, k.name, c.name, c.email, c.email_key, c.created_at
  FROM contacts c JOIN customers k ON k.merchant_id = c.merchant_id AND k.id = c.customer_id
  WHERE c.merchant_id = $1 AND c.customer_id = $2 ORDER BY c.id LIMIT 1000");

const NOTE_CHOSEN: Sql = Sql("UPDATE contacts SET chosen_at = $3 WHERE merchant_id = $1 AND id = $2");
const CHOSEN_LAST: Sql = Sql("SELECT id FROM contacts
  WHERE merchant_id = $1 AND email_key = $2 AND chosen_at IS NOT NULL ORDER BY chosen_at DESC, id DESC LIMIT 1");

/// Adds a contact; `false` when the customer already has that address.
pub async fn insert(tx: &mut Tx, contact: &Contact) -> Result<bool> {
    let args = args![
        contact.merchant.0,
        contact.id.as_bytes(),
        contact.customer_id.as_bytes(),
        &contact.name,
        &contact.email,
        &contact.email_key,
        contact.created_at.as_microsecond(),
    ];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// The contact with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: ContactId) -> Result<Option<Contact>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Contacts with this address (comparable form), one per customer, in the order of the customers' names.
pub async fn find_by_email(tx: &mut Tx, merchant: MerchantId, email_key: &str) -> Result<Vec<Contact>> {
    tx.fetch_all(BY_EMAIL, args![merchant.0, email_key], decode).await
}

/// Contacts of a customer, oldest first.
pub async fn list(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<Vec<Contact>> {
    tx.fetch_all(BY_CUSTOMER, args![merchant.0, customer.as_bytes()], decode).await
}

/// Notes that somebody of several companies chose to act for this one.
pub async fn note_chosen(tx: &mut Tx, merchant: MerchantId, id: ContactId, now: Timestamp) -> Result<()> {
    tx.execute(NOTE_CHOSEN, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await.map(drop)
}

/// The contact that this address (comparable form) chose last, if it ever had to choose.
pub async fn chosen_last(tx: &mut Tx, merchant: MerchantId, email_key: &str) -> Result<Option<ContactId>> {
    let id = |row: &Row<'_>| Ok(ContactId::from_bytes(row.bytes16(0)?));
    tx.fetch_optional(CHOSEN_LAST, args![merchant.0, email_key], id).await
}

fn decode(row: &Row<'_>) -> Result<Contact> {
    Ok(Contact {
        merchant: MerchantId(row.i64(0)?),
        id: ContactId::from_bytes(row.bytes16(1)?),
        customer_id: CustomerId::from_bytes(row.bytes16(2)?),
        customer_name: row.text(3)?,
        name: row.text(4)?,
        email: row.text(5)?,
        email_key: row.text(6)?,
        created_at: timestamp(row, 7)?,
    })
}
