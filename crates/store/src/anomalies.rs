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
const BY_PAYMENT: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies
  WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id");

const NEWEST: Sql = Sql("SELECT id, kind, payment_id, detail, at FROM anomalies
  WHERE merchant_id = $1 ORDER BY id DESC LIMIT $2");

/// Adds an anomaly.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, anomaly: &Anomaly) -> Result<()> {
    let payment = anomaly.payment_id.as_ref().map(PaymentId::as_bytes);
    let at = anomaly.at.as_microsecond();
    let args = args![merchant.0, anomaly.id.as_bytes(), &anomaly.kind, payment, &anomaly.detail, at];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Anomalies of a payment, oldest first.
pub async fn list_by_payment(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Anomaly>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// The newest anomalies of a merchant, of payments or not, newest first.
pub async fn list(tx: &mut Tx, merchant: MerchantId, limit: i64) -> Result<Vec<Anomaly>> {
    tx.fetch_all(NEWEST, args![merchant.0, limit], decode).await
}

fn decode(row: &Row<'_>) -> Result<Anomaly> {
    Ok(Anomaly {
        id: AnomalyId::from_bytes(row.bytes16(0)?),
        kind: row.text(1)?,
        payment_id: row.opt_bytes16(2)?.map(PaymentId::from_bytes),
        detail: row.text(3)?,
        at: timestamp(row, 4)?,
    })
}
