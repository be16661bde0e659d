//! The mails of a bank debit: that it has begun, with the agreement to keep, and that the bank took the money back.

use super::{Letter, Mail, Sender, StillOwed};
use crate::format;
use crate::texts::{Arg, texts};
use billing::bank_return::{Retry, ReturnKind};
use jiff::civil::Date;
use ledger::Money;

/// A bank debit is on its way; nothing is paid yet. It brings a copy of what the payer agreed to.
#[derive(Debug, Clone)]
pub struct DebitStartedMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// What is debited.
    pub amount: Money,
    /// The last four digits of the account, once they are known.
    pub last4: Option<String>,
    /// When the money should be there.
    pub expected_on: Option<Date>,
    /// What the payer agreed to.
    pub agreement: Option<String>,
    /// The link that opens the invoice.
    pub pay_url: String,
}

/// A bank took back what it had paid.
#[derive(Debug, Clone)]
pub struct PaymentReturnedMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// What was taken back.
    pub amount: Money,
    /// What the payer reads of the reason: a key of the catalogue.
    pub reason: &'static str,
    /// What is left to pay now.
    pub left: Money,
    /// When the invoice was due.
    pub due: Date,
    /// The link that opens the invoice.
    pub pay_url: String,
}

/// To the merchant: a bank took back what it had paid, and what may follow.
#[derive(Debug, Clone)]
pub struct ReturnedNoticeMail {
    /// From whom, which is to whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// Who had paid.
    pub customer: String,
    /// What was taken back.
    pub amount: Money,
    /// The bank's code or the processor's name for the reason.
    pub code: Option<String>,
    /// What that means.
    pub kind: ReturnKind,
    /// What is left to pay on the invoice now.
    pub left: Money,
    /// The page that says what can be done.
    pub help_url: String,
}

impl ReturnedNoticeMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("left", sender.amount(self.left)),
        ];
        let words = texts().fmt("mail-returned-notice", &args);
        let still = texts().fmt("mail-returned-notice-left", &args);
        let follows = self.kind.consequences();
        let next = match follows.retry {
            _ if follows.needs_new_account || follows.is_legal_hold => "mail-return-other-account",
            _ if follows.needs_new_authorization => "mail-return-agree-anew",
            Retry::IfPayerAgrees => "mail-return-ask-first",
            Retry::TwiceMore => "mail-return-twice-more",
            Retry::Never => "mail-return-ask",
        };
        let code = self.code.as_ref().map(|code| (texts().get("mail-return-code"), code.clone()));
        let mut rows = vec![
            (texts().get("mail-return-customer"), self.customer.clone()),
            (texts().get("reference"), self.reference.clone()),
        ];
        rows.extend(code);
        Letter {
            sender,
            preheader: still.clone(),
            figure: None,
            sentences: vec![words.clone(), texts().get(self.kind.payer_words()), still, texts().get(next)],
            subject: words,
            button: (texts().get("mail-return-what-to-do"), self.help_url.clone()),
            second: None,
            rows,
            closing: Vec::new(),
        }
        .render()
    }
}

impl DebitStartedMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("merchant", Arg::name(&sender.merchant)),
            ("last4", Arg::text(self.last4.clone().unwrap_or_default())),
            ("date", Arg::text(self.expected_on.map(format::date).unwrap_or_default())),
        ];
        let from = if self.last4.is_some() { "mail-debit-from" } else { "mail-debit-from-account" };
        let arrives = self.expected_on.map(|_| texts().fmt("mail-debit-arrives", &args));
        let agreement = self.agreement.clone();
        let heading = agreement.as_ref().map(|_| texts().get("mail-your-agreement"));
        let subject = texts().fmt("mail-debit-started", &args);
        Letter {
            sender,
            preheader: texts().get("mail-debit-preheader"),
            figure: None,
            sentences: [Some(texts().fmt(from, &args)), arrives].into_iter().flatten().collect(),
            subject,
            button: (texts().get("mail-view"), self.pay_url.clone()),
            second: None,
            rows: vec![(texts().get("reference"), self.reference.clone())],
            closing: [heading, agreement].into_iter().flatten().collect(),
        }
        .render()
    }
}

impl PaymentReturnedMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let owed = StillOwed { number: &self.number, amount: self.amount, left: self.left, due: self.due };
        let rows = vec![(texts().get("reference"), self.reference.clone())];
        let letter = owed.letter(&self.sender, "mail-returned", Some(self.reason), &self.pay_url);
        Letter { rows, ..letter }.render()
    }
}
