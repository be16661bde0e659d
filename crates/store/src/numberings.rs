//! The numbers of invoices that are issued without one, and of credit notes. A row per merchant, changed by issuing alone:
//! whoever issues next waits for it, so that no number is left out by somebody who gives up.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

const TAKE: Sql = Sql("INSERT INTO numberings (merchant_id, next) VALUES ($1, 2) \
     ON CONFLICT (merchant_id) DO UPDATE SET next = numberings.next + 1 RETURNING next - 1");

const TAKE_CREDIT_NOTE: Sql =
    Sql("INSERT INTO numberings (merchant_id, next, next_credit_note) VALUES ($1, 1, 2) \
     ON CONFLICT (merchant_id) DO UPDATE SET next_credit_note = numberings.next_credit_note + 1 \
     RETURNING next_credit_note - 1");

const GO_TO: Sql = Sql("UPDATE numberings SET next = $2 WHERE merchant_id = $1 AND next < $2");
const HIGHEST: Sql =
    Sql("SELECT number FROM invoices WHERE merchant_id = $1 AND number >= $2 AND number < $3 \
     AND length(number) < 20 ORDER BY length(number) DESC, number DESC LIMIT 1");

/// The highest number that begins so, a longer one being higher. It looks at all of them.
pub async fn highest(tx: &mut Tx, merchant: MerchantId, prefix: &str) -> Result<Option<String>> {
    let end = format!("{prefix}:"); // the letter after the digits
    tx.fetch_optional(HIGHEST, args![merchant.0, prefix, &end], |row| row.text(0)).await
}

/// Goes on with this number, never back.
pub async fn go_to(tx: &mut Tx, merchant: MerchantId, next: i64) -> Result<()> {
    tx.execute(GO_TO, args![merchant.0, next]).await.map(drop)
}

/// The merchant's next number, from 1; it is taken with this transaction.
pub async fn take(tx: &mut Tx, merchant: MerchantId) -> Result<i64> {
    tx.fetch_one(TAKE, args![merchant.0], |row| row.i64(0)).await
}

/// The number of the merchant's next credit note, from 1; it is taken with this transaction.
pub async fn take_credit_note(tx: &mut Tx, merchant: MerchantId) -> Result<i64> {
    tx.fetch_one(TAKE_CREDIT_NOTE, args![merchant.0], |row| row.i64(0)).await
}
