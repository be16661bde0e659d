//! A saved method is removed by its owner or by staff: it is charged no more from that moment, whatever the processor says; its
//! mandate ends; debits of it that are still held are stopped. What was sent to the bank already is named, never called back here.
//!
//! The processor is told to forget it too, as often as it takes.

use crate::actions::stop_payment::stop_payment;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, ContactId, JobId, MerchantId, PaymentId, PaymentMethodId};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::mandates::{self, Ended, EndedBy};
use store::payment_methods::{self, SavedMethod};
use store::payments;
use store::{jobs, processor_accounts};

/// The job that makes the processor forget one.
pub(super) const FORGET_METHOD_JOB: &str = "forget_method";

/// Who removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remover {
    /// Its owner.
    Owner(ContactId),
    /// Staff, for the audit trail: `cli:root`, `key:…`.
    Staff(String),
}

/// What removing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// What was removed.
    pub saved: SavedMethod,
    /// Debits of it that were held and are stopped.
    pub stopped: Vec<PaymentId>,
    /// Payments by it that are on their way and cannot be stopped here.
    pub pending: Vec<PaymentId>,
}

/// Removes it; `None` where there is none, or it is somebody else's. Removing twice is removing.
pub async fn remove_method(
    app: &App,
    merchant: MerchantId,
    id: PaymentMethodId,
    remover: Remover,
) -> Result<Option<Removed>> {
    let mint = app.mint();
    let removed = app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, (merchant, id), &remover).await);
    let Some(saved) = removed.await? else { return Ok(None) };
    let in_flight = app
        .store
        .read(async move |tx: &mut Tx| payments::in_flight_of_method(tx, merchant, id).await)
        .await?;
    let (mut stopped, mut pending) = (Vec::new(), Vec::new());
    for payment in in_flight {
        match stop_payment(app, merchant, payment).await? {
            Ok(_) => stopped.push(payment),
            Err(_) => pending.push(payment),
        }
    }
    let own = app.clone();
    let forgotten = app.undisturbed(async move { forget_method(&own, merchant, id).await });
    if let Err(error) = forgotten.await {
        tracing::warn!(method = %id, error = format!("{error:#}"), "the processor could not be told to forget a method yet");
    }
    Ok(Some(Removed { saved, stopped, pending }))
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, id): (MerchantId, PaymentMethodId),
    remover: &Remover,
) -> Result<Option<SavedMethod>> {
    let Some(saved) = payment_methods::lock(tx, merchant, id).await? else { return Ok(None) };
    if matches!(remover, Remover::Owner(contact) if *contact != saved.contact_id) {
        return Ok(None);
    }
    if !payment_methods::remove(tx, merchant, id, mint.now).await? {
        return Ok(Some(saved));
    }
    let (by, why) = match remover {
        Remover::Owner(_) => (EndedBy::Payer, "the payer removed the account"),
        Remover::Staff(_) => (EndedBy::Staff, "staff removed the account"),
    };
    if let Some(mandate) = saved.mandate_id {
        let ended = Ended { at: mint.now, why: why.to_owned(), by };
        mandates::end(tx, merchant, mandate, &ended).await?;
    }
    if let Remover::Staff(actor) = remover {
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: actor.clone(),
            act: acts::METHOD_REMOVE.to_owned(),
            object: id.to_string(),
            before: json!({ "contact": saved.contact_id.to_string(), "last4": saved.last4 }).to_string(),
            after: "null".to_owned(),
            at: mint.now,
        };
        audit::append(tx, merchant, &row).await?;
    }
    let job = mint.id(JobId::new);
    jobs::enqueue(tx, merchant, job, FORGET_METHOD_JOB, &id.to_string(), mint.now, mint.now).await?;
    Ok(Some(saved))
}

/// Makes the processor forget one that was removed here.
pub(super) async fn forget_method(app: &App, merchant: MerchantId, id: PaymentMethodId) -> Result<()> {
    let read = async move |tx: &mut Tx| {
        let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await? else { return Ok(None) };
        let saved = payment_methods::find(tx, merchant, id).await?;
        let Some(saved) = saved.filter(|saved| saved.removed_at.is_some()) else { return Ok(None) };
        // Another account knows nothing of it.
        payment_methods::find_by_token(tx, &at, &saved.token).await
    };
    let Some(saved) = app.store.read(read).await? else { return Ok(()) };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let hour = app.clock.now().as_second() / 3_600;
    processor.remove_saved(&saved.token, &format!("paydown-forget-{id}-{hour}")).await?;
    Ok(())
}
