//! What a merchant passes on of a method's cost, per method and currency.

use crate::args;
use crate::columns::currency;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use billing::surcharge::Surcharge;
use ledger::Currency;

const FIND: Sql = Sql("SELECT currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 AND method = 'card' AND currency = $2");
const ALL: Sql = Sql("SELECT currency, rate_millionths, fixed, cap FROM surcharges
  WHERE merchant_id = $1 AND method = 'card' ORDER BY currency");
const PUT: Sql = Sql("INSERT INTO surcharges (merchant_id, method, currency, rate_millionths, fixed, cap)
  VALUES ($1, 'card', $2, $3, $4, $5)
  ON CONFLICT (merchant_id, method, currency) DO UPDATE SET rate_millionths = excluded.rate_millionths,
    fixed = excluded.fixed, cap = excluded.cap");

/// The surcharge on card payments in a currency; nothing unless it was set.
pub async fn of_cards(tx: &mut Tx, merchant: MerchantId, of: Currency) -> Result<Surcharge> {
    let found = tx.fetch_optional(FIND, args![merchant.0, of.code()], decode).await?;
    Ok(found.map_or(Surcharge::NONE, |(_, surcharge)| surcharge))
}

/// All surcharges on card payments that were set, by currency.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<(Currency, Surcharge)>> {
    tx.fetch_all(ALL, args![merchant.0], decode).await
}

/// Sets the surcharge on card payments in a currency.
pub async fn put(tx: &mut Tx, merchant: MerchantId, of: Currency, surcharge: Surcharge) -> Result<()> {
    let Surcharge { rate_millionths, fixed_minor, cap_minor } = surcharge;
    tx.execute(PUT, args![merchant.0, of.code(), rate_millionths, fixed_minor, cap_minor]).await?;
    Ok(())
}

fn decode(row: &Row<'_>) -> Result<(Currency, Surcharge)> {
    let surcharge =
        Surcharge { rate_millionths: row.i64(1)?, fixed_minor: row.i64(2)?, cap_minor: row.opt_i64(3)? };
    Ok((currency(row, 0)?, surcharge))
}
