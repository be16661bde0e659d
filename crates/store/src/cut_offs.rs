//! Until when on a day a merchant holds the debits of saved accounts. What a day is, and what happens then, is not decided here.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

/// Where nothing was set: 16:00.
pub const USUAL_MINUTE_OF_DAY: i64 = 16 * 60;

const FIND: Sql = Sql("SELECT minute_of_day FROM debit_cut_offs WHERE merchant_id = $1");
const PUT: Sql = Sql("INSERT INTO debit_cut_offs (merchant_id, minute_of_day) VALUES ($1, $2)
  ON CONFLICT (merchant_id) DO UPDATE SET minute_of_day = excluded.minute_of_day");

/// Minutes after midnight in the merchant's zone.
pub async fn find(tx: &mut Tx, merchant: MerchantId) -> Result<i64> {
    let found = tx.fetch_optional(FIND, args![merchant.0], |row| row.i64(0)).await?;
    Ok(found.unwrap_or(USUAL_MINUTE_OF_DAY))
}

/// Sets it, 0 to 1439.
pub async fn put(tx: &mut Tx, merchant: MerchantId, minute_of_day: i64) -> Result<()> {
    tx.write_one(PUT, args![merchant.0, minute_of_day]).await
}
