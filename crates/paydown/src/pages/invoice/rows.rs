//! The words of what was paid, credited and moved on an invoice, and of the credit that could be used there. It decides nothing.

use super::super::credit::credit_label;
use super::{InvoicePage, PaymentRow, PaymentRowState};
use crate::pages::parts::near_date;
use crate::pages::refund::RefundNote;
use crate::texts::{Arg, Rich};
use billing::reversal::ReversalKind;
use ledger::Money;

impl InvoicePage {
    /// Payments that were received, or may still be: what a payer looks for, newest first.
    pub fn standing(&self) -> Vec<&PaymentRow> {
        self.payments.iter().filter(|row| row.state != PaymentRowState::NotCompleted).collect()
    }

    /// Payments that ended without money, which stay folded so that they bury no receipt.
    pub fn tries(&self) -> Vec<&PaymentRow> {
        self.payments.iter().filter(|row| row.state == PaymentRowState::NotCompleted).collect()
    }

    /// `3 tries not completed`.
    pub fn tries_words(&self) -> String {
        let count = i64::try_from(self.tries().len()).unwrap_or(i64::MAX);
        self.chrome.words("payment-tries", &[("count", Arg::Number(count))])
    }

    /// The line under a payment's name.
    pub fn payment_words(&self, row: &PaymentRow) -> Rich {
        let on = Arg::text(near_date(&self.chrome, row.on, self.status.today));
        let key = match row.state {
            PaymentRowState::Received { .. } => "payment-received",
            PaymentRowState::Contested { .. } => return self.chrome.say("payment-contested", &[("on", on)]),
            PaymentRowState::Started => "payment-started",
            PaymentRowState::Applied { .. } => return self.chrome.say("payment-credit", &[("on", on)]),
            PaymentRowState::Used { .. } => return self.chrome.say("payment-credit-used", &[("on", on)]),
            PaymentRowState::Credited { .. } => return self.chrome.say("payment-credited", &[("on", on)]),
            PaymentRowState::Moved { here, .. } => {
                let key = if here { "payment-moved-here" } else { "payment-moved-away" };
                return self.chrome.say(key, &[("on", on), ("merchant", self.chrome.merchant_name())]);
            }
            PaymentRowState::Clearing { expected_on: Some(until) } => {
                let until = ("until", Arg::text(near_date(&self.chrome, until, self.status.today)));
                return self.chrome.say("payment-clearing", &[("on", on), until]);
            }
            PaymentRowState::TakenBack { on: back } => {
                let back = ("back", Arg::text(near_date(&self.chrome, back, self.status.today)));
                return self.chrome.say("payment-taken-back", &[("on", on), back]);
            }
            PaymentRowState::Reversed { on: back, kind } => {
                let back = ("back", Arg::text(near_date(&self.chrome, back, self.status.today)));
                let key = match kind {
                    ReversalKind::Bounced => "payment-bounced",
                    ReversalKind::EnteredWrongly => "payment-entered-wrongly",
                };
                return self.chrome.say(key, &[("on", on), back]);
            }
            PaymentRowState::Clearing { expected_on: None } => {
                return self.chrome.say("payment-clearing-open", &[("on", on)]);
            }
            PaymentRowState::Held { send_at } => {
                let ((_, sent), time) = self.day_and_time(send_at);
                return self.chrome.say("payment-held", &[("on", on), ("sent", sent), time]);
            }
            PaymentRowState::Checking => return self.chrome.say("payment-checking", &[("on", on)]),
            PaymentRowState::NotCompleted => return self.chrome.say("payment-not-completed", &[("on", on)]),
        };
        let Some(by) = &row.by else { return self.chrome.say(key, &[("on", on)]) };
        let by = self.by_words(by);
        let key = if key == "payment-started" { "payment-started-by" } else { "payment-received-by" };
        self.chrome.say(key, &[("on", on), ("by", by)])
    }

    /// What went back of a payment, in a sentence.
    pub fn refund_words(&self, refund: &RefundNote) -> Rich {
        refund.words_near(&self.chrome, self.status.today)
    }

    /// True where the money is not here any more: the bank took it back.
    pub fn came_back(&self, row: &PaymentRow) -> bool {
        matches!(row.state, PaymentRowState::TakenBack { .. } | PaymentRowState::Reversed { .. })
    }

    /// The running balance after a received payment.
    pub fn balance_words(&self, row: &PaymentRow) -> Option<Rich> {
        match row.state {
            PaymentRowState::Received { left_after }
            | PaymentRowState::Contested { left_after }
            | PaymentRowState::Applied { left_after }
            | PaymentRowState::Used { left_after }
            | PaymentRowState::Credited { left_after }
            | PaymentRowState::Moved { left_after, .. } => {
                Some(self.chrome.say("payment-left-after", &[("left", self.chrome.amount(left_after))]))
            }
            _ => None,
        }
    }

    /// True when the row is of a payment that has a page of its own.
    pub fn has_page(&self, row: &PaymentRow) -> bool {
        !matches!(
            row.state,
            PaymentRowState::Used { .. } | PaymentRowState::Credited { .. } | PaymentRowState::Moved { .. }
        )
    }

    /// What of the customer's credit could be used here: (all of it, the most that this invoice takes).
    pub fn credit_to_use(&self) -> Option<(Money, Money)> {
        let left = self.figures.left;
        let usable = self.credit.is_positive() && left.is_positive() && self.stands();
        let most = if self.credit.minor() < left.minor() { self.credit } else { left };
        usable.then_some((self.credit, most))
    }

    /// `You have $150.00 credit with Northwind IT.`
    pub fn credit_words(&self, credit: &Money) -> Rich {
        let args = [("credit", self.chrome.amount(*credit)), ("merchant", self.chrome.merchant_name())];
        self.chrome.say("credit-have", &args)
    }

    /// `Credit to use, in US dollars`.
    pub fn credit_label(&self, most: &Money) -> Rich {
        credit_label(&self.chrome, *most)
    }

    /// `Up to $150.00`.
    pub fn credit_hint(&self, most: &Money) -> Rich {
        self.chrome.say("credit-up-to", &[("most", self.chrome.amount(*most))])
    }

    /// What stands in the field at first.
    pub fn credit_value(&self, most: &Money) -> String {
        self.chrome.locale.plain(*most)
    }

    /// True when the payment has a receipt.
    pub fn has_receipt(&self, row: &PaymentRow) -> bool {
        use PaymentRowState::{Applied, Contested, Received};
        matches!(row.state, Received { .. } | Contested { .. } | Applied { .. })
    }
}
