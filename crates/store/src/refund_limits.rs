//! Above which amount a second person has to approve a refund, per merchant and currency. Without a limit nobody has to.

use crate::args;
use crate::columns::currency;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use ledger::{Currency, Money};

const FIND: Sql = Sql("SELECT currency, amount FROM refund_limits WHERE merchant_id = $1 AND currency = $2");
const ALL: Sql = Sql("SELECT currency, amount FROM refund_limits WHERE merchant_id = $1 ORDER BY currency");
const PUT: Sql = Sql("INSERT INTO refund_limits (merchant_id, currency, amount) VALUES ($1, $2, $3)
  ON CONFLICT (merchant_id, currency) DO UPDATE SET amount = excluded.amount");
const CLEAR: Sql = Sql("DELETE FROM refund_limits WHERE merchant_id = $1 AND currency = $2");

/// The limit in a currency, where there is one.
pub async fn find(tx: &mut Tx, merchant: MerchantId, of: Currency) -> Result<Option<Money>> {
    tx.fetch_optional(FIND, args![merchant.0, of.code()], decode).await
}

/// All limits, by currency.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Money>> {
    tx.fetch_all(ALL, args![merchant.0], decode).await
}

/// Sets the limit in the currency of the amount.
pub async fn put(tx: &mut Tx, merchant: MerchantId, limit: Money) -> Result<()> {
    tx.execute(PUT, args![merchant.0, limit.currency().code(), limit.minor()]).await.map(drop)
}

/// Takes the limit in a currency away.
pub async fn clear(tx: &mut Tx, merchant: MerchantId, of: Currency) -> Result<()> {
    tx.execute(CLEAR, args![merchant.0, of.code()]).await.map(drop)
}

fn decode(row: &Row<'_>) -> Result<Money> {
    Ok(Money::new(row.i64(1)?, currency(row, 0)?))
}
