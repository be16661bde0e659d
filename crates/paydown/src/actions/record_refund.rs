//! T2 of a refund: what a processor, the bank or a person says about it becomes a posting. Paid, failed (also long after it was
//! paid), or withdrawn before it was sent. What failed is the customer's credit, and a task for a person.
//!
//! The answer to the call, a webhook, the reconciler and the list of events may all bring the same fact. Customer, payment and
//! refund are locked in this order and states are compared, so the second one finds it and changes nothing.

mod credit;
mod tidings;

use crate::actions::request_refund::keep_in_step;
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{self, Fee, Processor};
use billing::ids::{AnomalyId, MerchantId, PaymentId, PostingId, RefundId};
use billing::payment::Step;
use billing::refund::{RefundPosting, RefundState};
use gateway::{BalanceLine, RefundFacts};
use ledger::Posting;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::customers;
use store::db::Tx;
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::refunds::{self, Refund, RefundLearned, RefundPart};

pub(super) use tidings::tell;

/// What is said about one refund of ours.
#[derive(Debug, Clone)]
pub struct RefundOutcome {
    /// Whose.
    pub merchant: MerchantId,
    /// Which refund.
    pub refund: RefundId,
    /// Where it stands.
    pub state: RefundState,
    /// What else was told.
    pub learned: RefundLearned,
    /// Lines of the processor's books that are about it.
    pub lines: Vec<BalanceLine>,
    /// How we learned it, for the history: `webhook`, `reconciler`.
    pub source: &'static str,
}

impl RefundOutcome {
    /// What the processor says of it.
    pub fn of(merchant: MerchantId, refund: RefundId, facts: &RefundFacts, source: &'static str) -> Self {
        let lines: Vec<BalanceLine> = facts.line.iter().chain(&facts.failure_line).cloned().collect();
        let learned = RefundLearned {
            processor_refund_id: Some(facts.id.clone()),
            line_id: facts.line.as_ref().map(|line| line.id.clone()),
            failure_line_id: facts.failure_line.as_ref().map(|line| line.id.clone()),
            failure_reason: facts.failure_reason.clone(),
            bank_reference: facts.reference.clone(),
        };
        RefundOutcome { merchant, refund, state: facts.state, learned, lines, source }
    }

    /// The processor settled that it was not and will not be made.
    pub fn never_made(merchant: MerchantId, refund: RefundId, why: String, source: &'static str) -> Self {
        let learned = RefundLearned { failure_reason: Some(why), ..RefundLearned::default() };
        RefundOutcome { merchant, refund, state: RefundState::Failed, learned, lines: Vec::new(), source }
    }
}

/// A refund under the locks of its customer and its payment.
pub(super) struct Locked {
    pub(super) refund: Refund,
    pub(super) parts: Vec<RefundPart>,
    pub(super) payment: Option<Payment>,
}

/// Records an outcome; answers the refund's state afterwards.
pub async fn record_refund(app: &App, outcome: RefundOutcome) -> Result<RefundState> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &secrets, &outcome).await).await
}

/// The same within the caller's transaction.
pub(super) async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    outcome: &RefundOutcome,
) -> Result<RefundState> {
    let locked = lock(tx, outcome.merchant, outcome.refund).await?;
    let locked = locked.with_context(|| format!("there is no refund {}", outcome.refund))?;
    refunds::learn(tx, outcome.merchant, outcome.refund, &outcome.learned).await?;
    record_fees(tx, mint, &locked.refund, &outcome.lines).await?;
    match locked.refund.state.step(outcome.state) {
        Step::Move => {
            move_to(tx, mint, secrets, &locked, (outcome.state, outcome.source)).await?;
            Ok(outcome.state)
        }
        Step::AlreadyThere => Ok(locked.refund.state),
        Step::Stale | Step::Ghost => {
            contradicted(tx, mint, &locked.refund, outcome.state).await?;
            Ok(locked.refund.state)
        }
    }
}

/// Locks a refund with what it is of: customer, payment, refund.
pub(super) async fn lock(tx: &mut Tx, merchant: MerchantId, id: RefundId) -> Result<Option<Locked>> {
    let Some(found) = refunds::find(tx, merchant, id).await? else { return Ok(None) };
    customers::lock(tx, merchant, found.customer_id).await?;
    let payment = match found.payment_id {
        Some(payment) => payments::lock(tx, merchant, payment).await?,
        None => None,
    };
    let refund = refunds::lock(tx, merchant, id).await?.context("a refund is never deleted")?;
    let parts = refunds::parts(tx, merchant, id).await?;
    Ok(Some(Locked { refund, parts, payment }))
}

/// Moves a locked refund along its table, with the postings that the step owes, and tells whom it concerns.
pub(super) async fn move_to(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    locked: &Locked,
    (next, why): (RefundState, &str),
) -> Result<()> {
    let Locked { refund, parts, payment } = locked;
    refunds::set_state(tx, refund, next, why, mint.now).await?;
    for owed in refund.state.postings(next) {
        match owed {
            RefundPosting::Succeeded => {
                let posting = chart::refund_succeeded(refund.id, refund.channel, refund.amount)?;
                post(tx, mint, refund, (CauseKind::RefundSucceeded, &posting), None).await?;
            }
            RefundPosting::CameBack => came_back(tx, mint, refund).await?,
            RefundPosting::Failed => credit::failed(tx, mint, locked).await?,
            RefundPosting::Withdrawn => credit::withdrawn(tx, mint, locked).await?,
        }
    }
    if let Some(payment) = payment {
        keep_in_step(tx, mint, payment).await?;
    }
    credit::goes_back(tx, mint, locked, next).await?;
    let kind = format!("refund.{}", next.as_str());
    if !matches!(next, RefundState::Submitting) {
        tell(tx, mint, refund, parts, &kind).await?;
    }
    match next {
        RefundState::Succeeded => tidings::mail(tx, mint, secrets, locked, true).await,
        RefundState::Failed => {
            alarm(tx, mint, refund).await?;
            tidings::mail(tx, mint, secrets, locked, false).await
        }
        _ => Ok(()),
    }
}

/// What had been paid came back: the mirror of its payment.
async fn came_back(tx: &mut Tx, mint: &Mint, refund: &Refund) -> Result<()> {
    let cause_id = refund.id.to_string();
    let paid = postings::find_by_cause(tx, refund.merchant, CauseKind::RefundSucceeded, &cause_id).await?;
    let (paid, ..) = paid.context("a refund that comes back was paid")?;
    let posting = chart::refund_came_back(refund.id, refund.channel, refund.amount)?;
    post(tx, mint, refund, (CauseKind::RefundCameBack, &posting), Some(paid)).await
}

async fn post(
    tx: &mut Tx,
    mint: &Mint,
    refund: &Refund,
    (cause, posting): (CauseKind, &Posting),
    reverses: Option<PostingId>,
) -> Result<()> {
    let cause_id = refund.id.to_string();
    let id = mint.id(PostingId::new);
    let new = NewPosting { id, cause, cause_id: &cause_id, reverses, posting, at: mint.now };
    postings::insert_first(tx, refund.merchant, &new).await
}

/// What the processor keeps for a refund is posted when it is known, a posting for each line of its books.
async fn record_fees(tx: &mut Tx, mint: &Mint, refund: &Refund, lines: &[BalanceLine]) -> Result<()> {
    let Some(payment) = refund.payment_id else { return Ok(()) };
    for line in lines.iter().filter(|line| !line.fee.is_zero()) {
        let posting = chart::fee_charged(Fee::Processing, payment, Processor::Stripe, line.fee)?;
        let new = NewPosting {
            id: mint.id(PostingId::new),
            cause: CauseKind::ProcessingFee,
            cause_id: &line.id,
            reverses: None,
            posting: &posting,
            at: mint.now,
        };
        postings::insert(tx, refund.merchant, &new).await?;
    }
    Ok(())
}

/// A person has to find another way to give the money back, or leave it as credit.
async fn alarm(tx: &mut Tx, mint: &Mint, refund: &Refund) -> Result<()> {
    let found = refunds::find(tx, refund.merchant, refund.id).await?;
    let why = found.and_then(|found| found.learned.failure_reason);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let detail = format!(
        "{} of {} did not reach the payer and is the customer's credit{why}",
        refund.id, refund.amount
    );
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "refund_failed".to_owned(),
        payment_id: refund.payment_id,
        detail,
        at: mint.now,
    };
    anomalies::insert(tx, refund.merchant, &anomaly).await
}

/// The processor paid, or pays, what has ended here without money, and is the customer's credit: a person has to see to it.
async fn contradicted(tx: &mut Tx, mint: &Mint, refund: &Refund, said: RefundState) -> Result<()> {
    let has_ended = matches!(refund.state, RefundState::Failed | RefundState::Canceled);
    if !has_ended || !matches!(said, RefundState::Pending | RefundState::Succeeded) {
        return Ok(());
    }
    let detail = format!(
        "{} of {} is {} here and the customer's credit, and {} at the processor",
        refund.id,
        refund.amount,
        refund.state.as_str(),
        said.as_str()
    );
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "refund_contradicts".to_owned(),
        payment_id: refund.payment_id,
        detail,
        at: mint.now,
    };
    anomalies::insert_once(tx, refund.merchant, &anomaly).await.map(drop)
}

/// A payment is taken back, by its bank or by hand: refunds of it that were not sent yet are withdrawn, for this reason. The caller holds the locks of customer,
/// payment and all invoices that they are about.
pub(super) async fn withdraw_waiting(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    payment: (MerchantId, PaymentId),
    why: &str,
) -> Result<()> {
    for waiting in refunds::list_by_payment(tx, payment.0, payment.1).await? {
        if waiting.state != RefundState::Requested {
            continue;
        }
        let locked = lock(tx, payment.0, waiting.id).await?.context("a refund is never deleted")?;
        if locked.refund.state == RefundState::Requested {
            move_to(tx, mint, secrets, &locked, (RefundState::Canceled, why)).await?;
        }
    }
    Ok(())
}
