//! The ways to pay on "Check and pay". Each says before it is chosen when the money arrives, what it costs, what it cannot carry,
//! and what the payer agrees to.

use super::Chrome;
use super::parts::charged;
use crate::texts::{Arg, Rich};
use billing::payment::Method;
use jiff::civil::Date;
use ledger::{Money, MoneyError};

/// One way to pay the amount of the page.
#[derive(Debug, Clone)]
pub struct Way {
    /// By what means; never one that is only received.
    pub method: Method,
    /// The fee on top, where the merchant passes one on: even zero is shown then, as "No fee".
    pub fee: Option<Money>,
    /// When the money of a bank debit usually arrives.
    pub arrives_on: Option<Date>,
    /// What the payer allows with it, in whole sentences; none for a card.
    pub agreement: Option<String>,
    /// Why it cannot carry the amount.
    pub cannot: Option<CannotCarry>,
    /// The saved card or account that is charged from this page; none where the processor's page asks.
    pub saved: Option<SavedWay>,
}

/// A card or account the payer saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedWay {
    /// Its id, as the form carries it.
    pub id: String,
    /// `Visa ending 4242`.
    pub title: String,
    /// `04/28`, of a card.
    pub expires: Option<String>,
    /// Until when a debit of it can be stopped: `16:00 Pacific time on 18 Nov`.
    pub stop_until: Option<String>,
}

/// Why a way cannot carry the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotCarry {
    /// It takes this at least.
    Less(Money),
    /// It takes this at most.
    More(Money),
    /// It takes whole tens, say, of the smallest unit.
    Steps,
    /// It is a saved card whose last month is over.
    Expired,
}

impl Way {
    /// `Card`, `Bank account`.
    pub fn name(&self, chrome: &Chrome) -> String {
        if let Some(saved) = &self.saved {
            let title = ("title", Arg::name(&saved.title));
            return match &saved.expires {
                Some(until) => chrome.words("saved-expires", &[title, ("until", Arg::text(until.clone()))]),
                None => saved.title.clone(),
            };
        }
        chrome.t(match self.method {
            Method::SepaDebit => "way-sepa-debit",
            Method::UsBankAccount => "way-us-bank-account",
            _ => "by-card",
        })
    }

    /// Its word in the form.
    pub fn word(&self) -> &str {
        self.saved.as_ref().map_or(self.method.as_str(), |saved| saved.id.as_str())
    }

    /// The field of the form in which its fee was shown comes back.
    pub const fn fee_field(&self) -> &'static str {
        match self.method {
            Method::UsBankAccount => "fee_us_bank_account",
            Method::SepaDebit => "fee_sepa_debit",
            _ => "fee",
        }
    }

    /// When the money arrives.
    pub fn arrives(&self, chrome: &Chrome) -> Rich {
        match self.arrives_on {
            Some(date) => chrome.say("way-arrives-on", &[("date", Arg::text(chrome.date(&date)))]),
            None => chrome.say("way-arrives-at-once", &[]),
        }
    }

    /// True where it costs something on top.
    pub fn has_fee(&self) -> bool {
        self.fee.is_some_and(Money::is_positive)
    }

    /// `Fee $11.90 · Charged to your card $411.90`, `No fee`; `None` where no fee is passed on.
    pub fn fee_words(&self, chrome: &Chrome, amount: &Money) -> Result<Option<Rich>, MoneyError> {
        let Some(fee) = self.fee else { return Ok(None) };
        let charged = charged(*amount, fee)?;
        Ok(Some(if fee.is_zero() {
            chrome.say("no-fee", &[])
        } else {
            let key = if self.method.is_bank_debit() { "fee-debited" } else { "fee-charged" };
            chrome.say(key, &[("fee", chrome.amount(fee)), ("charged", chrome.amount(charged))])
        }))
    }

    /// Why it cannot carry the amount, and what to do.
    pub fn cannot_words(&self, chrome: &Chrome) -> Option<Rich> {
        let way = ("way", Arg::text(self.name(chrome)));
        Some(match self.cannot? {
            CannotCarry::Less(least) => chrome.say("way-at-least", &[way, ("least", chrome.amount(least))]),
            CannotCarry::More(most) => chrome.say("way-at-most", &[way, ("most", chrome.amount(most))]),
            CannotCarry::Steps => chrome.say("way-in-steps", &[way]),
            CannotCarry::Expired => chrome.say("way-expired", &[way]),
        })
    }

    /// `Continue to the bank page`, `Pay $500.00`.
    pub fn button(&self, chrome: &Chrome, amount: Money) -> String {
        if self.saved.is_some() {
            let whole = self.fee.and_then(|fee| charged(amount, fee).ok()).unwrap_or(amount);
            return chrome.words("pay-amount", &[("amount", chrome.amount(whole))]);
        }
        chrome.t(if self.method.is_bank_debit() { "continue-to-bank" } else { "continue-to-card" })
    }
}
