//! S11: "Your bank wants to check it is you". Only for a saved card that was charged from our page; the processor's own page does it by
//! itself. It says that the payer leaves and comes back, before they do.

use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use ledger::Money;

/// `/payments/{id}/challenge`.
#[derive(Template)]
#[template(path = "portal/challenge.html")]
pub struct ChallengePage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The payment's id, as in its address.
    pub id: String,
    /// The number of the invoice it is for.
    pub number: String,
    /// What is charged.
    pub amount: Money,
}

impl ChallengePage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let heading = Arg::text(self.chrome.t("challenge-heading"));
        self.chrome.words("payment-title", &[("heading", heading), ("number", Arg::name(&self.number))])
    }

    /// The payment's address.
    pub fn at(&self) -> String {
        format!("{}/payments/{}", self.chrome.base(), self.id)
    }

    /// That the payer leaves this page, and for what.
    pub fn words(&self) -> Rich {
        let args = [("amount", self.chrome.amount(self.amount)), ("merchant", self.chrome.merchant_name())];
        self.chrome.say("challenge", &args)
    }
}
