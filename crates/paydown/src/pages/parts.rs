//! Small parts that several pages share: status pills, the segmented bar, figures, payment methods. Shapes and words only.

use super::Chrome;
use crate::format;
use crate::texts::{Arg, texts};
use billing::payment::Method as By;
use jiff::civil::Date;
use ledger::{Money, MoneyError};

/// What leaves the payer's card: the amount and the fee. The sum was checked before the charge was asked for; where stored
/// figures do not add up any more, the page that shows them fails and says so.
pub fn charged(amount: Money, fee: Money) -> Result<Money, MoneyError> {
    amount.checked_add(fee)
}

/// What an invoice says about money, in one currency.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// What the invoice asked for.
    pub total: Money,
    /// Net allocations of payments and customer credit.
    pub paid: Money,
    /// Credit notes, write-offs and discounts together; zero for most.
    pub credited: Money,
    /// What payments in flight have reserved.
    pub pending: Money,
    /// Payable now: open − pending.
    pub left: Money,
}

impl Figures {
    /// True when every unit of what is owed is being paid right now.
    pub fn all_in_flight(&self) -> bool {
        self.left.is_zero() && self.pending.is_positive()
    }

    /// True while nothing is paid, credited or in progress.
    pub fn untouched(&self) -> bool {
        self.paid.is_zero() && self.pending.is_zero() && self.credited.is_zero()
    }
}

/// How far an invoice has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is paid yet.
    Unpaid,
    /// A part is paid.
    PartlyPaid,
    /// Open is zero and something was paid.
    Paid,
    /// Open is zero and nothing was paid: credited.
    Credited,
    /// A total of zero from the start.
    NothingDue,
}

/// What the merchant did with an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// It stands.
    Open,
    /// It was cancelled on that day.
    Void {
        /// The day, in the merchant's zone.
        on: Date,
    },
    /// The merchant no longer expects the rest.
    WrittenOff,
}

/// The facts behind the status words of one invoice.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// How far it has come.
    pub progress: Progress,
    /// What the merchant did with it.
    pub lifecycle: Lifecycle,
    /// Its due date.
    pub due: Date,
    /// Today, in the merchant's zone.
    pub today: Date,
    /// True when everything owed is reserved by payments in flight.
    pub all_in_flight: bool,
}

/// One status word with its shape and tint.
#[derive(Debug, Clone)]
pub struct Pill {
    /// `paid`, `flight`, `late` or `plain`: the class that tints it.
    pub tone: &'static str,
    /// The path of its icon in a box of 12 by 12.
    pub icon: &'static str,
    /// The words.
    pub text: String,
}

const RING: &str = "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 1.4a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 0 1 0-7.2z";
const HALF: &str = "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 1.4a3.6 3.6 0 0 1 0 7.2z";
const CHECK: &str = "M4.7 9.8L1.2 6.3l1.3-1.3 2.2 2.2 4.8-4.8 1.3 1.3z";
const ALERT: &str = "M6 .8l5.6 10.4H.4zM5.3 4.4v3.2h1.4V4.4zm0 4.1v1.3h1.4V8.5z";
const CLOCK: &str = "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 1.3a3.7 3.7 0 1 1 0 7.4a3.7 3.7 0 0 1 0-7.4zM5.4 3.4v3l2.2 1.4.6-1-1.6-1V3.4z";
const CROSS: &str =
    "M2.6 1.4L6 4.8l3.4-3.4 1.2 1.2L7.2 6l3.4 3.4-1.2 1.2L6 7.2l-3.4 3.4-1.2-1.2L4.8 6 1.4 2.6z";

impl Status {
    /// At most two words: progress, then time or the one fact that replaces it.
    pub fn pills(&self) -> Vec<Pill> {
        let pill = |tone, icon, key: &str| Pill { tone, icon, text: texts().get(key) };
        if let Lifecycle::Void { .. } = self.lifecycle {
            return vec![pill("plain", CROSS, "status-void")];
        }
        let progress = match self.progress {
            Progress::Unpaid => None,
            Progress::PartlyPaid => Some(pill("paid", HALF, "status-partly-paid")),
            Progress::Paid => Some(pill("paid", CHECK, "status-paid")),
            Progress::Credited => Some(pill("paid", CHECK, "status-credited")),
            Progress::NothingDue => Some(pill("plain", CHECK, "status-nothing-due")),
        };
        let ended = matches!(self.progress, Progress::Paid | Progress::Credited | Progress::NothingDue);
        let time = match self.lifecycle {
            Lifecycle::WrittenOff => Some(pill("plain", CROSS, "status-written-off")),
            _ if ended => None,
            _ if self.all_in_flight => Some(pill("flight", CLOCK, "status-in-progress")),
            _ if self.is_overdue() => Some(Pill { tone: "late", icon: ALERT, text: self.due_words() }),
            _ => Some(Pill { tone: "plain", icon: RING, text: self.due_words() }),
        };
        progress.into_iter().chain(time).collect()
    }

    /// `Due in 12 days`, `Due today`, `Overdue by 3 days`.
    pub fn due_words(&self) -> String {
        format::due(self.due, self.today)
    }

    /// True after the due date.
    pub fn is_overdue(&self) -> bool {
        self.due < self.today
    }
}

/// What a bank did with a payment, as a status word.
pub fn trouble_pill(key: &'static str) -> Pill {
    Pill { tone: "late", icon: ALERT, text: texts().get(key) }
}

/// One part of the bar, in thousandths of its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `paid`, `flight` or `left`.
    pub kind: &'static str,
    /// Where it begins, 0 to 1000.
    pub x: i64,
    /// How long it is.
    pub width: i64,
}

/// The bar under the amount: paid, in progress, left; parts of zero are left out, small ones stay visible.
pub fn bar(figures: &Figures) -> Vec<Segment> {
    const GAP: i64 = 6;
    const LEAST: i64 = 12;
    let settled = figures.paid.checked_add(figures.credited).unwrap_or(figures.paid);
    let parts = [("paid", settled), ("flight", figures.pending), ("left", figures.left)];
    let parts: Vec<(&'static str, i128)> = parts
        .into_iter()
        .filter(|(_, part)| part.is_positive())
        .map(|(kind, part)| (kind, part.minor().into()))
        .collect();
    let whole: i128 = parts.iter().map(|(_, part)| part).sum();
    let count = i64::try_from(parts.len()).unwrap_or(1);
    let room = 1000 - GAP * (count - 1).max(0) - LEAST * count;
    let mut x = 0;
    let mut segments = Vec::with_capacity(parts.len());
    for (at, (kind, part)) in parts.iter().enumerate() {
        let share = i64::try_from(i128::from(room) * part / whole).unwrap_or(0) + LEAST;
        let width = if at + 1 == parts.len() { 1000 - x } else { share };
        segments.push(Segment { kind, x, width });
        x += width + GAP;
    }
    segments
}

/// How a payment was or will be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// A card; brand and last four digits once the processor has told them.
    Card {
        /// `Visa`.
        brand: Option<String>,
        /// `4242`.
        last4: Option<String>,
    },
    /// A bank debit; the account's bank and last four digits once the processor has told them.
    BankDebit {
        /// `First Bank`.
        bank_name: Option<String>,
        /// `6789`.
        last4: Option<String>,
    },
    /// A cheque, a transfer or cash that the merchant received, with what its books call it.
    Received {
        /// By what means; never a card.
        by: By,
        /// The number of the cheque, the text of the transfer.
        reference: Option<String>,
    },
    /// Credit the merchant held for the customer.
    Credit,
    /// A credit note of the merchant.
    CreditNote {
        /// Its number: `CN-0001`.
        number: String,
    },
}

impl Method {
    /// `Visa ending 4242`, `Card payment`, `Customer credit`.
    pub fn words(&self) -> String {
        match self {
            Method::Card { brand, last4: Some(last4) } => {
                let brand = brand.clone().unwrap_or_else(|| texts().get("method-card"));
                texts()
                    .fmt("method-ending", &[("brand", Arg::name(brand)), ("last4", Arg::text(last4.clone()))])
            }
            Method::Card { .. } => texts().get("method-card-payment"),
            Method::BankDebit { bank_name, last4: Some(last4) } => {
                let last4 = Arg::text(last4.clone());
                match bank_name {
                    Some(name) => {
                        texts().fmt("method-bank-at", &[("bank", Arg::name(name)), ("last4", last4)])
                    }
                    None => texts().fmt("method-bank-ending", &[("last4", last4)]),
                }
            }
            Method::BankDebit { .. } => texts().get("method-bank-debit"),
            Method::Received { by, reference } => {
                let (key, with) = match by {
                    By::Cheque => ("method-cheque", "method-cheque-reference"),
                    By::Wire => ("method-wire", "method-wire-reference"),
                    By::Cash => ("method-cash", "method-cash-reference"),
                    By::Card => ("method-card-payment", "method-card-payment"),
                    By::UsBankAccount | By::SepaDebit => ("method-bank-debit", "method-bank-debit"),
                };
                match reference {
                    Some(reference) => texts().fmt(with, &[("reference", Arg::name(reference))]),
                    None => texts().get(key),
                }
            }
            Method::Credit => texts().get("method-credit"),
            Method::CreditNote { number } => {
                texts().fmt("method-credit-note", &[("number", Arg::name(number))])
            }
        }
    }
}

/// `30 Nov` in the year of `today`, `30 November 2025` in another.
pub fn near_date(chrome: &Chrome, date: Date, today: Date) -> String {
    if date.year() == today.year() { chrome.short_date(&date) } else { chrome.date(&date) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;
    use proptest::prelude::*;

    fn figures(paid: i64, pending: i64, left: i64) -> Figures {
        let money = |minor| Money::new(minor, Currency::USD);
        let total = money(paid.saturating_add(pending).saturating_add(left));
        Figures { total, paid: money(paid), credited: money(0), pending: money(pending), left: money(left) }
    }

    #[test]
    fn the_bar_leaves_out_what_is_zero() {
        assert_eq!(bar(&figures(0, 0, 0)), []);
        assert_eq!(bar(&figures(5, 0, 0)), [Segment { kind: "paid", x: 0, width: 1000 }]);
        let kinds: Vec<_> = bar(&figures(1, 0, 999_999)).iter().map(|part| (part.kind, part.width)).collect();
        assert_eq!(kinds, [("paid", 12), ("left", 982)]);
    }

    proptest! {
        #[test]
        fn the_bar_is_always_full_and_every_part_shows(paid in 0..i64::MAX / 4, pending in 0..i64::MAX / 4, left in 1..i64::MAX / 4) {
            let segments = bar(&figures(paid, pending, left));
            let last = segments.last().unwrap();
            prop_assert_eq!(last.x + last.width, 1000);
            prop_assert!(segments.iter().all(|part| part.width >= 12));
        }
    }
}
