//! Reversals: that somebody took money out of the books again which had been entered as received, and why. Never changed.

use crate::args;
use crate::columns::{timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId};
use billing::reversal::ReversalKind;
use jiff::Timestamp;

/// A receipt that was taken out of the books again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// The payment; or the receipt of which nobody knew whose it was.
    pub id: PaymentId,
    /// True for a receipt that never was anybody's payment.
    pub is_nobodys: bool,
    /// Why, in a word.
    pub kind: ReversalKind,
    /// Why, in somebody's words. Never empty.
    pub reason: String,
    /// Who, as the audit trail calls them. Never empty.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO reversals (merchant_id, id, payment_id, receipt_id, kind, reason, actor, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
const FIND: Sql =
    Sql("SELECT id, CASE WHEN payment_id IS NULL THEN 1 ELSE 0 END, kind, reason, actor, at FROM reversals
  WHERE merchant_id = $1 AND id = $2");

/// Adds one. Fails where the same was reversed before.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, reversal: &Reversal) -> Result<()> {
    let Reversal { id, is_nobodys, kind, reason, actor, at } = reversal;
    let id = id.as_bytes();
    let (payment, receipt) = if *is_nobodys { (None, Some(id)) } else { (Some(id), None) };
    let args = args![merchant.0, id, payment, receipt, kind.as_str(), reason, actor, at.as_microsecond()];
    tx.write_one(INSERT, args).await
}

/// The reversal of a payment or receipt, if it was reversed.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<Reversal>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], decode).await
}

fn decode(row: &Row<'_>) -> Result<Reversal> {
    Ok(Reversal {
        id: PaymentId::from_bytes(row.bytes16(0)?),
        is_nobodys: row.i64(1)? != 0,
        kind: word(row, 2, ReversalKind::parse)?,
        reason: row.text(3)?,
        actor: row.text(4)?,
        at: timestamp(row, 5)?,
    })
}
