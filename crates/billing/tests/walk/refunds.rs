//! Refunds of payments and of credit, and what their processor says of them: in any order, late, or never.

use super::{Booked, Cause, Refund, World};
use billing::chart::{self, Channel, Processor};
use billing::ids::RefundId;
use billing::payment::{PaymentState, Step};
use billing::refund::{RefundPosting, RefundState};
use billing::take_back::{OwnGrant, Source, Taken};
use ledger::Money;
use rand::RngExt;

impl World {
    pub fn ask_refund(&mut self) -> Result<(), String> {
        if self.chance(25) {
            return self.ask_credit_refund();
        }
        let candidates: Vec<usize> = (0..self.booked.len()).filter(|at| self.is_refundable(*at)).collect();
        let Some(at) = self.one_of(&candidates) else { return Ok(()) };
        let left = self.left(at);
        let refundable = left.refundable_minor(&self.booked[at].charge);
        let mut source = if self.chance(50) { Source::AllocatedFirst } else { Source::UnspentFirst };
        let set = left.allocated.iter().find(|part| part.amount_minor > 0);
        if let Some(part) = set.filter(|_| self.rng.random_range(0..5) == 0) {
            source = Source::Invoice(part.invoice);
        }
        if left.surcharge_minor > 0 && self.chance(20) {
            source = Source::Surcharge;
        }
        let most = refundable.min(left.most_minor(source));
        if most == 0 {
            return Ok(());
        }
        let part = if self.chance(40) { most } else { self.rng.random_range(1..=most) };
        let gives_price_back = self.chance(40);
        self.refund(at, part, source, gives_price_back)
    }

    /// Nobody refunds what is disputed, returned or charged back, or of whom nobody knows the owner.
    fn is_refundable(&self, at: usize) -> bool {
        let booked = &self.booked[at];
        let succeeded =
            booked.payment.is_none_or(|payment| self.payments[payment].state() == PaymentState::Succeeded);
        succeeded && booked.returned_minor == 0 && booked.customer.is_some() && !self.is_disputed(at)
    }

    pub fn is_disputed(&self, at: usize) -> bool {
        self.disputes.iter().any(|dispute| dispute.booked == at && dispute.state().is_open())
    }

    /// Everything that is left, of every payment, in one go.
    pub fn refund_all_that_is_left(&mut self) -> Result<(), String> {
        for at in 0..self.booked.len() {
            let left = self.left(at);
            if !self.is_refundable(at) || left.total_minor() == 0 {
                continue;
            }
            let refundable = left.refundable_minor(&self.booked[at].charge);
            let of_it = self.disputes.iter().filter(|dispute| dispute.booked == at);
            // What the merchant lost himself is still allocated, and no money stands behind it.
            if of_it.map(|dispute| dispute.loss_minor).sum::<i64>() == 0 && refundable != left.total_minor() {
                return Err(format!("{} are left and only {refundable} can be refunded", left.total_minor()));
            }
            if refundable > 0 {
                self.refund(at, refundable, Source::AllocatedFirst, false)?;
            }
            self.settle()?;
        }
        self.check()
    }

    fn refund(&mut self, at: usize, part: i64, source: Source, gives_price_back: bool) -> Result<(), String> {
        let mut left = self.left(at);
        let whole = left.total_minor();
        if !self.rules.shares_surcharge {
            left.surcharge_minor = 0;
        }
        let Booked { id: payment, customer, currency, channel, .. } = self.booked[at];
        let taken = left.take(part, source).map_err(|refused| {
            format!("{part} of the {whole} that are left of {payment} cannot be refunded: {refused}")
        })?;
        if gives_price_back {
            let refused = taken.allocated.iter().any(|part| {
                self.creditable(self.invoice_at(part.invoice)).give_price_back(part.amount_minor).is_err()
            });
            if refused {
                self.saw("price not given back");
                return Ok(());
            }
        }
        let id = RefundId::from_bytes(self.new_id());
        self.take_from(at, &taken);
        self.booked[at].charge.refunded_minor += part;
        if channel != Channel::Bank {
            self.booked[at].through_charge_minor += part;
        }
        let posting = chart::refund_asked(&self.paid(at), id, &taken).unwrap();
        self.post_of(payment, Cause::RefundAsked(id), posting)?;
        if gives_price_back {
            self.saw("price given back");
            for part in &taken.allocated {
                let invoice = self.invoice_at(part.invoice);
                let split = self.creditable(invoice).give_price_back(part.amount_minor).unwrap();
                self.post_credit_note(invoice, part.amount_minor, &split)?;
            }
        }
        match source {
            Source::Invoice(_) => self.saw("own allocation refunded"),
            Source::Surcharge => self.saw("surcharge refunded alone"),
            Source::AllocatedFirst | Source::UnspentFirst => {}
        }
        if part == whole {
            self.saw("refund of all that is left");
            let left = self.left(at).total_minor();
            if left != 0 {
                return Err(format!("{left} of {payment} are left after all of it was refunded"));
            }
        }
        self.refunds.push(Refund {
            id,
            booked: Some(at),
            customer: customer.unwrap(),
            amount: Money::new(part, currency),
            taken,
            channel,
            history: vec![RefundState::Requested],
        });
        self.sync(at);
        Ok(())
    }

    fn ask_credit_refund(&mut self) -> Result<(), String> {
        let found: Vec<usize> = (0..self.grants.len()).filter(|at| self.grants[*at].left_minor > 0).collect();
        let Some(grant) = self.one_of(&found) else { return Ok(()) };
        let (source, left) = (self.grants[grant].source, self.grants[grant].left_minor);
        let booked = source.map(|source| self.booked_at(source));
        if booked.is_some_and(|at| self.is_disputed(at)) {
            return Ok(());
        }
        let minor = self.rng.random_range(1..=left);
        let room = booked
            .map(|at| &self.booked[at])
            .filter(|booked| booked.channel != Channel::Bank && booked.returned_minor == 0);
        let room = room.map_or(0, |booked| {
            booked.charge.captured_minor - booked.through_charge_minor - booked.charge.charged_back_minor
        });
        // Credit with no charge that could carry it is paid from the bank.
        let channel = if room >= minor { Channel::Processor(Processor::Stripe) } else { Channel::Bank };
        let id = RefundId::from_bytes(self.new_id());
        let credit = &mut self.grants[grant];
        credit.left_minor -= minor;
        let (customer, grant_id, amount) =
            (credit.customer, credit.id, Money::new(minor, credit.amount.currency()));
        let born_on = credit.born_on.map(|at| self.invoices[at].id);
        if let Some(at) = booked {
            self.booked[at].charge.refunded_minor += minor;
            if channel != Channel::Bank {
                self.booked[at].through_charge_minor += minor;
            }
            self.sync(at);
        }
        let own = OwnGrant { grant: grant_id, born_on, amount_minor: minor };
        let taken = Taken { grants: vec![own], ..Taken::default() };
        self.refunds.push(Refund {
            id,
            booked,
            customer,
            amount,
            taken,
            channel,
            history: vec![RefundState::Requested],
        });
        self.saw("credit refunded");
        let posting = chart::credit_refund_asked(customer, id, amount, &[(grant_id, amount)]).unwrap();
        self.post(Cause::RefundAsked(id), posting)
    }

    pub fn hear_of_refund(&mut self) -> Result<(), String> {
        let may_move = |at: &usize| !self.refunds[*at].state().next().is_empty();
        let waiting: Vec<usize> = (0..self.refunds.len()).filter(may_move).collect();
        let found = if self.chance(80) { self.one_of(&waiting) } else { self.any(self.refunds.len()) };
        let Some(at) = found else { return Ok(()) };
        let next = self.refunds[at].state().next();
        let all = if self.chance(70) && !next.is_empty() { next } else { &RefundState::ALL[..] };
        let said = all[self.rng.random_range(0..all.len())];
        if self.refunds[at].state().step(said) == Step::Move { self.move_refund(at, said) } else { Ok(()) }
    }

    pub fn move_refund(&mut self, at: usize, next: RefundState) -> Result<(), String> {
        let before = self.refunds[at].state();
        let (id, channel, amount) = (self.refunds[at].id, self.refunds[at].channel, self.refunds[at].amount);
        self.refunds[at].history.push(next);
        for posting in before.postings(next) {
            match posting {
                RefundPosting::Succeeded => {
                    let posting = chart::refund_succeeded(id, channel, amount).unwrap();
                    self.post(Cause::RefundSucceeded(id), posting)?;
                }
                RefundPosting::CameBack => {
                    self.saw("late failure of a refund");
                    let posting = chart::refund_came_back(id, channel, amount).unwrap();
                    if self.rules.books_late_failures_whole {
                        self.post(Cause::RefundCameBack(id), posting)?;
                    }
                }
                RefundPosting::Failed => self.end_refund(at, false)?,
                RefundPosting::Withdrawn => self.end_refund(at, true)?,
            }
        }
        Ok(())
    }

    /// The money is ours to hold again.
    fn end_refund(&mut self, at: usize, is_withdrawn: bool) -> Result<(), String> {
        let Refund { id, booked, customer, amount, channel, .. } = self.refunds[at];
        let taken = self.refunds[at].taken.clone();
        let source = booked.map(|at| self.booked[at].id);
        self.saw(if is_withdrawn { "refund withdrawn" } else { "refund failed" });
        let posting = if let Some(at) = booked.filter(|_| is_withdrawn) {
            let given = taken.refund_withdrawn();
            let grants = self.give_to(at, &given);
            chart::refund_withdrawn(&self.paid(at), id, &given, &grants)
        } else {
            let born = taken.refund_failed();
            let grants = self.bear(customer, source, amount.currency(), &born);
            chart::refund_failed(customer, id, amount, &born, &grants)
        };
        if let Some(at) = booked {
            self.booked[at].charge.refunded_minor -= amount.minor();
            if channel != Channel::Bank {
                self.booked[at].through_charge_minor -= amount.minor();
            }
            self.sync(at);
        }
        self.post(Cause::RefundEnded(id), posting.unwrap())
    }
}
