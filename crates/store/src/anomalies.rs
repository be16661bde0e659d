//! Anomalies: things about money that a person has to look at. Only ever added to: one that was seen to gets a closing
//! beside it and stays as it was written, so that what asks for a record finds it for ever.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{AnomalyId, MerchantId, PaymentId};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Something a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Which anomaly.
    pub id: AnomalyId,
    /// A word for the kind, for example `ghost_capture`.
    pub kind: String,
    /// The payment it is about.
    pub payment_id: Option<PaymentId>,
    /// What was found, for people.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// How somebody saw to an anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Who closed it, as the audit trail calls them. Never empty.
    pub actor: String,
    /// What came of it, for people. Never empty.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// An anomaly with its closing; without one it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What was found.
    pub anomaly: Anomaly,
    /// What came of it.
    pub closing: Option<Closing>,
}

const INSERT: Sql = Sql("INSERT INTO anomalies (merchant_id, id, kind, payment_id, detail, at, once)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant_id, once) DO NOTHING");
const LIST: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies
  WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2");
const BY_PAYMENT: Sql = Sql("SELECT a.id, a.kind, a.payment_id, a.detail, a.at, c.actor, c.note, c.at
  FROM anomalies a LEFT JOIN anomaly_closings c ON c.merchant_id = a.merchant_id AND c.anomaly_id = a.id
  WHERE a.merchant_id = $1 AND a.payment_id = $2 ORDER BY a.id");

const NEWEST_OPEN: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies a WHERE merchant_id = $1
    AND NOT EXISTS (SELECT 1 FROM anomaly_closings c WHERE c.merchant_id = a.merchant_id AND c.anomaly_id = a.id)
  ORDER BY id DESC LIMIT $2");
const OPEN_OF_KIND: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies a WHERE merchant_id = $1 AND kind = $2
    AND NOT EXISTS (SELECT 1 FROM anomaly_closings c WHERE c.merchant_id = a.merchant_id AND c.anomaly_id = a.id)
  ORDER BY id LIMIT 100");
const PAGE: Sql = Sql("SELECT a.id, a.kind, a.payment_id, a.detail, a.at, c.actor, c.note, c.at
  FROM anomalies a LEFT JOIN anomaly_closings c ON c.merchant_id = a.merchant_id AND c.anomaly_id = a.id
  WHERE a.merchant_id = $1 AND a.id > $2 AND (c.anomaly_id IS NULL OR CAST($3 AS BIGINT) = 1) ORDER BY a.id LIMIT $4");
const FIND: Sql = Sql("SELECT a.id, a.kind, a.payment_id, a.detail, a.at, c.actor, c.note, c.at
  FROM anomalies a LEFT JOIN anomaly_closings c ON c.merchant_id = a.merchant_id AND c.anomaly_id = a.id
  WHERE a.merchant_id = $1 AND a.id = $2");
const COUNT_CLOSED: Sql = Sql("SELECT count(*) FROM anomalies a
  JOIN anomaly_closings c ON c.merchant_id = a.merchant_id AND c.anomaly_id = a.id
  WHERE a.merchant_id = $1 AND a.kind = $2 AND a.detail = $3");
const CLOSE: Sql = Sql("INSERT INTO anomaly_closings (merchant_id, anomaly_id, actor, note, at)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");

/// Adds an anomaly and logs it once it is committed, since nobody else may tell the person who has to look at it.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly) -> Result<()> {
    anyhow::ensure!(save(tx, merchant, anomaly, None).await?, "anomaly {} was added before", anomaly.id);
    Ok(())
}

/// Adds an anomaly unless one of this kind with the same detail is open: the detail names what it is about. False if it
/// is, also where another transaction adds it at the same moment.
pub async fn insert_once(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly) -> Result<bool> {
    let same = args![merchant.0, &anomaly.kind, &anomaly.detail];
    let closed = tx.fetch_one(COUNT_CLOSED, same, |row| row.i64(0)).await?;
    let mut hash = Sha256::new();
    hash.update(closed.to_be_bytes());
    for text in [&anomaly.kind, &anomaly.detail] {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    save(tx, merchant, anomaly, Some(hash.finalize().into())).await
}

async fn save(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly, once: Option<[u8; 32]>) -> Result<bool> {
    let Anomaly { id, kind, payment_id, detail, at } = anomaly;
    let payment = payment_id.as_ref().map(PaymentId::as_bytes);
    let args = args![merchant.0, id.as_bytes(), kind, payment, detail, at.as_microsecond(), once.as_ref()];
    if tx.execute(INSERT, args).await? == 0 {
        return Ok(false);
    }
    let Anomaly { id, kind, payment_id, detail, .. } = anomaly.clone();
    tx.after_commit(move || {
        let payment = payment_id.map(|payment| payment.to_string());
        tracing::error!(%merchant, anomaly = %id, kind, payment, detail, "a person has to look at this");
    });
    Ok(true)
}

/// Anomalies of a merchant, newest first, `limit` at most.
pub async fn list(tx: &mut Tx, merchant: MerchantId, limit: i64) -> Result<Vec<Anomaly>> {
    tx.fetch_all(LIST, args![merchant.0, limit], anomaly).await
}

/// Anomalies of a payment, open and closed, oldest first.
pub async fn list_by_payment(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Listed>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], listed).await
}

/// Open anomalies of a merchant, newest first, `limit` at most.
pub async fn newest_open(tx: &mut Tx, merchant: MerchantId, limit: i64) -> Result<Vec<Anomaly>> {
    tx.fetch_all(NEWEST_OPEN, args![merchant.0, limit], anomaly).await
}

/// Open anomalies of one kind, oldest first, 100 at most.
pub async fn open_of_kind(tx: &mut Tx, merchant: MerchantId, kind: &str) -> Result<Vec<Anomaly>> {
    tx.fetch_all(OPEN_OF_KIND, args![merchant.0, kind], anomaly).await
}

/// Anomalies of a merchant after one of them, oldest first, `limit` at most: the open ones, or all.
pub async fn page(
    tx: &mut Tx,
    merchant: MerchantId,
    after: Option<AnomalyId>,
    (all, limit): (bool, i64),
) -> Result<Vec<Listed>> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    tx.fetch_all(PAGE, args![merchant.0, &after, i64::from(all), limit], listed).await
}

/// One anomaly.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: AnomalyId) -> Result<Option<Listed>> {
    tx.fetch_optional(FIND, args![merchant.0, id.as_bytes()], listed).await
}

/// Closes an anomaly that is there; `false` where it was closed already.
pub async fn close(tx: &mut Tx, merchant: MerchantId, id: AnomalyId, closing: &Closing) -> Result<bool> {
    let Closing { actor, note, at } = closing;
    let args = args![merchant.0, id.as_bytes(), actor, note, at.as_microsecond()];
    Ok(tx.execute(CLOSE, args).await? == 1)
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let closing = match (row.opt_text(5)?, row.opt_text(6)?, opt_timestamp(row, 7)?) {
        (Some(actor), Some(note), Some(at)) => Some(Closing { actor, note, at }),
        _ => None,
    };
    Ok(Listed { anomaly: anomaly(row)?, closing })
}

fn anomaly(row: &Row<'_>) -> Result<Anomaly> {
    Ok(Anomaly {
        id: AnomalyId::from_bytes(row.bytes16(0)?),
        kind: row.text(1)?,
        payment_id: row.opt_bytes16(2)?.map(PaymentId::from_bytes),
        detail: row.text(3)?,
        at: timestamp(row, 4)?,
    })
}
