//! The numbers of invoices that are issued without one. A row per merchant, changed by issuing alone: whoever issues next waits
//! for it, so that no number is left out by somebody who gives up.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

const TAKE: Sql = Sql("INSERT INTO numberings (merchant_id, next) VALUES ($1, 2) \
     ON CONFLICT (merchant_id) DO UPDATE SET next = numberings.next + 1 RETURNING next - 1");

/// The merchant's next number, from 1; it is taken with this transaction.
pub async fn take(tx: &mut Tx, merchant: MerchantId) -> Result<i64> {
    tx.fetch_one(TAKE, args![merchant.0], |row| row.i64(0)).await
}
