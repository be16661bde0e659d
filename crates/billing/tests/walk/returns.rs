//! What is left of a payment, and banks that take all of it back.

use super::{Booked, Cause, World};
use billing::chart::{self, Channel, Paid};
use billing::payment::PaymentState;
use billing::refund::RefundState;
use billing::take_back::{Allocated, GivenBack, Left, OwnGrant, Taken};
use ledger::{Account, Currency, Money};
use rand::RngExt;

impl World {
    pub fn left(&self, at: usize) -> Left {
        let booked = &self.booked[at];
        let all = !self.rules.takes_own_grants_only;
        let is_own = |grant: &&super::Grant| {
            let same = (Some(grant.customer), grant.amount.currency()) == (booked.customer, booked.currency);
            grant.left_minor > 0 && (grant.source == Some(booked.id) || (all && same))
        };
        let own = |grant: &super::Grant| OwnGrant {
            grant: grant.id,
            born_on: grant.born_on.map(|at| self.invoices[at].id),
            amount_minor: grant.left_minor,
        };
        let allocated =
            |(at, minor): (&usize, &i64)| Allocated { invoice: self.invoices[*at].id, amount_minor: *minor };
        Left {
            allocated: booked.allocations.iter().map(allocated).collect(),
            grants: self.grants.iter().filter(is_own).map(own).collect(),
            unapplied_minor: booked.unapplied_minor,
            surcharge_minor: booked.surcharge_minor,
        }
    }

    /// Takes from the model what a posting takes from the accounts.
    pub fn take_from(&mut self, at: usize, taken: &Taken) {
        for part in &taken.allocated {
            self.allocate(at, self.invoice_at(part.invoice), -part.amount_minor);
        }
        for part in &taken.grants {
            let grant = self.grants.iter_mut().find(|grant| grant.id == part.grant).unwrap();
            grant.left_minor -= part.amount_minor;
        }
        self.booked[at].unapplied_minor -= taken.unapplied_minor;
        self.booked[at].surcharge_minor -= taken.surcharge_minor;
    }

    /// Gives to the model what a posting gives to the accounts; the ids of the grants that are born.
    pub fn give_to(&mut self, at: usize, given: &GivenBack) -> Vec<billing::ids::GrantId> {
        self.booked[at].surcharge_minor += given.surcharge_minor;
        self.booked[at].unapplied_minor += given.unapplied_minor;
        for part in &given.allocated {
            self.allocate(at, self.invoice_at(part.invoice), part.amount_minor);
        }
        let Booked { id, customer, currency, .. } = self.booked[at];
        self.bear(customer.unwrap(), Some(id), currency, &given.born)
    }

    pub fn bear(
        &mut self,
        customer: billing::ids::CustomerId,
        source: Option<billing::ids::PaymentId>,
        currency: Currency,
        born: &[billing::take_back::Born],
    ) -> Vec<billing::ids::GrantId> {
        let mut ids = Vec::new();
        for born in born {
            let id = billing::ids::GrantId::from_bytes(self.new_id());
            let born_on = born.on.map(|invoice| self.invoice_at(invoice));
            self.new_grant(id, customer, born_on, source, Money::new(born.amount_minor, currency));
            ids.push(id);
        }
        ids
    }

    pub fn paid(&self, at: usize) -> Paid {
        let Booked { id, customer, currency, .. } = self.booked[at];
        Paid { customer: customer.unwrap(), payment: id, currency }
    }

    /// The bank takes a debit back, or a recorded receipt proves wrong.
    pub fn return_payment(&mut self) -> Result<(), String> {
        let may = |at: &usize| {
            let booked = &self.booked[*at];
            let is_there = booked.payment.is_none_or(|payment| {
                let payment = &self.payments[payment];
                payment.is_debit && payment.state() == PaymentState::Succeeded
            });
            is_there && booked.returned_minor == 0
        };
        let candidates: Vec<usize> = (0..self.booked.len()).filter(may).collect();
        let Some(at) = self.one_of(&candidates) else { return Ok(()) };
        let Booked { id, customer, currency, channel, charge, payment, .. } = self.booked[at];
        let gross_minor = charge.captured_minor;
        if customer.is_none() {
            self.booked[at].unapplied_minor = 0;
            self.booked[at].returned_minor = gross_minor;
            self.saw("unmatched receipt reversed");
            let posting = chart::unmatched_reversed(id, Money::new(gross_minor, currency)).unwrap();
            return self.post_of(id, Cause::Returned(id), posting);
        }
        for refund in 0..self.refunds.len() {
            let is_waiting = self.refunds[refund].state() == RefundState::Requested;
            if is_waiting && self.refunds[refund].booked == Some(at) {
                self.move_refund(refund, RefundState::Canceled)?;
            }
        }
        let returned = self.left(at).take_up_to(gross_minor);
        self.take_from(at, &returned.taken);
        self.booked[at].returned_minor = gross_minor;
        if let Some(payment) = payment {
            self.payments[payment].history.push(PaymentState::Returned);
        }
        self.saw(if channel == Channel::Bank { "reversed receipt" } else { "return" });
        if charge.refunded_minor > 0 {
            self.saw("return after a refund");
        }
        if self.grants.iter().any(|grant| grant.source == Some(id) && grant.elsewhere_minor > 0) {
            self.saw("return of spent credit");
        }
        let posting = chart::payment_returned(&self.paid(at), channel, &returned).unwrap();
        self.post_of(id, Cause::Returned(id), posting)
    }

    /// What customers owe of returned payments is asked for on an invoice.
    pub fn demand(&mut self) -> Result<(), String> {
        let is_owed = |((account, _), balance): &(&(Account, Currency), &i64)| {
            account.number == chart::RETURNED_RECEIVABLE && **balance > 0
        };
        let mut owed: Vec<(Account, Currency, i64)> = self
            .balances
            .iter()
            .filter(is_owed)
            .map(|((account, currency), balance)| (*account, *currency, *balance))
            .collect();
        owed.sort_by_key(|(account, currency, _)| (account.customer, *currency));
        let Some(found) = self.any(owed.len()) else { return Ok(()) };
        let (account, currency, balance) = owed[found];
        let customer = billing::ids::CustomerId::from_bytes(account.customer.unwrap().0);
        let amount = Money::new(self.rng.random_range(1..=balance), currency);
        let at = self.new_invoice(customer, amount, &[]);
        self.invoices[at].is_returned_payment = true;
        let id = self.invoices[at].id;
        self.saw("demand");
        self.post(Cause::Issued(id), chart::returned_payment_demanded(customer, id, amount).unwrap())
    }

    /// Whether a payment is charged back follows from what is left of it.
    pub fn sync(&mut self, at: usize) {
        let booked = &self.booked[at];
        let Some(payment) = booked.payment.filter(|_| booked.returned_minor == 0) else { return };
        let is_gone = booked.charge.is_charged_back();
        let state = if is_gone { PaymentState::ChargedBack } else { PaymentState::Succeeded };
        if self.payments[payment].state() != state {
            self.payments[payment].history.push(state);
        }
    }
}
