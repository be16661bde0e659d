//! S12 and S13: one payment, waiting or ended. The same address for ever; its state decides what it says. It never shows a
//! failure that the processor has not stated.

mod ways_on;

pub use ways_on::WayOn;

use super::parts::{charged, near_date};
use super::refund::RefundNote;
use super::verification::Verification;
use super::{Chrome, Viewer};
use crate::texts::{Arg, Rich};
use askama::Template;
use billing::reversal::ReversalKind;
use jiff::civil::Date;
use ledger::{Money, MoneyError};

/// `/payments/{id}`.
#[derive(Template)]
#[template(path = "portal/payment.html")]
pub struct PaymentPage {
    /// What surrounds the page.
    pub chrome: Chrome,
    /// The payment's id, as in its address.
    pub id: String,
    /// Its short reference: `PAY-7F3K-2Q`.
    pub reference: String,
    /// Its amount for the invoice, without any fee.
    pub amount: Money,
    /// The fee on top; `None` where there is none.
    pub fee: Option<Money>,
    /// The invoice it is for.
    pub invoice_id: String,
    /// That invoice's number.
    pub number: String,
    /// What this payment left on that invoice, once it was received; a payment after it does not change that.
    pub after: Option<Money>,
    /// Payable now on that invoice.
    pub left: Money,
    /// What payments of that invoice have reserved.
    pub in_progress: Money,
    /// That invoice's due date.
    pub due: Date,
    /// Today, in the merchant's zone.
    pub today: Date,
    /// The bank account it is debited from, where it is one.
    pub debit: Option<Debit>,
    /// How it stands.
    pub outcome: Outcome,
    /// What a dispute at the card's bank has to do with a payment that was received.
    pub contest: Option<Contest>,
    /// What went back of it, oldest first.
    pub refunds: Vec<RefundNote>,
    /// True when a part of the invoice may be paid, so that a smaller amount can be offered.
    pub may_pay_less: bool,
    /// True when the payer pressed Pay twice and only one payment was made.
    pub pressed_twice: bool,
    /// Until when it is held, where it is.
    pub held: Option<Held>,
    /// True where a saved card or account is charged, so that there is no page of the processor's.
    pub is_charge: bool,
    /// True when the payer pressed Stop after the cut-off.
    pub stopped_too_late: bool,
    /// How the proof by small deposits stands, where the account has to be proved first.
    pub verification: Option<Verification>,
}

/// A debit that is held until the cut-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The day it is sent.
    pub on: Date,
    /// `16:00 Pacific time`.
    pub time: String,
    /// By when it usually arrives.
    pub until: Option<Date>,
    /// True for whoever started it.
    pub may_stop: bool,
}

/// What a dispute at the card's bank has to do with a payment that was received and still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contest {
    /// The bank looks into it.
    Open,
    /// The bank gave a part of it back.
    PartBack(Money),
}

impl Contest {
    /// It in a sentence.
    pub fn words(&self, chrome: &Chrome) -> Rich {
        match self {
            Contest::Open => chrome.say("contested", &[]),
            Contest::PartBack(part) => chrome.say("contested-part-back", &[("part", chrome.amount(*part))]),
        }
    }
}

/// What is told of a bank debit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debit {
    /// The last four digits of the account, once they are known.
    pub last4: Option<String>,
    /// When the money should be there.
    pub expected_on: Option<Date>,
    /// What the payer agreed to, for the payer alone.
    pub agreement: Option<String>,
    /// What is told of the bank's reason, a key of the catalogue; only to whoever started the payment.
    pub reason: Option<&'static str>,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No answer yet.
    Waiting {
        /// True after two minutes.
        long: bool,
    },
    /// The card page could not be opened, so nobody can have paid on it.
    NotOpened,
    /// The payer gave it up, and the processor has not confirmed that yet.
    GivingUp,
    /// The card page is open and waits for the payer.
    Unfinished,
    /// Somebody else is making it right now.
    SomeoneElses,
    /// Somebody else started it, and it ended without money. Why is theirs to know.
    SomeoneElsesEnded,
    /// A debit of a saved account is held until the cut-off.
    Held,
    /// A debit was stopped before it was sent.
    Stopped,
    /// The bank works on a debit.
    DebitBegun,
    /// The bank did not pay a debit.
    DebitFailed,
    /// Received.
    Succeeded,
    /// Received, and taken back by the bank afterwards.
    TakenBack,
    /// Noted as received, and taken off again.
    Reversed {
        /// Why.
        kind: ReversalKind,
    },
    /// Received, contested at the card's bank, and given back by it.
    ChargedBack,
    /// Received in another currency than was asked for, which a person has to sort out.
    OtherCurrency {
        /// What was taken.
        taken: Money,
    },
    /// The bank refused the last try. The card page may still be open.
    Declined {
        /// Why, as far as it is told.
        reason: Decline,
        /// True while the card page of this payment is still open for another try.
        page_open: bool,
    },
    /// The payer came back without paying.
    Cancelled,
    /// The card page closed by itself.
    Expired,
    /// We refused it: limits, risk.
    RefusedByUs {
        /// What to quote: `CHK-12`.
        quote: String,
    },
    /// The processor's answer is not known.
    Unknown,
}

/// Why a bank refused, in the words a payer may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decline {
    /// Not enough money.
    NotEnoughMoney,
    /// The card has expired.
    CardExpired,
    /// The security code was wrong.
    WrongCode,
    /// Over the card's limit.
    OverLimit,
    /// The check with the bank failed or was refused.
    NotConfirmed,
    /// The check with the bank was left.
    LeftTheCheck,
    /// Do not honour, lost, stolen, fraud: nothing more is said.
    NotSaid,
    /// The card network failed.
    NetworkProblem,
}

impl Decline {
    fn key(self) -> &'static str {
        match self {
            Decline::NotEnoughMoney => "decline-not-enough-money",
            Decline::CardExpired => "decline-card-expired",
            Decline::WrongCode => "decline-wrong-code",
            Decline::OverLimit => "decline-over-limit",
            Decline::NotConfirmed => "decline-not-confirmed",
            Decline::LeftTheCheck => "decline-left-the-check",
            Decline::NotSaid => "decline-not-said",
            Decline::NetworkProblem => "decline-network",
        }
    }
}

impl PaymentPage {
    /// The page's title, without the merchant.
    pub fn title(&self) -> String {
        let heading = Arg::text(self.heading());
        self.chrome.words("payment-title", &[("heading", heading), ("number", Arg::name(&self.number))])
    }

    /// The outcome in two to five words.
    pub fn heading(&self) -> String {
        if let Some(verification) = self.proof() {
            return verification.heading(&self.chrome);
        }
        self.chrome.t(match self.outcome {
            Outcome::Waiting { .. } => "waiting-heading",
            Outcome::NotOpened if self.debit.is_some() => "not-opened-heading-bank",
            Outcome::NotOpened => "not-opened-heading",
            Outcome::Held => "held-heading",
            Outcome::Stopped => "stopped-heading",
            Outcome::Unfinished if self.is_charge => "challenge-heading",
            Outcome::DebitBegun => "debit-begun-heading",
            Outcome::DebitFailed if self.bank_reason().is_none() => "debit-failed-heading-other",
            Outcome::DebitFailed => "debit-failed-heading",
            Outcome::TakenBack if self.bank_reason().is_none() => "taken-back-heading-other",
            Outcome::TakenBack => "taken-back-heading",
            Outcome::Reversed { kind: ReversalKind::Bounced } => "bounced-heading",
            Outcome::Reversed { kind: ReversalKind::EnteredWrongly } => "entered-wrongly-heading",
            Outcome::ChargedBack => "charged-back-heading",
            Outcome::GivingUp => "result-cancelled",
            Outcome::Unfinished => "unfinished-heading",
            Outcome::SomeoneElses => "someone-elses-heading",
            Outcome::SomeoneElsesEnded => "someone-elses-ended-heading",
            Outcome::Succeeded if self.is_full() => "paid-in-full",
            Outcome::Succeeded | Outcome::OtherCurrency { .. } => "result-received",
            Outcome::Declined { reason: Decline::LeftTheCheck, .. } => "result-left-the-check",
            Outcome::Declined { .. } => "result-declined",
            Outcome::Cancelled => "result-cancelled",
            Outcome::Expired => "result-expired",
            Outcome::RefusedByUs { .. } => "result-refused",
            Outcome::Unknown => "result-unknown",
        })
    }

    /// How the proof of the account stands, where the payment waits for it or ended with it.
    fn proof(&self) -> Option<&Verification> {
        let counts = matches!(
            self.outcome,
            Outcome::Unfinished
                | Outcome::DebitFailed
                | Outcome::Declined { .. }
                | Outcome::Cancelled
                | Outcome::Expired
        );
        self.verification.as_ref().filter(|_| counts)
    }

    /// The sentences under it.
    pub fn sentences(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        if let Some(verification) = self.proof() {
            return vec![verification.words(chrome)];
        }
        let amount = ("amount", chrome.amount(self.amount));
        let number = ("number", Arg::name(&self.number));
        let left = ("left", chrome.amount(self.left));
        let say = |key| chrome.say(key, &[]);
        let mut sentences = match &self.outcome {
            Outcome::Waiting { .. } => Vec::new(),
            Outcome::Unfinished if self.is_charge => vec![
                say("no-money-taken"),
                chrome.say("challenge", &[amount, ("merchant", chrome.merchant_name())]),
            ],
            Outcome::Unfinished => {
                vec![chrome.say(self.key("unfinished"), &[amount]), say("no-money-taken")]
            }
            Outcome::Held => self.held_words(),
            Outcome::Stopped => {
                vec![chrome.say("stopped", &[amount]), chrome.say("result-still-left", &[number, left])]
            }
            Outcome::DebitBegun => self.begun(),
            Outcome::DebitFailed => {
                let still = chrome.say("result-still-left", &[number, left]);
                [Some(say("no-money-taken")), self.bank_reason().map(say), Some(still)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Outcome::TakenBack => {
                let back = chrome.say("taken-back", &[amount, left, number]);
                [Some(back), self.bank_reason().map(say)].into_iter().flatten().collect()
            }
            Outcome::Reversed { kind } => {
                let key = match kind {
                    ReversalKind::Bounced => "bounced",
                    ReversalKind::EnteredWrongly => "entered-wrongly",
                };
                let merchant = ("merchant", chrome.merchant_name());
                let words = chrome.say(key, &[amount, number.clone(), merchant]);
                vec![words, chrome.say("result-still-left", &[number, left])]
            }
            Outcome::ChargedBack => self.charged_back(),
            Outcome::NotOpened => {
                vec![say("no-money-taken"), chrome.say("not-opened", &[amount, number])]
            }
            Outcome::GivingUp => vec![say("no-money-taken"), chrome.say(self.key("giving-up"), &[amount])],
            Outcome::SomeoneElses => vec![chrome.say("notice-someone-elses-now", &[amount])],
            Outcome::SomeoneElsesEnded => {
                vec![say("no-money-taken"), chrome.say("result-still-left", &[number, left])]
            }
            Outcome::Succeeded => self.received(),
            Outcome::OtherCurrency { taken } => self.in_other_currency(*taken),
            Outcome::Declined { reason, .. } => self.declined(*reason),
            Outcome::Cancelled => {
                vec![say("no-money-taken"), chrome.say("result-still-left", &[number, left])]
            }
            Outcome::Expired => vec![say("no-money-taken"), chrome.say("result-still-left", &[number, left])],
            Outcome::RefusedByUs { quote } => vec![
                say("no-money-taken"),
                chrome
                    .say("result-ask", &[("merchant", chrome.merchant_name()), ("quote", Arg::name(quote))]),
            ],
            Outcome::Unknown => vec![chrome.say("waiting-shows", &[number, amount])],
        };
        self.add_besides(&mut sentences);
        sentences
    }

    /// What went back of it, in a sentence.
    pub fn refund_words(&self, refund: &RefundNote) -> Rich {
        refund.words_near(&self.chrome, self.today)
    }

    /// What is said besides how it stands.
    fn add_besides(&self, sentences: &mut Vec<Rich>) {
        let chrome = &self.chrome;
        if self.succeeded() {
            sentences.extend(self.contest.map(|contest| contest.words(chrome)));
        }
        if self.stopped_too_late && self.outcome != Outcome::Stopped {
            let time = self.held.as_ref().map_or_else(String::new, |held| held.time.clone());
            sentences.insert(0, chrome.say("stop-too-late", &[("time", Arg::text(time))]));
        }
        if self.pressed_twice && self.succeeded() {
            sentences.push(chrome.say("pressed-twice", &[]));
        }
    }

    fn charged_back(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        let number = ("number", Arg::name(&self.number));
        let back = chrome.say("charged-back", &[("amount", chrome.amount(self.amount)), number.clone()]);
        let open = Some(self.open()).filter(|open| open.is_positive());
        let left = open.map(|open| chrome.say("charged-back-left", &[("left", chrome.amount(open)), number]));
        [Some(back), left].into_iter().flatten().collect()
    }

    fn in_other_currency(&self, taken: Money) -> Vec<Rich> {
        let chrome = &self.chrome;
        let amount = ("amount", chrome.amount(self.amount));
        let taken = ("taken", chrome.amount(taken));
        let reference = ("reference", Arg::name(&self.reference));
        let ask = [("merchant", chrome.merchant_name()), reference];
        vec![
            chrome.say("result-other-currency", &[taken, amount, ("number", Arg::name(&self.number))]),
            chrome.say("result-other-currency-ask", &ask),
        ]
    }

    fn declined(&self, reason: Decline) -> Vec<Rich> {
        let say = |key| self.chrome.say(key, &[]);
        let key = match reason {
            Decline::OverLimit if !self.may_pay_less => "decline-over-limit-whole",
            reason => reason.key(),
        };
        let ways = if self.may_pay_less { "result-three-ways" } else { "result-two-ways" };
        vec![say("no-money-taken"), say(key), say(ways)]
    }

    fn bank_reason(&self) -> Option<&'static str> {
        self.debit.as_ref()?.reason
    }

    /// The words for a page of a card, or those for a page of a bank.
    fn key(&self, card: &'static str) -> &'static str {
        match (card, self.debit.is_some()) {
            ("unfinished", true) => "unfinished-bank",
            ("giving-up", true) => "giving-up-bank",
            ("giving-up-waits", true) => "giving-up-waits-bank",
            ("continue-to-card", true) => "continue-to-bank",
            _ => card,
        }
    }

    /// When a debit that is held is sent, and when it arrives.
    fn held_words(&self) -> Vec<Rich> {
        let (chrome, Some(held)) = (&self.chrome, &self.held) else { return Vec::new() };
        let last4 = self.debit.as_ref().and_then(|debit| debit.last4.clone()).unwrap_or_default();
        let until = held.until.map(|until| near_date(chrome, until, self.today)).unwrap_or_default();
        vec![chrome.say(
            "held",
            &[
                ("amount", chrome.amount(self.amount)),
                ("number", Arg::name(&self.number)),
                ("last4", Arg::text(last4)),
                ("on", Arg::text(near_date(chrome, held.on, self.today))),
                ("time", Arg::text(held.time.clone())),
                ("until", Arg::text(until)),
            ],
        )]
    }

    /// `Stop this payment (until 16:00 Pacific time today)`, while the payer can.
    pub fn stop_words(&self) -> Option<String> {
        let held = self.held.as_ref().filter(|held| held.may_stop && self.outcome == Outcome::Held)?;
        let day = if held.on == self.today { "today" } else { "other" };
        let on = ("on", Arg::text(near_date(&self.chrome, held.on, self.today)));
        let args = [("time", Arg::text(held.time.clone())), ("day", Arg::text(day)), on];
        Some(self.chrome.words("stop-payment", &args))
    }

    /// That a debit is on its way: nothing is paid yet.
    fn begun(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        let args = [("amount", chrome.amount(self.amount)), ("number", Arg::name(&self.number))];
        let known = self.debit.as_ref().and_then(|debit| debit.last4.clone().zip(debit.expected_on));
        let first = match known {
            Some((last4, until)) => {
                let until = ("until", Arg::text(near_date(chrome, until, self.today)));
                let args: Vec<_> = args.into_iter().chain([("last4", Arg::text(last4)), until]).collect();
                chrome.say("debit-begun", &args)
            }
            None => chrome.say("debit-begun-open", &args),
        };
        vec![first, chrome.say("debit-cannot-be-stopped", &[])]
    }

    /// What was received and what it left, which no later payment changes; what came since is said apart.
    fn received(&self) -> Vec<Rich> {
        let chrome = &self.chrome;
        let amount = ("amount", chrome.amount(self.amount));
        let number = || ("number", Arg::name(&self.number));
        let after = self.after.unwrap_or(self.left);
        if after.is_zero() {
            return vec![chrome.say("result-full", &[number(), amount])];
        }
        let open = self.open();
        if open == after && self.left.is_zero() {
            let more = ("more", chrome.amount(self.in_progress));
            return vec![chrome.say("result-rest-on-its-way", &[number(), amount, more])];
        }
        let due = ("due", Arg::text(near_date(chrome, self.due, self.today)));
        let key = if self.due < self.today { "result-part-overdue" } else { "result-part" };
        let left = ("left", chrome.amount(after));
        let since = if open == after {
            chrome.say("result-stays", &[])
        } else if open.is_positive() {
            chrome.say("result-since", &[number(), ("now", chrome.amount(open))])
        } else {
            chrome.say("result-since-full", &[number()])
        };
        vec![chrome.say(key, &[amount, left, number(), due]), since]
    }

    /// Left to pay and in progress together: what is still owed.
    fn open(&self) -> Money {
        self.left.checked_add(self.in_progress).unwrap_or(self.left)
    }

    fn is_full(&self) -> bool {
        self.after.unwrap_or(self.left).is_zero()
    }

    /// What the card is charged: the amount and the fee. `None` where there is no fee.
    pub fn charged(&self) -> Result<Option<Money>, MoneyError> {
        self.fee.map(|fee| charged(self.amount, fee)).transpose()
    }

    /// What that is called: it comes from a card or from an account.
    pub fn charged_label(&self) -> String {
        self.chrome.t(if self.debit.is_some() { "debited" } else { "charged" })
    }

    /// True while the payer may cancel it, and no other way on says so.
    pub fn may_cancel(&self) -> bool {
        matches!(self.outcome, Outcome::Unfinished | Outcome::NotOpened) && !self.is_charge
    }

    /// The one sentence that changes while waiting. The script asks `/payments/{id}/state` for it, and is answered with
    /// JSON: `{"state": poll_state(), "words": waiting_words()}`.
    pub fn waiting_words(&self) -> Option<String> {
        match self.outcome {
            Outcome::Waiting { long: false } => Some(self.chrome.t("waiting")),
            Outcome::Waiting { long: true } => Some(self.chrome.words(
                "waiting-long",
                &[("number", Arg::name(&self.number)), ("amount", self.chrome.amount(self.amount))],
            )),
            Outcome::GivingUp => Some(self.chrome.t(self.key("giving-up-waits"))),
            Outcome::Unknown => {
                Some(self.chrome.words("notice-checking", &[("amount", self.chrome.amount(self.amount))]))
            }
            _ => None,
        }
    }

    /// The state as the poll's answer names it: the page reloads once it differs.
    pub fn poll_state(&self) -> &'static str {
        match self.outcome {
            Outcome::Waiting { .. } => "waiting",
            Outcome::NotOpened => "not_opened",
            Outcome::GivingUp => "giving_up",
            Outcome::Unfinished => "unfinished",
            Outcome::SomeoneElses => "someone_elses",
            Outcome::SomeoneElsesEnded => "someone_elses_ended",
            Outcome::Held => "held",
            Outcome::Stopped => "stopped",
            Outcome::DebitBegun => "debit_begun",
            Outcome::DebitFailed => "debit_failed",
            Outcome::TakenBack => "taken_back",
            Outcome::Reversed { .. } => "reversed",
            Outcome::ChargedBack => "charged_back",
            Outcome::Succeeded | Outcome::OtherCurrency { .. } => "succeeded",
            Outcome::Declined { .. } => "declined",
            Outcome::Cancelled => "cancelled",
            Outcome::Expired => "expired",
            Outcome::RefusedByUs { .. } => "refused",
            Outcome::Unknown => "unknown",
        }
    }

    /// True when money arrived, so that there is a receipt.
    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Succeeded
    }

    /// Its address.
    pub fn at(&self) -> String {
        format!("{}/payments/{}", self.chrome.base(), self.id)
    }

    /// The invoice's address.
    pub fn invoice_url(&self) -> String {
        format!("{}/invoices/{}", self.chrome.base(), self.invoice_id)
    }
}
