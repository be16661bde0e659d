//! The notices of the invoice page: which of them are drawn, in which order, and in which words. It decides nothing else.

use super::{By, DrawnNotice, InvoicePage, Notice, OwnPayment, Place, too_much_for_a_card};
use crate::pages::parts::near_date;
use crate::texts::{Arg, Rich};
use billing::reversal::ReversalKind;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Money;

impl InvoicePage {
    /// At most two notices, the most urgent first.
    pub fn drawn_notices(&self) -> Vec<DrawnNotice> {
        let mut ranked: Vec<(u8, DrawnNotice)> =
            self.notices.iter().map(|notice| self.drawn(notice)).collect();
        let plain = |tone, words| DrawnNotice { tone, words, own_payment: None };
        for row in self.contested() {
            let on = ("on", Arg::text(near_date(&self.chrome, row.on, self.status.today)));
            let args = [("amount", self.chrome.amount(row.amount)), on];
            ranked.push((1, plain("flight", self.chrome.say("notice-contested", &args))));
        }
        if self.stands() && self.figures.all_in_flight() {
            ranked.push((4, plain("flight", self.chrome.say("notice-all-in-flight", &[]))));
        }
        if self.status.is_overdue() && self.can_pay() {
            let due = Arg::text(near_date(&self.chrome, self.status.due, self.status.today));
            let key = if self.form().is_some() { "notice-overdue" } else { "notice-overdue-in-full" };
            ranked.push((5, plain("late", self.chrome.say(key, &[("due", due)]))));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, drawn)| drawn).take(2).collect()
    }

    /// That money which was noted does not count, and first whether any moved.
    fn reversed_words(&self, amount: Money, kind: ReversalKind) -> Rich {
        let key = match kind {
            ReversalKind::Bounced => "notice-bounced",
            ReversalKind::EnteredWrongly => "notice-entered-wrongly",
        };
        let args = [("amount", self.chrome.amount(amount)), ("merchant", self.chrome.merchant_name())];
        self.chrome.say(key, &args)
    }

    fn drawn(&self, notice: &Notice) -> (u8, DrawnNotice) {
        let chrome = &self.chrome;
        let other = [("left", chrome.amount(self.figures.left))];
        let own = |id: &str, go_on| Some(OwnPayment { id: id.to_owned(), go_on });
        let mut own_payment = None;
        let (rank, tone, words) = match notice {
            Notice::OwnUnfinished { payment_id, amount, started_at, place } => {
                let (key, go_on) = match place {
                    Place::CardPage => ("notice-own-unfinished", Some("continue-to-card")),
                    Place::Bank => ("notice-own-unfinished-bank", None),
                    Place::Challenge => ("notice-own-challenge", Some("challenge-continue")),
                };
                own_payment = own(payment_id, go_on);
                let (on, (_, time)) = self.day_and_time(*started_at);
                let args = [("amount", chrome.amount(*amount)), ("at", time), on];
                (0, "flight", chrome.say(key, &args))
            }
            Notice::OwnNotOpened { payment_id, amount } => {
                own_payment = own(payment_id, None);
                (0, "flight", chrome.say("notice-not-opened", &[("amount", chrome.amount(*amount))]))
            }
            Notice::OwnGivingUp { payment_id, amount } => {
                own_payment = own(payment_id, None);
                (0, "flight", chrome.say("notice-giving-up", &[("amount", chrome.amount(*amount))]))
            }
            Notice::SomeoneElses { payments, amount } => {
                let some_left = self.figures.left.is_positive();
                let key = if some_left { "notice-someone-elses" } else { "notice-someone-elses-all" };
                let count = ("count", Arg::Number((*payments).into()));
                let args = [count, ("amount", chrome.amount(*amount)), other[0].clone()];
                (2, "flight", chrome.say(key, &args))
            }
            Notice::Clearing { amount, by, on, expected_on } => {
                (2, "flight", self.clearing_words(*amount, by.as_ref(), (*on, *expected_on)))
            }
            Notice::Held { amount, send_at } => {
                let (on, time) = self.day_and_time(*send_at);
                let held = chrome.words("notice-held", &[("amount", chrome.amount(*amount)), on, time]);
                (2, "flight", self.and_the_other(held))
            }
            Notice::TakenBack { amount, reason } => {
                let why = ("why", Arg::text(reason.map(|key| chrome.t(key)).unwrap_or_default()));
                (0, "late", chrome.say("notice-taken-back", &[("amount", chrome.amount(*amount)), why]))
            }
            Notice::Reversed { amount, kind } => (0, "late", self.reversed_words(*amount, *kind)),
            Notice::Checking { amount } => {
                (3, "flight", chrome.say("notice-checking", &[("amount", chrome.amount(*amount))]))
            }
            Notice::CreditUsed { amount } => {
                (0, "plain", chrome.say("notice-credit-used", &[("amount", chrome.amount(*amount))]))
            }
            Notice::NoMethod => {
                let contact = ("contact", Arg::name(&chrome.merchant.help_contact));
                (4, "plain", chrome.say("notice-no-method", &[("merchant", chrome.merchant_name()), contact]))
            }
            Notice::TooMuchForACard { most } => (4, "plain", too_much_for_a_card(chrome, *most)),
            Notice::Paused => (4, "plain", chrome.say("notice-paused", &[])),
            Notice::TooLittleForACard => {
                let args = [other[0].clone(), ("merchant", chrome.merchant_name())];
                (4, "plain", chrome.say("notice-too-little", &args))
            }
        };
        (rank, DrawnNotice { tone, words, own_payment })
    }

    /// `A bank debit of $500.00 started by Dana on 2 Nov is still clearing, usually done by 8 Nov. You can pay the other $750.00 now.`
    fn clearing_words(
        &self,
        amount: Money,
        by: Option<&By>,
        (on, expected_on): (Date, Option<Date>),
    ) -> Rich {
        let chrome = &self.chrome;
        let day = |date| Arg::text(near_date(chrome, date, self.status.today));
        let mut args = vec![("amount", chrome.amount(amount)), ("on", day(on))];
        let key = match (by.map(|by| self.by_words(by)), expected_on) {
            (Some(by), Some(until)) => {
                args.extend([("by", by), ("until", day(until))]);
                "notice-clearing-by"
            }
            (None, Some(until)) => {
                args.push(("until", day(until)));
                "notice-clearing"
            }
            (_, None) => "notice-clearing-open",
        };
        self.and_the_other(chrome.words(key, &args))
    }

    /// The day, told without its year where it is this one, and the time of day.
    pub(super) fn day_and_time(&self, at: Timestamp) -> ((&'static str, Arg), (&'static str, Arg)) {
        let day = at.to_zoned(self.chrome.merchant.zone.clone()).date();
        let day = near_date(&self.chrome, day, self.status.today);
        (("on", Arg::text(day)), ("time", Arg::text(self.chrome.clock(at))))
    }

    /// A sentence, and that the rest can be paid now.
    fn and_the_other(&self, words: String) -> Rich {
        let (chrome, left) = (&self.chrome, self.figures.left);
        let rest = left
            .is_positive()
            .then(|| chrome.words("notice-pay-the-other", &[("left", chrome.amount(left))]));
        let all = [Some(words), rest].into_iter().flatten().collect::<Vec<_>>().join(" ");
        chrome.say("as-is", &[("words", Arg::text(all))])
    }
}
