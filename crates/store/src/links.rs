//! Payment links: the secret addresses of single invoices. Only the SHA-256 of a secret is ever kept.
//!
//! Whether a link still opens its invoice is not decided here: it depends on the invoice's end and on the policy.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, InvoiceId, LinkId, MerchantId};
use jiff::Timestamp;

/// A payment link as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id; shown to staff, never a secret.
    pub id: LinkId,
    /// The one invoice it opens.
    pub invoice_id: InvoiceId,
    /// Whom it was sent to, where it was sent to somebody.
    pub contact_id: Option<ContactId>,
    /// SHA-256 of the secret.
    pub token_hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
}

const INSERT: Sql =
    Sql("INSERT INTO links (merchant_id, id, invoice_id, contact_id, token_hash, created_at, revoked_at) \
     VALUES ($1, $2, $3, $4, $5, $6, NULL) ON CONFLICT DO NOTHING");
const FIND: Sql = Sql("SELECT id, invoice_id, contact_id, token_hash, created_at, revoked_at FROM links \
     WHERE merchant_id = $1 AND id = $2");
const FIND_BY_TOKEN: Sql =
    Sql("SELECT id, invoice_id, contact_id, token_hash, created_at, revoked_at FROM links \
     WHERE merchant_id = $1 AND token_hash = $2");
const LIST_BY_INVOICE: Sql =
    Sql("SELECT id, invoice_id, contact_id, token_hash, created_at, revoked_at FROM links \
     WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id");
const REVOKE: Sql =
    Sql("UPDATE links SET revoked_at = $3 WHERE merchant_id = $1 AND id = $2 AND revoked_at IS NULL");
const REVOKE_ALL: Sql =
    Sql("UPDATE links SET revoked_at = $3 WHERE merchant_id = $1 AND invoice_id = $2 AND revoked_at IS NULL");

/// Adds a link; its `revoked_at` is not looked at. False if the id or the secret is there already.
pub async fn insert(tx: &mut Tx, merchant_id: MerchantId, link: &Link) -> Result<bool> {
    let contact_id = link.contact_id.as_ref().map(ContactId::as_bytes);
    let created_at = link.created_at.as_microsecond();
    let (id, invoice_id) = (link.id.as_bytes(), link.invoice_id.as_bytes());
    let args = args![merchant_id.0, id, invoice_id, contact_id, &link.token_hash, created_at];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// The link with this id.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, link_id: LinkId) -> Result<Option<Link>> {
    tx.fetch_optional(FIND, args![merchant_id.0, link_id.as_bytes()], link).await
}

/// The link behind a secret, also one that was revoked: the caller has to look.
pub async fn find_by_token_hash(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
) -> Result<Option<Link>> {
    tx.fetch_optional(FIND_BY_TOKEN, args![merchant_id.0, token_hash], link).await
}

/// Every link of an invoice, oldest first.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant_id: MerchantId,
    invoice_id: InvoiceId,
) -> Result<Vec<Link>> {
    tx.fetch_all(LIST_BY_INVOICE, args![merchant_id.0, invoice_id.as_bytes()], link).await
}

/// Takes one link back. False if there is none, or it was taken back before; its first time stays.
pub async fn revoke(tx: &mut Tx, merchant_id: MerchantId, link_id: LinkId, now: Timestamp) -> Result<bool> {
    let args = args![merchant_id.0, link_id.as_bytes(), now.as_microsecond()];
    Ok(tx.execute(REVOKE, args).await? == 1)
}

/// Takes back every link of an invoice; answers how many that were.
pub async fn revoke_all(
    tx: &mut Tx,
    merchant_id: MerchantId,
    invoice_id: InvoiceId,
    now: Timestamp,
) -> Result<u64> {
    tx.execute(REVOKE_ALL, args![merchant_id.0, invoice_id.as_bytes(), now.as_microsecond()]).await
}

fn link(row: &Row<'_>) -> Result<Link> {
    Ok(Link {
        id: LinkId::from_bytes(row.bytes16(0)?),
        invoice_id: InvoiceId::from_bytes(row.bytes16(1)?),
        contact_id: row.opt_bytes16(2)?.map(ContactId::from_bytes),
        token_hash: row.bytes32(3)?,
        created_at: timestamp(row, 4)?,
        revoked_at: opt_timestamp(row, 5)?,
    })
}
