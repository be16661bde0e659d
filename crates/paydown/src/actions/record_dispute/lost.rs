//! What was contested is gone. Either it is owed again, and this payment's own money is taken from where it is; or the merchant
//! bears it, and allocation and credit stay.

use super::save;
use crate::actions::{return_credit, take_back};
use crate::clock::Mint;
use anyhow::Result;
use billing::chart::{self, Paid};
use billing::dispute::LossMeaning;
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::payments::Payment;
use store::postings::CauseKind;

pub(super) async fn book(tx: &mut Tx, mint: &Mint, dispute: &Dispute, payment: &Payment) -> Result<()> {
    let (merchant, id) = (dispute.merchant, dispute.id);
    let meaning = match dispute.when_lost {
        Some(chosen) => chosen,
        None => disputes::when_lost(tx, merchant).await?,
    };
    disputes::set_lost_as(tx, merchant, id, Some(meaning)).await?;
    match meaning {
        LossMeaning::Absorbed => {
            let posting = chart::dispute_absorbed(id, dispute.amount)?;
            save(tx, mint, dispute, (CauseKind::DisputeLost, &posting)).await.map(drop)
        }
        LossMeaning::OwedAgain => owed_again(tx, mint, dispute, payment).await,
    }
}

/// At most what is contested is taken, its share of the surcharge first; what the payment no longer has is the merchant's loss.
async fn owed_again(tx: &mut Tx, mint: &Mint, dispute: &Dispute, payment: &Payment) -> Result<()> {
    let invoices = take_back::lock_invoices(tx, dispute.merchant, payment.id).await?;
    let lost = take_back::left_of(tx, payment).await?.take_up_to(dispute.amount.minor());
    let paid =
        Paid { customer: payment.customer_id, payment: payment.id, currency: dispute.amount.currency() };
    let posting = chart::dispute_lost(&paid, dispute.id, &lost)?;
    let posting_id = save(tx, mint, dispute, (CauseKind::DisputeLost, &posting)).await?;
    take_back::take(tx, mint, payment, &lost.taken, posting_id).await?;
    for invoice in invoices {
        return_credit::in_tx(tx, mint, dispute.merchant, invoice).await?;
    }
    Ok(())
}
