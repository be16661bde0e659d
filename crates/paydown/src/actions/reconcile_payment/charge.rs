//! Where the charge of a saved method stands. The list is asked before the same call goes out again, and it goes out again only while
//! the payer may still expect it: never under another key, and never once the processor may have forgotten the key.

use super::{Answer, Case, KEY_IS_KEPT_FOR};
use crate::actions::submit_attempt::SERVER_ERRORS_ARE_FINAL;
use crate::actions::submit_charge::charge_once;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::payment::{Hold, PaymentState};
use gateway::{CallError, Processor};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::payments;

/// A bank waits so long to see a payer.
pub(super) const CHALLENGE_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// Who pressed Pay longer ago has gone, and is not charged by a call that goes out again.
const PAYER_IS_THERE_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A debit that is held goes on once its time has come: from then on it cannot be stopped here. `Some`: it is not time yet.
pub(super) async fn release_held(app: &App, case: &Case) -> Result<Option<Timestamp>> {
    let (merchant, id, mint) = (case.payment.merchant, case.payment.id, app.mint());
    app.store
        .write(async move |tx: &mut Tx| {
            let payment = payments::lock(tx, merchant, id).await?.context("a payment is never deleted")?;
            if payment.state != PaymentState::Created {
                return Ok(None);
            }
            match payment.send_at.filter(|send_at| mint.now < *send_at) {
                Some(send_at) => Ok(Some(send_at)),
                None => {
                    let why = "the cut-off has passed";
                    payments::set_state(tx, &payment, PaymentState::Submitting, why, mint.now).await?;
                    Ok(None)
                }
            }
        })
        .await
}

/// What the processor knows: by the name it gave the charge, else by its list, else by sending the same call again.
pub(super) async fn ask(app: &App, processor: &dyn Processor, case: &Case) -> Result<Answer, CallError> {
    let (attempt, payment) = (&case.attempt, &case.payment);
    if let Some(intent) = &attempt.payment_intent_id {
        return processor.read_payment_intent(intent).await.map(|facts| Answer::Facts(Box::new(facts)));
    }
    let due_at = payment.send_at.unwrap_or(attempt.created_at);
    if attempt.calls > 0 {
        let last_sent_at = attempt.called_at.unwrap_or(due_at);
        if let Some(facts) = processor.find_charge(attempt.id, due_at, last_sent_at).await? {
            return Ok(Answer::Facts(Box::new(facts)));
        }
    }
    let now = app.clock.now();
    let patience = match payment.session_hash {
        // Somebody pressed Pay and waits for the answer.
        Some(_) if payment.send_at.is_none() => PAYER_IS_THERE_FOR,
        _ => KEY_IS_KEPT_FOR,
    };
    let dead_key = attempt.server_errors >= SERVER_ERRORS_ARE_FINAL;
    let ended = payment.state.hold() != Hold::Held;
    if dead_key || ended || payment.cancel_asked_at.is_some() || now > due_at + patience {
        return Ok(Answer::NoPage);
    }
    match charge_once(app, processor, attempt).await {
        Ok(facts) => Ok(Answer::Facts(Box::new(facts))),
        Err(unsent) if unsent.proves_that_nothing_was_made() => Ok(Answer::Refused(unsent)),
        Err(unsent) => Err(unsent.error),
    }
}
