//! T2: what a processor says about a payment becomes a posting, an allocation, a receipt, or a released hold.
//!
//! The answer to the call, the webhook worker, the return page, the poller and the reconciler may all bring the same
//! fact. The payment row is locked first and states are compared, so the second one finds it and changes nothing.

mod capture;
mod debit;
mod returned;

pub(super) use debit::holder;

use crate::actions::{card_testing, keep_methods, resolve_payment, return_credit};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{self, Processor};
use billing::ids::{AnomalyId, EventId, InvoiceId, JobId, MerchantId, PaymentId, PostingId};
use billing::payment::{Hold, PaymentState, Step};
use gateway::{FeeFacts, PaymentFacts};
use jiff::SignedDuration;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::attempts::{self, Attempt, Learned};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices::{self, Shift};
use store::payments::{self, Ending, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::reservations::{self, ReservationEnd};
use store::{customers, jobs};

/// The fee is asked for again after so long, where it comes after the success.
const ASK_FOR_FEE_AFTER: SignedDuration = SignedDuration::from_secs(20);

/// Facts about one payment of ours.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whose.
    pub merchant: MerchantId,
    /// Which payment.
    pub payment: PaymentId,
    /// What the processor says.
    pub facts: PaymentFacts,
    /// How we learned it, for the history: `return page`, `webhook`, `reconciler`.
    pub source: &'static str,
    /// Why it ended, where we ended it.
    pub ending: Option<Ending>,
    /// Said of a payment whose page was never made: true only as long as no page is known and its call was sent this
    /// often. Whatever was learned or sent meanwhile makes the outcome stale.
    pub unmade_after_calls: Option<i64>,
}

/// What recording came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The payment moved to this state.
    Moved(PaymentState),
    /// It was there already: success, nothing to do.
    AlreadyThere(PaymentState),
    /// The fact is older than the payment's state, which is this one.
    Stale(PaymentState),
    /// There is no such payment, or no attempt of it.
    Unknown,
}

impl Recorded {
    /// The payment's state afterwards.
    pub const fn state(self) -> Option<PaymentState> {
        match self {
            Recorded::Moved(state) | Recorded::AlreadyThere(state) | Recorded::Stale(state) => Some(state),
            Recorded::Unknown => None,
        }
    }
}

/// Records an outcome.
pub async fn record_outcome(app: &App, outcome: Outcome) -> Result<Recorded> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &secrets, &outcome).await).await
}

/// The same within the caller's transaction.
pub(super) async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    outcome: &Outcome,
) -> Result<Recorded> {
    let Outcome { merchant, payment: id, facts, .. } = outcome;
    let Some(found) = payments::find(tx, *merchant, *id).await? else { return Ok(Recorded::Unknown) };
    customers::lock(tx, *merchant, found.customer_id).await?;
    let payment = payments::lock(tx, *merchant, *id).await?.context("a payment is never deleted")?;
    let Some(attempt) = attempts::latest(tx, *merchant, *id).await? else { return Ok(Recorded::Unknown) };
    if facts.attempt.is_some_and(|of| of != attempt.id) {
        return Ok(Recorded::Unknown);
    }
    let is_known_there = attempt.session_id.is_some() || attempt.payment_intent_id.is_some();
    if outcome.unmade_after_calls.is_some_and(|calls| is_known_there || attempt.calls != calls) {
        return Ok(Recorded::Stale(payment.state));
    }
    learn(tx, &attempt, facts).await?;
    if let Some(decline) = &facts.decline {
        payments::set_decline(tx, *merchant, *id, decline.reason).await?;
    }
    if payment.method.is_bank_debit() {
        debit::learn(tx, mint, &payment, facts).await?;
    }
    let recorded = move_on(tx, mint, outcome, payment.clone(), secrets).await?;
    if payment.state.hold() != Hold::Held {
        resolve_payment::compare(tx, mint, &payment, outcome).await?;
    }
    if payment.keeps_method
        && matches!(recorded, Recorded::Moved(PaymentState::Succeeded | PaymentState::Processing))
    {
        keep_methods::ask(tx, mint, &payment).await?;
    }
    if payment.state != PaymentState::Succeeded {
        card_testing::count_try(tx, mint, &payment, facts).await?;
    }
    // Whatever became of the money since: the processor keeps its fee.
    if recorded.state().is_some_and(|state| state.hold() == Hold::Consumed) {
        record_fee(tx, mint, &attempt, facts.fee.as_ref()).await?;
    }
    if let (Some(PaymentState::Returned), Some(facts)) = (recorded.state(), &facts.returned) {
        returned::record_fee(tx, mint, &payment, facts).await?;
    }
    Ok(recorded)
}

/// Moves a locked payment along its table. Where a return is learned of before the success it takes back, the success is booked
/// first.
async fn move_on(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &Outcome,
    payment: Payment,
    secrets: &SecretKey,
) -> Result<Recorded> {
    let (mut payment, returned) = (payment, PaymentState::Returned);
    if outcome.facts.state == returned
        && payment.state.step(returned) == Step::Stale
        && let Some(facts) = outcome.facts.before_return()
    {
        let success = Outcome { facts, ..outcome.clone() };
        let ghost = match payment.state.step(PaymentState::Succeeded) {
            Step::Move => false,
            Step::Ghost => true,
            Step::AlreadyThere | Step::Stale => return Ok(Recorded::Stale(payment.state)),
        };
        apply(tx, mint, &success, &payment, (secrets, ghost)).await?;
        payment = payments::find(tx, payment.merchant, payment.id).await?.context("it is locked")?;
    }
    match payment.state.step(outcome.facts.state) {
        Step::AlreadyThere => Ok(Recorded::AlreadyThere(payment.state)),
        Step::Stale => Ok(Recorded::Stale(payment.state)),
        Step::Move => apply(tx, mint, outcome, &payment, (secrets, false)).await,
        Step::Ghost => apply(tx, mint, outcome, &payment, (secrets, true)).await,
    }
}

async fn apply(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &Outcome,
    payment: &Payment,
    (secrets, ghost): (&SecretKey, bool),
) -> Result<Recorded> {
    let next = outcome.facts.state;
    payments::set_state(tx, payment, next, outcome.source, mint.now).await?;
    match next.hold() {
        Hold::Held if next == PaymentState::Processing && payment.method.is_bank_debit() => {
            debit::begun(tx, mint, outcome, payment, secrets).await?;
        }
        Hold::Held => {}
        Hold::Consumed if next == PaymentState::Returned => {
            returned::book(tx, mint, outcome, payment, secrets).await?;
        }
        Hold::Consumed => capture::book(tx, mint, outcome, payment, (secrets, ghost)).await?,
        Hold::Released => release(tx, mint, outcome, payment).await?,
    }
    Ok(Recorded::Moved(next))
}

/// It ended without money: the hold goes, the invoice is payable again, credit that was waiting goes back to it.
async fn release(tx: &mut Tx, mint: &Mint, outcome: &Outcome, payment: &Payment) -> Result<()> {
    let (merchant, id) = (payment.merchant, payment.id);
    let ending = ending(outcome, payment);
    payments::set_ending(tx, merchant, id, ending).await?;
    for hold in reservations::list(tx, merchant, id).await?.iter().filter(|hold| hold.live) {
        invoices::lock(tx, merchant, hold.invoice_id).await?;
        let shift = Shift { open_minor: 0, pending_minor: -hold.amount_minor, paid_minor: 0 };
        invoices::shift(tx, merchant, hold.invoice_id, shift, mint.now).await?;
        note(tx, mint, payment, hold.invoice_id, "payment.ended", ending.as_str()).await?;
    }
    reservations::end(tx, merchant, id, ReservationEnd::Released, mint.now).await?;
    for hold in reservations::list(tx, merchant, id).await? {
        return_credit::in_tx(tx, mint, merchant, hold.invoice_id).await?;
    }
    if outcome.facts.state == PaymentState::Failed && payment.method.is_bank_debit() {
        let failure = outcome.facts.debit_failure.as_ref();
        let codes = failure.map(|failure| [failure.return_code.as_deref(), failure.code.as_deref()]);
        debit::follow_up(tx, mint, payment, (codes.and_then(debit::most_exact), false)).await?;
    }
    // Of a debit that was to be sent later, and was not, its payer hears just so.
    let is_dropped = payment.send_at.is_some() && ending == Ending::Abandoned;
    if outcome.facts.state == PaymentState::Failed || is_dropped {
        let job = mint.id(JobId::new);
        let at = mint.now + SignedDuration::from_mins(2);
        jobs::enqueue(tx, merchant, job, "mail_failure", &id.to_string(), at, mint.now).await?;
    }
    Ok(())
}

fn ending(outcome: &Outcome, payment: &Payment) -> Ending {
    let declined =
        outcome.facts.decline.is_some() || outcome.facts.debit_failure.is_some() || payment.decline.is_some();
    match outcome.ending {
        Some(Ending::Refused) => Ending::Refused,
        _ if declined => Ending::Declined,
        Some(ending) => ending,
        None => Ending::Expired,
    }
}

async fn learn(tx: &mut Tx, attempt: &Attempt, facts: &PaymentFacts) -> Result<()> {
    let session = facts.session.as_ref();
    let succeeded = matches!(facts.state, PaymentState::Succeeded | PaymentState::Returned);
    let learned = Learned {
        session_id: session.map(|session| session.id.clone()),
        // Of a charge without a page: where the payer goes to be seen by the bank.
        session_url: session.and_then(|session| session.url.clone()).or_else(|| facts.challenge_url.clone()),
        session_expires_at: session.map(|session| session.expires_at),
        payment_intent_id: facts.payment_intent_id.clone(),
        charge_id: facts.charge_id.clone().filter(|_| succeeded),
        balance_transaction_id: facts.fee.as_ref().map(|fee| fee.balance_transaction_id.clone()),
        decline_code: facts.decline.as_ref().and_then(|decline| decline.code.clone()),
        declined_at: facts.decline.as_ref().and_then(|decline| decline.declined_at),
    };
    attempts::learn(tx, attempt.merchant, attempt.id, &learned).await
}

/// The processor's fee is posted when it is known, once; it may be known only later.
async fn record_fee(tx: &mut Tx, mint: &Mint, attempt: &Attempt, fee: Option<&FeeFacts>) -> Result<()> {
    let (merchant, id) = (attempt.merchant, attempt.payment_id);
    if let Some(facts) = fee {
        if facts.fee.is_positive() {
            let posting = chart::processing_fee_charged(id, Processor::Stripe, facts.fee)?;
            let new = NewPosting {
                id: mint.id(PostingId::new),
                cause: CauseKind::ProcessingFee,
                cause_id: &facts.balance_transaction_id,
                reverses: None,
                posting: &posting,
                at: mint.now,
            };
            postings::insert(tx, merchant, &new).await?;
        }
        return Ok(());
    }
    if attempt.balance_transaction_id.is_none() {
        let (job, at) = (mint.id(JobId::new), mint.now + ASK_FOR_FEE_AFTER);
        jobs::enqueue(tx, merchant, job, "reconcile_payment", &id.to_string(), at, mint.now).await?;
    }
    Ok(())
}

/// Posts what a payment itself causes, which it does once.
async fn post(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (cause, posting): (CauseKind, &ledger::Posting),
) -> Result<PostingId> {
    let id = mint.id(PostingId::new);
    let cause_id = payment.id.to_string();
    let new = NewPosting { id, cause, cause_id: &cause_id, reverses: None, posting, at: mint.now };
    let posted = postings::insert(tx, payment.merchant, &new).await?;
    anyhow::ensure!(posted, "payment {} was posted before its state said so", payment.id);
    Ok(id)
}

async fn note(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    invoice: InvoiceId,
    kind: &str,
    how: &str,
) -> Result<()> {
    let event = Event {
        id: mint.id(EventId::new),
        kind: kind.to_owned(),
        invoice_id: Some(invoice),
        payment_id: Some(payment.id),
        data: format!("{{\"how\":\"{how}\"}}"),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, payment.merchant, &event).await
}

async fn anomaly(tx: &mut Tx, mint: &Mint, payment: &Payment, kind: &str, detail: String) -> Result<()> {
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: kind.to_owned(),
        payment_id: Some(payment.id),
        detail,
        at: mint.now,
    };
    anomalies::insert(tx, payment.merchant, &anomaly).await
}
