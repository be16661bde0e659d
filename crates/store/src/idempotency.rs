//! Idempotency records. One commits with the effect it guards; a refusal stores none.

use crate::args;
use crate::db::{Sql, Tx, Val};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;

/// What a caller named a request.
#[derive(Debug, Clone, Copy)]
pub struct Key<'k> {
    /// Whose key: a session, an API key.
    pub owner: &'k str,
    /// Which action.
    pub route: &'k str,
    /// The key itself.
    pub key: &'k str,
}

/// What was answered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The answer, word for word.
    pub answer: String,
}

/// What was done under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// Printed id of what it made.
    pub resource: String,
}

const INSERT: Sql =
    Sql("INSERT INTO idempotency (merchant_id, owner, route, key, request_hash, resource, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
const CLAIM: Sql =
    Sql("INSERT INTO idempotency (merchant_id, owner, route, key, request_hash, resource, created_at)
  VALUES ($1, $2, $3, $4, $5, '', $6) ON CONFLICT DO NOTHING");
const ANSWER: Sql = Sql("UPDATE idempotency SET resource = $5, answer = $6
  WHERE merchant_id = $1 AND owner = $2 AND route = $3 AND key = $4");
const FIND_ANSWER: Sql = Sql("SELECT request_hash, COALESCE(answer, '') FROM idempotency
  WHERE merchant_id = $1 AND owner = $2 AND route = $3 AND key = $4");
const FIND: Sql = Sql("SELECT request_hash, resource FROM idempotency
  WHERE merchant_id = $1 AND owner = $2 AND route = $3 AND key = $4");
const OLD: Sql = Sql("SELECT merchant_id, owner, route, key FROM idempotency WHERE created_at < $1 LIMIT $2");
const DELETE: Sql =
    Sql("DELETE FROM idempotency WHERE merchant_id = $1 AND owner = $2 AND route = $3 AND key = $4");

/// A record by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    merchant_id: MerchantId,
    owner: String,
    route: String,
    key: String,
}

/// Keeps what was done under a key; `false` when something was done under it already.
pub async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    key: Key<'_>,
    done: &Done,
    now: Timestamp,
) -> Result<bool> {
    let Key { owner, route, key } = key;
    let args = args![merchant.0, owner, route, key, &done.request_hash, &done.resource, now.as_microsecond()];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// Takes a key for this transaction, before anything is done; `false` when something was done under it already. Whoever comes
/// with the same key waits here for the end of the first. Follow it with [`answer`], or with [`delete_claim`].
pub async fn claim(
    tx: &mut Tx,
    merchant: MerchantId,
    key: Key<'_>,
    request_hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool> {
    let Key { owner, route, key } = key;
    let args = args![merchant.0, owner, route, key, request_hash, now.as_microsecond()];
    Ok(tx.execute(CLAIM, args).await? == 1)
}

/// Keeps what was answered under a key that was claimed.
pub async fn answer(
    tx: &mut Tx,
    merchant: MerchantId,
    key: Key<'_>,
    resource: &str,
    answer: &str,
) -> Result<()> {
    let Key { owner, route, key } = key;
    tx.write_one(ANSWER, args![merchant.0, owner, route, key, resource, answer]).await
}

/// Lets a claimed key go: nothing was done.
pub async fn delete_claim(tx: &mut Tx, merchant: MerchantId, key: Key<'_>) -> Result<()> {
    let Key { owner, route, key } = key;
    tx.execute(DELETE, args![merchant.0, owner, route, key]).await.map(drop)
}

/// What was answered under a key.
pub async fn find_answer(tx: &mut Tx, merchant: MerchantId, key: Key<'_>) -> Result<Option<Answered>> {
    tx.fetch_optional(FIND_ANSWER, args![merchant.0, key.owner, key.route, key.key], |row| {
        Ok(Answered { request_hash: row.bytes32(0)?, answer: row.text(1)? })
    })
    .await
}

/// What was done under a key.
pub async fn find(tx: &mut Tx, merchant: MerchantId, key: Key<'_>) -> Result<Option<Done>> {
    tx.fetch_optional(FIND, args![merchant.0, key.owner, key.route, key.key], |row| {
        Ok(Done { request_hash: row.bytes32(0)?, resource: row.text(1)? })
    })
    .await
}

/// Records from before `before`, `limit` at most. It may look at all of them, so ask in a report.
pub async fn list_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<OldKey>> {
    tx.fetch_all(OLD, args![before.as_microsecond(), limit], |row| {
        let (merchant_id, owner) = (MerchantId(row.i64(0)?), row.text(1)?);
        Ok(OldKey { merchant_id, owner, route: row.text(2)?, key: row.text(3)? })
    })
    .await
}

/// Forgets these records.
pub async fn delete(tx: &mut Tx, keys: &[OldKey]) -> Result<()> {
    let all: Vec<[Val<'_>; 4]> = keys
        .iter()
        .map(|old| [old.merchant_id.0.into(), (&old.owner).into(), (&old.route).into(), (&old.key).into()])
        .collect();
    let list: Vec<(Sql, &[Val<'_>])> = all.iter().map(|args| (DELETE, args.as_slice())).collect();
    tx.execute_many(&list).await.map(drop)
}
