//! Who hears of a dispute: the feed and the invoice's history, the merchant by mail, and a person who has to answer it. The
//! payer is told by the pages, in words without blame.

use crate::actions::dispute_words::reason_words;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::dispute::DisputeState;
use billing::ids::{AnomalyId, EventId, InvoiceId, MailId};
use ledger::Money;
use serde_json::json;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::disputes::Dispute;
use store::events::{self, Event};
use store::mails::{self, MailKind, NewMail};
use store::payments::{self, Payment};
use store::{invoices, merchants};

/// It was opened, or is heard of only now.
pub(super) async fn opened(tx: &mut Tx, mint: &Mint, dispute: &Dispute, payment: &Payment) -> Result<()> {
    note(tx, mint, dispute, "dispute.opened", dispute.state).await?;
    if dispute.state.is_open() {
        task(tx, mint, dispute, payment, "dispute_opened").await?;
        return mail(tx, mint, dispute, MailKind::DisputeOpened).await;
    }
    note(tx, mint, dispute, ended_kind(dispute.state), dispute.state).await?;
    mail(tx, mint, dispute, MailKind::DisputeEnded).await
}

/// It moved.
pub(super) async fn moved(
    tx: &mut Tx,
    mint: &Mint,
    before: &Dispute,
    payment: &Payment,
    now_is: DisputeState,
) -> Result<()> {
    let dispute = Dispute { state: now_is, ..before.clone() };
    note(tx, mint, &dispute, ended_kind(now_is), now_is).await?;
    if now_is == DisputeState::NeedsResponse {
        // An inquiry that became a dispute, or a bank that asks again: the money is withdrawn, and the time runs anew.
        task(tx, mint, &dispute, payment, "dispute_opened").await?;
        return mail(tx, mint, &dispute, MailKind::DisputeOpened).await;
    }
    if now_is.is_open() { Ok(()) } else { mail(tx, mint, &dispute, MailKind::DisputeEnded).await }
}

const fn ended_kind(state: DisputeState) -> &'static str {
    match state {
        DisputeState::Inquiry | DisputeState::NeedsResponse | DisputeState::UnderReview => "dispute.updated",
        DisputeState::Won => "dispute.won",
        DisputeState::Lost => "dispute.lost",
        DisputeState::Accepted => "dispute.accepted",
    }
}

/// The processor says another amount than it said first, and what is booked is the first one.
pub(super) async fn amount_changed(tx: &mut Tx, mint: &Mint, dispute: &Dispute, now_is: Money) -> Result<()> {
    let detail = format!(
        "{} ({}) was about {}, and the processor says now that it is about {now_is}; the first is booked",
        dispute.id, dispute.processor_dispute_id, dispute.amount
    );
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "dispute_amount_changed".to_owned(),
        payment_id: Some(dispute.payment_id),
        detail,
        at: mint.now,
    };
    anomalies::insert_once(tx, dispute.merchant, &anomaly).await.map(drop)
}

/// A line in the invoice's history and in the feed.
pub(in crate::actions) async fn note(
    tx: &mut Tx,
    mint: &Mint,
    dispute: &Dispute,
    kind: &str,
    state: DisputeState,
) -> Result<()> {
    let data = json!({
        "dispute": dispute.id.to_string(),
        "status": state.as_str(),
        "amount": dispute.amount.minor(),
        "currency": dispute.amount.currency().code().to_ascii_lowercase(),
        "reason": dispute.reason,
        "due_at": dispute.due_at.map(|at| at.to_string()),
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: kind.to_owned(),
        invoice_id: only_invoice(tx, dispute).await?,
        payment_id: Some(dispute.payment_id),
        data: data.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, dispute.merchant, &event).await
}

/// The invoice of the payment, where it is for one alone.
async fn only_invoice(tx: &mut Tx, dispute: &Dispute) -> Result<Option<InvoiceId>> {
    let invoices = payments::invoices(tx, dispute.merchant, dispute.payment_id).await?;
    Ok(match invoices[..] {
        [invoice] => Some(invoice),
        _ => None,
    })
}

/// A person has to answer it: once when it is opened, and once more before the time is over.
pub(in crate::actions) async fn task(
    tx: &mut Tx,
    mint: &Mint,
    dispute: &Dispute,
    payment: &Payment,
    kind: &str,
) -> Result<()> {
    let merchant = merchants::find(tx, dispute.merchant).await?.context("a dispute has a merchant")?;
    let due = match dispute.due_at {
        Some(at) => format!("until {}", at.in_tz(&merchant.time_zone)?.strftime("%Y-%m-%d %H:%M %Z")),
        None => "soon".to_owned(),
    };
    let mut numbers = Vec::new();
    for id in payments::invoices(tx, dispute.merchant, payment.id).await? {
        numbers.extend(invoices::find(tx, dispute.merchant, id).await?.map(|invoice| invoice.number));
    }
    let what = match dispute.state {
        DisputeState::Inquiry => "the payer's bank asks about",
        _ => "the payer contests",
    };
    let detail = format!(
        "{}: {what} {} of {} (invoice {}): {}. Answer with evidence {due}, or accept it",
        dispute.id,
        dispute.amount,
        payment.id.reference(),
        numbers.join(", "),
        reason_words(&dispute.reason),
    );
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: kind.to_owned(),
        payment_id: Some(payment.id),
        detail,
        at: mint.now,
    };
    anomalies::insert_once(tx, dispute.merchant, &anomaly).await.map(drop)
}

/// The merchant is told at the address where payers find help: no other person of a merchant is known.
async fn mail(tx: &mut Tx, mint: &Mint, dispute: &Dispute, kind: MailKind) -> Result<()> {
    let merchant = merchants::find(tx, dispute.merchant).await?.context("a dispute has a merchant")?;
    let new = NewMail {
        id: mint.id(MailId::new),
        kind,
        // A dispute that is won after it was lost ends twice, and each end is told.
        cause: format!("{} {}", dispute.id, dispute.state.as_str()),
        recipient: merchant.help_email,
        invoice_id: payments::invoices(tx, dispute.merchant, dispute.payment_id).await?.first().copied(),
        payment_id: Some(dispute.payment_id),
        link_id: None,
        signin_id: None,
        created_at: mint.now,
    };
    mails::queue(tx, dispute.merchant, &new).await.map(drop)
}
