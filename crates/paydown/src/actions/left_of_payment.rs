//! What is left of a payment, for whoever gives something of it back: where its money is now, what has gone out of it again, and
//! whether its bank decides about it. Read under the lock of its customer; it decides nothing.

use crate::actions::take_back;
use anyhow::Result;
use billing::take_back::{Charge, Left};
use store::db::Tx;
use store::disputes;
use store::payments::Payment;

/// What a payment still has, and what it had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LeftOfPayment {
    /// Where its money is.
    pub(super) left: Left,
    /// What came in and went out.
    pub(super) charge: Charge,
}

/// Reads it. Nothing is left of a payment that brought no money.
pub(super) async fn left_of(tx: &mut Tx, payment: &Payment) -> Result<LeftOfPayment> {
    if payment.captured.is_none() {
        return Ok(LeftOfPayment::default());
    }
    let left = take_back::left_of(tx, payment).await?;
    Ok(LeftOfPayment { left, charge: take_back::charge_of(tx, payment).await? })
}

/// True while a dispute of it is open: then nothing of it is refunded.
pub(super) async fn is_disputed(tx: &mut Tx, payment: &Payment) -> Result<bool> {
    disputes::any_open(tx, payment.merchant, payment.id).await
}
