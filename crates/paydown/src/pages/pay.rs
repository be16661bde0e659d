//! S9: "Check and pay", the last page before the processor's. Amount and fee come in decided; the form posts the amount
//! it showed.

use super::ways::Way;
use super::{Chrome, Viewer};
use crate::format;
use crate::texts::{Arg, Rich};
use askama::Template;
use ledger::Money;
use std::collections::BTreeMap;

/// `/invoices/{id}/pay`. Posts `csrf`, `intent`, `amount` (minor units), `method` (the word of a kind, or the id of a saved card or
/// account), `fee`, `keep`, `receipt_email` and `payer_reference` to itself.
#[derive(Template)]
#[template(path = "portal/pay.html")]
pub struct PayPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The invoice's id, as in its address.
    pub invoice_id: String,
    /// Its number.
    pub number: String,
    /// The amount that goes to the invoice.
    pub amount: Money,
    /// What is left to pay now, this amount included.
    pub left: Money,
    /// True when a part may be paid, so that the amount can be changed.
    pub may_change: bool,
    /// The ways to pay, one at least, in the order in which they are shown.
    pub ways: Vec<Way>,
    /// The word of the one that is chosen.
    pub chosen: String,
    /// What is saved and what is new stand on two pages, since one is charged here and the other is not: where the other one is.
    pub other_ways: Option<OtherWays>,
    /// True where what is used can be kept, and whether it was ticked.
    pub keep: Option<bool>,
    /// The one-time id made when this form was drawn.
    pub intent: String,
    /// Where card or account are typed: `Stripe`, `the practice processor`.
    pub processor: String,
    /// Minutes that page stays open.
    pub minutes: u32,
    /// The address for the receipt: the contact's own, what was typed before, or empty.
    pub receipt_email: String,
    /// The payer's own reference, kept after an error.
    pub payer_reference: String,
    /// What this session, link or contact did on this invoice within the last 30 minutes.
    pub earlier: Option<EarlierPayment>,
    /// What is wrong with the form.
    pub problem: Option<PayProblem>,
}

/// The other page of ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherWays {
    /// This page has what is saved; the other asks for a card or an account.
    New,
    /// The other page has what is saved.
    Saved,
}

/// A payment made or started a short while ago.
#[derive(Debug, Clone)]
pub struct EarlierPayment {
    /// Its id, as in its address.
    pub id: String,
    /// Its amount.
    pub amount: Money,
    /// Seconds since it.
    pub seconds_ago: u64,
    /// True when it was only started.
    pub only_started: bool,
}

/// What is wrong with the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayProblem {
    /// The e-mail address is missing.
    EmailEmpty,
    /// The e-mail address does not look like one.
    EmailNotAnAddress,
    /// The reference is longer than 60 characters.
    ReferenceTooLong,
    /// A card number stands in the reference, where it does not belong and is not kept.
    ReferenceHasCardNumber,
    /// The processor could not be reached; nothing was taken.
    ProcessorSilent,
    /// The way that was chosen cannot carry the amount, or is not offered any more; nothing was taken.
    WayGone,
    /// The saved card or account cannot be used any more; nothing was taken.
    SavedGone,
    /// The bank sent this very debit back before, too often or too long ago to try it once more; nothing was taken.
    NotAgain {
        /// What would have been debited, without a fee.
        amount: Money,
    },
    /// The fee is another one than the form showed; nothing was taken.
    FeeChanged {
        /// What the form showed.
        before: Money,
        /// What it is now.
        now: Money,
    },
    /// A hidden field of the form is missing or cannot be read; nothing was taken.
    Damaged,
    /// This form started another amount before.
    AlreadyStarted {
        /// The id of that payment.
        payment_id: String,
        /// That amount.
        amount: Money,
    },
}

impl PayPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let amount = ("amount", self.chrome.amount(self.amount));
        let title = self.chrome.words("pay-title", &[amount, ("number", Arg::name(&self.number))]);
        match self.problem {
            Some(_) => self.chrome.words("error-title", &[("title", Arg::text(title))]),
            None => title,
        }
    }

    /// The invoice's address.
    pub fn at(&self) -> String {
        format!("{}/invoices/{}", self.chrome.base(), self.invoice_id)
    }

    /// What is left when this is paid.
    pub fn left_after(&self) -> Money {
        self.left.checked_sub(self.amount).unwrap_or(Money::zero(self.amount.currency()))
    }

    /// True when something stays to be paid.
    pub fn is_part(&self) -> bool {
        self.left_after().is_positive()
    }

    /// The only way to pay, where there is no choice.
    pub fn only_way(&self) -> Option<&Way> {
        match self.ways.as_slice() {
            [way] => Some(way),
            _ => None,
        }
    }

    /// True for the way that is chosen.
    pub fn is_chosen(&self, way: &Way) -> bool {
        way.word() == self.chosen
    }

    /// The fee of each method, which the form carries under the name of its field.
    pub fn fees(&self) -> BTreeMap<&'static str, i64> {
        self.ways.iter().filter_map(|way| Some((way.fee_field(), way.fee?.minor()))).collect()
    }

    /// What the button says: where it leads, if that is known.
    pub fn button(&self) -> String {
        match self.only_way() {
            Some(way) => way.button(&self.chrome, self.amount),
            None if self.is_charged_here() => self.chrome.t("pay-now"),
            None => self.chrome.t("continue"),
        }
    }

    /// True where the button charges what is saved.
    pub fn is_charged_here(&self) -> bool {
        self.ways.iter().any(|way| way.saved.is_some())
    }

    /// Where the other ways are, and what that is called.
    pub fn other_ways_link(&self) -> Option<(String, String)> {
        let at = format!("{}/pay?amount={}", self.at(), self.amount.minor());
        Some(match self.other_ways? {
            OtherWays::New => (format!("{at}&with=new"), self.chrome.t("use-another-way")),
            OtherWays::Saved => (at, self.chrome.t("use-a-saved-way")),
        })
    }

    /// What is kept, and what is allowed by it.
    pub fn keep_words(&self) -> Rich {
        let debits = self.ways.iter().any(|way| way.method.is_bank_debit());
        let key = if debits { "keep-about-debits" } else { "keep-about" };
        let processor = ("processor", Arg::name(&self.processor));
        self.chrome.say(key, &[processor, ("merchant", self.chrome.merchant_name())])
    }

    /// `To Northwind IT (statement line NORTHWIND IT)`, without the label.
    pub fn payee(&self) -> Rich {
        let line = Arg::name(&self.chrome.merchant.statement_line);
        self.chrome.say("pay-payee", &[("merchant", self.chrome.merchant_name()), ("line", line)])
    }

    /// What happens after the button.
    pub fn under_button(&self) -> Rich {
        let args = [("processor", Arg::name(&self.processor)), ("minutes", Arg::Number(self.minutes.into()))];
        let key = match self.only_way() {
            Some(Way { saved: Some(saved), method, .. }) => match &saved.stop_until {
                Some(until) if method.is_bank_debit() => {
                    let until = ("until", Arg::text(until.clone()));
                    return self.chrome.say("pay-under-button-held", &[until]);
                }
                _ => return self.chrome.say("pay-under-button-card", &[]),
            },
            None if self.is_charged_here() => {
                let held = self.ways.iter().find_map(|way| way.saved.as_ref()?.stop_until.clone());
                return match held {
                    Some(until) => {
                        self.chrome.say("pay-under-button-some-held", &[("until", Arg::text(until))])
                    }
                    None => self.chrome.say("pay-under-button-saved", &[]),
                };
            }
            None => "pay-under-button-any",
            Some(way) if way.method.is_bank_debit() => "pay-under-button-bank",
            Some(_) => "pay-under-button",
        };
        self.chrome.say(key, &args)
    }

    /// `You paid $500.00 on this invoice 2 minutes ago.`
    pub fn earlier_words(&self, earlier: &EarlierPayment) -> Rich {
        let key = if earlier.only_started { "earlier-started" } else { "earlier-paid" };
        let ago = Arg::text(format::elapsed(earlier.seconds_ago));
        self.chrome.say(key, &[("amount", self.chrome.amount(earlier.amount)), ("ago", ago)])
    }

    /// `Continue only if you want to pay another $500.00.`
    pub fn another_words(&self) -> Rich {
        self.chrome.say("earlier-another", &[("amount", self.chrome.amount(self.amount))])
    }

    /// What is wrong, in words.
    pub fn why(&self) -> Option<Rich> {
        let key = match self.problem.as_ref()? {
            PayProblem::EmailEmpty => "receipt-email-empty",
            PayProblem::EmailNotAnAddress => "email-not-an-address",
            PayProblem::ReferenceTooLong => "reference-too-long",
            PayProblem::ReferenceHasCardNumber => "reference-has-card-number",
            PayProblem::ProcessorSilent => "processor-silent",
            PayProblem::Damaged => "form-damaged",
            PayProblem::WayGone => "way-gone",
            PayProblem::SavedGone => "saved-gone",
            PayProblem::NotAgain { amount } => {
                return Some(self.chrome.say("not-again", &[("amount", self.chrome.amount(*amount))]));
            }
            PayProblem::FeeChanged { before, now } => {
                let args = [("fee", self.chrome.amount(*now)), ("before", self.chrome.amount(*before))];
                return Some(self.chrome.say("fee-changed", &args));
            }
            PayProblem::AlreadyStarted { amount, .. } => {
                return Some(self.chrome.say("already-started", &[("amount", self.chrome.amount(*amount))]));
            }
        };
        Some(self.chrome.say(key, &[]))
    }

    /// True where what is wrong is no field, so that the page says first whether money moved.
    pub fn says_nothing_taken(&self) -> bool {
        matches!(
            self.problem,
            Some(
                PayProblem::ProcessorSilent
                    | PayProblem::Damaged
                    | PayProblem::WayGone
                    | PayProblem::SavedGone
                    | PayProblem::NotAgain { .. }
                    | PayProblem::FeeChanged { .. }
            )
        )
    }

    /// The payment that may be continued or cancelled instead.
    pub fn started_before(&self) -> Option<&str> {
        match &self.problem {
            Some(PayProblem::AlreadyStarted { payment_id, .. }) => Some(payment_id),
            _ => None,
        }
    }

    /// The id of the field that is wrong, if it is a field.
    pub fn wrong_field(&self) -> &'static str {
        match self.problem {
            Some(PayProblem::EmailEmpty | PayProblem::EmailNotAnAddress) => "receipt_email",
            Some(PayProblem::ReferenceTooLong | PayProblem::ReferenceHasCardNumber) => "payer_reference",
            _ => "",
        }
    }
}
