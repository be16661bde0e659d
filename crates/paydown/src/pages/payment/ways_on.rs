//! Where the result of a payment leads: back, on to what is left, or to the payment again. Nothing here happens by itself; each
//! is a link or a button.

use super::{Outcome, PaymentPage};

/// A way on from the result.
pub struct WayOn {
    /// Where it leads.
    pub url: String,
    /// Its words.
    pub words: String,
    /// Set where the payment's own card page has to be ended first: what the payer does next, `invoice` or `less`.
    pub end_first: Option<&'static str>,
}

impl PaymentPage {
    /// The ways on, the first of them the primary button.
    pub fn ways_on(&self) -> Vec<WayOn> {
        let (at, invoice) = (self.at(), self.invoice_url());
        let some_left = self.left.is_positive();
        let same_amount = format!("{invoice}/pay?amount={}", self.amount.minor());
        if let Some(verification) = self.proof().filter(|verification| verification.is_open()) {
            let enter = verification.url.clone().map(|url| self.way(url, "verify-enter"));
            return enter.into_iter().chain([self.way(invoice, "back-to-invoice")]).collect();
        }
        match &self.outcome {
            Outcome::Waiting { .. } | Outcome::Unknown | Outcome::GivingUp => {
                vec![self.way(format!("{at}/return"), "check-now"), self.way(invoice, "back-to-invoice")]
            }
            Outcome::NotOpened => {
                vec![self.way(format!("{at}/return"), "try-again"), self.way(invoice, "back-to-invoice")]
            }
            Outcome::DebitFailed if some_left => {
                vec![self.way(same_amount, "try-again"), self.way(invoice, "another-way")]
            }
            Outcome::TakenBack | Outcome::Reversed { .. } | Outcome::ChargedBack if some_left => {
                vec![self.way(invoice, "pay-the-rest"), self.way(format!("{at}/receipt"), "see-receipt")]
            }
            Outcome::Unfinished if self.is_charge => {
                let go_on = self.way(format!("{at}/continue"), "challenge-continue");
                vec![go_on, self.end_first("invoice", "another-way")]
            }
            Outcome::Unfinished => {
                let go_on = self.key("continue-to-card");
                vec![self.way(format!("{at}/continue"), go_on), self.way(invoice, "back-to-invoice")]
            }
            Outcome::Succeeded => {
                let rest = some_left.then(|| self.way(invoice.clone(), "pay-the-rest"));
                std::iter::once(self.way(format!("{at}/receipt"), "see-receipt"))
                    .chain(rest)
                    .chain([self.way(invoice, "back-to-invoice")])
                    .collect()
            }
            Outcome::Declined { page_open, .. } => self.after_decline(*page_open, same_amount),
            Outcome::Cancelled | Outcome::Expired | Outcome::Stopped if some_left => {
                vec![self.way(same_amount, "try-again"), self.way(invoice, "back-to-invoice")]
            }
            Outcome::Held
            | Outcome::Stopped
            | Outcome::DebitBegun
            | Outcome::DebitFailed
            | Outcome::TakenBack
            | Outcome::Reversed { .. }
            | Outcome::ChargedBack
            | Outcome::SomeoneElses
            | Outcome::SomeoneElsesEnded
            | Outcome::OtherCurrency { .. }
            | Outcome::Cancelled
            | Outcome::Expired
            | Outcome::RefusedByUs { .. } => vec![self.way(invoice, "back-to-invoice")],
        }
    }

    fn after_decline(&self, page_open: bool, same_amount: String) -> Vec<WayOn> {
        let (at, invoice) = (self.at(), self.invoice_url());
        let mut ways = match page_open {
            true => {
                vec![
                    self.way(format!("{at}/continue"), "try-again"),
                    self.end_first("invoice", "another-way"),
                ]
            }
            false => vec![self.way(same_amount, "try-again"), self.way(invoice.clone(), "another-way")],
        };
        if self.may_pay_less {
            let less = format!("{invoice}/amount?amount={}", self.amount.minor());
            ways.push(if page_open {
                self.end_first("less", "pay-less")
            } else {
                self.way(less, "pay-less")
            });
        }
        ways
    }

    fn way(&self, url: String, key: &str) -> WayOn {
        WayOn { url, words: self.chrome.t(key), end_first: None }
    }

    /// The payment's own page is ended first.
    fn end_first(&self, next: &'static str, key: &str) -> WayOn {
        WayOn { url: format!("{}/cancel", self.at()), words: self.chrome.t(key), end_first: Some(next) }
    }
}
