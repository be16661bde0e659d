//! The numbered history of a dispute's states. Only ever added to.

use super::Dispute;
use crate::args;
use crate::columns::{timestamp, word};
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::dispute::DisputeState;
use billing::ids::{DisputeId, MerchantId};
use jiff::Timestamp;

/// One step of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateStep {
    /// Counted from 1, without gap.
    pub number: i64,
    /// The state it came to.
    pub state: DisputeState,
    /// How we learned of it, in a few words for people.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql = Sql("INSERT INTO dispute_states (merchant_id, dispute_id, number, state, reason, at)
  SELECT CAST($1 AS BIGINT), $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5
  FROM dispute_states WHERE merchant_id = $1 AND dispute_id = $2");
const HISTORY: Sql = Sql("SELECT number, state, reason, at FROM dispute_states
  WHERE merchant_id = $1 AND dispute_id = $2 ORDER BY number");

/// Adds a step.
pub(super) async fn note(
    tx: &mut Tx,
    dispute: &Dispute,
    state: DisputeState,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let (merchant, id) = (dispute.merchant.0, dispute.id.as_bytes());
    tx.write_one(INSERT, args![merchant, id, state.as_str(), reason, at.as_microsecond()]).await
}

/// The steps of a dispute, first to last.
pub async fn history(tx: &mut Tx, merchant: MerchantId, dispute: DisputeId) -> Result<Vec<StateStep>> {
    tx.fetch_all(HISTORY, args![merchant.0, dispute.as_bytes()], |row| {
        Ok(StateStep {
            number: row.i64(0)?,
            state: word(row, 1, DisputeState::parse)?,
            reason: row.text(2)?,
            at: timestamp(row, 3)?,
        })
    })
    .await
}
