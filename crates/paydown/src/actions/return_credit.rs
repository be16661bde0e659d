//! Customer credit born on an invoice goes back to it by itself, as soon as the invoice has something payable now.

use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::customer::{Grant, spend};
use billing::ids::{
    AllocationId, CreditApplicationId, CustomerId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId,
};
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
    for (grant, minor) in spend(&grants, invoice.figures.payable_now().minor()) {
        // Of the payment that bore the grant, if one did: a later return of it takes this back.
        let payment = left.iter().find(|(one, _)| one.id == grant).and_then(|(_, payment)| *payment);
        let amount = Money::new(minor, invoice.figures.currency);
        let part = Part { customer: invoice.customer_id, invoice: invoice_id, grant, amount, payment };
        spend_on(tx, mint, merchant, &part, None).await?;
    }
    Ok(())
}

/// A part of one grant that goes to one invoice.
pub(super) struct Part {
    pub(super) customer: CustomerId,
    pub(super) invoice: InvoiceId,
    pub(super) grant: GrantId,
    pub(super) amount: Money,
    /// The payment that bore the grant, where it goes back to the invoice it was born on.
    pub(super) payment: Option<PaymentId>,
}

/// Sets a part of a grant against an invoice: posting, allocation, balances. The caller holds the locks and knows that it fits.
pub(super) async fn spend_on(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    part: &Part,
    application_id: Option<CreditApplicationId>,
) -> Result<Allocation> {
    let (id, posting_id) = (mint.id(AllocationId::new), mint.id(PostingId::new));
    let minor = part.amount.minor();
    let new = NewPosting {
        id: posting_id,
        cause: CauseKind::CreditApplied,
        cause_id: &id.to_string(),
        reverses: None,
        posting: &chart::credit_applied(part.customer, part.grant, part.invoice, part.amount)?,
        at: mint.now,
    };
    anyhow::ensure!(postings::insert(tx, merchant, &new).await?, "an allocation is posted once");
    grants::spend(tx, merchant, part.grant, minor).await?;
    let allocation = Allocation {
        id,
        payment_id: part.payment,
        grant_id: Some(part.grant),
        application_id,
        invoice_id: part.invoice,
        amount_minor: minor,
        posting_id,
        at: mint.now,
    };
    allocations::insert(tx, merchant, &allocation).await?;
    let shift = Shift { open_minor: -minor, pending_minor: 0, paid_minor: minor };
    invoices::shift(tx, merchant, part.invoice, shift, mint.now).await?;
    Ok(allocation)
}
