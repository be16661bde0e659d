//! What was gone came back: what the loss took goes to its places again, to an invoice as far as something is payable there, the
//! rest as credit that is born on it. What was taken is read from the posting of the loss, the only record of it.

use super::save;
use crate::actions::take_back;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{self, Paid, Processor};
use billing::ids::{GrantId, InvoiceId};
use billing::take_back::{Allocated, Born, OwnGrant, Taken};
use ledger::{Money, Posting};
use std::collections::BTreeMap;
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::grants::{self, NewGrant, Source};
use store::invoices;
use store::payments::Payment;
use store::postings::{self, CauseKind};

pub(super) async fn book(tx: &mut Tx, mint: &Mint, dispute: &Dispute, payment: &Payment) -> Result<()> {
    let merchant = dispute.merchant;
    disputes::set_lost_as(tx, merchant, dispute.id, None).await?;
    let cause_id = dispute.id.to_string();
    let found = postings::find_by_cause(tx, merchant, CauseKind::DisputeLost, &cause_id).await?;
    let (_, loss, _) = found.context("what comes back was lost before")?;
    let (taken, loss_minor) = taken_by(tx, dispute, &loss).await?;
    let mut payable: BTreeMap<InvoiceId, i64> = BTreeMap::new();
    take_back::lock_invoices(tx, merchant, payment.id).await?;
    let born_on = taken.grants.iter().filter_map(|grant| grant.born_on);
    for invoice in taken.allocated.iter().map(|part| part.invoice).chain(born_on) {
        let found = invoices::find(tx, merchant, invoice).await?.context("an invoice is never deleted")?;
        payable.insert(invoice, found.figures.payable_now().minor());
    }
    let given = taken.won_after_lost(|invoice| payable.get(&invoice).copied().unwrap_or(0));
    let grants: Vec<GrantId> = given.born.iter().map(|_| mint.id(GrantId::new)).collect();
    let currency = dispute.amount.currency();
    let paid = Paid { customer: payment.customer_id, payment: payment.id, currency };
    let posting =
        chart::dispute_won_after_lost(&paid, dispute.id, Processor::Stripe, loss_minor, &given, &grants)?;
    let posting_id = save(tx, mint, dispute, (CauseKind::DisputeWonAfterLost, &posting)).await?;
    for part in &given.allocated {
        take_back::set_against(tx, mint, payment, (part.invoice, part.amount_minor), posting_id).await?;
    }
    for (Born { on, amount_minor }, id) in given.born.iter().zip(grants) {
        let new = NewGrant {
            id,
            customer_id: payment.customer_id,
            source: Source::DisputeWon,
            payment_id: Some(payment.id),
            invoice_id: *on,
            credit_note_id: None,
            amount: Money::new(*amount_minor, currency),
        };
        grants::insert(tx, merchant, &new, mint.now).await?;
    }
    Ok(())
}

/// What the posting of a loss took from where, and what of it was the merchant's loss.
async fn taken_by(tx: &mut Tx, dispute: &Dispute, loss: &Posting) -> Result<(Taken, i64)> {
    let (mut taken, mut loss_minor) = (Taken::default(), 0);
    for entry in loss.entries() {
        let amount_minor = entry.amount_minor;
        let subject = entry.account.subject.map(|dimension| dimension.0);
        match (entry.account.number, subject) {
            (chart::SURCHARGE_INCOME, _) => taken.surcharge_minor += amount_minor,
            (chart::UNAPPLIED, _) => taken.unapplied_minor += amount_minor,
            (chart::DISPUTE_LOSS, _) => loss_minor += amount_minor,
            (chart::RECEIVABLE, Some(subject)) => {
                let invoice = InvoiceId::from_bytes(subject);
                taken.allocated.push(Allocated { invoice, amount_minor });
            }
            (chart::CUSTOMER_CREDIT, Some(subject)) => {
                let grant = GrantId::from_bytes(subject);
                let born = grants::find(tx, dispute.merchant, grant).await?;
                let born_on = born.context("a grant is never deleted")?.born.invoice_id;
                taken.grants.push(OwnGrant { grant, born_on, amount_minor });
            }
            (chart::DISPUTE_HOLD, _) => {}
            (number, _) => anyhow::bail!("the loss of {} is booked on account {number}", dispute.id),
        }
    }
    Ok((taken, loss_minor))
}
