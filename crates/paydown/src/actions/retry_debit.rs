//! A debit that came back for want of money is presented again, by staff or a program: a new payment that names the first one, of the
//! same amount from the same saved account for the same invoice. It goes the way of any charge of a saved account: reserved, held until
//! the cut-off, and its payer can stop it.
//!
//! It asks nobody anew, so it never asks for another amount.

use crate::actions::charge_saved::{ChargeSaved, Charged, charge_saved};
use crate::actions::start_payment::Request;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{InvoiceId, MerchantId, PaymentId, PaymentMethodId};
use billing::payment::Method;
use store::db::Tx;
use store::payments::{self, Payment};
use store::{mandates, payment_methods, processor_accounts, reservations};

/// Which debit is presented again.
#[derive(Clone, Debug)]
pub struct RetryDebit {
    /// Whose.
    pub merchant: MerchantId,
    /// The debit that came back, or one that presented it again.
    pub payment: PaymentId,
    /// How a program knows its request again.
    pub request: Option<Request>,
    /// For the audit trail: `cli:root`, `key:…`.
    pub actor: String,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Retried {
    /// It was asked for, or refused as a charge of the saved account is.
    Charged(Charged),
    /// It came by this and is no debit of a bank account.
    NoDebit(Method),
    /// Its account is not saved here, so that it cannot be debited without its owner.
    NotSaved,
}

struct First {
    payment: Payment,
    invoice: Option<InvoiceId>,
    saved: Option<PaymentMethodId>,
}

/// Presents it again. `None`: there is no such payment.
pub async fn retry_debit(app: &App, input: RetryDebit) -> Result<Option<Retried>> {
    let (merchant, id) = (input.merchant, input.payment);
    let first = app.store.read(async move |tx: &mut Tx| first(tx, merchant, id).await).await?;
    let Some(First { payment, invoice, saved }) = first else { return Ok(None) };
    if !payment.method.is_bank_debit() {
        return Ok(Some(Retried::NoDebit(payment.method)));
    }
    let (Some(invoice), Some(saved)) = (invoice, saved) else { return Ok(Some(Retried::NotSaved)) };
    let charge = ChargeSaved {
        merchant,
        invoice,
        saved,
        amount_minor: payment.amount_minor,
        surcharge_minor: payment.surcharge_minor,
        retries: Some(payment.id),
        request: input.request,
        actor: input.actor,
    };
    charge_saved(app, charge).await.map(|charged| Some(Retried::Charged(charged)))
}

/// The first of the debits that this payment is one of, what it was for, and the saved account it was taken from: one that was saved
/// before, or with it.
async fn first(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<First>> {
    let Some(named) = payments::find(tx, merchant, id).await? else { return Ok(None) };
    let payment = match named.retry_of {
        Some(first) => payments::find(tx, merchant, first).await?.context("a payment is never deleted")?,
        None => named,
    };
    // Where its money went since is no matter: it was asked for on this one.
    let held = reservations::list(tx, merchant, payment.id).await?;
    let Some(invoice) = held.first().map(|hold| hold.invoice_id) else {
        return Ok(Some(First { payment, invoice: None, saved: None }));
    };
    let mut saved = payment.payment_method_id;
    if saved.is_none()
        && let Some(mandate) = mandates::find(tx, merchant, payment.id).await?
        && let Some(token) = mandate.account.processor_method_id
        && let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await?
    {
        saved = payment_methods::find_by_token(tx, &at, &token).await?.map(|saved| saved.id);
    }
    Ok(Some(First { payment, invoice: Some(invoice), saved }))
}
