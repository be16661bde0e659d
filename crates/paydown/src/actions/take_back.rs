//! What a payment still has, and taking from it: for returns, refunds and lost disputes, so that one and the same place knows
//! where its money is. It decides no amount and makes no posting; whoever calls holds the locks of customer, payment and invoices.

use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::customer::Grant;
use billing::ids::{AllocationId, InvoiceId, MerchantId, PaymentId, PostingId};
use billing::payment::PaymentState;
use billing::take_back::{Allocated, Charge, Left, OwnGrant, Taken};
use ledger::Money;
use std::collections::{BTreeMap, BTreeSet};
use store::allocations::{self, Allocation};
use store::db::Tx;
use store::invoices::{self, Shift};
use store::payments::{self, Payment};
use store::refunds::{self, RefundPart};
use store::{disputes, grants, postings, unmatched_receipts};

/// What the payment still has: set against invoices, on its own grants, unapplied, and as surcharge.
pub(super) async fn left_of(tx: &mut Tx, payment: &Payment) -> Result<Left> {
    let (merchant, id) = (payment.merchant, payment.id);
    let mut net: BTreeMap<InvoiceId, i64> = BTreeMap::new();
    for part in allocations::list_by_payment(tx, merchant, id).await? {
        *net.entry(part.invoice_id).or_default() += part.amount_minor;
    }
    let allocated = net.into_iter().filter(|(_, amount_minor)| *amount_minor > 0);
    let allocated = allocated.map(|(invoice, amount_minor)| Allocated { invoice, amount_minor }).collect();
    let left = grants::left_of_payment(tx, merchant, id).await?.into_iter();
    let own =
        |(grant, born_on): (Grant, _)| OwnGrant { grant: grant.id, born_on, amount_minor: grant.left_minor };
    let grants = left.map(own).collect();
    let currency = payment.captured.map_or(payment.currency, Money::currency);
    // Both accounts normally stand on the credit side.
    let unapplied = (chart::UNAPPLIED, id.as_bytes());
    let unapplied_minor = -postings::balance_of(tx, merchant, unapplied, currency).await?;
    let surcharge = (chart::SURCHARGE_INCOME, id.as_bytes());
    let surcharge_minor = -postings::balance_of(tx, merchant, surcharge, currency).await?;
    Ok(Left { allocated, grants, unapplied_minor, surcharge_minor })
}

/// Locks every invoice that the payment has something to do with, by id, and answers which those are: what it reserved on, was
/// set against, where its credit was born, and what refunds of it were taken from.
pub(super) async fn lock_invoices(
    tx: &mut Tx,
    merchant: MerchantId,
    payment: PaymentId,
) -> Result<Vec<InvoiceId>> {
    let mut all: BTreeSet<InvoiceId> = payments::invoices(tx, merchant, payment).await?.into_iter().collect();
    all.extend(allocations::list_by_payment(tx, merchant, payment).await?.iter().map(|part| part.invoice_id));
    all.extend(
        grants::left_of_payment(tx, merchant, payment).await?.iter().filter_map(|(_, born_on)| *born_on),
    );
    for refund in refunds::list_by_payment(tx, merchant, payment).await? {
        all.extend(refunds::parts(tx, merchant, refund.id).await?.iter().filter_map(RefundPart::invoice));
    }
    for invoice in &all {
        invoices::lock(tx, merchant, *invoice).await?;
    }
    Ok(all.into_iter().collect())
}

/// Takes it from where it is; invoices are owed again. The posting of it is made.
pub(super) async fn take(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    taken: &Taken,
    posting_id: PostingId,
) -> Result<()> {
    for part in &taken.allocated {
        set_against(tx, mint, payment, (part.invoice, -part.amount_minor), posting_id).await?;
    }
    for part in &taken.grants {
        grants::spend(tx, payment.merchant, part.grant, part.amount_minor).await?;
    }
    // What of a receipt had no place yet has left it too.
    let receipt = unmatched_receipts::find(tx, payment.merchant, payment.id).await?;
    if receipt.is_some() && taken.unapplied_minor > 0 {
        unmatched_receipts::take(tx, payment.merchant, payment.id, taken.unapplied_minor).await?;
    }
    Ok(())
}

/// Sets a part of the payment's own money against an invoice, or takes one off, where it is below 0.
pub(super) async fn set_against(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (invoice_id, amount_minor): (InvoiceId, i64),
    posting_id: PostingId,
) -> Result<()> {
    let allocation = Allocation {
        id: mint.id(AllocationId::new),
        payment_id: Some(payment.id),
        grant_id: None,
        application_id: None,
        invoice_id,
        amount_minor,
        posting_id,
        at: mint.now,
    };
    allocations::insert(tx, payment.merchant, &allocation).await?;
    let shift = Shift { open_minor: -amount_minor, pending_minor: 0, paid_minor: amount_minor };
    invoices::shift(tx, payment.merchant, invoice_id, shift, mint.now).await
}

/// What came in with the payment and what went out of it again.
pub(super) async fn charge_of(tx: &mut Tx, payment: &Payment) -> Result<Charge> {
    Ok(Charge {
        captured_minor: payment.captured.map_or(0, Money::minor),
        refunded_minor: refunds::taken_of(tx, payment.merchant, payment.id).await?,
        charged_back_minor: disputes::charged_back_minor(tx, payment.merchant, payment.id).await?,
    })
}

/// Makes the state of a captured payment follow what has become of its charge: charged back while a dispute was lost and nothing
/// captured is left, succeeded otherwise. For whoever has just changed either.
pub(super) async fn follow_charge(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, id): (MerchantId, PaymentId),
    reason: &str,
) -> Result<()> {
    let payment = payments::find(tx, merchant, id).await?.context("a payment is never deleted")?;
    let is_charged_back = charge_of(tx, &payment).await?.is_charged_back();
    let next = if is_charged_back { PaymentState::ChargedBack } else { PaymentState::Succeeded };
    if payment.state == next || !payment.state.may_become(next) {
        return Ok(());
    }
    match payment.state {
        PaymentState::Succeeded | PaymentState::ChargedBack => {
            payments::set_state(tx, &payment, next, reason, mint.now).await
        }
        _ => Ok(()),
    }
}
