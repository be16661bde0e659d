//! S14: the receipt of one payment, for the screen and for paper. One receipt per payment, never edited: what happens
//! later is a note.

use super::parts::{Method, charged};
use super::payment::Contest;
use super::refund::{RefundNote, RefundNoteState};
use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Money, MoneyError};

/// `/payments/{id}/receipt`.
#[derive(Template)]
#[template(path = "portal/receipt.html")]
pub struct ReceiptPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The receipt's number, which is the payment's reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// The payment's id, as in its address.
    pub payment_id: String,
    /// When the money was received; shown in the merchant's zone.
    pub received_at: Timestamp,
    /// The day it was received, where somebody wrote it down: nobody knows the hour of a cheque.
    pub received_on: Option<Date>,
    /// The company that paid.
    pub paid_by: String,
    /// The merchant's postal address, a line each; may be empty.
    pub merchant_lines: Vec<String>,
    /// How it was paid.
    pub method: Method,
    /// What went to invoices, without the fee.
    pub amount: Money,
    /// The fee on top; `None` or zero where there was none.
    pub fee: Option<Money>,
    /// What it was applied to.
    pub applied: Vec<Applied>,
    /// What did not fit and is kept as credit; zero for most.
    pub kept_as_credit: Money,
    /// The payer's own reference.
    pub payer_reference: Option<String>,
    /// What went back of it since, oldest first. The receipt itself is never edited: these are notes.
    pub refunds: Vec<RefundNote>,
    /// What the bank did with it since.
    pub bank: Option<BankNote>,
}

/// What a bank did with money that had been received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankNote {
    /// The payer's bank took a debit back.
    TakenBack {
        /// The day.
        on: Date,
    },
    /// The card's bank gave all of it back.
    GivenBack {
        /// The day.
        on: Date,
    },
    /// The card's bank looks into it, or gave a part of it back.
    Contest(Contest),
}

/// One invoice a payment was set against.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The invoice's id, as in its address.
    pub invoice_id: String,
    /// Its number.
    pub number: String,
    /// How much of the payment.
    pub amount: Money,
    /// What was open right before.
    pub balance_before: Money,
    /// What was open right after.
    pub balance_after: Money,
}

impl ReceiptPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let args = [("reference", Arg::text(&self.reference)), ("amount", self.chrome.amount(self.amount))];
        self.chrome.words("receipt-title", &args)
    }

    /// `18 November 2026, 14:40 Pacific time`.
    pub fn when(&self) -> String {
        match self.received_on {
            Some(day) => self.chrome.date(&day),
            None => format!("{}, {}", self.chrome.day(self.received_at), self.chrome.clock(self.received_at)),
        }
    }

    /// The fee, where there was one.
    pub fn fee_paid(&self) -> Option<Money> {
        self.fee.filter(|fee| fee.is_positive())
    }

    /// What the sum is called: it came from a card or from an account.
    pub fn charged_label(&self) -> String {
        self.chrome.t(if matches!(self.method, Method::BankDebit { .. }) { "debited" } else { "charged" })
    }

    /// All that left the payer's card.
    pub fn charged(&self) -> Result<Money, MoneyError> {
        self.fee.map_or(Ok(self.amount), |fee| charged(self.amount, fee))
    }

    /// `$1,250.00 → $750.00` in words for both eyes and ears.
    pub fn balance(&self, applied: &Applied) -> Rich {
        let before = self.chrome.amount(applied.balance_before);
        self.chrome.say(
            "receipt-balance",
            &[("before", before), ("after", self.chrome.amount(applied.balance_after))],
        )
    }

    /// What has happened to it since, each a tint and a sentence: the bank's act, then what was refunded.
    pub fn notes(&self) -> Vec<(&'static str, Rich)> {
        let chrome = &self.chrome;
        let on = |key, on: &Date| chrome.say(key, &[("on", Arg::text(chrome.date(on)))]);
        let bank = self.bank.as_ref().map(|bank| match bank {
            BankNote::TakenBack { on: day } => ("late", on("receipt-taken-back", day)),
            BankNote::GivenBack { on: day } => ("late", on("receipt-given-back", day)),
            BankNote::Contest(contest) => ("flight", contest.words(chrome)),
        });
        let refunds = self.refunds.iter().map(|refund| ("plain", refund.words(chrome)));
        bank.into_iter().chain(refunds).collect()
    }

    /// The invoice of which this payment took the last that was open: (address, sentence). Not told where it is owed again.
    pub fn settled(&self) -> Option<(String, Rich)> {
        let is_owed_again = |refund: &RefundNote| refund.state == RefundNoteState::OwedAgain;
        if self.bank.is_some() || self.refunds.iter().any(is_owed_again) {
            return None;
        }
        let last_part =
            self.applied.iter().find(|part| part.balance_after.is_zero() && part.amount.is_positive())?;
        let words = self.chrome.say("receipt-settled", &[("number", Arg::name(&last_part.number))]);
        Some((format!("{}/invoices/{}", self.chrome.base(), last_part.invoice_id), words))
    }

    /// True when something is left on that invoice.
    pub fn something_left(&self, applied: &Applied) -> bool {
        applied.balance_after.is_positive()
    }
}
