//! Asks the processor where a payment stands, and applies what it says. Every path that is not sure comes here: the
//! return page, a webhook, a restart after a crash, the clock.
//!
//! Nothing is guessed from silence. A hold goes only when the processor says failed, canceled or expired, or when its
//! own list, long after the longest life of a page, has none of ours.

use crate::actions::cancel_payment::end_page;
use crate::actions::record_outcome::{Outcome, Recorded, record_outcome};
use crate::actions::start_payment::abandoned_at;
use crate::actions::submit_attempt::{SERVER_ERRORS_ARE_FINAL, refused, send_once};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::ids::{AnomalyId, MerchantId, PaymentId};
use billing::payment::{Hold, PaymentState};
use gateway::{CallError, PaymentFacts, Processor};
use jiff::{SignedDuration, Timestamp};
use store::anomalies::{self, Anomaly};
use store::attempts::{self, Attempt};
use store::db::Tx;
use store::merchants::{self, Merchant};
use store::payments::{self, Ending, Payment};

/// After so long without an answer a person owns it.
const A_PERSON_OWNS_IT_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// A fee that is not known after so long is left to the processor's event.
const FEE_IS_AWAITED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What looking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is settled as far as we ask.
    Done(PaymentState),
    /// Ask again then.
    Again(PaymentState, Timestamp),
}

impl Looked {
    /// The payment's state.
    pub const fn state(self) -> PaymentState {
        match self {
            Looked::Done(state) | Looked::Again(state, _) => state,
        }
    }
}

struct Case {
    payment: Payment,
    attempt: Attempt,
    merchant: Merchant,
}

/// Looks after a payment once. `None`: there is no such payment.
pub async fn reconcile_payment(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
    source: &'static str,
) -> Result<Option<Looked>> {
    let Some(case) = load(app, merchant, payment).await? else { return Ok(None) };
    let state = case.payment.state;
    if settled(&case) && !may_have_paid_late(&case) {
        return Ok(Some(Looked::Done(state)));
    }
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let recorded = match ask(app, &*processor, &case).await {
        Ok(Some(facts)) => {
            let outcome = Outcome { merchant, payment, facts, source, ending: None };
            record_outcome(app, outcome).await?
        }
        Ok(None) => absent(app, &*processor, &case).await?,
        Err(Unasked::CallRefused(error)) => {
            refused(app, &case.attempt, &error).await?;
            Recorded::Moved(PaymentState::Failed)
        }
        // Nobody else looks after a payment that has ended, so who brought the hint has to come again.
        Err(Unasked::Unsettled(error)) if state.hold() == Hold::Released => return Err(error.into()),
        Err(Unasked::Unsettled(error)) => {
            tracing::warn!(%payment, %error, "the processor could not be asked");
            Recorded::AlreadyThere(state)
        }
    };
    after(app, merchant, payment, recorded.state().unwrap_or(state)).await.map(Some)
}

/// What the processor knows: by the page it made, else by sending the same call again, else by its list. The answer to
/// a call that was sent before is the first answer, so the page it names is read anew.
async fn ask(app: &App, processor: &dyn Processor, case: &Case) -> Result<Option<PaymentFacts>, Unasked> {
    if let Some(session) = &case.attempt.session_id {
        return Ok(Some(processor.read_session(session).await?));
    }
    let since = case.attempt.created_at - SignedDuration::from_mins(5);
    let dead_key = case.attempt.server_errors >= SERVER_ERRORS_ARE_FINAL;
    let too_old = app.clock.now() > case.attempt.created_at + SignedDuration::from_mins(25);
    if dead_key || too_old {
        return Ok(processor.find_attempt(case.attempt.id, since).await?);
    }
    let first_answer = match send_once(app, processor, &case.attempt).await {
        Err(error) if proves_nothing_was_made(&error, &case.attempt) => {
            return Err(Unasked::CallRefused(error));
        }
        answer => answer?,
    };
    match &first_answer.session {
        Some(session) => Ok(Some(processor.read_session(&session.id).await?)),
        None => Ok(Some(first_answer)),
    }
}

/// Why asking brought no facts.
enum Unasked {
    /// The call that makes the page was refused, and no earlier sending of it can have made one.
    CallRefused(CallError),
    /// Anything else; it proves nothing.
    Unsettled(CallError),
}

impl From<CallError> for Unasked {
    fn from(error: CallError) -> Unasked {
        Unasked::Unsettled(error)
    }
}

/// A refusal under the same key is the first answer repeated, unless it is about our key to the account: that one says
/// nothing of an earlier sending which was not answered.
fn proves_nothing_was_made(error: &CallError, attempt: &Attempt) -> bool {
    let about_our_account = matches!(error, CallError::Refused { status: 401 | 403, .. });
    error.is_definitive() && (!about_our_account || attempt.calls == 0)
}

/// The list has no page of ours. Proof that there is none only where nothing was ever sent, or after the longest life
/// of a page.
async fn absent(app: &App, processor: &dyn Processor, case: &Case) -> Result<Recorded> {
    let (merchant, payment) = (case.payment.merchant, case.payment.id);
    let proven_at = case.attempt.created_at + processor.session_life() + SignedDuration::from_hours(1);
    if case.attempt.calls > 0 && app.clock.now() < proven_at {
        return Ok(Recorded::AlreadyThere(case.payment.state));
    }
    let facts = PaymentFacts {
        attempt: Some(case.attempt.id),
        merchant: Some(merchant),
        state: PaymentState::Canceled,
        session: None,
        payment_intent_id: None,
        charge_id: None,
        captured: None,
        captured_at: None,
        decline: None,
        card: None,
        fee: None,
        live: processor.is_live(),
    };
    let source = "the processor's list has no page of it";
    record_outcome(app, Outcome { merchant, payment, facts, source, ending: Some(Ending::Abandoned) }).await
}

/// Decides when to look again, and ends a page whose payer has left.
async fn after(app: &App, merchant: MerchantId, payment: PaymentId, state: PaymentState) -> Result<Looked> {
    let case = load(app, merchant, payment).await?.context("a payment is never deleted")?;
    let now = app.clock.now();
    if settled(&case) {
        return Ok(Looked::Done(case.payment.state));
    }
    if case.payment.state.hold() != Hold::Held {
        let waited = now.duration_since(case.payment.changed_at);
        let gives_up = waited > FEE_IS_AWAITED_FOR;
        return Ok(if gives_up { Looked::Done(state) } else { Looked::Again(state, now + pause(waited)) });
    }
    let waited = now.duration_since(case.payment.created_at);
    if waited > A_PERSON_OWNS_IT_AFTER {
        hand_to_person(app, &case).await?;
    }
    let given_up_at = abandoned_at(&case.payment, &case.merchant);
    let page_is_open =
        case.payment.state == PaymentState::RequiresAction && case.attempt.session_id.is_some();
    if page_is_open && now < given_up_at {
        return Ok(Looked::Again(state, given_up_at));
    }
    if page_is_open {
        let state = end_page(app, &case.attempt, Ending::Abandoned).await?;
        let ended = state.hold() != Hold::Held && state != PaymentState::Succeeded;
        return Ok(if ended { Looked::Done(state) } else { Looked::Again(state, now + pause(waited)) });
    }
    Ok(Looked::Again(state, now + pause(waited)))
}

/// 5 s, 1 min, 5 min, 1 h, then daily.
fn pause(waited: SignedDuration) -> SignedDuration {
    match waited.as_secs() {
        ..60 => SignedDuration::from_secs(5),
        60..300 => SignedDuration::from_mins(1),
        300..3_600 => SignedDuration::from_mins(5),
        3_600..86_400 => SignedDuration::from_hours(1),
        _ => SignedDuration::from_hours(24),
    }
}

fn settled(case: &Case) -> bool {
    match case.payment.state {
        PaymentState::Succeeded => case.attempt.balance_transaction_id.is_some(),
        state => state.hold() != Hold::Held,
    }
}

/// A page that ended is read all the same: what was captured after the end is booked too.
fn may_have_paid_late(case: &Case) -> bool {
    case.payment.state.hold() == Hold::Released && case.attempt.session_id.is_some()
}

async fn load(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Option<Case>> {
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(payment) = payments::find(tx, merchant, payment).await? else { return Ok(None) };
            let Some(attempt) = attempts::latest(tx, merchant, payment.id).await? else { return Ok(None) };
            let merchant = merchants::find(tx, merchant).await?.context("a payment has a merchant")?;
            Ok(Some(Case { payment, attempt, merchant }))
        })
        .await
}

async fn hand_to_person(app: &App, case: &Case) -> Result<()> {
    let (mint, merchant, payment) = (app.mint(), case.payment.merchant, case.payment.id);
    app.store
        .write(async move |tx: &mut Tx| {
            let there = anomalies::list_by_payment(tx, merchant, payment).await?;
            if there.iter().any(|anomaly| anomaly.kind == "unresolved") {
                return Ok(());
            }
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "unresolved".to_owned(),
                payment_id: Some(payment),
                detail: "the processor has not said for five days how this payment ended".to_owned(),
                at: mint.now,
            };
            anomalies::insert(tx, merchant, &anomaly).await
        })
        .await
}
