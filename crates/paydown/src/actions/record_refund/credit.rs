//! What of a refund comes back, and to whom: customer credit that is born on the invoice it was taken from, and the surcharge where
//! nothing was ever sent.

use super::{Locked, post};
use crate::actions::return_credit;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{self, Paid};
use billing::ids::{GrantId, InvoiceId, PaymentId};
use billing::refund::RefundState;
use billing::take_back::{Allocated, Born, OwnGrant, Taken};
use ledger::Money;
use std::collections::BTreeSet;
use store::db::Tx;
use store::grants::{self, NewGrant, Source};
use store::invoices;
use store::postings::CauseKind;
use store::refunds::{RefundPart, RefundPlace, RefundSource};

/// It failed: all of it is customer credit now.
pub(super) async fn failed(tx: &mut Tx, mint: &Mint, locked: &Locked) -> Result<()> {
    let born = births(locked, |taken| taken.refund_failed());
    let grants: Vec<GrantId> = born.iter().map(|_| mint.id(GrantId::new)).collect();
    let refund = &locked.refund;
    let places: Vec<Born> = born.iter().map(|(_, born)| *born).collect();
    let posting = chart::refund_failed(refund.customer_id, refund.id, refund.amount, &places, &grants)?;
    post(tx, mint, refund, (CauseKind::RefundFailed, &posting), None).await?;
    bear(tx, mint, locked, (&born, &grants), Source::RefundFailed).await
}

/// It was withdrawn before it was sent: the surcharge has its share again, the rest is customer credit.
pub(super) async fn withdrawn(tx: &mut Tx, mint: &Mint, locked: &Locked) -> Result<()> {
    let born = births(locked, |taken| taken.refund_withdrawn().born);
    let grants: Vec<GrantId> = born.iter().map(|_| mint.id(GrantId::new)).collect();
    let refund = &locked.refund;
    let places: Vec<Born> = born.iter().map(|(_, born)| *born).collect();
    let posting = match refund.source {
        RefundSource::Payment => {
            let payment = refund.payment_id.context("a refund of a payment names it")?;
            let currency = refund.amount.currency();
            let paid = Paid { customer: refund.customer_id, payment, currency };
            chart::refund_withdrawn(&paid, refund.id, &taken_of(&locked.parts).refund_withdrawn(), &grants)?
        }
        RefundSource::Credit => {
            chart::refund_failed(refund.customer_id, refund.id, refund.amount, &places, &grants)?
        }
    };
    post(tx, mint, refund, (CauseKind::RefundWithdrawn, &posting), None).await?;
    bear(tx, mint, locked, (&born, &grants), Source::RefundWithdrawn).await
}

/// Credit that was born on an invoice goes back to it at once, as far as something is payable there.
pub(super) async fn goes_back(tx: &mut Tx, mint: &Mint, locked: &Locked, next: RefundState) -> Result<()> {
    if !matches!(next, RefundState::Failed | RefundState::Canceled) {
        return Ok(());
    }
    let invoices: BTreeSet<InvoiceId> = locked.parts.iter().filter_map(RefundPart::invoice).collect();
    for invoice in invoices {
        invoices::lock(tx, locked.refund.merchant, invoice).await?;
        return_credit::in_tx(tx, mint, locked.refund.merchant, invoice).await?;
    }
    Ok(())
}

/// What was taken, as the rules know it.
fn taken_of(parts: &[RefundPart]) -> Taken {
    let mut taken = Taken::default();
    for part in parts {
        let amount_minor = part.amount_minor;
        match part.place {
            RefundPlace::Surcharge => taken.surcharge_minor += amount_minor,
            // The customer owes it, and it is theirs again: credit that was born on no invoice.
            RefundPlace::Unapplied | RefundPlace::Owed => taken.unapplied_minor += amount_minor,
            RefundPlace::Allocated(invoice) => taken.allocated.push(Allocated { invoice, amount_minor }),
            RefundPlace::Grant { grant, born_on } => {
                taken.grants.push(OwnGrant { grant, born_on, amount_minor });
            }
        }
    }
    taken
}

/// The credit to be born, and whose money each of it is.
fn births(locked: &Locked, of_payment: fn(&Taken) -> Vec<Born>) -> Vec<(Option<PaymentId>, Born)> {
    if locked.refund.source == RefundSource::Payment {
        let payment = locked.refund.payment_id;
        return of_payment(&taken_of(&locked.parts)).into_iter().map(|born| (payment, born)).collect();
    }
    let mut all: Vec<(Option<PaymentId>, Born)> = Vec::new();
    for part in &locked.parts {
        let on = part.invoice();
        match all.iter_mut().find(|(payment, born)| *payment == part.payment_id && born.on == on) {
            Some((_, born)) => born.amount_minor += part.amount_minor,
            None => all.push((part.payment_id, Born { on, amount_minor: part.amount_minor })),
        }
    }
    all
}

async fn bear(
    tx: &mut Tx,
    mint: &Mint,
    locked: &Locked,
    (born, ids): (&[(Option<PaymentId>, Born)], &[GrantId]),
    source: Source,
) -> Result<()> {
    let refund = &locked.refund;
    for ((payment_id, born), id) in born.iter().zip(ids) {
        let grant = NewGrant {
            id: *id,
            customer_id: refund.customer_id,
            source,
            payment_id: *payment_id,
            invoice_id: born.on,
            credit_note_id: None,
            amount: Money::new(born.amount_minor, refund.amount.currency()),
        };
        grants::insert(tx, refund.merchant, &grant, mint.now).await?;
    }
    Ok(())
}
