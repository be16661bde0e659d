//! Payouts of what the processor holds, in both directions, converted, failed before and after they were paid.

use super::{Cause, Payout, World};
use billing::chart::{self, Processor};
use billing::ids::PayoutId;
use billing::payment::Step;
use billing::payout::{PayoutPosting, PayoutState, reconcile};
use ledger::{Currency, Money, Posting, PostingError};
use rand::RngExt;

impl World {
    pub fn hear_of_payout(&mut self) -> Result<(), String> {
        if self.chance(40) {
            return self.make_payout();
        }
        let may_move = |at: &usize| !self.payouts[*at].state().next().is_empty();
        let waiting: Vec<usize> = (0..self.payouts.len()).filter(may_move).collect();
        let Some(at) = self.one_of(&waiting) else { return Ok(()) };
        let next = self.payouts[at].state().next();
        let all = if self.chance(70) && !next.is_empty() { next } else { &PayoutState::ALL[..] };
        let said = all[self.rng.random_range(0..all.len())];
        let before = self.payouts[at].state();
        if before.step(said) != Step::Move {
            return Ok(());
        }
        if said == PayoutState::Failed {
            let was_paid = before == PayoutState::Paid;
            self.saw(if was_paid { "payout failed after it was paid" } else { "payout failed" });
        }
        self.payouts[at].history.push(said);
        self.post_payout(at, before.postings(said))
    }

    fn make_payout(&mut self) -> Result<(), String> {
        let currency = if self.chance(50) { Currency::USD } else { Currency::EUR };
        let mut items = self.items.remove(&currency).unwrap_or_default();
        let later = items.split_off(items.len() - items.len() / 4);
        self.items.insert(currency, later);
        let amounts: Vec<i64> =
            items.iter().map(|at| self.postings[*at].net_debit_minor(chart::CLEARING)).collect();
        let sum: i64 = amounts.iter().sum();
        if sum == 0 {
            return Ok(());
        }
        reconcile(sum, amounts).map_err(|missing| format!("invariant 15: {missing} is in no item"))?;
        let out = Money::new(sum, currency);
        let other = if currency == Currency::USD { Currency::EUR } else { Currency::USD };
        let is_converted = sum.abs() > 10 && self.chance(25);
        let amount = if is_converted { Money::new(sum * 9 / 10, other) } else { out };
        if is_converted {
            self.saw("converted payout");
        }
        if sum < 0 {
            self.saw("negative payout");
        }
        let id = PayoutId::from_bytes(self.new_id());
        self.payouts.push(Payout { id, out, amount, history: vec![PayoutState::Pending] });
        self.post_payout(self.payouts.len() - 1, PayoutState::Pending.postings_when_first_seen())
    }

    fn post_payout(&mut self, at: usize, postings: &[PayoutPosting]) -> Result<(), String> {
        let Payout { id, out, amount, .. } = self.payouts[at];
        let is_converted = out.currency() != amount.currency();
        let made = |posting: Result<Option<Posting>, PostingError>| posting.unwrap().unwrap();
        for due in postings {
            let cause = Cause::Payout(id, *due);
            match due {
                PayoutPosting::Created if is_converted => {
                    self.post(cause, made(chart::payout_converted_out(id, Processor::Stripe, out)))?;
                    let other_side = made(chart::payout_converted_in(id, amount));
                    self.post(Cause::PayoutIn(id, *due), other_side)?;
                }
                PayoutPosting::CreatedReversed if is_converted => {
                    let posting = made(chart::payout_converted_out(id, Processor::Stripe, out));
                    self.post(cause, posting.reversed())?;
                    let other_side = made(chart::payout_converted_in(id, amount)).reversed();
                    self.post(Cause::PayoutIn(id, *due), other_side)?;
                }
                PayoutPosting::Created => {
                    self.post(cause, made(chart::payout_created(id, Processor::Stripe, out)))?;
                }
                PayoutPosting::CreatedReversed => {
                    self.post(cause, made(chart::payout_created_reversed(id, Processor::Stripe, out)))?;
                }
                PayoutPosting::Paid => self.post(cause, made(chart::payout_paid(id, amount)))?,
                PayoutPosting::PaidReversed if self.rules.mirrors_failed_payouts => {
                    self.post(cause, made(chart::payout_paid_reversed(id, amount)))?;
                }
                PayoutPosting::PaidReversed => {}
            }
        }
        Ok(())
    }
}
