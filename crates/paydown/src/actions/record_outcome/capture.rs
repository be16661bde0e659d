//! Money was captured: all of it is booked. What does not fit the invoice is the customer's credit.

use super::{Outcome, anomaly, note, post};
use crate::actions::recipients::{Recipient, recipients};
use crate::actions::refund_surcharge::{REFUND_SURCHARGE_JOB, may_not_be_surcharged};
use crate::actions::return_credit;
use crate::actions::write_off_invoice::recover;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::allocation::{Asked, CaptureSplit, split_capture};
use billing::chart::{self, Capture, Processor};
use billing::ids::{AllocationId, GrantId, JobId, MailId};
use gateway::PaymentFacts;
use ledger::Money;
use store::allocations::{self, Allocation};
use store::db::Tx;
use store::grants::{self, NewGrant, Source};
use store::invoices::{self, Invoice, Shift};
use store::jobs;
use store::mails::{self, MailKind, NewMail};
use store::payments::{self, Captured, Payment};
use store::postings::CauseKind;
use store::receipts::{self, Receipt, ReceiptLine};
use store::reservations::{self, Reservation, ReservationEnd};

/// Books a capture. The caller holds the locks of customer and payment and has moved the payment's state.
pub(super) async fn book(
    tx: &mut Tx,
    mint: &Mint,
    outcome: &Outcome,
    payment: &Payment,
    (secrets, ghost): (&SecretKey, bool),
) -> Result<()> {
    let captured = outcome.facts.captured.context("a succeeded payment has captured something")?;
    let at = outcome.facts.captured_at.unwrap_or(mint.now);
    let learned = Captured { money: captured, at, instrument: instrument(&outcome.facts) };
    payments::set_captured(tx, payment.merchant, payment.id, &learned).await?;
    if ghost {
        let detail =
            format!("{captured} was captured after the payment had ended as {}", payment.state.as_str());
        anomaly(tx, mint, payment, "ghost_capture", detail).await?;
    }
    let holds = reservations::list(tx, payment.merchant, payment.id).await?;
    let hold = *holds.first().context("a payment holds something on an invoice")?;
    let invoice =
        invoices::lock(tx, payment.merchant, hold.invoice_id).await?.context("a hold is on an invoice")?;
    if captured.currency() == payment.currency {
        book_on_invoice(tx, mint, payment, &invoice, (hold, captured)).await?;
    } else {
        book_unapplied(tx, mint, payment, &invoice, (hold, captured)).await?;
    }
    reservations::end(tx, payment.merchant, payment.id, ReservationEnd::Consumed, mint.now).await?;
    return_credit::in_tx(tx, mint, payment.merchant, invoice.id).await?;
    if payment.surcharge_minor > 0 && outcome.facts.card.as_ref().is_some_and(may_not_be_surcharged) {
        let (job, subject) = (mint.id(JobId::new), payment.id.to_string());
        jobs::enqueue(tx, payment.merchant, job, REFUND_SURCHARGE_JOB, &subject, mint.now, mint.now).await?;
    }
    note(tx, mint, payment, invoice.id, "payment.succeeded", outcome.source).await?;
    if captured.currency() == payment.currency {
        mail_receipt(tx, mint, secrets, payment, &invoice).await?;
    }
    Ok(())
}

/// The card's brand or the account's bank, with the last four digits.
fn instrument(facts: &PaymentFacts) -> Option<(String, String)> {
    let card = facts.card.as_ref().map(|card| (card.brand.clone(), card.last4.clone()));
    let bank =
        || facts.bank.as_ref().map(|bank| (bank.bank_name.clone().unwrap_or_default(), bank.last4.clone()));
    card.or_else(bank)
}

async fn book_on_invoice(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    invoice: &Invoice,
    (hold, captured): (Reservation, Money),
) -> Result<()> {
    let asked = Asked { amount_minor: payment.amount_minor, surcharge_minor: payment.surcharge_minor };
    if captured.minor() != asked.amount_minor + asked.surcharge_minor {
        let detail = format!("{captured} was captured where {} was asked for", asked_money(payment));
        anomaly(tx, mint, payment, "capture_differs", detail).await?;
    }
    let own_hold = if hold.live { hold.amount_minor } else { 0 };
    let others = invoice.figures.pending_minor - own_hold;
    let room = invoice.figures.open_minor - others;
    let (invoice, split) = split(tx, mint, payment, invoice, (captured, asked, room)).await?;
    let invoice = &invoice;
    let grant = mint.id(GrantId::new);
    let capture = Capture {
        customer: payment.customer_id,
        invoice: invoice.id,
        payment: payment.id,
        processor: Processor::Stripe,
        grant,
    };
    let posting = chart::payment_succeeded(&capture, captured, split)?;
    let posting_id = post(tx, mint, payment, (CauseKind::Capture, &posting)).await?;
    let shift = Shift {
        open_minor: -split.to_invoice_minor,
        pending_minor: -own_hold,
        paid_minor: split.to_invoice_minor,
    };
    invoices::shift(tx, payment.merchant, invoice.id, shift, mint.now).await?;
    if split.to_invoice_minor > 0 {
        let allocation = Allocation {
            id: mint.id(AllocationId::new),
            payment_id: Some(payment.id),
            grant_id: None,
            application_id: None,
            invoice_id: invoice.id,
            amount_minor: split.to_invoice_minor,
            posting_id,
            at: mint.now,
        };
        allocations::insert(tx, payment.merchant, &allocation).await?;
    }
    if split.surplus_minor > 0 {
        let new = NewGrant {
            id: grant,
            customer_id: payment.customer_id,
            source: Source::Surplus,
            payment_id: Some(payment.id),
            invoice_id: Some(invoice.id),
            credit_note_id: None,
            amount: Money::new(split.surplus_minor, captured.currency()),
        };
        grants::insert(tx, payment.merchant, &new, mint.now).await?;
        let detail = format!("{} did not fit the invoice and is the customer's credit", new.amount);
        anomaly(tx, mint, payment, "surplus", detail).await?;
    }
    receipt(tx, mint, payment, invoice, split).await
}

/// Where each minor unit goes. What was given up of the invoice is owed again as far as this pays it; the invoice as it is then.
async fn split(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    invoice: &Invoice,
    (captured, asked, room): (Money, Asked, i64),
) -> Result<(Invoice, CaptureSplit)> {
    let (mut invoice, split) = (invoice.clone(), split_capture(captured, asked, room));
    if split.surplus_minor == 0 {
        return Ok((invoice, split));
    }
    let for_invoice = split.to_invoice_minor + split.surplus_minor;
    let recovered = recover(tx, mint, payment.id, &invoice, (for_invoice, room)).await?;
    invoice.figures.open_minor += recovered;
    Ok((invoice, split_capture(captured, asked, room + recovered)))
}

/// Captured in another currency than asked: kept apart until a person decides. The hold is used up.
async fn book_unapplied(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    invoice: &Invoice,
    (hold, captured): (Reservation, Money),
) -> Result<()> {
    let posting = chart::captured_in_other_currency(payment.id, Processor::Stripe, captured)?;
    post(tx, mint, payment, (CauseKind::CaptureOtherCurrency, &posting)).await?;
    let own_hold = if hold.live { hold.amount_minor } else { 0 };
    let shift = Shift { open_minor: 0, pending_minor: -own_hold, paid_minor: 0 };
    invoices::shift(tx, payment.merchant, invoice.id, shift, mint.now).await?;
    let detail = format!("{captured} was captured where {} was asked for", asked_money(payment));
    anomaly(tx, mint, payment, "capture_in_other_currency", detail).await
}

async fn receipt(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    invoice: &Invoice,
    split: CaptureSplit,
) -> Result<()> {
    let before = invoice.figures.open_minor;
    let line = ReceiptLine {
        invoice_id: invoice.id,
        applied_minor: split.to_invoice_minor,
        open_before_minor: before,
        open_after_minor: before - split.to_invoice_minor,
    };
    let receipt = Receipt {
        payment_id: payment.id,
        amount_minor: split.to_invoice_minor + split.surplus_minor,
        surcharge_minor: split.surcharge_minor,
        credit_minor: split.surplus_minor,
        unapplied_minor: 0,
        currency: payment.currency,
        at: mint.now,
        lines: vec![line],
    };
    receipts::insert(tx, payment.merchant, &receipt).await
}

/// The receipt goes to the address the payer gave, to the signed-in contact, and to whom the link was sent.
async fn mail_receipt(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    payment: &Payment,
    invoice: &Invoice,
) -> Result<()> {
    for Recipient { email, link_id } in recipients(tx, mint, secrets, payment, invoice.id).await? {
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Received,
            cause: payment.id.to_string(),
            recipient: email,
            invoice_id: Some(invoice.id),
            payment_id: Some(payment.id),
            link_id: Some(link_id),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, payment.merchant, &mail).await?;
    }
    Ok(())
}

fn asked_money(payment: &Payment) -> Money {
    Money::new(payment.amount_minor + payment.surcharge_minor, payment.currency)
}
