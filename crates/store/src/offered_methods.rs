//! By which methods a merchant lets payers pay. Whether a method can carry an amount, and whether the processor has it, is not
//! decided here.

use crate::args;
use crate::columns::word;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use billing::payment::Method;

const ALL: Sql = Sql("SELECT method FROM offered_methods WHERE merchant_id = $1");
const ADD: Sql =
    Sql("INSERT INTO offered_methods (merchant_id, method) VALUES ($1, $2) ON CONFLICT DO NOTHING");
const CLEAR: Sql = Sql("DELETE FROM offered_methods WHERE merchant_id = $1");

/// The methods, in the order in which they are shown; by card alone until something was chosen.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<Method>> {
    let decode = |row: &Row<'_>| word(row, 0, Method::parse);
    let chosen = tx.fetch_all(ALL, args![merchant.0], decode).await?;
    if chosen.is_empty() {
        return Ok(vec![Method::Card]);
    }
    Ok(Method::ALL.into_iter().filter(|method| chosen.contains(method)).collect())
}

/// Sets them; at least one, none of them received.
pub async fn set(tx: &mut Tx, merchant: MerchantId, methods: &[Method]) -> Result<()> {
    tx.execute(CLEAR, args![merchant.0]).await?;
    for method in methods {
        tx.execute(ADD, args![merchant.0, method.as_str()]).await?;
    }
    Ok(())
}
