//! A bank took the money of a debit back after its success: this payment's allocations alone are reversed, then its own unspent
//! credit, and what was spent meanwhile is owed by the customer. Nothing of another payment is touched.

use super::{Outcome, debit, note, post};
use crate::actions::recipients::{Recipient, recipients};
use crate::actions::record_refund::withdraw_waiting;
use crate::actions::{return_credit, take_back};
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{self, Channel, Fee, Paid, Processor};
use billing::ids::{InvoiceId, MailId, PostingId};
use gateway::ReturnFacts;
use store::db::Tx;
use store::mails::{self, MailKind, NewMail};
use store::merchants;
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};

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
    let invoices = take_back::lock_invoices(tx, merchant, payment.id).await?;
    let why = "the bank took the payment back before it was sent";
    withdraw_waiting(tx, mint, secrets, (merchant, payment.id), why).await?;
    let back = take_back::left_of(tx, payment).await?.take_up_to(captured.minor());
    let paid = Paid { customer: payment.customer_id, payment: payment.id, currency: captured.currency() };
    let posting = chart::payment_returned(&paid, Channel::Processor(Processor::Stripe), &back)?;
    let posting_id = post(tx, mint, payment, (CauseKind::PaymentReturned, &posting)).await?;
    take_back::take(tx, mint, payment, &back.taken, posting_id).await?;
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
