//! Payouts: what a processor transfers to the merchant's bank, or takes from it, with the numbered history of each. What they
//! are made of is in [`items`].
//!
//! Never decides what a step posts, and never changes what a payout was first told to be.

pub mod items;

use crate::args;
use crate::columns::{currency, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PayoutId};
use billing::payout::PayoutState;
use jiff::Timestamp;
use ledger::Money;

/// A payout as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Which payout.
    pub id: PayoutId,
    /// Word of the processor.
    pub processor: String,
    /// The processor's name of it.
    pub processor_payout_id: String,
    /// Where it stands.
    pub state: PayoutState,
    /// What goes to the bank, in the currency of the bank account; below zero where the processor takes from the bank.
    pub amount: Money,
    /// What leaves the processor's books for it; another currency than the amount's where the processor converts.
    pub balance: Money,
    /// True if the processor chose its items and can list them.
    pub is_automatic: bool,
    /// When the processor made it.
    pub made_at: Timestamp,
    /// The day it arrives or has arrived, at midnight UTC.
    pub arrives_at: Timestamp,
    /// What the bank's statement says.
    pub statement: Option<String>,
    /// Why it failed: the processor's own name.
    pub failure_code: Option<String>,
    /// The same for people.
    pub failure_message: Option<String>,
    /// When every item was known and they came to the payout; never of one that a person asked for.
    pub reconciled_at: Option<Timestamp>,
    /// Why it is not reconciled, for people.
    pub unreconciled_because: Option<String>,
    /// When we learned of it.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
}

/// One step of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutStep {
    /// Counted from 1, without gap.
    pub number: i64,
    /// The state it came to.
    pub state: PayoutState,
    /// How we learned of it.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO payouts (merchant_id, id, processor, processor_payout_id, state, amount, currency, balance,
    balance_currency, is_automatic, made_at, arrives_at, statement, failure_code, failure_message, created_at, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16) ON CONFLICT DO NOTHING");
const NOTE_STATE: Sql = Sql("INSERT INTO payout_states (merchant_id, payout_id, number, state, reason, at)
  SELECT CAST($1 AS BIGINT), $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5
  FROM payout_states WHERE merchant_id = $1 AND payout_id = $2");
const SET_STATE: Sql =
    Sql("UPDATE payouts SET state = $4, changed_at = $5, failure_code = $6, failure_message = $7
  WHERE merchant_id = $1 AND id = $2 AND state = $3");
const SET_ARRIVAL: Sql = Sql("UPDATE payouts SET arrives_at = $3 WHERE merchant_id = $1 AND id = $2");
const SET_RECONCILED: Sql = Sql("UPDATE payouts SET reconciled_at = $3, unreconciled_because = $4
  WHERE merchant_id = $1 AND id = $2");
const BY_ID: Sql = Sql("SELECT id, processor, processor_payout_id, state, amount, currency, balance, balance_currency,
    is_automatic, made_at, arrives_at, statement, failure_code, failure_message, reconciled_at, unreconciled_because,
    created_at, changed_at
  FROM payouts WHERE merchant_id = $1 AND id = $2");
const BY_PROCESSOR_ID: Sql =
    Sql("SELECT id, processor, processor_payout_id, state, amount, currency, balance, balance_currency,
    is_automatic, made_at, arrives_at, statement, failure_code, failure_message, reconciled_at, unreconciled_because,
    created_at, changed_at
  FROM payouts WHERE merchant_id = $1 AND processor = $2 AND processor_payout_id = $3");
const LIST: Sql = Sql("SELECT id, processor, processor_payout_id, state, amount, currency, balance, balance_currency,
    is_automatic, made_at, arrives_at, statement, failure_code, failure_message, reconciled_at, unreconciled_because,
    created_at, changed_at
  FROM payouts WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const NEWEST: Sql = Sql("SELECT id, processor, processor_payout_id, state, amount, currency, balance, balance_currency,
    is_automatic, made_at, arrives_at, statement, failure_code, failure_message, reconciled_at, unreconciled_because,
    created_at, changed_at
  FROM payouts WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const LAST_MADE_AT: Sql = Sql("SELECT MAX(made_at) FROM payouts WHERE merchant_id = $1 AND processor = $2");
const HISTORY: Sql = Sql("SELECT number, state, reason, at FROM payout_states
  WHERE merchant_id = $1 AND payout_id = $2 ORDER BY number");

/// Adds a payout in the state it is first seen in, with the first step of its history; `false` when it is there already.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, payout: &Payout, reason: &str) -> Result<bool> {
    let args = args![
        merchant.0,
        payout.id.as_bytes(),
        &payout.processor,
        &payout.processor_payout_id,
        payout.state.as_str(),
        payout.amount.minor(),
        payout.amount.currency().code(),
        payout.balance.minor(),
        payout.balance.currency().code(),
        i64::from(payout.is_automatic),
        payout.made_at.as_microsecond(),
        payout.arrives_at.as_microsecond(),
        payout.statement.as_deref(),
        payout.failure_code.as_deref(),
        payout.failure_message.as_deref(),
        payout.created_at.as_microsecond(),
    ];
    if tx.execute(INSERT, args).await? == 0 {
        return Ok(false);
    }
    note_state(tx, merchant, payout.id, (payout.state, reason, payout.created_at)).await?;
    Ok(true)
}

/// Moves a locked payout to the next state, with why it failed, if it did, and notes the step. Its time never falls behind the
/// last one.
pub async fn set_state(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: &Payout,
    (next, reason): (PayoutState, &str),
    failure: (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    let at = now.max(payout.changed_at);
    let (from, to) = (payout.state.as_str(), next.as_str());
    let args = args![merchant.0, payout.id.as_bytes(), from, to, at.as_microsecond(), failure.0, failure.1];
    let moved = tx.execute(SET_STATE, args).await?;
    anyhow::ensure!(moved == 1, "payout {} is no longer {from}", payout.id);
    note_state(tx, merchant, payout.id, (next, reason, at)).await
}

async fn note_state(
    tx: &mut Tx,
    merchant: MerchantId,
    payout: PayoutId,
    (state, reason, at): (PayoutState, &str, Timestamp),
) -> Result<()> {
    let args = args![merchant.0, payout.as_bytes(), state.as_str(), reason, at.as_microsecond()];
    tx.write_one(NOTE_STATE, args).await
}

/// Notes the day on which it arrives.
pub async fn set_arrival(tx: &mut Tx, merchant: MerchantId, id: PayoutId, at: Timestamp) -> Result<()> {
    tx.execute(SET_ARRIVAL, args![merchant.0, id.as_bytes(), at.as_microsecond()]).await.map(drop)
}

/// Notes that every item is known and they come to the payout, or why not.
pub async fn set_reconciled(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PayoutId,
    outcome: Result<Timestamp, &str>,
) -> Result<()> {
    let (at, why) = match outcome {
        Ok(at) => (Some(at.as_microsecond()), None),
        Err(why) => (None, Some(why)),
    };
    tx.execute(SET_RECONCILED, args![merchant.0, id.as_bytes(), at, why]).await.map(drop)
}

/// One payout.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PayoutId) -> Result<Option<Payout>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The payout that the processor calls so.
pub async fn find_by_processor_id(
    tx: &mut Tx,
    merchant: MerchantId,
    processor: &str,
    name: &str,
) -> Result<Option<Payout>> {
    tx.fetch_optional(BY_PROCESSOR_ID, args![merchant.0, processor, name], decode).await
}

/// The same, locked until the transaction ends.
pub async fn lock_by_processor_id(
    tx: &mut Tx,
    merchant: MerchantId,
    processor: &str,
    name: &str,
) -> Result<Option<Payout>> {
    tx.lock(BY_PROCESSOR_ID, args![merchant.0, processor, name], decode).await
}

/// Payouts after one of them, in the order in which we learned of them, `limit` at most.
pub async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    after: Option<PayoutId>,
    limit: i64,
) -> Result<Vec<Payout>> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    tx.fetch_all(LIST, args![merchant.0, &after, limit], decode).await
}

/// Payouts before one of them, the newest first, `limit` at most.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    before: Option<PayoutId>,
    limit: i64,
) -> Result<Vec<Payout>> {
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode).await
}

/// When the youngest payout that we know was made.
pub async fn last_made_at(tx: &mut Tx, merchant: MerchantId, processor: &str) -> Result<Option<Timestamp>> {
    tx.fetch_one(LAST_MADE_AT, args![merchant.0, processor], |row| opt_timestamp(row, 0)).await
}

/// The steps of a payout, first to last.
pub async fn history(tx: &mut Tx, merchant: MerchantId, id: PayoutId) -> Result<Vec<PayoutStep>> {
    tx.fetch_all(HISTORY, args![merchant.0, id.as_bytes()], |row| {
        Ok(PayoutStep {
            number: row.i64(0)?,
            state: word(row, 1, PayoutState::parse)?,
            reason: row.text(2)?,
            at: timestamp(row, 3)?,
        })
    })
    .await
}

fn decode(row: &Row<'_>) -> Result<Payout> {
    Ok(Payout {
        id: PayoutId::from_bytes(row.bytes16(0)?),
        processor: row.text(1)?,
        processor_payout_id: row.text(2)?,
        state: word(row, 3, PayoutState::parse)?,
        amount: Money::new(row.i64(4)?, currency(row, 5)?),
        balance: Money::new(row.i64(6)?, currency(row, 7)?),
        is_automatic: row.i64(8)? == 1,
        made_at: timestamp(row, 9)?,
        arrives_at: timestamp(row, 10)?,
        statement: row.opt_text(11)?,
        failure_code: row.opt_text(12)?,
        failure_message: row.opt_text(13)?,
        reconciled_at: opt_timestamp(row, 14)?,
        unreconciled_because: row.opt_text(15)?,
        created_at: timestamp(row, 16)?,
        changed_at: timestamp(row, 17)?,
    })
}
