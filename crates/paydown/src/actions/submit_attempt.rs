//! The call: a stored attempt is sent to its processor under its stored key. No transaction is open meanwhile.
//!
//! Making a hosted page is not a charge: nobody has its address until the payer is redirected. So a call that was not
//! answered is sent again, the same, as long as the payer waits; afterwards the reconciler asks.

use crate::actions::record_outcome::{Outcome, record_outcome};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::ids::{AttemptId, JobId, MerchantId, PaymentId};
use billing::payment::PaymentState;
use gateway::{CallError, PaymentFacts, Processor, StoredCall};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::attempts::{self, Attempt};
use store::db::Tx;
use store::jobs;
use store::payments::{self, Ending, Payment};
use store::processor_customers;

/// The payer waits at most so long for the card page.
pub const PAYER_WAITS: Duration = Duration::from_secs(20);
/// After so many server errors the same key answers the same for ever: ask by list instead.
pub const SERVER_ERRORS_ARE_FINAL: i64 = 3;

/// What submitting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The card page is open at this address.
    CardPage(String),
    /// The payment is in this state now, and there is no page to go to.
    State(PaymentState),
}

/// Sends the last attempt of a payment until it is answered or the payer has waited long enough.
pub async fn submit_attempt(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Submitted> {
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let attempt = latest(app, merchant, payment).await?;
    let calls = send_until_answered(app, &*processor, &attempt);
    match tokio::time::timeout(PAYER_WAITS, calls).await {
        Ok(Ok(facts)) => answered(app, &attempt, facts).await,
        Ok(Err(error)) if error.is_definitive() => refused(app, &attempt, &error).await,
        Ok(Err(_)) | Err(_) => unanswered(app, merchant, payment).await,
    }
}

/// The last attempt of a payment.
pub async fn latest(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Attempt> {
    let found =
        app.store.read(async move |tx: &mut Tx| attempts::latest(tx, merchant, payment).await).await?;
    found.with_context(|| format!("payment {payment} has no attempt"))
}

async fn send_until_answered(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Result<PaymentFacts, CallError> {
    let mut wait = Duration::from_millis(200);
    loop {
        let error = match send_once(app, processor, attempt).await {
            Ok(facts) => return Ok(facts),
            Err(error) => error,
        };
        match &error {
            CallError::Refused { .. } | CallError::KeyReused { .. } | CallError::WrongMode { .. } => {
                return Err(error);
            }
            CallError::ServerError { .. } if server_errors(app, attempt).await >= SERVER_ERRORS_ARE_FINAL => {
                return Err(error);
            }
            _ => {}
        }
        tracing::warn!(attempt = %attempt.id, %error, "the card page was not made yet");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

/// Sends an attempt once, noting that it was sent and what kind of error came back.
pub(super) async fn send_once(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Result<PaymentFacts, CallError> {
    let (merchant, id, now) = (attempt.merchant, attempt.id, app.clock.now());
    let noted = app.store.write(async move |tx: &mut Tx| attempts::note_call(tx, merchant, id, now).await);
    if let Err(error) = noted.await {
        return Err(CallError::NotSent(format!("the call could not be noted: {error}")));
    }
    let call = StoredCall { route: attempt.route.clone(), body: attempt.body.clone() };
    let answer = processor.send(&call, &attempt.processor_key).await;
    if matches!(answer, Err(CallError::ServerError { .. })) {
        let noted =
            app.store.write(async move |tx: &mut Tx| attempts::note_server_error(tx, merchant, id).await);
        if let Err(error) = noted.await {
            tracing::error!(attempt = %id, %error, "a server error could not be noted");
        }
    }
    answer
}

async fn server_errors(app: &App, attempt: &Attempt) -> i64 {
    let (merchant, id) = (attempt.merchant, attempt.id);
    let found = app.store.read(async move |tx: &mut Tx| attempts::find(tx, merchant, id).await).await;
    found.ok().flatten().map_or(0, |attempt| attempt.server_errors)
}

async fn answered(app: &App, attempt: &Attempt, facts: PaymentFacts) -> Result<Submitted> {
    let url = facts.session.as_ref().and_then(|session| session.url.clone());
    let (merchant, payment) = (attempt.merchant, attempt.payment_id);
    let outcome = Outcome { merchant, payment, facts, source: "the card page was made", ending: None };
    let state = record_outcome(app, outcome).await?.state().context("a stored payment is known")?;
    match url {
        Some(url) if state == PaymentState::RequiresAction => Ok(Submitted::CardPage(url)),
        _ => Ok(Submitted::State(state)),
    }
}

/// The processor refused the call itself: nothing was made, nothing can have been charged.
pub(super) async fn refused(app: &App, attempt: &Attempt, error: &CallError) -> Result<Submitted> {
    let (merchant, id, words) = (attempt.merchant, attempt.id, error.to_string());
    tracing::error!(attempt = %id, %error, "the processor refused to make a card page");
    let about_customer =
        matches!(error, CallError::Refused { param: Some(param), .. } if param == "customer");
    let forgotten = about_customer.then_some(attempt.payment_id);
    app.store
        .write(async move |tx: &mut Tx| note_refusal(tx, (merchant, id), &words, forgotten).await)
        .await?;
    let facts = PaymentFacts {
        attempt: Some(attempt.id),
        merchant: Some(merchant),
        state: PaymentState::Failed,
        session: None,
        payment_intent_id: None,
        charge_id: None,
        captured: None,
        captured_at: None,
        decline: None,
        card: None,
        fee: None,
        live: false,
    };
    let outcome = Outcome {
        merchant,
        payment: attempt.payment_id,
        facts,
        source: "the processor refused the call",
        ending: Some(Ending::Refused),
    };
    let state = record_outcome(app, outcome).await?.state().context("a stored payment is known")?;
    Ok(Submitted::State(state))
}

/// Where the processor does not know the payer of a payment any more, its name for them is forgotten too, so that the
/// next payment makes a new one.
async fn note_refusal(
    tx: &mut Tx,
    (merchant, id): (MerchantId, AttemptId),
    words: &str,
    unknown_payer_of: Option<PaymentId>,
) -> Result<()> {
    attempts::note_refusal(tx, merchant, id, words).await?;
    let Some(payment) = unknown_payer_of else { return Ok(()) };
    let payment = payments::find(tx, merchant, payment).await?.context("a stored payment is known")?;
    match payment.contact_id {
        Some(contact) => processor_customers::forget(tx, merchant, contact).await,
        None => Ok(()),
    }
}

/// Nobody answered: neither made nor not made. The hold stays and the reconciler asks.
async fn unanswered(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Submitted> {
    let mint = app.mint();
    let state = app
        .store
        .write(async move |tx: &mut Tx| {
            let found = payments::lock(tx, merchant, payment).await?.context("a stored payment is known")?;
            let next_at = mint.now + SignedDuration::from_secs(5);
            let job = mint.id(JobId::new);
            jobs::enqueue(tx, merchant, job, "reconcile_payment", &payment.to_string(), next_at, mint.now)
                .await?;
            to_unknown(tx, &found, mint.now).await
        })
        .await?;
    Ok(Submitted::State(state))
}

async fn to_unknown(tx: &mut Tx, payment: &Payment, now: Timestamp) -> Result<PaymentState> {
    if payment.state == PaymentState::Submitting {
        payments::set_state(tx, payment, PaymentState::Unknown, "the processor did not answer", now).await?;
        return Ok(PaymentState::Unknown);
    }
    Ok(payment.state)
}

/// Starts the call in a task of its own and waits for it: a client that leaves stops nothing.
pub async fn submit_undisturbed(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Submitted> {
    let own = app.clone();
    app.undisturbed(async move { submit_attempt(&own, merchant, payment).await }).await
}

/// Notes that the payer is sent to the card page.
pub async fn note_redirect(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let now = app.clock.now();
    app.store.write(async move |tx: &mut Tx| payments::set_redirected(tx, merchant, payment, now).await).await
}

/// Notes that the payer saw how the payment ended.
pub async fn note_seen(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let now = app.clock.now();
    app.store.write(async move |tx: &mut Tx| payments::set_seen(tx, merchant, payment, now).await).await
}
