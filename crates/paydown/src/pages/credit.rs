//! Using credit on an invoice: how much of it, and the confirmation before it is used. It shows figures it is given; it decides
//! nothing.

use super::{Chrome, Viewer};
use crate::format::currency_name;
use crate::texts::{Arg, Rich};
use askama::Template;
use ledger::Money;

/// `/invoices/{id}/credit`.
#[derive(Template)]
#[template(path = "portal/credit.html")]
pub struct CreditPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The invoice's id, as in its address.
    pub invoice_id: String,
    /// Its number: `INV-1042`.
    pub number: String,
    /// What the customer has.
    pub credit: Money,
    /// What is payable on the invoice now.
    pub left: Money,
    /// The amount to be confirmed, already accepted; without one, the form.
    pub chosen: Option<Money>,
    /// The id of the application, made when the form is drawn.
    pub intent: String,
    /// What was typed and why it was refused.
    pub refused: Option<(String, CreditRefusal)>,
    /// True when somebody pressed the button and was refused.
    pub pressed: bool,
}

/// Why an amount of credit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditRefusal {
    /// It cannot be read as an amount above 0.
    NotAnAmount,
    /// More than is left to pay.
    OverLeft,
    /// More than there is.
    OverCredit,
    /// Nothing is left to pay now.
    NothingLeft,
    /// There is no credit any more.
    NoCredit,
}

/// `Credit to use, in US dollars`.
pub fn credit_label(chrome: &Chrome, most: Money) -> Rich {
    chrome.say("credit-label", &[("currency", Arg::text(currency_name(most.currency(), 2)))])
}

impl CreditPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let title = self.chrome.words("credit-title", &[("number", Arg::name(&self.number))]);
        match self.refused {
            Some(_) => self.chrome.words("error-title", &[("title", Arg::text(title))]),
            None => title,
        }
    }

    /// The invoice's address.
    pub fn at(&self) -> String {
        format!("{}/invoices/{}", self.chrome.base(), self.invoice_id)
    }

    /// The most that may be used.
    fn most(&self) -> Money {
        if self.credit.minor() < self.left.minor() { self.credit } else { self.left }
    }

    /// True where some can be used.
    pub fn is_open(&self) -> bool {
        self.most().is_positive()
    }

    /// `You have $150.00 credit with Northwind IT.`
    pub fn have(&self) -> Rich {
        let args = [("credit", self.chrome.amount(self.credit)), ("merchant", self.chrome.merchant_name())];
        self.chrome.say("credit-have", &args)
    }

    /// The field's label.
    pub fn label(&self) -> Rich {
        credit_label(&self.chrome, self.credit)
    }

    /// `Up to $150.00`.
    pub fn hint(&self) -> Rich {
        self.chrome.say("credit-up-to", &[("most", self.chrome.amount(self.most()))])
    }

    /// What stands in the field: what was typed, else the most.
    pub fn value(&self) -> String {
        self.refused
            .as_ref()
            .map_or_else(|| self.chrome.locale.plain(self.most()), |(typed, _)| typed.clone())
    }

    /// Why it was refused.
    pub fn why(&self) -> Option<Rich> {
        let (_, refusal) = self.refused.as_ref()?;
        let chrome = &self.chrome;
        Some(match refusal {
            CreditRefusal::NotAnAmount => {
                let example = Arg::text(chrome.locale.plain(self.most()));
                chrome.say("credit-not-an-amount", &[("example", example)])
            }
            CreditRefusal::OverLeft => chrome.say("credit-over-left", &[("left", chrome.amount(self.left))]),
            CreditRefusal::OverCredit => {
                chrome.say("credit-over-have", &[("credit", chrome.amount(self.credit))])
            }
            CreditRefusal::NothingLeft => {
                chrome.say("credit-nothing-left", &[("number", Arg::name(&self.number))])
            }
            CreditRefusal::NoCredit => chrome.say("credit-none", &[("merchant", chrome.merchant_name())]),
        })
    }

    /// `Use $40.00 of your credit?`
    pub fn heading(&self, amount: &Money) -> Rich {
        self.chrome.say("credit-heading", &[("amount", self.chrome.amount(*amount))])
    }

    /// `Use $40.00 of your credit`.
    pub fn button(&self, amount: &Money) -> String {
        self.chrome.words("credit-confirm", &[("amount", self.chrome.amount(*amount))])
    }

    /// What stays to be paid.
    pub fn left_after(&self, amount: &Money) -> Money {
        self.left.checked_sub(*amount).unwrap_or(Money::zero(amount.currency()))
    }

    /// What stays of the credit.
    pub fn credit_after(&self, amount: &Money) -> Money {
        self.credit.checked_sub(*amount).unwrap_or(Money::zero(amount.currency()))
    }
}
