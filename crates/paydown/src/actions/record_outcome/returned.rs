//! A bank took the money of a debit back after its success: this payment's allocations alone are reversed, then its own unspent
//! credit, and what was spent meanwhile is owed by the customer. Nothing of another payment is touched.

use super::{Outcome, debit, note, post};
use crate::actions::recipients::{Recipient, recipients};
use crate::actions::return_credit;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{self, Channel, Fee, Paid, Processor};
use billing::ids::{AllocationId, InvoiceId, MailId, PostingId};
use billing::take_back::{Allocated, Left, OwnGrant, Taken};
use gateway::ReturnFacts;
use ledger::Money;
use std::collections::BTreeMap;
use store::allocations::{self, Allocation};
use store::db::Tx;
use store::invoices::{self, Shift};
use store::mails::{self, MailKind, NewMail};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::{grants, merchants, receipts, unmatched_receipts};

/// Books a return. The caller holds the locks of customer and payment and has moved the payment's state.
pub(super) async fn book(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &Outcome,
    payment: &Payment,
    secrets: &SecretKey,
) -> Result<()> {
    let merchant = payment.merchant;
    let facts = outcome.facts.returned.as_ref().context("a returned payment says why")?;
    let captured = payment.captured.context("what is taken back was captured")?;
    let invoices = payments::invoices(tx, merchant, payment.id).await?;
    for invoice in &invoices {
        invoices::lock(tx, merchant, *invoice).await?;
    }
    let back = left_of(tx, payment, captured).await?.take_up_to(captured.minor());
    let paid = Paid { customer: payment.customer_id, payment: payment.id, currency: captured.currency() };
    let posting = chart::payment_returned(&paid, Channel::Processor(Processor::Stripe), &back)?;
    let posting_id = post(tx, mint, payment, (CauseKind::PaymentReturned, &posting)).await?;
    reverse(tx, mint, payment, &back.taken, posting_id).await?;
    let code = debit::most_exact([facts.return_code.as_deref(), Some(&facts.reason)]);
    payments::set_returned(tx, merchant, payment.id, (code, facts.at)).await?;
    debit::follow_up(tx, mint, payment, (code, true)).await?;
    for invoice in &invoices {
        return_credit::in_tx(tx, mint, merchant, *invoice).await?;
        note(tx, mint, payment, *invoice, "payment.returned", code.unwrap_or_default()).await?;
    }
    let Some(invoice) = invoices.first() else { return Ok(()) };
    mail(tx, mint, secrets, payment, *invoice).await?;
    tell_merchant(tx, mint, payment, *invoice).await
}

/// What the payment still has: set against invoices, on its own grants, unapplied, and as surcharge.
async fn left_of(tx: &mut Tx, payment: &Payment, captured: Money) -> Result<Left> {
    let (merchant, id) = (payment.merchant, payment.id);
    if captured.currency() != payment.currency {
        return Ok(Left { unapplied_minor: captured.minor(), ..Left::default() });
    }
    let mut net: BTreeMap<InvoiceId, i64> = BTreeMap::new();
    for part in allocations::list_by_payment(tx, merchant, id).await? {
        *net.entry(part.invoice_id).or_default() += part.amount_minor;
    }
    let allocated = net.into_iter().filter(|(_, amount_minor)| *amount_minor > 0);
    let allocated = allocated.map(|(invoice, amount_minor)| Allocated { invoice, amount_minor }).collect();
    let grants = grants::left_of_payment(tx, merchant, id)
        .await?
        .into_iter()
        .map(|(grant, born_on)| OwnGrant { grant: grant.id, born_on, amount_minor: grant.left_minor });
    let grants = grants.collect();
    let receipt = receipts::find(tx, merchant, id).await?;
    let surcharge_minor = receipt.map_or(0, |receipt| receipt.surcharge_minor);
    let unmatched = unmatched_receipts::find(tx, merchant, id).await?;
    let unapplied_minor = unmatched.map_or(0, |receipt| receipt.left.minor());
    Ok(Left { allocated, grants, unapplied_minor, surcharge_minor })
}

/// Takes it from where it is; the invoices are owed again.
async fn reverse(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    taken: &Taken,
    posting_id: PostingId,
) -> Result<()> {
    for part in &taken.allocated {
        let allocation = Allocation {
            id: mint.id(AllocationId::new),
            payment_id: Some(payment.id),
            grant_id: None,
            application_id: None,
            invoice_id: part.invoice,
            amount_minor: -part.amount_minor,
            posting_id,
            at: mint.now,
        };
        allocations::insert(tx, payment.merchant, &allocation).await?;
        let minor = part.amount_minor;
        let shift = Shift { open_minor: minor, pending_minor: 0, paid_minor: -minor };
        invoices::shift(tx, payment.merchant, part.invoice, shift, mint.now).await?;
    }
    for part in &taken.grants {
        grants::spend(tx, payment.merchant, part.grant, part.amount_minor).await?;
    }
    Ok(())
}

/// What the processor keeps for a return is posted when it is known, a posting for each line of its books.
pub(super) async fn record_fee(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    facts: &ReturnFacts,
) -> Result<()> {
    for line in facts.lines.iter().filter(|line| !line.fee.is_zero()) {
        let posting = chart::fee_charged(Fee::Return, payment.id, Processor::Stripe, line.fee)?;
        let new = NewPosting {
            id: mint.id(PostingId::new),
            cause: CauseKind::ReturnFee,
            cause_id: &line.id,
            reverses: None,
            posting: &posting,
            at: mint.now,
        };
        postings::insert(tx, payment.merchant, &new).await?;
    }
    Ok(())
}

/// Whoever got the receipt hears that it does not hold any more.
async fn mail(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    payment: &Payment,
    invoice: InvoiceId,
) -> Result<()> {
    for Recipient { email, link_id } in recipients(tx, mint, secrets, payment, invoice).await? {
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Returned,
            cause: payment.id.to_string(),
            recipient: email,
            invoice_id: Some(invoice),
            payment_id: Some(payment.id),
            link_id: Some(link_id),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, payment.merchant, &mail).await?;
    }
    Ok(())
}

/// And so does the merchant, whose invoice is owed again.
async fn tell_merchant(tx: &mut Tx, mint: &Mint, payment: &Payment, invoice: InvoiceId) -> Result<()> {
    let merchant = merchants::find(tx, payment.merchant).await?.context("a payment has a merchant")?;
    let mail = NewMail {
        id: mint.id(MailId::new),
        kind: MailKind::ReturnedNotice,
        cause: payment.id.to_string(),
        recipient: merchant.help_email,
        invoice_id: Some(invoice),
        payment_id: Some(payment.id),
        link_id: None,
        signin_id: None,
        created_at: mint.now,
    };
    mails::queue(tx, payment.merchant, &mail).await.map(drop)
}
