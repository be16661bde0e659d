//! The mails a payer gets, as pure rendering: subject, HTML and text with the same facts, built from one letter. It sends
//! nothing and knows no address but those in the letter.

mod agreement;
mod debits;
mod disputes;
mod refunds;
mod reversal;

pub use agreement::AgreementMail;
pub use debits::{DebitStartedMail, PaymentReturnedMail, ReturnedNoticeMail};
pub use disputes::DisputeMail;
pub use refunds::{RefundEnding, RefundMail};
pub use reversal::PaymentReversedMail;

use crate::contact::{Contact, contacts};
use crate::format::{self, Locale};
use crate::look::Brand;
use crate::texts::{Arg, texts};
use askama::Template;
use jiff::civil::Date;
use ledger::Money;

/// A mail, ready to be put into an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line, without control characters.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

/// What every mail of a merchant has in common.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The merchant's name.
    pub merchant: String,
    /// Whom to ask: `billing@northwind.example, +1 503 555 0142`.
    pub help_contact: String,
    /// Its colours.
    pub brand: Brand,
    /// How the reader writes figures.
    pub locale: Locale,
    /// True when its processor is the practice one.
    pub practice: bool,
}

/// S0: an invoice, or what is left of one.
#[derive(Debug, Clone)]
pub struct InvoiceMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// What it asked for.
    pub total: Money,
    /// What was paid so far, credit included.
    pub paid: Money,
    /// What is left to pay now.
    pub left: Money,
    /// When it is due.
    pub due: Date,
    /// Today, in the merchant's zone.
    pub today: Date,
    /// The payment link: `https://pay.example/l/…`.
    pub pay_url: String,
    /// The link that opens the amount form, where a part may be paid: the same with `?to=amount`.
    pub part_url: Option<String>,
    /// True when the link may be handed on inside the customer's company.
    pub may_forward: bool,
}

/// The code somebody signs in with.
#[derive(Debug, Clone)]
pub struct CodeMail {
    /// From whom.
    pub sender: Sender,
    /// Six digits: `123456`.
    pub code: String,
    /// The link that signs in without copying digits.
    pub sign_in_url: String,
}

/// Money arrived.
#[derive(Debug, Clone)]
pub struct PaymentReceivedMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// What was received for the invoice.
    pub amount: Money,
    /// True of a bank debit: the sum came from an account, not from a card.
    pub of_debit: bool,
    /// The fee on top, and what the card was charged with it; `None` or zero where there was no fee.
    pub fee: Option<(Money, Money)>,
    /// What the invoice asked for.
    pub total: Money,
    /// What this payment left on the invoice.
    pub after: Money,
    /// What is left on it now, which may be less: a mail may come late.
    pub now_left: Money,
    /// When the invoice is due.
    pub due: Date,
    /// Today, in the merchant's zone.
    pub today: Date,
    /// The link that opens the receipt: `https://pay.example/l/…?to=receipt/…`.
    pub receipt_url: String,
    /// The link that opens the invoice.
    pub pay_url: String,
}

/// A payment ended without money.
#[derive(Debug, Clone)]
pub struct PaymentFailedMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// What it would have been.
    pub amount: Money,
    /// What the payer reads of a bank's reason: a key of the catalogue. Of a declined card nothing is written.
    pub reason: Option<&'static str>,
    /// What is left to pay now.
    pub left: Money,
    /// When the invoice is due.
    pub due: Date,
    /// The link that opens the invoice.
    pub pay_url: String,
}

/// One letter, from which both parts are made.
struct Letter<'a> {
    sender: &'a Sender,
    subject: String,
    preheader: String,
    /// (label, figure, what stands under it).
    figure: Option<(String, String, String)>,
    sentences: Vec<String>,
    button: (String, String),
    second: Option<(String, String)>,
    rows: Vec<(String, String)>,
    closing: Vec<String>,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct HtmlPart<'a> {
    letter: &'a Letter<'a>,
}

#[derive(Template)]
#[template(path = "mail/letter.txt", escape = "none")]
struct TextPart<'a> {
    letter: &'a Letter<'a>,
}

impl InvoiceMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("merchant", Arg::name(&sender.merchant)),
            ("left", sender.amount(self.left)),
            ("due", Arg::text(format::short_date(self.due))),
            ("since", Arg::text(format::day_and_month(self.due))),
        ];
        if self.left.is_zero() {
            return self.render_paid();
        }
        let overdue = self.due < self.today;
        let subject = match (overdue, self.paid.is_positive()) {
            (true, _) => texts().fmt("mail-overdue-subject", &args),
            (false, true) => texts().fmt("mail-left-subject", &args),
            (false, false) => texts().fmt("mail-invoice-subject", &args),
        };
        let part = self.part_url.as_ref().map(|url| (texts().get("mail-pay-part"), url.clone()));
        let preheader =
            if part.is_some() { "mail-invoice-preheader" } else { "mail-invoice-preheader-whole" };
        let due_key = if overdue { "mail-due-since" } else { "mail-due-on" };
        let label = if self.paid.is_positive() { "left-to-pay" } else { "amount-due" };
        let date = ("due", Arg::text(format::date(self.due)));
        Letter {
            sender,
            subject,
            preheader: texts().fmt(preheader, &args),
            figure: Some((texts().get(label), sender.locale.money(self.left), texts().fmt(due_key, &[date]))),
            sentences: vec![texts().fmt("mail-invoice-for", &args)],
            button: (texts().get("mail-view-and-pay"), self.pay_url.clone()),
            second: part,
            rows: sender.balance(self.total, self.paid, self.left),
            closing: self.may_forward.then(|| texts().get("mail-forward")).into_iter().collect(),
        }
        .render()
    }
}

impl InvoiceMail {
    /// A link that was asked for anew may lead to an invoice on which nothing is left: it must ask for nothing.
    fn render_paid(&self) -> Mail {
        let sender = &self.sender;
        let args = [("number", Arg::name(&self.number)), ("merchant", Arg::name(&sender.merchant))];
        let words = texts().fmt("mail-nothing-left", &args);
        Letter {
            sender,
            subject: texts().fmt("mail-link-subject", &args),
            preheader: words.clone(),
            figure: None,
            sentences: vec![texts().fmt("mail-invoice-for", &args), words],
            button: (texts().get("mail-view"), self.pay_url.clone()),
            second: None,
            rows: sender.balance(self.total, self.paid, self.left),
            closing: Vec::new(),
        }
        .render()
    }
}

impl CodeMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let (first, second) = self.code.split_at_checked(3).unwrap_or((&self.code, ""));
        let code = format!("{first} {second}");
        let args = [("code", Arg::text(&code)), ("merchant", Arg::name(&self.sender.merchant))];
        Letter {
            sender: &self.sender,
            subject: texts().fmt("mail-code-subject", &args),
            preheader: texts().get("mail-code-words"),
            figure: Some((texts().get("mail-code-label"), code.trim_end().to_owned(), String::new())),
            sentences: vec![texts().get("mail-code-words")],
            button: (texts().get("sign-in"), self.sign_in_url.clone()),
            second: None,
            rows: Vec::new(),
            closing: Vec::new(),
        }
        .render()
    }
}

impl PaymentReceivedMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("left", sender.amount(self.after)),
            ("now", sender.amount(self.now_left)),
            ("due", Arg::text(format::day_and_month(self.due))),
        ];
        let part = self.after.is_positive();
        let key = match (part, self.due < self.today) {
            (true, true) => "mail-part-overdue",
            (true, false) => "mail-part",
            (false, _) => "mail-full",
        };
        let words = texts().fmt(key, &args);
        let mut rows = vec![(texts().get("reference"), self.reference.clone())];
        if let Some((fee, charged)) = self.fee.filter(|(fee, _)| fee.is_positive()) {
            rows.push((texts().get("fee"), sender.locale.money(fee)));
            rows.push((
                texts().get(if self.of_debit { "debited" } else { "charged" }),
                sender.locale.money(charged),
            ));
        }
        let paid = self.total.checked_sub(self.after).unwrap_or(self.total);
        rows.extend(sender.balance(self.total, paid, self.after));
        let changed_since = part && self.now_left != self.after;
        let since = changed_since.then(|| {
            let key = if self.now_left.is_positive() { "mail-now-left" } else { "mail-now-paid" };
            texts().fmt(key, &args)
        });
        let second = self.now_left.is_positive().then(|| (texts().get("pay-the-rest"), self.pay_url.clone()));
        Letter {
            sender,
            preheader: texts().fmt("mail-received-preheader", &[("merchant", Arg::name(&sender.merchant))]),
            figure: Some((texts().get("mail-received"), sender.locale.money(self.amount), String::new())),
            sentences: [Some(words.clone()), since].into_iter().flatten().collect(),
            subject: words,
            button: (texts().get("see-receipt"), self.receipt_url.clone()),
            second,
            rows,
            closing: Vec::new(),
        }
        .render()
    }
}

impl PaymentFailedMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let owed = StillOwed { number: &self.number, amount: self.amount, left: self.left, due: self.due };
        owed.letter(&self.sender, "mail-failed", self.reason, &self.pay_url).render()
    }
}

/// Money that did not come, or that went back, and what is left to pay.
struct StillOwed<'a> {
    number: &'a str,
    amount: Money,
    left: Money,
    due: Date,
}

impl StillOwed<'_> {
    /// `words` and `reason` are keys of the catalogue.
    fn letter<'s>(
        &self,
        sender: &'s Sender,
        words: &str,
        reason: Option<&'static str>,
        pay_url: &str,
    ) -> Letter<'s> {
        let args = [
            ("number", Arg::name(self.number)),
            ("amount", sender.amount(self.amount)),
            ("left", sender.amount(self.left)),
            ("due", Arg::text(format::date(self.due))),
        ];
        let (words, left) = (texts().fmt(words, &args), texts().fmt("mail-failed-left", &args));
        let reason = reason.map(|key| texts().get(key));
        Letter {
            sender,
            preheader: left.clone(),
            figure: None,
            sentences: [Some(words.clone()), reason, Some(left)].into_iter().flatten().collect(),
            subject: words,
            button: (texts().get("mail-view-and-pay"), pay_url.to_owned()),
            second: None,
            rows: Vec::new(),
            closing: Vec::new(),
        }
    }
}

impl Sender {
    fn amount(&self, money: Money) -> Arg {
        Arg::text(self.locale.money(money))
    }

    /// The three rows: total, paid so far, left.
    fn balance(&self, total: Money, paid: Money, left: Money) -> Vec<(String, String)> {
        [("total", total), ("paid-so-far", paid), ("left-to-pay", left)]
            .map(|(key, money)| (texts().get(key), self.locale.money(money)))
            .into()
    }
}

impl Letter<'_> {
    fn render(&self) -> Mail {
        let never = "a template writes to memory, which cannot fail";
        Mail {
            // A name with a line break must not become a header of its own.
            subject: self.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            html: HtmlPart { letter: self }.render().expect(never),
            text: TextPart { letter: self }.render().expect(never),
        }
    }

    fn practice(&self) -> Option<String> {
        self.sender.practice.then(|| texts().get("practice"))
    }

    fn questions(&self) -> String {
        format!("{} {}", texts().get("questions"), self.sender.help_contact)
    }

    fn ask(&self) -> String {
        texts().get("questions")
    }

    fn contacts(&self) -> Vec<Contact> {
        contacts(&self.sender.help_contact)
    }
}

#[cfg(test)]
mod tests;
