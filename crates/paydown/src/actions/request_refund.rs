//! A refund is asked for: what is taken from where is decided and posted, and the whole call to the processor is stored with its
//! key, in one transaction. Nothing is sent here; `submit_refund` sends what stands here.
//!
//! It must never take more than is left, nor while a dispute is open.

mod book;
mod check;

use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::credit_note::CannotCredit;
use billing::ids::{CustomerId, InvoiceId, MerchantId, PaymentId, RefundId};
use billing::payment::PaymentState;
use billing::refund::RefundMeaning;
use check::Checked;
use gateway::{CannotCharge, Processor};
use ledger::{Currency, Money};
use std::sync::Arc;
use store::db::{StoreError, Tx};
use store::refunds::{Refund, RefundPart};
use store::verify::holds_card_number;

pub(super) use book::{book, keep_in_step, only_invoice};
pub(super) use check::Taking;

/// Longest reason, characters.
pub const REASON_LIMIT: usize = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RequestRefund {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// What is given back.
    pub of: RefundOf,
    /// How much, minor units, the share of a surcharge included; without it, all that is left.
    pub amount_minor: Option<i64>,
    /// What it means for invoices; credit is for none.
    pub meaning: RefundMeaning,
    /// Why.
    pub reason: String,
    /// Who asks, for the audit trail.
    pub actor: String,
}

/// What is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOf {
    /// A payment: unapplied money first, then its unspent credit, then what was set against invoices.
    Payment(PaymentId),
    /// What a payment has set against one invoice.
    Allocation(PaymentId, InvoiceId),
    /// The surcharge of a payment, which should not have been asked for.
    Surcharge(PaymentId),
    /// Credit of a customer, the oldest first.
    Credit(CustomerId, Currency),
}

/// What was asked for, as it is stored.
#[derive(Debug, Clone)]
pub struct Requested {
    /// The refund.
    pub refund: Refund,
    /// Where it was taken from.
    pub parts: Vec<RefundPart>,
}

/// Why nothing is refunded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotRefund {
    /// The merchant has no such payment.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// It brought no money, or none of it is left.
    #[error("the payment is {}: only one that succeeded is refunded", .0.as_str())]
    NotSucceeded(PaymentState),
    /// The bank decides about its money right now.
    #[error("a dispute of the payment is open; its money is with the bank until that ends")]
    Disputed,
    /// More than is left.
    #[error("{0} is left to refund")]
    AboveLeft(Money),
    /// Nothing, or less.
    #[error("a refund is of more than nothing")]
    NotPositive,
    /// The price cannot be given back, since the invoice cannot be credited so.
    #[error("the price of invoice {number} cannot be given back: {why}")]
    CannotCredit {
        /// The invoice's number.
        number: String,
        /// Why.
        why: CannotCredit,
    },
    /// Nobody can be asked to send the money.
    #[error("no processor is connected")]
    NotConnected,
    /// It was said by hand that the payment succeeded, and the processor's name of it was never learned.
    #[error(
        "the processor's name of the payment is not known, so it cannot send money back: refund it there or from the bank"
    )]
    NameUnknown,
    /// The processor cannot carry such an amount.
    #[error(transparent)]
    CannotCarry(#[from] CannotCharge),
    /// Nobody would know later why.
    #[error("the reason is empty, has more than {REASON_LIMIT} characters, or holds a card number")]
    Reason,
}

/// What a transaction needs of the request.
struct Asking {
    input: RequestRefund,
    processor: Option<Arc<dyn Processor>>,
    once: Option<Once<Requested>>,
}

/// Asks for a refund. What is not waiting for a second person or for the bank is to be sent next: see
/// [`crate::actions::submit_refund::send_in_background`].
pub async fn request_refund(
    app: &App,
    input: RequestRefund,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotRefund>> {
    let ran = run(app, input.clone(), once.clone()).await;
    match &ran {
        // Whether it took place is known by its key: done again, it is found, or it is done now.
        Err(error)
            if once.is_some() && matches!(error.downcast_ref(), Some(StoreError::CommitUnknown(_))) =>
        {
            tracing::warn!(
                error = format!("{error:#}"),
                "a refund is asked for again, to see whether it was"
            );
            run(app, input, once).await
        }
        _ => ran,
    }
}

async fn run(
    app: &App,
    input: RequestRefund,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotRefund>> {
    let mint = app.mint();
    let processor = app.processors.of(&app.store, &app.secrets, input.merchant).await?;
    let asking = Asking { input, processor, once };
    app.store.write(async move |tx: &mut Tx| begun(tx, &mint, &asking).await).await
}

async fn begun(tx: &mut Tx, mint: &Mint, asking: &Asking) -> Result<Ran<Requested, CannotRefund>> {
    let (merchant, once) = (asking.input.merchant, asking.once.as_ref());
    if let Some(before) = once::begin(tx, mint, merchant, once).await? {
        return Ok(before);
    }
    let outcome = in_tx(tx, mint, asking).await?;
    once::end(tx, merchant, once, outcome).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, asking: &Asking) -> Result<Result<Requested, CannotRefund>> {
    let input = &asking.input;
    let too_long = input.reason.chars().nth(REASON_LIMIT).is_some();
    if input.reason.trim().is_empty() || too_long || holds_card_number(&input.reason) {
        return Ok(Err(CannotRefund::Reason));
    }
    let id = mint.id(RefundId::new);
    let Checked { refund, taking } = match check::check(tx, mint, asking, id).await? {
        Ok(checked) => checked,
        Err(why) => return Ok(Err(why)),
    };
    let parts = taking.parts();
    book(tx, mint, &refund, &taking, &parts).await?;
    Ok(Ok(Requested { refund, parts }))
}
