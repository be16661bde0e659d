//! The call: a stored attempt is sent to its processor under its stored key. No transaction is open meanwhile.
//!
//! Making a hosted page is not a charge: nobody has its address until the payer is redirected. So a call that was not
//! answered is sent again, the same, as long as the payer waits; afterwards the reconciler asks.

use crate::actions::record_outcome::{Outcome, Recorded, record_outcome};
use crate::actions::submit_charge::submit_charge;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::ids::{AttemptId, JobId, MerchantId, PaymentId};
use billing::payment::{Hold, PaymentState};
use gateway::{CallError, PaymentFacts, Processor, SessionFacts, StoredCall};
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
    let found = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await).await?;
    if let Some(found) = found.filter(|found| found.payment_method_id.is_some()) {
        return submit_charge(app, processor, &found, &attempt).await;
    }
    let calls = send_until_answered(app, &*processor, &attempt);
    match tokio::time::timeout(PAYER_WAITS, calls).await {
        Ok(Some(Ok(page))) => answered(app, &attempt, page, processor.is_live()).await,
        Ok(Some(Err(unsent))) if unsent.proves_that_nothing_was_made() => {
            refused(app, &attempt, &unsent).await
        }
        Ok(_) | Err(_) => unanswered(app, merchant, payment).await,
    }
}

/// The last attempt of a payment.
pub async fn latest(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Attempt> {
    let found =
        app.store.read(async move |tx: &mut Tx| attempts::latest(tx, merchant, payment).await).await?;
    found.with_context(|| format!("payment {payment} has no attempt"))
}

/// A sending that brought no page.
#[derive(Debug)]
pub(super) struct Unsent {
    /// Why.
    pub(super) error: CallError,
    /// How often the call was sent by then, this time included.
    pub(super) calls: i64,
    /// True if the payment has ended meanwhile, so that trying again is of no use.
    pub(super) payment_ended: bool,
}

impl Unsent {
    /// True if the processor settled that neither this sending nor an earlier one made a page. Under the same key a
    /// refusal is the first answer repeated, or says that there was none before; but one that is about our account
    /// comes before the key is looked at, and says nothing of an earlier sending.
    pub(super) const fn proves_that_nothing_was_made(&self) -> bool {
        let about_our_account = matches!(self.error, CallError::Refused { status: 401 | 403 | 404, .. });
        self.error.is_definitive() && (self.calls <= 1 || !about_our_account)
    }
}

/// `None`: the payer has waited long enough.
async fn send_until_answered(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Option<Result<SessionFacts, Unsent>> {
    let give_up_at = app.clock.now() + PAYER_WAITS;
    let mut wait = Duration::from_millis(200);
    loop {
        let unsent = match send_once(app, processor, attempt).await {
            Ok(page) => return Some(Ok(page)),
            Err(unsent) if unsent.payment_ended => return Some(Err(unsent)),
            Err(unsent) => unsent,
        };
        let pause = match &unsent.error {
            CallError::Refused { .. } | CallError::KeyReused { .. } | CallError::WrongMode { .. } => {
                return Some(Err(unsent));
            }
            CallError::ServerError { .. } if server_errors(app, attempt).await >= SERVER_ERRORS_ARE_FINAL => {
                return Some(Err(unsent));
            }
            CallError::RateLimited { retry_after_seconds } => {
                wait.max(Duration::from_secs(u64::from(*retry_after_seconds)))
            }
            _ => wait,
        };
        tracing::warn!(attempt = %attempt.id, error = %unsent.error, "the card page was not made yet");
        if app.clock.now() + pause > give_up_at {
            return None;
        }
        app.clock.pass(pause).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

/// Sends an attempt once.
pub(super) async fn send_once(
    app: &App,
    processor: &dyn Processor,
    attempt: &Attempt,
) -> Result<SessionFacts, Unsent> {
    let sending = begin_sending(app, attempt).await?;
    let answer = processor.send(&sending.call, &attempt.processor_key).await;
    end_sending(app, attempt, sending, answer).await
}

/// A stored call on its way.
pub(super) struct Sending {
    /// What goes out.
    pub(super) call: StoredCall,
    /// How often it was sent by then, this time included.
    calls: i64,
}

/// Notes that the call is about to be made. A payment that has ended is sent no more.
pub(super) async fn begin_sending(app: &App, attempt: &Attempt) -> Result<Sending, Unsent> {
    let unsent = |why: String, payment_ended| {
        Err(Unsent { error: CallError::NotSent(why), calls: attempt.calls, payment_ended })
    };
    match note_call(app, attempt).await {
        Ok(Some(calls)) => {
            let call = StoredCall { route: attempt.route.clone(), body: attempt.body.clone() };
            Ok(Sending { call, calls })
        }
        Ok(None) => unsent("the payment has ended".to_owned(), true),
        Err(error) => unsent(format!("the call could not be noted: {error:#}"), false),
    }
}

/// Notes what kind of error came back, if one did.
pub(super) async fn end_sending<T>(
    app: &App,
    attempt: &Attempt,
    sending: Sending,
    answer: Result<T, CallError>,
) -> Result<T, Unsent> {
    if matches!(answer, Err(CallError::ServerError { .. })) {
        let (merchant, id) = (attempt.merchant, attempt.id);
        let noted =
            app.store.write(async move |tx: &mut Tx| attempts::note_server_error(tx, merchant, id).await);
        if let Err(error) = noted.await {
            tracing::error!(attempt = %id, %error, "a server error could not be noted");
        }
    }
    answer.map_err(|error| Unsent { error, calls: sending.calls, payment_ended: false })
}

async fn note_call(app: &App, attempt: &Attempt) -> Result<Option<i64>> {
    let (merchant, id, payment, now) = (attempt.merchant, attempt.id, attempt.payment_id, app.clock.now());
    app.store
        .write(async move |tx: &mut Tx| {
            let payment = payments::lock(tx, merchant, payment).await?.context("an attempt has a payment")?;
            if payment.state.hold() != Hold::Held {
                return Ok(None);
            }
            attempts::note_call(tx, merchant, id, now).await.map(Some)
        })
        .await
}

async fn server_errors(app: &App, attempt: &Attempt) -> i64 {
    let (merchant, id) = (attempt.merchant, attempt.id);
    let found = app.store.read(async move |tx: &mut Tx| attempts::find(tx, merchant, id).await).await;
    found.ok().flatten().map_or(0, |attempt| attempt.server_errors)
}

/// The page is there, and nobody has its address yet: the half hour its page promises begins now.
async fn answered(app: &App, attempt: &Attempt, page: SessionFacts, live: bool) -> Result<Submitted> {
    let (merchant, payment, url) = (attempt.merchant, attempt.payment_id, page.url.clone());
    let facts = PaymentFacts {
        attempt: Some(attempt.id),
        merchant: Some(merchant),
        session: Some(page),
        ..PaymentFacts::of_state(PaymentState::RequiresAction, live)
    };
    let source = "the card page was made";
    let outcome = Outcome { merchant, payment, facts, source, ending: None, unmade_after_calls: None };
    let state = record_outcome(app, outcome).await?.state().context("a stored payment is known")?;
    match url {
        Some(url) if state == PaymentState::RequiresAction => {
            note_redirect(app, merchant, payment).await?;
            Ok(Submitted::CardPage(url))
        }
        _ => Ok(Submitted::State(state)),
    }
}

/// The processor refused the call itself: nothing was made, nothing can have been charged.
pub(super) async fn refused(app: &App, attempt: &Attempt, unsent: &Unsent) -> Result<Submitted> {
    let (merchant, id, words) = (attempt.merchant, attempt.id, unsent.error.to_string());
    tracing::error!(attempt = %id, error = %unsent.error, "the processor refused to make a card page");
    let about_customer =
        matches!(&unsent.error, CallError::Refused { param: Some(param), .. } if param == "customer");
    let forgotten = about_customer.then_some(attempt.payment_id);
    app.store
        .write(async move |tx: &mut Tx| note_refusal(tx, (merchant, id), &words, forgotten).await)
        .await?;
    let (source, ending) = ("the processor refused the call", Ending::Refused);
    let recorded = record_unmade(app, attempt, unsent.calls, (PaymentState::Failed, ending), source).await?;
    Ok(Submitted::State(recorded.state().context("a stored payment is known")?))
}

/// Ends a payment whose page was never made, unless one came to light or the call went out again meanwhile.
pub(super) async fn record_unmade(
    app: &App,
    attempt: &Attempt,
    calls: i64,
    (state, ending): (PaymentState, Ending),
    source: &'static str,
) -> Result<Recorded> {
    let (merchant, payment) = (attempt.merchant, attempt.payment_id);
    let facts = PaymentFacts { attempt: Some(attempt.id), ..PaymentFacts::of_state(state, false) };
    let unmade_after_calls = Some(calls);
    record_outcome(
        app,
        Outcome { merchant, payment, facts, source, ending: Some(ending), unmade_after_calls },
    )
    .await
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
pub(super) async fn unanswered(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Submitted> {
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
