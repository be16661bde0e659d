//! "Stop this payment": a debit of a saved account that is held until the cut-off is given up before anything was sent. From the
//! cut-off on there is nothing to stop here, whether or not the debit has gone out yet: what the page promised is a time.

use crate::actions::record_outcome::{self, Outcome};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::ids::{MerchantId, PaymentId};
use billing::payment::PaymentState;
use gateway::PaymentFacts;
use std::sync::Arc;
use store::db::Tx;
use store::payments::{self, Ending};

/// Why a payment was not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotStop {
    /// It is not held for later.
    #[error("the payment is not held for later, so there is nothing to stop")]
    NotHeld,
    /// The cut-off has passed; this is where it stands.
    #[error("the cut-off has passed, so the payment is {} and cannot be stopped here", .0.as_str())]
    TooLate(PaymentState),
}

/// Stops a payment that is held; stopping it twice is stopping it.
pub async fn stop_payment(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Result<PaymentState, CannotStop>> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            let found = payments::find(tx, merchant, payment).await?;
            let found = found.with_context(|| format!("there is no payment {payment}"))?;
            store::customers::lock(tx, merchant, found.customer_id).await?;
            let found = payments::lock(tx, merchant, payment).await?.context("a payment is never deleted")?;
            let Some(send_at) = found.send_at else { return Ok(Err(CannotStop::NotHeld)) };
            if found.state == PaymentState::Canceled && found.ending == Some(Ending::PayerCanceled) {
                return Ok(Ok(found.state));
            }
            if found.state != PaymentState::Created || mint.now >= send_at {
                return Ok(Err(CannotStop::TooLate(found.state)));
            }
            let outcome = Outcome {
                merchant,
                payment,
                facts: PaymentFacts::of_state(PaymentState::Canceled, false),
                source: "stopped before the cut-off",
                ending: Some(Ending::PayerCanceled),
                unmade_after_calls: Some(0),
            };
            let recorded = record_outcome::in_tx(tx, &mint, &secrets, &outcome).await?;
            Ok(Ok(recorded.state().context("a stored payment is known")?))
        })
        .await
}
