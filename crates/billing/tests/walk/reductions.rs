//! What lowers an invoice without money, beside money that is on its way; and write-offs that are undone by money.

use super::{Cause, Invoice, World};
use billing::chart::{self, Credited};
use billing::credit_note::{CreditSplit, Creditable};
use billing::ids::{CreditNoteId, GrantId};
use billing::invoice::Lifecycle;
use billing::write_off::{discount, recovered_minor, write_off};
use ledger::Money;
use rand::RngExt;

impl World {
    pub fn reduce(&mut self) -> Result<(), String> {
        let Some(at) = self.any_invoice() else { return Ok(()) };
        match self.rng.random_range(0..4) {
            0 => self.write_off(at),
            1 => self.discount(at),
            _ => {
                let at = if self.chance(40) { self.any(self.invoices.len()).unwrap_or(at) } else { at };
                let most = self.creditable(at).left_minor();
                let amount = self.rng.random_range(1..=most.max(1));
                self.credit(at, amount)
            }
        }
    }

    /// What is payable, as far as whoever lowers an invoice looks at what is on its way.
    fn reducible_minor(&self, at: usize) -> i64 {
        let figures = self.invoices[at].figures;
        if self.rules.reduces_payable_only { figures.payable_now().minor() } else { figures.open_minor }
    }

    pub fn creditable(&self, at: usize) -> Creditable {
        let invoice = &self.invoices[at];
        Creditable {
            currency: invoice.figures.currency,
            lifecycle: invoice.lifecycle,
            is_returned_payment: invoice.is_returned_payment,
            total_minor: invoice.figures.total_minor,
            payable_minor: self.reducible_minor(at),
            credited_minor: invoice.credited_minor,
            reduced_minor: invoice.written_off_minor + invoice.discounts_minor,
            taxes: invoice.taxes.clone(),
        }
    }

    fn credit(&mut self, at: usize, amount_minor: i64) -> Result<(), String> {
        let Ok(split) = self.creditable(at).credit(amount_minor) else { return Ok(()) };
        self.post_credit_note(at, amount_minor, &split)
    }

    pub fn post_credit_note(
        &mut self,
        at: usize,
        amount_minor: i64,
        split: &CreditSplit,
    ) -> Result<(), String> {
        let grant = GrantId::from_bytes(self.new_id());
        let Invoice { id, customer, figures, .. } = self.invoices[at];
        let credit_note = CreditNoteId::from_bytes(self.new_id());
        let currency = figures.currency;
        let credited = Credited { customer, invoice: id, credit_note, grant, currency };
        let invoice = &mut self.invoices[at];
        invoice.credited_minor += amount_minor;
        invoice.credited_here_minor += split.to_invoice_minor;
        invoice.figures.open_minor -= split.to_invoice_minor;
        for (rate, minor) in &split.taxes {
            invoice.taxes.iter_mut().find(|tax| tax.rate == *rate).unwrap().credited_minor += minor;
        }
        self.saw("credit note");
        if figures.pending_minor > 0 {
            self.saw("credit note beside a payment in flight");
        }
        if split.surplus_minor > 0 {
            self.saw("credit note of more than is payable");
            self.new_grant(grant, customer, Some(at), None, Money::new(split.surplus_minor, currency));
        }
        let posting = chart::credit_note_issued(&credited, split).unwrap();
        self.post(Cause::Credited(credit_note), posting)
    }

    fn write_off(&mut self, at: usize) -> Result<(), String> {
        let Some(amount) = self.any_reduction(at) else { return Ok(()) };
        let Invoice { id, customer, lifecycle, figures, .. } = self.invoices[at];
        let next = write_off(lifecycle, &figures, amount.minor());
        if next.is_err() && self.rules.reduces_payable_only {
            return Err(format!("{amount} of {id} cannot be written off: {next:?}"));
        }
        let invoice = &mut self.invoices[at];
        invoice.lifecycle = next.unwrap_or(lifecycle);
        invoice.written_off_minor += amount.minor();
        invoice.figures.open_minor -= amount.minor();
        let is_all = invoice.lifecycle == Lifecycle::Uncollectible;
        self.saw(if is_all { "write-off of all" } else { "write-off" });
        let number = self.made;
        self.made += 1;
        let posting = chart::written_off(customer, id, amount).unwrap();
        self.post(Cause::Numbered("written off", number), posting)
    }

    fn discount(&mut self, at: usize) -> Result<(), String> {
        let Some(amount) = self.any_reduction(at) else { return Ok(()) };
        let Invoice { id, customer, lifecycle, figures, .. } = self.invoices[at];
        if discount(lifecycle, &figures, amount.minor()).is_err() && self.rules.reduces_payable_only {
            return Err(format!("a discount of {amount} on {id} is refused"));
        }
        let invoice = &mut self.invoices[at];
        invoice.discounts_minor += amount.minor();
        invoice.figures.open_minor -= amount.minor();
        self.saw("discount");
        let number = self.made;
        self.made += 1;
        let posting = chart::discount_taken(customer, id, amount).unwrap();
        self.post(Cause::Numbered("discount", number), posting)
    }

    fn any_reduction(&mut self, at: usize) -> Option<Money> {
        let most = self.reducible_minor(at);
        if most <= 0 {
            return None;
        }
        let minor = if self.chance(50) { most } else { self.rng.random_range(1..=most) };
        Some(Money::new(minor, self.invoices[at].figures.currency))
    }

    /// Money is about to be set against an invoice: what was written off of it comes back as far as that needs it.
    pub fn recover(&mut self, at: usize, for_invoice_minor: i64) -> Result<(), String> {
        let Invoice { id, customer, figures, written_off_minor, .. } = self.invoices[at];
        let minor = recovered_minor(for_invoice_minor, figures.payable_now().minor(), written_off_minor);
        if minor == 0 {
            return Ok(());
        }
        self.invoices[at].written_off_minor -= minor;
        self.invoices[at].figures.open_minor += minor;
        self.saw("recovery");
        let number = self.made;
        self.made += 1;
        let posting = chart::write_off_recovered(customer, id, Money::new(minor, figures.currency)).unwrap();
        self.post(Cause::Numbered("recovered", number), posting)
    }
}
