//! What pages say of money that went back: a sentence per refund, the same on the invoice, the payment and the receipt.

use super::Chrome;
use super::parts::near_date;
use crate::texts::{Arg, Rich};
use jiff::civil::Date;
use ledger::Money;

/// One refund, as far as its reader is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundNote {
    /// What of it concerns the reader.
    pub amount: Money,
    /// The day of the newest news.
    pub on: Date,
    /// Where it stands.
    pub state: RefundNoteState,
}

/// Where a refund stands, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundNoteState {
    /// It is on its way.
    Begun,
    /// It was paid, and the invoice is owed again.
    OwedAgain,
    /// It was paid, and the price was lowered by it.
    PriceGivenBack,
    /// It was paid out of money that was for no invoice.
    Paid,
    /// It could not be paid, or was withdrawn: it is the customer's credit.
    Kept,
}

impl RefundNote {
    /// `Refunded $400.00 on 20 November 2026. It is owed again.`
    pub fn words(&self, chrome: &Chrome) -> Rich {
        self.say(chrome, chrome.date(&self.on))
    }

    /// The same where days of this year are told without it: `Refunded $400.00 on 20 Nov. It is owed again.`
    pub fn words_near(&self, chrome: &Chrome, today: Date) -> Rich {
        self.say(chrome, near_date(chrome, self.on, today))
    }

    fn say(&self, chrome: &Chrome, on: String) -> Rich {
        let key = match self.state {
            RefundNoteState::Begun => "refund-begun",
            RefundNoteState::OwedAgain => "refund-owed-again",
            RefundNoteState::PriceGivenBack => "refund-price-given-back",
            RefundNoteState::Paid => "refund-paid",
            RefundNoteState::Kept => "refund-kept",
        };
        chrome.say(key, &[("amount", chrome.amount(self.amount)), ("on", Arg::text(on))])
    }
}
