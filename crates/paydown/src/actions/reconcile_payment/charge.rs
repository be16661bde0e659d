//! Where the charge of a saved method stands. The list is asked before the same call goes out again, and it goes out again only while
//! the payer may still expect it: never under another key, and never once the processor may have forgotten the key.

use super::{Answer, Case, KEY_IS_KEPT_FOR};
use crate::actions::record_outcome::{self, Outcome};
use crate::actions::start_payment::is_too_late;
use crate::actions::submit_attempt::SERVER_ERRORS_ARE_FINAL;
use crate::actions::submit_charge::charge_once;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::payment::{Hold, PaymentState};
use gateway::{CallError, PaymentFacts, Processor};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::db::Tx;
use store::mandates::{self, Mandate};
use store::payments::{self, Ending, Payment};
use store::{customers, payment_methods};

/// A bank waits so long to see a payer.
pub(super) const CHALLENGE_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// Who pressed Pay longer ago has gone, and is not charged by a call that goes out again.
const PAYER_IS_THERE_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A debit that is held goes on once its time has come: from then on it cannot be stopped here. Where its account may not be debited
/// any more, nothing is ever sent and the hold goes. `Some`: it is not time yet.
pub(super) async fn release_held(app: &App, case: &Case) -> Result<Option<Timestamp>> {
    let (merchant, id, customer) = (case.payment.merchant, case.payment.id, case.payment.customer_id);
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            customers::lock(tx, merchant, customer).await?;
            let payment = payments::lock(tx, merchant, id).await?.context("a payment is never deleted")?;
            if payment.state != PaymentState::Created {
                return Ok(None);
            }
            if let Some(send_at) = payment.send_at.filter(|send_at| mint.now < *send_at) {
                return Ok(Some(send_at));
            }
            if may_be_debited(tx, &payment).await? && !is_too_late(tx, &payment, mint.now).await? {
                let why = "the cut-off has passed";
                payments::set_state(tx, &payment, PaymentState::Submitting, why, mint.now).await?;
                return Ok(None);
            }
            let outcome = Outcome {
                merchant,
                payment: id,
                facts: PaymentFacts::of_state(PaymentState::Canceled, false),
                source: "the account may not be debited any more",
                ending: Some(Ending::Abandoned),
                unmade_after_calls: Some(0),
            };
            record_outcome::in_tx(tx, &mint, &secrets, &outcome).await?;
            Ok(None)
        })
        .await
}

/// True while the account is kept and what its owner agreed to stands: for this debit, and for the account.
async fn may_be_debited(tx: &mut Tx, payment: &Payment) -> Result<bool> {
    let merchant = payment.merchant;
    let Some(saved) = payment.payment_method_id else { return Ok(true) };
    let saved = payment_methods::find(tx, merchant, saved).await?;
    let Some(saved) = saved.filter(|saved| saved.removed_at.is_none()) else { return Ok(false) };
    let own = mandates::find(tx, merchant, payment.id).await?;
    let standing = match saved.mandate_id {
        Some(id) => mandates::find_by_id(tx, merchant, id).await?,
        None => None,
    };
    let stands = |mandate: &Mandate| mandate.ended.is_none();
    Ok(standing.is_some_and(|standing| stands(&standing)) && own.is_none_or(|own| stands(&own)))
}

/// What the processor knows: by the name it gave the charge, else by its list, else by sending the same call again.
pub(super) async fn ask(app: &App, processor: &dyn Processor, case: &Case) -> Result<Answer, CallError> {
    let (attempt, payment) = (&case.attempt, &case.payment);
    if let Some(intent) = &attempt.payment_intent_id {
        return processor.read_payment_intent(intent).await.map(|facts| Answer::Facts(Box::new(facts)));
    }
    let due_at = payment.send_at.unwrap_or(attempt.created_at);
    if attempt.calls > 0 {
        // Not only until it was sent last: a call may arrive late.
        if let Some(facts) = processor.find_charge(attempt.id, due_at, app.clock.now()).await? {
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
