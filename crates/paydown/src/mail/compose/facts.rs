//! What a mail tells of, read in one snapshot, and the reasons not to send it after all.

use crate::actions::start_payment::{of_any, offered};
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{InvoiceId, LinkId, RefundId};
use billing::invoice::Lifecycle;
use billing::payment::PaymentState;
use billing::refund::RefundState;
use gateway::Processor;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use ledger::Money;
use std::sync::Arc;
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::invoices::{self, Invoice};
use store::mails::{Mail, MailKind};
use store::mandates::{self, Mandate};
use store::merchants::{self, Merchant};
use store::payments::{self, Payment};
use store::processor_accounts::{self, Mode};
use store::receipts::{self, Receipt};
use store::refunds::{self, Refund, RefundPlace};
use store::signins::{self, SigninId};
use store::{customers, links, payment_methods};

/// A code works for so long; a mail that would bring it later is not sent.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Why a mail is not sent after all.
pub(super) struct Dropped(pub(super) String);

/// Everything a mail says.
pub(super) struct Facts {
    pub(super) merchant: Merchant,
    /// No real money moves.
    pub(super) practice: bool,
    pub(super) about: About,
}

pub(super) enum About {
    Invoice {
        owed: Owed,
        link: LinkId,
        part: bool,
    },
    Code {
        signin: SigninId,
    },
    /// `after` is what the payment left on the invoice, which the mail tells whenever it arrives.
    Received {
        owed: Owed,
        payment: Payment,
        link: Option<LinkId>,
        receipt: Receipt,
        after: Money,
    },
    /// `agreement` is what the payer agreed to, word for word.
    Started {
        owed: Owed,
        link: Option<LinkId>,
        payment: Payment,
        agreement: Option<String>,
    },
    Returned {
        owed: Owed,
        link: Option<LinkId>,
        payment: Payment,
    },
    ReturnedNotice {
        owed: Owed,
        payment: Payment,
        customer: String,
    },
    /// `of_an_invoice`: some of it had been set against one.
    Refund {
        owed: Owed,
        link: Option<LinkId>,
        payment: Payment,
        refund: Box<Refund>,
        of_an_invoice: bool,
    },
    /// `agreement_ended`: it was not sent, since its account may not be debited any more.
    Failed {
        owed: Owed,
        link: Option<LinkId>,
        payment: Payment,
        agreement_ended: bool,
    },
    /// To the merchant; the dispute as it stands now.
    Dispute {
        owed: Owed,
        payment: Payment,
        customer: String,
        dispute: Box<Dispute>,
    },
    /// `stop_until` is until when the debit it allows can be stopped.
    Agreement {
        mandate: Box<Mandate>,
        stop_until: Option<Timestamp>,
    },
    AgreementEnded {
        mandate: Box<Mandate>,
    },
}

/// An invoice as it stands now.
pub(super) struct Owed {
    pub(super) id: InvoiceId,
    pub(super) number: String,
    pub(super) total: Money,
    pub(super) paid: Money,
    /// What is left to pay: never zero while something is owed, though it may all be in progress.
    pub(super) left: Money,
    pub(super) due_on: Date,
}

impl About {
    /// Language tag of the payer whose payment it is about.
    pub(super) fn language(&self) -> Option<&str> {
        match self {
            About::Received { payment, .. }
            | About::Started { payment, .. }
            | About::Returned { payment, .. }
            | About::Refund { payment, .. }
            | About::Failed { payment, .. } => Some(&payment.language),
            About::Agreement { mandate, .. } | About::AgreementEnded { mandate } => Some(&mandate.language),
            About::Invoice { .. }
            | About::Code { .. }
            | About::ReturnedNotice { .. }
            | About::Dispute { .. } => None,
        }
    }

    /// The invoice whose conversation the mail belongs to.
    pub(super) fn invoice(&self) -> Option<InvoiceId> {
        match self {
            About::Invoice { owed, .. }
            | About::Received { owed, .. }
            | About::Started { owed, .. }
            | About::Returned { owed, .. }
            | About::Refund { owed, .. }
            | About::Failed { owed, .. } => Some(owed.id),
            // A notice to the merchant is its own conversation, not the payer's.
            About::Code { .. }
            | About::ReturnedNotice { .. }
            | About::Dispute { .. }
            | About::Agreement { .. }
            | About::AgreementEnded { .. } => None,
        }
    }
}

/// Reads what the mail tells of. The inner error is a reason to drop it.
pub(super) async fn read(app: &App, mail: &Mail, now: Timestamp) -> Result<Result<Facts, Dropped>> {
    // The processor's limits decide whether a part can be paid at all; asking for them reads its sealed key.
    let processor = match mail.about.kind {
        MailKind::Invoice => app.processors.of(&app.store, &app.secrets, mail.merchant_id).await?,
        _ => None,
    };
    let reading = Reading { mail: mail.clone(), now, processor };
    app.store.read(async move |tx: &mut Tx| in_tx(tx, &reading).await).await
}

/// What reading the facts of a mail takes.
struct Reading {
    mail: Mail,
    now: Timestamp,
    /// Who takes payments of an invoice that is mailed.
    processor: Option<Arc<dyn Processor>>,
}

async fn in_tx(tx: &mut Tx, reading: &Reading) -> Result<Result<Facts, Dropped>> {
    let Reading { mail, now, .. } = reading;
    let merchant = merchants::find(tx, mail.merchant_id).await?.context("a mail has a merchant")?;
    let account = processor_accounts::find(tx, merchant.id, STRIPE).await?;
    let practice = account.is_some_and(|account| account.mode == Mode::Practice);
    let about = match mail.about.kind {
        MailKind::Invoice => about_invoice(tx, reading).await?,
        MailKind::Code => about_code(tx, mail, *now).await?,
        MailKind::Received => about_received(tx, mail).await?,
        MailKind::Failed => about_failed(tx, mail).await?,
        MailKind::Started => about_started(tx, mail).await?,
        MailKind::Returned => about_returned(tx, mail).await?,
        MailKind::ReturnedNotice => about_returned_notice(tx, mail).await?,
        MailKind::DisputeOpened => about_dispute(tx, mail, true).await?,
        MailKind::DisputeEnded => about_dispute(tx, mail, false).await?,
        MailKind::Refunded => about_refund(tx, mail, RefundState::Succeeded).await?,
        MailKind::RefundFailed => about_refund(tx, mail, RefundState::Failed).await?,
        MailKind::Agreement => about_agreement(tx, mail).await?,
        MailKind::AgreementEnded => Ok(About::AgreementEnded { mandate: Box::new(mandate(tx, mail).await?) }),
    };
    Ok(about.map(|about| Facts { merchant, practice, about }))
}

async fn about_invoice(tx: &mut Tx, reading: &Reading) -> Result<Result<About, Dropped>> {
    let Reading { mail, processor, .. } = reading;
    let invoice = invoice(tx, mail).await?;
    if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        return drop(format!("the invoice is {} by now", invoice.lifecycle.as_str()));
    }
    let link_id = mail.about.link_id.context("an invoice is mailed with a link")?;
    let link = links::find(tx, mail.merchant_id, link_id).await?.context("a link is never deleted")?;
    if link.revoked_at.is_some() {
        return drop("its link was taken back".to_owned());
    }
    let part = match processor {
        Some(processor) => {
            let currency = invoice.figures.currency;
            let methods = offered(tx, mail.merchant_id, &**processor, currency).await?;
            !methods.is_empty() && of_any(tx, &invoice, &methods).await?.allows_part()
        }
        None => false,
    };
    Ok(Ok(About::Invoice { owed: owed(&invoice), link: link_id, part }))
}

async fn about_code(tx: &mut Tx, mail: &Mail, now: Timestamp) -> Result<Result<About, Dropped>> {
    let signin_id = mail.about.signin_id.context("a code answers a request to sign in")?;
    let found = signins::find(tx, mail.merchant_id, signin_id).await?;
    let Some(signin) = found.filter(|signin| signin.ended_at.is_none()) else {
        return drop("the code was used or replaced".to_owned());
    };
    if now >= signin.created_at + CODE_LIFE {
        return drop("the code has ended".to_owned());
    }
    Ok(Ok(About::Code { signin: signin_id }))
}

async fn about_received(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let payment = payment(tx, mail).await?;
    if payment.state != PaymentState::Succeeded {
        return drop(format!("the payment is {} by now", payment.state.as_str()));
    }
    let Some(receipt) = receipts::find(tx, mail.merchant_id, payment.id).await? else {
        return drop("it was captured in another currency, which a person has to settle".to_owned());
    };
    let owed = owed(&invoice(tx, mail).await?);
    let line =
        receipt.lines.iter().find(|line| line.invoice_id == owed.id).context("a receipt has its invoice")?;
    let after = Money::new(line.open_after_minor, receipt.currency);
    let link = live_link(tx, mail).await?;
    Ok(Ok(About::Received { owed, payment, link, receipt, after }))
}

async fn about_failed(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let payment = payment(tx, mail).await?;
    if payment.state != PaymentState::Failed && !payment.was_dropped() {
        return drop(format!("the payment is {} by now", payment.state.as_str()));
    }
    if payment.seen_at.is_some() {
        return drop("the payer has seen it".to_owned());
    }
    let invoice = invoice(tx, mail).await?;
    if invoice.figures.open_minor == 0 {
        return drop("nothing is left on the invoice".to_owned());
    }
    let agreement_ended = payment.was_dropped() && may_not_be_debited(tx, &payment).await?;
    Ok(Ok(About::Failed { owed: owed(&invoice), link: live_link(tx, mail).await?, payment, agreement_ended }))
}

/// True where what allowed its account to be debited has ended.
async fn may_not_be_debited(tx: &mut Tx, payment: &Payment) -> Result<bool> {
    let Some(saved) = payment.payment_method_id else { return Ok(false) };
    let saved = payment_methods::find(tx, payment.merchant, saved).await?;
    let Some(saved) = saved.filter(|saved| saved.removed_at.is_none()) else { return Ok(true) };
    let own = mandates::find(tx, payment.merchant, payment.id).await?;
    let standing = match saved.mandate_id {
        Some(id) => mandates::find_by_id(tx, payment.merchant, id).await?,
        None => None,
    };
    Ok(own.into_iter().chain(standing).any(|mandate| mandate.ended.is_some()))
}

async fn about_started(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let payment = payment(tx, mail).await?;
    if payment.state != PaymentState::Processing {
        return drop(format!("the payment is {} by now", payment.state.as_str()));
    }
    let mandate = mandates::find(tx, mail.merchant_id, payment.id).await?;
    let agreement = mandate.map(|mandate| mandate.wording);
    let owed = owed(&invoice(tx, mail).await?);
    Ok(Ok(About::Started { owed, link: live_link(tx, mail).await?, payment, agreement }))
}

async fn about_returned(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let payment = payment(tx, mail).await?;
    let owed = owed(&invoice(tx, mail).await?);
    Ok(Ok(About::Returned { owed, link: live_link(tx, mail).await?, payment }))
}

async fn about_returned_notice(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let payment = payment(tx, mail).await?;
    let owed = owed(&invoice(tx, mail).await?);
    let customer = customers::find(tx, mail.merchant_id, payment.customer_id).await?;
    let customer = customer.context("a payment has a customer")?.name;
    Ok(Ok(About::ReturnedNotice { owed, payment, customer }))
}

/// The cause of such a mail begins with the dispute's id. That there is one to answer is old news once it has ended.
async fn about_dispute(tx: &mut Tx, mail: &Mail, opened: bool) -> Result<Result<About, Dropped>> {
    let id = mail.about.cause.split(' ').next().unwrap_or_default();
    let found = disputes::find(tx, mail.merchant_id, id.parse()?).await?;
    let dispute = found.with_context(|| format!("dispute {id} is gone"))?;
    if dispute.state.is_open() != opened {
        return drop(format!("the dispute is {} by now", dispute.state.as_str()));
    }
    let payment = payment(tx, mail).await?;
    let customer = customers::find(tx, mail.merchant_id, payment.customer_id).await?;
    let customer = customer.context("a payment has a customer")?.name;
    let owed = owed(&invoice(tx, mail).await?);
    Ok(Ok(About::Dispute { owed, payment, customer, dispute: Box::new(dispute) }))
}

async fn about_refund(tx: &mut Tx, mail: &Mail, told: RefundState) -> Result<Result<About, Dropped>> {
    let id: RefundId =
        mail.about.cause.parse().context("the cause of a mail about a refund is the refund")?;
    let refund = refunds::find(tx, mail.merchant_id, id).await?.context("a refund is never deleted")?;
    if refund.state != told {
        return drop(format!("the refund is {} by now", refund.state.as_str()));
    }
    let parts = refunds::parts(tx, mail.merchant_id, id).await?;
    let of_an_invoice = parts.iter().any(|part| matches!(part.place, RefundPlace::Allocated(_)));
    let (payment, owed) = (payment(tx, mail).await?, owed(&invoice(tx, mail).await?));
    let refund = Box::new(refund);
    Ok(Ok(About::Refund { owed, link: live_link(tx, mail).await?, payment, refund, of_an_invoice }))
}

async fn about_agreement(tx: &mut Tx, mail: &Mail) -> Result<Result<About, Dropped>> {
    let mandate = Box::new(mandate(tx, mail).await?);
    let stop_until = match mandate.payment_id() {
        Some(id) => {
            let payment = payments::find(tx, mail.merchant_id, id).await?;
            payment
                .filter(|payment| payment.state == PaymentState::Created)
                .and_then(|payment| payment.send_at)
        }
        None => None,
    };
    Ok(Ok(About::Agreement { mandate, stop_until }))
}

async fn mandate(tx: &mut Tx, mail: &Mail) -> Result<Mandate> {
    let found = mandates::find_by_id(tx, mail.merchant_id, mail.about.cause.parse()?).await?;
    found.with_context(|| format!("mandate {} is gone", mail.about.cause))
}

async fn invoice(tx: &mut Tx, mail: &Mail) -> Result<Invoice> {
    let id = mail.about.invoice_id.with_context(|| format!("mail {} names no invoice", mail.about.id))?;
    invoices::find(tx, mail.merchant_id, id).await?.with_context(|| format!("invoice {id} is gone"))
}

async fn payment(tx: &mut Tx, mail: &Mail) -> Result<Payment> {
    let id = mail.about.payment_id.with_context(|| format!("mail {} names no payment", mail.about.id))?;
    payments::find(tx, mail.merchant_id, id).await?.with_context(|| format!("payment {id} is gone"))
}

/// The link the mail was queued with, unless it was taken back.
async fn live_link(tx: &mut Tx, mail: &Mail) -> Result<Option<LinkId>> {
    let Some(id) = mail.about.link_id else { return Ok(None) };
    let link = links::find(tx, mail.merchant_id, id).await?;
    Ok(link.filter(|link| link.revoked_at.is_none()).map(|link| link.id))
}

fn owed(invoice: &Invoice) -> Owed {
    let figures = &invoice.figures;
    // Where another payment is on its way for all the rest, nothing can be paid now, but nothing may be called paid.
    let left = if figures.payable_now().is_positive() { figures.payable_now() } else { figures.open() };
    Owed {
        id: invoice.id,
        number: invoice.number.clone(),
        total: figures.total(),
        paid: figures.paid(),
        left,
        due_on: invoice.due_on,
    }
}

fn drop(reason: String) -> Result<Result<About, Dropped>> {
    Ok(Err(Dropped(reason)))
}
