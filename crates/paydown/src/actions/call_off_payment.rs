//! Staff ask for a payment to be called off. What is held is stopped; what a payer has at the processor's page is ended there; of a debit
//! that was sent the processor is asked, and only its answer counts. Whoever asked is in the trail, whatever came of it.

use crate::actions::cancel_payment::{cancel_payment, end_charge};
use crate::actions::submit_attempt::latest;
use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId, PaymentId};
use billing::payment::{Hold, PaymentState};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::payments::{self, Ending};

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledOff {
    /// It is called off, and nothing is taken.
    Done,
    /// It is not; this is where it stands.
    Not(PaymentState),
}

/// Asks for a payment to be called off; `None` where there is none.
pub async fn call_off_payment(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
    actor: String,
) -> Result<Option<CalledOff>> {
    let found = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await).await?;
    let Some(found) = found else { return Ok(None) };
    if found.state == PaymentState::Canceled {
        return Ok(Some(CalledOff::Done));
    }
    if found.state.hold() != Hold::Held {
        return Ok(Some(CalledOff::Not(found.state)));
    }
    let mint = app.mint();
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor,
        act: acts::PAYMENT_CANCEL.to_owned(),
        object: payment.to_string(),
        before: json!({ "state": found.state.as_str() }).to_string(),
        after: "null".to_owned(),
        at: mint.now,
    };
    app.store.write(async move |tx: &mut Tx| audit::append(tx, merchant, &row).await).await?;
    let state = match found.state {
        PaymentState::Processing | PaymentState::Unknown => {
            let attempt = latest(app, merchant, payment).await?;
            match attempt.payment_intent_id {
                Some(_) => end_charge(app, &attempt, Ending::PayerCanceled).await?,
                None => found.state,
            }
        }
        _ => cancel_payment(app, merchant, payment, Ending::PayerCanceled).await?,
    };
    Ok(Some(if state == PaymentState::Canceled { CalledOff::Done } else { CalledOff::Not(state) }))
}
