//! Reservations: the hold a payment in flight keeps on an invoice.

use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{InvoiceId, MerchantId, PaymentId};
use jiff::Timestamp;

/// What a payment holds, or held, on an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// Whose hold.
    pub payment_id: PaymentId,
    /// On which invoice.
    pub invoice_id: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
    /// Still held.
    pub live: bool,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationEnd {
    /// A posting used it up.
    Consumed,
    /// The processor proved that no money came.
    Released,
}

const INSERT: Sql =
    Sql("INSERT INTO reservations (merchant_id, payment_id, invoice_id, amount, state, created_at)
  VALUES ($1, $2, $3, $4, 'live', $5)");
const END: Sql = Sql("UPDATE reservations SET state = $3, ended_at = $4
  WHERE merchant_id = $1 AND payment_id = $2 AND state = 'live'");
const BY_PAYMENT: Sql =
    Sql("SELECT payment_id, invoice_id, amount, CASE WHEN state = 'live' THEN 1 ELSE 0 END
  FROM reservations WHERE merchant_id = $1 AND payment_id = $2 ORDER BY invoice_id");

/// Holds an amount. The invoice's own balance is moved by [`crate::invoices::reserve`] in the same transaction.
pub async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    reservation: &Reservation,
    now: Timestamp,
) -> Result<()> {
    let Reservation { payment_id, invoice_id, amount_minor, .. } = reservation;
    let now = now.as_microsecond();
    tx.execute(INSERT, args![merchant.0, payment_id.as_bytes(), invoice_id.as_bytes(), *amount_minor, now])
        .await?;
    Ok(())
}

/// Ends the holds of a payment; answers how many were live.
pub async fn end(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
    end: ReservationEnd,
    now: Timestamp,
) -> Result<u64> {
    let state = match end {
        ReservationEnd::Consumed => "consumed",
        ReservationEnd::Released => "released",
    };
    tx.execute(END, args![merchant.0, payment.as_bytes(), state, now.as_microsecond()]).await
}

/// The holds of a payment, ended ones too, by invoice.
pub async fn list(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Reservation>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], |row| {
        Ok(Reservation {
            payment_id: PaymentId::from_bytes(row.bytes16(0)?),
            invoice_id: InvoiceId::from_bytes(row.bytes16(1)?),
            amount_minor: row.i64(2)?,
            live: row.bool(3)?,
        })
    })
    .await
}
