//! Counters for rate limits: how often something happened in a window of time. What the limit is, and what the key
//! is made of, is the caller's; a key that names a person or an address is better given as a hash.
//!
//! A window is told by where it starts. Counting is one statement, so several processes share the counters.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;

const COUNT: Sql = Sql(
    "INSERT INTO rates (merchant_id, scope, key, window_start, count) VALUES ($1, $2, $3, $4, 1) \
     ON CONFLICT (merchant_id, scope, key, window_start) DO UPDATE SET count = rates.count + 1 RETURNING count",
);
const CURRENT: Sql =
    Sql("SELECT count FROM rates WHERE merchant_id = $1 AND scope = $2 AND key = $3 AND window_start = $4");
const SINCE: Sql = Sql("SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM rates \
     WHERE merchant_id = $1 AND scope = $2 AND key = $3 AND window_start >= $4");
const SWEEP: Sql = Sql("DELETE FROM rates WHERE window_start < $1");

/// Counts one more and answers the new count, which is at least 1.
pub async fn count(
    tx: &mut Tx,
    merchant_id: MerchantId,
    scope: &str,
    key: &str,
    window_start: Timestamp,
) -> Result<i64> {
    let args = args![merchant_id.0, scope, key, window_start.as_microsecond()];
    tx.fetch_one(COUNT, args, |row| row.i64(0)).await
}

/// The count of one window, without counting.
pub async fn current(
    tx: &mut Tx,
    merchant_id: MerchantId,
    scope: &str,
    key: &str,
    window_start: Timestamp,
) -> Result<i64> {
    let args = args![merchant_id.0, scope, key, window_start.as_microsecond()];
    Ok(tx.fetch_optional(CURRENT, args, |row| row.i64(0)).await?.unwrap_or(0))
}

/// The counts of the windows that start at `from` or later, added up: short windows make a sliding long one.
pub async fn since(
    tx: &mut Tx,
    merchant_id: MerchantId,
    scope: &str,
    key: &str,
    from: Timestamp,
) -> Result<i64> {
    tx.fetch_one(SINCE, args![merchant_id.0, scope, key, from.as_microsecond()], |row| row.i64(0)).await
}

/// Removes the windows of every merchant that started before `before`; answers how many.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(SWEEP, args![before.as_microsecond()]).await
}
