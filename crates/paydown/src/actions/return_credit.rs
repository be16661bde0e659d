//! Customer credit born on an invoice goes back to it by itself, as soon as the invoice has something payable now.

use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::customer::{Grant, spend};
use billing::ids::{AllocationId, InvoiceId, MerchantId, PostingId};
use ledger::Money;
use store::allocations::{self, Allocation};
use store::db::Tx;
use store::grants;
use store::invoices::{self, Shift};
use store::postings::{self, CauseKind, NewPosting};

/// Applies what is left of the invoice's own grants. The caller holds the locks of customer and invoice.
pub async fn in_tx(tx: &mut Tx, mint: &Mint, merchant: MerchantId, invoice_id: InvoiceId) -> Result<()> {
    let left = grants::left_for_invoice(tx, merchant, invoice_id).await?;
    if left.is_empty() {
        return Ok(());
    }
    let invoice = invoices::find(tx, merchant, invoice_id).await?.context("a grant's invoice is there")?;
    let grants: Vec<Grant> = left.iter().map(|(grant, _)| *grant).collect();
    for (grant_id, minor) in spend(&grants, invoice.figures.payable_now().minor()) {
        // Of the payment that bore the grant, if one did: a later return of it takes this back.
        let payment_id =
            left.iter().find(|(grant, _)| grant.id == grant_id).and_then(|(_, payment)| *payment);
        let id = mint.id(AllocationId::new);
        let amount = Money::new(minor, invoice.figures.currency);
        let posting = chart::credit_applied(invoice.customer_id, grant_id, invoice_id, amount)?;
        let posting_id = mint.id(PostingId::new);
        let new = NewPosting {
            id: posting_id,
            cause: CauseKind::CreditApplied,
            cause_id: &id.to_string(),
            reverses: None,
            posting: &posting,
            at: mint.now,
        };
        anyhow::ensure!(postings::insert(tx, merchant, &new).await?, "an allocation is posted once");
        grants::spend(tx, merchant, grant_id, minor).await?;
        let grant_id = Some(grant_id);
        let allocation = Allocation {
            id,
            payment_id,
            grant_id,
            application_id: None,
            invoice_id,
            amount_minor: minor,
            posting_id,
            at: mint.now,
        };
        allocations::insert(tx, merchant, &allocation).await?;
        let shift = Shift { open_minor: -minor, pending_minor: 0, paid_minor: minor };
        invoices::shift(tx, merchant, invoice_id, shift, mint.now).await?;
    }
    Ok(())
}
