//! The mails of a refund: that money comes back and what that means for the invoice, or that it could not and is kept.

use super::{Letter, Mail, Sender};
use crate::format;
use crate::texts::{Arg, texts};
use jiff::civil::Date;
use ledger::Money;

/// Money goes back to the payer, or could not.
#[derive(Debug, Clone)]
pub struct RefundMail {
    /// From whom.
    pub sender: Sender,
    /// The invoice's number.
    pub number: String,
    /// The payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// What the payer gets.
    pub amount: Money,
    /// What came of it.
    pub ending: RefundEnding,
    /// What is left to pay now.
    pub left: Money,
    /// When the invoice is due.
    pub due: Date,
    /// The link that opens the invoice.
    pub pay_url: String,
}

/// What came of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundEnding {
    /// It was paid.
    Paid {
        /// The day on which it left the merchant's bank; none where it goes back the way it came.
        from_bank: Option<Date>,
        /// True where the invoice is owed again; false where the price was lowered; none where no invoice is concerned.
        owed_again: Option<bool>,
    },
    /// It could not be paid and is the customer's credit.
    Kept,
}

impl RefundMail {
    /// The mail.
    pub fn render(&self) -> Mail {
        let sender = &self.sender;
        let from_bank = match self.ending {
            RefundEnding::Paid { from_bank, .. } => from_bank,
            RefundEnding::Kept => None,
        };
        let args = [
            ("number", Arg::name(&self.number)),
            ("amount", sender.amount(self.amount)),
            ("merchant", Arg::name(&sender.merchant)),
            ("left", sender.amount(self.left)),
            ("due", Arg::text(format::date(self.due))),
            ("date", Arg::text(from_bank.map(format::date).unwrap_or_default())),
        ];
        let say = |key: &'static str| texts().fmt(key, &args);
        let (words, more) = match self.ending {
            RefundEnding::Kept => (say("mail-refund-kept"), vec![say("mail-refund-kept-how")]),
            RefundEnding::Paid { from_bank, owed_again } => {
                let way =
                    if from_bank.is_some() { "mail-refunded-from-bank" } else { "mail-refunded-same-way" };
                let meaning = match owed_again {
                    Some(true) if self.left.is_positive() => Some(say("mail-refunded-owed")),
                    Some(true) | None => None,
                    Some(false) => Some(say("mail-refunded-price")),
                };
                (say("mail-refunded"), [Some(say(way)), meaning].into_iter().flatten().collect())
            }
        };
        Letter {
            sender,
            preheader: more.first().cloned().unwrap_or_default(),
            figure: None,
            sentences: std::iter::once(words.clone()).chain(more).collect(),
            subject: words,
            button: (texts().get("mail-view"), self.pay_url.clone()),
            second: None,
            rows: vec![(texts().get("reference"), self.reference.clone())],
            closing: Vec::new(),
        }
        .render()
    }
}
