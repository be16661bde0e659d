//! From a row of the outbox to a message, at the moment it is sent: every figure is read again, so that each mail says
//! what is left now. It sends nothing, writes nothing, and drops a mail whose reason is gone rather than tell old news.

mod facts;

use crate::actions::create_link::link_url;
use crate::actions::dispute_words::reason_words;
use crate::app::App;
use crate::format::{self, Locale};
use crate::look::Brand;
use crate::mail::pages::{
    self, AgreementMail, CodeMail, DebitStartedMail, DisputeMail, InvoiceMail, PaymentFailedMail,
    PaymentReceivedMail, PaymentReturnedMail, PaymentReversedMail, RefundEnding, RefundMail,
    ReturnedNoticeMail,
};
use crate::mail::transport::Outgoing;
use crate::pages::parts::charged;
use anyhow::{Context as _, Result};
use billing::bank_return::ReturnKind;
use billing::ids::{InvoiceId, LinkId, PaymentId};
use billing::refund::{RefundMeaning, RefundState};
use facts::{About, Dropped, Facts, Owed};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use store::mails::Mail;
use store::mandates::Mandate;
use store::merchants::Merchant;
use store::payments::Payment;
use store::refunds::Refund;
use store::signins::SigninId;
use url::Url;

/// What became of a row of the outbox.
#[derive(Debug, Clone)]
pub enum Composed {
    /// To be sent.
    Send(Box<Outgoing>),
    /// Not to be sent, for this reason.
    Drop(String),
}

/// Writes a mail as of now. Fails only when something is broken; the mail is then tried again.
pub async fn compose(app: &App, mail: &Mail) -> Result<Composed> {
    let now = app.clock.now();
    let facts = match facts::read(app, mail, now).await? {
        Ok(facts) => facts,
        Err(Dropped(reason)) => return Ok(Composed::Drop(reason)),
    };
    let today = now
        .in_tz(&facts.merchant.time_zone)
        .with_context(|| format!("{} is no time zone", facts.merchant.time_zone))?
        .date();
    let page = page(app, &facts, today)?;
    let thread = facts.about.invoice();
    match envelope(app, mail, &facts.merchant, now, (page, thread)) {
        Ok(message) => {
            let about = &mail.about;
            Ok(Composed::Send(Box::new(Outgoing { id: about.id, queued_at: about.created_at, message })))
        }
        Err(unsendable) => Ok(Composed::Drop(unsendable.to_string())),
    }
}

/// The address that the link in a sign-in mail opens. Opening it signs nobody in; the button on its page does.
pub fn sign_in_url(app: &App, merchant: &Merchant, signin: SigninId) -> String {
    let key = app.secrets.sign_in_link_token(merchant.id.0, signin.as_bytes());
    format!("{}/p/{}/sign-in/link?token={key}", app.public_url, merchant.slug)
}

fn page(app: &App, facts: &Facts, today: Date) -> Result<pages::Mail> {
    let merchant = &facts.merchant;
    let sender = sender(merchant, facts.practice, facts.about.language());
    Ok(match &facts.about {
        About::Invoice { owed, link, part } => {
            let pay_url = link_url(app, merchant.id, *link);
            InvoiceMail {
                sender,
                number: owed.number.clone(),
                total: owed.total,
                paid: owed.paid,
                left: owed.left,
                due: owed.due_on,
                today,
                part_url: part.then(|| format!("{pay_url}?to=amount")),
                pay_url,
                may_forward: true,
            }
            .render()
        }
        About::Code { signin } => CodeMail {
            sender,
            code: app.secrets.sign_in_code(merchant.id.0, signin.as_bytes()),
            sign_in_url: sign_in_url(app, merchant, *signin),
        }
        .render(),
        About::Received { .. } => return received(app, facts, sender, today),
        About::Started { .. } | About::Returned { .. } | About::ReturnedNotice { .. } => {
            return match reversed(app, facts, &sender) {
                Some(mail) => Ok(mail),
                None => debit(app, facts, sender),
            };
        }
        About::Dispute { .. } => return dispute(app, facts, sender),
        About::Agreement { .. } | About::AgreementEnded { .. } => return agreement(app, facts, sender),
        About::Refund { owed, link, payment, refund, of_an_invoice } => {
            let pay_url = Places { app, merchant, link: *link }.invoice(owed.id);
            refunded(sender, owed, (payment, refund, *of_an_invoice), pay_url)
        }
        About::Failed { owed, link, payment, agreement_ended } => PaymentFailedMail {
            sender,
            number: owed.number.clone(),
            amount: Money::new(payment.amount_minor, payment.currency),
            reason: match payment.was_dropped() {
                true if *agreement_ended => Some("mail-agreement-had-ended"),
                true => Some("mail-never-sent"),
                false => payment.return_code.as_deref().map(|code| ReturnKind::of_code(code).payer_words()),
            },
            left: owed.left,
            due: owed.due_on,
            pay_url: Places { app, merchant, link: *link }.invoice(owed.id),
        }
        .render(),
    })
}

/// The receipt.
fn received(app: &App, facts: &Facts, sender: pages::Sender, today: Date) -> Result<pages::Mail> {
    let About::Received { owed, payment, link, receipt, after } = &facts.about else {
        anyhow::bail!("only of a payment that was received");
    };
    let merchant = &facts.merchant;
    let places = Places { app, merchant, link: *link };
    let money = |minor| Money::new(minor, receipt.currency);
    let fee = match receipt.surcharge_minor {
        ..=0 => None,
        minor => Some((money(minor), charged(money(receipt.amount_minor), money(minor))?)),
    };
    Ok(PaymentReceivedMail {
        sender,
        number: owed.number.clone(),
        reference: payment.id.reference(),
        amount: money(receipt.amount_minor),
        of_debit: payment.method.is_bank_debit(),
        fee,
        total: owed.total,
        after: *after,
        now_left: owed.left,
        due: owed.due_on,
        today,
        receipt_url: places.receipt(payment.id),
        pay_url: places.invoice(owed.id),
    }
    .render())
}

/// The mail about money that was noted as received and taken off again, where that is what it is about.
fn reversed(app: &App, facts: &Facts, sender: &pages::Sender) -> Option<pages::Mail> {
    let About::Returned { owed, link, payment } = &facts.about else { return None };
    let kind = payment.reversal()?;
    let mail = PaymentReversedMail {
        sender: sender.clone(),
        number: owed.number.clone(),
        reference: payment.id.reference(),
        amount: payment.captured.unwrap_or(Money::new(payment.amount_minor, payment.currency)),
        kind,
        left: owed.left,
        due: owed.due_on,
        pay_url: Places { app, merchant: &facts.merchant, link: *link }.invoice(owed.id),
    };
    Some(mail.render())
}

/// The mails about a bank debit.
fn debit(app: &App, facts: &Facts, sender: pages::Sender) -> Result<pages::Mail> {
    let merchant = &facts.merchant;
    Ok(match &facts.about {
        About::Started { owed, link, payment, agreement } => DebitStartedMail {
            sender,
            number: owed.number.clone(),
            reference: payment.id.reference(),
            amount: Money::new(payment.amount_minor, payment.currency),
            last4: payment.instrument_last4.clone(),
            expected_on: payment.expected_on,
            agreement: agreement.clone(),
            pay_url: Places { app, merchant, link: *link }.invoice(owed.id),
        }
        .render(),
        About::Returned { owed, link, payment } => PaymentReturnedMail {
            sender,
            number: owed.number.clone(),
            reference: payment.id.reference(),
            amount: payment.captured.unwrap_or(Money::new(payment.amount_minor, payment.currency)),
            reason: reason_of(payment.return_code.as_deref()).payer_words(),
            left: owed.left,
            due: owed.due_on,
            pay_url: Places { app, merchant, link: *link }.invoice(owed.id),
        }
        .render(),
        About::ReturnedNotice { owed, payment, customer } => ReturnedNoticeMail {
            sender,
            number: owed.number.clone(),
            reference: payment.id.reference(),
            customer: customer.clone(),
            amount: payment.captured.unwrap_or(Money::new(payment.amount_minor, payment.currency)),
            code: payment.return_code.clone(),
            kind: reason_of(payment.return_code.as_deref()),
            left: owed.left,
            help_url: format!("{}/help/bank-debits", app.public_url),
        }
        .render(),
        _ => anyhow::bail!("only of a bank debit"),
    })
}

/// The mail to the merchant about a dispute.
fn dispute(app: &App, facts: &Facts, sender: pages::Sender) -> Result<pages::Mail> {
    let About::Dispute { owed, payment, customer, dispute } = &facts.about else {
        anyhow::bail!("only of a dispute");
    };
    let zone = &facts.merchant.time_zone;
    let due = dispute.due_at.map(|at| at.in_tz(zone).map(|at| at.date())).transpose()?;
    Ok(DisputeMail {
        sender,
        id: dispute.id.to_string(),
        number: owed.number.clone(),
        reference: payment.id.reference(),
        customer: customer.clone(),
        amount: dispute.amount,
        reason: reason_words(&dispute.reason),
        state: dispute.state,
        lost_as: dispute.lost_as,
        due,
        help_url: format!("{}/help/disputes", app.public_url),
    }
    .render())
}

fn refunded(
    sender: pages::Sender,
    owed: &Owed,
    (payment, refund, of_an_invoice): (&Payment, &Refund, bool),
    pay_url: String,
) -> pages::Mail {
    RefundMail {
        sender,
        number: owed.number.clone(),
        reference: payment.id.reference(),
        amount: refund.amount,
        ending: ending_of(refund, of_an_invoice),
        left: owed.left,
        due: owed.due_on,
        pay_url,
    }
    .render()
}

/// What came of a refund, for whoever gets it.
fn ending_of(refund: &Refund, of_an_invoice: bool) -> RefundEnding {
    match refund.state {
        RefundState::Succeeded => RefundEnding::Paid {
            from_bank: refund.paid.as_ref().map(|(on, _)| *on),
            owed_again: refund
                .meaning
                .filter(|_| of_an_invoice)
                .map(|meaning| meaning == RefundMeaning::OwedAgain),
        },
        _ => RefundEnding::Kept,
    }
}

/// A copy of an agreement: as it was given, or that it has ended.
fn agreement(app: &App, facts: &Facts, sender: pages::Sender) -> Result<pages::Mail> {
    let merchant = &facts.merchant;
    let (mandate, stop_until, has_ended) = match &facts.about {
        About::Agreement { mandate, stop_until } => (mandate, *stop_until, false),
        About::AgreementEnded { mandate } => (mandate, None, true),
        _ => anyhow::bail!("only of an agreement"),
    };
    Ok(AgreementMail {
        sender,
        last4: mandate.account.last4.clone(),
        wording: mandate.wording.clone(),
        stop_until: stop_until.map(|at| clock_in(merchant, at)).transpose()?,
        has_ended,
        url: agreement_url(app, merchant, mandate),
    }
    .render())
}

/// Where whoever agreed finds the proof, signed in.
fn agreement_url(app: &App, merchant: &Merchant, mandate: &Mandate) -> String {
    format!("{}/p/{}/agreements/{}", app.public_url, merchant.slug, mandate.id)
}

/// `16:00 Eastern time on 16 November 2026`, where the merchant is.
fn clock_in(merchant: &Merchant, at: Timestamp) -> Result<(String, Date)> {
    let local = at.in_tz(&merchant.time_zone)?;
    Ok((format::clock(at, local.time_zone()), local.date()))
}

/// What a bank's word means.
fn reason_of(code: Option<&str>) -> ReturnKind {
    code.map_or(ReturnKind::Unexplained, ReturnKind::of_code)
}

/// Where the reader of a mail about a payment finds things: through the mail's own link, or signed in where that link was
/// taken back since.
struct Places<'a> {
    app: &'a App,
    merchant: &'a Merchant,
    link: Option<LinkId>,
}

impl Places<'_> {
    fn invoice(&self, invoice: InvoiceId) -> String {
        match self.link {
            Some(link) => link_url(self.app, self.merchant.id, link),
            None => format!("{}/p/{}/invoices/{invoice}", self.app.public_url, self.merchant.slug),
        }
    }

    fn receipt(&self, payment: PaymentId) -> String {
        match self.link {
            Some(link) => format!("{}?to=receipt/{payment}", link_url(self.app, self.merchant.id, link)),
            None => format!("{}/p/{}/payments/{payment}/receipt", self.app.public_url, self.merchant.slug),
        }
    }
}

/// A mail about a payment writes figures as its payer's browser did; of other readers nothing is known, so theirs are
/// written as the catalogue's language writes them.
fn sender(merchant: &Merchant, practice: bool, language: Option<&str>) -> pages::Sender {
    let phone = merchant.help_phone.iter().map(String::as_str);
    let help: Vec<&str> = std::iter::once(merchant.help_email.as_str()).chain(phone).collect();
    pages::Sender {
        merchant: merchant.name.clone(),
        help_contact: help.join(", "),
        brand: Brand::from_hex(&merchant.brand_color).unwrap_or_default(),
        locale: language.and_then(Locale::from_tag).unwrap_or_default(),
        practice,
    }
}

/// Why a mail that is written cannot be addressed.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error("the {0} is no e-mail address")]
    Address(&'static str),
    #[error("it cannot be put into an envelope: {0}")]
    Envelope(#[from] lettre::error::Error),
}

fn envelope(
    app: &App,
    mail: &Mail,
    merchant: &Merchant,
    now: Timestamp,
    (page, thread): (pages::Mail, Option<InvoiceId>),
) -> Result<Message, Unsendable> {
    let host = Url::parse(&app.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| "paydown.invalid".to_owned());
    let address = |text: &str, whose| text.trim().parse::<Address>().map_err(|_| Unsendable::Address(whose));
    let name = one_line(&merchant.name);
    let mut builder = Message::builder()
        .date(now.into())
        .message_id(Some(format!("<{}@{host}>", mail.about.id)))
        .from(Mailbox::new(Some(name), address(&merchant.sender, "merchant's sender")?))
        .reply_to(Mailbox::new(None, address(&merchant.help_email, "merchant's help address")?))
        .to(Mailbox::new(None, address(&mail.about.recipient, "recipient")?))
        .subject(one_line(&page.subject))
        .header(AutoSubmitted);
    if let Some(invoice) = thread {
        // No mail has this id; that all name it is what makes a mail program show them as one conversation.
        builder = builder.references(format!("<{invoice}@{host}>"));
    }
    Ok(builder.multipart(MultiPart::alternative_plain_html(page.text, page.html))?)
}

/// Without line breaks and other controls, which have no business in a header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// RFC 3834: a machine wrote this, so no machine should answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<AutoSubmitted, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(AutoSubmitted::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests;
