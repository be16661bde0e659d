//! The mail about money that the merchant had noted as received and took off again: a cheque that bounced, or a note by mistake.

use super::{Letter, Mail, Sender};
use crate::format;
use crate::texts::{Arg, texts};
use billing::reversal::ReversalKind;
use jiff::civil::Date;
use ledger::Money;

/// A recorded payment does not count any more, and is owed again.
#[derive(Debug, Clone)]
pub struct PaymentReversedMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// What had been noted.
    pub amount: Money,
    /// Why it does not count.
    pub kind: ReversalKind,
    /// What is left to pay now.
    pub left: Money,
    /// When the invoice was due.
    pub due: Date,
    /// The link that opens the invoice.
    pub pay_url: String,
}

impl PaymentReversedMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("merchant", Arg::name(&sender.merchant)),
            ("left", sender.amount(self.left)),
            ("due", Arg::text(format::date(self.due))),
        ];
        let (subject, first) = match self.kind {
            ReversalKind::Bounced => ("mail-bounced", "mail-bounced-words"),
            ReversalKind::EnteredWrongly => ("mail-entered-wrongly", "mail-entered-wrongly-words"),
        };
        let subject = texts().fmt(subject, &args);
        let left = texts().fmt("mail-failed-left", &args);
        Letter {
            sender,
            preheader: left.clone(),
            figure: None,
            sentences: vec![texts().fmt(first, &args), subject.clone(), left],
            subject,
            button: (texts().get("mail-view-and-pay"), self.pay_url.clone()),
            second: None,
            rows: vec![(texts().get("reference"), self.reference.clone())],
            closing: Vec::new(),
        }
        .render()
    }
}
