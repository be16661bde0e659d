//! Disputes of card payments: several of one payment, seen late, lost, absorbed, and won after all.

use super::{Booked, Cause, Dispute, World};
use billing::chart::{self, Processor};
use billing::dispute::{DisputePosting, DisputeState, Withdrawn};
use billing::ids::DisputeId;
use billing::payment::Step;
use billing::take_back::{Taken, TakenWithRest};
use ledger::Money;
use rand::RngExt;

impl World {
    pub fn hear_of_dispute(&mut self) -> Result<(), String> {
        if self.chance(40) {
            return self.open_dispute();
        }
        let may_move = |at: &usize| !self.disputes[*at].state().next().is_empty();
        let waiting: Vec<usize> = (0..self.disputes.len()).filter(may_move).collect();
        let Some(at) = self.one_of(&waiting) else { return Ok(()) };
        let said = DisputeState::ALL[self.rng.random_range(0..DisputeState::ALL.len())];
        let before = self.disputes[at].state();
        if before.step(said) != Step::Move {
            return Ok(());
        }
        self.disputes[at].history.push(said);
        self.post_dispute(at, before.postings(said))
    }

    fn open_dispute(&mut self) -> Result<(), String> {
        let may = |at: &usize| {
            let booked = &self.booked[*at];
            let is_card = booked.payment.is_some_and(|payment| !self.payments[payment].is_debit);
            is_card && self.not_disputed_minor(*at) > 0
        };
        let candidates: Vec<usize> = (0..self.booked.len()).filter(may).collect();
        let Some(booked) = self.one_of(&candidates) else { return Ok(()) };
        let most = self.not_disputed_minor(booked);
        let minor = if self.chance(50) { most } else { self.rng.random_range(1..=most) };
        let first = match self.rng.random_range(0..10) {
            0..3 => DisputeState::Inquiry,
            3..9 => DisputeState::NeedsResponse,
            _ => DisputeState::Lost,
        };
        if self.booked[booked].charge.refunded_minor > 0 {
            self.saw("dispute after a refund");
        }
        if self.booked[booked].surcharge_minor > 0 {
            self.saw("dispute with surcharge");
        }
        let id = DisputeId::from_bytes(self.new_id());
        let amount = Money::new(minor, self.booked[booked].currency);
        let (taken, history) = (Taken::default(), vec![first]);
        self.disputes.push(Dispute { id, booked, amount, taken, loss_minor: 0, history });
        self.post_dispute(self.disputes.len() - 1, first.postings_when_first_seen())
    }

    /// What of a capture nobody has disputed yet, lost disputes included.
    fn not_disputed_minor(&self, at: usize) -> i64 {
        let of_it = self.disputes.iter().filter(|dispute| dispute.booked == at);
        let claimed = of_it.filter(|dispute| dispute.state() != DisputeState::Won);
        let claimed: i64 = claimed.map(|dispute| dispute.amount.minor()).sum();
        self.booked[at].charge.captured_minor - claimed
    }

    fn post_dispute(&mut self, at: usize, postings: &[DisputePosting]) -> Result<(), String> {
        let Dispute { id, booked, amount, .. } = self.disputes[at];
        let Booked { id: payment, .. } = self.booked[booked];
        for due in postings {
            let cause = Cause::Dispute(id, *due);
            match due {
                DisputePosting::Opened => {
                    self.post(cause, chart::dispute_opened(id, Processor::Stripe, amount).unwrap())?;
                }
                DisputePosting::Won => {
                    self.saw("dispute won");
                    self.post(cause, chart::dispute_won(id, Processor::Stripe, amount).unwrap())?;
                }
                DisputePosting::Lost => {
                    self.booked[booked].charge.charged_back_minor += amount.minor();
                    let posting = self.lose(at);
                    self.post_of(payment, cause, posting)?;
                }
                DisputePosting::WonAfterLost => {
                    self.saw("dispute won after it was lost");
                    self.booked[booked].charge.charged_back_minor -= amount.minor();
                    let posting = self.win_after_all(at);
                    self.post_of(payment, cause, posting)?;
                }
            }
            self.sync(booked);
        }
        Ok(())
    }

    fn lose(&mut self, at: usize) -> ledger::Posting {
        let Dispute { id, booked, amount, .. } = self.disputes[at];
        if self.chance(30) {
            self.saw("absorbed loss");
            self.disputes[at].loss_minor = amount.minor();
            return chart::dispute_absorbed(id, amount).unwrap();
        }
        let left = self.left(booked);
        let at_most =
            if self.rules.caps_losses { amount.minor() } else { amount.minor().max(left.total_minor()) };
        let lost = left.take_up_to(at_most);
        self.take_from(booked, &lost.taken);
        self.saw("lost dispute");
        if lost.rest_minor > 0 {
            self.saw("lost dispute of more than is left");
        }
        let posting = chart::dispute_lost(&self.paid(booked), id, &lost).unwrap();
        let TakenWithRest { taken, rest_minor } = lost;
        (self.disputes[at].taken, self.disputes[at].loss_minor) = (taken, rest_minor);
        posting
    }

    fn win_after_all(&mut self, at: usize) -> ledger::Posting {
        let Dispute { id, booked, loss_minor, .. } = self.disputes[at];
        let taken = std::mem::take(&mut self.disputes[at].taken);
        self.disputes[at].loss_minor = 0;
        let given = taken
            .won_after_lost(|invoice| self.invoices[self.invoice_at(invoice)].figures.payable_now().minor());
        let grants = self.give_to(booked, &given);
        let paid = self.paid(booked);
        chart::dispute_won_after_lost(&paid, id, Processor::Stripe, loss_minor, &given, &grants).unwrap()
    }

    /// What open disputes hold, minor units of a payment's currency.
    pub fn held_minor(&self, dispute: &Dispute) -> i64 {
        let is_held = dispute.state().withdrawn() == Withdrawn::Held;
        if is_held { dispute.amount.minor() } else { 0 }
    }
}
