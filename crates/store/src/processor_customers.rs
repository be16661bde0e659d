//! How a processor calls our contacts. Only its name for a person is kept, per account and mode: what one account knows
//! means nothing to another, and test names never meet live ones.

use crate::args;
use crate::db::{Sql, Tx};
use crate::processor_accounts::ProcessorAccount;
use anyhow::Result;
use billing::ids::{ContactId, MerchantId};
use jiff::Timestamp;

const FIND: Sql = Sql("SELECT processor_customer_id FROM processor_customers
  WHERE merchant_id = $1 AND processor = $2 AND mode = $3 AND account = $4 AND contact_id = $5");
const FIND_CONTACT: Sql = Sql("SELECT contact_id FROM processor_customers
  WHERE merchant_id = $1 AND processor = $2 AND mode = $3 AND account = $4 AND processor_customer_id = $5");
const INSERT: Sql = Sql("INSERT INTO processor_customers (merchant_id, processor, mode, account, contact_id,
    processor_customer_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
const FORGET: Sql = Sql("DELETE FROM processor_customers WHERE merchant_id = $1 AND contact_id = $2");

/// The processor's name for a contact, if it has one.
pub async fn find(tx: &mut Tx, account: &ProcessorAccount, contact: ContactId) -> Result<Option<String>> {
    let ProcessorAccount { merchant_id, processor, mode, account, .. } = account;
    let args = args![merchant_id.0, processor, mode.as_str(), account, contact.as_bytes()];
    tx.fetch_optional(FIND, args, |row| row.text(0)).await
}

/// The contact that the processor calls so.
pub async fn find_contact(tx: &mut Tx, account: &ProcessorAccount, name: &str) -> Result<Option<ContactId>> {
    let ProcessorAccount { merchant_id, processor, mode, account, .. } = account;
    let args = args![merchant_id.0, processor, mode.as_str(), account, name];
    tx.fetch_optional(FIND_CONTACT, args, |row| Ok(ContactId::from_bytes(row.bytes16(0)?))).await
}

/// Keeps the processor's name for a contact. False if it has one already, which stays.
pub async fn insert(
    tx: &mut Tx,
    account: &ProcessorAccount,
    contact: ContactId,
    name: &str,
    now: Timestamp,
) -> Result<bool> {
    let ProcessorAccount { merchant_id, processor, mode, account, .. } = account;
    let now = now.as_microsecond();
    let args = args![merchant_id.0, processor, mode.as_str(), account, contact.as_bytes(), name, now];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// Forgets every name of a contact, since the processor does not know it any more.
pub async fn forget(tx: &mut Tx, merchant: MerchantId, contact: ContactId) -> Result<()> {
    tx.execute(FORGET, args![merchant.0, contact.as_bytes()]).await?;
    Ok(())
}
