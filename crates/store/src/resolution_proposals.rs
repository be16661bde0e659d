//! Proposals: how a payment ended, as one person says, until a second one says the same. Never changed; the last of a payment counts.

use crate::args;
use crate::columns::{currency, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::{Context as _, Result};
use billing::ids::{MerchantId, PaymentId};
use billing::payment::PaymentState;
use jiff::Timestamp;
use ledger::Money;

/// What one person says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Which payment.
    pub payment_id: PaymentId,
    /// How it ended: succeeded, failed or canceled.
    pub state: PaymentState,
    /// The processor's name of the charge and what was captured, where it succeeded.
    pub charge: Option<(String, Money)>,
    /// Why they are sure of it. Never empty.
    pub reason: String,
    /// Who, as the audit trail calls them. Never empty.
    pub actor: String,
    /// When it was said.
    pub at: Timestamp,
}

const INSERT: Sql = Sql("INSERT INTO resolution_proposals (merchant_id, payment_id, number, state, charge_id, captured, currency,
    reason, actor, at)
  SELECT CAST($1 AS BIGINT), $2, COALESCE(MAX(number), 0) + 1, $3, $4, CAST($5 AS BIGINT), $6, $7, $8, CAST($9 AS BIGINT)
  FROM resolution_proposals WHERE merchant_id = $1 AND payment_id = $2");
const LATEST: Sql = Sql(
    "SELECT payment_id, state, charge_id, captured, currency, reason, actor, at FROM resolution_proposals
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY number DESC LIMIT 1",
);

/// Adds one. The caller holds the lock of the payment.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, proposal: &Proposal) -> Result<()> {
    let Proposal { payment_id, state, charge, reason, actor, at } = proposal;
    let charge_id = charge.as_ref().map(|(id, _)| id.as_str());
    let captured = charge.as_ref().map(|(_, captured)| captured.minor());
    let code = charge.as_ref().map(|(_, captured)| captured.currency());
    let code = code.as_ref().map(|currency| currency.code());
    let (id, state, at) = (payment_id.as_bytes(), state.as_str(), at.as_microsecond());
    tx.write_one(INSERT, args![merchant.0, id, state, charge_id, captured, code, reason, actor, at]).await
}

/// The last one of a payment.
pub async fn latest(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Proposal>> {
    tx.fetch_optional(LATEST, args![merchant.0, payment.as_bytes()], decode).await
}

fn decode(row: &Row<'_>) -> Result<Proposal> {
    let charge = match row.opt_text(2)? {
        Some(id) => {
            let minor = row.opt_i64(3)?.context("a charge has what it captured")?;
            Some((id, Money::new(minor, currency(row, 4)?)))
        }
        None => None,
    };
    Ok(Proposal {
        payment_id: PaymentId::from_bytes(row.bytes16(0)?),
        state: word(row, 1, PaymentState::parse)?,
        charge,
        reason: row.text(5)?,
        actor: row.text(6)?,
        at: timestamp(row, 7)?,
    })
}
