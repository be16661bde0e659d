//! What the processor keeps for a person is what they can pay with again: its list is read, and the saved methods here follow it. What
//! is not in the list cannot be charged any more; what was removed here does not come back.
//!
//! The processor keeps only what its payer asked to keep, so a list never brings anything that was left unticked.

use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{ContactId, JobId, MerchantId, PaymentMethodId};
use gateway::SavedMethod as Found;
use store::contacts::{self, Contact};
use store::db::Tx;
use store::mandates;
use store::payment_methods::{self, SavedMethod};
use store::payments::Payment;
use store::processor_accounts::{self, ProcessorAccount};
use store::{jobs, processor_customers};

/// The job that reads the list of a contact.
pub(super) const KEEP_METHODS_JOB: &str = "keep_methods";

/// Asks that the list be read for who paid.
pub(super) async fn ask(tx: &mut Tx, mint: &Mint, payment: &Payment) -> Result<()> {
    let Some(contact) = payment.contact_id else { return Ok(()) };
    let (job, subject) = (mint.id(JobId::new), contact.to_string());
    jobs::enqueue(tx, payment.merchant, job, KEEP_METHODS_JOB, &subject, mint.now, mint.now).await
}

/// Reads the list of a contact and follows it.
pub async fn keep_methods(app: &App, merchant: MerchantId, contact: ContactId) -> Result<()> {
    let read = async move |tx: &mut Tx| {
        let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await? else { return Ok(None) };
        let name = processor_customers::find(tx, &at, contact).await?;
        Ok(name.map(|name| (at, name)))
    };
    let Some((at, customer)) = app.store.read(read).await? else { return Ok(()) };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let found = processor.list_saved(&customer).await?;
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let person = contacts::find(tx, merchant, contact).await?.context("who pays is a contact")?;
            follow(tx, &mint, &at, &person, &found).await
        })
        .await
}

async fn follow(
    tx: &mut Tx,
    mint: &Mint,
    at: &ProcessorAccount,
    person: &Contact,
    found: &[Found],
) -> Result<()> {
    for gone in payment_methods::list(tx, at, person.id).await? {
        if !found.iter().any(|found| found.id == gone.token) {
            payment_methods::remove(tx, at.merchant_id, gone.id, mint.now).await?;
        }
    }
    for found in found {
        keep(tx, mint, at, person, found).await?;
    }
    Ok(())
}

/// Keeps one that the processor keeps. The first of a person is the one they are offered first.
pub(super) async fn keep(
    tx: &mut Tx,
    mint: &Mint,
    at: &ProcessorAccount,
    person: &Contact,
    found: &Found,
) -> Result<Option<PaymentMethodId>> {
    let known = payment_methods::find_by_token(tx, at, &found.id).await?;
    let standing = mandates::find_standing(tx, at.merchant_id, &found.id).await?;
    let standing = standing.filter(|mandate| mandate.ended.is_none()).map(|mandate| mandate.id);
    let bank_name = found.bank.as_ref().map(|bank| bank.bank_name.clone().unwrap_or_default());
    let (name, last4) = match (&found.card, &found.bank) {
        (Some(card), _) => (card.brand.clone(), card.last4.clone()),
        (None, Some(bank)) => (bank_name.unwrap_or_default(), bank.last4.clone()),
        (None, None) => return Ok(None),
    };
    let expires = match &found.card {
        Some(card) => Some((i16::try_from(card.exp_year)?, i8::try_from(card.exp_month)?)),
        None => None,
    };
    if let Some(known) = known {
        let now = SavedMethod { name, last4, expires, mandate_id: standing, ..known.clone() };
        payment_methods::refresh(tx, at.merchant_id, &now).await?;
        return Ok(Some(known.id).filter(|_| known.removed_at.is_none()));
    }
    let is_first = payment_methods::list(tx, at, person.id).await?.is_empty();
    let saved = SavedMethod {
        id: mint.id(PaymentMethodId::new),
        customer_id: person.customer_id,
        contact_id: person.id,
        token: found.id.clone(),
        method: found.method,
        name,
        last4,
        expires,
        mandate_id: standing,
        default_since: None,
        created_at: mint.now,
        removed_at: None,
    };
    if !payment_methods::insert(tx, at, &saved).await? {
        return Ok(None);
    }
    if is_first {
        payment_methods::set_default(tx, at, &saved, mint.now).await?;
    }
    Ok(Some(saved.id))
}
