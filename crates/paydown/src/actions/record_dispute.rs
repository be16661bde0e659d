//! What a processor says about a dispute of a card payment is booked: the money is withdrawn, comes back, or is gone. Brought by
//! whoever read it, in any order and as often as it is said: the payment is locked first, states are compared, and the second
//! finds it and changes nothing.

mod lost;
mod tell;
mod won_after_lost;

pub(super) use tell::{note, task};

use crate::actions::{take_back, watch_dispute};
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::chart::{self, Fee, Processor};
use billing::dispute::{DisputePosting, DisputeState};
use billing::ids::{DisputeId, JobId, MerchantId, PaymentId, PostingId};
use billing::payment::{Hold, Step};
use gateway::DisputeFacts;
use ledger::Posting;
use store::db::Tx;
use store::disputes::{self, Dispute, Told};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::{customers, jobs};

/// The job that looks after an open dispute.
pub const WATCH_JOB: &str = "watch_dispute";

/// Facts about a dispute of one of our payments.
#[derive(Clone, Debug)]
pub struct DisputeOutcome {
    /// Whose.
    pub merchant: MerchantId,
    /// The contested payment, a card's.
    pub payment: PaymentId,
    /// What the processor says.
    pub facts: DisputeFacts,
    /// How we learned it, for the history: `webhook`, `watch`.
    pub source: &'static str,
}

/// What recording came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was heard of for the first time, or moved.
    Moved(DisputeId, DisputeState),
    /// It stood there already; fees and dates may have been learned.
    AlreadyThere(DisputeId, DisputeState),
    /// The table does not have this step: either it was read before what is known, or the processor takes its word back.
    Stale(DisputeId, DisputeState),
    /// The payment is not booked as captured yet: come again.
    NotCaptured,
}

/// Records it.
pub async fn record_dispute(app: &App, outcome: DisputeOutcome) -> Result<Recorded> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &outcome).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, outcome: &DisputeOutcome) -> Result<Recorded> {
    let DisputeOutcome { merchant, payment: id, facts, source } = outcome;
    let found = payments::find(tx, *merchant, *id).await?.context("a payment is never deleted")?;
    customers::lock(tx, *merchant, found.customer_id).await?;
    let payment = payments::lock(tx, *merchant, *id).await?.context("a payment is never deleted")?;
    let Some(captured) = payment.captured.filter(|_| payment.state.hold() == Hold::Consumed) else {
        return Ok(Recorded::NotCaptured);
    };
    let one_currency = facts.amount.currency() == captured.currency();
    anyhow::ensure!(one_currency, "{} is about {}, and {captured} was captured", facts.id, facts.amount);
    let recorded = match disputes::find_by_name(tx, *merchant, STRIPE, &facts.id).await? {
        None => first_heard(tx, mint, outcome, &payment).await?,
        Some(dispute) => {
            anyhow::ensure!(dispute.payment_id == payment.id, "{} is of another payment", facts.id);
            heard_again(tx, mint, (&dispute, &payment), facts, source).await?
        }
    };
    record_fees(tx, mint, &payment, facts).await?;
    Ok(recorded)
}

async fn first_heard(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &DisputeOutcome,
    payment: &Payment,
) -> Result<Recorded> {
    let DisputeOutcome { merchant, facts, source, .. } = outcome;
    let dispute = Dispute {
        merchant: *merchant,
        id: mint.id(DisputeId::new),
        payment_id: payment.id,
        processor: STRIPE.to_owned(),
        processor_dispute_id: facts.id.clone(),
        state: facts.state,
        amount: facts.amount,
        reason: facts.reason.clone(),
        network_code: facts.network_code.clone(),
        due_at: facts.due_at,
        when_lost: None,
        lost_as: None,
        has_evidence: facts.has_evidence,
        fee: facts.fee(),
        accept_asked_at: None,
        opened_at: facts.created_at,
        created_at: mint.now,
        changed_at: mint.now,
    };
    let is_new = disputes::insert(tx, &dispute, source).await?;
    anyhow::ensure!(is_new, "{} was added while its payment was locked", facts.id);
    disputes::learn(tx, *merchant, dispute.id, &told_by(facts)).await?;
    tell::opened(tx, mint, &dispute, payment).await?;
    for due in dispute.state.postings_when_first_seen() {
        post(tx, mint, (&dispute, payment), *due).await?;
    }
    moved(tx, mint, (&dispute, payment), dispute.state).await?;
    Ok(Recorded::Moved(dispute.id, dispute.state))
}

async fn heard_again(
    tx: &mut Tx,
    mint: &Mint,
    (dispute, payment): (&Dispute, &Payment),
    facts: &DisputeFacts,
    source: &str,
) -> Result<Recorded> {
    disputes::learn(tx, dispute.merchant, dispute.id, &told_by(facts)).await?;
    let dispute = &with_its_amount(tx, mint, dispute, facts).await?;
    // To the processor a dispute that we let be is lost; that it was our wish only we know.
    let said = match facts.state {
        DisputeState::Lost if dispute.accept_asked_at.is_some() => DisputeState::Accepted,
        state => state,
    };
    match dispute.state.step(said) {
        Step::AlreadyThere => return Ok(Recorded::AlreadyThere(dispute.id, dispute.state)),
        // It was lost before our wish was heard.
        _ if (dispute.state, said) == (DisputeState::Lost, DisputeState::Accepted) => {
            return Ok(Recorded::AlreadyThere(dispute.id, dispute.state));
        }
        Step::Stale | Step::Ghost => return Ok(Recorded::Stale(dispute.id, dispute.state)),
        Step::Move => {}
    }
    disputes::set_state(tx, dispute, said, source, mint.now).await?;
    let before = Dispute { due_at: facts.due_at.or(dispute.due_at), ..dispute.clone() };
    for due in dispute.state.postings(said) {
        post(tx, mint, (&before, payment), *due).await?;
    }
    tell::moved(tx, mint, &before, payment, said).await?;
    moved(tx, mint, (&before, payment), said).await?;
    Ok(Recorded::Moved(dispute.id, said))
}

/// A bank that asks may still say another amount. Once it has withdrawn one, that is booked, and another is a riddle.
async fn with_its_amount(
    tx: &mut Tx,
    mint: &Mint,
    dispute: &Dispute,
    facts: &DisputeFacts,
) -> Result<Dispute> {
    if facts.amount != dispute.amount && dispute.state == DisputeState::Inquiry {
        disputes::set_amount(tx, dispute.merchant, dispute.id, facts.amount).await?;
        return Ok(Dispute { amount: facts.amount, ..dispute.clone() });
    }
    if facts.amount != dispute.amount {
        tell::amount_changed(tx, mint, dispute, facts.amount).await?;
    }
    Ok(dispute.clone())
}

fn told_by(facts: &DisputeFacts) -> Told {
    Told {
        reason: facts.reason.clone(),
        network_code: facts.network_code.clone(),
        due_at: facts.due_at,
        has_evidence: facts.has_evidence,
        fee: facts.fee(),
    }
}

/// What follows from a step once its postings are made: the payment's state, and who looks after the dispute.
async fn moved(
    tx: &mut Tx,
    mint: &Mint,
    (dispute, payment): (&Dispute, &Payment),
    now_is: DisputeState,
) -> Result<()> {
    take_back::follow_charge(tx, mint, (payment.merchant, payment.id), "a dispute of it").await?;
    if now_is.is_open() {
        let (job, subject) = (mint.id(JobId::new), dispute.id.to_string());
        let at = watch_dispute::next_look(dispute, mint.now);
        jobs::enqueue(tx, payment.merchant, job, WATCH_JOB, &subject, at, mint.now).await?;
    }
    Ok(())
}

async fn post(
    tx: &mut Tx,
    mint: &Mint,
    (dispute, payment): (&Dispute, &Payment),
    due: DisputePosting,
) -> Result<()> {
    let (id, amount) = (dispute.id, dispute.amount);
    match due {
        DisputePosting::Opened => {
            let posting = chart::dispute_opened(id, Processor::Stripe, amount)?;
            save(tx, mint, dispute, (CauseKind::DisputeOpened, &posting)).await.map(drop)
        }
        DisputePosting::Won => {
            let posting = chart::dispute_won(id, Processor::Stripe, amount)?;
            save(tx, mint, dispute, (CauseKind::DisputeWon, &posting)).await.map(drop)
        }
        DisputePosting::Lost => lost::book(tx, mint, dispute, payment).await,
        DisputePosting::WonAfterLost => won_after_lost::book(tx, mint, dispute, payment).await,
    }
}

/// A dispute makes each of its postings once.
async fn save(
    tx: &mut Tx,
    mint: &Mint,
    dispute: &Dispute,
    (cause, posting): (CauseKind, &Posting),
) -> Result<PostingId> {
    let id = mint.id(PostingId::new);
    let cause_id = dispute.id.to_string();
    let new = NewPosting { id, cause, cause_id: &cause_id, reverses: None, posting, at: mint.now };
    let posted = postings::insert(tx, dispute.merchant, &new).await?;
    anyhow::ensure!(posted, "dispute {} was posted before its state said so", dispute.id);
    Ok(id)
}

/// What the processor keeps for a dispute, and may give back, is posted when it is known: a posting for each line of its books.
async fn record_fees(tx: &mut Tx, mint: &Mint, payment: &Payment, facts: &DisputeFacts) -> Result<()> {
    for line in facts.lines.iter().filter(|line| !line.fee.is_zero()) {
        let posting = chart::fee_charged(Fee::Dispute, payment.id, Processor::Stripe, line.fee)?;
        let new = NewPosting {
            id: mint.id(PostingId::new),
            cause: CauseKind::DisputeFee,
            cause_id: &line.id,
            reverses: None,
            posting: &posting,
            at: mint.now,
        };
        postings::insert(tx, payment.merchant, &new).await?;
    }
    Ok(())
}
