//! Customers: the companies that are billed.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, MerchantId};
use jiff::Timestamp;

/// A company that is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which customer.
    pub id: CustomerId,
    /// As it calls itself.
    pub name: String,
    /// Postal address, lines separated by `\n`; may be empty.
    pub address: String,
    /// When it was created.
    pub created_at: Timestamp,
}

const INSERT: Sql = Sql("INSERT INTO customers (merchant_id, id, name, name_key, address, created_at)
  VALUES ($1, $2, $3, $4, $5, $6)");
const BY_ID: Sql = Sql("SELECT merchant_id, id, name, address, created_at FROM customers
  WHERE merchant_id = $1 AND id = $2");
const BY_NAME: Sql = Sql("SELECT merchant_id, id, name, address, created_at FROM customers
  WHERE merchant_id = $1 AND name_key = $2 ORDER BY id");
const LISTED: Sql = Sql("SELECT merchant_id, id, name, address, created_at, (SELECT c.email FROM contacts c
    WHERE c.merchant_id = k.merchant_id AND c.customer_id = k.id ORDER BY c.id LIMIT 1)
  FROM customers k WHERE merchant_id = $1 AND id = $2");
const NEWEST: Sql = Sql("SELECT merchant_id, id, name, address, created_at, (SELECT c.email FROM contacts c
    WHERE c.merchant_id = k.merchant_id AND c.customer_id = k.id ORDER BY c.id LIMIT 1)
  FROM customers k WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_ADDRESS: Sql =
    Sql("SELECT merchant_id, id, name, address, created_at, (SELECT c.email FROM contacts c
    WHERE c.merchant_id = k.merchant_id AND c.customer_id = k.id ORDER BY c.id LIMIT 1)
  FROM customers k WHERE merchant_id = $1 AND id < $2 AND id IN (
    SELECT customer_id FROM contacts WHERE merchant_id = $1 AND email_key = $4)
  ORDER BY id DESC LIMIT $3");
const LOCK: Sql = Sql("SELECT merchant_id, id, name, address, created_at FROM customers
  WHERE merchant_id = $1 AND id = $2");

/// The form in which names are compared: without case, blanks folded.
pub fn name_key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Adds a customer.
pub async fn insert(tx: &mut Tx, customer: &Customer) -> Result<()> {
    let key = name_key(&customer.name);
    let created_at = customer.created_at.as_microsecond();
    let args = args![
        customer.merchant.0,
        customer.id.as_bytes(),
        &customer.name,
        &key,
        &customer.address,
        created_at
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// The customer with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: CustomerId) -> Result<Option<Customer>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Customers of this name, compared without case and blanks; oldest first.
pub async fn find_by_name(tx: &mut Tx, merchant: MerchantId, name: &str) -> Result<Vec<Customer>> {
    let key = name_key(name);
    tx.fetch_all(BY_NAME, args![merchant.0, &key], decode).await
}

/// A customer with the address of its oldest contact, if it has one.
pub async fn listed(
    tx: &mut Tx,
    merchant: MerchantId,
    id: CustomerId,
) -> Result<Option<(Customer, Option<String>)>> {
    tx.fetch_optional(LISTED, args![merchant.0, id.as_bytes()], decode_listed).await
}

/// Customers before `before` (none: the newest), newest first, each with the address of its oldest contact; those alone of
/// whom a contact has this address (comparable form), where one is given.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    before: Option<CustomerId>,
    email_key: Option<&str>,
    limit: i64,
) -> Result<Vec<(Customer, Option<String>)>> {
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    match email_key {
        None => tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode_listed).await,
        Some(key) => {
            let args = args![merchant.0, &before, limit, key];
            tx.fetch_all(NEWEST_OF_ADDRESS, args, decode_listed).await
        }
    }
}

/// Locks the customer; first in the lock order, wherever credit moves.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: CustomerId) -> Result<Option<Customer>> {
    tx.lock(LOCK, args![merchant.0, id.as_bytes()], decode).await
}

fn decode_listed(row: &Row<'_>) -> Result<(Customer, Option<String>)> {
    Ok((decode(row)?, row.opt_text(5)?))
}

fn decode(row: &Row<'_>) -> Result<Customer> {
    Ok(Customer {
        merchant: MerchantId(row.i64(0)?),
        id: CustomerId::from_bytes(row.bytes16(1)?),
        name: row.text(2)?,
        address: row.text(3)?,
        created_at: timestamp(row, 4)?,
    })
}
