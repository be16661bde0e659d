//! Asks the processor where a dispute stands, and books what it says. A webhook, the list of events, an answer of ours and the
//! clock all come here; what they say themselves is never applied.

use crate::actions::adopt_payment::{Adopted, adopt_payment};
use crate::actions::reconcile_payment::reconcile_payment;
use crate::actions::record_dispute::{DisputeOutcome, Recorded, record_dispute};
use crate::app::App;
use anyhow::{Context as _, Result, bail};
use billing::ids::{AnomalyId, DisputeId, MerchantId, PaymentId};
use billing::payment::Hold;
use gateway::{DisputeFacts, Processor};
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::attempts;
use store::db::Tx;
use store::payments::{self, Payment};

/// What asking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is booked as far as it goes.
    Booked(DisputeId),
    /// A bank took a debit back: that is a return of this payment, and no dispute.
    Return(PaymentId),
    /// It is about no payment of ours.
    NotOurs,
}

/// Reads a dispute by the processor's name and books it. An error says that it could not be asked or booked yet.
pub async fn reconcile_dispute(
    app: &App,
    merchant: MerchantId,
    name: &str,
    source: &'static str,
) -> Result<Asked> {
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = processor.read_dispute(name).await?;
    let Some(payment) = payment_of(app, merchant, &processor, &facts).await? else {
        return Ok(Asked::NotOurs);
    };
    if facts.is_return || payment.method.is_bank_debit() {
        return Ok(Asked::Return(payment.id));
    }
    anyhow::ensure!(!payment.method.is_received(), "{name} is about {}, which no processor took", payment.id);
    if payment.state.hold() != Hold::Consumed {
        // What is contested was captured: that is booked first.
        reconcile_payment(app, merchant, payment.id, source).await?;
    }
    let outcome = DisputeOutcome { merchant, payment: payment.id, facts, source };
    match record_dispute(app, outcome).await? {
        Recorded::Moved(id, _) | Recorded::AlreadyThere(id, _) => Ok(Asked::Booked(id)),
        Recorded::Stale(..) => again(app, &processor, (merchant, &payment, name), source).await,
        Recorded::NotCaptured => bail!("{name} is about {}, whose capture is not booked yet", payment.id),
    }
}

/// What was read does not follow from what is known. Somebody else may have been faster with younger news; so it is read once
/// more, and if that does not follow either, the processor took its word back, and a person has to know.
async fn again(
    app: &App,
    processor: &Arc<dyn Processor>,
    (merchant, payment, name): (MerchantId, &Payment, &str),
    source: &'static str,
) -> Result<Asked> {
    let facts = processor.read_dispute(name).await?;
    let said = facts.state;
    let outcome = DisputeOutcome { merchant, payment: payment.id, facts, source };
    match record_dispute(app, outcome).await? {
        Recorded::Moved(id, _) | Recorded::AlreadyThere(id, _) => Ok(Asked::Booked(id)),
        Recorded::NotCaptured => bail!("a payment that was captured stays captured"),
        Recorded::Stale(id, state) => {
            let (mint, payment_id) = (app.mint(), payment.id);
            let detail = format!(
                "{id} ({name}) is {} here, and the processor says {}: its books and account 1200 may differ",
                state.as_str(),
                said.as_str()
            );
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "dispute_contradicts".to_owned(),
                payment_id: Some(payment_id),
                detail,
                at: mint.now,
            };
            let told = async move |tx: &mut Tx| anomalies::insert_once(tx, merchant, &anomaly).await;
            app.store.write(told).await?;
            Ok(Asked::Booked(id))
        }
    }
}

/// Whose payment is contested. One that the processor has and this database has lost is made again first.
async fn payment_of(
    app: &App,
    merchant: MerchantId,
    processor: &Arc<dyn Processor>,
    facts: &DisputeFacts,
) -> Result<Option<Payment>> {
    let intent = match (&facts.payment_intent_id, &facts.charge_id) {
        (Some(intent), _) => Some(intent.clone()),
        (None, Some(charge)) => processor.payment_of_charge(charge).await?,
        (None, None) => None,
    };
    let Some(intent) = intent else { return Ok(None) };
    if let Some(payment) = by_intent(app, merchant, &intent).await? {
        return Ok(Some(payment));
    }
    let read = processor.read_payment_intent(&intent).await?;
    if let Some(attempt) = read.attempt
        && let Some(id) = of_attempt(app, merchant, attempt).await?
    {
        // Its success has not been learned yet; that brings the processor's name of it.
        reconcile_payment(app, merchant, id, "dispute").await?;
        return by_intent(app, merchant, &intent).await;
    }
    if read.merchant != Some(merchant) {
        return Ok(None);
    }
    match adopt_payment(app, &**processor, read).await? {
        Adopted::Made(id) | Adopted::Known(id) => {
            app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, id).await).await
        }
        Adopted::Ended | Adopted::DoesNotFit | Adopted::NotOurs => Ok(None),
    }
}

async fn by_intent(app: &App, merchant: MerchantId, intent: &str) -> Result<Option<Payment>> {
    let intent = intent.to_owned();
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(attempt) = attempts::find_by_intent(tx, merchant, &intent).await? else {
                return Ok(None);
            };
            payments::find(tx, merchant, attempt.payment_id).await
        })
        .await
}

async fn of_attempt(
    app: &App,
    merchant: MerchantId,
    attempt: billing::ids::AttemptId,
) -> Result<Option<PaymentId>> {
    let find = async move |tx: &mut Tx| attempts::find(tx, merchant, attempt).await;
    Ok(app.store.read(find).await?.map(|attempt| attempt.payment_id))
}
