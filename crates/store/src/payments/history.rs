//! The numbered history of a payment's states. Only ever added to.

use crate::args;
use crate::columns::{timestamp, word};
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId};
use billing::payment::PaymentState;
use jiff::Timestamp;

/// One step of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateStep {
    /// Counted from 1, without gap.
    pub number: i64,
    /// The state it came to.
    pub state: PaymentState,
    /// Why, in a few words for people.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

const HISTORY: Sql = Sql("SELECT number, state, reason, at FROM payment_states
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY number");

/// The steps of a payment, first to last.
pub async fn history(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<StateStep>> {
    tx.fetch_all(HISTORY, args![merchant.0, payment.as_bytes()], |row| {
        Ok(StateStep {
            number: row.i64(0)?,
            state: word(row, 1, PaymentState::parse)?,
            reason: row.text(2)?,
            at: timestamp(row, 3)?,
        })
    })
    .await
}
