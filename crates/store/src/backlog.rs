//! What waits and since when, of all merchants together: figures for whoever operates the program. Nothing is decided by
//! them, and they name nobody.

use crate::args;
use crate::columns::{opt_timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::payment::PaymentState;
use jiff::Timestamp;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// How many payments there are in each state; a state without payments is not listed.
    pub payments: Vec<(PaymentState, i64)>,
    /// Jobs that are due and that nobody works on, since they are due.
    pub jobs: Waiting,
    /// Mails that are not sent, since they were asked for.
    pub mails: Waiting,
    /// Processors' events that are not applied, since they came in.
    pub events: Waiting,
    /// Processors' events that are parked for a person.
    pub parked_events: i64,
    /// Things that a person has to look at and that nobody has closed.
    pub anomalies: i64,
}

/// A queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many wait.
    pub count: i64,
    /// Since when the oldest does.
    pub oldest_at: Option<Timestamp>,
}

const PAYMENTS: Sql = Sql("SELECT state, count(*) FROM payments GROUP BY state ORDER BY state");
const JOBS: Sql = Sql("SELECT count(*), min(run_at) FROM jobs WHERE run_at <= $1 AND leased_until <= $1");
const MAILS: Sql = Sql("SELECT count(*), min(created_at) FROM mails WHERE state = 'queued'");
const EVENTS: Sql = Sql("SELECT count(*), min(received_at) FROM inbox WHERE state = 'stored'");
const PARKED: Sql = Sql("SELECT count(*) FROM inbox WHERE state = 'parked'");
const ANOMALIES: Sql =
    Sql("SELECT count(*) FROM anomalies a WHERE NOT EXISTS (SELECT 1 FROM anomaly_closings c
  WHERE c.merchant_id = a.merchant_id AND c.anomaly_id = a.id)");

/// Counts it all; reads every payment, so ask in a report.
pub async fn read(tx: &mut Tx, now: Timestamp) -> Result<Backlog> {
    let state = |row: &Row<'_>| Ok((word(row, 0, PaymentState::parse)?, row.i64(1)?));
    Ok(Backlog {
        payments: tx.fetch_all(PAYMENTS, args![], state).await?,
        jobs: tx.fetch_one(JOBS, args![now.as_microsecond()], waiting).await?,
        mails: tx.fetch_one(MAILS, args![], waiting).await?,
        events: tx.fetch_one(EVENTS, args![], waiting).await?,
        parked_events: tx.fetch_one(PARKED, args![], |row| row.i64(0)).await?,
        anomalies: tx.fetch_one(ANOMALIES, args![], |row| row.i64(0)).await?,
    })
}

/// What is merely late: nothing of it is wrong, and `verify` finds nothing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// Postings and audit rows without a seal, since they were written.
    pub unsealed: Waiting,
    /// Payments of which no processor has said how they ended, since that is so.
    pub unknown_payments: Waiting,
    /// Payments that a person settled and of which the processor has not said the same yet, since they were.
    pub unconfirmed_payments: Waiting,
    /// Payments on their way of which one person has said how they ended, and no second one yet, since the first said so.
    pub proposed_payments: Waiting,
}

const UNSEALED: Sql = Sql("SELECT count(*), min(at) FROM (\
     SELECT p.at FROM postings p WHERE NOT EXISTS (SELECT 1 FROM seals s \
     WHERE s.merchant_id = p.merchant_id AND s.chain = 'postings' AND s.subject = p.id) UNION ALL \
     SELECT a.at FROM audit a WHERE NOT EXISTS (SELECT 1 FROM seals s \
     WHERE s.merchant_id = a.merchant_id AND s.chain = 'audit' AND s.subject = a.id)) late");
const UNKNOWN: Sql = Sql("SELECT count(*), min(changed_at) FROM payments WHERE state = 'unknown'");
const UNCONFIRMED: Sql = Sql("SELECT count(*), min(at) FROM resolutions WHERE answered_at IS NULL");

const PROPOSED: Sql =
    Sql("SELECT count(*), min(at) FROM (SELECT MAX(p.at) AS at FROM resolution_proposals p \
     JOIN payments y ON y.merchant_id = p.merchant_id AND y.id = p.payment_id \
     AND y.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown') \
     GROUP BY p.merchant_id, p.payment_id) waiting");

/// Counts what is late; reads every posting, so ask in a report, and seldom.
pub async fn late(tx: &mut Tx) -> Result<Late> {
    Ok(Late {
        unsealed: tx.fetch_one(UNSEALED, args![], waiting).await?,
        unknown_payments: tx.fetch_one(UNKNOWN, args![], waiting).await?,
        unconfirmed_payments: tx.fetch_one(UNCONFIRMED, args![], waiting).await?,
        proposed_payments: tx.fetch_one(PROPOSED, args![], waiting).await?,
    })
}

fn waiting(row: &Row<'_>) -> Result<Waiting> {
    Ok(Waiting { count: row.i64(0)?, oldest_at: opt_timestamp(row, 1)? })
}
