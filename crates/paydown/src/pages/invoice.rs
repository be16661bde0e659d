//! S6, S8 and S15: the invoice page, with or without a chosen amount. It shows figures it is given; it computes none.

mod notices;
mod rows;

use super::amount::AmountForm;
use super::parts::{
    Figures, Lifecycle, Method, Pill, Progress, Segment, Status, bar, near_date, trouble_pill,
};
use super::refund::RefundNote;
use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use billing::reversal::ReversalKind;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

/// `/invoices/{id}`, and the same with `?amount=` (S8).
#[derive(Template)]
#[template(path = "portal/invoice.html")]
pub struct InvoicePage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The invoice itself.
    pub invoice: Invoice,
    /// What it says about money.
    pub figures: Figures,
    /// Its status facts.
    pub status: Status,
    /// What the payer may do now.
    pub offer: Offer,
    /// The amount chosen with the pencil, already accepted by the amount rule; `None`, or all that is left, is S6.
    pub chosen: Option<Money>,
    /// The most that one card payment can carry, where more is left: it is offered until something is chosen.
    pub card_most: Option<Money>,
    /// What else must be said, in any order: the page sorts, adds what follows from the figures, and shows two.
    pub notices: Vec<Notice>,
    /// Payments on this invoice, newest first.
    pub payments: Vec<PaymentRow>,
    /// The customer's credit, for somebody who signed in; zero for most.
    pub credit: Money,
}

/// The document: who asks whom for what.
#[derive(Debug, Clone)]
pub struct Invoice {
    /// Its id, as in its address.
    pub id: String,
    /// Its number: `INV-1042`.
    pub number: String,
    /// The merchant's postal address, a line each; may be empty.
    pub from_lines: Vec<String>,
    /// The customer's name: `Acme Inc.`
    pub to_name: String,
    /// The customer's postal address, a line each; may be empty.
    pub to_lines: Vec<String>,
    /// When it was issued.
    pub issued: Date,
    /// The customer's own reference: `PO 7741`.
    pub po_number: Option<String>,
    /// The merchant's note to the payer.
    pub note: Option<String>,
    /// What it is for.
    pub lines: Vec<Line>,
    /// Sum of the lines before tax; `None` where there is no tax.
    pub net: Option<Money>,
    /// Taxes: (label such as `VAT 20%`, amount).
    pub taxes: Vec<(String, Money)>,
}

/// One row of the invoice.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is.
    pub description: String,
    /// `25 × $40.00`'s first part, in the reader's format; `None` for a quantity of one.
    pub quantity: Option<String>,
    /// Price of one.
    pub unit: Money,
    /// The line's amount before tax.
    pub amount: Money,
}

/// What the payer may do on this page.
#[derive(Debug, Clone)]
pub enum Offer {
    /// Pay any legal part or all: the pencil is there, with its form.
    AnyPart(Box<AmountForm>),
    /// Pay all that is left, as the merchant asks.
    InFull,
    /// Pay all that is left: each part would leave too little.
    AllOnly,
    /// Nothing to pay now: paid, void, all in flight, too little for a card.
    Nothing,
}

/// Something that must be said before the amount.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The payer's own payment waits for them.
    OwnUnfinished {
        /// Its id.
        payment_id: String,
        /// Its amount.
        amount: Money,
        /// When it was started.
        started_at: Timestamp,
        /// Where it waits.
        place: Place,
    },
    /// The card page of the payer's own payment did not open.
    OwnNotOpened {
        /// Its id.
        payment_id: String,
        /// Its amount.
        amount: Money,
    },
    /// The payer cancelled, and the card page is still being closed.
    OwnGivingUp {
        /// Its id.
        payment_id: String,
        /// Its amount.
        amount: Money,
    },
    /// Other people's card payments are being made.
    SomeoneElses {
        /// How many.
        payments: u32,
        /// Their amounts together.
        amount: Money,
    },
    /// A bank works on a debit.
    Clearing {
        /// Its amount.
        amount: Money,
        /// Who started it, as this reader may know.
        by: Option<By>,
        /// The day it was started.
        on: Date,
        /// When the money should be there.
        expected_on: Option<Date>,
    },
    /// A debit of a saved account is held until it is sent.
    Held {
        /// Its amount.
        amount: Money,
        /// When it is sent.
        send_at: Timestamp,
    },
    /// A bank took a payment back lately.
    TakenBack {
        /// Its amount.
        amount: Money,
        /// What is told of the reason, a key of the catalogue; only to whoever paid.
        reason: Option<&'static str>,
    },
    /// Money that was noted as received was taken off again lately.
    Reversed {
        /// Its amount.
        amount: Money,
        /// Why.
        kind: ReversalKind,
    },
    /// The answer of the processor is not known.
    Checking {
        /// Its amount.
        amount: Money,
    },
    /// The reader's company just used credit here.
    CreditUsed {
        /// How much.
        amount: Money,
    },
    /// What is left is less than a card can take.
    TooLittleForACard,
    /// More is left than a card can take, and the merchant takes no part that a card can.
    TooMuchForACard {
        /// The most that it can take.
        most: Money,
    },
    /// The merchant takes no cards, so that there is no way to pay here.
    NoMethod,
    /// Nothing can be written, so that nobody can pay.
    Paused,
}

/// Where an unfinished payment waits for its payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the card page.
    CardPage,
    /// On the bank page, or for the small deposits that prove the account. It may take days.
    Bank,
    /// At the bank of a saved card, which wants to see the payer.
    Challenge,
}

/// One payment on this invoice.
#[derive(Debug, Clone)]
pub struct PaymentRow {
    /// Its id, as in its address.
    pub id: String,
    /// How it was made.
    pub method: Method,
    /// Its share of this invoice, without any fee.
    pub amount: Money,
    /// Who made it, as this reader may know; `None` where it was the reader, or nothing is known.
    pub by: Option<By>,
    /// The day it was received, or started.
    pub on: Date,
    /// Where it stands.
    pub state: PaymentRowState,
    /// What went back of it, oldest first.
    pub refunds: Vec<RefundNote>,
}

/// Who made a payment, as far as a reader may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Somebody who signed in: `Dana`. For people of the same company.
    Person(String),
    /// Whoever had a link. For people of the same company.
    Link {
        /// To whom it was sent: `d…@acme.test`.
        masked_email: String,
    },
    /// For anyone else.
    Someone {
        /// The company that is billed: `Acme Inc.`
        company: String,
    },
}

/// Where one payment in the list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentRowState {
    /// Received; what was left on the invoice right after it.
    Received {
        /// The running balance.
        left_after: Money,
    },
    /// Credit that an earlier payment had left, set against this invoice.
    Applied {
        /// The running balance.
        left_after: Money,
    },
    /// Credit of the customer, used on this invoice.
    Used {
        /// The running balance.
        left_after: Money,
    },
    /// A credit note.
    Credited {
        /// The running balance.
        left_after: Money,
    },
    /// The merchant moved it here from another invoice, or away.
    Moved {
        /// The running balance.
        left_after: Money,
        /// True where it came here.
        here: bool,
    },
    /// Received, and the card's bank looks into it; what was left on the invoice right after it.
    Contested {
        /// The running balance.
        left_after: Money,
    },
    /// Being made: the card page is open.
    Started,
    /// A debit of a saved account is held until it is sent.
    Held {
        /// When it is sent.
        send_at: Timestamp,
    },
    /// A bank works on it.
    Clearing {
        /// When the money should be there.
        expected_on: Option<Date>,
    },
    /// It was received, and the bank took it back.
    TakenBack {
        /// The day.
        on: Date,
    },
    /// It was noted as received, and taken off again.
    Reversed {
        /// The day.
        on: Date,
        /// Why.
        kind: ReversalKind,
    },
    /// The answer is not known.
    Checking,
    /// It ended without money: declined, cancelled, expired.
    NotCompleted,
}

/// The reader's own payment in a notice.
pub struct OwnPayment {
    /// Its id.
    pub id: String,
    /// What leads on to where it waits, a key of the catalogue; otherwise its own page says more.
    pub go_on: Option<&'static str>,
}

/// A notice as it is drawn.
pub struct DrawnNotice {
    /// `flight`, `late` or `plain`: its tint.
    pub tone: &'static str,
    /// The sentence.
    pub words: Rich,
    /// The reader's own payment, which may be cancelled.
    pub own_payment: Option<OwnPayment>,
}

/// Why nothing can be paid by card though much is left, and whom to ask.
pub fn too_much_for_a_card(chrome: &Chrome, most: Money) -> Rich {
    let contact = ("contact", Arg::name(&chrome.merchant.help_contact));
    let args = [("merchant", chrome.merchant_name()), contact, ("most", chrome.amount(most))];
    chrome.say("notice-too-much", &args)
}

impl InvoicePage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let number = Arg::name(&self.invoice.number);
        let due = Arg::text(self.chrome.date(&self.status.due));
        let left = self.chrome.amount(self.figures.left);
        match (self.chosen_part(), self.can_pay()) {
            (Some(amount), _) => self.chrome.words(
                "invoice-title-part",
                &[("number", number), ("amount", self.chrome.amount(amount)), ("left", left)],
            ),
            (None, true) => {
                self.chrome.words("invoice-title-left", &[("number", number), ("left", left), ("due", due)])
            }
            (None, false) => {
                let status = self.pills().into_iter().map(|pill| pill.text).collect::<Vec<_>>().join(", ");
                self.chrome
                    .words("invoice-title-status", &[("number", number), ("status", Arg::text(status))])
            }
        }
    }

    /// The invoice's address.
    pub fn at(&self) -> String {
        format!("{}/invoices/{}", self.chrome.base(), self.invoice.id)
    }

    /// `Invoice INV-1042`.
    pub fn heading(&self) -> Rich {
        self.chrome.say("invoice-heading", &[("number", Arg::name(&self.invoice.number))])
    }

    /// The chosen amount when it is really a part (S8).
    pub fn chosen_part(&self) -> Option<Money> {
        self.chosen.filter(|chosen| self.can_pay() && *chosen != self.figures.left)
    }

    /// What the button pays when it is less than all that is left: what was chosen, else the most that a card can carry.
    pub fn part(&self) -> Option<Money> {
        self.chosen_part().or(self.card_most.filter(|_| self.can_pay()))
    }

    /// True where all that is left may be paid instead of the chosen part.
    pub fn can_pay_all(&self) -> bool {
        self.part().is_some() && self.card_most.is_none()
    }

    /// `A card payment can be at most $999,999.99.`
    pub fn card_most_words(&self) -> Option<Rich> {
        let most = self.card_most.filter(|_| self.can_pay())?;
        Some(self.chrome.say("card-at-most", &[("most", self.chrome.amount(most))]))
    }

    /// True when there is something to pay now and a way to pay it.
    pub fn can_pay(&self) -> bool {
        !matches!(self.offer, Offer::Nothing) && self.figures.left.is_positive()
    }

    /// The pencil's form, where a part may be paid.
    pub fn form(&self) -> Option<&AmountForm> {
        match &self.offer {
            Offer::AnyPart(form) if self.can_pay() => Some(form.as_ref()),
            _ => None,
        }
    }

    /// True when the merchant takes this invoice in full only.
    pub fn in_full_only(&self) -> bool {
        matches!(self.offer, Offer::InFull) && self.can_pay()
    }

    /// Status words: how far it has come, when it is due, and the bank's trouble with a payment of it.
    pub fn pills(&self) -> Vec<Pill> {
        let is_back = |notice: &Notice| {
            matches!(notice, Notice::TakenBack { .. } | Notice::Reversed { kind: ReversalKind::Bounced, .. })
        };
        let came_back = self.notices.iter().any(is_back);
        let trouble = match (came_back, self.contested().next()) {
            (true, _) => Some("status-returned"),
            (false, Some(_)) => Some("status-in-dispute"),
            (false, None) => None,
        };
        self.status.pills().into_iter().chain(trouble.map(trouble_pill)).collect()
    }

    /// Payments that the card's bank looks into.
    fn contested(&self) -> impl Iterator<Item = &PaymentRow> {
        self.payments.iter().filter(|row| matches!(row.state, PaymentRowState::Contested { .. }))
    }

    /// The bar's parts; none while nothing is paid or in progress.
    pub fn segments(&self) -> Vec<Segment> {
        if self.figures.untouched() || !self.stands() { Vec::new() } else { bar(&self.figures) }
    }

    /// True unless the invoice was cancelled.
    pub fn stands(&self) -> bool {
        !matches!(self.status.lifecycle, Lifecycle::Void { .. })
    }

    /// The label above the figure.
    pub fn label(&self) -> String {
        self.chrome.t(if self.figures.untouched() { "amount-due" } else { "left-to-pay" })
    }

    /// `due 30 November 2026`.
    pub fn due_line(&self) -> Rich {
        let key = if self.status.is_overdue() { "was-due-on" } else { "due-by" };
        self.chrome.say(key, &[("due", Arg::text(self.chrome.date(&self.status.due)))])
    }

    /// What stays when the chosen part is paid.
    pub fn left_after(&self, part: &Money) -> Money {
        self.figures.left.checked_sub(*part).unwrap_or(Money::zero(part.currency()))
    }

    /// `You are paying $500.00 of $1,250.00` without the first figure, which is drawn large.
    pub fn of_left(&self) -> Rich {
        self.chrome.say("paying-of", &[("left", self.chrome.amount(self.figures.left))])
    }

    /// The primary button's words.
    pub fn pay_words(&self) -> String {
        match self.part() {
            Some(part) if self.form().is_some() => {
                self.chrome.words("pay-part", &[("amount", self.chrome.amount(part))])
            }
            Some(all) => self.chrome.words("pay-amount", &[("amount", self.chrome.amount(all))]),
            None => self.chrome.words("pay-amount", &[("amount", self.chrome.amount(self.figures.left))]),
        }
    }

    /// `Pay the full $1,250.00 instead`.
    pub fn pay_all_words(&self) -> String {
        self.chrome.words("pay-all-instead", &[("amount", self.chrome.amount(self.figures.left))])
    }

    /// What the status region says when the payer comes back from choosing.
    pub fn chosen_words(&self, part: &Money) -> String {
        let left = self.chrome.amount(self.left_after(part));
        self.chrome.words("amount-chosen", &[("amount", self.chrome.amount(*part)), ("left", left)])
    }

    /// What stands in the card's place when the invoice is done with.
    pub fn ended_words(&self) -> Option<Rich> {
        if let Lifecycle::Void { on } = self.status.lifecycle {
            let on = Arg::text(near_date(&self.chrome, on, self.status.today));
            return Some(
                self.chrome.say("invoice-void", &[("merchant", self.chrome.merchant_name()), ("on", on)]),
            );
        }
        if self.can_pay() || self.figures.all_in_flight() {
            return None;
        }
        match (self.status.progress, self.status.lifecycle) {
            (Progress::Paid, _) => Some(match self.paid_on() {
                Some(on) => self.chrome.say("paid-in-full-on", &[("on", Arg::text(on))]),
                None => self.chrome.say("paid-in-full", &[]),
            }),
            (Progress::NothingDue, _) => Some(self.chrome.say("nothing-due", &[])),
            (Progress::Credited, _) => Some(self.chrome.say_merchant("invoice-credited")),
            (_, Lifecycle::WrittenOff) => Some(self.chrome.say_merchant("invoice-written-off")),
            _ => None,
        }
    }

    fn paid_on(&self) -> Option<String> {
        let pays = |row: &&PaymentRow| {
            self.has_receipt(row)
                || matches!(
                    row.state,
                    PaymentRowState::Used { .. } | PaymentRowState::Moved { here: true, .. }
                )
        };
        let last = self.payments.iter().filter(pays).map(|row| row.on).max()?;
        Some(near_date(&self.chrome, last, self.status.today))
    }

    fn by_words(&self, by: &By) -> Arg {
        match by {
            By::Person(name) => Arg::name(name),
            By::Link { masked_email } => {
                Arg::text(self.chrome.words("payment-by-link", &[("email", Arg::text(masked_email))]))
            }
            By::Someone { company } => {
                Arg::text(self.chrome.words("payment-by-someone", &[("company", Arg::name(company))]))
            }
        }
    }

    /// An amount that was taken off, with its minus sign.
    pub fn less(&self, money: &Money) -> String {
        self.chrome.money(Money::new(-money.minor(), money.currency()))
    }
}
