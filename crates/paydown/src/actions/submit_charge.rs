//! The call that charges a saved method: sent once under its stored key, and again only where the first time provably charged
//! nothing. What was not answered is unknown: the reconciler asks, and the payer reads "do not pay again".

use crate::actions::record_outcome::{Outcome, record_outcome};
use crate::actions::submit_attempt::{
    PAYER_WAITS, Submitted, Unsent, begin_sending, end_sending, refused, unanswered,
};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::payment::PaymentState;
use gateway::{CallError, PaymentFacts, Processor};
use std::sync::Arc;
use std::time::Duration;
use store::attempts::Attempt;
use store::payments::Payment;

/// Charges, unless the debit is held for later.
pub(super) async fn submit_charge(
    app: &App,
    processor: Arc<dyn Processor>,
    payment: &Payment,
    attempt: &Attempt,
) -> Result<Submitted> {
    let (merchant, id) = (payment.merchant, payment.id);
    if payment.state != PaymentState::Submitting {
        return Ok(Submitted::State(payment.state));
    }
    let calls = charge_until_answered(app, &*processor, attempt);
    match tokio::time::timeout(PAYER_WAITS, calls).await {
        Ok(Ok(facts)) => {
            let source = "the processor's answer";
            let outcome =
                Outcome { merchant, payment: id, facts, source, ending: None, unmade_after_calls: None };
            let state = record_outcome(app, outcome).await?.state().context("a stored payment is known")?;
            Ok(Submitted::State(state))
        }
        Ok(Err(unsent)) if unsent.proves_that_nothing_was_made() => refused(app, attempt, &unsent).await,
        Ok(Err(_)) | Err(_) => unanswered(app, merchant, id).await,
    }
}

async fn charge_until_answered(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Result<PaymentFacts, Unsent> {
    let give_up_at = app.clock.now() + PAYER_WAITS;
    let mut wait = Duration::from_millis(200);
    loop {
        let unsent = match charge_once(app, processor, attempt).await {
            Ok(facts) => return Ok(facts),
            Err(unsent) if unsent.payment_ended => return Err(unsent),
            Err(unsent) => unsent,
        };
        let pause = match &unsent.error {
            CallError::NotSent(_) | CallError::InProgress { .. } => wait,
            CallError::RateLimited { retry_after_seconds } => {
                wait.max(Duration::from_secs(u64::from(*retry_after_seconds)))
            }
            // It may have charged: only the reconciler asks now.
            _ => return Err(unsent),
        };
        tracing::warn!(attempt = %attempt.id, error = %unsent.error, "a charge was not taken yet");
        if app.clock.now() + pause > give_up_at {
            return Err(unsent);
        }
        app.clock.pass(pause).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

/// Sends the charge once.
pub(super) async fn charge_once(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Result<PaymentFacts, Unsent> {
    let sending = begin_sending(app, attempt).await?;
    let answer = processor.send_charge(&sending.call, &attempt.processor_key).await;
    end_sending(app, attempt, sending, answer).await
}
