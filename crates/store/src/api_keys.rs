//! Keys of programs that use the API. Only the SHA-256 of a secret is ever kept; what a key may do is the caller's to judge.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ApiKeyId, MerchantId};
use jiff::Timestamp;

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Which key; shown to people, never a secret.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// How its secret begins, enough to recognise it.
    pub shown: String,
    /// SHA-256 of the secret.
    pub key_hash: [u8; 32],
    /// What it may do, words separated by blanks: `invoices:read payments:write`.
    pub scopes: String,
    /// So many requests a minute; 0: no limit.
    pub requests_per_minute: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub used_at: Option<Timestamp>,
}

const INSERT: Sql =
    Sql("INSERT INTO api_keys (merchant_id, id, name, shown, key_hash, scopes, requests_per_minute, \
     created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING");
const FIND: Sql =
    Sql("SELECT id, name, shown, key_hash, scopes, requests_per_minute, created_at, expires_at, \
     revoked_at, used_at FROM api_keys WHERE merchant_id = $1 AND id = $2");
const FIND_BY_HASH: Sql =
    Sql("SELECT id, name, shown, key_hash, scopes, requests_per_minute, created_at, expires_at, \
     revoked_at, used_at FROM api_keys WHERE merchant_id = $1 AND key_hash = $2");
const LIST: Sql =
    Sql("SELECT id, name, shown, key_hash, scopes, requests_per_minute, created_at, expires_at, \
     revoked_at, used_at FROM api_keys WHERE merchant_id = $1 ORDER BY id LIMIT 1000");
const REVOKE: Sql =
    Sql("UPDATE api_keys SET revoked_at = $3 WHERE merchant_id = $1 AND id = $2 AND revoked_at IS NULL");
const SET_RATE: Sql = Sql("UPDATE api_keys SET requests_per_minute = $3 WHERE merchant_id = $1 AND id = $2");
const NOTE_USED: Sql = Sql("UPDATE api_keys SET used_at = $3 \
     WHERE merchant_id = $1 AND id = $2 AND COALESCE(used_at, 0) < $3");

/// Adds a key that is neither revoked nor used. False if its id or its secret is there already.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, key: &ApiKey) -> Result<bool> {
    let args = args![
        merchant.0,
        key.id.as_bytes(),
        &key.name,
        &key.shown,
        &key.key_hash,
        &key.scopes,
        key.requests_per_minute,
        key.created_at.as_microsecond(),
        key.expires_at.map(Timestamp::as_microsecond),
    ];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// The key with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: ApiKeyId) -> Result<Option<ApiKey>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

/// The key behind a secret, also one that has ended: the caller has to look.
pub async fn find_by_hash(tx: &mut Tx, merchant: MerchantId, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
    tx.fetch_optional(FIND_BY_HASH, args![merchant.0, hash], decode).await
}

/// Every key of a merchant, oldest first, 1,000 at most.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<ApiKey>> {
    tx.fetch_all(LIST, args![merchant.0], decode).await
}

/// Takes a key back. False if there is none, or it was taken back before.
pub async fn revoke(tx: &mut Tx, merchant: MerchantId, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(REVOKE, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await? == 1)
}

/// Sets how many requests a minute a key may make; 0: no limit. False if there is no such key.
pub async fn set_rate(
    tx: &mut Tx,
    merchant: MerchantId,
    id: ApiKeyId,
    requests_per_minute: i64,
) -> Result<bool> {
    Ok(tx.execute(SET_RATE, args![merchant.0, id.as_bytes(), requests_per_minute]).await? == 1)
}

/// Notes that a key was used; an earlier use changes nothing.
pub async fn note_used(tx: &mut Tx, merchant: MerchantId, id: ApiKeyId, at: Timestamp) -> Result<()> {
    tx.execute(NOTE_USED, args![merchant.0, id.as_bytes(), at.as_microsecond()]).await.map(drop)
}

fn decode(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId::from_bytes(row.bytes16(0)?),
        name: row.text(1)?,
        shown: row.text(2)?,
        key_hash: row.bytes32(3)?,
        scopes: row.text(4)?,
        requests_per_minute: row.i64(5)?,
        created_at: timestamp(row, 6)?,
        expires_at: opt_timestamp(row, 7)?,
        revoked_at: opt_timestamp(row, 8)?,
        used_at: opt_timestamp(row, 9)?,
    })
}
