//! The refunds of a payment as its processor has them: those of ours are recorded, and one that somebody made in the processor's
//! dashboard is taken into the books, with an anomaly: whoever made it said nothing about the invoice.
//!
//! Read anew at each hint, all of them, so that order, repeats and losses do not matter.

use crate::actions::left_of_payment::{LeftOfPayment, left_of};
use crate::actions::reconcile_payment::reconcile_payment;
use crate::actions::record_refund::{RefundOutcome, in_tx as record};
use crate::actions::request_refund::{Taking, book};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{Channel, Processor as Clearing};
use billing::ids::{AnomalyId, MerchantId, PaymentId, RefundId};
use billing::refund::{RefundMeaning, RefundState};
use billing::take_back::{Source, TakenWithRest};
use gateway::{CallError, RefundFacts};
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::payments::{self, Payment};
use store::refunds::{self, Approval, Refund, RefundLearned, RefundOrigin, RefundSource};
use store::{attempts, customers, invoices};

/// What looking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundsRead {
    /// All that the processor has is in the books.
    Recorded,
    /// The processor could not be asked.
    Unanswered,
}

/// Reads the refunds of a payment and records what they say.
pub async fn read_refunds(
    app: &App,
    merchant: MerchantId,
    payment: PaymentId,
    source: &'static str,
) -> Result<RefundsRead> {
    let read = async move |tx: &mut Tx| {
        let found = payments::find(tx, merchant, payment).await?;
        Ok((found, attempts::latest(tx, merchant, payment).await?))
    };
    let (found, attempt) = app.store.read(read).await?;
    if found.is_some_and(|found| found.captured.is_none()) {
        // The refund was heard of before the success that it gives back.
        reconcile_payment(app, merchant, payment, source).await?;
    }
    let Some(intent) = attempt.and_then(|attempt| attempt.payment_intent_id) else {
        return Ok(RefundsRead::Recorded);
    };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let all = match processor.list_refunds(&intent).await {
        Ok(all) => all,
        Err(CallError::Refused { status, message, .. }) => {
            anyhow::bail!("the processor refused to list the refunds with status {status}: {message}")
        }
        Err(error) => {
            tracing::warn!(%payment, %error, "the refunds of a payment could not be read");
            return Ok(RefundsRead::Unanswered);
        }
    };
    for facts in all.into_iter().rev() {
        let found = Found { merchant, payment, facts, source, secrets: Arc::clone(&app.secrets) };
        let mint = app.mint();
        app.store.write(async move |tx: &mut Tx| record_or_adopt(tx, &mint, &found).await).await?;
    }
    Ok(RefundsRead::Recorded)
}

/// A refund that the processor has.
struct Found {
    merchant: MerchantId,
    payment: PaymentId,
    facts: RefundFacts,
    source: &'static str,
    secrets: Arc<SecretKey>,
}

async fn record_or_adopt(tx: &mut Tx, mint: &Mint, found: &Found) -> Result<()> {
    let Found { merchant, facts, source, secrets, .. } = found;
    let known = match known(tx, found).await? {
        Some(id) => id,
        None => {
            // What failed before anybody here learned of it has moved nothing.
            if matches!(facts.state, RefundState::Failed | RefundState::Canceled) {
                return Ok(());
            }
            adopt(tx, mint, found).await?
        }
    };
    record(tx, mint, secrets, &RefundOutcome::of(*merchant, known, facts, source)).await.map(drop)
}

/// Our own name of it: its mark, or the processor's id that we keep.
async fn known(tx: &mut Tx, found: &Found) -> Result<Option<RefundId>> {
    if let Some(id) = found.facts.refund
        && found.facts.merchant.is_none_or(|merchant| merchant == found.merchant)
        && refunds::find(tx, found.merchant, id).await?.is_some()
    {
        return Ok(Some(id));
    }
    refunds::find_by_processor_id(tx, found.merchant, &found.facts.id).await
}

/// Books a refund that nobody asked for here. It is a fact, whatever is thought of it: nothing of it is refused.
async fn adopt(tx: &mut Tx, mint: &Mint, found: &Found) -> Result<RefundId> {
    let Found { merchant, payment, facts, .. } = found;
    let owner = payments::find(tx, *merchant, *payment).await?.context("an attempt has a payment")?;
    customers::lock(tx, *merchant, owner.customer_id).await?;
    let payment = payments::lock(tx, *merchant, *payment).await?.context("a payment is never deleted")?;
    let captured =
        payment.captured.context("a refund was found of a payment whose money is not in the books yet")?;
    anyhow::ensure!(captured.currency() == facts.amount.currency(), "{} is in another currency", facts.id);
    // Somebody may have been faster while the lock was waited for.
    if let Some(id) = refunds::find_by_processor_id(tx, *merchant, &facts.id).await? {
        return Ok(id);
    }
    let LeftOfPayment { left, .. } = left_of(tx, &payment).await?;
    let minor = facts.amount.minor();
    let taken = match left.take(minor, Source::UnspentFirst) {
        Ok(taken) => TakenWithRest { taken, rest_minor: 0 },
        Err(_) => left.take_up_to(minor),
    };
    for part in &taken.taken.allocated {
        invoices::lock(tx, *merchant, part.invoice).await?.context("an allocation's invoice")?;
    }
    let refund = refund(mint, &payment, facts);
    let taking = Taking::OfPayment(Box::new(payment), taken);
    let parts = taking.parts();
    book(tx, mint, &refund, &taking, &parts).await?;
    let why = "it was made at the processor";
    refunds::set_state(tx, &refund, RefundState::Submitting, why, mint.now).await?;
    let detail = format!(
        "{} ({}) of {} was refunded at the processor and not here; its invoice is owed again: issue a credit note if \
         the price was given back",
        refund.id, facts.id, facts.amount
    );
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "refund_adopted".to_owned(),
        payment_id: refund.payment_id,
        detail,
        at: mint.now,
    };
    anomalies::insert(tx, *merchant, &anomaly).await?;
    Ok(refund.id)
}

fn refund(mint: &Mint, payment: &Payment, facts: &RefundFacts) -> Refund {
    Refund {
        merchant: payment.merchant,
        // The mark of one whose row was lost with the newest part of the database names it still.
        id: facts.refund.unwrap_or_else(|| mint.id(RefundId::new)),
        source: RefundSource::Payment,
        channel: Channel::Processor(Clearing::Stripe),
        origin: RefundOrigin::Adopted,
        customer_id: payment.customer_id,
        payment_id: Some(payment.id),
        invoice_id: None,
        amount: facts.amount,
        meaning: Some(RefundMeaning::OwedAgain),
        state: RefundState::Requested,
        reason: "it was made at the processor".to_owned(),
        requested_by: "job:read_refunds".to_owned(),
        approval: Approval::NotNeeded,
        call: None,
        calls: 0,
        server_errors: 0,
        called_at: None,
        learned: RefundLearned { processor_refund_id: Some(facts.id.clone()), ..RefundLearned::default() },
        paid: None,
        created_at: mint.now,
        changed_at: mint.now,
    }
}
