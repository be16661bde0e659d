//! Counters for rate limits: how often something happened in a window of time. What the limit is, and what the key
//! is made of, is the caller's; a key that names a person or an address is better given as a hash.
//!
//! A window is told by where it starts. Counting is one statement, so several processes share the counters.

use crate::args;
use crate::columns::opt_timestamp;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;

/// What was counted over several windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How often.
    pub count: i64,
    /// Where the first window starts that counted anything.
    pub first: Option<Timestamp>,
    /// Where the last one starts.
    pub last: Option<Timestamp>,
}

const COUNT: Sql = Sql(
    "INSERT INTO rates (merchant_id, scope, key, window_start, count) VALUES ($1, $2, $3, $4, 1) \
     ON CONFLICT (merchant_id, scope, key, window_start) DO UPDATE SET count = rates.count + 1 RETURNING count",
);
const TAKE_BACK: Sql = Sql("UPDATE rates SET count = count - 1 \
     WHERE merchant_id = $1 AND scope = $2 AND key = $3 AND window_start = $4 AND count > 0");
const SPAN: Sql =
    Sql("SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT), MIN(window_start), MAX(window_start) FROM rates \
     WHERE merchant_id = $1 AND scope = $2 AND key = $3 AND window_start >= $4 AND count > 0");
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

/// Takes one count back. Nothing happens where nothing was counted.
pub async fn take_back(
    tx: &mut Tx,
    merchant_id: MerchantId,
    scope: &str,
    key: &str,
    window_start: Timestamp,
) -> Result<()> {
    tx.execute(TAKE_BACK, args![merchant_id.0, scope, key, window_start.as_microsecond()]).await.map(drop)
}

/// The windows that start at `from` or later, added up: short windows make a sliding long one.
pub async fn span(
    tx: &mut Tx,
    merchant_id: MerchantId,
    scope: &str,
    key: &str,
    from: Timestamp,
) -> Result<Span> {
    tx.fetch_one(SPAN, args![merchant_id.0, scope, key, from.as_microsecond()], |row| {
        Ok(Span { count: row.i64(0)?, first: opt_timestamp(row, 1)?, last: opt_timestamp(row, 2)? })
    })
    .await
}

/// Removes the windows of every merchant that started before `before`; answers how many.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(SWEEP, args![before.as_microsecond()]).await
}
