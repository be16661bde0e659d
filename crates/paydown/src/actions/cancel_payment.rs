//! A payment that has not moved money is given up: its page is ended at the processor, and the hold goes only when the
//! processor confirms. Where the page turns out to be paid or running, that is booked instead.

use crate::actions::record_outcome::{Outcome, record_outcome};
use crate::actions::stop_payment::{CannotStop, stop_payment};
use crate::actions::submit_attempt::latest;
use crate::actions::verification;
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{AttemptId, JobId, MerchantId, PaymentId};
use billing::payment::{Decline, Hold, PaymentState};
use jiff::SignedDuration;
use store::attempts::Attempt;
use store::db::Tx;
use store::jobs;
use store::payments::{self, Ending};

/// Gives a payment up; answers the state it is in afterwards, which may be that it succeeded.
pub async fn cancel_payment(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
    ending: Ending,
) -> Result<PaymentState> {
    let state = state_of(app, merchant, payment).await?;
    if state.hold() != Hold::Held {
        return Ok(state);
    }
    if state == PaymentState::Created {
        // Held for later: nothing was sent, so nothing has to be ended anywhere, as long as it is time.
        return match stop_payment(app, merchant, payment).await? {
            Ok(state) | Err(CannotStop::TooLate(state)) => Ok(state),
            Err(CannotStop::NotHeld) => state_of(app, merchant, payment).await,
        };
    }
    let attempt = latest(app, merchant, payment).await?;
    if attempt.session_id.is_none()
        && (attempt.payment_intent_id.is_none() || state != PaymentState::RequiresAction)
    {
        ask_cancel(app, merchant, payment).await?;
        return Ok(state);
    }
    let proves = verification::waits_until(app, merchant, payment).await?.is_some();
    let own = app.clone();
    app.undisturbed(async move {
        if ending == Ending::PayerCanceled {
            note_a_check_that_was_left(&own, &attempt).await;
        }
        let ended = match attempt.session_id {
            Some(_) if !proves => end_page(&own, &attempt, ending).await,
            _ => end_charge(&own, &attempt, ending).await,
        };
        match ended {
            Ok(state) => Ok(state),
            Err(error) => {
                tracing::warn!(%payment, error = format!("{error:#}"), "it could not be ended at the processor yet");
                ask_cancel(&own, merchant, payment).await?;
                state_of(&own, merchant, payment).await
            }
        }
    })
    .await
}

/// Where the payer turns back while the bank waits to see them, the page that is shown says so. The processor tells it
/// only as long as the page is open; it is words, so what cannot be learned is left out.
async fn note_a_check_that_was_left(app: &App, attempt: &Attempt) {
    if let Err(error) = learn_of_a_check(app, attempt).await {
        tracing::warn!(payment = %attempt.payment_id, error = format!("{error:#}"), "whether a bank waits is not known");
    }
}

async fn learn_of_a_check(app: &App, attempt: &Attempt) -> Result<()> {
    let (merchant, payment) = (attempt.merchant, attempt.payment_id);
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = match (&attempt.session_id, &attempt.payment_intent_id) {
        (Some(session), _) => processor.read_session(session).await?,
        (None, Some(intent)) => processor.read_payment_intent(intent).await?,
        (None, None) => return Ok(()),
    };
    if !facts.bank_waits {
        return Ok(());
    }
    app.store
        .write(async move |tx: &mut Tx| {
            let found = payments::lock(tx, merchant, payment).await?;
            match found.filter(|found| found.state == PaymentState::RequiresAction) {
                Some(_) => payments::set_decline(tx, merchant, payment, Decline::LeftTheCheck).await,
                None => Ok(()),
            }
        })
        .await
}

/// Ends the hosted page of an attempt and records what the processor says. An error says nothing of the page.
pub(super) async fn end_page(app: &App, attempt: &Attempt, ending: Ending) -> Result<PaymentState> {
    let (merchant, payment) = (attempt.merchant, attempt.payment_id);
    let session = attempt.session_id.as_deref().context("only a page that was made can be ended")?;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = processor.expire_session(session, &end_key(&app.mint(), attempt.id)).await?;
    let (source, ending) = ("the page was ended", Some(ending));
    let outcome = Outcome { merchant, payment, facts, source, ending, unmade_after_calls: None };
    record_outcome(app, outcome).await?.state().context("a stored payment is known")
}

/// Calls a charge off that waits for the payer, and records what the processor says. An error says nothing of the charge.
pub(super) async fn end_charge(app: &App, attempt: &Attempt, ending: Ending) -> Result<PaymentState> {
    let (merchant, payment) = (attempt.merchant, attempt.payment_id);
    let intent =
        attempt.payment_intent_id.as_deref().context("only a charge that was made can be called off")?;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = processor.cancel_payment(intent, &end_key(&app.mint(), attempt.id)).await?;
    let (source, ending) = ("the charge was called off", Some(ending));
    let outcome = Outcome { merchant, payment, facts, source, ending, unmade_after_calls: None };
    record_outcome(app, outcome).await?.state().context("a stored payment is known")
}

/// A key of its own for each time a page is asked to end: a refusal that was true once need not be true again.
pub(super) fn end_key(mint: &Mint, attempt: AttemptId) -> String {
    let nonce: [u8; 8] = mint.bytes();
    format!("paydown-end-{attempt}-{:016x}", u64::from_be_bytes(nonce))
}

/// The payer wants it ended and it cannot be ended now: that is kept, and looked after soon.
async fn ask_cancel(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let mint = app.mint();
    let subject = payment.to_string();
    app.store
        .write(async move |tx: &mut Tx| {
            payments::ask_cancel(tx, merchant, payment, mint.now).await?;
            let (job, at) = (mint.id(JobId::new), mint.now + SignedDuration::from_secs(5));
            jobs::enqueue(tx, merchant, job, "reconcile_payment", &subject, at, mint.now).await
        })
        .await
}

async fn state_of(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<PaymentState> {
    let found = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await).await?;
    Ok(found.with_context(|| format!("there is no payment {payment}"))?.state)
}
