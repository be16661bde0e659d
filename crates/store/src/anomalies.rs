//! Anomalies: things about money that a person has to look at. Only ever added to.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{AnomalyId, MerchantId, PaymentId};
use jiff::Timestamp;

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

const INSERT: Sql = Sql("INSERT INTO anomalies (merchant_id, id, kind, payment_id, detail, at)
  VALUES ($1, $2, $3, $4, $5, $6)");
const SAME: Sql = Sql("SELECT 1 FROM anomalies WHERE merchant_id = $1 AND kind = $2 AND detail = $3 LIMIT 1");
const LIST: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies
  WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2");
const BY_PAYMENT: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id");

/// Adds an anomaly and logs it, since nobody else may tell the person who has to look at it. Should the transaction
/// run again, the log has it twice.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly) -> Result<()> {
    let payment = anomaly.payment_id.as_ref().map(PaymentId::as_bytes);
    let at = anomaly.at.as_microsecond();
    let args = args![merchant.0, anomaly.id.as_bytes(), &anomaly.kind, payment, &anomaly.detail, at];
    tx.execute(INSERT, args).await?;
    let payment = anomaly.payment_id.map(|payment| payment.to_string());
    let Anomaly { id, kind, detail, .. } = anomaly;
    tracing::error!(%merchant, anomaly = %id, kind, payment, detail, "a person has to look at this");
    Ok(())
}

/// Adds an anomaly unless one of this kind with the same detail is there: the detail names what it is about. False if it
/// is.
pub async fn insert_once(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly) -> Result<bool> {
    let args = args![merchant.0, &anomaly.kind, &anomaly.detail];
    if tx.fetch_optional(SAME, args, |_| Ok(())).await?.is_some() {
        return Ok(false);
    }
    insert(tx, merchant, anomaly).await?;
    Ok(true)
}

/// Anomalies of a merchant, newest first, `limit` at most.
pub async fn list(tx: &mut Tx, merchant: MerchantId, limit: i64) -> Result<Vec<Anomaly>> {
    tx.fetch_all(LIST, args![merchant.0, limit], anomaly).await
}

/// Anomalies of a payment, oldest first.
pub async fn list_by_payment(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Anomaly>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], anomaly).await
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
