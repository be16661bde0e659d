//! Money received at the bank, with or without a place; allocations that move.

use super::{Booked, Cause, Invoice, World};
use billing::allocation::{Surplus, Wanted, split_received};
use billing::chart::{self, Channel, Place};
use billing::ids::{GrantId, PaymentId};
use billing::invoice::Lifecycle;
use ledger::{Currency, Money};
use rand::RngExt;

impl World {
    /// Somebody enters money that was received, for one invoice or several of a customer, and now and then too much of it.
    pub fn receive(&mut self) -> Result<(), String> {
        let Some(first) = self.any_invoice() else { return Ok(()) };
        let (customer, currency) = (self.invoices[first].customer, self.invoices[first].figures.currency);
        let fits = |invoice: &Invoice| {
            let same = (invoice.customer, invoice.figures.currency) == (customer, currency);
            same && invoice.lifecycle != Lifecycle::Void
        };
        let mut named: Vec<usize> =
            (0..self.invoices.len()).rev().filter(|at| fits(&self.invoices[*at])).collect();
        named.truncate(self.rng.random_range(1..4));
        if named.is_empty() {
            return Ok(());
        }
        let surplus = if self.chance(50) { Surplus::Refuse } else { Surplus::CustomerCredit };
        let mut wanted = Vec::new();
        for at in &named {
            let figures = self.invoices[*at].figures;
            let payable_minor = figures.payable_now().minor();
            let written_off_minor = self.invoices[*at].written_off_minor;
            let most = payable_minor + if surplus == Surplus::CustomerCredit { written_off_minor } else { 0 };
            let amount_minor = self.rng.random_range(1..=most.max(1)) + i64::from(self.chance(20)) * 500;
            if surplus == Surplus::CustomerCredit {
                self.recover(*at, amount_minor)?;
            }
            let payable_minor = self.invoices[*at].figures.payable_now().minor();
            wanted.push(Wanted { amount_minor, payable_minor });
        }
        let over = if self.chance(20) { self.rng.random_range(1..300) } else { 0 };
        let minor = wanted.iter().map(|wanted| wanted.amount_minor).sum::<i64>() + over;
        let Ok(taken) = split_received(minor, &wanted, surplus) else {
            self.saw("without place");
            return Ok(());
        };
        let id = PaymentId::from_bytes(self.new_id());
        let money = |minor| Money::new(minor, currency);
        let booked = self.new_booked(id, None, Some(customer), money(minor), Channel::Bank);
        let mut parts = Vec::new();
        for (at, taken) in named.iter().zip(&taken) {
            parts.push((Place::Invoice(self.invoices[*at].id), money(taken.to_invoice_minor)));
            self.allocate(booked, *at, taken.to_invoice_minor);
            if taken.surplus_minor > 0 {
                let grant = GrantId::from_bytes(self.new_id());
                parts.push((Place::Credit(grant), money(taken.surplus_minor)));
                self.new_grant(grant, customer, Some(*at), Some(id), money(taken.surplus_minor));
            }
        }
        self.saw("received");
        if named.len() > 1 {
            self.saw("payment over several invoices");
        }
        let posting = chart::money_received(customer, money(minor), &parts).unwrap();
        self.post_of(id, Cause::Received(id), posting)
    }

    /// Sets a payment's money against an invoice, in the model only.
    pub fn allocate(&mut self, booked: usize, invoice: usize, minor: i64) {
        let figures = &mut self.invoices[invoice].figures;
        figures.open_minor -= minor;
        figures.paid_minor += minor;
        *self.booked[booked].allocations.entry(invoice).or_default() += minor;
    }

    pub fn receive_unmatched(&mut self) -> Result<(), String> {
        let currency = if self.chance(50) { Currency::USD } else { Currency::EUR };
        let received = Money::new(self.rng.random_range(1..3_000), currency);
        let id = PaymentId::from_bytes(self.new_id());
        let booked = self.new_booked(id, None, None, received, Channel::Bank);
        self.booked[booked].unapplied_minor = received.minor();
        self.post_of(id, Cause::Received(id), chart::unmatched_received(id, received).unwrap())
    }

    /// Somebody finds out what money without a place is for: an invoice, as far as it goes, and credit.
    pub fn match_receipt(&mut self) -> Result<(), String> {
        let is_waiting = |at: &usize| self.booked[*at].unapplied_minor > 0;
        let waiting: Vec<usize> = (0..self.booked.len()).filter(is_waiting).collect();
        let (Some(at), Some(invoice)) = (self.one_of(&waiting), self.any_invoice()) else { return Ok(()) };
        let Booked { id, customer, currency, unapplied_minor, .. } = self.booked[at];
        let customer = customer.unwrap_or(self.invoices[invoice].customer);
        let figures = self.invoices[invoice].figures;
        let fits = (self.invoices[invoice].customer, figures.currency) == (customer, currency);
        let payable_minor = if fits { figures.payable_now().minor() } else { 0 };
        let to_invoice_minor = unapplied_minor.min(payable_minor);
        let money = |minor| Money::new(minor, currency);
        let grant = GrantId::from_bytes(self.new_id());
        let parts = [
            (Place::Invoice(self.invoices[invoice].id), money(to_invoice_minor)),
            (Place::Credit(grant), money(unapplied_minor - to_invoice_minor)),
        ];
        self.booked[at].customer = Some(customer);
        self.booked[at].unapplied_minor = 0;
        self.allocate(at, invoice, to_invoice_minor);
        let born_on = fits.then_some(invoice);
        if unapplied_minor > to_invoice_minor {
            self.new_grant(grant, customer, born_on, Some(id), money(unapplied_minor - to_invoice_minor));
        }
        self.saw("match");
        let posting = chart::receipt_matched(id, customer, money(unapplied_minor), &parts).unwrap();
        let number = self.made;
        let cause = if self.causes.contains_key(&Cause::Matched(id)) {
            Cause::Numbered("matched again", number)
        } else {
            Cause::Matched(id)
        };
        self.post_of(id, cause, posting)
    }

    /// An allocation goes to another invoice, or becomes credit.
    pub fn move_allocation(&mut self) -> Result<(), String> {
        let is_set = |at: &usize| self.booked[*at].allocations.values().any(|minor| *minor > 0);
        let set: Vec<usize> = (0..self.booked.len()).filter(is_set).collect();
        let (Some(at), Some(to)) = (self.one_of(&set), self.any_invoice()) else { return Ok(()) };
        let Booked { id, currency, .. } = self.booked[at];
        let (from, there) = self.booked[at]
            .allocations
            .iter()
            .map(|(at, minor)| (*at, *minor))
            .find(|(_, minor)| *minor > 0)
            .unwrap();
        let customer = self.invoices[from].customer;
        let figures = self.invoices[to].figures;
        let payable_minor = figures.payable_now().minor();
        let number = self.made;
        self.made += 1;
        let fits = (self.invoices[to].customer, figures.currency) == (customer, currency) && from != to;
        if fits && payable_minor > 0 {
            let minor = self.rng.random_range(1..=there.min(payable_minor));
            self.allocate(at, from, -minor);
            self.allocate(at, to, minor);
            let amount = Money::new(minor, currency);
            let (from, to) = (self.invoices[from].id, self.invoices[to].id);
            self.saw("move");
            let posting = chart::allocation_moved(customer, from, to, amount).unwrap();
            return self.post_of(id, Cause::Numbered("moved", number), posting);
        }
        if !self.chance(30) {
            return Ok(());
        }
        let amount = Money::new(self.rng.random_range(1..=there), currency);
        self.allocate(at, from, -amount.minor());
        let grant = GrantId::from_bytes(self.new_id());
        // Born on no invoice: on the old one it would go straight back.
        self.new_grant(grant, customer, None, Some(id), amount);
        self.saw("taken off");
        let posting = chart::allocation_taken_off(customer, self.invoices[from].id, grant, amount).unwrap();
        self.post_of(id, Cause::Numbered("taken off", number), posting)
    }
}
