//! What a lost dispute usually means to a merchant.

use crate::args;
use crate::columns::word;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::dispute::LossMeaning;
use billing::ids::MerchantId;

const FIND: Sql = Sql("SELECT when_lost FROM dispute_settings WHERE merchant_id = $1");
const PUT: Sql = Sql("INSERT INTO dispute_settings (merchant_id, when_lost) VALUES ($1, $2)
  ON CONFLICT (merchant_id) DO UPDATE SET when_lost = excluded.when_lost");

/// What a loss means where a dispute does not say otherwise; owed again unless it was set.
pub async fn when_lost(tx: &mut Tx, merchant: MerchantId) -> Result<LossMeaning> {
    let found = tx.fetch_optional(FIND, args![merchant.0], |row| word(row, 0, LossMeaning::parse)).await?;
    Ok(found.unwrap_or(LossMeaning::OwedAgain))
}

/// Sets it.
pub async fn put_when_lost(tx: &mut Tx, merchant: MerchantId, meaning: LossMeaning) -> Result<()> {
    tx.execute(PUT, args![merchant.0, meaning.as_str()]).await.map(drop)
}
