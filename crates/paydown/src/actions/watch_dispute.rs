//! Looks after an open dispute: asks the processor now and then, since no event of months is sure to come, and reminds a person
//! before the time for evidence is over.

use crate::actions::reconcile_dispute::reconcile_dispute;
use crate::actions::record_dispute::task;
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::dispute::DisputeState;
use billing::ids::{DisputeId, MerchantId};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::evidence;
use store::payments;

/// A person is reminded so long before evidence is due.
const REMIND_BEFORE: SignedDuration = SignedDuration::from_hours(48);
/// While nothing is heard, the processor is asked so often.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What a bank decides once the time is over is asked for so long after it.
const ASK_AFTER_DUE: SignedDuration = SignedDuration::from_hours(1);

/// When to look at an open dispute next.
pub(super) fn next_look(dispute: &Dispute, now: Timestamp) -> Timestamp {
    let due = dispute.due_at.into_iter().flat_map(|at| [at - REMIND_BEFORE, at + ASK_AFTER_DUE]);
    due.filter(|at| *at > now).fold(now + ASK_EVERY, Timestamp::min)
}

/// Looks once; when to look again, while it is open.
pub async fn watch_dispute(app: &App, merchant: MerchantId, id: DisputeId) -> Result<Option<Timestamp>> {
    let Some(before) = find(app, merchant, id).await? else { return Ok(None) };
    if !before.state.is_open() {
        return Ok(None);
    }
    reconcile_dispute(app, merchant, &before.processor_dispute_id, "watch").await?;
    let dispute = find(app, merchant, id).await?.context("a dispute is never deleted")?;
    if !dispute.state.is_open() {
        return Ok(None);
    }
    let now = app.clock.now();
    if dispute.due_at.is_some_and(|at| at - REMIND_BEFORE <= now && now < at) {
        remind(app, &dispute).await?;
    }
    Ok(Some(next_look(&dispute, now)))
}

/// Unless the bank has an answer already, or is about to get one.
async fn remind(app: &App, dispute: &Dispute) -> Result<()> {
    if dispute.state == DisputeState::UnderReview || dispute.accept_asked_at.is_some() {
        return Ok(());
    }
    let (mint, dispute) = (app.mint(), dispute.clone());
    app.store
        .write(async move |tx: &mut Tx| {
            let said = evidence::list(tx, dispute.merchant, dispute.id).await?;
            if said.iter().any(|said| said.to_bank && said.refusal.is_none()) {
                return Ok(());
            }
            let payment = payments::find(tx, dispute.merchant, dispute.payment_id).await?;
            let payment = payment.context("a payment is never deleted")?;
            task(tx, &mint, &dispute, &payment, "dispute_evidence_due").await
        })
        .await
}

async fn find(app: &App, merchant: MerchantId, id: DisputeId) -> Result<Option<Dispute>> {
    app.store.read(async move |tx: &mut Tx| disputes::find(tx, merchant, id).await).await
}
